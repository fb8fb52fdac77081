//! What ends clusterctl in the middle of a deploy: signals, a terminal that is gone, a reader that is gone.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::support::local::{LocalCluster, gone, kill, wait_for};

/// A cluster that runs, with a change to deploy whose new nodes take long to be ready; its release.
fn with_a_change(ready: &str) -> (LocalCluster, String) {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    let before = current(&cluster);
    cluster.write_local(&format!(", env: {{ ZEEK_SIM_READY_MS: '{ready}' }}"));
    (cluster, before)
}

fn current(cluster: &LocalCluster) -> String {
    let target = std::fs::read_link(cluster.kept("current")).unwrap();
    target.file_name().unwrap().to_str().unwrap().to_owned()
}

/// The release that a node runs, by what it wrote of itself and what /proc says; none where it does not run.
fn runs(cluster: &LocalCluster, node: &str) -> Option<String> {
    let run = std::fs::read_to_string(cluster.kept(&format!("nodes/{node}/run"))).ok()?;
    let pid: u64 = run.lines().next()?.split(' ').nth(2)?.parse().ok()?;
    let release = run.lines().find_map(|l| l.strip_prefix("release "))?.to_owned();
    (!gone(pid)).then_some(release)
}

fn all_run(cluster: &LocalCluster, release: &str) -> bool {
    ["manager", "proxy-1", "worker-1", "worker-2"].iter().all(|n| runs(cluster, n).as_deref() == Some(release))
}

/// Waits until workers are being started from another release than this one.
fn wait_for_the_activation(cluster: &LocalCluster, before: &str) {
    wait_for("a worker of the new release", || runs(cluster, "worker-1").filter(|release| release != before));
}

#[test]
fn every_signal_that_asks_for_an_end_lets_a_deploy_go_back() {
    let (cluster, before) = with_a_change("10000");
    for signals in [&["HUP", "HUP"][..], &["HUP", "TERM"], &["TERM", "HUP"], &["QUIT"], &["INT"]] {
        let mut command = cluster.command(&["deploy", "--yes"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_the_activation(&cluster, &before);
        // Nobody reads any more what it says.
        drop((child.stdout.take(), child.stderr.take()));
        for signal in signals {
            kill(signal, u64::from(child.id()));
        }
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signals:?}");
        assert_eq!(current(&cluster), before, "{signals:?}");
        assert!(all_run(&cluster, &before), "{signals:?}");
        assert!(!cluster.kept("journal").exists(), "{signals:?}");
    }
}

#[test]
fn what_ignores_hangups_goes_on() {
    let (cluster, before) = with_a_change("2000");
    let mut command = Command::new("nohup");
    let inner = cluster.command(&["deploy", "--yes"]);
    command.arg(inner.get_program()).args(inner.get_args()).current_dir(cluster.dir()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_the_activation(&cluster, &before);
    kill("HUP", u64::from(child.id()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_ne!(current(&cluster), before);
}

#[test]
fn a_reader_that_is_gone_ends_no_deploy() {
    let (cluster, before) = with_a_change("2000");
    for output in ["table", "json"] {
        let mut command = cluster.command(&["deploy", "--yes", "-o", output]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        child.wait().unwrap();
        let new = current(&cluster);
        assert_ne!(new, before);
        assert_eq!((runs(&cluster, "worker-1"), runs(&cluster, "worker-2")), (Some(new.clone()), Some(new)));
        cluster.write_local(", env: { ZEEK_SIM_READY_MS: '1000' }");
    }
}

#[test]
fn a_terminal_that_is_closed_lets_a_deploy_go_back() {
    let (cluster, before) = with_a_change("10000");
    let inner = cluster.command(&[]);
    let line = format!("{} deploy --yes", inner.get_program().display());
    let mut command = Command::new("script");
    command.args(["-qfc", &line, "/dev/null"]).current_dir(cluster.dir()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "xterm");
    let mut terminal = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_the_activation(&cluster, &before);
    // With it the terminal ends: a hangup, and no byte can be written any more.
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    wait_for("the old release to run again", || all_run(&cluster, &before).then_some(()));
    wait_for("the end of the deploy", || (!cluster.kept("journal").exists()).then_some(()));
    assert_eq!(current(&cluster), before);
}

/// What a killed clusterctl has left half-way, the host brings back, but nothing that an operator has stopped since.
#[test]
fn what_a_killed_deploy_left_stopped_is_healed() {
    let cluster = LocalCluster::new();
    cluster.write_local(", env: { ZEEK_SIM_IGNORE_SIGTERM: '1' }");
    cluster.run(&["deploy", "--yes"]).code(0);
    let before = current(&cluster);
    cluster.write_local("");
    let mut child = cluster.command(&["deploy", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The workers take their time to stop, which the host goes on with.
    let want = || std::fs::read_to_string(cluster.kept("nodes/worker-1/want")).unwrap();
    wait_for("a worker to be told to stop", || (want() == "stopped\n").then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    let new = current(&cluster);
    assert_ne!(new, before);
    let down = |node: &str| runs(&cluster, node).is_none();
    wait_for("the workers to stop", || (down("worker-1") && down("worker-2")).then_some(()));
    wait_for("the lock to be free", || (!cluster.kept("lock").exists()).then_some(()));

    let left = cluster.run(&["maintain"]).code(1);
    assert!(left.stdout.contains("unfinished operation, no node was started"), "{left:?}");
    assert!(down("worker-1") && down("worker-2"));
    cluster.run(&["stop", "worker-2"]).code(0);
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let journal = std::fs::File::options().append(true).open(cluster.kept("journal")).unwrap();
    journal.set_modified(hour_ago).unwrap();
    let healed = cluster.run(&["maintain"]);
    assert!(healed.stdout.contains("worker-1 started again"), "{healed:?}");
    assert!(healed.stdout.contains("stopped nodes were restarted"), "{healed:?}");
    assert_eq!(runs(&cluster, "worker-1"), Some(new.clone()));
    assert_eq!(runs(&cluster, "manager"), Some(before));
    assert!(down("worker-2"), "an operator has stopped it");
    // What is left to do is a deploy's.
    cluster.run(&["deploy", "--yes"]).code(0);
    assert_eq!(runs(&cluster, "worker-2"), Some(new));
    assert!(!cluster.kept("journal").exists());
}

/// What was to be started again at once is still meant to run, and hosts know it without a journal.
#[test]
fn what_a_killed_restart_left_stopped_is_named_and_healed() {
    let cluster = LocalCluster::new();
    cluster.write_local(", env: { ZEEK_SIM_IGNORE_SIGTERM: '1' }");
    cluster.run(&["deploy", "--yes"]).code(0);
    let release = current(&cluster);
    let kill_at = |marker: &str| {
        let mut command = cluster.command(&["restart", "workers"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The workers take their time to stop, which the host goes on with.
        wait_for("a worker to be told to stop", || cluster.kept(marker).exists().then_some(()));
        child.kill().unwrap();
        child.wait().unwrap();
        let down = |node: &str| runs(&cluster, node).is_none();
        wait_for("the workers to stop", || (down("worker-1") && down("worker-2")).then_some(()));
        wait_for("the lock to be free", || (!cluster.kept("lock").exists()).then_some(()));
        assert!(!cluster.kept("journal").exists());
    };
    kill_at("nodes/worker-1/stop");
    let told = "worker-1, worker-2: are stopped (by a restart that has not started it again)";
    let status = wait_for("their supervisors to end", || {
        let status = cluster.run(&["status"]).code(5);
        status.stdout.contains(told).then_some(status)
    });
    assert!(status.stdout.contains("clusterctl start worker-1 worker-2"), "{status:?}");
    // What an operator stops meanwhile stays so.
    cluster.run(&["stop", "worker-2"]).code(0);
    let healed = cluster.run(&["maintain"]).code(0);
    assert!(healed.stdout.contains("worker-1 started again"), "{healed:?}");
    assert_eq!(runs(&cluster, "worker-1"), Some(release.clone()));
    assert!(runs(&cluster, "worker-2").is_none(), "an operator has stopped it");
    // And what was said to do works.
    cluster.run(&["start"]).code(0);
    kill_at("nodes/worker-1/stop");
    cluster.run(&["start", "worker-1", "worker-2"]).code(0);
    assert!(all_run(&cluster, &release));
    cluster.settled();
}
