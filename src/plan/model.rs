//! What a plan consists of.

use std::collections::BTreeMap;

use serde::Serialize;

use super::effects::{BackendChange, LogOutage, Upgrade};
use super::files::FileChange;
use super::node::{Action, NodePlan};
use crate::observed::Alteration;

/// What a deploy would change.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    /// The release that it leads to.
    pub release: String,
    /// The command makes keys, of which the release's id depends: another command would make others.
    pub new_keys: bool,
    /// Nodes move to another Zeek: all of the cluster's stop, and then start, never a part of them.
    pub upgrade: Option<Upgrade>,
    /// Nodes move to another backend, over which those of before can't be reached.
    pub backend_change: Option<BackendChange>,
    /// Hosts, in the order of the cluster; hosts that left the description come last.
    pub hosts: Vec<HostPlan>,
    /// Files that differ, each difference once with all hosts that have it.
    pub files: Vec<FileChange>,
    /// Nodes, in the order of the cluster; nodes that left the description come last.
    pub nodes: Vec<NodePlan>,
    /// How the writing of logs is interrupted while workers go on; none if it is not.
    pub logs: Option<LogOutage>,
    /// Hosts of the description that take no part: so nothing is said of what they have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<Apart>,
}

/// A host that takes no part in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Apart {
    /// Its name.
    pub host: String,
    /// Why, as a sentence fragment of which the host is the subject.
    pub why: String,
    /// Whether the description has it so.
    pub disabled: bool,
}

/// What changes on one host.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HostPlan {
    /// Its name.
    pub host: String,
    /// The release that is current there now.
    pub from: Option<String>,
    /// Whether the host leaves the cluster.
    pub leaving: bool,
    /// Where ssh finds a host that leaves.
    pub at: Option<String>,
    /// Why nothing is known of a host that left.
    pub unknown: Option<String>,
    /// Files of its current release that somebody has altered there, and how: they are sent anew.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub repairs: BTreeMap<String, Alteration>,
}

impl HostPlan {
    /// Tells whether the host has to activate another release.
    pub fn activates(&self, to: &str) -> bool {
        !self.leaving && self.from.as_deref() != Some(to)
    }
}

impl Plan {
    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.nodes.iter().all(|n| n.action == Action::Keep)
            && self
                .hosts
                .iter()
                .all(|h| !(h.activates(&self.release) || h.leaving && h.from.is_some()) && h.repairs.is_empty())
    }

    /// Returns the nodes to which something is done.
    pub fn actions(&self) -> impl Iterator<Item = &NodePlan> {
        self.nodes.iter().filter(|n| n.action != Action::Keep)
    }

    /// Returns the nodes that run now and go on running, untouched.
    pub fn staying(&self) -> impl Iterator<Item = &NodePlan> {
        self.nodes.iter().filter(|n| n.action == Action::Keep && n.running)
    }
}
