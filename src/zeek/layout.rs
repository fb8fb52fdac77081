//! `cluster-layout.zeek`.

use std::fmt::Write as _;

use super::literal;
use super::table;
use crate::cluster::{Cluster, Node, Role};
use crate::values::Version;

/// Writes the layout's entries, one for each node of a cluster.
#[derive(Debug)]
pub struct LayoutEntries<'a> {
    cluster: &'a Cluster,
    version: Version,
    manager: Option<&'a str>,
    time_machine: Option<&'a str>,
}

impl<'a> LayoutEntries<'a> {
    /// Looks up once what many entries name.
    pub fn new(cluster: &'a Cluster, version: Version) -> Self {
        let named = |role| cluster.nodes.iter().find(|n| n.role == role).map(|n| n.name.as_str());
        let time_machine = if table::TIME_MACHINE.has(version) { named(Role::TimeMachine) } else { None };
        Self { cluster, version, manager: named(Role::Manager), time_machine }
    }

    /// Returns the fields of a node's entry that this version has, in the order of `Cluster::Node`, as name and literal.
    pub(super) fn fields(&self, node: &Node) -> Vec<(&'static str, String)> {
        let mut fields = vec![("node_type", node_type(node.role).to_owned()), ("ip", literal::addr(node.ip))];
        if !node.zone_id.is_empty() {
            fields.push(("zone_id", literal::text(&node.zone_id)));
        }
        let worker = node.role == Role::Worker;
        if !worker || table::WORKER_PORT.has(self.version) {
            fields.push(("p", literal::port(node.port)));
        }
        if let Some(interface) = node.interface.as_deref().filter(|_| worker)
            && table::NODE_INTERFACE.has(self.version)
        {
            fields.push(("interface", literal::text(interface)));
        }
        // Only these two look it up: "For workers and proxies" (Cluster::Node).
        if let Some(manager) = self.manager.filter(|_| matches!(node.role, Role::Worker | Role::Proxy)) {
            fields.push(("manager", literal::text(manager)));
        }
        if let Some(time_machine) = self.time_machine.filter(|_| worker) {
            fields.push(("time_machine", literal::text(time_machine)));
        }
        if let Some(port) = node.metrics_port.filter(|_| node.role.runs())
            && table::METRICS_PORT.has(self.version)
        {
            fields.push(("metrics_port", literal::port(port)));
        }
        fields
    }

    /// Returns a node's entry: `["worker-1"] = [$node_type=Cluster::WORKER, ...]`.
    pub fn of(&self, node: &Node) -> String {
        let mut out = String::new();
        self.write(&mut out, node);
        out
    }

    fn write(&self, out: &mut String, node: &Node) {
        let _ = write!(out, "[{}] = [", literal::text(&node.name));
        for (i, (name, value)) in self.fields(node).into_iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            let _ = write!(out, "{comma}${name}={value}");
        }
        out.push(']');
    }

    fn nodes(&self) -> impl Iterator<Item = &'a Node> {
        self.cluster.nodes.iter().filter(|n| n.role != Role::Standalone)
    }
}

/// Returns the text of `cluster-layout.zeek`: `Cluster::nodes` and `Cluster::manager_is_logger` and nothing else, for it
/// is loaded before most of Zeek's own scripts. A standalone cluster has no layout: a comment says so.
pub fn layout(cluster: &Cluster, version: Version) -> String {
    if cluster.is_standalone() {
        return "##! Written by clusterctl. A standalone Zeek has no layout.\n".to_owned();
    }
    let entries = LayoutEntries::new(cluster, version);
    let mut out = String::with_capacity(160 + 160 * cluster.nodes.len());
    let _ = writeln!(out, "##! Layout of the cluster {}; written by clusterctl.\n", literal::comment(&cluster.name));
    out.push_str("redef Cluster::nodes = {\n");
    for node in entries.nodes() {
        out.push('\t');
        entries.write(&mut out, node);
        out.push_str(",\n");
    }
    out.push_str("};\n\n");
    let _ = writeln!(out, "redef Cluster::manager_is_logger = {};", literal::bool(cluster.manager_is_logger()));
    out
}

/// Returns one node's entry of the layout. It looks through the cluster for what the entry names: for many nodes make
/// [`LayoutEntries`] once.
pub fn layout_entry(cluster: &Cluster, node: &Node, version: Version) -> String {
    LayoutEntries::new(cluster, version).of(node)
}

fn node_type(role: Role) -> &'static str {
    match role {
        Role::Logger => "Cluster::LOGGER",
        Role::Manager => "Cluster::MANAGER",
        Role::Proxy => "Cluster::PROXY",
        Role::Worker => "Cluster::WORKER",
        Role::TimeMachine => "Cluster::TIME_MACHINE",
        Role::Control => "Cluster::CONTROL",
        Role::Standalone => "Cluster::NONE",
    }
}
