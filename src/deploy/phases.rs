//! The phases of an operation on locked hosts: stage, bring keys, parse, activate, restart, confirm or go back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::activate::{Activation, ActivationProgress, Direction};
use super::options::Excluded;
use super::parse::{self, CheckReport};
use super::prepared::{Goal, Prepared};
use super::report::{DeployReport, PendingHost, how_to_continue};
use super::stage::stage;
use super::survey::tolerable;
use super::{archivers, keys, rolling};
use crate::cluster::Role;
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Event, Fleet, HostHandle, Locks, StepError, require_all};
use crate::nodes::{NodeOutcome, NodeTask, OnFailure, Outcome, ports, start_tasks, stderr_paths, stop_tasks};
use crate::observed::FullObserved;
use crate::plan::{self, Action, NodePlan};

/// Whether an operation has changed what is current on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActivationState {
    Nothing,
    Activated,
    Reverted,
}

/// An operation on locked hosts.
pub(crate) struct Run<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) prepared: &'a Prepared,
    pub(crate) locks: &'a Locks,
    /// Hosts that were lost on the way, within what is allowed.
    pub(crate) dropped_hosts: BTreeMap<usize, String>,
    pub(crate) touched: ActivationState,
}

/// Why activation does not go on.
enum Abort {
    /// Too many nodes failed.
    Failed,
    /// The user interrupted it.
    Interrupted,
}

impl Run<'_> {
    pub(crate) async fn all(&mut self) -> Result<DeployReport, CommandError> {
        let release = &self.prepared.release;
        if self.prepared.base.is_some() || !matches!(self.prepared.goal, Goal::Release(_)) {
            self.stage().await?;
        }
        self.keys().await?;
        if !matches!(self.prepared.goal, Goal::Release(_)) {
            self.check().await?;
        }
        let operation = self.locks.operation();
        self.locks.note(&format!("{} {}", operation.id, operation.holder));
        self.locks.note(&format!("doing {}", operation.kind.name()));
        for handle in self.activating() {
            let from = handle.index.and_then(|i| self.prepared.current(i)).unwrap_or("-");
            self.locks.note_on(&handle.name, &format!("from {from}"));
        }
        self.locks.note(&format!("to {}", release.id));
        self.note_nodes();
        self.locks.note("did staged and checked");
        self.touched = ActivationState::Activated;
        let mut done = ActivationProgress::default();
        // Versions are never mixed: with an upgrade of Zeek all nodes stop before anything is activated. So it is with
        // keys: nodes with old and with new ones reject each other.
        let upgrade =
            self.prepared.plan.upgrade.is_some() || keys::replaces(&self.prepared.release, &self.prepared.found);
        let mut halt = Ok(());
        if upgrade {
            halt = self.stop(&mut done, self.stops()).await;
        }
        if halt.is_ok() {
            self.activate(&mut done).await?;
            halt = self.restart(&mut done, upgrade).await;
        }
        let halt = match halt {
            Ok(()) => {
                self.locks.note("did started");
                archivers::reconcile(self.fleet, self.locks, self.prepared, &done.starts, false).await;
                let activation = self.activation();
                activation.forget_left(self.activating(), &done.nodes).await;
                activation.prune(self.activating()).await;
                return Ok(self.report(done.nodes, true));
            }
            Err(halt) => halt,
        };
        let mut report = self.report(std::mem::take(&mut done.nodes), false);
        report.interrupted = matches!(halt, Abort::Interrupted);
        self.locks.note("did begin to go back");
        let why = if report.interrupted { "interrupted" } else { "not all nodes became ready" };
        self.fleet.emit(Event::Note { text: format!("{why}: going back to what ran before") });
        let (nodes, not_back) = self.activation().go_back(&done).await;
        report.rolled_back = Some(nodes);
        report.not_back = not_back;
        Ok(report)
    }

    /// Notes on each host which of its nodes stop and start, and whether those of before and of after may meet: so that a
    /// host can bring back by itself what an end in the middle has left stopped (`templates/maintain.sh`).
    fn note_nodes(&self) {
        for (word, tasks) in [("stops", self.stops()), ("starts", self.starts())] {
            let mut hosts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for task in &tasks {
                hosts.entry(&task.handle.name).or_default().push(&task.node);
            }
            for (host, nodes) in hosts {
                self.locks.note_on(host, &format!("{word} {}", nodes.join(" ")));
            }
        }
        let plan = &self.prepared.plan;
        let alone = self.prepared.release.parts.len() == 1 && self.prepared.leaving.is_empty();
        let apart = plan.upgrade.is_some()
            || plan.backend_change.is_some()
            || keys::replaces(&self.prepared.release, &self.prepared.found);
        // A node that moves would run twice: where it was, and where it will be.
        let ends: BTreeMap<&str, &str> = plan
            .nodes
            .iter()
            .filter(|n| n.action == Action::Stop)
            .map(|n| (n.node.as_str(), n.host.as_str()))
            .collect();
        let moves = plan
            .nodes
            .iter()
            .any(|n| n.role.is_some() && ends.get(n.node.as_str()).is_some_and(|host| *host != n.host));
        if alone || !apart && !moves {
            self.locks.note("mixes");
        }
    }

    fn report(&self, nodes: Vec<NodeOutcome>, done: bool) -> DeployReport {
        let name = |index: usize| self.fleet.cluster.hosts[index].name.clone();
        // What was not meant is not told of.
        let meant = |_: &(&usize, &Excluded)| !self.prepared.is_limited_to_named_hosts();
        let excluded = self.prepared.excluded.iter().filter(meant);
        let excluded = excluded.map(|(i, why)| PendingHost { host: name(*i), why: why.text().to_owned() });
        let lost = self.dropped_hosts.iter().map(|(i, why)| PendingHost { host: name(*i), why: why.clone() });
        DeployReport {
            command: self.locks.operation().kind,
            release: self.prepared.release.id.clone(),
            done,
            interrupted: false,
            nodes,
            lacks: Vec::new(),
            rolled_back: None,
            not_back: Vec::new(),
            first: self.is_first(),
            pending: excluded.chain(lost).collect(),
            unseen: if done { self.prepared.doubled().cloned().collect() } else { Vec::new() },
            unreachable_hosts: self
                .prepared
                .unreachable_hosts
                .iter()
                .map(|(left, _)| left.name.as_str().to_owned())
                .collect(),
        }
    }

    fn activation(&self) -> Activation<'_> {
        Activation { fleet: self.fleet, prepared: self.prepared, locks: self.locks }
    }

    /// Tells whether no host had a release before.
    fn is_first(&self) -> bool {
        self.prepared.found.iter().flatten().all(|o| o.current.is_none())
    }

    /// The hosts of the release that are still there.
    fn activating(&self) -> Vec<HostHandle> {
        let hosts = self.prepared.release.parts.iter().map(|p| p.host);
        self.fleet.handles(hosts.filter(|h| !self.dropped_hosts.contains_key(h)))
    }

    /// Takes hosts that failed out, where the rest may go on without them.
    fn lose(&mut self, failed: &[(usize, String)]) -> bool {
        let mut lost = self.dropped_hosts.clone();
        lost.extend(failed.iter().cloned());
        let nodes = self.missing(&lost, &[]);
        if !tolerable(&self.fleet.cluster, &self.prepared.options, &nodes) {
            return false;
        }
        for (index, why) in failed {
            let name = &self.fleet.cluster.hosts[*index].name;
            self.fleet.emit(Event::Note { text: format!("{name}: left out from here on: {why}") });
        }
        self.dropped_hosts = lost;
        true
    }

    /// Nodes that do not run as planned, for whatever reason.
    fn missing<'b>(&'b self, lost: &BTreeMap<usize, String>, bad: &[&'b str]) -> Vec<&'b str> {
        let excluded = |host: usize| matches!(self.prepared.excluded.get(&host), Some(Excluded::Failed(_)));
        let on_hosts = self.fleet.cluster.run_nodes().filter(|n| lost.contains_key(&n.host) || excluded(n.host));
        let all: BTreeSet<&str> = on_hosts.map(|n| n.name.as_str()).chain(bad.iter().copied()).collect();
        all.into_iter().collect()
    }

    /// Goes on without the hosts that failed at a step, where that is allowed.
    ///
    /// # Errors
    /// Where it is not: what was not done everywhere, and why on each host.
    fn go_on(&mut self, what: &str, answers: Vec<(HostHandle, Result<(), String>)>) -> Result<(), Error> {
        let failed: Vec<(usize, String)> =
            answers.iter().filter_map(|(handle, a)| Some((handle.index?, a.as_ref().err()?.clone()))).collect();
        if failed.is_empty() || self.lose(&failed) { Ok(()) } else { require_all(what, answers) }
    }

    async fn stage(&mut self) -> Result<(), CommandError> {
        let answers = self.fleet.unless_interrupted(stage(self.fleet, self.prepared, self.locks)).await?;
        Ok(self.go_on("could not stage the release on all hosts; nothing changed", answers)?)
    }

    /// Brings to the hosts what they are to keep and do not have.
    async fn keys(&mut self) -> Result<(), CommandError> {
        let Prepared { keys, found, release, .. } = self.prepared;
        let mut missing = keys::lacking(keys, found, release);
        missing.retain(|(host, _)| !self.dropped_hosts.contains_key(host));
        let keys = keys::keep(self.fleet, keys, found, missing, self.locks);
        let answers = self.fleet.unless_interrupted(Box::pin(keys)).await??;
        Ok(self.go_on("could not store the keys on all hosts; nothing changed", answers)?)
    }

    /// Lets the real Zeek parse what was staged, and looks for ports that something else has.
    async fn check(&self) -> Result<(), CommandError> {
        let tasks = self.starts();
        let starts: BTreeSet<&str> = tasks.iter().map(|task| task.node.as_str()).collect();
        // What is only restarted later must parse as well.
        let put_off = self.prepared.plan.nodes.iter().any(|n| !n.later.is_empty());
        if starts.is_empty() && !put_off {
            return Ok(());
        }
        let present = |host: usize| !self.dropped_hosts.contains_key(&host);
        let report = parse::parse(self.fleet, self.prepared, present, false);
        let report = self.fleet.unless_interrupted(report).await??;
        for warning in report.warnings.iter().chain(&report.unchecked) {
            self.fleet.emit(Event::Note { text: format!("warning: {}", warning.text()) });
        }
        if !report.errors.is_empty() {
            return Err(refused(&report).into());
        }
        self.fleet
            .unless_interrupted(ports::free(self.fleet, self.prepared.version, &self.prepared.found, &starts))
            .await??;
        Ok(())
    }

    /// The nodes to stop: those that the plan stops, and those that it starts but that pause after a crash now, because
    /// the runner could start the old release first. Where no node is to restart, that does no harm.
    fn stops(&self) -> Vec<NodeTask> {
        let hosts = self.fleet.cluster.hosts.iter().zip(&self.prepared.found);
        let found: HashMap<&str, &FullObserved> =
            hosts.filter_map(|(host, observed)| Some((host.name.as_str(), observed.as_ref()?))).collect();
        let pauses = |n: &NodePlan| {
            let node = found.get(n.host.as_str()).and_then(|o| o.nodes.get(&n.node));
            !self.prepared.options.no_restart
                && node.is_some_and(|node| node.supervised && node.desired_release().is_some())
        };
        self.tasks(|n| matches!(n.action, Action::Stop | Action::Restart) || n.action == Action::Start && pauses(n))
    }

    /// What the plan starts.
    fn starts(&self) -> Vec<NodeTask> {
        self.tasks(|n| matches!(n.action, Action::Start | Action::Restart))
    }

    /// Makes tasks of nodes of the plan on the hosts that are there.
    fn tasks(&self, wanted: impl Fn(&NodePlan) -> bool) -> Vec<NodeTask> {
        let handles: HashMap<String, HostHandle> = self
            .activating()
            .into_iter()
            .chain(self.prepared.leaving.iter().map(|(handle, _)| handle.clone()))
            .map(|handle| (handle.name.clone(), handle))
            .collect();
        let nodes = self.prepared.plan.nodes.iter().filter(|n| wanted(n));
        nodes
            .filter_map(|n| {
                Some(NodeTask {
                    node: n.node.clone(),
                    role: n.role,
                    handle: handles.get(&n.host)?.clone(),
                    release: self.prepared.release.id.clone(),
                    starts_next: n.action == Action::Restart,
                    stays_desired: false,
                })
            })
            .collect()
    }

    /// Activates the release on all hosts; where that fails, those that did so go back.
    async fn activate(&mut self, done: &mut ActivationProgress) -> Result<(), CommandError> {
        let way = Direction::Forward(BTreeSet::new());
        let answers = self.activation().activate_all("activating", self.activating(), &way).await;
        let superseded = |answer: &Result<(), StepError>| *answer == Err(StepError::Superseded);
        if done.stops.is_empty() && !answers.is_empty() && answers.iter().all(|(_, answer)| superseded(answer)) {
            self.touched = ActivationState::Nothing;
            return Err(Error::failed("another operation has run on the hosts in the meantime; nothing changed")
                .hint("`clusterctl status` shows what runs now, `clusterctl diff` what a deploy would change")
                .into());
        }
        let answers = answers.into_iter().map(|(handle, answer)| (handle, answer.map_err(String::from))).collect();
        let Err(error) = self.go_on("not all hosts could activate the release", answers) else {
            // As maintenance reads it, also that of releases which earlier versions made.
            self.locks.note("did switch");
            return Ok(());
        };
        let (nodes, not_back) = self.activation().go_back(done).await;
        let touched = if done.stops.is_empty() { "no node was stopped; " } else { "" };
        let again = nodes.iter().all(|o| o.outcome.is_good());
        if not_back.is_empty() && again {
            self.touched = ActivationState::Reverted;
            return Err(error
                .because(format!("{touched}all hosts are back at the release that they had before"))
                .into());
        }
        if not_back.is_empty() {
            let error = error
                .because("all hosts are back at the release that they had before, but not all nodes run as before:")
                .hint("fix that, then run `clusterctl deploy`");
            let bad = nodes.iter().filter(|o| !o.outcome.is_good());
            return Err(bad.map(NodeOutcome::text).fold(error, Error::because).into());
        }
        let error = error
            .because(format!("{touched}not all hosts could go back"))
            .hint(how_to_continue(Some(self.locks.operation().kind), self.is_first()));
        Err(not_back.into_iter().fold(error, Error::because).into())
    }

    /// Stops and starts what the plan says: all at once, or a few workers at a time.
    async fn restart(&self, done: &mut ActivationProgress, stopped: bool) -> Result<(), Abort> {
        let cluster = &*self.fleet.cluster;
        let mut stops = if stopped { Vec::new() } else { self.stops() };
        let mut starts = self.starts();
        let mut batches = Vec::new();
        if let Some(share) = self.prepared.options.max_unavailable.filter(|_| !stopped) {
            let both: BTreeSet<&str> = self
                .prepared
                .plan
                .nodes
                .iter()
                .filter(|n| n.action == Action::Restart && n.role == Some(Role::Worker))
                .map(|n| n.node.as_str())
                .collect();
            let mut rolling: HashMap<String, NodeTask> = HashMap::new();
            starts.retain(|task| {
                let later = both.contains(task.node.as_str());
                if later {
                    rolling.insert(task.node.clone(), task.clone());
                }
                !later
            });
            stops.retain(|task| task.role.is_none() || !both.contains(task.node.as_str()));
            for batch in plan::batches(cluster, |n| rolling.contains_key(&n.name), share) {
                batches.push(batch.iter().filter_map(|n| rolling.get(&n.name).cloned()).collect::<Vec<NodeTask>>());
            }
        }
        self.stop(done, stops).await?;
        self.start(done, starts).await?;
        let version = self.prepared.version;
        let names = |batch: &[NodeTask]| batch.iter().map(|task| task.node.clone()).collect::<BTreeSet<String>>();
        let mut counted = !batches.is_empty();
        if counted {
            // A manager that was restarted counts nobody at first.
            let all = batches.iter().flat_map(|batch| names(batch)).collect();
            if let Err(why) = rolling::wait_until_counted(self.fleet, version, all).await
                && !self.fleet.is_interrupted()
            {
                let text = format!(
                    "cannot ask the manager ({why}): the rolling restart does not wait until it counts the workers"
                );
                self.fleet.emit(Event::Note { text });
                counted = false;
            }
        }
        let total = batches.len();
        for (number, batch) in batches.into_iter().enumerate() {
            self.fleet.emit(Event::Note { text: format!("rolling restart, {} of {total}", number + 1) });
            self.stop(done, batch.clone()).await?;
            let started = names(&batch);
            self.start(done, batch).await?;
            if counted {
                let ready = done.nodes.iter().filter(|o| started.contains(&o.node) && o.outcome.is_good());
                let ready: BTreeSet<String> = ready.map(|o| o.node.clone()).collect();
                let (unseen, why) = match rolling::wait_until_counted(self.fleet, version, ready.clone()).await {
                    Ok(unseen) => (unseen, "the manager does not see it".to_owned()),
                    Err(why) => (ready, format!("cannot ask the manager: {why}")),
                };
                // An interrupt has left them no time.
                let late = |o: &&mut NodeOutcome| unseen.contains(&o.node) && !self.fleet.is_interrupted();
                for outcome in done.nodes.iter_mut().filter(late) {
                    outcome.outcome = Outcome::StartTimeout(why.clone());
                }
            }
            self.judge(done)?;
        }
        Ok(())
    }

    async fn stop(&self, done: &mut ActivationProgress, tasks: Vec<NodeTask>) -> Result<(), Abort> {
        let outcomes = stop_tasks(self.fleet, self.locks, &tasks, OnFailure::Abort).await;
        done.stops.extend(tasks);
        done.add(outcomes);
        self.locks.note("did stop");
        self.judge(done)
    }

    async fn start(&self, done: &mut ActivationProgress, tasks: Vec<NodeTask>) -> Result<(), Abort> {
        // A node that did not stop gets no second process.
        let bad: BTreeSet<(&str, &str)> =
            done.nodes.iter().filter(|o| !o.outcome.is_good()).map(|o| (o.node.as_str(), o.host.as_str())).collect();
        let tasks: Vec<NodeTask> =
            tasks.into_iter().filter(|j| !bad.contains(&(j.node.as_str(), j.handle.name.as_str()))).collect();
        drop(bad);
        let mut outcomes = start_tasks(self.fleet, self.locks, &tasks, OnFailure::Abort).await;
        ports::blame(self.fleet, Some(self.prepared.version), &self.prepared.found, &mut outcomes).await;
        match self.prepared.goal {
            Goal::Release(_) => stderr_paths::strip_release_paths(self.fleet, &mut outcomes),
            Goal::Description | Goal::UpToDate(_) => {
                parse::in_own_names(self.fleet, &self.prepared.release, &mut outcomes);
            }
        }
        done.starts.extend(tasks);
        done.add(outcomes);
        self.locks.note("did start");
        self.judge(done)
    }

    /// Tells whether it may go on.
    fn judge(&self, done: &ActivationProgress) -> Result<(), Abort> {
        // Nodes that were not tried because of that are no failures.
        if self.fleet.is_interrupted() {
            return Err(Abort::Interrupted);
        }
        let bad: Vec<&str> = done.nodes.iter().filter(|o| !o.outcome.is_good()).map(|o| o.node.as_str()).collect();
        if !bad.is_empty()
            && !tolerable(&self.fleet.cluster, &self.prepared.options, &self.missing(&self.dropped_hosts, &bad))
        {
            return Err(Abort::Failed);
        }
        Ok(())
    }
}

fn refused(report: &CheckReport) -> Error {
    let mut error = Error::new(Kind::Failed, "Zeek does not accept the scripts; nothing changed");
    for finding in &report.errors {
        error = error.because(finding.text());
    }
    error
}
