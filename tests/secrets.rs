//! Keys: where they are, where they are not, and how they change.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::local::{LocalCluster, Said, wait_for};

/// A cluster of Zeek 8.2 with ZeroMQ on this machine, which has keys because it is told so.
fn with_keys() -> LocalCluster {
    let cluster = LocalCluster::new();
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), "packets=1000\nversion=8.2.2\n").unwrap();
    describe(&cluster, "curve: on");
    cluster
}

fn describe(cluster: &LocalCluster, zeek: &str) {
    cluster.write_local("");
    cluster.talk_over_zeromq(&format!(", {zeek}"));
}

/// All files below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => all.extend(files(&path)),
            Ok(kind) if kind.is_file() => all.push(path),
            _ => {}
        }
    }
    all
}

/// The names of the secrets on the host, and their texts.
fn kept(cluster: &LocalCluster) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = files(&cluster.kept("secrets"))
        .into_iter()
        .map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(p).unwrap()))
        .collect();
    all.sort();
    all
}

/// The values that nobody may see.
fn values(text: &str) -> Vec<String> {
    text.lines().filter_map(|l| l.split_once('=')).map(|(_, value)| value.to_owned()).collect()
}

/// Collects what a process list shows while something is done.
fn while_watched<T>(work: impl FnOnce() -> T) -> (T, String) {
    let done = Arc::new(AtomicBool::new(false));
    let watcher = {
        let done = done.clone();
        std::thread::spawn(move || {
            let mut seen = std::collections::BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                for entry in std::fs::read_dir("/proc").unwrap().flatten() {
                    if let Ok(line) = std::fs::read(entry.path().join("cmdline")) {
                        seen.insert(String::from_utf8_lossy(&line).into_owned());
                    }
                }
                std::thread::yield_now();
            }
            seen.into_iter().collect::<Vec<_>>().join("\n")
        })
    };
    let value = work();
    done.store(true, Ordering::Relaxed);
    (value, watcher.join().unwrap())
}

#[test]
fn keys_are_seen_by_the_nodes_alone() {
    let cluster = with_keys();
    let mut said: Vec<Said> = vec![cluster.run(&["check", "-o", "json"]).code(0)];
    assert!(!cluster.kept("secrets").exists(), "a check leaves keys behind");
    let (deployed, processes) = while_watched(|| cluster.run(&["deploy", "--yes", "-o", "json"]).code(0));
    said.push(deployed);
    assert_eq!(cluster.settled()["workers"]["counted"], 2);
    let secrets = kept(&cluster);
    let [(name, text)] = secrets.as_slice() else { panic!("{secrets:?}") };
    let mode = |path: &str| std::fs::metadata(cluster.kept(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("secrets"), mode(&format!("secrets/{name}"))), (0o700, 0o600));
    // A node has them in its environment.
    let environ = std::fs::read(format!("/proc/{}/environ", cluster.pid("worker-1"))).unwrap();
    let environ = String::from_utf8_lossy(&environ).into_owned();
    let hidden = values(text);
    assert_eq!(hidden.len(), 4);
    assert!(hidden.iter().all(|value| environ.contains(value)));
    for args in [
        &["diff"][..],
        &["diff", "-o", "json"],
        &["status", "-o", "json"],
        &["nodes", "-o", "json"],
        &["layout", "--options", "--zeek-version", "8.2"],
        &["check"],
        &["deploy", "--yes"],
        &["restart", "worker-1"],
        &["stop"],
    ] {
        said.push(cluster.run(args).code(0));
    }
    assert!(said.iter().any(|s| s.stdout.contains("nothing to do")));
    let mut shown = processes;
    for said in &said {
        shown.push_str(&said.stdout);
        shown.push_str(&said.stderr);
    }
    let own = cluster.kept("secrets");
    for file in files(cluster.dir()).into_iter().filter(|f| !f.starts_with(&own)) {
        shown.push_str(&String::from_utf8_lossy(&std::fs::read(file).unwrap()));
    }
    for value in hidden {
        assert!(!shown.contains(&value), "a key can be seen");
    }
    assert!(shown.contains(name), "the fingerprint is what is shown instead");
}

#[test]
fn keys_that_a_host_has_lost_are_told_before_a_node_is_stopped_for_them() {
    let cluster = with_keys();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let pid = cluster.pid("worker-1");
    std::fs::remove_dir_all(cluster.kept("secrets")).unwrap();
    let said = cluster.run(&["status"]).code(5);
    assert!(said.stdout.contains("its keys are missing"), "{}", said.stdout);
    let said = cluster.run(&["doctor"]).code(5);
    assert!(said.stdout.contains("keys: missing: zeromq-"), "{}", said.stdout);
    let said = cluster.run(&["restart", "workers"]).code(1);
    assert!(said.stdout.contains("its keys are missing, so it cannot start again"), "{}", said.stdout);
    assert_eq!(cluster.pid("worker-1"), pid);
    // One that ended by itself was not started: the words of its process before are none of this start's.
    cluster.run(&["stop", "worker-1"]).code(0);
    std::fs::write(cluster.kept("nodes/worker-1/stderr"), "words of before\n").unwrap();
    let said = cluster.run(&["start", "worker-1"]).code(1);
    assert!(said.stdout.contains("are missing: run clusterctl deploy"), "{}", said.stdout);
    assert!(!format!("{said:?}").contains("words of before"), "{said:?}");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
}

#[test]
fn rotated_keys_restart_everything_and_old_ones_stay_for_the_old_release() {
    let cluster = with_keys();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let (before, pid) = (kept(&cluster), cluster.pid("worker-1"));
    let said = cluster.run(&["secrets", "rotate", "--yes"]).code(0);
    assert!(said.stdout.contains("5 nodes touched"), "{}", said.stdout);
    assert_eq!(cluster.settled()["workers"]["counted"], 2);
    assert_ne!(cluster.pid("worker-1"), pid);
    let after = kept(&cluster);
    assert_eq!(after.len(), 2);
    assert!(after.contains(&before[0]));
    // Another command, by whomever, knows the keys from the host.
    cluster.run(&["deploy", "--yes"]).code(0);
    assert_eq!(kept(&cluster), after);
    // Without keys of its own a cluster has none to rotate.
    describe(&cluster, "curve: off");
    let said = cluster.run(&["secrets", "rotate", "--yes"]).code(1);
    assert!(said.stderr.contains("no keys to replace"), "{}", said.stderr);
    let plan = cluster.run(&["diff"]).code(0);
    assert!(plan.stdout.contains("it has no keys any more"), "{}", plan.stdout);
}

#[test]
fn a_node_without_its_keys_does_not_start_and_a_deploy_brings_them() {
    let cluster = with_keys();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    cluster.run(&["stop", "worker-2"]).code(0);
    let (name, text) = kept(&cluster).remove(0);
    let file = cluster.kept("secrets").join(name);
    std::fs::remove_file(&file).unwrap();
    let said = cluster.run(&["start", "worker-2"]).code(1);
    assert!(said.stdout.contains("are missing: run clusterctl deploy"), "{}", said.stdout);
    assert_eq!(cluster.row("worker-2")["pid"], json!(null));
    // No other host has them, so these are new.
    cluster.run(&["deploy", "--yes"]).code(0);
    assert!(!file.exists());
    assert_ne!(kept(&cluster)[0].1, text);
    wait_for("all workers to be counted", || (cluster.status()["workers"]["counted"] == 2).then_some(()));
}

#[test]
fn damaged_keys_are_not_used() {
    let cluster = with_keys();
    cluster.run(&["deploy", "--yes"]).code(0);
    let (name, text) = kept(&cluster).remove(0);
    std::fs::write(cluster.kept("secrets").join(name), &text[..100]).unwrap();
    let plan = cluster.run(&["diff"]).code(0);
    assert!(plan.stdout.contains("its keys changed"), "{}", plan.stdout);
}

/// Writes the description of a cluster with Broker and certificates, and what they are.
fn with_certificates(cluster: &LocalCluster, number: u32) {
    let file = |name: &str| cluster.dir().join(name);
    std::fs::write(file("ca.pem"), format!("-----BEGIN CERTIFICATE-----\nauthority{number}\n")).unwrap();
    std::fs::write(file("node.pem"), format!("-----BEGIN CERTIFICATE-----\nnode{number}\n")).unwrap();
    // As another system may have written it.
    std::fs::write(file("node.key"), format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\r\nhushhush{number}\r\n")).unwrap();
    std::fs::write(file("phrase"), format!("hunter{number}\n")).unwrap();
    cluster.write_local("");
    let text = std::fs::read_to_string(file("cluster.yaml")).unwrap();
    let tls =
        "broker, tls: { ca: ca.pem, certificate: ./node.pem, key: { file: node.key }, passphrase: { file: phrase } }";
    std::fs::write(file("cluster.yaml"), text.replace("backend: broker", &format!("backend: {tls}"))).unwrap();
}

#[test]
fn certificates_reach_the_nodes_and_are_seen_by_nobody_else() {
    let cluster = LocalCluster::new();
    with_certificates(&cluster, 1);
    let deployed = cluster.run(&["deploy", "--yes"]).code(0);
    assert_eq!(cluster.settled()["workers"]["counted"], 2);
    let secrets = kept(&cluster);
    let kinds: Vec<&str> = secrets.iter().filter_map(|(name, _)| Some(name.rsplit_once('-')?.0)).collect();
    assert_eq!(kinds, ["passphrase", "tls-ca", "tls-certificate", "tls-key"]);
    let mode = |path: &str| std::fs::metadata(cluster.kept(path)).unwrap().permissions().mode() & 0o777;
    assert!(secrets.iter().all(|(name, _)| mode(&format!("secrets/{name}")) == 0o600));
    assert_eq!(secrets[3].1, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nhushhush1\n");
    let environ = std::fs::read(format!("/proc/{}/environ", cluster.pid("worker-1"))).unwrap();
    let environ = String::from_utf8_lossy(&environ).into_owned();
    let key = cluster.kept(&format!("secrets/{}", secrets[3].0)).display().to_string();
    assert!(environ.contains(&format!("CLUSTERCTL_TLS_KEY={key}\0")), "{environ}");
    assert!(environ.contains("CLUSTERCTL_TLS_PASSPHRASE=hunter1\0"));
    let plan = cluster.run(&["diff", "-o", "json"]).code(0);
    let own = [cluster.kept("secrets"), cluster.dir().join("node.key"), cluster.dir().join("phrase")];
    let mut shown = format!("{deployed:?}{plan:?}");
    for file in files(cluster.dir()).into_iter().filter(|f| !own.iter().any(|o| f.starts_with(o))) {
        shown.push_str(&String::from_utf8_lossy(&std::fs::read(file).unwrap()));
    }
    assert!(!shown.contains("hushhush") && !shown.contains("hunter"), "a secret can be seen");

    // Others: no node with old ones meets one with new ones, and a rollback does not bring the old ones back.
    with_certificates(&cluster, 2);
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stdout.contains("4 nodes touched"), "{}", said.stdout);
    assert_eq!(cluster.settled()["workers"]["counted"], 2);
    assert_eq!(kept(&cluster).len(), 8);
    let said = cluster.run(&["rollback", "--yes"]).code(0);
    assert!(said.stdout.starts_with("nothing to do"), "{said:?}");
    assert!(said.stderr.contains("same files, current passphrase, tls ca, tls certificate, tls key"), "{said:?}");
    assert_eq!(cluster.settled()["workers"]["counted"], 2);
    let environ = std::fs::read(format!("/proc/{}/environ", cluster.pid("manager"))).unwrap();
    assert!(!String::from_utf8_lossy(&environ).contains(&key));
}

#[test]
fn what_is_no_certificate_is_told_before_anything_changes() {
    let cluster = LocalCluster::new();
    with_certificates(&cluster, 1);
    std::fs::write(cluster.dir().join("node.key"), "hushhush\n").unwrap();
    let said = cluster.run(&["deploy", "--yes"]).code(3);
    assert!(said.stderr.contains("--> cluster.yaml:2:"), "{}", said.stderr);
    assert!(said.stderr.contains("`node.key` has no line `-----BEGIN PRIVATE KEY-----`"), "{}", said.stderr);
    assert!(!said.stderr.contains("hushhush"));
    std::fs::remove_file(cluster.dir().join("ca.pem")).unwrap();
    let said = cluster.run(&["deploy", "--yes"]).code(3);
    assert!(said.stderr.contains("there is no file `ca.pem`"), "{}", said.stderr);
    assert!(!cluster.kept("").exists());
}
