//! Going back over several hosts, of which only the old release has one, with all that a description can have at once.

use std::path::PathBuf;

use super::cluster::TestCluster;
use crate::combinations::invariants::{HostAt, Look, Memory, Subject, hold};

const SECRET: &str = "hush-hush-not-for-anybody";

/// A cluster whose spool and archive are elsewhere, with two loggers and a secret in the environment.
fn describe(name: &str, backend: &'static str, zeek: &str) -> TestCluster {
    let mut cluster = TestCluster::new(name, backend);
    let account = cluster.combination.account.clone();
    for host in ["mgmt", "sensor1", "sensor2"] {
        let make = "mkdir -p /srv/archive /srv/spool; chown \"$1\" /srv/archive /srv/spool";
        cluster.lab.exec(host, &["sh", "-c", make, "sh", &account]);
    }
    std::fs::write(cluster.file().parent().unwrap().join("token"), SECRET).unwrap();
    cluster.zeek = format!("  env: {{ TOKEN: {{ file: token }} }}\n{zeek}");
    cluster.extra = "logs: { archive: /srv/archive/files, rotate: 2s }".to_owned();
    cluster
}

fn write(cluster: &TestCluster, change: impl Fn(String) -> String) {
    cluster.write();
    let text = std::fs::read_to_string(cluster.file()).unwrap();
    let base = format!("base: {}", serde_json::to_string(&cluster.base).unwrap());
    let text = text.replace(&base, &format!("{base}, spool: /srv/spool"));
    std::fs::write(cluster.file(), change(text)).unwrap();
}

/// What always holds, on all hosts, also on those that the description has not.
#[track_caller]
fn holds(cluster: &TestCluster, memory: &mut Memory) -> Look {
    let hosts = ["mgmt", "sensor1", "sensor2"].map(|host| HostAt {
        name: host.to_owned(),
        root: cluster.lab.root(host),
        home: format!("{}/{}", cluster.base, cluster.name),
        spool: format!("/srv/spool/{}", cluster.name),
        archive: Some("/srv/archive/files".to_owned()),
    });
    let subject = Subject {
        name: &cluster.name,
        hosts: hosts.into(),
        keep: 5,
        secrets: &[SECRET.to_owned()],
        // Those of all tests are in one folder.
        sockets: PathBuf::from("/nonexistent"),
        run: &|args: &[&str]| cluster.run(args),
    };
    hold(&subject, memory, false).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn there_and_back(mut cluster: TestCluster, change: impl Fn(String) -> String) {
    let mut memory = Memory::default();
    write(&cluster, &change);
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let first = holds(&cluster, &mut memory);
    assert_eq!(first.processes.len(), 8);
    // One host leaves, and a script changes.
    cluster.sensors = vec!["sensor1"];
    cluster.site("local.zeek", "# Other scripts.\n");
    write(&cluster, &change);
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    assert_eq!(holds(&cluster, &mut memory).processes.len(), 6);
    let said = cluster.run(&["rollback", "--yes"]).code(0);
    // Now it is told from the description of then that all is well.
    cluster.sensors = vec!["sensor1", "sensor2"];
    write(&cluster, &change);
    let status = cluster.settled();
    assert_eq!(status["workers"]["counted"], 4, "{said:?}");
    let back = holds(&cluster, &mut memory);
    assert_eq!(back.current, first.current);
    let releases = |look: &Look| -> Vec<((String, String), String)> {
        look.processes.iter().map(|(node, process)| (node.clone(), process.release.clone())).collect()
    };
    assert_eq!(releases(&back), releases(&first));
    // That is what this description deploys, but for the script.
    cluster.site("local.zeek", "# Site scripts.\n");
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stdout.contains("nothing to do"), "{said:?}");
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn back_to_a_host_that_left_with_certificates() {
    let tls = "  tls: { ca: ca.pem, certificate: zeek.pem, key: { file: zeek.key }, passphrase: { file: phrase } }\n";
    let cluster = describe("backtls", "broker", tls);
    super::secrets::certificates(cluster.file().parent().unwrap(), "one");
    there_and_back(cluster, |text| text);
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn back_to_a_host_that_left_with_keys() {
    let cluster = describe("backcurve", "zeromq", "  curve: on\n");
    let zeek = cluster.lab.zeek().clone();
    if !zeek.simulated {
        return;
    }
    // The first version with CURVE.
    for host in ["mgmt", "sensor1", "sensor2"] {
        let make = "for to in /opt/curve /opt/curve-cap; do rm -rf \"$to\"; cp -a \"$1\" \"$to\"; \
                    printf 'packets=1000\\nlog_rate=20\\nversion=8.2.2\\n' >\"$to/etc/zeek-sim.conf\"; done; \
                    setcap cap_net_raw,cap_net_admin+eip /opt/curve-cap/bin/zeek";
        cluster.lab.exec(host, &["sh", "-c", make, "sh", &zeek.prefix]);
    }
    there_and_back(cluster, move |text| {
        let text = text.replace("  accept_unencrypted_zeromq: true\n", "");
        // The longer one first: the other is its beginning.
        text.replace(&zeek.capable_prefix, "/opt/curve-cap").replace(&zeek.prefix, "/opt/curve")
    });
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn back_with_a_standalone() {
    let mut cluster = describe("backalone", "broker", "");
    cluster.sensors = Vec::new();
    let mut memory = Memory::default();
    let alone = |text: String| {
        let (before, _) = text.split_once("nodes:\n").unwrap();
        format!("{before}nodes:\n  zeek: {{ type: standalone, host: mgmt, interface: lo }}\n")
    };
    write(&cluster, alone);
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let first = holds(&cluster, &mut memory);
    cluster.site("local.zeek", "# Other scripts.\n");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    assert_ne!(holds(&cluster, &mut memory).current, first.current);
    cluster.run(&["rollback", "--yes"]).code(0);
    cluster.settled();
    let back = holds(&cluster, &mut memory);
    assert_eq!(back.current, first.current);
    assert!(back.processes.values().all(|process| process.release == first.current["mgmt"]));
}
