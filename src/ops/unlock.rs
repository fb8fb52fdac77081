//! Freeing the lock of a holder that does not let go of it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Failure;
use super::fleet::{Detail, Fleet, Seat};
use super::stage::verdict;
use crate::transport::Call;

const UNLOCK: &str = concat!(
    include_str!("../../templates/say.sh"),
    include_str!("../../templates/lib.sh"),
    include_str!("../../templates/unlock.sh")
);

/// A host's lock.
#[derive(Debug, Clone, Serialize)]
pub struct HeldLock {
    /// The host.
    pub host: String,
    /// Who holds it, and since when.
    pub holder: String,
    #[serde(skip)]
    seat: Seat,
    #[serde(skip)]
    operation: String,
}

/// The locks of hosts.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LocksReport {
    /// Those that are held.
    pub held: Vec<HeldLock>,
    /// Hosts that could not be asked, or whose lock could not be freed; and why.
    pub failed: Vec<(String, String)>,
}

/// Looks which of these hosts are locked; none: all.
pub async fn locks(fleet: &Fleet, hosts: Option<&BTreeSet<usize>>) -> LocksReport {
    let mut report = LocksReport::default();
    let which = fleet.enabled().into_iter().filter(|i| hosts.is_none_or(|h| h.contains(i)));
    let mut answers = fleet.observe(fleet.seats(which), Detail::Brief).await;
    answers.sort_by_key(|(seat, _)| seat.index);
    for (seat, answer) in answers {
        match answer {
            Ok(observed) => {
                if let (Some(holder), Some(operation)) = (observed.lock, observed.lock_operation) {
                    report.held.push(HeldLock { host: seat.name.clone(), holder, seat, operation });
                }
            }
            Err(failure) => report.failed.push((seat.name, failure.text())),
        }
    }
    report
}

/// Frees locks that were looked at.
///
/// # Errors
/// None so far: what could not be freed is in the report.
pub async fn unlock(fleet: &Fleet, mut report: LocksReport) -> Result<LocksReport, Failure> {
    let held = std::mem::take(&mut report.held);
    let seats = held.iter().map(|h| h.seat.clone()).collect();
    let operations = &held;
    let answers = fleet
        .each("unlocking", seats, |seat| async move {
            let operation = operations.iter().find(|h| h.host == seat.name).map_or("", |h| h.operation.as_str());
            let call = Call::new(UNLOCK, fleet.settings.question).arg(&seat.folders.home).arg(operation);
            let answer = match seat.connection.run(call).await {
                Ok(reply) if reply.lines.iter().any(|l| l == "free") => Ok(()),
                Ok(reply) => verdict(&reply, "unlocked"),
                Err(failure) => Err(failure.text()),
            };
            let failure = answer.clone().err();
            (answer, failure)
        })
        .await;
    for (seat, answer) in answers {
        match answer {
            Ok(()) => report.held.extend(held.iter().find(|h| h.host == seat.name).cloned()),
            Err(why) => report.failed.push((seat.name, why)),
        }
    }
    Ok(report)
}
