//! Releases, going back, hosts that are behind, locks that hang, and an orderly end: on this machine, with zeek-sim.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::local::{LocalCluster, kill, wait_for};
use crate::support::transcript::Transcript;

/// A cluster that runs, with a site folder.
fn running() -> LocalCluster {
    let cluster = LocalCluster::new();
    std::fs::create_dir(cluster.dir().join("site")).unwrap();
    site(&cluster, "# One.\n");
    describe(&cluster, "", 2);
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    cluster
}

fn site(cluster: &LocalCluster, text: &str) {
    std::fs::write(cluster.dir().join("site/local.zeek"), text).unwrap();
}

/// A manager, a proxy and workers here, `groups` interfaces with two workers each.
fn describe(cluster: &LocalCluster, more: &str, workers: usize) {
    cluster.write(&format!(
        "{more}\nhosts: {{ here: {{ local: true }} }}\nnodes:\n  manager: {{ type: manager, host: here }}\n  \
         proxy: {{ type: proxy, host: here, count: 1 }}\n  \
         worker: {{ type: worker, host: here, count: {workers}, interface: lo }}\n"
    ));
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("scripts: []", "site: ./site, scripts: [local]");
    std::fs::write(file, text).unwrap();
}

fn current(cluster: &LocalCluster) -> String {
    let link = std::fs::read_link(cluster.kept("current")).unwrap();
    link.file_name().unwrap().to_str().unwrap().to_owned()
}

fn releases(cluster: &LocalCluster) -> Vec<Value> {
    let said = cluster.run(&["releases", "-o", "json"]).code(0);
    said.json()["data"]["releases"].as_array().unwrap().clone()
}

#[test]
fn releases_are_listed_and_one_goes_back_to_the_one_before_with_its_topology() {
    let cluster = running();
    let first = current(&cluster);
    describe(&cluster, "", 3);
    cluster.run(&["deploy", "--yes"]).code(0);
    let second = current(&cluster);
    assert_ne!(first, second);
    let grown = cluster.settled();
    assert_eq!(grown["workers"]["running"], 3);
    let before: Vec<u64> = (1..=2).map(|n| cluster.pid(&format!("worker-{n}"))).collect();

    let listed = releases(&cluster);
    assert_eq!(listed[0]["release"], second.as_str());
    assert_eq!((&listed[0]["current"], &listed[0]["running"]), (&Value::Bool(true), &Value::from(3)), "{listed:#?}");
    assert_eq!((&listed[1]["release"], &listed[1]["running"]), (&Value::from(first.as_str()), &Value::from(2)));
    for release in &listed {
        assert!(release["who"].as_str().unwrap().starts_with("tester@"), "{release}");
        assert!(release["time"].as_str().unwrap().ends_with('Z'), "{release}");
        assert_eq!(release["prefix"], cluster.zeek().to_str().unwrap());
        assert!(release["zeek"].as_str().unwrap().starts_with("8."), "{release}");
    }

    // Back: manager and proxy restart, the third worker goes, the other two do not notice.
    let seen = Transcript::default();
    seen.run(&cluster, &["rollback", "--yes"]).code(0);
    assert_eq!(current(&cluster), first);
    assert!(!cluster.kept("journal").exists() && !cluster.kept("lock").exists());
    let pids: Vec<u64> = (1..=2).map(|n| cluster.pid(&format!("worker-{n}"))).collect();
    assert_eq!(pids, before);
    let status = cluster.status();
    assert_eq!(status["nodes"].as_array().unwrap().iter().filter(|n| n["state"] == "running").count(), 4);
    // Again: nothing is to do for the release that runs, and an unknown one is an error.
    seen.run(&cluster, &["rollback", &first, "--yes"]).code(0);
    seen.run(&cluster, &["rollback", "abcdefabcdef", "--yes"]).code(1);
    // An operator hardly wants the release back that a rollback has just left: the next rollback needs a name.
    seen.run(&cluster, &["rollback", "--yes"]).code(1);
    assert_eq!(current(&cluster), first);
    insta::assert_snapshot!(seen.take());
}

#[test]
fn a_rollback_needs_the_zeek_of_its_release_and_its_files() {
    let cluster = running();
    let first = current(&cluster);
    site(&cluster, "# Two.\n");
    cluster.run(&["deploy", "--yes"]).code(0);
    let second = current(&cluster);
    let file = cluster.kept(&format!("releases/{first}/site/local.zeek"));
    std::fs::write(&file, "# Somebody's.\n").unwrap();
    let seen = Transcript::default();
    seen.run(&cluster, &["rollback", "--yes"]).code(1);
    std::fs::write(&file, "# One.\n").unwrap();
    cluster.replace_zeek();
    seen.run(&cluster, &["rollback", "--yes"]).code(1);
    assert_eq!(current(&cluster), second);
    insta::assert_snapshot!(seen.take());
}

#[test]
fn the_newest_releases_are_kept_and_the_running_one() {
    let cluster = running();
    describe(&cluster, "releases: { keep: 2 }", 2);
    for n in 0..4 {
        site(&cluster, &format!("# {n}.\n"));
        cluster.run(&["deploy", "--yes", "--no-restart"]).code(0);
    }
    // Two, and the one that all nodes still run.
    let listed = releases(&cluster);
    assert_eq!(listed.len(), 3, "{listed:#?}");
    assert_eq!(listed.iter().filter(|r| r["running"] == 4).count(), 1);
    let status = cluster.status();
    assert!(status["nodes"].as_array().unwrap().iter().all(|n| n["health"] == "old inputs"), "{status:#}");
    cluster.run(&["restart"]).code(0);
    cluster.settled();
}

#[test]
fn an_interrupted_deploy_goes_back_and_says_so() {
    let cluster = running();
    let first = current(&cluster);
    site(&cluster, "# Two.\n");
    let mut command = cluster.command(&["deploy", "--yes", "-o", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // Each line is a JSON document; nodes have begun to stop.
    let event = lines.by_ref().map(|l| serde_json::from_str::<Value>(&l.unwrap()).unwrap());
    assert!(event.into_iter().any(|e| e["event"] == "phase" && e["name"] == "stopping proxies"));
    kill("INT", u64::from(child.id()));
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest:#?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["data"]["done"], &report["data"]["interrupted"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(current(&cluster), first);
    cluster.settled();
    assert!(!cluster.kept("journal").exists());
}

#[test]
fn a_deploy_that_was_killed_is_told_and_finished_or_undone() {
    let cluster = running();
    let first = current(&cluster);
    site(&cluster, "# Two.\n");
    let killed = |command: &str, phase: &str| {
        let mut command = cluster.command(&[command, "--yes", "-o", "json"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.map(Result::unwrap).any(|l| l.contains(phase)));
        child.kill().unwrap();
        child.wait().unwrap();
        wait_for("the lock to be free", || (!cluster.kept("lock").exists()).then_some(()));
    };
    killed("deploy", "stopping the manager");
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("unfinished operation: tester@"), "{status:?}");
    assert!(status.stdout.contains(&format!("from {first} to ")), "{status:?}");
    // Undone: what ran before runs again.
    let said = cluster.run(&["rollback", "--yes"]).code(0);
    assert!(said.stdout.contains(&format!("went back to {first}")), "{said:?}");
    cluster.settled();
    assert!(!cluster.kept("journal").exists());
    // Finished.
    killed("deploy", "stopping the manager");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    assert_ne!(current(&cluster), first);
    assert!(!cluster.kept("journal").exists());
    // A way back that was killed goes on as one: a deploy would bring what it leads away from.
    killed("rollback", "stopping the manager");
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("finish it with clusterctl rollback"), "{status:?}");
    let said = cluster.run(&["rollback", "--yes"]).code(0);
    assert!(said.stdout.contains(&format!("went back to {first}")), "{said:?}");
    cluster.settled();
    assert!(!cluster.kept("journal").exists());
}

#[test]
fn a_lock_is_told_and_can_be_freed() {
    let cluster = running();
    site(&cluster, "# Two.\n");
    let mut command = cluster.command(&["deploy", "--yes", "-o", "json"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|l| l.contains("\"staging\"")));
    // It hangs, and so does the lock.
    kill("STOP", u64::from(child.id()));
    let seen = Transcript::default();
    for args in [&["deploy", "--yes"][..], &["unlock"], &["unlock", "--yes"], &["unlock"]] {
        seen.run(&cluster, args);
    }
    kill("KILL", u64::from(child.id()));
    child.wait().unwrap();
    insta::assert_snapshot!(seen.take());
    cluster.run(&["deploy", "--yes"]).code(0);
}

#[test]
fn a_few_workers_at_a_time() {
    let cluster = LocalCluster::new();
    std::fs::create_dir(cluster.dir().join("site")).unwrap();
    site(&cluster, "# One.\n");
    let describe = |cluster: &LocalCluster| {
        let groups = "  g0: { type: worker, host: here, count: 2, interface: lo }\n  \
                      g1: { type: worker, host: here, count: 2, interface: \"af_packet::lo\", first_index: 3 }\n";
        cluster.write(&format!(
            "hosts: {{ here: {{ local: true }} }}\nnodes:\n  manager: {{ type: manager, host: here }}\n  \
             proxy: {{ type: proxy, host: here, count: 1 }}\n{groups}"
        ));
        let file = cluster.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap().replace("scripts: []", "site: ./site, scripts: [local]");
        std::fs::write(file, text).unwrap();
    };
    describe(&cluster);
    cluster.run(&["deploy", "--yes"]).code(0);
    site(&cluster, "# Two.\n");
    let said = cluster.run(&["deploy", "--yes", "--max-unavailable", "50%", "-o", "json"]).code(0);
    // As the events tell it, never more than two are down.
    let mut down = 0;
    let mut most = 0;
    for event in said.stderr.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok()) {
        match (event["node"].as_str(), event["what"].as_str()) {
            (Some(node), Some("stopped")) if node.starts_with('g') => down += 1,
            (Some(node), Some("ready")) if node.starts_with('g') => down -= 1,
            _ => {}
        }
        most = most.max(down);
    }
    assert_eq!((most, down), (2, 0), "{}", said.stderr);
    assert_eq!(said.stderr.matches("rolling restart").count(), 2, "{}", said.stderr);
}
