//! What is said is true and helps: forms of output, output that can't be written, interrupts, names.

use std::process::{Command, Stdio};
use std::time::Duration;

use expectrl::{Expect, Session};
use serde_json::Value;

use crate::support::local::{LocalCluster, Said, clusterctl, said};

const SMALL: &str = "cluster: small
zeek: { prefix: /opt/zeek, version: \"8.0\" }
hosts: { here: { local: true } }
nodes:
  manager: { type: manager, host: here }
  proxy: { type: proxy, host: here, count: 1 }
  worker: { type: worker, host: here, interface: lo, count: 2 }
";

/// Runs a command beside a description.
fn run(description: &str, args: &[&str]) -> Said {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cluster.yaml"), description).unwrap();
    let mut command = clusterctl(dir.path());
    command.args(args);
    said(command)
}

#[test]
fn json_is_json_with_an_envelope_whatever_is_printed() {
    let all: [(&[&str], &str); 7] = [
        (&["layout", "-o", "json"], "layout"),
        (&["layout", "--format", "json"], "layout"),
        (&["layout", "--format", "table", "-o", "json"], "layout"),
        (&["layout", "--format", "zeek", "-o", "json"], "layout_text"),
        (&["layout", "--format", "mermaid", "-o", "json"], "layout_text"),
        (&["layout", "--options", "-o", "json"], "layout_text"),
        (&["init", "-f", "other.yaml", "-o", "json"], "init"),
    ];
    for (args, kind) in all {
        let json: Value = run(SMALL, args).code(0).json();
        assert_eq!((&json["schema"], &json["kind"]), (&1.into(), &kind.into()), "{args:?}");
        if kind == "layout" {
            assert_eq!(json["data"]["nodes"][0]["name"], "manager");
        }
    }
}

#[test]
fn a_version_of_the_command_line_is_no_problem_of_the_file() {
    for (version, why) in [("2.6", "Zeek 2.6 is too old"), ("99.0", "Zeek 99.0 is not known")] {
        let said = run(SMALL, &["layout", "--zeek-version", version]).code(2);
        assert!(said.stderr.contains(why) && said.stderr.contains("--zeek-version"), "{}", said.stderr);
        assert!(!said.stderr.contains("cluster.yaml"), "{}", said.stderr);
    }
    // What the description wants and that version can't do is the file's.
    let said =
        run(&SMALL.replace("version:", "backend: zeromq, version:"), &["layout", "--zeek-version", "7.0"]).code(3);
    assert!(said.stderr.contains("cluster.yaml:2") && said.stderr.contains("no ZeroMQ backend"), "{}", said.stderr);
}

#[test]
fn a_result_that_can_not_be_written_is_a_failure_and_a_closed_pipe_is_none() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cluster.yaml"), SMALL).unwrap();
    for args in [&["nodes"][..], &["nodes", "-o", "json"], &["--help"], &["--version"], &["schema"], &["layout"]] {
        let mut command = clusterctl(dir.path());
        command.args(args).stdout(std::fs::File::create("/dev/full").unwrap()).stderr(Stdio::piped());
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
        assert!(stderr.contains("could not be written") && stderr.contains("No space left"), "{args:?}: {stderr}");
        let mut command = clusterctl(dir.path());
        let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn an_empty_variable_names_no_description() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cluster.yaml"), SMALL).unwrap();
    let mut command = clusterctl(dir.path());
    command.arg("nodes").env("CLUSTERCTL_FILE", "");
    said(command).code(0);
    let mut command = clusterctl(dir.path());
    command.arg("nodes").env("CLUSTERCTL_FILE", "elsewhere.yaml");
    assert!(said(command).code(3).stderr.contains("elsewhere.yaml"));
}

#[test]
fn who_deployed_is_known_without_a_variable() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let me = said({
        let mut id = Command::new("id");
        id.arg("-un");
        id
    });
    for empty in [false, true] {
        let mut command = cluster.command(&["deploy", "--yes"]);
        command.env_remove("USER").env_remove("LOGNAME");
        if empty {
            command.env("USER", "").env("LOGNAME", "two words");
            std::fs::write(cluster.dir().join("zeek/etc/marker"), "").unwrap();
            cluster.write_local(", env: { A: b }");
        }
        said(command).code(0);
    }
    let releases = cluster.run(&["releases", "-o", "json"]).json();
    for row in releases["data"]["releases"].as_array().unwrap() {
        let who = row["who"].as_str().unwrap();
        assert!(who.starts_with(&format!("{}@", me.stdout.trim())), "{who}");
    }
}

/// A terminal has written `^C` where the cursor was.
#[test]
fn what_is_said_of_an_interrupt_begins_a_line() {
    for term in ["dumb", "xterm"] {
        let cluster = LocalCluster::new();
        cluster.write_local("");
        // Nodes that take long to become ready.
        std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), "packets=1000\nready_ms=3000\n").unwrap();
        let mut command = cluster.command(&["deploy", "--yes"]);
        command.env("TERM", term).env("COLUMNS", "80");
        let mut session = Session::spawn(command).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(60)));
        session.expect("starting").unwrap();
        std::io::Write::write_all(&mut session, b"\x03").unwrap();
        let before = session.expect("interrupted, finishing safely").unwrap();
        let before = String::from_utf8_lossy(before.before()).into_owned();
        // A line feed, or bars that were cleared.
        let plain = anstream::adapter::strip_str(&before).to_string();
        assert!(plain.ends_with(['\n', '\r']), "{term}: {before:?}");
        session.expect(expectrl::Eof).unwrap();
    }
}

/// The release of before has no archiver, and nobody asked for one.
#[test]
fn going_back_says_nothing_of_an_archiver_that_there_was_not() {
    let cluster = LocalCluster::new();
    cluster.write(
        "logs: { archive: off }\nhosts: { here: { local: true } }\nnodes:\n  manager: { type: manager }\n  \
         proxy: { type: proxy, count: 1 }\n  worker: { type: worker, count: 2, interface: lo }\n",
    );
    cluster.run(&["deploy", "--yes"]).code(0);
    let archive = cluster.dir().join("archive");
    cluster.write(&format!(
        "logs: {{ archive: {} }}\nhosts: {{ here: {{ local: true }} }}\nnodes:\n  manager: {{ type: manager, env: {{ A: b }} }}\n  \
         proxy: {{ type: proxy, count: 1 }}\n  \
         worker: {{ type: worker, count: 2, interface: lo, env: {{ A: b }} }}\n",
        archive.display()
    ));
    std::fs::write(cluster.kept("nodes/worker-1/zeek-sim.conf"), "die_at_start=no\n").unwrap();
    let said = cluster.run(&["deploy", "--yes"]);
    assert_ne!(said.code, 0);
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(all.contains("going back") && all.contains("manager on here: ready"), "{all}");
    assert!(!all.contains("log-archiver on here: ended") && !all.contains("not in the deployed release"), "{all}");
    // The one that the deploy started has gone with it.
    let want = std::fs::read_to_string(cluster.kept("nodes/log-archiver/want")).unwrap();
    assert_eq!(want.trim(), "stopped");
}

#[test]
fn warnings_of_a_description_are_shown_and_refuse_nothing() {
    let plain = SMALL.replace("count: 2", "count: 2, pin_cpus: 0");
    let said = run(&plain, &["check", "--offline"]).code(0);
    assert!(said.stdout.starts_with("the description is valid"), "{}", said.stdout);
    let lines: Vec<&str> =
        said.stderr.lines().filter(|line| line.starts_with("warning") || line.contains("help")).collect();
    assert_eq!(
        lines,
        [
            "warning: 2 workers capture on `lo` of `here`, and each sees every packet: logs have every record 2 times",
            "  = help: write `interface: af_packet::lo`, and they share the packets",
            "warning: 2 nodes of `worker` on `here` share 1 CPU",
            "  = help: unless you want that, give each node a CPU of its own, or lower `count`",
        ],
        "{}",
        said.stderr
    );
    assert_eq!(run(&plain, &["check", "--offline", "--quiet"]).code(0).stderr, "");
    let json = run(&plain, &["check", "--offline", "-o", "json"]).code(0);
    assert_eq!(json.json()["data"]["warnings"][0]["severity"], "warning");
    assert!(json.stderr.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{}", json.stderr);
    // Beside a mistake they are told, and not counted among the mistakes.
    let said = run(&plain.replace("type: proxy", "type: prox"), &["nodes"]).code(3);
    assert!(
        said.stderr.ends_with("1 problem and 2 warnings in the description; nothing was done\n"),
        "{}",
        said.stderr
    );
}

/// What the documentation shows does not make every record twice.
#[test]
fn examples_are_without_warnings() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for name in ["minimal.yaml", "af-packet.yaml", "standalone.yaml", "campus/cluster.yaml", "quickstart/cluster.yaml"]
    {
        let mut command = clusterctl(tempfile::tempdir().unwrap().path());
        command.current_dir(&examples).args(["check", "--offline", "-f", name]);
        let said = said(command).code(0);
        assert_eq!(said.stderr, "", "{name}");
    }
}

#[test]
fn a_cpu_that_the_host_has_not_is_found_by_doctor_and_before_anything_changes() {
    let cluster = LocalCluster::new();
    cluster.write_local(", pin_cpus: [0, 8000]");
    let doctor = cluster.run(&["doctor"]).code(5).stdout;
    assert!(doctor.contains("cpus: worker-2: CPU 8000 is not online there"), "{doctor}");
    let said = cluster.run(&["deploy", "--yes"]).code(1);
    assert!(said.stderr.contains("nothing changed"), "{}", said.stderr);
    assert!(said.stderr.contains("worker-2 on here: CPU 8000 is not online there (online: "), "{}", said.stderr);
    assert!(said.stderr.contains("hint: change `pin_cpus`"), "{}", said.stderr);
    assert!(!cluster.kept("current").exists());
    // CPUs that are shared are no reason.
    cluster.write_local(", pin_cpus: 0");
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stderr.contains("warning: 2 nodes of `worker` on `here` share 1 CPU"), "{}", said.stderr);
}

#[test]
fn what_a_description_names_on_this_machine_is_looked_for_and_told_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let text = "cluster: c
zeek:
  version: '8.0'
  site: ./site
  scripts: [local, locla, misc/loaded-scirpts, detect/scan, only-on-the-hosts, /opt/x/locla.zeek]
  env: { A: { file: ./token }, B: { env: CLUSTERCTL_TEST_UNSET }, C: { file: ./two }, D: { file: ./fine } }
  backend: broker
  tls: { ca: ca.pem, certificate: two, key: { file: ./key.pem } }
hosts:
  here: { local: true, env: { E: { file: /nowhere/secret } } }
nodes:
  manager: { type: manager }
  proxy: { type: proxy, scripts: [detect/scna] }
  worker: { type: wroker, hosts: [hree], interface: lo }
";
    std::fs::write(dir.path().join("cluster.yaml"), text).unwrap();
    std::fs::write(dir.path().join("two"), "a\nb\n").unwrap();
    std::fs::write(dir.path().join("fine"), "secret\n").unwrap();
    let told = |args: &[&str], code| {
        let mut command = clusterctl(dir.path());
        command.args(args);
        let said = said(command).code(code);
        let json: Value = said.json();
        let all = json["data"].as_array().cloned().unwrap_or_default();
        let line = |d: &Value| format!("{}:{} {}", d["line"], d["column"], d["message"].as_str().unwrap());
        all.iter().map(line).collect::<Vec<_>>()
    };
    let all = [
        "4:9 there is no folder `./site`",
        "5:20 there is no script `locla`",
        "5:27 there is no script `misc/loaded-scirpts`",
        "6:21 there is no file `./token`",
        "6:42 the variable `CLUSTERCTL_TEST_UNSET` is not set",
        "6:78 the secret in `./two` has more than one line",
        "8:14 there is no file `ca.pem`",
        "8:35 `two` has no line `-----BEGIN CERTIFICATE-----`",
        "8:53 there is no file `./key.pem`",
        "10:42 there is no file `/nowhere/secret`",
        "14:19 wrong value of `type`: `wroker` is not `logger`, `manager`, `proxy`, `worker`, `standalone`, \
         `time_machine` or `control`",
        "14:35 there is no host `hree`",
    ];
    for args in [&["check", "--offline", "-o", "json"][..], &["check", "-o", "json"], &["deploy", "-o", "json"]] {
        assert_eq!(told(args, 3), all, "{args:?}");
    }
    // What only looks needs none of it.
    assert_eq!(told(&["nodes", "-o", "json"], 3), all[10..]);
    // Beside what the version of Zeek can't do.
    let valid =
        text.replace("wroker", "worker").replace("hree", "here").replace("'8.0'", "'7.0'\n  options: { nope: 1 }");
    std::fs::write(dir.path().join("cluster.yaml"), valid).unwrap();
    let both = told(&["check", "--offline", "-o", "json"], 3);
    assert!(both.iter().any(|line| line.contains("has no option `nope`")), "{both:#?}");
    assert!(both.iter().any(|line| line.contains("there is no folder `./site`")), "{both:#?}");
    std::fs::write(dir.path().join("cluster.yaml"), text).unwrap();
    // With the folder, its scripts are known as well.
    let site = dir.path().join("site");
    std::fs::create_dir_all(site.join("detect")).unwrap();
    std::fs::write(site.join("detect/scan.zeek"), "").unwrap();
    std::fs::write(site.join("local.zeek"), "").unwrap();
    let now = told(&["check", "--offline", "-o", "json"], 3);
    assert!(now.contains(&"13:35 there is no script `detect/scna`".to_owned()), "{now:#?}");
    assert!(!now.iter().any(|line| line.contains("./site") || line.contains("detect/scan`")), "{now:#?}");
    // What is wrong inside it is told with the place that names it.
    std::os::unix::fs::symlink("/etc/passwd", site.join("out")).unwrap();
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("scripts: []", &format!("scripts: [], site: {}", site.display()))).unwrap();
    let said = cluster.run(&["deploy"]).code(3);
    assert!(
        said.stderr.contains("points out of the folder") && said.stderr.contains("cluster.yaml:2:"),
        "{}",
        said.stderr
    );
}

#[test]
fn words_of_zeekctl_are_answered_with_ours() {
    let text = "cluster: c
LogRotationInterval: 3600
hosts: { here: { local: true } }
nodes:
  manager: { type: manager, aux_scripts: x }
  proxy: { type: proxy, host: localhost }
  worker:
    type: worker
    lb_method: af_packet
    lb_procs: 4
    env_vars: A=1
    interface: af_packet::eth0
    af_packet: { fanout_mode: AF_Packet::FANOUT_HASH, buffer_size: 128*1024*1024 }
logs: { expire: 0 }
";
    let told = |text: &str| -> Vec<String> {
        let json = run(text, &["check", "--offline", "-o", "json"]).code(3).json();
        let line = |d: &Value| format!("{}: {}", d["line"], d["help"].as_str().unwrap_or("-"));
        json["data"].as_array().unwrap().iter().map(line).collect()
    };
    assert_eq!(
        told(text),
        [
            "2: a zeekctl setting; write `logs: { rotate: 1h }`",
            "5: a zeekctl setting; write `scripts: [NAME, ...]`",
            "6: write the host's name in `hosts`: `here`",
            "9: a zeekctl setting; write `interface: af_packet::INTERFACE` and `count: N`, and the workers share the packets",
            "10: a zeekctl setting; write `count: N`",
            "11: a zeekctl setting; write `env: { NAME: VALUE }`",
            "13: did you mean `FANOUT_HASH`?",
            "13: write `128MiB`",
            "14: leave `expire` out to keep archived logs for ever",
        ]
    );
    assert_eq!(
        told(&text.replace("expire: 0", "expire: 30")).last().unwrap(),
        "14: write `30d` for days, as zeekctl counts them"
    );
    let said =
        run("[manager]\ntype=manager\nhost=localhost\n\n[worker-1]\ntype=worker\n", &["check", "--offline"]).code(3);
    assert!(said.stderr.contains("this looks like a file of zeekctl's"), "{}", said.stderr);
    assert!(said.stderr.contains("1 problem in the description"), "{}", said.stderr);
}

/// The nodes of the old name run on, and have the ports.
#[test]
fn a_cluster_that_was_renamed_is_told_by_its_old_name() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let file = cluster.dir().join("cluster.yaml");
    let old = std::fs::read_to_string(&file).unwrap();
    let name = cluster.name();
    std::fs::write(&file, old.replace(&format!("cluster: {name}"), "cluster: renamed")).unwrap();
    let said = cluster.run(&["deploy", "--yes"]).code(1);
    let folder = cluster.dir().join("base").join(&name);
    let words = format!("it is manager of the cluster `{name}` of clusterctl, in {}", folder.display());
    assert!(said.stderr.contains(&words), "{}", said.stderr);
    assert!(said.stderr.contains(&format!("write `cluster: {name}` into this one")), "{}", said.stderr);
    // That works, and then the new name does.
    std::fs::write(&file, &old).unwrap();
    cluster.run(&["stop"]).code(0);
    std::fs::write(&file, old.replace(&format!("cluster: {name}"), "cluster: renamed")).unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.run(&["stop"]).code(0);
    std::fs::write(&file, &old).unwrap();
}
