//! The suite on real hosts. `tests/run.sh` brings them up and tears them down; see README.md here.

mod cluster;
mod combinations;
mod doctor;
mod endings;
mod faults;
mod figures;
mod hints;
mod hosts;
mod logs;
mod main_job;
mod rollback;
mod runners;
mod secrets;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;

pub(crate) use faults::Watch;

/// The lab that is up: its run folder is named by `CLUSTERCTL_LAB`.
#[derive(Debug, Clone)]
pub(crate) struct Lab {
    run: PathBuf,
    facts: Facts,
}

#[derive(Debug, Clone, Deserialize)]
struct Facts {
    id: u32,
    zeek: Zeek,
    hosts: Vec<LabHost>,
}

impl Facts {
    fn read(run: &Path) -> Self {
        let file = run.join("hosts.json");
        let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }
}

/// The Zeek that all hosts see.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Zeek {
    /// On the hosts: the install prefix.
    pub(crate) prefix: String,
    /// On the hosts: the same Zeek with a binary that has file capabilities.
    pub(crate) capable_prefix: String,
    /// Whether it is zeek-sim.
    pub(crate) simulated: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LabHost {
    pub(crate) name: String,
    pub(crate) address: String,
    /// Its process 1, as this machine sees it; none while it has no power.
    leader: Option<u32>,
}

impl Lab {
    /// # Panics
    /// When no lab is up.
    pub(crate) fn get() -> Self {
        let Some(run) = std::env::var_os("CLUSTERCTL_LAB").map(PathBuf::from) else {
            panic!("CLUSTERCTL_LAB is not set: tests/run.sh sets it, tests/lab/lab.sh up prints it");
        };
        let facts = Facts::read(&run);
        Self { run, facts }
    }

    pub(crate) fn hosts(&self) -> &[LabHost] {
        &self.facts.hosts
    }

    pub(crate) fn zeek(&self) -> &Zeek {
        &self.facts.zeek
    }

    /// The ssh configuration that reaches the hosts by name and by address, as the account `zeek`.
    pub(crate) fn ssh_config(&self) -> PathBuf {
        self.run.join("ssh_config")
    }

    /// What a shell command, run by the ordinary account over SSH, prints.
    pub(crate) fn ssh(&self, host: &str, command: &str) -> String {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(self.ssh_config()).args([host, command]);
        succeed(&mut ssh)
    }

    /// What a command, run by root in the host and without SSH, prints: for what a test wants to see for itself.
    pub(crate) fn exec(&self, host: &str, command: &[&str]) -> String {
        succeed(&mut self.inside(host, command))
    }

    /// As [`Lab::exec`], byte for byte and whether it succeeds or not.
    pub(crate) fn try_exec(&self, host: &str, command: &[&str]) -> Output {
        run(&mut self.inside(host, command))
    }

    /// The file system of a host, as its own processes see it.
    pub(crate) fn root(&self, host: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.leader(host)))
    }

    fn leader(&self, host: &str) -> u32 {
        let facts = Facts::read(&self.run);
        let leader = facts.hosts.iter().find(|h| h.name == host).and_then(|h| h.leader);
        leader.unwrap_or_else(|| panic!("{host} is not running"))
    }

    /// A command in the host, as `lab.sh exec` runs it, but without its search for the host's process 1.
    fn inside(&self, host: &str, command: &[&str]) -> Command {
        let leader = self.leader(host);
        let mut inside = Command::new("nsenter");
        inside
            .args(["--target", &leader.to_string(), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"])
            .args(["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"])
            .arg("LANG=C.UTF-8")
            .args(command);
        inside
    }

    /// Lets the systemd manager of the ordinary account run without a session, or not.
    pub(crate) fn linger(&self, host: &str, on: bool) {
        let line = if on {
            "loginctl enable-linger zeek && timeout 30 sh -c \
             'until [ -S /run/user/$(id -u zeek)/systemd/private ]; do sleep 0.1; done'"
        } else {
            "loginctl disable-linger zeek"
        };
        self.exec(host, &["sh", "-c", line]);
    }

    /// A verb of lab.sh: `poweroff`, `cut`, ...
    pub(crate) fn does<I: AsRef<OsStr>>(&self, verb: &str, arguments: impl IntoIterator<Item = I>) {
        succeed(self.script(verb).args(arguments));
    }

    fn script(&self, verb: &str) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/lab.sh"));
        command.env("LAB_DIR", self.run.join("..")).env("LAB_ID", self.facts.id.to_string()).arg(verb);
        command
    }
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn output(command: &mut Command) -> Output {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    output
}

fn succeed(command: &mut Command) -> String {
    String::from_utf8_lossy(&output(command).stdout).trim_end().to_owned()
}

/// Which account the hosts are reached as, and which runner keeps the nodes: `tests/run.sh` goes through all of them.
#[derive(Debug, Clone)]
pub(crate) struct Combination {
    pub(crate) account: String,
    pub(crate) runner: String,
}

impl Combination {
    /// What `CLUSTERCTL_LAB_ACCOUNT` (zeek) and `CLUSTERCTL_LAB_RUNNER` (process) say.
    pub(crate) fn get() -> Self {
        let or = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
        Self { account: or("CLUSTERCTL_LAB_ACCOUNT", "zeek"), runner: or("CLUSTERCTL_LAB_RUNNER", "process") }
    }

    /// Does on all hosts what their administrator would have done before the first deploy, whatever a test before has
    /// left.
    fn prepare(&self, lab: &Lab) {
        for host in lab.hosts() {
            lab.exec(&host.name, &["chown", &self.account, "/var/lib/clusterctl"]);
            lab.linger(&host.name, self.runner == "systemd" && self.account != "root");
        }
    }
}
