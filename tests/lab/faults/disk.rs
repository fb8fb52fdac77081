//! Disks and folders.

use std::time::Duration;

use super::super::cluster::{TestCluster, row, wait_for};
use super::{Scene, Undo, names};

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f08_a_base_folder_that_cannot_be_written_is_named_before_anything_changes() {
    let scene = Scene::begin();
    let exec = |line: &str| scene.lab.exec("sensor2", &["sh", "-c", line]);
    scene.change("for a folder that can't be written");
    // Read-only, as a file system is after an error.
    {
        exec("mount --bind /var/lib/clusterctl /var/lib/clusterctl && mount -o remount,bind,ro /var/lib/clusterctl");
        let _undo = Undo(|| drop(exec("umount --lazy /var/lib/clusterctl")));
        let said = scene.run(&["deploy", "--yes"]).code(1);
        names(&said, &["nothing changed", "sensor2", "/var/lib/clusterctl"]);
    }
    scene.unchanged();
    // Somebody else's: as root clusterctl may write everywhere.
    if scene.combination.account != "root" {
        let home = scene.home();
        exec(&format!("chown daemon /var/lib/clusterctl {home} {home}/releases"));
        let _undo = Undo(|| drop(exec(&format!("chown zeek /var/lib/clusterctl {home} {home}/releases"))));
        let said = scene.run(&["deploy", "--yes"]).code(1);
        names(&said, &["nothing changed", "sensor2", &home]);
    }
    scene.unchanged();
    // Of a newer clusterctl: read, never written.
    {
        let format = format!("{}/format", scene.home());
        exec(&format!("echo 99 >{format}"));
        let _undo = Undo(|| drop(exec(&format!("echo 1 >{format}"))));
        let said = scene.run(&["deploy", "--yes"]).code(1);
        names(&said, &["nothing changed", "sensor2", "format 99", "newer clusterctl"]);
        for command in [&["stop", "@sensor2"][..], &["restart", "@sensor2"], &["maintain", "@sensor2"]] {
            let said = scene.run(command);
            assert!(matches!(said.code, 1 | 4), "{said:?}");
            names(&said, &["sensor2", "format 99", "newer clusterctl"]);
        }
        scene.run(&["status"]);
        assert_eq!(exec(&format!("cat {format}")), "99");
    }
    scene.unchanged();
    scene.next_deploy_finishes();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f08_a_missing_base_folder_comes_with_the_command_that_makes_it() {
    let mut scene = Scene::begin();
    if scene.combination.account == "root" {
        return;
    }
    scene.name = "faults-elsewhere".to_owned();
    let base = std::mem::replace(&mut scene.base, "/srv/not/there".to_owned());
    scene.write();
    let said = scene.run(&["deploy", "--yes"]);
    scene.name = "faults".to_owned();
    scene.base = base;
    scene.write();
    let said = said.code(1);
    names(&said, &["can't make the folder /srv/not/there", "install -d -o zeek /srv/not/there"]);
    scene.unchanged();
    scene.run(&["status"]).code(0);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f07_a_disk_that_is_full_while_staging_and_while_running() {
    let lab = super::super::Lab::get();
    super::stand_down();
    lab.does("small-disk", ["sensor2", "2M"]);
    let _undo = Undo(|| lab.does("small-disk", ["sensor2", "off"]));
    let scene = Scene::of(TestCluster::new("full", "broker"));
    let fill =
        || lab.exec("sensor2", &["sh", "-c", "dd if=/dev/zero of=/var/lib/clusterctl/fill bs=4k 2>/dev/null; true"]);
    let free = || lab.exec("sensor2", &["rm", "-f", "/var/lib/clusterctl/fill"]);
    // While staging.
    scene.change(&"that does not fit ".repeat(2000));
    fill();
    let said = scene.run(&["deploy", "--yes"]).code(1);
    names(&said, &["nothing changed", "sensor2", "No space left on device"]);
    scene.unchanged();
    // While running: what runs goes on, a node that dies comes back when there is room again, and looking works.
    let victim = "worker-sensor2-1";
    let old = scene.pids()[victim];
    lab.exec("sensor2", &["kill", "-KILL", &old.to_string()]);
    assert_eq!(row(&scene.status(), "worker-sensor2-2")["state"], "running");
    // There is no room to say so, but nodes can be stopped.
    scene.run(&["stop", "worker-sensor2-2"]).code(0);
    assert_eq!(row(&scene.status(), "worker-sensor2-2")["state"], "stopped");
    free();
    scene.run(&["start", "worker-sensor2-2"]).code(0);
    let new = wait_for("the node to run again", Duration::from_secs(60), || {
        let status = scene.status();
        let row = row(&status, victim);
        (row["state"] == "running").then(|| row["pid"].as_u64()).flatten().filter(|pid| *pid != old)
    });
    assert_ne!(new, old);
    scene.settled();
    scene.nothing_lost();
    scene.next_deploy_finishes();
}
