//! (Cluster, Observed, Release) -> Plan: which files change on which host, and what is done to which node, and why.
//! Pure.
//!
//! * `rolling`: a plan without restarts, and restarts a few at a time.

mod rolling;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde::Serialize;

use crate::cluster::{Cluster, Role};
use crate::observed::{Observed, ObservedNode, Wanted};
use crate::release::{Changes, Inputs, Release};

pub use rolling::batches;

/// What a deploy would change.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The release that it leads to.
    pub release: String,
    /// Hosts, in the order of the cluster; hosts that left the description come last.
    pub hosts: Vec<HostPlan>,
    /// Nodes, in the order of the cluster; nodes that left the description come last.
    pub nodes: Vec<NodePlan>,
}

/// What changes on one host.
#[derive(Debug, Clone, Serialize)]
pub struct HostPlan {
    /// Its name.
    pub host: String,
    /// The release that is current there now.
    pub from: Option<String>,
    /// Files that are new there.
    pub added: Vec<String>,
    /// Files that change there.
    pub changed: Vec<String>,
    /// Files that go.
    pub removed: Vec<String>,
    /// Whether the host leaves the cluster.
    pub leaving: bool,
}

/// What is done to one node.
#[derive(Debug, Clone, Serialize)]
pub struct NodePlan {
    /// Its name.
    pub node: String,
    /// Its host.
    pub host: String,
    /// What it is; none for a node that left the description.
    pub role: Option<Role>,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reasons: Vec<String>,
    /// Why it would restart, if restarts had not been taken out ([`Plan::without_restarts`]).
    pub later: Vec<String>,
    /// The release that it runs now.
    pub from: Option<String>,
}

/// What is done to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Nothing.
    Keep,
    /// It starts.
    Start,
    /// It stops and starts again.
    Restart,
    /// It stops.
    Stop,
}

impl Action {
    /// Returns the action's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Stop => "stop",
        }
    }
}

/// A host as it was found: its index in the cluster, and what it answered; none where it is not to be touched.
pub type Found<'a> = &'a [Option<Observed>];

impl HostPlan {
    /// Tells whether the host has to switch to another release.
    pub fn switches(&self, to: &str) -> bool {
        !self.leaving && self.from.as_deref() != Some(to)
    }
}

impl Plan {
    /// Plans the way from what was found to a release.
    pub fn make(cluster: &Cluster, found: Found<'_>, release: &Release) -> Self {
        let mut hosts = Vec::new();
        let mut nodes = Vec::new();
        let mut changes_of: Vec<Changes> = vec![Changes::default(); cluster.hosts.len()];
        for part in &release.parts {
            let Some(observed) = found.get(part.host).and_then(Option::as_ref) else { continue };
            let changes = part.changes(&observed.manifest);
            hosts.push(HostPlan {
                host: cluster.hosts[part.host].name.clone(),
                from: observed.current.clone(),
                added: changes.added.clone(),
                changed: changes.changed.clone(),
                removed: changes.removed.clone(),
                leaving: false,
            });
            changes_of[part.host] = changes;
        }
        for node in cluster.run_nodes() {
            let Some(observed) = found.get(node.host).and_then(Option::as_ref) else { continue };
            let Some(inputs) = release.part(node.host).and_then(|p| p.inputs.get(&node.name)) else { continue };
            let now = observed.nodes.get(&node.name);
            let (action, reasons) = decide(now, inputs, &changes_of[node.host]);
            nodes.push(NodePlan {
                node: node.name.clone(),
                host: cluster.hosts[node.host].name.clone(),
                role: Some(node.role),
                action,
                reasons,
                later: Vec::new(),
                from: now.and_then(|n| n.release.clone()),
            });
        }
        let known: HashSet<(usize, &str)> = cluster.run_nodes().map(|n| (n.host, n.name.as_str())).collect();
        for (index, observed) in found.iter().enumerate() {
            let (Some(observed), Some(host)) = (observed, cluster.hosts.get(index)) else { continue };
            nodes.extend(leaving_nodes(&host.name, observed, |name| known.contains(&(index, name))));
        }
        Self { release: release.id.clone(), hosts, nodes }
    }

    /// Adds a host that left the description: its nodes stop.
    pub fn add_leaving(&mut self, host: &str, observed: &Observed) {
        self.hosts.push(HostPlan {
            host: host.to_owned(),
            from: observed.current.clone(),
            added: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
            leaving: true,
        });
        self.nodes.extend(leaving_nodes(host, observed, |_| false));
    }

    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.nodes.iter().all(|n| n.action == Action::Keep)
            && self.hosts.iter().all(|h| !(h.switches(&self.release) || h.leaving && h.from.is_some()))
    }

    /// Returns the nodes to which something is done.
    pub fn actions(&self) -> impl Iterator<Item = &NodePlan> {
        self.nodes.iter().filter(|n| n.action != Action::Keep)
    }
}

/// Nodes that run on a host, or are meant to, and are not of the description (any more).
fn leaving_nodes(host: &str, observed: &Observed, known: impl Fn(&str) -> bool) -> Vec<NodePlan> {
    observed
        .nodes
        .iter()
        .filter(|(name, node)| {
            !known(name) && (node.process.is_some() || matches!(node.wanted, Some(Wanted::Running(_))))
        })
        .map(|(name, node)| NodePlan {
            node: name.clone(),
            host: host.to_owned(),
            role: None,
            action: Action::Stop,
            reasons: vec!["it left the description".to_owned()],
            later: Vec::new(),
            from: node.release.clone(),
        })
        .collect()
}

fn decide(now: Option<&ObservedNode>, inputs: &Inputs, changes: &Changes) -> (Action, Vec<String>) {
    let Some(now) = now else { return (Action::Start, vec!["it is new".to_owned()]) };
    if now.process.is_none() {
        let why = match (&now.wanted, &now.exit) {
            (Some(Wanted::Running(_)), Some(exit)) => format!("it is not running ({})", exit.text()),
            _ => "it is not running".to_owned(),
        };
        return (Action::Start, vec![why]);
    }
    if now.stopping || now.wanted == Some(Wanted::Stopped) {
        return (Action::Restart, vec!["a stop of it did not come to its end".to_owned()]);
    }
    let reasons = differences(&now.inputs, inputs, changes);
    if reasons.is_empty() { (Action::Keep, reasons) } else { (Action::Restart, reasons) }
}

/// Says which inputs differ, in words.
fn differences(old: &Inputs, new: &Inputs, changes: &Changes) -> Vec<String> {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| match name.as_str() {
            "site scripts" | "own scripts" => match site_changes(changes) {
                Some(files) => format!("{files} changed"),
                None => "site scripts changed".to_owned(),
            },
            "layout" => "the layout changed".to_owned(),
            "zeek" => "the Zeek binary changed".to_owned(),
            "options" => "generated options changed".to_owned(),
            "node script" => "its redefs changed".to_owned(),
            other => format!("its {other} changed"),
        })
        .collect()
}

/// Names the changed files below `site/`, at most three.
fn site_changes(changes: &Changes) -> Option<String> {
    let files: Vec<&str> = changes
        .added
        .iter()
        .chain(&changes.changed)
        .chain(&changes.removed)
        .filter_map(|p| p.strip_prefix("site/"))
        .collect();
    match files.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        [a, b] => Some(format!("{a} and {b}")),
        [a, b, rest @ ..] => Some(format!("{a}, {b} and {} more", rest.len())),
    }
}
