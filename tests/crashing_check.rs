//! The check with a Zeek that crashes itself while it parses, and what a parser gets to see.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::local::LocalCluster;
use crate::support::transcript::Transcript;

/// Puts a program before Zeek that does something of its own where scripts are parsed.
fn parse_by(cluster: &LocalCluster, commands: &str) {
    let (zeek, real) = (cluster.zeek().join("bin/zeek"), cluster.zeek().join("bin/zeek.real"));
    std::fs::rename(&zeek, &real).unwrap();
    let text = format!(
        "#!/bin/sh\ndir={0}\ncase \" $* \" in *' --parse-only '*)\n{commands}\n;; esac\nexec {1} \"$@\"\n",
        cluster.dir().display(),
        real.display()
    );
    std::fs::write(&zeek, text).unwrap();
    std::fs::set_permissions(&zeek, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_parser_that_crashes_is_no_verdict_on_the_scripts() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    parse_by(&cluster, "case $CLUSTER_NODE in worker*) echo 'Enter PEM pass phrase:' >&2; kill -SEGV $$ ;; esac");
    let seen = Transcript::default();
    seen.run(&cluster, &["check"]).code(5);
    seen.run(&cluster, &["deploy"]).code(0);
    cluster.settled();
    insta::assert_snapshot!(seen.take());
}

#[test]
fn one_that_crashes_once_is_tried_again() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    parse_by(&cluster, "[ -e \"$dir/crashed\" ] || { : >\"$dir/crashed\"; kill -ABRT $$; }");
    let checked = cluster.run(&["check"]).code(0);
    assert!(checked.stdout.contains("crashed (SIGABRT) while it parsed the scripts of a"), "{}", checked.stdout);
    assert!(checked.stdout.contains("but not when tried again"), "{}", checked.stdout);
    // What it says of the scripts counts, however it ends.
    std::fs::rename(cluster.zeek().join("bin/zeek.real"), cluster.zeek().join("bin/zeek")).unwrap();
    parse_by(&cluster, "echo 'error in x.zeek, line 3: wrong' >&2; kill -SEGV $$");
    let checked = cluster.run(&["check"]).code(5);
    assert!(checked.stdout.contains("Zeek does not accept the scripts: 1 error"), "{}", checked.stdout);
}

#[test]
fn a_parser_has_no_keys_to_open_and_no_terminal_to_ask() {
    let cluster = LocalCluster::new();
    for (name, kind) in [("ca.pem", "CERTIFICATE"), ("node.pem", "CERTIFICATE"), ("node.key", "ENCRYPTED PRIVATE KEY")]
    {
        std::fs::write(cluster.dir().join(name), format!("-----BEGIN {kind}-----\nx\n")).unwrap();
    }
    std::fs::write(cluster.dir().join("phrase"), "hunter\n").unwrap();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let tls = "backend: broker, tls: { ca: ca.pem, certificate: node.pem, key: { file: node.key }, passphrase: { file: phrase } }";
    std::fs::write(&file, text.replace("backend: broker", tls)).unwrap();
    parse_by(
        &cluster,
        "env >>\"$dir/env\"; read -r _ _ _ _ _ session _ </proc/self/stat; echo \"$session\" >>\"$dir/sessions\"",
    );
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let env = std::fs::read_to_string(cluster.dir().join("env")).unwrap();
    assert!(env.contains("CLUSTER_NODE=") && !env.contains("CLUSTERCTL_TLS"), "{env}");
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ours = stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap().to_owned();
    let sessions = std::fs::read_to_string(cluster.dir().join("sessions")).unwrap();
    assert!(!sessions.is_empty() && sessions.lines().all(|s| s != ours), "{sessions} {ours}");
}
