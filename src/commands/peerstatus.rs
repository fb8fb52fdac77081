//! `peerstatus`: which nodes see which others.

use std::collections::{BTreeMap, HashMap};

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use super::asked::{self, AskedRow, not_asked, rows};
use super::report::Report;
use super::session::Extent;
use super::status::State;
use super::{Command, Hosts, Session, complete};
use crate::cluster::{Backend, Cluster, Role};
use crate::control::{NodeStatus, StatusQuestion};
use crate::error::{CommandError, Kind};
use crate::fleet::{Fleet, Selection, ask, running};
use crate::ui::{Cell, Column, Progress, Tone, Ui, in_line, table};
use crate::values::{count, fold_names, is_node_name};

/// Show which nodes see which others, and who does not see whom
///
/// Each node has to see all nodes that run and are of another type: workers see the manager, loggers and proxies, and
/// these see the workers. That is so with Broker and with ZeroMQ. Ends with 5 if one does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  clusterctl peerstatus\n  clusterctl peerstatus --matrix\n  \
clusterctl peerstatus worker-3")]
pub(crate) struct Peerstatus {
    /// Show who sees whom as a matrix, with one row and one column for nodes that are alike
    #[arg(long)]
    matrix: bool,
    /// Nodes: a name, a glob, a role (manager, loggers, proxies, workers, all) or @host; none: all
    #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    selectors: Vec<String>,
}

impl Command for Peerstatus {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = PeersReport;

    async fn run(&self, session: &mut Session) -> Result<PeersReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::parse(&fleet.cluster, &self.selectors)?;
        Ok(peers(&fleet, &selection, self.matrix).await)
    }
}

/// Who sees whom.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PeersReport {
    /// The backend, as far as it is known.
    backend: Option<Backend>,
    /// A row for each node of the selection, in the cluster's order.
    nodes: Vec<PeersRow>,
    /// Nodes that do not see one that they have to see.
    missing: Vec<Edge>,
    /// Nodes that see one that does not run, or that the description has not.
    unexpected: Vec<Edge>,
    /// Why no node, or not all, could be asked; none where that is the node's own matter.
    failure: Option<String>,
    #[serde(skip)]
    matrix: Option<Matrix>,
}

/// What one node sees.
#[derive(Debug, Clone, Serialize)]
struct PeersRow {
    node: String,
    #[serde(rename = "type")]
    role: Role,
    host: String,
    /// What its process does, as its host says.
    state: State,
    /// The names of the nodes that it sees; none if it did not say.
    sees: Option<Vec<String>>,
    /// Why it did not say.
    reason: Option<String>,
}

/// A node, and one that it sees or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Edge {
    node: String,
    peer: String,
}

/// Asks all nodes, since who sees a node is as good a question as whom it sees.
async fn peers(fleet: &Fleet, selection: &Selection, matrix: bool) -> PeersReport {
    let cluster = &*fleet.cluster;
    let all = Selection::parse(cluster, &[]).unwrap_or_else(|_| selection.clone());
    let (facts, asked) = ask(fleet, &all, &StatusQuestion::unique()).await;
    let backend = running(cluster, &facts).map(|(_, backend)| backend).filter(|_| !cluster.is_standalone());
    let (rows, failure) = rows(fleet, all.nodes(cluster), &facts, asked);
    report(cluster, selection, rows, matrix, backend, failure)
}

/// One node as the report is made.
struct Seen {
    role: Role,
    /// The nodes that it sees, by their places; none if it did not say.
    sees: Option<Vec<usize>>,
    /// Whether others have to see it.
    expected: bool,
    reason: Option<String>,
    /// The nodes that it does not see and has to, and those that do not see it and have to.
    lacks: Vec<usize>,
    unseen_by: Vec<usize>,
}

fn report(
    cluster: &Cluster,
    selection: &Selection,
    rows: Vec<AskedRow<'_, NodeStatus>>,
    matrix: bool,
    backend: Option<Backend>,
    failure: Option<String>,
) -> PeersReport {
    let meant: Vec<bool> = {
        let names: std::collections::BTreeSet<&str> = selection.nodes(cluster).map(|n| n.name.as_str()).collect();
        rows.iter().map(|row| names.contains(row.node.name.as_str())).collect()
    };
    let places: HashMap<&str, usize> = rows.iter().enumerate().map(|(i, row)| (row.node.name.as_str(), i)).collect();
    let names: Vec<&str> = rows.iter().map(|row| row.node.name.as_str()).collect();
    let edge = |node: usize, peer: &str| Edge { node: names[node].to_owned(), peer: peer.to_owned() };
    let mut unexpected = Vec::new();
    let mut nodes: Vec<Seen> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let mut sees = Vec::new();
        for peer in row.said.iter().flat_map(|status| &status.peers) {
            match places.get(peer.as_str()) {
                Some(place) => {
                    sees.push(*place);
                    let gone = matches!(rows[*place].state, State::Stopped | State::Crashed | State::Failed);
                    if gone && rows[*place].said.is_err() && (meant[i] || meant[*place]) {
                        unexpected.push(edge(i, peer));
                    }
                }
                // It is the node's word: what can be no node is none. Hosts that are disabled may run theirs.
                None if meant[i] && is_node_name(peer) && !cluster.nodes.iter().any(|n| n.name == *peer) => {
                    unexpected.push(edge(i, peer));
                }
                None => {}
            }
        }
        sees.sort_unstable();
        sees.dedup();
        nodes.push(Seen {
            role: row.node.role,
            expected: row.said.is_ok() || matches!(row.state, State::Running | State::Starting | State::Unknown),
            sees: row.said.is_ok().then_some(sees),
            reason: row.said.as_ref().err().cloned(),
            lacks: Vec::new(),
            unseen_by: Vec::new(),
        });
    }
    let mut by_role: BTreeMap<Role, Vec<usize>> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate().filter(|(_, node)| node.expected) {
        by_role.entry(node.role).or_default().push(i);
    }
    let mut missing = Vec::new();
    for i in 0..nodes.len() {
        let Some(sees) = nodes[i].sees.take() else { continue };
        let own = nodes[i].role;
        // Nodes of one role need not see each other, and with Broker they do not.
        for peer in by_role.iter().filter(|(role, _)| **role != own).flat_map(|(_, peers)| peers) {
            if sees.binary_search(peer).is_err() {
                nodes[i].lacks.push(*peer);
                nodes[*peer].unseen_by.push(i);
                if meant[i] || meant[*peer] {
                    missing.push(edge(i, names[*peer]));
                }
            }
        }
        nodes[i].sees = Some(sees);
    }
    let matrix = matrix.then(|| Matrix::new(&names, &nodes, &meant));
    let nodes = rows
        .into_iter()
        .zip(&meant)
        .filter(|(_, meant)| **meant)
        .map(|(row, _)| {
            let host = cluster.host_of(row.node).name.clone();
            let (sees, reason) = match row.said {
                Ok(status) => (Some(status.peers), None),
                Err(why) => (None, Some(why)),
            };
            PeersRow { node: row.node.name.clone(), role: row.node.role, host, state: row.state, sees, reason }
        })
        .collect();
    PeersReport { backend, nodes, missing, unexpected, failure, matrix }
}

/// Who sees whom, by classes of nodes that are alike.
#[derive(Debug, Clone)]
struct Matrix {
    classes: Vec<Class>,
    /// How many of the pairs of two classes see, in one direction.
    seen: BTreeMap<(usize, usize), usize>,
}

/// Nodes of one role that lack the same and are lacked by the same.
#[derive(Debug, Clone)]
struct Class {
    role: Role,
    names: Vec<String>,
    /// Whether they said what they see.
    answered: bool,
    /// Whether others have to see them.
    expected: bool,
}

/// The heads of columns: a matrix has no more classes.
const NUMBERS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];

impl Matrix {
    fn new(names: &[&str], nodes: &[Seen], meant: &[bool]) -> Self {
        let mut classes: Vec<Class> = Vec::new();
        let mut class_of: Vec<usize> = Vec::new();
        let mut known: HashMap<_, usize> = HashMap::new();
        for (i, node) in nodes.iter().enumerate() {
            let likeness = (node.role, &node.reason, node.expected, &node.lacks, &node.unseen_by, meant[i]);
            let class = *known.entry(likeness).or_insert_with(|| {
                let answered = node.sees.is_some();
                classes.push(Class { role: node.role, names: Vec::new(), answered, expected: node.expected });
                classes.len() - 1
            });
            classes[class].names.push(names[i].to_owned());
            class_of.push(class);
        }
        // What does not fit is one class of nodes that are not quite alike.
        while classes.len() > NUMBERS.len() {
            let last = classes.len() - 1;
            let alike = |class: &Class| (class.role, class.answered, class.expected) == likeness_of(&classes[last]);
            let into = classes[..last].iter().rposition(alike).unwrap_or(last - 1);
            let Some(class) = classes.pop() else { break };
            classes[into].names.extend(class.names);
            for of in class_of.iter_mut().filter(|of| **of == last) {
                *of = into;
            }
        }
        let mut seen = BTreeMap::new();
        for (i, node) in nodes.iter().enumerate() {
            for peer in node.sees.iter().flatten() {
                *seen.entry((class_of[i], class_of[*peer])).or_default() += 1;
            }
        }
        Self { classes, seen }
    }

    fn text(&self, ui: &Ui) -> String {
        let left = |head| Column { head, drop_priority: 0, right: false };
        let right = |head| Column { head, drop_priority: 0, right: true };
        let mut columns = vec![right(""), left("NODES"), right("COUNT")];
        columns.extend(NUMBERS.iter().take(self.classes.len()).map(|head| right(head)));
        let rows: Vec<Vec<Cell>> = self
            .classes
            .iter()
            .enumerate()
            .map(|(i, class)| {
                let head = [
                    Cell::plain(NUMBERS[i]),
                    Cell::new(fold_names(&class.names), Tone::Strong),
                    Cell::plain(class.names.len().to_string()),
                ];
                head.into_iter().chain((0..self.classes.len()).map(|peer| self.cell(i, peer))).collect()
            })
            .collect();
        let mut text = table(ui.out, &columns, &rows);
        let legend = "The nodes of a row see those of a column: all, so many pairs, or none; - none, and they need not; \
                      ? they did not say";
        text.push('\n');
        text.push_str(&ui.out.wrap(legend, "  "));
        text.push('\n');
        text
    }

    fn cell(&self, node: usize, peer: usize) -> Cell {
        let (nodes, peers) = (&self.classes[node], &self.classes[peer]);
        let pairs = nodes.names.len() * (peers.names.len() - usize::from(node == peer));
        let needed = nodes.role != peers.role && peers.expected;
        if pairs == 0 {
            return Cell::plain("");
        }
        if !nodes.answered {
            return Cell::new("?", Tone::Dim);
        }
        match self.seen.get(&(node, peer)).copied().unwrap_or(0) {
            0 if needed => Cell::new("none", Tone::Bad),
            0 => Cell::none(),
            all if all == pairs => Cell::new("all", if needed { Tone::Good } else { Tone::Plain }),
            some => Cell::new(format!("{some}/{pairs}"), if needed { Tone::Bad } else { Tone::Plain }),
        }
    }
}

fn likeness_of(class: &Class) -> (Role, bool, bool) {
    (class.role, class.answered, class.expected)
}

impl Report for PeersReport {
    fn kind(&self) -> Option<&'static str> {
        Some("peerstatus")
    }

    fn show(&self, ui: &Ui) {
        ui.result(&text(ui, self));
        if let Some(why) = &self.failure {
            not_asked(ui, why);
        }
    }

    fn end(&self) -> Option<Kind> {
        let lacks = !self.missing.is_empty() || !self.unexpected.is_empty();
        asked::end(self.nodes.iter().map(|row| (row.state, row.sees.is_none())))
            .or(lacks.then_some(Kind::NotAsExpected))
    }
}

fn text(ui: &Ui, report: &PeersReport) -> String {
    let answered = report.nodes.iter().filter(|row| row.sees.is_some()).count();
    let backend = report.backend.map(|b| format!("{}: ", b.name())).unwrap_or_default();
    let all = count(report.nodes.len(), "node");
    let lacks = match (report.missing.is_empty(), answered) {
        (_, 0) => "",
        (true, answered) if answered < report.nodes.len() => {
            ", and each of these sees all that runs and that it has to see"
        }
        (true, _) => ", and each sees all that it has to see",
        (false, _) => ", and not all see what they have to see",
    };
    let mut text = ui.out.wrap(&format!("{backend}{answered} of {all} answered{lacks}"), "  ");
    text.push('\n');
    let mut lines = Vec::new();
    for (edges, verb, rest) in
        [(&report.missing, "not seen by", ""), (&report.unexpected, "still seen by", ", though not there")]
    {
        for (names, peers) in folded(edges) {
            let peers = ui.out.paint(Tone::Bad, &in_line(&fold_names(&peers)));
            lines.push(format!("{peers}: {verb} {}{rest}", in_line(&names)));
        }
    }
    let mut silent: Vec<(&str, Vec<&str>)> = Vec::new();
    for (node, why) in report.nodes.iter().filter_map(|row| Some((&row.node, row.reason.as_deref()?))) {
        match silent.iter_mut().find(|(known, _)| *known == why) {
            Some((_, nodes)) => nodes.push(node),
            None => silent.push((why, vec![node])),
        }
    }
    for (why, nodes) in silent {
        lines.push(format!("{}: {}", ui.out.paint(Tone::Bad, &in_line(&fold_names(&nodes))), in_line(why)));
    }
    if !lines.is_empty() {
        text.push('\n');
    }
    for line in lines {
        text.push_str(&ui.out.wrap(&line, "  "));
        text.push('\n');
    }
    if let Some(matrix) = &report.matrix {
        text.push('\n');
        text.push_str(&matrix.text(ui));
    }
    text
}

/// Edges by who sees: the folded names of the nodes with the same peers, and these.
fn folded(edges: &[Edge]) -> Vec<(String, Vec<&str>)> {
    let mut peers: Vec<(&str, Vec<&str>)> = Vec::new();
    // Those of one node stand together.
    for edge in edges {
        match peers.last_mut() {
            Some((node, peers)) if *node == edge.node => peers.push(&edge.peer),
            _ => peers.push((&edge.node, vec![&edge.peer])),
        }
    }
    let mut places: HashMap<Vec<&str>, usize> = HashMap::new();
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for (node, peers) in peers {
        let place = *places.entry(peers.clone()).or_insert_with(|| {
            groups.push((Vec::new(), peers));
            groups.len() - 1
        });
        groups[place].0.push(node);
    }
    groups.into_iter().map(|(nodes, peers)| (fold_names(&nodes), peers)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::campus;

    const WORKERS: &str = "  worker: { type: worker, hosts: [sensor1, sensor2], interface: eth1, count: 30 }\n";

    /// What a node of a cluster says that sees all but some.
    fn said(cluster: &Cluster, node: &str, blind: &[&str]) -> NodeStatus {
        let peers: Vec<&str> = cluster
            .run_nodes()
            .map(|n| n.name.as_str())
            .filter(|name| *name != node && !(node.starts_with("worker") && name.starts_with("worker")))
            .filter(|name| !blind.contains(name))
            .collect();
        serde_json::from_value(serde_json::json!({
            "node": node, "node_type": "", "version": "", "pid": 1, "uptime": 1, "workers": 0, "peers": peers,
            "received": 0, "dropped": 0, "link": 0, "received_1m": 0, "dropped_1m": 0, "memory": 1,
        }))
        .unwrap()
    }

    fn of(selectors: &[&str], blind: impl Fn(&str) -> Result<Vec<&'static str>, (State, String)>) -> PeersReport {
        let cluster = campus("", "", WORKERS);
        let rows = cluster
            .run_nodes()
            .map(|node| match blind(&node.name) {
                Ok(blind) => AskedRow { node, state: State::Running, said: Ok(said(&cluster, &node.name, &blind)) },
                Err((state, why)) => AskedRow { node, state, said: Err(why) },
            })
            .collect();
        let selectors: Vec<String> = selectors.iter().map(|s| (*s).to_owned()).collect();
        let selection = Selection::parse(&cluster, &selectors).unwrap();
        report(&cluster, &selection, rows, true, Some(Backend::Broker), None)
    }

    fn shown(report: &PeersReport) -> String {
        let mut ui = Ui::new(crate::ui::Output::Table, crate::ui::Color::Never, false);
        ui.out.width = Some(80);
        let text = text(&ui, report);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text
    }

    #[test]
    fn sixty_workers_are_one_row_and_what_is_missing_is_named() {
        let well = of(&[], |_| Ok(Vec::new()));
        assert_eq!(well.end(), None);
        let ill = of(&[], |name| match name {
            "worker-sensor1-7" => Err((State::Crashed, "crashed (killed by SIGSEGV)".to_owned())),
            "worker-sensor2-30" => Err((State::Running, "no reply within 5s".to_owned())),
            "manager" => Ok(vec!["worker-sensor1-3", "worker-sensor1-4"]),
            "proxy-1" => Ok(vec!["worker-sensor1-7"]),
            name if name.starts_with("worker-sensor2") => Ok(vec!["proxy-1"]),
            _ => Ok(Vec::new()),
        });
        assert_eq!(ill.end(), Some(Kind::Partial));
        insta::assert_snapshot!(format!("{}\n{}", shown(&well), shown(&ill)));
    }

    #[test]
    fn a_selection_has_the_edges_of_its_nodes_in_both_directions() {
        let blind = |name: &str| match name {
            "manager" => Ok(vec!["worker-sensor1-3"]),
            "worker-sensor1-3" => Ok(vec!["logger-1"]),
            "worker-sensor1-4" => Ok(vec!["proxy-1"]),
            _ => Ok(Vec::new()),
        };
        let report = of(&["worker-sensor1-3"], blind);
        let edges: Vec<(&str, &str)> = report.missing.iter().map(|e| (e.node.as_str(), e.peer.as_str())).collect();
        assert_eq!(edges, [("manager", "worker-sensor1-3"), ("worker-sensor1-3", "logger-1")]);
        assert_eq!((report.nodes.len(), report.end()), (1, Some(Kind::NotAsExpected)));
    }

    #[test]
    fn many_ways_of_being_ill_still_fit() {
        let all: Vec<String> = campus("", "", WORKERS).run_nodes().map(|n| n.name.clone()).collect();
        let report = of(&[], |name| {
            let place = all.iter().position(|n| n == name).unwrap();
            let some = ["manager", "logger-1", "proxy-1"];
            if name.starts_with("worker") {
                return Ok(some.into_iter().enumerate().filter(|(i, _)| place >> i & 1 == 1).map(|(_, n)| n).collect());
            }
            Err((State::Unknown, format!("unknown ({name})")))
        });
        shown(&report);
        assert!(report.matrix.unwrap().classes.len() <= NUMBERS.len());
        assert!(!report.missing.is_empty());
    }
}
