//! Files that somebody changes in the current release on a host.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::local::LocalCluster;

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
    what_is_read_again_and_what_is_checked_is_left_alone(&cluster);
    let pids = || ["manager", "proxy-1", "worker-1", "worker-2"].map(|node| cluster.pid(node));
    let before = pids();
    std::fs::write(there(&cluster, "site/local.zeek"), "# by hand\n").unwrap();
    std::fs::write(there(&cluster, "site/more.zeek"), "# more\n").unwrap();
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(there(&cluster, "cluster-layout.zeek"), mode).unwrap();
    let told = "cluster-layout.zeek changed, site/local.zeek changed, site/more.zeek added";
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.replace("\n    ", " ").contains(told), "{status:?}");
    let plan = cluster.run(&["diff", "--exit-code"]).code(5);
    let told = "cluster-layout.zeek was changed, site/local.zeek was changed, site/more.zeek was added";
    assert!(plan.stdout.contains(told), "{plan:?}");
    assert!(plan.stdout.contains("    -# by hand\n    +# ours\n"), "{plan:?}");
    // Nodes that were there before have read what was deployed.
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stdout.contains("no node had to restart"), "{said:?}");
    assert_eq!(pids(), before);
    assert_eq!(std::fs::read_to_string(there(&cluster, "site/local.zeek")).unwrap(), "# ours\n");
    assert!(!there(&cluster, "site/more.zeek").exists());
    cluster.settled();
    let again = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(again.stdout.starts_with("nothing to do"), "{again:?}");
    a_node_that_may_have_read_it_is_started_anew(&cluster);
    what_was_removed_by_hand_comes_back(&cluster);
}

fn a_node_that_may_have_read_it_is_started_anew(cluster: &LocalCluster) {
    std::fs::write(there(cluster, "site/local.zeek"), "# by hand\n").unwrap();
    cluster.run(&["restart", "worker-1"]).code(0);
    let (manager, worker) = (cluster.pid("manager"), cluster.pid("worker-1"));
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stderr.contains("worker-1: restart, because it may have read"), "{said:?}");
    assert!(said.stdout.contains("1 node touched"), "{said:?}");
    assert_eq!(cluster.pid("manager"), manager);
    assert_ne!(cluster.pid("worker-1"), worker);
    cluster.settled();
}

/// Nobody knows since when it is gone, so that any node may have been started without it.
fn what_was_removed_by_hand_comes_back(cluster: &LocalCluster) {
    std::fs::remove_file(there(cluster, "site/helper.zeek")).unwrap();
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("site/helper.zeek removed"), "{status:?}");
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stdout.contains("4 nodes touched"), "{said:?}");
    assert!(there(cluster, "site/helper.zeek").exists());
    cluster.settled();
}

/// Data that a script on the host writes, and a script there while a check looks at the user's own.
fn what_is_read_again_and_what_is_checked_is_left_alone(cluster: &LocalCluster) {
    let data = there(cluster, "data/feeds/intel.dat");
    let ours = std::fs::read(&data).unwrap();
    std::fs::write(&data, "#fields\tindicator\nnew\n").unwrap();
    cluster.settled();
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stdout.starts_with("nothing to do"), "{said:?}");
    assert!(said.stderr.contains("data/feeds/intel.dat has changed since the deploy"), "{said:?}");
    assert!(std::fs::read_to_string(&data).unwrap().contains("new"));
    std::fs::write(&data, ours).unwrap();

    let script = there(cluster, "site/local.zeek");
    std::fs::write(&script, "event zeek_init( {\n").unwrap();
    let said = cluster.run(&["check"]).code(0);
    assert!(said.stdout.contains("the description is valid"), "{said:?}");
    assert_eq!(std::fs::read_to_string(&script).unwrap(), "event zeek_init( {\n");
    let left = std::fs::read_dir(cluster.kept("releases")).unwrap().flatten();
    assert!(left.map(|e| e.file_name()).all(|name| !name.to_str().unwrap().contains("check")));
    // What an earlier clusterctl has deployed has no mark of when that was.
    for entry in std::fs::read_dir(cluster.kept("releases")).unwrap().flatten() {
        if entry.file_name().to_str().unwrap().starts_with(".seen-") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("site/local.zeek changed"), "{status:?}");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
}
