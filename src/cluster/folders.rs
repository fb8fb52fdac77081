//! Where a cluster lies on a host.

use super::model::Host;

/// Where a cluster lies on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// `<base>/<cluster>`.
    pub home: String,
    /// `<spool>/<cluster>`: nodes, crash, log-queue.
    pub spool: String,
}

impl Folders {
    /// Returns the folders of a cluster on a host.
    pub fn of(cluster: &str, host: &Host) -> Self {
        let join = |folder: &str| format!("{}/{cluster}", folder.trim_end_matches('/'));
        Self { home: join(&host.base), spool: join(&host.spool) }
    }
}
