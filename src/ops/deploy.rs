//! The phases of a deploy: observe, plan, stage and verify on all hosts, check with the real Zeek, activate, confirm
//! or go back. Before the first switch nothing has changed anywhere; each node always runs one whole release.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::Serialize;

use super::archive;
use super::check::{self, CheckReport};
use super::fleet::{Fleet, Seat};
use super::lock::{Locks, Operation};
use super::prepare::Prepared;
use super::stage::{all_well, stage, verdict};
use super::tiers::{Job, NodeOutcome, start_jobs, stop_jobs};
use super::{Event, Failure, ports};
use crate::error::{Error, Kind};
use crate::observed::Wanted;
use crate::plan::Action;
use crate::transport::Call;

const ACTIVATE: &str = concat!(include_str!("../../templates/say.sh"), include_str!("../../templates/activate.sh"));

/// How long a host may take to switch.
const SWITCHING: Duration = Duration::from_secs(60);

/// How a deploy ended.
#[derive(Debug, Clone, Serialize)]
pub struct DeployReport {
    /// The release.
    pub release: String,
    /// Whether all nodes run it as planned.
    pub done: bool,
    /// What became of the nodes that were touched.
    pub nodes: Vec<NodeOutcome>,
    /// Whether the hosts went back to what ran before, and what became of the nodes then.
    pub rolled_back: Option<Vec<NodeOutcome>>,
    /// Hosts that could not go back, and why.
    pub not_back: Vec<String>,
    /// Hosts that left the description but can't be asked: nodes may still run there.
    pub lost: Vec<String>,
}

/// Does what was planned.
///
/// # Errors
/// Where nothing was changed. Once something was, the report tells how it ended.
pub async fn apply(fleet: &Fleet, prepared: &Prepared) -> Result<DeployReport, Failure> {
    let operation = Operation::new("deploy");
    let mut seats = fleet.seats(prepared.release.parts.iter().map(|p| p.host));
    seats.extend(prepared.leaving.iter().map(|(seat, _)| seat.clone()));
    let locks = Locks::take(fleet, &seats, &operation).await?;
    let mut touched = Touched::Nothing;
    let result = locked(fleet, prepared, &locks, &operation, &mut touched).await;
    // An operation that failed and was not undone leaves its journal, so that the next one can tell; one that changed
    // nothing leaves that of another.
    let settled = match &result {
        Ok(report) if report.done => true,
        Ok(report) => {
            report.not_back.is_empty()
                && report.rolled_back.as_ref().is_some_and(|n| n.iter().all(|o| o.outcome.is_good()))
        }
        Err(_) => touched == Touched::AndBack,
    };
    locks.release(settled).await;
    result
}

/// Whether an operation has changed what is current on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touched {
    Nothing,
    Some,
    AndBack,
}

async fn locked(
    fleet: &Fleet,
    prepared: &Prepared,
    locks: &Locks,
    operation: &Operation,
    touched: &mut Touched,
) -> Result<DeployReport, Failure> {
    let release = &prepared.release;
    stage(fleet, prepared).await?;
    if prepared.plan.nodes.iter().any(|n| matches!(n.action, Action::Start | Action::Restart)) {
        let report = check::parse(fleet, prepared, false).await?;
        for warning in &report.warnings {
            fleet.tell(Event::Note(format!("warning: {}", warning.text())));
        }
        if !report.errors.is_empty() {
            return Err(refused(&report).into());
        }
        let starting = prepared.plan.nodes.iter().filter(|n| matches!(n.action, Action::Start | Action::Restart));
        ports::free(fleet, prepared.version, &starting.map(|n| n.node.as_str()).collect()).await?;
    }
    locks.note(&format!("{} {}", operation.id, operation.holder));
    locks.note(&format!("staged and checked {}", release.id));
    *touched = Touched::Some;
    let switch = fleet.seats(release.parts.iter().map(|p| p.host));
    let to = |_: &Seat| Some(release.id.clone());
    let from = |seat: &Seat| seat.index.and_then(|i| prepared.current(i)).map(str::to_owned);
    if let Err(error) = switch_all(fleet, prepared, switch.clone(), from, to, operation).await {
        let back = switch_all(fleet, prepared, switch, to, from, operation).await;
        if back.is_ok() {
            *touched = Touched::AndBack;
        }
        let error = error.because(match back {
            Ok(()) => "no node was touched; all hosts are back at the release they had",
            Err(_) => "no node was touched, but not all hosts could be switched back; run `clusterctl deploy` again",
        });
        return Err(error.into());
    }
    locks.note(&format!("switched {}", release.id));

    let stops = jobs(fleet, prepared, |a| matches!(a, Action::Stop | Action::Restart));
    let starts = jobs(fleet, prepared, |a| matches!(a, Action::Start | Action::Restart));
    let mut nodes = stop_jobs(fleet, &stops).await;
    let stopped_well = nodes.iter().all(|o| o.outcome.is_good());
    if stopped_well {
        locks.note("stopped");
        // A restarted node is told by how it started.
        let starting: BTreeSet<&str> = starts.iter().map(|j| j.node.as_str()).collect();
        nodes.retain(|o| !starting.contains(o.node.as_str()));
        nodes.extend(start_jobs(fleet, &starts, true).await);
        ports::blame(fleet, Some(prepared.version), &mut nodes).await;
    }
    let mut report = DeployReport {
        release: release.id.clone(),
        done: true,
        nodes,
        rolled_back: None,
        not_back: Vec::new(),
        lost: prepared.lost.clone(),
    };
    if report.nodes.iter().all(|o| o.outcome.is_good()) {
        locks.note("started");
        archive::settle(fleet, prepared, &starts, false).await;
        return Ok(report);
    }
    report.done = false;
    locks.note("going back");
    fleet.tell(Event::Note("not all nodes became ready: going back to what ran before".to_owned()));
    let (nodes, not_back) = go_back(fleet, prepared, &stops, &starts, operation).await;
    report.rolled_back = Some(nodes);
    report.not_back = not_back;
    Ok(report)
}

/// Makes the jobs of a plan's actions.
fn jobs(fleet: &Fleet, prepared: &Prepared, wanted: impl Fn(Action) -> bool) -> Vec<Job> {
    let seats: HashMap<String, Seat> = fleet
        .seats(prepared.release.parts.iter().map(|p| p.host))
        .into_iter()
        .chain(prepared.leaving.iter().map(|(seat, _)| seat.clone()))
        .map(|seat| (seat.name.clone(), seat))
        .collect();
    prepared
        .plan
        .nodes
        .iter()
        .filter(|n| wanted(n.action))
        .filter_map(|n| {
            Some(Job {
                node: n.node.clone(),
                role: n.role,
                seat: seats.get(&n.host)?.clone(),
                release: prepared.release.id.clone(),
            })
        })
        .collect()
}

/// Switches hosts from one release to another.
async fn switch_all(
    fleet: &Fleet,
    prepared: &Prepared,
    seats: Vec<Seat>,
    from: impl Fn(&Seat) -> Option<String>,
    to: impl Fn(&Seat) -> Option<String>,
    operation: &Operation,
) -> Result<(), Error> {
    let (from, to) = (&from, &to);
    let answers = fleet
        .each("switching", seats, |seat| async move {
            let none = || "-".to_owned();
            let target = to(&seat).unwrap_or_else(none);
            let obsolete = match seat.index {
                Some(index) if target == prepared.release.id => prepared.obsolete(index),
                _ => Vec::new(),
            };
            let call = Call::new(ACTIVATE, SWITCHING)
                .arg(&seat.folders.home)
                .arg(target)
                .arg(from(&seat).unwrap_or_else(none))
                .arg(format!("{} zeek {}", operation.holder, prepared.version))
                .input(obsolete.iter().map(|r| format!("{r}\n")).collect::<String>());
            let answer = match seat.connection.run(call).await {
                Ok(reply) => verdict(&reply, "activated"),
                Err(failure) => Err(failure.text()),
            };
            let failure = answer.clone().err();
            (answer, failure)
        })
        .await;
    all_well("not all hosts could switch to the new release", answers)
}

/// Brings all hosts back to the release that ran before, and the nodes that ran or were meant to run to theirs; returns
/// what became of the nodes, and the hosts that could not go back.
async fn go_back(
    fleet: &Fleet,
    prepared: &Prepared,
    stops: &[Job],
    starts: &[Job],
    operation: &Operation,
) -> (Vec<NodeOutcome>, Vec<String>) {
    let mut nodes = stop_jobs(fleet, starts).await;
    let seats = fleet.seats(prepared.release.parts.iter().map(|p| p.host));
    let to = |seat: &Seat| seat.index.and_then(|i| prepared.current(i)).map(str::to_owned);
    let from = |_: &Seat| Some(prepared.release.id.clone());
    let not_back = match switch_all(fleet, prepared, seats, from, to, operation).await {
        Ok(()) => Vec::new(),
        Err(error) => error.causes,
    };
    // A node in the pause after a crash was meant to run as well.
    let before: HashMap<(&str, &str), &str> = prepared
        .leaving
        .iter()
        .map(|(seat, observed)| (seat.name.as_str(), observed))
        .chain(
            fleet.cluster.hosts.iter().zip(&prepared.found).filter_map(|(h, o)| Some((h.name.as_str(), o.as_ref()?))),
        )
        .flat_map(|(host, observed)| {
            observed.nodes.iter().filter_map(move |(name, node)| {
                let meant = match &node.wanted {
                    Some(Wanted::Running(release)) => Some(release.as_str()),
                    _ => None,
                };
                let release = if node.process.is_some() { node.release.as_deref().or(meant) } else { meant };
                Some(((host, name.as_str()), release?))
            })
        })
        .collect();
    let mut seen = BTreeSet::new();
    let again: Vec<Job> = stops
        .iter()
        .chain(starts)
        .filter(|job| seen.insert((job.seat.name.as_str(), job.node.as_str())))
        .filter_map(|job| {
            let release = before.get(&(job.seat.name.as_str(), job.node.as_str()))?;
            Some(Job { release: (*release).to_owned(), ..job.clone() })
        })
        .collect();
    nodes.retain(|o| !o.outcome.is_good());
    nodes.extend(start_jobs(fleet, &again, false).await);
    archive::settle(fleet, prepared, starts, true).await;
    (nodes, not_back)
}

fn refused(report: &CheckReport) -> Error {
    let mut error = Error::new(Kind::Failed, "nothing has changed: Zeek does not accept the scripts");
    for finding in &report.errors {
        error = error.because(finding.text());
    }
    error
}
