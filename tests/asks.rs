//! What is asked of nodes over their control topics: packet counters, who sees whom, what happened.

use std::fs;

use serde_json::{Value, json};

use crate::support::local::LocalCluster;

/// A cluster that runs, with a backend.
fn cluster(backend: &str, conduct: &str) -> LocalCluster {
    let cluster = LocalCluster::new();
    fs::write(cluster.zeek().join("etc/zeek-sim.conf"), format!("packets=1000\n{conduct}")).unwrap();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = fs::read_to_string(&file).unwrap().replace("backend: broker", &format!("backend: {backend}"));
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
        let want = format!("{backend}: 4 of 4 nodes answered, and each sees all that it has to see\n");
        assert_eq!(said.stdout, want);
        let said = cluster.run(&["peerstatus", "--matrix"]).code(0);
        assert!(said.stdout.contains("\n1  manager          1       all  all\n"), "{}", said.stdout);
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
