//! What is known of a host: what every look tells, and what only the full look does that a deploy needs.

use std::collections::BTreeMap;
use std::ops::Deref;

use serde::Serialize;

use super::altered::Altered;
use super::cpus::HostCpus;
use super::journal::Unfinished;
use super::node::{ObservedNode, ZeekBinary};
use super::path_owners::Component;
use super::pending::RemovedHost;
use super::unmanaged::{Origin, ProcessFolder, UnmanagedProcess};

/// The most hosts that left of which one host's word is taken. They are all asked, and what can't be asked is written to
/// all hosts, whose own answers must not become longer than any that is read.
pub const MOST_LEFT: usize = 2000;

/// What a look at a host tells, brief or full.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// `/etc/machine-id`, or `-`.
    pub machine_id: String,
    pub boot_id: String,
    /// Seconds since boot.
    pub uptime: f64,
    /// The host's clock, in seconds since 1970.
    pub epoch: i64,
    /// The current release.
    pub current: Option<String>,
    /// Zeek's version and the backend of the current release.
    pub running: Option<(String, String)>,
    /// Size and modification time of the Zeek binary; none where it is missing.
    pub binary: Option<ZeekBinary>,
    /// Who holds the host's lock.
    pub lock: Option<String>,
    /// The operation that holds it.
    pub lock_operation: Option<String>,
    /// Lines of an operation that has not ended.
    pub journal: Vec<String>,
    /// Nodes that have a folder there, by name.
    pub nodes: BTreeMap<String, ObservedNode>,
    /// Zeek processes that are none of these nodes'.
    pub unmanaged: Vec<UnmanagedProcess>,
    /// How many more of them there are, of which no more is known.
    pub more_unmanaged: u64,
    /// The names of secrets that the current release needs and that can't be read there.
    pub missing_secrets: Vec<String>,
    /// What somebody did to the current release's files; the full look reads them all.
    pub altered: Altered,
    /// What archives the logs there; none where nothing was ever started for it.
    pub archiver: Option<ObservedNode>,
    /// Whether Zeek's `zeek-archiver` lies beside the Zeek binary.
    pub can_archive: bool,
    /// Rotated logs that wait for the archive.
    pub queue: Queue,
    /// How often the host maintains itself, in seconds, and since when, as far as that is known; none where that is not
    /// installed.
    pub maintain: Option<(u64, Option<i64>)>,
    /// When the host last maintained itself, in seconds since 1970.
    pub maintained: Option<i64>,
    /// What is free where logs go, in per cent, by mount point; nothing where none are written.
    pub room: Vec<(String, u64)>,
    /// What of it is not what clusterctl writes, and is taken for unknown.
    pub wrong: Vec<Wrong>,
}

/// What the full look at a host tells, which a deploy needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FullObserved {
    /// What a brief look tells as well.
    pub brief: Observed,
    /// What `zeek --version` says; empty where it says nothing.
    pub version: String,
    /// The number of the account.
    pub uid: u32,
    /// Its name, or the number where it has an odd one.
    pub user: String,
    /// What digests of secrets in the nodes' environments are made with; none where there are none.
    pub salt: Option<String>,
    /// The components of the paths of the cluster's folders and of Zeek.
    pub ways: Vec<Component>,
    /// Releases that lie there.
    pub releases: Vec<StoredRelease>,
    /// Hosts that left the description before their nodes could be stopped.
    pub pending: Vec<RemovedHost>,
    /// The names of the secrets that the current release needs.
    pub needs: Vec<String>,
    /// SHA-256 and name of the secrets that are there.
    pub secrets: Vec<(String, String)>,
    /// The current release's manifest.
    pub manifest: Vec<String>,
    /// How many rotated logs wait in a queue that the current release has and the description has not, and in which
    /// folder; none where it has no other.
    pub stranded: Option<(u64, String)>,
    /// Whether logind ends a user's processes when he logs out, and he does not linger.
    pub logind_kills: bool,
    /// Whether there is a systemd for the runner of that name.
    pub systemd: Systemd,
    pub cpus: HostCpus,
}

impl Observed {
    /// Tells as which node of a cluster an unmanaged process runs, and from which folder; `own` is the one in which the
    /// cluster has its nodes there. None where it is no such node, or no more than another user's word.
    pub fn node_and_folder<'a>(
        &self,
        process: &'a UnmanagedProcess,
        cluster: &str,
        own: &str,
    ) -> Option<(&'a str, ProcessFolder<'a>)> {
        let node = process.node_of(cluster)?;
        let Origin::Clusterctl { folder, .. } = &process.origin else { return None };
        let known = self.nodes.get(node);
        let folder = match folder.as_deref() {
            Some(folder) if folder == own => ProcessFolder::Own { known: known.is_some() },
            Some(folder) => ProcessFolder::Other(folder),
            None => {
                let missed = known.is_some_and(|known| known.process.is_none() && known.desired_release().is_some());
                ProcessFolder::Hidden { known: missed }
            }
        };
        Some((node, folder))
    }
}

impl Deref for FullObserved {
    type Target = Observed;

    fn deref(&self) -> &Observed {
        &self.brief
    }
}

impl AsRef<Observed> for FullObserved {
    fn as_ref(&self) -> &Observed {
        &self.brief
    }
}

impl AsRef<Self> for Observed {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// Whether there is a systemd for the runner of that name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Systemd {
    /// There is.
    #[default]
    Ready,
    /// Systemd does not run there.
    Missing,
    /// This user's own manager does not run without a log-in.
    NoLinger(String),
}

/// Something on a host that is not what clusterctl writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The file, below the cluster's folder.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
    /// Whether the next deploy writes it anew, even where there is nothing else to do.
    pub mended: bool,
}

/// Rotated logs that wait for the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// How many.
    pub logs: u64,
    /// For how many seconds the oldest has been waiting; none where none does.
    pub age: Option<u64>,
}

/// A release that lies on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredRelease {
    pub id: String,
    /// When it was made the current one, in seconds since 1970 by the operator's clock; none: never.
    pub time: Option<i64>,
    /// Who did.
    pub who: String,
    pub command: String,
    /// Zeek's version.
    pub zeek: String,
    /// Zeek's prefix.
    pub prefix: String,
}

impl StoredRelease {
    /// When it was made the current one, by the operator's clock.
    pub fn when(&self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_second(self.time?).ok()
    }
}

impl Observed {
    /// Returns the operation that did not finish; the first, where several did not.
    pub fn unfinished(&self) -> Option<Unfinished> {
        Unfinished::read(&self.journal)
    }
}
