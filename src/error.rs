//! What goes wrong: kinds with their exit codes, hints, and problems with their place in the description.
//!
//! Imports nothing of ours, so that every room may use it.

use std::fmt;
use std::ops::Range;

/// What kind of end a command came to; each kind has one exit code, documented in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command failed.
    Failed,
    /// The command line is wrong.
    Usage,
    /// The description is not valid.
    Description,
    /// Some hosts or nodes failed, the rest is done.
    Partial,
    /// `status`, `check` or `doctor` found something that is not as it should be.
    NotAsExpected,
    /// Another operation holds a lock.
    Locked,
    /// The user interrupted the command.
    Interrupted,
}

impl Kind {
    /// Returns the process exit code of this kind.
    pub fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Description => 3,
            Self::Partial => 4,
            Self::NotAsExpected => 5,
            Self::Locked => 6,
            Self::Interrupted => 130,
        }
    }
}

/// An error as a user sees it: what failed, why, and what to do next.
#[derive(Debug, Clone)]
pub struct Error {
    /// The kind, which decides the exit code.
    pub kind: Kind,
    /// What failed and where, one line, without a final full stop.
    pub message: String,
    /// Why, from the outside in; a cause may have several lines.
    pub causes: Vec<String>,
    /// What to do next.
    pub hints: Vec<String>,
}

impl Error {
    /// Makes an error of a kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// Makes an error of the kind [`Kind::Failed`].
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Adds a cause.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds a hint: what the user can do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

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
    /// The key.
    Key,
    /// The value.
    Value,
}

/// Something wrong with the meaning of the description, told by its place; `spec` turns it into a [`Diagnostic`].
#[derive(Debug, Clone)]
pub struct Problem {
    /// Where it is.
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
}

impl Problem {
    /// Makes a problem of a value.
    pub fn value(place: Place, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { place, at: At::Value, message: message.into(), label: label.into(), also: Vec::new(), help: None }
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

/// A label on a part of a file's text.
#[derive(Debug, Clone)]
pub struct Label {
    /// The bytes of the text it stands under.
    pub span: Range<usize>,
    /// The short text.
    pub text: String,
}

/// A problem with its place in a file, ready to be shown.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// The file as the user named it.
    pub file: String,
    /// Line of the first character, from 1.
    pub line: usize,
    /// Column of the first character, in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The part of the text that is wrong; none where there is no text to show (an unreadable file).
    pub primary: Option<Label>,
    /// Other parts of the same file that belong to it.
    pub also: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
}
