//! The parser of what `templates/observe.sh` and `templates/observe-all.sh` say.
//!
//! Two kinds of lines are told apart. What a script of ours says itself has one form; where a line has not, the whole
//! answer is worth nothing, and the host is as unknown as one that did not answer. What it quotes from files, names of
//! files included, may have been written by anybody, and by other releases of clusterctl: what has not the form that
//! clusterctl writes is noted in [`Observed::wrong`] and unknown by itself. Words that a newer clusterctl may have put
//! into such files (`run`, `exit`, `stop`, `releases/ID.info`, the journal) are passed over.

use super::cpus::HostCpus;
use super::host::{FullObserved, MOST_LEFT, Observed, Queue, StoredRelease, Systemd, Wrong};
use super::limits::{LONGEST, is_hex, is_manifest_line, number, time};
use super::malformed::{Malformed, account, fields, word_of};
use super::node::{ObservedNode, TICKS, ZeekBinary};
use super::path_owners::Component;
use super::pending::RemovedHost;
use super::unmanaged;
use crate::values::{Version, is_account_name, is_node_name, is_release_id, is_secret_name};

/// The name of a host's archiver among the nodes' folders (`release::ARCHIVER`).
const ARCHIVER: &str = "log-archiver";

/// The most that is kept of what is wrong with one host.
const MOST_WRONG: usize = 20;

impl Observed {
    /// Reads the lines of a host's answer to a brief look.
    ///
    /// # Errors
    /// Where one is not of the script's, or one is missing that is always there.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, Malformed> {
        Ok(Reader::read(lines, false)?.host.brief)
    }
}

impl FullObserved {
    /// Reads the lines of a host's answer to the full look.
    ///
    /// # Errors
    /// As [`Observed::parse`].
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, Malformed> {
        let reader = Reader::read(lines, true)?;
        for (word, said) in ["version", "account", "cpus", "systemd", "logind"].iter().zip(reader.said) {
            if !said {
                return Err(Malformed::Missing(word));
            }
        }
        Ok(reader.host)
    }
}

#[cfg(test)]
impl Observed {
    /// The answer of a host that says these lines beside those that every host says.
    pub(crate) fn of(lines: &[&str]) -> Self {
        let all = [&["clock 100050", "host 0123abcd 1-2-3 1000.50 1795370070"], lines, &["observed end"]];
        Self::parse(&all.concat()).unwrap()
    }
}

/// Whose lines come.
enum Place {
    /// Nobody's: no node was named yet, or all were.
    Host,
    /// Those of a folder whose name is none of a node.
    Nameless,
    /// Those of a node.
    Node(String, Box<ObservedNode>),
}

struct Reader {
    host: FullObserved,
    /// The clock by which the kernel counts when processes are started, in seconds; in a container it may differ from the
    /// uptime.
    clock: Option<f64>,
    place: Place,
    /// Whether the lines came that say which machine it is.
    known: bool,
    /// Whether the part of every look came to its end.
    ended: bool,
    /// Whether the lines came that every full look has.
    said: [bool; 5],
    /// Whether a release was named whose name is none.
    nameless: bool,
}

impl Reader {
    fn read<S: AsRef<str>>(lines: &[S], full: bool) -> Result<Self, Malformed> {
        let mut reader = Self {
            host: FullObserved::default(),
            clock: None,
            place: Place::Host,
            known: false,
            ended: false,
            said: [false; 5],
            nameless: false,
        };
        let mut unmanaged = unmanaged::Reader::default();
        for line in lines {
            let line = line.as_ref();
            let (word, value) = word_of(line);
            let bad = |why: String| Malformed::line(line, why);
            // What reads all files says now and then that it is at work.
            if full && line == "beat" {
                continue;
            }
            let taken = if reader.ended {
                full && reader.of_a_deploy(word, value).map_err(bad)?
            } else {
                reader.of_a_node(word, value).map_err(bad)?
                    || unmanaged.take(word, value).map_err(bad)?
                    || reader.of_the_host(word, value).map_err(bad)?
                    || reader.of_its_logs(word, value).map_err(bad)?
            };
            if !(taken || full && of_the_manifest(&mut reader, word, value)) {
                return Err(Malformed::unsaid(line));
            }
        }
        match reader {
            Self { known: false, .. } => return Err(Malformed::Missing("host")),
            Self { clock: None, .. } => return Err(Malformed::Missing("clock")),
            Self { ended: false, .. } => return Err(Malformed::Missing("observed")),
            _ => {}
        }
        (reader.host.brief.unmanaged, reader.host.brief.more_unmanaged) = unmanaged.finish();
        Ok(reader)
    }

    /// Notes what is not as it should be.
    fn wrong(&mut self, file: &str, why: impl Into<String>, mended: bool) {
        let (file, why, wrong) = (file.to_owned(), why.into(), &mut self.host.brief.wrong);
        if wrong.len() < MOST_WRONG && !wrong.iter().any(|w| w.file == file && w.why == why) {
            wrong.push(Wrong { file, why, mended });
        }
    }

    /// Takes what is said of nodes.
    fn of_a_node(&mut self, word: &str, value: &str) -> Result<bool, String> {
        match word {
            "node" => {
                self.end_of_node();
                self.place = if is_node_name(value) {
                    Place::Node(value.to_owned(), Box::default())
                } else {
                    self.wrong("nodes", format!("{value:?} is not the name of a node"), false);
                    Place::Nameless
                };
            }
            "nodes" => self.end_of_node(),
            "want" | "run" | "due" | "made" | "exit" | "last" | "stop" | "status" | "supervised" | "process"
            | "resident" => match &mut self.place {
                Place::Host => return Err("it comes before any node".to_owned()),
                Place::Nameless => {}
                Place::Node(_, node) => {
                    node.take(word, value, self.clock.ok_or("the clock of the host comes after it")?)?;
                }
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes what is known of a node, but for what has no form of ours.
    fn end_of_node(&mut self) {
        let Place::Node(name, node) = std::mem::replace(&mut self.place, Place::Host) else { return };
        for why in &node.wrong {
            self.wrong(&format!("nodes/{name}"), why, false);
        }
        if name == ARCHIVER {
            self.host.brief.archiver = Some(*node);
        } else {
            self.host.brief.nodes.insert(name, *node);
        }
    }

    /// Takes what is said of the host, its release and what is done there.
    fn of_the_host(&mut self, word: &str, value: &str) -> Result<bool, String> {
        match word {
            "clock" => self.clock = Some(fraction(value, 1e12)? / TICKS),
            "host" => {
                if self.known {
                    return Err("it comes twice".to_owned());
                }
                let [machine, boot, uptime, epoch] = fields(value)?;
                let host = &mut self.host.brief;
                (host.machine_id, host.boot_id) = (machine.to_owned(), boot.to_owned());
                host.uptime = fraction(uptime, 1e10)?;
                host.epoch = time(epoch).ok_or("its clock is not a time")?;
                self.known = true;
            }
            "current" if is_release_id(value) => self.host.brief.current = Some(value.to_owned()),
            "current" => self.wrong("current", format!("it leads to {value:?}, which is not a release"), true),
            "running" => {
                let parts = value.split_once(' ');
                let known = |(v, b): &(&str, &str)| v.parse::<Version>().is_ok() && matches!(*b, "broker" | "zeromq");
                self.host.brief.running = parts.filter(known).map(|(v, b)| (v.to_owned(), b.to_owned()));
                if self.host.brief.running.is_none() {
                    self.wrong(
                        "current/clusterctl/version",
                        format!("{value:?} is not a version and a backend"),
                        false,
                    );
                }
            }
            "lost" if is_secret_name(value) => self.host.brief.missing_secrets.push(value.to_owned()),
            "lost" => self.no_secret(value),
            "bulky" => self.wrong("current/manifest", "it is larger than that of any release", false),
            "now" | "was" | "known" | "touched" => {
                if let Err(why) = self.host.brief.altered.line(word, value) {
                    self.wrong("current", why, false);
                }
            }
            "binary" if value.is_empty() => {}
            "binary" => {
                let binary = ZeekBinary::parse(value).ok_or("these are not a size and a time")?;
                self.host.brief.binary = Some(binary);
            }
            // `id BOOT PID START OPERATION HOLDER...`
            "lock" => {
                self.host.brief.lock = Some(value.splitn(6, ' ').last().unwrap_or_default().to_owned());
                self.host.brief.lock_operation = value.split(' ').nth(4).map(str::to_owned);
            }
            "journal" => self.host.brief.journal.push(value.to_owned()),
            "observed" if matches!(self.place, Place::Host) => self.ended = true,
            "observed" => return Err("the lines of a node have no end".to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes what is said of logs, and of what keeps the host going.
    fn of_its_logs(&mut self, word: &str, value: &str) -> Result<bool, String> {
        match word {
            "queue" => {
                let [logs, oldest] = fields(value)?;
                let logs = number(logs)?;
                let age = match (oldest, time(oldest)) {
                    ("-", _) => None,
                    // One of the future has only just come.
                    (_, Some(at)) => Some(u64::try_from(self.host.brief.epoch - at).unwrap_or(0)),
                    (_, None) => {
                        self.wrong("log-queue", format!("{oldest:?}, of its oldest log, is not a time"), false);
                        None
                    }
                };
                self.host.brief.queue = Queue { logs, age };
            }
            "archiver" => self.host.brief.can_archive = true,
            "room" => {
                let (free, mount) = value.split_once(' ').ok_or("it names no mount point")?;
                let free = number(free)?;
                // The queue and the archive may lie on one.
                if !self.host.brief.room.iter().any(|(known, _)| known == mount) {
                    self.host.brief.room.push((mount.to_owned(), free));
                }
            }
            "maintain" => {
                // `systemd EVERY SINCE`, `cron EVERY SINCE`
                let mut numbers = value.split(' ').skip(1);
                let every = numbers.next().and_then(|n| n.parse().ok()).filter(|every| *every <= LONGEST);
                // It may not say since when; what it says has to be a time.
                let since = numbers.next().map(time);
                self.host.brief.maintain = every.map(|every| (every, since.flatten()));
                if every.is_none() || since == Some(None) {
                    self.wrong("maintain", format!("{value:?} does not say how often, and since when"), false);
                }
            }
            "maintained" => {
                self.host.brief.maintained = value.split(' ').next().and_then(time);
                if self.host.brief.maintained.is_none() {
                    self.wrong("maintained", format!("{value:?} does not say when"), false);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes what only a deploy asks for.
    fn of_a_deploy(&mut self, word: &str, value: &str) -> Result<bool, String> {
        match word {
            "version" => {
                self.said[0] = true;
                value.clone_into(&mut self.host.version);
            }
            "account" => {
                self.said[1] = true;
                let (uid, user) = value.split_once(' ').ok_or("it has no name")?;
                self.host.uid = number(uid)?;
                self.host.user = account(self.host.uid, user);
            }
            "cpus" => {
                self.said[2] = true;
                self.host.cpus = HostCpus::parse(value)?;
            }
            "systemd" => {
                self.said[3] = true;
                self.host.systemd = match (value, value.strip_prefix("linger ")) {
                    ("ready", _) => Systemd::Ready,
                    ("none", _) => Systemd::Missing,
                    (_, Some(user)) if is_account_name(user) => Systemd::NoLinger(user.to_owned()),
                    (_, Some(_)) => Systemd::NoLinger("USER".to_owned()),
                    _ => return Err("it says nothing of systemd".to_owned()),
                };
            }
            "logind" => {
                self.said[4] = true;
                self.host.logind_kills = value.ends_with("KillUserProcesses=yes") && !value.starts_with("yes");
            }
            "salt" if value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()) => {
                self.host.salt = Some(value.to_owned());
            }
            "salt" => self.wrong("current/start", "a salt there is not valid", false),
            "way" => self.host.ways.push(Component::parse(value).ok_or("these are not a mode, an owner and a path")?),
            "inside" => match Component::of("inside", value) {
                Some(component) => self.host.ways.push(component),
                // The name before it told of the flaw.
                None => self.wrong("", format!("a name there has more than one line: {value:?}"), false),
            },
            "stranded" => {
                let (logs, folder) = value.split_once(' ').ok_or("it names no folder")?;
                self.host.stranded = Some((number(logs)?, folder.to_owned()));
            }
            _ => return self.of_releases(word, value),
        }
        Ok(true)
    }

    /// Takes what a deploy asks of the releases that lie there, and of secrets.
    fn of_releases(&mut self, word: &str, value: &str) -> Result<bool, String> {
        match word {
            "release" => {
                self.nameless = !is_release_id(value);
                if self.nameless {
                    self.wrong("releases", format!("{value:?} is not the id of a release"), false);
                } else {
                    self.host.releases.push(StoredRelease { id: value.to_owned(), ..StoredRelease::default() });
                }
            }
            // What is said of it is said of none.
            "info" if self.nameless => {}
            "info" => {
                let kept = self.host.releases.last_mut().ok_or("it comes before any release")?;
                let file = format!("releases/{}.info", kept.id);
                match value.split_once(' ') {
                    Some(("time", text)) => {
                        kept.time = time(text);
                        if kept.time.is_none() {
                            self.wrong(&file, format!("{text:?} is not a time"), false);
                        }
                    }
                    Some(("who", text)) => text.clone_into(&mut kept.who),
                    Some(("command", text)) => text.clone_into(&mut kept.command),
                    Some(("zeek", text)) => text.clone_into(&mut kept.zeek),
                    Some(("prefix", text)) => text.clone_into(&mut kept.prefix),
                    Some(_) => {}
                    None => self.wrong(&file, format!("{value:?} has no value"), false),
                }
            }
            "pending" if self.host.pending.len() >= MOST_LEFT => {
                self.wrong("pending", format!("it has more than {MOST_LEFT} hosts"), true);
            }
            "pending" => match RemovedHost::parse(value) {
                Some(Ok(left)) => self.host.pending.push(left),
                Some(Err(why)) => self.wrong("pending", why, true),
                // Another word, of a newer clusterctl.
                None => {}
            },
            "needs" if is_secret_name(value) => self.host.needs.push(value.to_owned()),
            "needs" => self.no_secret(value),
            "secret" => {
                // `DIGEST  NAME`, as sha256sum writes it.
                let (digest, name) = value.split_once("  ").unwrap_or_default();
                if is_secret_name(name) && is_hex(digest, 64) {
                    self.host.secrets.push((digest.to_owned(), name.to_owned()));
                } else {
                    self.wrong("secrets", format!("{name:?} is not the name of a secret"), false);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn no_secret(&mut self, name: &str) {
        self.wrong("current/clusterctl/secrets", format!("{name:?} is not the name of a secret"), false);
    }
}

/// Takes a line of the manifest, which a full look has among what it says of the current release.
fn of_the_manifest(reader: &mut Reader, word: &str, value: &str) -> bool {
    if word != "manifest" {
        return false;
    }
    if is_manifest_line(value) {
        reader.host.manifest.push(value.to_owned());
    } else {
        reader.wrong("current/manifest", format!("{value:?} names no file of a release"), false);
    }
    true
}

/// Reads a number of not more than so much, and not less than none.
fn fraction(text: &str, most: f64) -> Result<f64, String> {
    text.parse().ok().filter(|n| (0.0..most).contains(n)).ok_or_else(|| format!("{text:?} is not a valid number"))
}
