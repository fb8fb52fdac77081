//! A plan says what will be: also of a release that is gone back to, of one whose keys are still to be made, and of
//! nodes that were kept through several releases.

use crate::support::local::LocalCluster;
use crate::support::transcript::Transcript;

#[test]
fn the_plan_of_a_rollback_shows_what_changes_in_files() {
    let cluster = LocalCluster::new();
    let site = cluster.dir().join("site");
    std::fs::create_dir(&site).unwrap();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("scripts: []", "site: ./site, scripts: [local]");
    std::fs::write(&file, text).unwrap();
    let script = |last: &str| {
        let lines: String = (0..40).map(|n| format!("# Line {n}.\n")).collect();
        std::fs::write(site.join("local.zeek"), format!("{lines}{last}\n")).unwrap();
    };
    script("# One.");
    cluster.run(&["deploy", "--yes"]).code(0);
    script("# Two.");
    cluster.run(&["deploy", "--yes"]).code(0);
    let seen = Transcript::default();
    seen.run(&cluster, &["rollback", "--dry-run"]).code(0);
    insta::assert_snapshot!(seen.take());
    let json = cluster.run(&["rollback", "--dry-run", "-o", "json"]).code(0).json();
    let files = json["data"]["files"].as_array().unwrap();
    let local = files.iter().find(|f| f["paths"][0] == "site/local.zeek").unwrap();
    assert_eq!((local["note"].as_str(), local["new_bytes"] == local["old_bytes"]), (None, true), "{local:#}");
}

#[test]
fn an_id_that_depends_on_keys_to_be_made_is_said_to() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), "packets=1000\nversion=8.2.0\n").unwrap();
    std::fs::write(&file, text.replace("backend: broker", "backend: zeromq, curve: on")).unwrap();
    let seen = Transcript::default();
    seen.run(&cluster, &["diff"]).code(0);
    assert_eq!(cluster.run(&["diff", "-o", "json"]).code(0).json()["data"]["new_keys"], true);
    seen.run(&cluster, &["deploy", "--yes"]).code(0);
    seen.run(&cluster, &["diff"]).code(0);
    insta::assert_snapshot!(seen.take());
}

#[test]
fn a_node_that_was_kept_through_releases_hears_who_joined() {
    let cluster = LocalCluster::new();
    let write = |count: u32, env: &str| {
        cluster.write(&format!(
            "hosts: {{ here: {{ local: true }} }}\nnodes:\n  manager: {{ type: manager, host: here }}\n  \
             proxy: {{ type: proxy, host: here, count: 1 }}\n  \
             worker: {{ type: worker, host: here, count: {count}, interface: lo{env} }}\n"
        ));
    };
    write(1, "");
    cluster.run(&["deploy", "--yes"]).code(0);
    // The manager goes on with the release that it was started from.
    write(1, ", env: { A: b }");
    cluster.run(&["deploy", "--yes"]).code(0);
    write(2, ", env: { A: b }");
    let seen = Transcript::default();
    seen.run(&cluster, &["diff"]).code(0);
    insta::assert_snapshot!(seen.take());
}
