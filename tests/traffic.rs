//! Nodes tell how good the traffic is, under each backend and way of asking.

use std::fs;

use crate::support::local::LocalCluster;

fn conduct(cluster: &LocalCluster, node: &str, text: &str) {
    let file = cluster.zeek().join("etc").join(node);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn what_is_wrong_is_named_whatever_the_backend() {
    for (version, backend) in [("7.1.1", "broker"), ("8.0.10", "broker"), ("8.1.0", "zeromq")] {
        let cluster = LocalCluster::new();
        cluster.write_local("");
        if backend == "zeromq" {
            cluster.talk_over_zeromq("");
        }
        conduct(
            &cluster,
            "zeek-sim.conf",
            &format!("version={version}\npackets=2000\ntraffic=judged=100 tcp=100 acks=400\n"),
        );
        cluster.run(&["deploy"]).code(0);
        let said = cluster.run(&["traffic", "--for", "1s", "-o", "json"]).code(0).json();
        let verdicts = |said: &serde_json::Value| {
            let rows = said["data"]["nodes"].as_array().unwrap().iter();
            rows.map(|row| row["verdict"].as_str().unwrap_or("none").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(&said), ["good", "good"], "{version}: {said:#}");
        conduct(
            &cluster,
            "zeek-sim/worker-1.conf",
            &format!("version={version}\npackets=2000\ntraffic=judged=100 tcp=100 acks=400 gaps=40\n"),
        );
        let said = cluster.run(&["traffic", "--for", "1s", "-o", "json", "workers"]).code(5).json();
        assert_eq!(verdicts(&said), ["bad", "good"], "{version}: {said:#}");
        assert_eq!(said["data"]["faults"][0]["fault"], "gaps", "{version}: {said:#}");
        let said = cluster.run(&["traffic", "--for", "1s", "worker-2"]).code(0);
        assert!(said.stdout.contains("good"), "{version}: {said:?}");
    }
}

#[test]
fn workers_on_one_plain_interface_are_told_to_share_it() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    conduct(&cluster, "zeek-sim.conf", "packets=2000\ntraffic=judged=100 tcp=100 acks=400 samples_of=all\n");
    cluster.run(&["deploy"]).code(0);
    let said = cluster.run(&["traffic", "--for", "1s"]).code(5);
    let advice = "worker-1, worker-2 on here: other workers get 100 % of its connections as well\n  \
                  usually: several workers read one plain interface\n  \
                  or: two taps or mirror ports carry the same traffic\n  \
                  -> write `interface: af_packet::lo`\n";
    assert!(said.stdout.contains(advice), "{}", said.stdout);
}

#[test]
fn what_can_not_be_measured_is_said() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    conduct(&cluster, "zeek-sim.conf", "packets=2000\ntraffic=judged=100 tcp=100 acks=400\n");
    conduct(&cluster, "zeek-sim/worker-1.conf", "packets=0\n");
    cluster.run(&["deploy"]).code(0);
    cluster.run(&["stop", "worker-2"]).code(0);
    let said = cluster.run(&["traffic", "--for", "1s"]).code(4);
    assert!(said.stdout.contains("worker-2: stopped\n"), "{}", said.stdout);
    assert!(said.stdout.contains("worker-1 on here: no packets\n"), "{}", said.stdout);
    let said = cluster.run(&["traffic", "manager"]).code(2);
    assert!(said.stderr.contains("none of these nodes captures packets"), "{}", said.stderr);
    let said = cluster.run(&["traffic", "--for", "1h"]).code(2);
    assert!(said.stderr.contains("hint: `--for` takes 1s to 15min"), "{}", said.stderr);
    // What nodes have had no part in is not asked of them.
    let file = cluster.dir().join("cluster.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}checks: {{ traffic: off }}\n")).unwrap();
    let said = cluster.run(&["traffic"]).code(1);
    assert!(said.stderr.contains("`checks.traffic` is `off`"), "{}", said.stderr);
    cluster.run(&["deploy", "--yes"]).code(0);
    fs::write(&file, text).unwrap();
    let said = cluster.run(&["traffic", "--for", "1s"]).code(1);
    let why = "the release that runs does not know this question; `clusterctl deploy` brings one that does";
    assert!(said.stderr.replace("\n  ", " ").contains(why), "{}", said.stderr);
}

#[test]
fn who_can_not_be_asked_is_told_what_to_do() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("backend: broker", "backend: zeromq")).unwrap();
    conduct(&cluster, "zeek-sim.conf", "version=9.0.0-rc1\npackets=2000\n");
    cluster.run(&["deploy"]).code(0);
    let why = "over ZeroMQ a manager can't be asked that writes the logs itself; add a logger, or write";
    for args in [&["status"][..], &["traffic", "--for", "1s"], &["print", "Cluster::node"]] {
        let said = cluster.run(args);
        assert!(format!("{}{}", said.stdout, said.stderr).replace("\n  ", " ").contains(why), "{args:?}: {said:?}");
    }
}
