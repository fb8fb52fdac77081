//! The status of a cluster, as data.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::cluster::{Backend, Role};
use crate::observed::Queue;

/// What a node's process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It does not run and is not meant to.
    Stopped,
    /// It is on its way up.
    Starting,
    /// It runs.
    Running,
    /// It is on its way down.
    Stopping,
    /// It ended by itself.
    Crashed,
    /// It ended by itself and is not started again.
    Failed,
    /// Its host is disabled in the description.
    Disabled,
    /// Its host can't be asked.
    Unknown,
}

impl State {
    /// Returns the state's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Crashed => "crashed",
            Self::Failed => "failed",
            Self::Disabled => "disabled",
            Self::Unknown => "unknown",
        }
    }
}

/// More about a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StateDetail {
    /// No release with the node has been deployed on its host.
    NotDeployed,
    /// A restart stopped it and has not started it again: it is still meant to run.
    RestartCutOff,
    /// It ran when its host went down.
    Rebooted,
    /// It runs, and nothing starts it again when it ends.
    Unsupervised,
    /// It runs, and not where the description has it: where, as a sentence fragment of which it is the subject.
    Elsewhere(String),
    /// Something that decides nothing else.
    Other(String),
}

impl fmt::Display for StateDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotDeployed => "not deployed yet",
            Self::RestartCutOff => "by a restart that has not started it again",
            Self::Rebooted => "the host rebooted",
            Self::Unsupervised => "unsupervised",
            Self::Elsewhere(text) | Self::Other(text) => text,
        })
    }
}

impl Serialize for StateDetail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How well a running node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Health {
    /// All is well.
    #[serde(rename = "ok")]
    Ok,
    /// It did not answer.
    #[serde(rename = "no reply")]
    NoReply,
    /// It does not see a node that it needs.
    #[serde(rename = "not peered")]
    NotPeered,
    /// It captures, but no packet has come for a minute.
    #[serde(rename = "no packets")]
    NoPackets,
    /// It loses packets.
    #[serde(rename = "dropping")]
    Dropping,
    /// The Zeek binary was replaced under it.
    #[serde(rename = "old binary")]
    OldBinary,
    /// It runs with other inputs than the current release has.
    #[serde(rename = "old inputs")]
    OldInputs,
    /// Its rotated logs wait too long for the archive.
    #[serde(rename = "queue growing")]
    QueueGrowing,
}

impl Health {
    /// Returns the health's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoReply => "no reply",
            Self::NotPeered => "not peered",
            Self::NoPackets => "no packets",
            Self::Dropping => "dropping",
            Self::OldBinary => "old binary",
            Self::OldInputs => "old inputs",
            Self::QueueGrowing => "queue growing",
        }
    }
}

/// What is known of one node of the description.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NodeRow {
    /// Its name.
    pub(crate) node: String,
    #[serde(rename = "type")]
    pub(crate) role: Role,
    pub(crate) host: String,
    /// What its process does.
    pub(crate) state: State,
    /// More about the state: how it ended, why it is unknown.
    pub(crate) detail: Option<StateDetail>,
    /// How well it does; none where it does not run or could not be asked.
    pub(crate) health: Option<Health>,
    /// More about the health.
    pub(crate) health_detail: Option<String>,
    /// Its process id.
    pub(crate) pid: Option<u32>,
    /// The host on which that process is, where the description has the node elsewhere; nothing else is said of it then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) runs_on: Option<String>,
    /// Seconds since its process was started.
    pub(crate) uptime: Option<f64>,
    /// Processor time in per cent of one CPU, averaged over the process's life.
    pub(crate) cpu: Option<f64>,
    /// Resident memory in bytes.
    pub(crate) memory: Option<u64>,
    /// The nodes it sees.
    pub(crate) peers: Option<Vec<String>>,
    /// Packets received in the last minute.
    pub(crate) received: Option<u64>,
    /// Packets dropped in the last minute, in per cent.
    pub(crate) dropped_percent: Option<f64>,
    /// The release that it runs.
    pub(crate) release: Option<String>,
    /// How often its supervisor has restarted it; none where what it recorded of that is no number.
    pub(crate) restarts: Option<u32>,
    /// Its folder on its host.
    pub(crate) folder: String,
    /// How its last process ended; none where none did, or it was asked to.
    pub(crate) ended: Option<String>,
    /// The folder of what that one left, on its host.
    pub(crate) crash: Option<String>,
}

/// What is known of one host.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HostStatus {
    /// Its name.
    pub(crate) host: String,
    /// Why it could not be asked; none if it could.
    pub(crate) failure: Option<String>,
    /// The current release there.
    pub(crate) release: Option<String>,
    /// Who holds its lock.
    pub(crate) lock: Option<String>,
    /// Its rotated logs that wait for the archive; none where no node writes logs.
    pub(crate) queue: Option<Queue>,
    /// When it last maintained itself, in seconds since 1970; none where it does not.
    pub(crate) maintained: Option<i64>,
}

/// Workers in four numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Workers {
    /// In the description.
    pub(crate) described: usize,
    /// Running, as their hosts say.
    pub(crate) running: usize,
    /// Answering over their control topics.
    pub(crate) answering: usize,
    /// Counted by the manager; none if it could not be asked. A vanished host's workers stay in it.
    pub(crate) counted: Option<u64>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Trouble {
    /// The node or host.
    pub(crate) subject: String,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    #[serde(serialize_with = "crate::error::hint::serialize_any")]
    pub(crate) hint: Option<String>,
}

/// The status of a cluster.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StatusReport {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// Zeek's version, as far as it is known.
    pub(crate) zeek: Option<String>,
    /// The backend, as far as it is known.
    pub(crate) backend: Option<Backend>,
    /// Workers in four numbers.
    pub(crate) workers: Workers,
    pub(crate) hosts: Vec<HostStatus>,
    /// The nodes, in the cluster's order.
    pub(crate) nodes: Vec<NodeRow>,
    /// What is not wrong, but should be known: it does not change the exit code.
    pub(crate) warnings: Vec<Trouble>,
    /// What is not as it should be.
    pub(crate) troubles: Vec<Trouble>,
    /// Why nodes were not asked, where that is no trouble.
    pub(crate) note: Option<String>,
}

impl StatusReport {
    /// Tells whether all is as it should be.
    pub(crate) fn is_ok(&self) -> bool {
        self.troubles.is_empty()
    }
}
