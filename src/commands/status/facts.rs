//! What hosts know about nodes and about the cluster.

use std::collections::HashMap;

use super::types::{NodeRow, State, StateDetail};
use crate::cluster::{Cluster, Folders, Node};
use crate::fleet::Facts;
use crate::observed::{Exit, Observed, ObservedNode, RestartAction};
use crate::plan::{Folder, Misplaced, cluster_release};
use crate::transport::Failure;

/// What hosts know about a node: its own, and where it does not run there, another one on which it does.
pub(crate) fn process_row(
    cluster: &Cluster,
    node: &Node,
    facts: Option<&Result<Observed, Failure>>,
    elsewhere: &HashMap<&str, &Misplaced>,
) -> NodeRow {
    let host = cluster.host_of(node);
    let mut row = NodeRow {
        node: node.name.clone(),
        role: node.role,
        host: host.name.clone(),
        state: State::Unknown,
        detail: None,
        health: None,
        health_detail: None,
        pid: None,
        uptime: None,
        cpu: None,
        memory: None,
        peers: None,
        received: None,
        dropped_percent: None,
        release: None,
        runs_on: None,
        restarts: Some(0),
        folder: format!("{}/nodes/{}", Folders::of(&cluster.name, host).spool, node.name),
        ended: None,
        crash: None,
    };
    let observed = match facts {
        _ if !host.enabled => {
            row.state = State::Disabled;
            return row;
        }
        Some(Ok(observed)) => observed,
        Some(Err(failure)) => {
            row.detail = Some(StateDetail::Other(failure.text()));
            return row;
        }
        None => {
            row.detail = Some(words("its host was not asked"));
            return row;
        }
    };
    // What runs on its own host from elsewhere is told by the host.
    if let Some(other) = elsewhere.get(node.name.as_str()).filter(|o| o.folder == Folder::Own || o.host != node.host) {
        row.state = State::Running;
        row.detail = Some(StateDetail::Elsewhere(other.runs(cluster)));
        row.pid = Some(other.pid);
        row.runs_on = Some(cluster.hosts[other.host].name.clone());
        return row;
    }
    let found = observed.nodes.get(&node.name);
    if found.is_none_or(|found| found.process.is_none())
        && let Some(process) = observed.unmanaged.iter().find(|p| p.node_of(&cluster.name) == Some(&node.name))
    {
        row.detail = Some(words(format!("runs with the pid {}, but its folder has no record of it", process.pid)));
        return row;
    }
    let Some(found) = found else {
        row.state = State::Stopped;
        row.detail = Some(StateDetail::NotDeployed);
        return row;
    };
    row.release.clone_from(&found.release);
    // One that never ran was never restarted.
    row.restarts = found.restarts.or(found.boot_id.is_none().then_some(0));
    (row.state, row.detail) = state_of(found, &observed.boot_id);
    let last = match (&found.exit, &found.last) {
        // One that was put away by a start tells nothing of the process that runs.
        (None, last) if found.restarts.is_some_and(|times| times > 0) => last.as_ref(),
        (exit, _) => exit.as_ref(),
    };
    if let Some(last) = last.filter(|e| e.next != RestartAction::Stopped || e.refused.is_some()) {
        row.ended = Some(last.text());
        let folder = |time: &String| format!("{}/crash/{}/{time}", Folders::of(&cluster.name, host).spool, node.name);
        row.crash = last.crash.as_ref().map(folder);
    }
    if let Some(process) = &found.process {
        row.pid = Some(process.pid);
        row.uptime = Some(process.uptime);
        row.cpu = Some(process.cpu);
        row.memory = Some(process.resident);
    }
    row
}

pub(crate) fn state_of(node: &ObservedNode, boot: &str) -> (State, Option<StateDetail>) {
    let meant = node.desired_release().is_some();
    if node.process.is_some() {
        let lonely = (!node.supervised).then_some(StateDetail::Unsupervised);
        let state = match node.status.as_deref() {
            _ if node.stopping || !meant => State::Stopping,
            Some("RUNNING") => State::Running,
            Some("TERMINATING" | "TERMINATED") => State::Stopping,
            _ => State::Starting,
        };
        return (state, lonely);
    }
    if !meant {
        return (State::Stopped, None);
    }
    match (node.stopping, node.supervised) {
        (true, true) => return (State::Stopping, None),
        (true, false) if node.restarting => return (State::Stopped, Some(StateDetail::RestartCutOff)),
        _ => {}
    }
    let rebooted = !node.supervised && node.boot_id.as_ref().is_some_and(|b| b != boot);
    match &node.exit {
        Some(Exit { next: RestartAction::Failed | RestartAction::Never, .. }) => {}
        _ if rebooted => return (State::Crashed, Some(StateDetail::Rebooted)),
        _ => {}
    }
    match &node.exit {
        None if node.supervised => (State::Starting, None),
        None => (State::Crashed, Some(words("ended together with its supervisor"))),
        Some(exit) if exit.refused.is_some() => (State::Failed, Some(words(exit.text()))),
        Some(exit) => match exit.next {
            RestartAction::Failed => {
                let after = exit.tries.map(|tries| format!(" after {tries} starts")).unwrap_or_default();
                (State::Failed, Some(words(format!("{}; gave up{after}", exit.text()))))
            }
            RestartAction::Restart(pause) if node.supervised => {
                (State::Crashed, Some(words(format!("{}; starts again after {pause} s", exit.text()))))
            }
            RestartAction::Restart(_) => {
                (State::Crashed, Some(words(format!("{}; its supervisor is gone", exit.text()))))
            }
            RestartAction::Never | RestartAction::Stopped | RestartAction::Unknown => {
                (State::Crashed, Some(words(exit.text())))
            }
        },
    }
}

fn words(text: impl Into<String>) -> StateDetail {
    StateDetail::Other(text.into())
}

/// What hosts said, of those that answered.
pub(crate) fn answers(facts: &Facts) -> impl Iterator<Item = (usize, &Observed)> {
    facts.iter().filter_map(|(index, answer)| Some((*index, answer.as_ref().ok()?)))
}

/// The release that the cluster runs, as far as it is known.
pub(crate) fn current_of(cluster: &Cluster, facts: &Facts) -> Option<String> {
    cluster_release(
        cluster,
        facts.iter().filter_map(|(index, answer)| Some((*index, answer.as_ref().ok()?.current.as_deref()?))),
    )
}
