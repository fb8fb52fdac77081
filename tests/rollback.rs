//! Going back, with each thing that a description can have.

use crate::support::local::LocalCluster;
use crate::support::transcript::Transcript;

/// Deploys twice, the second time with a script more, and goes back: with the file `cluster.yaml` that `write` makes.
fn there_and_back(cluster: &LocalCluster, write: impl Fn(&LocalCluster)) {
    let site = cluster.dir().join("site");
    std::fs::create_dir(&site).unwrap();
    std::fs::write(site.join("local.zeek"), "# one\n").unwrap();
    write(cluster);
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("scripts: []", "site: ./site, scripts: [local]")).unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    let first = current(cluster);
    std::fs::write(site.join("local.zeek"), "# two\n").unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    assert_ne!(current(cluster), first);
    cluster.settled();
    let said = cluster.run(&["rollback", "--yes"]).code(0);
    assert!(said.stdout.contains(&format!("went back to {first}")), "{said:?}");
    assert_eq!(current(cluster), first);
    cluster.settled();
    let again = cluster.run(&["rollback", "--yes", &first]).code(0);
    assert!(again.stdout.starts_with("nothing to do"), "{again:?}");
}

fn current(cluster: &LocalCluster) -> String {
    let target = std::fs::read_link(cluster.kept("current")).unwrap();
    target.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Writes the description of a small cluster, with something for `zeek` and something of its own.
fn write(cluster: &LocalCluster, zeek: &str, more: &str) {
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, text.replace("backend: broker", zeek) + more).unwrap();
}

#[test]
fn with_an_archive() {
    there_and_back(&LocalCluster::new(), |cluster| {
        let archive = cluster.dir().join("archive");
        write(cluster, "backend: broker", &format!("logs: {{ archive: {} }}\n", archive.display()));
    });
}

#[test]
fn with_keys() {
    let cluster = LocalCluster::new();
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), "packets=1000\nversion=8.2.2\n").unwrap();
    there_and_back(&cluster, |cluster| write(cluster, "backend: zeromq, curve: on", ""));
}

#[test]
fn with_certificates() {
    there_and_back(&LocalCluster::new(), |cluster| {
        let file = |name: &str, text: &str| std::fs::write(cluster.dir().join(name), text).unwrap();
        file("ca.pem", "-----BEGIN CERTIFICATE-----\nauthority\n");
        file("node.pem", "-----BEGIN CERTIFICATE-----\nnode\n");
        file("node.key", "-----BEGIN PRIVATE KEY-----\nhushhush\n");
        let tls = "backend: broker, tls: { ca: ca.pem, certificate: node.pem, key: { file: node.key } }";
        write(cluster, tls, "");
    });
}

#[test]
fn with_secrets_in_the_environment_and_the_spool_elsewhere() {
    there_and_back(&LocalCluster::new(), |cluster| {
        std::fs::write(cluster.dir().join("token"), "opensesame\n").unwrap();
        cluster.write_local(", env: { TOKEN: { file: token } }");
        let file = cluster.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let base = format!("base: {0}/base", cluster.dir().display());
        let both = format!("{base}, spool: {0}/elsewhere", cluster.dir().display());
        std::fs::write(file, text.replace(&base, &both)).unwrap();
    });
}

#[test]
fn with_two_loggers_and_an_archive() {
    there_and_back(&LocalCluster::new(), |cluster| {
        cluster.write(&format!(
            "logs: {{ archive: {}/archive }}\nhosts: {{ here: {{ local: true }} }}\nnodes:\n  \
             logger: {{ type: logger, host: here, count: 2 }}\n  manager: {{ type: manager, host: here }}\n  \
             proxy: {{ type: proxy, host: here, count: 1 }}\n  worker: {{ type: worker, host: here, interface: lo }}\n",
            cluster.dir().display()
        ));
    });
}

#[test]
fn with_a_standalone_and_an_archive() {
    there_and_back(&LocalCluster::new(), |cluster| {
        let archive = cluster.dir().join("archive");
        cluster.write(&format!(
            "logs: {{ archive: {} }}\nhosts: {{ here: {{ local: true }} }}\nnodes:\n  \
             zeek: {{ type: standalone, host: here, interface: lo }}\n",
            archive.display()
        ));
    });
}

/// What `status` offers after a deploy that was cut off.
#[test]
fn with_an_archive_after_a_deploy_that_was_cut_off() {
    let cluster = LocalCluster::new();
    let archive = cluster.dir().join("archive");
    let more = format!("logs: {{ archive: {} }}\n", archive.display());
    write(&cluster, "backend: broker", &more);
    cluster.run(&["deploy", "--yes"]).code(0);
    let first = current(&cluster);
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("scripts: []", "scripts: [], env: { A: b }")).unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    let second = current(&cluster);
    let journal =
        format!("17-1 ada@desk (pid 1): deploy, since 2026-01-01T00:00:00Z\nfrom {first}\nto {second}\ndid stop\n");
    std::fs::write(cluster.kept("journal"), journal).unwrap();
    cluster.run(&["rollback", "--yes"]).code(0);
    assert_eq!(current(&cluster), first);
    assert!(!cluster.kept("journal").exists());
    cluster.settled();
}

/// A cluster with keys whose scripts and keys have changed: its first release.
fn with_other_keys_since() -> (LocalCluster, String) {
    let cluster = LocalCluster::new();
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), "packets=1000\nversion=8.2.2\n").unwrap();
    std::fs::create_dir(cluster.dir().join("site")).unwrap();
    write(&cluster, "backend: broker", "");
    cluster.talk_over_zeromq(", curve: on, site: ./site");
    for text in ["# one\n", "# two\n"] {
        std::fs::write(cluster.dir().join("site/local.zeek"), text).unwrap();
        cluster.run(&["deploy", "--yes"]).code(0);
    }
    let first = releases(&cluster).into_iter().find(|id| *id != current(&cluster)).unwrap();
    cluster.run(&["secrets", "rotate", "--yes"]).code(0);
    (cluster, first)
}

fn releases(cluster: &LocalCluster) -> Vec<String> {
    let entries = std::fs::read_dir(cluster.kept("releases")).unwrap().flatten();
    let names = entries.map(|e| e.file_name().into_string().unwrap());
    names.filter(|name| !name.contains('.')).collect()
}

/// The environment with which a node runs.
fn environment(cluster: &LocalCluster, node: &str) -> String {
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{}/environ", cluster.pid(node))).unwrap()).into_owned()
}

#[test]
fn keys_that_were_replaced_do_not_come_back() {
    let (cluster, first) = with_other_keys_since();
    let keys = std::fs::read_to_string(cluster.kept("current/clusterctl/secrets")).unwrap();
    let secret = |name: &str| std::fs::read_to_string(cluster.kept("secrets").join(name.trim())).unwrap();
    let value = |name: &str| secret(name).lines().next().unwrap().split_once('=').unwrap().1.to_owned();
    let old = std::fs::read_to_string(cluster.kept(&format!("releases/{first}/clusterctl/secrets"))).unwrap();
    assert_ne!(keys, old);
    let seen = Transcript::default();
    seen.run(&cluster, &["rollback", "--dry-run", &first]).code(0);
    seen.run(&cluster, &["rollback", "--yes", &first]).code(0);
    assert_eq!(std::fs::read_to_string(cluster.kept("current/site/local.zeek")).unwrap(), "# one\n");
    assert_eq!(std::fs::read_to_string(cluster.kept("current/clusterctl/secrets")).unwrap(), keys);
    assert_ne!(current(&cluster), first);
    let environ = environment(&cluster, "worker-1");
    assert!(environ.contains(&value(&keys)) && !environ.contains(&value(&old)));
    assert_eq!(cluster.settled()["workers"]["counted"], 2);
    seen.run(&cluster, &["rollback", "--yes", &first]).code(0);
    insta::assert_snapshot!(seen.take());
    // The release that it became is one like any other.
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.run(&["rollback", "--yes"]).code(0);
    assert_eq!(std::fs::read_to_string(cluster.kept("current/site/local.zeek")).unwrap(), "# one\n");
}

#[test]
fn a_release_from_before_keys_has_none() {
    let cluster = LocalCluster::new();
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), "packets=1000\nversion=8.2.2\n").unwrap();
    write(&cluster, "backend: zeromq, curve: off", "");
    cluster.run(&["deploy", "--yes"]).code(0);
    let first = current(&cluster);
    write(&cluster, "backend: zeromq, curve: on", "");
    cluster.run(&["deploy", "--yes"]).code(0);
    let second = current(&cluster);
    cluster.run(&["rollback", "--yes"]).code(0);
    assert_eq!(current(&cluster), first);
    assert!(!environment(&cluster, "worker-1").contains("CURVE"));
    cluster.settled();
    // And those that nobody has replaced are taken again.
    cluster.run(&["rollback", "--yes", &second]).code(0);
    assert_eq!(current(&cluster), second);
    assert!(environment(&cluster, "worker-1").contains("CURVE"));
    cluster.settled();
}

#[test]
fn secrets_of_the_environment_are_those_of_now() {
    let cluster = LocalCluster::new();
    let describe = |worker: &str, script: &str, token: &str| {
        std::fs::create_dir_all(cluster.dir().join("site")).unwrap();
        std::fs::write(cluster.dir().join("site/local.zeek"), script).unwrap();
        std::fs::write(cluster.dir().join("token"), token).unwrap();
        cluster.write_local(worker);
        let file = cluster.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("scripts: []", "site: ./site, scripts: [local]")).unwrap();
    };
    let with = ", env: { TOKEN: { file: token } }";
    describe(with, "# one\n", "sesame-1\n");
    cluster.run(&["deploy", "--yes"]).code(0);
    let first = current(&cluster);
    describe(with, "# two\n", "sesame-2\n");
    cluster.run(&["deploy", "--yes"]).code(0);
    let seen = Transcript::default();
    let said = seen.run(&cluster, &["rollback", "--yes"]).code(0);
    assert!(!said.stderr.contains("sesame") && !said.stdout.contains("sesame"), "{said:?}");
    assert_eq!(std::fs::read_to_string(cluster.kept("current/site/local.zeek")).unwrap(), "# one\n");
    assert!(environment(&cluster, "worker-1").contains("TOKEN=sesame-2\0"));
    // Where nobody knows a newer value, it says which one is used.
    describe("", "# three\n", "");
    cluster.run(&["deploy", "--yes"]).code(0);
    seen.run(&cluster, &["rollback", "--yes", &first]).code(0);
    insta::assert_snapshot!(seen.take());
    assert!(environment(&cluster, "worker-1").contains("TOKEN=sesame-1\0"));
    assert_eq!(current(&cluster), first);
}
