//! No log that was written is truncated by the next start of its node, whatever is set; and there is an archive unless
//! the description says otherwise.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::local::{LocalCluster, kill, wait_for};

const NODES: &str = "hosts: { here: { local: true } }\nnodes:\n  logger: { type: logger, host: here, count: 1 }\n  \
                     manager: { type: manager, host: here }\n  proxy: { type: proxy, host: here, count: 1 }\n  \
                     worker: { type: worker, host: here, count: 2, interface: lo }\n";

/// Makes each worker write so many records, once, from now on.
fn produce(cluster: &LocalCluster, total: u32) {
    let conf = format!("packets=1000\nlog_rate=200\nlog_total={total}\n");
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), conf).unwrap();
}

/// All files below a folder whose name begins so.
fn files(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path(), begin));
        } else if entry.file_name().to_str().unwrap().starts_with(begin) {
            found.push(entry.path());
        }
    }
    found
}

/// The records of the log `sim` that lie anywhere below folders.
fn records(folders: &[PathBuf]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in folders.iter().flat_map(|folder| files(folder, "sim")) {
        let command = "case $0 in *.gz) gzip -dc \"$0\" ;; *) cat \"$0\" ;; esac";
        // A file that is archived in this moment is found at its other place, the next time.
        let output = Command::new("sh").args(["-c", command]).arg(&file).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        found.extend(text.lines().filter(|l| !l.starts_with('#')).map(str::to_owned));
    }
    found
}

/// All places of a cluster's logs.
fn places(cluster: &LocalCluster) -> Vec<PathBuf> {
    ["nodes", "log-queue", "archive"].map(|place| cluster.kept(place)).to_vec()
}

fn wait_for_records(cluster: &LocalCluster, count: usize) {
    wait_for("all records", || (records(&places(cluster)).len() >= count).then_some(()));
}

/// Kills a node and waits until it runs again.
fn kill_and_wait(cluster: &LocalCluster, node: &str) {
    let old = cluster.pid(node);
    kill("KILL", old);
    wait_for("its next start", || {
        let row = cluster.row(node);
        (row["state"] == "running" && row["pid"].as_u64() != Some(old)).then_some(())
    });
}

/// Whether a node's folder has logs, as its next process would open them.
fn has_logs(cluster: &LocalCluster, node: &str) -> bool {
    cluster.kept(&format!("nodes/{node}/sim.log")).exists()
}

#[test]
fn a_log_that_never_rotates_survives_a_crash_a_restart_and_a_stop() {
    let cluster = LocalCluster::new();
    cluster.write(&format!("logs: {{ rotate: 0s }}\n{NODES}"));
    produce(&cluster, 100);
    cluster.run(&["deploy"]).code(0);
    wait_for_records(&cluster, 200);
    assert!(has_logs(&cluster, "logger-1"), "it rotated");
    kill_and_wait(&cluster, "logger-1");
    assert_eq!(records(&places(&cluster)).len(), 200);
    let name = files(&cluster.kept("archive"), "cluster.").pop();
    wait_for("what it left in the archive", || files(&cluster.kept("archive"), "sim.").pop());
    drop(name);
    // The workers begin anew, and their records are others.
    cluster.run(&["restart"]).code(0);
    wait_for_records(&cluster, 400);
    cluster.run(&["restart", "logger-1"]).code(0);
    assert_eq!(records(&places(&cluster)).len(), 400);
    cluster.run(&["stop"]).code(0);
    assert!(!has_logs(&cluster, "logger-1"));
    assert_eq!(records(&[cluster.kept("archive")]).len(), 400);
}

#[test]
fn so_does_one_of_a_standalone_without_an_archive_in_a_spool_elsewhere() {
    let cluster = LocalCluster::new();
    cluster.write("logs: { rotate: 0s, archive: off }\nhosts: { here: { local: true } }\nnodes: { zeek: { type: standalone, host: here, interface: lo } }\n");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let spool = cluster.dir().join("spool");
    std::fs::write(&file, text.replace("paths: { ", &format!("paths: {{ spool: {}, ", spool.display()))).unwrap();
    produce(&cluster, 50);
    cluster.run(&["deploy"]).code(0);
    let all = [spool.join(cluster.name())];
    wait_for("all records", || (records(&all).len() == 50).then_some(()));
    let old = cluster.pid("zeek");
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), "packets=1000\n").unwrap();
    kill("KILL", old);
    wait_for("its next start", || (cluster.row("zeek")["pid"].as_u64().filter(|pid| *pid != old)).map(|_| ()));
    assert_eq!(records(&all).len(), 50);
    let queued = files(&all[0].join("log-queue"), "sim__");
    assert_eq!(queued.len(), 1, "{queued:?}");
    assert!(!all[0].join("archive").exists() && !all[0].join("nodes/log-archiver").exists());
}

#[test]
fn logs_of_other_nodes_and_settings_of_before_are_kept_as_well() {
    let cluster = LocalCluster::new();
    cluster.write(&format!("logs: {{ rotate: 7d }}\n{NODES}"));
    cluster.run(&["deploy"]).code(0);
    let worker = cluster.kept("nodes/worker-1");
    // As with Log::enable_local_logging; one with a shadow file, one compressed, and what is no log.
    for (name, text) in [("conn.log", "local"), ("dns.log.gz", "zipped"), ("ssl.log", "rotates"), ("notes.txt", "mine")]
    {
        std::fs::write(worker.join(name), text).unwrap();
    }
    std::fs::write(worker.join(".shadow.ssl.log"), ".log\n\n").unwrap();
    std::os::unix::fs::symlink("/dev/null", worker.join("weird.log")).unwrap();
    // A logger's log without a shadow file is one of a setting of before.
    std::fs::write(cluster.kept("nodes/logger-1/old.log"), "older").unwrap();
    cluster.run(&["restart", "worker-1", "logger-1"]).code(0);
    let left = ["conn.log", "dns.log.gz", "ssl.log", ".shadow.ssl.log"].map(|name| worker.join(name).exists());
    assert_eq!(left, [false; 4]);
    assert!(worker.join("notes.txt").exists() && worker.join("weird.log").is_symlink());
    let archive = cluster.kept("archive");
    for name in ["conn", "dns", "ssl", "old"] {
        let file = wait_for(name, || files(&archive, &format!("{name}.")).pop());
        let suffix = file.file_name().unwrap().to_str().unwrap().contains("-worker-1.log");
        assert_eq!(suffix, name != "old", "{}", file.display());
    }
}

#[test]
fn what_the_queue_can_not_take_stays_under_a_name_that_no_zeek_opens() {
    let cluster = LocalCluster::new();
    cluster.write(&format!("logs: {{ rotate: 0s }}\n{NODES}"));
    produce(&cluster, 100);
    cluster.run(&["deploy"]).code(0);
    wait_for_records(&cluster, 200);
    cluster.run(&["stop", "worker-1", "worker-2"]).code(0);
    std::fs::remove_dir_all(cluster.kept("log-queue")).unwrap_or_default();
    std::fs::write(cluster.kept("log-queue"), "in the way").unwrap();
    kill_and_wait(&cluster, "logger-1");
    assert_eq!(records(&[cluster.kept("nodes/logger-1")]).len(), 200);
    assert_eq!(files(&cluster.kept("nodes/logger-1"), "sim__").len(), 1);
    std::fs::remove_file(cluster.kept("log-queue")).unwrap();
    kill_and_wait(&cluster, "logger-1");
    wait_for("them in the archive", || (records(&[cluster.kept("archive")]).len() == 200).then_some(()));
}

#[test]
fn there_is_an_archive_by_default_and_little_room_for_it_is_trouble() {
    let cluster = LocalCluster::new();
    // As what was deployed when there was none by default.
    cluster.write(&format!("logs: {{ rotate: 1s, archive: off }}\n{NODES}"));
    produce(&cluster, 10_000);
    cluster.run(&["deploy"]).code(0);
    wait_for("a log in the queue", || files(&cluster.kept("log-queue"), "sim__").pop());
    cluster.write(&format!("logs: {{ rotate: 1s }}\n{NODES}"));
    let plan = cluster.run(&["diff"]).code(0);
    assert!(plan.stderr.contains("rotated logs are archived from now on"), "{}", plan.stderr);
    assert!(plan.stderr.contains("/archive (`logs.archive` names another folder, or `off`)"), "{}", plan.stderr);
    let deployed = cluster.run(&["deploy"]).code(0);
    assert!(deployed.stderr.contains("rotated logs are archived from now on"), "{}", deployed.stderr);
    assert!(deployed.stdout.contains("no node had to restart"), "{}", deployed.stdout);
    wait_for("logs in the archive", || (files(&cluster.kept("archive"), "sim.").len() > 1).then_some(()));
    assert!(!cluster.run(&["diff"]).code(0).stderr.contains("from now on"));
    cluster.settled();
    // More than any disk has free.
    cluster.write(&format!("logs: {{ rotate: 1s, min_free: 100% }}\n{NODES}"));
    cluster.run(&["deploy"]).code(0);
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("which holds its logs"), "{}", status.stdout);
    assert!(status.stdout.contains("logs.expire"), "{}", status.stdout);
    let maintained = cluster.run(&["maintain"]).code(5);
    assert!(maintained.stdout.contains("% free on"), "{}", maintained.stdout);
}

/// Zeek names logs by whole seconds, and renames over what has that name already.
#[test]
fn a_process_begins_in_no_second_in_which_a_log_was_opened() {
    let folder = tempfile::tempdir().unwrap();
    let script = concat!(
        include_str!("../templates/lib.sh"),
        include_str!("../templates/logs.sh"),
        "spool=$1 dir=$1/nodes/zeek zone=UTC0 at=$(date +%s) more=0\n",
        "mkdir -p \"$dir\" \"$spool/log-queue\"\n",
        "while [ \"$more\" -lt 60 ]; do\n",
        ": >\"$1/$2/sim$(stamp $((at + more)))__2030-01-01-00-00-00__.log\"\n",
        "more=$((more + 1))\n",
        "done\n",
        "at=$(date +%s)\n",
        "new_second\n",
        "[ \"$(date +%s)\" -gt \"$at\" ]\n",
    );
    for place in ["log-queue", "nodes/zeek"] {
        let waited = Command::new("sh").args(["-c", script, "sh"]).arg(folder.path()).arg(place).status().unwrap();
        assert!(waited.success(), "{place}");
    }
}
