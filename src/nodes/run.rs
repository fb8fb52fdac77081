//! The operations `start`, `stop` and `restart`: nodes of a selection, from the release that is current on their hosts.

use std::collections::{BTreeMap, HashSet};

use super::outcome::{NodeOutcome, Outcome, RunReport};
use super::task::Job;
use super::tiers::{Manner, start_jobs, stop_jobs};
use super::{archiver, peers, ports, words};
use crate::error::{CommandError, Error};
use crate::fleet::{Detail, Event, Fleet, Locks, Operation, Seat, Selection, unreachable};
use crate::observed::Observed;
use crate::plan::{currents, prevailing};
use crate::values::Version;

/// Makes the jobs of a selection, without a release.
fn jobs(fleet: &Fleet, selection: &Selection) -> Vec<Job> {
    let seats: BTreeMap<usize, Seat> =
        selection.hosts(&fleet.cluster).into_iter().map(|i| (i, fleet.seat(i))).collect();
    selection
        .nodes(&fleet.cluster)
        .filter(|n| fleet.cluster.host_of(n).enabled)
        .map(|n| Job {
            node: n.name.clone(),
            role: Some(n.role),
            seat: seats[&n.host].clone(),
            release: String::new(),
            again: false,
            meant: false,
        })
        .collect()
}

fn seats_of(jobs: &[Job]) -> Vec<Seat> {
    let mut seats: BTreeMap<&str, &Seat> = BTreeMap::new();
    for job in jobs {
        seats.insert(&job.seat.name, &job.seat);
    }
    seats.into_values().cloned().collect()
}

/// Stops nodes.
///
/// # Errors
/// Where a lock is held by another operation. A node or host that fails is in the report.
pub async fn stop(fleet: &Fleet, selection: &Selection) -> Result<RunReport, CommandError> {
    run(fleet, selection, true, false, "stop").await
}

/// Starts nodes from the release that is current on their hosts.
///
/// # Errors
/// As [`stop`], and where nothing was deployed.
pub async fn start(fleet: &Fleet, selection: &Selection) -> Result<RunReport, CommandError> {
    run(fleet, selection, false, true, "start").await
}

/// Stops nodes and starts them again.
///
/// # Errors
/// As [`start`].
pub async fn restart(fleet: &Fleet, selection: &Selection) -> Result<RunReport, CommandError> {
    run(fleet, selection, true, true, "restart").await
}

/// Takes the jobs of a host that could not be locked out; returns what became of its nodes.
fn without(fleet: &Fleet, jobs: &mut Vec<Job>, host: &str, why: &str) -> Vec<NodeOutcome> {
    let why = format!("can't lock {host}: {why}");
    fleet.tell(Event::Note { text: why.clone() });
    let out = jobs.extract_if(.., |j| j.seat.name == host);
    out.map(|job| job.ended(Outcome::Unreachable(why.clone()))).collect()
}

/// Returns the jobs of hosts that have the release that the cluster runs; what is not started elsewhere, and why, is
/// added to `nodes`.
///
/// # Errors
/// Where there is nothing to start at all, since nothing was deployed.
fn startable(
    fleet: &Fleet,
    jobs: Vec<Job>,
    found: &[Option<Observed>],
    nodes: &mut Vec<NodeOutcome>,
) -> Result<Vec<Job>, Error> {
    let runs = prevailing(&fleet.cluster, currents(found));
    let current = |job: &Job| job.seat.index.and_then(|i| found.get(i)?.as_ref()?.current.as_ref());
    if let (Some(job), true) = (jobs.first(), nodes.is_empty() && jobs.iter().all(|job| current(job).is_none())) {
        return Err(
            Error::failed(format!("nothing is deployed on {} yet", job.seat.name)).hint("run `clusterctl deploy`")
        );
    }
    let (jobs, others): (Vec<Job>, Vec<Job>) =
        jobs.into_iter().partition(|job| current(job).is_some_and(|current| Some(current) == runs.as_ref()));
    nodes.extend(others.into_iter().map(|job| {
        let host = &job.seat.name;
        let why = match current(&job) {
            Some(_) => format!("{host} is not at the release that the cluster runs: clusterctl resume @{host}"),
            None => format!("nothing is deployed on {host} yet: clusterctl deploy"),
        };
        job.ended(Outcome::Skipped(why))
    }));
    Ok(jobs)
}

async fn run(
    fleet: &Fleet,
    selection: &Selection,
    stop: bool,
    start: bool,
    command: &str,
) -> Result<RunReport, CommandError> {
    let mut jobs = jobs(fleet, selection);
    let mut nodes: Vec<NodeOutcome> = selection
        .nodes(&fleet.cluster)
        .filter(|n| !fleet.cluster.host_of(n).enabled && !selection.is_all())
        .map(|n| NodeOutcome {
            node: n.name.clone(),
            host: fleet.cluster.host_of(n).name.clone(),
            // The description wants it so; only who asks for nothing else does not get what he asks for.
            outcome: if jobs.is_empty() {
                Outcome::Skipped("its host is disabled".to_owned())
            } else {
                Outcome::Disabled
            },
            stderr: Vec::new(),
        })
        .collect();
    // Hosts that can't be asked keep the others waiting for nothing: their nodes are reported, the rest goes on.
    let mut version: Option<Version> = None;
    let mut found: Vec<Option<Observed>> = vec![None; fleet.cluster.hosts.len()];
    let mut seats = seats_of(&jobs);
    // What is behind is not started: the manager's host tells most surely what the cluster runs.
    let manager = fleet.cluster.manager().map(|m| m.host).filter(|h| start && fleet.cluster.hosts[*h].enabled);
    seats.extend(manager.filter(|h| !seats.iter().any(|s| s.index == Some(*h))).map(|h| fleet.seat(h)));
    let mut away = Vec::new();
    for (seat, answer) in fleet.observe(seats, Detail::Brief).await {
        match answer {
            Ok(observed) => {
                version = version.or_else(|| observed.running.as_ref()?.0.parse().ok());
                if let Some(index) = seat.index {
                    found[index] = Some(observed);
                }
            }
            Err(failure) => {
                let there = jobs.iter().filter(|j| j.seat.name == seat.name);
                nodes.extend(there.map(|job| job.clone().ended(Outcome::Unreachable(failure.text()))));
                away.push((seat.name, failure));
            }
        }
    }
    if found.iter().all(Option::is_none) && !away.is_empty() {
        return Err(unreachable("no host can be reached", &away).into());
    }
    jobs.retain(|j| j.seat.index.is_some_and(|i| found[i].is_some()));
    if start {
        jobs = startable(fleet, jobs, &found, &mut nodes)?;
        for job in &mut jobs {
            // The host knows it under the lock; what was observed before may have changed.
            "current".clone_into(&mut job.release);
        }
    }
    let seats = seats_of(&jobs);
    let (locks, lost) = Locks::take_where_possible(fleet, &seats, &Operation::new(command)).await?;
    nodes.extend(lost.into_iter().flat_map(|(host, why)| without(fleet, &mut jobs, &host, &why)));
    for job in &mut jobs {
        (job.again, job.meant) = (stop && start, stop && start);
    }
    if stop {
        // Not for a restart: the loggers are not to wait for the archive.
        let archivers = if start { Vec::new() } else { archiver::to_stop(fleet, &jobs) };
        let all = [jobs.as_slice(), &archivers].concat();
        if !start {
            // What an operator has stopped is not brought back with what an operation left half-way.
            for seat in seats_of(&jobs) {
                let here: Vec<&str> =
                    jobs.iter().filter(|j| j.seat.name == seat.name).map(|j| j.node.as_str()).collect();
                locks.note_beside(&seat.name, &format!("stopped {}", here.join(" ")));
            }
        }
        let stopped = stop_jobs(fleet, &locks, &all, Manner::Lenient).await;
        archiver::left(fleet, &archivers).await;
        if start {
            let bad: HashSet<String> =
                stopped.iter().filter(|o| !o.outcome.is_good()).map(|o| o.node.clone()).collect();
            jobs.retain(|j| !bad.contains(&j.node));
            nodes.extend(stopped.into_iter().filter(|o| !o.outcome.is_good()));
        } else {
            nodes.extend(stopped);
        }
    }
    if start {
        // What a restart has stopped is not left so by an interrupt.
        let manner = if stop { Manner::Dogged } else { Manner::Lenient };
        nodes.extend(start_jobs(fleet, &locks, &jobs, manner).await);
        ports::blame(fleet, version, &found, &mut nodes).await;
        words::without_folders(fleet, &mut nodes);
    }
    // The journal of an unfinished deploy is not ours to end.
    locks.release().await;
    let ready = nodes.iter().filter(|o| o.outcome == Outcome::Ready).map(|o| o.node.clone()).collect();
    let touched: HashSet<&str> =
        nodes.iter().filter(|o| o.outcome != Outcome::Already).map(|o| o.node.as_str()).collect();
    let beside = found
        .iter()
        .flatten()
        .flat_map(|o| &o.nodes)
        .filter(|(name, node)| node.process.is_some() && !touched.contains(name.as_str()));
    let beside = beside.map(|(name, _)| name.clone()).collect();
    let blind = peers::settled(fleet, version, &ready, &beside).await;
    Ok(RunReport { nodes, lacks: blind, interrupted: fleet.is_interrupted() })
}
