//! What was done on hosts, and how it is shown.

use serde::Serialize;

use super::super::report::{Report, partial};
use crate::error::Kind;
use crate::fleet::HostAnswer;
use crate::nodes::Outcome;
use crate::observed::{Malformed, fields, number, word_of};
use crate::remote::queued;
use crate::runner::Started;
use crate::ui::{Cell, Column, Tone, Ui, escape_control, table, typed};

/// What came of maintaining a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Maintained {
    /// All was done.
    Done,
    /// Another operation holds its lock: nothing was done.
    Busy,
    /// An operation did not finish there: nodes were left alone, or only brought back.
    Unfinished,
    /// Nothing is deployed there.
    NotDeployed,
    /// It could not be done.
    Failed,
}

/// A node that was not running although it should.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Healed {
    pub(crate) node: String,
    /// Whether it runs now.
    pub(crate) running: bool,
    /// What became of it.
    pub(crate) what: String,
}

/// What was done on a host.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HostMaintenance {
    pub(crate) host: String,
    /// What came of it.
    pub(crate) result: Maintained,
    /// Why, where not all was done.
    pub(crate) why: Option<String>,
    /// How many logs that nodes had left were moved to the queue.
    pub(crate) moved: u64,
    /// How many logs in the archive were deleted because of their age.
    pub(crate) expired: u64,
    /// How many rotated logs wait.
    pub(crate) queue: u64,
    /// Why they wait, where that is known.
    pub(crate) queue_why: Option<String>,
    /// Nodes that were started.
    pub(crate) healed: Vec<Healed>,
    /// File systems with too little space: mount point, free per cent.
    pub(crate) low: Vec<(String, u64)>,
    /// Why facts for Prometheus could not be written (`metrics.textfile`).
    pub(crate) textfile: Option<String>,
}

/// What was done on all hosts.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct MaintainReport {
    /// Hosts that were away, and were brought up to date.
    pub(crate) resumed: Vec<String>,
    /// Why hosts that are behind could not be brought to that release, line by line.
    pub(crate) not_resumed: Vec<String>,
    /// One for each host, in their order.
    pub(crate) hosts: Vec<HostMaintenance>,
}

impl HostAnswer for HostMaintenance {
    fn failure(&self) -> Option<String> {
        self.why.clone()
    }
}

impl HostMaintenance {
    pub(crate) fn new(host: &str, result: Maintained, why: Option<String>) -> Self {
        Self {
            host: host.to_owned(),
            result,
            why,
            moved: 0,
            expired: 0,
            queue: 0,
            queue_why: None,
            healed: Vec::new(),
            low: Vec::new(),
            textfile: None,
        }
    }

    /// Reads the lines of a host's answer to `templates/maintain.sh`.
    ///
    /// # Errors
    /// Where one is not of the script's, or it did not come to its end.
    pub(crate) fn parse<S: AsRef<str>>(host: &str, lines: &[S]) -> Result<Self, Malformed> {
        let mut done = Self::new(host, Maintained::Done, None);
        let mut ended = false;
        for line in lines {
            let line = line.as_ref();
            if ended {
                return Err(Malformed::unsaid(line));
            }
            let (word, value) = word_of(line);
            let text = || Some(value.to_owned()).filter(|v| !v.is_empty());
            match word {
                "undeployed" if value.is_empty() => {
                    (done.result, ended) = (Maintained::NotDeployed, true);
                }
                // Who holds it stands in the lock's file, which may have been written by anybody.
                "busy" => (done.result, done.why, ended) = (Maintained::Busy, text(), true),
                "fail" => {
                    let why = text().unwrap_or_else(|| "the host gave no reason".to_owned());
                    (done.result, done.why, ended) = (Maintained::Failed, Some(why), true);
                }
                "ended" if value.is_empty() => ended = true,
                _ => match done.take(word, value) {
                    Ok(true) => {}
                    Ok(false) => return Err(Malformed::unsaid(line)),
                    Err(why) => return Err(Malformed::line(line, why)),
                },
            }
        }
        if ended { Ok(done) } else { Err(Malformed::Missing("ended")) }
    }

    /// Takes what was done or found.
    fn take(&mut self, word: &str, value: &str) -> Result<bool, String> {
        match word {
            // The first line of the journal: the operation's id, and who began it.
            "unfinished" => {
                let who = value.split_once(' ').map(|(_, who)| who.to_owned());
                (self.result, self.why) = (Maintained::Unfinished, who);
            }
            "moved" => self.moved = number(value)?,
            "expired" => self.expired = number(value)?,
            "queue" => (self.queue, self.queue_why) = queued(value)?,
            "textfile" if !value.is_empty() => self.textfile = Some(value.to_owned()),
            "low" => {
                let [free, mount] = fields(value)?;
                self.low.push((mount.to_owned(), number(free)?));
            }
            // As the release there says it, which another clusterctl may have made.
            "healed" => self.healed.extend(healed(value)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Tells whether all was done that there was to do.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.result, Maintained::Done | Maintained::NotDeployed)
    }

    /// Tells whether the host is as it should be, as far as it could be seen.
    pub(crate) fn is_well(&self) -> bool {
        self.low.is_empty()
            && self.textfile.is_none()
            && self.queue_why.is_none()
            && self.healed.iter().all(|h| h.running)
    }
}

/// Reads what the script that starts nodes says.
fn healed(line: &str) -> Option<Healed> {
    match Outcome::of(Started::parse(line)?)? {
        (node, Outcome::Ready) => Some(Healed { node, running: true, what: "started again".to_owned() }),
        (node, outcome @ (Outcome::ExitedAtStart(_) | Outcome::StartTimeout(_))) => {
            Some(Healed { node, running: false, what: outcome.text() })
        }
        _ => None,
    }
}

const COLUMNS: [Column; 6] = [
    Column { head: "HOST", drop_priority: 0, right: false },
    Column { head: "RESULT", drop_priority: 0, right: false },
    Column { head: "HEALED", drop_priority: 1, right: true },
    Column { head: "LEFTOVERS", drop_priority: 2, right: true },
    Column { head: "QUEUE", drop_priority: 3, right: true },
    Column { head: "EXPIRED", drop_priority: 4, right: true },
];

impl Report for MaintainReport {
    fn kind(&self) -> Option<&'static str> {
        Some("maintain")
    }

    fn show(&self, ui: &Ui) {
        let rows: Vec<Vec<Cell>> = self.hosts.iter().map(row).collect();
        let mut text = table(ui.out, &COLUMNS, &rows);
        let resumed = self.resumed.iter().map(|host| format!("{host}: brought up to date"));
        let not_resumed =
            self.not_resumed.iter().map(|why| format!("hosts that are behind were not brought up to date: {why}"));
        for line in resumed.chain(not_resumed).chain(self.hosts.iter().flat_map(lines)) {
            text.push_str(&ui.out.wrap(&escape_control(&line), "  "));
            text.push('\n');
        }
        ui.result(&text);
    }

    fn end(&self) -> Option<Kind> {
        let failed = self.hosts.iter().filter(|h| !h.is_done()).count();
        match partial(self.hosts.len(), failed) {
            None if !self.not_resumed.is_empty() => Some(Kind::Partial),
            None => self.hosts.iter().any(|h| !h.is_well()).then_some(Kind::NotAsExpected),
            failed => failed,
        }
    }
}

fn row(host: &HostMaintenance) -> Vec<Cell> {
    let (word, tone) = match host.result {
        Maintained::Done => ("done", Tone::Good),
        Maintained::Busy => ("locked", Tone::Warn),
        Maintained::Unfinished => ("unfinished operation", Tone::Bad),
        Maintained::NotDeployed => ("not deployed", Tone::Dim),
        Maintained::Failed => ("failed", Tone::Bad),
    };
    let number = |n: u64| if n == 0 { Cell::none() } else { Cell::plain(n.to_string()) };
    vec![
        Cell::new(&host.host, Tone::Strong),
        Cell::new(word, tone),
        number(host.healed.iter().filter(|h| h.running).count() as u64),
        number(host.moved),
        number(host.queue),
        number(host.expired),
    ]
}

/// What a table has no room for.
fn lines(host: &HostMaintenance) -> Vec<String> {
    let name = &host.host;
    let mut lines = Vec::new();
    match (host.result, &host.why) {
        (Maintained::Busy, Some(why)) => lines.push(format!("{name}: skipped, locked by {why}")),
        (Maintained::Unfinished, Some(why)) => {
            let nodes = if host.healed.is_empty() { "no node was started" } else { "stopped nodes were restarted" };
            let hint = typed("clusterctl deploy");
            lines.push(format!("{name}: unfinished operation, {nodes}: {why} -> {hint}"));
        }
        (_, Some(why)) => lines.push(format!("{name}: {why}")),
        _ => {}
    }
    lines.extend(host.healed.iter().map(|h| format!("{name}: {} {}", h.node, h.what)));
    if let Some(why) = &host.queue_why {
        lines.push(format!("{name}: rotated logs wait: {why}"));
    }
    if let Some(why) = &host.textfile {
        lines.push(format!("{name}: facts for Prometheus were not written: {why}"));
    }
    lines.extend(host.low.iter().map(|(mount, free)| format!("{name}: only {free} % free on {mount}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::{HostMaintenance, Maintained};
    use crate::observed::Malformed;

    fn read(lines: &[&str]) -> Result<HostMaintenance, Malformed> {
        HostMaintenance::parse("mgmt", lines)
    }

    #[test]
    fn an_answer_is_read() {
        let lines = [
            "healed ready worker-1",
            "healed dead worker-2 exit 139",
            "healed stderr worker-2 fatal error: no",
            "healed of_a_newer_release worker-3",
            "moved 3",
            "queue 2 there is no /opt/zeek/bin/zeek-archiver",
            "expired 12",
            "low 3 /data of logs",
            "textfile others can write to /tmp",
            "ended",
        ];
        let done = read(&lines).unwrap();
        assert_eq!((done.result, done.moved, done.expired, done.queue), (Maintained::Done, 3, 12, 2));
        assert_eq!(done.textfile.as_deref(), Some("others can write to /tmp"));
        assert_eq!(done.low, [("/data of logs".to_owned(), 3)]);
        let healed: Vec<(&str, bool)> = done.healed.iter().map(|h| (h.node.as_str(), h.running)).collect();
        assert_eq!(healed, [("worker-1", true), ("worker-2", false)]);
        assert!(!done.is_well());
        for end in 0..lines.len() {
            assert_eq!(read(&lines[..end]).unwrap_err(), Malformed::Missing("ended"), "{end}");
        }
        let busy = read(&["busy ada@desk (pid 7): deploy"]).unwrap();
        assert_eq!((busy.result, busy.is_done()), (Maintained::Busy, false));
        let cut = read(&["unfinished 1-7 ada@desk (pid 7): deploy", "moved 0", "queue 0", "ended"]).unwrap();
        assert_eq!((cut.result, cut.why.as_deref()), (Maintained::Unfinished, Some("ada@desk (pid 7): deploy")));
        assert_eq!(read(&["undeployed"]).unwrap().result, Maintained::NotDeployed);
        let failed = read(&["fail No space left on device"]).unwrap();
        assert_eq!((failed.result, failed.why.as_deref()), (Maintained::Failed, Some("No space left on device")));
    }

    #[test]
    fn a_line_that_is_malformed_is_named_and_no_number_is_a_zero_by_it() {
        for line in [
            "",
            "noise",
            "moved",
            "moved many",
            "moved -1",
            "moved 3 logs",
            "expired x",
            "expired 18446744073709551616",
            "queue",
            "queue some there is no archiver",
            "low 3",
            "textfile",
            "low x /data",
            "ended well",
            "undeployed there",
        ] {
            let Err(Malformed::Line(said)) = read(&[line, "ended"]) else { panic!("{line}") };
            assert!(said.starts_with(&format!("{line:?}: ")), "{said}");
        }
        assert!(matches!(read(&["ended", "moved 3"]), Err(Malformed::Line(_))), "nothing follows its end");
    }
}
