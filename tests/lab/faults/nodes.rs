//! Nodes that misbehave, and what is left of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Scene, Undo, names};
use crate::lab::cluster::{row, wait_for};

const LONG: Duration = Duration::from_secs(90);

/// A script that stops a node's start, for the nodes that load it.
fn init(body: &str) -> String {
    format!("event zeek_init()\n\t{{\n\t{body}\n\t}}\n")
}

impl Scene {
    /// Adds to the description, which ends with `nodes`.
    fn add(&self, text: &str) {
        let old = std::fs::read_to_string(self.file()).unwrap();
        std::fs::write(self.file(), format!("{}\n{text}\n", old.trim_end())).unwrap();
    }

    /// Replaces something in the description.
    #[track_caller]
    pub(super) fn put(&self, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.file()).unwrap();
        assert!(text.contains(old), "no `{old}` in:\n{text}");
        std::fs::write(self.file(), text.replace(old, new)).unwrap();
    }

    /// Goes back to the description of the beginning, which finds all as it was.
    #[track_caller]
    pub(super) fn nothing_to_do(&self) {
        self.write();
        let said = self.run(&["deploy", "--yes"]).code(0);
        names(&said, &["nothing to do"]);
        self.settled();
    }

    /// Runs a script in a host's own shell, as root, with arguments.
    pub(crate) fn sh(&self, host: &str, script: &str, args: &[&str]) -> String {
        let mut command = vec!["sh", "-c", script, "sh"];
        command.extend(args);
        self.lab.exec(host, &command)
    }

    pub(super) fn is_systemd(&self) -> bool {
        self.combination.runner == "systemd"
    }

    /// A node's folder on its host.
    fn folder(&self, node: &str) -> String {
        format!("{}/nodes/{node}", self.home())
    }

    /// The row of a node.
    pub(super) fn row(&self, node: &str) -> Value {
        row(&self.status(), node).clone()
    }

    #[track_caller]
    fn await_state(&self, node: &str, state: &str) -> Value {
        wait_for(&format!("{node} to be {state}"), LONG, || {
            let row = self.row(node);
            (row["state"] == state).then_some(row)
        })
    }
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f14_a_node_that_dies_at_start_brings_the_old_release_back() {
    let scene = Scene::begin();
    scene.site("cheese.zeek", &init("Reporter::fatal(\"out of cheese\");"));
    scene.add("  spare: { type: logger, host: mgmt, first_index: 3, scripts: [cheese] }");
    // The next deploy of the same does the same.
    for _ in 0..2 {
        let said = scene.run(&["deploy", "--yes"]).code(1);
        names(&said, &["spare", "ended at start (exit 1)", "out of cheese", "site/cheese.zeek", "went back"]);
        // The user's own file, and not where it lies in a release.
        assert!(!said.stderr.contains("/releases/"), "{said:?}");
        scene.unchanged();
    }
    std::fs::remove_file(scene.file().with_file_name("site").join("cheese.zeek")).unwrap();
    scene.nothing_to_do();
    scene.unchanged();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f15_a_node_that_never_becomes_ready_brings_the_old_release_back() {
    let scene = Scene::begin();
    scene.site("hang.zeek", &init("while ( T ) { }"));
    scene.add("  spare: { type: logger, host: mgmt, first_index: 3, scripts: [hang] }");
    scene.put("ready: 120s, stop: 20s", "ready: 30s, stop: 10s");
    let said = scene.run(&["deploy", "--yes"]).code(1);
    // A loop in `zeek_init` ends on no SIGTERM either.
    names(&said, &["spare", "not ready in time (INITIALIZING [main])", "killed", "went back"]);
    scene.unchanged();
    let left = scene.sh("mgmt", "pgrep -x zeek | wc -l", &[]);
    assert_eq!(left, "4", "nothing of the spare logger is left");
    std::fs::remove_file(scene.file().with_file_name("site").join("hang.zeek")).unwrap();
    scene.nothing_to_do();
    scene.unchanged();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f16_a_node_that_ignores_sigterm_is_killed_and_that_is_said() {
    let scene = Scene::begin();
    scene.put("stop: 20s", "stop: 5s");
    let node = "worker-sensor2-1";
    let pid = scene.pids()[node].to_string();
    // A frozen process takes no signal but SIGKILL. systemd thaws what it stops, so it is frozen again until it is gone.
    let keep = if scene.is_systemd() { "1" } else { "" };
    scene.sh(
        "sensor2",
        "kill -STOP \"$1\"; [ -z \"$2\" ] || setsid sh -c 'while kill -STOP \"$1\"; do sleep 0.01; done' sh \"$1\" \
         >/dev/null 2>&1 </dev/null &",
        &[&pid, keep],
    );
    let said = scene.run(&["stop", node]).code(0);
    if !scene.is_systemd() {
        names(&said, &[node, "killed: it did not stop after SIGTERM"]);
    }
    assert_eq!(scene.sh("sensor2", "ps -o pid= -p \"$1\" || echo gone", &[&pid]), "gone");
    assert_eq!(scene.row(node)["state"], "stopped");
    assert_eq!(scene.seen().everywhere(), scene.old);
    scene.nothing_lost();
    scene.write();
    scene.run(&["start"]).code(0);
    scene.settled();
    scene.unchanged();
    scene.nothing_to_do();
}

/// Takes a pid that a process had: a foreign process of the account gets it. A /proc of our own, because the host's is
/// read-only where it counts.
const RECYCLE: &str = r#"
unshare --mount sh -c '
    mount -t proc proc /proc
    for try in 1 2 3 4 5 6 7 8 9 10; do
        echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
        setpriv --reuid="$2" --clear-groups sleep 900 >/dev/null 2>&1 </dev/null &
        [ $! = "$1" ] && exit 0
        kill $!
    done
    exit 1' sh "$@"
"#;

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f17_a_recycled_pid_is_no_node() {
    let scene = Scene::begin();
    let node = "worker-sensor1-1";
    let pid = scene.pids()[node].to_string();
    let account = scene.combination.account.clone();
    // Whoever would start it again is gone first.
    let supervisor =
        scene.sh("sensor1", "set -- $(cat \"$1/supervisor\" 2>/dev/null); echo \"$3\"", &[&scene.folder(node)]);
    for gone in [&supervisor, &pid] {
        if !gone.is_empty() {
            scene.sh("sensor1", "kill -KILL \"$1\"; while [ -d \"/proc/$1\" ]; do sleep 0.05; done", &[gone]);
        }
    }
    if scene.is_systemd() {
        wait_for("its unit to start it again", LONG, || {
            scene.pids().get(node).filter(|p| p.to_string() != pid).copied()
        });
    }
    scene.sh("sensor1", RECYCLE, &[&pid, &account]);
    let lab = scene.lab.clone();
    let _undo = Undo(|| drop(lab.exec("sensor1", &["pkill", "-KILL", "-x", "sleep"])));
    let lives = || scene.sh("sensor1", "cat \"/proc/$1/comm\"", &[&pid]) == "sleep";
    wait_for("the stranger to be what it is", LONG, || lives().then_some(()));
    if !scene.is_systemd() {
        let row = scene.row(node);
        assert_eq!((&row["state"], &row["pid"]), (&json!("crashed"), &json!(null)), "{row}");
        let said = scene.run(&["status"]).code(5);
        names(&said, &[node, "ended together with its supervisor"]);
        // Healing is the next command: a stop signals nobody.
        let said = scene.run(&["stop", node]).code(0);
        assert!(!said.stdout.contains("killed"), "{said:?}");
        assert!(lives(), "a stop has ended somebody else's process");
    }
    scene.nothing_lost();
    scene.run(&["start"]).code(0);
    scene.settled();
    assert!(lives(), "a start has ended somebody else's process");
    assert_ne!(scene.pids()[node].to_string(), pid);
    scene.unchanged();
    scene.nothing_to_do();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f17_a_reboot_that_recycles_all_pids_is_no_life() {
    let scene = Scene::begin();
    let account = scene.combination.account.clone();
    let nodes = ["worker-sensor1-1", "worker-sensor1-2"];
    let pids: Vec<String> = nodes.iter().map(|n| scene.pids()[*n].to_string()).collect();
    scene.lab.does("poweroff", ["sensor1"]);
    scene.lab.does("poweron", ["sensor1"]);
    let lab = scene.lab.clone();
    let _undo = Undo(|| drop(lab.exec("sensor1", &["sh", "-c", "pkill -KILL -x sleep; true"])));
    if scene.is_systemd() {
        // They come back with the host, from the same release.
        for node in nodes {
            scene.await_state(node, "running");
        }
    } else {
        // Supervisors' pids and nodes' alike now belong to others.
        for pid in &pids {
            scene.sh("sensor1", &format!("[ -d \"/proc/$1\" ] || {{ {RECYCLE} }}"), &[pid, &account]);
        }
        for node in nodes {
            let row = scene.row(node);
            assert_eq!((&row["state"], &row["pid"]), (&json!("crashed"), &json!(null)), "{row}");
        }
        let said = scene.run(&["status"]).code(5);
        names(&said, &["the host rebooted", "worker-sensor1-1", "worker-sensor1-2"]);
        scene.nothing_lost();
        scene.run(&["start"]).code(0);
    }
    scene.settled();
    scene.unchanged();
    scene.nothing_to_do();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f18_stale_and_half_written_files_pass_for_nothing() {
    let scene = Scene::begin();
    let node = "worker-sensor2-2";
    let folder = scene.folder(node);
    let pid = scene.pids()[node];
    // A full disk leaves it truncated: the node answers, which no word of a file outweighs.
    for status in ["", "RUN", "\\033[31mRUNNING"] {
        scene.sh("sensor2", "printf \"$2\" >\"$1/.status\"", &[&folder, status]);
        let row = wait_for("its answer", LONG, || Some(scene.row(node)).filter(|r| r["state"] == "running"));
        assert_eq!(row["pid"], json!(pid), "{status:?}");
        assert!(!scene.run(&["status"]).stdout.contains('\u{1b}'));
    }
    scene.sh("sensor2", "echo 'RUNNING [run_loop]' >\"$1/.status\"", &[&folder]);
    scene.unchanged();
    // What the runner knows is lost to the same disk: a restart still makes one node of it.
    for file in ["run", "exit", "want"] {
        scene.sh("sensor2", "printf 'id 0123' >\"$1/$2\"", &[&folder, file]);
        let said = scene.run(&["status", "-o", "json"]);
        assert!(said.code == 0 || said.code == 5, "{said:?}");
        scene.run(&["restart", node]).code(0);
        scene.settled();
        scene.unchanged();
    }
    // A word that a dead process has left is no life.
    scene.run(&["stop", node]).code(0);
    scene.sh("sensor2", "echo 'RUNNING [run_loop]' >\"$1/.status\"", &[&folder]);
    assert_eq!(scene.row(node)["state"], "stopped");
    assert_eq!(scene.status()["workers"]["running"], 3);
    scene.run(&["start"]).code(0);
    scene.settled();
    scene.unchanged();
    scene.nothing_to_do();
}

/// Holds a port of a host until it is dropped.
struct Squatter(crate::lab::Lab);

impl Squatter {
    fn on(scene: &Scene, host: &'static str, port: u64) -> Self {
        let at = format!("{}:{port}", scene.address(host));
        scene.sh(
            host,
            "systemd-run --quiet --unit=squatter --collect systemd-socket-activate -l \"$1\" /bin/sleep 100000; \
             for i in $(seq 100); do ss -Hltn | grep -qF \"$1\" && exit 0; sleep 0.1; done; exit 1",
            &[&at],
        );
        Self(scene.lab.clone())
    }
}

impl Drop for Squatter {
    fn drop(&mut self) {
        self.0.exec("mgmt", &["systemctl", "stop", "squatter"]);
    }
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f20_a_port_of_another_process_is_named_before_anything_changes() {
    let scene = Scene::begin();
    let squatter = Squatter::on(&scene, "mgmt", 27799);
    scene.add("  spare: { type: logger, host: mgmt, first_index: 3, port: 27799 }");
    let said = scene.run(&["deploy", "--yes"]).code(1);
    names(&said, &["nothing changed", "spare on mgmt: port 27799 is held by", "root", "another `port`"]);
    if scene.combination.account == "root" {
        names(&said, &["systemd-socket-"]);
    }
    scene.unchanged();
    // Once it is free, the same deploy goes through.
    drop(squatter);
    scene.run(&["deploy", "--yes"]).code(0);
    scene.settled();
    assert_eq!(scene.seen().running.len(), 9);
    scene.nothing_lost();
    scene.write();
    scene.run(&["deploy", "--yes"]).code(0);
    scene.settled();
    assert_eq!(scene.seen().running.len(), 8);
    scene.nothing_lost();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f26_a_crash_loop_is_given_up_and_start_tries_again() {
    let scene = Scene::begin();
    // Pauses that would last five minutes pass in a moment.
    scene.sh(
        "mgmt",
        "printf '#!/bin/sh\\nexec /bin/sleep 0.1\\n' >/usr/local/bin/sleep; chmod 755 /usr/local/bin/sleep",
        &[],
    );
    let lab = scene.lab.clone();
    let _undo = Undo(|| drop(lab.exec("mgmt", &["rm", "-f", "/usr/local/bin/sleep"])));
    let nodes = scene.run(&["nodes", "proxy-1", "-o", "json"]).json();
    let port = nodes["data"][0]["port"].as_u64().unwrap();
    scene.run(&["stop", "proxy-1"]).code(0);
    let squatter = Squatter::on(&scene, "mgmt", port);
    let said = scene.run(&["start", "proxy-1"]).code(1);
    names(&said, &["ended at start (exit 1", &format!("port {port} is held by")]);
    let row = scene.await_failure("proxy-1");
    assert!(row["detail"].as_str().unwrap().contains("gave up after"), "{row}");
    names(&scene.run(&["status"]).code(5), &["proxy-1", "failed (exit 1; gave up after"]);
    assert_eq!(scene.seen().everywhere(), scene.old);
    scene.nothing_lost();
    drop(squatter);
    scene.run(&["start"]).code(0);
    scene.settled();
    scene.unchanged();
    scene.nothing_to_do();
}

/// Kills a node again and again, until the pause before its next start is so many seconds.
fn into_pause(scene: &Scene, node: &str, host: &str, seconds: u64) {
    let mut pause = 1;
    loop {
        let pid = wait_for(&format!("{node} to run"), LONG, || scene.pids().get(node).copied());
        scene.sh(host, "kill -KILL \"$1\"", &[&pid.to_string()]);
        if pause >= seconds {
            wait_for("the pause", LONG, || (scene.row(node)["pid"] == Value::Null).then_some(()));
            return;
        }
        pause *= 2;
    }
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f26_a_node_in_a_pause_is_left_to_its_runner_and_moved_by_a_deploy() {
    let scene = Scene::begin();
    let node = "worker-sensor1-1";
    scene.change("that finds a node in the pause after a crash");
    into_pause(&scene, node, "sensor1", 8);
    // Maintenance starts nothing that its runner is about to start.
    let said = scene.run(&["maintain", "@sensor1", "-o", "json"]).code(0).json();
    assert_eq!(said["data"]["hosts"][0]["healed"], json!([]), "{said:#}");
    // The runner starts it while the deploy is under way, from the old release: it does not stay there.
    let said = super::frozen(scene.command(&["deploy", "--yes"]), "starting loggers", || {
        wait_for("the runner to start it, or the deploy to have stopped it", Duration::from_secs(30), || {
            let row = scene.row(node);
            (row["pid"] != Value::Null || row["state"] == "stopped").then_some(())
        });
    });
    assert_eq!(said.code, 0, "{said:?}");
    scene.settled();
    scene.moved_on();
    scene.nothing_to_do();
}

impl Scene {
    /// Waits until the runner gives a node up, after eleven starts.
    #[track_caller]
    fn await_failure(&self, node: &str) -> Value {
        wait_for(&format!("{node} to be given up"), Duration::from_secs(600), || {
            let row = self.row(node);
            (row["state"] == "failed").then_some(row)
        })
    }
}
