//! What a host's journal says of an operation that did not come to its end.

use crate::values::is_release_id;

/// An operation that did not come to its end, as a host's journal tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Who, from where, what and when.
    pub holder: String,
    /// The release that was current before; none: none was.
    pub from: Option<String>,
    /// The release that it led to.
    pub to: Option<String>,
    /// The last that it did there.
    pub step: String,
}

impl Unfinished {
    /// The command: `deploy`, `rollback`. The holder's line is `WHO (pid N): COMMAND, since WHEN`.
    pub fn command(&self) -> &str {
        let rest = self.holder.rsplit_once("): ").map_or("", |(_, rest)| rest);
        rest.split(',').next().unwrap_or_default()
    }

    /// Says it in words.
    pub fn text(&self) -> String {
        let way = match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!(" from {from} to {to}"),
            (None, Some(to)) => format!(" to {to}"),
            _ => String::new(),
        };
        let step = if self.step.is_empty() { "nothing that is known" } else { &self.step };
        format!("{}{way}; the last that it did there: {step}", self.holder)
    }
}

impl Unfinished {
    /// Reads a journal: the operation that did not come to its end; the first, where several did not.
    pub(super) fn read(journal: &[String]) -> Option<Self> {
        let (_, holder) = journal.first()?.split_once(' ')?;
        let mut unfinished = Self { holder: holder.to_owned(), ..Self::default() };
        let mut known = false;
        for line in &journal[1..] {
            match line.split_once(' ') {
                Some(("from", id)) if !known => {
                    known = true;
                    unfinished.from = Some(id.to_owned()).filter(|id| is_release_id(id));
                }
                // What is no release is nowhere to go.
                Some(("to", id)) if is_release_id(id) => unfinished.to = Some(id.to_owned()),
                Some(("did", step)) => step.clone_into(&mut unfinished.step),
                _ => {}
            }
        }
        Some(unfinished)
    }
}
