//! What is done to nodes, and in which order: workers, proxies, manager, loggers stop in this order and start in the
//! reverse.

use std::collections::BTreeMap;

use super::outcome::{NodeOutcome, Outcome};
use crate::cluster::Role;
use crate::fleet::HostHandle;
use crate::release::ARCHIVER;

/// A node to work on.
#[derive(Debug, Clone)]
pub(crate) struct NodeTask {
    pub(crate) node: String,
    /// Its role; none for a node that left the description, which stops first.
    pub(crate) role: Option<Role>,
    pub(crate) handle: HostHandle,
    /// The release to start it from.
    pub(crate) release: String,
    /// Whether a stop of it is a step on the way to its next start.
    pub(crate) starts_next: bool,
    /// Whether it stays meant to run then: what a deploy stops has a journal that tells more.
    pub(crate) stays_desired: bool,
}

impl NodeTask {
    /// Says what became of it, where it was not even asked to do anything.
    pub(crate) fn ended(self, outcome: Outcome) -> NodeOutcome {
        NodeOutcome { node: self.node, host: self.handle.name, outcome, stderr: Vec::new() }
    }
}

/// The place of a node in the order of starting.
fn tier(task: &NodeTask) -> u8 {
    match task.role {
        // What archives the logs is there before those that write them, and after.
        _ if task.node == ARCHIVER => 0,
        Some(Role::Logger) => 1,
        Some(Role::Manager | Role::Standalone) => 2,
        Some(Role::Proxy) => 3,
        Some(_) => 4,
        None => 5,
    }
}

/// What is done to the nodes of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartOrStop {
    Start,
    Stop,
}

impl StartOrStop {
    /// Returns the name of the phase in which it is done to a tier.
    pub(crate) fn phase(self, tier: u8) -> &'static str {
        match (self, tier) {
            (Self::Start, 0) => "starting archivers",
            (Self::Start, 1) => "starting loggers",
            (Self::Start, 2) => "starting the manager",
            (Self::Start, 3) => "starting proxies",
            (Self::Start, _) => "starting workers",
            (Self::Stop, 0) => "archiving logs",
            (Self::Stop, 1) => "stopping loggers",
            (Self::Stop, 2) => "stopping the manager",
            (Self::Stop, 3) => "stopping proxies",
            (Self::Stop, 4) => "stopping workers",
            (Self::Stop, _) => "stopping nodes that left",
        }
    }
}

/// Splits tasks by tier, and by host within a tier.
pub(crate) fn by_tier(tasks: &[NodeTask]) -> BTreeMap<u8, BTreeMap<String, Vec<NodeTask>>> {
    let mut tiers: BTreeMap<u8, BTreeMap<String, Vec<NodeTask>>> = BTreeMap::new();
    for task in tasks {
        tiers.entry(tier(task)).or_default().entry(task.handle.name.clone()).or_default().push(task.clone());
    }
    tiers
}
