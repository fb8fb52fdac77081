//! How what several commands have in common is shown.

mod outcomes;
mod plan;

use serde::Serialize;

use super::report::Report;
use crate::error::Kind;
use crate::ui::{Tone, Ui, in_line};

pub(crate) use outcomes::{failures, lacking, last_words, outcome_rows};
pub(crate) use plan::{agreement, plan_aside, plan_text};

/// Text for another program: a script, a schema.
#[derive(Debug, Serialize)]
pub(crate) struct Text(pub(crate) String);

impl Report for Text {
    fn kind(&self) -> Option<&'static str> {
        None
    }

    fn show(&self, ui: &Ui) {
        ui.result(&self.0);
    }

    fn end(&self) -> Option<Kind> {
        None
    }
}

/// Says of which hosts nothing is known, and why, a line each.
pub(crate) fn unknown_hosts(ui: &Ui, unknown: &[(String, String)]) -> String {
    let line = |(host, why): &(String, String)| {
        let subject = ui.out.paint(Tone::Bad, &format!("{} cannot be asked", in_line(host)));
        ui.out.wrap(&format!("{subject}: {}\n", in_line(why)), "  ")
    };
    unknown.iter().map(line).collect()
}

/// Writes seconds in the two largest units.
pub(crate) fn uptime(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole seconds, not negative")]
    let s = seconds.max(0.0) as u64;
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        3600..86400 => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
        _ => format!("{}d{:02}h", s / 86400, s % 86400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::uptime;

    #[test]
    fn times_are_short() {
        let shown: Vec<String> = [0.9, 75.0, 3700.0, 200_000.0].into_iter().map(uptime).collect();
        assert_eq!(shown, ["0s", "1m15s", "1h01m", "2d07h"]);
    }
}
