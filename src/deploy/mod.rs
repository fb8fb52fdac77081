//! Planning and doing: a deploy, a rollback, a resume.
//!
//! From the top down, and nothing imports what stands above it:
//!
//! * `agreed`: a plan in a file, which a deploy does or refuses;
//! * `apply`: once something is planned: refuse, lock, plan again, and go through the phases;
//! * `phases`: stage, bring keys, parse, activate, restart, confirm or go back;
//! * `resume`, `rollback`: planning what brings hosts up to date, and what goes back to a release that lies on them;
//! * `prepare`: planning what the description says;
//! * `activate`: making the release the current one on hosts, and the way back;
//! * `rolling`: what passes between two batches of a rolling restart;
//! * `parse`: the real Zeek parses what was staged;
//! * `stage`: putting a release beside the others;
//! * `compare`: the texts of files that change;
//! * `archivers`: archivers that nobody else starts or stops;
//! * `prepared`: all that is known before anything changes;
//! * `survey`: what is found on the hosts, and whether a deploy can go on with it;
//! * `current_secrets`: an earlier release with the current secrets;
//! * `deployed_clusters`, `host_release`: what hosts record of their releases, and what they have of one;
//! * `leaving`: hosts that leave the cluster;
//! * `options`: what may be left out;
//! * `keys`: the keys of the cluster;
//! * `local_inputs`, `site`: what the description names on the operator's machine;
//! * `report`: how it ended.

mod activate;
mod agreed;
mod apply;
mod archivers;
mod compare;
mod current_secrets;
mod deployed_clusters;
mod host_release;
mod keys;
mod leaving;
mod local_inputs;
mod options;
mod parse;
mod phases;
mod prepare;
mod prepared;
mod report;
mod resume;
mod rollback;
mod rolling;
mod site;
mod stage;
mod survey;

pub use agreed::{agreed, read_saved, save};
pub use apply::{Agree, allowed, apply, unlocked};
pub use compare::compare;
pub use keys::NewKeys;
pub use local_inputs::missing;
pub use options::{Offers, Options, skipped};
pub use parse::{CheckReport, CheckedNode, Finding};
pub use prepare::prepare;
pub use prepared::Prepared;
pub use report::{DeployReport, PendingHost, how_to_continue};
pub use resume::{NotResumed, prepare_resume};
pub use rollback::prepare_rollback;

pub(crate) use parse::parse;
pub(crate) use stage::stage;
