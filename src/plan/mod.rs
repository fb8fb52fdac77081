//! (Cluster, Observed, Release) -> Plan: which files change on which host, and what is done to which node, and why.
//! Pure.
//!
//! * `files`: which files differ, each difference once for all hosts that have it, and the difference of texts;
//! * `reasons`: what is done to a node, and why, in words;
//! * `effects`: an upgrade of Zeek, a change of backend, and how logs are interrupted;
//! * `prevailing`: which release the cluster runs, by what its hosts say;
//! * `recorded`: a release's record on a host -> the cluster that it was;
//! * `rolling`: a plan without restarts, and restarts a few at a time.

mod effects;
mod files;
mod prevailing;
mod reasons;
mod recorded;
mod rolling;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::cluster::{Cluster, Role};
use crate::observed::{Alteration, Observed};
use crate::release::Release;

pub use effects::{BackendChange, LogGap, Meanwhile, Upgrade};
pub use files::{After, Before, Change, FileChange, FileKind, OldText};
pub use prevailing::{currents, manager_first, prevailing};
pub use recorded::{Recorded, former, recorded};
pub use rolling::batches;

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
    pub logs: Option<LogGap>,
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
    /// The inputs that differ, by their names.
    pub inputs: Vec<String>,
    /// Whether it runs now.
    pub running: bool,
    /// The release that it runs now.
    pub from: Option<String>,
}

/// What is done to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It stops.
    Stop,
    /// It stops and starts again.
    Restart,
    /// It starts.
    Start,
    /// Nothing.
    Keep,
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

/// Hosts as they were found: by their index in the cluster, what they answered; none where one is not to be touched.
pub type Found<'a> = &'a [Option<Observed>];

/// The clusters of the releases that hosts have now, by the ids of these; a release that could not be read is missing,
/// which only makes reasons less precise.
pub type Deployments = BTreeMap<String, Cluster>;

impl HostPlan {
    /// Tells whether the host has to switch to another release.
    pub fn switches(&self, to: &str) -> bool {
        !self.leaving && self.from.as_deref() != Some(to)
    }
}

impl Plan {
    /// Plans the way from what was found to a release.
    pub fn make(cluster: &Cluster, found: Found<'_>, release: &Release, deployed: &Deployments) -> Self {
        let mut plan = Self { release: release.id.clone(), ..Self::default() };
        let mut files = files::Files::default();
        let mut why = reasons::Reasons::new(cluster, deployed);
        for part in &release.parts {
            let Some(observed) = found.get(part.host).and_then(Option::as_ref) else { continue };
            let host = &cluster.hosts[part.host];
            why.host(part.host, &files.add(&host.name, part, observed));
            let repairs = observed.altered.of_the_release();
            plan.hosts.push(HostPlan {
                host: host.name.clone(),
                from: observed.current.clone(),
                repairs: repairs.into_iter().map(|(path, how)| (path.to_owned(), how)).collect(),
                ..HostPlan::default()
            });
        }
        plan.files = files.done();
        let places: HashMap<&str, usize> = cluster.run_nodes().map(|n| (n.name.as_str(), n.host)).collect();
        let mut elsewhere: HashMap<&str, usize> = HashMap::new();
        for (index, observed) in found.iter().enumerate() {
            let nodes = observed.iter().flat_map(|o| &o.nodes).filter(|(_, node)| node.process.is_some());
            elsewhere.extend(
                nodes.filter(|(name, _)| places.get(name.as_str()) != Some(&index)).map(|(n, _)| (n.as_str(), index)),
            );
        }
        for node in cluster.run_nodes() {
            let Some(observed) = found.get(node.host).and_then(Option::as_ref) else { continue };
            let Some(inputs) = release.part(node.host).and_then(|p| p.inputs.get(&node.name)) else { continue };
            let now = observed.nodes.get(&node.name);
            let (mut action, mut reasons, inputs) = why.decide(node, now, inputs, observed);
            if action == Action::Keep
                && let Some(reason) = reasons::altered(node, now, observed)
            {
                (action, reasons) = (Action::Restart, vec![reason]);
            }
            if let (Action::Start, Some(other)) = (action, elsewhere.get(node.name.as_str())) {
                reasons = vec![format!("it moves here from {}", cluster.hosts[*other].name)];
            }
            plan.nodes.push(NodePlan {
                node: node.name.clone(),
                host: cluster.hosts[node.host].name.clone(),
                role: Some(node.role),
                action,
                reasons,
                later: Vec::new(),
                inputs,
                running: now.is_some_and(|n| n.process.is_some()),
                from: now.and_then(|n| n.release.clone()),
            });
        }
        for (index, observed) in found.iter().enumerate() {
            let (Some(observed), Some(host)) = (observed, cluster.hosts.get(index)) else { continue };
            plan.nodes.extend(leaving_nodes(&host.name, observed, |name| match places.get(name) {
                Some(place) if *place == index => None,
                Some(place) => Some(format!("it moves to {}", cluster.hosts[*place].name)),
                None => Some("it left the description".to_owned()),
            }));
        }
        plan.backend_change = effects::backend_change(cluster, found, release);
        plan.upgrade = effects::upgrade(cluster, found, release);
        if let Some(upgrade) = &plan.upgrade {
            let why = format!("all nodes move to Zeek {} at once", upgrade.to);
            for node in plan.nodes.iter_mut().filter(|n| n.action == Action::Keep && n.running) {
                node.action = Action::Restart;
                node.reasons = vec![why.clone()];
            }
        }
        plan.logs = effects::log_gap(cluster, found, release, &plan.nodes);
        plan
    }

    /// Adds a host that left the description: its nodes stop.
    pub fn add_leaving(&mut self, host: &str, way: &str, observed: &Observed) {
        self.hosts.push(HostPlan {
            host: host.to_owned(),
            from: observed.current.clone(),
            leaving: true,
            at: Some(way.to_owned()),
            ..HostPlan::default()
        });
        self.nodes.extend(leaving_nodes(host, observed, |_| Some("it left the description".to_owned())));
    }

    /// Adds a host that left the description and of which nothing is known, and why: nothing can be done there.
    pub fn add_unknown(&mut self, host: &str, why: &str) {
        self.hosts.push(HostPlan {
            host: host.to_owned(),
            leaving: true,
            unknown: Some(why.to_owned()),
            ..HostPlan::default()
        });
    }

    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.nodes.iter().all(|n| n.action == Action::Keep)
            && self
                .hosts
                .iter()
                .all(|h| !(h.switches(&self.release) || h.leaving && h.from.is_some()) && h.repairs.is_empty())
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

/// Nodes that run on a host, or are meant to, and have a reason to leave it.
fn leaving_nodes(host: &str, observed: &Observed, why: impl Fn(&str) -> Option<String>) -> Vec<NodePlan> {
    observed
        .nodes
        .iter()
        .filter(|(_, node)| node.process.is_some() || node.meant().is_some())
        .filter_map(|(name, node)| {
            Some(NodePlan {
                node: name.clone(),
                host: host.to_owned(),
                role: None,
                action: Action::Stop,
                reasons: vec![why(name)?],
                later: Vec::new(),
                inputs: Vec::new(),
                running: node.process.is_some(),
                from: node.release.clone(),
            })
        })
        .collect()
}
