//! How `diag` is shown.

use super::{Changed, DiagReport, NodeDiag};
use crate::commands::status::State;
use crate::ui::{Stream, Tone, Ui, in_line, typed};
use crate::values::count;

pub(super) fn show(report: &DiagReport, ui: &Ui) {
    let mut text = String::new();
    if let Some(file) = &report.bundle {
        let (nodes, hosts) = (count(report.nodes.len(), "node"), count(report.hosts.len(), "host"));
        text.push_str(&format!("wrote {}: {nodes}, {hosts}; check its content before you share it\n", file.display()));
    } else {
        for node in &report.nodes {
            of_node(node, ui.out, &mut text);
        }
        if report.nodes.is_empty() && report.unknown.is_empty() {
            let all = count(report.passed_over, "node");
            text.push_str(&typed(&format!("all nodes run ({all}); to see one of them: clusterctl diag NODE\n")));
        }
    }
    for (host, why) in &report.unknown {
        let host = ui.out.paint(Tone::Bad, &format!("{host} can't be asked"));
        text.push_str(&format!("{host}: {}\n", in_line(why)));
    }
    ui.result(&text);
}

fn of_node(node: &NodeDiag, out: Stream, text: &mut String) {
    let tone = match node.state {
        State::Running => Tone::Good,
        State::Stopped | State::Disabled => Tone::Plain,
        _ => Tone::Bad,
    };
    let detail = node.detail.as_ref().map(|d| format!(": {}", in_line(d))).unwrap_or_default();
    let state = out.paint(tone, node.state.name());
    text.push_str(&format!("{} on {}: {state}{detail}\n", out.paint(Tone::Strong, &node.node), node.host));
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&out.wrap(&format!("  {name:<12}{}", in_line(value)), &" ".repeat(14)));
            text.push('\n');
        }
    };
    let process = [
        node.pid.map(|pid| format!("pid {pid}")),
        node.restarts.filter(|n| *n > 0).map(|n| count(n as usize, "restart")),
        node.threads.as_ref().map(|n| format!("{n} threads")),
        node.cpus.as_ref().map(|cpus| format!("may run on CPUs {cpus}")),
    ];
    line("process", &process.into_iter().flatten().collect::<Vec<_>>().join(", "));
    line("last end", node.ended.as_deref().unwrap_or_default());
    line("status", node.status.as_deref().unwrap_or_default());
    line("release", node.release.as_deref().unwrap_or_default());
    line("changed", &node.changed.as_ref().map(changed).unwrap_or_default());
    line("command", &node.command.join(" "));
    line("set", &node.settings.join(", "));
    line("limits", &node.limits.join("; "));
    let told = node.environment.iter().map(|(name, value)| format!("{name}={value}"));
    let hidden = node.hidden.iter().map(|name| format!("{name}=(not shown)"));
    line("environment", &told.chain(hidden).collect::<Vec<_>>().join(" "));
    line("folder", &node.folder);
    if let Some(newest) = node.crashes.last() {
        let left = node.crash_files.iter().map(|l| format!("{} ({})", l.file, bytesize::ByteSize(l.size)));
        let left = left.collect::<Vec<_>>().join(", ");
        line("crashes", &format!("{}, the last in {newest}: {left}", node.crashes.len()));
    }
    for shown in &node.texts {
        if shown.lines.is_empty() {
            continue;
        }
        // Zeek's stdout is buffered in blocks, so what it printed last may not be there yet.
        let late = if shown.file == "stdout" && node.pid.is_some() {
            " (buffered: the last lines may be missing)"
        } else {
            ""
        };
        text.push_str(&format!("  {}{late}\n", out.paint(Tone::Strong, &in_line(&shown.file))));
        for one in &shown.lines {
            text.push_str(&out.wrap(&format!("    {}", in_line(one)), "      "));
            text.push('\n');
        }
    }
}

fn changed(changed: &Changed) -> String {
    let when =
        changed.time.as_ref().map(|time| format!(", activated at {time} by {}", changed.who)).unwrap_or_default();
    let what = if changed.what.is_empty() { "nothing".to_owned() } else { changed.what.join(", ") };
    format!("{what}; compared with release {}{when}", changed.since)
}
