//! What archives the logs of a host: started before those that write them, stopped after them. It is no node of the
//! cluster, and its trouble is none of theirs: logs wait in the queue then, and that is said.

use std::collections::{BTreeMap, BTreeSet};

use super::outcome::{NodeOutcome, Outcome};
use super::task::NodeTask;
use crate::cluster::{Archive, Cluster, Role};
use crate::fleet::{Event, Fleet, HostHandle};
use crate::observed::{FullObserved, Observed};
use crate::release::{ARCHIVER, manifest_entries};
use crate::remote;
use crate::scripts;
use crate::transport::{RemoteScript, ScriptOutput};
use crate::values::count;

/// Tells whether a task's node writes logs.
pub(crate) fn writes(cluster: &Cluster, task: &NodeTask) -> bool {
    match task.role {
        Some(Role::Logger | Role::Standalone) => true,
        Some(Role::Manager) => cluster.manager_is_logger(),
        _ => false,
    }
}

/// The task of a host's archiver, made from that of a node there.
fn archiver(task: &NodeTask) -> NodeTask {
    NodeTask { node: ARCHIVER.to_owned(), role: None, starts_next: false, stays_desired: false, ..task.clone() }
}

/// Adds the archivers of the hosts on which nodes that write logs are started.
pub(crate) fn beside(fleet: &Fleet, tasks: &[NodeTask]) -> Vec<NodeTask> {
    let mut all = tasks.to_vec();
    if fleet.cluster.logs.archive != Archive::Off {
        let mut seen = BTreeSet::new();
        let writers = tasks.iter().filter(|j| writes(&fleet.cluster, j));
        all.extend(writers.filter(|j| seen.insert(&j.handle.name)).map(archiver));
    }
    all
}

/// Returns the archivers to stop with nodes: those of hosts on which no node is left that writes logs.
pub(crate) fn to_stop(fleet: &Fleet, tasks: &[NodeTask]) -> Vec<NodeTask> {
    let cluster = &fleet.cluster;
    let stopping: BTreeSet<&str> = tasks.iter().map(|j| j.node.as_str()).collect();
    let mut archivers: BTreeMap<&str, NodeTask> = BTreeMap::new();
    for task in tasks.iter().filter(|j| writes(cluster, j)) {
        let Some(host) = task.handle.index else { continue };
        let mut writers = cluster.run_nodes().filter(|n| n.host == host && cluster.writes_logs(n));
        if cluster.logs.archive != Archive::Off && writers.all(|n| stopping.contains(n.name.as_str())) {
            archivers.entry(&task.handle.name).or_insert_with(|| archiver(task));
        }
    }
    archivers.into_values().collect()
}

/// Passes on what became of nodes, and tells what became of archivers where that was not good.
pub(crate) fn told(fleet: &Fleet, outcomes: impl Iterator<Item = NodeOutcome>) -> Vec<NodeOutcome> {
    let (archivers, nodes): (Vec<_>, Vec<_>) = outcomes.partition(|o| o.node == ARCHIVER);
    for archiver in archivers {
        let what = match &archiver.outcome {
            // `queued` tells what is left in the queue; an earlier release may have no archiver.
            Outcome::Killed | Outcome::NotInRelease => continue,
            outcome if outcome.is_good() => continue,
            outcome => outcome.text(),
        };
        let last = archiver.stderr.last().map(|l| format!(": {l}")).unwrap_or_default();
        fleet.emit(Event::Note {
            text: format!("{}: logs are not archived: {ARCHIVER} {what}{last}; they wait in the queue", archiver.host),
        });
    }
    nodes
}

/// Tells which hosts still have logs in their queues after their archivers were stopped.
pub(crate) async fn queued(fleet: &Fleet, archivers: &[NodeTask]) {
    if archivers.is_empty() {
        return;
    }
    let handles = archivers.iter().map(|j| j.handle.clone()).collect();
    let script = |handle: &HostHandle| {
        RemoteScript::new(scripts::QUEUE, fleet.settings.question).arg(&handle.folders.home).arg(&handle.folders.spool)
    };
    let read = |output: &ScriptOutput| remote::queue(&output.lines).map_err(|why| why.because_of(&output.stderr));
    let answers = fleet.probe("looking at queues", handles, script, read).await;
    for (handle, answer) in answers {
        let queue = format!("{}/log-queue", handle.folders.spool);
        let text = match answer {
            Ok((0, _)) => continue,
            Ok((logs, why)) => {
                let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
                let logs = count(logs, "rotated log");
                format!("{}: {logs} in {queue}{why}; archiving continues at the next start", handle.name)
            }
            Err(why) => format!("{}: cannot read how many rotated logs are in {queue}: {why}", handle.name),
        };
        fleet.emit(Event::Note { text });
    }
}

/// Says where logs are archived that were not before: a release from before there was an archive by default has none.
pub(crate) fn begins(cluster: &Cluster, host: usize, observed: &FullObserved) -> Option<String> {
    let started = format!("start/{ARCHIVER}");
    let had = manifest_entries(observed.manifest.iter().map(String::as_str)).contains_key(started.as_str());
    let archive = cluster
        .archive_on(host)
        .filter(|_| observed.current.is_some() && !had && cluster.logs.archive == Archive::Spool)?;
    let queue = match observed.queue.logs {
        0 => String::new(),
        1 => ", also the one that waits in the queue".to_owned(),
        n => format!(", also the {n} that wait in the queue"),
    };
    Some(format!(
        "rotated logs are archived from now on{queue}, in {archive} (`logs.archive` names another folder, or `off`)"
    ))
}

/// Says where logs can't be archived, because Zeek's program for it is not installed.
pub(crate) fn missing(cluster: &Cluster, host: usize, observed: &Observed) -> Option<String> {
    cluster.archive_on(host).filter(|_| !observed.can_archive).map(|_| {
        format!(
            "there is no {0}/bin/zeek-archiver: rotated logs wait in {1}/log-queue until it is installed \
             (`logs.archive: off` leaves them there)",
            cluster.hosts[host].prefix,
            crate::cluster::Folders::of(&cluster.name, &cluster.hosts[host]).spool
        )
    })
}
