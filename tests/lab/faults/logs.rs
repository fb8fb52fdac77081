//! Logs.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Scene, names};
use crate::lab::cluster::wait_for;
use crate::lab::logs::{produce, records};

const LONG: Duration = Duration::from_secs(90);

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f29_with_one_of_two_loggers_dead_under_zeromq_every_record_arrives() {
    let mut scene = Scene::begin();
    if !scene.lab.zeek().simulated {
        return;
    }
    let archive = format!("logs: {{ archive: {}/archive, rotate: 1h }}", scene.home());
    scene.backend = "zeromq";
    scene.extra = format!("restart: never\n{archive}");
    scene.write();
    scene.run(&["deploy", "--yes", "--accept-backend-change"]).code(0);
    scene.settled();
    scene.lab.exec("mgmt", &["kill", "-KILL", &scene.pids()["logger-2"].to_string()]);
    wait_for("the logger's end", LONG, || (scene.row("logger-2")["state"] == "crashed").then_some(()));
    let said = scene.run(&["status"]).code(5);
    names(&said, &["logger-2", "crashed", "SIGKILL"]);
    produce(&scene, 100, 500);
    let found = wait_for("all records", LONG, || {
        let found = records(&scene);
        let all = found.len() == 4 && found.values().all(|n| n.contains(&500));
        all.then_some(found)
    });
    for (worker, numbers) in &found {
        assert_eq!(numbers, &(1..=500).collect::<BTreeSet<u64>>(), "{worker:?}");
    }
    produce(&scene, 0, 0);
    // All are in the logger that lives, and in the archive after it.
    let said = scene.run(&["start", "loggers"]).code(0);
    names(&said, &["logger-2", "ready"]);
    scene.settled();
    scene.nothing_lost();
    scene.backend = "broker";
    scene.extra = archive;
    scene.write();
    scene.run(&["deploy", "--yes", "--accept-backend-change"]).code(0);
    scene.settled();
    scene.moved_on();
    wait_for("an empty queue", LONG, || {
        let queue = format!("{}/log-queue", scene.home());
        scene.lab.exec("mgmt", &["ls", &queue]).is_empty().then_some(())
    });
    let kept: usize = records(&scene).values().map(BTreeSet::len).sum();
    assert_eq!(kept, 2000);
}
