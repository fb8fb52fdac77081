//! What a host answered to `templates/observe.sh`: the types and their parser. The lines come without their token;
//! what they quote from files is other people's bytes and is never taken for more than text.

mod cpus;
mod journal;
mod node;
mod stray;

use std::collections::BTreeMap;

use serde::Serialize;

pub use cpus::HostCpus;
pub use journal::Unfinished;
pub use node::{Binary, Exit, Next, ObservedNode, Process, Wanted};
pub use stray::{Origin, Owner, Stray};

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
    /// The seconds by which the kernel counts when processes are started; in a container they may differ from `uptime`.
    pub clock: Option<f64>,
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
    /// How many more of them there are, of which no more is known.
    pub more_strays: u64,
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
    /// What is free where logs go, in per cent, by mount point; nothing where none are written.
    pub room: Vec<(String, u64)>,
    /// Whether the cluster's folder can't be written.
    pub readonly: bool,
    /// Whether logind ends a user's processes when he logs out, and he does not linger.
    pub logind_kills: bool,
    /// Whether there is a systemd for the runner of that name: `ready`, `none`, or `linger USER` where the user's own
    /// manager does not run without him; none where it was not asked for.
    pub systemd: Option<String>,
    /// Its CPUs; only when all was asked for.
    pub cpus: HostCpus,
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

impl Observed {
    /// Reads the lines of a host's answer. Lines that mean nothing are passed over.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Self {
        let mut host = Self::default();
        let mut node: Option<(String, ObservedNode)> = None;
        let mut strays = stray::Reader::default();
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
                        node.take(word, value, host.clock.unwrap_or(host.uptime));
                    }
                }
                _ if strays.take(word, value) => {}
                _ => host.take(word, value),
            }
        }
        (host.strays, host.more_strays) = strays.finish();
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
            "clock" => self.clock = value.parse::<f64>().ok().map(|ticks| ticks / node::TICKS),
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
            "room" => {
                if let Some((Ok(free), mount)) = value.split_once(' ').map(|(free, mount)| (free.parse(), mount))
                    && !self.room.iter().any(|(known, _)| known == mount)
                {
                    self.room.push((mount.to_owned(), free));
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
            "cpus" => self.cpus = HostCpus::parse(value),
            "readonly" => self.readonly = true,
            "logind" => self.logind_kills = value.ends_with("KillUserProcesses=yes") && !value.starts_with("yes"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Next, Observed, Origin, Owner, Wanted};
    use proptest::prelude::*;

    #[test]
    fn an_answer_is_read() {
        let host = Observed::parse(&[
            "host 0123abcd 1-2-3 1000.50 1795370070 sensor1",
            "format 1",
            "current abc123",
            "binary 12345 1795000000",
            "queue 3 1795370000",
            "room 12 /",
            "room 12 /",
            "room 3 /data of logs",
            "room x /",
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
            "uid 1000",
            "stray 99 1000 1",
            "cmdline 99 zeek",
            "environ 99 CLUSTER_NODE=worker-9",
            "more 3",
            "strays end",
        ]);
        assert_eq!((host.queue.logs, host.queue.age, host.can_archive), (3, Some(70), true));
        assert_eq!(host.room, [("/".to_owned(), 12), ("/data of logs".to_owned(), 3)]);
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
        assert_eq!(host.strays[0].origin, Origin::Unknown(Some("worker-9".to_owned())));
        assert_eq!((host.strays[0].owner, host.more_strays), (Owner::Account, 3));
        assert!(host.complete);
    }

    /// As in a container whose uptime is its own: the kernel has been up for much longer.
    #[test]
    fn a_process_is_as_old_as_the_kernels_clock_says() {
        let host = Observed::parse(&[
            "clock 900000",
            "host 0123abcd 1-2-3 50.00 1795370070 sensor1",
            "node worker-1",
            "process 77 S 1 77 77 0 -1 4194304 0 0 0 0 150 50 0 0 20 0 1 0 890000 1000 1",
            "nodes end",
        ]);
        let process = host.nodes["worker-1"].process.as_ref().unwrap();
        assert!((process.uptime - 100.0).abs() < 0.01 && (process.cpu - 2.0).abs() < 0.01, "{process:?}");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(lines in proptest::collection::vec("(node|run|exit|process|want|stray|unit|folder|cmdline|environ|gone|clock|host|binary|lock|status)? ?.{0,60}", 0..40)) {
            let _ = Observed::parse(&lines);
        }
    }
}
