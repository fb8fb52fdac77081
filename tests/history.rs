//! `history`: who did what when, kept on the hosts, and never in the way.

use serde_json::Value;

use crate::support::local::LocalCluster;

fn operations(cluster: &LocalCluster) -> Vec<(String, bool)> {
    let json = cluster.run(&["history", "-o", "json"]).code(0).json();
    let all = json["data"]["operations"].as_array().unwrap().clone();
    let is_finished = |op: &Value| op["unfinished"].as_array().unwrap().is_empty();
    all.iter().map(|op| (op["what"].as_str().unwrap().to_owned(), is_finished(op))).collect()
}

#[test]
fn what_was_done_is_kept_on_the_hosts_and_never_in_the_way() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    assert_eq!(cluster.run(&["history"]).code(0).stdout, "nothing was done yet\n");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.run(&["check"]).code(0);
    cluster.run(&["status"]);
    cluster.run(&["restart", "worker-1"]).code(0);
    let done = |what: &str| (what.to_owned(), true);
    assert_eq!(operations(&cluster), [done("deploy"), done("restart")]);
    let said = cluster.run(&["history"]).code(0);
    let release = cluster.run(&["releases", "-o", "json"]).json()["data"]["releases"][0]["release"].clone();
    let line = said.stdout.lines().nth(1).unwrap();
    assert!(
        line.contains(" tester@") && line.contains("deploy") && line.contains(release.as_str().unwrap()),
        "{said:?}"
    );
    // What can't be written is lost, and nothing else.
    let file = cluster.kept("history");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    cluster.run(&["stop", "worker-1"]).code(0);
    std::fs::remove_dir(&file).unwrap();
    // It stays small, and what is no line of ours hides no other.
    std::fs::write(&file, "x\u{1b}[2J\n".repeat(20_000)).unwrap();
    cluster.run(&["start", "worker-1"]).code(0);
    assert!(std::fs::metadata(&file).unwrap().len() < 1000);
    assert_eq!(operations(&cluster), [done("start")]);
    // Nothing is written through a link.
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(cluster.dir().join("elsewhere"), &file).unwrap();
    cluster.run(&["stop", "worker-1"]).code(0);
    assert!(!cluster.dir().join("elsewhere").exists());
}
