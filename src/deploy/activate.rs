//! Making a release the current one on hosts, and the way back to what ran before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::archivers;
use super::prepared::Prepared;
use crate::fleet::{Event, Fleet, HostHandle, Locks, StepError};
use crate::nodes::{NodeOutcome, NodeTask, OnFailure, start_tasks, stderr_paths, stop_tasks};
use crate::observed::RemovedHost;
use crate::remote::verdict;
use crate::scripts;
use crate::transport::RemoteScript;

/// How long a host may take to activate a release.
const ACTIVATING: Duration = Duration::from_secs(60);

/// How long a host may take to delete what is not needed any more.
const PRUNING: Duration = Duration::from_secs(600);

/// Which way hosts go.
pub(crate) enum Direction {
    /// To the release; hosts that left and are done with need not be remembered.
    Forward(BTreeSet<String>),
    /// Back to what they had.
    Revert,
}

/// What a release is activated with.
#[derive(Clone, Copy)]
pub(crate) struct Activation<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) prepared: &'a Prepared,
    pub(crate) locks: &'a Locks,
}

/// What was done to nodes so far.
#[derive(Default)]
pub(crate) struct ActivationProgress {
    pub(crate) stops: Vec<NodeTask>,
    pub(crate) starts: Vec<NodeTask>,
    pub(crate) nodes: Vec<NodeOutcome>,
}

impl ActivationProgress {
    /// Adds what became of nodes; a later outcome of a node replaces an earlier one.
    pub(crate) fn add(&mut self, nodes: Vec<NodeOutcome>) {
        let again: BTreeSet<(&str, &str)> = nodes.iter().map(|o| (o.node.as_str(), o.host.as_str())).collect();
        self.nodes.retain(|o| !again.contains(&(o.node.as_str(), o.host.as_str())));
        self.nodes.extend(nodes);
    }
}

impl Activation<'_> {
    /// Activates the release on hosts, or again what they had.
    pub(crate) async fn activate_all(
        &self,
        phase: &'static str,
        handles: Vec<HostHandle>,
        way: &Direction,
    ) -> Vec<(HostHandle, Result<(), StepError>)> {
        self.fleet.each(phase, handles, |handle| async move { self.activate_one(&handle, way).await }).await
    }

    async fn activate_one(&self, handle: &HostHandle, way: &Direction) -> Result<(), StepError> {
        let (prepared, operation, cluster) = (self.prepared, self.locks.operation(), &self.fleet.cluster);
        let before = handle.index.and_then(|i| prepared.found[i].as_ref());
        let old = before.and_then(|o| o.current.as_deref()).unwrap_or("-");
        let new = prepared.release.id.as_str();
        // About the release; what is still to be done elsewhere.
        let (mut about, mut pending) = (Vec::new(), Vec::new());
        let (from, to) = match way {
            Direction::Forward(done) => {
                about.push(format!("time {}", operation.time));
                about.push(format!("who {}", operation.who));
                about.push(format!("command {}", operation.kind.name()));
                if let Some(index) = handle.index {
                    let words = before
                        .and_then(|o| o.version.split_whitespace().last())
                        .map_or(prepared.version.to_string(), str::to_owned);
                    about.push(format!("zeek {words}"));
                    about.push(format!("prefix {}", cluster.hosts[index].prefix));
                }
                pending = prepared.pending(done);
                (old, new)
            }
            // All as it was: nothing is said anew of a release that comes back.
            Direction::Revert => {
                pending.extend(before.iter().flat_map(|o| o.pending.iter().map(RemovedHost::line)));
                (new, old)
            }
        };
        let mut input = String::new();
        for line in [about, pending].into_iter().flat_map(|part| part.into_iter().chain([String::new()])) {
            input.push_str(&line);
            input.push('\n');
        }
        let call = || {
            RemoteScript::new(scripts::ACTIVATE, ACTIVATING)
                .arg(&handle.folders.home)
                .arg(to)
                .arg(from)
                .input(input.as_bytes())
        };
        verdict(&self.locks.step(handle, call).await?, "activated").map_err(StepError::Failed)
    }

    /// Deletes what no host needs any more. It may take long; failures are only reported.
    pub(crate) async fn prune(&self, handles: Vec<HostHandle>) {
        let answers =
            self.fleet.each("deleting old releases", handles, |handle| async move { self.prune_one(&handle).await });
        // Nothing hangs on it: a user who has enough of it is not kept waiting, and the next deploy does it.
        let Ok(answers) = self.fleet.unless_interrupted(answers).await else { return };
        for (handle, answer) in answers {
            if let Err(why) = answer {
                let text =
                    format!("{}: could not delete old releases: {why}; the next deploy tries again", handle.name);
                self.fleet.emit(Event::Note { text });
            }
        }
    }

    async fn prune_one(&self, handle: &HostHandle) -> Result<(), String> {
        let old = handle.index.map(|index| self.prepared.obsolete(index, self.fleet.cluster.keep)).unwrap_or_default();
        let input: String = old.iter().map(|id| format!("{id}\n")).chain(["\n".to_owned()]).collect();
        let call = || {
            RemoteScript::new(scripts::PRUNE, PRUNING)
                .arg(&handle.folders.home)
                .input(input.as_bytes())
                .silence(self.fleet.silence())
        };
        verdict(&self.locks.step(handle, call).await?, "pruned")
    }

    /// Removes hosts that left from `pending` when nothing of theirs runs any more.
    pub(crate) async fn forget_left(&self, handles: Vec<HostHandle>, nodes: &[NodeOutcome]) {
        let asked: BTreeSet<&str> = self.prepared.leaving.iter().map(|(handle, _)| handle.name.as_str()).collect();
        let bad: BTreeSet<&str> = nodes.iter().filter(|o| !o.outcome.is_good()).map(|o| o.host.as_str()).collect();
        let done: BTreeSet<String> = self
            .prepared
            .removed_hosts
            .iter()
            .map(|left| left.name.as_str().to_owned())
            .filter(|n| asked.contains(n.as_str()) && !bad.contains(n.as_str()))
            .collect();
        if done.is_empty() {
            return;
        }
        for (handle, answer) in self.activate_all("recording hosts that left", handles, &Direction::Forward(done)).await
        {
            if let Err(why) = answer {
                // It is asked once more by the next deploy, and no more than that.
                self.fleet.emit(Event::Note { text: format!("{}: can't record which hosts left: {why}", handle.name) });
            }
        }
    }

    /// Brings all hosts back to the release that ran before, and the nodes that ran or were meant to run to theirs;
    /// returns what became of the nodes, and the hosts that could not go back.
    pub(crate) async fn go_back(&self, done: &ActivationProgress) -> (Vec<NodeOutcome>, Vec<String>) {
        let prepared = self.prepared;
        let mut nodes = stop_tasks(self.fleet, self.locks, &done.starts, OnFailure::Ignore).await;
        // Also those that were left behind on the way: they may have activated it before they were lost.
        let handles = self.fleet.handles(prepared.release.parts.iter().map(|p| p.host));
        let answers = self.activate_all("activating", handles, &Direction::Revert).await;
        let refused: BTreeMap<String, String> =
            answers.into_iter().filter_map(|(handle, answer)| Some((handle.name, answer.err()?.into()))).collect();
        let not_back = refused.iter().map(|(host, why)| format!("{host}: {why}")).collect();
        // A node in the pause after a crash was meant to run as well.
        let before: HashMap<(&str, &str), &str> = prepared
            .leaving
            .iter()
            .map(|(handle, observed)| (handle.name.as_str(), observed))
            .chain(
                self.fleet
                    .cluster
                    .hosts
                    .iter()
                    .zip(&prepared.found)
                    .filter_map(|(h, o)| Some((h.name.as_str(), &o.as_ref()?.brief))),
            )
            .flat_map(|(host, observed)| {
                observed.nodes.iter().filter_map(move |(name, node)| {
                    let meant = node.desired_release();
                    let release = if node.process.is_some() { node.release.as_deref().or(meant) } else { meant };
                    Some(((host, name.as_str()), release?))
                })
            })
            .collect();
        let mut seen = BTreeSet::new();
        let again: Vec<NodeTask> = done
            .stops
            .iter()
            .chain(&done.starts)
            // What did not go back is not what ran before: somebody else may have worked there.
            .filter(|task| !refused.contains_key(&task.handle.name))
            .filter(|task| seen.insert((task.handle.name.as_str(), task.node.as_str())))
            .filter_map(|task| {
                let release = before.get(&(task.handle.name.as_str(), task.node.as_str()))?;
                Some(NodeTask { release: (*release).to_owned(), ..task.clone() })
            })
            .collect();
        nodes.retain(|o| !o.outcome.is_good());
        nodes.extend(start_tasks(self.fleet, self.locks, &again, OnFailure::Ignore).await);
        stderr_paths::strip_release_paths(self.fleet, &mut nodes);
        archivers::reconcile(self.fleet, self.locks, prepared, &done.starts, true).await;
        (nodes, not_back)
    }
}
