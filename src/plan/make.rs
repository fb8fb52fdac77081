//! (Cluster, Observed, Release) -> Plan.

use std::collections::HashMap;

use super::effects::Workers;
use super::model::{HostPlan, Plan};
use super::node::{Action, Deployments, NodePlan, ObservedHosts};
use super::{effects, files, misplaced, reasons};
use crate::cluster::Cluster;
use crate::observed::Observed;
use crate::release::Release;

impl Plan {
    /// Plans the way from what was found to a release.
    pub fn make(cluster: &Cluster, found: ObservedHosts<'_>, release: &Release, deployed: &Deployments) -> Self {
        let mut plan = Self { release: release.id.clone(), ..Self::default() };
        let mut files = files::FileChanges::default();
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
        let answers = found.iter().enumerate().filter_map(|(index, o)| Some((index, &o.as_ref()?.brief)));
        let misplaced = misplaced::misplaced(cluster, answers);
        let elsewhere = misplaced::elsewhere(cluster, &misplaced, |host| Some(&found.get(host)?.as_ref()?.brief));
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
                reasons = vec![format!("it moves here from {}", cluster.hosts[other.host].name)];
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
                Some(place) => {
                    let there = found.get(*place).and_then(|o| o.as_ref()?.nodes.get(name));
                    let host = &cluster.hosts[*place].name;
                    Some(if there.is_some_and(|n| n.process.is_some()) {
                        format!("it runs on {host}, where it belongs")
                    } else {
                        format!("it moves to {host}")
                    })
                }
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
        plan.logs = effects::log_outage(cluster, found, release, &plan.nodes, Workers::First);
        plan
    }

    /// Says that workers restart a few at a time, after all others: those that write logs restart while they go on.
    pub fn roll(&mut self, cluster: &Cluster, found: ObservedHosts<'_>, release: &Release) {
        self.logs = effects::log_outage(cluster, found, release, &self.nodes, Workers::AfterAllOthers);
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
}

/// Nodes that run on a host, or are meant to, and have a reason to leave it.
fn leaving_nodes(host: &str, observed: &Observed, why: impl Fn(&str) -> Option<String>) -> Vec<NodePlan> {
    observed
        .nodes
        .iter()
        .filter(|(_, node)| node.process.is_some() || node.desired_release().is_some())
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
