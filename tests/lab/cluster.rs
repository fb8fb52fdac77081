//! A cluster on the lab's hosts: its description, and clusterctl run on it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::{Combination, Lab, faults};
use crate::support::local::{Said, is_well, said};

/// A cluster of the lab, with its description in a folder of its own. Dropping it stops what runs.
pub(crate) struct TestCluster {
    pub(crate) lab: Lab,
    pub(crate) combination: Combination,
    dir: TempDir,
    pub(crate) backend: &'static str,
    /// Further lines below `zeek`, and at the top.
    pub(crate) zeek: String,
    pub(crate) extra: String,
    pub(crate) sensors: Vec<&'static str>,
    /// Workers on each sensor.
    pub(crate) workers: usize,
    /// Loggers; without one the manager logs.
    pub(crate) loggers: usize,
    /// Where the hosts keep the cluster.
    pub(crate) base: String,
    pub(crate) name: String,
}

/// Waits for a condition, with a deadline.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + deadline;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < limit, "{what}: not within {deadline:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

impl TestCluster {
    /// A manager, two loggers, a proxy on `mgmt`, and two workers on each of two sensors.
    pub(crate) fn new(name: &str, backend: &'static str) -> Self {
        // The one that the tests of faults share has the same ports.
        faults::stand_down();
        Self::beside(name, backend)
    }

    /// As [`TestCluster::new`], whatever else runs.
    pub(crate) fn beside(name: &str, backend: &'static str) -> Self {
        let combination = Combination::get();
        let lab = Lab::get();
        combination.prepare(&lab);
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("site")).unwrap();
        let cluster = Self {
            lab,
            combination,
            dir,
            backend,
            zeek: String::new(),
            extra: String::new(),
            sensors: vec!["sensor1", "sensor2"],
            workers: 2,
            loggers: 2,
            base: "/var/lib/clusterctl".to_owned(),
            name: name.to_owned(),
        };
        cluster.site("local.zeek", "# Site scripts.\n");
        cluster.write();
        cluster
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("cluster.yaml")
    }

    pub(crate) fn site(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join("site").join(name), text).unwrap();
    }

    /// The address of a host.
    pub(crate) fn address(&self, host: &str) -> &str {
        &self.lab.hosts().iter().find(|h| h.name == host).unwrap().address
    }

    /// Writes the description.
    pub(crate) fn write(&self) {
        let zeek = self.lab.zeek();
        let mut hosts = String::new();
        for host in ["mgmt"].iter().chain(&self.sensors) {
            // A plain user may only capture with the binary that has the capability; one host also shows that its
            // nodes can't be looked into.
            let prefix = if *host == "mgmt" { &zeek.prefix } else { &zeek.capable_prefix };
            hosts.push_str(&format!("  {host}: {{ address: {}, prefix: {prefix} }}\n", self.address(host)));
        }
        let loggers = match self.loggers {
            0 => String::new(),
            n => format!("  logger: {{ type: logger, host: mgmt, count: {n} }}\n"),
        };
        let text = format!(
            "cluster: {}
zeek:
  prefix: {}
  backend: {}
  accept_unencrypted_zeromq: true
  site: ./site
  scripts: [local]
{}paths: {{ base: {} }}
timeouts: {{ ready: 120s, stop: 20s, control: 8s }}
ssh: {{ config: {}, user: {}, connect_timeout: 5s }}
runner: {}
{}
hosts:
{hosts}
nodes:
  manager: {{ type: manager, host: mgmt }}
{loggers}  proxy: {{ type: proxy, host: mgmt, count: 1 }}
  worker: {{ type: worker, hosts: [{}], interface: lo, count: {} }}
",
            self.name,
            zeek.prefix,
            self.backend,
            self.zeek,
            serde_json::to_string(&self.base).unwrap(),
            self.lab.ssh_config().display(),
            self.combination.account,
            self.combination.runner,
            self.extra,
            self.sensors.join(", "),
            self.workers,
        );
        std::fs::write(self.file(), text).unwrap();
    }

    /// A command of clusterctl on this cluster, not yet run.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clusterctl"));
        command.env("CLUSTERCTL_FILE", self.file()).args(args).stdin(Stdio::null());
        command
    }

    /// Runs a command.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        said(self.command(args))
    }

    /// The status as JSON, whatever the exit code.
    pub(crate) fn status(&self) -> Value {
        self.run(&["status", "-o", "json"]).json()["data"].clone()
    }

    /// The pids of all running nodes, by name.
    pub(crate) fn pids(&self) -> std::collections::BTreeMap<String, u64> {
        let status = self.status();
        let rows = status["nodes"].as_array().unwrap();
        rows.iter().filter_map(|r| Some((r["node"].as_str()?.to_owned(), r["pid"].as_u64()?))).collect()
    }

    /// Waits until a status is as it should be, and returns it.
    #[track_caller]
    pub(crate) fn settled(&self) -> Value {
        self.settles().unwrap_or_else(|trouble| panic!("there is trouble for a minute: {trouble:#}"))
    }

    /// As [`TestCluster::settled`]; else the troubles that do not go away.
    pub(crate) fn settles(&self) -> Result<Value, Value> {
        let limit = Instant::now() + Duration::from_secs(60);
        loop {
            let said = self.run(&["status", "-o", "json"]);
            let status = said.json()["data"].clone();
            if is_well(&said) {
                return Ok(status);
            }
            if Instant::now() >= limit {
                return Err(status["troubles"].clone());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        let _ = self.command(&["stop", "-q"]).output();
    }
}

/// One row of a status.
#[track_caller]
pub(crate) fn row<'a>(status: &'a Value, node: &str) -> &'a Value {
    let rows = status["nodes"].as_array().unwrap();
    rows.iter().find(|r| r["node"] == node).unwrap_or_else(|| panic!("no row for {node}: {status}"))
}
