//! What is known of a node: what its folder says, and its process.

use std::collections::BTreeMap;

use super::limits::LONGEST;
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
    /// How often its supervisor has restarted it.
    pub restarts: u32,
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
}

/// Whether a node is meant to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
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
                    "never" => RestartAction::Never,
                    "failed" => RestartAction::Failed,
                    "stopped" => RestartAction::Stopped,
                    seconds => seconds.parse().map_or(RestartAction::Failed, RestartAction::Restart),
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

impl ZeekBinary {
    fn parse(text: &str) -> Option<Self> {
        let (size, mtime) = text.split_once(' ')?;
        Some(Self { size: size.parse().ok()?, mtime: mtime.parse().ok()? })
    }
}

/// Reads `DIGEST NAME`.
fn input(text: &str) -> Option<(String, String)> {
    text.split_once(' ').map(|(digest, name)| (name.to_owned(), digest.to_owned()))
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

    /// Leaves out what names no release, no input and no time; says what that was.
    pub(super) fn forms(&mut self) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some(Desired::Running(release)) = &self.desired
            && !is_release_id(release)
        {
            wrong.push(format!("`want` names {release:?}, which is no release"));
            self.desired = None;
        }
        if let Some(release) = self.release.take_if(|release| !is_release_id(release)) {
            wrong.push(format!("`run` names {release:?}, which is no release"));
        }
        for inputs in [&mut self.inputs, &mut self.current_inputs] {
            let before = inputs.len();
            inputs.retain(|name, digest| {
                (1..=64).contains(&name.len())
                    && name.bytes().all(|b| b.is_ascii_lowercase() || b == b' ' || b == b'-')
                    && (1..=64).contains(&digest.len())
                    && digest.bytes().all(|b| b.is_ascii_hexdigit())
            });
            if inputs.len() != before {
                wrong.push("the record of its inputs is damaged".to_owned());
            }
        }
        for exit in self.exit.iter_mut().chain(&mut self.last) {
            exit.at = exit.at.min(LONGEST);
            exit.ran = exit.ran.min(LONGEST);
            if let RestartAction::Restart(pause) = &mut exit.next {
                *pause = (*pause).min(LONGEST);
            }
        }
        wrong
    }

    pub(super) fn take(&mut self, word: &str, value: &str, now: f64) {
        match word {
            "want" => {
                self.desired = match value.split_once(' ') {
                    Some(("running", release)) => Some(Desired::Running(release.to_owned())),
                    _ if value.trim_end() == "stopped" => Some(Desired::Stopped),
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
            "due" => self.current_inputs.extend(input(value)),
            "made" => self.built_for = ZeekBinary::parse(value),
            "exit" => self.exit.get_or_insert_default().take(value),
            "last" => self.last.get_or_insert_default().take(value),
            "stop" => (self.stopping, self.restarting) = (true, value == "again"),
            "status" => self.status = value.split_whitespace().next().map(str::to_owned),
            "supervised" => (self.supervised, self.unit) = (true, value == "unit"),
            "process" => self.process = Process::parse(value, now),
            "resident" => {
                if let Some(process) = &mut self.process {
                    process.resident = value.parse::<u64>().unwrap_or_default().saturating_mul(1024);
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
