//! Files that somebody changes in the current release on a host.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::local::LocalCluster;
use crate::support::transcript::Transcript;

/// A cluster with a site folder that runs: one script, a helper that it loads, data.
fn deployed() -> LocalCluster {
    let cluster = LocalCluster::new();
    let site = cluster.dir().join("site");
    std::fs::create_dir_all(site.join("feeds")).unwrap();
    std::fs::write(site.join("local.zeek"), "# ours\n").unwrap();
    std::fs::write(site.join("helper.zeek"), "# helper\n").unwrap();
    std::fs::write(site.join("feeds/intel.dat"), "#fields\tindicator\n").unwrap();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let zeek = "site: ./site, site_data: [\"feeds/**\"], scripts: [local]";
    std::fs::write(&file, text.replace("scripts: []", zeek)).unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    // Starts and changes are told apart by clocks of whole seconds, and two of them are left for doubt.
    std::thread::sleep(std::time::Duration::from_secs(4));
    cluster
}

fn there(cluster: &LocalCluster, path: &str) -> PathBuf {
    cluster.kept("current").join(path)
}

#[test]
fn what_was_changed_by_hand_is_named_and_put_back() {
    let cluster = deployed();
    let seen = Transcript::default();
    what_is_read_again_and_what_is_checked_is_left_alone(&cluster, &seen);
    let pids = || ["manager", "proxy-1", "worker-1", "worker-2"].map(|node| cluster.pid(node));
    let before = pids();
    std::fs::write(there(&cluster, "site/local.zeek"), "# by hand\n").unwrap();
    std::fs::write(there(&cluster, "site/more.zeek"), "# more\n").unwrap();
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(there(&cluster, "cluster-layout.zeek"), mode).unwrap();
    seen.run(&cluster, &["status"]).code(5);
    seen.run(&cluster, &["diff", "--exit-code"]).code(5);
    // Nodes that were there before have read what was deployed.
    seen.run(&cluster, &["deploy", "--yes"]).code(0);
    assert_eq!(pids(), before);
    assert_eq!(std::fs::read_to_string(there(&cluster, "site/local.zeek")).unwrap(), "# ours\n");
    assert!(!there(&cluster, "site/more.zeek").exists());
    cluster.settled();
    seen.run(&cluster, &["deploy", "--yes"]).code(0);
    a_node_that_may_have_read_it_is_started_anew(&cluster, &seen);
    what_was_removed_by_hand_comes_back(&cluster, &seen);
    insta::assert_snapshot!(seen.take());
}

fn a_node_that_may_have_read_it_is_started_anew(cluster: &LocalCluster, seen: &Transcript) {
    std::fs::write(there(cluster, "site/local.zeek"), "# by hand\n").unwrap();
    cluster.run(&["restart", "worker-1"]).code(0);
    let (manager, worker) = (cluster.pid("manager"), cluster.pid("worker-1"));
    seen.run(cluster, &["deploy", "--yes"]).code(0);
    assert_eq!(cluster.pid("manager"), manager);
    assert_ne!(cluster.pid("worker-1"), worker);
    cluster.settled();
}

/// Nobody knows since when it is gone, so that any node may have been started without it.
fn what_was_removed_by_hand_comes_back(cluster: &LocalCluster, seen: &Transcript) {
    std::fs::remove_file(there(cluster, "site/helper.zeek")).unwrap();
    seen.run(cluster, &["status"]).code(5);
    seen.run(cluster, &["deploy", "--yes"]).code(0);
    assert!(there(cluster, "site/helper.zeek").exists());
    cluster.settled();
}

/// Data that a script on the host writes, and a script there while a check looks at the user's own.
fn what_is_read_again_and_what_is_checked_is_left_alone(cluster: &LocalCluster, seen: &Transcript) {
    let data = there(cluster, "data/feeds/intel.dat");
    let ours = std::fs::read(&data).unwrap();
    std::fs::write(&data, "#fields\tindicator\nnew\n").unwrap();
    cluster.settled();
    seen.run(cluster, &["deploy", "--yes"]).code(0);
    assert!(std::fs::read_to_string(&data).unwrap().contains("new"));
    std::fs::write(&data, ours).unwrap();

    let script = there(cluster, "site/local.zeek");
    std::fs::write(&script, "event zeek_init( {\n").unwrap();
    seen.run(cluster, &["check"]).code(0);
    assert_eq!(std::fs::read_to_string(&script).unwrap(), "event zeek_init( {\n");
    let left = std::fs::read_dir(cluster.kept("releases")).unwrap().flatten();
    assert!(left.map(|e| e.file_name()).all(|name| !name.to_str().unwrap().contains("check")));
    // What an earlier clusterctl has deployed has no mark of when that was.
    for entry in std::fs::read_dir(cluster.kept("releases")).unwrap().flatten() {
        if entry.file_name().to_str().unwrap().starts_with(".seen-") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    seen.run(cluster, &["status"]).code(5);
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
}
