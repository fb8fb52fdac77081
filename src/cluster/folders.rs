//! Where a cluster lies on a host.

use super::model::{Archive, Cluster, Former, Host};

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
        Self::at(cluster, &host.base, &host.spool)
    }

    /// Returns the folders of a cluster on a host that left it.
    pub fn of_former(cluster: &str, host: &Former) -> Self {
        Self::at(cluster, &host.base, &host.spool)
    }

    fn at(cluster: &str, base: &str, spool: &str) -> Self {
        let join = |folder: &str| format!("{}/{cluster}", folder.trim_end_matches('/'));
        Self { home: join(base), spool: join(spool) }
    }
}

impl Cluster {
    /// Returns the folder in which a host archives logs; none where they stay in the queue.
    pub fn archive(&self, host: &Host) -> Option<String> {
        match &self.logs.archive {
            Archive::Off => None,
            Archive::Spool => Some(format!("{}/archive", Folders::of(&self.name, host).spool)),
            Archive::Folder(folder) => Some(folder.clone()),
        }
    }

    /// Returns the folder in which a host archives the cluster's logs; none where no node there writes any.
    pub fn archive_on(&self, host: usize) -> Option<String> {
        let writes = self.run_nodes().any(|n| n.host == host && self.writes_logs(n));
        self.hosts.get(host).filter(|_| writes).and_then(|host| self.archive(host))
    }
}
