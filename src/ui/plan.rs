//! A plan: what would change on each host, and what is done to each node, and why.

use std::collections::BTreeMap;

use super::{Output, Stream, Tone, Ui, count, harmless};
use crate::plan::{Action, NodePlan, Plan};

/// Shows a plan: as a result, or on the side before a deploy.
pub fn plan(ui: &Ui, plan: &Plan, result: bool) {
    if result && ui.output == Output::Json {
        ui.json("plan", plan);
        return;
    }
    let text = text(if result { ui.out } else { ui.err }, plan);
    if result {
        ui.result(&text);
    } else {
        ui.talk(text.trim_end());
    }
}

fn text(stream: Stream, plan: &Plan) -> String {
    if plan.is_empty() {
        return format!("nothing to do: all nodes run the release {}\n", plan.release);
    }
    let mut lines = vec![format!("release {}", plan.release)];
    for host in &plan.hosts {
        if host.leaving {
            lines.push(format!("  {}: leaves the cluster", host.host));
            continue;
        }
        let from = host.from.as_deref().unwrap_or("nothing");
        if !host.switches(&plan.release) {
            continue;
        }
        let mut files = Vec::new();
        for (paths, word) in [(&host.added, "new"), (&host.changed, "changed"), (&host.removed, "removed")] {
            if !paths.is_empty() {
                files.push(format!("{} {word}{}", count(paths.len(), "file"), few(paths)));
            }
        }
        lines.push(format!("  {}: from {from}: {}", host.host, files.join("; ")));
    }
    let mut groups: BTreeMap<(&'static str, String), Vec<&NodePlan>> = BTreeMap::new();
    for node in plan.actions() {
        groups.entry((node.action.name(), node.reasons.join("; "))).or_default().push(node);
    }
    for ((action, why), nodes) in groups {
        let names: Vec<&str> = nodes.iter().map(|n| n.node.as_str()).collect();
        let shown = if names.len() > 8 {
            format!("{} and {} more", names[..6].join(", "), names.len() - 6)
        } else {
            names.join(", ")
        };
        let tone = if action == Action::Stop.name() { Tone::Warn } else { Tone::Strong };
        lines.push(format!("  {} {shown}: because {}", stream.paint(tone, action), harmless(&why)));
    }
    let kept = plan.nodes.iter().filter(|n| n.action == Action::Keep).count();
    if kept > 0 {
        lines.push(format!("  {} stay as they are", count(kept, "node")));
    }
    lines.join("\n") + "\n"
}

/// Names a few paths.
fn few(paths: &[String]) -> String {
    let named: Vec<&str> = paths.iter().map(String::as_str).filter(|p| !p.starts_with("start/")).collect();
    match named.as_slice() {
        [] => String::new(),
        few if few.len() <= 4 => format!(" ({})", few.join(", ")),
        many => format!(" ({}, ...)", many[..3].join(", ")),
    }
}
