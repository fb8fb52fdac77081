//! Between two batches of a rolling restart: workers are back when the manager counts them, which is later than their
//! own `RUNNING`.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::cluster::{Backend, Cluster};
use crate::control::{self, ControlError, Reply};
use crate::fleet::{Fleet, forbidden, manager_is_ours, request};
use crate::values::Version;
use crate::zeek::{self, Live};

/// How long to wait before the manager is asked again.
const AGAIN: Duration = Duration::from_millis(200);
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits until the manager sees these workers, as long as a node may take to become ready; returns those that it does
/// not see then. Where this version's manager can't be asked, the workers' own word has to do.
///
/// # Errors
/// Why the manager could not be asked, where it never could.
pub(crate) async fn unseen(
    fleet: &Fleet,
    version: Version,
    mut workers: BTreeSet<String>,
) -> Result<BTreeSet<String>, String> {
    let cluster = &*fleet.cluster;
    if matches!(zeek::live(cluster, version), Live::None(_)) {
        return Ok(BTreeSet::new());
    }
    let limit = Instant::now() + cluster.timeouts.ready;
    let mut failure = None;
    let mut answered = false;
    let mut ours = None;
    while !workers.is_empty() && Instant::now() < limit && !fleet.is_interrupted() {
        match seen(fleet, version, &mut ours).await {
            Ok(peers) => {
                answered = true;
                workers.retain(|node| !peers.contains(node));
            }
            Err(error) => failure = Some(error),
        }
        if !workers.is_empty() {
            tokio::time::sleep(AGAIN).await;
        }
    }
    match (failure.filter(|_| !answered), cluster.manager()) {
        (Some(failure), Some(manager)) => Err(forbidden(fleet, manager.host).await.map_or(failure, |(why, _)| why)),
        _ => Ok(workers),
    }
}

/// Returns the nodes that the manager sees; `ours` is its process, once its host has told that.
async fn seen(fleet: &Fleet, version: Version, ours: &mut Option<u64>) -> Result<HashSet<String>, String> {
    let cluster: &Cluster = &fleet.cluster;
    let manager = cluster.manager().ok_or("there is no manager")?;
    let handle = fleet.handle(manager.host);
    let stream = handle
        .connection
        .dial(cluster.ports.control, fleet.settings.question)
        .await
        .map_err(|failure| failure.text())?;
    let backend: Backend = zeek::backend(cluster, version);
    let topics = zeek::topics(cluster, version, backend);
    let whom = [(manager.name.clone(), topics.node(&manager.name))];
    let answers = control::ask_status(stream, zeek::ANSWERS, &whom, request(), Instant::now() + PATIENCE).await;
    let answers = match answers {
        Ok(answers) => answers,
        // It is there and says nothing: it does not see anybody yet, or hangs.
        Err(ControlError::NoHandshake | ControlError::NoAck) => return Ok(HashSet::new()),
        Err(error) => return Err(error.to_string()),
    };
    manager_is_ours(fleet, &answers.nodes, ours).await?;
    match answers.nodes.into_values().next() {
        Some(Reply::Answer(status)) => Ok(status.peers.into_iter().collect()),
        Some(Reply::Bad(why)) => Err(why),
        Some(Reply::NoReply) | None => Ok(HashSet::new()),
    }
}
