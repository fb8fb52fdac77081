//! A rolling restart of many workers, counted by the manager.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::support::local::{LocalCluster, wait_for};

const GROUPS: usize = 10;
const EACH: usize = 10;

/// Groups of workers, each on an interface of its own.
fn describe(cluster: &LocalCluster, env: &str) {
    let mut nodes = "hosts: { here: { local: true } }\nnodes:\n  manager: { type: manager, host: here }\n  \
                     proxy: { type: proxy, host: here, count: 1 }\n"
        .to_owned();
    for group in 0..GROUPS {
        let first = group * EACH + 1;
        writeln!(
            nodes,
            "  g{group}: {{ type: worker, host: here, count: {EACH}, first_index: {first}, interface: sim{group}, \
             env: {{ ZEEK_SIM_ANY_IFACE: '1'{env} }} }}"
        )
        .unwrap();
    }
    // What the manager counted is read off its log, which is not to move away.
    nodes.push_str("logs: { rotate: 0 }\n");
    cluster.write(&nodes);
    // A hundred workers need the whole block of ports: control gets one that no second proxy takes.
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("ready: 30s", "ready: 120s");
    let control = text.split("control: ").nth(1).and_then(|t| t.split(' ').next()).unwrap();
    let port: u16 = control.parse().unwrap();
    let free = format!("control: {}", port - 110);
    std::fs::write(&file, text.replace(&format!("control: {control}"), &free)).unwrap();
}

/// What the manager wrote in its cluster.log about comings and goings, as `Cluster::hello` and `Cluster::node_down` have
/// it written.
fn told(cluster: &LocalCluster) -> Vec<(bool, String)> {
    let log = std::fs::read_to_string(cluster.kept("nodes/manager/cluster.log")).unwrap();
    let line = |line: &str| {
        let mut fields = line.split('\t');
        let (node, message) = (fields.nth(1)?, fields.next()?);
        if node != "manager" {
            return None;
        }
        if let Some(rest) = message.strip_prefix("got hello from ") {
            return Some((true, rest.split(' ').next()?.to_owned()));
        }
        Some((false, message.strip_prefix("node down: ")?.to_owned()))
    };
    log.lines().filter_map(line).collect()
}

#[test]
fn a_rolling_restart_never_has_more_workers_down_than_allowed() {
    let all = GROUPS * EACH;
    let cluster = LocalCluster::new();
    describe(&cluster, "");
    cluster.run(&["deploy", "--yes"]).code(0);
    let status = cluster.settled();
    assert_eq!(status["workers"], json!({"described": all, "running": all, "answering": all, "counted": all}));
    let before = told(&cluster).len();

    describe(&cluster, ", ROUND: '2'");
    let said = cluster.run(&["deploy", "--yes", "--max-unavailable", "10%"]).code(0);
    assert!(said.stdout.contains("all as planned"), "{said:?}");
    wait_for("all to be counted", || (cluster.status()["workers"]["counted"] == all).then_some(()));

    let (mut up, mut fewest) = (all, all);
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for (came, node) in told(&cluster).drain(before..).filter(|(_, node)| node.starts_with('g')) {
        if came {
            up += 1;
        } else {
            up -= 1;
            *ends.entry(node).or_default() += 1;
        }
        fewest = fewest.min(up);
    }
    assert_eq!(up, all);
    assert_eq!(ends.len(), all, "every worker was restarted");
    assert!(ends.values().all(|times| *times == 1), "and once: {ends:?}");
    assert!(fewest >= all - all / 10, "the manager counted no more than {fewest} workers");
    // It would be no rolling restart if they went one by one.
    assert!(fewest < all - 1, "{fewest}");
    cluster.run(&["stop"]).code(0);
}
