//! Whose answers they are. Behind the control port may stand the manager of another cluster, and nodes of the same names:
//! an answer counts only if it comes from the process that its host knows as the node's.

use super::Facts;
use crate::cluster::{Cluster, Node};
use crate::control::{Answers, NodeStatus, Reply};
use crate::observed::Origin;

/// Takes from answers those that are not our nodes'. Tells what else answers where not one was ours; then neither the
/// version nor anything else that was said on that connection counts.
///
/// # Errors
/// With the reason in words.
pub(in crate::ops) fn only_ours(
    cluster: &Cluster,
    facts: &Facts,
    answers: &mut Answers<NodeStatus>,
) -> Result<(), String> {
    let mut ours = false;
    let mut stranger = None;
    for (name, reply) in &mut answers.nodes {
        let Reply::Answer(status) = reply else { continue };
        let Some(node) = cluster.nodes.iter().find(|n| n.name == *name) else { continue };
        let Some(Ok(observed)) = facts.get(&node.host) else { continue };
        let pid = observed.nodes.get(name).and_then(|n| Some(n.process.as_ref()?.pid));
        if pid.map(u64::from) == Some(status.pid) {
            ours = true;
            continue;
        }
        stranger = stranger.or(Some((node, status.pid)));
        let its = pid.map_or_else(|| "it does not run".to_owned(), |pid| format!("its own is {pid}"));
        *reply = Reply::Bad(format!("the process {} answers by its name, and {its}", status.pid));
    }
    match stranger {
        Some((node, pid)) if !ours => Err(who(cluster, facts, node, pid)),
        // Where not one is known to be ours, what was said on that connection is nobody's.
        _ if !ours => {
            answers.version.clear();
            for reply in answers.nodes.values_mut().filter(|reply| matches!(reply, Reply::Answer(_))) {
                *reply = Reply::NoReply;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Says what answers behind the control port.
fn who(cluster: &Cluster, facts: &Facts, node: &Node, pid: u64) -> String {
    let manager = cluster.manager().unwrap_or(node);
    let host = &cluster.host_of(manager).name;
    let strays = facts.get(&node.host).and_then(|f| f.as_ref().ok()).map_or(&[][..], |o| &o.strays);
    let cluster_of = strays.iter().find(|s| u64::from(s.pid) == pid).and_then(|s| match &s.origin {
        Origin::Clusterctl { cluster, folder, .. } => {
            let folder = folder.as_ref().map(|folder| format!(" in {folder}")).unwrap_or_default();
            Some(format!("the cluster `{cluster}`{folder}"))
        }
        _ => None,
    });
    format!(
        "port {} of {host} is not this cluster's: {} answers there (pid {pid}); give one of them another `ports.control`",
        cluster.ports.control,
        cluster_of.unwrap_or_else(|| "another Zeek".to_owned()),
    )
}
