//! What a host's journal says of an operation that did not finish.

use serde::Serialize;

use crate::values::is_release_id;

/// What an operation on hosts does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationKind {
    /// It brings what the description says.
    Deploy,
    /// It goes back to a release that lies on the hosts.
    Rollback,
    /// It brings hosts that were away up to date.
    Resume,
    /// It does what hosts need from time to time.
    Maintain,
    /// It lets Zeek parse scripts.
    Check,
    /// It starts nodes.
    Start,
    /// It stops nodes.
    Stop,
    /// It stops nodes and starts them again.
    Restart,
}

impl OperationKind {
    const ALL: [Self; 8] = [
        Self::Deploy,
        Self::Rollback,
        Self::Resume,
        Self::Maintain,
        Self::Check,
        Self::Start,
        Self::Stop,
        Self::Restart,
    ];

    /// Returns its name, which is that of the command.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
            Self::Resume => "resume",
            Self::Maintain => "maintain",
            Self::Check => "check",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// An operation that did not finish, as a host's journal tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Who, from where, what and when.
    pub holder: String,
    /// What it does; none where the journal does not say it.
    pub kind: Option<OperationKind>,
    /// The release that was current before; none: none was.
    pub from: Option<String>,
    /// The release that it led to.
    pub to: Option<String>,
    /// The last that it did there.
    pub step: String,
}

impl Unfinished {
    /// Says it in words.
    pub fn text(&self) -> String {
        let way = match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!(" from {from} to {to}"),
            (None, Some(to)) => format!(" to {to}"),
            _ => String::new(),
        };
        let step = match self.step.as_str() {
            "" => "unknown",
            "begin to go back" => "starting rollback",
            step => step,
        };
        format!("{}{way}; last step: {step}", self.holder)
    }
}

impl Unfinished {
    /// Reads a journal: the operation that did not finish; the first, where several did not.
    pub(super) fn read(journal: &[String]) -> Option<Self> {
        let (_, holder) = journal.first()?.split_once(' ')?;
        let mut unfinished = Self { holder: holder.to_owned(), ..Self::default() };
        // A journal of an earlier clusterctl names it in its first line alone: `WHO (pid N): COMMAND, since WHEN`.
        let told = holder.rsplit_once("): ").and_then(|(_, rest)| rest.split(',').next());
        unfinished.kind = told.and_then(OperationKind::of);
        let (mut known, mut named) = (false, false);
        for line in &journal[1..] {
            match line.split_once(' ') {
                Some(("doing", kind)) if !named => {
                    named = true;
                    unfinished.kind = OperationKind::of(kind);
                }
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
