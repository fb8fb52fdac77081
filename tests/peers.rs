//! Whoever starts nodes waits until they see each other, so that a status right after it is content; and says what
//! became of them once.

use crate::support::local::{LocalCluster, is_well};

/// Fails unless a status is content at once.
#[track_caller]
fn well_at_once(cluster: &LocalCluster, after: &str) {
    let said = cluster.run(&["status", "-o", "json"]);
    assert!(is_well(&said), "after {after}: {}", said.stdout);
}

#[test]
fn a_status_is_content_right_after_whatever_started_nodes() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    well_at_once(&cluster, "deploy");
    for whom in ["manager", "proxy-1", "workers", "all"] {
        cluster.run(&["restart", whom]).code(0);
        well_at_once(&cluster, whom);
    }
    cluster.run(&["stop"]).code(0);
    cluster.run(&["start"]).code(0);
    well_at_once(&cluster, "start");
    cluster.write_local(", env: { A: b }");
    cluster.run(&["deploy"]).code(0);
    well_at_once(&cluster, "a second deploy");
    cluster.run(&["rollback"]).code(0);
    well_at_once(&cluster, "rollback");
}

#[test]
fn nodes_that_can_not_be_asked_are_no_failure_and_those_that_do_not_see_each_other_are_one() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    let conduct = cluster.zeek().join("etc/zeek-sim/manager.conf");
    std::fs::create_dir_all(conduct.parent().unwrap()).unwrap();
    std::fs::write(conduct, "hang=1\n").unwrap();
    let said = cluster.run(&["restart", "worker-1"]).code(0);
    assert!(said.stderr.contains("could not be asked whether they see each other"), "{}", said.stderr);
    // A node that says nothing is named, once it has had its time.
    std::fs::write(cluster.zeek().join("etc/zeek-sim/manager.conf"), "").unwrap();
    std::fs::write(cluster.zeek().join("etc/zeek-sim/worker-1.conf"), "never_answer=1\n").unwrap();
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("ready: 30s", "ready: 6s")).unwrap();
    let said = cluster.run(&["restart", "worker-1"]).code(4);
    assert!(said.stdout.contains("do not all see each other yet: no answer from worker-1; later: "), "{said:?}");
    // One that was so before is none of a later command's business.
    let said = cluster.run(&["restart", "worker-2"]).code(0);
    assert!(!said.stdout.contains("no answer from"), "{said:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("scripts: []", "scripts: [], env: { A: b }")).unwrap();
    let said = cluster.run(&["deploy", "--yes"]).code(4);
    assert!(said.stdout.contains(": 4 nodes touched\n"), "{said:?}");
    assert!(said.stdout.contains("do not all see each other yet: no answer from worker-1; later: "), "{said:?}");
}

#[test]
fn what_became_of_nodes_is_told_once_and_folded() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    for (command, stdout) in [
        ("restart", "4 nodes ready: manager, proxy-1, worker-1..2\n"),
        ("stop", "4 nodes stopped: worker-1..2, proxy-1, manager\n"),
        ("start", "4 nodes ready: manager, proxy-1, worker-1..2\n"),
        ("start", "4 nodes already running: manager, proxy-1, worker-1..2\n"),
    ] {
        let said = cluster.run(&[command]).code(0);
        assert_eq!(said.stdout, stdout, "{command}");
        for node in ["manager", "proxy-1", "worker-1", "worker-2"] {
            let lines = said.stderr.lines().filter(|line| line.starts_with(&format!("{node} on here:"))).count();
            assert_eq!(lines, 1, "{command}: {}", said.stderr);
        }
    }
    // What failed stands in a row of its own.
    cluster.run(&["stop"]).code(0);
    std::fs::create_dir_all(cluster.zeek().join("etc/zeek-sim")).unwrap();
    std::fs::write(cluster.zeek().join("etc/zeek-sim/worker-2.conf"), "die_at_start=no way\n").unwrap();
    let said = cluster.run(&["start"]).code(4);
    assert!(said.stdout.contains("3 nodes ready: manager, proxy-1, worker-1\n"), "{}", said.stdout);
    let row = said.stdout.lines().find(|line| line.starts_with("worker-2")).unwrap_or_default();
    assert!(row.contains("here") && row.contains("ended at start (exit 1)"), "{}", said.stdout);
}

#[test]
fn a_limit_that_nodes_do_not_get_is_said_by_deploy_and_doctor() {
    let cluster = LocalCluster::new();
    // More than the kernel gives, root as well.
    cluster.write_local(", limits: { nofile: 1073741824 }");
    let said = cluster.run(&["deploy"]).code(0);
    let told = "here: worker-1..2: can't set ulimit -n to 1073741824 -> clusterctl doctor";
    assert_eq!(said.stderr.matches(told).count(), 1, "{}", said.stderr);
    let doctor = cluster.run(&["doctor"]).code(5);
    assert!(doctor.stdout.contains("`limits.nofile` is 1073741824, but"), "{}", doctor.stdout);
    // Without a timer or a line of cron there is nothing to remove, and that is no mistake.
    let removed = cluster.run(&["maintain", "--remove"]).code(0);
    assert!(removed.stdout.contains("automatic maintenance removed"), "{}", removed.stdout);
}
