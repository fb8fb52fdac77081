//! The facts of hosts, which come in while their nodes are asked, so that neither can hang or hide the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::hosts::Fleet;
use super::select::Selection;
use crate::cluster::{Backend, Cluster, Node};
use crate::observed::Observed;
use crate::transport::Failure;
use crate::values::Version;
use crate::zeek;

/// How long the question to the nodes waits for slow hosts' facts; after that it is asked of all that might run.
const SLOW_HOSTS: Duration = Duration::from_millis(1500);

pub(crate) type Facts = BTreeMap<usize, Result<Observed, Failure>>;

/// Gathers the facts of the hosts of a selection, and asks the nodes at the same time; `ask` is told when facts come.
pub(super) async fn gather<T>(
    fleet: &Fleet,
    selection: &Selection,
    ask: impl AsyncFnOnce(&Mutex<Facts>, watch::Receiver<bool>) -> T,
) -> (Facts, T) {
    let cluster = &*fleet.cluster;
    let mut hosts: BTreeSet<usize> = fleet.selected_hosts(selection).into_iter().collect();
    // The manager's host knows what is deployed, and its answer says more about all the others.
    hosts.extend(cluster.manager().map(|m| m.host));
    let handles = fleet.handles(hosts.into_iter().filter(|i| cluster.hosts[*i].enabled));
    let facts: Mutex<Facts> = Mutex::new(BTreeMap::new());
    let (told, news) = watch::channel(false);
    let gather = async {
        fleet
            .each("asking hosts", handles, |handle| {
                let (facts, told) = (&facts, &told);
                async move {
                    let answer = fleet.observe_one(&handle).await;
                    let ended = answer.as_ref().map(drop).map_err(Failure::text);
                    if let (Some(index), Ok(mut facts)) = (handle.index, facts.lock()) {
                        facts.insert(index, answer);
                    }
                    told.send_replace(false);
                    ended
                }
            })
            .await;
        told.send_replace(true);
    };
    let ((), asked) = tokio::join!(gather, ask(&facts, news));
    (facts.into_inner().unwrap_or_default(), asked)
}

/// What runs, or else what the description says: version and backend.
pub(crate) fn running(cluster: &Cluster, facts: &Facts) -> Option<(Version, Backend)> {
    let deployed = cluster.manager().and_then(|m| facts.get(&m.host)?.as_ref().ok()?.running.as_ref()).and_then(
        |(version, backend)| {
            let backend = if backend == Backend::Zeromq.name() { Backend::Zeromq } else { Backend::Broker };
            Some((version.parse::<Version>().ok()?, backend))
        },
    );
    deployed.or_else(|| cluster.zeek.version.map(|v| (v, zeek::backend(cluster, v))))
}

/// Waits for the facts of all hosts; of slow ones only if the question can't be asked without them.
pub(super) async fn wait_for_facts(
    cluster: &Cluster,
    manager: usize,
    facts: &Mutex<Facts>,
    mut news: watch::Receiver<bool>,
) {
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

/// Tells whether a node runs, or might for all that is known.
pub(super) fn might_run(cluster: &Cluster, facts: &Facts, node: &Node) -> bool {
    match facts.get(&node.host) {
        Some(Ok(observed)) => runs(observed, &node.name),
        Some(Err(_)) | None => cluster.hosts[node.host].enabled,
    }
}

pub(crate) fn runs(observed: &Observed, node: &str) -> bool {
    observed.nodes.get(node).is_some_and(|n| n.process.is_some())
}
