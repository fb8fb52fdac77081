//! `nodes`: nodes with hosts, addresses, ports and CPUs.

use std::net::IpAddr;

use serde::Serialize;

use super::args::Selectors;
use super::report::Report;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::cluster::{Cluster, Node};
use crate::error::{CommandError, Kind};
use crate::fleet::Selection;
use crate::ui::{Cell, Column, Progress, Tone, Ui, table};

/// List nodes with their hosts, addresses, ports and CPUs
#[derive(Debug, clap::Args)]
pub(crate) struct Nodes {
    #[command(flatten)]
    which: Selectors,
}

/// The nodes of a cluster, resolved.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct NodeList(Vec<Row>);

#[derive(Serialize)]
struct Row {
    address: IpAddr,
    cpu: Option<u32>,
    enabled: bool,
    group: String,
    host: String,
    interface: Option<String>,
    metrics_port: Option<u16>,
    node: String,
    port: u16,
    #[serde(rename = "type")]
    role: &'static str,
}

impl Command for Nodes {
    const HOSTS: Hosts = Hosts::Untouched;
    const PROGRESS: Progress = Progress::Silent;
    type Report = NodeList;

    async fn run(&self, session: &mut Session) -> Result<NodeList, CommandError> {
        let loaded = session.load(Extent::Description, None)?;
        let selection = Selection::parse(&loaded.cluster, &self.which.selectors)?;
        Ok(NodeList::new(&loaded.cluster, selection.nodes(&loaded.cluster)))
    }
}

impl NodeList {
    /// Lists nodes of a cluster.
    pub(crate) fn new<'a>(cluster: &Cluster, nodes: impl Iterator<Item = &'a Node>) -> Self {
        let row = |n: &Node| Row {
            node: n.name.clone(),
            role: n.role.name(),
            host: cluster.host_of(n).name.clone(),
            address: n.ip,
            port: n.port,
            metrics_port: n.metrics_port,
            interface: n.interface.clone(),
            cpu: n.cpu,
            group: n.group.clone(),
            enabled: cluster.host_of(n).enabled,
        };
        Self(nodes.map(row).collect())
    }

    /// Returns them as a table.
    pub(crate) fn table(&self, ui: &Ui) -> String {
        let or_none = |text: Option<String>| text.map_or_else(Cell::none, Cell::plain);
        let row = |n: &Row| {
            vec![
                Cell::new(&n.node, Tone::Strong),
                Cell::plain(n.role),
                Cell::plain(&n.host),
                Cell::plain(n.address.to_string()),
                Cell::plain(n.port.to_string()),
                or_none(n.metrics_port.map(|p| p.to_string())),
                or_none(n.interface.clone()),
                or_none(n.cpu.map(|c| c.to_string())),
            ]
        };
        let rows: Vec<Vec<Cell>> = self.0.iter().map(row).collect();
        table(ui.out, &COLUMNS, &rows)
    }
}

impl Report for NodeList {
    fn kind(&self) -> Option<&'static str> {
        Some("nodes")
    }

    fn show(&self, ui: &Ui) {
        ui.result(&self.table(ui));
    }

    fn end(&self) -> Option<Kind> {
        None
    }
}

const COLUMNS: [Column; 8] = [
    Column { head: "NODE", drop_priority: 0, right: false },
    Column { head: "TYPE", drop_priority: 2, right: false },
    Column { head: "HOST", drop_priority: 0, right: false },
    Column { head: "ADDRESS", drop_priority: 3, right: false },
    Column { head: "PORT", drop_priority: 1, right: true },
    Column { head: "METRICS", drop_priority: 5, right: true },
    Column { head: "INTERFACE", drop_priority: 4, right: false },
    Column { head: "CPU", drop_priority: 6, right: true },
];
