//! What commands show that only look: problems alone, disks, interfaces, settings.

use crate::support::local::LocalCluster;

#[test]
fn problems_stand_alone_and_a_wait_ends_when_all_is_well_or_the_time_is_over() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let said = cluster.run(&["status", "--problems", "--wait=1s"]).code(5);
    let first = "manager, proxy-1, worker-1, worker-2: are stopped (not deployed yet) -> clusterctl deploy\n";
    assert!(said.stdout.starts_with(first), "{said:?}");
    assert!(said.stderr.contains("waiting: manager: is stopped (not deployed yet); and 3 more problems"), "{said:?}");
    assert!(said.stderr.contains("not all is well after 1s"), "{said:?}");
    // It waits for what is on its way.
    let mut waiting = cluster.command(&["status", "--wait=60s", "-q", "-o", "json"]);
    let waiting = waiting.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    let output = waiting.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    let well: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(well["data"]["troubles"], serde_json::json!([]));
    // A warning is no problem for the exit code.
    let said = cluster.run(&["status", "--problems", "--wait", "-o", "json"]).code(0).json();
    assert_eq!(said["kind"], "status_problems");
    let problems = said["data"]["problems"].as_array().unwrap();
    assert!(!problems.is_empty() && problems.iter().all(|p| p["severity"] == "warning"), "{said}");
    cluster.run(&["stop", "worker-2"]).code(0);
    let said = cluster.run(&["status", "--problems"]).code(5);
    assert!(said.stdout.starts_with("worker-2: is stopped -> clusterctl start worker-2\nhere: "), "{said:?}");
    assert!(said.stdout.contains(" -> clusterctl maintain --install\n"), "{said:?}");
    cluster.run(&["status", "--wait", "manager"]).code(0);
}
