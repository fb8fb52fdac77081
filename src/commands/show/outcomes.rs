//! What became of nodes.

use super::super::report::{Report, partial};
use crate::error::Kind;
use crate::nodes::{NodeOutcome, RunReport};
use crate::ui::{Cell, Column, Tone, Ui, complain, escape_control, in_line, table, typed};
use crate::values::{count, fold_names};

const COLUMNS: [Column; 3] = [
    Column { head: "NODE", drop_priority: 0, right: false },
    Column { head: "HOST", drop_priority: 0, right: false },
    Column { head: "RESULT", drop_priority: 0, right: false },
];

impl Report for RunReport {
    fn kind(&self) -> Option<&'static str> {
        Some("run")
    }

    fn show(&self, ui: &Ui) {
        summary(ui, &self.nodes);
        lacking(ui, &self.lacks);
        for one in &self.runs_on {
            let subject = ui.out.paint(Tone::Bad, &escape_control(&one.subject));
            let line = format!("{subject}: {} -> {}", escape_control(&one.what), escape_control(&typed(&one.hint)));
            ui.result(&ui.out.wrap(&line, "  "));
        }
    }

    fn end(&self) -> Option<Kind> {
        if self.interrupted {
            return Some(Kind::Interrupted);
        }
        let all_is_well = self.lacks.is_empty() && self.runs_on.is_empty();
        partial(self.nodes.len(), self.failures().count()).or((!all_is_well).then_some(Kind::Partial))
    }
}

/// Says what nodes that run lack of each other.
pub(crate) fn lacking(ui: &Ui, lacks: &[String]) {
    if !lacks.is_empty() {
        let what = ui.out.paint(Tone::Warn, "the nodes run, but do not all see each other yet");
        ui.result(&format!("{what}: {}; later: {}", in_line(&lacks.join("; ")), typed("clusterctl status")));
    }
}

/// Shows what became of nodes: those that are as they were meant to be in a line for each outcome, the others each.
fn summary(ui: &Ui, nodes: &[NodeOutcome]) {
    let mut good: Vec<(String, Vec<&str>)> = Vec::new();
    for node in nodes.iter().filter(|n| n.outcome.is_good()) {
        let text = node.outcome.text();
        match good.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(&node.node),
            None => good.push((text, vec![&node.node])),
        }
    }
    failures(ui, nodes);
    for (text, names) in good {
        let number = ui.out.paint(Tone::Good, &format!("{} {text}", count(names.len(), "node")));
        ui.result(&ui.out.wrap(&format!("{number}: {}", fold_names(&names)), "  "));
    }
}

/// Shows the nodes that failed, with their last words.
pub(crate) fn failures(ui: &Ui, nodes: &[NodeOutcome]) {
    let failed: Vec<NodeOutcome> = nodes.iter().filter(|n| !n.outcome.is_good()).cloned().collect();
    if !failed.is_empty() {
        ui.result(&outcome_rows(ui, &failed));
        last_words(failed.iter());
    }
}

/// A table of what became of nodes.
pub(crate) fn outcome_rows(ui: &Ui, nodes: &[NodeOutcome]) -> String {
    let rows: Vec<Vec<Cell>> = nodes
        .iter()
        .map(|n| {
            let tone = if n.outcome.is_good() { Tone::Good } else { Tone::Bad };
            vec![Cell::new(&n.node, Tone::Strong), Cell::plain(&n.host), Cell::new(typed(&n.outcome.text()), tone)]
        })
        .collect();
    table(ui.out, &COLUMNS, &rows)
}

/// Shows the last lines of stderr of nodes that failed.
pub(crate) fn last_words<'a>(nodes: impl Iterator<Item = &'a NodeOutcome>) {
    for node in nodes.filter(|n| !n.stderr.is_empty()).take(10) {
        complain(&format!("{} on {} wrote to stderr:", node.node, node.host));
        for line in folded(&node.stderr) {
            complain(&format!("  {}", escape_control(&line)));
        }
    }
}

/// Folds Broker's complaint about peers that are not up yet, which comes every second.
fn folded(lines: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let mut waiting = 0;
    for line in lines {
        if line.contains("PEER_UNAVAILABLE") {
            waiting += 1;
        } else {
            out.push(line.clone());
        }
    }
    if waiting > 0 {
        out.push(format!("(and {waiting} times that a peer is not available yet)"));
    }
    out
}
