//! Operations that are cut off, or find that somebody was there before: how they end on several hosts, with either
//! runner.

use std::time::Duration;

use super::cluster::{TestCluster, wait_for};
use super::faults::{Scene, Watch, killed_at, names};
use crate::support::local::kill;

const LONG: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_closed_terminal_lets_a_deploy_go_back() {
    let scene = Scene::begin();
    for (signals, phase) in [(["HUP", "HUP"], "starting workers"), (["HUP", "TERM"], "starting the manager")] {
        scene.change(&format!("when {signals:?} come while {phase}"));
        let said = Watch(|line: &str, pid| {
            let now = line.starts_with(phase);
            if now {
                for signal in &signals {
                    kill(signal, pid);
                }
            }
            now
        })
        .run(scene.command(&["deploy", "--yes"]));
        assert_eq!(said.code, 130, "{said:?}");
        scene.unchanged();
    }
    scene.settled();
    scene.next_deploy_finishes();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn hosts_bring_back_what_a_killed_deploy_had_stopped() {
    let scene = Scene::begin();
    scene.change("whose clusterctl is killed");
    let said = killed_at(scene.command(&["deploy", "--yes"]), "starting loggers");
    assert_eq!(said.code, -1, "{said:?}");
    assert!(scene.seen().running.len() < 8);
    // Not while it could come back, and with nobody's help later.
    let said = scene.run(&["maintain"]).code(1);
    names(&said, &["unfinished operation, no node was started"]);
    for host in scene.hosts() {
        scene.sh(host, "touch -d '1 hour ago' \"$1\"", &[&format!("{}/journal", scene.home())]);
    }
    let said = scene.run(&["maintain"]);
    names(&said, &["started again", "stopped nodes were restarted"]);
    wait_for("all nodes", LONG, || (scene.seen().running.len() == 8).then_some(()));
    scene.next_deploy_finishes();
    // What is restarted stays meant to run, with no journal to tell it.
    let said = killed_at(scene.command(&["restart"]), "starting loggers");
    assert_eq!(said.code, -1, "{said:?}");
    wait_for("the loggers to be let alone", LONG, || {
        let locks = |host: &str| scene.lab.try_exec(host, &["test", "-e", &format!("{}/lock", scene.home())]);
        scene.hosts().iter().all(|host| !locks(host).status.success()).then_some(())
    });
    names(&scene.run(&["status"]).code(5), &["are stopped (by a restart that has not started it again)"]);
    names(&scene.run(&["maintain"]).code(0), &["started again"]);
    let running = scene.settled()["workers"]["running"].clone();
    assert_eq!((scene.seen().running.len(), running), (8, 4.into()));
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_file_that_somebody_changed_on_a_host_is_named_and_put_back() {
    let mut scene = Scene::begin();
    scene.change("before somebody changes it");
    scene.run(&["deploy", "--yes"]).code(0);
    scene.settled();
    // Starts and changes are told apart by clocks of whole seconds, and two of them are left for doubt.
    std::thread::sleep(Duration::from_secs(4));
    let file = format!("{}/current/site/local.zeek", scene.home());
    let read = |scene: &Scene| scene.lab.exec("sensor1", &["cat", &file]);
    let ours = read(&scene);
    scene.sh("sensor1", "echo '# By hand.' >\"$1\"", &[&file]);
    let before = scene.pids();
    let victim = "worker-sensor1-1";
    scene.run(&["restart", victim]).code(0);
    let said = scene.run(&["status"]).code(5);
    names(&said, &["sensor1", "site/local.zeek changed", "clusterctl deploy"]);
    let said = scene.run(&["deploy", "--yes"]).code(0);
    names(&said, &["worker-sensor1-1: restart, because it may have read", "1 node touched"]);
    assert_eq!(read(&scene), ours);
    let after = scene.pids();
    assert!(before.iter().all(|(node, pid)| (after[node] == *pid) == (node != victim)), "{before:?} {after:?}");
    scene.settled();
    names(&scene.run(&["deploy", "--yes"]).code(0), &["nothing to do"]);
    scene.remember();
    scene.nothing_lost();
}

/// What a pipeline may rely on: `deploy && status`, without a second try.
fn well_at_once(name: &str, backend: &'static str) {
    let cluster = TestCluster::new(name, backend);
    let well = |after: &[&str]| {
        let said = cluster.run(after).code(0);
        let status = cluster.run(&["status"]);
        assert_eq!(status.code, 0, "after {after:?}: {status:?}; {said:?}");
    };
    well(&["deploy", "--yes"]);
    well(&["restart"]);
    cluster.site("local.zeek", "# Other scripts.\n");
    well(&["deploy", "--yes"]);
    well(&["rollback", "--yes"]);
    well(&["restart", "manager"]);
    cluster.run(&["stop"]).code(0);
    well(&["start"]);
    // Nothing is said of a host that was not asked, and the rest is.
    cluster.site("local.zeek", "# Site scripts.\n");
    let said = cluster.run(&["deploy", "--yes", "--skip", "@sensor2"]).code(4);
    names(&said, &["nothing to do: all hosts that answered have the release ", "sensor2 was skipped"]);
    // Logs are archived without a word in the description.
    let archive = format!("{}/{name}/archive", cluster.base);
    let archived = "find \"$1\" -type f | head -n 1";
    wait_for("an archived log", LONG, || {
        let found = cluster.lab.exec("mgmt", &["sh", "-c", &format!("[ ! -d \"$1\" ] || {archived}"), "sh", &archive]);
        (!found.is_empty()).then_some(())
    });
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_status_is_content_right_after_whatever_started_nodes_with_broker() {
    well_at_once("once", "broker");
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_status_is_content_right_after_whatever_started_nodes_with_zeromq() {
    well_at_once("zonce", "zeromq");
}

/// Their account can't look into the processes of either, which have capabilities.
#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn two_clusters_of_one_account_leave_each_other_alone() {
    let one = TestCluster::new("one", "broker");
    let mut two = TestCluster::beside("two", "broker");
    two.extra = "ports: { base: 28760, control: 28759, metrics: 10991 }".to_owned();
    two.write();
    let names_only = |of: &TestCluster, other: &str, code: i32| {
        let said = of.run(&["status", "-o", "json"]).code(code);
        assert!(!said.stdout.contains("kill ") && !said.stdout.contains("unmanaged"), "{}", said.stdout);
        for (host, count) in [("mgmt", 4), ("sensor1", 2), ("sensor2", 2)] {
            let told = format!("{count} nodes of the cluster `{other}` in");
            assert!(said.stdout.contains(&told), "{host}: {told}: {}", said.stdout);
        }
    };
    let nothing_to_do = |of: &TestCluster| names(&of.run(&["deploy", "--yes"]).code(0), &["nothing to do"]);
    one.run(&["deploy", "--yes"]).code(0);
    one.settled();
    two.run(&["deploy", "--yes"]).code(0);
    two.settled();
    let (first, second) = (one.pids(), two.pids());
    assert_eq!((first.len(), second.len()), (8, 8));
    names_only(&one, "two", 0);
    names_only(&two, "one", 0);
    nothing_to_do(&one);
    nothing_to_do(&two);
    names(&one.run(&["doctor"]).code(0), &["OK ("]);
    two.run(&["maintain"]).code(0);
    // A change, a crash, a stop and a start of one are nothing to the other.
    two.site("local.zeek", "# Other scripts.\n");
    two.run(&["deploy", "--yes"]).code(0);
    two.run(&["rollback", "--yes"]).code(0);
    two.run(&["stop"]).code(0);
    names_only(&two, "one", 5);
    assert_eq!(one.pids(), first);
    two.run(&["start"]).code(0);
    one.run(&["restart"]).code(0);
    let second = two.settled();
    one.run(&["stop"]).code(0);
    names_only(&one, "two", 5);
    assert_eq!(second["nodes"].as_array().unwrap().len(), 8);
    two.settled();
}
