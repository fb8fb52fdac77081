//! A cluster as a case describes it, on this machine or on the lab's hosts, and clusterctl run on it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::design::Plan;
use super::invariants::{HostAt, Look, Memory, Subject, hold, kills_no_others, look};
use crate::lab::{Lab, Watch};
use crate::support::local::{LocalCluster, Said, clusterctl, is_well, said};

/// Where the cluster is.
enum Place {
    Here {
        cluster: LocalCluster,
        /// The ports of the cluster beside it.
        beside: Option<LocalCluster>,
    },
    Lab {
        lab: Lab,
        dir: TempDir,
    },
}

/// What a description says beside the values of the case; steps change it.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) script: u32,
    pub(crate) env: u32,
    pub(crate) data: u32,
    pub(crate) more: bool,
    /// Of workers; the first one always stays.
    pub(crate) sensors: usize,
    pub(crate) moved: bool,
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) random: fastrand::Rng,
    pub(crate) text: Text,
    place: Place,
    name: String,
    memory: RefCell<Memory>,
    /// What was run and when it ended, for whoever has to find out.
    trail: RefCell<Vec<String>>,
    begun: Instant,
    /// The processes of the cluster beside, which nobody touches.
    beside: BTreeMap<(String, String), u64>,
    /// The description is what was deployed last.
    pub(crate) deployed: bool,
    /// Something was cut off, and no deploy has come since.
    pub(crate) cut: bool,
}

pub(crate) type Checked<T = ()> = Result<T, String>;

/// Nodes of other clusters have nothing to do with ours: each case has its own name.
fn case_name(plan: &Plan) -> String {
    format!("c{}-{}-{}", std::process::id(), plan.seed, plan.number)
}

impl World {
    /// On this machine.
    pub(crate) fn here(plan: Plan) -> Self {
        let cluster = LocalCluster::new();
        let beside = plan.is("neighbour", "one").then(LocalCluster::new);
        Self::at(plan, Place::Here { cluster, beside })
    }

    /// On the lab's hosts.
    pub(crate) fn in_lab(plan: Plan, lab: Lab) -> Self {
        let dir = tempfile::Builder::new().prefix("cc-").tempdir().unwrap();
        Self::at(plan, Place::Lab { lab, dir })
    }

    fn at(plan: Plan, place: Place) -> Self {
        let seed = plan.seed.wrapping_mul(0x9e37_79b9).wrapping_add(plan.number as u64);
        let name = case_name(&plan);
        let world = Self {
            plan,
            random: fastrand::Rng::with_seed(seed),
            text: Text { script: 1, env: 1, data: 1, more: false, sensors: 2, moved: false },
            place,
            name,
            memory: RefCell::default(),
            trail: RefCell::default(),
            begun: Instant::now(),
            beside: BTreeMap::new(),
            deployed: false,
            cut: false,
        };
        std::fs::create_dir_all(world.dir().join("site/data")).unwrap();
        for file in ["ca.pem", "node.pem"] {
            std::fs::write(world.dir().join(file), format!("-----BEGIN CERTIFICATE-----\n{file}\n")).unwrap();
        }
        world.prepare();
        world.write();
        world
    }

    pub(crate) fn is(&self, factor: &str, value: &str) -> bool {
        self.plan.is(factor, value)
    }

    pub(crate) fn is_standalone(&self) -> bool {
        self.is("shape", "standalone")
    }

    /// The folder of the description.
    fn dir(&self) -> &Path {
        match &self.place {
            Place::Here { cluster, .. } => cluster.dir(),
            Place::Lab { dir, .. } => dir.path(),
        }
    }

    /// The version that is played: the first with CURVE, or the one before.
    fn version(&self) -> &'static str {
        if self.is("curve", "on") { "8.2.2" } else { "8.0.10" }
    }

    /// The prefix on a host.
    fn prefix(&self, host: &str) -> String {
        match &self.place {
            Place::Here { cluster, .. } => cluster.zeek().display().to_string(),
            // A manager needs no capability, and one host's nodes can be looked into.
            Place::Lab { .. } => {
                let capable = self.is("binary", "capable") && host != "mgmt";
                format!("/opt/zeek-{}{}", self.version(), if capable { "-capable" } else { "" })
            }
        }
    }

    /// What hosts have before clusterctl comes.
    fn prepare(&self) {
        let conf = format!("packets=1000\nlog_rate=20\nversion={}\n", self.version());
        match &self.place {
            Place::Here { cluster, .. } => {
                std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), conf).unwrap();
            }
            Place::Lab { lab, .. } => {
                let account = self.plan.value("account");
                for host in lab.hosts() {
                    let script = "chown \"$1\" /var/lib/clusterctl; mkdir -p /srv/archive /srv/spool; \
                        chown \"$1\" /srv/archive /srv/spool\n\
                        for new in \"$2\" \"$2-capable\"; do [ -e \"$new\" ] || { cp -a /opt/zeek \"$new\" && \
                        printf %s \"$3\" >\"$new/etc/zeek-sim.conf\"; }; done\n\
                        setcap cap_net_raw,cap_net_admin+eip \"$2-capable/bin/zeek\"";
                    let prefix = format!("/opt/zeek-{}", self.version());
                    lab.exec(&host.name, &["sh", "-c", script, "sh", account, &prefix, &conf]);
                    lab.linger(&host.name, self.is("runner", "systemd") && account != "root");
                }
            }
        }
    }

    /// The hosts of the description that are touched: that of the manager first where it was not moved.
    fn hosts(&self) -> Vec<&'static str> {
        match &self.place {
            Place::Here { .. } => vec!["here"],
            Place::Lab { .. } if self.is_standalone() => vec!["mgmt"],
            Place::Lab { .. } => ["mgmt", "sensor1", "sensor2", "sensor3"][..=self.text.sensors].to_vec(),
        }
    }

    /// All hosts that may have something of the cluster.
    fn all_hosts(&self) -> Vec<HostAt> {
        let of = |name: &str, root: PathBuf| HostAt {
            name: name.to_owned(),
            root,
            home: format!("{}/{}", self.base(), self.name),
            spool: format!("{}/{}", self.spool().unwrap_or_else(|| self.base()), self.name),
            archive: self.is("archive", "on").then(|| self.archive()),
        };
        match &self.place {
            Place::Here { .. } => vec![of("here", PathBuf::from("/"))],
            Place::Lab { lab, .. } => lab.hosts().iter().map(|h| of(&h.name, lab.root(&h.name))).collect(),
        }
    }

    fn base(&self) -> String {
        match &self.place {
            Place::Here { cluster, .. } => cluster.dir().join("base").display().to_string(),
            Place::Lab { .. } => "/var/lib/clusterctl".to_owned(),
        }
    }

    fn spool(&self) -> Option<String> {
        self.is("spool", "elsewhere").then(|| match &self.place {
            Place::Here { cluster, .. } => cluster.dir().join("spool").display().to_string(),
            Place::Lab { .. } => "/srv/spool".to_owned(),
        })
    }

    fn archive(&self) -> String {
        match &self.place {
            Place::Here { cluster, .. } => cluster.dir().join("archive").display().to_string(),
            Place::Lab { .. } => format!("/srv/archive/{}", self.name),
        }
    }

    /// First port of nodes, port for control: of the cluster, or of that beside it.
    fn ports(&self, beside: bool) -> (u16, u16) {
        match &self.place {
            Place::Here { cluster, beside: other } => {
                if beside {
                    other.as_ref().map_or((0, 0), LocalCluster::ports)
                } else {
                    cluster.ports()
                }
            }
            Place::Lab { .. } => {
                if beside {
                    (26_000, 25_999)
                } else {
                    (27_760, 27_759)
                }
            }
        }
    }

    /// The present values of what nobody may see.
    fn secrets(&self) -> Vec<String> {
        (1..=self.text.env).flat_map(|n| [secret("env", n), secret("file", n), secret("key", n)]).collect()
    }

    /// Writes the description and the files that it names.
    pub(crate) fn write(&self) {
        let file = |name: &str, text: String| std::fs::write(self.dir().join(name), text).unwrap();
        let n = self.text.env;
        file("site/local.zeek", format!("# Site script {}.\n", self.text.script));
        file("site/data/intel.dat", format!("data {}\n", self.text.data));
        file("secret", format!("{}\n", secret("file", n)));
        file("node.key", format!("-----BEGIN PRIVATE KEY-----\n{}\n", secret("key", n)));
        file("cluster.yaml", self.described());
        if self.is("neighbour", "one") {
            file("beside.yaml", self.neighbour());
        }
    }

    fn described(&self) -> String {
        let mut text = String::new();
        let mut line = |l: String| {
            text.push_str(&l);
            text.push('\n');
        };
        let (base, control) = self.ports(false);
        line(format!("cluster: {}\nzeek:\n  prefix: {}", self.name, self.prefix("mgmt")));
        line(format!("  backend: {}\n  accept_unencrypted_zeromq: true", self.plan.value("backend")));
        line("  site: ./site\n  scripts: [local]".to_owned());
        if self.is("data", "some") {
            line("  site_data: [\"data/**\"]".to_owned());
        }
        let secret = match self.plan.value("secrets") {
            "env" => ", HUSH: { env: CASE_SECRET }",
            "file" => ", HUSH: { file: secret }",
            _ => "",
        };
        line(format!("  env: {{ PLAIN: \"{}\"{secret} }}", self.text.env));
        if self.is("backend", "zeromq") {
            line(format!("  curve: {}", self.plan.value("curve")));
        }
        if self.is("tls", "on") {
            line("  tls: { ca: ca.pem, certificate: node.pem, key: { file: node.key } }".to_owned());
        }
        let spool = self.spool().map(|s| format!(", spool: {s}")).unwrap_or_default();
        line(format!("paths: {{ base: {}{spool} }}", self.base()));
        line(format!("ports: {{ base: {base}, control: {control}, metrics: {} }}", base + 20));
        let metrics = if self.is("metrics", "loopback") { "loopback" } else { "off" };
        line(format!("metrics: {{ listen: {metrics} }}"));
        let archive = if self.is("archive", "on") { format!("archive: {}, ", self.archive()) } else { String::new() };
        let or = |factor: &str, other: &'static str| match self.plan.value(factor) {
            "" => other,
            value => value,
        };
        line(format!("logs: {{ {archive}rotate: {}, compress: {} }}", or("rotate", "2s"), or("compress", "gzip")));
        if self.is("limits", "on") {
            line("limits: { nofile: 4096, core: 1MiB, memory: 4GiB, nice: 3 }".to_owned());
        }
        line(format!("releases: {{ keep: {} }}\nlayout: {}", self.plan.value("keep"), or("layout", "minimal")));
        line("timeouts: { ready: 60s, stop: 10s, control: 5s }".to_owned());
        line(format!("runner: {}", or("runner", "process")));
        if let Place::Lab { lab, .. } = &self.place {
            let (config, user) = (lab.ssh_config(), self.plan.value("account"));
            line(format!("ssh: {{ config: {}, user: {user}, connect_timeout: 5s }}", config.display()));
        }
        self.hosts_and_nodes(&mut text);
        text
    }

    fn hosts_and_nodes(&self, text: &mut String) {
        let disabled = self.is("disabled host", "one");
        text.push_str("hosts:\n");
        let hosts = self.hosts();
        for host in &hosts {
            match &self.place {
                Place::Here { .. } if disabled => text.push_str("  here: { local: true, address: 127.0.0.1 }\n"),
                Place::Here { .. } => text.push_str("  here: { local: true }\n"),
                Place::Lab { .. } => {
                    let _ = writeln!(
                        text,
                        "  {host}: {{ address: {}, prefix: {} }}",
                        self.address(host),
                        self.prefix(host)
                    );
                }
            }
        }
        if disabled {
            let address = match &self.place {
                Place::Here { .. } => "127.0.0.9".to_owned(),
                Place::Lab { .. } => self.address("mgmt").rsplit_once('.').unwrap().0.to_owned() + ".250",
            };
            let _ = writeln!(text, "  away: {{ address: {address}, enabled: false }}");
        }
        text.push_str("nodes:\n");
        let pins = if self.is("pins", "on") { ", pin_cpus: [0, 1]" } else { "" };
        if self.is_standalone() {
            let pin = if self.is("pins", "on") { ", pin_cpus: 1" } else { "" };
            let _ = writeln!(text, "  zeek: {{ type: standalone, host: {}, interface: lo{pin} }}", hosts[0]);
            return;
        }
        let home = hosts[usize::from(self.text.moved && hosts.len() > 1)];
        let loggers = match self.plan.value("shape") {
            "one logger" => 1,
            "two loggers" => 2,
            _ => 0,
        };
        if loggers > 0 {
            let _ = writeln!(text, "  logger: {{ type: logger, host: {}, count: {loggers} }}", hosts[0]);
        }
        let _ = writeln!(text, "  manager: {{ type: manager, host: {home} }}");
        let _ = writeln!(text, "  proxy: {{ type: proxy, host: {home}, count: 1 }}");
        let sensors = if hosts.len() > 1 { &hosts[1..] } else { &hosts[..] };
        let (count, pins) = if hosts.len() > 1 { (1, "") } else { (2, pins) };
        let list = sensors.join(", ");
        let _ = writeln!(text, "  worker: {{ type: worker, hosts: [{list}], interface: lo, count: {count}{pins} }}");
        if self.text.more {
            let _ = writeln!(
                text,
                "  more: {{ type: worker, hosts: [{}], interface: lo, count: 1, first_index: 7 }}",
                sensors[0]
            );
        }
        if disabled {
            text.push_str("  far: { type: worker, hosts: [away], interface: lo, count: 1 }\n");
        }
    }

    fn address(&self, host: &str) -> &str {
        match &self.place {
            Place::Here { .. } => "127.0.0.1",
            Place::Lab { lab, .. } => &lab.hosts().iter().find(|h| h.name == host).unwrap().address,
        }
    }

    /// The cluster beside: same base folder, same account.
    fn neighbour(&self) -> String {
        let (base, control) = self.ports(true);
        let (host, prefix) = match &self.place {
            Place::Here { .. } => ("here: { local: true }".to_owned(), self.prefix("here")),
            Place::Lab { lab, .. } => (
                format!(
                    "here: {{ address: {} }}\nssh: {{ config: {}, user: {} }}",
                    self.address("sensor1"),
                    lab.ssh_config().display(),
                    self.plan.value("account")
                ),
                self.prefix("sensor1"),
            ),
        };
        let runner = if self.is("runner", "systemd") { "systemd" } else { "process" };
        format!(
            "cluster: {}-beside\nzeek: {{ prefix: {prefix}, backend: broker, scripts: [] }}\npaths: {{ base: {} }}\n\
             ports: {{ base: {base}, control: {control} }}\nmetrics: {{ listen: off }}\nrunner: {runner}\nhosts:\n  \
             {host}\nnodes:\n  manager: {{ type: manager, host: here }}\n  \
             proxy: {{ type: proxy, host: here, count: 1 }}\n  worker: {{ type: worker, host: here, interface: lo }}\n",
            self.name,
            self.base()
        )
    }

    /// A command of clusterctl.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = clusterctl(self.dir());
        command.env("CASE_SECRET", secret("env", self.text.env)).args(args);
        command
    }

    fn remember(&self, args: &[&str], said: &Said) {
        let last =
            |text: &str| text.trim_end().rsplit('\n').next().unwrap_or_default().chars().take(160).collect::<String>();
        self.note(&format!("{} -> {} ({})", args.join(" "), said.code, last(&said.stdout)));
    }

    pub(crate) fn note(&self, what: &str) {
        self.trail.borrow_mut().push(format!("{:5.1} s: {what}", self.begun.elapsed().as_secs_f64()));
    }

    pub(crate) fn trail(&self) -> String {
        self.trail.borrow().join("\n    ")
    }

    /// What any command says: an exit code of ours, no panic, no secret, and no advice to kill another cluster's nodes.
    fn proper(&self, args: &[&str], said: &Said) -> Checked {
        let what = args.join(" ");
        let text = format!("{}{}", said.stdout, said.stderr);
        if text.contains("panicked") || said.code == 101 {
            return Err(format!("NEVER: `{what}` panicked:\n{}", shown(said)));
        }
        if self.secrets().iter().any(|secret| text.contains(secret.as_str())) {
            return Err(format!("NEVER: `{what}` shows a secret:\n{}", shown(said)));
        }
        let beside = if args.contains(&"beside.yaml") { "-beside" } else { "" };
        kills_no_others(&text, &format!("{}{beside}", self.name), &self.all_hosts())
    }

    /// Runs a command that has to end with one of some codes.
    pub(crate) fn run(&self, args: &[&str], codes: &[i32]) -> Checked<Said> {
        let said = self.watch(args, |_, _| false)?;
        if codes.contains(&said.code) {
            Ok(said)
        } else {
            Err(format!(
                "`{}` ends with {} and not {codes:?}:\n{}\n{}",
                args.join(" "),
                said.code,
                said.stdout,
                said.stderr
            ))
        }
    }

    /// Runs a command, and calls for each line of its stderr with its process, until that says that it is enough.
    pub(crate) fn watch(&self, args: &[&str], at: impl FnMut(&str, u64) -> bool) -> Checked<Said> {
        let said = Watch(at).run_whatever(self.command(args));
        self.remember(args, &said);
        self.proper(args, &said)?;
        Ok(said)
    }

    fn subject<'a>(&self, secrets: &'a [String], run: &'a dyn Fn(&[&str]) -> Said, name: &'a str) -> Subject<'a> {
        Subject {
            name,
            hosts: self.all_hosts(),
            keep: self.plan.value("keep").parse().unwrap(),
            secrets,
            sockets: self.dir().join("run"),
            run,
        }
    }

    /// Checks all that holds after a step.
    pub(crate) fn hold(&self, settled: bool) -> Checked<Look> {
        let secrets = self.secrets();
        let wrong = RefCell::new(Ok(()));
        let run = |args: &[&str]| {
            let said = said(self.command(args));
            if let Err(why) = self.proper(args, &said) {
                *wrong.borrow_mut() = Err(why);
            }
            said
        };
        let subject = self.subject(&secrets, &run, &self.name);
        let seen = hold(&subject, &mut self.memory.borrow_mut(), settled)?;
        wrong.borrow().clone()?;
        self.undisturbed()?;
        Ok(seen)
    }

    /// Looks at the hosts alone.
    pub(crate) fn look(&self) -> Checked<Look> {
        let run = |_: &[&str]| unreachable!();
        look(&self.subject(&[], &run, &self.name))
    }

    /// Deploys the cluster beside.
    pub(crate) fn settle_beside(&mut self) -> Checked {
        if !self.is("neighbour", "one") {
            return Ok(());
        }
        self.run(&["-f", "beside.yaml", "deploy", "--yes"], &[0])?;
        self.beside = self.look_beside()?;
        if self.beside.len() == 3 { Ok(()) } else { Err(format!("beside run {:?}", self.beside)) }
    }

    fn look_beside(&self) -> Checked<BTreeMap<(String, String), u64>> {
        let name = format!("{}-beside", self.name);
        let run = |_: &[&str]| unreachable!();
        let mut subject = self.subject(&[], &run, &name);
        for host in &mut subject.hosts {
            host.home = format!("{}/{name}", self.base());
            host.spool.clone_from(&host.home);
        }
        Ok(look(&subject)?.processes.into_iter().map(|(key, process)| (key, process.pid)).collect())
    }

    /// Nobody has touched the cluster beside.
    fn undisturbed(&self) -> Checked {
        if self.beside.is_empty() {
            return Ok(());
        }
        let now = self.look_beside()?;
        if now == self.beside { Ok(()) } else { Err(format!("NEVER: beside ran {:?}, and now {now:?}", self.beside)) }
    }

    /// Forgets what ran beside: its host was booted.
    pub(crate) fn renew_beside(&mut self) -> Checked {
        if !self.beside.is_empty() {
            self.settle_beside()?;
        }
        Ok(())
    }

    /// Deploys until there is nothing to do, which is after at most one deploy that does something; then all is well.
    pub(crate) fn converge(&mut self) -> Checked<Look> {
        let mut nothing = false;
        for _ in 0..2 {
            let said = self.run(&["deploy", "--yes"], &[0])?;
            nothing = said.stdout.contains("nothing to do");
            if nothing {
                break;
            }
        }
        if !nothing {
            return Err(format!("two deploys, and still something to do:\n{}", self.run(&["diff"], &[0])?.stdout));
        }
        (self.deployed, self.cut) = (true, false);
        let seen = self.hold(true)?;
        self.well()?;
        Ok(seen)
    }

    /// All runs and answers.
    pub(crate) fn well(&self) -> Checked {
        let limit = Instant::now() + Duration::from_secs(120);
        loop {
            let args = ["status", "-o", "json"];
            let said = said(self.command(&args));
            self.proper(&args, &said)?;
            // A Zeek of somebody else's on this machine does not count.
            let troubles = said.json()["data"]["troubles"].clone();
            let strays =
                troubles.as_array().is_some_and(|t| t.iter().all(|t| t["what"].to_string().contains("unmanaged")));
            if is_well(&said) || (said.code == 5 && strays) {
                return Ok(());
            }
            if Instant::now() > limit {
                return Err(format!("not well for two minutes: {troubles:#}"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Sends a signal to a process of a host.
    pub(crate) fn signal(&self, host: &str, signal: &str, pid: u64) {
        let (signal, pid) = (format!("-{signal}"), pid.to_string());
        match &self.place {
            Place::Here { .. } => drop(Command::new("kill").args([&signal, &pid]).status()),
            Place::Lab { lab, .. } => drop(lab.try_exec(host, &["kill", &signal, &pid])),
        }
    }

    /// Boots a host of the cluster again, and returns its name.
    pub(crate) fn reboot(&mut self) -> &'static str {
        let hosts = self.hosts();
        let host = hosts[self.random.usize(..hosts.len())];
        if let Place::Lab { lab, .. } = &self.place {
            lab.does("reboot", [host]);
        }
        host
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::env::var_os("CLUSTERCTL_KEEP").is_some() {
            eprintln!("kept: {}", self.dir().display());
            if let Place::Here { cluster, .. } = &mut self.place {
                cluster.keep();
            }
            return;
        }
        let mut files = vec!["cluster.yaml"];
        if self.is("neighbour", "one") {
            files.push("beside.yaml");
        }
        for file in files {
            let _ = self.command(&["-f", file, "stop", "-q"]).output();
        }
        // A host that left, or a case that went wrong, may have something left.
        if let Ok(seen) = self.look() {
            for ((host, _), process) in seen.processes {
                self.signal(&host, "KILL", process.pid);
            }
        }
        if let Place::Lab { lab, .. } = &self.place {
            for host in lab.hosts() {
                let script = "rm -rf /var/lib/clusterctl/\"$1\"* /srv/spool/\"$1\"* /srv/archive/\"$1\"*";
                lab.try_exec(&host.name, &["sh", "-c", script, "sh", &self.name]);
            }
        }
    }
}

/// The last lines of what a command said, without what only programs want to read.
pub(crate) fn shown(said: &Said) -> String {
    let last = |text: &str| {
        let lines: Vec<String> = text.lines().map(|l| l.chars().take(300).collect()).collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    };
    format!("{}\n{}", last(&said.stdout), last(&said.stderr))
}

fn secret(of: &str, number: u32) -> String {
    format!("hush-{of}-{number}-not-for-anybody")
}
