//! What was found on hosts, and how it is shown.

use serde::Serialize;

use super::super::report::Report;
use crate::error::Kind;
use crate::ui::{Stream, Tone, Ui, escape_control, typed};

/// What was found on all hosts.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DoctorReport {
    /// One for each host that is not disabled, in the cluster's order.
    pub(crate) hosts: Vec<HostReport>,
}

/// What was found on one host.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HostReport {
    pub(crate) host: String,
    /// What was looked at.
    pub(crate) checks: Vec<HostCheck>,
    /// What root has to run there once, in this order.
    pub(crate) as_root: Vec<String>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HostCheck {
    /// What: `zeek`, `ports`.
    pub(crate) what: &'static str,
    pub(crate) verdict: Verdict,
    /// What was found, in words.
    pub(crate) found: String,
    /// What to do about it.
    #[serde(serialize_with = "crate::error::hint::serialize_any")]
    pub(crate) hint: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As it should be.
    Good,
    /// Worth knowing, and no obstacle.
    Note,
    /// Not as it should be.
    Bad,
}

impl HostReport {
    /// Tells whether all is as it should be.
    pub(crate) fn is_ok(&self) -> bool {
        self.checks.iter().all(|c| c.verdict != Verdict::Bad)
    }
}

impl DoctorReport {
    /// Tells whether all is as it should be.
    pub(crate) fn is_ok(&self) -> bool {
        self.hosts.iter().all(HostReport::is_ok)
    }
}

impl Report for DoctorReport {
    fn kind(&self) -> Option<&'static str> {
        Some("doctor")
    }

    fn show(&self, ui: &Ui) {
        ui.result(&text(ui.out, self));
    }

    fn end(&self) -> Option<Kind> {
        (!self.is_ok()).then_some(Kind::NotAsExpected)
    }
}

fn text(stream: Stream, report: &DoctorReport) -> String {
    let mut lines = Vec::new();
    let wrapped = |indent: &str, line: &str| stream.wrap(&format!("{indent}{line}"), &format!("{indent}    "));
    // Trouble stands first.
    let (bad, good): (Vec<_>, Vec<_>) = report.hosts.iter().partition(|h| !h.is_ok());
    for host in bad.iter().chain(&good) {
        let (checks, failed) = (host.checks.len(), host.checks.iter().filter(|c| c.verdict == Verdict::Bad).count());
        let (tone, word) = match failed {
            0 => (Tone::Good, format!("OK ({checks} checks)")),
            failed => (Tone::Bad, format!("{failed} of {checks} checks failed")),
        };
        let (name, word) = (stream.paint(Tone::Strong, &host.host), stream.paint(tone, &word));
        lines.push(wrapped("", &format!("{name}: {word}")));
        for check in host.checks.iter().filter(|c| c.verdict != Verdict::Good) {
            let tone = if check.verdict == Verdict::Bad { Tone::Bad } else { Tone::Warn };
            let hint = check.hint.as_ref().map(|h| format!(" -> {}", escape_control(&typed(h)))).unwrap_or_default();
            lines.push(wrapped(
                "  ",
                &format!("{}: {}{hint}", stream.paint(tone, check.what), escape_control(&check.found)),
            ));
        }
    }
    for host in bad.iter().filter(|h| !h.as_root.is_empty()) {
        lines.push(format!("\nrun as root on {}, once:", stream.paint(Tone::Strong, &host.host)));
        // As long as they are: they are copied.
        lines.extend(host.as_root.iter().map(|command| format!("  {}", escape_control(command))));
    }
    lines.join("\n") + "\n"
}
