//! Maintaining hosts: what ZeekControl's `cron` does. The work itself is done by a script on each host
//! (`templates/maintain.sh`), which a timer or cron runs there as well.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::deploy::apply;
use super::fleet::Fleet;
use super::lock::Operation;
use super::resume::prepare_resume;
use super::tiers::Outcome;
use super::{Event, Failure, Selection};
use crate::cluster::Folders;
use crate::error::{Error, Kind};
use crate::release::digest;
use crate::runner::Started;
use crate::transport::Call;

const MAINTAIN: &str = concat!(
    include_str!("../../templates/say.sh"),
    include_str!("../../templates/lib.sh"),
    include_str!("../../templates/logs.sh"),
    include_str!("../../templates/claim.sh"),
    include_str!("../../templates/format.sh"),
    include_str!("../../templates/locking.sh"),
    include_str!("../../templates/crashes.sh"),
    include_str!("../../templates/sweep.sh"),
    include_str!("../../templates/maintain.sh")
);
const INSTALL: &str = concat!(
    include_str!("../../templates/say.sh"),
    include_str!("../../templates/lib.sh"),
    include_str!("../../templates/format.sh"),
    include_str!("../../templates/maintain-install.sh")
);

/// How often hosts maintain themselves.
pub const EVERY: Duration = Duration::from_secs(300);

/// Time that archiving and expiring may take beyond the nodes' start.
const MARGIN: Duration = Duration::from_secs(600);

/// What came of maintaining a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Maintained {
    /// All was done.
    Done,
    /// Another operation holds its lock: nothing was done.
    Busy,
    /// An operation did not come to its end there: nodes were left alone, or only brought back.
    Unfinished,
    /// Nothing is deployed there.
    NotDeployed,
    /// It could not be done.
    Failed,
}

/// A node that was not running although it should.
#[derive(Debug, Clone, Serialize)]
pub struct Healed {
    /// The node.
    pub node: String,
    /// Whether it runs now.
    pub running: bool,
    /// What became of it.
    pub what: String,
}

/// What was done on a host.
#[derive(Debug, Clone, Serialize)]
pub struct HostMaintenance {
    /// The host.
    pub host: String,
    /// What came of it.
    pub result: Maintained,
    /// Why, where not all was done.
    pub why: Option<String>,
    /// How many logs that nodes had left were moved to the queue.
    pub moved: u64,
    /// How many logs in the archive were deleted because of their age.
    pub expired: u64,
    /// How many rotated logs wait.
    pub queue: u64,
    /// Why they wait, where that is known.
    pub queue_why: Option<String>,
    /// Nodes that were started.
    pub healed: Vec<Healed>,
    /// File systems with too little space: mount point, free per cent.
    pub low: Vec<(String, u64)>,
}

/// What was done on all hosts.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MaintainReport {
    /// Hosts that were away, and were brought to the release of the others.
    pub resumed: Vec<String>,
    /// Why hosts that are behind could not be brought to that release, line by line.
    pub not_resumed: Vec<String>,
    /// One for each host, in their order.
    pub hosts: Vec<HostMaintenance>,
}

/// What came of making a host maintain itself, or of ending that.
#[derive(Debug, Clone, Serialize)]
pub struct Installed {
    /// The host.
    pub host: String,
    /// What runs it there (`systemd UNIT`, `cron`); `removed`; none where it failed.
    pub by: Option<String>,
    /// Why it failed.
    pub why: Option<String>,
}

impl HostMaintenance {
    fn new(host: &str, result: Maintained, why: Option<String>) -> Self {
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
        }
    }

    /// Reads the lines of a host's answer.
    fn parse(host: &str, lines: &[String]) -> Self {
        let mut done = Self::new(host, Maintained::Failed, Some("the host did not say".to_owned()));
        for line in lines {
            let (word, value) = line.split_once(' ').unwrap_or((line, ""));
            let number = || value.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default();
            let text = || Some(value.to_owned()).filter(|v| !v.is_empty());
            match word {
                "undeployed" => (done.result, done.why) = (Maintained::NotDeployed, None),
                "busy" => (done.result, done.why) = (Maintained::Busy, text()),
                "fail" => done.why = text(),
                "unfinished" => (done.result, done.why) = (Maintained::Unfinished, text()),
                "moved" => done.moved = number(),
                "expired" => done.expired = number(),
                "queue" => {
                    done.queue = number();
                    done.queue_why = value.split_once(' ').map(|(_, why)| why.to_owned());
                }
                "low" => {
                    if let Some((free, mount)) = value.split_once(' ') {
                        done.low.push((mount.to_owned(), free.parse().unwrap_or_default()));
                    }
                }
                "healed" => done.healed.extend(healed(value)),
                "ended" if done.result == Maintained::Failed => (done.result, done.why) = (Maintained::Done, None),
                _ => {}
            }
        }
        done
    }

    /// Tells whether all was done that there was to do.
    pub fn is_done(&self) -> bool {
        matches!(self.result, Maintained::Done | Maintained::NotDeployed)
    }

    /// Tells whether the host is as it should be, as far as it could be seen.
    pub fn is_well(&self) -> bool {
        self.low.is_empty() && self.queue_why.is_none() && self.healed.iter().all(|h| h.running)
    }
}

/// Reads what the script that starts nodes says.
fn healed(line: &str) -> Option<Healed> {
    match Outcome::of(Started::parse(line)?)? {
        (node, Outcome::Ready) => Some(Healed { node, running: true, what: "started again".to_owned() }),
        (node, outcome @ (Outcome::Dead(_) | Outcome::Late(_))) => {
            Some(Healed { node, running: false, what: outcome.text() })
        }
        _ => None,
    }
}

/// Maintains the hosts of a selection. A host that can't be asked, or is locked, keeps no other waiting.
///
/// # Errors
/// Where the user interrupts it.
pub async fn maintain(fleet: &Fleet, selection: &Selection) -> Result<MaintainReport, Error> {
    let (resumed, not_resumed) = match bring_up_to_date(fleet, selection).await {
        Ok(resumed) => (resumed, Vec::new()),
        Err(why) => (Vec::new(), why),
    };
    let cluster = &fleet.cluster;
    let operation = Operation::new("maintain");
    let hosts = selection.hosts(cluster).into_iter().filter(|i| cluster.hosts[*i].enabled);
    let answers = fleet.each("maintaining", fleet.seats(hosts), |seat| {
        let operation = &operation;
        async move {
            let call = Call::new(MAINTAIN, cluster.timeouts.ready + MARGIN)
                .arg(&seat.folders.home)
                .arg(&seat.folders.spool)
                .arg(&operation.id)
                .arg(&operation.holder);
            match seat.connection.run(call).await {
                Ok(reply) => {
                    let mut done = HostMaintenance::parse(&seat.name, &reply.lines);
                    if let (Maintained::Failed, Some(last)) = (done.result, reply.stderr.lines().last()) {
                        done.why = Some(last.to_owned());
                    }
                    let failure = done.why.clone();
                    (done, failure)
                }
                Err(failure) => {
                    let why = failure.text();
                    (HostMaintenance::new(&seat.name, Maintained::Failed, Some(why.clone())), Some(why))
                }
            }
        }
    });
    let interrupted = |_| Error::new(Kind::Interrupted, "interrupted: not all hosts were maintained");
    let mut answers = fleet.unless_interrupted(answers).await.map_err(interrupted)?;
    answers.sort_by_key(|(seat, _)| seat.index);
    Ok(MaintainReport { resumed, not_resumed, hosts: answers.into_iter().map(|(_, done)| done).collect() })
}

/// Brings hosts that were away to the release that the others run, before anything of theirs is healed; returns those
/// that were. Where it is not for maintenance to do that, it is only told.
///
/// # Errors
/// Why it could not be done, line by line.
async fn bring_up_to_date(fleet: &Fleet, selection: &Selection) -> Result<Vec<String>, Vec<String>> {
    let cluster = &fleet.cluster;
    let chosen: BTreeSet<usize> = selection.hosts(cluster).into_iter().filter(|i| cluster.hosts[*i].enabled).collect();
    let not_now = |why: &str| {
        fleet.tell(Event::Note { text: format!("no host was brought up to date: {why}") });
        Ok(Vec::new())
    };
    let why = |failure: Failure| match failure {
        Failure::Error(error) if error.causes.is_empty() => vec![error.message],
        Failure::Error(error) => error.causes.iter().map(|cause| format!("{}: {cause}", error.message)).collect(),
        Failure::Problems(problems) => {
            let told = |p: &crate::error::Problem| format!("the description is not valid: {}", p.message);
            problems.iter().map(told).collect()
        }
    };
    let prepared = match prepare_resume(fleet, None).await {
        Ok(prepared) => prepared,
        Err(failure) => return not_now(&why(failure).join("; ")),
    };
    // What did not come to its end is for somebody to decide.
    let deployed = prepared.found.iter().flatten().any(|o| o.current.is_some());
    if !deployed || prepared.is_unfinished() || prepared.plan.is_empty() {
        return Ok(Vec::new());
    }
    let behind: Vec<usize> = prepared.release.parts.iter().map(|p| p.host).collect();
    if behind.iter().any(|host| !chosen.contains(host)) {
        return not_now("not all of them were selected");
    }
    let names = behind.iter().map(|i| cluster.hosts[*i].name.clone()).collect();
    match apply(fleet, prepared, "maintain", &mut |_| Box::pin(std::future::ready(true))).await {
        Ok(report) if report.done => Ok(names),
        Ok(report) => {
            let bad = report.nodes.iter().filter(|o| !o.outcome.is_good());
            let lines = bad.map(|o| {
                let last = o.stderr.last().map(|line| format!(": {line}")).unwrap_or_default();
                format!("{}{last}", o.text())
            });
            Err(lines.chain(report.not_back).collect())
        }
        // A host that is busy has a row of its own.
        Err(Failure::Error(error)) if error.kind == Kind::Locked => not_now(&why(Failure::Error(error)).join("; ")),
        Err(failure) => Err(why(failure)),
    }
}

/// Makes hosts maintain themselves by a timer of systemd's or else cron, or ends that.
pub async fn install(fleet: &Fleet, selection: &Selection, remove: bool) -> Vec<Installed> {
    let cluster = &fleet.cluster;
    let hosts = selection.hosts(cluster).into_iter().filter(|i| cluster.hosts[*i].enabled);
    let mut answers = fleet
        .each(if remove { "removing timers" } else { "installing timers" }, fleet.seats(hosts), |seat| async move {
            let text = if remove { String::new() } else { units(&cluster.name, &seat.folders) };
            let call = Call::new(INSTALL, fleet.settings.question)
                .arg(&seat.folders.home)
                .arg(timer_name(&cluster.name, &seat.folders))
                .arg(if remove { "remove" } else { "install" })
                .arg(EVERY.as_secs().to_string())
                .input(text);
            let mut done = Installed { host: seat.name.clone(), by: None, why: None };
            match seat.connection.run(call).await {
                Ok(reply) => {
                    for line in &reply.lines {
                        match line.split_once(' ').unwrap_or((line, "")) {
                            ("installed", by) => done.by = Some(by.to_owned()),
                            ("removed", _) => done.by = Some("removed".to_owned()),
                            ("fail", why) => done.why = Some(why.to_owned()),
                            _ => {}
                        }
                    }
                    if done.by.is_none() && done.why.is_none() {
                        done.why = Some(reply.stderr.lines().last().unwrap_or("the host did not say").to_owned());
                    }
                }
                Err(failure) => done.why = Some(failure.text()),
            }
            let failure = done.why.clone();
            (done, failure)
        })
        .await;
    answers.sort_by_key(|(seat, _)| seat.index);
    answers.into_iter().map(|(_, done)| done).collect()
}

/// The name of a host's timer: two clusters, or one in two folders, have two.
fn timer_name(cluster: &str, folders: &Folders) -> String {
    let mut id = digest(folders.home.as_bytes());
    id.truncate(8);
    format!("clusterctl-maintain-{cluster}-{id}")
}

/// The command of a crontab line, a service and a timer, with an empty line after each.
fn units(cluster: &str, folders: &Folders) -> String {
    let script = format!("{}/current/clusterctl/maintain.sh", folders.home);
    let log = format!("{}/maintain.log", folders.home);
    let mut text = String::new();
    // crontab(5): a `%` ends the command unless it has a `\` before it.
    let words: Vec<String> = ["sh", &script, &folders.home, &folders.spool, "maintain", "the host's own maintenance"]
        .iter()
        .map(|w| shell(w))
        .collect();
    let _ = writeln!(text, "{} >{} 2>&1\n", words.join(" ").replace('%', "\\%"), shell(&log).replace('%', "\\%"));
    let words: Vec<String> =
        ["/bin/sh", &script, &folders.home, &folders.spool, "maintain", "the host's own maintenance"]
            .iter()
            .map(|w| unit_word(w))
            .collect();
    // The nodes that it starts stay when it has ended.
    let _ = writeln!(
        text,
        "[Unit]\nDescription=Maintenance of the Zeek cluster {cluster} on this host\n[Service]\nType=oneshot\n\
         ExecStart={}\nKillMode=process\nTimeoutStartSec=3600\n",
        words.join(" ")
    );
    let every = EVERY.as_secs();
    let _ = writeln!(
        text,
        "[Unit]\nDescription=Maintenance of the Zeek cluster {cluster} on this host\n[Timer]\nOnActiveSec=10\n\
         OnBootSec=20\nOnUnitActiveSec={every}\nAccuracySec=10\n[Install]\nWantedBy=timers.target\n"
    );
    text
}

/// Quotes a word for sh.
fn shell(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Quotes a word for `ExecStart` (systemd.service(5), "Command lines").
fn unit_word(word: &str) -> String {
    let word = word.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$").replace('%', "%%");
    format!("\"{word}\"")
}

#[cfg(test)]
mod tests {
    use super::{Folders, HostMaintenance, Maintained, units};

    #[test]
    fn an_answer_is_read() {
        let lines: Vec<String> = [
            "healed ready worker-1",
            "healed dead worker-2 exit 139",
            "healed stderr worker-2 fatal error: no",
            "moved 3",
            "queue 2 there is no /opt/zeek/bin/zeek-archiver",
            "expired 12",
            "low 3 /data",
            "ended",
        ]
        .map(str::to_owned)
        .to_vec();
        let done = HostMaintenance::parse("mgmt", &lines);
        assert_eq!((done.result, done.moved, done.expired, done.queue), (Maintained::Done, 3, 12, 2));
        assert_eq!(done.low, [("/data".to_owned(), 3)]);
        let healed: Vec<(&str, bool)> = done.healed.iter().map(|h| (h.node.as_str(), h.running)).collect();
        assert_eq!(healed, [("worker-1", true), ("worker-2", false)]);
        assert!(!done.is_well());
        let busy = HostMaintenance::parse("mgmt", &["busy ada@desk (pid 7): deploy".to_owned()]);
        assert_eq!((busy.result, busy.is_done()), (Maintained::Busy, false));
        assert_eq!(HostMaintenance::parse("mgmt", &[]).result, Maintained::Failed);
    }

    #[test]
    fn odd_paths_are_quoted_for_cron_and_systemd() {
        let folders = Folders { home: "/x y/100%'s/$c".to_owned(), spool: "/s".to_owned() };
        let text = units("campus", &folders);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with(r"'sh' '/x y/100\%'\''s/$c/current/clusterctl/maintain.sh' "), "{text}");
        assert!(text.contains("ExecStart=\"/bin/sh\" \"/x y/100%%'s/$$c/current/clusterctl/maintain.sh\" "), "{text}");
        assert_eq!(text.matches("\n\n").count(), 3, "{text}");
    }
}
