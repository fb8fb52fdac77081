//! Stopping and starting nodes tier by tier; within a tier all at once.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::archiver;
use super::outcome::{NodeOutcome, Outcome};
use super::task::{NodeTask, StartOrStop, by_tier};
use crate::fleet::{Event, Fleet, HostAnswer, HostHandle, Locks};
use crate::release::ARCHIVER;
use crate::runner::{self, Started, Stopped};
use crate::transport::ScriptOutput;
use crate::values::fold_names;

fn emit_outcome(fleet: &Fleet, handle: &str, node: &str, outcome: &Outcome, again: bool) {
    fleet.emit(Event::Node {
        passing: again && *outcome == Outcome::Stopped,
        node: node.to_owned(),
        host: handle.to_owned(),
        what: outcome.text(),
        bad: !outcome.is_good(),
    });
}

/// What may end a walk through the tiers before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// A tier that fails is the last, and so is the one that is at work when the user interrupts.
    Abort,
    /// Only the user.
    Continue,
    /// Nothing: what runs is being brought back.
    Ignore,
}

impl OnFailure {
    /// Why the next tier is not begun.
    fn ends(self, fleet: &Fleet, outcomes: &[NodeOutcome]) -> Option<&'static str> {
        if self != Self::Ignore && fleet.is_interrupted() {
            return Some("interrupted");
        }
        (self == Self::Abort && outcomes.iter().any(|o| !o.outcome.is_good())).then_some("an earlier tier failed")
    }
}

fn skip(hosts: BTreeMap<String, Vec<NodeTask>>, why: &str) -> impl Iterator<Item = NodeOutcome> {
    hosts.into_values().flatten().map(move |task| task.ended(Outcome::Skipped(why.to_owned())))
}

/// Starts nodes tier by tier.
pub(crate) async fn start_tasks(
    fleet: &Fleet,
    locks: &Locks,
    tasks: &[NodeTask],
    on_failure: OnFailure,
) -> Vec<NodeOutcome> {
    let tiers = by_tier(&archiver::beside(fleet, tasks));
    walk(fleet, locks, tiers.into_iter(), StartOrStop::Start, on_failure).await
}

/// Stops nodes tier by tier.
pub(crate) async fn stop_tasks(
    fleet: &Fleet,
    locks: &Locks,
    tasks: &[NodeTask],
    on_failure: OnFailure,
) -> Vec<NodeOutcome> {
    walk(fleet, locks, by_tier(tasks).into_iter().rev(), StartOrStop::Stop, on_failure).await
}

/// Goes from tier to tier.
async fn walk(
    fleet: &Fleet,
    locks: &Locks,
    tiers: impl Iterator<Item = (u8, BTreeMap<String, Vec<NodeTask>>)>,
    step: StartOrStop,
    on_failure: OnFailure,
) -> Vec<NodeOutcome> {
    let mut outcomes: Vec<NodeOutcome> = Vec::new();
    for (tier, hosts) in tiers {
        // A node that did not stop is no reason to let others run.
        let before = if step == StartOrStop::Start { outcomes.as_slice() } else { &[] };
        if let Some(why) = on_failure.ends(fleet, before) {
            outcomes.extend(archiver::told(fleet, skip(hosts, why)));
            continue;
        }
        let handles = hosts.values().map(|tasks| tasks[0].handle.clone()).collect();
        let done = fleet
            .each(step.phase(tier), handles, |handle| {
                let tasks = &hosts[&handle.name];
                async move { on_host(fleet, locks, &handle, tasks, step).await }
            })
            .await;
        outcomes.extend(archiver::told(fleet, done.into_iter().flat_map(|(_, done)| done.outcomes)));
    }
    outcomes
}

/// The most last words that are taken of one node, in lines; the script sends 12.
const MOST_WORDS: usize = 50;

/// What a host has said so far of each node: the outcome, and lines of its stderr.
type Told = BTreeMap<String, (Option<Outcome>, Vec<String>)>;

/// What became of the nodes of one tier on one host.
struct TierDone {
    outcomes: Vec<NodeOutcome>,
    failure: Option<String>,
}

impl HostAnswer for TierDone {
    fn failure(&self) -> Option<String> {
        self.failure.clone()
    }
}

/// Starts or stops the nodes of one tier on one host: one round trip.
async fn on_host(fleet: &Fleet, locks: &Locks, handle: &HostHandle, tasks: &[NodeTask], step: StartOrStop) -> TierDone {
    let results: Mutex<Told> = Mutex::new(tasks.iter().map(|j| (j.node.clone(), (None, Vec::new()))).collect());
    let timeouts = &fleet.cluster.timeouts;
    let heard = |line: &str| {
        let (node, outcome) = if step == StartOrStop::Start {
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
                Some(Stopped::StopTimeout(node)) => (node, Outcome::StopTimeout),
                Some(Stopped::PermissionDenied(node)) => (node, Outcome::PermissionDenied),
                None => return,
            }
        };
        // A host has no say in what becomes of nodes that it was not asked about.
        if !tasks.iter().any(|task| task.node == node) {
            return;
        }
        // Nobody named the archiver, and a release of before may have none.
        if node != ARCHIVER || outcome != Outcome::NotInRelease {
            let again = step == StartOrStop::Stop && tasks.iter().any(|task| task.node == node && task.starts_next);
            emit_outcome(fleet, &handle.name, &node, &outcome, again);
        }
        if let Ok(mut results) = results.lock()
            && let Some((slot, _)) = results.get_mut(&node)
        {
            *slot = Some(outcome);
        }
    };
    let call = || {
        let call = if step == StartOrStop::Start {
            let nodes: Vec<(String, String)> = tasks.iter().map(|j| (j.node.clone(), j.release.clone())).collect();
            runner::start(&handle.folders, &nodes, timeouts.ready)
        } else {
            let nodes: Vec<String> = tasks.iter().map(|j| j.node.clone()).collect();
            runner::stop(&handle.folders, &nodes, timeouts.stop, tasks.iter().all(|j| j.stays_desired))
        };
        call.on_line(heard)
    };
    let answer = locks.step(handle, call).await;
    let missing = match &answer {
        Err(why) => why.to_string(),
        Ok(ScriptOutput { lines, stderr, .. }) => match lines.iter().find_map(|l| l.strip_prefix("fail ")) {
            Some(why) => why.to_owned(),
            None => format!("the host gave no reason: {}", stderr.lines().last().unwrap_or("no reason given")),
        },
    };
    if let Ok(reply) = &answer {
        short(fleet, handle, tasks, &reply.lines);
    }
    let mut results = results.lock().map(|mut r| std::mem::take(&mut *r)).unwrap_or_default();
    let outcomes: Vec<NodeOutcome> = tasks
        .iter()
        .map(|task| {
            let (outcome, stderr) = results.remove(&task.node).unwrap_or_default();
            NodeOutcome {
                node: task.node.clone(),
                host: handle.name.clone(),
                outcome: outcome.unwrap_or_else(|| Outcome::Unreachable(missing.clone())),
                stderr,
            }
        })
        .collect();
    TierDone { outcomes, failure: answer.err().map(String::from) }
}

/// Tells which limits nodes of a host have not got, once for those that lack the same.
fn short(fleet: &Fleet, handle: &HostHandle, tasks: &[NodeTask], lines: &[String]) {
    let mut lacking: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        if let Some(Started::Short(node, what)) = Started::parse(line)
            && tasks.iter().any(|task| task.node == node)
        {
            lacking.entry(what).or_default().push(node);
        }
    }
    for (what, lacking) in lacking {
        // In their own order, and not in that in which they became ready.
        let nodes: Vec<&str> =
            tasks.iter().map(|j| j.node.as_str()).filter(|n| lacking.iter().any(|l| l == n)).collect();
        let text = format!("{}: {}: {what} -> clusterctl doctor", handle.name, fold_names(&nodes));
        fleet.emit(Event::Note { text });
    }
}
