//! Keys and certificates on real hosts.

use std::path::Path;
use std::process::Command;

use super::cluster::TestCluster;

fn openssl(dir: &Path, args: &[&str]) {
    let said = Command::new("openssl").current_dir(dir).args(args).output().unwrap();
    assert!(said.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&said.stderr));
}

/// An authority, and a certificate of it with its key, which has a passphrase.
pub(super) fn certificates(dir: &Path, authority: &str) {
    let subject = format!("/CN={authority}");
    openssl(
        dir,
        &[
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &subject, "-keyout", "ca.key",
            "-out", "ca.pem",
        ],
    );
    openssl(
        dir,
        &[
            "req",
            "-newkey",
            "rsa:2048",
            "-passout",
            "pass:a phrase",
            "-subj",
            "/CN=zeek",
            "-keyout",
            "zeek.key",
            "-out",
            "zeek.csr",
        ],
    );
    openssl(
        dir,
        &[
            "x509",
            "-req",
            "-in",
            "zeek.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-out",
            "zeek.pem",
        ],
    );
    std::fs::write(dir.join("phrase"), "a phrase\n").unwrap();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn broker_with_certificates_over_several_hosts() {
    let mut cluster = TestCluster::new("tls", "broker");
    let dir = cluster.file().parent().unwrap().to_owned();
    certificates(&dir, "one");
    let tls = "  tls: { ca: ca.pem, certificate: zeek.pem, key: { file: zeek.key }, passphrase: { file: phrase } }\n";
    tls.clone_into(&mut cluster.zeek);
    cluster.write();
    cluster.run(&["deploy", "--yes"]).code(0);
    assert_eq!(cluster.settled()["workers"]["counted"], 4);
    let modes = "stat -c '%a %U' \"$1\" \"$1\"/* | sort | uniq -c | tr -s ' '";
    let folder = format!("{}/tls/secrets", cluster.base);
    let account = cluster.combination.account.clone();
    let said = cluster.lab.exec("sensor2", &["sh", "-c", modes, "sh", &folder]);
    assert_eq!(said, format!(" 4 600 {account}\n 1 700 {account}"));

    // Those of another authority: all nodes stop before the first one starts again.
    certificates(&dir, "two");
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stdout.contains("8 nodes touched"), "{}", said.stdout);
    assert_eq!(cluster.settled()["workers"]["counted"], 4);

    // What was replaced does not come back with the old release, also not on a host that has only the new ones.
    let old =
        "for file in \"$1\"/*; do grep -qx \"${file##*/}\" \"$1\"/../current/clusterctl/secrets || rm \"$file\"; done";
    cluster.lab.exec("sensor2", &["sh", "-c", old, "sh", &folder]);
    let names = |host: &str| cluster.lab.exec(host, &["ls", &folder]);
    let new = names("sensor2");
    assert_eq!(new.lines().count(), 4);
    cluster.run(&["rollback", "--yes"]).code(0);
    assert_eq!(names("sensor2"), new);
    assert_eq!(cluster.settled()["workers"]["counted"], 4);
}
