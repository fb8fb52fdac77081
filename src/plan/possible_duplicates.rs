//! Nodes that a plan starts while they may run on where nobody looks: a release of before has them on a host that takes
//! no part, or can't be asked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::model::Plan;
use super::node::{Action, Deployments, ObservedHosts};
use crate::cluster::{Cluster, Role};

/// A node that may run on where nobody looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PossibleDuplicate {
    pub node: String,
    pub role: Role,
    /// The host that had it.
    pub host: String,
    /// Why nobody looks there.
    pub why: NotObserved,
}

/// Why nothing is known of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NotObserved {
    /// The description has it disabled.
    Disabled,
    /// It can't be asked, or was skipped.
    Away,
    /// It left the description, and can't be asked.
    Left,
}

impl NotObserved {
    fn text(self) -> &'static str {
        match self {
            Self::Disabled => "is disabled",
            Self::Away => "is not asked",
            Self::Left => "left the description and cannot be reached",
        }
    }
}

impl PossibleDuplicate {
    /// Says it in words.
    pub fn text(&self) -> String {
        format!("it moves here from {}, which {} and may still run it", self.host, self.why.text())
    }

    /// Tells whether a second one may be started while nothing is known of the first: a worker does little harm, and a
    /// host that is disabled was disabled by the user.
    pub fn duplicate_is_tolerable(&self) -> bool {
        self.role == Role::Worker || self.why == NotObserved::Disabled
    }
}

impl Plan {
    /// Finds the nodes that it starts and a release of before has on a host of which nothing is known; their reasons say so.
    /// Of hosts that left those count that can't be reached.
    pub fn find_possible_duplicates(
        &mut self,
        cluster: &Cluster,
        found: ObservedHosts<'_>,
        deployed: &Deployments,
        unreachable_hosts: &BTreeSet<&str>,
    ) -> Vec<PossibleDuplicate> {
        let blind = |host: &str| match cluster.hosts.iter().position(|h| h.name == host) {
            Some(index) if !cluster.hosts[index].enabled => Some(NotObserved::Disabled),
            Some(index) => found.get(index).is_none_or(Option::is_none).then_some(NotObserved::Away),
            None => unreachable_hosts.contains(host).then_some(NotObserved::Left),
        };
        let mut hosts: BTreeMap<&str, (&str, NotObserved)> = BTreeMap::new();
        for then in deployed.values() {
            for node in then.run_nodes().filter(|node| then.host_of(node).enabled) {
                let host = then.host_of(node).name.as_str();
                if let Some(why) = blind(host) {
                    hosts.insert(&node.name, (host, why));
                }
            }
        }
        let mut all = Vec::new();
        for plan in self.nodes.iter_mut().filter(|n| n.action == Action::Start) {
            let (Some(role), Some((host, why))) = (plan.role, hosts.get(plan.node.as_str())) else { continue };
            if plan.host == *host {
                continue;
            }
            let unseen = PossibleDuplicate { node: plan.node.clone(), role, host: (*host).to_owned(), why: *why };
            plan.reasons = vec![unseen.text()];
            all.push(unseen);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{made, release_of, running};

    fn cluster(sensor1: &str, manager: &str, w1: &str) -> Cluster {
        made(&format!(
            "cluster: c\nhosts:\n  mgmt: {{ address: 10.0.0.1 }}\n  sensor1: {{ address: 10.0.0.11{sensor1} }}\n  \
             sensor2: {{ address: 10.0.0.12 }}\nnodes:\n  manager: {{ type: manager, host: {manager} }}\n  \
             proxy: {{ type: proxy, host: sensor2, count: 1 }}\n  \
             w1: {{ type: worker, host: {w1}, interface: eth1 }}\n"
        ))
    }

    /// What the plan says of the nodes that may be doubled, where these hosts, by their indices, do not answer.
    fn told(old: &Cluster, new: &Cluster, away: &[usize], lost: &[&str]) -> Vec<(String, bool)> {
        let (before, after) = (release_of(old, "8.0.10", &[]), release_of(new, "8.0.10", &[]));
        let mut found = running(new, old, &before, "8.0.10");
        for index in away {
            found[*index] = None;
        }
        let deployed = Deployments::from([(before.id.clone(), old.clone())]);
        let mut plan = Plan::make(new, &found, &after, &deployed);
        let all = plan.find_possible_duplicates(new, &found, &deployed, &lost.iter().copied().collect());
        for one in &all {
            let node = plan.nodes.iter().find(|n| n.node == one.node).unwrap();
            assert_eq!(node.reasons, [one.text()]);
        }
        all.iter().map(|one| (format!("{}: {}", one.node, one.text()), one.duplicate_is_tolerable())).collect()
    }

    #[test]
    fn what_moves_from_where_nobody_looks_may_run_twice() {
        let old = cluster("", "mgmt", "sensor1");
        let moved = cluster("", "mgmt", "sensor2");
        assert!(told(&old, &moved, &[], &[]).is_empty(), "it stops there");
        let may = |node: &str, host: &str, why: &str| {
            format!("{node}: it moves here from {host}, which {why} and may still run it")
        };
        assert_eq!(told(&old, &moved, &[1], &[]), [(may("w1", "sensor1", "is not asked"), true)]);
        let disabled = cluster(", enabled: false", "mgmt", "sensor2");
        assert_eq!(told(&old, &disabled, &[1], &[]), [(may("w1", "sensor1", "is disabled"), true)]);
        let manager = cluster("", "sensor2", "sensor1");
        assert_eq!(told(&old, &manager, &[0], &[]), [(may("manager", "mgmt", "is not asked"), false)]);
        // What stays where it is moves from nowhere.
        assert!(told(&old, &old, &[1], &[]).is_empty());
    }

    #[test]
    fn a_host_that_left_and_is_lost_is_no_other() {
        let old = made(
            "cluster: c\nhosts:\n  mgmt: { address: 10.0.0.1 }\n  gone: { address: 10.0.0.9 }\nnodes:\n  \
             manager: { type: manager, host: gone }\n  proxy: { type: proxy, host: mgmt, count: 1 }\n",
        );
        let new = made(
            "cluster: c\nhosts:\n  mgmt: { address: 10.0.0.1 }\nnodes:\n  manager: { type: manager, host: mgmt }\n  \
             proxy: { type: proxy, host: mgmt, count: 1 }\n",
        );
        let told = |lost: &[&str]| {
            let after = release_of(&new, "8.0.10", &[]);
            let found = [Some(crate::observed::FullObserved::default())];
            let deployed = Deployments::from([("old".to_owned(), old.clone())]);
            let mut plan = Plan::make(&new, &found, &after, &deployed);
            plan.find_possible_duplicates(&new, &found, &deployed, &lost.iter().copied().collect())
        };
        assert!(told(&[]).is_empty());
        let all = told(&["gone"]);
        assert!(all.len() == 1 && all[0].why == NotObserved::Left && !all[0].duplicate_is_tolerable(), "{all:?}");
    }
}
