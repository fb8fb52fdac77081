//! The status of a cluster: one line about all, a row for each node, and what is wrong, in words.

use std::collections::HashMap;

use super::super::report::Report;
use super::super::show::uptime;
use super::prometheus;
use super::types::{Health, NodeRow, State, StateDetail, StatusReport, Trouble};
use crate::error::Kind;
use crate::ui::{Cell, Column, Output, Tone, Ui, in_line, table, typed};
use crate::values::count;

const COLUMNS: [Column; 12] = [
    Column { head: "NODE", drop_priority: 0, right: false },
    Column { head: "TYPE", drop_priority: 6, right: false },
    Column { head: "HOST", drop_priority: 1, right: false },
    Column { head: "STATE", drop_priority: 0, right: false },
    Column { head: "HEALTH", drop_priority: 0, right: false },
    Column { head: "PID", drop_priority: 7, right: true },
    Column { head: "UPTIME", drop_priority: 2, right: true },
    Column { head: "CPU%", drop_priority: 5, right: true },
    Column { head: "MEM", drop_priority: 4, right: true },
    Column { head: "PEERS", drop_priority: 3, right: true },
    Column { head: "DROP%", drop_priority: 2, right: true },
    Column { head: "RELEASE", drop_priority: 8, right: false },
];

impl Report for StatusReport {
    fn kind(&self) -> Option<&'static str> {
        Some("status")
    }

    fn show(&self, ui: &Ui) {
        match ui.output {
            Output::Prometheus => ui.result(&prometheus::text(self)),
            _ => ui.result(&text(ui, self)),
        }
    }

    fn end(&self) -> Option<Kind> {
        (!self.is_ok()).then_some(Kind::NotAsExpected)
    }
}

fn text(ui: &Ui, report: &StatusReport) -> String {
    let mut text = headline(ui, report);
    text.push_str("\n\n");
    let bad = |row: &&NodeRow| {
        !matches!(row.state, State::Running | State::Disabled)
            || !matches!(row.health, Some(Health::Ok) | None)
            || matches!(row.detail, Some(StateDetail::Elsewhere(_)))
    };
    // Trouble stands first.
    let rows: Vec<Vec<Cell>> =
        report.nodes.iter().filter(bad).chain(report.nodes.iter().filter(|r| !bad(r))).map(row).collect();
    text.push_str(&table(ui.out, &COLUMNS, &rows));
    for host in report.hosts.iter().filter(|h| h.lock.is_some()) {
        let line = format!("{} is locked by {}", host.host, host.lock.as_deref().unwrap_or_default());
        text.push('\n');
        text.push_str(&ui.out.wrap(&in_line(&line), "  "));
        text.push('\n');
    }
    for (host, queue) in report.hosts.iter().filter_map(|h| Some((&h.host, h.queue.as_ref()?))) {
        if queue.logs > 0 {
            #[expect(clippy::cast_precision_loss, reason = "seconds")]
            let age = queue.age.map(|a| format!(", the oldest for {}", uptime(a as f64))).unwrap_or_default();
            text.push_str(&format!(
                "\n{host}: {} in the queue for the archive{age}\n",
                count(queue.logs, "rotated log")
            ));
        }
    }
    if let Some(note) = &report.note {
        text.push('\n');
        text.push_str(&ui.out.wrap(&in_line(note), "  "));
        text.push('\n');
    }
    if !report.troubles.is_empty() {
        text.push('\n');
    }
    for line in troubles(ui, &report.troubles, Tone::Bad) {
        text.push_str(&ui.out.wrap(&line, "  "));
        text.push('\n');
    }
    if !report.warnings.is_empty() {
        text.push('\n');
    }
    for line in troubles(ui, &report.warnings, Tone::Warn) {
        text.push_str(&ui.out.wrap(&line, "  "));
        text.push('\n');
    }
    text
}

/// The most names in one line of troubles.
const NAMES: usize = 4;

/// Says what is wrong, once for all nodes with the same trouble.
pub(super) fn troubles(ui: &Ui, troubles: &[Trouble], tone: Tone) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<&Trouble>)> = Vec::new();
    let mut index: HashMap<(&str, Option<&str>), usize> = HashMap::new();
    for trouble in troubles {
        let at = *index.entry((&trouble.what, verb(trouble))).or_insert_with(|| {
            groups.push((&trouble.what, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(trouble);
    }
    groups
        .into_iter()
        .map(|(what, group)| {
            let names: Vec<&str> = group.iter().take(NAMES).map(|t| t.subject.as_str()).collect();
            let more = match group.len().saturating_sub(NAMES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let what = match what.strip_prefix("is ") {
                Some(rest) if group.len() > 1 => format!("are {rest}"),
                _ => what.to_owned(),
            };
            let mut line = format!("{}{more}: {}", ui.out.paint(tone, &in_line(&names.join(", "))), in_line(&what));
            if let Some(hint) = hint(&group) {
                line.push_str(" -> ");
                line.push_str(&in_line(&typed(&hint)));
            }
            line
        })
        .collect()
}

/// Which command a hint names; none where it is no command.
fn verb(trouble: &Trouble) -> Option<&str> {
    trouble.hint.as_deref()?.strip_prefix("clusterctl ")?.split(' ').next()
}

/// What to do about the same trouble of several nodes or hosts: where commands differ by a name, one with all names.
/// Of other hints the first is told, which names what it is about.
fn hint(group: &[&Trouble]) -> Option<String> {
    let hints: Vec<&str> = group.iter().filter_map(|trouble| trouble.hint.as_deref()).collect();
    let first = *hints.first()?;
    let words = |hint: &'_ str| hint.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut all = words(first);
    let Some(other) = hints.iter().find(|hint| **hint != first).map(|hint| words(hint)) else {
        return Some(first.to_owned());
    };
    let at = all.iter().zip(&other).position(|(a, b)| a != b);
    let Some(at) = at.filter(|_| verb(group[0]).is_some() && all.len() == other.len()) else {
        return Some(first.to_owned());
    };
    let mut names: Vec<String> = Vec::new();
    for hint in hints {
        let name = hint.split(' ').nth(at)?.trim_end_matches(',').to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let comma = if all[at].ends_with(',') { "," } else { "" };
    all[at] = format!("{}{comma}", names.join(" "));
    Some(all.join(" "))
}

fn headline(ui: &Ui, report: &StatusReport) -> String {
    let running = report.nodes.iter().filter(|n| n.state == State::Running).count();
    let mut parts = vec![format!("{} of {} running", running, count(report.nodes.len(), "node"))];
    if let Some(zeek) = &report.zeek {
        let backend = report.backend.map(|b| format!(", {}", b.name())).unwrap_or_default();
        parts.insert(0, format!("Zeek {}{backend}", in_line(zeek)));
    }
    let workers = &report.workers;
    if workers.described > 0 {
        let counted = workers.counted.map_or_else(|| "?".to_owned(), |c| c.to_string());
        parts.push(format!(
            "workers: {} described, {} running, {} answering, {counted} counted",
            workers.described, workers.running, workers.answering
        ));
    }
    let tone = if report.is_ok() { Tone::Good } else { Tone::Bad };
    let line = format!("{}: {}", ui.out.paint(tone, &report.cluster), parts.join("; "));
    ui.out.wrap(&line, "  ")
}

fn row(row: &NodeRow) -> Vec<Cell> {
    let or_none = |text: Option<String>| text.map_or_else(Cell::none, Cell::plain);
    let state = match row.state {
        State::Running => Tone::Good,
        State::Starting | State::Stopping => Tone::Warn,
        State::Stopped | State::Disabled => Tone::Dim,
        State::Crashed | State::Failed | State::Unknown => Tone::Bad,
    };
    vec![
        Cell::new(&row.node, Tone::Strong),
        Cell::plain(row.role.name()),
        Cell::plain(&row.host),
        Cell::new(row.state.name(), state),
        match row.health {
            None => Cell::none(),
            Some(Health::Ok) => Cell::new("ok", Tone::Good),
            Some(health) => Cell::new(health.name(), Tone::Warn),
        },
        or_none(row.pid.map(|p| p.to_string())),
        or_none(row.uptime.map(uptime)),
        or_none(row.cpu.map(|c| format!("{c:.1}"))),
        or_none(row.memory.map(memory)),
        or_none(row.peers.as_ref().map(|p| p.len().to_string())),
        or_none(row.dropped_percent.map(|d| format!("{d:.2}"))),
        or_none(row.release.clone()),
    ]
}

fn memory(bytes: u64) -> String {
    bytesize::ByteSize(bytes).display().iec_short().to_string()
}

#[cfg(test)]
mod tests {
    use super::{Tone, Trouble, Ui, troubles};
    use crate::ui::Output;

    #[test]
    fn a_command_for_one_names_all() {
        let told = |all: &[(&str, &str)]| {
            let trouble = |(subject, hint): &(&str, &str)| Trouble {
                subject: (*subject).to_owned(),
                what: "is stopped".to_owned(),
                hint: Some((*hint).to_owned()),
            };
            let all: Vec<Trouble> = all.iter().map(trouble).collect();
            let ui = Ui::new(Output::Table, crate::ui::Color::Never, false);
            troubles(&ui, &all, Tone::Bad).join("\n")
        };
        assert_eq!(
            told(&[("w-1", "clusterctl start w-1"), ("w-2", "clusterctl start w-2"), ("w-3", "clusterctl deploy")]),
            "w-1, w-2: are stopped -> clusterctl start w-1 w-2\nw-3: is stopped -> clusterctl deploy"
        );
        let resume = "clusterctl resume @a, or clusterctl deploy";
        assert_eq!(
            told(&[("a", resume), ("b", "clusterctl resume @b, or clusterctl deploy")]),
            "a, b: are stopped -> clusterctl resume @a @b, or clusterctl deploy"
        );
        assert_eq!(told(&[("a", "look at x"), ("b", "look at y")]), "a, b: are stopped -> look at x");
    }

    /// A manager's host chooses the names of peers and its version, and any host what is wrong with it.
    #[test]
    fn nothing_of_a_host_leaves_its_line_or_reaches_the_terminal() {
        let trouble = |subject: &str, what: &str| Trouble {
            subject: subject.to_owned(),
            what: what.to_owned(),
            hint: Some("look\nsensor2: is stopped".to_owned()),
        };
        let ui = Ui::new(Output::Table, crate::ui::Color::Never, false);
        let lines = troubles(&ui, &[trouble("x\u{1b}[2J\ny", "is\nsensor2: \u{202e}gone")], Tone::Bad);
        assert_eq!(lines, [r"x\u{1b}[2J\ny: is\nsensor2: \u{202e}gone -> look\nsensor2: is stopped"]);
    }
}
