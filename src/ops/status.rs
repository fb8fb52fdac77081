//! What hosts and nodes say: process facts from the hosts and answers over the control topics, gathered at the same
//! time; neither can hang or hide the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Selection;
use super::fleet::{Detail, Fleet};
use crate::cluster::{Backend, Cluster, Node, Role};
use crate::control::{self, Answers, Reply};
use crate::observed::{Next, Observed, ObservedNode, Wanted};
use crate::transport::Failure;
use crate::values::Version;
use crate::zeek::{self, Live};

/// How long the question to the nodes waits for slow hosts' facts; after that it is asked of all that might run.
const SLOW_HOSTS: Duration = Duration::from_millis(1500);
/// From this share of packets on a worker counts as `dropping`, in per cent.
const DROPPING: f64 = 1.0;
/// A capturing worker without packets is in trouble after so many seconds.
const NO_PACKETS: f64 = 60.0;

/// What a node's process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does not run and is not meant to.
    Stopped,
    /// It is on its way up.
    Starting,
    /// It runs.
    Running,
    /// It is on its way down.
    Stopping,
    /// It ended by itself.
    Crashed,
    /// It ended by itself and is not started again.
    Failed,
    /// Its host is switched off in the description.
    Disabled,
    /// Its host can't be asked.
    Unknown,
}

impl State {
    /// Returns the state's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Crashed => "crashed",
            Self::Failed => "failed",
            Self::Disabled => "disabled",
            Self::Unknown => "unknown",
        }
    }
}

/// How well a running node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Health {
    /// All is well.
    #[serde(rename = "ok")]
    Ok,
    /// It did not answer.
    #[serde(rename = "no reply")]
    NoReply,
    /// It does not see a node that it needs.
    #[serde(rename = "not peered")]
    NotPeered,
    /// It captures, but no packet has come for a minute.
    #[serde(rename = "no packets")]
    NoPackets,
    /// It loses packets.
    #[serde(rename = "dropping")]
    Dropping,
    /// The Zeek binary was replaced under it.
    #[serde(rename = "old binary")]
    OldBinary,
    /// It runs with other inputs than the current release has.
    #[serde(rename = "old inputs")]
    OldInputs,
}

impl Health {
    /// Returns the health's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoReply => "no reply",
            Self::NotPeered => "not peered",
            Self::NoPackets => "no packets",
            Self::Dropping => "dropping",
            Self::OldBinary => "old binary",
            Self::OldInputs => "old inputs",
        }
    }
}

/// What is known of one node of the description.
#[derive(Debug, Clone, Serialize)]
pub struct NodeRow {
    /// Its name.
    pub node: String,
    /// What it is.
    #[serde(rename = "type")]
    pub role: Role,
    /// Its host.
    pub host: String,
    /// What its process does.
    pub state: State,
    /// More about the state: how it ended, why it is unknown.
    pub detail: Option<String>,
    /// How well it does; none where it does not run or could not be asked.
    pub health: Option<Health>,
    /// More about the health.
    pub health_detail: Option<String>,
    /// Its process id.
    pub pid: Option<u32>,
    /// Seconds since its process was started.
    pub uptime: Option<f64>,
    /// Processor time in per cent of one CPU, averaged over the process's life.
    pub cpu: Option<f64>,
    /// Resident memory in bytes.
    pub memory: Option<u64>,
    /// The nodes it sees.
    pub peers: Option<Vec<String>>,
    /// Packets received in the last minute.
    pub received: Option<u64>,
    /// Packets dropped in the last minute, in per cent.
    pub dropped_percent: Option<f64>,
    /// The release that it runs.
    pub release: Option<String>,
    /// How often its supervisor has restarted it.
    pub restarts: u32,
}

/// What is known of one host.
#[derive(Debug, Clone, Serialize)]
pub struct HostStatus {
    /// Its name.
    pub host: String,
    /// Why it could not be asked; none if it could.
    pub failure: Option<String>,
    /// The current release there.
    pub release: Option<String>,
    /// Who holds its lock.
    pub lock: Option<String>,
}

/// Workers in four numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Workers {
    /// In the description.
    pub described: usize,
    /// Running, as their hosts say.
    pub running: usize,
    /// Answering over their control topics.
    pub answering: usize,
    /// Counted by the manager; none if it could not be asked. A vanished host's workers stay in it.
    pub counted: Option<u64>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The node or host.
    pub subject: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The status of a cluster.
#[derive(Debug, Clone, Serialize)]
pub struct StatusReport {
    /// The cluster's name.
    pub cluster: String,
    /// Zeek's version, as far as it is known.
    pub zeek: Option<String>,
    /// The backend, as far as it is known.
    pub backend: Option<Backend>,
    /// Workers in four numbers.
    pub workers: Workers,
    /// The hosts.
    pub hosts: Vec<HostStatus>,
    /// The nodes, in the cluster's order.
    pub nodes: Vec<NodeRow>,
    /// What is not as it should be.
    pub troubles: Vec<Trouble>,
    /// Why nodes were not asked, where that is no trouble.
    pub note: Option<String>,
}

impl StatusReport {
    /// Tells whether all is as it should be.
    pub fn is_ok(&self) -> bool {
        self.troubles.is_empty()
    }
}

type Facts = BTreeMap<usize, Result<Observed, Failure>>;

/// What came of asking the nodes.
enum Asked {
    /// They were asked; with the version that the manager told.
    Done(Answers<control::NodeStatus>),
    /// They were not, and that is no trouble; why.
    Never(String),
    /// They should have been.
    Failed(String),
}

/// Asks hosts and nodes.
pub async fn status(fleet: &Fleet, selection: &Selection) -> StatusReport {
    let cluster = &*fleet.cluster;
    let mut hosts: BTreeSet<usize> = selection.hosts(cluster).into_iter().collect();
    // The manager's host knows what is deployed, and its answer says more about all the others.
    hosts.extend(cluster.manager().map(|m| m.host));
    let seats = fleet.seats(hosts.into_iter().filter(|i| cluster.hosts[*i].enabled));
    let facts: Mutex<Facts> = Mutex::new(BTreeMap::new());
    let (told, news) = watch::channel(false);
    let gather = async {
        fleet
            .each("asking hosts", seats, |seat| {
                let (facts, told) = (&facts, &told);
                async move {
                    let answer = fleet.observe_one(&seat, Detail::Brief).await;
                    let failure = answer.as_ref().err().map(Failure::text);
                    if let (Some(index), Ok(mut facts)) = (seat.index, facts.lock()) {
                        facts.insert(index, answer);
                    }
                    told.send_replace(false);
                    ((), failure)
                }
            })
            .await;
        told.send_replace(true);
    };
    let ask = ask(fleet, selection, &facts, news);
    let ((), asked) = tokio::join!(gather, ask);
    let facts = facts.into_inner().unwrap_or_default();
    report(cluster, selection, &facts, &asked)
}

/// What runs, or else what the description says: version and backend.
fn running(cluster: &Cluster, facts: &Facts) -> Option<(Version, Backend)> {
    let deployed = cluster.manager().and_then(|m| facts.get(&m.host)?.as_ref().ok()?.running.as_ref()).and_then(
        |(version, backend)| {
            let backend = if backend == Backend::Zeromq.name() { Backend::Zeromq } else { Backend::Broker };
            Some((version.parse::<Version>().ok()?, backend))
        },
    );
    deployed.or_else(|| cluster.zeek.version.map(|v| (v, zeek::backend(cluster, v))))
}

/// Waits for the facts of all hosts; of slow ones only if the question can't be asked without them.
async fn enough(cluster: &Cluster, manager: usize, facts: &Mutex<Facts>, mut news: watch::Receiver<bool>) {
    let limit = Instant::now() + SLOW_HOSTS;
    loop {
        let needed = cluster.zeek.version.is_none() && facts.lock().is_ok_and(|f| !f.contains_key(&manager));
        if *news.borrow_and_update() || (!needed && Instant::now() >= limit) {
            return;
        }
        let changed = tokio::select! {
            changed = news.changed() => changed.is_ok(),
            () = tokio::time::sleep_until(limit), if !needed => true,
        };
        if !changed {
            return;
        }
    }
}

async fn ask(fleet: &Fleet, selection: &Selection, facts: &Mutex<Facts>, news: watch::Receiver<bool>) -> Asked {
    let cluster = &*fleet.cluster;
    let Some(manager) = cluster.manager() else { return Asked::Never("there is no manager".to_owned()) };
    if !cluster.host_of(manager).enabled {
        return Asked::Never("the manager's host is disabled".to_owned());
    }
    if let Some(version) = cluster.zeek.version
        && let Live::None(why) = zeek::live(cluster, version)
    {
        return Asked::Never(why);
    }
    let seat = fleet.seat(manager.host);
    let (dialed, ()) = tokio::join!(
        seat.connection.dial(cluster.ports.control, fleet.settings.question),
        enough(cluster, manager.host, facts, news),
    );
    let (plan, nodes) = {
        let Ok(facts) = facts.lock() else { return Asked::Failed("interrupted".to_owned()) };
        if let Some(Ok(observed)) = facts.get(&manager.host)
            && !runs(observed, &manager.name)
        {
            return Asked::Failed("the manager is not running".to_owned());
        }
        let might_run = |node: &Node| match facts.get(&node.host) {
            Some(Ok(observed)) => runs(observed, &node.name),
            Some(Err(_)) | None => cluster.hosts[node.host].enabled,
        };
        let mut nodes: Vec<&Node> = selection.nodes(cluster).filter(|n| might_run(n)).collect();
        if !nodes.iter().any(|n| n.name == manager.name) {
            nodes.push(manager);
        }
        let names: Vec<String> = nodes.into_iter().map(|n| n.name.clone()).collect();
        (running(cluster, &facts), names)
    };
    let Some((version, backend)) = plan else {
        return Asked::Failed("the version of Zeek is not known: nothing is deployed".to_owned());
    };
    if let Live::None(why) = zeek::live(cluster, version) {
        return Asked::Never(why);
    }
    let stream = match dialed {
        Ok(stream) => stream,
        Err(failure) => return Asked::Failed(failure.text()),
    };
    let topics = zeek::topics(cluster, version, backend);
    let nodes: Vec<(String, String)> = nodes.into_iter().map(|n| (n.clone(), topics.node(&n))).collect();
    let request = format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
    let deadline = Instant::now() + cluster.timeouts.control;
    match control::ask_status(stream, topics.answers, &nodes, request, deadline).await {
        Ok(answers) => Asked::Done(answers),
        Err(error) => Asked::Failed(error.to_string()),
    }
}

fn runs(observed: &Observed, node: &str) -> bool {
    observed.nodes.get(node).is_some_and(|n| n.process.is_some())
}

fn report(cluster: &Cluster, selection: &Selection, facts: &Facts, asked: &Asked) -> StatusReport {
    let answers = match asked {
        Asked::Done(answers) => Some(answers),
        _ => None,
    };
    // Nodes that the others should see: those that are no workers, as far as they run. Nodes of one role need not see
    // each other; with Broker, loggers do not.
    let needed: BTreeMap<&str, Role> = cluster
        .run_nodes()
        .filter(|n| n.role != Role::Worker)
        .filter(|n| matches!(facts.get(&n.host), Some(Ok(o)) if runs(o, &n.name)))
        .map(|n| (n.name.as_str(), n.role))
        .collect();
    let mut troubles = Vec::new();
    let mut rows = Vec::new();
    for node in selection.nodes(cluster) {
        let mut row = process_row(cluster, node, facts.get(&node.host));
        let observed = facts.get(&node.host).and_then(|f| f.as_ref().ok());
        if let (State::Running, Some(observed)) = (row.state, observed) {
            old(&mut row, observed);
            if let Some(answers) = answers {
                answered(&mut row, node, answers, &needed);
            }
        }
        troubles.extend(trouble_of(&row));
        rows.push(row);
    }
    let version = answers.map(|a| a.version.clone());
    let plan = running(cluster, facts);
    let mut note = None;
    match asked {
        Asked::Done(answers) => {
            if let Some(ended) = &answers.ended {
                troubles.push(Trouble {
                    subject: "control".to_owned(),
                    what: format!("the nodes could not be asked to the end: {ended}"),
                    hint: None,
                });
            }
        }
        Asked::Never(why) => note = Some(why.clone()),
        Asked::Failed(why) => {
            // Where the manager's own row says it all, there is nothing to add.
            let told =
                cluster.manager().is_some_and(|m| rows.iter().any(|r| r.node == m.name && r.state != State::Running));
            if told {
                note = Some(format!("the nodes were not asked: {why}"));
            } else {
                troubles.push(Trouble {
                    subject: "control".to_owned(),
                    what: format!("the nodes could not be asked: {why}"),
                    hint: Some(format!("is port {} of the manager's host its own?", cluster.ports.control)),
                });
            }
        }
    }
    let hosts = hosts_of(cluster, facts, &mut troubles);
    let workers: Vec<&NodeRow> = rows.iter().filter(|r| r.role == Role::Worker).collect();
    let counted = cluster.manager().and_then(|m| match answers?.nodes.get(&m.name)? {
        Reply::Answer(status) => Some(status.workers),
        _ => None,
    });
    let workers = Workers {
        described: workers.len(),
        running: workers.iter().filter(|r| r.state == State::Running).count(),
        answering: workers.iter().filter(|r| r.peers.is_some()).count(),
        counted: if cluster.is_standalone() { None } else { counted },
    };
    StatusReport {
        cluster: cluster.name.clone(),
        zeek: version.or_else(|| plan.map(|(v, _)| v.to_string())),
        backend: plan.map(|(_, b)| b).filter(|_| !cluster.is_standalone()),
        workers,
        hosts,
        nodes: rows,
        troubles,
        note,
    }
}

/// What the host knows about a node.
fn process_row(cluster: &Cluster, node: &Node, facts: Option<&Result<Observed, Failure>>) -> NodeRow {
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
        restarts: 0,
    };
    let observed = match facts {
        _ if !host.enabled => {
            row.state = State::Disabled;
            return row;
        }
        Some(Ok(observed)) => observed,
        Some(Err(failure)) => {
            row.detail = Some(failure.text());
            return row;
        }
        None => {
            row.detail = Some("its host was not asked".to_owned());
            return row;
        }
    };
    let Some(found) = observed.nodes.get(&node.name) else {
        row.state = State::Stopped;
        row.detail = Some("not deployed yet".to_owned());
        return row;
    };
    row.release.clone_from(&found.release);
    row.restarts = found.restarts;
    (row.state, row.detail) = state_of(found);
    if let Some(process) = &found.process {
        row.pid = Some(process.pid);
        row.uptime = Some(process.uptime);
        row.cpu = Some(process.cpu);
        row.memory = Some(process.resident);
    }
    row
}

fn state_of(node: &ObservedNode) -> (State, Option<String>) {
    let meant = matches!(node.wanted, Some(Wanted::Running(_)));
    if node.process.is_some() {
        let lonely = (!node.supervised).then(|| "unsupervised".to_owned());
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
    match &node.exit {
        None if node.supervised => (State::Starting, None),
        None => (State::Crashed, Some("ended together with its supervisor (a reboot?)".to_owned())),
        Some(exit) if exit.refused.is_some() => (State::Failed, Some(exit.text())),
        Some(exit) => match exit.next {
            Next::Failed => (State::Failed, Some(format!("{}; gave up after {} starts", exit.text(), exit.tries))),
            Next::Restart(pause) if node.supervised => {
                (State::Crashed, Some(format!("{}; starts again after {pause} s", exit.text())))
            }
            Next::Restart(_) => (State::Crashed, Some(format!("{}; its supervisor is gone", exit.text()))),
            Next::Never | Next::Stopped => (State::Crashed, Some(exit.text())),
        },
    }
}

/// Marks a node whose binary or inputs are not those of the current release.
fn old(row: &mut NodeRow, observed: &Observed) {
    let Some(found) = observed.nodes.get(&row.node) else { return };
    if found.made.is_some() && observed.binary != found.made {
        row.health = Some(Health::OldBinary);
        row.health_detail = Some("the Zeek binary was replaced under it".to_owned());
    } else if !found.due.is_empty() && found.due != found.inputs {
        row.health = Some(Health::OldInputs);
        let names: Vec<&str> = found
            .due
            .iter()
            .filter(|(name, digest)| found.inputs.get(*name) != Some(digest))
            .map(|(name, _)| name.as_str())
            .collect();
        row.health_detail = Some(format!("other {} than the current release", names.join(", ")));
    }
}

/// Adds what a node answered.
fn answered(row: &mut NodeRow, node: &Node, answers: &Answers<control::NodeStatus>, needed: &BTreeMap<&str, Role>) {
    let status = match answers.nodes.get(&row.node) {
        Some(Reply::Answer(status)) => status,
        Some(Reply::Bad(why)) => {
            row.health = Some(Health::NoReply);
            row.health_detail = Some(why.clone());
            return;
        }
        Some(Reply::NoReply) | None => {
            row.health = Some(Health::NoReply);
            return;
        }
    };
    let missing: Vec<&str> = needed
        .iter()
        .filter(|(name, role)| **role != node.role && !status.peers.iter().any(|p| p == *name))
        .map(|(name, _)| *name)
        .collect();
    let seen = status.received_1m + status.dropped_1m;
    #[expect(clippy::cast_precision_loss, reason = "a share in per cent")]
    let dropped = if seen > 0 { status.dropped_1m as f64 * 100.0 / seen as f64 } else { 0.0 };
    if node.interface.is_some() {
        row.received = Some(status.received_1m);
        row.dropped_percent = Some(dropped);
    }
    row.peers = Some(status.peers.clone());
    if row.health.is_some() {
        return;
    }
    (row.health, row.health_detail) = if !missing.is_empty() {
        (Some(Health::NotPeered), Some(format!("it does not see {}", missing.join(", "))))
    } else if node.interface.is_some() && status.uptime > NO_PACKETS && seen == 0 {
        (Some(Health::NoPackets), Some("no packet for a minute".to_owned()))
    } else if dropped >= DROPPING {
        (Some(Health::Dropping), Some(format!("{dropped:.1} % of packets in the last minute")))
    } else {
        (Some(Health::Ok), None)
    };
}

fn trouble_of(row: &NodeRow) -> Option<Trouble> {
    let detail = row.detail.as_ref().map(|d| format!(" ({d})")).unwrap_or_default();
    let trouble = |what: String, hint: Option<String>| Some(Trouble { subject: row.node.clone(), what, hint });
    let node = &row.node;
    match row.state {
        State::Running | State::Disabled => {}
        // Its host's trouble says it once for all of its nodes.
        State::Unknown => return None,
        State::Stopped if row.detail.is_some() => {
            return trouble(format!("is stopped{detail}"), Some("clusterctl deploy".to_owned()));
        }
        State::Stopped => return trouble("is stopped".to_owned(), Some(format!("clusterctl start {node}"))),
        State::Crashed | State::Failed => {
            return trouble(
                format!("is {}{detail}", row.state.name()),
                Some(format!("clusterctl start {node}, after a look at its stderr")),
            );
        }
        State::Starting | State::Stopping => return trouble(format!("is {}{detail}", row.state.name()), None),
    }
    let health_detail = row.health_detail.as_ref().map(|d| format!(": {d}")).unwrap_or_default();
    match row.health {
        Some(Health::Ok) | None => {}
        Some(Health::OldBinary | Health::OldInputs) => {
            let name = row.health.map_or("", Health::name);
            return trouble(format!("has {name}{health_detail}"), Some("clusterctl deploy".to_owned()));
        }
        Some(health) => return trouble(format!("{}{health_detail}", health.name()), None),
    }
    if row.state == State::Running && row.detail.is_some() {
        return trouble(
            format!("runs{detail}: it will not be started again if it ends"),
            Some(format!("clusterctl restart {node}")),
        );
    }
    None
}

fn hosts_of(cluster: &Cluster, facts: &Facts, troubles: &mut Vec<Trouble>) -> Vec<HostStatus> {
    let known: BTreeSet<(usize, &str)> = cluster.run_nodes().map(|n| (n.host, n.name.as_str())).collect();
    let mut hosts = Vec::new();
    for (index, answer) in facts {
        let name = &cluster.hosts[*index].name;
        let observed = match answer {
            Ok(observed) => observed,
            Err(failure) => {
                troubles.push(Trouble {
                    subject: name.clone(),
                    what: format!("can't be asked: {}", failure.text()),
                    hint: failure.hint(name),
                });
                hosts.push(HostStatus { host: name.clone(), failure: Some(failure.text()), release: None, lock: None });
                continue;
            }
        };
        for (node, found) in &observed.nodes {
            if found.process.is_some() && !known.contains(&(*index, node.as_str())) {
                troubles.push(Trouble {
                    subject: name.clone(),
                    what: format!("runs {node}, which is not in the description any more"),
                    hint: Some("clusterctl deploy".to_owned()),
                });
            }
        }
        for stray in &observed.strays {
            let other = stray.clusterctl.as_ref().and_then(|c| c.split('/').next()).filter(|c| **c != *cluster.name);
            // One that was gone before it could be read, or that only parses, is none.
            if other.is_some() || stray.cmdline.is_empty() || stray.cmdline.contains("--parse-only") {
                continue;
            }
            let who = match (&stray.cluster_node, stray.cmdline.contains("zeekctl")) {
                (Some(node), _) if stray.clusterctl.is_some() => {
                    format!(" as {node} of this cluster, but no folder of it here knows that process")
                }
                (Some(node), true) => format!(" as {node}, started by zeekctl"),
                (None, true) => " started by zeekctl".to_owned(),
                (Some(node), false) => format!(" as {node}, not started by clusterctl"),
                (None, false) => " that clusterctl did not start".to_owned(),
            };
            troubles.push(Trouble {
                subject: name.clone(),
                what: format!("a stray Zeek runs{who} (pid {})", stray.pid),
                hint: Some(format!("if it is not meant to: kill {} on {name}", stray.pid)),
            });
        }
        if let Some(begun) = observed.journal.first().filter(|_| observed.lock.is_none()) {
            troubles.push(Trouble {
                subject: name.clone(),
                what: format!("an operation did not come to its end: {begun}"),
                hint: Some("clusterctl deploy".to_owned()),
            });
        }
        hosts.push(HostStatus {
            host: name.clone(),
            failure: None,
            release: observed.current.clone(),
            lock: observed.lock.clone(),
        });
    }
    hosts
}
