//! A cluster of zeek-sims on this machine, in a folder of its own and on ports of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Each cluster takes a block of ports, and other test runs on this machine take others.
static BLOCK: AtomicU16 = AtomicU16::new(0);
const BLOCKS: u16 = 30;
const BLOCK_SIZE: u16 = 300;

/// Takes a block that nobody has: whoever listens on its last port but one has it.
fn take_block() -> (u16, TcpListener) {
    let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap();
    for _ in 0..u32::from(BLOCKS) * 600 {
        let block = (start + BLOCK.fetch_add(1, Ordering::Relaxed) % BLOCKS) % BLOCKS;
        let base = 18_000 + block * BLOCK_SIZE;
        // What a run that was killed left behind may still have the first ones, or the control port.
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if let Ok(claim) = TcpListener::bind(("127.0.0.1", base + BLOCK_SIZE - 2))
            && free(base + 2)
            && free(base + BLOCK_SIZE - 1)
        {
            return (base, claim);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("all blocks of ports are taken");
}

/// A cluster. Dropping it stops what runs.
pub(crate) struct LocalCluster {
    dir: TempDir,
    base_port: u16,
    _claim: TcpListener,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Asserts the exit code; shows everything if it is another one.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// Waits for a condition, with a deadline of a minute.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < limit, "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The binary of zeek-sim, built beside the tests; not one of before its source was changed.
pub(crate) fn zeek_sim() -> PathBuf {
    static SIM: LazyLock<PathBuf> = LazyLock::new(|| {
        let target = std::env::current_exe().unwrap();
        let path = target.parent().unwrap().parent().unwrap().join("zeek-sim");
        assert!(path.exists(), "{} is missing: cargo build --workspace makes it", path.display());
        let changed = |path: &Path| path.metadata().unwrap().modified().unwrap();
        let built = changed(&path);
        for source in super::below(Path::new("tests/zeek-sim/src")) {
            let (path, source, stale) = (path.display(), source.display(), changed(&source) > built);
            assert!(!stale, "{path} is older than {source}: cargo build --workspace makes it anew");
        }
        path
    });
    SIM.clone()
}

/// A command of clusterctl in an environment without surprises. `CLUSTERCTL_BIN` names another build of it.
pub(crate) fn clusterctl(dir: &Path) -> Command {
    let built = env!("CARGO_BIN_EXE_clusterctl");
    let mut command = Command::new(std::env::var_os("CLUSTERCTL_BIN").unwrap_or_else(|| built.into()));
    let run = dir.join("run");
    std::fs::create_dir_all(&run).unwrap();
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir)
        .env("USER", "tester")
        .env("XDG_RUNTIME_DIR", run)
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn said(mut command: Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl LocalCluster {
    /// Makes a folder with a prefix of zeek-sim; writes no description yet.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("cc-").tempdir().unwrap();
        let prefix = dir.path().join("zeek");
        for folder in ["bin", "etc", "share/zeek"] {
            std::fs::create_dir_all(prefix.join(folder)).unwrap();
        }
        std::fs::copy(zeek_sim(), prefix.join("bin/zeek")).unwrap();
        // By that name it is the other program.
        std::os::unix::fs::symlink("zeek", prefix.join("bin/zeek-archiver")).unwrap();
        std::fs::write(prefix.join("etc/zeek-sim.conf"), "packets=1000\n").unwrap();
        let (base_port, claim) = take_block();
        Self { dir, base_port, _claim: claim }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The first port of its nodes, and its control port.
    pub(crate) fn ports(&self) -> (u16, u16) {
        (self.base_port, self.base_port + BLOCK_SIZE - 1)
    }

    /// Leaves its folder where it is, for whoever has to find something out.
    pub(crate) fn keep(&mut self) {
        self.dir.disable_cleanup(true);
    }

    /// Its name: others at the same time have other ones, since a machine sees all of its processes.
    pub(crate) fn name(&self) -> String {
        format!("test-{}-{}", std::process::id(), self.base_port)
    }

    pub(crate) fn zeek(&self) -> PathBuf {
        self.dir().join("zeek")
    }

    /// Puts another build in the place of Zeek's binary, which may be running, as a package's upgrade does. What tells two
    /// builds apart is their size and the second of their last change.
    pub(crate) fn replace_zeek(&self) {
        let (zeek, new) = (self.zeek().join("bin/zeek"), self.zeek().join("bin/new"));
        std::fs::copy(&zeek, &new).unwrap();
        let before = std::time::SystemTime::now() - Duration::from_secs(3600);
        std::fs::File::options().append(true).open(&new).unwrap().set_modified(before).unwrap();
        std::fs::rename(&new, &zeek).unwrap();
    }

    /// A file below the cluster's folder on its host.
    pub(crate) fn kept(&self, path: &str) -> PathBuf {
        self.dir().join("base").join(self.name()).join(path)
    }

    /// Writes the description: what is given, after what every one needs.
    pub(crate) fn write(&self, rest: &str) {
        let text = format!(
            "cluster: {3}\nzeek: {{ prefix: {0}/zeek, scripts: [], backend: broker }}\npaths: {{ base: {0}/base }}\n\
             ports: {{ base: {1}, control: {2} }}\nmetrics: {{ listen: off }}\n\
             timeouts: {{ ready: 30s, stop: 5s, control: 5s }}\n{rest}\n",
            self.dir().display(),
            self.base_port,
            self.base_port + BLOCK_SIZE - 1,
            self.name(),
        );
        std::fs::write(self.dir().join("cluster.yaml"), text).unwrap();
    }

    /// Writes the description of a manager, a proxy and two workers on this machine; `worker` goes into the workers.
    pub(crate) fn write_local(&self, worker: &str) {
        self.write(&format!(
            "hosts: {{ here: {{ local: true }} }}\nnodes:\n  manager: {{ type: manager, host: here }}\n  \
             proxy: {{ type: proxy, host: here, count: 1 }}\n  \
             worker: {{ type: worker, host: here, count: 2, interface: lo{worker} }}\n"
        ));
    }

    /// Makes the nodes of the description talk over ZeroMQ, with more settings of Zeek, and gives them a logger: over ZeroMQ
    /// a manager that writes the logs itself can't be asked.
    pub(crate) fn talk_over_zeromq(&self, settings: &str) {
        let file = self.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace("backend: broker", &format!("backend: zeromq{settings}"));
        let logger = "nodes:\n  logger: { type: logger, host: here, count: 1 }\n";
        std::fs::write(&file, text.replace("nodes:\n", logger)).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = clusterctl(self.dir());
        command.args(args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        said(self.command(args))
    }

    /// Makes `sh` mean a shell of choice for the scripts of a command.
    pub(crate) fn under(&self, command: &mut Command, shell: &str) {
        let path = std::env::var("PATH").unwrap();
        let found = path.split(':').map(|d| Path::new(d).join(shell)).find(|f| f.exists());
        let bin = self.dir().join(format!("bin-{shell}"));
        std::fs::create_dir_all(&bin).unwrap();
        if !bin.join("sh").exists() {
            std::os::unix::fs::symlink(found.unwrap_or_else(|| panic!("{shell} is missing")), bin.join("sh")).unwrap();
        }
        command.env("PATH", format!("{}:{path}", bin.display()));
    }

    /// Runs a command whose scripts run under a shell of choice.
    pub(crate) fn run_under(&self, shell: &str, args: &[&str]) -> Said {
        let mut command = self.command(args);
        self.under(&mut command, shell);
        said(command)
    }

    /// The status as JSON, whatever the exit code.
    #[track_caller]
    pub(crate) fn status(&self) -> Value {
        self.run(&["status", "-o", "json"]).json()["data"].clone()
    }

    /// Waits until a status is without trouble, and returns it.
    #[track_caller]
    pub(crate) fn settled(&self) -> Value {
        let mut last = Value::Null;
        let limit = Instant::now() + Duration::from_secs(60);
        while Instant::now() < limit {
            let said = self.run(&["status", "-o", "json"]);
            last = said.json()["data"].clone();
            if is_well(&said) {
                return last;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("there is trouble for a minute: {:#}", last["troubles"]);
    }

    /// One node's row of a status.
    #[track_caller]
    pub(crate) fn row(&self, node: &str) -> Value {
        let status = self.status();
        let rows = status["nodes"].as_array().unwrap();
        rows.iter().find(|r| r["node"] == node).unwrap_or_else(|| panic!("no row for {node}")).clone()
    }

    /// The pid of a node.
    #[track_caller]
    pub(crate) fn pid(&self, node: &str) -> u64 {
        self.row(node)["pid"].as_u64().unwrap_or_else(|| panic!("{node} does not run"))
    }
}

impl Drop for LocalCluster {
    fn drop(&mut self) {
        if self.dir().join("cluster.yaml").exists() {
            let _ = self.command(&["stop", "-q"]).output();
        }
        // What a test has made unknown to clusterctl, or of another cluster: nothing of it outlives the folder.
        let below = format!("{}/", self.dir.path().display());
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u64>().ok()) else { continue };
            let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words);
            let keeps = |script: &str| words.contains(&format!("/clusterctl/{script}"));
            let ours =
                keeps("supervisor.sh") || keeps("archiver.sh") || words.starts_with(&format!("{below}zeek/bin/"));
            if ours && words.contains(&below) {
                // It may have ended by itself.
                let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
            }
        }
    }
}

/// Tells whether a status as JSON is without trouble, and all workers are counted: the manager does that a moment after
/// they see the manager.
pub(crate) fn is_well(said: &Said) -> bool {
    said.code == 0 && {
        let workers = &said.json()["data"]["workers"];
        workers["counted"].is_null() || workers["counted"] == workers["running"]
    }
}

/// The masters of the connections whose sockets are in a folder; not those that only carry a stream over one.
pub(crate) fn masters(dir: &Path) -> Vec<u64> {
    let pattern = format!("ControlMaster=yes -S {}", dir.display());
    let output = Command::new("pgrep").args(["-f", &pattern]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().filter_map(|l| l.parse().ok()).collect()
}

/// Tells whether a process is gone, or is but a zombie (proc(5), stat).
pub(crate) fn gone(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

/// Sends a signal to a process.
#[track_caller]
pub(crate) fn kill(signal: &str, pid: u64) {
    let status = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().unwrap();
    assert!(status.success());
}
