//! Facts and answers -> report: a row for each node, and what is wrong. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{answers as answers_of, current_of, process_row};
use super::hosts::hosts_of;
use super::types::{Health, NodeRow, State, StateDetail, StatusReport, Trouble, Workers};
use crate::cluster::{Archive, Cluster, Node, Role};
use crate::control::{NoAnswer, NodeStatus};
use crate::fleet::{Facts, NodeAnswers, Selection, Unasked, running, runs};
use crate::observed::Observed;
use crate::plan::{Folder, Misplaced, elsewhere, misplaced};
use crate::values::{count, is_node_name};

/// From this share of packets on a worker counts as `dropping`, in per cent.
const DROPPING: f64 = 1.0;
/// A capturing worker without packets is in trouble after so many seconds.
const NO_PACKETS: f64 = 60.0;

/// Makes the report; `others` are hosts that were asked only where else nodes may run.
pub(crate) fn report(
    cluster: &Cluster,
    selection: &Selection,
    facts: &Facts,
    others: &Facts,
    asked: &NodeAnswers<NodeStatus>,
) -> StatusReport {
    let misplaced = misplaced(cluster, answers_of(facts).chain(answers_of(others)));
    let elsewhere = elsewhere(cluster, &misplaced, |host| facts.get(&host)?.as_ref().ok());
    // Where nothing shows what is deployed, nodes that run are asked in vain.
    let were_asked = matches!(asked.unasked, None | Some(Unasked::Ended(_) | Unasked::NotDeployed));
    // Nodes that the others should see: those that are no workers, as far as they run. Nodes of one role need not see
    // each other; with Broker, loggers do not.
    let needed: BTreeMap<&str, Role> = cluster
        .run_nodes()
        .filter(|n| n.role != Role::Worker)
        .filter(|n| matches!(facts.get(&n.host), Some(Ok(o)) if runs(o, &n.name)))
        .map(|n| (n.name.as_str(), n.role))
        .collect();
    let current = current_of(cluster, facts);
    let (mut troubles, mut warnings) = (Vec::new(), Vec::new());
    let mut rows = Vec::new();
    for node in selection.nodes(cluster) {
        let mut row = process_row(cluster, node, facts.get(&node.host), &elsewhere);
        if let Some(StateDetail::Elsewhere(place)) = &row.detail {
            let other = elsewhere.get(node.name.as_str());
            // What its host tells of another folder is told there.
            troubles.extend(other.filter(|o| o.folder == Folder::Own || !facts.contains_key(&o.host)).map(|other| {
                Trouble {
                    subject: row.node.clone(),
                    what: format!("{place}, and the description has it on {}", row.host),
                    hint: Some(other.remedy(cluster)),
                }
            }));
            rows.push(row);
            continue;
        }
        let observed = facts.get(&node.host).and_then(|f| f.as_ref().ok());
        if row.state == State::Starting
            && asked.of(&row.node).is_some()
            && observed.is_some_and(|o| !tells_its_state(o, &row.node))
        {
            row.state = State::Running;
        }
        if let (State::Running, Some(observed)) = (row.state, observed) {
            old(&mut row, observed);
            if were_asked {
                answered(&mut row, node, asked.nodes.get(&node.name), &needed);
            }
            waiting(&mut row, cluster, node, observed);
        }
        let mut trouble = trouble_of(&row, observed.map_or("", |o| start_of(o, &row, current.as_deref())));
        if let Some(trouble) = trouble.as_mut().filter(|_| observed.is_some_and(|o| o.lock.is_some())) {
            // Whoever holds the lock is about to do it.
            trouble.hint = None;
        }
        troubles.extend(trouble);
        warnings.extend(healed_of(&row));
        rows.push(row);
    }
    let plan = running(cluster, facts);
    let note = asked.unasked.as_ref().and_then(|why| not_asked(cluster, why, &rows, &mut troubles));
    let told: BTreeSet<&str> = rows
        .iter()
        .filter(|row| matches!(row.detail, Some(StateDetail::Elsewhere(_))))
        .map(|row| row.node.as_str())
        .collect();
    let untold: Vec<&Misplaced> = misplaced.iter().filter(|one| !told.contains(one.node.as_str())).collect();
    let hosts = hosts_of(cluster, facts, &untold, &mut troubles, &mut warnings);
    let workers: Vec<&NodeRow> = rows.iter().filter(|r| r.role == Role::Worker).collect();
    let manager = cluster.manager().and_then(|m| asked.of(&m.name));
    let counted = manager.map(|status| status.workers);
    troubles.extend(strangers(cluster, facts, manager.map_or(&[][..], |status| &status.peers)));
    let workers = Workers {
        described: workers.len(),
        running: workers.iter().filter(|r| r.state == State::Running).count(),
        answering: workers.iter().filter(|r| r.peers.is_some()).count(),
        counted: if cluster.is_standalone() { None } else { counted },
    };
    StatusReport {
        cluster: cluster.name.clone(),
        zeek: asked.version.clone().or_else(|| plan.map(|(v, _)| v.to_string())),
        backend: plan.map(|(_, b)| b).filter(|_| !cluster.is_standalone()),
        workers,
        hosts,
        nodes: rows,
        troubles,
        warnings,
        note,
    }
}

/// Adds why nodes were not asked; returns it where that is no trouble.
fn not_asked(cluster: &Cluster, why: &Unasked, rows: &[NodeRow], troubles: &mut Vec<Trouble>) -> Option<String> {
    let mut trouble = |what: String, hint| troubles.push(Trouble { subject: "control".to_owned(), what, hint });
    match why {
        Unasked::NotDeployed => None,
        Unasked::NoManager | Unasked::Disabled | Unasked::Never(_) => Some(why.to_string()),
        Unasked::Ended(ended) => {
            trouble(format!("not all nodes answered: {ended}"), None);
            None
        }
        Unasked::ForeignResponder(stranger) => {
            trouble(format!("the nodes could not be asked: {stranger}"), None);
            None
        }
        Unasked::NotRunning | Unasked::Unreachable(_) | Unasked::Forbidden { .. } | Unasked::Refused(_) => {
            // Where the manager's own row says it all, there is nothing to add.
            let told =
                cluster.manager().is_some_and(|m| rows.iter().any(|r| r.node == m.name && r.state != State::Running));
            if told {
                return Some(format!("the nodes were not asked: {why}"));
            }
            let port = cluster.ports.control;
            let hint = why
                .hint()
                .unwrap_or_else(|| format!("check that nothing but the manager listens on port {port} of its host"));
            trouble(format!("the nodes could not be asked: {why}"), Some(hint));
            None
        }
    }
}

/// Tells whether a node's `.status` can be read: Zeek truncates it before it writes, and a full disk leaves it so.
fn tells_its_state(observed: &Observed, node: &str) -> bool {
    let status = observed.nodes.get(node).and_then(|n| n.status.as_deref());
    matches!(status, Some("INITIALIZING" | "RUNNING" | "TERMINATING" | "TERMINATED"))
}

/// Marks a node whose binary or inputs are not those of the current release.
fn old(row: &mut NodeRow, observed: &Observed) {
    let Some(found) = observed.nodes.get(&row.node) else { return };
    if found.built_for.is_some() && observed.binary != found.built_for {
        row.health = Some(Health::OldBinary);
        let what = if observed.binary.is_none() { "is gone" } else { "was replaced under it" };
        row.health_detail = Some(format!("the Zeek binary {what}"));
    } else if !found.current_inputs.is_empty() && found.current_inputs != found.inputs {
        row.health = Some(Health::OldInputs);
        let names: Vec<&str> = found
            .current_inputs
            .iter()
            .filter(|(name, digest)| found.inputs.get(*name) != Some(digest))
            .map(|(name, _)| name.as_str())
            .collect();
        row.health_detail = Some(format!("still runs the old {}; restart needed", names.join(", ")));
    }
}

/// Adds what a node answered.
fn answered(
    row: &mut NodeRow,
    node: &Node,
    said: Option<&Result<NodeStatus, NoAnswer>>,
    needed: &BTreeMap<&str, Role>,
) {
    let status = match said {
        Some(Ok(status)) => status,
        Some(Err(NoAnswer::Silent)) | None => {
            row.health = Some(Health::NoReply);
            return;
        }
        Some(Err(why)) => {
            row.health = Some(Health::NoReply);
            row.health_detail = Some(why.to_string());
            return;
        }
    };
    let missing: Vec<&str> = needed
        .iter()
        .filter(|(name, role)| **role != node.role && !status.peers.iter().any(|p| p == *name))
        .map(|(name, _)| *name)
        .collect();
    let seen = status.received_1m.saturating_add(status.dropped_1m);
    #[expect(clippy::cast_precision_loss, reason = "a share in per cent")]
    let dropped = if seen > 0 { status.dropped_1m as f64 * 100.0 / seen as f64 } else { 0.0 };
    if node.interface.is_some() {
        row.received = Some(status.received_1m);
        row.dropped_percent = Some(dropped);
    }
    row.peers = Some(status.peers.clone());
    if row.health.is_some() {
        return;
    }
    (row.health, row.health_detail) = if !missing.is_empty() {
        (Some(Health::NotPeered), Some(format!("it does not see {}", missing.join(", "))))
    } else if node.interface.is_some() && status.uptime > NO_PACKETS && seen == 0 {
        (Some(Health::NoPackets), Some("none in the last minute".to_owned()))
    } else if dropped >= DROPPING {
        (Some(Health::Dropping), Some(format!("{dropped:.1} % of packets in the last minute")))
    } else {
        (Some(Health::Ok), None)
    };
}

/// Tells of a node that runs again after a crash, for a day.
fn healed_of(row: &NodeRow) -> Option<Trouble> {
    let ended = row.ended.as_ref().filter(|_| row.restarts.is_some_and(|times| times > 0))?;
    let uptime = row.uptime.filter(|up| *up < 86_400.0)?;
    let times = match row.restarts? {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    Some(Trouble {
        subject: row.node.clone(),
        what: format!("was started again {times}, the last time {uptime:.0} s ago, after {ended}"),
        hint: row.crash.as_ref().map(|crash| format!("see {crash} on {}", row.host)),
    })
}

/// What has to be done before a node of a host can be started, or `start`.
fn start_of(observed: &Observed, row: &NodeRow, runs: Option<&str>) -> &'static str {
    match observed.current.as_deref() {
        None => "deploy",
        Some(current) if Some(current) != runs => "resume",
        // The release does not have it.
        Some(_) if observed.nodes.get(&row.node).is_none_or(|found| found.current_inputs.is_empty()) => "deploy",
        Some(_) => "start",
    }
}

/// Says what is wrong with a node; `way` is how it can be started.
fn trouble_of(row: &NodeRow, way: &str) -> Option<Trouble> {
    let detail = row.detail.as_ref().map(|d| format!(" ({d})")).unwrap_or_default();
    let trouble = |what: String, hint: Option<String>| Some(Trouble { subject: row.node.clone(), what, hint });
    let command = |way: &str, running: &str| match way {
        "deploy" => "clusterctl deploy".to_owned(),
        "resume" => format!("clusterctl resume @{}", row.host),
        _ => format!("clusterctl {running} {}", row.node),
    };
    let start = command(way, "start");
    match row.state {
        State::Running | State::Disabled => {}
        // Its host's trouble says it once for all of its nodes.
        State::Unknown => return None,
        State::Stopped if row.detail == Some(StateDetail::NotDeployed) => {
            return trouble(format!("is stopped{detail}"), Some("clusterctl deploy".to_owned()));
        }
        State::Stopped => return trouble(format!("is stopped{detail}"), Some(start)),
        State::Crashed | State::Failed => {
            let hint = match &row.crash {
                _ if row.detail == Some(StateDetail::Rebooted) => start,
                Some(crash) => format!("see {crash} on {}", row.host),
                None => format!("{}/stderr on {} may say why", row.folder, row.host),
            };
            return trouble(format!("{}{detail}", row.state.name()), Some(hint));
        }
        State::Starting | State::Stopping => return trouble(format!("is {}{detail}", row.state.name()), None),
    }
    let health_detail = row.health_detail.as_ref().map(|d| format!(": {d}")).unwrap_or_default();
    match row.health {
        Some(Health::Ok) | None => {}
        Some(Health::OldBinary | Health::OldInputs) => {
            let name = row.health.map_or("", Health::name);
            return trouble(format!("has {name}{health_detail}"), Some("clusterctl deploy".to_owned()));
        }
        Some(health) => return trouble(format!("{}{health_detail}", health.name()), None),
    }
    if row.state == State::Running && row.detail == Some(StateDetail::Unsupervised) {
        return trouble(format!("runs{detail}: if it ends, nothing starts it again"), Some(command(way, "restart")));
    }
    None
}

/// Marks a node whose rotated logs wait too long for the archive.
fn waiting(row: &mut NodeRow, cluster: &Cluster, node: &Node, observed: &Observed) {
    let late = cluster.logs.late.as_secs();
    if !matches!(row.health, Some(Health::Ok) | None)
        || !cluster.writes_logs(node)
        || cluster.logs.archive == Archive::Off
    {
        return;
    }
    if let Some(age) = observed.queue.age.filter(|age| *age > late && late > 0) {
        row.health = Some(Health::QueueGrowing);
        row.health_detail = Some(format!(
            "{} not archived yet on its host, the oldest for {}",
            count(observed.queue.logs, "rotated log"),
            humantime::format_duration(std::time::Duration::from_secs(age))
        ));
    }
}

/// Nodes that the manager sees and the description has not, as after a rollback to a release with another host: none of
/// the hosts that are asked has them.
fn strangers(cluster: &Cluster, facts: &Facts, peers: &[String]) -> Vec<Trouble> {
    let known: BTreeSet<&str> = cluster.nodes.iter().map(|n| n.name.as_str()).collect();
    let seen = |name: &str| facts.values().flatten().any(|o| o.nodes.contains_key(name));
    // It is the manager's word: what can be no node is none.
    let strangers = peers.iter().filter(|name| is_node_name(name) && !known.contains(name.as_str()) && !seen(name));
    strangers
        .map(|name| Trouble {
            subject: name.clone(),
            what: "is a peer of the manager, and is not in the description any more".to_owned(),
            hint: Some("clusterctl deploy".to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::observed::{Desired, ObservedNode};
    use crate::plan::tests::{WORKERS, campus};

    /// What `status` says to do about a stopped worker, by what is current on its host, and whether that has it.
    fn said(current: Option<&str>, has: bool) -> String {
        let cluster = campus("", "", WORKERS);
        let node = cluster.nodes.iter().find(|n| n.role == Role::Worker).unwrap();
        let mut found = ObservedNode { desired: Some(Desired::Stopped), ..ObservedNode::default() };
        if has {
            found.current_inputs.insert("layout".to_owned(), "digest".to_owned());
        }
        let observed = Observed {
            current: current.map(str::to_owned),
            nodes: BTreeMap::from([(node.name.clone(), found)]),
            ..Observed::default()
        };
        let row = process_row(&cluster, node, Some(&Ok(observed.clone())), &HashMap::new());
        let hint = trouble_of(&row, start_of(&observed, &row, Some("runs"))).unwrap().hint.unwrap();
        let host = &cluster.host_of(node).name;
        hint.replace(&node.name, "NODE").replace(&format!("@{host}"), "@HOST")
    }

    #[test]
    fn what_a_stopped_node_needs_is_what_start_would_accept() {
        assert_eq!(said(Some("runs"), true), "clusterctl start NODE");
        assert_eq!(said(Some("old"), true), "clusterctl resume @HOST");
        assert_eq!(said(Some("runs"), false), "clusterctl deploy");
        assert_eq!(said(None, false), "clusterctl deploy");
    }

    #[test]
    fn no_number_of_a_node_is_too_large() {
        let cluster = campus("", "", WORKERS);
        let node = cluster.nodes.iter().find(|n| n.interface.is_some()).unwrap();
        let most = u64::MAX;
        let status: NodeStatus = serde_json::from_value(serde_json::json!({
            "node": node.name, "node_type": "worker", "version": "", "pid": most, "uptime": 1e300, "workers": most,
            "peers": [], "received": most, "dropped": most, "link": most, "received_1m": most, "dropped_1m": most,
            "memory": most,
        }))
        .unwrap();
        let mut row = process_row(&cluster, node, None, &HashMap::new());
        answered(&mut row, node, Some(&Ok(status)), &BTreeMap::new());
        assert_eq!(row.health, Some(Health::Dropping));
    }

    #[test]
    fn a_peer_that_the_description_has_not_is_told() {
        let cluster = campus("", "", WORKERS);
        let (facts, mut peers): (Facts, Vec<String>) =
            (BTreeMap::new(), cluster.nodes.iter().map(|n| n.name.clone()).collect());
        assert_eq!(strangers(&cluster, &facts, &peers), []);
        peers.push("worker-gone-1".to_owned());
        let told = strangers(&cluster, &facts, &peers);
        let subjects: Vec<&str> = told.iter().map(|t| t.subject.as_str()).collect();
        assert_eq!(subjects, ["worker-gone-1"]);
        // A manager can name its peers as it likes.
        assert_eq!(strangers(&cluster, &facts, &["\u{1b}[2J".to_owned(), "a\nb".to_owned(), String::new()]), []);
        assert!(told[0].what.contains("is not in the description any more"), "{told:?}");
    }
}
