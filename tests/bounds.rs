//! Nothing is read, kept or left without bounds: what stands in the way is named, and what nobody needs any more goes.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use crate::support::local::LocalCluster;
use crate::support::sshd::{self, Sshd};

#[test]
fn amounts_out_of_their_range_are_refused_on_the_command_line() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    for (args, range) in [
        (&["status", "--timeout", "0"][..], "between 1s and 1h"),
        (&["status", "--timeout", "90y"], "between 1s and 1h"),
        (&["deploy", "--max-unavailable", "0"], "at least 1 or 1%"),
        (&["deploy", "--max-unavailable", "0%"], "at least 1 or 1%"),
        (&["status", "--parallel", "0"], "1..=256"),
    ] {
        let said = cluster.run(args).code(2);
        assert!(said.stderr.contains(range), "{args:?}: {}", said.stderr);
    }
}

/// Names a pipe, a socket and a device in a folder.
fn no_files(dir: &Path) -> [(&'static str, Option<UnixListener>); 3] {
    assert!(Command::new("mkfifo").arg(dir.join("pipe")).status().unwrap().success());
    let socket = UnixListener::bind(dir.join("socket")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", dir.join("device")).unwrap();
    [("pipe", None), ("socket", Some(socket)), ("device", None)]
}

#[test]
fn what_is_no_file_is_named_wherever_a_description_names_one() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = fs::read_to_string(&file).unwrap();
    for (name, _open) in no_files(cluster.dir()) {
        let said = cluster.run(&["check", "--offline", "-f", name]).code(3);
        assert!(said.stderr.contains("a pipe, a socket or a device, not a file"), "{name}: {}", said.stderr);
        fs::write(&file, format!("{text}include: [{name}]\n")).unwrap();
        let said = cluster.run(&["check", "--offline"]).code(3);
        assert!(said.stderr.contains("a pipe, a socket or a device, not a file"), "{name}: {}", said.stderr);
        let site = cluster.dir().join(format!("site-{name}"));
        fs::create_dir(&site).unwrap();
        match name {
            "socket" => drop(UnixListener::bind(site.join(name)).unwrap()),
            "pipe" => assert!(Command::new("mkfifo").arg(site.join(name)).status().unwrap().success()),
            _ => std::os::unix::fs::symlink("/dev/zero", site.join(name)).unwrap(),
        }
        fs::write(&file, text.replace("scripts: []", &format!("scripts: [], site: site-{name}"))).unwrap();
        let said = cluster.run(&["deploy", "--yes"]).code(3);
        assert!(said.stderr.contains(name), "{name}: {}", said.stderr);
    }
    // A file that says nothing, for root alone and not in every container: it is left, and told.
    if fs::File::open("/proc/kmsg").is_ok() {
        let said = cluster.run(&["check", "--offline", "-f", "/proc/kmsg"]).code(3);
        assert!(
            said.stderr.contains("reading the file timed out") || said.stderr.contains("can't be read"),
            "{}",
            said.stderr
        );
    }
}

#[test]
fn all_files_of_a_description_are_bounded_together() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::create_dir(cluster.dir().join("more")).unwrap();
    for n in 0..4 {
        fs::write(cluster.dir().join(format!("more/{n}.yaml")), format!("# {}\n", "x".repeat(7 << 20))).unwrap();
    }
    fs::write(&file, format!("{text}include: ['more/*.yaml']\n")).unwrap();
    let said = cluster.run(&["check", "--offline"]).code(3);
    assert!(said.stderr.contains("larger than 16.0 MiB together"), "{}", said.stderr);
}

#[test]
fn a_manifest_that_is_larger_than_any_is_not_read() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    fs::write(cluster.kept("current/manifest"), "x".repeat(25 << 20)).unwrap();
    let said = cluster.run(&["diff"]).code(0);
    assert!(said.stderr.contains("it is larger than that of any release"), "{said:?}");
    cluster.run(&["releases"]).code(0);
    cluster.run(&["stop"]).code(0);
}

#[test]
fn a_large_file_of_the_site_arrives_whole() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    let cluster = LocalCluster::new();
    cluster.write(&format!(
        "ssh: {{ config: {}, connect_timeout: 5s, persist: 5s }}\nhosts:\n  \
         one: {{ address: 127.0.0.1, paths: {{ base: {}/base1 }} }}\n\
         nodes:\n  manager: {{ type: manager, host: one }}\n  proxy: {{ type: proxy, host: one, count: 1 }}\n  \
         worker: {{ type: worker, hosts: [one], interface: lo }}\n",
        sshd.ssh_config_path().display(),
        cluster.dir().display(),
    ));
    let file = cluster.dir().join("cluster.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("scripts: []", "scripts: [], site: site, site_data: ['*.dat']")).unwrap();
    let site = cluster.dir().join("site");
    fs::create_dir(&site).unwrap();
    // What does not compress, and more than any buffer holds.
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).to_le_bytes()[0]
    })
    .take(3 << 20)
    .collect();
    fs::write(site.join("list.dat"), &noise).unwrap();
    fs::write(site.join("empty.zeek"), "").unwrap();
    // It is compressed and digested by a build without optimisation.
    let run = |command: &str| cluster.run(&["--timeout", "90s", command]).code(0);
    run("deploy");
    let kept = cluster.dir().join("base1").join(cluster.name()).join("current/data/list.dat");
    assert!(fs::read(kept).unwrap() == noise);
    fs::write(site.join("list.dat"), &noise[1..]).unwrap();
    run("deploy");
    let kept = cluster.dir().join("base1").join(cluster.name()).join("current/data/list.dat");
    assert!(fs::read(kept).unwrap() == noise[1..]);
    run("stop");
}

#[test]
fn what_killed_writers_left_on_a_host_goes_and_what_others_write_stays() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    // A process that is gone.
    let mut child = Command::new("true").spawn().unwrap();
    let gone = child.id();
    child.wait().unwrap();
    let living = std::process::id();
    let left = [
        format!("lock.{gone}"),
        format!("maintained.new.{gone}"),
        format!("check.{gone}/x"),
        "releases/.stage-0123456789ab/site/x".to_owned(),
        "releases/.manifest-0123456789ab".to_owned(),
        format!("nodes/worker-1/want.new.{gone}"),
        format!("nodes/worker-1/supervisor.{gone}"),
        format!("nodes/log-archiver/last.{gone}"),
    ];
    let stays = [
        format!("lock.{living}"),
        format!("nodes/worker-1/want.new.{living}"),
        format!("nodes/worker-1/mine.new.{gone}"),
        "nodes/worker-1/notes.txt".to_owned(),
    ];
    let begin = |files: &[String]| {
        for file in files {
            let path = cluster.kept(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    };
    let age = |file: &str| {
        let said = Command::new("touch").args(["-d", "3 days ago"]).arg(cluster.kept(file)).status();
        assert!(said.unwrap().success());
    };
    begin(&stays);
    for command in [&["maintain"][..], &["deploy", "--yes"]] {
        begin(&left);
        age("releases/.stage-0123456789ab");
        age("releases/.manifest-0123456789ab");
        if command[0] == "deploy" {
            let file = cluster.dir().join("cluster.yaml");
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, text.replace("interface: lo", "interface: lo, env: { ROUND: '2' }")).unwrap();
        }
        cluster.run(command).code(0);
        for file in &left {
            assert!(!cluster.kept(file).exists(), "{command:?}: {file}");
        }
        for file in &stays {
            assert!(cluster.kept(file).exists(), "{command:?}: {file}");
        }
    }
    cluster.run(&["stop"]).code(0);
}
