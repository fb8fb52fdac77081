//! Between two batches of a rolling restart: workers are back when the manager counts them, which is later than their
//! own `RUNNING`.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::control::{ControlError, NoAnswer, StatusQuestion};
use crate::fleet::{Fleet, Rounds, Unasked};
use crate::values::Version;

/// How long to wait before the manager is asked again.
const AGAIN: Duration = Duration::from_millis(200);
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why it is not known whom the manager sees.
enum Failed {
    /// It could not be asked.
    Unasked(Unasked),
    /// What it said is no answer.
    Answer(NoAnswer),
}

/// Waits until the manager sees these workers, as long as a node may take to become ready; returns those that it does
/// not see then. Where this version's manager can't be asked, the workers' own word has to do.
///
/// # Errors
/// Why the manager could not be asked, where it never could.
pub(crate) async fn wait_until_counted(
    fleet: &Fleet,
    version: Version,
    mut workers: BTreeSet<String>,
) -> Result<BTreeSet<String>, String> {
    let manager = fleet.cluster.manager();
    let Some(mut rounds) = Rounds::new(fleet, version, manager) else { return Ok(BTreeSet::new()) };
    let limit = Instant::now() + fleet.cluster.timeouts.ready;
    let mut failure = None;
    let mut answered = false;
    while !workers.is_empty() && Instant::now() < limit && !fleet.is_interrupted() {
        match seen(fleet, &mut rounds).await {
            Ok(peers) => {
                answered = true;
                workers.retain(|node| !peers.contains(node));
            }
            Err(why) => failure = Some(why),
        }
        if !workers.is_empty() {
            tokio::time::sleep(AGAIN).await;
        }
    }
    match (failure.filter(|_| !answered), manager) {
        (Some(Failed::Unasked(why)), Some(manager)) => {
            Err(why.because_of_the_host(fleet, manager.host).await.to_string())
        }
        (Some(Failed::Unasked(why)), None) => Err(why.to_string()),
        (Some(Failed::Answer(why)), _) => Err(why.to_string()),
        _ => Ok(workers),
    }
}

/// Returns the nodes that the manager sees.
async fn seen(fleet: &Fleet, rounds: &mut Rounds<'_>) -> Result<HashSet<String>, Failed> {
    match rounds.ask(&StatusQuestion::unique(), fleet.settings.question, PATIENCE).await {
        Ok(answers) => match answers.into_values().next() {
            Some(Ok(status)) => Ok(status.peers.into_iter().collect()),
            Some(Err(NoAnswer::Silent)) | None => Ok(HashSet::new()),
            Some(Err(why)) => Err(Failed::Answer(why)),
        },
        // It is there and says nothing: it does not see anybody yet, or hangs.
        Err(Unasked::Refused(ControlError::NoHandshake | ControlError::NoAck)) => Ok(HashSet::new()),
        Err(why) => Err(Failed::Unasked(why)),
    }
}
