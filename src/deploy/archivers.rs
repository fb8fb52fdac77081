//! What becomes of archivers in a deploy: some have nothing to do any more, others nobody has started, or another runner
//! has.

use std::collections::BTreeSet;

use super::prepared::Prepared;
use crate::cluster::RunnerKind;
use crate::fleet::{Fleet, HostHandle, Locks};
use crate::nodes::{NodeTask, OnFailure, archiver::writes, start_tasks, stop_tasks};
use crate::observed::Observed;
use crate::release::ARCHIVER;

/// Tells whether another runner than that of the description keeps the archiver running.
fn is_kept_by_another(observed: &Observed, runner: RunnerKind) -> bool {
    let unit = runner == RunnerKind::Systemd;
    observed.archiver.as_ref().is_some_and(|a| a.process.is_some() && a.supervised && a.unit != unit)
}

/// Stops archivers that have nothing to do any more: of hosts that left, or on which no node writes logs; where a
/// deploy went back, of hosts on which none was meant to run before.
pub(crate) async fn reconcile(fleet: &Fleet, locks: &Locks, prepared: &Prepared, starts: &[NodeTask], back: bool) {
    let cluster = &fleet.cluster;
    let runs = |o: &Observed| o.archiver.as_ref().is_some_and(|a| a.process.is_some());
    let others = |o: &Observed| is_kept_by_another(o, cluster.runner);
    let task = |handle: HostHandle| NodeTask {
        node: ARCHIVER.to_owned(),
        role: None,
        handle,
        release: String::new(),
        starts_next: false,
        stays_desired: false,
    };
    let here = prepared.found.iter().enumerate().filter_map(|(host, observed)| {
        let observed = observed.as_ref()?;
        let stale = if back {
            // What was not meant to run before was started on the way.
            let meant = observed.archiver.as_ref().is_some_and(|a| a.desired_release().is_some());
            !meant && cluster.archive_on(host).is_some()
        } else {
            runs(observed) && cluster.archive_on(host).is_none() || others(observed)
        };
        stale.then(|| NodeTask { starts_next: cluster.archive_on(host).is_some() && !back, ..task(fleet.handle(host)) })
    });
    let left = prepared.leaving.iter().filter(|(_, o)| !back && runs(o)).map(|(handle, _)| task(handle.clone()));
    let tasks: Vec<NodeTask> = here.chain(left).collect();
    // What is not good is told; there is nothing else to do about it.
    stop_tasks(fleet, locks, &tasks, OnFailure::Ignore).await;
    if !back {
        // Where loggers were started, their archiver was as well.
        let begun: BTreeSet<&str> =
            starts.iter().filter(|j| writes(cluster, j)).map(|j| j.handle.name.as_str()).collect();
        let tasks: Vec<NodeTask> = prepared
            .found
            .iter()
            .enumerate()
            .filter_map(|(host, o)| {
                Some((fleet.handle(host), o.as_ref()?)).filter(|_| cluster.archive_on(host).is_some())
            })
            .filter(|(handle, o)| others(o) || !runs(o) && !begun.contains(handle.name.as_str()))
            .map(|(handle, _)| NodeTask { release: prepared.release.id.clone(), ..task(handle) })
            .collect();
        start_tasks(fleet, locks, &tasks, OnFailure::Ignore).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archiver_follows_the_runner() {
        let process = "process 77 S 1 77 77 0 -1 4194304 0 0 0 0 150 50 0 0 20 0 1 0 90050 1000 1";
        let found = |lines: &[&str]| Observed::of(&[&["node log-archiver"], lines, &["nodes end"]].concat());
        for (said, runner, other) in [
            ("supervised", RunnerKind::Process, RunnerKind::Systemd),
            ("supervised unit", RunnerKind::Systemd, RunnerKind::Process),
        ] {
            assert!(!is_kept_by_another(&found(&[process, said]), runner), "{said}");
            assert!(is_kept_by_another(&found(&[process, said]), other), "{said}");
            assert!(!is_kept_by_another(&found(&[said]), other), "it does not run");
        }
        assert!(!is_kept_by_another(&found(&[process]), RunnerKind::Systemd), "nothing keeps it running");
    }
}
