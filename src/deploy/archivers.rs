//! What becomes of archivers in a deploy: some have nothing to do any more, others nobody has started.

use std::collections::BTreeSet;

use super::prepared::Prepared;
use crate::fleet::{Fleet, HostHandle, Locks};
use crate::nodes::{NodeTask, OnFailure, archiver::writes, start_tasks, stop_tasks};
use crate::observed::Observed;
use crate::release::ARCHIVER;

/// Stops archivers that have nothing to do any more: of hosts that left, or on which no node writes logs; where a
/// deploy went back, of hosts on which none was meant to run before.
pub(crate) async fn settle(fleet: &Fleet, locks: &Locks, prepared: &Prepared, starts: &[NodeTask], back: bool) {
    let cluster = &fleet.cluster;
    let runs = |o: &Observed| o.archiver.as_ref().is_some_and(|a| a.process.is_some());
    let task = |handle: HostHandle| NodeTask {
        node: ARCHIVER.to_owned(),
        role: None,
        handle,
        release: String::new(),
        again: false,
        stays_desired: false,
    };
    let here = prepared.found.iter().enumerate().filter_map(|(host, observed)| {
        let observed = observed.as_ref()?;
        let stale = if back {
            // What was not meant to run before was started on the way.
            let meant = observed.archiver.as_ref().is_some_and(|a| a.desired_release().is_some());
            !meant && cluster.archive_on(host).is_some()
        } else {
            runs(observed) && cluster.archive_on(host).is_none()
        };
        stale.then(|| task(fleet.handle(host)))
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
            .filter(|(host, o)| o.as_ref().is_some_and(|o| !runs(o)) && cluster.archive_on(*host).is_some())
            .map(|(host, _)| NodeTask { release: prepared.release.id.clone(), ..task(fleet.handle(host)) })
            .filter(|j| !begun.contains(j.handle.name.as_str()))
            .collect();
        start_tasks(fleet, locks, &tasks, OnFailure::Ignore).await;
    }
}
