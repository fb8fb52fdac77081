//! Going back, with each thing that a description can have.

use crate::support::local::LocalCluster;

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
