//! The phases of a deploy: observe, plan, stage and verify on all hosts, check with the real Zeek, activate, confirm
//! or go back. Before the first switch nothing has changed anywhere; each node always runs one whole release.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::{self, CheckReport};
use super::fleet::{Detail, Fleet, Seat, unreachable};
use super::lock::{Locks, Operation};
use super::tiers::{Job, NodeOutcome, start_jobs, stop_jobs};
use super::{Event, Failure, site};
use crate::cluster::{self, Cluster};
use crate::error::{Error, Kind};
use crate::observed::{Observed, Wanted};
use crate::plan::{Action, Plan};
use crate::release::{FORMAT, Ingredients, Part, Release, ZeekIdentity};
use crate::runner;
use crate::transport::Call;
use crate::values::Version;
use crate::zeek;

const STAGE: &str = concat!(include_str!("../../templates/lib.sh"), include_str!("../../templates/stage.sh"));
const CLUSTER: &str = concat!(include_str!("../../templates/lib.sh"), include_str!("../../templates/cluster.sh"));
const ACTIVATE: &str = concat!(include_str!("../../templates/lib.sh"), include_str!("../../templates/activate.sh"));

/// How long a host may take to unpack and verify.
const STAGING: Duration = Duration::from_secs(300);
/// How long a host may take to switch.
const SWITCHING: Duration = Duration::from_secs(60);
/// How many releases stay on a host.
const KEPT: usize = 5;

/// All that a deploy knows before it changes anything.
pub struct Prepared {
    /// What it would do.
    pub plan: Plan,
    /// Zeek's version.
    pub version: Version,
    /// Things that the user should know first.
    pub notes: Vec<String>,
    pub(super) release: Release,
    found: Vec<Option<Observed>>,
    leaving: Vec<(Seat, Observed)>,
    /// Hosts that left the description and can't be asked.
    lost: Vec<String>,
}

/// How a deploy ended.
#[derive(Debug, Clone, Serialize)]
pub struct DeployReport {
    /// The release.
    pub release: String,
    /// Whether all nodes run it as planned.
    pub done: bool,
    /// What became of the nodes that were touched.
    pub nodes: Vec<NodeOutcome>,
    /// Whether the hosts went back to what ran before, and what became of the nodes then.
    pub rolled_back: Option<Vec<NodeOutcome>>,
    /// Hosts that could not go back, and why.
    pub not_back: Vec<String>,
    /// Hosts that left the description but can't be asked: nodes may still run there.
    pub lost: Vec<String>,
}

/// The part of `cluster.json` that a later clusterctl needs.
#[derive(Deserialize)]
struct Deployed {
    format: u32,
    cluster: Cluster,
}

/// Observes all hosts and plans.
///
/// # Errors
/// Where a host can't be asked, Zeek is missing or of another version, or the description can't be had with the
/// version that was found.
pub async fn prepare(fleet: &Fleet) -> Result<Prepared, Failure> {
    runner::available(&fleet.cluster).map_err(Error::failed)?;
    let site = site::read(&fleet.cluster)?;
    let secrets = site::secrets(&fleet.cluster)?;
    let mut found: Vec<Option<Observed>> = vec![None; fleet.cluster.hosts.len()];
    let mut failures = Vec::new();
    for (seat, answer) in fleet.observe(fleet.seats(fleet.enabled()), Detail::Full).await {
        match (answer, seat.index) {
            (Ok(observed), Some(index)) => found[index] = Some(observed),
            (Err(failure), _) => failures.push((seat.name, failure)),
            (Ok(_), None) => {}
        }
    }
    if !failures.is_empty() {
        failures.sort_by(|a, b| a.0.cmp(&b.0));
        return Err(unreachable("nothing has changed: these hosts can't be reached", &failures)
            .hint("`enabled: false` at a host leaves it out")
            .into());
    }
    same_machine(&fleet.cluster, &found)?;
    elsewhere(&fleet.cluster, &found)?;
    let (version, zeeks) = zeek_of(&fleet.cluster, &found)?;
    let problems = zeek::check(&fleet.cluster, version);
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    let mut notes = Vec::new();
    for (host, observed) in fleet.cluster.hosts.iter().zip(&found) {
        let Some(observed) = observed else { continue };
        if observed.logind_kills && !host.local {
            notes.push(format!(
                "{}: logind ends this user's processes at log-out, and with them the nodes; as root: loginctl enable-linger USER",
                host.name
            ));
        }
        if !observed.journal.is_empty() {
            notes.push(format!(
                "{}: an operation did not come to its end: {}; this deploy finishes it",
                host.name,
                observed.journal.first().map_or("", String::as_str)
            ));
        }
    }
    let release = Release::build(&Ingredients {
        cluster: &fleet.cluster,
        version,
        zeeks: &zeeks,
        site: &site,
        secrets: &secrets,
    });
    let mut plan = Plan::make(&fleet.cluster, &found, &release);
    let (leaving, lost) = leaving(fleet, &found, &release, &mut notes).await;
    for (seat, observed) in &leaving {
        plan.add_leaving(&seat.name, observed);
    }
    Ok(Prepared { plan, version, notes, release, found, leaving, lost })
}

/// Two names for one machine would run every node twice.
fn same_machine(cluster: &Cluster, found: &[Option<Observed>]) -> Result<(), Error> {
    let mut seen: HashMap<(&str, &str), &str> = HashMap::new();
    for (host, observed) in cluster.hosts.iter().zip(found) {
        let Some(observed) = observed else { continue };
        if observed.machine_id.len() < 8 {
            continue;
        }
        // Cloned machines share the machine id, but no two machines share a boot.
        if let Some(other) = seen.insert((&observed.machine_id, &observed.boot_id), &host.name) {
            return Err(Error::failed(format!("{other} and {} are the same machine", host.name))
                .because(format!("both have the machine id {}", observed.machine_id))
                .hint("give each machine one name under `hosts`"));
        }
    }
    Ok(())
}

/// Nodes of this cluster that run from another folder would be started a second time.
fn elsewhere(cluster: &Cluster, found: &[Option<Observed>]) -> Result<(), Error> {
    for (host, observed) in cluster.hosts.iter().zip(found) {
        let ours = |name: &String| name.split_once('/').is_some_and(|(c, _)| c == cluster.name);
        let strays = observed.iter().flat_map(|o| &o.strays);
        let stray =
            strays.filter(|s| !s.cmdline.contains("--parse-only")).find(|s| s.clusterctl.as_ref().is_some_and(ours));
        if let Some(stray) = stray {
            let node = stray.cluster_node.as_deref().unwrap_or("a node");
            return Err(Error::failed(format!(
                "nothing has changed: {node} runs on {} from another folder",
                host.name
            ))
            .because(format!("pid {} belongs to this cluster, but no folder under `paths` knows it", stray.pid))
            .hint("stop it with the description that started it, before `paths.base` or `paths.spool` change"));
        }
    }
    Ok(())
}

/// Decides the version of Zeek, which is the same everywhere.
fn zeek_of(cluster: &Cluster, found: &[Option<Observed>]) -> Result<(Version, Vec<Option<ZeekIdentity>>), Error> {
    let mut zeeks = Vec::new();
    let mut versions: BTreeMap<Version, Vec<&str>> = BTreeMap::new();
    for (host, observed) in cluster.hosts.iter().zip(found) {
        let Some(observed) = observed else {
            zeeks.push(None);
            continue;
        };
        let path = format!("{}/bin/zeek", host.prefix);
        let Some(binary) = &observed.binary else {
            return Err(Error::failed(format!("there is no Zeek at {path} on {}", host.name))
                .hint("set `zeek.prefix`, or `prefix` of the host, to where Zeek is installed"));
        };
        let said = observed.version.clone().unwrap_or_default();
        let number = said.rsplit(' ').next().unwrap_or_default();
        let version: Version = number.parse().map_err(|_| {
            Error::failed(format!("{path} on {} does not tell its version", host.name))
                .because(if said.is_empty() { "it printed nothing" } else { &said })
                .hint(format!("try `{path} --version` there"))
        })?;
        versions.entry(version).or_default().push(&host.name);
        zeeks.push(Some(ZeekIdentity { version: number.to_owned(), size: binary.size, mtime: binary.mtime }));
    }
    let list =
        || versions.iter().map(|(v, hosts)| format!("{v} on {}", hosts.join(", "))).collect::<Vec<_>>().join("; ");
    match (versions.len(), versions.keys().next(), cluster.zeek.version) {
        (0, _, _) => Err(Error::failed("no host is enabled")),
        (1, Some(found), Some(named)) if *found != named => {
            Err(Error::failed(format!("the description says Zeek {named}, but the hosts have {found}"))
                .hint("change `zeek.version`, or install that version"))
        }
        (1, Some(version), _) => Ok((*version, zeeks)),
        _ => Err(Error::failed("the hosts have different versions of Zeek")
            .because(list())
            .hint("versions are never mixed in one cluster: install the same on all hosts")),
    }
}

/// Finds hosts that the running release has and the description has not, and asks them; returns those that answered,
/// and the names of the others.
async fn leaving(
    fleet: &Fleet,
    found: &[Option<Observed>],
    release: &Release,
    notes: &mut Vec<String>,
) -> (Vec<(Seat, Observed)>, Vec<String>) {
    // A release is the same on all hosts, so one of them is asked for its cluster.
    let mut tellers: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, observed) in found.iter().enumerate() {
        if let Some(current) = observed.as_ref().and_then(|o| o.current.as_deref())
            && current != release.id
        {
            tellers.entry(current).or_insert(index);
        }
    }
    let mut gone: BTreeMap<String, cluster::Host> = BTreeMap::new();
    let stays: BTreeSet<&str> = fleet.cluster.hosts.iter().map(|h| h.name.as_str()).collect();
    let ways: BTreeSet<(&str, Option<u16>)> =
        fleet.cluster.hosts.iter().map(|h| (h.ssh.host.as_str(), h.ssh.port)).collect();
    for (index, seat) in tellers.values().map(|index| (*index, fleet.seat(*index))) {
        let call = Call::new(CLUSTER, fleet.settings.question).arg(&seat.folders.home);
        let text = match seat.connection.run(call).await {
            Ok(reply) => reply.lines.concat(),
            Err(failure) => {
                notes.push(format!("{}: its release can't be read: {}", seat.name, failure.text()));
                continue;
            }
        };
        let Some(deployed) = serde_json::from_str::<Deployed>(&text).ok().filter(|d| d.format == FORMAT) else {
            notes.push(format!(
                "{}: its release was made by another clusterctl: hosts that left are not looked for",
                fleet.cluster.hosts[index].name
            ));
            continue;
        };
        for host in deployed.cluster.hosts {
            // What was `local` to somebody else is not our machine.
            let known = host.local
                || stays.contains(host.name.as_str())
                || ways.contains(&(host.ssh.host.as_str(), host.ssh.port));
            if !known && host.enabled {
                gone.insert(host.name.clone(), host);
            }
        }
    }
    let (mut leaving, mut lost) = (Vec::new(), Vec::new());
    let seats: Vec<Seat> = gone.values().map(|h| fleet.foreign(h)).collect();
    if seats.is_empty() {
        return (leaving, lost);
    }
    for (seat, answer) in fleet.observe(seats, Detail::Brief).await {
        match answer {
            Ok(observed) => leaving.push((seat, observed)),
            Err(failure) => {
                notes.push(format!(
                    "{} left the description but can't be reached ({}): nodes may still run there",
                    seat.name,
                    failure.text()
                ));
                lost.push(seat.name);
            }
        }
    }
    (leaving, lost)
}

/// Puts the release beside the others on all hosts that need it.
pub(super) async fn stage(fleet: &Fleet, prepared: &Prepared) -> Result<(), Error> {
    let release = &prepared.release;
    let seats: Vec<Seat> = release
        .parts
        .iter()
        .filter(|p| prepared.current(p.host) != Some(release.id.as_str()))
        .map(|p| fleet.seat(p.host))
        .collect();
    let answers = fleet
        .each("staging", seats, |seat| async move {
            let answer = stage_one(fleet, &seat, prepared).await;
            let failure = answer.clone().err();
            (answer, failure)
        })
        .await;
    let failed: Vec<String> =
        answers.into_iter().filter_map(|(seat, a)| Some(format!("{}: {}", seat.name, a.err()?))).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let mut error = Error::failed("nothing has changed: the release could not be staged everywhere");
    for why in failed {
        error = error.because(why);
    }
    Err(error)
}

async fn stage_one(fleet: &Fleet, seat: &Seat, prepared: &Prepared) -> Result<(), String> {
    let release = &prepared.release;
    let Some((index, part)) = seat.index.and_then(|i| Some((i, release.part(i)?))) else { return Ok(()) };
    let observed = prepared.found[index].as_ref();
    let manifest: &[String] = observed.map_or(&[], |o| &o.manifest);
    let base = match observed.and_then(|o| o.current.as_deref()) {
        Some(current) if !manifest.is_empty() => current,
        _ => "-",
    };
    match stage_from(seat, release, part, base, manifest).await {
        // Somebody has changed files there, so they can't be built upon: everything is sent.
        Err(Refusal::Differs(why)) => {
            fleet.tell(Event::Note(format!("{}: {why}; all files are sent anew", seat.name)));
            match stage_from(seat, release, part, "fresh", &[]).await {
                Ok(()) => Ok(()),
                Err(Refusal::Differs(_)) => Err("what arrived is not what was sent: the digests differ".to_owned()),
                Err(Refusal::Failed(why)) => Err(why),
            }
        }
        Err(Refusal::Failed(why)) => Err(why),
        Ok(()) => Ok(()),
    }
}

/// Why a host did not take a release.
enum Refusal {
    /// The files that it has are not those that its manifest names.
    Differs(String),
    /// Something else.
    Failed(String),
}

async fn stage_from(
    seat: &Seat,
    release: &Release,
    part: &Part,
    base: &str,
    manifest: &[String],
) -> Result<(), Refusal> {
    let input = stage_input(part, manifest).map_err(|e| Refusal::Failed(e.to_string()))?;
    let call = Call::new(STAGE, STAGING)
        .arg(&seat.folders.home)
        .arg(&release.id)
        .arg(&part.digest)
        .arg(base)
        .arg(&seat.folders.spool)
        .input(input);
    let reply = seat.connection.run(call).await.map_err(|f| Refusal::Failed(f.text()))?;
    if let Some(why) = reply.lines.iter().find_map(|l| l.strip_prefix("differs ")) {
        return Err(Refusal::Differs(why.to_owned()));
    }
    verdict(&reply, "staged").map_err(Refusal::Failed)
}

/// What travels: the paths that go, and a tar of what is new or changed.
fn stage_input(part: &Part, manifest: &[String]) -> std::io::Result<Vec<u8>> {
    let changes = part.changes(manifest);
    let mut input = Vec::new();
    for path in &changes.removed {
        input.extend_from_slice(path.as_bytes());
        input.push(b'\n');
    }
    input.push(b'\n');
    input.extend(part.tar(changes.added.iter().chain(&changes.changed))?);
    Ok(input)
}

/// Reads the answer of a script that says one word when it has done its work.
fn verdict(reply: &crate::transport::Reply, good: &str) -> Result<(), String> {
    for line in &reply.lines {
        if let Some(why) = line.strip_prefix("fail ") {
            return Err(why.to_owned());
        }
        if line.split(' ').next() == Some(good) && reply.ok() {
            return Ok(());
        }
    }
    Err(reply.stderr.lines().last().unwrap_or("no reason given").to_owned())
}

impl Prepared {
    /// Tells whether an operation on one of the hosts did not come to its end.
    pub fn is_unfinished(&self) -> bool {
        self.found.iter().flatten().any(|o| !o.journal.is_empty())
    }

    fn current(&self, host: usize) -> Option<&str> {
        self.found.get(host)?.as_ref()?.current.as_deref()
    }

    /// Releases that may go from a host: all but the newest, the current one, and those that nodes run.
    fn obsolete(&self, host: usize) -> Vec<String> {
        let Some(observed) = &self.found[host] else { return Vec::new() };
        let mut used: BTreeSet<&str> = observed.nodes.values().filter_map(|n| n.release.as_deref()).collect();
        used.extend(observed.current.as_deref());
        used.insert(&self.release.id);
        let old = observed.releases.iter().skip(KEPT - 1);
        old.filter(|r| !used.contains(r.as_str())).cloned().collect()
    }
}

/// Does what was planned.
///
/// # Errors
/// Where nothing was changed. Once something was, the report tells how it ended.
pub async fn apply(fleet: &Fleet, prepared: &Prepared) -> Result<DeployReport, Failure> {
    let operation = Operation::new("deploy");
    let mut seats = fleet.seats(prepared.release.parts.iter().map(|p| p.host));
    seats.extend(prepared.leaving.iter().map(|(seat, _)| seat.clone()));
    let locks = Locks::take(fleet, &seats, &operation).await?;
    let mut touched = Touched::Nothing;
    let result = locked(fleet, prepared, &locks, &operation, &mut touched).await;
    // An operation that failed and was not undone leaves its journal, so that the next one can tell; one that changed
    // nothing leaves that of another.
    let settled = match &result {
        Ok(report) if report.done => true,
        Ok(report) => {
            report.not_back.is_empty()
                && report.rolled_back.as_ref().is_some_and(|n| n.iter().all(|o| o.outcome.is_good()))
        }
        Err(_) => touched == Touched::AndBack,
    };
    locks.release(settled).await;
    result
}

/// Whether an operation has changed what is current on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Touched {
    Nothing,
    Some,
    AndBack,
}

async fn locked(
    fleet: &Fleet,
    prepared: &Prepared,
    locks: &Locks,
    operation: &Operation,
    touched: &mut Touched,
) -> Result<DeployReport, Failure> {
    let release = &prepared.release;
    stage(fleet, prepared).await?;
    if prepared.plan.nodes.iter().any(|n| matches!(n.action, Action::Start | Action::Restart)) {
        let report = check::parse(fleet, release, false).await?;
        if !report.errors.is_empty() {
            return Err(refused(&report).into());
        }
    }
    locks.note(&format!("{} {}", operation.id, operation.holder));
    locks.note(&format!("staged and checked {}", release.id));
    *touched = Touched::Some;
    let switch = fleet.seats(release.parts.iter().map(|p| p.host));
    let to = |_: &Seat| Some(release.id.clone());
    let from = |seat: &Seat| seat.index.and_then(|i| prepared.current(i)).map(str::to_owned);
    if let Err(error) = switch_all(fleet, prepared, switch.clone(), from, to, operation).await {
        let back = switch_all(fleet, prepared, switch, to, from, operation).await;
        if back.is_ok() {
            *touched = Touched::AndBack;
        }
        let error = error.because(match back {
            Ok(()) => "no node was touched; all hosts are back at the release they had",
            Err(_) => "no node was touched, but not all hosts could be switched back; run `clusterctl deploy` again",
        });
        return Err(error.into());
    }
    locks.note(&format!("switched {}", release.id));

    let stops = jobs(fleet, prepared, |a| matches!(a, Action::Stop | Action::Restart));
    let starts = jobs(fleet, prepared, |a| matches!(a, Action::Start | Action::Restart));
    let mut nodes = stop_jobs(fleet, &stops).await;
    let stopped_well = nodes.iter().all(|o| o.outcome.is_good());
    if stopped_well {
        locks.note("stopped");
        // A restarted node is told by how it started.
        let starting: BTreeSet<&str> = starts.iter().map(|j| j.node.as_str()).collect();
        nodes.retain(|o| !starting.contains(o.node.as_str()));
        nodes.extend(start_jobs(fleet, &starts, true).await);
    }
    let mut report = DeployReport {
        release: release.id.clone(),
        done: true,
        nodes,
        rolled_back: None,
        not_back: Vec::new(),
        lost: prepared.lost.clone(),
    };
    if report.nodes.iter().all(|o| o.outcome.is_good()) {
        locks.note("started");
        return Ok(report);
    }
    report.done = false;
    locks.note("going back");
    fleet.tell(Event::Note("not all nodes became ready: going back to what ran before".to_owned()));
    let (nodes, not_back) = go_back(fleet, prepared, &stops, &starts, operation).await;
    report.rolled_back = Some(nodes);
    report.not_back = not_back;
    Ok(report)
}

/// Makes the jobs of a plan's actions.
fn jobs(fleet: &Fleet, prepared: &Prepared, wanted: impl Fn(Action) -> bool) -> Vec<Job> {
    let seats: HashMap<String, Seat> = fleet
        .seats(prepared.release.parts.iter().map(|p| p.host))
        .into_iter()
        .chain(prepared.leaving.iter().map(|(seat, _)| seat.clone()))
        .map(|seat| (seat.name.clone(), seat))
        .collect();
    prepared
        .plan
        .nodes
        .iter()
        .filter(|n| wanted(n.action))
        .filter_map(|n| {
            Some(Job {
                node: n.node.clone(),
                role: n.role,
                seat: seats.get(&n.host)?.clone(),
                release: prepared.release.id.clone(),
            })
        })
        .collect()
}

/// Switches hosts from one release to another.
async fn switch_all(
    fleet: &Fleet,
    prepared: &Prepared,
    seats: Vec<Seat>,
    from: impl Fn(&Seat) -> Option<String>,
    to: impl Fn(&Seat) -> Option<String>,
    operation: &Operation,
) -> Result<(), Error> {
    let (from, to) = (&from, &to);
    let answers = fleet
        .each("switching", seats, |seat| async move {
            let none = || "-".to_owned();
            let target = to(&seat).unwrap_or_else(none);
            let obsolete = match seat.index {
                Some(index) if target == prepared.release.id => prepared.obsolete(index),
                _ => Vec::new(),
            };
            let call = Call::new(ACTIVATE, SWITCHING)
                .arg(&seat.folders.home)
                .arg(target)
                .arg(from(&seat).unwrap_or_else(none))
                .arg(format!("{} zeek {}", operation.holder, prepared.version))
                .input(obsolete.iter().map(|r| format!("{r}\n")).collect::<String>());
            let answer = match seat.connection.run(call).await {
                Ok(reply) => verdict(&reply, "activated"),
                Err(failure) => Err(failure.text()),
            };
            let failure = answer.clone().err();
            (answer, failure)
        })
        .await;
    let failed: Vec<String> =
        answers.into_iter().filter_map(|(seat, a)| Some(format!("{}: {}", seat.name, a.err()?))).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let mut error = Error::failed("not all hosts could switch to the new release");
    for why in failed {
        error = error.because(why);
    }
    Err(error)
}

/// Brings all hosts back to the release that ran before, and the nodes that ran or were meant to run to theirs; returns
/// what became of the nodes, and the hosts that could not go back.
async fn go_back(
    fleet: &Fleet,
    prepared: &Prepared,
    stops: &[Job],
    starts: &[Job],
    operation: &Operation,
) -> (Vec<NodeOutcome>, Vec<String>) {
    let mut nodes = stop_jobs(fleet, starts).await;
    let seats = fleet.seats(prepared.release.parts.iter().map(|p| p.host));
    let to = |seat: &Seat| seat.index.and_then(|i| prepared.current(i)).map(str::to_owned);
    let from = |_: &Seat| Some(prepared.release.id.clone());
    let not_back = match switch_all(fleet, prepared, seats, from, to, operation).await {
        Ok(()) => Vec::new(),
        Err(error) => error.causes,
    };
    // A node in the pause after a crash was meant to run as well.
    let before: HashMap<(&str, &str), &str> = prepared
        .leaving
        .iter()
        .map(|(seat, observed)| (seat.name.as_str(), observed))
        .chain(
            fleet.cluster.hosts.iter().zip(&prepared.found).filter_map(|(h, o)| Some((h.name.as_str(), o.as_ref()?))),
        )
        .flat_map(|(host, observed)| {
            observed.nodes.iter().filter_map(move |(name, node)| {
                let meant = match &node.wanted {
                    Some(Wanted::Running(release)) => Some(release.as_str()),
                    _ => None,
                };
                let release = if node.process.is_some() { node.release.as_deref().or(meant) } else { meant };
                Some(((host, name.as_str()), release?))
            })
        })
        .collect();
    let mut seen = BTreeSet::new();
    let again: Vec<Job> = stops
        .iter()
        .chain(starts)
        .filter(|job| seen.insert((job.seat.name.as_str(), job.node.as_str())))
        .filter_map(|job| {
            let release = before.get(&(job.seat.name.as_str(), job.node.as_str()))?;
            Some(Job { release: (*release).to_owned(), ..job.clone() })
        })
        .collect();
    nodes.retain(|o| !o.outcome.is_good());
    nodes.extend(start_jobs(fleet, &again, false).await);
    (nodes, not_back)
}

fn refused(report: &CheckReport) -> Error {
    let mut error = Error::new(Kind::Failed, "nothing has changed: Zeek does not accept the scripts");
    for (node, host, lines) in &report.errors {
        error = error.because(format!("{node} on {host}:\n{}", lines.join("\n")));
    }
    error
}
