//! Locks and operations at the same time.

use super::{Scene, frozen, names};

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

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f12_a_lock_left_by_a_dead_holder_holds_nobody_up() {
    let scene = Scene::begin();
    let lock = format!("{}/lock", scene.home());
    let boot = scene.lab.exec("sensor1", &["cat", "/proc/sys/kernel/random/boot_id"]);
    // Of a process that ended, of a pid that another process has now, of the time before a reboot, and half written.
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
