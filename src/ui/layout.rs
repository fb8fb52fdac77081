//! Nodes with hosts, addresses, ports and CPUs.

use super::table::{Cell, Column, table};
use super::{Output, Tone, Ui};
use crate::cluster::Cluster;

const COLUMNS: [Column; 8] = [
    Column { head: "NODE", spare: 0, right: false },
    Column { head: "TYPE", spare: 2, right: false },
    Column { head: "HOST", spare: 0, right: false },
    Column { head: "ADDRESS", spare: 3, right: false },
    Column { head: "PORT", spare: 1, right: true },
    Column { head: "METRICS", spare: 5, right: true },
    Column { head: "INTERFACE", spare: 4, right: false },
    Column { head: "CPU", spare: 6, right: true },
];

/// Shows the nodes of a cluster as a result.
pub fn nodes(ui: &Ui, cluster: &Cluster, selected: &[&crate::cluster::Node]) {
    if ui.output == Output::Json {
        let nodes: Vec<serde_json::Value> = selected
            .iter()
            .map(|n| {
                serde_json::json!({
                    "node": n.name, "type": n.role.name(), "host": cluster.host_of(n).name, "address": n.ip,
                    "port": n.port, "metrics_port": n.metrics_port, "interface": n.interface, "cpu": n.cpu,
                    "group": n.group, "enabled": cluster.host_of(n).enabled,
                })
            })
            .collect();
        ui.json("nodes", &nodes);
        return;
    }
    ui.result(&layout(ui, cluster, selected));
}

/// Returns the nodes of a cluster as a table.
pub fn layout(ui: &Ui, cluster: &Cluster, selected: &[&crate::cluster::Node]) -> String {
    let or_none = |text: Option<String>| text.map_or_else(Cell::none, Cell::plain);
    let rows: Vec<Vec<Cell>> = selected
        .iter()
        .map(|n| {
            vec![
                Cell::new(&n.name, Tone::Strong),
                Cell::plain(n.role.name()),
                Cell::plain(&cluster.host_of(n).name),
                Cell::plain(n.ip.to_string()),
                Cell::plain(n.port.to_string()),
                or_none(n.metrics_port.map(|p| p.to_string())),
                or_none(n.interface.clone()),
                or_none(n.cpu.map(|c| c.to_string())),
            ]
        })
        .collect();
    table(ui.out, &COLUMNS, &rows)
}
