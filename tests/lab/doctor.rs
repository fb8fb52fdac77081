//! `doctor` on real hosts, as an ordinary account: what it names is what is missing, and what it tells root to run helps.

use std::time::Duration;

use super::cluster::{TestCluster, wait_for};

/// What root has to run, by host.
fn commands(cluster: &TestCluster) -> Vec<(String, Vec<String>)> {
    let report = cluster.run(&["doctor", "-o", "json"]).json()["data"].clone();
    let text = |v: &serde_json::Value| v.as_str().unwrap().to_owned();
    let hosts = report["hosts"].as_array().unwrap().iter();
    hosts.map(|h| (text(&h["host"]), h["as_root"].as_array().unwrap().iter().map(text).collect())).collect()
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn what_root_is_told_to_run_helps() {
    let mut cluster = TestCluster::new("doctor", "broker");
    cluster.run(&["doctor"]).code(0);
    if cluster.combination.account == "root" {
        // There is nothing that root would have to be told.
        return;
    }
    let systemd = cluster.combination.runner == "systemd";

    for host in ["mgmt", "sensor1", "sensor2"] {
        cluster.lab.exec(host, &["rm", "-rf", "/srv/own"]);
    }
    cluster.base = "/srv/own".to_owned();
    cluster.write();
    let conf = "/etc/systemd/logind.conf.d/90-test.conf";
    let set = format!(
        "mkdir -p ${{0%/*}} && printf '[Login]\\nKillUserProcesses=yes\\n' >{conf} && systemctl restart systemd-logind"
    );
    cluster.lab.exec("sensor1", &["sh", "-c", &set, conf]);
    cluster.lab.linger("sensor1", false);
    let said = cluster.run(&["doctor"]).code(5);
    assert!(
        said.stdout.contains("/srv/own/doctor does not exist, and zeek cannot create it in /srv"),
        "{}",
        said.stdout
    );
    let ends =
        if systemd { "the systemd manager of zeek ends when" } else { "logind ends the nodes when zeek logs out" };
    assert!(said.stdout.contains(ends), "{}", said.stdout);
    for (host, commands) in commands(&cluster) {
        assert_eq!(commands.len(), if host == "sensor1" { 2 } else { 1 }, "{host}: {commands:?}");
        for command in commands {
            cluster.lab.exec(&host, &["sh", "-c", &command]);
        }
    }
    // It begins to run in the background.
    wait_for("all to be well", Duration::from_secs(30), || (cluster.run(&["doctor"]).code == 0).then_some(()));
    let unset = format!("rm {conf}; systemctl restart systemd-logind");
    cluster.lab.exec("sensor1", &["sh", "-c", &unset]);
    cluster.lab.linger("sensor1", systemd);

    // A host that is away hides no other, and a Zeek that may not capture is told with the command.
    let plain = cluster.lab.zeek().prefix.clone();
    let capable = cluster.lab.zeek().capable_prefix.clone();
    let text = std::fs::read_to_string(cluster.file()).unwrap();
    std::fs::write(cluster.file(), text.replace(&capable, &plain)).unwrap();
    cluster.lab.does("poweroff", ["sensor2"]);
    let said = cluster.run(&["doctor"]).code(5);
    cluster.lab.does("poweron", ["sensor2"]);
    assert!(said.stdout.contains("ssh: cannot be reached: "), "{}", said.stdout);
    assert!(said.stdout.contains(&format!("setcap cap_net_raw+eip {plain}/bin/zeek")), "{}", said.stdout);
    assert!(said.stdout.contains("mgmt: OK ("), "{}", said.stdout);
    cluster.base = "/var/lib/clusterctl".to_owned();
    cluster.write();
}
