//! What takes its time and goes on is not cut off.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use crate::support::local::{LocalCluster, kill, masters};
use crate::support::sshd::{self, Sshd};

/// Passes bytes on, so many a second.
fn trickle(mut from: TcpStream, mut to: TcpStream, rate: u32) {
    let mut chunk = vec![0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut chunk) {
        let until = Instant::now() + Duration::from_secs(1) * u32::try_from(n).unwrap() / rate;
        if to.write_all(&chunk[..n]).is_err() {
            break;
        }
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// A slow way up to an sshd: its port.
fn slow_way(sshd: &Sshd, rate: u32) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (port, behind) = (listener.local_addr().unwrap().port(), sshd.port());
    std::thread::spawn(move || {
        for up in listener.incoming().flatten() {
            let down = TcpStream::connect(("127.0.0.1", behind)).unwrap();
            let (back, forth) = (down.try_clone().unwrap(), up.try_clone().unwrap());
            std::thread::spawn(move || trickle(up, down, rate));
            std::thread::spawn(move || trickle(back, forth, 100 << 20));
        }
    });
    port
}

/// Bytes that no compression makes fewer.
fn noise(length: usize) -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(length)
    .collect()
}

#[test]
fn a_site_that_takes_longer_than_the_timeout_arrives() {
    const RATE: u32 = 256 << 10;
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    let cluster = LocalCluster::new();
    let port = slow_way(&sshd, RATE);
    let config = std::fs::read_to_string(sshd.ssh_config_path()).unwrap();
    // Its key under any name, as it is reached over another port.
    let known = sshd.ssh_config_path().with_file_name("known_hosts");
    let (_, key) =
        std::fs::read_to_string(&known).unwrap().split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    std::fs::write(cluster.dir().join("known_hosts"), format!("* {key}")).unwrap();
    let config = config.replace(&format!("Port {}", sshd.port()), &format!("Port {port}"));
    let config = config.replace(&known.display().to_string(), &cluster.dir().join("known_hosts").display().to_string());
    std::fs::write(cluster.dir().join("ssh_config"), config).unwrap();
    std::fs::create_dir(cluster.dir().join("site")).unwrap();
    std::fs::write(cluster.dir().join("site/large"), noise(13 * RATE as usize)).unwrap();
    cluster.write(&format!(
        "ssh: {{ config: {}/ssh_config, port: {port} }}\nhosts: {{ one: {{ address: 127.0.0.1 }} }}\nnodes:\n  \
         manager: {{ type: manager, host: one }}\n  proxy: {{ type: proxy, host: one, count: 1 }}\n  \
         worker: {{ type: worker, host: one, interface: lo }}\n",
        cluster.dir().display()
    ));
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("scripts: []", "site: ./site, scripts: []")).unwrap();
    let begun = Instant::now();
    let said = cluster.run(&["deploy", "--yes", "--timeout", "10s"]).code(0);
    assert!(begun.elapsed() > Duration::from_secs(12), "the way was not slow: {said:?}");
    cluster.run(&["stop"]).code(0);
    for pid in masters(&cluster.dir().join("run/clusterctl")) {
        kill("TERM", pid);
    }
}

#[test]
fn old_releases_that_take_long_to_delete_keep_no_deploy_from_its_end() {
    let cluster = LocalCluster::new();
    // A slow disk.
    let tools = cluster.dir().join("tools");
    std::fs::create_dir(&tools).unwrap();
    let rm = "#!/bin/sh\ncase \"$*\" in *' releases/'*) [ -d \"$2\" ] && sleep 4 ;; esac\nPATH=/usr/bin:/bin exec rm \"$@\"\n";
    std::fs::write(tools.join("rm"), rm).unwrap();
    std::fs::set_permissions(tools.join("rm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    for round in 0..4 {
        cluster.write_local(&format!(", env: {{ ROUND: '{round}' }}"));
        let file = cluster.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}releases: {{ keep: 4 }}\n")).unwrap();
        cluster.run(&["deploy", "--yes"]).code(0);
    }
    cluster.write_local(", env: { ROUND: last }");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}releases: {{ keep: 1 }}\n")).unwrap();
    let mut command = cluster.command(&["deploy", "--yes", "--timeout", "3s"]);
    let said = crate::support::local::said(std::mem::replace(command.env("PATH", path), cluster.command(&[]))).code(0);
    assert!(!said.stderr.contains("could not delete old releases"), "{said:?}");
    // Those that nodes ran until then: the manager's, and the workers'.
    let left = std::fs::read_dir(cluster.kept("releases")).unwrap().flatten();
    let left: Vec<_> = left.map(|e| e.file_name()).filter(|n| !n.to_str().unwrap().contains('.')).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}
