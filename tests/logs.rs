//! Logs: rotation, the queue, the archive, and that nothing that was written is lost on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use crate::support::local::{LocalCluster, kill, wait_for};

/// A description of loggers, manager, proxy and two workers.
fn write(cluster: &LocalCluster, loggers: u32, logs: &str, more: &str) {
    cluster.write(&format!(
        "logs: {{ archive: {}/archive, {logs} }}\nhosts: {{ here: {{ local: true }} }}\nnodes:\n  \
         logger: {{ type: logger, host: here, count: {loggers} }}\n  manager: {{ type: manager, host: here }}\n  \
         proxy: {{ type: proxy, host: here, count: 1 }}\n  \
         worker: {{ type: worker, host: here, count: 2, interface: lo }}\n{more}",
        cluster.dir().display()
    ));
}

/// Makes each worker write so many records at such a rate, from now on.
fn produce(cluster: &LocalCluster, rate: u32, total: u32) {
    let conf = format!("packets=1000\nlog_rate={rate}\nlog_total={total}\n");
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), conf).unwrap();
}

/// The archived logs of that name.
fn archived(cluster: &LocalCluster, log: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for day in std::fs::read_dir(cluster.dir().join("archive")).into_iter().flatten().flatten() {
        let files = std::fs::read_dir(day.path()).unwrap().flatten().map(|f| f.path());
        found.extend(files.filter(|f| f.file_name().unwrap().to_str().unwrap().starts_with(&format!("{log}."))));
    }
    found
}

/// What waits in the queue.
fn queued(cluster: &LocalCluster) -> Vec<String> {
    let entries = std::fs::read_dir(cluster.kept("log-queue")).into_iter().flatten().flatten();
    entries.map(|e| e.file_name().into_string().unwrap()).collect()
}

/// The numbers of the records of each worker's processes in files, each of which must be there once.
fn records(files: &[PathBuf]) -> BTreeMap<(String, String), BTreeSet<u64>> {
    let mut found: BTreeMap<(String, String), BTreeSet<u64>> = BTreeMap::new();
    for file in files {
        let output = Command::new("sh")
            .args(["-c", "case $0 in *.gz) gzip -dc \"$0\" ;; *.zst) zstd -dcq \"$0\" ;; *) cat \"$0\" ;; esac"])
            .arg(file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", file.display());
        for line in String::from_utf8(output.stdout).unwrap().lines().filter(|l| !l.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let new = found
                .entry((fields[1].to_owned(), fields[2].to_owned()))
                .or_default()
                .insert(fields[3].parse().unwrap());
            assert!(new, "{line} is there twice");
        }
    }
    found
}

/// The last record that is in any log of the loggers, or in the archive.
fn complete(found: &BTreeMap<(String, String), BTreeSet<u64>>, total: u64) {
    assert_eq!(found.len(), 2, "{found:?}");
    for (worker, numbers) in found {
        assert_eq!(numbers.len() as u64, total, "{worker:?}: {numbers:?}");
    }
}

fn archiver_pid(cluster: &LocalCluster) -> Option<u64> {
    let run = std::fs::read_to_string(cluster.kept("nodes/log-archiver/run")).ok()?;
    let pid: u64 = run.split(' ').nth(2)?.parse().ok()?;
    std::path::Path::new(&format!("/proc/{pid}")).exists().then_some(pid)
}

#[test]
fn rotated_logs_are_archived_and_a_stop_empties_the_queue() {
    let cluster = LocalCluster::new();
    write(&cluster, 1, "rotate: 2s", "");
    produce(&cluster, 100, 100_000);
    let deployed = cluster.run(&["deploy"]).code(0);
    assert!(deployed.stdout.contains("5 nodes touched"), "the archiver is no node: {}", deployed.stdout);
    wait_for("a log in the archive", || archived(&cluster, "sim").first().cloned());
    let status = cluster.settled();
    let rows = status["nodes"].as_array().unwrap();
    assert!(!rows.iter().any(|r| r["node"] == "log-archiver"), "{status:#}");
    assert!(cluster.run(&["diff"]).code(0).stdout.contains("nothing to do"));
    cluster.run(&["stop"]).code(0);
    assert_eq!((queued(&cluster), archiver_pid(&cluster)), (Vec::new(), None));
    wait_for("all records", || {
        let found = records(&archived(&cluster, "sim"));
        (found.values().map(BTreeSet::len).sum::<usize>() > 0).then_some(())
    });
    let name = archived(&cluster, "cluster").pop().unwrap();
    assert!(name.extension().unwrap() == "gz", "{}", name.display());
    // All that the workers made until they were stopped is there, without a gap.
    for (worker, numbers) in records(&archived(&cluster, "sim")) {
        assert_eq!(numbers.last().copied(), Some(numbers.len() as u64), "{worker:?}");
    }
    // A start brings the archiver back with the loggers.
    cluster.run(&["start"]).code(0);
    assert!(archiver_pid(&cluster).is_some());
}

#[test]
fn what_a_killed_logger_left_is_archived() {
    let cluster = LocalCluster::new();
    write(&cluster, 1, "rotate: 1h", "");
    produce(&cluster, 100, 100);
    cluster.run(&["deploy"]).code(0);
    let log = cluster.kept("nodes/logger-1/sim.log");
    wait_for("all records", || {
        let text = std::fs::read_to_string(&log).ok()?;
        (text.lines().filter(|l| !l.starts_with('#')).count() == 200).then_some(())
    });
    assert!(cluster.kept("nodes/logger-1/.shadow.sim.log").exists());
    kill("KILL", cluster.pid("logger-1"));
    // Zeek rotates it itself when the supervisor has started it again.
    let found = wait_for("the log in the archive", || archived(&cluster, "sim").pop());
    complete(&records(&[found]), 100);
    cluster.settled();
}

#[test]
fn without_zeek_archiver_logs_wait_and_that_is_said() {
    let cluster = LocalCluster::new();
    write(&cluster, 1, "rotate: 1s, compress: none", "");
    produce(&cluster, 100, 100_000);
    let program = cluster.zeek().join("bin/zeek-archiver");
    std::fs::remove_file(&program).unwrap();
    let deployed = cluster.run(&["deploy"]).code(0);
    assert!(deployed.stderr.contains("bin/zeek-archiver is not there"), "{}", deployed.stderr);
    wait_for("a log in the queue", || queued(&cluster).iter().any(|n| n.starts_with("sim__")).then_some(()));
    assert!(archived(&cluster, "sim").is_empty());
    let stopped = cluster.run(&["stop"]).code(0);
    assert!(stopped.stderr.contains("rotated logs wait in"), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("there is no"), "{}", stopped.stderr);
    // Once it is there, nothing else has to be done.
    std::os::unix::fs::symlink("zeek", &program).unwrap();
    cluster.run(&["start"]).code(0);
    wait_for("an empty queue", || (!queued(&cluster).iter().any(|n| n.starts_with("sim__"))).then_some(()));
    let logs = archived(&cluster, "sim");
    assert!(logs.iter().all(|l| l.extension().unwrap() == "log"), "{logs:?}");
    for (worker, numbers) in records(&logs) {
        assert_eq!(numbers.last().copied(), Some(numbers.len() as u64), "{worker:?}");
    }
}

/// Runs two loggers with ZeroMQ, one of which is killed for good, and returns how many of the records arrive.
fn with_one_of_two_loggers_dead(immediate: Option<&str>) -> usize {
    let cluster = LocalCluster::new();
    let redef = immediate
        .map(|i| format!("redefs: {{ \"Cluster::Backend::ZeroMQ::log_immediate\": {i} }}"))
        .unwrap_or_default();
    write(&cluster, 2, "rotate: 1h", "restart: never\n");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("backend: broker", &format!("backend: zeromq, {redef}"))).unwrap();
    cluster.run(&["deploy"]).code(0);
    cluster.settled();
    kill("KILL", cluster.pid("logger-2"));
    wait_for("the end of the logger", || (cluster.row("logger-2")["state"] == "crashed").then_some(()));
    // Only now the workers begin: what was on its way to the logger when it died is lost either way.
    produce(&cluster, 100, 500);
    let log = cluster.kept("nodes/logger-1/sim.log");
    // Of two batches after another one goes to the logger that lives.
    let last = if immediate.is_some() { 300 } else { 500 };
    wait_for("the last records", || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let far = |worker: &str| {
            let mine = text.lines().filter(|l| l.contains(worker));
            mine.filter_map(|l| l.rsplit('\t').next()?.parse::<u64>().ok()).max() >= Some(last)
        };
        (far("worker-1") && far("worker-2")).then_some(())
    });
    let found = records(&[log]);
    found.values().map(BTreeSet::len).sum()
}

#[test]
fn every_record_arrives_with_one_of_two_loggers_dead() {
    assert_eq!(with_one_of_two_loggers_dead(None), 1000);
}

#[test]
fn but_not_if_records_wait_for_a_dead_logger() {
    let arrived = with_one_of_two_loggers_dead(Some("false"));
    assert!(arrived < 900, "{arrived} of 1000 although half of them wait for a dead logger");
}
