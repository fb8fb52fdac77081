//! What hosts and nodes say: process facts from the hosts and answers over the control topics, gathered at the same
//! time; neither can hang or hide the other.

mod report;
mod strays;
mod types;
mod whose;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Selection;
use super::fleet::{Detail, Fleet};
use crate::cluster::{Backend, Cluster, Node};
use crate::control::{self, Answers};
use crate::observed::Observed;
use crate::transport::Failure;
use crate::values::Version;
use crate::zeek::{self, Live};

pub(super) use report::process_row;
pub use types::{Health, HostStatus, NodeRow, State, StatusReport, Trouble, Workers};
pub(super) use whose::{manager_is_ours, only_ours};

/// How long the question to the nodes waits for slow hosts' facts; after that it is asked of all that might run.
const SLOW_HOSTS: Duration = Duration::from_millis(1500);

pub(super) type Facts = BTreeMap<usize, Result<Observed, Failure>>;

/// What came of asking the nodes.
enum Asked {
    /// They were asked; with the version that the manager told.
    Done(Answers<control::NodeStatus>),
    /// They were not, and that is no trouble; why.
    Never(String),
    /// They should have been; why not, and what to do where that is known.
    Failed(String, Option<String>),
    /// Something else answered in their place; what.
    Strangers(String),
}

/// Asks hosts and nodes.
pub async fn status(fleet: &Fleet, selection: &Selection) -> StatusReport {
    let cluster = &*fleet.cluster;
    let (facts, asked) =
        gather(fleet, selection, async |facts: &Mutex<Facts>, news| ask(fleet, selection, facts, news).await).await;
    let asked = because_of_facts(cluster, &facts, ours(cluster, &facts, asked));
    report::report(cluster, selection, &facts, &asked)
}

/// Gathers the facts of the hosts of a selection, and asks the nodes at the same time; `ask` is told when facts come.
pub(super) async fn gather<T>(
    fleet: &Fleet,
    selection: &Selection,
    ask: impl AsyncFnOnce(&Mutex<Facts>, watch::Receiver<bool>) -> T,
) -> (Facts, T) {
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
    let ((), asked) = tokio::join!(gather, ask(&facts, news));
    (facts.into_inner().unwrap_or_default(), asked)
}

/// What runs, or else what the description says: version and backend.
pub(super) fn running(cluster: &Cluster, facts: &Facts) -> Option<(Version, Backend)> {
    let deployed = cluster.manager().and_then(|m| facts.get(&m.host)?.as_ref().ok()?.running.as_ref()).and_then(
        |(version, backend)| {
            let backend = if backend == Backend::Zeromq.name() { Backend::Zeromq } else { Backend::Broker };
            Some((version.parse::<Version>().ok()?, backend))
        },
    );
    deployed.or_else(|| cluster.zeek.version.map(|v| (v, zeek::backend(cluster, v))))
}

/// Waits for the facts of all hosts; of slow ones only if the question can't be asked without them.
pub(super) async fn enough(cluster: &Cluster, manager: usize, facts: &Mutex<Facts>, mut news: watch::Receiver<bool>) {
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

/// Returns what tells the requests of this question from all others.
pub(super) fn request() -> String {
    format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond())
}

/// Asks the nodes while the hosts' facts come in: connection and hello need none of them, the question does.
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
    let question = fleet.settings.question;
    let stream = match fleet.seat(manager.host).connection.dial(cluster.ports.control, question).await {
        Ok(stream) => stream,
        Err(failure) => return Asked::Failed(failure.text(), None),
    };
    let whom = async {
        enough(cluster, manager.host, facts, news).await;
        facts.lock().map(|facts| whom(cluster, selection, manager, &facts)).unwrap_or_default()
    };
    let request = request();
    let ready = Instant::now() + question;
    let patience = cluster.timeouts.control;
    match control::ask_status_of(stream, zeek::ANSWERS, whom, request, ready, patience).await {
        Ok(answers) => Asked::Done(answers),
        Err(error) => match forbidden(fleet, manager.host).await {
            Some((why, hint)) => Asked::Failed(why, hint),
            None => Asked::Failed(error.to_string(), None),
        },
    }
}

/// Tells whether it is the manager's host that keeps us from its control port, and what to do about it. Without that, a
/// connection that is refused looks as if nobody listened there.
pub(super) async fn forbidden(fleet: &Fleet, manager: usize) -> Option<(String, Option<String>)> {
    let seat = fleet.seat(manager);
    let failure = seat.connection.forbids(fleet.cluster.ports.control, fleet.settings.question).await?;
    Some((format!("{}: {}", seat.name, failure.text()), failure.hint(&seat.name)))
}

/// Returns the nodes to ask, with their topics: those that run or might; none if nothing is known of the cluster.
fn whom(cluster: &Cluster, selection: &Selection, manager: &Node, facts: &Facts) -> Vec<(String, String)> {
    let Some((version, backend)) = running(cluster, facts) else { return Vec::new() };
    let topics = zeek::topics(cluster, version, backend);
    let mut nodes: Vec<&Node> = selection.nodes(cluster).filter(|n| might_run(cluster, facts, n)).collect();
    // It counts the workers, whoever else was selected.
    if !nodes.iter().any(|n| n.name == manager.name) {
        nodes.push(manager);
    }
    nodes.into_iter().map(|n| (n.name.clone(), topics.node(&n.name))).collect()
}

/// Tells whether a node runs, or might for all that is known.
pub(super) fn might_run(cluster: &Cluster, facts: &Facts, node: &Node) -> bool {
    match facts.get(&node.host) {
        Some(Ok(observed)) => runs(observed, &node.name),
        Some(Err(_)) | None => cluster.hosts[node.host].enabled,
    }
}

/// Leaves of the answers those that nodes of this cluster gave.
fn ours(cluster: &Cluster, facts: &Facts, asked: Asked) -> Asked {
    let Asked::Done(mut answers) = asked else { return asked };
    match only_ours(cluster, facts, &mut answers) {
        Ok(()) => Asked::Done(answers),
        Err(why) => Asked::Strangers(why),
    }
}

/// Puts the reason that the facts give, if they do, in the place of what the connection said.
fn because_of_facts(cluster: &Cluster, facts: &Facts, asked: Asked) -> Asked {
    let Asked::Failed(why, hint) = asked else { return asked };
    if let Some((version, _)) = running(cluster, facts)
        && let Live::None(why) = zeek::live(cluster, version)
    {
        return Asked::Never(why);
    }
    match cluster.manager().and_then(|m| Some((m, facts.get(&m.host)?.as_ref().ok()?))) {
        Some((manager, observed)) if !runs(observed, &manager.name) => {
            Asked::Failed("the manager is not running".to_owned(), None)
        }
        _ => Asked::Failed(why, hint),
    }
}

pub(super) fn runs(observed: &Observed, node: &str) -> bool {
    observed.nodes.get(node).is_some_and(|n| n.process.is_some())
}
