//! Logs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::{Scene, Undo, names};
use crate::lab::cluster::{TestCluster, wait_for};
use crate::lab::logs::{numbered, produce, records};

const LONG: Duration = Duration::from_secs(90);

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f29_with_one_of_two_loggers_dead_under_zeromq_every_record_arrives() {
    let mut scene = Scene::begin();
    numbered(&scene);
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

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f07_a_disk_that_fills_up_while_loggers_write_costs_nothing_that_was_written() {
    let mut cluster = TestCluster::new("faults-full", "broker");
    numbered(&cluster);
    cluster.extra = format!("logs: {{ archive: {}/faults-full/archive, rotate: 1h }}", cluster.base);
    cluster.write();
    let lab = cluster.lab.clone();
    lab.does("small-disk", ["mgmt", "32M"]);
    let exec = |line: &str| lab.exec("mgmt", &["sh", "-c", line]);
    let disk = Undo(|| lab.does("small-disk", ["mgmt", "off"]));
    {
        let cluster = &cluster;
        let _stopped = Undo(|| drop(cluster.run(&["stop"])));
        let _room = Undo(|| drop(exec("rm -f /var/lib/clusterctl/filler")));
        cluster.run(&["deploy", "--yes"]).code(0);
        cluster.settled();
        produce(cluster, 50, 1_000_000);
        let before = wait_for("records", LONG, || Some(records(cluster)).filter(|r| r.len() == 4));
        exec("cat /dev/zero >/var/lib/clusterctl/filler 2>/dev/null; true");
        // What they would say about it goes to the same disk: several batches that leave no trace show it.
        let (mut last, mut since) = (0, Instant::now());
        wait_for("loggers that can't write", LONG, || {
            let now = records(cluster).values().map(BTreeSet::len).sum();
            if last != now {
                (last, since) = (now, Instant::now());
            }
            (since.elapsed() > Duration::from_secs(4)).then_some(())
        });
        // A status needs no disk, and what does says why it can't.
        let status = cluster.status();
        let nodes = status["nodes"].as_array().unwrap();
        let running = |host: &str| nodes.iter().filter(|n| n["host"] == host && n["state"] == "running").count();
        assert_eq!(running("sensor1") + running("sensor2"), 4, "{status:#}");
        // A real Zeek ends where it can't write, and waits for room with its supervisor.
        assert!(running("mgmt") == 4 || !cluster.lab.zeek().simulated, "{status:#}");
        names(&cluster.run(&["maintain"]).code(5), &["mgmt: only 0 % free on /var/lib/clusterctl"]);
        exec("truncate -s -1M /var/lib/clusterctl/filler");
        names(&cluster.run(&["maintain"]).code(5), &["mgmt: only", "% free on /var/lib/clusterctl"]);
        exec("rm /var/lib/clusterctl/filler");
        // Loggers go on by themselves, and all that was written is there.
        let full = records(cluster);
        let after = wait_for("further records", LONG, || {
            let now = records(cluster);
            full.iter().all(|(worker, numbers)| now[worker].last() > numbers.last()).then_some(now)
        });
        for (worker, numbers) in before.iter().chain(&full) {
            assert!(numbers.is_subset(&after[worker]), "{worker:?}");
        }
        cluster.run(&["maintain"]).code(0);
        cluster.settled();
    }
    drop(disk);
}
