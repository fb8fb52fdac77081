//! What a host says is not the user's word: records that somebody wrote there, and those of an earlier clusterctl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::local::{LocalCluster, Said, clusterctl, said, zeek_sim};
use crate::support::sshd::{self, Sshd};

/// Commands that read what hosts remember, and change nothing.
const READING: [&[&str]; 10] = [
    &["diff"],
    &["check"],
    &["deploy", "--dry-run"],
    &["resume", "--dry-run"],
    &["rollback", "--dry-run"],
    &["releases"],
    &["status"],
    &["maintain"],
    &["doctor"],
    &["print", "Cluster::node"],
];

/// Runs all of them; none may panic, or take longer than it should.
fn read_all(cluster: &LocalCluster) -> Vec<(String, Said)> {
    let all: Vec<(String, Said)> = READING.iter().map(|args| (args.join(" "), cluster.run(args))).collect();
    for (command, said) in &all {
        assert!(matches!(said.code, 0 | 1 | 4 | 5), "{command}: {said:?}");
        assert!(!said.stderr.contains("panicked"), "{command}: {said:?}");
        let shown = format!("{}{}", said.stdout, said.stderr);
        assert!(!shown.contains('\u{1b}'), "{command} lets a terminal be written to: {shown:?}");
    }
    all
}

fn deployed() -> LocalCluster {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster
}

/// Makes the description another one than what runs, so that what runs is looked at.
fn change(cluster: &LocalCluster) {
    cluster.write_local(", env: { CHANGED: x }");
}

/// All files below a folder, with their content.
fn everything(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => all.extend(everything(&path)),
            Ok(kind) if kind.is_file() => all.push((path.clone(), fs::read(path).unwrap_or_default())),
            _ => {}
        }
    }
    all.sort();
    all
}

#[test]
fn a_remembered_host_runs_nothing_here_and_makes_no_host_of_this_machine() {
    let cluster = deployed();
    let evil = cluster.dir().join("evil");
    let pwned = cluster.dir().join("pwned");
    let left = |name: &str, local: bool, host: &str, user: &str| {
        let ssh = json!({
            "host": host, "user": user, "port": 1, "identity": null, "config": null, "jump": null,
            "known_hosts": "/dev/null", "persist": { "secs": 60, "nanos": 0 },
            "connect_timeout": { "secs": u64::MAX, "nanos": 0 },
        });
        let host = json!({
            "name": name, "address": "198.51.100.8", "local": local, "enabled": true, "prefix": evil, "base": evil,
            "spool": evil, "ssh": ssh,
        });
        format!("left {host}\n")
    };
    let command = format!("x\n  ProxyCommand sh -c 'id >{}'", pwned.display());
    let mut pending = String::new();
    pending.push_str(&left("ghost", false, "198.51.100.8", &command));
    pending.push_str(&left("here-too", true, "127.0.0.1", "root"));
    pending.push_str(&left("dash", false, &format!("-oProxyCommand=touch {}", pwned.display()), "root"));
    pending.push_str(&left("token", false, "198.51.100.8", "%d"));
    pending.push_str(&left("here", true, "127.0.0.1", "root"));
    pending.push_str(&left("../../x", false, "198.51.100.8", "root"));
    pending.push_str(&left("\u{1b}[2Jred", false, "198.51.100.8", "root"));
    pending.push_str(&format!("left {}\n", "[".repeat(50_000)));
    pending.push_str("left {\"name\":\"a\\u0000b\"}\nleft\nleft \n");
    fs::write(cluster.kept("pending"), &pending).unwrap();
    // What it would look for if it were taken for a host.
    fs::create_dir_all(evil.join(cluster.name()).join("nodes/victim")).unwrap();
    fs::write(evil.join(cluster.name()).join("nodes/victim/want"), "running abc\n").unwrap();
    let before = everything(&evil);
    let all = read_all(&cluster);
    assert!(!pwned.exists(), "a host's record ran a command here");
    let diff = &all[0].1;
    assert!(diff.stderr.contains("ghost left the description but cannot be reached"), "{diff:?}");
    assert!(diff.stderr.contains("list it under `removed`"), "{diff:?}");
    assert!(diff.stderr.contains("pending is damaged and ignored"), "{diff:?}");
    assert!(!diff.stderr.contains("victim") && !diff.stdout.contains("victim"), "{diff:?}");
    // A deploy goes on, says what it does not know, and writes the record anew; nobody is forgotten.
    let report = cluster.run(&["deploy", "--yes"]).code(4);
    assert!(report.stdout.contains("ghost left the description, but could not be reached"), "{report:?}");
    // This machine under another name is the one that the description has.
    assert!(!format!("{}{}", report.stdout, report.stderr).contains("here-too"), "{report:?}");
    let now = fs::read_to_string(cluster.kept("pending")).unwrap();
    assert!(!now.contains("ProxyCommand") && now.lines().count() == 3, "{now}");
    assert_eq!(everything(&evil), before);
    // Who knows better says so.
    let file = cluster.dir().join("cluster.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let gone = "removed: { ghost: { enabled: false }, dash: { enabled: false }, token: { enabled: false } }\n";
    fs::write(&file, text + gone).unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    assert!(!cluster.kept("pending").exists() && !pwned.exists());
}

#[test]
fn nodes_of_a_host_that_stays_are_not_stopped_because_another_name_for_it_is_remembered() {
    if sshd::is_missing() {
        return;
    }
    let cluster = deployed();
    let sshd = Sshd::start();
    let with_config = |cluster: &LocalCluster| {
        let file = cluster.dir().join("cluster.yaml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}ssh: {{ config: {} }}\n", sshd.ssh_config_path().display())).unwrap();
    };
    with_config(&cluster);
    let pids = [cluster.pid("manager"), cluster.pid("worker-1")];
    let ssh = json!({ "host": "127.0.0.1", "port": sshd.port(), "user": null });
    // Where it lies is the description's word: there is no such folder.
    let ghost = json!({ "name": "ghost", "base": "/nowhere", "spool": "/nowhere", "ssh": ssh });
    fs::write(cluster.kept("pending"), format!("left {ghost}\n")).unwrap();
    let diff = cluster.run(&["diff"]).code(0);
    let way = format!("(at 127.0.0.1, port {})", sshd.port());
    assert!(diff.stderr.contains(&way), "{diff:?}");
    assert!(diff.stderr.contains("is the same machine as here"), "{diff:?}");
    cluster.run(&["deploy", "--yes"]).code(0);
    assert_eq!([cluster.pid("manager"), cluster.pid("worker-1")], pids);
    assert!(!cluster.kept("pending").exists());
}

#[test]
fn a_changed_record_of_a_release_is_unknown_and_a_deploy_goes_on() {
    let cluster = deployed();
    let file = cluster.kept("current/cluster.json");
    let good: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    change(&cluster);
    let with = |pointer: &str, value: Value| {
        let mut json = good.clone();
        *json.pointer_mut(pointer).unwrap() = value;
        json.to_string()
    };
    let far = json!({
        "name": "ghost", "address": "198.51.100.8", "local": true, "enabled": true, "prefix": "/p", "base": "/b",
        "spool": "/s", "ssh": { "host": "127.0.0.1", "user": null, "port": null },
    });
    let hosts = |more: Value| {
        let mut hosts = good["cluster"]["hosts"].as_array().unwrap().clone();
        hosts.push(more);
        Value::Array(hosts)
    };
    let texts = [
        with("/cluster/nodes/0/host", json!(99)),
        with("/cluster/logs/rotate", json!({ "secs": u64::MAX, "nanos": 999_999_999 })),
        with("/cluster/hosts/0/name", json!("\u{1b}[2J")),
        with("/cluster/nodes/0/name", json!("manager\u{0}")),
        with("/cluster/hosts", hosts(far.clone())),
        "{".repeat(100_000),
        String::new(),
        "\u{1b}[2J".to_owned(),
    ];
    for text in &texts {
        fs::write(&file, text).unwrap();
        let said = cluster.run(&["diff"]).code(0);
        assert!(!said.stderr.contains("panicked") && !said.stderr.contains('\u{1b}'), "{said:?}");
        // A host that was `local` to whoever deployed is this machine under another name, and no other.
        let unknown = said.stderr.contains("cluster.json") && said.stderr.contains("can't be used");
        assert_eq!(unknown, !text.contains("ghost"), "{said:?}");
    }
    fs::write(&file, &texts[0]).unwrap();
    read_all(&cluster);
    cluster.run(&["deploy", "--yes"]).code(0);
    let said = cluster.run(&["diff"]).code(0);
    assert!(!said.stderr.contains("cluster.json"), "{said:?}");
    // The one before is no way back: its record is not what its manifest names.
    let back = cluster.run(&["rollback", "--yes"]).code(1);
    assert!(back.stderr.contains("cannot read") || back.stderr.contains("have been changed"), "{back:?}");
}

#[test]
fn odd_names_times_and_links_on_a_host_lead_nowhere() {
    let cluster = deployed();
    let home = cluster.kept("");
    let outside = cluster.dir().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("kept"), "x").unwrap();
    for name in ["nodes/a b", "nodes/-x", "nodes/\u{1b}[2Jred", "releases/..x", "releases/$(id)", "releases/a b"] {
        fs::create_dir_all(home.join(name)).unwrap();
    }
    std::os::unix::fs::symlink(&outside, home.join("releases/linked")).unwrap();
    std::os::unix::fs::symlink(&outside, home.join("nodes/linked")).unwrap();
    let current = fs::read_link(home.join("current")).unwrap();
    let id = current.file_name().unwrap().to_str().unwrap().to_owned();
    fs::write(home.join(format!("releases/{id}.info")), "time 9223372036854775807\nwho \u{1b}[2J\ncommand x\n")
        .unwrap();
    fs::write(home.join("maintain"), "cron 18446744073709551615 -9223372036854775808\n").unwrap();
    fs::write(home.join("maintained"), "9223372036854775807\n").unwrap();
    fs::write(home.join("nodes/worker-1/want"), "running ../../outside\n").unwrap();
    fs::write(home.join("secrets-x"), "x").unwrap();
    let manifest = home.join("current/manifest");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, format!("{text}{}  ./../../../outside/kept\n644 ./../../../outside/kept\n", "0".repeat(64)))
        .unwrap();
    let all = read_all(&cluster);
    let releases = &all[5].1;
    assert!(
        !releases.stdout.contains("$(id)") && releases.stderr.contains("is not the id of a release"),
        "{releases:?}"
    );
    change(&cluster);
    cluster.run(&["deploy", "--yes"]);
    assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "x");
    assert_eq!(everything(&outside).len(), 1);
}

/// Becomes a node as a runner does, with these secrets; returns the environment that it has.
fn environment(name: &str, secret: &str) -> Result<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    for folder in ["secrets", "nodes/worker-1", "releases/r/start"] {
        fs::create_dir_all(home.join(folder)).unwrap();
    }
    let zeek = home.join("zeek");
    fs::write(&zeek, "#!/bin/sh\nenv >\"$0.env\"\n").unwrap();
    Command::new("chmod").arg("755").arg(&zeek).status().unwrap();
    fs::write(home.join("secrets").join(name), secret).unwrap();
    let identity = Command::new("stat").args(["-c", "%s %Y"]).arg(&zeek).output().unwrap();
    let start = format!(
        "zeek {}\nbinary {}zeekpath /z\nsecrets {name}\nenv GOOD=1\nenv LD_PRELOAD;id=/tmp/x\n",
        zeek.display(),
        String::from_utf8_lossy(&identity.stdout)
    );
    fs::write(home.join("releases/r/start/worker-1"), start).unwrap();
    fs::write(home.join("node.sh"), clusterctl::scripts::RELEASE_NODE).unwrap();
    let ended = Command::new("sh")
        .arg(home.join("node.sh"))
        .args(["run".as_ref(), home.as_os_str(), home.join("nodes/worker-1").as_os_str()])
        .args([home.join("releases/r").as_os_str(), "worker-1".as_ref()])
        .output()
        .unwrap();
    fs::read_to_string(home.join("zeek.env")).map_err(|_| {
        let exit = fs::read_to_string(home.join("nodes/worker-1/exit")).unwrap_or_default();
        format!("{exit}{}", String::from_utf8_lossy(&ended.stderr))
    })
}

#[test]
fn a_node_gets_nothing_but_the_keys_from_what_its_host_keeps() {
    let named = |kind: &str, text: &str| format!("{kind}-{}", &clusterctl::release::digest(text.as_bytes())[..16]);
    let key = "ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_SERVER_PUBLICKEY=rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    let planted = format!("{key}\nZEEKPATH=/tmp/evil\nLD_LIBRARY_PATH=/tmp/evil\nZEEK_CLUSTER_BACKEND_X=y\n");
    let env = environment(&named("zeromq", &planted), &planted).unwrap();
    assert!(env.contains(key) && env.contains("GOOD=1"), "{env}");
    assert!(!env.contains("/tmp/evil") && !env.contains("ZEEK_CLUSTER_BACKEND_X"), "{env}");
    // What was changed since it was named is not used at all.
    let refused = environment("zeromq-0123456789abcdef", &planted).unwrap_err();
    assert!(refused.contains("have been changed"), "{refused}");
}

/// Where what 312e525 deployed lies: paths stand in what it wrote.
const ROOT: &str = "/tmp/clusterctl-312e525";
/// The releases that it deployed, the older one first.
const RELEASES: [&str; 2] = ["eeaa253b170b", "42fcdc8b5db6"];

/// A cluster that 312e525 deployed twice, on this machine: logger, manager, proxy and two workers, secrets in the
/// environment, certificates, an archive; and a disabled host. Only one test at a time can have it.
struct Earlier {
    root: PathBuf,
    _lock: fs::File,
}

impl Earlier {
    fn new() -> Self {
        let lock = fs::OpenOptions::new().create(true).append(true).open(format!("{ROOT}.lock")).unwrap();
        lock.lock().unwrap();
        // What a run that was killed has left.
        let _ = Command::new("pkill").args(["-KILL", "-f", &format!("{ROOT}/")]).status();
        let _ = fs::remove_dir_all(ROOT);
        let root = Path::new(ROOT);
        for folder in ["base", "zeek/bin", "zeek/etc", "zeek/share/zeek", "zeek/sim", "pack"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/deployed-by-312e525.tar.gz");
        let unpacked = Command::new("tar").args(["-C", &format!("{ROOT}/pack"), "-xzf"]).arg(archive).status().unwrap();
        assert!(unpacked.success());
        fs::rename(root.join("pack/home"), root.join("base/fixture")).unwrap();
        fs::rename(root.join("pack/op"), root.join("op")).unwrap();
        // What a release was made for is a file of this size and time.
        for name in ["zeek", "zeek-archiver"] {
            let path = root.join("zeek/bin").join(name);
            fs::write(&path, format!("#!/bin/sh\nexec {ROOT}/zeek/sim/{name} \"$@\"\n")).unwrap();
            Command::new("chmod").arg("755").arg(&path).status().unwrap();
        }
        Command::new("touch").args(["-d", "@1700000000"]).arg(root.join("zeek/bin/zeek")).status().unwrap();
        fs::copy(zeek_sim(), root.join("zeek/sim/zeek")).unwrap();
        std::os::unix::fs::symlink("zeek", root.join("zeek/sim/zeek-archiver")).unwrap();
        fs::write(root.join("zeek/etc/zeek-sim.conf"), "packets=1000\n").unwrap();
        Self { root: root.to_owned(), _lock: lock }
    }

    fn run(&self, args: &[&str]) -> Said {
        let mut command = clusterctl(&self.root.join("op"));
        command.env("FIXTURE_OTHER", "other").args(args);
        said(command)
    }

    fn kept(&self, path: &str) -> PathBuf {
        self.root.join("base/fixture").join(path)
    }

    fn current(&self) -> String {
        let link = fs::read_link(self.kept("current")).unwrap();
        link.file_name().unwrap().to_string_lossy().into_owned()
    }
}

impl Drop for Earlier {
    fn drop(&mut self) {
        self.run(&["stop", "-q"]);
        let _ = fs::remove_dir_all(ROOT);
    }
}

#[test]
fn what_312e525_deployed_is_observed_deployed_and_rolled_back() {
    let cluster = Earlier::new();
    // As it wrote it, but for where that is.
    let pending = fs::read_to_string(format!("{ROOT}/pack/pending")).unwrap();
    let pending = pending.replace("\"far\"", "\"old1\"").replace("far.example.org", "127.0.0.2").replace("2222", "1");
    fs::write(cluster.kept("pending"), pending).unwrap();
    let status = cluster.run(&["status", "-o", "json"]).code(5).json();
    assert_eq!(status["data"]["hosts"][0]["release"], RELEASES[1], "{status:#}");
    let releases = cluster.run(&["releases", "-o", "json"]).code(0).json();
    let ids: Vec<&str> =
        releases["data"]["releases"].as_array().unwrap().iter().map(|r| r["release"].as_str().unwrap()).collect();
    assert_eq!(ids, [RELEASES[1], RELEASES[0]]);
    let diff = cluster.run(&["diff", "-o", "json"]).code(0);
    let plan = diff.json();
    let hosts = plan["data"]["hosts"].as_array().unwrap();
    assert!(hosts.iter().any(|h| h["host"] == "old1" && h["unknown"].is_string()), "{plan:#}");
    let back = cluster.run(&["rollback", "--dry-run"]).code(4);
    assert!(format!("{}{}", back.stdout, back.stderr).contains(RELEASES[0]), "{back:?}");
    // A rollback from one of its releases to the other, and then a deploy on top.
    cluster.run(&["rollback", "--yes"]).code(4);
    assert_eq!(cluster.current(), RELEASES[0]);
    cluster.run(&["deploy", "--yes"]).code(4);
    let kept = fs::read_to_string(cluster.kept("pending")).unwrap();
    assert_eq!(kept, "left {\"name\":\"old1\",\"ssh\":{\"host\":\"127.0.0.2\",\"port\":1,\"user\":\"zeek\"}}\n");
    let file = format!("{ROOT}/op/cluster.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + "removed: { old1: { enabled: false } }\n").unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    assert!(!cluster.kept("pending").exists());
    cluster.run(&["resume", "--yes"]).code(0);
    let again = cluster.run(&["diff"]).code(0);
    assert!(format!("{}{}", again.stdout, again.stderr).contains("nothing to do"), "{again:?}");
    let now = cluster.current();
    cluster.run(&["rollback", RELEASES[1], "--yes"]).code(0);
    assert_eq!(cluster.current(), RELEASES[1]);
    cluster.run(&["rollback", &now, "--yes"]).code(0);
    let status = cluster.run(&["status", "-o", "json"]).json();
    let running = status["data"]["nodes"].as_array().unwrap().iter().filter(|n| n["state"] == "running").count();
    assert_eq!(running, 5, "{status:#}");
}

#[test]
fn an_operation_of_312e525_that_was_cut_off_is_finished() {
    let cluster = Earlier::new();
    fs::copy(format!("{ROOT}/pack/journal-cut-off"), cluster.kept("journal")).unwrap();
    let status = cluster.run(&["status"]).code(5);
    assert!(
        status.stdout.contains("unfinished operation") || status.stderr.contains("unfinished operation"),
        "{status:?}"
    );
    cluster.run(&["resume", "--dry-run"]);
    cluster.run(&["deploy", "--yes"]).code(0);
    assert!(!cluster.kept("journal").exists());
    cluster.run(&["rollback", "--yes"]).code(0);
    assert_eq!(cluster.current(), RELEASES[1]);
}
