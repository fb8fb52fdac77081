//! Hints for hosts that are behind, which one machine alone can't be.

use super::faults::{Scene, names};

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn hosts_that_are_behind_are_named_together_and_what_is_said_brings_them_back() {
    let mut scene = Scene::begin();
    scene.sensors = vec!["sensor1", "sensor2", "sensor3"];
    scene.write();
    scene.run(&["deploy", "--yes"]).code(0);
    scene.change("while two are left out");
    scene.run(&["deploy", "--yes", "--skip", "@sensor2", "--skip", "@sensor3"]).code(4);
    let said = scene.run(&["status"]).code(5);
    names(&said, &["clusterctl resume @sensor2 @sensor3"]);
    // Nodes there can't be started, and nobody is told to.
    scene.run(&["stop", "@sensor2"]).code(0);
    let said = scene.run(&["status", "@sensor2"]).code(5);
    names(&said, &["worker-sensor2-1, worker-sensor2-2: are stopped -> clusterctl resume @sensor2"]);
    let said = scene.run(&["start", "@sensor2"]);
    assert_ne!(said.code, 0, "{said:?}");
    names(&said, &["clusterctl resume @sensor2"]);
    scene.run(&["resume", "@sensor2", "@sensor3", "--yes"]).code(0);
    // What an operator stopped stays so; now it can be started.
    let said = scene.run(&["status", "@sensor2"]).code(5);
    names(&said, &["are stopped -> clusterctl start worker-sensor2-1 worker-sensor2-2"]);
    scene.run(&["start", "worker-sensor2-1", "worker-sensor2-2"]).code(0);
    scene.settled();
    scene.nothing_lost();
}
