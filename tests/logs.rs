//! Logs: rotation, the queue, the archive, and that nothing that was written is lost on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use crate::support::local::{LocalCluster, kill, said, wait_for};

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
        let files = std::fs::read_dir(day.path()).into_iter().flatten().flatten().map(|f| f.path());
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
fn logs_that_wait_where_the_description_has_no_queue_any_more_are_told_before_it_changes() {
    let cluster = LocalCluster::new();
    write(&cluster, 1, "rotate: 7d", "");
    cluster.run(&["deploy"]).code(0);
    cluster.run(&["stop"]).code(0);
    let log = "conn__2026-11-26-10-00-00__2026-11-26-11-00-00__log_suffix=logger-1__.log";
    std::fs::write(cluster.kept("log-queue").join(log), "x\n").unwrap();
    let plan = cluster.run(&["diff"]).code(0);
    assert!(!plan.stderr.contains("log-queue") && !plan.stdout.contains("log-queue"), "{plan:?}");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let spool = cluster.dir().join("spool");
    std::fs::write(&file, text.replace("/base }", &format!("/base, spool: {} }}", spool.display()))).unwrap();
    let plan = cluster.run(&["diff"]).code(0);
    let told = format!("1 rotated log waits in {}", cluster.kept("log-queue").display());
    assert!(plan.stderr.contains(&told) && plan.stderr.contains("move them to"), "{plan:?}");
}

#[test]
fn what_a_killed_logger_left_is_archived() {
    let cluster = LocalCluster::new();
    write(&cluster, 1, "rotate: 7d", "");
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
    assert!(deployed.stderr.contains("rotated logs wait in "), "{}", deployed.stderr);
    wait_for("a log in the queue", || queued(&cluster).iter().any(|n| n.starts_with("sim__")).then_some(()));
    assert!(archived(&cluster, "sim").is_empty());
    let stopped = cluster.run(&["stop"]).code(0);
    assert!(stopped.stderr.contains("archiving continues at the next start"), "{}", stopped.stderr);
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
    write(&cluster, 2, "rotate: 7d", "restart: never\n");
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

/// A file in the archive that was last touched so many days ago.
fn old(cluster: &LocalCluster, path: &str, days: u32) -> PathBuf {
    let file = cluster.dir().join("archive").join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "").unwrap();
    let ago = format!("{days} days ago");
    assert!(Command::new("touch").args(["-d", &ago]).arg(&file).status().unwrap().success());
    file
}

#[test]
fn maintain_heals_archives_and_expires_and_leaves_alone_what_was_stopped() {
    let cluster = LocalCluster::new();
    write(&cluster, 1, "rotate: 7d, expire: 30d", "");
    produce(&cluster, 100, 100);
    cluster.run(&["deploy"]).code(0);
    let gone = [
        old(&cluster, "2026-01-02/conn.18:25:45-18:26:00.log.gz", 31),
        old(&cluster, "2026-01-02/conn.18:25:45-18:26:00-logger-1.log", 31),
    ];
    let kept = [
        old(&cluster, "2026-01-02/notes.txt", 99),
        old(&cluster, "2026-01-02/conn.log", 99),
        old(&cluster, "2026-01-02/sub/conn.18:25:45-18:26:00.log", 99),
        old(&cluster, "mine/conn.18:25:45-18:26:00.log", 99),
        old(&cluster, "conn.18:25:45-18:26:00.log", 99),
        old(&cluster, "2026-01-03/conn.18:25:45-18:26:00.log", 29),
    ];
    let outside = cluster.dir().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let linked = outside.join("conn.18:25:45-18:26:00.log");
    std::fs::rename(old(&cluster, "x", 99), &linked).unwrap();
    std::os::unix::fs::symlink(&outside, cluster.dir().join("archive/2026-01-04")).unwrap();
    // A node and the archiver lose their supervisors and themselves, as in a reboot; another is stopped by hand.
    cluster.run(&["stop", "worker-2"]).code(0);
    let log = cluster.kept("nodes/logger-1/sim.log");
    wait_for("records", || std::fs::read_to_string(&log).ok()?.contains("\t100\n").then_some(()));
    for node in ["worker-1", "log-archiver", "logger-1"] {
        let id = |file: &str| {
            let text = std::fs::read_to_string(cluster.kept(&format!("nodes/{node}/{file}"))).unwrap();
            text.split(' ').nth(2).unwrap().parse::<u64>().unwrap()
        };
        let (supervisor, process) = (id("supervisor"), id("run"));
        kill("KILL", supervisor);
        kill("KILL", process);
    }
    wait_for("their end", || (cluster.row("worker-1")["state"] == "crashed").then_some(()));
    let report = cluster.run(&["maintain", "-o", "json"]).code(0).json();
    let host = &report["data"]["hosts"][0];
    let mut healed: Vec<&str> =
        host["healed"].as_array().unwrap().iter().map(|h| h["node"].as_str().unwrap()).collect();
    healed.sort_unstable();
    assert_eq!(healed, ["log-archiver", "logger-1", "worker-1"], "{host:#}");
    assert_eq!(host["expired"], 2, "{host:#}");
    for file in &gone {
        assert!(!file.exists(), "{}", file.display());
    }
    for file in kept.iter().chain([&linked]) {
        assert!(file.exists(), "{}", file.display());
    }
    assert_eq!(cluster.row("worker-2")["state"], "stopped");
    assert!(archiver_pid(&cluster).is_some());
    wait_for("what the logger left in the archive", || archived(&cluster, "sim").pop());

    // A logger that is stopped, and left something behind.
    cluster.run(&["stop", "all"]).code(0);
    std::fs::write(cluster.kept("nodes/logger-1/late.log"), "last words\n").unwrap();
    std::fs::write(cluster.kept("nodes/logger-1/.shadow.late.log"), ".log\n\n").unwrap();
    let report = cluster.run(&["maintain"]).code(0);
    assert!(report.stdout.contains("done"), "{}", report.stdout);
    let late = archived(&cluster, "late");
    assert_eq!(late.len(), 1, "{}", report.stdout);
    assert!(!cluster.kept("nodes/logger-1/.shadow.late.log").exists());
    assert_eq!(cluster.row("logger-1")["state"], "stopped");
}

#[test]
fn maintain_leaves_a_locked_host_and_an_unfinished_operation_alone() {
    let cluster = LocalCluster::new();
    write(&cluster, 1, "rotate: 7d", "");
    cluster.run(&["deploy"]).code(0);
    let supervisor = std::fs::read_to_string(cluster.kept("nodes/worker-1/supervisor")).unwrap();
    kill("KILL", supervisor.split(' ').nth(2).unwrap().parse().unwrap());
    kill("KILL", cluster.pid("worker-1"));
    wait_for("its end", || (cluster.row("worker-1")["state"] == "crashed").then_some(()));
    std::fs::write(cluster.kept("journal"), "17-1 ada@desk (pid 1): deploy\nswitched abc\n").unwrap();
    let report = cluster.run(&["maintain"]).code(1);
    assert!(report.stdout.contains("unfinished operation"), "{}", report.stdout);
    assert!(report.stdout.contains("ada@desk"), "{}", report.stdout);
    std::fs::remove_file(cluster.kept("journal")).unwrap();
    // This test holds the lock.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let begun = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let line = format!("id {} {} {begun} 17-2 eve@desk (pid 2): deploy\n", boot.trim(), std::process::id());
    std::fs::write(cluster.kept("lock"), line).unwrap();
    let report = cluster.run(&["maintain"]).code(1);
    assert!(report.stdout.contains("skipped, locked by eve@desk (pid 2): deploy"), "{}", report.stdout);
    assert_eq!(cluster.row("worker-1")["state"], "crashed");
    std::fs::remove_file(cluster.kept("lock")).unwrap();
    cluster.run(&["maintain"]).code(0);
    assert_eq!(cluster.row("worker-1")["state"], "running");
    assert!(!cluster.kept("lock").exists());
}

#[test]
fn a_host_maintains_itself_from_a_crontab_of_which_no_other_line_is_lost() {
    let cluster = LocalCluster::new();
    write(&cluster, 1, "rotate: 7d", "");
    let bin = cluster.dir().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let table = cluster.dir().join("crontab");
    let others = "# mine\n1 2 * * * true # clusterctl of old\n";
    std::fs::write(&table, others).unwrap();
    let script = format!(
        "#!/bin/sh\ncase $1 in -l) cat '{0}' ;; -r) rm '{0}' ;; -) cat >'{0}.new' && mv '{0}.new' '{0}' ;; esac\n",
        table.display()
    );
    // No systemd, whatever this machine has.
    for (name, text) in [("crontab", script.as_str()), ("id", "#!/bin/sh\necho 1000\n"), ("loginctl", "#!/bin/sh\n")] {
        std::fs::write(bin.join(name), text).unwrap();
        std::fs::set_permissions(bin.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let run = |args: &[&str]| {
        let mut command = cluster.command(args);
        command.env("PATH", &path);
        said(command)
    };
    let early = run(&["maintain", "--install"]).code(1);
    assert!(early.stdout.contains("nothing is deployed"), "{}", early.stdout);
    run(&["deploy"]).code(0);
    let warned = cluster.run(&["status"]);
    assert!(warned.stdout.contains("clusterctl maintain --install"), "{}", warned.stdout);
    for _ in 0..2 {
        let done = run(&["maintain", "--install"]).code(0);
        assert!(done.stdout.contains("every 5m00s and after a reboot, by cron"), "{}", done.stdout);
    }
    let text = std::fs::read_to_string(&table).unwrap();
    assert!(text.starts_with(others) && text.lines().count() == 4, "{text}");
    let status = cluster.settled();
    // Other tests' clusters on this machine are named as well.
    let warnings = status["warnings"].as_array().unwrap();
    assert!(warnings.iter().all(|w| w["hint"] != "clusterctl maintain --install"), "{warnings:#?}");
    // The line of the reboot, as cron runs it.
    let supervisor = std::fs::read_to_string(cluster.kept("nodes/worker-1/supervisor")).unwrap();
    kill("KILL", supervisor.split(' ').nth(2).unwrap().parse().unwrap());
    kill("KILL", cluster.pid("worker-1"));
    wait_for("its end", || (cluster.row("worker-1")["state"] == "crashed").then_some(()));
    let line = text.lines().find_map(|l| l.strip_prefix("@reboot ")).unwrap();
    let ran = Command::new("sh").args(["-c", line]).env_clear().env("PATH", "/usr/bin:/bin").status().unwrap();
    assert!(ran.success());
    assert_eq!(cluster.row("worker-1")["state"], "running");
    let maintained = cluster.status()["hosts"][0]["maintained"].as_i64();
    assert!(maintained.is_some(), "{}", std::fs::read_to_string(cluster.kept("maintain.log")).unwrap());
    run(&["maintain", "--install", "--remove"]).code(0);
    assert_eq!(std::fs::read_to_string(&table).unwrap(), others);
    // Late, and that is said; on a machine that has been up for long enough to tell.
    std::fs::write(cluster.kept("maintain"), "cron 0\n").unwrap();
    std::fs::write(cluster.kept("maintained"), "1700000000 \n").unwrap();
    let up = || std::fs::read_to_string("/proc/uptime").unwrap().split('.').next().unwrap().parse::<u64>().unwrap();
    wait_for("a minute after the boot", || (up() > 61).then_some(()));
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("maintenance has not run since 2023-11-14"), "{}", status.stdout);
}
