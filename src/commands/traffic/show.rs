//! The traffic of a cluster: a row for each node that captures, and what is wrong, with causes and remedies.

use super::super::report::{Report, partial};
use super::judge::Verdict;
use super::report::{FaultRow, InterfaceRow, TrafficReport, TrafficRow, percent};
use crate::error::Kind;
use crate::ui::{Cell, Column, Tone, Ui, complain, in_line, table};

const COLUMNS: [Column; 11] = [
    Column { head: "NODE", drop_priority: 0, right: false },
    Column { head: "HOST", drop_priority: 5, right: false },
    Column { head: "INTERFACE", drop_priority: 6, right: false },
    Column { head: "PKT/S", drop_priority: 2, right: true },
    Column { head: "MBIT/S", drop_priority: 3, right: true },
    Column { head: "DROP%", drop_priority: 1, right: true },
    Column { head: "GAP%", drop_priority: 1, right: true },
    Column { head: "1-SIDE%", drop_priority: 1, right: true },
    Column { head: "CKSUM%", drop_priority: 4, right: true },
    Column { head: "SHARED%", drop_priority: 2, right: true },
    Column { head: "VERDICT", drop_priority: 0, right: false },
];

const INTERFACES: [Column; 6] = [
    Column { head: "HOST", drop_priority: 0, right: false },
    Column { head: "INTERFACE", drop_priority: 0, right: false },
    Column { head: "NODES", drop_priority: 2, right: true },
    Column { head: "PKT/S", drop_priority: 1, right: true },
    Column { head: "MBIT/S", drop_priority: 1, right: true },
    Column { head: "DROP%", drop_priority: 0, right: true },
];

/// The most names in one line of faults.
const NAMES: usize = 4;

impl Report for TrafficReport {
    fn kind(&self) -> Option<&'static str> {
        Some("traffic")
    }

    fn show(&self, ui: &Ui) {
        ui.result(&text(ui, self));
        if let Some(why) = &self.failure {
            complain(&ui.err.wrap(&in_line(&format!("the nodes could not be asked: {why}")), "  "));
        }
    }

    fn end(&self) -> Option<Kind> {
        let unmeasured = self.nodes.iter().filter(|row| row.figures.is_none()).count();
        let wrong = self.faults.iter().any(|fault| fault.bad);
        partial(self.nodes.len(), unmeasured).or_else(|| wrong.then_some(Kind::NotAsExpected))
    }
}

pub(super) fn text(ui: &Ui, report: &TrafficReport) -> String {
    let mut text = String::new();
    // Trouble stands first.
    let is_good = |row: &&TrafficRow| row.verdict == Some(Verdict::Good);
    let bad = report.nodes.iter().filter(|row| !is_good(row));
    let rows: Vec<Vec<Cell>> = bad.chain(report.nodes.iter().filter(is_good)).map(row).collect();
    text.push_str(&table(ui.out, &COLUMNS, &rows));
    if report.interfaces.iter().any(|one| one.nodes > 1) {
        text.push('\n');
        let rows: Vec<Vec<Cell>> = report.interfaces.iter().map(interface).collect();
        text.push_str(&table(ui.out, &INTERFACES, &rows));
    }
    for (at, (node, why)) in report.nodes.iter().filter_map(|row| Some((&row.node, row.reason.as_ref()?))).enumerate() {
        if at == 0 {
            text.push('\n');
        }
        line(ui, &mut text, &format!("{}: {}", ui.out.paint(Tone::Bad, node), in_line(why)), "  ");
    }
    for fault in &report.faults {
        self::fault(ui, &mut text, fault);
    }
    if let Some(share) = report.foreign {
        let said = format!("{} of the connections have neither side in `local_networks`", percent(share));
        text.push('\n');
        line(ui, &mut text, &said, "  ");
    }
    text
}

fn line(ui: &Ui, text: &mut String, what: &str, indent: &str) {
    text.push_str(&ui.out.wrap(what, indent));
    text.push('\n');
}

fn fault(ui: &Ui, text: &mut String, fault: &FaultRow) {
    let names: Vec<&str> = fault.nodes.iter().take(NAMES).map(String::as_str).collect();
    let more = match fault.nodes.len().saturating_sub(NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let tone = if fault.bad { Tone::Bad } else { Tone::Warn };
    text.push('\n');
    let names = ui.out.paint(tone, &format!("{}{more}", names.join(", ")));
    line(ui, text, &format!("{names} on {}: {}", fault.host, fault.advice.what), "  ");
    for (at, cause) in fault.advice.causes.iter().enumerate() {
        let word = if at == 0 { "usually" } else { "or" };
        line(ui, text, &format!("  {word}: {cause}"), "    ");
    }
    for remedy in &fault.advice.remedies {
        line(ui, text, &format!("  -> {remedy}"), "     ");
    }
}

fn row(row: &TrafficRow) -> Vec<Cell> {
    let figures = row.figures.as_ref();
    let share = |of: Option<f64>| of.map_or_else(Cell::none, |share| Cell::plain(format!("{:.1}", share * 100.0)));
    vec![
        Cell::new(&row.node, Tone::Strong),
        Cell::plain(&row.host),
        Cell::plain(&row.interface),
        figures.map_or_else(Cell::none, |f| Cell::plain(format!("{:.0}", f.packets_per_second))),
        figures.map_or_else(Cell::none, |f| Cell::plain(format!("{:.1}", f.bits_per_second / 1e6))),
        share(figures.and_then(|f| f.dropped)),
        share(figures.and_then(|f| f.gaps)),
        share(figures.and_then(|f| f.one_sided)),
        share(figures.and_then(|f| f.wrong_checksums)),
        share(figures.and_then(|f| Some(f.overlap.as_ref()?.share))),
        match row.verdict {
            None => Cell::new("not measured", Tone::Bad),
            Some(verdict) => Cell::new(verdict.name(), tone(verdict)),
        },
    ]
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Good => Tone::Good,
        Verdict::TooLittle => Tone::Dim,
        Verdict::Doubtful => Tone::Warn,
        Verdict::NoTraffic | Verdict::Bad => Tone::Bad,
    }
}

fn interface(row: &InterfaceRow) -> Vec<Cell> {
    vec![
        Cell::plain(&row.host),
        Cell::plain(&row.interface),
        Cell::plain(row.nodes.to_string()),
        Cell::plain(format!("{:.0}", row.packets_per_second)),
        Cell::plain(format!("{:.1}", row.bits_per_second / 1e6)),
        row.dropped.map_or_else(Cell::none, |share| Cell::plain(format!("{:.1}", share * 100.0))),
    ]
}
