//! The network, cut at a moment.

use std::time::Duration;

use super::super::cluster::wait_for;
use super::{Scene, Undo, frozen, names};

/// Plugs a host's cable in when the test ends, or before; the lock that was held over it goes soon after.
fn joined<'a>(scene: &'a Scene, host: &'static str) -> Undo<impl FnMut() + 'a> {
    Undo(move || {
        scene.lab.does("join", [host]);
        wait_for("the lock to go with its connection", Duration::from_secs(60), || {
            let status = scene.status();
            status["hosts"]
                .as_array()
                .unwrap()
                .iter()
                .all(|h| h["lock"].is_null() && h["failure"].is_null())
                .then_some(())
        });
    })
}

/// A deploy during which a host's cable is pulled at the first line with these words, and stays out.
fn cut_at(scene: &Scene, words: &str, more: &[&str]) -> crate::support::local::Said {
    let args = [&["deploy", "--yes", "--timeout", "8s"], more].concat();
    frozen(scene.command(&args), words, || scene.lab.does("cut", ["sensor2"]))
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f02_a_host_lost_while_staging_changes_nothing() {
    let scene = Scene::begin();
    scene.change("which one host can't take");
    let joined = joined(&scene, "sensor2");
    let said = cut_at(&scene, "staging", &[]).code(1);
    names(&said, &["nothing changed", "sensor2"]);
    drop(joined);
    scene.unchanged();
    scene.next_deploy_finishes();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f03_a_host_lost_after_staging_touches_no_node() {
    // The word to activate may be faster than the cut: then it is another fault, which the next deploy finishes as well.
    for attempt in 1.. {
        let scene = Scene::begin();
        scene.change(&format!("which one host has but does not activate, {attempt}"));
        let joined = joined(&scene, "sensor2");
        let said = cut_at(&scene, "activating", &[]).code(1);
        names(&said, &["sensor2"]);
        // Those that can be reached are back.
        let seen = scene.seen_on(&["mgmt", "sensor1"]);
        assert_eq!(seen.everywhere(), scene.old);
        drop(joined);
        if said.stderr.contains("not all hosts could activate") {
            names(&said, &["no node was stopped"]);
            assert_eq!(scene.seen().running, scene.before);
            scene.nothing_lost();
            // Who, when and how far is on the hosts, and said.
            let status = scene.run(&["status"]).code(5);
            names(&status, &["unfinished operation", "deploy"]);
            scene.next_deploy_finishes();
            return;
        }
        names(&said, &["not all hosts went back"]);
        scene.next_deploy_finishes();
        assert!(attempt < 5, "the word to activate was always faster");
    }
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f04_a_host_lost_in_the_middle_keeps_the_old_release_until_it_is_reconciled() {
    let scene = Scene::begin();
    scene.change("during which a host is lost");
    {
        let _joined = joined(&scene, "sensor2");
        let said = cut_at(&scene, "stopping workers", &[]).code(1);
        names(&said, &["worker-sensor2-1", "sensor2", "not all hosts went back"]);
        // What can be reached runs as before.
        let seen = scene.seen_on(&["mgmt", "sensor1"]);
        assert_eq!(seen.everywhere(), scene.old);
        assert!(seen.running.iter().all(|(node, release)| scene.before[node] == *release), "{:?}", seen.running);
        assert_eq!(seen.running.len(), 6);
    }
    // It comes back, and what runs there is what ran: both nodes, or none where the word to stop was faster than the cut.
    let seen = scene.seen();
    assert!(seen.running.iter().all(|(node, release)| scene.before[node] == *release), "{:?}", seen.running);
    assert!([6, 8].contains(&seen.running.len()), "{:?}", seen.running);
    scene.nothing_lost();
    let status = scene.run(&["status"]).code(5);
    names(&status, &["sensor2", "unfinished operation"]);
    scene.next_deploy_finishes();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f04_a_host_that_may_fail_is_left_behind_and_resumed_when_it_returns() {
    let scene = Scene::begin();
    scene.change("without a host that may fail");
    let joined = joined(&scene, "sensor2");
    let said = cut_at(&scene, "activating", &["--allow-failed", "50%"]);
    assert_eq!(said.code, 4, "{said:?}");
    names(&said, &["sensor2"]);
    let seen = scene.seen_on(&["mgmt", "sensor1"]);
    let new = seen.everywhere().to_owned();
    assert_ne!(new, scene.old);
    assert!(seen.running.values().all(|r| *r == new), "{:?}", seen.running);
    assert_eq!(seen.running.len(), 6);
    drop(joined);
    // Back, on the old release, or stopped where the word was faster: said, and brought up to date before anything else.
    let back = scene.seen_on(&["sensor2"]).running;
    assert!(back.len() <= 2, "{back:?}");
    assert!(back.values().all(|r| *r == scene.old), "{back:?}");
    let status = scene.run(&["status"]).code(5);
    // Whether the journal had come there before the cut or not.
    names(&status, &["sensor2: ", "clusterctl resume @sensor2"]);
    scene.run(&["resume", "--yes"]).code(0);
    scene.settled();
    scene.moved_on();
    let said = scene.run(&["deploy", "--yes"]).code(0);
    names(&said, &["nothing to do"]);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f04_nodes_that_the_deploy_itself_had_stopped_are_resumed_too() {
    let scene = Scene::begin();
    scene.change("whose workers were stopped where a host was lost");
    let joined = joined(&scene, "sensor2");
    let said = cut_at(&scene, "starting loggers", &["--allow-failed", "50%"]);
    assert_eq!(said.code, 4, "{said:?}");
    names(&said, &["sensor2"]);
    drop(joined);
    assert!(scene.seen_on(&["sensor2"]).running.is_empty());
    names(&scene.run(&["status"]).code(5), &["sensor2", "unfinished operation", "clusterctl resume @sensor2"]);
    scene.run(&["resume", "--yes"]).code(0);
    scene.settled();
    scene.moved_on();
    names(&scene.run(&["deploy", "--yes"]).code(0), &["nothing to do"]);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f06_a_network_that_is_cut_and_comes_back_does_not_matter() {
    for moment in ["staging", "stopping workers", "starting the manager"] {
        let scene = Scene::begin();
        scene.change(&format!("through a cut while {moment}"));
        let (send, told) = std::sync::mpsc::channel();
        let said = std::thread::scope(|threads| {
            let lab = &scene.lab;
            threads.spawn(move || {
                told.recv().unwrap();
                // The length of the cut: shorter than ssh's patience (9 s in the lab's configuration).
                std::thread::sleep(Duration::from_secs(2));
                lab.does("join", ["sensor1"]);
            });
            frozen(scene.command(&["deploy", "--yes"]), moment, || {
                scene.lab.does("cut", ["sensor1"]);
                send.send(()).unwrap();
            })
        });
        assert_eq!(said.code, 0, "{said:?}");
        scene.settled();
        scene.moved_on();
    }
}
