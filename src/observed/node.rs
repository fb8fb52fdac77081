//! What is known of a node: what its folder says, and its process.

use std::collections::BTreeMap;

use super::limits::{LONGEST, number};
use crate::values::is_release_id;

/// What tells one Zeek binary from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZeekBinary {
    /// In bytes.
    pub size: u64,
    /// In seconds since 1970.
    pub mtime: i64,
}

/// What is known of a node's folder.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct ObservedNode {
    /// Whether it is meant to run, and in which release; none where nobody ever said.
    pub desired: Option<Desired>,
    /// The release that its last process was started from.
    pub release: Option<String>,
    /// How often its supervisor has restarted it; none where what it recorded is no number.
    pub restarts: Option<u32>,
    /// The inputs of its last process: a digest for each.
    pub inputs: BTreeMap<String, String>,
    /// The inputs that the current release would give it.
    pub current_inputs: BTreeMap<String, String>,
    /// The Zeek binary that the current release was made for.
    pub built_for: Option<ZeekBinary>,
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
    /// Whether that is its unit; of one that runs.
    pub unit: bool,
    /// Whether a stop was asked for.
    pub stopping: bool,
    /// Whether that stop is a restart's, after which it is to run again.
    pub restarting: bool,
    /// Its process; none where it does not run.
    pub process: Option<Process>,
    /// What of it has no form of ours, and is unknown.
    pub wrong: Vec<String>,
}

/// Whether a node is meant to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// It is, in this release.
    Running(String),
    Stopped,
}

/// How a process ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exit {
    /// The shell's status: above 128 a signal.
    pub status: Option<i32>,
    /// How many times in a row it has ended soon; none where what was recorded is no number.
    pub tries: Option<u32>,
    /// What the runner does next.
    pub next: RestartAction,
    /// Why it was not started at all.
    pub refused: Option<String>,
    /// Why it ended, where its runner knows more than the status.
    pub why: Option<String>,
    /// The folder of what it left, below the cluster's `crash/<node>/`.
    pub crash: Option<String>,
}

/// What a runner does after a node has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RestartAction {
    /// Nothing: it was asked to stop.
    #[default]
    Stopped,
    /// Nothing: it is never started again.
    Never,
    /// Nothing: it gave up.
    Failed,
    /// Starts it again after so many seconds.
    Restart(u64),
    /// What it recorded of that is none of these.
    Unknown,
}

/// A running process.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    pub pid: u32,
    /// Seconds since it was started.
    pub uptime: f64,
    /// Processor time in per cent of one CPU, over its life, as ps(1) counts it.
    pub cpu: f64,
    /// Resident memory in bytes.
    pub resident: u64,
}

/// Clock ticks a second in /proc/PID/stat: `USER_HZ`, 100 on every architecture that Zeek runs on.
pub(super) const TICKS: f64 = 100.0;

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

    /// Reads a line of what the runner recorded. Words that others record, now or later, are passed over.
    fn take(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line.split_once(' ').ok_or_else(|| format!("{line:?} has no value"))?;
        match key {
            "status" => self.status = Some(number(value)?),
            "tries" => self.tries = Some(number(value)?),
            "why" => self.why = Some(value.to_owned()),
            "crash" => self.crash = Some(value.to_owned()),
            "refused" => self.refused = Some(value.to_owned()),
            "next" => {
                // Else it is not known.
                self.next = RestartAction::Unknown;
                self.next = match value {
                    "never" => RestartAction::Never,
                    "failed" => RestartAction::Failed,
                    "stopped" => RestartAction::Stopped,
                    seconds => RestartAction::Restart(number::<u64>(seconds).and_then(|pause| {
                        if pause <= LONGEST { Ok(pause) } else { Err(format!("a pause of {pause} s is not valid")) }
                    })?),
                };
            }
            _ => {}
        }
        Ok(())
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

impl ZeekBinary {
    /// Reads `SIZE MTIME`.
    pub fn parse(text: &str) -> Option<Self> {
        let (size, mtime) = text.split_once(' ')?;
        Some(Self { size: size.parse().ok()?, mtime: mtime.parse().ok()? })
    }
}

/// Reads `DIGEST NAME`.
fn input(text: &str) -> Result<(String, String), String> {
    let is_name = |name: &str| {
        (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b' ' || b == b'-')
    };
    let is_digest = |digest: &str| (1..=64).contains(&digest.len()) && digest.bytes().all(|b| b.is_ascii_hexdigit());
    text.split_once(' ')
        .filter(|(digest, name)| is_digest(digest) && is_name(name))
        .map(|(digest, name)| (name.to_owned(), digest.to_owned()))
        .ok_or_else(|| "the record of its inputs is damaged".to_owned())
}

impl ObservedNode {
    /// Returns the release in which it is meant to run; none where it is not, or nobody ever said.
    pub fn desired_release(&self) -> Option<&str> {
        match &self.desired {
            Some(Desired::Running(release)) => Some(release),
            _ => None,
        }
    }

    /// Tells whether it runs and is meant to, but nothing would start it again.
    pub fn is_unsupervised(&self) -> bool {
        self.process.is_some() && !self.supervised && self.desired_release().is_some()
    }

    /// Takes a line; `now` is the clock that processes' starts are counted by, in seconds.
    pub(super) fn take(&mut self, word: &str, value: &str, now: f64) -> Result<(), String> {
        // What the script finds out has one form; the rest is quoted from files.
        match word {
            "supervised" if matches!(value, "" | "unit") => (self.supervised, self.unit) = (true, value == "unit"),
            "supervised" => return Err(format!("{value:?} is not a supervisor")),
            "process" => self.process = Some(Process::parse(value, now)?),
            "resident" => {
                let process = self.process.as_mut().ok_or("it comes before any process")?;
                process.resident = number::<u64>(value)?.saturating_mul(1024);
            }
            _ => {
                if let Err(why) = self.file(word, value)
                    && !self.wrong.contains(&why)
                {
                    self.wrong.push(why);
                }
            }
        }
        Ok(())
    }

    /// Takes a line of a file in the node's folder, or of the current release's `start`.
    fn file(&mut self, word: &str, value: &str) -> Result<(), String> {
        match word {
            "want" => {
                self.desired = None;
                self.desired = Some(match (value.trim_end(), value.split_once(' ')) {
                    ("stopped", _) => Desired::Stopped,
                    (_, Some(("running", release))) => Desired::Running(release_id("want", release)?),
                    _ => return Err(format!("`want` has the unknown value {value:?}")),
                });
            }
            "run" => match value.split_once(' ') {
                Some(("release", release)) => {
                    self.release = None;
                    self.release = Some(release_id("run", release)?);
                }
                Some(("id", id)) => self.boot_id = id.split(' ').next().map(str::to_owned),
                Some(("restarts", n)) => {
                    self.restarts = n.parse().ok();
                    self.restarts.ok_or_else(|| format!("`run` has the invalid number of restarts {n:?}"))?;
                }
                Some(("input", text)) => self.inputs.extend([input(text)?]),
                // Other words, which only hosts read.
                _ => {}
            },
            "due" => self.current_inputs.extend([input(value)?]),
            "made" => {
                self.built_for = ZeekBinary::parse(value);
                if self.built_for.is_none() {
                    return Err(format!("the current release is made for the Zeek binary {value:?}"));
                }
            }
            "exit" => take_exit("exit", &mut self.exit, value)?,
            "last" => take_exit("exit.last", &mut self.last, value)?,
            "stop" => (self.stopping, self.restarting) = (true, value == "again"),
            "status" => self.status = value.split_whitespace().next().map(str::to_owned),
            _ => {}
        }
        Ok(())
    }
}

fn take_exit(file: &str, exit: &mut Option<Exit>, line: &str) -> Result<(), String> {
    exit.get_or_insert_default().take(line).map_err(|why| format!("`{file}`: {why}"))
}

fn release_id(file: &str, text: &str) -> Result<String, String> {
    let right = is_release_id(text).then(|| text.to_owned());
    right.ok_or_else(|| format!("`{file}` names {text:?}, which is not a release"))
}

impl Process {
    /// Reads the pid and the fields of /proc/PID/stat from the third on (proc(5)).
    fn parse(text: &str, now: f64) -> Result<Self, String> {
        let fields: Vec<&str> = text.split(' ').collect();
        // Field n of proc(5) stands at n - 2: the pid is first, the name left out.
        let ticks = |field: usize| number::<u64>(fields.get(field - 2).copied().unwrap_or_default());
        #[expect(clippy::cast_precision_loss, reason = "seconds, of which fractions of a tick do not matter")]
        let seconds = |ticks: u64| ticks as f64 / TICKS;
        let started = seconds(ticks(22)?);
        let used = seconds(ticks(14)?.saturating_add(ticks(15)?));
        let uptime = (now - started).max(0.0);
        let cpu = if uptime > 0.0 { used / uptime * 100.0 } else { 0.0 };
        Ok(Self { pid: number(fields[0])?, uptime, cpu, resident: 0 })
    }
}
