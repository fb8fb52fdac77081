//! `diag`: what is known of nodes that are not well, and that no secret is in what may go to others.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::local::{LocalCluster, kill, wait_for};

/// A cluster whose description and environment have secrets in all places where there can be some.
fn planted(zeek: &str, conf: &str) -> LocalCluster {
    let cluster = LocalCluster::new();
    let put = |name: &str, text: &str| std::fs::write(cluster.dir().join(name), text).unwrap();
    put("zeek/etc/zeek-sim.conf", &format!("packets=1000\n{conf}"));
    put("ca.pem", "-----BEGIN CERTIFICATE-----\nauthority\n");
    put("node.pem", "-----BEGIN CERTIFICATE-----\nnode\n");
    put("node.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nkey-planted1\n");
    put("phrase", "phrase-planted2\n");
    put("in-a-file", "file-planted3\n");
    cluster.write_local(
        ", env: { ONE: { env: PLANTED }, TWO: { file: ./in-a-file }, API_TOKEN: token-planted5, TZ: UTC, PLAIN: seen }",
    );
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("backend: broker", &format!("backend: {zeek}"));
    std::fs::write(file, text + "x-notes: { password: note-planted6 } # comment-planted7\n").unwrap();
    let mut command = cluster.command(&["deploy", "--yes"]);
    command.env("PLANTED", "env-planted4 it's \"$x\"");
    crate::support::local::said(command).code(0);
    cluster
}

/// All that the host keeps to itself, line by line.
fn secrets(cluster: &LocalCluster) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for file in std::fs::read_dir(cluster.kept("secrets")).into_iter().flatten().map(|file| file.unwrap().path()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let is_public = |line: &str| line.starts_with("-----") || ["authority", "node"].contains(&line);
        all.extend(text.lines().filter(|l| !is_public(l)).map(|l| l.split_once('=').map_or(l, |(_, v)| v).to_owned()));
    }
    all
}

/// All files of an archive, with their names.
fn unpacked(file: &Path) -> String {
    let mut text = String::new();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mode().unwrap(), 0o600);
        text += &format!("== {}\n", entry.path().unwrap().display());
        entry.read_to_string(&mut text).unwrap();
    }
    text
}

#[test]
fn no_secret_is_shown_or_gets_into_a_bundle() {
    let tls =
        "broker, tls: { ca: ca.pem, certificate: ./node.pem, key: { file: node.key }, passphrase: { file: phrase } }";
    for (zeek, conf) in [(tls, ""), ("zeromq, curve: on", "version=8.2.2\n")] {
        let cluster = planted(zeek, conf);
        let mut all = secrets(&cluster);
        assert!(all.len() >= 2, "{all:?}");
        all.extend(["file-planted3", "env-planted4 it's \"$x\""].map(str::to_owned));
        // Each is printed by a node, alone and within a line, and so it was by one that crashed.
        let mut printed = "harmless line\n".to_owned();
        for secret in &all {
            printed += &format!("{secret}\nerror: no {secret}, at all\n");
            printed += &format!("{{\"message\":\"no {}\"}}\n", secret.replace('\\', "\\\\").replace('"', "\\\""));
        }
        printed += "API_TOKEN=token-planted5\nlast line\n";
        let node = |name: &str| cluster.kept(&format!("nodes/worker-1/{name}"));
        std::fs::write(node("stderr"), &printed).unwrap();
        kill("ABRT", cluster.pid("worker-1"));
        wait_for("its next start", || (cluster.row("worker-1")["restarts"] == 1).then_some(()));
        wait_for("its start", || (cluster.row("worker-1")["state"] == "running").then_some(()));
        for name in ["stderr", "stdout", "reporter.log", "stderr.last", ".status"] {
            std::fs::write(node(name), &printed).unwrap();
        }
        // Another node printed them as well, and one of them without its begin, where what is told of a file begins.
        std::fs::write(cluster.kept("nodes/manager/stdout"), &printed).unwrap();
        let long = "z".repeat((128 << 10) - 25);
        std::fs::write(cluster.kept("nodes/proxy-1/stdout"), format!("file-planted3 {long}\nharmless line\n")).unwrap();
        let file = cluster.dir().join("bundle.tar.gz");
        let shown = cluster.run(&["diag", "worker-1"]).code(0);
        let json = cluster.run(&["diag", "all", "-o", "json"]).code(0);
        let said = cluster.run(&["diag", "--bundle", "bundle.tar.gz"]).code(0);
        assert!(said.stdout.starts_with("wrote bundle.tar.gz: 4 nodes, 1 host;"), "{said:?}");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let inside = unpacked(&file);
        for (what, text) in
            [("shown", &shown.stdout), ("json", &json.stdout), ("bundle", &inside), ("said", &said.stdout)]
        {
            assert!(what == "said" || (text.contains("harmless line") && text.contains("last line")), "{what}: {text}");
            for secret in &all {
                let escaped = secret.replace('"', "\\\"");
                assert!(!text.contains(secret.as_str()) && !text.contains(&escaped), "{what} has {secret}: {text}");
            }
            assert!(!text.contains("planted"), "{what}: {text}");
        }
        for name in [
            "hosts.json",
            "description/cluster.yaml",
            "cluster-layout.zeek",
            "nodes/worker-1/node.json",
            "nodes/worker-1/stderr.txt",
            "nodes/worker-1/crash_",
            "nodes/manager/node.json",
        ] {
            assert!(inside.contains(&format!("{}-diag/{name}", cluster.name())), "{name}: {inside}");
        }
        assert!(shown.stdout.contains("PLAIN=seen") && shown.stdout.contains("ONE=(not shown)"), "{shown:?}");
        // Nothing is written over, and no link is followed.
        let said = cluster.run(&["diag", "--bundle", "bundle.tar.gz"]).code(2);
        assert!(said.stderr.contains("bundle.tar.gz already exists"), "{said:?}");
        std::os::unix::fs::symlink("elsewhere", cluster.dir().join("link")).unwrap();
        cluster.run(&["diag", "--bundle", "link"]).code(2);
        assert!(!cluster.dir().join("elsewhere").exists());
    }
}

#[test]
fn nodes_that_are_not_well_are_explained() {
    let cluster = LocalCluster::new();
    cluster.write_local(", pin_cpus: [0, 0]");
    cluster.run(&["deploy", "--yes"]).code(0);
    let well = cluster.run(&["diag"]).code(0);
    assert!(well.stdout.starts_with("all nodes run (4 nodes)"), "{well:?}");
    // One whose new scripts make it end at once.
    cluster.write_local(", pin_cpus: [0, 0], env: { MORE: yes }");
    cluster.run(&["deploy", "--yes"]).code(0);
    kill("ABRT", cluster.pid("worker-2"));
    wait_for("its next start", || (cluster.row("worker-2")["restarts"] == 1).then_some(()));
    cluster.run(&["stop", "worker-1"]).code(0);
    let stopped = cluster.run(&["diag"]).code(0);
    assert!(stopped.stdout.starts_with("worker-1 on here: stopped\n"), "{stopped:?}");
    assert!(!stopped.stdout.contains("worker-2 on here"), "{stopped:?}");
    let said = cluster.run(&["diag", "worker-2", "-o", "json"]).code(0);
    let node = said.json()["data"]["nodes"][0].clone();
    assert_eq!(node["changed"]["what"], serde_json::json!(["environment"]), "{node}");
    assert_eq!(node["environment"]["MORE"], "yes", "{node}");
    assert!(node["command"][0].as_str().unwrap().ends_with("/zeek/bin/zeek"), "{node}");
    assert_eq!(node["settings"], serde_json::json!(["restart on-crash", "cpu 0"]), "{node}");
    assert!(!node["crashes"].as_array().unwrap().is_empty() && node["ended"].is_string(), "{node}");
    // Each host that can't be asked is named, and hides no other.
    let text = std::fs::read_to_string(cluster.dir().join("cluster.yaml")).unwrap();
    let text = text.replace(
        "hosts: { here: { local: true } }",
        "hosts: { here: { local: true, address: 127.0.0.1 }, gone: { address: 127.0.0.2, ssh: { port: 1 } } }",
    );
    let text = text.replace("listen: off }", "listen: off }\nlisten: any")
        + "  lost: { type: worker, host: gone, interface: lo }\n";
    std::fs::write(cluster.dir().join("cluster.yaml"), text).unwrap();
    let said = cluster.run(&["diag", "worker-2", "lost"]).code(4);
    assert!(said.stdout.contains("worker-2 on here") && said.stdout.contains("gone can't be asked:"), "{said:?}");
    assert!(said.stdout.contains("lost on gone: unknown"), "{said:?}");
}
