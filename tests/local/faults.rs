//! Faults that one machine can have. Those that need several hosts are in `tests/lab/faults`.
//!
//! Each ends with: which release runs, that no file of a node was lost, that the message names the cause, and what the
//! next command does.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::local::{LocalCluster, Said, gone, kill, said, wait_for};

/// A cluster that was deployed and runs, with site scripts that stop a node's start.
fn running() -> LocalCluster {
    let cluster = LocalCluster::new();
    let site = cluster.dir().join("site");
    std::fs::create_dir(&site).unwrap();
    let init = |body: &str| format!("event zeek_init()\n\t{{\n\t{body}\n\t}}\n");
    std::fs::write(site.join("cheese.zeek"), init("Reporter::fatal(\"out of cheese\");")).unwrap();
    std::fs::write(site.join("hang.zeek"), init("while ( T ) { }")).unwrap();
    describe(&cluster, "");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    cluster
}

/// Writes the description of a manager, a proxy and two workers, and what more is wanted.
fn describe(cluster: &LocalCluster, more: &str) {
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text =
        text.replace("scripts: []", "scripts: [], site: ./site").replace("ready: 30s, stop: 5s", "ready: 5s, stop: 2s");
    std::fs::write(&file, text + more).unwrap();
}

/// Everything that a failed deploy leaves as it was: the release, what every node runs, the nodes' files.
#[derive(Debug, PartialEq)]
struct Before {
    current: String,
    files: Vec<String>,
}

fn before(cluster: &LocalCluster) -> Before {
    let current = std::fs::read_link(cluster.kept("current")).unwrap().display().to_string();
    let mut files = Vec::new();
    for node in ["manager", "proxy-1", "worker-1", "worker-2"] {
        std::fs::write(cluster.kept(&format!("nodes/{node}/kept.log")), format!("of {node}\n")).unwrap();
        files.push(format!("{node}/kept.log"));
    }
    Before { current, files }
}

impl Before {
    /// Asserts that it is so again, and that the next commands find nothing to finish.
    #[track_caller]
    fn is_back(&self, cluster: &LocalCluster) {
        let now = std::fs::read_link(cluster.kept("current")).unwrap().display().to_string();
        assert_eq!(now, self.current);
        for file in &self.files {
            // A node that was started since has its logs moved on.
            let node = file.split('/').next().unwrap();
            let command = "find \"$0/log-queue\" \"$0/archive\" -name 'kept*' -exec gzip -dcf {} + 2>/dev/null";
            let kept = || {
                cluster.kept("nodes").join(file).exists() || {
                    let found = Command::new("sh").args(["-c", command]).arg(cluster.kept("")).output().unwrap();
                    String::from_utf8_lossy(&found.stdout).lines().any(|line| line == format!("of {node}"))
                }
            };
            wait_for(file, || kept().then_some(()));
        }
        let journal = std::fs::read_to_string(cluster.kept("journal")).unwrap_or_default();
        assert_eq!(journal, "");
        describe(cluster, "");
        let status = cluster.settled();
        let id = self.current.rsplit('/').next().unwrap();
        for row in status["nodes"].as_array().unwrap() {
            assert!(id.starts_with(row["release"].as_str().unwrap()), "{row}");
        }
        let again = cluster.run(&["deploy", "--yes"]).code(0);
        assert!(again.stdout.contains("nothing to do"), "{again:?}");
    }
}

/// A process that is no Zeek, and ends with the test.
struct Foreign(std::process::Child);

impl Foreign {
    fn new() -> Self {
        Self(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Field 22 of its stat: proc(5).
    fn started(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap().parse().unwrap()
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills a node's supervisor and the node, as a power failure would.
fn strike(cluster: &LocalCluster, node: &str) {
    let pid = cluster.pid(node);
    let supervisor = std::fs::read_to_string(cluster.kept(&format!("nodes/{node}/supervisor"))).unwrap();
    let supervisor = supervisor.split_whitespace().nth(2).unwrap().parse().unwrap();
    kill("KILL", supervisor);
    kill("KILL", pid);
    wait_for("both to be gone", || (gone(pid) && gone(supervisor)).then_some(()));
}

#[track_caller]
fn everything(said: &Said) -> String {
    format!("{}{}", said.stdout, said.stderr)
}

#[test]
fn a_new_logger_that_dies_at_start_brings_the_old_release_back() {
    let cluster = running();
    let before = before(&cluster);
    describe(&cluster, "  logger: { type: logger, host: here, scripts: [cheese] }\n");
    for _ in 0..2 {
        let deployed = everything(&cluster.run(&["deploy", "--yes"]).code(1));
        assert!(deployed.contains("ended at start (exit 1)"), "{deployed}");
        assert!(deployed.contains("out of cheese"), "{deployed}");
        assert!(deployed.contains("site/cheese.zeek"), "{deployed}");
        assert!(deployed.contains("went back"), "{deployed}");
    }
    before.is_back(&cluster);
    // What failed is no release to go back to, and what is back is still the work of who deployed it.
    let said = cluster.run(&["rollback", "--yes"]).code(1);
    assert!(said.stderr.contains("there is no release older than the one that runs"), "{said:?}");
    let releases = cluster.run(&["releases"]).code(0).stdout;
    assert_eq!(releases.matches("never activated").count(), 1, "{releases}");
    before.is_back(&cluster);
}

#[test]
fn a_deploy_that_goes_back_keeps_what_is_known_of_one_that_was_cut_off() {
    let cluster = running();
    let journal = "17-1 ada@desk (pid 1): deploy, since then\nfrom 111111111111\nto 222222222222\ndid switch\n";
    std::fs::write(cluster.kept("journal"), journal).unwrap();
    describe(&cluster, "  logger: { type: logger, host: here, scripts: [cheese] }\n");
    let deployed = everything(&cluster.run(&["deploy", "--yes"]).code(1));
    assert!(deployed.contains("went back"), "{deployed}");
    assert!(std::fs::read_to_string(cluster.kept("journal")).unwrap().starts_with(journal));
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("unfinished operation: ada@desk (pid 1)"), "{}", status.stdout);
    // The one that comes to its end ends it.
    describe(&cluster, "");
    cluster.run(&["deploy", "--yes"]).code(0);
    assert!(!cluster.kept("journal").exists());
    cluster.settled();
}

#[test]
fn a_start_waits_for_a_stop_that_nobody_waited_for() {
    let cluster = running();
    let (pid, old) = (cluster.pid("worker-1"), cluster.row("worker-1")["release"].clone());
    // As stop leaves it in the middle: the word is given, and the node has not ended yet.
    kill("STOP", pid);
    std::fs::write(cluster.kept("nodes/worker-1/want"), "stopped\n").unwrap();
    std::fs::write(cluster.kept("nodes/worker-1/stop"), "").unwrap();
    kill("TERM", pid);
    let start = cluster.command(&["start", "worker-1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the start to be at work", || cluster.kept("lock").exists().then_some(()));
    kill("CONT", pid);
    let said = start.wait_with_output().unwrap();
    let said = format!("{said:?}");
    assert!(said.contains("ready") && !said.contains("already running"), "{said}");
    assert_ne!(cluster.pid("worker-1"), pid);
    cluster.settled();
    let row = cluster.row("worker-1");
    assert_eq!((&row["release"], &row["crash"]), (&old, &Value::Null), "{row}");
}

#[test]
fn what_was_stopped_on_a_full_disk_is_not_healed() {
    let cluster = running();
    cluster.run(&["stop", "worker-1"]).code(0);
    // What it is meant to do could not be written over; that it is to stop could.
    let release = std::fs::read_link(cluster.kept("current")).unwrap();
    let release = release.file_name().unwrap().to_str().unwrap().to_owned();
    std::fs::write(cluster.kept("nodes/worker-1/want"), format!("running {release}\n")).unwrap();
    assert!(cluster.kept("nodes/worker-1/stop").exists());
    let said = cluster.run(&["maintain"]).code(0);
    assert!(!said.stdout.contains("worker-1"), "{}", said.stdout);
    assert_eq!(cluster.row("worker-1")["pid"], Value::Null);
    cluster.run(&["start"]).code(0);
    cluster.settled();
}

#[test]
fn a_node_that_never_becomes_ready_and_ignores_sigterm_is_killed_and_undone() {
    let cluster = running();
    let before = before(&cluster);
    describe(&cluster, "  logger: { type: logger, host: here, scripts: [hang] }\n");
    let deployed = everything(&cluster.run(&["deploy", "--yes"]).code(1));
    assert!(deployed.contains("not ready in time (INITIALIZING [main])"), "{deployed}");
    assert!(deployed.contains("killed: it did not stop after SIGTERM"), "{deployed}");
    before.is_back(&cluster);
}

#[test]
fn a_port_of_another_process_is_named_before_anything_changes() {
    let cluster = running();
    let before = before(&cluster);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    describe(&cluster, &format!("  logger: {{ type: logger, host: here, port: {port} }}\n"));
    let deployed = cluster.run(&["deploy", "--yes"]).code(1);
    assert!(deployed.stderr.contains("nothing changed"), "{deployed:?}");
    let holder = format!("logger on here: port {port} is held by ");
    assert!(deployed.stderr.contains(&holder), "{deployed:?}");
    assert!(deployed.stderr.contains(&format!("(pid {}", std::process::id())), "{deployed:?}");
    before.is_back(&cluster);
}

#[test]
fn a_port_that_was_taken_meanwhile_is_named_where_a_node_ends_at_start() {
    let cluster = running();
    cluster.run(&["stop", "proxy-1"]).code(0);
    let nodes = cluster.run(&["nodes", "-o", "json"]).json();
    let proxy = nodes["data"].as_array().unwrap().iter().find(|n| n["node"] == "proxy-1").unwrap().clone();
    let port = proxy["port"].as_u64().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    let started = everything(&cluster.run(&["start"]).code(4));
    assert!(started.contains("ended at start (exit 1"), "{started}");
    assert!(started.contains(&format!("port {port} is held by ")), "{started}");
    assert!(started.contains(&format!("(pid {}", std::process::id())), "{started}");
    drop(listener);
    cluster.run(&["start"]).code(0);
    cluster.settled();
}

#[test]
fn a_recycled_pid_is_no_node() {
    let cluster = running();
    let files = before(&cluster);
    let mut foreign = Foreign::new();
    strike(&cluster, "worker-1");
    let run = cluster.kept("nodes/worker-1/run");
    let written = std::fs::read_to_string(&run).unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let (boot, pid, started) = (boot.trim(), foreign.pid(), foreign.started());
    // The pid of now with another start; all of a process of now, in another boot.
    let identities = [
        format!("id {boot} {pid} {}", started + 1),
        format!("id {boot} {pid} {}", started - 1),
        format!("id 01234567-89ab-cdef-0123-456789abcdef {pid} {started}"),
    ];
    let want = std::fs::read(cluster.kept("nodes/worker-1/want")).unwrap();
    for identity in &identities {
        std::fs::write(cluster.kept("nodes/worker-1/want"), &want).unwrap();
        let _ = std::fs::remove_file(cluster.kept("nodes/worker-1/stop"));
        let (_, rest) = written.split_once('\n').unwrap();
        std::fs::write(&run, format!("{identity}\n{rest}")).unwrap();
        std::fs::write(cluster.kept("nodes/worker-1/supervisor"), format!("{identity}\n")).unwrap();
        let row = cluster.row("worker-1");
        assert_eq!((&row["state"], &row["pid"]), (&json!("crashed"), &json!(null)), "{identity}");
        assert_eq!(cluster.status()["workers"]["running"], 1);
        // A stop signals nobody, and does not wait for a process that is not there.
        let stopped = cluster.run(&["stop", "worker-1"]).code(0);
        assert!(stopped.stdout.contains("stopped") && !stopped.stdout.contains("killed"), "{stopped:?}");
        assert!(foreign.lives(), "{identity}");
    }
    cluster.run(&["start"]).code(0);
    assert_ne!(cluster.pid("worker-1"), u64::from(pid));
    assert!(foreign.lives());
    files.is_back(&cluster);
}

#[test]
fn a_reboot_that_recycles_all_pids_is_seen_and_undone_by_start() {
    let cluster = running();
    let files = before(&cluster);
    let mut foreign = Foreign::new();
    let nodes = ["manager", "proxy-1", "worker-1", "worker-2"];
    for node in nodes {
        strike(&cluster, node);
    }
    for node in nodes {
        for file in ["run", "supervisor"] {
            let path = cluster.kept(&format!("nodes/{node}/{file}"));
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let rest = text.split_once('\n').map_or("", |(_, rest)| rest).to_owned();
            let id = format!("id 01234567-89ab-cdef-0123-456789abcdef {} {}", foreign.pid(), foreign.started());
            std::fs::write(&path, format!("{id}\n{rest}")).unwrap();
        }
    }
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("the host rebooted"), "{}", status.stdout);
    let plan = cluster.run(&["diff"]).code(0);
    assert!(plan.stdout.contains("not running"), "{}", plan.stdout);
    cluster.run(&["start"]).code(0);
    assert!(foreign.lives());
    files.is_back(&cluster);
}

#[test]
fn a_stale_status_file_is_no_life() {
    let cluster = running();
    let files = before(&cluster);
    strike(&cluster, "worker-1");
    assert!(std::fs::read_to_string(cluster.kept("nodes/worker-1/.status")).unwrap().starts_with("RUNNING"));
    let row = cluster.row("worker-1");
    assert_eq!((&row["state"], &row["pid"]), (&json!("crashed"), &json!(null)), "{row}");
    // The old word must not pass for the new process's: this one never gets so far.
    let conf = cluster.kept("nodes/worker-1/zeek-sim.conf");
    std::fs::write(&conf, "never_ready=1\n").unwrap();
    let started = cluster.run(&["start", "worker-1"]).code(1);
    assert!(started.stdout.contains("not ready in time (INITIALIZING [main])"), "{started:?}");
    std::fs::remove_file(&conf).unwrap();
    cluster.run(&["restart", "worker-1"]).code(0);
    files.is_back(&cluster);
}

#[test]
fn files_that_are_half_written_hang_nothing() {
    let cluster = running();
    let files = before(&cluster);
    let pid = cluster.pid("worker-1");
    for status in ["", "RUN", "\0\0\0", "\u{1b}[31mRUNNING [x]"] {
        std::fs::write(cluster.kept("nodes/worker-1/.status"), status).unwrap();
        let row = cluster.row("worker-1");
        // It answers, which no word of a file outweighs.
        assert_eq!((&row["state"], &row["pid"]), (&json!("running"), &json!(pid)), "{status:?}: {row}");
        assert!(!cluster.run(&["status"]).stdout.contains('\u{1b}'));
    }
    std::fs::write(cluster.kept("nodes/worker-1/.status"), "RUNNING [run_loop]\n").unwrap();
    for file in ["run", "exit", "want", "supervisor"] {
        let keeper = supervisor(&cluster, "worker-1");
        let path = cluster.kept(&format!("nodes/worker-1/{file}"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "id x y z\nstatus 1\n".to_owned());
        for half in [text[..text.len() / 2].to_owned(), String::new(), "id\n".to_owned(), "\n\n".to_owned()] {
            std::fs::write(&path, &half).unwrap();
            let row = cluster.row("worker-1");
            assert_eq!(row["node"], "worker-1");
            // A process that its folder does not know is told as what it is.
            let known = row["detail"].as_str().is_some_and(|detail| detail.contains("runs with the pid"));
            assert!(row["state"] != "unknown" || known, "{file} {half:?}: {row}");
        }
        if file == "supervisor" {
            // Nobody can wait for one that is not known: it may still be about to record the end that it saw.
            cluster.run(&["stop", "worker-1"]).code(0);
            wait_for("its end", || gone(keeper).then_some(()));
            cluster.run(&["start", "worker-1"]).code(0);
        } else {
            cluster.run(&["restart", "worker-1"]).code(0);
        }
        assert_eq!(count_of(&cluster, "worker-1"), 1, "after a half written {file}");
        cluster.settled();
    }
    files.is_back(&cluster);
}

/// How many processes call themselves this node.
fn count_of(cluster: &LocalCluster, node: &str) -> usize {
    let wanted = format!("CLUSTER_NODE={node}");
    let prefix = cluster.zeek().display().to_string();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let dir = entry.ok()?.path();
            let cmdline = std::fs::read(dir.join("cmdline")).ok()?;
            let environ = std::fs::read(dir.join("environ")).ok()?;
            let ours = String::from_utf8_lossy(&cmdline).starts_with(&prefix);
            (ours && environ.split(|b| *b == 0).any(|v| v == wanted.as_bytes())).then_some(())
        })
        .count()
}

/// Commands run with a `sleep` that hurries, so that growing pauses pass in a moment.
fn hurried(cluster: &LocalCluster, args: &[&str]) -> Said {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = cluster.dir().join("hurry");
    if !bin.exists() {
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(bin.join("sleep"), "#!/bin/sh\nPATH=${PATH#*:} exec sleep 0.05\n").unwrap();
        std::fs::set_permissions(bin.join("sleep"), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = cluster.command(args);
    command.env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
    said(command)
}

#[test]
fn a_crash_loop_is_given_up_and_start_tries_again() {
    let cluster = running();
    let files = before(&cluster);
    hurried(&cluster, &["restart", "proxy-1"]).code(0);
    let nodes = cluster.run(&["nodes", "-o", "json"]).json();
    let proxy = nodes["data"].as_array().unwrap().iter().find(|n| n["node"] == "proxy-1").unwrap().clone();
    let port = u16::try_from(proxy["port"].as_u64().unwrap()).unwrap();
    // Whoever is first has it: the node's next start finds it taken.
    let pid = cluster.pid("proxy-1");
    kill("STOP", supervisor(&cluster, "proxy-1"));
    kill("KILL", pid);
    let listener = wait_for("the port", || TcpListener::bind(("127.0.0.1", port)).ok());
    kill("CONT", supervisor(&cluster, "proxy-1"));
    let row = wait_for("the runner to give up", || {
        let row = cluster.row("proxy-1");
        (row["state"] == "failed").then_some(row)
    });
    assert!(row["detail"].as_str().unwrap().contains("gave up after"), "{row}");
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("failed (exit 1; gave up after"), "{}", status.stdout);
    assert_eq!(count_of(&cluster, "proxy-1"), 0);
    drop(listener);
    cluster.run(&["start"]).code(0);
    files.is_back(&cluster);
}

fn supervisor(cluster: &LocalCluster, node: &str) -> u64 {
    let text = std::fs::read_to_string(cluster.kept(&format!("nodes/{node}/supervisor"))).unwrap();
    text.split_whitespace().nth(2).unwrap().parse().unwrap()
}

#[test]
fn a_missing_zeek_and_one_that_can_not_be_executed_are_told_apart() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = running();
    let files = before(&cluster);
    let binary = cluster.zeek().join("bin/zeek");
    let mode = |mode: u32| std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(mode)).unwrap();
    let pids = |cluster: &LocalCluster| -> Vec<Value> {
        cluster.status()["nodes"].as_array().unwrap().iter().map(|n| n["pid"].clone()).collect()
    };
    let before = pids(&cluster);

    mode(0o644);
    let deployed = cluster.run(&["deploy", "--yes"]).code(1);
    assert!(deployed.stderr.contains("Permission denied"), "{deployed:?}");
    mode(0o755);

    let aside = cluster.zeek().join("bin/aside");
    std::fs::rename(&binary, &aside).unwrap();
    let deployed = cluster.run(&["deploy", "--yes"]).code(1);
    assert!(deployed.stderr.contains("there is no Zeek at"), "{deployed:?}");
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("old binary") && status.stdout.contains("is gone"), "{}", status.stdout);
    assert_eq!(pids(&cluster), before, "what runs goes on");
    std::fs::rename(&aside, &binary).unwrap();
    files.is_back(&cluster);
}

#[test]
fn a_lock_whose_takeover_was_killed_as_well_is_taken_over() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    // Of a boot that is over; and who was to take it away came no further than to claim that.
    std::fs::write(cluster.kept("lock"), "id gone 17 4711 1-1 ada@desk (pid 1): deploy\n").unwrap();
    let claim = cluster.kept("lock.dead-17-4711");
    std::fs::create_dir(&claim).unwrap();
    let said = Command::new("touch").args(["-d", "1 hour ago"]).arg(&claim).status().unwrap();
    assert!(said.success());
    cluster.run(&["restart", "worker-1"]).code(0);
    assert!(!claim.exists() && !cluster.kept("lock").exists());
}
