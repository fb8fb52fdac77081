//! Writing results, talk, errors and questions.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use serde::Serialize;

use super::bars;
use super::escape::{escape_control, in_line, sealed, sealed_json};
use super::log::record;
use super::stream::{Color, Stream, Tone};
use crate::error::{Diagnostic, Error, RenderStyle, Severity, render, typed};
use crate::values;

/// The version of all JSON documents; it grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// Prometheus' text format, only for `status`.
    Prometheus,
}

/// Where and how to print.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    /// How results are written.
    pub output: Output,
    pub(crate) quiet: bool,
    /// Whether what is done on each host is told.
    pub(crate) verbose: bool,
    pub(crate) out: Stream,
    pub(crate) err: Stream,
}

/// Why a result could not be written; the first reason counts.
static UNWRITTEN: OnceLock<String> = OnceLock::new();

/// Keeps in mind that a result could not be written. A reader that went away has what it wanted.
pub fn written(result: &std::io::Result<()>) {
    if let Err(error) = result
        && error.kind() != ErrorKind::BrokenPipe
    {
        UNWRITTEN.get_or_init(|| error.to_string());
    }
}

/// Returns why a result could not be written, if so.
pub fn unwritten() -> Option<&'static str> {
    UNWRITTEN.get().map(String::as_str)
}

/// Tells whether a user types what is read.
pub fn at_terminal() -> bool {
    std::io::stdin().is_terminal()
}

impl Ui {
    /// Decides once how everything looks.
    pub fn new(output: Output, color: Color, quiet: bool) -> Self {
        Self {
            output,
            quiet,
            verbose: false,
            out: Stream::new(std::io::stdout().is_terminal(), color),
            err: Stream::new(std::io::stderr().is_terminal(), color),
        }
    }

    /// As it is, and tells what is done on each host, or not.
    #[must_use]
    pub fn verbose(self, verbose: bool) -> Self {
        Self { verbose, ..self }
    }

    /// Tells whether a user can be asked.
    pub fn can_ask(&self) -> bool {
        self.err.terminal && at_terminal()
    }

    /// Writes a result. Where that fails, [`unwritten`] tells why at the end of the command.
    pub fn result(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
        written(&write!(out, "{}{end}", sealed(text)).and_then(|()| out.flush()));
    }

    /// Writes a part of a result that has more to come; returns whether somebody still reads.
    pub(crate) fn part(text: &str) -> bool {
        let mut out = std::io::stdout().lock();
        let result = write!(out, "{}", sealed(text)).and_then(|()| out.flush());
        written(&result);
        result.is_ok()
    }

    /// Returns one line of a result that is JSON lines, each a document of a kind.
    pub(crate) fn json_line(kind: &str, value: &impl Serialize) -> String {
        let line = serde_json::to_string(&serde_json::json!({"schema": SCHEMA, "kind": kind, "data": value}));
        let mut line = sealed_json(line.unwrap_or_default());
        line.push('\n');
        line
    }

    /// Writes a result as JSON without an envelope, for another program that knows its form.
    pub fn plain_json(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.result(&sealed_json(text)),
            Err(error) => written(&Err(error.into())),
        }
    }

    /// Writes a result as a JSON document of a kind.
    pub fn json(&self, kind: &str, value: &impl Serialize) {
        #[derive(Serialize)]
        struct Document<'a, T> {
            schema: u32,
            kind: &'a str,
            #[serde(rename = "data")]
            value: &'a T,
        }
        let text = serde_json::to_string_pretty(&Document { schema: SCHEMA, kind, value });
        self.result(
            &text.map_or_else(
                |e| format!("{{\"schema\": {SCHEMA}, \"kind\": \"error\", \"data\": \"{e}\"}}"),
                sealed_json,
            ),
        );
    }

    /// Says that an interrupt was heard, on a line of its own: a terminal has echoed the key.
    pub fn interrupted(&self, text: &str) {
        self.fresh_line();
        self.say(text);
    }

    /// Begins a new line behind the echo of a key. Progress bars clear their own.
    pub fn fresh_line(&self) {
        if self.err.terminal && !bars::is_drawn() {
            complain("");
        }
    }

    /// Says something on the side, unless it is to be quiet.
    pub fn say(&self, text: &str) {
        self.talk(&escape_control(text));
    }

    /// As [`Ui::say`], for text of ours that may have colours in it.
    fn talk(&self, text: &str) {
        if self.quiet {
        } else if self.output == Output::Json {
            self.event(&crate::fleet::Event::Note { text: text.to_owned() });
        } else {
            complain(&self.err.wrap(text, "  "));
        }
    }

    /// Tells what was done on a host to those who want to know, and keeps it in the log, if there is one.
    pub(super) fn trace(&self, event: &crate::fleet::Event, line: &str) {
        if !self.verbose {
            keep(line);
        } else if self.output == Output::Json {
            self.event(event);
        } else {
            complain(line);
        }
    }

    /// Writes an event as a line of JSON on stderr.
    pub(crate) fn event(&self, event: &impl Serialize) {
        if let Some(line) = serde_json::to_string(event).ok().filter(|_| !self.quiet) {
            complain(&sealed_json(line));
        }
    }

    /// Shows an error: what failed, why, what to do next.
    pub fn error(&self, error: &Error) {
        let mut lines = vec![format!("{} {}", self.err.paint(Tone::Bad, "error:"), escape_control(&error.message))];
        for cause in &error.causes {
            let cause = escape_control(cause).replace('\n', "\n    ");
            lines.push(format!("  {cause}"));
        }
        for hint in &error.hints {
            lines.push(format!("{} {}", self.err.paint(Tone::Strong, "hint:"), in_line(&typed(hint))));
        }
        complain(&self.err.wrap(&lines.join("\n"), "    "));
        if self.output == Output::Json {
            #[derive(Serialize)]
            struct Shown<'a> {
                message: &'a str,
                causes: &'a [String],
                hints: Vec<String>,
                exit_code: u8,
            }
            self.json(
                "error",
                &Shown {
                    message: &error.message,
                    causes: &error.causes,
                    hints: error.hints.iter().map(|hint| typed(hint)).collect(),
                    exit_code: error.kind.code(),
                },
            );
        }
    }

    /// Shows what is wrong with a description, and how much.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        let look = RenderStyle { color: self.err.color, width: self.err.width.unwrap_or(100) };
        let (errors, warnings): (Vec<&Diagnostic>, Vec<_>) =
            diagnostics.iter().partition(|d| d.severity == Severity::Error);
        let mut count = values::count(errors.len(), "problem");
        if !warnings.is_empty() {
            count = format!("{count} and {}", values::count(warnings.len(), "warning"));
        }
        complain(&format!("{}{count} in the description; nothing was done", render(diagnostics, look)));
        if self.output == Output::Json {
            self.json("problems", &diagnostics);
        }
    }

    /// Shows what may be meant in a description, and is told all the same.
    pub fn warnings(&self, warnings: &[Diagnostic]) {
        if self.quiet || warnings.is_empty() {
            return;
        }
        if self.output == Output::Json {
            for warning in warnings {
                let Diagnostic { file, line, column, message, .. } = warning;
                let help = warning.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
                self.say(&format!("warning: {file}:{line}:{column}: {message}{help}"));
            }
            return;
        }
        let look = RenderStyle { color: self.err.color, width: self.err.width.unwrap_or(100) };
        complain(render(warnings, look).trim_end_matches('\n'));
        complain("");
    }

    /// Asks the user; only `y` and `yes` mean yes.
    pub fn confirm(&self, question: &str) -> bool {
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "{} [y/N] ", sealed(question)).and_then(|()| err.flush());
        drop(err);
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).is_ok()
            && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }
}

/// Writes on stderr, whatever is quiet; above the progress bars, where there are any.
pub(crate) fn complain(text: &str) {
    let text = sealed(text);
    keep(&text);
    show(&text);
}

/// Keeps something that is not told, where there is a log.
pub fn log(text: &str) {
    keep(text);
}

/// Keeps something in the log, if there is one; that it can't is told once.
fn keep(text: &str) {
    if let Some(why) = record(&sealed(text)) {
        show(&why);
    }
}

fn show(text: &str) {
    if !bars::above(text) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
