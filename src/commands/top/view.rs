//! What `top` shows of its figures: rows, their order, and how they fit a screen. Pure.

use std::cmp::Ordering;
use std::collections::VecDeque;

use serde::Serialize;

use crate::ui::{Cell, Column, Piece, Tone, grid, in_line};
use crate::values::count;

/// How many samples are kept of each host and node.
const KEPT: usize = 300;
/// The longest sparkline.
const LONGEST: usize = 30;

/// The last samples of something, the newest last.
#[derive(Debug, Clone, Default)]
pub(super) struct History(VecDeque<f64>);

impl History {
    pub(super) fn push(&mut self, value: f64) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// Draws them in so many characters at most, of which each is the highest of its samples; `full` is what fills a
    /// character, unless there is more.
    pub(super) fn sparkline(&self, width: usize, full: f64) -> String {
        const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let most = self.0.iter().copied().fold(full, f64::max);
        let each = self.0.len().div_ceil(width.max(1)).max(1);
        let samples: Vec<f64> = self.0.iter().copied().collect();
        // From the newest on, so that a character never changes its samples but by one that is new.
        let bars = samples.rchunks(each).map(|chunk| {
            let high = chunk.iter().copied().fold(0.0, f64::max);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
            let bar = if most > 0.0 { (high / most * 7.0).round().clamp(0.0, 7.0) as usize } else { 0 };
            BARS[bar]
        });
        let drawn: Vec<char> = bars.collect();
        drawn.into_iter().rev().collect()
    }
}

/// A host, as it is shown.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct HostRow {
    pub(super) host: String,
    /// In per cent of all its processors.
    pub(super) cpu: Option<f64>,
    /// In per cent.
    pub(super) memory_percent: Option<f64>,
    /// In per cent, where the spool folder is.
    pub(super) disk_percent: Option<f64>,
    /// Of all interfaces that nodes capture from.
    pub(super) packets_per_second: Option<f64>,
    pub(super) bits_per_second: Option<f64>,
    pub(super) drops_per_second: Option<f64>,
    /// Why nothing is known; none where it is.
    pub(super) why: Option<String>,
    #[serde(skip)]
    pub(super) history: History,
}

/// A node, as it is shown.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct NodeRow {
    pub(super) node: String,
    #[serde(rename = "type")]
    pub(super) role: &'static str,
    pub(super) host: String,
    /// None where it does not run, or its host is not known.
    pub(super) pid: Option<u32>,
    /// In per cent of one processor.
    pub(super) cpu: Option<f64>,
    /// In bytes.
    pub(super) memory: Option<u64>,
    pub(super) threads: Option<u64>,
    /// As the node counts them, over the last minute.
    pub(super) packets_per_second: Option<f64>,
    /// In the last minute.
    pub(super) dropped_percent: Option<f64>,
    #[serde(skip)]
    pub(super) history: History,
}

/// What nodes are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Name,
    Cpu,
    Memory,
    Threads,
    Packets,
    Drops,
}

impl Sort {
    /// The order that a key stands for.
    pub(super) fn of(key: char) -> Option<Self> {
        Some(match key {
            'n' => Self::Name,
            'c' => Self::Cpu,
            'm' => Self::Memory,
            't' => Self::Threads,
            'p' => Self::Packets,
            'd' => Self::Drops,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Cpu => "CPU",
            Self::Memory => "memory",
            Self::Threads => "threads",
            Self::Packets => "packets",
            Self::Drops => "drops",
        }
    }

    /// Sorts rows that come in the cluster's order: the most first, and what is not known last.
    pub(super) fn apply(self, rows: &mut [NodeRow], reverse: bool) {
        #[expect(clippy::cast_precision_loss, reason = "only compared")]
        let key = |row: &NodeRow| match self {
            Self::Name => None,
            Self::Cpu => row.cpu,
            Self::Memory => row.memory.map(|memory| memory as f64),
            Self::Threads => row.threads.map(|threads| threads as f64),
            Self::Packets => row.packets_per_second,
            Self::Drops => row.dropped_percent,
        };
        if self == Self::Name {
            if reverse {
                rows.reverse();
            }
            return;
        }
        rows.sort_by(|a, b| match (key(a), key(b)) {
            (Some(a), Some(b)) if reverse => a.total_cmp(&b),
            (Some(a), Some(b)) => b.total_cmp(&a),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        });
    }
}

pub(super) const HOSTS: [Column; 8] = [
    Column { head: "HOST", drop_priority: 0, right: false },
    Column { head: "CPU%", drop_priority: 0, right: true },
    Column { head: "MEM%", drop_priority: 1, right: true },
    Column { head: "DISK%", drop_priority: 2, right: true },
    Column { head: "PKTS/S", drop_priority: 1, right: true },
    Column { head: "MBPS", drop_priority: 3, right: true },
    Column { head: "DROPS/S", drop_priority: 4, right: true },
    Column { head: "CPU, LAST MINUTES", drop_priority: 5, right: false },
];

pub(super) const NODES: [Column; 10] = [
    Column { head: "NODE", drop_priority: 0, right: false },
    Column { head: "TYPE", drop_priority: 6, right: false },
    Column { head: "HOST", drop_priority: 4, right: false },
    Column { head: "PID", drop_priority: 7, right: true },
    Column { head: "CPU%", drop_priority: 0, right: true },
    Column { head: "MEM", drop_priority: 1, right: true },
    Column { head: "THR", drop_priority: 3, right: true },
    Column { head: "PKTS/S", drop_priority: 1, right: true },
    Column { head: "DROP%", drop_priority: 1, right: true },
    Column { head: "CPU, LAST MINUTES", drop_priority: 5, right: false },
];

fn number(value: Option<f64>, digits: usize) -> Cell {
    value.map_or_else(Cell::none, |value| Cell::plain(format!("{value:.digits$}")))
}

/// A number that is bad from a limit on.
fn limited(value: Option<f64>, digits: usize, limit: f64) -> Cell {
    let Some(value) = value else { return Cell::none() };
    Cell::new(format!("{value:.digits$}"), if value >= limit { Tone::Bad } else { Tone::Plain })
}

pub(super) fn host_cells(row: &HostRow, spark: usize) -> Vec<Cell> {
    let name = Cell::new(&row.host, if row.why.is_some() { Tone::Bad } else { Tone::Strong });
    vec![
        name,
        limited(row.cpu, 1, 95.0),
        limited(row.memory_percent, 0, 95.0),
        limited(row.disk_percent, 0, 95.0),
        number(row.packets_per_second, 0),
        number(row.bits_per_second.map(|bits| bits / 1e6), 1),
        limited(row.drops_per_second, 0, 0.5),
        Cell::plain(row.history.sparkline(spark, 100.0)),
    ]
}

pub(super) fn node_cells(row: &NodeRow, spark: usize) -> Vec<Cell> {
    let or_none = |text: Option<String>| text.map_or_else(Cell::none, Cell::plain);
    vec![
        Cell::new(&row.node, if row.pid.is_some() { Tone::Strong } else { Tone::Dim }),
        Cell::plain(row.role),
        Cell::plain(&row.host),
        or_none(row.pid.map(|pid| pid.to_string())),
        number(row.cpu, 1),
        or_none(row.memory.map(|bytes| bytesize::ByteSize(bytes).display().iec_short().to_string())),
        or_none(row.threads.map(|threads| threads.to_string())),
        number(row.packets_per_second, 0),
        limited(row.dropped_percent, 2, 1.0),
        Cell::plain(row.history.sparkline(spark, 100.0)),
    ]
}

/// What the user has chosen.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) sort: Sort,
    pub(super) reverse: bool,
    pub(super) paused: bool,
    /// How many nodes are above the first that is shown.
    pub(super) offset: usize,
    /// What is being typed as a filter; none where nothing is.
    pub(super) typing: Option<String>,
    /// The selectors of the filter, as they were typed.
    pub(super) filter: String,
    /// What has to be told, in the last line.
    pub(super) message: Option<String>,
}

impl View {
    pub(super) fn new() -> Self {
        Self {
            sort: Sort::Cpu,
            reverse: false,
            paused: false,
            offset: 0,
            typing: None,
            filter: String::new(),
            message: None,
        }
    }
}

/// A page as high and wide as a screen.
pub(super) struct Page {
    pub(super) lines: Vec<Vec<Piece>>,
    /// How many nodes it has room for.
    pub(super) room: usize,
}

const KEYS: &str = "q quit  space pause  / filter  sort: n c m t p d  r reverse  arrows scroll";

/// Lays out hosts and nodes; `nodes` are sorted and filtered already.
pub(super) fn page(
    (width, height): (usize, usize),
    name: &str,
    hosts: &[HostRow],
    nodes: &[NodeRow],
    view: &View,
) -> Page {
    let spark = if width >= 120 { LONGEST } else { 12 };
    let run = nodes.iter().filter(|node| node.pid.is_some()).count();
    let known = hosts.iter().filter(|host| host.why.is_none()).count();
    let mut head = vec![
        Piece::new(name, Tone::Strong),
        Piece::plain(format!(
            "  {run} of {} run, {known} of {}; by {}{}",
            count(nodes.len(), "node"),
            count(hosts.len(), "host"),
            view.sort.name(),
            if view.reverse { ", least first" } else { "" },
        )),
    ];
    if !view.filter.is_empty() {
        head.push(Piece::plain(format!("; only {}", view.filter)));
    }
    if view.paused {
        head.push(Piece::new("  PAUSED", Tone::Warn));
    }
    let mut lines = vec![head];
    // Those that something is wrong with stand first, then the busiest.
    let mut order: Vec<&HostRow> = hosts.iter().collect();
    order.sort_by(|a, b| {
        let key = |row: &HostRow| (row.why.is_none(), row.cpu.map_or(0.0, |cpu| -cpu));
        let ((a, b), (c, d)) = (key(a), key(b));
        a.cmp(&c).then(b.total_cmp(&d))
    });
    let room = (height / 3).saturating_sub(2).max(1);
    let shown = if order.len() > room { room.saturating_sub(1).max(1) } else { order.len() };
    let cells: Vec<Vec<Cell>> = order.iter().take(shown).map(|row| host_cells(row, spark)).collect();
    let mut table = grid(width, &HOSTS, &cells).into_iter();
    lines.extend(table.next());
    for (row, line) in order.iter().zip(table) {
        lines.push(match &row.why {
            Some(why) => {
                let why = in_line(why);
                vec![Piece::new(&row.host, Tone::Bad), Piece::plain(format!("  {why}"))]
            }
            None => line,
        });
    }
    if order.len() > shown {
        lines.push(vec![Piece::new(format!("and {}", count(order.len() - shown, "more host")), Tone::Dim)]);
    }
    lines.push(Vec::new());
    // The last line is the footer, and the table has a head.
    let room = height.saturating_sub(lines.len() + 2);
    let offset = view.offset.min(nodes.len().saturating_sub(room.max(1)));
    // Widths come from all rows, so that nothing moves while one scrolls.
    let cells: Vec<Vec<Cell>> = nodes.iter().map(|row| node_cells(row, spark)).collect();
    let mut table = grid(width, &NODES, &cells).into_iter();
    lines.extend(table.next());
    lines.extend(table.skip(offset).take(room));
    lines.truncate(height.saturating_sub(1));
    lines.resize_with(height.saturating_sub(1), Vec::new);
    let footer = match (&view.typing, &view.message) {
        (Some(typed), _) => Piece::plain(format!("filter by selectors: {}_", in_line(typed))),
        (None, Some(message)) => Piece::new(in_line(message), Tone::Warn),
        (None, None) => Piece::new(KEYS, Tone::Dim),
    };
    if height > 0 {
        lines.push(vec![footer]);
    }
    Page { lines, room }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr as _;

    fn history(values: &[f64]) -> History {
        let mut history = History::default();
        for value in values {
            history.push(*value);
        }
        history
    }

    #[test]
    fn a_sparkline_has_the_highest_of_each_part() {
        assert_eq!(history(&[]).sparkline(10, 100.0), "");
        assert_eq!(history(&[0.0, 50.0, 100.0]).sparkline(10, 100.0), "▁▅█");
        // More than what fills it makes it higher.
        assert_eq!(history(&[100.0, 400.0]).sparkline(10, 100.0), "▃█");
        assert_eq!(history(&[0.0, 100.0, 0.0, 0.0]).sparkline(2, 100.0), "█▁");
        let many = vec![1.0; 10_000];
        assert_eq!(history(&many).0.len(), KEPT);
        assert!(history(&many).sparkline(12, 100.0).chars().count() <= 12);
        assert_eq!(history(&many).sparkline(0, 0.0).chars().count(), 1);
    }

    fn node(name: &str, cpu: Option<f64>, memory: Option<u64>) -> NodeRow {
        NodeRow {
            node: name.to_owned(),
            role: "worker",
            host: "sensor1".to_owned(),
            pid: cpu.map(|_| 7),
            cpu,
            memory,
            history: history(&[1.0, 99.0]),
            ..NodeRow::default()
        }
    }

    #[test]
    fn the_most_stands_first_and_what_is_not_known_last() {
        let order = |sort: Sort, reverse| {
            let mut rows =
                [node("a", None, Some(5)), node("b", Some(1.0), Some(9)), node("c", Some(3.0), None)].to_vec();
            sort.apply(&mut rows, reverse);
            rows.iter().map(|row| row.node.clone()).collect::<String>()
        };
        assert_eq!([order(Sort::Cpu, false), order(Sort::Cpu, true)], ["cba", "bca"]);
        assert_eq!(
            [order(Sort::Memory, false), order(Sort::Name, false), order(Sort::Name, true)],
            ["bac", "abc", "cba"]
        );
    }

    fn host(name: &str, cpu: f64, why: Option<&str>) -> HostRow {
        let why = why.map(str::to_owned);
        let cpu = Some(cpu).filter(|_| why.is_none());
        HostRow { host: name.to_owned(), cpu, why, history: history(&[cpu.unwrap_or_default()]), ..HostRow::default() }
    }

    fn text(page: &Page) -> Vec<String> {
        page.lines.iter().map(|line| line.iter().map(Piece::text).collect::<String>()).collect()
    }

    #[test]
    fn a_page_is_as_high_and_wide_as_the_screen() {
        let hosts: Vec<HostRow> = (0..200).map(|n| host(&format!("sensor{n}"), f64::from(n), None)).collect();
        let nodes: Vec<NodeRow> = (0..600).map(|n| node(&format!("worker-{n}"), Some(1.0), Some(1 << 40))).collect();
        for size in [(80, 24), (200, 60), (200, 50), (40, 10), (20, 3), (1, 1), (0, 0)] {
            let page = page(size, "campus", &hosts, &nodes, &View { offset: 10_000, ..View::new() });
            assert_eq!(page.lines.len(), size.1, "{size:?}");
            if size.0 >= 80 {
                let text = text(&page);
                assert!(text.iter().all(|line| line.width() <= size.0), "{size:?}: {text:#?}");
                // The last node can be reached, and the busiest host is there.
                assert!(text[size.1 - 2].starts_with("worker-599"), "{text:#?}");
                assert!(text[2].starts_with("sensor199"), "{text:#?}");
            }
        }
    }

    #[test]
    fn a_small_cluster_on_a_small_screen() {
        let hosts = [host("mgmt", 12.0, None), host("sensor1", 0.0, Some("connection refused\u{1b}[2J\nx"))];
        let nodes = [node("manager", Some(3.25), Some(200 << 20)), node("worker-1", None, None)];
        let shown = page((80, 14), "campus", &hosts, &nodes, &View { paused: true, ..View::new() });
        let text = text(&shown);
        assert_eq!(text[0], "campus  1 of 2 nodes run, 1 of 2 hosts; by CPU  PAUSED");
        assert_eq!(text[2], r"sensor1  connection refused\u{1b}[2J\nx");
        assert!(text[3].starts_with("mgmt") && text[3].contains("12.0"), "{text:#?}");
        assert!(text[5].starts_with("NODE ") && text[6].starts_with("manager "), "{text:#?}");
        assert_eq!((text.len(), text[13].as_str()), (14, KEYS));
    }
}
