//! `logs`: what nodes log and print, where it is, as it comes, and through a rotation.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::local::{LocalCluster, kill, wait_for};

/// A logger, a manager, a proxy and two workers that log so many records in a second each; and logs that rotate.
fn cluster(rate: u32, rotate: &str) -> LocalCluster {
    let cluster = LocalCluster::new();
    let conf = format!("packets=1000\nlog_rate={rate}\n");
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), conf).unwrap();
    cluster.write(&format!(
        "logs: {{ rotate: {rotate} }}\nhosts: {{ here: {{ local: true }} }}\nnodes:\n  \
         logger: {{ type: logger, host: here, count: 1 }}\n  manager: {{ type: manager, host: here }}\n  \
         proxy: {{ type: proxy, host: here, count: 1 }}\n  \
         worker: {{ type: worker, host: here, count: 2, interface: lo }}\n"
    ));
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

#[test]
fn logs_are_read_where_they_are() {
    let cluster = cluster(50, "1h");
    let has_both = || {
        let said = cluster.run(&["logs", "sim", "--lines", "400", "-o", "json"]);
        (said.code == 0 && said.stdout.contains("worker-1") && said.stdout.contains("worker-2")).then_some(said.stdout)
    };
    let said = wait_for("records of both workers", has_both);
    let records = lines(&said);
    let times: Vec<f64> = records.iter().map(|r| r["data"]["time"].as_f64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    for record in &records {
        assert_eq!((&record["schema"], &record["kind"]), (&1.into(), &"log".into()));
        let data = &record["data"];
        assert_eq!((&data["node"], &data["log"]), (&"logger-1".into(), &"sim".into()), "{data}");
        assert!(data["record"]["n"].is_u64() && data["record"]["node"].is_string(), "{data}");
    }
    // For people: ten lines, which begin with the node, below the names of the fields.
    let said = cluster.run(&["logs", "sim.log"]).code(0);
    let shown: Vec<&str> = said.stdout.lines().collect();
    assert_eq!((shown.len(), shown[0]), (11, "logger-1  #fields  ts  node  pid  n"), "{said:?}");
    assert!(shown[1..].iter().all(|line| line.starts_with("logger-1  1")), "{said:?}");
    // Only what has a text in it, which is no pattern.
    let said = cluster.run(&["logs", "sim", "--grep", "\tworker-2\t", "-n", "3"]).code(0);
    assert_eq!(said.stdout.matches("  worker-2  ").count(), 3, "{said:?}");
    assert_eq!(cluster.run(&["logs", "sim", "--grep", "worker.2"]).code(0).stdout, "");
    // Of the last moments: more than ten lines, none of them older.
    let recent = lines(&cluster.run(&["logs", "sim", "--since", "1s", "-o", "json"]).code(0).stdout);
    let newest = recent.last().unwrap()["data"]["time"].as_f64().unwrap();
    assert!(recent.iter().all(|r| r["data"]["time"].as_f64().unwrap() > newest - 3.0), "{recent:?}");
    // What processes print is of each node.
    let said = cluster.run(&["logs", "stdout", "stderr", "--node", "workers", "-o", "json"]).code(0);
    assert!(lines(&said.stdout).iter().all(|l| l["data"]["node"].as_str().unwrap().starts_with("worker-")), "{said:?}");

    let said = cluster.run(&["logs", "sum"]).code(1);
    assert!(
        said.stderr.contains("no `sum` is being written") && said.stderr.contains("did you mean `sim`?"),
        "{said:?}"
    );
    for odd in ["../manager/conn", "a/b", ".status", "", "a b", "conn\u{1b}"] {
        let said = cluster.run(&["logs", odd]).code(2);
        assert!(said.stderr.contains("is not the name of a log"), "{said:?}");
    }
    // A log that is a link leads nowhere.
    let link = cluster.kept("nodes/logger-1/passwd.log");
    std::os::unix::fs::symlink("/etc/passwd", link).unwrap();
    let said = cluster.run(&["logs", "passwd", "sim"]).code(0);
    assert!(said.stderr.contains("passwd.log of logger-1 is not a regular file"), "{said:?}");
    assert!(!said.stdout.contains("root"), "{said:?}");
    // What a file holds can't do anything to a terminal.
    std::fs::write(cluster.kept("nodes/manager/stderr"), "bad \u{1b}[2J\u{9b}x\n").unwrap();
    let said = cluster.run(&["logs", "stderr", "--node", "manager", "--color", "never"]).code(0);
    assert_eq!(said.stdout, "manager  bad \\u{1b}[2J\\u{9b}x\n");
}

#[test]
fn logs_are_followed_through_rotations_and_restarts_until_nobody_reads() {
    let cluster = cluster(20, "2s");
    let mut command = cluster.command(&["logs", "sim", "stderr", "--follow", "-n", "0", "-o", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut numbers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut next = || {
        let line: Value = serde_json::from_str(&reader.next().unwrap().unwrap()).unwrap();
        line["data"].clone()
    };
    let rotations = || {
        let folders = ["log-queue", "archive"].map(|folder| cluster.kept(folder));
        let out = std::process::Command::new("find").args(folders).args(["-name", "sim*"]).output().unwrap();
        String::from_utf8_lossy(&out.stdout).lines().count()
    };
    let before = rotations();
    while rotations() < before + 3 {
        let record = next();
        if record["log"] == "sim" {
            let node = record["record"]["node"].as_str().unwrap().to_owned();
            numbers.entry(node).or_default().push(record["record"]["n"].as_u64().unwrap());
        }
    }
    for (node, numbers) in &numbers {
        assert!(numbers.len() > 40, "{node}: {numbers:?}");
        assert!(numbers.windows(2).all(|two| two[0] + 1 == two[1]), "{node}: {numbers:?}");
    }
    // A node that begins again, and prints something else.
    kill("KILL", cluster.pid("worker-1"));
    let mut from = String::new();
    while from != "worker-1" {
        let line = next();
        if line["log"] == "stderr" {
            from = line["node"].as_str().unwrap().to_owned();
        }
    }
    // It ends when nobody reads any more, and leaves nothing behind.
    drop(reader);
    let ended = wait_for("the end", || child.try_wait().unwrap());
    assert_eq!(ended.code(), Some(0));
    let folder = cluster.dir().display().to_string();
    wait_for("the end of what it ran", || {
        let output =
            std::process::Command::new("sh").args(["-c", "ls -l /proc/[0-9]*/fd 2>/dev/null"]).output().unwrap();
        let open = String::from_utf8_lossy(&output.stdout);
        let logger = cluster.pid("logger-1");
        let own = format!("/proc/{logger}/fd");
        let mut of = "";
        let mut others = 0;
        for line in open.lines() {
            if line.starts_with("/proc/") {
                of = line;
            } else if line.contains(&format!("{folder}/base")) && line.contains("sim.log") && !of.starts_with(&own) {
                others += 1;
            }
        }
        (others == 0).then_some(())
    });
}
