//! Why an answer is worth nothing, and what all readers of lines have in common.

use std::fmt;

use crate::values::is_account_name;

/// The most characters that are told of a line.
const TOLD: usize = 120;

/// Why a host's answer is worth nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// A line that no script of ours says; why.
    Line(String),
    /// What every answer has is not in it: the word of that line.
    Missing(&'static str),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(why) => write!(f, "the host's reply can't be read: {why}"),
            Self::Missing(word) => write!(f, "the host's reply is incomplete: no line `{word}`"),
        }
    }
}

impl Malformed {
    /// Names a line, and why no script of ours says it.
    pub fn line(line: &str, why: impl fmt::Display) -> Self {
        let told: String = line.chars().take(TOLD).collect();
        Self::Line(format!("{told:?}: {why}"))
    }

    /// Names a line of which the form is right, and no script says it there.
    pub fn unsaid(line: &str) -> Self {
        Self::line(line, "this word is not expected here")
    }

    /// Says it in words; what ended the script early, the last line of its stderr, says more than what is missing.
    pub fn because_of(&self, stderr: &str) -> String {
        match (self, stderr.lines().last()) {
            (Self::Missing(_), Some(last)) => format!("the host's reply is incomplete: {last}"),
            _ => self.to_string(),
        }
    }
}

/// Takes a line apart into its word and the rest.
pub fn word_of(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}

/// Takes a line apart into so many fields, none of them empty; the last has the rest.
///
/// # Errors
/// Where it has fewer.
pub fn fields<const N: usize>(text: &str) -> Result<[&str; N], String> {
    let fields: Vec<&str> = text.splitn(N, ' ').collect();
    let count = fields.len();
    fields
        .try_into()
        .ok()
        .filter(|fields: &[&str; N]| fields.iter().all(|field| !field.is_empty()))
        .ok_or_else(|| format!("it has {count} of {N} fields, or empty ones"))
}

/// The name of an account as it may stand in commands for root: its number says as much where it has an odd one.
pub(super) fn account(uid: u32, name: &str) -> String {
    if is_account_name(name) { name.to_owned() } else { uid.to_string() }
}
