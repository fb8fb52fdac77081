//! What became of nodes after a start, a stop, a deploy or a check.

use super::table::{Cell, Column, table};
use super::{Output, Tone, Ui, complain, count, harmless};
use crate::error::Kind;
use crate::ops::{CheckReport, DeployReport, Finding, NodeOutcome, RunReport};
use crate::values::fold_names;

const COLUMNS: [Column; 3] = [
    Column { head: "NODE", spare: 0, right: false },
    Column { head: "HOST", spare: 0, right: false },
    Column { head: "RESULT", spare: 0, right: false },
];

/// Shows what became of nodes; returns the kind of end.
pub fn outcomes(ui: &Ui, report: &RunReport) -> Option<Kind> {
    let failed = report.failures().count();
    if ui.output == Output::Json {
        ui.json("run", report);
    } else {
        ui.result(&rows(ui, &report.nodes));
        last_words(report.failures());
    }
    super::partial(report.nodes.len(), failed)
}

/// Shows how a deploy ended; returns the kind of end.
pub fn deployed(ui: &Ui, report: &DeployReport) -> Option<Kind> {
    if ui.output == Output::Json {
        ui.json("deploy", report);
    } else {
        let failed: Vec<&NodeOutcome> = report.nodes.iter().filter(|n| !n.outcome.is_good()).collect();
        if report.done {
            ui.result(&format!(
                "deployed {}: {} touched, all as planned",
                report.release,
                count(report.nodes.len(), "node")
            ));
        } else {
            let failures: Vec<NodeOutcome> = failed.iter().copied().cloned().collect();
            ui.result(&rows(ui, &failures));
            last_words(failed.iter().copied());
            for host in &report.not_back {
                ui.result(&format!("{}: {}", ui.out.paint(Tone::Bad, "not all hosts went back"), harmless(host)));
            }
            match &report.rolled_back {
                Some(_) if !report.not_back.is_empty() => {
                    ui.result("`clusterctl deploy` goes on from here");
                }
                Some(back) if back.iter().all(|n| n.outcome.is_good()) && back.is_empty() => {
                    ui.result("the release was not kept: what it started was stopped, since nothing ran before");
                }
                Some(back) if back.iter().all(|n| n.outcome.is_good()) => {
                    ui.result(&format!("went back: {} run again as before", count(back.len(), "node")));
                }
                Some(back) => {
                    ui.result("went back, but not all nodes run as before:");
                    ui.result(&rows(ui, back));
                    last_words(back.iter().filter(|n| !n.outcome.is_good()));
                }
                None => {}
            }
        }
    }
    match (report.done, report.lost.is_empty()) {
        (true, true) => None,
        (true, false) => Some(Kind::Partial),
        (false, _) => Some(Kind::Failed),
    }
}

/// Shows what a check with Zeek found; returns the kind of end.
pub fn check(ui: &Ui, report: &CheckReport) -> Option<Kind> {
    if ui.output == Output::Json {
        ui.json("check", report);
    } else {
        let tell = |tone: Tone, word: &str, finding: &Finding| {
            ui.result(&format!("{} {}", ui.out.paint(tone, word), harmless(&finding.text())));
        };
        report.errors.iter().for_each(|e| tell(Tone::Bad, "error:", e));
        report.warnings.iter().for_each(|w| tell(Tone::Warn, "warning:", w));
        if report.errors.is_empty() {
            let nodes: Vec<&str> = report.checked.iter().map(|c| c.node.as_str()).collect();
            let nodes = fold_names(&nodes);
            ui.result(&format!("the description is valid, and Zeek parses the scripts (as {nodes})"));
        } else {
            ui.result(&format!("Zeek does not accept the scripts: {}", count(report.errors.len(), "error")));
        }
    }
    (!report.errors.is_empty()).then_some(Kind::NotAsExpected)
}

fn rows(ui: &Ui, nodes: &[NodeOutcome]) -> String {
    let rows: Vec<Vec<Cell>> = nodes
        .iter()
        .map(|n| {
            let tone = if n.outcome.is_good() { Tone::Good } else { Tone::Bad };
            vec![Cell::new(&n.node, Tone::Strong), Cell::plain(&n.host), Cell::new(n.outcome.text(), tone)]
        })
        .collect();
    table(ui.out, &COLUMNS, &rows)
}

/// Shows the last lines of stderr of nodes that failed.
fn last_words<'a>(nodes: impl Iterator<Item = &'a NodeOutcome>) {
    for node in nodes.filter(|n| !n.stderr.is_empty()).take(10) {
        complain(&format!("{} on {} wrote on stderr:", node.node, node.host));
        for line in folded(&node.stderr) {
            complain(&format!("  {}", harmless(&line)));
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
