//! Restarting workers a few at a time, by capture group.

use std::collections::HashMap;

use super::model::Plan;
use super::node::Action;
use crate::cluster::{Cluster, Node, Role};
use crate::values::Share;

/// Splits the workers that `restarts` names into batches of whole capture groups (all workers of one host and
/// interface: each member that leaves or joins an `AF_PACKET` fanout group moves the flows of the others). No batch has
/// more workers than `max_unavailable` of all workers of the cluster, unless a single group has more: the number is
/// rounded up to a whole group then. Each worker is in one batch; their order is the cluster's.
pub fn batches(cluster: &Cluster, restarts: impl Fn(&Node) -> bool, max_unavailable: Share) -> Vec<Vec<&Node>> {
    let workers = || cluster.run_nodes().filter(|n| n.role == Role::Worker);
    let limit = max_unavailable.of(workers().count());
    let mut groups: Vec<Vec<&Node>> = Vec::new();
    let mut places: HashMap<(usize, Option<&str>), usize> = HashMap::new();
    for node in workers().filter(|n| restarts(n)) {
        let place = *places.entry((node.host, node.interface.as_deref())).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(node);
    }
    // Groups of one host follow each other, so that a host is done before the next one begins.
    groups.sort_by_key(|group| group.first().map(|n| n.host));
    let mut batches: Vec<Vec<&Node>> = Vec::new();
    for group in groups {
        match batches.last_mut() {
            Some(batch) if batch.len() + group.len() <= limit => batch.extend(group),
            _ => batches.push(group),
        }
    }
    batches
}

impl Plan {
    /// Takes all restarts out: nodes that would restart stay as they are, and [`super::node::NodePlan::later`] keeps why.
    /// Starts and stops stay.
    pub fn without_restarts(&mut self) {
        for node in self.nodes.iter_mut().filter(|n| n.action == Action::Restart) {
            node.action = Action::Keep;
            node.later = std::mem::take(&mut node.reasons);
        }
        self.logs = None;
    }
}
