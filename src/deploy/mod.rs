//! Planning and doing: a deploy, a rollback, a resume.
//!
//! From the top down, and nothing imports what stands above it:
//!
//! * `apply`: once something is planned: refuse, lock, plan again, and go through the phases;
//! * `phases`: stage, bring keys, parse, switch, restart, confirm or go back;
//! * `resume`, `rollback`: planning what brings hosts up to date, and what goes back to a release that lies on them;
//! * `prepare`: planning what the description says;
//! * `switch`: switching hosts, and the way back;
//! * `rolling`: what passes between two batches of a rolling restart;
//! * `parse`: the real Zeek parses what was staged;
//! * `stage`: putting a release beside the others;
//! * `compare`: the texts of files that change;
//! * `archivers`: archivers that nobody else starts or stops;
//! * `prepared`: all that is known before anything changes;
//! * `survey`: what is found on the hosts, and whether a deploy can go on with it;
//! * `again`: an earlier release with the current secrets;
//! * `records`, `stored`: what hosts record of their releases, and what they have of one;
//! * `leaving`: hosts that leave the cluster;
//! * `options`: what may be left out;
//! * `keys`: the keys of the cluster;
//! * `beside`, `site`: what the description names on the operator's machine;
//! * `report`: how it ended.

mod again;
mod apply;
mod archivers;
mod beside;
mod compare;
mod keys;
mod leaving;
mod options;
mod parse;
mod phases;
mod prepare;
mod prepared;
mod records;
mod report;
mod resume;
mod rollback;
mod rolling;
mod site;
mod stage;
mod stored;
mod survey;
mod switch;

pub use apply::{Agree, allowed, apply, unlocked};
pub use beside::missing;
pub use compare::compare;
pub use keys::NewKeys;
pub use options::{Offers, Options, skipped};
pub use parse::{CheckReport, Checked, Finding};
pub use prepare::prepare;
pub use prepared::Prepared;
pub use report::{DeployReport, Pending, ways_on};
pub use resume::{NotResumed, prepare_resume};
pub use rollback::prepare_rollback;

pub(crate) use parse::parse;
pub(crate) use stage::stage;
