//! Logs and maintenance on real hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::cluster::{TestCluster, row, wait_for};
use super::faults::Undo;

const LONG: Duration = Duration::from_secs(120);

/// The numbers of the records of each worker's processes (by name and a number of the process) in the loggers' logs, the
/// queue and the archive of `mgmt`; each record is there once. (A real Zeek may hand a batch to a second logger when the
/// first one dies.)
#[track_caller]
pub(crate) fn records(cluster: &TestCluster) -> BTreeMap<(String, u64), BTreeSet<u64>> {
    let mut twice = String::new();
    for _ in 0..10 {
        match look(cluster) {
            Ok(found) => return found,
            // A log that moved on while it was read is seen in both places, or in none; one that is there twice stays so.
            Err(line) => twice = line,
        }
    }
    let number = twice.replace('\t', ".");
    let places = "cd \"$1\" && zgrep -c \"$2\" nodes/*/sim.log log-queue/sim__* archive/*/sim.* 2>/dev/null; ls -lR archive; true";
    let home = format!("{}/{}", cluster.base, cluster.name);
    let places = cluster.lab.exec("mgmt", &["sh", "-c", places, "sh", &home, &number]);
    panic!("{twice} is there twice:\n{places}");
}

/// As [`records`]; else a line that is there twice, or what moved on.
fn look(cluster: &TestCluster) -> Result<BTreeMap<(String, u64), BTreeSet<u64>>, String> {
    let text = cluster.lab.exec(
        "mgmt",
        &[
            "sh",
            "-c",
            "cd \"$1\" && for file in nodes/*/sim.log log-queue/sim__* archive/*/sim.*; do \
             case $file in *[*]*) continue ;; *.gz) gzip -dc \"$file\" ;; *) cat \"$file\" ;; esac 2>/dev/null || \
             echo \"gone $file\"; done; echo '#'",
            "sh",
            &format!("{}/{}", cluster.base, cluster.name),
        ],
    );
    let mut found: BTreeMap<(String, u64), BTreeSet<u64>> = BTreeMap::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        if line.starts_with("gone ") {
            return Err(line.to_owned());
        }
        let fields: Vec<&str> = line.split('\t').collect();
        // A full disk leaves half a line, to which the next file's head is joined, or our mark at the end.
        let [_, worker, pid, number] = fields.as_slice() else { continue };
        let (Ok(pid), Ok(number)) = (pid.parse(), number.parse()) else { continue };
        let new = found.entry(((*worker).to_owned(), pid)).or_default().insert(number);
        if !new && cluster.lab.zeek().simulated {
            return Err(line.to_owned());
        }
    }
    Ok(found)
}

/// Lets the workers of a cluster that is not deployed yet write numbered records, as many as [`produce`] says: zeek-sim
/// does so by itself.
pub(crate) fn numbered(cluster: &TestCluster) {
    if !cluster.lab.zeek().simulated {
        cluster.site("numbered.zeek", include_str!("numbered.zeek"));
        cluster.site("local.zeek", "@load ./numbered\n");
    }
}

/// Makes the workers of all sensors write so many numbered records each, so many a second, from now on.
pub(crate) fn produce(cluster: &TestCluster, rate: u32, total: u32) {
    for host in &cluster.sensors {
        cluster.lab.exec(
            host,
            &[
                "sh",
                "-c",
                "for dir in \"$1\"/nodes/worker-*/; do \
                 printf 'log_rate=%s\\nlog_total=%s\\n' \"$2\" \"$3\" >\"$dir/zeek-sim.conf\"; \
                 printf '#fields\\twhat\\tvalue\\nrate\\t%s\\ntotal\\t%s\\n' \"$2\" \"$3\" >\"$dir/numbered.new\"; \
                 mv \"$dir/numbered.new\" \"$dir/numbered.conf\"; done",
                "sh",
                &format!("{}/{}", cluster.base, cluster.name),
                &rate.to_string(),
                &total.to_string(),
            ],
        );
    }
}

/// The names of archived logs.
fn archived(cluster: &TestCluster) -> String {
    let archive = format!("{}/{}/archive", cluster.base, cluster.name);
    cluster.lab.exec("mgmt", &["sh", "-c", "cd \"$1\" 2>/dev/null && ls -R || true", "sh", &archive])
}

fn with_archive(name: &str, rotate: &str) -> TestCluster {
    let mut cluster = TestCluster::new(name, "broker");
    cluster.extra = format!("logs: {{ archive: {}/{name}/archive, rotate: {rotate} }}", cluster.base);
    cluster.write();
    cluster
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn what_a_killed_worker_and_a_killed_logger_wrote_is_in_the_archive() {
    let cluster = with_archive("logs-killed", "5s");
    numbered(&cluster);
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    produce(&cluster, 50, 1_000_000);
    wait_for("a log in the archive", LONG, || archived(&cluster).contains("sim.").then_some(()));
    let pids = cluster.pids();
    // Which of a worker's processes have written what, so far.
    let of = |worker: &str| -> BTreeMap<u64, BTreeSet<u64>> {
        records(&cluster).into_iter().filter(|((w, _), _)| w == worker).map(|((_, process), n)| (process, n)).collect()
    };
    let first = *of("worker-sensor1-1").keys().next().unwrap();
    cluster.lab.exec("sensor1", &["kill", "-KILL", &pids["worker-sensor1-1"].to_string()]);
    let again = wait_for("the worker's new process", LONG, || {
        let pid = *cluster.pids().get("worker-sensor1-1")?;
        (pid != pids["worker-sensor1-1"]).then_some(())?;
        of("worker-sensor1-1").into_keys().find(|process| *process != first)
    });
    // A status tells of it, and what it left is put aside.
    let shown = cluster.run(&["status"]);
    assert!(shown.stdout.contains("worker-sensor1-1") && shown.stdout.contains("SIGKILL"), "{}", shown.stdout);
    let left = row(&cluster.status(), "worker-sensor1-1")["crash"].as_str().unwrap().to_owned();
    let left = cluster.lab.exec("sensor1", &["ls", "-A", &left]);
    assert!([".status", "command", "exit", "stderr", "stdout"].iter().all(|f| left.lines().any(|l| l == *f)), "{left}");
    // The batch that it had not sent is lost with it, and nothing else.
    let before = of("worker-sensor1-1")[&first].len();
    assert!(before > 0);
    // What lies in a log of the logger when that is killed is archived as well.
    cluster.lab.exec("mgmt", &["kill", "-KILL", &pids["logger-1"].to_string()]);
    wait_for("the logger's new process", LONG, || (cluster.pids().get("logger-1")? != &pids["logger-1"]).then_some(()));
    cluster.settled();
    cluster.run(&["stop"]).code(0);
    let home = format!("{}/{}", cluster.base, cluster.name);
    let left = cluster
        .lab
        .exec("mgmt", &["sh", "-c", "ls \"$1\"/log-queue \"$1\"/nodes/logger-*/*.log 2>/dev/null; true", "sh", &home]);
    assert!(!left.contains("sim"), "after the stop: {left}");
    let found = of("worker-sensor1-1");
    assert_eq!(found[&first].len(), before);
    assert!(found.contains_key(&again));
    // Of a worker that nobody killed no record is lost but those on their way to the killed logger.
    let whole = of("worker-sensor2-1").into_values().next().unwrap();
    let last = *whole.last().unwrap();
    let missing = last - whole.len() as u64;
    assert!(missing <= 200, "{missing} of {last} are missing");
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_host_that_maintains_itself_brings_its_nodes_back_after_a_reboot() {
    let cluster = with_archive("logs-reboot", "1h");
    if cluster.combination.account != "root" {
        for host in cluster.lab.hosts() {
            cluster.lab.linger(&host.name, true);
        }
    }
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let installed = cluster.run(&["maintain", "--install"]).code(0);
    assert_eq!(installed.stdout.matches("by systemd").count(), 3, "{}", installed.stdout);
    cluster.run(&["stop", "worker-sensor1-2"]).code(0);
    let before = cluster.pids();
    cluster.lab.does("reboot", ["sensor1"]);
    wait_for("the worker that should run", LONG * 2, || {
        let status = cluster.status();
        let row = row(&status, "worker-sensor1-1");
        (row["state"] == "running" && row["health"] == "ok").then_some(())
    });
    let status = cluster.status();
    assert_eq!(row(&status, "worker-sensor1-2")["state"], "stopped");
    assert_eq!(cluster.pids()["worker-sensor2-1"], before["worker-sensor2-1"]);
    let removed = cluster.run(&["maintain", "--install", "--remove"]).code(0);
    assert_eq!(removed.stdout.matches("automatic maintenance removed").count(), 3, "{}", removed.stdout);
    cluster.run(&["start"]).code(0);
    cluster.settled();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn leftovers_have_the_hosts_own_time_in_their_names() {
    let mut cluster = with_archive("logs-zone", "7d");
    cluster.extra.push_str("\nrestart: never");
    cluster.write();
    let exec = |line: &str| cluster.lab.exec("mgmt", &["sh", "-c", line]);
    // Five and a half hours from what a `TZ` without a value would mean.
    exec("ln -sf ../usr/share/zoneinfo/Asia/Kolkata /etc/localtime");
    let _undo = Undo(|| drop(exec("ln -sf ../usr/share/zoneinfo/Etc/UTC /etc/localtime")));
    numbered(&cluster);
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    produce(&cluster, 50, 1_000_000);
    wait_for("records", LONG, || (!records(&cluster).is_empty()).then_some(()));
    let pids = cluster.pids();
    for logger in ["logger-1", "logger-2"] {
        cluster.lab.exec("mgmt", &["kill", "-KILL", &pids[logger].to_string()]);
    }
    wait_for("the loggers' ends", LONG, || {
        let pids = cluster.pids();
        (!pids.contains_key("logger-1") && !pids.contains_key("logger-2")).then_some(())
    });
    cluster.run(&["maintain", "@mgmt"]);
    let names = wait_for("the archive", LONG, || Some(archived(&cluster)).filter(|names| names.contains("sim.")));
    let seconds = |text: &str| -> i64 {
        text.split(':').map(|part| part.parse::<i64>().unwrap()).fold(0, |sum, part| sum * 60 + part)
    };
    let now = seconds(&exec("date +%H:%M:%S"));
    // sim.OPENED-CLOSED.log.gz
    let closed = names.lines().filter_map(|l| l.strip_prefix("sim.")?.get(9..17)).map(seconds);
    let ages: Vec<i64> = closed.map(|closed| (now - closed).rem_euclid(86_400)).collect();
    assert!(!ages.is_empty() && ages.iter().all(|age| *age < 900), "{ages:?} s before now: {names}");
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_log_that_never_rotates_survives_a_killed_logger_and_a_restart() {
    let mut cluster = TestCluster::new("logs-never", "broker");
    cluster.extra = "logs: { rotate: 0s }".to_owned();
    cluster.write();
    // Records of a run before, and what made them.
    for host in ["mgmt", "sensor1", "sensor2"] {
        cluster.lab.exec(host, &["rm", "-rf", &format!("{}/{}", cluster.base, cluster.name)]);
    }
    numbered(&cluster);
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    produce(&cluster, 100, 300);
    let count = || records(&cluster).values().map(BTreeSet::len).sum::<usize>();
    wait_for("all records", LONG, || (count() == 1200).then_some(()));
    let pids = cluster.pids();
    for logger in ["logger-1", "logger-2"] {
        cluster.lab.exec("mgmt", &["kill", "-KILL", &pids[logger].to_string()]);
    }
    wait_for("their new processes", LONG, || {
        let now = cluster.pids();
        ["logger-1", "logger-2"].iter().all(|l| now.get(*l).is_some_and(|pid| pid != &pids[*l])).then_some(())
    });
    assert_eq!(count(), 1200);
    cluster.run(&["restart", "loggers"]).code(0);
    assert_eq!(count(), 1200);
    // By default there is an archive.
    cluster.run(&["stop"]).code(0);
    assert!(archived(&cluster).contains("sim."), "{}", archived(&cluster));
    assert_eq!(count(), 1200);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn limits_and_lingering_that_a_user_lacks_are_named_with_the_way_to_them() {
    let mut cluster = TestCluster::new("lacks", "broker");
    if cluster.combination.account == "root" {
        return;
    }
    cluster.extra = "limits: { nofile: 1500000 }".to_owned();
    cluster.write();
    let hosts: Vec<String> = cluster.lab.hosts().iter().map(|host| host.name.clone()).collect();
    if cluster.combination.runner == "systemd" {
        for host in &hosts {
            cluster.lab.linger(host, true);
        }
    }
    let deployed = cluster.run(&["deploy", "--yes"]).code(0);
    let told = deployed.stderr.lines().filter(|l| l.ends_with(" -> clusterctl doctor")).count();
    assert!(told > 0 && deployed.stderr.contains("1500000"), "{}", deployed.stderr);
    let doctor = cluster.run(&["doctor"]).code(5);
    assert!(doctor.stdout.contains("`limits.nofile` is 1500000, but zeek may have"), "{}", doctor.stdout);
    let way = if cluster.combination.runner == "systemd" { "LimitNOFILE=1500000" } else { "zeek hard nofile 1500000" };
    assert!(doctor.stdout.contains(way), "{}", doctor.stdout);
    if cluster.combination.runner == "process" {
        for host in &hosts {
            cluster.lab.linger(host, false);
        }
        let installed = cluster.run(&["maintain", "--install"]).code(1);
        assert!(installed.stdout.contains("as root: loginctl enable-linger zeek"), "{}", installed.stdout);
    }
}
