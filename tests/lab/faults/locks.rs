//! Locks and operations at the same time.

use std::path::Path;

use super::super::cluster::wait_for;
use super::{Scene, Undo, frozen, names};

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f11_of_two_deploys_at_once_one_works_and_the_other_names_it() {
    let scene = Scene::begin();
    scene.change("of the first of two");
    let mut second = None;
    let first = frozen(scene.command(&["deploy", "--yes"]), "stopping workers", || {
        // Looking needs no lock, and tells who is at work.
        let status = scene.run(&["status", "-o", "json"]).json();
        let locked = |h: &serde_json::Value| h["lock"].as_str().is_some_and(|l| l.contains("deploy"));
        assert!(status["data"]["hosts"].as_array().unwrap().iter().all(locked), "{status:#}");
        second = Some(scene.run(&["deploy", "--yes"]));
    });
    let second = second.unwrap();
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(second.code, 6, "{second:?}");
    names(&second, &["locked by another operation", "deploy, since"]);
    scene.settled();
    scene.moved_on();
    let said = scene.run(&["deploy", "--yes"]).code(0);
    names(&said, &["nothing to do"]);
}

/// Makes an operator's machine of a host: clusterctl, the description, the site folder and a key. Returns the command
/// that runs clusterctl there.
fn operator<'a>(scene: &'a Scene, host: &'a str) -> impl Fn(&[&str]) -> String + 'a {
    let lab = scene.lab.ssh_config();
    let run = lab.parent().unwrap();
    let root = scene.lab.root(host);
    let copy = |from: &Path, to: &Path| {
        let to = root.join(to.strip_prefix("/").unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    };
    // What the description names lies where it lies here: the description is the same.
    for name in ["id_ed25519", "known_hosts", "ssh_config"] {
        copy(&run.join(name), &run.join(name));
    }
    let there = Path::new("/srv/operator");
    copy(Path::new(env!("CARGO_BIN_EXE_clusterctl")), &there.join("clusterctl"));
    copy(&scene.file(), &there.join("cluster.yaml"));
    copy(&scene.file().with_file_name("site").join("local.zeek"), &there.join("site/local.zeek"));
    move |args| {
        let line = "cd /srv/operator && HOME=/srv/operator USER=other ./clusterctl \"$@\" 2>&1; echo \"code $?\"";
        scene.lab.exec(host, &[&["sh", "-c", line, "sh"], args].concat())
    }
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f11_a_deploy_from_another_machine_is_kept_out_and_sees_the_same_truth() {
    let scene = Scene::begin();
    scene.change("of one of two machines");
    let other = operator(&scene, "sensor3");
    let _undo = Undo(|| drop(scene.lab.exec("sensor3", &["rm", "-rf", "/srv/operator"])));
    let mut second = String::new();
    let first = frozen(scene.command(&["deploy", "--yes"]), "starting workers", || {
        second = other(&["deploy", "--yes"]);
    });
    assert_eq!(first.code, 0, "{first:?}");
    assert!(second.ends_with("code 6") && second.contains("locked by another operation"), "{second}");
    scene.settled();
    scene.moved_on();
    // The same description gives the same release, wherever it is deployed from.
    let second = other(&["deploy", "--yes"]);
    assert!(second.ends_with("code 0") && second.contains("nothing to do"), "{second}");
    let status = other(&["status"]);
    assert!(status.ends_with("code 0"), "{status}");
    scene.moved_on();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f12_a_lock_left_by_a_dead_holder_holds_nobody_up() {
    let scene = Scene::begin();
    let lock = format!("{}/lock", scene.home());
    let boot = scene.lab.exec("sensor1", &["cat", "/proc/sys/kernel/random/boot_id"]);
    // Of a process that ended, of a pid that another process has now, of the time before a reboot, and empty.
    let left = [
        format!("id {boot} 4194000 77 1-1 eve@afar (pid 1): deploy, since then"),
        format!("id {boot} 1 77 1-1 eve@afar (pid 1): deploy, since then"),
        "id 00000000-0000-0000-0000-000000000000 1 1 1-1 eve@afar (pid 1): deploy, since then".to_owned(),
        String::new(),
    ];
    for text in left {
        scene.lab.exec("sensor1", &["sh", "-c", "printf '%s' \"$2\" >\"$1\"", "sh", &lock, &text]);
        let status = scene.settled();
        assert!(status["hosts"].as_array().unwrap().iter().all(|h| h["lock"].is_null()), "{status:#}");
        scene.run(&["restart", "worker-sensor1-1"]).code(0);
        scene.lab.exec("sensor1", &["test", "!", "-e", &lock]);
    }
    scene.unchanged();
    scene.change("after a dead holder");
    scene.next_deploy_finishes();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f12_a_lock_whose_holder_hangs_is_unlocked() {
    let scene = Scene::begin();
    scene.change("of a clusterctl that hangs");
    let first = frozen(scene.command(&["deploy", "--yes"]), "staging", || {
        let said = scene.run(&["restart", "worker-sensor1-1"]).code(6);
        names(&said, &["locked by another operation", "clusterctl unlock"]);
        // Not without being told so.
        let said = scene.run(&["unlock"]);
        assert_ne!(said.code, 0, "{said:?}");
        scene.run(&["unlock", "--yes"]).code(0);
        let free = wait_for("the locks to go", std::time::Duration::from_secs(20), || {
            let status = scene.status();
            status["hosts"].as_array().unwrap().iter().all(|h| h["lock"].is_null()).then_some(status)
        });
        assert!(free["workers"]["running"] == 4, "{free:#}");
        // Somebody else goes on.
        scene.change("of the one that goes on");
        scene.run(&["deploy", "--yes"]).code(0);
    });
    // The one that hung finds that the hosts are not as it left them.
    assert_ne!(first.code, 0, "{first:?}");
    names(&first, &["nothing changed"]);
    scene.settled();
    scene.moved_on();
    let said = scene.run(&["deploy", "--yes"]).code(0);
    names(&said, &["nothing to do"]);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f12_one_that_hung_in_the_middle_leaves_what_others_did_alone() {
    let scene = Scene::begin();
    scene.change("of a clusterctl that hangs while it restarts");
    let first = frozen(scene.command(&["deploy", "--yes"]), "stopping proxies", || {
        scene.run(&["unlock", "--yes"]).code(0);
        // Somebody else goes on, and comes to an end.
        scene.change("of the one that came to an end");
        scene.run(&["deploy", "--yes"]).code(0);
    });
    // Neither what it began nor its way back is done to the hosts of the other.
    assert_eq!(first.code, 1, "{first:?}");
    names(&first, &["another operation has run there in the meantime"]);
    scene.settled();
    scene.moved_on();
    let said = scene.run(&["deploy", "--yes"]).code(0);
    names(&said, &["nothing to do"]);
}
