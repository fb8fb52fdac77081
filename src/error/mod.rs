//! What goes wrong: kinds with their exit codes, hints, and problems with their place in the description.
//!
//! Imports nothing of ours, so that every room may use it.

pub(crate) mod hint;
mod problem;
mod render;

use std::fmt;

pub use hint::{hints_have, typed};
pub use problem::{At, Diagnostic, Label, Place, Problem, Severity, Source, Step};
pub use render::{RenderStyle, render};

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

    /// Makes the error of a question that nobody answered with yes.
    pub fn cancelled() -> Self {
        Self::failed("cancelled; nothing changed")
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

/// Why a command could not be done.
#[derive(Debug, Clone)]
pub enum CommandError {
    /// The description has problems that only showed later, since the version of Zeek was not known before.
    Problems(Vec<Problem>),
    /// The description is not valid.
    Invalid(Vec<Diagnostic>),
    /// Something else.
    Error(Box<Error>),
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}
