//! What a user sees: the only place that prints. stdout carries the result, stderr the talk.

mod progress;
mod table;

use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::error::{Diagnostic, Error, Look, Severity, render};

pub use progress::{Progress, follow};
pub(crate) use table::{Cell, Column, table};

/// The version of all JSON documents; it grows when a field changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For eyes.
    Table,
    /// One JSON document.
    Json,
}

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where and how to print.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    /// How results are written.
    pub output: Output,
    pub(crate) quiet: bool,
    pub(crate) out: Stream,
    pub(crate) err: Stream,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream {
    pub(crate) terminal: bool,
    pub(crate) color: bool,
    /// Columns; none where nothing limits them.
    pub(crate) width: Option<usize>,
}

/// What a cell or a word means; it decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Warn,
    Bad,
    Dim,
    Strong,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Dim => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
        }
    }
}

impl Stream {
    fn new(terminal: bool, color: Color) -> Self {
        let wanted = || std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && !dumb();
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && wanted(),
        };
        Self { terminal, color, width: terminal.then(terminal_width) }
    }

    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self.color && tone != Tone::Plain && !text.is_empty() {
            let style = tone.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Breaks a text into lines of the stream's width; further lines are indented.
    pub(crate) fn wrap(self, text: &str, indent: &str) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let options = textwrap::Options::new(width.max(20))
            .subsequent_indent(indent)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        text.split('\n').map(|line| textwrap::fill(line, &options)).collect::<Vec<_>>().join("\n")
    }
}

fn dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn terminal_width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).filter(|c| *c > 0);
    asked.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))).unwrap_or(80).max(20)
}

/// Makes text from elsewhere harmless for a terminal: control characters become what they are called, and so do those
/// that nobody sees and that make a text look like another one.
pub(crate) fn harmless(text: &str) -> String {
    if !text.chars().any(|c| c != '\n' && is_unseen(c)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push(' '),
            c if is_unseen(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// As [`harmless`], for what has to stay in its line: a host could add lines about other hosts otherwise.
pub(crate) fn in_line(text: &str) -> String {
    harmless(text).replace('\n', "\\n")
}

/// Tells whether a character shows as nothing but what it does to others: control characters, separators of lines, and
/// those that turn the direction of a text or stand in it without a width.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Lets through what a terminal may be sent at all: text, and colours. What comes from elsewhere has gone through
/// [`harmless`] where it was put in; this is for what was forgotten there.
fn sealed(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(length) = colour(rest) {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        match c {
            c if c.is_control() && c != '\n' && c != '\t' => out.extend(c.escape_default()),
            c => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(out)
}

/// The length of the colour that a text begins with (ECMA-48, SGR), if it does.
fn colour(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let length = numbers.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    numbers[length..].starts_with('m').then_some(length + 3)
}

/// Writes control characters in JSON as JSON has them: it may go to a terminal, and serde leaves those beyond ASCII.
fn sealed_json(text: String) -> String {
    if !text.chars().any(|c| c.is_control() && c != '\n') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Between values only: serde escapes those in them.
            '\n' => out.push('\n'),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
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
            out: Stream::new(std::io::stdout().is_terminal(), color),
            err: Stream::new(std::io::stderr().is_terminal(), color),
        }
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
        if self.err.terminal && !progress::is_drawn() {
            complain("");
        }
    }

    /// Says something on the side, unless it is to be quiet.
    pub fn say(&self, text: &str) {
        self.talk(&harmless(text));
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

    /// Writes an event as a line of JSON on stderr.
    pub(crate) fn event(&self, event: &impl Serialize) {
        if let Some(line) = serde_json::to_string(event).ok().filter(|_| !self.quiet) {
            complain(&sealed_json(line));
        }
    }

    /// Shows an error: what failed, why, what to do next.
    pub fn error(&self, error: &Error) {
        let mut lines = vec![format!("{} {}", self.err.paint(Tone::Bad, "error:"), harmless(&error.message))];
        for cause in &error.causes {
            let cause = harmless(cause).replace('\n', "\n    ");
            lines.push(format!("  {cause}"));
        }
        for hint in &error.hints {
            lines.push(format!("{} {}", self.err.paint(Tone::Strong, "hint:"), in_line(hint)));
        }
        complain(&self.err.wrap(&lines.join("\n"), "    "));
        if self.output == Output::Json {
            #[derive(Serialize)]
            struct Shown<'a> {
                message: &'a str,
                causes: &'a [String],
                hints: &'a [String],
                exit_code: u8,
            }
            self.json(
                "error",
                &Shown {
                    message: &error.message,
                    causes: &error.causes,
                    hints: &error.hints,
                    exit_code: error.kind.code(),
                },
            );
        }
    }

    /// Shows what is wrong with a description, and how much.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        let look = Look { color: self.err.color, width: self.err.width.unwrap_or(100) };
        let (errors, warnings): (Vec<&Diagnostic>, Vec<_>) =
            diagnostics.iter().partition(|d| d.severity == Severity::Error);
        let mut count = count(errors.len(), "problem");
        if !warnings.is_empty() {
            count = format!("{count} and {}", self::count(warnings.len(), "warning"));
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
        let look = Look { color: self.err.color, width: self.err.width.unwrap_or(100) };
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
    progress::above(|| {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{}", sealed(text));
    });
}

/// Returns `1 node`, `2 nodes`.
pub fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

#[cfg(test)]
mod tests {
    use super::{harmless, in_line, sealed, sealed_json};

    #[test]
    fn what_is_not_seen_is_shown() {
        for (text, shown) in [
            ("a\u{1b}[2Jb", r"a\u{1b}[2Jb"),
            ("a\u{9b}2Jb\u{7f}", r"a\u{9b}2Jb\u{7f}"),
            ("kill \u{202e}21\u{2069}", r"kill \u{202e}21\u{2069}"),
            ("wor\u{200b}ker\u{2028}x\u{e0041}", r"wor\u{200b}ker\u{2028}x\u{e0041}"),
            ("größe\tü\nb", "größe ü\nb"),
        ] {
            assert_eq!(harmless(text), shown);
        }
        assert_eq!(in_line("a\nsensor2: is stopped"), r"a\nsensor2: is stopped");
    }

    #[test]
    fn only_text_and_colours_reach_a_terminal() {
        let colours = "\u{1b}[1m\u{1b}[31mbad\u{1b}[0m\tx\ny";
        assert_eq!(sealed(colours), colours);
        assert_eq!(sealed("\u{1b}]0;title\u{7}\u{1b}[2J\r\u{9b}1m"), r"\u{1b}]0;title\u{7}\u{1b}[2J\r\u{9b}1m");
        assert_eq!(sealed("\u{1b}"), r"\u{1b}");
        assert_eq!(sealed("\u{1b}[1"), r"\u{1b}[1");
        let json = serde_json::to_string_pretty(&["a\u{9b}2J\u{7f}\u{1b}"]).unwrap();
        let sealed = sealed_json(json);
        assert!(!sealed.chars().any(|c| c.is_control() && c != '\n'));
        assert_eq!(serde_json::from_str::<Vec<String>>(&sealed).unwrap(), ["a\u{9b}2J\u{7f}\u{1b}"]);
    }
}
