//! What a plan means for the cluster as a whole.

use std::collections::BTreeSet;

use serde::Serialize;

use super::node::{Action, NodePlan, ObservedHosts};
use crate::cluster::{Backend, Cluster, Role};
use crate::observed::ObservedNode;
use crate::release::{Part, Release};

/// Nodes move to another Zeek.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upgrade {
    /// The version of the current release, `major.minor`; none where hosts have none that can be read.
    pub from: Option<String>,
    /// The version that the hosts have now, in full where they tell it.
    pub to: String,
    /// Whether it is another `major.minor`; else the binary was replaced, or another one is used.
    pub other_version: bool,
    /// The hosts whose nodes run, or are meant to run, from another binary than the new release is made for.
    pub hosts: Vec<String>,
}

/// Nodes move to another backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackendChange {
    /// That of the current release.
    pub from: String,
    /// The new one.
    pub to: String,
}

/// How the writing of logs is interrupted while workers go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogOutage {
    /// The nodes that write logs, and are away for a while.
    pub writers: Vec<String>,
    /// Those that go on writing meanwhile.
    pub others: Vec<String>,
    /// How many workers run meanwhile.
    pub workers: usize,
    /// The longest that it may last, in seconds: `timeouts.stop` and `timeouts.ready`.
    pub at_most_seconds: u64,
    /// What becomes of what the workers log meanwhile.
    pub meanwhile: LogFate,
}

/// What becomes of records while nodes that write logs are away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFate {
    /// The other writers take them.
    Others,
    /// They are dropped: a message to nobody is not kept, neither by Broker nor by ZeroMQ with `log_immediate`.
    Dropped,
    /// Each worker keeps them up to ZeroMQ's `log_sndhwm` and sends them later.
    Queued,
}

/// Returns version and backend of the releases that are current on the hosts.
fn running<'a>(found: ObservedHosts<'a>, release: &Release) -> impl Iterator<Item = &'a (String, String)> {
    release.parts.iter().filter_map(|p| found.get(p.host)?.as_ref()?.running.as_ref())
}

pub(super) fn backend_change(cluster: &Cluster, found: ObservedHosts<'_>, release: &Release) -> Option<BackendChange> {
    let (_, to) = release.parts.first()?.made_for()?;
    if cluster.is_standalone() {
        return None;
    }
    // A deploy that was cut off may have left some hosts at the new release already.
    let (_, from) = running(found, release).find(|(_, backend)| *backend != to)?;
    Some(BackendChange { from: from.clone(), to })
}

pub(super) fn upgrade(cluster: &Cluster, found: ObservedHosts<'_>, release: &Release) -> Option<Upgrade> {
    let meant = |node: &ObservedNode| node.process.is_some() || node.desired_release().is_some();
    let mut hosts = Vec::new();
    let mut version = None;
    for part in &release.parts {
        let Some(observed) = found.get(part.host).and_then(Option::as_ref) else { continue };
        let other = part.inputs.iter().any(|(name, inputs)| {
            observed.nodes.get(name).is_some_and(|now| {
                meant(now) && now.inputs.contains_key("zeek") && now.inputs.get("zeek") != inputs.get("zeek")
            })
        });
        if other {
            hosts.push(cluster.hosts[part.host].name.clone());
            version = version.or_else(|| observed.version.rsplit(' ').next());
        }
    }
    if hosts.is_empty() {
        return None;
    }
    let to = release.parts.first().and_then(Part::made_for).map(|(version, _)| version).unwrap_or_default();
    let other = running(found, release).find(|(version, _)| *version != to);
    let other_version = other.is_some();
    let from = other.or_else(|| running(found, release).next()).map(|(version, _)| version.clone());
    Some(Upgrade { from, to: version.map_or(to, str::to_owned), other_version, hosts })
}

/// When workers restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workers {
    /// All before those that write logs do.
    First,
    /// A few at a time, after all others.
    AfterAllOthers,
}

pub(super) fn log_outage(
    cluster: &Cluster,
    found: ObservedHosts<'_>,
    release: &Release,
    nodes: &[NodePlan],
    restart: Workers,
) -> Option<LogOutage> {
    let goes_on =
        |action: Action| action == Action::Keep || restart == Workers::AfterAllOthers && action == Action::Restart;
    let workers = nodes.iter().filter(|n| n.role == Some(Role::Worker) && goes_on(n.action) && n.running).count();
    let names: BTreeSet<&str> = cluster.log_writers().map(|n| n.name.as_str()).collect();
    let of = |wanted: fn(&NodePlan) -> bool| -> Vec<String> {
        nodes
            .iter()
            .filter(|n| n.role.is_some() && names.contains(n.node.as_str()) && wanted(n))
            .map(|n| n.node.clone())
            .collect()
    };
    let writers = of(|n| n.action == Action::Restart);
    if workers == 0 || writers.is_empty() {
        return None;
    }
    let others = of(|n| n.action == Action::Keep && n.running);
    let zeromq = running(found, release).next().is_some_and(|(_, backend)| backend == Backend::Zeromq.name());
    let meanwhile = if !others.is_empty() {
        LogFate::Others
    } else if zeromq && names.len() == 1 {
        LogFate::Queued
    } else {
        LogFate::Dropped
    };
    let at_most = cluster.timeouts.stop + cluster.timeouts.ready;
    Some(LogOutage { writers, others, workers, at_most_seconds: at_most.as_secs(), meanwhile })
}
