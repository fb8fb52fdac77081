//! The status of a cluster, as data.

use serde::Serialize;

use crate::cluster::{Backend, Role};
use crate::observed::Queue;

/// What a node's process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
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
    /// Its host is switched off in the description.
    Disabled,
    /// Its host can't be asked.
    Unknown,
}

impl State {
    /// Returns the state's name.
    pub fn name(self) -> &'static str {
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

/// How well a running node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Health {
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
    pub fn name(self) -> &'static str {
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
pub struct NodeRow {
    /// Its name.
    pub node: String,
    /// What it is.
    #[serde(rename = "type")]
    pub role: Role,
    /// Its host.
    pub host: String,
    /// What its process does.
    pub state: State,
    /// More about the state: how it ended, why it is unknown.
    pub detail: Option<String>,
    /// How well it does; none where it does not run or could not be asked.
    pub health: Option<Health>,
    /// More about the health.
    pub health_detail: Option<String>,
    /// Its process id.
    pub pid: Option<u32>,
    /// Seconds since its process was started.
    pub uptime: Option<f64>,
    /// Processor time in per cent of one CPU, averaged over the process's life.
    pub cpu: Option<f64>,
    /// Resident memory in bytes.
    pub memory: Option<u64>,
    /// The nodes it sees.
    pub peers: Option<Vec<String>>,
    /// Packets received in the last minute.
    pub received: Option<u64>,
    /// Packets dropped in the last minute, in per cent.
    pub dropped_percent: Option<f64>,
    /// The release that it runs.
    pub release: Option<String>,
    /// How often its supervisor has restarted it.
    pub restarts: u32,
    /// Its folder on its host.
    pub folder: String,
    /// How its last process ended; none where none did, or it was asked to.
    pub ended: Option<String>,
    /// The folder of what that one left, on its host.
    pub crash: Option<String>,
}

/// What is known of one host.
#[derive(Debug, Clone, Serialize)]
pub struct HostStatus {
    /// Its name.
    pub host: String,
    /// Why it could not be asked; none if it could.
    pub failure: Option<String>,
    /// The current release there.
    pub release: Option<String>,
    /// Who holds its lock.
    pub lock: Option<String>,
    /// Its rotated logs that wait for the archive; none where no node writes logs.
    pub queue: Option<Queue>,
    /// When it last maintained itself, in seconds since 1970; none where it does not.
    pub maintained: Option<i64>,
}

/// Workers in four numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Workers {
    /// In the description.
    pub described: usize,
    /// Running, as their hosts say.
    pub running: usize,
    /// Answering over their control topics.
    pub answering: usize,
    /// Counted by the manager; none if it could not be asked. A vanished host's workers stay in it.
    pub counted: Option<u64>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The node or host.
    pub subject: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The status of a cluster.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReport {
    /// The cluster's name.
    pub cluster: String,
    /// Zeek's version, as far as it is known.
    pub zeek: Option<String>,
    /// The backend, as far as it is known.
    pub backend: Option<Backend>,
    /// Workers in four numbers.
    pub workers: Workers,
    /// The hosts.
    pub hosts: Vec<HostStatus>,
    /// The nodes, in the cluster's order.
    pub nodes: Vec<NodeRow>,
    /// What is not wrong, but should be known: it does not change the exit code.
    pub warnings: Vec<Trouble>,
    /// What is not as it should be.
    pub troubles: Vec<Trouble>,
    /// Why nodes were not asked, where that is no trouble.
    pub note: Option<String>,
}

impl StatusReport {
    /// Tells whether all is as it should be.
    pub fn is_ok(&self) -> bool {
        self.troubles.is_empty()
    }
}
