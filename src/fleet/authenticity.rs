//! Whose answers they are. Behind the control port may stand the manager of another cluster, and nodes of the same names:
//! an answer counts only if it comes from the process that its host knows as the node's.

use std::collections::BTreeMap;
use std::fmt;

use super::facts::Facts;
use super::hosts::Fleet;
use crate::cluster::{Cluster, Node};
use crate::control::NoAnswer;
use crate::observed::Origin;

/// Something that answers behind the control port and is not this cluster's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForeignResponder {
    /// The control port.
    port: u16,
    /// The manager's host.
    host: String,
    /// The process that answers.
    pid: u64,
    /// The cluster that it belongs to, and that one's folder, as far as the host knows.
    cluster: Option<(String, Option<String>)>,
}

impl fmt::Display for ForeignResponder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, host, pid, cluster } = self;
        write!(f, "port {port} of {host} is not this cluster's: ")?;
        match cluster {
            Some((cluster, Some(folder))) => write!(f, "the cluster `{cluster}` in {folder}")?,
            Some((cluster, None)) => write!(f, "the cluster `{cluster}`")?,
            None => f.write_str("another Zeek")?,
        }
        write!(f, " answers there (pid {pid}); give one of them another `ports.control`")
    }
}

/// Takes from answers those that are not our nodes'; `process` tells which process an answer names as its sender. Tells
/// whether one is known to be ours.
///
/// # Errors
/// Where no answer is ours and one comes from another process: then no answer on that connection counts.
pub(super) fn reject_foreign<T>(
    cluster: &Cluster,
    facts: &Facts,
    answers: &mut BTreeMap<String, Result<T, NoAnswer>>,
    process: impl Fn(&T) -> Option<u64>,
) -> Result<bool, ForeignResponder> {
    let mut ours = false;
    let mut stranger = None;
    for (name, said) in answers {
        let Some(pid) = said.as_ref().ok().and_then(&process) else { continue };
        let Some(node) = cluster.nodes.iter().find(|n| n.name == *name) else { continue };
        let Some(Ok(observed)) = facts.get(&node.host) else { continue };
        let own = observed.nodes.get(name).and_then(|n| Some(n.process.as_ref()?.pid));
        if own.map(u64::from) == Some(pid) {
            ours = true;
            continue;
        }
        stranger = stranger.or(Some((node, pid)));
        *said = Err(NoAnswer::OtherProcess { pid, own });
    }
    match stranger {
        Some((node, pid)) if !ours => Err(who(cluster, facts, node, pid)),
        _ => Ok(ours),
    }
}

/// As [`reject_foreign`], of the process that answers as the manager, for a command that has not looked at the hosts: its host
/// is asked, unless `known` has that process from the last time.
///
/// # Errors
/// Where its host knows another one, or none.
pub(super) async fn verify_manager(
    fleet: &Fleet,
    manager: &Node,
    pid: u64,
    known: &mut Option<u64>,
) -> Result<(), ForeignResponder> {
    if *known == Some(pid) {
        return Ok(());
    }
    let observed = fleet.observe_one(&fleet.handle(manager.host)).await;
    let mut answers = BTreeMap::from([(manager.name.clone(), Ok(pid))]);
    let facts = Facts::from([(manager.host, observed)]);
    // A host that can't be asked now says nothing against it.
    if reject_foreign(&fleet.cluster, &facts, &mut answers, |pid| Some(*pid))? {
        *known = Some(pid);
    }
    Ok(())
}

/// Finds out what answers behind the control port.
fn who(cluster: &Cluster, facts: &Facts, node: &Node, pid: u64) -> ForeignResponder {
    let manager = cluster.manager().unwrap_or(node);
    let unmanaged = facts.get(&node.host).and_then(|f| f.as_ref().ok()).map_or(&[][..], |o| &o.unmanaged);
    let origin = unmanaged.iter().find(|s| u64::from(s.pid) == pid).map(|s| &s.origin);
    let cluster_of = match origin {
        Some(Origin::Clusterctl { cluster, folder, .. }) => Some((cluster.clone(), folder.clone())),
        _ => None,
    };
    ForeignResponder {
        port: cluster.ports.control,
        host: cluster.host_of(manager).name.clone(),
        pid,
        cluster: cluster_of,
    }
}
