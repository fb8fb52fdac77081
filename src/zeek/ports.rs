//! Which ports a node listens on.

use std::net::{IpAddr, Ipv4Addr};

use super::table::{self, backend};
use crate::cluster::{Backend, Cluster, Metrics, Node, Role};
use crate::values::Version;

/// An address and a port on which a node listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listens {
    /// The address; none: all of the host's.
    pub address: Option<IpAddr>,
    pub port: u16,
    /// The setting of the description that moves it: of the node's group, or of the cluster (`ports.base`).
    pub setting: &'static str,
}

/// Returns where a node listens in a version: for other nodes, for metrics, for `clusterctl`.
pub fn listens(cluster: &Cluster, node: &Node, version: Version) -> Vec<Listens> {
    let mut all = Vec::new();
    let loopback = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let zeromq = backend(cluster, version) == Backend::Zeromq;
    let manages = matches!(node.role, Role::Manager | Role::Standalone);
    let own = match node.role {
        Role::Standalone => false,
        // With ZeroMQ only those who write logs are connected to; all else goes through the manager's proxy thread.
        _ if zeromq => cluster.log_writers().any(|n| n.name == node.name),
        Role::Worker => table::WORKER_PORT.has(version),
        _ => true,
    };
    if own {
        all.push(Listens { address: node.listen, port: node.port, setting: "port" });
    }
    if zeromq && manages {
        let own = |port| Listens { address: node.listen, port, setting: "ports.base" };
        all.extend([cluster.ports.xpub, cluster.ports.xsub].map(own));
    }
    if let Some(port) = node.metrics_port.filter(|_| table::METRICS_PORT.has(version)) {
        let address = match cluster.metrics {
            Metrics::Off => None,
            Metrics::Loopback => Some(loopback),
            Metrics::Any => Some(None),
            Metrics::Node => Some(Some(node.ip)),
        };
        all.extend(address.map(|address| Listens { address, port, setting: "metrics_port" }));
    }
    if manages && table::AGENT.has(version) {
        all.push(Listens { address: loopback, port: cluster.ports.control, setting: "ports.control" });
    }
    all
}
