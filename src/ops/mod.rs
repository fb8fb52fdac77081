//! Operations: observe, deploy, start, stop, status. They emit [`Event`]s and return reports; they never print.
//!
//! * `fleet`: the hosts of a cluster, and asking many of them at once;
//! * `select`: which nodes a command means;
//! * `beside`: what the description names on this machine, before any connection;
//! * `site`: reading the site folder and secrets;
//! * `lock`: the lock on each host that an operation touches;
//! * `tiers`: stopping and starting nodes in the order of their roles;
//! * `maintain`: what hosts need from time to time, by hand or by a timer of theirs;
//! * `archive`: what archives the logs beside them;
//! * `prepare`: what is known and planned before anything changes;
//! * `secrets`: the keys of the cluster, and bringing them to hosts;
//! * `stage`: putting a release beside the others;
//! * `check`: parsing it with the real Zeek;
//! * `rolling`: what passes between two batches of a rolling restart;
//! * `ports`: what else listens where nodes will;
//! * `deploy`: switching, stopping, starting, and going back;
//! * `diff`: reading what changes in files;
//! * `doctor`: the preflight of every host;
//! * `peers`: waiting until nodes that were started see each other;
//! * `print`: asking nodes for values;
//! * `rollback`: going back to a release that lies on the hosts;
//! * `again`: such a release with the secrets of now;
//! * `resume`: bringing hosts that were away up to date;
//! * `releases`: what lies on which host;
//! * `unlock`: freeing a lock whose holder does not let go;
//! * `status`: what hosts and nodes say.

mod again;
mod archive;
mod beside;
mod check;
mod deploy;
mod diff;
mod doctor;
mod fleet;
mod leaving;
mod lock;
mod maintain;
mod peers;
mod ports;
mod prepare;
mod print;
mod releases;
mod resume;
mod rollback;
mod rolling;
mod secrets;
mod select;
mod site;
mod stage;

mod status;
mod tiers;
mod unlock;

use crate::error::{Error, Problem};

pub use beside::missing;
pub use check::{CheckReport, Checked, Finding, check};
pub use deploy::{Agree, Behind, DeployReport, allowed, apply, ways_on};
pub use diff::compare;
pub use doctor::{Check, DoctorReport, HostReport, Verdict, doctor};
pub use fleet::{Fleet, Settings};
pub use maintain::{
    EVERY as MAINTAINED_EVERY, Healed, HostMaintenance, Installed, MaintainReport, Maintained, install, maintain,
};
pub use prepare::{Offers, Options, Prepared, prepare};
pub use print::{PrintReport, PrintRow, print};
pub use releases::{ReleaseRow, ReleasesReport, releases};
pub use resume::prepare_resume;
pub use rollback::prepare_rollback;
pub use select::{Selection, candidates, skipped};

pub use status::{Health, HostStatus, NodeRow, State, StatusReport, Trouble, Workers, status};
pub use tiers::{NodeOutcome, Outcome, RunReport, restart, start, stop};
pub use unlock::{HeldLock, LocksReport, locks, unlock};

/// What happens while an operation runs: for progress bars, plain lines or JSON lines.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A phase begins, over so many hosts or nodes.
    Phase {
        /// What is done, as a present participle: `observing`.
        name: &'static str,
        /// How many things there are to do.
        total: usize,
    },
    /// A host begins to work on something.
    HostBegins {
        /// The host.
        host: String,
    },
    /// A host is done with it.
    HostEnds {
        /// The host.
        host: String,
        /// What went wrong; none if nothing did.
        failure: Option<String>,
    },
    /// Something happened to a node.
    Node {
        /// The node.
        node: String,
        /// Its host.
        host: String,
        /// What: `ready`, `stopped`, `ended at start (exit 1)`.
        what: String,
        /// Whether that is bad.
        bad: bool,
        /// Whether it is a step on the way: it is started again, and told of then.
        #[serde(skip)]
        passing: bool,
    },
    /// Something that the user should know.
    Note {
        /// What.
        text: String,
    },
}

/// Where events go.
pub type Events = tokio::sync::mpsc::UnboundedSender<Event>;

/// Why an operation could not be done.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The description has problems that only showed later, since the version of Zeek was not known before.
    Problems(Vec<Problem>),
    /// Something else.
    Error(Box<Error>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}
