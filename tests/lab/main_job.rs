//! From a description to running nodes on several hosts, and an honest status of them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::cluster::{TestCluster, row, wait_for};

const LONG: Duration = Duration::from_secs(60);

/// The nodes whose pid differs.
fn restarted(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<String> {
    after.iter().filter(|(node, pid)| before.get(*node).is_some_and(|p| p != *pid)).map(|(n, _)| n.clone()).collect()
}

fn main_job(backend: &'static str) {
    let mut cluster = TestCluster::new(&format!("job-{backend}"), backend);

    // Deploy, then every node runs and four workers are described, running, answering and counted.
    cluster.run(&["deploy", "--yes"]).code(0);
    let status = cluster.settled();
    let all = json!({"described": 4, "running": 4, "answering": 4, "counted": 4});
    assert_eq!(status["workers"], all, "{status:#}");
    assert!(status["nodes"].as_array().unwrap().iter().all(|n| n["state"] == "running"));
    let shown = cluster.run(&["status"]).code(0);
    assert!(shown.stdout.contains("workers: 4 described, 4 running, 4 answering, 4 counted"), "{}", shown.stdout);
    assert!(shown.stderr.is_empty(), "progress in a pipe: {}", shown.stderr);
    assert!(!shown.stdout.contains('\x1b'), "an escape code in a pipe");

    // Again: nothing is to do, nothing restarts.
    let before = cluster.pids();
    assert_eq!(before.len(), 8);
    let said = cluster.run(&["deploy"]).code(0);
    assert!(said.stdout.contains("nothing to do"), "{}", said.stdout);
    assert_eq!(cluster.pids(), before);

    // A changed site script restarts exactly the nodes whose input it is: all, since `local` is loaded by every node.
    cluster.site("local.zeek", "# Site scripts, changed.\n");
    let plan = cluster.run(&["diff", "--exit-code"]).code(5);
    assert!(plan.stdout.contains("local.zeek"), "{}", plan.stdout);
    cluster.run(&["deploy", "--yes"]).code(0);
    let after = cluster.pids();
    assert_eq!(restarted(&before, &after).len(), 8);

    // A third sensor does not restart the workers of the other two.
    cluster.sensors.push("sensor3");
    cluster.write();
    cluster.run(&["deploy", "--yes"]).code(0);
    let grown = cluster.pids();
    assert_eq!(grown.len(), 10);
    let again = restarted(&after, &grown);
    assert_eq!(again, ["logger-1", "logger-2", "manager", "proxy-1"]);
    assert_eq!(cluster.settled()["workers"]["counted"], 6);

    // Gone from the description: its nodes stop, the other sensors' stay.
    cluster.sensors.pop();
    cluster.write();
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stderr.contains("worker-sensor3-1"), "{}", said.stderr);
    assert_eq!(cluster.lab.exec("sensor3", &["sh", "-c", "pgrep -x zeek || echo none"]), "none");
    let shrunk = cluster.pids();
    assert!(restarted(&grown, &shrunk).iter().all(|n| !n.starts_with("worker")));
    assert_eq!(cluster.settled()["workers"], all);

    // A worker killed with SIGKILL comes back with a new pid.
    let victim = "worker-sensor1-1";
    let old = cluster.pids()[victim];
    cluster.lab.exec("sensor1", &["kill", "-KILL", &old.to_string()]);
    let new = wait_for("a new pid", LONG, || {
        let status = cluster.status();
        let row = row(&status, victim);
        (row["state"] == "running").then(|| row["pid"].as_u64()).flatten().filter(|pid| *pid != old)
    });
    assert_ne!(new, old);
    assert_eq!(cluster.settled()["workers"], all);

    // Stop leaves no process.
    let said = cluster.run(&["stop"]).code(0);
    assert!(said.stdout.contains("8 nodes stopped: "), "{}", said.stdout);
    for host in ["mgmt", "sensor1", "sensor2"] {
        let left = cluster.lab.exec(host, &["sh", "-c", "pgrep -ax zeek; pgrep -af '[s]upervisor[.]sh'; true"]);
        assert_eq!(left, "", "{host}");
    }
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("stopped"), "{}", status.stdout);
    // What an operator stopped starts again only when it is told to.
    cluster.run(&["start"]).code(0);
    assert_eq!(cluster.settled()["workers"], all);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn the_main_job_with_broker() {
    main_job("broker");
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn the_main_job_with_zeromq() {
    main_job("zeromq");
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn without_restarts_a_killed_worker_is_crashed() {
    let mut cluster = TestCluster::new("no-restart", "broker");
    cluster.extra = "restart: never".to_owned();
    cluster.write();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let victim = "worker-sensor2-2";
    let pid = cluster.pids()[victim];
    cluster.lab.exec("sensor2", &["kill", "-KILL", &pid.to_string()]);
    let status = wait_for("the crash to be seen and counted", LONG, || {
        let status = cluster.status();
        (row(&status, victim)["state"] == "crashed" && status["workers"]["counted"] == 3).then_some(status)
    });
    assert_eq!(row(&status, victim)["detail"], "SIGKILL");
    assert_eq!(status["workers"], json!({"described": 4, "running": 3, "answering": 3, "counted": 3}));
    cluster.run(&["status"]).code(5);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_host_without_power_is_unknown_with_the_reason() {
    let cluster = TestCluster::new("power", "broker");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    cluster.lab.does("poweroff", ["sensor2"]);
    let begun = std::time::Instant::now();
    let said = cluster.run(&["status", "--timeout", "8s", "-o", "json"]).code(5);
    // The deadlines are 8 s for the host and 8 s for the nodes' answers, which are not waited for one after the other
    // for ever; a minute is what tells a hang from slowness.
    assert!(begun.elapsed() < Duration::from_secs(60));
    let status = said.json()["data"].clone();
    for node in ["worker-sensor2-1", "worker-sensor2-2"] {
        let row = row(&status, node);
        assert_eq!(row["state"], "unknown");
        assert!(row["detail"].as_str().unwrap().contains("ssh: "), "{row}");
    }
    assert_eq!(row(&status, "worker-sensor1-1")["state"], "running");
    assert_eq!(status["workers"]["running"], 2);
    // A deploy changes nothing while a host is away, and says which.
    cluster.site("local.zeek", "# Other.\n");
    let before = cluster.lab.exec("sensor1", &["readlink", &format!("{}/power/current", cluster.base)]);
    let said = cluster.run(&["deploy", "--yes", "--timeout", "8s"]).code(1);
    assert!(said.stderr.contains("nothing changed") && said.stderr.contains("sensor2"), "{}", said.stderr);
    assert_eq!(cluster.lab.exec("sensor1", &["readlink", &format!("{}/power/current", cluster.base)]), before);
    // The others can still be stopped.
    let said = cluster.run(&["stop", "@sensor1"]).code(0);
    assert!(said.stdout.contains("2 nodes stopped: "), "{}", said.stdout);
    cluster.lab.does("poweron", ["sensor2"]);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_script_that_does_not_parse_changes_nothing() {
    let cluster = TestCluster::new("parse", "broker");
    cluster.run(&["deploy", "--yes"]).code(0);
    let before = cluster.pids();
    cluster.site("local.zeek", "# One line.\nevent zeek_init()\n\t{\n\tlocal x = = 3;\n\t}\n");
    let said = cluster.run(&["deploy", "--yes"]).code(1);
    assert!(said.stderr.contains("nothing changed"), "{}", said.stderr);
    assert!(said.stderr.contains("site/local.zeek:4"), "{}", said.stderr);
    assert_eq!(cluster.pids(), before);
    let said = cluster.run(&["check"]).code(5);
    assert!(said.stdout.contains("site/local.zeek:4"), "{}", said.stdout);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_zeek_that_clusterctl_did_not_start_is_a_stray() {
    let cluster = TestCluster::new("stray", "broker");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let zeek = format!("{}/bin/zeek", cluster.lab.zeek().capable_prefix);
    // By hand, in an environment that looks like a node's.
    cluster.lab.exec(
        "sensor1",
        &[
            "sh",
            "-c",
            &format!(
                "mkdir -p /tmp/stray && cd /tmp/stray && rm -f .status && setsid {zeek} -i lo -U .status \
             >/dev/null 2>stderr </dev/null & \
             for i in $(seq 600); do grep -qs RUNNING /tmp/stray/.status && exit 0; sleep 0.1; done; \
             cat /tmp/stray/stderr >&2; exit 1"
            ),
        ],
    );
    let said = cluster.run(&["status"]).code(5);
    assert!(said.stdout.contains("unmanaged Zeek"), "{}", said.stdout);
    cluster.lab.exec("sensor1", &["pkill", "-KILL", "-f", "--", "zeek -i lo -U .status$"]);
    cluster.settled();
}
