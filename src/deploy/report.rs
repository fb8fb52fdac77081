//! How a deploy ended.

use serde::Serialize;

use crate::nodes::NodeOutcome;
use crate::observed::OperationKind;
use crate::plan::PossibleDuplicate;

/// How a deploy ended.
#[derive(Debug, Clone, Serialize)]
pub struct DeployReport {
    /// `deploy`, `rollback` or `resume`.
    pub command: OperationKind,
    pub release: String,
    /// Whether all nodes run it as planned, but for those that were allowed to fail.
    pub done: bool,
    /// Whether the user interrupted it.
    pub interrupted: bool,
    /// What became of the nodes that were touched.
    pub nodes: Vec<NodeOutcome>,
    /// What is missing between nodes after `timeouts.ready`: whom they do not see, who does not answer.
    pub lacks: Vec<String>,
    /// Whether the hosts went back to what ran before, and what became of the nodes then.
    pub rolled_back: Option<Vec<NodeOutcome>>,
    /// Hosts that could not go back, and why.
    pub not_back: Vec<String>,
    /// Whether no host had a release before.
    #[serde(skip)]
    pub first: bool,
    /// Hosts of the description that were left out and are behind now, and why.
    pub pending: Vec<PendingHost>,
    /// Nodes that were started and may run on, on a host of before where nobody looked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<PossibleDuplicate>,
    /// Hosts that left the description but can't be asked: nodes may still run there.
    pub unreachable_hosts: Vec<String>,
}

/// A host that a deploy left out.
#[derive(Debug, Clone, Serialize)]
pub struct PendingHost {
    pub host: String,
    /// Why it was left out.
    pub why: String,
}

/// Says how an operation that did not finish is finished, and how it is undone; `first` where nothing was
/// deployed before it.
pub fn how_to_continue(kind: Option<OperationKind>, first: bool) -> &'static str {
    match kind {
        // A deploy would bring what the way back leads away from.
        Some(OperationKind::Rollback) => {
            "finish it with `clusterctl rollback`, or return to the description with `clusterctl deploy`"
        }
        _ if first => "finish it with `clusterctl deploy`, or stop its nodes with `clusterctl stop`",
        _ => "finish it with `clusterctl deploy`, or undo it with `clusterctl rollback`",
    }
}
