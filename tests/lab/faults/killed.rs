//! clusterctl itself, killed or interrupted.

use super::super::cluster::TestCluster;
use super::{Scene, Watch, names};
use crate::support::local::{Said, kill};

/// The cheapest cluster of two hosts: a manager, a proxy, a worker.
fn small(name: &str) -> Scene {
    let mut cluster = TestCluster::new(name, "broker");
    cluster.sensors = vec!["sensor1"];
    cluster.workers = 1;
    cluster.loggers = 0;
    cluster.write();
    Scene::of(cluster)
}

/// Each node that runs is of one whole release, the old one or the new one; `status` agrees with the processes.
fn each_runs_a_whole_release(scene: &Scene, moment: &str) {
    let seen = scene.seen();
    let status = scene.run(&["status", "-o", "json"]).json();
    for row in status["data"]["nodes"].as_array().unwrap() {
        let node = row["node"].as_str().unwrap();
        let release = seen.running.get(node).map(String::as_str);
        // One that is just being started or stopped may be seen by one and not by the other.
        if let (Some(said), Some(runs)) = (row["release"].as_str().filter(|_| row["state"] == "running"), release) {
            assert!(runs.starts_with(said) || said.starts_with(runs), "{moment}: {row}, but it runs {runs}");
        }
    }
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f09_clusterctl_killed_at_every_event() {
    let mut scene = small("killed");
    scene.change("without a fault");
    let events = scene.run(&["deploy", "--yes", "-o", "json"]).code(0).stderr.lines().count();
    assert!(events > 20, "{events} events are too few for a deploy");
    scene.remember();
    // All of them in one combination; the others try some.
    let step = if scene.combination.runner == "process" && scene.combination.account == "zeek" { 1 } else { 7 };
    for number in (1..=events).step_by(step) {
        let moment = format!("killed at event {number} of {events}");
        scene.change(&moment);
        let mut seen = 0;
        let mut last = String::new();
        let said = Watch(|line: &str, pid| {
            seen += 1;
            line.clone_into(&mut last);
            if seen == number {
                kill("KILL", pid);
            }
            seen == number
        })
        .run_whatever(scene.command(&["deploy", "--yes", "-o", "json"]));
        each_runs_a_whole_release(&scene, &format!("{moment}: {last}"));
        if said.code == -1 {
            scene.nothing_lost();
        }
        let said = scene.run(&["deploy", "--yes"]);
        assert_eq!(said.code, 0, "{moment}: {last}: {said:?}");
        let seen = scene.seen();
        let new = seen.everywhere().to_owned();
        assert!(seen.running.len() == 3 && seen.running.values().all(|r| *r == new), "{moment}: {:?}", seen.running);
    }
    scene.settled();
    scene.nothing_lost();
    let said = scene.run(&["deploy", "--yes"]).code(0);
    names(&said, &["nothing to do"]);
}

/// A deploy that is interrupted at a phase, once or twice.
fn interrupted(scene: &Scene, phase: &str, times: u32) -> Said {
    Watch(|line: &str, pid| {
        if !line.starts_with(phase) {
            return false;
        }
        // Frozen in between, so that both signals are there when it goes on.
        kill("STOP", pid);
        kill("INT", pid);
        if times == 2 {
            kill("TERM", pid);
        }
        kill("CONT", pid);
        true
    })
    .run(scene.command(&["deploy", "--yes"]))
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f10_interrupted_at_every_phase() {
    let mut scene = small("interrupted");
    scene.change("without a fault");
    let told = scene.run(&["deploy", "--yes"]).code(0).stderr;
    let mut phases: Vec<String> = Vec::new();
    for line in told.lines() {
        if let Some((phase, _)) = line.split_once(": ").filter(|(_, n)| n.ends_with(" host") || n.ends_with(" hosts"))
            && !phases.iter().any(|p| p == phase)
        {
            phases.push(phase.to_owned());
        }
    }
    assert!(phases.len() > 8, "{phases:?}");
    scene.remember();
    for phase in &phases {
        // Once: an orderly end, with everything as before.
        scene.change(&format!("interrupted while {phase}"));
        let said = interrupted(&scene, phase, 1);
        if phase == "deleting old releases" {
            // By then it is deployed, and stays so.
            assert_eq!(said.code, 0, "{phase}: {said:?}");
            scene.moved_on();
            scene.remember();
            scene.change(&format!("interrupted twice while {phase}"));
        } else {
            assert_eq!(said.code, 130, "{phase}: {said:?}");
            let seen = scene.seen();
            assert_eq!(seen.everywhere(), scene.old, "{phase}: {said:?}");
            assert_eq!(seen.running, scene.before, "{phase}: {said:?}");
        }
        scene.nothing_lost();
        // Twice: an end at once; what is half done is told, and finished by the next.
        let said = interrupted(&scene, phase, 2);
        assert_eq!(said.code, 130, "{phase}: {said:?}");
        each_runs_a_whole_release(&scene, phase);
        let said = scene.run(&["deploy", "--yes"]);
        assert_eq!(said.code, 0, "{phase}: {said:?}");
        scene.nothing_lost();
        scene.remember();
    }
    scene.settled();
}
