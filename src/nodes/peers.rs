//! After nodes were started: a node that is `RUNNING` does not see the others yet, nor is it counted. What started nodes
//! promises that they do, so it waits for that; `status` would say otherwise for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::{Node, Role};
use crate::control::{NoAnswer, NodeStatus, StatusQuestion};
use crate::fleet::{Event, Fleet, Rounds, Unasked};
use crate::values::{Version, fold_names};

/// How long to wait before the nodes are asked again.
const AGAIN: Duration = Duration::from_millis(300);
/// How long the way to the manager may take, and then one round of answers.
const ROUND: Duration = Duration::from_secs(2);
/// After this time, a note says what it waits for.
const SAID: Duration = Duration::from_secs(3);

/// Waits until nodes that were started, and those that run beside them, see each other as far as they have to, and the
/// manager counts the workers: as long as a node may take to become ready. Nodes that ran before and do not answer are
/// waited for as long as a status would. If the manager cannot be asked, it waits for nobody: a note says so, and it is no
/// failure. Returns what is missing in the end.
pub(crate) async fn wait_until_connected(
    fleet: &Fleet,
    version: Option<Version>,
    started: &BTreeSet<String>,
    beside: &BTreeSet<String>,
) -> Vec<String> {
    let cluster = &*fleet.cluster;
    let runs = |node: &&Node| started.contains(&node.name) || beside.contains(&node.name);
    let Some(version) = version.or(cluster.zeek.version) else { return Vec::new() };
    let Some(manager) = cluster.manager().filter(runs) else { return Vec::new() };
    let nodes: Vec<&Node> = cluster.run_nodes().filter(runs).collect();
    let Some(mut rounds) = Rounds::new(fleet, version, nodes.iter().copied()).filter(|_| !started.is_empty()) else {
        return Vec::new();
    };
    let begun = Instant::now();
    let limit = begun + cluster.timeouts.ready;
    let mut told = false;
    let mut unheard: Option<Unasked> = None;
    let mut lacks = Vec::new();
    while Instant::now() < limit && !fleet.is_interrupted() {
        let round = ROUND.min(limit - Instant::now());
        let answers = rounds.ask(&StatusQuestion::unique(), round, round).await;
        match answers {
            Ok(answers) => {
                unheard = None;
                let silent_is_late = begun.elapsed() < cluster.timeouts.control;
                let waits = |node: &str| silent_is_late || started.contains(node);
                lacks = lacking(&nodes, manager, &answers, waits);
                if lacks.is_empty() {
                    return lacks;
                }
            }
            Err(why) => {
                unheard = Some(why);
                // It listens before it is `RUNNING`: what does not answer soon will not.
                if begun.elapsed() >= cluster.timeouts.control {
                    break;
                }
            }
        }
        if !told && begun.elapsed() >= SAID {
            told = true;
            fleet.emit(Event::Note { text: "waiting until the nodes see each other".to_owned() });
        }
        tokio::time::sleep(AGAIN).await;
    }
    if fleet.is_interrupted() {
        return Vec::new();
    }
    let Some(why) = unheard else { return lacks };
    let text = format!("the nodes run, but could not be asked whether they see each other: {why}");
    fleet.emit(Event::Note { text });
    Vec::new()
}

/// Says what nodes lack, by what they answered; `waits` tells for which of those that say nothing there is to wait.
fn lacking(
    nodes: &[&Node],
    manager: &Node,
    answers: &BTreeMap<String, Result<NodeStatus, NoAnswer>>,
    waits: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut silent: Vec<&str> = Vec::new();
    let mut blind: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in nodes {
        let Some(Ok(status)) = answers.get(&node.name) else {
            if waits(&node.name) {
                silent.push(&node.name);
            }
            continue;
        };
        // Nodes of one role need not see each other, and nobody has to see workers.
        let needed = nodes.iter().filter(|n| n.role != Role::Worker && n.role != node.role);
        let missing: Vec<&str> =
            needed.map(|n| n.name.as_str()).filter(|name| !status.peers.iter().any(|p| p == name)).collect();
        if !missing.is_empty() {
            blind.entry(fold_names(&missing)).or_default().push(&node.name);
        }
    }
    let mut lacks = Vec::new();
    if !silent.is_empty() {
        lacks.push(format!("no answer from {}", fold_names(&silent)));
    }
    lacks.extend(blind.into_iter().map(|(missing, names)| format!("{missing} not seen by {}", fold_names(&names))));
    let workers = nodes.iter().filter(|n| n.role == Role::Worker).count();
    if let Some(Ok(status)) = answers.get(&manager.name)
        && usize::try_from(status.workers).is_ok_and(|counted| counted < workers)
    {
        lacks.push(format!("{} counts {} of {workers} workers", manager.name, status.workers));
    }
    lacks
}
