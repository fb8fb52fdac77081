//! Stopping and starting nodes in the order of their roles: workers, proxies, manager, loggers stop in this order and
//! start in the reverse; within a tier all at once.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use serde::Serialize;

use super::fleet::{Detail, Fleet, Seat, unreachable};
use super::lock::{Locks, Operation};
use super::prepare::{currents, prevailing};
use super::{Event, Failure, Selection, peers, ports};
use super::{archive, check};
use crate::cluster::Role;
use crate::error::Error;
use crate::observed::Observed;
use crate::release::ARCHIVER;
use crate::runner::{self, Started, Stopped};
use crate::transport::Reply;
use crate::values::{Version, fold_names};

/// What became of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what", content = "detail")]
pub enum Outcome {
    /// It was started and is ready.
    Ready,
    /// It was running already.
    Already,
    /// It was running already, but what kept it running is gone.
    Unsupervised,
    /// It was stopped, or did not run.
    Stopped,
    /// It had to be killed.
    Killed,
    /// The deployed release has no such node.
    Absent,
    /// It ended before it was ready; how it ended.
    Dead(String),
    /// It was not ready in time; what its `.status` said.
    Late(String),
    /// It does not end.
    Stuck,
    /// The signal was not allowed.
    Denied,
    /// Its host could not be asked; why.
    Unreachable(String),
    /// It was not tried; why.
    Skipped(String),
    /// Its host is switched off in the description, and others were meant as well.
    Disabled,
}

/// What became of one node, with its last words where it failed.
#[derive(Debug, Clone, Serialize)]
pub struct NodeOutcome {
    /// The node.
    pub node: String,
    /// Its host.
    pub host: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The last lines of its stderr.
    pub stderr: Vec<String>,
}

/// What became of all nodes of a command.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunReport {
    /// One for each node, in the order in which they were worked on.
    pub nodes: Vec<NodeOutcome>,
    /// Whether the user interrupted it.
    pub interrupted: bool,
}

impl Outcome {
    /// Returns what became of which node; none for what a host says besides.
    pub(super) fn of(started: Started) -> Option<(String, Self)> {
        Some(match started {
            Started::Ready(node) => (node, Self::Ready),
            Started::Already(node) => (node, Self::Already),
            Started::Unsupervised(node) => (node, Self::Unsupervised),
            Started::Absent(node) => (node, Self::Absent),
            Started::Dead(node, how) => (node, Self::Dead(how)),
            Started::Late(node, status) => (node, Self::Late(status)),
            Started::Stderr(..) | Started::Short(..) => return None,
        })
    }

    /// Tells whether that is as it was meant.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Ready | Self::Already | Self::Stopped | Self::Killed | Self::Disabled)
    }

    /// Says it in words.
    pub fn text(&self) -> String {
        match self {
            Self::Ready => "ready".to_owned(),
            Self::Already => "running already".to_owned(),
            Self::Unsupervised => {
                "runs, but unsupervised: it will not be started again if it ends, until it is restarted".to_owned()
            }
            Self::Stopped => "stopped".to_owned(),
            Self::Killed => "killed, because it did not end after SIGTERM".to_owned(),
            Self::Absent => "not in the deployed release: run clusterctl deploy".to_owned(),
            Self::Dead(how) => format!("ended at start ({how})"),
            Self::Late(status) if status.is_empty() => "not ready in time".to_owned(),
            Self::Late(status) => format!("not ready in time ({status})"),
            Self::Stuck => "does not end, not even after SIGKILL".to_owned(),
            Self::Denied => "belongs to another user: the signal is not allowed".to_owned(),
            Self::Unreachable(why) => format!("unknown ({why})"),
            Self::Skipped(why) => format!("not tried ({why})"),
            Self::Disabled => "not tried (its host is disabled)".to_owned(),
        }
    }
}

impl NodeOutcome {
    /// Says what became of which node, in one line.
    pub fn text(&self) -> String {
        format!("{} on {}: {}", self.node, self.host, self.outcome.text())
    }
}

impl RunReport {
    /// Returns those nodes that are not as they were meant to be.
    pub fn failures(&self) -> impl Iterator<Item = &NodeOutcome> {
        self.nodes.iter().filter(|n| !n.outcome.is_good())
    }
}

/// A node to work on.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) node: String,
    /// Its role; none for a node that left the description, which stops first.
    pub(super) role: Option<Role>,
    pub(super) seat: Seat,
    /// The release to start it from.
    pub(super) release: String,
    /// Whether a stop of it is a step on the way to its next start.
    pub(super) again: bool,
    /// Whether it stays meant to run then: what a deploy stops has a journal that tells more.
    pub(super) meant: bool,
}

impl Job {
    /// Says what became of it, where it was not even asked to do anything.
    fn ended(self, outcome: Outcome) -> NodeOutcome {
        NodeOutcome { node: self.node, host: self.seat.name, outcome, stderr: Vec::new() }
    }
}

/// The place of a node in the order of starting.
fn tier(job: &Job) -> u8 {
    match job.role {
        // What archives the logs is there before those that write them, and after.
        _ if job.node == ARCHIVER => 0,
        Some(Role::Logger) => 1,
        Some(Role::Manager | Role::Standalone) => 2,
        Some(Role::Proxy) => 3,
        Some(_) => 4,
        None => 5,
    }
}

/// Returns the name of the phase that starts or stops a tier.
fn phase(tier: u8, start: bool) -> &'static str {
    match (tier, start) {
        (0, true) => "starting archivers",
        (1, true) => "starting loggers",
        (2, true) => "starting the manager",
        (3, true) => "starting proxies",
        (_, true) => "starting workers",
        (0, false) => "archiving logs",
        (1, false) => "stopping loggers",
        (2, false) => "stopping the manager",
        (3, false) => "stopping proxies",
        (4, false) => "stopping workers",
        (_, false) => "stopping nodes that left",
    }
}

/// Splits jobs by tier, and by host within a tier.
fn by_tier(jobs: &[Job]) -> BTreeMap<u8, BTreeMap<String, Vec<Job>>> {
    let mut tiers: BTreeMap<u8, BTreeMap<String, Vec<Job>>> = BTreeMap::new();
    for job in jobs {
        tiers.entry(tier(job)).or_default().entry(job.seat.name.clone()).or_default().push(job.clone());
    }
    tiers
}

fn told(fleet: &Fleet, seat: &str, node: &str, outcome: &Outcome, again: bool) {
    fleet.tell(Event::Node {
        passing: again && *outcome == Outcome::Stopped,
        node: node.to_owned(),
        host: seat.to_owned(),
        what: outcome.text(),
        bad: !outcome.is_good(),
    });
}

/// What may end a walk through the tiers before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// A tier that fails is the last, and so is the one that is at work when the user interrupts.
    Strict,
    /// Only the user.
    Lenient,
    /// Nothing: what runs is being brought back.
    Dogged,
}

impl Manner {
    /// Why the next tier is not begun.
    fn ends(self, fleet: &Fleet, outcomes: &[NodeOutcome]) -> Option<&'static str> {
        if self != Self::Dogged && fleet.is_interrupted() {
            return Some("interrupted");
        }
        (self == Self::Strict && outcomes.iter().any(|o| !o.outcome.is_good())).then_some("a tier before it failed")
    }
}

fn skip(hosts: BTreeMap<String, Vec<Job>>, why: &str) -> impl Iterator<Item = NodeOutcome> {
    hosts.into_values().flatten().map(move |job| job.ended(Outcome::Skipped(why.to_owned())))
}

/// Starts nodes tier by tier.
pub(super) async fn start_jobs(fleet: &Fleet, locks: &Locks, jobs: &[Job], manner: Manner) -> Vec<NodeOutcome> {
    let mut outcomes: Vec<NodeOutcome> = Vec::new();
    for (tier, hosts) in by_tier(&archive::beside(fleet, jobs)) {
        if let Some(why) = manner.ends(fleet, &outcomes) {
            outcomes.extend(archive::told(fleet, skip(hosts, why)));
            continue;
        }
        let seats = hosts.values().map(|jobs| jobs[0].seat.clone()).collect();
        let done = fleet
            .each(phase(tier, true), seats, |seat| {
                let jobs = &hosts[&seat.name];
                async move { on_host(fleet, locks, &seat, jobs, true).await }
            })
            .await;
        outcomes.extend(archive::told(fleet, done.into_iter().flat_map(|(_, outcomes)| outcomes)));
    }
    outcomes
}

/// Stops nodes tier by tier.
pub(super) async fn stop_jobs(fleet: &Fleet, locks: &Locks, jobs: &[Job], manner: Manner) -> Vec<NodeOutcome> {
    let mut outcomes = Vec::new();
    for (tier, hosts) in by_tier(jobs).into_iter().rev() {
        if let Some(why) = manner.ends(fleet, &[]) {
            outcomes.extend(archive::told(fleet, skip(hosts, why)));
            continue;
        }
        let seats = hosts.values().map(|jobs| jobs[0].seat.clone()).collect();
        let done = fleet
            .each(phase(tier, false), seats, |seat| {
                let jobs = &hosts[&seat.name];
                async move { on_host(fleet, locks, &seat, jobs, false).await }
            })
            .await;
        outcomes.extend(archive::told(fleet, done.into_iter().flat_map(|(_, outcomes)| outcomes)));
    }
    outcomes
}

/// The most last words that are taken of one node, in lines; the script sends 12.
const MOST_WORDS: usize = 50;

/// What a host has said so far of each node: the outcome, and lines of its stderr.
type Told = BTreeMap<String, (Option<Outcome>, Vec<String>)>;

/// Starts or stops the nodes of one tier on one host: one round trip.
async fn on_host(
    fleet: &Fleet,
    locks: &Locks,
    seat: &Seat,
    jobs: &[Job],
    start: bool,
) -> (Vec<NodeOutcome>, Option<String>) {
    let results: Mutex<Told> = Mutex::new(jobs.iter().map(|j| (j.node.clone(), (None, Vec::new()))).collect());
    let timeouts = &fleet.cluster.timeouts;
    let heard = |line: &str| {
        let (node, outcome) = if start {
            match Started::parse(line) {
                Some(Started::Stderr(node, text)) => {
                    if let Ok(mut results) = results.lock()
                        && let Some((_, stderr)) = results.get_mut(&node)
                        && stderr.len() < MOST_WORDS
                    {
                        stderr.push(text);
                    }
                    return;
                }
                started => match started.and_then(Outcome::of) {
                    Some(outcome) => outcome,
                    None => return,
                },
            }
        } else {
            match Stopped::parse(line) {
                Some(Stopped::Stopped(node)) => (node, Outcome::Stopped),
                Some(Stopped::Killed(node)) => (node, Outcome::Killed),
                Some(Stopped::Stuck(node)) => (node, Outcome::Stuck),
                Some(Stopped::Denied(node)) => (node, Outcome::Denied),
                None => return,
            }
        };
        // A host has no say in what becomes of nodes that it was not asked about.
        if !jobs.iter().any(|job| job.node == node) {
            return;
        }
        // Nobody named the archiver, and a release of before may have none.
        if node != ARCHIVER || outcome != Outcome::Absent {
            let again = !start && jobs.iter().any(|job| job.node == node && job.again);
            told(fleet, &seat.name, &node, &outcome, again);
        }
        if let Ok(mut results) = results.lock()
            && let Some((slot, _)) = results.get_mut(&node)
        {
            *slot = Some(outcome);
        }
    };
    let call = || {
        let call = if start {
            let nodes: Vec<(String, String)> = jobs.iter().map(|j| (j.node.clone(), j.release.clone())).collect();
            runner::start(&seat.folders, &nodes, timeouts.ready)
        } else {
            let nodes: Vec<String> = jobs.iter().map(|j| j.node.clone()).collect();
            runner::stop(&seat.folders, &nodes, timeouts.stop, jobs.iter().all(|j| j.meant))
        };
        call.on_line(heard)
    };
    let answer = locks.step(seat, call).await;
    let missing = match &answer {
        Err(why) => why.clone(),
        Ok(Reply { lines, stderr, .. }) => match lines.iter().find_map(|l| l.strip_prefix("fail ")) {
            Some(why) => why.to_owned(),
            None => format!("the host did not say: {}", stderr.lines().last().unwrap_or("no reason given")),
        },
    };
    if let Ok(reply) = &answer {
        short(fleet, seat, jobs, &reply.lines);
    }
    let mut results = results.lock().map(|mut r| std::mem::take(&mut *r)).unwrap_or_default();
    let outcomes: Vec<NodeOutcome> = jobs
        .iter()
        .map(|job| {
            let (outcome, stderr) = results.remove(&job.node).unwrap_or_default();
            NodeOutcome {
                node: job.node.clone(),
                host: seat.name.clone(),
                outcome: outcome.unwrap_or_else(|| Outcome::Unreachable(missing.clone())),
                stderr,
            }
        })
        .collect();
    (outcomes, answer.err())
}

/// Tells which limits nodes of a host have not got, once for those that lack the same.
fn short(fleet: &Fleet, seat: &Seat, jobs: &[Job], lines: &[String]) {
    let mut lacking: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        if let Some(Started::Short(node, what)) = Started::parse(line)
            && jobs.iter().any(|job| job.node == node)
        {
            lacking.entry(what).or_default().push(node);
        }
    }
    for (what, lacking) in lacking {
        // In their own order, and not in that in which they became ready.
        let nodes: Vec<&str> =
            jobs.iter().map(|j| j.node.as_str()).filter(|n| lacking.iter().any(|l| l == n)).collect();
        let text = format!("{}: {}: {what} -> clusterctl doctor", seat.name, fold_names(&nodes));
        fleet.tell(Event::Note { text });
    }
}

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
pub async fn stop(fleet: &Fleet, selection: &Selection) -> Result<RunReport, Failure> {
    run(fleet, selection, true, false, "stop").await
}

/// Starts nodes from the release that is current on their hosts.
///
/// # Errors
/// As [`stop`], and where nothing was deployed.
pub async fn start(fleet: &Fleet, selection: &Selection) -> Result<RunReport, Failure> {
    run(fleet, selection, false, true, "start").await
}

/// Stops nodes and starts them again.
///
/// # Errors
/// As [`start`].
pub async fn restart(fleet: &Fleet, selection: &Selection) -> Result<RunReport, Failure> {
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
) -> Result<RunReport, Failure> {
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
        let archivers = if start { Vec::new() } else { archive::to_stop(fleet, &jobs) };
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
        archive::left(fleet, &archivers).await;
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
        check::in_own_names(fleet, None, &mut nodes);
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
    peers::settled(fleet, version, &ready, &beside.map(|(name, _)| name.clone()).collect()).await;
    Ok(RunReport { nodes, interrupted: fleet.is_interrupted() })
}
