//! What nodes need of their hosts.

use std::collections::BTreeMap;

use crate::cluster::{Archive, Cluster, Node};
use crate::values::Version;
use crate::zeek::{self, Listens};

/// How many sessions clusterctl has open at the same time: the lock, a call, and an interruption's.
pub(crate) const SESSIONS: usize = 3;

/// What the nodes of one host need of it.
pub(crate) struct Needs<'a> {
    pub(crate) nodes: Vec<&'a Node>,
    /// Devices that the kernel has to have.
    pub(crate) interfaces: Vec<&'a str>,
    pub(crate) af_packet: bool,
    /// Where nodes listen in any version that may come, with their names.
    pub(crate) listens: BTreeMap<Version, Vec<(&'a str, Listens)>>,
}

impl<'a> Needs<'a> {
    pub(crate) fn of(cluster: &'a Cluster, host: usize) -> Self {
        let nodes: Vec<&Node> = cluster.run_nodes().filter(|n| n.host == host).collect();
        let mut interfaces: Vec<&str> = nodes.iter().filter_map(|n| device(n.interface.as_deref()?)).collect();
        interfaces.sort_unstable();
        interfaces.dedup();
        // Which version a host has shows only in its answer; these two differ most of those that are run.
        let versions = cluster.zeek.version.map_or_else(|| vec![Version::new(8, 0), zeek::NEWEST], |v| vec![v]);
        let listens = |version: Version| {
            nodes
                .iter()
                .flat_map(|n| zeek::listens(cluster, n, version).into_iter().map(|l| (n.name.as_str(), l)))
                .collect()
        };
        Self {
            interfaces,
            af_packet: nodes.iter().any(|n| n.interface.as_deref().is_some_and(|i| i.starts_with("af_packet::"))),
            listens: versions.into_iter().map(|v| (v, listens(v))).collect(),
            nodes,
        }
    }

    /// Returns where nodes listen in a version, or in the nearest that was thought of.
    pub(crate) fn listens(&self, version: Version) -> &[(&'a str, Listens)] {
        let before = self.listens.range(..=version).next_back();
        before.or_else(|| self.listens.iter().next()).map_or(&[], |(_, listens)| listens)
    }
}

/// Returns the device of the kernel that an interface means; none where only a packet source of Zeek's knows it.
pub(crate) fn device(interface: &str) -> Option<&str> {
    let name = interface.strip_prefix("af_packet::").unwrap_or(interface);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (!name.is_empty() && !name.starts_with('.') && name.chars().all(plain)).then_some(name)
}

/// Returns the folder of the archive, if it is not in the spool folder.
pub(crate) fn own_archive(cluster: &Cluster) -> Option<&str> {
    match &cluster.logs.archive {
        Archive::Folder(path) => Some(path),
        Archive::Off | Archive::Spool => None,
    }
}
