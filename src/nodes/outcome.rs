//! What became of nodes that were started or stopped.

use serde::Serialize;

use crate::runner::Started;

/// What became of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what", content = "detail")]
pub enum Outcome {
    /// It was started and is ready.
    Ready,
    /// It was running already.
    AlreadyRunning,
    /// It was running already, but what kept it running is gone.
    Unsupervised,
    /// It was stopped, or did not run.
    Stopped,
    /// It had to be killed.
    Killed,
    /// It is not deployed where it was to be stopped.
    Undeployed,
    /// The deployed release has no such node.
    NotInRelease,
    /// It ended before it was ready; how it ended.
    ExitedAtStart(String),
    /// It was not ready in time; what its `.status` said.
    StartTimeout(String),
    /// It does not end.
    StopTimeout,
    /// The signal was not allowed.
    PermissionDenied,
    /// Its host could not be asked; why.
    Unreachable(String),
    /// It was not tried; why.
    Skipped(String),
    /// Its host is disabled in the description, and others were meant as well.
    Disabled,
}

/// What became of one node, with its last words where it failed.
#[derive(Debug, Clone, Serialize)]
pub struct NodeOutcome {
    pub node: String,
    pub host: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The last lines of its stderr.
    pub stderr: Vec<String>,
}

/// What became of all nodes of a command.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunReport {
    /// One for each node, in the order in which they were worked on.
    pub nodes: Vec<NodeOutcome>,
    /// What is missing between nodes after `timeouts.ready`: whom they do not see, who does not answer.
    pub lacks: Vec<String>,
    /// What of the cluster runs on after a stop, or may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs_on: Vec<RunsOn>,
    /// Whether the user interrupted it.
    pub interrupted: bool,
}

/// Something of the cluster that a stop did not reach.
#[derive(Debug, Clone, Serialize)]
pub struct RunsOn {
    /// The node, or the host where nothing more is known.
    pub subject: String,
    /// What is known of it, as a sentence fragment.
    pub what: String,
    /// What to do about it.
    #[serde(serialize_with = "crate::error::hint::serialize")]
    pub hint: String,
}

impl Outcome {
    /// Returns what became of which node; none for what a host says besides.
    pub(crate) fn of(started: Started) -> Option<(String, Self)> {
        Some(match started {
            Started::Ready(node) => (node, Self::Ready),
            Started::AlreadyRunning(node) => (node, Self::AlreadyRunning),
            Started::Unsupervised(node) => (node, Self::Unsupervised),
            Started::NotInRelease(node) => (node, Self::NotInRelease),
            Started::ExitedAtStart(node, how) => (node, Self::ExitedAtStart(how)),
            Started::StartTimeout(node, status) => (node, Self::StartTimeout(status)),
            Started::Stderr(..) | Started::Short(..) => return None,
        })
    }

    /// Tells whether that is as it was meant.
    pub fn is_good(&self) -> bool {
        matches!(
            self,
            Self::Ready | Self::AlreadyRunning | Self::Stopped | Self::Killed | Self::Undeployed | Self::Disabled
        )
    }

    /// Says it in words.
    pub fn text(&self) -> String {
        match self {
            Self::Ready => "ready".to_owned(),
            Self::AlreadyRunning => "already running".to_owned(),
            Self::Unsupervised => "running, but unsupervised: restart it, or it stays down after a crash".to_owned(),
            Self::Stopped => "stopped".to_owned(),
            Self::Killed => "killed: it did not stop after SIGTERM".to_owned(),
            Self::Undeployed => "not deployed, nothing to stop".to_owned(),
            Self::NotInRelease => "not in the deployed release: run clusterctl deploy".to_owned(),
            Self::ExitedAtStart(how) => format!("ended at start ({how})"),
            Self::StartTimeout(status) if status.is_empty() => "not ready in time".to_owned(),
            Self::StartTimeout(status) => format!("not ready in time ({status})"),
            Self::StopTimeout => "still running after SIGKILL".to_owned(),
            Self::PermissionDenied => "not stopped: another user owns the process".to_owned(),
            Self::Unreachable(why) => format!("unknown ({why})"),
            Self::Skipped(why) => format!("not tried ({why})"),
            Self::Disabled => "not tried (its host is disabled)".to_owned(),
        }
    }
}

impl NodeOutcome {
    /// Says what became of which node, in one line.
    pub fn text(&self) -> String {
        format!("{} on {}: {}", self.node, self.host, self.outcome.text())
    }
}

impl RunReport {
    /// Returns those nodes that are not as they were meant to be.
    pub fn failures(&self) -> impl Iterator<Item = &NodeOutcome> {
        self.nodes.iter().filter(|n| !n.outcome.is_good())
    }
}
