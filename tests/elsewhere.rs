//! Nodes of a cluster that run where its description has no place for them: no command says that they do not run.

use std::fs;

use crate::support::local::{LocalCluster, Said};
use crate::support::sshd::{self, Sshd};
use crate::support::transcript::Transcript;

/// The description with `old` in place of `new`.
fn replace(cluster: &LocalCluster, old: &str, new: &str) {
    let file = cluster.dir().join("cluster.yaml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(&file, text.replace(old, new)).unwrap();
}

/// Asserts that no line speaks of something that is stopped.
#[track_caller]
fn says_nothing_stopped(said: &Said) {
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(!all.contains("stopped"), "{said:?}");
}

/// A cluster on this machine, which is two hosts: `there`, by ssh and with folders of its own, has no nodes.
fn on_two_hosts(sshd: &Sshd) -> LocalCluster {
    let cluster = LocalCluster::new();
    cluster.write(&format!(
        "ssh: {{ config: {} }}\nhosts:\n  here: {{ local: true, address: 127.0.0.1 }}\n  there: {{ address: 127.0.0.2, \
         ssh: {{ host: 127.0.0.1 }}, paths: {{ base: {}/there }} }}\nnodes:\n  manager: {{ type: manager, host: here }}\n  \
         proxy: {{ type: proxy, host: here, count: 1 }}\n  w1: {{ type: worker, host: here, interface: lo }}\n",
        sshd.ssh_config_path().display(),
        cluster.dir().display(),
    ));
    replace(&cluster, "  there: {", "  there: { enabled: false,");
    cluster.run(&["deploy", "--yes"]).code(0);
    replace(&cluster, "  there: { enabled: false,", "  there: {");
    cluster
}

#[test]
fn a_node_that_moves_in_the_description_runs_where_it_ran() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    let cluster = on_two_hosts(&sshd);
    let pid = cluster.pid("w1");
    let move_it = || replace(&cluster, "type: worker, host: here", "type: worker, host: there");
    move_it();
    let seen = Transcript::default();
    for args in [&["status"][..], &["status", "w1"]] {
        seen.run(&cluster, args).code(5);
    }
    let row = cluster.row("w1");
    assert_eq!((&row["host"], &row["runs_on"], &row["pid"]), (&"there".into(), &"here".into(), &pid.into()));
    // It would run twice.
    seen.run(&cluster, &["start", "w1"]);
    seen.run(&cluster, &["restart", "w1"]);
    // A host without nodes is a host, and the folder of this one has none.
    seen.run(&cluster, &["stop", "@there"]).code(0);
    assert_eq!(cluster.row("w1")["state"], "stopped");
    insta::assert_snapshot!(seen.take());
    cluster.run(&["start", "manager"]).code(0);
}

#[test]
fn a_stop_of_a_node_stops_it_where_it_runs() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    let cluster = on_two_hosts(&sshd);
    replace(&cluster, "type: worker, host: here", "type: worker, host: there");
    let seen = Transcript::default();
    seen.run(&cluster, &["stop", "w1"]).code(0);
    insta::assert_snapshot!(seen.take());
    replace(&cluster, "type: worker, host: there", "type: worker, host: here");
    assert_eq!(cluster.row("w1")["state"], "stopped");
    assert_eq!(cluster.row("manager")["state"], "running");
}

#[test]
fn a_stop_reaches_what_left_the_description() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    replace(&cluster, "  worker: {", "  sensor: {");
    let seen = Transcript::default();
    seen.run(&cluster, &["stop", "sensor-1"]).code(0);
    seen.run(&cluster, &["stop"]).code(0);
    insta::assert_snapshot!(seen.take());
    replace(&cluster, "  sensor: {", "  worker: {");
    for node in ["manager", "proxy-1", "worker-1", "worker-2"] {
        assert_eq!(cluster.row(node)["state"], "stopped");
    }
}

#[test]
fn what_runs_from_another_folder_is_not_stopped_and_that_is_said() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    let (old, new) = (format!("{}/base ", cluster.dir().display()), format!("{}/other ", cluster.dir().display()));
    replace(&cluster, &old, &new);
    let status = cluster.run(&["status"]).code(5);
    says_nothing_stopped(&status);
    for args in [&["stop"][..], &["stop", "worker-1"]] {
        let said = cluster.run(args).code(4);
        says_nothing_stopped(&said);
        let runs = format!(
            "worker-1: runs on here from another folder, {}/base/{} (pid ",
            cluster.dir().display(),
            cluster.name()
        );
        assert!(said.stdout.contains(&runs), "{said:?}");
        assert!(said.stdout.contains("-> stop it with the description that started it"), "{said:?}");
    }
    let said = cluster.run(&["start", "worker-1"]);
    assert_ne!(said.code, 0);
    replace(&cluster, &new, &old);
    cluster.settled();
    cluster.run(&["stop"]).code(0);
}
