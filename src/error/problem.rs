//! What is wrong with a description, and where.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

/// One step of a [`Place`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A key of a mapping.
    Key(String),
    /// A position in a sequence, from 0.
    Index(usize),
}

/// Where in the description something stands, as the keys that lead there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(pub Vec<Step>);

impl Place {
    /// The whole file.
    pub fn root() -> Self {
        Self::default()
    }

    /// Makes a place from keys only.
    pub fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|k| Step::Key((*k).to_owned())).collect())
    }

    /// The place of a key below this one.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Key(key.into()));
        Self(steps)
    }

    /// The place of an item below this one.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Self(steps)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i == 0 => write!(f, "{key}")?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Which part of a mapping's entry is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Key,
    Value,
}

/// Whether a description is refused for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    /// It may be meant, and is said.
    Warning,
}

/// Something wrong with the meaning of the description, told by its place; `spec` turns it into a [`Diagnostic`].
#[derive(Debug, Clone)]
pub struct Problem {
    pub place: Place,
    /// Key or value of that place.
    pub at: At,
    /// What is wrong: a lowercase sentence fragment.
    pub message: String,
    /// The short text at the caret.
    pub label: String,
    /// Other places that belong to it, each with its short text.
    pub also: Vec<(Place, At, String)>,
    /// What to write instead.
    pub help: Option<String>,
    /// Whether it is refused for that.
    pub severity: Severity,
}

impl Problem {
    /// Makes a problem of a value.
    pub fn value(place: Place, message: impl Into<String>, label: impl Into<String>) -> Self {
        let (message, label) = (message.into(), label.into());
        Self { place, at: At::Value, message, label, also: Vec::new(), help: None, severity: Severity::Error }
    }

    /// Makes a problem of a key.
    pub fn key(place: Place, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { at: At::Key, ..Self::value(place, message, label) }
    }

    /// Adds another place that belongs to it.
    #[must_use]
    pub fn also(mut self, place: Place, at: At, label: impl Into<String>) -> Self {
        self.also.push((place, at, label.into()));
        self
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The text of one file of the description.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The file as the user named it.
    pub file: String,
    /// What stands in it.
    pub text: String,
    /// The byte at which each line begins.
    lines: Vec<usize>,
}

impl Source {
    /// Takes a file's text.
    pub fn new(file: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file: file.into(), text, lines }
    }

    /// Returns line and column of a byte, both from 1, the column in characters.
    pub fn line_column(&self, byte: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|&start| start <= byte);
        let start = self.line_start(line);
        let before = self.text.get(start..byte).unwrap_or("");
        (line, before.chars().count() + 1)
    }

    /// Returns the part of a span that is on its first line, without the space at its end: of a value of many lines
    /// that is what is shown.
    pub fn first_line(&self, span: &Range<usize>) -> Range<usize> {
        let text = self.text.get(span.clone()).unwrap_or("");
        let first = text.lines().next().unwrap_or("").trim_end().len();
        span.start..span.start + first
    }

    /// Returns how many lines there are, at least one.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Returns the byte at which a line (from 1) begins; past the last line, the end of the text.
    pub fn line_start(&self, line: usize) -> usize {
        self.lines.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len())
    }
}

/// A label on a part of a file's text.
#[derive(Debug, Clone)]
pub struct Label {
    /// The file.
    pub source: Arc<Source>,
    /// The bytes of the text it stands under.
    pub span: Range<usize>,
    /// The short text.
    pub text: String,
}

/// A problem with its place in a file, ready to be shown; [`super::render()`] shows it, serde gives its form in JSON.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnostic {
    /// The file as the user named it.
    pub file: String,
    /// Line of the first character, from 1; 0 where there is no text to show.
    pub line: usize,
    /// Column of the first character, in characters, from 1; 0 where there is no text to show.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The part of the text that is wrong; none where there is no text to show (an unreadable file).
    #[serde(skip)]
    pub primary: Option<Label>,
    /// Other parts, of this file or another of the description, that belong to it.
    #[serde(skip)]
    pub also: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
    /// Whether the description is refused for it.
    pub severity: Severity,
}

impl Diagnostic {
    /// Makes a diagnostic of a file as a whole.
    pub fn file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            message: message.into(),
            primary: None,
            also: Vec::new(),
            help: None,
            severity: Severity::Error,
        }
    }

    /// Makes a diagnostic of a part of a file's text, given in bytes.
    pub fn at(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        let (line, column) = source.line_column(span.start);
        let primary = Label { source: Arc::clone(source), span, text: label.into() };
        Self { line, column, primary: Some(primary), ..Self::file(source.file.clone(), message) }
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
