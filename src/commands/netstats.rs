//! `netstats`: the packet counters of nodes, in total and as rates.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use super::args::up_to_an_hour;
use super::asked::{self, not_asked, rows};
use super::report::Report;
use super::session::Extent;
use super::status::State;
use super::{Command, Hosts, Session, complete};
use crate::cluster::{Cluster, Node, Role};
use crate::control::{NodeStatus, StatusQuestion};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Fleet, Selection, ask};
use crate::ui::{Cell, Column, Progress, Tone, Ui, in_line, table};

/// Show packets received, dropped and on the link, of nodes, interfaces and all
///
/// Totals are since a node started, rates over the last minute, or over an interval that begins now.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  clusterctl netstats\n  clusterctl netstats --interval 5s @sensor1\n  \
clusterctl netstats -o json")]
pub(crate) struct Netstats {
    /// Measure rates over this time (1s to 1h) instead of the last minute
    #[arg(long, value_name = "DURATION", value_parser = up_to_an_hour)]
    interval: Option<Duration>,
    /// Nodes: a name, a glob, a role (manager, loggers, proxies, workers, all) or @host; default: all that capture
    #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    selectors: Vec<String>,
}

impl Command for Netstats {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = NetstatsReport;

    async fn run(&self, session: &mut Session) -> Result<NetstatsReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = self.selection(&fleet.cluster)?;
        Ok(netstats(&fleet, &selection, self.interval).await)
    }
}

impl Netstats {
    /// The nodes that are meant: those that capture, where nothing is said.
    fn selection(&self, cluster: &Cluster) -> Result<Selection, Error> {
        if !self.selectors.is_empty() {
            return Selection::parse(cluster, &self.selectors);
        }
        let capture = |node: &&Node| node.interface.is_some();
        let names: Vec<String> = cluster.run_nodes().filter(capture).map(|n| globset::escape(&n.name)).collect();
        if names.is_empty() {
            let error = Error::new(Kind::Usage, "no node of the description captures packets");
            return Err(error.hint("to ask nodes that do not capture, name them, or `all`"));
        }
        Selection::parse(cluster, &names)
    }
}

/// The counters of nodes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NetstatsReport {
    /// The interval that was measured, in seconds; none for the last minute.
    interval: Option<f64>,
    /// A row for each node, in the cluster's order.
    nodes: Vec<NodeCounters>,
    /// The sums of the nodes that answered, for each host and interface.
    interfaces: Vec<Sum>,
    /// The sum of all nodes that answered.
    total: Counters,
    /// Why no node, or not all, could be asked; none where that is the node's own matter.
    failure: Option<String>,
}

/// What one node counts.
#[derive(Debug, Clone, Serialize)]
struct NodeCounters {
    node: String,
    #[serde(rename = "type")]
    role: Role,
    host: String,
    interface: Option<String>,
    /// What its process does, as its host says.
    state: State,
    #[serde(flatten)]
    counters: Option<Counters>,
    /// Why there are no counters, or no rates.
    reason: Option<String>,
}

/// What the nodes of a host and interface count.
#[derive(Debug, Clone, Serialize)]
struct Sum {
    host: String,
    interface: Option<String>,
    /// How many nodes it is the sum of.
    nodes: usize,
    #[serde(flatten)]
    counters: Counters,
}

/// Packets and bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct Counters {
    /// Since the start.
    received: u64,
    dropped: u64,
    /// Zero where the packet source can't tell.
    link: u64,
    /// Received; none where an agent of an older release doesn't tell.
    bytes: Option<u64>,
    rates: Option<Rates>,
}

/// What was counted in a time, in a second on average.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct Rates {
    /// The longest time of all nodes of it, in seconds.
    seconds: f64,
    received: f64,
    dropped: f64,
    link: Option<f64>,
    bits: Option<f64>,
    /// Of all packets that came; none where none came.
    dropped_percent: Option<f64>,
}

impl Counters {
    /// The counters of a node, with those of the last minute.
    fn of(status: &NodeStatus) -> Self {
        let more = &status.more;
        // An older agent's last minute is at most ten seconds longer than that.
        let seconds = more.window.unwrap_or_else(|| status.uptime.min(60.0));
        let over = Over {
            seconds,
            received: status.received_1m,
            dropped: status.dropped_1m,
            link: more.link_1m,
            bytes: more.bytes_1m,
        };
        Self {
            received: status.received,
            dropped: status.dropped,
            link: status.link,
            bytes: more.bytes,
            rates: over.rates(),
        }
    }

    fn add(&mut self, other: &Self, first: bool) {
        self.received = self.received.saturating_add(other.received);
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.link = self.link.saturating_add(other.link);
        self.bytes = both(self.bytes, other.bytes, first, u64::saturating_add);
        if let Some(rates) = &other.rates {
            match &mut self.rates {
                Some(all) => all.add(rates),
                none => *none = Some(rates.clone()),
            }
        }
    }
}

/// A sum of which a part that is not known leaves nothing.
fn both<T>(all: Option<T>, one: Option<T>, first: bool, add: fn(T, T) -> T) -> Option<T> {
    if first { one } else { Some(add(all?, one?)) }
}

/// What was counted in a time.
struct Over {
    seconds: f64,
    received: u64,
    dropped: u64,
    link: Option<u64>,
    bytes: Option<u64>,
}

impl Over {
    /// What was counted between two answers of one process; none where its clock or its counters went back.
    fn between(before: &NodeStatus, after: &NodeStatus) -> Option<Self> {
        Some(Self {
            seconds: after.uptime - before.uptime,
            received: after.received.checked_sub(before.received)?,
            dropped: after.dropped.checked_sub(before.dropped)?,
            link: Some(after.link.checked_sub(before.link)?),
            bytes: after.more.bytes.zip(before.more.bytes).and_then(|(after, before)| after.checked_sub(before)),
        })
    }

    /// None for a time of nothing.
    fn rates(&self) -> Option<Rates> {
        if !self.seconds.is_finite() || self.seconds < 0.1 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts as rates")]
        let rate = |count: u64| count as f64 / self.seconds;
        let (received, dropped) = (rate(self.received), rate(self.dropped));
        Some(Rates {
            seconds: self.seconds,
            received,
            dropped,
            link: self.link.map(rate),
            bits: self.bytes.map(|bytes| rate(bytes) * 8.0),
            dropped_percent: share(received, dropped),
        })
    }
}

/// The share of packets that were dropped, in per cent.
fn share(received: f64, dropped: f64) -> Option<f64> {
    let all = received + dropped;
    (all > 0.0).then(|| dropped * 100.0 / all)
}

impl Rates {
    fn add(&mut self, other: &Self) {
        self.seconds = self.seconds.max(other.seconds);
        self.received += other.received;
        self.dropped += other.dropped;
        self.link = both(self.link, other.link, false, |a, b| a + b);
        self.bits = both(self.bits, other.bits, false, |a, b| a + b);
        self.dropped_percent = share(self.received, self.dropped);
    }
}

/// Asks nodes for their counters; twice, where an interval is to be measured.
async fn netstats(fleet: &Fleet, selection: &Selection, interval: Option<Duration>) -> NetstatsReport {
    let cluster = &*fleet.cluster;
    let mut before = None;
    if let Some(interval) = interval {
        let (facts, asked) = ask(fleet, selection, &StatusQuestion::unique()).await;
        // Whoever can ask nobody now need not wait.
        if asked.unasked.is_some() && asked.nodes.values().all(Result::is_err) {
            let (rows, failure) = rows(fleet, selection.nodes(cluster), &facts, asked);
            let rows = rows.into_iter().map(|row| (row.node, row.state, row.said.map(|s| (s, None))));
            return report(cluster, rows, Some(interval), failure);
        }
        let said: BTreeMap<String, NodeStatus> =
            asked.nodes.into_iter().filter_map(|(name, said)| Some((name, said.ok()?))).collect();
        before = Some(said);
        tokio::time::sleep(interval).await;
    }
    let (facts, asked) = ask(fleet, selection, &StatusQuestion::unique()).await;
    let (rows, failure) = rows(fleet, selection.nodes(cluster), &facts, asked);
    let rows = rows.into_iter().map(|row| {
        let said = row.said.map(|status| {
            let measured = before.as_ref().map(|before| between(before.get(&row.node.name), &status));
            (status, measured)
        });
        (row.node, row.state, said)
    });
    report(cluster, rows, interval, failure)
}

/// The rates between two answers of a node, or why there are none.
fn between(before: Option<&NodeStatus>, after: &NodeStatus) -> Result<Rates, &'static str> {
    match before {
        None => Err("no rates: it did not answer when the interval began"),
        Some(before) if before.pid != after.pid => Err("no rates: it was restarted in the meantime"),
        Some(before) => Over::between(before, after)
            .and_then(|over| over.rates())
            .ok_or("no rates: its counters or its clock went back"),
    }
}

type Measured = (NodeStatus, Option<Result<Rates, &'static str>>);

fn report<'a>(
    cluster: &Cluster,
    rows: impl Iterator<Item = (&'a Node, State, Result<Measured, String>)>,
    interval: Option<Duration>,
    failure: Option<String>,
) -> NetstatsReport {
    let nodes: Vec<NodeCounters> = rows
        .map(|(node, state, said)| {
            let (counters, reason) = match said {
                Err(why) => (None, Some(why)),
                Ok((status, measured)) => {
                    let mut counters = Counters::of(&status);
                    let mut reason = None;
                    if let Some(measured) = measured {
                        reason = measured.as_ref().err().map(|why| (*why).to_owned());
                        counters.rates = measured.ok();
                    }
                    (Some(counters), reason)
                }
            };
            let (node_name, host) = (node.name.clone(), cluster.host_of(node).name.clone());
            let interface = node.interface.as_ref().map(ToString::to_string);
            NodeCounters { node: node_name, role: node.role, host, interface, state, counters, reason }
        })
        .collect();
    let mut interfaces: Vec<Sum> = Vec::new();
    let mut places: HashMap<(&str, Option<&str>), usize> = HashMap::new();
    let mut total = Counters::default();
    let mut first = true;
    for (row, counters) in nodes.iter().filter_map(|row| Some((row, row.counters.as_ref()?))) {
        total.add(counters, first);
        first = false;
        let place = *places.entry((&row.host, row.interface.as_deref())).or_insert_with(|| {
            let (host, interface) = (row.host.clone(), row.interface.clone());
            interfaces.push(Sum { host, interface, nodes: 0, counters: Counters::default() });
            interfaces.len() - 1
        });
        let sum = &mut interfaces[place];
        sum.counters.add(counters, sum.nodes == 0);
        sum.nodes += 1;
    }
    NetstatsReport { interval: interval.map(|i| i.as_secs_f64()), nodes, interfaces, total, failure }
}

const NODES: [Column; 11] = [
    Column { head: "NODE", drop_priority: 0, right: false },
    Column { head: "HOST", drop_priority: 2, right: false },
    Column { head: "INTERFACE", drop_priority: 1, right: false },
    RECEIVED,
    DROPPED,
    LINK,
    PACKETS,
    DROPS,
    LINKS,
    BITS,
    SHARE,
];
const SUMS: [Column; 11] = [
    Column { head: "HOST", drop_priority: 0, right: false },
    Column { head: "INTERFACE", drop_priority: 0, right: false },
    Column { head: "NODES", drop_priority: 1, right: true },
    RECEIVED,
    DROPPED,
    LINK,
    PACKETS,
    DROPS,
    LINKS,
    BITS,
    SHARE,
];
const RECEIVED: Column = Column { head: "RECEIVED", drop_priority: 0, right: true };
const DROPPED: Column = Column { head: "DROPPED", drop_priority: 0, right: true };
const LINK: Column = Column { head: "LINK", drop_priority: 4, right: true };
const PACKETS: Column = Column { head: "PKT/S", drop_priority: 0, right: true };
const DROPS: Column = Column { head: "DROP/S", drop_priority: 5, right: true };
const LINKS: Column = Column { head: "LINK/S", drop_priority: 6, right: true };
const BITS: Column = Column { head: "BIT/S", drop_priority: 3, right: true };
const SHARE: Column = Column { head: "DROP%", drop_priority: 0, right: true };

impl Report for NetstatsReport {
    fn kind(&self) -> Option<&'static str> {
        Some("netstats")
    }

    fn show(&self, ui: &Ui) {
        ui.result(&text(ui, self));
        if let Some(why) = &self.failure {
            not_asked(ui, why);
        }
    }

    fn end(&self) -> Option<Kind> {
        asked::end(self.nodes.iter().map(|row| (row.state, row.reason.is_some())))
    }
}

fn text(ui: &Ui, report: &NetstatsReport) -> String {
    let over = match report.interval {
        None => "the last minute".to_owned(),
        Some(seconds) => format!("{seconds} s"),
    };
    let mut text = format!("totals since each node started, rates over {over}\n\n");
    // Trouble stands first.
    let bad = |row: &&NodeCounters| row.reason.is_some();
    let rows: Vec<Vec<Cell>> =
        report.nodes.iter().filter(bad).chain(report.nodes.iter().filter(|row| !bad(row))).map(row).collect();
    text.push_str(&table(ui.out, &NODES, &rows));
    if report.nodes.len() > 1 {
        let mut sums: Vec<Vec<Cell>> = report.interfaces.iter().map(sum).collect();
        let nodes = report.interfaces.iter().map(|sum| sum.nodes).sum::<usize>();
        let head = [Cell::new("all", Tone::Strong), Cell::plain(""), Cell::plain(nodes.to_string())];
        sums.push(head.into_iter().chain(cells(Some(&report.total))).collect());
        text.push('\n');
        text.push_str(&table(ui.out, &SUMS, &sums));
    }
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in &report.nodes {
        if let Some(why) = &row.reason {
            reasons.entry(why).or_default().push(&row.node);
        }
    }
    if !reasons.is_empty() {
        text.push('\n');
    }
    for (why, names) in reasons {
        let names = ui.out.paint(Tone::Bad, &in_line(&crate::values::fold_names(&names)));
        text.push_str(&ui.out.wrap(&format!("{names}: {}", in_line(why)), "  "));
        text.push('\n');
    }
    text
}

fn row(row: &NodeCounters) -> Vec<Cell> {
    let interface = row.interface.as_ref().map_or_else(Cell::none, Cell::plain);
    let head = [Cell::new(&row.node, Tone::Strong), Cell::plain(&row.host), interface];
    head.into_iter().chain(cells(row.counters.as_ref())).collect()
}

fn sum(sum: &Sum) -> Vec<Cell> {
    let interface = sum.interface.as_ref().map_or_else(Cell::none, Cell::plain);
    let head = [Cell::new(&sum.host, Tone::Strong), interface, Cell::plain(sum.nodes.to_string())];
    head.into_iter().chain(cells(Some(&sum.counters))).collect()
}

fn cells(counters: Option<&Counters>) -> Vec<Cell> {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let total = |of: fn(&Counters) -> u64| counters.map_or_else(Cell::none, |c| Cell::plain(short(of(c) as f64)));
    let rates = counters.and_then(|c| c.rates.as_ref());
    let rate = |rate: Option<f64>| rate.map_or_else(Cell::none, |rate| Cell::plain(short(rate)));
    // A packet source that knows nothing of the link says zero.
    let blind = counters.is_some_and(|c| c.link == 0 && c.received > 0);
    let share = rates.and_then(|r| r.dropped_percent);
    vec![
        total(|c| c.received),
        total(|c| c.dropped),
        if blind { Cell::none() } else { total(|c| c.link) },
        rate(rates.map(|r| r.received)),
        rate(rates.map(|r| r.dropped)),
        rate(rates.and_then(|r| r.link).filter(|_| !blind)),
        rate(rates.and_then(|r| r.bits)),
        share.map_or_else(Cell::none, |share| {
            Cell::new(format!("{share:.2}"), if share > 0.0 { Tone::Warn } else { Tone::Plain })
        }),
    ]
}

/// Writes a number with three or four digits, and a prefix of the SI.
fn short(number: f64) -> String {
    const PREFIXES: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let mut number = number;
    let mut prefix = 0;
    while number >= 9_999.5 && prefix + 1 < PREFIXES.len() {
        number /= 1000.0;
        prefix += 1;
    }
    match number {
        _ if prefix == 0 && (number.fract() == 0.0 || number >= 99.95) => format!("{number:.0}"),
        _ if number < 99.95 => format!("{number:.1}{}", PREFIXES[prefix]),
        _ => format!("{number:.0}{}", PREFIXES[prefix]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{WORKERS, campus};

    fn status(pid: u64, uptime: f64, received: u64, dropped: u64) -> NodeStatus {
        serde_json::from_value(serde_json::json!({
            "node": "w", "node_type": "worker", "version": "9.0.0", "pid": pid, "uptime": uptime, "workers": 0,
            "peers": [], "received": received, "dropped": dropped, "link": received + dropped, "received_1m": 600,
            "dropped_1m": 200, "memory": 1, "link_1m": 800, "bytes": received * 100, "bytes_1m": 60_000, "window": 40.0,
        }))
        .unwrap()
    }

    #[test]
    fn numbers_are_short() {
        let shown: Vec<String> =
            [0.0, 7.0, 7.25, 99.9, 812.4, 9_999.0, 10_000.0, 812_499.0, 12_345_678.0, 1.8e19].map(short).to_vec();
        assert_eq!(shown, ["0", "7", "7.2", "99.9", "812", "9999", "10.0k", "812k", "12.3M", "18.0E"]);
    }

    #[test]
    fn rates_are_over_the_nodes_own_time() {
        let minute = Counters::of(&status(1, 500.0, 9_000, 1_000)).rates.unwrap();
        assert_eq!((minute.seconds, minute.received, minute.dropped, minute.link), (40.0, 15.0, 5.0, Some(20.0)));
        assert_eq!((minute.bits, minute.dropped_percent), (Some(12_000.0), Some(25.0)));
        let (before, after) = (status(1, 500.0, 9_000, 1_000), status(1, 505.0, 9_500, 1_000));
        let five = between(Some(&before), &after).unwrap();
        assert_eq!((five.seconds, five.received, five.dropped_percent), (5.0, 100.0, Some(0.0)));
        for (before, why) in
            [(None, "did not answer"), (Some(status(2, 1.0, 0, 0)), "restarted"), (Some(after), "went back")]
        {
            let said = between(before.as_ref(), &status(1, 504.0, 9_400, 1_000)).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn an_older_agent_tells_less_and_no_number_is_too_large() {
        let mut old = status(1, 20.0, 200, 0);
        old.more = crate::control::MoreCounters::default();
        let rates = Counters::of(&old).rates.unwrap();
        assert_eq!((rates.seconds, rates.link, rates.bits), (20.0, None, None));
        let mut sum = Counters::default();
        let most =
            Counters { received: u64::MAX, dropped: u64::MAX, link: u64::MAX, bytes: Some(u64::MAX), rates: None };
        sum.add(&most, true);
        sum.add(&most, false);
        assert_eq!((sum.received, sum.bytes), (u64::MAX, Some(u64::MAX)));
        sum.add(&Counters::of(&old), false);
        assert_eq!(sum.bytes, None);
        for seconds in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert_eq!(Over { seconds, received: 1, dropped: 1, link: None, bytes: None }.rates(), None);
        }
    }

    fn shown(width: Option<usize>) -> String {
        let cluster = campus("", "", WORKERS);
        let all: Vec<&Node> = cluster.run_nodes().filter(|n| n.interface.is_some()).collect();
        let rows = all.iter().enumerate().map(|(i, node)| match i {
            1 => (*node, State::Stopped, Err("stopped".to_owned())),
            _ => (*node, State::Running, Ok((status(1, 500.0, 9_000_000 * i as u64, 1_000), None))),
        });
        let report = report(&cluster, rows, None, None);
        assert_eq!(report.end(), Some(Kind::Partial));
        let mut ui = Ui::new(crate::ui::Output::Table, crate::ui::Color::Never, false);
        ui.out.width = width;
        text(&ui, &report)
    }

    #[test]
    fn it_is_readable_on_a_terminal_and_in_a_pipe() {
        insta::assert_snapshot!(format!("{}\n{}", shown(Some(80)), shown(None)));
    }
}
