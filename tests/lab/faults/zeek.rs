//! Zeek and its scripts.

use super::{Scene, names};

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f13_a_staged_script_that_does_not_parse_changes_nothing() {
    let scene = Scene::begin();
    scene.site("local.zeek", "# One line.\nevent zeek_init()\n\t{\n\tlocal x = = 3;\n\t}\n");
    let said = scene.run(&["deploy", "--yes"]).code(1);
    names(&said, &["nothing has changed", "site/local.zeek:4"]);
    scene.unchanged();
    assert!(scene.settled()["hosts"].as_array().unwrap().iter().all(|h| h["release"] == scene.old.as_str()));
    scene.change("that parse again");
    scene.next_deploy_finishes();
}
