//! What the description names.

use super::{Scene, names};

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f31_two_names_for_one_machine_are_refused() {
    let scene = Scene::begin();
    let text = std::fs::read_to_string(scene.file()).unwrap();
    let third = format!("  sensor3: {{ address: {}, ssh: {{ host: sensor1 }} }}\nnodes:\n", scene.address("sensor3"));
    let twice =
        text.replace("nodes:\n", &third).replace("hosts: [sensor1, sensor2]", "hosts: [sensor1, sensor2, sensor3]");
    std::fs::write(scene.file(), twice).unwrap();
    let said = scene.run(&["deploy", "--yes"]);
    scene.write();
    let said = said.code(1);
    names(&said, &["sensor1 and sensor3 are the same machine", "machine id", "one name under `hosts`"]);
    scene.unchanged();
    let said = scene.run(&["deploy", "--yes"]).code(0);
    names(&said, &["nothing to do"]);
}
