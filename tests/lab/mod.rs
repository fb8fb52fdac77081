//! The suite on real hosts. `tests/run.sh` brings them up and tears them down; see README.md here.

mod cluster;
mod doctor;
mod hosts;
mod main_job;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;

/// The lab that is up: its run folder is named by `CLUSTERCTL_LAB`.
#[derive(Debug)]
pub(crate) struct Lab {
    run: PathBuf,
    facts: Facts,
}

#[derive(Debug, Deserialize)]
struct Facts {
    id: u32,
    zeek: Zeek,
    hosts: Vec<LabHost>,
}

/// The Zeek that all hosts see.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Zeek {
    /// On the hosts: the install prefix.
    pub(crate) prefix: String,
    /// On the hosts: the same Zeek with a binary that has file capabilities.
    pub(crate) capable_prefix: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LabHost {
    pub(crate) name: String,
    pub(crate) address: String,
}

impl Lab {
    /// # Panics
    /// When no lab is up.
    pub(crate) fn get() -> Self {
        let Some(run) = std::env::var_os("CLUSTERCTL_LAB").map(PathBuf::from) else {
            panic!("CLUSTERCTL_LAB is not set: tests/run.sh sets it, tests/lab/lab.sh up prints it");
        };
        let file = run.join("hosts.json");
        let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let facts = serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
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
        succeed(self.script("exec").arg(host).args(command))
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

fn succeed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).trim_end().to_owned()
}
