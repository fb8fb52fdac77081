//! Stopping and starting nodes tier by tier; within a tier all at once.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::archiver;
use super::outcome::{NodeOutcome, Outcome};
use super::task::{Job, by_tier, phase};
use crate::fleet::{Event, Fleet, Locks, Seat};
use crate::release::ARCHIVER;
use crate::runner::{self, Started, Stopped};
use crate::transport::Reply;
use crate::values::fold_names;

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
pub(crate) enum Manner {
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
pub(crate) async fn start_jobs(fleet: &Fleet, locks: &Locks, jobs: &[Job], manner: Manner) -> Vec<NodeOutcome> {
    let mut outcomes: Vec<NodeOutcome> = Vec::new();
    for (tier, hosts) in by_tier(&archiver::beside(fleet, jobs)) {
        if let Some(why) = manner.ends(fleet, &outcomes) {
            outcomes.extend(archiver::told(fleet, skip(hosts, why)));
            continue;
        }
        let seats = hosts.values().map(|jobs| jobs[0].seat.clone()).collect();
        let done = fleet
            .each(phase(tier, true), seats, |seat| {
                let jobs = &hosts[&seat.name];
                async move { on_host(fleet, locks, &seat, jobs, true).await }
            })
            .await;
        outcomes.extend(archiver::told(fleet, done.into_iter().flat_map(|(_, outcomes)| outcomes)));
    }
    outcomes
}

/// Stops nodes tier by tier.
pub(crate) async fn stop_jobs(fleet: &Fleet, locks: &Locks, jobs: &[Job], manner: Manner) -> Vec<NodeOutcome> {
    let mut outcomes = Vec::new();
    for (tier, hosts) in by_tier(jobs).into_iter().rev() {
        if let Some(why) = manner.ends(fleet, &[]) {
            outcomes.extend(archiver::told(fleet, skip(hosts, why)));
            continue;
        }
        let seats = hosts.values().map(|jobs| jobs[0].seat.clone()).collect();
        let done = fleet
            .each(phase(tier, false), seats, |seat| {
                let jobs = &hosts[&seat.name];
                async move { on_host(fleet, locks, &seat, jobs, false).await }
            })
            .await;
        outcomes.extend(archiver::told(fleet, done.into_iter().flat_map(|(_, outcomes)| outcomes)));
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
        Err(why) => why.to_string(),
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
    (outcomes, answer.err().map(String::from))
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
