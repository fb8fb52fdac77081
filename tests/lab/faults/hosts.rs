//! Hosts that are away, come back, or leave.

use super::{Scene, killed_at, names};

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f01_a_host_down_before_the_deploy_changes_nothing() {
    let scene = Scene::begin();
    scene.lab.does("poweroff", ["sensor2"]);
    scene.change("while sensor2 has no power");
    let said = scene.run(&["deploy", "--yes", "--timeout", "8s"]);
    let others = scene.seen_on(&["mgmt", "sensor1"]).running;
    scene.lab.does("poweron", ["sensor2"]);
    let said = said.code(1);
    names(&said, &["nothing changed", "sensor2: ssh: ", "is sensor2 up"]);
    assert!(others.iter().all(|(node, release)| scene.before[node] == *release), "{others:?}");
    assert_eq!(others.len(), 6);
    assert_eq!(scene.seen().everywhere(), scene.old);
    scene.nothing_lost();
    scene.next_deploy_finishes();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f32_a_host_that_left_is_stopped_and_one_that_is_away_is_named() {
    let mut scene = Scene::begin();
    // It can be asked: its nodes stop, and the workers of the other stay.
    scene.sensors = vec!["sensor1"];
    scene.write();
    let said = scene.run(&["deploy", "--yes"]).code(0);
    names(&said, &["worker-sensor2-1", "worker-sensor2-2", "stopped"]);
    // One that is new keeps no other from being started.
    scene.sensors = vec!["sensor1", "sensor3"];
    scene.write();
    scene.run(&["stop", "@sensor1"]).code(0);
    let said = scene.run(&["start"]).code(4);
    names(&said, &["nothing is deployed on sensor3 yet: clusterctl deploy", "worker-sensor1-1"]);
    scene.sensors = vec!["sensor1"];
    scene.write();
    assert_eq!(scene.seen_on(&["sensor2"]).running.len(), 0);
    assert_eq!(scene.seen().running.len(), 6);
    scene.settled();
    // It comes back, and leaves again while its cable is out: what runs there is told, and goes on running there.
    scene.sensors = vec!["sensor1", "sensor2"];
    scene.write();
    scene.run(&["deploy", "--yes"]).code(0);
    let was = scene.seen_on(&["sensor2"]).running;
    assert_eq!(was.len(), 2);
    scene.lab.does("cut", ["sensor2"]);
    scene.sensors = vec!["sensor1"];
    scene.write();
    let said = scene.run(&["deploy", "--yes", "--timeout", "8s"]);
    scene.lab.does("join", ["sensor2"]);
    names(&said, &["sensor2", "left the description but cannot be reached", "nodes may still run there"]);
    assert_eq!(said.code, 4, "{said:?}");
    assert_eq!(scene.seen_on(&["sensor2"]).running, was);
    assert_eq!(scene.seen().running.len(), 6);
    scene.settled();
    // Back in the description it is brought up to date before anything else.
    scene.sensors = vec!["sensor1", "sensor2"];
    scene.write();
    scene.run(&["deploy", "--yes"]).code(0);
    scene.settled();
    assert_eq!(scene.seen().running.len(), 8);
    scene.nothing_lost();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f32_a_host_that_left_is_not_forgotten_where_the_deploy_is_killed() {
    let mut scene = Scene::begin();
    scene.sensors = vec!["sensor1"];
    scene.write();
    let said = killed_at(scene.command(&["deploy", "--yes"]), "stopping nodes that left");
    assert_eq!(said.code, -1, "{said:?}");
    // Whether the word to stop was faster or not: the next one looks there again.
    let said = scene.run(&["deploy", "--yes"]).code(0);
    names(&said, &["sensor2"]);
    assert!(scene.seen_on(&["sensor2"]).running.is_empty());
    scene.settled();
    assert_eq!(scene.seen().running.len(), 6);
    names(&scene.run(&["deploy", "--yes"]).code(0), &["nothing to do"]);
    // And by a rollback to what never had it.
    scene.sensors = vec!["sensor1", "sensor2"];
    scene.write();
    scene.run(&["deploy", "--yes"]).code(0);
    scene.settled();
    assert_eq!(scene.seen_on(&["sensor2"]).running.len(), 2);
    scene.sensors = vec!["sensor1"];
    scene.write();
    scene.run(&["rollback", "--yes"]).code(0);
    assert!(scene.seen_on(&["sensor2"]).running.is_empty());
    scene.settled();
    scene.sensors = vec!["sensor1", "sensor2"];
    scene.nothing_lost();
}
