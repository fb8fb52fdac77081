//! What became of nodes after a start, a stop, a deploy or a check.

use super::table::{Cell, Column, table};
use super::{Output, Tone, Ui, complain, count, harmless, in_line};
use crate::error::Kind;
use crate::ops::{CheckReport, DeployReport, Finding, LocksReport, NodeOutcome, ReleasesReport, RunReport, ways_on};
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
        summary(ui, &report.nodes);
    }
    if report.interrupted {
        return Some(Kind::Interrupted);
    }
    super::partial(report.nodes.len(), failed)
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

/// Shows how a deploy ended; returns the kind of end.
pub fn deployed(ui: &Ui, report: &DeployReport) -> Option<Kind> {
    let bad = report.nodes.iter().filter(|n| !n.outcome.is_good()).count();
    if ui.output == Output::Json {
        ui.json("deploy", report);
    } else if report.done {
        let what = match report.command.as_str() {
            "rollback" => "went back to",
            "resume" => "up to date with",
            _ => "deployed",
        };
        let nodes = count(report.nodes.len(), "node");
        let touched = match bad {
            0 => format!("{nodes} touched, all as planned"),
            bad => format!("{nodes} touched, {bad} not as planned"),
        };
        ui.result(&format!("{what} {}: {touched}", report.release));
        failures(ui, &report.nodes);
        for behind in &report.behind {
            let why = in_line(&behind.why);
            // One that a deploy left out is at another release; one that could not be asked may be at this one.
            let what = if report.command == "resume" { "is not known to have it" } else { "is behind" };
            ui.result(&format!(
                "{}: {why}; later: clusterctl resume @{}",
                ui.out.paint(Tone::Warn, &format!("{} {what}", behind.host)),
                behind.host
            ));
        }
        for host in &report.lost {
            ui.result(&format!("{host} left, but could not be asked: nodes may still run there"));
        }
    } else {
        failures(ui, &report.nodes);
        for host in &report.not_back {
            ui.result(&format!("{}: {}", ui.out.paint(Tone::Bad, "not all hosts went back"), in_line(host)));
        }
        match &report.rolled_back {
            Some(_) if !report.not_back.is_empty() => {
                ui.result(ways_on(&report.command, report.first));
            }
            Some(back) if back.is_empty() && report.interrupted => ui.result("went back: no node was touched"),
            Some(back) if back.is_empty() && report.first => {
                ui.result("the release was not kept: what it started was stopped, since nothing ran before");
            }
            Some(back) if back.is_empty() => {
                ui.result("went back: what it started was stopped, and all else runs on as before");
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
    match (report.done, report.interrupted) {
        (_, true) => Some(Kind::Interrupted),
        (true, _) if bad == 0 && report.lost.is_empty() && report.behind.is_empty() => None,
        (true, _) => Some(Kind::Partial),
        (false, _) => Some(Kind::Failed),
    }
}

/// Shows the nodes that failed, with their last words.
fn failures(ui: &Ui, nodes: &[NodeOutcome]) {
    let failed: Vec<NodeOutcome> = nodes.iter().filter(|n| !n.outcome.is_good()).cloned().collect();
    if !failed.is_empty() {
        ui.result(&rows(ui, &failed));
        last_words(failed.iter());
    }
}

/// Shows which releases lie where; returns the kind of end.
pub fn releases(ui: &Ui, report: &ReleasesReport) -> Option<Kind> {
    const COLUMNS: [Column; 7] = [
        Column { head: "HOST", spare: 0, right: false },
        Column { head: "RELEASE", spare: 0, right: false },
        Column { head: "", spare: 0, right: false },
        Column { head: "TIME", spare: 1, right: false },
        Column { head: "WHO", spare: 2, right: false },
        Column { head: "ZEEK", spare: 0, right: false },
        Column { head: "PREFIX", spare: 3, right: false },
    ];
    if ui.output == Output::Json {
        ui.json("releases", report);
    } else {
        let rows: Vec<Vec<Cell>> = report
            .releases
            .iter()
            .map(|r| {
                let runs = match (r.current, r.running) {
                    (true, 0) => Cell::new("current", Tone::Warn),
                    (true, n) => Cell::new(format!("runs {}", count(n, "node")), Tone::Good),
                    (false, 0) => Cell::plain(""),
                    (false, n) => Cell::new(format!("runs {}", count(n, "node")), Tone::Warn),
                };
                vec![
                    Cell::new(&r.host, Tone::Strong),
                    Cell::plain(&r.release),
                    runs,
                    Cell::plain(r.time.as_deref().unwrap_or("never activated")),
                    Cell::plain(&r.who),
                    Cell::plain(&r.zeek),
                    Cell::plain(&r.prefix),
                ]
            })
            .collect();
        if rows.is_empty() && report.unknown.is_empty() {
            ui.result("nothing is deployed yet");
        } else if !rows.is_empty() {
            ui.result(&table(ui.out, &COLUMNS, &rows));
        }
        for (host, why) in &report.odd {
            complain(&format!("{host}: {}; it is no release", in_line(why)));
        }
        for (host, why) in &report.unknown {
            ui.result(&format!("{}: {}", ui.out.paint(Tone::Bad, &format!("{host} can't be asked")), in_line(why)));
        }
    }
    let hosts: std::collections::BTreeSet<&str> = report.releases.iter().map(|r| r.host.as_str()).collect();
    super::partial(hosts.len() + report.unknown.len(), report.unknown.len())
}

/// Shows what became of locks; returns the kind of end.
pub fn unlocked(ui: &Ui, report: &LocksReport) -> Option<Kind> {
    if ui.output == Output::Json {
        ui.json("unlock", report);
    } else {
        if report.held.is_empty() && report.failed.is_empty() {
            ui.result("no host is locked");
        }
        for lock in &report.held {
            ui.result(&format!("{}: unlocked; it was locked by {}", lock.host, in_line(&lock.holder)));
        }
        for (host, why) in &report.failed {
            ui.result(&format!("{}: {}", ui.out.paint(Tone::Bad, host), in_line(why)));
        }
    }
    super::partial(report.held.len() + report.failed.len(), report.failed.len())
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
        report.unchecked.iter().for_each(|u| tell(Tone::Bad, "not checked:", u));
        if report.errors.is_empty() && !report.unchecked.is_empty() {
            ui.result("the description is valid; Zeek could not check all scripts, since it crashed itself");
        } else if report.errors.is_empty() {
            let nodes: Vec<&str> = report.checked.iter().map(|c| c.node.as_str()).collect();
            let nodes = fold_names(&nodes);
            ui.result(&format!("the description is valid, and Zeek parses the scripts (as {nodes})"));
        } else {
            ui.result(&format!("Zeek does not accept the scripts: {}", count(report.errors.len(), "error")));
        }
    }
    (!report.errors.is_empty() || !report.unchecked.is_empty()).then_some(Kind::NotAsExpected)
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
