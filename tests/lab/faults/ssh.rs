//! SSH.

use super::{Scene, Undo, frozen, names};
use crate::support::local::masters;

/// Ends sshd of a host with all its connections; systemd starts it again.
fn kill_sshd(scene: &Scene, host: &str) {
    scene.lab.exec(host, &["sh", "-c", "pkill -KILL -x sshd; systemctl reset-failed ssh; systemctl restart ssh"]);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f05_sshd_killed_in_the_middle() {
    let scene = Scene::begin();
    // Before anything changed.
    scene.change("whose staging loses its sshd");
    let said = frozen(scene.command(&["deploy", "--yes"]), "staging", || kill_sshd(&scene, "sensor1"));
    if said.code == 0 {
        // A new connection was made in time.
        scene.settled();
        scene.moved_on();
    } else {
        names(&said, &["nothing changed", "sensor1"]);
        scene.unchanged();
        scene.next_deploy_finishes();
    }
    drop(scene);
    // While nodes stop and start.
    for moment in ["stopping workers", "starting workers"] {
        let scene = Scene::begin();
        scene.change(&format!("whose sshd is killed at {moment}"));
        let said = frozen(scene.command(&["deploy", "--yes"]), moment, || kill_sshd(&scene, "sensor1"));
        // Each node runs one whole release, or none.
        let seen = scene.seen();
        scene.nothing_lost();
        if said.code == 0 {
            scene.settled();
            scene.moved_on();
            continue;
        }
        names(&said, &["sensor1"]);
        assert!(seen.running.values().all(|r| *r == scene.old || *r == seen.current["mgmt"]), "{:?}", seen.running);
        scene.next_deploy_finishes();
    }
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f23_a_changed_host_key_is_never_accepted() {
    let scene = Scene::begin();
    let exec = |line: &str| scene.lab.exec("sensor2", &["sh", "-c", line]);
    exec(
        "cd /etc/ssh && cp -p ssh_host_ed25519_key kept_key && cp -p ssh_host_ed25519_key.pub kept_key.pub && \
         rm ssh_host_ed25519_key && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key && systemctl restart ssh",
    );
    let undo = Undo(|| {
        exec(
            "cd /etc/ssh && mv kept_key ssh_host_ed25519_key && mv kept_key.pub ssh_host_ed25519_key.pub && \
             systemctl restart ssh",
        );
    });
    scene.change("behind a changed host key");
    // Warm connections were made when the key was right: these are others.
    let cold = tempfile::Builder::new().prefix("cc.").tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = scene.command(args);
        command.env("XDG_RUNTIME_DIR", cold.path());
        crate::support::local::said(command)
    };
    let said = run(&["deploy", "--yes"]).code(1);
    names(&said, &["nothing changed", "sensor2: ssh: the host key has changed", "compare the key of sensor2"]);
    let status = run(&["status", "-o", "json"]).code(5).json();
    for row in status["data"]["nodes"].as_array().unwrap() {
        let away = row["host"] == "sensor2";
        assert_eq!(row["state"], if away { "unknown" } else { "running" }, "{row}");
        assert_eq!(row["detail"].as_str().is_some_and(|d| d.contains("host key has changed")), away, "{row}");
    }
    drop(undo);
    scene.unchanged();
    scene.next_deploy_finishes();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f30_frozen_and_dead_masters_are_replaced() {
    let scene = Scene::begin();
    let cold = tempfile::Builder::new().prefix("cc.").tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = scene.command(args);
        command.env("XDG_RUNTIME_DIR", cold.path());
        crate::support::local::said(command)
    };
    run(&["status"]).code(0);
    let first = masters(cold.path());
    assert_eq!(first.len(), 3, "{first:?}");
    let _undo = Undo(|| {
        for pid in &first {
            let _ = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).output();
        }
    });
    // Frozen: nothing answers on their sockets.
    for pid in &first {
        crate::support::local::kill("STOP", *pid);
    }
    let said = run(&["status"]);
    assert_eq!(said.code, 0, "{said:?}");
    let second: Vec<u64> = masters(cold.path()).into_iter().filter(|p| !first.contains(p)).collect();
    assert_eq!(second.len(), 3, "{second:?}");
    // Dead: their sockets stay and lead nowhere.
    for pid in &second {
        crate::support::local::kill("KILL", *pid);
    }
    scene.change("over new masters");
    let said = run(&["deploy", "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    scene.settled();
    scene.moved_on();
    // In the middle of a deploy.
    let scene = {
        let mut scene = scene;
        scene.remember();
        scene
    };
    scene.change("whose masters die");
    let mut command = scene.command(&["deploy", "--yes"]);
    command.env("XDG_RUNTIME_DIR", cold.path());
    let said = frozen(command, "stopping proxies", || {
        for pid in masters(cold.path()).into_iter().filter(|p| !first.contains(p)) {
            crate::support::local::kill("KILL", pid);
        }
    });
    if said.code != 0 {
        scene.seen();
    }
    scene.nothing_lost();
    scene.next_deploy_finishes();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f30_used_up_sessions_are_waited_for_or_named() {
    let scene = Scene::begin();
    let exec = |line: &str| scene.lab.exec("sensor1", &["sh", "-c", line]);
    let sessions = |number: u32| {
        exec(&format!("echo MaxSessions {number} >/etc/ssh/sshd_config.d/lab.conf && systemctl restart ssh"));
    };
    let _undo = Undo(|| drop(exec("rm /etc/ssh/sshd_config.d/lab.conf; systemctl restart ssh")));
    let deploy = || {
        let cold = tempfile::Builder::new().prefix("cc.").tempdir().unwrap();
        let mut command = scene.command(&["deploy", "--yes"]);
        command.env("XDG_RUNTIME_DIR", cold.path());
        let said = crate::support::local::said(command);
        for pid in masters(cold.path()) {
            crate::support::local::kill("TERM", pid);
        }
        said
    };
    // The lock's and one more are enough.
    sessions(2);
    scene.change("with two sessions");
    deploy().code(0);
    scene.settled();
    scene.moved_on();
    // Not even that: the lock's own session leaves none for the rest.
    sessions(1);
    scene.change("with one session");
    let before = scene.seen().running;
    let said = deploy();
    assert_eq!(said.code, 1, "{said:?}");
    names(&said, &["nothing changed", "sensor1", "MaxSessions"]);
    assert_eq!(scene.seen().running, before);
    sessions(10);
    scene.next_deploy_finishes();
}
