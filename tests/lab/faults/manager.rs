//! The manager, and the host that it runs on.

use std::time::Duration;

use serde_json::json;

use super::{Scene, Undo, names};
use crate::lab::cluster::{row, wait_for};

const LONG: Duration = Duration::from_secs(90);

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f27_with_the_managers_host_down_the_others_are_seen_stopped_and_started() {
    let scene = Scene::begin();
    let workers = ["worker-sensor1-1", "worker-sensor1-2", "worker-sensor2-1", "worker-sensor2-2"];
    let on_mgmt = ["manager", "logger-1", "logger-2", "proxy-1"];
    let pids = scene.pids();
    let lab = scene.lab.clone();
    // The tests that follow need it, whatever becomes of this one.
    let _undo = Undo(|| {
        if std::thread::panicking() {
            let _ = std::panic::catch_unwind(|| lab.does("poweron", ["mgmt"]));
        }
    });
    scene.lab.does("poweroff", ["mgmt"]);

    let status = scene.run(&["status", "--timeout", "10s", "-o", "json"]).code(5).json()["data"].clone();
    for node in on_mgmt {
        let row = row(&status, node);
        assert_eq!(row["state"], "unknown", "{row}");
        assert!(row["detail"].as_str().unwrap().contains("ssh: "), "{row}");
    }
    for node in workers {
        let row = row(&status, node);
        assert_eq!((&row["state"], &row["pid"]), (&json!("running"), &json!(pids[node])), "{row}");
    }
    assert_eq!(status["workers"], json!({"described": 4, "running": 4, "answering": 0, "counted": null}));
    names(&scene.run(&["status", "--timeout", "10s"]).code(5), &["mgmt", "not asked"]);

    let said = scene.run(&["print", "Cluster::node", "--timeout", "10s"]);
    assert!(said.code == 1 || said.code == 4, "{said:?}");
    names(&said, &["mgmt", "ssh: "]);

    // One host's nodes, then all that can be reached.
    let said = scene.run(&["stop", "@sensor1", "--timeout", "10s"]).code(0);
    assert!(said.stdout.contains("2 nodes stopped: "), "{said:?}");
    scene.run(&["start", "@sensor1", "--timeout", "10s"]).code(0);
    let said = scene.run(&["stop", "--timeout", "10s"]).code(4);
    names(&said, &["manager", "ssh: "]);
    assert!(scene.seen_on(&["sensor1", "sensor2"]).running.is_empty());
    let said = scene.run(&["start", "--timeout", "10s"]).code(4);
    names(&said, &["manager", "ssh: "]);
    let seen = scene.seen_on(&["sensor1", "sensor2"]);
    assert_eq!(seen.everywhere(), scene.old);
    let same = scene.before.iter().filter(|(node, _)| workers.contains(&node.as_str()));
    assert!(seen.running.iter().eq(same), "{:?}", seen.running);

    // A deploy needs the manager's host.
    scene.change("that no manager sees");
    let said = scene.run(&["deploy", "--yes", "--timeout", "10s"]).code(1);
    names(&said, &["nothing changed", "mgmt", "ssh: "]);

    scene.lab.does("poweron", ["mgmt"]);
    if scene.is_systemd() {
        wait_for("its nodes to come back with it", LONG, || {
            let status = scene.status();
            on_mgmt.iter().all(|n| row(&status, n)["state"] == "running").then_some(())
        });
    } else {
        names(&scene.run(&["status"]).code(5), &["manager", "the host rebooted"]);
        scene.run(&["start"]).code(0);
    }
    scene.settled();
    scene.unchanged();
    scene.next_deploy_finishes();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f28_the_manager_moves_to_another_host() {
    let scene = Scene::begin();
    let host_of = |node: &str| scene.row(node)["host"].clone();
    let managers = |host: &'static str| scene.seen_on(&[host]).running.contains_key("manager");

    // One that dies there leaves the old one where it was.
    scene.site("cheese.zeek", "event zeek_init()\n\t{\n\tReporter::fatal(\"out of cheese\");\n\t}\n");
    scene.put("manager: { type: manager, host: mgmt }", "manager: { type: manager, host: sensor2, scripts: [cheese] }");
    let said = scene.run(&["deploy", "--yes"]).code(1);
    names(&said, &["manager", "sensor2", "out of cheese", "went back"]);
    scene.unchanged();
    assert!(managers("mgmt") && !managers("sensor2"));
    std::fs::remove_file(scene.file().with_file_name("site").join("cheese.zeek")).unwrap();
    scene.nothing_to_do();

    scene.put("manager: { type: manager, host: mgmt }", "manager: { type: manager, host: sensor2 }");
    names(&scene.run(&["diff"]).code(0), &["manager"]);
    scene.run(&["deploy", "--yes"]).code(0);
    assert_eq!(scene.settled()["workers"], json!({"described": 4, "running": 4, "answering": 4, "counted": 4}));
    assert_eq!(host_of("manager"), "sensor2");
    assert!(managers("sensor2") && !managers("mgmt"), "the old one has ended");
    scene.moved_on();
    names(&scene.run(&["deploy", "--yes"]).code(0), &["nothing to do"]);

    // And back.
    scene.write();
    scene.run(&["deploy", "--yes"]).code(0);
    scene.settled();
    assert!(managers("mgmt") && !managers("sensor2"));
    scene.nothing_lost();
    names(&scene.run(&["deploy", "--yes"]).code(0), &["nothing to do"]);
}
