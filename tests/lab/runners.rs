//! What only the hosts' own systemd can show: units as root and as an ordinary user, their restarts, and reboots.

use std::time::Duration;

use super::Combination;
use super::cluster::{TestCluster, row, wait_for};

const LONG: Duration = Duration::from_secs(60);

/// A cluster with the runner `systemd`, run by an account.
fn cluster(name: &str, account: &str) -> TestCluster {
    let mut cluster = TestCluster::new(name, "broker");
    if account == "root" {
        cluster.base = "/srv/of root's \"50%\"".to_owned();
    }
    describe(&mut cluster, account, "systemd");
    cluster
}

/// Writes the description for an account and a runner.
fn describe(cluster: &mut TestCluster, account: &str, runner: &str) {
    account.clone_into(&mut cluster.combination.account);
    runner.clone_into(&mut cluster.combination.runner);
    cluster.write();
}

/// These tests choose account and runner themselves: they have their turn in the first of the combinations alone.
fn has_its_turn() -> bool {
    let turn = Combination::get();
    turn.account == "zeek" && turn.runner == "process"
}

/// How many drop-ins there are of a cluster's nodes.
fn drop_ins(cluster: &TestCluster, host: &str, account: &str, name: &str) -> usize {
    let folder = if account == "root" { "/etc/systemd/system" } else { "/home/zeek/.config/systemd/user" };
    let found = cluster.lab.exec(host, &["sh", "-c", &format!("ls {folder} 2>/dev/null || true")]);
    found.lines().filter(|l| l.starts_with(&format!("clusterctl@{name}-")) && l.ends_with(".service.d")).count()
}

fn linger(cluster: &TestCluster, on: bool) {
    for host in ["mgmt", "sensor1", "sensor2"] {
        cluster.lab.linger(host, on);
    }
}

fn units_of(account: &str) {
    if !has_its_turn() {
        return;
    }
    let name = format!("u{account}");
    let mut cluster = cluster(&name, account);
    if account != "root" {
        linger(&cluster, true);
    }
    cluster.run(&["deploy", "--yes"]).code(0);
    let status = cluster.settled();
    assert!(status["nodes"].as_array().unwrap().iter().all(|n| n["state"] == "running" && n["detail"].is_null()));
    assert_eq!(drop_ins(&cluster, "sensor1", account, &name), 2);

    // A crash heals itself, and is recorded as with the other runner.
    let victim = "worker-sensor1-1";
    let old = cluster.pids()[victim];
    cluster.lab.exec("sensor1", &["kill", "-ABRT", &old.to_string()]);
    let healed = wait_for("a new pid", LONG, || {
        let status = cluster.status();
        let row = row(&status, victim);
        (row["state"] == "running" && row["pid"] != old && row["pid"].is_u64()).then(|| row.clone())
    });
    assert_eq!(healed["restarts"], 1, "{healed}");
    let exit = format!("{}/{name}/nodes/{victim}/exit.last", cluster.base);
    assert!(cluster.lab.exec("sensor1", &["cat", &exit]).contains("status 134\n"));
    let crash = healed["crash"].as_str().unwrap_or_else(|| panic!("{healed}"));
    let left = cluster.lab.exec("sensor1", &["ls", "-A", crash]);
    assert!(["command", "exit", "stderr", "stdout", ".status"].iter().all(|f| left.lines().any(|l| l == *f)), "{left}");
    cluster.settled();

    // A stop in the pause after a crash works at once, and says the same words.
    let other = "worker-sensor1-2";
    for _ in 0..3 {
        let pid = wait_for("it to run", LONG, || cluster.pids().get(other).copied());
        cluster.lab.exec("sensor1", &["kill", "-KILL", &pid.to_string()]);
        wait_for("its end", LONG, || (row(&cluster.status(), other)["pid"] != pid).then_some(()));
    }
    let said = cluster.run(&["stop", other]).code(0);
    assert!(said.stdout.contains("stopped"), "{}", said.stdout);
    let status = cluster.status();
    assert_eq!(row(&status, other)["state"], "stopped", "{status:#}");
    assert_eq!(drop_ins(&cluster, "sensor1", account, &name), 1);

    // A reboot brings back what should run, and nothing else.
    let before = cluster.pids();
    cluster.lab.does("reboot", ["sensor1"]);
    let back = wait_for("the node to come back", LONG, || {
        let status = cluster.status();
        let row = row(&status, victim);
        (row["state"] == "running").then(|| row.clone())
    });
    assert_eq!(back["restarts"], 0, "{back}");
    assert_eq!(row(&cluster.status(), other)["state"], "stopped");
    let after = cluster.pids();
    assert!(before.iter().filter(|(n, _)| !n.contains("sensor1")).all(|(n, p)| after[n] == *p));
    cluster.run(&["start", other]).code(0);
    cluster.settled();

    // From one runner to the other and back: a restart, and nothing of the other stays.
    describe(&mut cluster, account, "process");
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stderr.contains("its runner changed"), "{}", said.stderr);
    cluster.settled();
    // On the manager's host logs are archived as well.
    for host in ["mgmt", "sensor1"] {
        assert_eq!(drop_ins(&cluster, host, account, &name), 0, "{host}");
    }
    describe(&mut cluster, account, "systemd");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    for host in ["mgmt", "sensor1"] {
        assert_eq!(cluster.lab.exec(host, &["sh", "-c", "pgrep -f '[s]upervisor[.]sh'; true"]), "", "{host}");
    }

    let said = cluster.run(&["stop"]).code(0);
    assert!(said.stdout.contains("8 nodes stopped: "), "{}", said.stdout);
    for host in ["mgmt", "sensor1", "sensor2"] {
        assert_eq!(drop_ins(&cluster, host, account, &name), 0, "{host}");
        assert_eq!(cluster.lab.exec(host, &["sh", "-c", "pgrep -ax zeek; true"]), "", "{host}");
    }
    if account != "root" {
        linger(&cluster, false);
    }
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn units_of_root() {
    units_of("root");
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn units_of_an_ordinary_user() {
    units_of("zeek");
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn without_a_manager_of_the_user_nothing_changes() {
    if !has_its_turn() {
        return;
    }
    let cluster = cluster("nolinger", "zeek");
    linger(&cluster, false);
    let said = cluster.run(&["deploy", "--yes"]).code(1);
    assert!(said.stderr.contains("nothing changed"), "{}", said.stderr);
    assert!(said.stderr.contains("loginctl enable-linger zeek"), "{}", said.stderr);
    let left = cluster.lab.ssh("sensor1", "ls -A /var/lib/clusterctl");
    assert!(!left.contains("nolinger"), "{left}");
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_core_lies_with_what_the_crash_left_and_has_a_backtrace() {
    let mut cluster = TestCluster::new("core", "broker");
    if cluster.lab.exec("mgmt", &["cat", "/proc/sys/kernel/core_pattern"]) != "core" {
        // This machine's kernel hands cores to somebody else, for its hosts as well.
        return;
    }
    cluster.extra = "limits: { core: unlimited }".to_owned();
    cluster.write();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    // One whose binary has no file capabilities: of those the kernel writes no core (core(5)).
    cluster.lab.exec("mgmt", &["kill", "-ABRT", &cluster.pids()["proxy-1"].to_string()]);
    let crash = wait_for("the crash to be seen", LONG, || {
        row(&cluster.status(), "proxy-1")["crash"].as_str().map(str::to_owned)
    });
    let read = |line: &str| cluster.lab.exec("mgmt", &["sh", "-c", line, "sh", &crash]);
    wait_for("the backtrace", LONG, || (!read("cat \"$1\"/backtrace 2>/dev/null || true").is_empty()).then_some(()));
    let trace = read("cat \"$1\"/backtrace");
    assert!(trace.contains("#0 ") && trace.contains("Thread 1"), "{trace}");
    assert_eq!(read("stat -c %a \"$1\"/core* \"$1\"/backtrace | sort -u"), "600");
    cluster.settled();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_users_manager_hands_on_what_capturing_needs() {
    let turn = Combination::get();
    if turn.account != "zeek" || turn.runner != "systemd" {
        return;
    }
    let cluster = TestCluster::new("ambient", "broker");
    // A binary without capabilities of its own: only root has any, and gives some to the user's manager.
    let (plain, capable) = (cluster.lab.zeek().prefix.clone(), cluster.lab.zeek().capable_prefix.clone());
    let text = std::fs::read_to_string(cluster.file()).unwrap();
    std::fs::write(cluster.file(), text.replace(&capable, &plain)).unwrap();
    let said = cluster.run(&["doctor"]).code(5);
    assert!(said.stdout.contains("Zeek lacks cap_net_raw"), "{}", said.stdout);
    let folder = "/etc/systemd/system/user@$(id -u zeek).service.d";
    let give = format!(
        "mkdir -p {folder} && printf '[Service]\\nAmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN\\n' >{folder}/capture.conf"
    );
    let lab = cluster.lab.clone();
    let set = |line: &str| {
        for host in ["sensor1", "sensor2"] {
            lab.exec(
                host,
                &["sh", "-c", &format!("{line}; systemctl daemon-reload; systemctl restart user@$(id -u zeek)")],
            );
            lab.linger(host, true);
        }
    };
    set(&give);
    let _undo = super::faults::Undo(|| set(&format!("rm -rf {folder}")));
    let said = cluster.run(&["doctor"]).code(0);
    assert!(said.stdout.contains(": OK ("), "{}", said.stdout);
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let pid = cluster.pids()["worker-sensor1-1"];
    let held = cluster.lab.exec("sensor1", &["grep", "CapAmb", &format!("/proc/{pid}/status")]);
    assert!(held.ends_with("3000"), "{held}");
    let others = cluster.lab.exec("mgmt", &["grep", "CapAmb", &format!("/proc/{}/status", cluster.pids()["manager"])]);
    assert!(others.ends_with("0000"), "{others}");
    cluster.run(&["stop"]).code(0);
}
