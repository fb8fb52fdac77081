//! The layout for other readers than Zeek: JSON and Mermaid.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::layout::LayoutEntries;
use super::table::backend;
use crate::cluster::{Backend, Cluster, Node, Role};
use crate::values::Version;

/// The version of [`layout_json`]'s form.
const SCHEMA: u32 = 1;

/// Returns the layout as a JSON document: each node with its host, its role and the fields of its entry as this version
/// has them, as values of JSON rather than as Zeek literals.
pub fn layout_json(cluster: &Cluster, version: Version) -> Value {
    let entries = LayoutEntries::new(cluster, version);
    let nodes: Vec<Value> = cluster.nodes.iter().map(|n| node_json(cluster, &entries, n)).collect();
    json!({
        "schema": SCHEMA,
        "cluster": cluster.name,
        "zeek_version": version.to_string(),
        "backend": backend(cluster, version).name(),
        "manager_is_logger": cluster.manager_is_logger(),
        "nodes": nodes,
    })
}

fn node_json(cluster: &Cluster, entries: &LayoutEntries<'_>, node: &Node) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(node.name));
    object.insert("type".to_owned(), json!(node.role.name()));
    object.insert("host".to_owned(), json!(cluster.host_of(node).name));
    for (name, literal) in entries.fields(node) {
        let value = match name {
            "node_type" => continue,
            "ip" => json!(node.ip),
            "p" => json!(node.port),
            "metrics_port" => json!(node.metrics_port),
            "interface" => json!(node.interface),
            "zone_id" => json!(node.zone_id),
            // Names of nodes: letters, digits, `-`, `_` and `.`, so that the quotes are all there is to take off.
            _ => json!(literal.trim_matches('"')),
        };
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

/// Returns the layout as a Mermaid flowchart: hosts as boxes, who connects to whom as arrows, the way of logs dotted.
pub fn layout_mermaid(cluster: &Cluster, version: Version) -> String {
    let mut out = String::from("flowchart LR\n");
    let mut of_host: Vec<Vec<usize>> = vec![Vec::new(); cluster.hosts.len()];
    for (i, node) in cluster.nodes.iter().enumerate() {
        of_host[node.host].push(i);
    }
    for (h, (host, nodes)) in cluster.hosts.iter().zip(&of_host).enumerate() {
        let _ = writeln!(out, "  subgraph h{h}[\"{} ({})\"]", quoted(&host.name), host.address);
        for &i in nodes {
            let _ = writeln!(out, "    {}", shape(cluster, i));
        }
        out.push_str("  end\n");
    }
    let with = |roles: &[Role]| -> String {
        let ids = cluster.nodes.iter().enumerate().filter(|(_, n)| roles.contains(&n.role));
        ids.map(|(i, _)| format!("n{i}")).collect::<Vec<_>>().join(" & ")
    };
    let mut arrow = |from: &[Role], arrow: &str, to: &[Role]| {
        let (from, to) = (with(from), with(to));
        if !from.is_empty() && !to.is_empty() {
            let _ = writeln!(out, "  {from} {arrow} {to}");
        }
    };
    match backend(cluster, version) {
        Backend::Broker => {
            arrow(&[Role::Worker], "-->", &[Role::Manager, Role::Proxy]);
            arrow(&[Role::Proxy], "-->", &[Role::Manager]);
        }
        // All through the manager's proxy thread.
        Backend::Zeromq => arrow(&[Role::Logger, Role::Proxy, Role::Worker], "-->", &[Role::Manager]),
    }
    if cluster.manager_is_logger() {
        arrow(&[Role::Proxy, Role::Worker], "-.->|logs|", &[Role::Manager]);
    } else {
        arrow(&[Role::Manager, Role::Proxy, Role::Worker], "-.->|logs|", &[Role::Logger]);
    }
    out
}

fn shape(cluster: &Cluster, index: usize) -> String {
    let node = &cluster.nodes[index];
    let mut label = quoted(&node.name);
    if let Some(interface) = &node.interface {
        let _ = write!(label, "<br/>{}", quoted(interface));
    }
    format!("n{index}[\"{label}\"]")
}

/// Takes from a label what Mermaid would read as its own.
fn quoted(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().replace('"', "#quot;")
}
