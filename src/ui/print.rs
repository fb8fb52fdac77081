//! Values that nodes gave.

use unicode_width::UnicodeWidthStr as _;

use super::{Output, Tone, Ui, complain, harmless, in_line};
use crate::error::Kind;
use crate::ops::{PrintReport, State};

/// Shows what nodes said; returns the kind of end.
pub fn values(ui: &Ui, report: &PrintReport) -> Option<Kind> {
    // Nobody expects a word of a node whose host is disabled.
    let asked = || report.nodes.iter().filter(|n| n.state != State::Disabled);
    let silent = asked().filter(|n| n.value.is_none()).count();
    if ui.output == Output::Json {
        ui.json("print", report);
    } else {
        let width = report.nodes.iter().map(|n| n.node.width()).max().unwrap_or(0);
        let mut text = String::new();
        // Trouble stands first. A value is never cut, however long it is.
        let bad = report.nodes.iter().filter(|n| n.value.is_none());
        for row in bad.chain(report.nodes.iter().filter(|n| n.value.is_some())) {
            let value = match (&row.value, &row.reason) {
                (Some(value), _) => harmless(value).replace('\n', "\n  "),
                (None, why) => {
                    ui.out.paint(Tone::Bad, &format!("- ({})", in_line(why.as_deref().unwrap_or("no value"))))
                }
            };
            let pad = " ".repeat(width - row.node.width());
            let line = format!("{}{pad}  {value}", ui.out.paint(Tone::Strong, &row.node));
            text.push_str(&ui.out.wrap(&line, "  "));
            text.push('\n');
        }
        ui.result(&text);
        if let Some(why) = &report.failure {
            complain(&ui.err.wrap(&in_line(&format!("the nodes could not be asked: {why}")), "  "));
        }
    }
    super::partial(asked().count(), silent)
}
