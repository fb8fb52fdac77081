//! Does what was planned: refuses, locks the hosts, plans again, and runs the phases (`phases`). Before the first host activates the release
//! nothing has changed anywhere; each node always runs one whole release.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;

use super::options::Excluded;
use super::phases::{ActivationState, Run};
use super::prepare::prepare;
use super::prepared::{Goal, Prepared};
use super::report::{DeployReport, PendingHost};
use super::survey::tolerable;
use super::{keys, resume, rollback};
use crate::cluster::name_ranges;
use crate::error::{CommandError, Error};
use crate::fleet::{Event, Fleet, Locks, Operation, locked};
use crate::nodes::{NodeOutcome, Outcome, peers};
use crate::observed::OperationKind;
use crate::plan::{NotObserved, PossibleDuplicate};

/// Asked if the plan has changed after the hosts were locked; an error ends the operation before anything has changed.
pub type Agree<'a> = &'a mut dyn FnMut(&Prepared) -> BoxFuture<'static, Result<(), CommandError>>;

/// Does what was planned.
///
/// # Errors
/// Where nothing was changed. Once something was, the report tells how it ended.
pub async fn apply(
    fleet: &Fleet,
    shown: Prepared,
    kind: OperationKind,
    agree: Agree<'_>,
) -> Result<DeployReport, CommandError> {
    allowed(&shown)?;
    let operation = Operation::new(kind);
    let mut handles = fleet.handles(shown.release.parts.iter().map(|p| p.host));
    handles.extend(shown.leaving.iter().map(|(handle, _)| handle.clone()));
    let (locks, lost) = fleet.unless_interrupted(Locks::take_those(fleet, &handles, &operation)).await??;
    let prepared =
        match fleet.unless_interrupted(Box::pin(replan(fleet, &shown, &lost))).await.map_err(CommandError::from) {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(failure)) | Err(failure) => {
                locks.release().await;
                return Err(failure);
            }
        };
    if let Err(failure) = allowed(&prepared) {
        locks.release().await;
        return Err(failure);
    }
    if !prepared.same_effect(&shown) {
        fleet.emit(Event::Note { text: "the hosts have changed in the meantime; this is the new plan".to_owned() });
        // That is shown before the plan is.
        tokio::task::yield_now().await;
        let answer = match fleet.unless_interrupted(agree(&prepared)).await {
            Ok(answer) => answer,
            Err(interrupted) => Err(interrupted.into()),
        };
        if let Err(error) = answer {
            locks.release().await;
            return Err(error);
        }
    }
    let mut run = Run {
        fleet,
        prepared: &prepared,
        locks: &locks,
        dropped_hosts: BTreeMap::new(),
        touched: ActivationState::Nothing,
    };
    let mut result = Box::pin(run.all()).await;
    let (lost, touched) = (run.dropped_hosts, run.touched);
    // An operation that failed and was not undone leaves its journal, so that the next one can tell; and one that was
    // undone leaves that of another, which was not.
    let before = prepared.found.iter().flatten().any(|o| !o.journal.is_empty());
    let settled = match &result {
        Ok(report) if report.done => true,
        Ok(report) => {
            let well = |nodes: &Vec<NodeOutcome>| nodes.iter().all(|o| o.outcome.is_good());
            !before && report.not_back.is_empty() && report.rolled_back.as_ref().is_some_and(well)
        }
        Err(_) => !before && touched == ActivationState::Reverted,
    };
    if !settled {
        locks.release().await;
        return result;
    }
    // What was lost on the way is for the next one to finish.
    let mut but: BTreeSet<String> = lost.keys().map(|i| fleet.cluster.hosts[*i].name.clone()).collect();
    if let Ok(report) = &result {
        let away = report.nodes.iter().filter(|o| matches!(o.outcome, Outcome::Unreachable(_)));
        but.extend(away.map(|o| o.host.clone()));
    }
    let unended = locks.finish(&but).await;
    if let Ok(report) = &mut result {
        let why = |why: String| format!("could not mark the operation as finished: {why}");
        if report.done {
            let (started, beside) = (started(report), beside(&prepared, report));
            report.lacks = peers::wait_until_connected(fleet, Some(prepared.version), &started, &beside).await;
        }
        report.pending.extend(unended.into_iter().map(|(host, reason)| PendingHost { host, why: why(reason) }));
    }
    result
}

/// The nodes that were started.
fn started(report: &DeployReport) -> BTreeSet<String> {
    report.nodes.iter().filter(|o| o.outcome == Outcome::Ready).map(|o| o.node.clone()).collect()
}

/// The nodes that run and were not touched.
fn beside(prepared: &Prepared, report: &DeployReport) -> BTreeSet<String> {
    let touched: BTreeSet<&str> = report.nodes.iter().map(|o| o.node.as_str()).collect();
    let nodes = prepared.found.iter().flatten().flat_map(|o| &o.nodes).filter(|(_, node)| node.process.is_some());
    nodes.map(|(name, _)| name).filter(|name| !touched.contains(name.as_str())).cloned().collect()
}

/// How often a held lock is looked at before it is an error: that of a clusterctl that has just ended is free in a moment.
const LOOKS: usize = 3;
/// How long to wait before it is.
const AGAIN: Duration = Duration::from_secs(1);

/// Makes sure that no other operation holds a lock on hosts that were locked when they were observed: what it leaves is
/// not what was planned on.
///
/// # Errors
/// Says which host is locked, and by whom.
pub async fn unlocked(fleet: &Fleet, planned: &Prepared) -> Result<(), CommandError> {
    let hosts = planned.found.iter().enumerate();
    let hosts = hosts.filter_map(|(index, observed)| Some((fleet.handle(index), observed.as_ref()?.lock.clone()?)));
    let leaving = planned.leaving.iter().filter_map(|(handle, o)| Some((handle.clone(), o.lock.clone()?)));
    let mut held: Vec<_> = hosts.chain(leaving).collect();
    // All at each look: they may be as many as the cluster has.
    for _ in 0..LOOKS {
        if held.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
        // A host that does not answer now is the lock's business.
        held = stream::iter(held)
            .map(|(handle, _)| async move {
                let now = fleet.observe_one(&handle).await.ok()?.lock?;
                Some((handle, now))
            })
            .buffered(fleet.settings.parallel.max(1))
            .filter_map(std::future::ready)
            .collect()
            .await;
    }
    if let Some((handle, holder)) = held.first() {
        return Err(locked(&handle.name, holder, handle.index.is_some()).into());
    }
    Ok(())
}

/// Refuses what a plan would do and nobody has agreed to.
///
/// # Errors
/// Says what that is, and which option agrees to it.
pub fn allowed(planned: &Prepared) -> Result<(), CommandError> {
    let offers = planned.options.offers;
    refuse_duplicates(planned.doubled())?;
    if let Some(change) = &planned.plan.backend_change
        && !planned.options.accept_backend_change
    {
        let (from, to) = (&change.from, &change.to);
        return Err(Error::failed(format!("the backend would change from {from} to {to}; nothing changed"))
            .hint(if offers.backend {
                "all nodes would stop and start; to accept that: --accept-backend-change"
            } else {
                "all nodes would stop and start; to accept that: clusterctl deploy --accept-backend-change"
            })
            .into());
    }
    if let Some(upgrade) = &planned.plan.upgrade {
        let why = if planned.options.no_restart {
            Some("with --no-restart some nodes would stay on the old version")
        } else if upgrade.other_version && !planned.excluded.is_empty() {
            Some("hosts that are left out would stay on the old version")
        } else {
            None
        };
        if let Some(why) = why {
            return Err(Error::failed(format!("not all nodes would move to Zeek {}; nothing changed", upgrade.to))
                .because(format!("a cluster runs one version of Zeek, and {why}"))
                .hint("deploy all hosts at once; to leave a host out, stop its nodes and set `enabled: false` there")
                .into());
        }
    }
    if (planned.options.no_restart || !planned.excluded.is_empty()) && keys::replaces(&planned.release, &planned.found)
    {
        return Err(Error::failed("keys change, and not all nodes would restart; nothing changed")
            .because("nodes with old keys and nodes with new keys reject each other")
            .hint("run it without --no-restart, --skip and --allow-failed; to leave a host out, stop its nodes and set `enabled: false` there")
            .into());
    }
    Ok(())
}

/// Refuses to start a manager, logger or proxy that may still run on a host that was not observed.
fn refuse_duplicates<'a>(nodes: impl Iterator<Item = &'a PossibleDuplicate>) -> Result<(), Error> {
    let mut hosts: BTreeMap<(&str, NotObserved), Vec<&str>> = BTreeMap::new();
    for one in nodes.filter(|one| !one.duplicate_is_tolerable()) {
        hosts.entry((&one.host, one.why)).or_default().push(&one.node);
    }
    if hosts.is_empty() {
        return Ok(());
    }
    let mut error = Error::failed("a manager, logger or proxy could run twice; nothing changed");
    for ((host, why), nodes) in hosts {
        let nodes = name_ranges(nodes).join(", ");
        error = error.because(format!("{nodes} may still run on {host}, which cannot be reached")).hint(match why {
            NotObserved::Left => format!("if {host} is gone for good, list it under `removed` with `enabled: false`"),
            _ => format!(
                "if {host} is gone for good, set `enabled: false` there; otherwise deploy when it can be reached"
            ),
        });
    }
    Err(error)
}

/// Plans once more, now that nobody else changes anything.
async fn replan(fleet: &Fleet, shown: &Prepared, lost: &[(String, String)]) -> Result<Prepared, CommandError> {
    let mut options = shown.options.clone();
    let mut gone: BTreeMap<usize, Excluded> =
        shown.excluded.iter().filter(|(_, why)| **why != Excluded::Skipped).map(|(i, why)| (*i, why.clone())).collect();
    for (name, why) in lost {
        match fleet.cluster.hosts.iter().position(|h| h.name == *name) {
            Some(index) => drop(gone.insert(index, Excluded::Failed(why.clone()))),
            None => return Err(Error::failed(format!("cannot lock {name}; nothing changed")).because(why).into()),
        }
    }
    let nodes: Vec<&str> =
        fleet.cluster.run_nodes().filter(|n| gone.contains_key(&n.host)).map(|n| n.name.as_str()).collect();
    if !gone.is_empty() && !options.without_those_away && !tolerable(&fleet.cluster, &options, &nodes) {
        let error = Error::failed("could not lock all hosts; nothing changed");
        let error = lost.iter().fold(error, |e, (name, why)| e.because(format!("{name}: {why}")));
        return Err(error.into());
    }
    // Those that were not locked are not to come back in between.
    options.skip.extend(gone.keys());
    let mut prepared = match &shown.goal {
        Goal::Release(target) => rollback::prepare_on(fleet, target, &options).await?,
        Goal::UpToDate(hosts) => resume::prepare_resume(fleet, hosts.as_ref(), &options.new_keys).await?,
        Goal::Description => prepare(fleet, &options).await?,
    };
    prepared.options = shown.options.clone();
    prepared.excluded.extend(gone);
    Ok(prepared)
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Role;

    #[test]
    fn a_second_manager_is_refused_and_a_second_worker_is_not() {
        let one = |role, why| PossibleDuplicate { node: "x".to_owned(), role, host: "old".to_owned(), why };
        assert!(
            refuse_duplicates([one(Role::Worker, NotObserved::Away), one(Role::Manager, NotObserved::Disabled)].iter())
                .is_ok()
        );
        let error = refuse_duplicates([one(Role::Logger, NotObserved::Away)].iter()).unwrap_err();
        assert!(error.hints.iter().any(|hint| hint.contains("`enabled: false` there")), "{error:?}");
        let error = refuse_duplicates([one(Role::Proxy, NotObserved::Left)].iter()).unwrap_err();
        assert!(error.hints.iter().any(|hint| hint.contains("list it under `removed` with")), "{error:?}");
    }
}
