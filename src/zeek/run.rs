//! How a node is started: its own script, its command line, its environment.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::literal;
use super::options::endpoint_host;
use super::table::{backend, backend_script};
use crate::cluster::{Backend, Cluster, Node, Role};
use crate::values::Version;

/// Returns the text of a node's own script (`clusterctl/nodes/<node>.zeek`), loaded last; none if there is nothing to
/// say.
pub fn node_script(cluster: &Cluster, node: &Node, version: Version) -> Option<String> {
    let mut out = String::new();
    if let Some(endpoint) = log_endpoint(cluster, node, version) {
        let endpoint = literal::text(&endpoint);
        let _ = writeln!(out, "redef Cluster::Backend::ZeroMQ::listen_log_endpoint = {endpoint};");
    }
    if let Some(af_packet) = &node.af_packet {
        let _ = writeln!(out, "redef AF_Packet::fanout_id = {};", af_packet.fanout_id);
        for (name, value) in &af_packet.options {
            let _ = writeln!(out, "redef AF_Packet::{name} = {};", literal::af_packet(value));
        }
    }
    for (id, redef) in &node.redefs {
        literal::redef(&mut out, id, redef);
    }
    // It does not name the node, so that nodes that have the same have the same file.
    (!out.is_empty()).then(|| format!("##! What this node alone has; written by clusterctl.\n\n{out}"))
}

/// Where a node that writes logs takes them in with ZeroMQ, if that is not the address in the layout.
fn log_endpoint(cluster: &Cluster, node: &Node, version: Version) -> Option<String> {
    let writes = node.role == Role::Logger || node.role == Role::Manager && cluster.manager_is_logger();
    let moved = writes && backend(cluster, version) == Backend::Zeromq && node.listen != Some(node.ip);
    moved.then(|| format!("tcp://{}:{}", endpoint_host(node.listen), node.port))
}

/// Returns a node's arguments, after the path of the Zeek binary.
pub fn command_line(cluster: &Cluster, node: &Node, version: Version) -> Vec<String> {
    let mut args = Vec::new();
    if let Some(interface) = &node.interface {
        args.extend(["-i".to_owned(), interface.clone()]);
    }
    args.extend(["-U".to_owned(), ".status".to_owned()]);
    args.extend(node.args.iter().cloned());
    // The backend's script stands before the user's, so that these can redef its options.
    args.extend(backend_script(backend(cluster, version), version).map(str::to_owned));
    args.extend(cluster.zeek.scripts.iter().chain(&node.scripts).cloned());
    args.push("clusterctl/options".to_owned());
    if node_script(cluster, node, version).is_some() {
        args.push(format!("clusterctl/nodes/{}", node.name));
    }
    args
}

/// Returns the variables of a node's environment that Zeek itself reads, but for ZEEKPATH.
///
/// `ZEEK_DEFAULT_LISTEN_ADDRESS` is where Broker listens. It is the default of `Telemetry::metrics_address` too, which
/// [`options_script`](super::options_script) therefore always redefines where there are metrics.
pub fn environment(_cluster: &Cluster, node: &Node, _version: Version) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    if node.role != Role::Standalone {
        env.insert("CLUSTER_NODE".to_owned(), node.name.clone());
    }
    if let Some(ip) = node.listen {
        env.insert("ZEEK_DEFAULT_LISTEN_ADDRESS".to_owned(), ip.to_string());
    }
    env
}

/// Returns Zeek's own part of ZEEKPATH under an install prefix; what is ours comes before it.
pub fn zeekpath(prefix: &str) -> String {
    let share = format!("{}/share/zeek", prefix.trim_end_matches('/'));
    format!("{share}:{share}/policy:{share}/site:{share}/builtin-plugins")
}
