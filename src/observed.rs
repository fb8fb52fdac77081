//! What a host answered to `templates/observe.sh`: the types and their parser. The lines come without their token;
//! what they quote from files is other people's bytes and is never taken for more than text.

use std::collections::BTreeMap;

use serde::Serialize;

/// The name of a host's archiver among the nodes' folders (`release::ARCHIVER`).
const ARCHIVER: &str = "log-archiver";

/// What is known of a host.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct Observed {
    /// `/etc/machine-id`, or `-`.
    pub machine_id: String,
    /// The boot id.
    pub boot_id: String,
    /// Seconds since boot.
    pub uptime: f64,
    /// The host's clock, in seconds since 1970.
    pub epoch: i64,
    /// Its hostname.
    pub hostname: String,
    /// The version of the folder's form; none where there is no folder yet.
    pub format: Option<String>,
    /// The current release.
    pub current: Option<String>,
    /// Zeek's version and the backend of the current release.
    pub running: Option<(String, String)>,
    /// Size and modification time of the Zeek binary; none where it is missing.
    pub binary: Option<Binary>,
    /// What `zeek --version` says; only when all was asked for.
    pub version: Option<String>,
    /// Who holds the host's lock.
    pub lock: Option<String>,
    /// The operation that holds it.
    pub lock_operation: Option<String>,
    /// Lines of an operation that has not ended.
    pub journal: Vec<String>,
    /// Nodes that have a folder there, by name.
    pub nodes: BTreeMap<String, ObservedNode>,
    /// Zeek processes that are none of these nodes'.
    pub strays: Vec<Stray>,
    /// Releases that lie there; only when all was asked for.
    pub releases: Vec<Kept>,
    /// What the last deploy left to be done: `left` and the host that left the description.
    pub pending: Vec<String>,
    /// The names of the secrets that the current release needs.
    pub needs: Vec<String>,
    /// SHA-256 and name of the secrets that are there; only when all was asked for.
    pub secrets: Vec<(String, String)>,
    /// The current release's manifest.
    pub manifest: Vec<String>,
    /// Free space in KiB, by mount point.
    pub free: Vec<(String, u64)>,
    /// What archives the logs there; none where nothing was ever started for it.
    pub archiver: Option<ObservedNode>,
    /// Whether Zeek's `zeek-archiver` lies beside the Zeek binary.
    pub can_archive: bool,
    /// Rotated logs that wait for the archive.
    pub queue: Queue,
    /// How often the host maintains itself, in seconds, and since when; none where that is not installed.
    pub maintain: Option<(u64, i64)>,
    /// When the host last maintained itself, in seconds since 1970.
    pub maintained: Option<i64>,
    /// Whether the cluster's folder can't be written.
    pub readonly: bool,
    /// Whether logind ends a user's processes when he logs out, and he does not linger.
    pub logind_kills: bool,
    /// Whether there is a systemd for the runner of that name: `ready`, `none`, or `linger USER` where the user's own
    /// manager does not run without him; none where it was not asked for.
    pub systemd: Option<String>,
    /// Whether the script came to its end.
    pub complete: bool,
}

/// Rotated logs that wait for the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// How many.
    pub logs: u64,
    /// For how many seconds the oldest has been waiting; none where none does.
    pub age: Option<u64>,
}

/// A release that lies on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// When it was made the current one, in seconds since 1970 by the operator's clock; none: never.
    pub time: Option<i64>,
    /// Who did.
    pub who: String,
    /// By which command.
    pub command: String,
    /// Zeek's version.
    pub zeek: String,
    /// Zeek's prefix.
    pub prefix: String,
}

impl Kept {
    /// When it was made the current one, by the operator's clock.
    pub fn when(&self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_second(self.time?).ok()
    }
}

/// What tells one Zeek binary from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// In bytes.
    pub size: u64,
    /// In seconds since 1970.
    pub mtime: i64,
}

/// What is known of a node's folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ObservedNode {
    /// Whether it is meant to run, and in which release; none where nobody ever said.
    pub wanted: Option<Wanted>,
    /// The release that its last process was started from.
    pub release: Option<String>,
    /// How often its supervisor has restarted it.
    pub restarts: u32,
    /// The inputs of its last process: a digest for each.
    pub inputs: BTreeMap<String, String>,
    /// The inputs that the current release would give it.
    pub due: BTreeMap<String, String>,
    /// The Zeek binary that the current release was made for.
    pub made: Option<Binary>,
    /// The first word of `.status`.
    pub status: Option<String>,
    /// The boot in which its last process was started.
    pub boot_id: Option<String>,
    /// How its last process ended; none while it runs.
    pub exit: Option<Exit>,
    /// How the process before the one that runs ended.
    pub last: Option<Exit>,
    /// Whether its supervisor lives.
    pub supervised: bool,
    /// Whether a stop was asked for.
    pub stopping: bool,
    /// Its process; none where it does not run.
    pub process: Option<Process>,
}

/// Whether a node is meant to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// It is, in this release.
    Running(String),
    /// It is not.
    Stopped,
}

/// How a process ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exit {
    /// The pid it had.
    pub pid: Option<u32>,
    /// The shell's status: above 128 a signal.
    pub status: Option<i32>,
    /// Seconds since boot when it ended.
    pub at: u64,
    /// How many seconds it had run.
    pub ran: u64,
    /// How many times in a row it has ended soon.
    pub tries: u32,
    /// What the runner does next.
    pub next: Next,
    /// Why it was not started at all.
    pub refused: Option<String>,
    /// Why it ended, where its runner knows more than the status.
    pub why: Option<String>,
    /// The folder of what it left, below the cluster's `crash/<node>/`.
    pub crash: Option<String>,
}

/// What a runner does after a node has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it was asked to stop.
    #[default]
    Stopped,
    /// Nothing: restarts are switched off.
    Never,
    /// Nothing: it gave up.
    Failed,
    /// Starts it again after so many seconds.
    Restart(u64),
}

/// A running process.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    /// Its pid.
    pub pid: u32,
    /// Seconds since it was started.
    pub uptime: f64,
    /// Processor time in per cent of one CPU, over its life, as ps(1) counts it.
    pub cpu: f64,
    /// Resident memory in bytes.
    pub resident: u64,
}

/// A Zeek process that is no node of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stray {
    /// Its pid.
    pub pid: u32,
    /// Its `CLUSTER_NODE`, where its environment can be read.
    pub cluster_node: Option<String>,
    /// Its `CLUSTERCTL` (cluster/node): then clusterctl started it.
    pub clusterctl: Option<String>,
    /// Its command line.
    pub cmdline: String,
}

/// Clock ticks a second in /proc/PID/stat: `USER_HZ`, 100 on every architecture that Zeek runs on.
const TICKS: f64 = 100.0;

impl Exit {
    /// Says it in words.
    pub fn text(&self) -> String {
        if let Some(why) = &self.refused {
            return format!("not started: {why}");
        }
        let how = self.how();
        match &self.why {
            Some(why) => format!("{how}, {why}"),
            None => how,
        }
    }

    /// Reads a line of what the runner recorded.
    fn take(&mut self, line: &str) {
        let Some((key, value)) = line.split_once(' ') else { return };
        match key {
            "id" => self.pid = value.split(' ').nth(1).and_then(|p| p.parse().ok()),
            "status" => self.status = value.parse().ok(),
            "at" => self.at = value.parse().unwrap_or_default(),
            "ran" => self.ran = value.parse().unwrap_or_default(),
            "tries" => self.tries = value.parse().unwrap_or_default(),
            "why" => self.why = Some(value.to_owned()),
            "crash" => self.crash = Some(value.to_owned()),
            "refused" => self.refused = Some(value.to_owned()),
            "next" => {
                self.next = match value {
                    "never" => Next::Never,
                    "failed" => Next::Failed,
                    "stopped" => Next::Stopped,
                    seconds => seconds.parse().map_or(Next::Failed, Next::Restart),
                };
            }
            _ => {}
        }
    }

    fn how(&self) -> String {
        match self.status {
            Some(status) if status > 128 => match signal_name(status - 128) {
                Some(name) => name.to_owned(),
                None => format!("signal {}", status - 128),
            },
            Some(status) => format!("exit {status}"),
            None => "exit status unknown".to_owned(),
        }
    }
}

/// Returns the name of a signal, by its number on Linux (signal(7)); none for those that say nothing here.
fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return None,
    })
}

impl Binary {
    fn parse(text: &str) -> Option<Self> {
        let (size, mtime) = text.split_once(' ')?;
        Some(Self { size: size.parse().ok()?, mtime: mtime.parse().ok()? })
    }
}

/// Reads `DIGEST NAME`.
fn input(text: &str) -> Option<(String, String)> {
    text.split_once(' ').map(|(digest, name)| (name.to_owned(), digest.to_owned()))
}

/// An operation that did not come to its end, as a host's journal tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Who, from where, what and when.
    pub holder: String,
    /// The release that was current before; none: none was.
    pub from: Option<String>,
    /// The release that it led to.
    pub to: Option<String>,
    /// The last that it did there.
    pub step: String,
}

impl Unfinished {
    /// The command: `deploy`, `rollback`. The holder's line is `WHO (pid N): COMMAND, since WHEN`.
    pub fn command(&self) -> &str {
        let rest = self.holder.rsplit_once("): ").map_or("", |(_, rest)| rest);
        rest.split(',').next().unwrap_or_default()
    }

    /// Says it in words.
    pub fn text(&self) -> String {
        let way = match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!(" from {from} to {to}"),
            (None, Some(to)) => format!(" to {to}"),
            _ => String::new(),
        };
        let step = if self.step.is_empty() { "nothing that is known" } else { &self.step };
        format!("{}{way}; the last that it did there: {step}", self.holder)
    }
}

impl Observed {
    /// Returns the operation that did not come to its end; the first, where several did not.
    pub fn unfinished(&self) -> Option<Unfinished> {
        let (_, holder) = self.journal.first()?.split_once(' ')?;
        let mut unfinished = Unfinished { holder: holder.to_owned(), ..Unfinished::default() };
        let mut known = false;
        for line in &self.journal[1..] {
            match line.split_once(' ') {
                Some(("from", id)) if !known => {
                    known = true;
                    unfinished.from = Some(id.to_owned()).filter(|id| id != "-");
                }
                Some(("to", id)) => unfinished.to = Some(id.to_owned()),
                Some(("did", step)) => step.clone_into(&mut unfinished.step),
                _ => {}
            }
        }
        Some(unfinished)
    }

    /// Reads the lines of a host's answer. Lines that mean nothing are passed over.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Self {
        let mut host = Self::default();
        let mut node: Option<(String, ObservedNode)> = None;
        for line in lines {
            let line = line.as_ref();
            let (word, value) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "node" | "nodes" => {
                    match node.take() {
                        Some((name, done)) if name == ARCHIVER => host.archiver = Some(done),
                        Some((name, done)) => drop(host.nodes.insert(name, done)),
                        None => {}
                    }
                    if word == "node" {
                        node = Some((value.to_owned(), ObservedNode::default()));
                    }
                }
                "want" | "run" | "due" | "made" | "exit" | "last" | "stop" | "status" | "supervised" | "process"
                | "resident" => {
                    if let Some((_, node)) = &mut node {
                        node.take(word, value, host.uptime);
                    }
                }
                _ => host.take(word, value),
            }
        }
        host
    }

    fn take(&mut self, word: &str, value: &str) {
        match word {
            "host" => {
                let mut parts = value.split(' ');
                let mut next = || parts.next().unwrap_or_default();
                next().clone_into(&mut self.machine_id);
                next().clone_into(&mut self.boot_id);
                self.uptime = next().parse().unwrap_or_default();
                self.epoch = next().parse().unwrap_or_default();
                next().clone_into(&mut self.hostname);
            }
            "format" => self.format = Some(value.to_owned()),
            "current" => self.current = Some(value.to_owned()),
            "binary" => {
                self.binary = value
                    .split_once(' ')
                    .and_then(|(size, mtime)| Some(Binary { size: size.parse().ok()?, mtime: mtime.parse().ok()? }));
            }
            "running" => {
                self.running = value.split_once(' ').map(|(v, b)| (v.to_owned(), b.to_owned()));
            }
            "version" => self.version = Some(value.to_owned()),
            // `id BOOT PID START OPERATION HOLDER...`
            "lock" => {
                self.lock = Some(value.splitn(6, ' ').last().unwrap_or_default().to_owned());
                self.lock_operation = value.split(' ').nth(4).map(str::to_owned);
            }
            "journal" => self.journal.push(value.to_owned()),
            "stray" => {
                self.strays.push(Stray { pid: value.parse().unwrap_or_default(), ..Stray::default() });
            }
            "environ" | "cmdline" => {
                if let Some(stray) = self.strays.last_mut() {
                    match value.split_once('=') {
                        _ if word == "cmdline" => {
                            // One argument a line.
                            if !stray.cmdline.is_empty() {
                                stray.cmdline.push(' ');
                            }
                            stray.cmdline.push_str(value);
                        }
                        Some(("CLUSTER_NODE", name)) => stray.cluster_node = Some(name.to_owned()),
                        Some(("CLUSTERCTL", name)) => stray.clusterctl = Some(name.to_owned()),
                        _ => {}
                    }
                }
            }
            "strays" => self.complete = true,
            "release" => self.releases.push(Kept { id: value.to_owned(), ..Kept::default() }),
            "info" => {
                if let (Some(kept), Some((key, value))) = (self.releases.last_mut(), value.split_once(' ')) {
                    match key {
                        "time" => kept.time = value.parse().ok(),
                        "who" => value.clone_into(&mut kept.who),
                        "command" => value.clone_into(&mut kept.command),
                        "zeek" => value.clone_into(&mut kept.zeek),
                        "prefix" => value.clone_into(&mut kept.prefix),
                        _ => {}
                    }
                }
            }
            "pending" => self.pending.push(value.to_owned()),
            "needs" => self.needs.push(value.to_owned()),
            "secret" => {
                // `DIGEST  NAME`, as sha256sum writes it.
                let (digest, name) = value.split_once("  ").unwrap_or_default();
                self.secrets.push((digest.to_owned(), name.to_owned()));
            }
            "manifest" => self.manifest.push(value.to_owned()),
            "free" => {
                if let Some((free, mount)) = value.split_once(' ') {
                    self.free.push((mount.to_owned(), free.parse().unwrap_or_default()));
                }
            }
            "queue" => {
                let (logs, oldest) = value.split_once(' ').unwrap_or((value, "-"));
                let age = oldest.parse::<i64>().ok().map(|at| u64::try_from(self.epoch - at).unwrap_or(0));
                self.queue = Queue { logs: logs.parse().unwrap_or_default(), age };
            }
            "archiver" => self.can_archive = true,
            "maintain" => {
                // `systemd EVERY SINCE`, `cron EVERY SINCE`
                let mut numbers = value.split(' ').skip(1);
                let every = numbers.next().and_then(|n| n.parse().ok());
                let since = numbers.next().and_then(|n| n.parse().ok()).unwrap_or_default();
                self.maintain = every.map(|every| (every, since));
            }
            "maintained" => self.maintained = value.split(' ').next().and_then(|s| s.parse().ok()),
            "systemd" => self.systemd = Some(value.to_owned()),
            "readonly" => self.readonly = true,
            "logind" => self.logind_kills = value.ends_with("KillUserProcesses=yes") && !value.starts_with("yes"),
            _ => {}
        }
    }
}

impl ObservedNode {
    /// Returns the release in which it is meant to run; none where it is not, or nobody ever said.
    pub fn meant(&self) -> Option<&str> {
        match &self.wanted {
            Some(Wanted::Running(release)) => Some(release),
            _ => None,
        }
    }

    /// Tells whether it runs and is meant to, but nothing would start it again.
    pub fn is_unsupervised(&self) -> bool {
        self.process.is_some() && !self.supervised && self.meant().is_some()
    }

    fn take(&mut self, word: &str, value: &str, now: f64) {
        match word {
            "want" => {
                self.wanted = match value.split_once(' ') {
                    Some(("running", release)) => Some(Wanted::Running(release.to_owned())),
                    _ if value.trim_end() == "stopped" => Some(Wanted::Stopped),
                    _ => None,
                };
            }
            "run" => match value.split_once(' ') {
                Some(("release", release)) => self.release = Some(release.to_owned()),
                Some(("id", id)) => self.boot_id = id.split(' ').next().map(str::to_owned),
                Some(("restarts", n)) => self.restarts = n.parse().unwrap_or_default(),
                Some(("input", text)) => self.inputs.extend(input(text)),
                _ => {}
            },
            "due" => self.due.extend(input(value)),
            "made" => self.made = Binary::parse(value),
            "exit" => self.exit.get_or_insert_default().take(value),
            "last" => self.last.get_or_insert_default().take(value),
            "stop" => self.stopping = true,
            "status" => self.status = value.split_whitespace().next().map(str::to_owned),
            "supervised" => self.supervised = true,
            "process" => self.process = Process::parse(value, now),
            "resident" => {
                if let Some(process) = &mut self.process {
                    process.resident = value.parse::<u64>().unwrap_or_default() * 1024;
                }
            }
            _ => {}
        }
    }
}

impl Process {
    /// Reads the pid and the fields of /proc/PID/stat from the third on (proc(5)).
    fn parse(text: &str, now: f64) -> Option<Self> {
        let fields: Vec<&str> = text.split(' ').collect();
        // Field n of proc(5) stands at n - 2: the pid is first, the name left out.
        let number = |field: usize| fields.get(field - 2).and_then(|f| f.parse::<f64>().ok());
        let started = number(22)? / TICKS;
        let used = (number(14)? + number(15)?) / TICKS;
        let uptime = (now - started).max(0.0);
        let cpu = if uptime > 0.0 { (used / uptime * 100.0).max(0.0) } else { 0.0 };
        Some(Self { pid: fields.first()?.parse().ok()?, uptime, cpu, resident: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::{Next, Observed, Wanted};
    use proptest::prelude::*;

    #[test]
    fn an_answer_is_read() {
        let host = Observed::parse(&[
            "host 0123abcd 1-2-3 1000.50 1795370070 sensor1",
            "format 1",
            "current abc123",
            "binary 12345 1795000000",
            "queue 3 1795370000",
            "archiver",
            "node log-archiver",
            "supervised",
            "node worker-1",
            "want running abc123",
            "run id 1-2-3 77 90050",
            "run release abc123",
            "run restarts 2",
            "run input ffff command line",
            "exit id 1-2-3 70 -",
            "exit status 137",
            "exit next 4",
            "status RUNNING [run_loop]",
            "supervised",
            "process 77 S 1 77 77 0 -1 4194304 0 0 0 0 150 50 0 0 20 0 1 0 90050 1000 1",
            "resident 2048",
            "node worker-2",
            "want stopped",
            "nodes end",
            "stray 99",
            "environ CLUSTER_NODE=worker-9",
            "cmdline zeek -i eth0",
            "strays end",
        ]);
        assert_eq!((host.queue.logs, host.queue.age, host.can_archive), (3, Some(70), true));
        assert!(host.archiver.is_some_and(|a| a.supervised) && !host.nodes.contains_key("log-archiver"));
        let node = &host.nodes["worker-1"];
        assert_eq!(node.wanted, Some(Wanted::Running("abc123".to_owned())));
        let process = node.process.as_ref().unwrap();
        assert_eq!((process.pid, process.resident), (77, 2048 * 1024));
        assert!((process.uptime - 100.0).abs() < 0.01 && (process.cpu - 2.0).abs() < 0.01, "{process:?}");
        assert_eq!(node.inputs["command line"], "ffff");
        assert_eq!(node.exit.as_ref().unwrap().text(), "SIGKILL");
        assert_eq!(node.exit.as_ref().unwrap().next, Next::Restart(4));
        assert_eq!(host.nodes["worker-2"].wanted, Some(Wanted::Stopped));
        assert_eq!(host.strays[0].cluster_node.as_deref(), Some("worker-9"));
        assert!(host.complete);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(lines in proptest::collection::vec("(node|run|exit|process|want|stray|environ|host|binary|lock|status)? ?.{0,60}", 0..40)) {
            let _ = Observed::parse(&lines);
        }
    }
}
