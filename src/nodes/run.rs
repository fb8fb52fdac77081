//! The operations `start`, `stop` and `restart`: nodes of a selection, from the release that is current on their hosts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::outcome::{NodeOutcome, Outcome, RunReport, RunsOn};
use super::task::NodeTask;
use super::tiers::{OnFailure, start_tasks, stop_tasks};
use super::{archiver, peers, ports, stderr_paths};
use crate::cluster::Role;
use crate::error::{CommandError, Error};
use crate::fleet::{Event, Fleet, HostHandle, Locks, Operation, Selection, unreachable};
use crate::observed::{Observed, OperationKind};
use crate::plan::{self, Folder, cluster_release, current_releases};
use crate::transport::Failure;
use crate::values::Version;

/// Makes the tasks of a selection, without a release.
fn tasks(fleet: &Fleet, selection: &Selection) -> Vec<NodeTask> {
    let handles: BTreeMap<usize, HostHandle> =
        selection.hosts(&fleet.cluster).into_iter().map(|i| (i, fleet.handle(i))).collect();
    selection
        .nodes(&fleet.cluster)
        .filter(|n| fleet.cluster.host_of(n).enabled)
        .map(|n| NodeTask {
            node: n.name.clone(),
            role: Some(n.role),
            handle: handles[&n.host].clone(),
            release: String::new(),
            starts_next: false,
            stays_desired: false,
        })
        .collect()
}

fn handles_of(tasks: &[NodeTask]) -> Vec<HostHandle> {
    let mut handles: BTreeMap<&str, &HostHandle> = BTreeMap::new();
    for task in tasks {
        handles.insert(&task.handle.name, &task.handle);
    }
    handles.into_values().cloned().collect()
}

/// Stops nodes.
///
/// # Errors
/// Where a lock is held by another operation. A node or host that fails is in the report.
pub async fn stop(fleet: &Fleet, selection: &Selection) -> Result<RunReport, CommandError> {
    run(fleet, selection, OperationKind::Stop).await
}

/// Starts nodes from the release that is current on their hosts.
///
/// # Errors
/// As [`stop`], and where nothing was deployed.
pub async fn start(fleet: &Fleet, selection: &Selection) -> Result<RunReport, CommandError> {
    run(fleet, selection, OperationKind::Start).await
}

/// Stops nodes and starts them again.
///
/// # Errors
/// As [`start`].
pub async fn restart(fleet: &Fleet, selection: &Selection) -> Result<RunReport, CommandError> {
    run(fleet, selection, OperationKind::Restart).await
}

/// Takes the tasks of a host that could not be locked out; returns what became of its nodes.
fn without(fleet: &Fleet, tasks: &mut Vec<NodeTask>, host: &str, why: &str) -> Vec<NodeOutcome> {
    let why = format!("can't lock {host}: {why}");
    fleet.emit(Event::Note { text: why.clone() });
    let out = tasks.extract_if(.., |j| j.handle.name == host);
    out.map(|task| task.ended(Outcome::Unreachable(why.clone()))).collect()
}

/// Returns the tasks of hosts that have the release that the cluster runs; what is not started elsewhere, and why, is
/// added to `nodes`.
///
/// # Errors
/// Where there is nothing to start at all, since nothing was deployed.
fn startable(
    fleet: &Fleet,
    tasks: Vec<NodeTask>,
    found: &[Option<Observed>],
    nodes: &mut Vec<NodeOutcome>,
) -> Result<Vec<NodeTask>, Error> {
    let runs = cluster_release(&fleet.cluster, current_releases(found));
    let current = |task: &NodeTask| task.handle.index.and_then(|i| found.get(i)?.as_ref()?.current.as_ref());
    if let (Some(task), true) = (tasks.first(), nodes.is_empty() && tasks.iter().all(|task| current(task).is_none())) {
        return Err(
            Error::failed(format!("nothing is deployed on {} yet", task.handle.name)).hint("run `clusterctl deploy`")
        );
    }
    let (tasks, others): (Vec<NodeTask>, Vec<NodeTask>) =
        tasks.into_iter().partition(|task| current(task).is_some_and(|current| Some(current) == runs.as_ref()));
    nodes.extend(others.into_iter().map(|task| {
        let host = &task.handle.name;
        let why = match current(&task) {
            Some(_) => format!("{host} is not at the release that the cluster runs: clusterctl resume @{host}"),
            None => format!("nothing is deployed on {host} yet: clusterctl deploy"),
        };
        task.ended(Outcome::Skipped(why))
    }));
    Ok(tasks)
}

/// Says why a node could not be started again once it was stopped, as far as its host shows that before.
fn refused(observed: &Observed, node: &str) -> Option<Outcome> {
    let found = observed.nodes.get(node)?;
    let why = if !observed.missing_secrets.is_empty() {
        "its keys are missing"
    } else if found.current_inputs.is_empty() {
        return Some(Outcome::NotInRelease);
    } else if found.built_for.is_some() && found.built_for != observed.binary {
        "the Zeek binary is not the one that its release was made for"
    } else {
        return None;
    };
    Some(Outcome::Skipped(format!("{why}, so it cannot start again: clusterctl deploy")))
}

/// Takes the tasks of nodes that could not be started again; what becomes of them is added to `nodes`.
fn without_refused(tasks: &mut Vec<NodeTask>, found: &[Option<Observed>], nodes: &mut Vec<NodeOutcome>) {
    tasks.retain(|task| {
        let observed = task.handle.index.and_then(|i| found[i].as_ref());
        let refused = observed.and_then(|observed| refused(observed, &task.node));
        nodes.extend(refused.clone().map(|outcome| task.clone().ended(outcome)));
        refused.is_none()
    });
}

/// What hosts said, of those that answered.
fn answers(found: &[Option<Observed>]) -> impl Iterator<Item = (usize, &Observed)> {
    found.iter().enumerate().filter_map(|(index, observed)| Some((index, observed.as_ref()?)))
}

/// Returns the tasks of nodes that run nowhere else: started there, they would run twice.
fn in_their_places(
    fleet: &Fleet,
    tasks: Vec<NodeTask>,
    found: &[Option<Observed>],
    nodes: &mut Vec<NodeOutcome>,
) -> Vec<NodeTask> {
    let cluster = &fleet.cluster;
    let misplaced = plan::misplaced(cluster, answers(found));
    let elsewhere = plan::elsewhere(cluster, &misplaced, |host| found.get(host)?.as_ref());
    let (others, tasks): (Vec<NodeTask>, Vec<NodeTask>) =
        tasks.into_iter().partition(|task| elsewhere.contains_key(task.node.as_str()));
    nodes.extend(others.into_iter().filter_map(|task| {
        let other = elsewhere.get(task.node.as_str())?;
        let why = format!("it {}: {}", other.runs(cluster), other.remedy(cluster));
        Some(task.ended(Outcome::Skipped(why)))
    }));
    tasks
}

/// Returns the tasks of nodes that are meant and run where the description has no place for them.
fn strayed(fleet: &Fleet, selection: &Selection, found: &[Option<Observed>]) -> Vec<NodeTask> {
    let cluster = &fleet.cluster;
    let roles: HashMap<&str, Role> = cluster.run_nodes().map(|n| (n.name.as_str(), n.role)).collect();
    let own = plan::misplaced(cluster, answers(found)).into_iter().filter(|one| one.folder == Folder::Own);
    own.filter(|one| selection.means(cluster, &one.node, one.host))
        .map(|one| {
            let (role, handle) = (roles.get(one.node.as_str()).copied(), fleet.handle(one.host));
            NodeTask { node: one.node, role, handle, release: String::new(), starts_next: false, stays_desired: false }
        })
        .collect()
}

/// Says which nodes that are meant can't be stopped from here.
fn out_of_reach(fleet: &Fleet, selection: &Selection, found: &[Option<Observed>]) -> Vec<RunsOn> {
    let cluster = &fleet.cluster;
    let others = plan::misplaced(cluster, answers(found)).into_iter().filter(|one| one.folder != Folder::Own);
    others
        .filter(|one| selection.means(cluster, &one.node, one.host))
        .map(|one| RunsOn { what: one.runs(cluster), hint: one.remedy(cluster), subject: one.node })
        .collect()
}

/// Says of hosts without nodes that could not be asked that nothing is known of them.
fn unknown(fleet: &Fleet, selection: &Selection, away: &[(String, Failure)]) -> Vec<RunsOn> {
    let cluster = &fleet.cluster;
    let of_nodes: HashSet<&str> = selection.nodes(cluster).map(|n| cluster.host_of(n).name.as_str()).collect();
    let lone = away.iter().filter(|(host, _)| !of_nodes.contains(host.as_str()));
    lone.map(|(host, failure)| RunsOn {
        subject: host.clone(),
        what: format!("cannot be reached ({}): nodes may still run there", failure.text()),
        hint: "stop again when the host can be reached, or set `enabled: false` there".to_owned(),
    })
    .collect()
}

/// Returns the tasks of nodes that their hosts have; there is nothing to stop of the others.
fn deployed(tasks: Vec<NodeTask>, found: &[Option<Observed>], nodes: &mut Vec<NodeOutcome>) -> Vec<NodeTask> {
    let has = |task: &NodeTask| {
        task.handle.index.and_then(|i| found.get(i)?.as_ref()).is_some_and(|o| o.nodes.contains_key(&task.node))
    };
    let (tasks, others): (Vec<NodeTask>, Vec<NodeTask>) = tasks.into_iter().partition(has);
    nodes.extend(others.into_iter().map(|task| task.ended(Outcome::Undeployed)));
    tasks
}

/// Leaves out that a node is not deployed in its place where it was found in another.
fn told_once(nodes: &mut Vec<NodeOutcome>) {
    let others: HashSet<String> =
        nodes.iter().filter(|n| n.outcome != Outcome::Undeployed).map(|n| n.node.clone()).collect();
    nodes.retain(|n| n.outcome != Outcome::Undeployed || !others.contains(&n.node));
}

/// Stops nodes that are meant and run on hosts that were not asked first; says what can't be stopped.
async fn stop_elsewhere(
    fleet: &Fleet,
    selection: &Selection,
    asked: &BTreeSet<usize>,
    found: &mut [Option<Observed>],
    nodes: &mut Vec<NodeOutcome>,
) -> Result<Vec<RunsOn>, Error> {
    told_once(nodes);
    let rest = fleet.handles(fleet.enabled().into_iter().filter(|host| !asked.contains(host)));
    if rest.is_empty() || fleet.is_interrupted() {
        return Ok(out_of_reach(fleet, selection, found));
    }
    let mut away = Vec::new();
    for (handle, answer) in fleet.observe(rest).await {
        match (answer, handle.index) {
            (Ok(observed), Some(index)) => found[index] = Some(observed),
            (Err(_), _) => away.push(handle.name),
            (Ok(_), None) => {}
        }
    }
    let mut tasks = strayed(fleet, selection, found);
    // What was asked first was stopped there.
    let asked = |task: &NodeTask| nodes.iter().any(|n| n.node == task.node && n.host == task.handle.name);
    tasks.retain(|task| !asked(task));
    if !tasks.is_empty() {
        let (locks, lost) =
            Locks::take_where_possible(fleet, &handles_of(&tasks), &Operation::new(OperationKind::Stop)).await?;
        nodes.extend(lost.into_iter().flat_map(|(host, why)| without(fleet, &mut tasks, &host, &why)));
        nodes.extend(stop_tasks(fleet, &locks, &tasks, OnFailure::Continue).await);
        locks.end().await;
        told_once(nodes);
    }
    // One that its host has is there, for all that is known; another one may be anywhere.
    away.sort();
    let may = nodes.iter().filter(|n| n.outcome == Outcome::Undeployed && !away.is_empty());
    let may = may.map(|node| RunsOn {
        subject: node.node.clone(),
        what: format!("may run on {}, which cannot be reached", away.join(", ")),
        hint: "stop again when the host can be reached".to_owned(),
    });
    Ok(may.chain(out_of_reach(fleet, selection, found)).collect())
}

/// What becomes of nodes that were named and whose hosts are disabled; `alone` where nothing else was.
fn disabled(fleet: &Fleet, selection: &Selection, alone: bool) -> Vec<NodeOutcome> {
    selection
        .nodes(&fleet.cluster)
        .filter(|n| !fleet.cluster.host_of(n).enabled && !selection.is_all())
        .map(|n| NodeOutcome {
            node: n.name.clone(),
            host: fleet.cluster.host_of(n).name.clone(),
            // The description wants it so; only who asks for nothing else does not get what he asks for.
            outcome: if alone { Outcome::Skipped("its host is disabled".to_owned()) } else { Outcome::Disabled },
            stderr: Vec::new(),
        })
        .collect()
}

async fn run(fleet: &Fleet, selection: &Selection, kind: OperationKind) -> Result<RunReport, CommandError> {
    let (stop, start) = (kind != OperationKind::Start, kind != OperationKind::Stop);
    let mut tasks = tasks(fleet, selection);
    let mut nodes = disabled(fleet, selection, tasks.is_empty());
    // Hosts that can't be asked keep the others waiting for nothing: their nodes are reported, the rest goes on.
    let mut version: Option<Version> = None;
    let mut found: Vec<Option<Observed>> = vec![None; fleet.cluster.hosts.len()];
    // What is behind is not started, and what runs on another host neither: they all tell. A stop waits only for those
    // that are meant; the others are asked after it.
    let asked: BTreeSet<usize> =
        if start { fleet.enabled() } else { fleet.selected_hosts(selection) }.into_iter().collect();
    let handles = fleet.handles(asked.iter().copied());
    let mut away = Vec::new();
    for (handle, answer) in fleet.observe(handles).await {
        match answer {
            Ok(observed) => {
                version = version.or_else(|| observed.running.as_ref()?.0.parse().ok());
                if let Some(index) = handle.index {
                    found[index] = Some(observed);
                }
            }
            Err(failure) => {
                let there = tasks.iter().filter(|j| j.handle.name == handle.name);
                nodes.extend(there.map(|task| task.clone().ended(Outcome::Unreachable(failure.text()))));
                away.push((handle.name, failure));
            }
        }
    }
    if found.iter().all(Option::is_none) && !away.is_empty() {
        return Err(unreachable("cannot reach any host:", "", &away).into());
    }
    let (mut runs_on, mut locked) = (Vec::new(), Vec::new());
    tasks.retain(|j| j.handle.index.is_some_and(|i| found[i].is_some()));
    if start {
        tasks = in_their_places(fleet, tasks, &found, &mut nodes);
    } else {
        runs_on.extend(unknown(fleet, selection, &away));
        // An operation may be about to start what is not deployed yet.
        locked = handles_of(&tasks);
        tasks = deployed(tasks, &found, &mut nodes);
        tasks.extend(strayed(fleet, selection, &found));
    }
    if start {
        tasks = startable(fleet, tasks, &found, &mut nodes)?;
        if stop {
            without_refused(&mut tasks, &found, &mut nodes);
        }
        for task in &mut tasks {
            // The host knows it under the lock; what was observed before may have changed.
            "current".clone_into(&mut task.release);
        }
    }
    locked.extend(handles_of(&tasks));
    locked.sort_by_key(|handle| handle.index);
    locked.dedup_by_key(|handle| handle.index);
    let (locks, lost) = Locks::take_where_possible(fleet, &locked, &Operation::new(kind)).await?;
    nodes.extend(lost.into_iter().flat_map(|(host, why)| without(fleet, &mut tasks, &host, &why)));
    for task in &mut tasks {
        (task.starts_next, task.stays_desired) = (stop && start, stop && start);
    }
    if stop {
        // Not for a restart: the loggers are not to wait for the archive.
        let archivers = if start { Vec::new() } else { archiver::to_stop(fleet, &tasks) };
        let all = [tasks.as_slice(), &archivers].concat();
        if !start {
            // What an operator has stopped is not brought back with what an operation left half-way.
            for handle in handles_of(&tasks) {
                let here: Vec<&str> =
                    tasks.iter().filter(|j| j.handle.name == handle.name).map(|j| j.node.as_str()).collect();
                locks.note_if_unfinished(&handle.name, &format!("stopped {}", here.join(" ")));
            }
        }
        let stopped = stop_tasks(fleet, &locks, &all, OnFailure::Continue).await;
        archiver::queued(fleet, &archivers).await;
        if start {
            let bad: HashSet<String> =
                stopped.iter().filter(|o| !o.outcome.is_good()).map(|o| o.node.clone()).collect();
            tasks.retain(|j| !bad.contains(&j.node));
            nodes.extend(stopped.into_iter().filter(|o| !o.outcome.is_good()));
        } else {
            nodes.extend(stopped);
        }
    }
    if start {
        // What a restart has stopped is not left so by an interrupt.
        let on_failure = if stop { OnFailure::Ignore } else { OnFailure::Continue };
        nodes.extend(start_tasks(fleet, &locks, &tasks, on_failure).await);
        ports::blame(fleet, version, &found, &mut nodes).await;
        stderr_paths::strip_release_paths(fleet, &mut nodes);
    }
    // The journal of an unfinished deploy is not ours to end.
    locks.end().await;
    if !start {
        runs_on.extend(stop_elsewhere(fleet, selection, &asked, &mut found, &mut nodes).await?);
        nodes.retain(|n| n.outcome != Outcome::Undeployed || !runs_on.iter().any(|one| one.subject == n.node));
    }
    let ready = nodes.iter().filter(|o| o.outcome == Outcome::Ready).map(|o| o.node.clone()).collect();
    let touched: HashSet<&str> =
        nodes.iter().filter(|o| o.outcome != Outcome::AlreadyRunning).map(|o| o.node.as_str()).collect();
    let beside = found
        .iter()
        .flatten()
        .flat_map(|o| &o.nodes)
        .filter(|(name, node)| node.process.is_some() && !touched.contains(name.as_str()));
    let beside = beside.map(|(name, _)| name.clone()).collect();
    let blind = peers::wait_until_connected(fleet, version, &ready, &beside).await;
    Ok(RunReport { nodes, lacks: blind, runs_on, interrupted: fleet.is_interrupted() })
}
