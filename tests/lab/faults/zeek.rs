//! Zeek and its scripts.

use std::time::Duration;

use super::{Scene, names};
use crate::lab::cluster::wait_for;

const LONG: Duration = Duration::from_secs(90);

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f13_a_staged_script_that_does_not_parse_changes_nothing() {
    let scene = Scene::begin();
    scene.site("local.zeek", "# One line.\nevent zeek_init()\n\t{\n\tlocal x = = 3;\n\t}\n");
    let said = scene.run(&["deploy", "--yes"]).code(1);
    names(&said, &["nothing changed", "site/local.zeek:4"]);
    scene.unchanged();
    assert!(scene.settled()["hosts"].as_array().unwrap().iter().all(|h| h["release"] == scene.old.as_str()));
    scene.change("that parse again");
    scene.next_deploy_finishes();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f21_hosts_with_different_versions_of_zeek_change_nothing() {
    let scene = Scene::begin();
    scene.sh(
        "sensor2",
        "mkdir -p /opt/zeek-old/bin; printf '#!/bin/sh\\necho zeek version 7.0.5\\n' >/opt/zeek-old/bin/zeek; \
         chmod 755 /opt/zeek-old/bin/zeek",
        &[],
    );
    let prefix = scene.lab.zeek().capable_prefix.clone();
    let address = scene.address("sensor2").to_owned();
    scene.put(&format!("{address}, prefix: {prefix} "), &format!("{address}, prefix: /opt/zeek-old "));
    for command in [&["deploy", "--yes"][..], &["diff"], &["check"]] {
        let said = scene.run(command).code(1);
        names(&said, &["different versions of Zeek", "7.0", "sensor2", "one version of Zeek"]);
    }
    scene.unchanged();
    scene.nothing_to_do();
    scene.unchanged();
}

/// A copy of the hosts' Zeek on one host's own disk, where it can be replaced.
const OWN_PREFIX: &str = r#"
mkdir -p /opt/zeek-own/bin
for entry in "$1"/*; do [ "${entry##*/}" = bin ] || ln -sfn "$entry" "/opt/zeek-own/${entry##*/}"; done
for entry in "$1"/bin/*; do [ "${entry##*/}" = zeek ] || ln -sfn "$entry" "/opt/zeek-own/bin/${entry##*/}"; done
cp "$1/bin/zeek" /opt/zeek-own/bin/zeek.new
touch -d "$2" /opt/zeek-own/bin/zeek.new
setcap cap_net_raw,cap_net_admin+eip /opt/zeek-own/bin/zeek.new
mv -f /opt/zeek-own/bin/zeek.new /opt/zeek-own/bin/zeek
"#;

/// The shared cluster with a Zeek of sensor1's own, running.
fn own_zeek() -> Scene {
    let scene = Scene::begin();
    let zeek = scene.lab.zeek().clone();
    scene.sh("sensor1", OWN_PREFIX, &[&zeek.capable_prefix, "2026-01-01 00:00:00"]);
    let address = scene.address("sensor1").to_owned();
    scene.put(&format!("{address}, prefix: {} ", zeek.capable_prefix), &format!("{address}, prefix: /opt/zeek-own "));
    scene.run(&["deploy", "--yes"]).code(0);
    scene.settled();
    scene
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f22_a_missing_zeek_and_one_that_can_not_be_executed_change_nothing() {
    let scene = own_zeek();
    let (release, running) = (scene.seen().everywhere().to_owned(), scene.seen().running);
    let pids = scene.pids();
    let same = |what: &str| {
        assert_eq!(
            (scene.seen().everywhere().to_owned(), scene.seen().running),
            (release.clone(), running.clone()),
            "{what}"
        );
        assert_eq!(scene.pids(), pids, "{what}");
        scene.nothing_lost();
    };
    scene.change("for a Zeek that is not there");
    scene.sh("sensor1", "chmod 644 /opt/zeek-own/bin/zeek", &[]);
    let said = scene.run(&["deploy", "--yes"]).code(1);
    names(&said, &["/opt/zeek-own/bin/zeek on sensor1", "Permission denied"]);
    same("not executable");
    scene.sh("sensor1", "chmod 755 /opt/zeek-own/bin/zeek; mv /opt/zeek-own/bin/zeek /opt/zeek-own/bin/aside", &[]);
    let said = scene.run(&["deploy", "--yes"]).code(1);
    names(&said, &["there is no Zeek at /opt/zeek-own/bin/zeek on sensor1"]);
    names(&scene.run(&["status"]).code(5), &["old binary", "the Zeek binary is gone"]);
    same("missing");
    scene.sh("sensor1", "mv /opt/zeek-own/bin/aside /opt/zeek-own/bin/zeek", &[]);
    scene.run(&["deploy", "--yes"]).code(0);
    scene.settled();
    scene.moved_on();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f22_a_zeek_replaced_under_running_nodes_is_told_and_not_mixed() {
    let scene = own_zeek();
    let (release, before) = (scene.seen().everywhere().to_owned(), scene.pids());
    scene.sh("sensor1", OWN_PREFIX, &[&scene.lab.zeek().capable_prefix, "2026-02-02 00:00:00"]);
    // They run on, and status says so.
    let said = scene.run(&["status"]).code(5);
    names(&said, &["worker-sensor1-1", "worker-sensor1-2", "old binary", "clusterctl deploy"]);
    assert_eq!(scene.pids(), before);
    assert_eq!(scene.row("worker-sensor2-1")["health"], "ok");
    // One that crashes now is not started with the other binary, and neither is one by hand.
    let victim = "worker-sensor1-1";
    scene.sh("sensor1", "kill -KILL \"$1\"", &[&before[victim].to_string()]);
    let row = wait_for("the runner to refuse it", LONG, || Some(scene.row(victim)).filter(|r| r["state"] == "failed"));
    assert!(row["detail"].as_str().unwrap().contains("not the one that this release was made for"), "{row}");
    let said = scene.run(&["start", victim]).code(1);
    names(&said, &["not the one that this release was made for"]);
    assert_eq!(scene.seen().everywhere().to_owned(), release);
    scene.nothing_lost();
    // The next deploy plans the change and makes it.
    let plan = scene.run(&["diff"]).code(0);
    names(&plan, &[victim, "worker-sensor1-2", "the Zeek binary changed"]);
    scene.run(&["deploy", "--yes"]).code(0);
    scene.settled();
    scene.moved_on();
}
