//! What is asked of nodes over their control topics: packet counters, who sees whom, what happened.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::local::{LocalCluster, kill};

/// A cluster that runs, with a backend.
fn cluster(backend: &str, conduct: &str) -> LocalCluster {
    let cluster = LocalCluster::new();
    fs::write(cluster.zeek().join("etc/zeek-sim.conf"), format!("packets=1000\n{conduct}")).unwrap();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = fs::read_to_string(&file).unwrap().replace("backend: broker", &format!("backend: {backend}"));
    // Over ZeroMQ a manager that writes the logs itself can't be asked.
    let text = text.replace("nodes:\n", "nodes:\n  logger: { type: logger, host: here, count: 1 }\n");
    fs::write(&file, text).unwrap();
    cluster.run(&["deploy"]).code(0);
    cluster
}

/// The row of a node in a report.
#[track_caller]
fn of<'a>(report: &'a Value, node: &str) -> &'a Value {
    let rows = report["data"]["nodes"].as_array().unwrap();
    rows.iter().find(|row| row["node"] == node).unwrap_or_else(|| panic!("{node}: {report}"))
}

#[test]
fn packets_are_counted_with_both_backends() {
    for backend in ["broker", "zeromq"] {
        let cluster = cluster(backend, "drop_percent=10\n");
        let report = cluster.run(&["netstats", "-o", "json"]).code(0).json();
        assert_eq!((&report["kind"], &report["data"]["interval"]), (&json!("netstats"), &Value::Null));
        let rows = report["data"]["nodes"].as_array().unwrap();
        assert_eq!(rows.len(), 2, "only those that capture: {report}");
        let worker = of(&report, "worker-1");
        let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{report}"));
        assert!(number(&worker["received"]) > 0.0 && number(&worker["link"]) > number(&worker["received"]), "{report}");
        let rates = &worker["rates"];
        assert!((number(&rates["received"]) - 900.0).abs() < 9.0, "{report}");
        assert!((number(&rates["dropped_percent"]) - 10.0).abs() < 0.5, "{report}");
        assert!((number(&rates["bits"]) - 720_000.0).abs() < 7_200.0, "{report}");
        let sum = &report["data"]["interfaces"][0];
        assert_eq!((&sum["host"], &sum["interface"], &sum["nodes"]), (&json!("here"), &json!("lo"), &json!(2)));
        assert!(number(&report["data"]["total"]["rates"]["received"]) > 1_700.0, "{report}");

        let said = cluster.run(&["netstats", "--interval", "1s", "worker-2"]).code(0);
        assert!(said.stdout.contains("rates over 1 s\n"), "{}", said.stdout);
        let said = cluster.run(&["netstats", "all"]).code(0);
        assert!(said.stdout.contains("\nmanager   here  -                 0"), "{}", said.stdout);
    }
}

#[test]
fn counters_that_are_lacking_hide_no_others() {
    let cluster = cluster("broker", "");
    fs::write(cluster.kept("nodes/worker-2/zeek-sim.conf"), "never_answer=1\n").unwrap();
    fs::write(cluster.kept("nodes/worker-1/zeek-sim.conf"), "old_agent=1\n").unwrap();
    for args in [&["netstats", "-o", "json"][..], &["netstats", "--interval", "1s", "-o", "json"]] {
        let report = cluster.run(args).code(4).json();
        assert_eq!(of(&report, "worker-2")["reason"], json!("no reply within 5s"), "{report}");
        assert!(of(&report, "worker-1")["rates"]["received"].as_f64().unwrap() > 900.0, "{report}");
        assert_eq!(of(&report, "worker-1")["bytes"], Value::Null, "{report}");
    }
    cluster.run(&["stop", "manager"]).code(0);
    for args in [&["netstats"][..], &["netstats", "--interval", "1h"]] {
        let said = cluster.run(args).code(1);
        assert!(said.stderr.contains("could not be asked: the manager is not running"), "{said:?}");
        assert!(said.stdout.contains("\nworker-1..2: not asked\n"), "{said:?}");
    }
    let said = cluster.run(&["netstats", "--interval", "10ms"]).code(2);
    assert!(said.stderr.contains("must be between 1s and 1h, not 10ms"), "{said:?}");
}

#[test]
fn who_does_not_see_whom_is_told_with_both_backends() {
    for backend in ["broker", "zeromq"] {
        let cluster = cluster(backend, "");
        let said = cluster.run(&["peerstatus"]).code(0);
        let want = format!("{backend}: 5 of 5 nodes answered, and each sees all that it has to see\n");
        assert_eq!(said.stdout, want);
        let said = cluster.run(&["peerstatus", "--matrix"]).code(0);
        assert!(said.stdout.contains("\n2  manager          1  all       all  all\n"), "{}", said.stdout);
        let report = cluster.run(&["peerstatus", "worker-1", "-o", "json"]).code(0).json();
        assert_eq!(report["data"]["missing"], json!([]), "{report}");
        let sees = of(&report, "worker-1")["sees"].as_array().unwrap();
        assert!(sees.contains(&json!("manager")) && sees.contains(&json!("proxy-1")), "{report}");

        // What does not run need not be seen, and is told.
        cluster.run(&["stop", "worker-2"]).code(0);
        let report = cluster.run(&["peerstatus", "-o", "json"]).code(4).json();
        assert_eq!(of(&report, "worker-2")["reason"], "stopped", "{report}");
        assert_eq!(report["data"]["missing"], json!([]), "{report}");
        cluster.run(&["stop", "manager"]).code(0);
        let said = cluster.run(&["peerstatus"]).code(1);
        assert!(said.stderr.contains("could not be asked: the manager is not running"), "{said:?}");
    }
}

/// `events` as it runs: its lines as they come, on stdout and stderr.
struct Listening {
    child: std::process::Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Listening {
    fn new(cluster: &LocalCluster, args: &[&str]) -> Self {
        let mut command = cluster.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = std::sync::mpsc::channel();
        let out: Box<dyn Read + Send> = Box::new(child.stdout.take().unwrap());
        let err: Box<dyn Read + Send> = Box::new(child.stderr.take().unwrap());
        for stream in [out, err] {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines() {
                    let _ = sender.send(line.unwrap());
                }
            });
        }
        Self { child, lines }
    }

    /// Waits for a line with a text in it, and returns it.
    #[track_caller]
    fn until(&self, text: &str) -> String {
        let limit = Instant::now() + Duration::from_secs(60);
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(limit.saturating_duration_since(Instant::now())) {
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
        panic!("no `{text}` within a minute, but {seen:#?}");
    }

    /// Ctrl-C ends it well.
    #[track_caller]
    fn end(mut self) {
        kill("INT", self.child.id().into());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn what_happens_is_told_as_it_happens() {
    for (version, backend) in [("7.1.1", "broker"), ("8.0.10", "broker"), ("8.1.0", "zeromq")] {
        let conduct = format!("version={version}\n");
        let cluster = cluster(backend, &conduct);
        let report = |node: &str, text: &str| {
            let file = cluster.zeek().join("etc/zeek-sim");
            fs::create_dir_all(&file).unwrap();
            fs::write(file.join(format!("{node}.conf")), format!("{conduct}{text}\n")).unwrap();
        };
        // What is remembered comes first.
        let listening = Listening::new(&cluster, &["events", "--since", "1h"]);
        listening.until(": sees worker-1");
        let pid = cluster.pid("worker-2");
        kill("KILL", pid);
        listening.until(": has lost worker-2");
        listening.until(": sees worker-2");
        report("worker-1", "report=error: no such field\u{1b}[2J");
        let line = listening.until("no such field");
        assert!(line.ends_with(r"Z worker-1: error: no such field\u{1b}[2J"), "{version}: {line}");
        report("worker-1", "report=warning: slow\nreports_lost=4000");
        listening.until(" worker-1: warning: slow");
        listening.until("worker-1: 4000 more that it did not remember");
        listening.end();

        // From now on: nothing of all that.
        let listening = Listening::new(&cluster, &["events", "-o", "json", "workers"]);
        listening.until("listening to 2 nodes");
        report("worker-2", "report=error: only this");
        let line: Value = serde_json::from_str(&listening.until("\"schema\"")).unwrap();
        let data = &line["data"];
        assert_eq!(
            (&line["kind"], &data["event"], &data["node"]),
            (&json!("event"), &json!("error"), &json!("worker-2"))
        );
        assert_eq!(data["text"], "only this", "{version}");
        listening.end();
    }
}

#[test]
fn a_lost_connection_is_set_up_again_and_nothing_is_lost() {
    let cluster = cluster("zeromq", "");
    let listening = Listening::new(&cluster, &["events", "--since", "1h"]);
    listening.until(": sees worker-1");
    cluster.run(&["stop", "manager"]).code(0);
    listening.until("the connection is lost: ");
    cluster.run(&["start", "manager"]).code(0);
    listening.until("worker-1..2: sees manager");
    listening.end();
    cluster.run(&["stop", "manager"]).code(0);
    let said = cluster.run(&["events"]).code(1);
    assert!(said.stderr.contains("can't listen to the nodes\n  the manager is not running"), "{said:?}");
}
