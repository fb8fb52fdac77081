//! What hosts lack, and what root has to do about it.

use super::{Output, Stream, Tone, Ui, harmless};
use crate::error::Kind;
use crate::ops::{DoctorReport, Verdict};

/// Shows what was found; returns the kind of end.
pub fn doctor(ui: &Ui, report: &DoctorReport) -> Option<Kind> {
    if ui.output == Output::Json {
        ui.json("doctor", report);
    } else {
        ui.result(&text(ui.out, report));
    }
    (!report.is_ok()).then_some(Kind::NotAsExpected)
}

fn text(stream: Stream, report: &DoctorReport) -> String {
    let mut lines = Vec::new();
    let wrapped = |indent: &str, line: &str| stream.wrap(&format!("{indent}{line}"), &format!("{indent}    "));
    // Trouble stands first.
    let (bad, good): (Vec<_>, Vec<_>) = report.hosts.iter().partition(|h| !h.is_ok());
    for host in bad.iter().chain(&good) {
        let well = host.checks.iter().filter(|c| c.verdict == Verdict::Good).count();
        let (tone, word) = if host.is_ok() { (Tone::Good, "well") } else { (Tone::Bad, "not as it should be") };
        let (name, word) = (stream.paint(Tone::Strong, &host.host), stream.paint(tone, word));
        lines.push(wrapped("", &format!("{name}: {word} ({well} of {} checks good)", host.checks.len())));
        for check in host.checks.iter().filter(|c| c.verdict != Verdict::Good) {
            let tone = if check.verdict == Verdict::Bad { Tone::Bad } else { Tone::Warn };
            let hint = check.hint.as_ref().map(|h| format!(" -> {}", harmless(h))).unwrap_or_default();
            lines.push(wrapped("  ", &format!("{}: {}{hint}", stream.paint(tone, check.what), harmless(&check.found))));
        }
    }
    for host in bad.iter().filter(|h| !h.as_root.is_empty()) {
        lines.push(format!("\nonce, as root on {}:", stream.paint(Tone::Strong, &host.host)));
        // As long as they are: they are copied.
        lines.extend(host.as_root.iter().map(|command| format!("  {}", harmless(command))));
    }
    lines.join("\n") + "\n"
}
