//! Whose answers they are. Behind the control port may stand the manager of another cluster, and nodes of the same names:
//! an answer counts only if it comes from the process that its host knows as the node's.

use std::collections::BTreeMap;

use super::ask::Facts;
use super::hosts::{Detail, Fleet};
use crate::cluster::{Cluster, Node};
use crate::control::{Answers, NodeStatus, Reply};
use crate::observed::Origin;

/// Takes from answers those that are not our nodes'. Tells what else answers where not one was ours; then neither the
/// version nor anything else that was said on that connection counts.
///
/// # Errors
/// With the reason in words.
pub(crate) fn only_ours(cluster: &Cluster, facts: &Facts, answers: &mut Answers<NodeStatus>) -> Result<(), String> {
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

/// As [`only_ours`], of the manager's answer alone, for a command that has not looked at the hosts: its host is asked, unless
/// `known` has the process from the last time.
///
/// # Errors
/// With the reason in words.
pub(crate) async fn manager_is_ours(
    fleet: &Fleet,
    answers: &BTreeMap<String, Reply<NodeStatus>>,
    known: &mut Option<u64>,
) -> Result<(), String> {
    let cluster = &*fleet.cluster;
    let Some(manager) = cluster.manager() else { return Ok(()) };
    let Some(Reply::Answer(status)) = answers.get(&manager.name) else { return Ok(()) };
    if *known == Some(status.pid) {
        return Ok(());
    }
    let observed = fleet.observe_one(&fleet.handle(manager.host), Detail::Brief).await;
    let told = observed.is_ok();
    let nodes = BTreeMap::from([(manager.name.clone(), Reply::Answer(status.clone()))]);
    let mut answers = Answers { version: String::new(), endpoint: String::new(), nodes, ended: None };
    only_ours(cluster, &Facts::from([(manager.host, observed)]), &mut answers)?;
    *known = told.then_some(status.pid);
    Ok(())
}

/// Says what answers behind the control port.
fn who(cluster: &Cluster, facts: &Facts, node: &Node, pid: u64) -> String {
    let manager = cluster.manager().unwrap_or(node);
    let host = &cluster.host_of(manager).name;
    let unmanaged = facts.get(&node.host).and_then(|f| f.as_ref().ok()).map_or(&[][..], |o| &o.unmanaged);
    let cluster_of = unmanaged.iter().find(|s| u64::from(s.pid) == pid).and_then(|s| match &s.origin {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::fleet::Settings;

    #[tokio::test]
    async fn a_manager_that_its_host_does_not_know_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "cluster: c\nzeek: {{ version: '8.0', scripts: [] }}\npaths: {{ base: {} }}\nhosts: {{ here: {{ local: true }} }}\n\
             nodes:\n  manager: {{ type: manager, host: here }}\n  proxy: {{ type: proxy, host: here, count: 1 }}\n",
            dir.path().display()
        );
        let description = crate::spec::parse("c.yaml", text, "/".into());
        let cluster = crate::cluster::check(&description).unwrap();
        let (events, _) = tokio::sync::mpsc::unbounded_channel();
        let settings = Settings { parallel: 1, question: Duration::from_secs(60) };
        let fleet = Fleet::new(Arc::new(cluster), settings, events);
        let me = u64::from(std::process::id());
        let status = serde_json::json!({
            "node": "manager", "node_type": "manager", "version": "8.0.10", "pid": me, "uptime": 1.0, "workers": 0, "peers": [],
            "received": 0, "dropped": 0, "link": 0, "received_1m": 0, "dropped_1m": 0, "memory": 0,
        });
        let answers = BTreeMap::from([("manager".to_owned(), Reply::Answer(serde_json::from_value(status).unwrap()))]);
        let mut known = None;
        let why = manager_is_ours(&fleet, &answers, &mut known).await.unwrap_err();
        assert!(why.contains("is not this cluster's: another Zeek answers there"), "{why}");
        assert_eq!(known, None);
        // The host knows this process as the manager.
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let since = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap();
        let folder = dir.path().join("c/nodes/manager");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("run"), format!("id {} {me} {since}\n", boot.trim())).unwrap();
        assert_eq!(manager_is_ours(&fleet, &answers, &mut known).await, Ok(()));
        assert_eq!(known, Some(me));
    }
}
