//! What a host has, beside what its nodes need. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::DoctorFacts;
use super::needs::{Needs, SESSIONS, own_archive};
use super::report::{HostCheck, HostReport, Verdict};
use crate::cluster::{Archive, Cluster, CoreLimit, Folders, Host, RunnerKind};
use crate::nodes::is_in_the_way;
use crate::observed::FolderSetup;
use crate::release::FORMAT;
use crate::transport::Failure;
use crate::values::{Version, shell_word};

/// By how many seconds clocks may differ: records of one flow would stand in the wrong order, and certificates and
/// Broker's stores are not this narrow.
const CLOCK: i64 = 5;
/// What makes a network interface work: `IFF_UP` of linux/if.h.
const UP: u32 = 1;
/// The hint of what takes root: the commands stand at the end of the report.
const ROOT: &str = "run the command below as root";

/// The checks of one host, as they grow.
struct Preflight<'a> {
    cluster: &'a Cluster,
    host: &'a Host,
    facts: &'a DoctorFacts,
    needs: &'a Needs<'a>,
    checks: Vec<HostCheck>,
    as_root: Vec<String>,
}

pub(crate) fn host(
    cluster: &Cluster,
    index: usize,
    facts: &DoctorFacts,
    needs: &Needs<'_>,
    all: &BTreeMap<usize, Result<DoctorFacts, Failure>>,
) -> HostReport {
    let host = &cluster.hosts[index];
    let mut judge = Preflight { cluster, host, facts, needs, checks: Vec::new(), as_root: Vec::new() };
    judge.way(index, all);
    judge.address();
    judge.tools();
    let version = judge.zeek(all);
    judge.capture();
    judge.cpus();
    judge.folders();
    judge.keys();
    if let Some(version) = version {
        judge.ports(version);
    }
    judge.clock();
    judge.runner();
    judge.limits();
    judge.archiver();
    HostReport { host: host.name.clone(), checks: judge.checks, as_root: judge.as_root }
}

/// Returns the version in what `zeek --version` said.
fn version_of(said: &str) -> Option<(Version, &str)> {
    let number = said.rsplit(' ').next()?;
    Some((number.parse().ok()?, number))
}

impl Preflight<'_> {
    fn add(&mut self, what: &'static str, verdict: Verdict, found: impl Into<String>, hint: Option<String>) {
        self.checks.push(HostCheck { what, verdict, found: found.into(), hint });
    }

    fn good(&mut self, what: &'static str, found: impl Into<String>) {
        self.add(what, Verdict::Good, found, None);
    }

    fn bad(&mut self, what: &'static str, found: impl Into<String>, hint: impl Into<String>) {
        self.add(what, Verdict::Bad, found, Some(hint.into()));
    }

    fn root(&mut self, command: String) {
        if !self.as_root.contains(&command) {
            self.as_root.push(command);
        }
    }

    fn is_root(&self) -> bool {
        self.facts.uid == 0
    }

    /// How the host is reached, and that it is no other.
    fn way(&mut self, index: usize, all: &BTreeMap<usize, Result<DoctorFacts, Failure>>) {
        let facts = self.facts;
        let twin = all.iter().find(|(other, answer)| {
            **other != index
                && facts.machine.len() > 1
                && answer.as_ref().is_ok_and(|f| (&f.machine, &f.boot) == (&facts.machine, &facts.boot))
        });
        if let Some((other, _)) = twin {
            let other = &self.cluster.hosts[*other].name;
            self.bad("ssh", format!("is the same machine as {other}"), "give each machine one name under `hosts`");
        }
        match &facts.sessions {
            Some(failure) => {
                let found = format!("cannot open {SESSIONS} sessions at a time: {}", failure.text());
                let hint = failure.hint(&self.host.name);
                self.add("ssh", Verdict::Bad, found, hint);
            }
            None => self.good("ssh", if self.host.local { "local" } else { "answers" }),
        }
        if let Some(failure) = &facts.forbids {
            let found = format!("{}: the nodes can't be asked through this host", failure.text());
            let hint = failure.hint(&self.host.name).unwrap_or_default();
            self.bad("ssh", found, format!("{hint}; without it, only the nodes' own answers are missing"));
        }
    }

    fn tools(&mut self) {
        let mut missing: Vec<&str> = self.facts.lacks.iter().map(String::as_str).collect();
        let pinned = self.needs.nodes.iter().any(|n| n.cpu.is_some());
        for (tool, needed) in [("taskset", pinned), ("timeout", true)] {
            if needed && !self.facts.has(tool) {
                missing.push(tool);
            }
        }
        if missing.is_empty() {
            self.good("tools", "all found");
        } else {
            self.bad(
                "tools",
                format!("missing: {}", missing.join(", ")),
                "install them: coreutils, findutils, util-linux",
            );
        }
    }

    /// Returns the version that the host has.
    fn zeek(&mut self, all: &BTreeMap<usize, Result<DoctorFacts, Failure>>) -> Option<Version> {
        let path = format!("{}/bin/zeek", self.host.prefix);
        match self.facts.zeek.as_str() {
            "missing" => {
                self.bad("zeek", format!("there is no {path}"), "set `zeek.prefix`, or `prefix` of the host");
                return None;
            }
            "noexec" => {
                self.bad("zeek", format!("{} cannot run {path}", self.facts.user), "check that it is the right file");
                return None;
            }
            _ => {}
        }
        let Some((version, number)) = version_of(&self.facts.zeek) else {
            let found = format!("`{path} --version` printed no version: {}", self.facts.zeek);
            self.bad("zeek", found, format!("try `{path} --version` there"));
            return None;
        };
        let others: BTreeSet<Version> = all
            .values()
            .filter_map(|a| Some(version_of(&a.as_ref().ok()?.zeek)?.0))
            .filter(|other| *other != version)
            .collect();
        if let Some(named) = self.cluster.zeek.version.filter(|named| *named != version) {
            let hint = "change `zeek.version`, or install that version";
            self.bad("zeek", format!("the host has {number}, the description says {named}"), hint);
        } else if let Some(other) = others.first() {
            let hint = "a cluster runs one version of Zeek: install the same version on all hosts";
            self.bad("zeek", format!("the host has {number}, other hosts have {other}"), hint);
        } else {
            self.good("zeek", number);
        }
        Some(version)
    }

    /// CPUs that nodes are pinned to.
    fn cpus(&mut self) {
        let confined = self.cluster.runner == RunnerKind::Process;
        let pinned: Vec<_> = self.needs.nodes.iter().filter_map(|n| Some((n.name.as_str(), n.cpu?))).collect();
        let refused: Vec<String> = pinned
            .iter()
            .filter_map(|(name, cpu)| Some((name, self.facts.cpus.refuses(*cpu, confined)?)))
            .map(|(name, why)| format!("{name}: {why}"))
            .collect();
        match refused.as_slice() {
            [] if pinned.is_empty() => {}
            [] => self.good("cpus", "the host has the CPUs that nodes are pinned to"),
            [first, more @ ..] => {
                let more = if more.is_empty() { String::new() } else { format!("; and {} more nodes", more.len()) };
                self.bad("cpus", format!("{first}{more}"), "change `pin_cpus` of the nodes there");
            }
        }
    }

    /// What capturing needs: interfaces, the packet source, capabilities.
    fn capture(&mut self) {
        let (needs, facts) = (self.needs, self.facts);
        for name in &needs.interfaces {
            match facts.interfaces.get(*name).copied().flatten() {
                None => self.bad(
                    "interfaces",
                    format!("there is no interface {name}"),
                    "set `interface` of the workers there",
                ),
                Some(flags) if flags & UP == 0 => {
                    self.bad("interfaces", format!("{name} is down"), ROOT);
                    self.root(format!("ip link set {name} up"));
                }
                Some(_) => self.good("interfaces", format!("{name} is up")),
            }
        }
        if needs.af_packet && facts.af_packet == Some(false) {
            let hint = "install the plugin zeek-af_packet-plugin, or capture without `af_packet::`";
            self.bad("plugins", "Zeek has no AF_Packet plugin there", hint);
        }
        let captures = needs.nodes.iter().any(|n| n.interface.is_some());
        if !captures || self.is_root() || matches!(facts.zeek.as_str(), "missing" | "noexec" | "") {
            return;
        }
        let handed = facts.has.iter().any(|has| has.contains("CAP_NET_RAW"));
        if handed && self.cluster.runner == RunnerKind::Systemd {
            self.good(
                "capabilities",
                format!("the systemd manager of {} gives nodes the capability to capture", facts.user),
            );
            return;
        }
        let command = format!("setcap cap_net_raw+eip {}/bin/zeek", shell_word(&self.host.prefix));
        match &facts.capabilities {
            None => self.add(
                "capabilities",
                Verdict::Note,
                "cannot tell whether Zeek may capture packets: getcap is not installed",
                Some(format!("if it may not, run as root: {command}")),
            ),
            Some(said) if said.contains("cap_net_raw") => self.good("capabilities", "Zeek may capture"),
            Some(_) => {
                let found = format!("{} may not capture packets: Zeek lacks cap_net_raw", facts.user);
                self.bad("capabilities", found, format!("{ROOT}, again after each Zeek upgrade"));
                self.root(command);
            }
        }
    }

    fn folders(&mut self) {
        let folders = Folders::of(&self.cluster.name, self.host);
        let archive = own_archive(self.cluster).map(str::to_owned);
        let wanted = [("base", Some(folders.home)), ("spool", Some(folders.spool)), ("archive", archive)];
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (what, path) in wanted {
            let Some(path) = path else { continue };
            if let Some(folder) = self.facts.folders.get(what).filter(|_| seen.insert(path.clone())) {
                self.folder(what, &path, folder);
            }
        }
        self.ways();
        match self.facts.format.as_deref().map(str::parse::<u32>) {
            None => {}
            Some(Ok(format)) if format <= FORMAT => {}
            Some(found) => {
                let found = found.map_or_else(|_| "unknown".to_owned(), |f| f.to_string());
                let hint = "use the clusterctl that made it, or a newer one";
                self.bad(
                    "folders",
                    format!("the folder has the format {found}, this clusterctl knows the format {FORMAT}"),
                    hint,
                );
            }
        }
    }

    /// Whether the layout has an address of this machine.
    fn address(&mut self) {
        let (address, own) = (self.host.address, &self.facts.addresses);
        if !own.is_empty() && !address.is_loopback() && !own.contains(&address) {
            let found = format!("{address} is not an address of this machine");
            let hint = format!("check `address` of {}: its nodes cannot listen there", self.host.name);
            self.add("address", Verdict::Note, found, Some(hint));
        }
    }

    /// Whether it has the keys that its nodes need.
    fn keys(&mut self) {
        if !self.facts.missing_secrets.is_empty() {
            let found = format!("missing: {}: nodes there cannot start again", self.facts.missing_secrets.join(", "));
            self.bad("keys", found, "clusterctl deploy brings them");
        }
        if let Some(odd) = self.facts.odd_secrets.first() {
            let found = format!("the current release names {odd:?}, which is not the name of a secret");
            self.bad("keys", found, "clusterctl deploy writes it anew");
        }
    }

    /// Whether others could replace what is run.
    fn ways(&mut self) {
        let (uid, user) = (self.facts.uid, self.facts.user.clone());
        let mut seen = BTreeSet::new();
        for component in self.facts.ways.iter().filter(|c| seen.insert(c.path.as_str())) {
            let Some(flaw) = component.flaw(uid, &user) else { continue };
            let command = format!("{} {}", flaw.command, shell_word(&component.path));
            let what = if component.what == "zeek" { "zeek" } else { "folders" };
            let found = format!("not safe: {}", flaw.what);
            if flaw.root && uid != 0 {
                self.bad(what, found, ROOT);
                self.root(command);
            } else {
                self.bad(what, found, command);
            }
        }
    }

    fn folder(&mut self, what: &'static str, path: &str, folder: &FolderSetup) {
        let exists = folder.path == path;
        let user = self.facts.user.clone();
        // What is wrong with the way there is told once.
        let told = self.facts.ways.iter().any(|c| c.path == folder.path);
        let others = !told && folder.mode.is_some_and(|mode| mode & 0o022 != 0);
        let foreign = exists && !told && folder.owner.is_some_and(|owner| owner != self.facts.uid);
        // What root would make is the configured folder, below which ours lies.
        let make = match what {
            "base" => self.host.base.clone(),
            "spool" => self.host.spool.clone(),
            _ => path.to_owned(),
        };
        let own = format!("install -d -o {} {}", shell_word(&user), shell_word(&make));
        if !folder.writable && !exists {
            self.bad("folders", format!("{path} does not exist, and {user} cannot create it in {}", folder.path), ROOT);
            self.root(own);
        } else if !folder.writable {
            self.bad(
                "folders",
                format!("{user} cannot write to {path}"),
                "check its owner, and whether it is mounted read-only",
            );
        } else if foreign && what != "archive" {
            self.bad("folders", format!("{path} does not belong to {user}"), ROOT);
            self.root(format!("chown -R {} {}", shell_word(&user), shell_word(path)));
        } else if exists && others && what != "archive" {
            self.bad(
                "folders",
                format!("{path} is writable by other users"),
                format!("chmod go-w {}", shell_word(path)),
            );
        } else {
            self.good("folders", format!("{user} can write to {path}"));
        }
        match folder.room.zip(folder.free_percent()) {
            Some(((_, free), percent)) => {
                let free = bytesize::ByteSize(free.saturating_mul(1024));
                if percent == 0 || self.cluster.logs.is_low(percent) {
                    self.bad("disk", format!("only {free} ({percent} %) free for {path}"), "free some space there");
                } else {
                    self.good("disk", format!("{free} ({percent} %) free for {path}"));
                }
            }
            None => self.add("disk", Verdict::Note, format!("df does not report the free space for {path}"), None),
        }
    }

    fn ports(&mut self, version: Version) {
        let needs = self.needs;
        let listens = needs.listens(version);
        let mut taken: Vec<(String, String)> = Vec::new();
        for (node, port) in listens {
            if let Some(listener) = self.facts.listeners.iter().find(|l| is_in_the_way(l, *port)) {
                let hint = format!("end that process, or write another `{}`", port.setting);
                taken.push((format!("{node}: {}", listener.words()), hint));
            }
        }
        for (words, hint) in &taken {
            self.bad("ports", words.clone(), hint.clone());
        }
        let mut loose: Vec<u16> = listens.iter().map(|(_, l)| l.port).filter(|p| self.facts.is_ephemeral(*p)).collect();
        loose.sort_unstable();
        loose.dedup();
        if !loose.is_empty() {
            let (low, high) = self.facts.ephemeral.unwrap_or_default();
            let ports = port_list(&loose);
            let found = format!("{ports}: the kernel gives ports from {low} to {high} to any program");
            self.bad("ports", found, format!("set `ports.base` below that; or to reserve them, {ROOT}"));
            // It sets all of them, so those of before are named as well.
            let before: String = self.facts.reserved.iter().map(|range| port_range(*range) + ",").collect();
            self.root(format!("sysctl -w net.ipv4.ip_local_reserved_ports={before}{ports}"));
        }
        if taken.is_empty() && loose.is_empty() {
            self.good("ports", format!("{} free, or used by its own nodes", listens.len()));
        }
    }

    fn clock(&mut self) {
        let ahead = self.facts.ahead;
        if ahead.abs() <= CLOCK {
            self.good("clock", "as on this machine");
            return;
        }
        let by = humantime::format_duration(std::time::Duration::from_secs(ahead.unsigned_abs()));
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        self.bad("clock", format!("{by} {way} the clock of this machine"), "let chrony or another NTP client set it");
    }

    fn runner(&mut self) {
        let facts = self.facts;
        let enable = format!("loginctl enable-linger {}", shell_word(&facts.user));
        match self.cluster.runner {
            RunnerKind::Process => {
                // logind spares root (KillExcludeUsers).
                if facts.kills && !facts.linger && !self.is_root() {
                    let found = format!("logind ends the nodes when {} logs out", facts.user);
                    self.bad("runner", found, ROOT);
                    self.root(enable);
                } else {
                    self.good("runner", "nodes keep running after a log-out");
                }
            }
            RunnerKind::Systemd if !facts.has("systemd") => {
                self.bad("runner", "systemd does not run here", "write `runner: process`");
            }
            RunnerKind::Systemd if self.is_root() => self.good("runner", "systemd"),
            RunnerKind::Systemd => {
                if !facts.linger {
                    let found = format!("the systemd manager of {} ends when that user logs out", facts.user);
                    self.bad("runner", found, ROOT);
                    self.root(enable);
                } else if facts.has("usermanager") {
                    self.good("runner", format!("the systemd manager of {}", facts.user));
                } else {
                    let hint = format!("run as root: systemctl start user@{}.service", facts.uid);
                    self.bad("runner", format!("the systemd manager of {} does not run", facts.user), hint);
                }
            }
        }
    }

    /// Limits that nodes are to have, and the runner can't give them: nobody but root raises a hard limit, and nobody one
    /// of the kernel's.
    fn limits(&mut self) {
        let limits = || self.needs.nodes.iter().map(|n| &n.limits);
        if limits().all(|l| l.nofile.is_none() && l.core.is_none() && l.memory.is_none()) {
            return;
        }
        let process = self.cluster.runner == RunnerKind::Process;
        let kind = if process { "process" } else { "systemd" };
        let most = |kind: &str, limit: &str| self.facts.at_most.get(&(kind.to_owned(), limit.to_owned())).copied();
        let core = |limit: &CoreLimit| match limit {
            CoreLimit::Unlimited => u64::MAX,
            CoreLimit::Bytes(bytes) => *bytes,
        };
        let mut short = Vec::new();
        for (limit, wanted) in [
            ("nofile", limits().filter_map(|l| l.nofile).max()),
            ("core", limits().filter_map(|l| l.core.as_ref().map(core)).max()),
            // A unit's memory is no limit of this kind.
            ("memory", limits().filter_map(|l| l.memory).max().filter(|_| process)),
        ] {
            let Some(wanted) = wanted else { continue };
            for kind in ["kernel", kind] {
                if (kind == "kernel" || !self.is_root())
                    && let Some(most) = most(kind, limit).filter(|most| wanted > *most)
                {
                    short.push((limit, wanted, most, kind));
                }
            }
        }
        if short.is_empty() {
            self.good("limits", "the host allows the limits of its nodes");
        }
        let number = |n: u64| if n == u64::MAX { "unlimited".to_owned() } else { n.to_string() };
        for (limit, wanted, most, kind) in short {
            let user = &self.facts.user;
            let who = if kind == "kernel" { "a process" } else { user };
            let found = format!("`limits.{limit}` is {}, but {who} may have at most {}", number(wanted), number(most));
            self.raise(limit, wanted, kind, found);
        }
    }

    /// Tells of a limit that is too low, and how root raises it.
    fn raise(&mut self, limit: &str, wanted: u64, kind: &str, found: String) {
        match kind {
            "kernel" => {
                self.bad("limits", found, format!("lower it, or {ROOT}"));
                self.root(format!("sysctl -w fs.nr_open={wanted}"));
            }
            "process" => {
                // limits.conf(5) counts all but files in KiB.
                let (name, value) = match limit {
                    "nofile" => ("nofile", wanted.to_string()),
                    "core" if wanted == u64::MAX => ("core", "unlimited".to_owned()),
                    "core" => ("core", wanted.div_ceil(1024).to_string()),
                    _ => ("as", wanted.div_ceil(1024).to_string()),
                };
                self.bad("limits", found, format!("{ROOT}; it holds for new logins (sshd: UsePAM yes)"));
                let line = shell_word(&format!("{} hard {name} {value}", self.facts.user));
                self.root(format!("echo {line} >>/etc/security/limits.conf"));
            }
            _ => {
                let unit = format!("user@{}.service", self.facts.uid);
                let setting = if limit == "nofile" { "LimitNOFILE" } else { "LimitCORE" };
                let value = if wanted == u64::MAX { "infinity".to_owned() } else { wanted.to_string() };
                self.bad("limits", found, format!("{ROOT}; it restarts that user's systemd and all nodes"));
                self.root(format!("mkdir -p /etc/systemd/system/{unit}.d"));
                self.root(format!(
                    "printf '[Service]\\n{setting}={value}\\n' >/etc/systemd/system/{unit}.d/{limit}.conf"
                ));
                self.root(format!("systemctl daemon-reload && systemctl restart {unit}"));
            }
        }
    }

    fn archiver(&mut self) {
        if self.cluster.logs.archive == Archive::Off || !self.needs.nodes.iter().any(|n| self.writes(&n.name)) {
            return;
        }
        if self.facts.has("archiver") {
            self.good("archiver", "zeek-archiver is there");
        } else {
            let hint = "install it beside Zeek; or write `logs: { archive: off }`, and move rotated logs out of log-queue yourself";
            let found = format!("there is no {}/bin/zeek-archiver: rotated logs wait in log-queue", self.host.prefix);
            self.bad("archiver", found, hint);
        }
    }

    fn writes(&self, node: &str) -> bool {
        self.cluster.log_writers().any(|n| n.name == node) || self.cluster.is_standalone()
    }
}

/// Lists ports, sorted, as the kernel reads them: `10041,27762-27764`.
fn port_list(ports: &[u16]) -> String {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for port in ports {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*port) => *last = *port,
            _ => runs.push((*port, *port)),
        }
    }
    runs.into_iter().map(port_range).collect::<Vec<_>>().join(",")
}

fn port_range((first, last): (u16, u16)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}
