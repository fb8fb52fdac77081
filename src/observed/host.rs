//! What is known of a host, and the parser of its answer.

use std::collections::BTreeMap;

use serde::Serialize;

use super::altered::Altered;
use super::cpus::HostCpus;
use super::journal::Unfinished;
use super::limits::{LONGEST, is_hex, is_manifest_line, time};
use super::node::{ObservedNode, TICKS, ZeekBinary};
use super::pending::RemovedHost;
use super::unmanaged::{self, UnmanagedProcess};
use super::ways::Component;
use crate::values::{Version, is_account_name, is_node_name, is_release_id, is_secret_name};

/// The name of a host's archiver among the nodes' folders (`release::ARCHIVER`).
const ARCHIVER: &str = "log-archiver";

/// The most hosts that left of which one host's word is taken. They are all asked, and what can't be asked is written to
/// all hosts, whose own answers must not become longer than any that is read.
pub const MOST_LEFT: usize = 2000;

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
    pub binary: Option<ZeekBinary>,
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
    pub unmanaged: Vec<UnmanagedProcess>,
    /// How many more of them there are, of which no more is known.
    pub more_unmanaged: u64,
    /// What digests of secrets in the nodes' environments are made with; only when all was asked for, where there are any.
    pub salt: Option<String>,
    /// The account, by number and name; only when all was asked for.
    pub account: Option<(u32, String)>,
    /// The components of the paths of the cluster's folders and of Zeek; only when all was asked for.
    pub ways: Vec<Component>,
    /// Releases that lie there; only when all was asked for.
    pub releases: Vec<StoredRelease>,
    /// Hosts that left the description before their nodes could be stopped.
    pub pending: Vec<RemovedHost>,
    /// The names of the secrets that the current release needs; only when all was asked for.
    pub needs: Vec<String>,
    /// Those of them that can't be read there.
    pub missing_secrets: Vec<String>,
    /// SHA-256 and name of the secrets that are there; only when all was asked for.
    pub secrets: Vec<(String, String)>,
    /// The current release's manifest.
    pub manifest: Vec<String>,
    /// What somebody did to its files.
    pub altered: Altered,
    /// Free space in KiB, by mount point.
    pub free: Vec<(String, u64)>,
    /// What archives the logs there; none where nothing was ever started for it.
    pub archiver: Option<ObservedNode>,
    /// Whether Zeek's `zeek-archiver` lies beside the Zeek binary.
    pub can_archive: bool,
    /// Rotated logs that wait for the archive.
    pub queue: Queue,
    /// How many more wait in a queue that the current release has and the description has not, and in which folder; only
    /// when all was asked for.
    pub stranded: Option<(u64, String)>,
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
    /// What of it is not what clusterctl writes, and is taken for unknown.
    pub wrong: Vec<Wrong>,
    /// Whether the script came to its end.
    pub complete: bool,
}

/// Something on a host that is not what clusterctl writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The file, below the cluster's folder.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
    /// Whether the next deploy writes it anew, even where there is nothing else to do.
    pub mended: bool,
}

/// The most that is kept of what is wrong with one host.
const MOST_WRONG: usize = 20;

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
pub struct StoredRelease {
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

impl StoredRelease {
    /// When it was made the current one, by the operator's clock.
    pub fn when(&self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_second(self.time?).ok()
    }
}

impl Observed {
    /// Returns the operation that did not finish; the first, where several did not.
    pub fn unfinished(&self) -> Option<Unfinished> {
        Unfinished::read(&self.journal)
    }

    /// Reads the lines of a host's answer. Lines that mean nothing are passed over.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Self {
        let mut host = Self::default();
        let mut node: Option<(String, ObservedNode)> = None;
        let mut unmanaged = unmanaged::Reader::default();
        for line in lines {
            let line = line.as_ref();
            let (word, value) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "node" | "nodes" => {
                    if let Some((name, done)) = node.take() {
                        host.node(name, done);
                    }
                    if word == "node" && is_node_name(value) {
                        node = Some((value.to_owned(), ObservedNode::default()));
                    } else if word == "node" {
                        host.wrong("nodes", format!("{value:?} is not the name of a node"), false);
                    }
                }
                "want" | "run" | "due" | "made" | "exit" | "last" | "stop" | "status" | "supervised" | "process"
                | "resident" => {
                    if let Some((_, node)) = &mut node {
                        node.take(word, value, host.clock.unwrap_or(host.uptime));
                    }
                }
                _ if unmanaged.take(word, value) => {}
                _ => host.take(word, value),
            }
        }
        (host.unmanaged, host.more_unmanaged) = unmanaged.finish();
        host.releases.retain(|kept| !kept.id.is_empty());
        host
    }

    /// Notes what is not as it should be.
    fn wrong(&mut self, file: &str, why: impl Into<String>, mended: bool) {
        let (file, why) = (file.to_owned(), why.into());
        if self.wrong.len() < MOST_WRONG && !self.wrong.iter().any(|w| w.file == file && w.why == why) {
            self.wrong.push(Wrong { file, why, mended });
        }
    }

    /// Takes what is known of a node, but for what names no release.
    fn node(&mut self, name: String, mut node: ObservedNode) {
        for why in node.forms() {
            self.wrong(&format!("nodes/{name}"), why, false);
        }
        if name == ARCHIVER {
            self.archiver = Some(node);
        } else {
            self.nodes.insert(name, node);
        }
    }

    fn take(&mut self, word: &str, value: &str) {
        match word {
            "host" => {
                let mut parts = value.split(' ');
                let mut next = || parts.next().unwrap_or_default();
                next().clone_into(&mut self.machine_id);
                next().clone_into(&mut self.boot_id);
                self.uptime = next().parse().ok().filter(|up| (0.0..1e10).contains(up)).unwrap_or_default();
                self.epoch = time(next()).unwrap_or_default();
                next().clone_into(&mut self.hostname);
            }
            "clock" => {
                let ticks = value.parse::<f64>().ok().filter(|ticks| (0.0..1e12).contains(ticks));
                self.clock = ticks.map(|ticks| ticks / TICKS);
            }
            "account" => {
                // Its number says as much where it has an odd name.
                let name = |uid: u32, user: &str| if is_account_name(user) { user.to_owned() } else { uid.to_string() };
                self.account = value
                    .split_once(' ')
                    .and_then(|(uid, user)| Some((uid.parse().ok()?, user)))
                    .map(|(uid, user)| (uid, name(uid, user)));
            }
            "salt" => {
                let right = value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit());
                self.salt = right.then(|| value.to_owned());
            }
            "way" => self.ways.extend(Component::parse(value)),
            "inside" => self.ways.extend(Component::of("inside", value)),
            "format" => self.format = Some(value.to_owned()),
            "current" if is_release_id(value) => self.current = Some(value.to_owned()),
            "current" => self.wrong("current", format!("it leads to {value:?}, which is no release"), true),
            "binary" => {
                self.binary = value.split_once(' ').and_then(|(size, mtime)| {
                    Some(ZeekBinary { size: size.parse().ok()?, mtime: mtime.parse().ok()? })
                });
            }
            "running" => {
                let parts = value.split_once(' ');
                let known = |(v, b): &(&str, &str)| v.parse::<Version>().is_ok() && matches!(*b, "broker" | "zeromq");
                self.running = parts.filter(known).map(|(v, b)| (v.to_owned(), b.to_owned()));
                if self.running.is_none() {
                    self.wrong("current/clusterctl/version", format!("{value:?} is no version and backend"), false);
                }
            }
            "version" => self.version = Some(value.to_owned()),
            // `id BOOT PID START OPERATION HOLDER...`
            "lock" => {
                self.lock = Some(value.splitn(6, ' ').last().unwrap_or_default().to_owned());
                self.lock_operation = value.split(' ').nth(4).map(str::to_owned);
            }
            "journal" => self.journal.push(value.to_owned()),
            "observed" => self.complete = true,
            "release" if is_release_id(value) => {
                self.releases.push(StoredRelease { id: value.to_owned(), ..StoredRelease::default() });
            }
            "release" => {
                self.wrong("releases", format!("{value:?} is not the id of a release"), false);
                // What is said of it is said of none.
                self.releases.push(StoredRelease::default());
            }
            "info" => {
                if let (Some(kept), Some((key, value))) = (self.releases.last_mut(), value.split_once(' ')) {
                    match key {
                        "time" => {
                            kept.time = time(value);
                            if kept.time.is_none() {
                                let file = format!("releases/{}.info", kept.id);
                                self.wrong(&file, format!("{value:?} is not a time"), false);
                            }
                        }
                        "who" => value.clone_into(&mut kept.who),
                        "command" => value.clone_into(&mut kept.command),
                        "zeek" => value.clone_into(&mut kept.zeek),
                        "prefix" => value.clone_into(&mut kept.prefix),
                        _ => {}
                    }
                }
            }
            "pending" if self.pending.len() >= MOST_LEFT => {
                self.wrong("pending", format!("it has more than {MOST_LEFT} hosts"), true);
            }
            "pending" => match RemovedHost::parse(value) {
                Some(Ok(left)) => self.pending.push(left),
                Some(Err(why)) => self.wrong("pending", why, true),
                None => {}
            },
            "needs" if is_secret_name(value) => self.needs.push(value.to_owned()),
            "needs" => {
                self.wrong("current/clusterctl/secrets", format!("{value:?} is not the name of a secret"), false);
            }
            "secret" => {
                // `DIGEST  NAME`, as sha256sum writes it.
                let (digest, name) = value.split_once("  ").unwrap_or_default();
                if is_secret_name(name) && is_hex(digest, 64) {
                    self.secrets.push((digest.to_owned(), name.to_owned()));
                } else {
                    self.wrong("secrets", format!("{name:?} is not the name of a secret"), false);
                }
            }
            "now" | "was" | "known" | "touched" => self.altered.line(word, value),
            "manifest" if is_manifest_line(value) => self.manifest.push(value.to_owned()),
            "manifest" => self.wrong("current/manifest", format!("{value:?} names no file of a release"), false),
            _ => self.upkeep(word, value),
        }
    }

    /// Takes what concerns logs, space and what keeps the host going.
    fn upkeep(&mut self, word: &str, value: &str) {
        match word {
            "lost" if is_secret_name(value) => self.missing_secrets.push(value.to_owned()),
            "bulky" => self.wrong("current/manifest", "it is larger than that of any release", false),
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
                let age = time(oldest).map(|at| u64::try_from(self.epoch - at).unwrap_or(0));
                self.queue = Queue { logs: logs.parse().unwrap_or_default(), age };
            }
            "stranded" => {
                let parts = value.split_once(' ');
                self.stranded = parts.and_then(|(logs, folder)| Some((logs.parse().ok()?, folder.to_owned())));
            }
            "archiver" => self.can_archive = true,
            "maintain" => {
                // `systemd EVERY SINCE`, `cron EVERY SINCE`
                let mut numbers = value.split(' ').skip(1);
                let every = numbers.next().and_then(|n| n.parse().ok()).filter(|every| *every <= LONGEST);
                let since = numbers.next().and_then(time).unwrap_or_default();
                self.maintain = every.map(|every| (every, since));
                if every.is_none() {
                    self.wrong("maintain", format!("{value:?} does not say how often"), false);
                }
            }
            "maintained" => self.maintained = value.split(' ').next().and_then(time),
            "systemd" => {
                let odd = value.strip_prefix("linger ").is_some_and(|user| !is_account_name(user));
                self.systemd = Some(if odd { "linger USER".to_owned() } else { value.to_owned() });
            }
            "cpus" => self.cpus = HostCpus::parse(value),
            "readonly" => self.readonly = true,
            "logind" => self.logind_kills = value.ends_with("KillUserProcesses=yes") && !value.starts_with("yes"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Desired, Origin, Owner, RestartAction};
    use super::Observed;
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
            "unmanaged 99 1000 1",
            "cmdline 99 zeek",
            "environ 99 CLUSTER_NODE=worker-9",
            "more 3",
            "observed end",
        ]);
        assert_eq!((host.queue.logs, host.queue.age, host.can_archive), (3, Some(70), true));
        assert_eq!(host.room, [("/".to_owned(), 12), ("/data of logs".to_owned(), 3)]);
        assert!(host.archiver.is_some_and(|a| a.supervised) && !host.nodes.contains_key("log-archiver"));
        let node = &host.nodes["worker-1"];
        assert_eq!(node.desired, Some(Desired::Running("abc123".to_owned())));
        let process = node.process.as_ref().unwrap();
        assert_eq!((process.pid, process.resident), (77, 2048 * 1024));
        assert!((process.uptime - 100.0).abs() < 0.01 && (process.cpu - 2.0).abs() < 0.01, "{process:?}");
        assert_eq!(node.inputs["command line"], "ffff");
        assert_eq!(node.exit.as_ref().unwrap().text(), "SIGKILL");
        assert_eq!(node.exit.as_ref().unwrap().next, RestartAction::Restart(4));
        assert_eq!(host.nodes["worker-2"].desired, Some(Desired::Stopped));
        assert_eq!(host.unmanaged[0].origin, Origin::Unknown(Some("worker-9".to_owned())));
        assert_eq!((host.unmanaged[0].owner, host.more_unmanaged), (Owner::Account, 3));
        assert!(host.complete);
    }

    #[test]
    fn a_host_remembers_no_more_hosts_than_there_are() {
        let lines = (0..10_000).map(|n| format!("pending left {{\"name\":\"x{n}\",\"ssh\":{{\"host\":\"x{n}\"}}}}"));
        let host = Observed::parse(&lines.collect::<Vec<_>>());
        assert_eq!((host.pending.len(), host.wrong.len()), (super::MOST_LEFT, 1));
        assert!(host.wrong[0].mended && host.wrong[0].file == "pending");
    }

    #[test]
    fn the_name_of_an_account_is_no_command() {
        let host = Observed::parse(&["account 1000 zeek", "systemd linger zeek"]);
        assert_eq!((host.account.unwrap().1.as_str(), host.systemd.as_deref()), ("zeek", Some("linger zeek")));
        let host = Observed::parse(&["account 1000 x;id|sh", "systemd linger $(id)"]);
        assert_eq!((host.account.unwrap().1.as_str(), host.systemd.as_deref()), ("1000", Some("linger USER")));
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

    #[test]
    fn what_clusterctl_does_not_write_is_unknown_and_said() {
        let host = Observed::parse(&[
            "host 0123abcd 1-2-3 NaN 9223372036854775807 sensor1",
            "current ../../etc",
            "running `id` broker",
            "queue 3 -9223372036854775808",
            "maintain systemd 18446744073709551615 -9223372036854775808",
            "maintained 9223372036854775807",
            "node ../../x",
            "want running abc",
            "node \u{1b}[31mred",
            "node worker-1",
            "want running ../x",
            "run release a/b",
            "run input ffff command line",
            "run input ../x command line",
            "run input ffff \u{1b}[2J",
            "exit at 18446744073709551615",
            "exit ran 18446744073709551615",
            "exit next 18446744073709551615",
            "exit status 2147483647",
            "process 1 S 1 77 77 0 -1 4194304 0 0 0 0 inf nan 0 0 20 0 1 0 -1e400 1000 1",
            "resident 18446744073709551615",
            "nodes end",
            "release ../../x",
            "info time 5",
            "release abc",
            "info time 9223372036854775807",
            "pending left {\"name\":\"ghost\",\"ssh\":{\"host\":\"198.51.100.8\",\"user\":\"x\\n  ProxyCommand id\"}}",
            "pending left {\"name\":\"../x\",\"ssh\":{\"host\":\"198.51.100.8\"}}",
            "needs zeromq-../../../../etc/",
            "secret ../../../../etc/x  zeromq-../../../../etc/",
            "manifest 0000000000000000000000000000000000000000000000000000000000000000  ./../../x",
            "manifest 644 .//etc/passwd",
            "manifest 644 ./a/./b",
            "journal 1 somebody (pid 1): rollback, since x",
            "journal from ../../x",
            "journal to $(id)",
            "observed end",
        ]);
        assert!(host.current.is_none() && host.running.is_none() && host.maintained.is_none());
        assert!(host.maintain.is_none() && host.queue.age.is_none() && host.epoch == 0);
        assert_eq!(host.nodes.keys().collect::<Vec<_>>(), ["worker-1"]);
        let node = &host.nodes["worker-1"];
        assert!(node.desired.is_none() && node.release.is_none() && node.desired_release().is_none());
        assert_eq!(node.inputs.len(), 0);
        assert_eq!(host.releases.iter().map(|k| (k.id.as_str(), k.time)).collect::<Vec<_>>(), [("abc", None)]);
        assert!(host.needs.is_empty() && host.secrets.is_empty() && host.manifest.is_empty());
        assert!(host.pending.len() == 1 && host.pending[0].way.is_err());
        let unfinished = host.unfinished().unwrap();
        assert!(unfinished.from.is_none() && unfinished.to.is_none());
        let files: std::collections::BTreeSet<&str> = host.wrong.iter().map(|w| w.file.as_str()).collect();
        for file in [
            "current",
            "current/clusterctl/version",
            "current/manifest",
            "maintain",
            "nodes",
            "nodes/worker-1",
            "pending",
            "releases",
            "releases/abc.info",
            "secrets",
        ] {
            assert!(files.contains(file), "{file} of {files:?}");
        }
        // Nothing of it reaches a terminal as it is.
        assert!(host.wrong.iter().all(|w| !w.why.chars().any(char::is_control)));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(lines in proptest::collection::vec("(node|run|exit|process|want|unmanaged|unit|folder|cmdline|environ|gone|clock|host|binary|lock|status|queue|maintain|maintained|info time|info|release|pending left|manifest|journal|resident|secret)? ?.{0,60}", 0..40)) {
            let _ = Observed::parse(&lines);
        }
    }
}
