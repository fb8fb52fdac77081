//! What keeps nodes running, with the scripts themselves, under each `sh` that hosts have.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::local::{LocalCluster, gone, kill, wait_for};

/// A deployed cluster, and a folder with an `sh` of choice for its scripts.
struct Host {
    cluster: LocalCluster,
    path: String,
    release: String,
}

const WORKER: &str = "worker-1";

fn host(shell: &str) -> Host {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let bin = cluster.dir().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let path = std::env::var("PATH").unwrap();
    let found = path.split(':').map(|d| Path::new(d).join(shell)).find(|f| f.exists());
    std::os::unix::fs::symlink(found.unwrap_or_else(|| panic!("{shell} is missing")), bin.join("sh")).unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.run(&["stop", WORKER]).code(0);
    let release = std::fs::read_link(cluster.kept("current")).unwrap();
    let release = release.file_name().unwrap().to_str().unwrap().to_owned();
    Host { cluster, path: format!("{}:{path}", bin.display()), release }
}

impl Host {
    /// What the host's own start script says, as maintenance there would call it.
    fn start(&self) -> String {
        let mut child = self.starting();
        wait_for("the start to end", || child.try_wait().unwrap());
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }

    #[track_caller]
    fn is_ready(&self) {
        let said = self.start();
        assert!(said.contains(&format!("ready {WORKER}")), "{said}");
    }

    fn starting(&self) -> std::process::Child {
        let home = self.cluster.kept("");
        let home = home.to_str().unwrap().trim_end_matches('/');
        let script = format!("{home}/releases/{}/clusterctl/start.sh", self.release);
        let mut command = Command::new("sh");
        // In the way of a session that knows nothing.
        command.env_clear().env("PATH", &self.path).args([script.as_str(), home, home, "20"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{WORKER} {}", self.release).unwrap();
        child
    }

    fn file(&self, name: &str) -> PathBuf {
        self.cluster.kept(&format!("nodes/{WORKER}/{name}"))
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// The pid in the first line of a file of the node's folder.
    fn pid_in(&self, name: &str) -> u64 {
        let text = self.read(name);
        text.split_whitespace().nth(2).and_then(|p| p.parse().ok()).unwrap_or_else(|| panic!("{name}: {text:?}"))
    }

    fn kill_node(&self) {
        kill("KILL", self.pid_in("run"));
    }

    /// How many Zeeks run in the node's folder.
    fn processes(&self) -> usize {
        let folder = self.cluster.kept("nodes").join(WORKER);
        let mut count = 0;
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(cwd) = std::fs::read_link(entry.path().join("cwd")) else { continue };
            let Ok(comm) = std::fs::read_to_string(entry.path().join("comm")) else { continue };
            count += usize::from(cwd == folder && comm.trim() == "zeek");
        }
        count
    }
}

/// Two starts at once: four, to be sure.
fn starts_at_once(shell: &str) {
    let host = host(shell);
    let starts: Vec<_> = (0..4).map(|_| host.starting()).collect();
    for start in starts {
        let said = String::from_utf8(start.wait_with_output().unwrap().stdout).unwrap();
        assert!(said.contains(&format!("ready {WORKER}")) || said.contains(&format!("running {WORKER}")), "{said}");
    }
    assert_eq!(host.processes(), 1);
    assert!(host.start().contains(&format!("running {WORKER}\n")));
    host.cluster.run(&["stop"]).code(0);
    wait_for("the last supervisor to end", || (!host.file("supervisor").exists()).then_some(()));
    assert_eq!(host.processes(), 0);
}

#[test]
fn starts_at_once_give_one_node_under_dash() {
    starts_at_once("dash");
}

#[test]
fn starts_at_once_give_one_node_under_bash() {
    starts_at_once("bash");
}

#[test]
fn starts_at_once_give_one_node_under_busybox() {
    starts_at_once("busybox");
}

/// Crash, pause, crash, a stop in a long pause, a start in one, giving up.
fn pauses(shell: &str) {
    let host = host(shell);
    host.is_ready();
    let first = host.pid_in("run");
    host.kill_node();
    wait_for("it to run again", || (!host.file("exit").exists() && host.pid_in("run") != first).then_some(()));
    assert!(host.read("exit.last").contains("\nstatus 137\n"), "{}", host.read("exit.last"));
    assert!(host.read("run").contains("\nrestarts 1\n"), "{}", host.read("run"));
    // As if it had ended often: then the pause is a minute, and a stop does not wait for it.
    let often = |tries: u32| {
        let run = host.read("run").replace("\ntries 1\n", &format!("\ntries {tries}\n"));
        assert!(run.contains(&format!("tries {tries}")), "{run}");
        std::fs::write(host.file("run"), run).unwrap();
        host.kill_node();
        wait_for("its end to be recorded", || host.file("exit").exists().then_some(()));
    };
    often(8);
    assert!(host.read("exit").contains("\nnext 60\n"), "{}", host.read("exit"));
    let row = host.cluster.row(WORKER);
    assert_eq!((&row["state"], &row["detail"]), (&json!("crashed"), &json!("SIGKILL; starts again after 60 s")));
    let said = host.cluster.run(&["stop", WORKER]).code(0);
    assert!(said.stdout.contains("stopped"), "{}", said.stdout);
    assert!(!host.file("supervisor").exists());
    // A start in a pause does not wait either, and counts anew.
    host.is_ready();
    std::fs::write(host.file("run"), host.read("run").replace("\ntries 0\n", "\ntries 1\n")).unwrap();
    often(8);
    host.is_ready();
    assert_eq!(host.processes(), 1);
    assert!(host.read("run").contains("\nrestarts 0\ntries 0\n"), "{}", host.read("run"));
    // It gives up after ten starts that did not last.
    std::fs::write(host.file("run"), host.read("run").replace("\ntries 0\n", "\ntries 1\n")).unwrap();
    often(10);
    wait_for("the supervisor to end", || (!host.file("supervisor").exists()).then_some(()));
    let row = host.cluster.row(WORKER);
    assert_eq!(row["state"], "failed", "{row}");
    assert!(row["crash"].as_str().unwrap().contains("/crash/worker-1/"), "{row}");
    host.is_ready();
}

#[test]
fn pauses_grow_and_can_be_cut_short_under_dash() {
    pauses("dash");
}

#[test]
fn pauses_grow_and_can_be_cut_short_under_bash() {
    pauses("bash");
}

#[test]
fn pauses_grow_and_can_be_cut_short_under_busybox() {
    pauses("busybox");
}

#[test]
fn a_node_without_its_supervisor_is_told_and_not_adopted() {
    let host = host("sh");
    host.start();
    let supervisor = host.pid_in("supervisor");
    kill("KILL", supervisor);
    wait_for("the supervisor to end", || gone(supervisor).then_some(()));
    let pid = host.pid_in("run");
    assert_eq!(host.start(), format!("clusterctl running {WORKER} unsupervised\n"));
    let said = host.cluster.run(&["start", WORKER]).code(1);
    assert!(said.stdout.contains("unsupervised") && said.stdout.contains("restart it"), "{}", said.stdout);
    let said = host.cluster.run(&["deploy", "--yes"]).code(0);
    let note = "worker-1 runs unsupervised, without a restart after a crash: clusterctl restart worker-1";
    assert!(said.stderr.contains(note), "{}", said.stderr);
    let row = host.cluster.row(WORKER);
    assert_eq!((&row["pid"], &row["detail"]), (&json!(pid), &json!("unsupervised")));
    host.cluster.run(&["restart", WORKER]).code(0);
    assert_eq!(host.cluster.row(WORKER)["detail"], json!(null));
    // Both gone: it is no running node, whoever has its pid now.
    kill("KILL", host.pid_in("supervisor"));
    host.kill_node();
    wait_for("it to be seen", || (host.cluster.row(WORKER)["state"] == "crashed").then_some(()));
    host.is_ready();
}

/// The boot id, pid and start time of this test: a process that is alive and no node.
fn other_process() -> (String, String) {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let fields = std::fs::read_to_string("/proc/self/stat").unwrap();
    let start = fields.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap().to_owned();
    (boot.trim().to_owned(), start)
}

#[test]
fn recycled_pids_are_nobody() {
    let host = host("sh");
    host.start();
    kill("KILL", host.pid_in("supervisor"));
    host.kill_node();
    let (boot, start) = other_process();
    let me = std::process::id();
    let is = |boot: &str, start: &str| {
        for file in ["run", "supervisor"] {
            let rest: Vec<String> = host.read(file).lines().skip(1).map(|l| format!("{l}\n")).collect();
            std::fs::write(host.file(file), format!("id {boot} {me} {start}\n{}", rest.concat())).unwrap();
        }
    };
    // The pid of now with another start time.
    is(&boot, "1");
    let row = host.cluster.row(WORKER);
    assert_eq!((&row["state"], &row["pid"]), (&json!("crashed"), &json!(null)));
    // The very same, but of another boot.
    is("11111111-2222-3333-4444-555555555555", &start);
    let row = host.cluster.row(WORKER);
    assert_eq!((&row["state"], &row["detail"]), (&json!("crashed"), &json!("the host rebooted")));
    let said = host.cluster.run(&["status"]).code(5);
    assert!(said.stdout.contains("clusterctl start worker-1"), "{}", said.stdout);
    // A stop sends it no signal, and a start is not held up by it.
    host.cluster.run(&["stop", WORKER]).code(0);
    is("11111111-2222-3333-4444-555555555555", &start);
    host.is_ready();
    assert_eq!(host.processes(), 1);
}

#[test]
fn files_that_are_half_written_are_no_news() {
    let host = host("sh");
    for half in ["", "id", "id \n", "id 1-2", "\u{0}\u{1}"] {
        for file in ["run", "exit", "exit.last", "supervisor", ".status"] {
            std::fs::write(host.file(file), half).unwrap();
        }
        let row = host.cluster.row(WORKER);
        assert_eq!((&row["state"], &row["pid"]), (&json!("stopped"), &json!(null)), "{half:?}");
        let said = host.start();
        assert!(said.contains("ready"), "{half:?}: {said}");
        assert_eq!(host.processes(), 1, "{half:?}");
        // `.status` of a node that runs is Zeek's, and a full disk leaves it empty.
        host.cluster.run(&["stop", WORKER]).code(0);
    }
}

#[test]
fn what_a_crashed_node_left_is_put_aside() {
    let host = host("sh");
    let crashes = host.cluster.kept(&format!("crash/{WORKER}"));
    for day in 10..22 {
        std::fs::create_dir_all(crashes.join(format!("2001-01-{day}T000000Z"))).unwrap();
    }
    host.start();
    let pid = host.pid_in("run");
    for (name, text) in
        [("core", "no core\n"), ("conn.log", "a log\n"), ("state.db", "state\n"), ("core.log", "a log\n")]
    {
        std::fs::write(host.file(name), text).unwrap();
    }
    kill("ABRT", pid);
    let row = wait_for("it to run again", || {
        let row = host.cluster.row(WORKER);
        (row["state"] == "running" && row["pid"] != pid).then_some(row)
    });
    assert_eq!(row["ended"], "SIGABRT");
    let folder = PathBuf::from(row["crash"].as_str().unwrap());
    assert_eq!(folder.parent(), Some(crashes.as_path()));
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(text("core"), "no core\n");
    assert!(text("command").starts_with(&format!("{}/bin/zeek\n-i\nlo\n", host.cluster.zeek().display())));
    assert!(text("exit").contains("\nstatus 134\n"));
    assert!(text(".status").starts_with("RUNNING"));
    for name in ["stdout", "stderr"] {
        text(name);
    }
    // State stays where it is; logs, which the next process would truncate, are kept elsewhere.
    assert!(host.file("state.db").exists() && !folder.join("state.db").exists());
    let queued = |name: &str| {
        let queue = std::fs::read_dir(host.cluster.kept("log-queue")).unwrap().flatten();
        queue.filter(|e| e.file_name().to_str().unwrap().starts_with(&format!("{name}__"))).count()
    };
    for name in ["conn", "core"] {
        let file = format!("{name}.log");
        assert!(queued(name) == 1 && !host.file(&file).exists() && !folder.join(&file).exists(), "{name}");
    }
    // The newest ten stay.
    let kept = std::fs::read_dir(&crashes).unwrap().count();
    assert_eq!(kept, 10);
    assert!(folder.exists() && !crashes.join("2001-01-10T000000Z").exists());
    // A core is read by nobody else.
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&folder).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
    if Command::new("gdb").arg("--version").output().is_ok() {
        wait_for("the backtrace", || folder.join("backtrace").exists().then_some(()));
    }
    // Status tells of it, and is content.
    let said = host.cluster.run(&["status"]);
    assert!(said.stdout.contains("was started again once"), "{}", said.stdout);
    assert!(said.stdout.contains(&format!("see {} on here", folder.display())), "{}", said.stdout);
}
