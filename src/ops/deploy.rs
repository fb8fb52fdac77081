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
use crate::cluster::{self, Cluster, Role};
use crate::error::{Error, Kind};
use crate::observed::Observed;
use crate::plan::{Action, Plan};
use crate::release::{Ingredients, Part, Release, ZeekIdentity};
use crate::runner;
use crate::transport::Call;
use crate::values::Version;
use crate::zeek;

const STAGE: &str = concat!(include_str!("../../templates/lib.sh"), include_str!("../../templates/stage.sh"));
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
    let leaving = leaving(fleet, &found, &mut notes).await;
    for (seat, observed) in &leaving {
        plan.add_leaving(&seat.name, observed);
    }
    Ok(Prepared { plan, version, notes, release, found, leaving })
}

/// Two names for one machine would run every node twice.
fn same_machine(cluster: &Cluster, found: &[Option<Observed>]) -> Result<(), Error> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for (host, observed) in cluster.hosts.iter().zip(found) {
        let Some(observed) = observed else { continue };
        if observed.machine_id.len() < 8 {
            continue;
        }
        // Containers may share an image's machine id; their boot ids and names tell them apart no better, so the
        // folder decides: one machine with two separate base folders is two hosts to us.
        if let Some(other) = seen.insert(&observed.machine_id, &host.name) {
            return Err(Error::failed(format!("{other} and {} are the same machine", host.name))
                .because(format!("both have the machine id {}", observed.machine_id))
                .hint("give each machine one name under `hosts`"));
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

/// Finds hosts that the running release has and the description has not, and asks them.
async fn leaving(fleet: &Fleet, found: &[Option<Observed>], notes: &mut Vec<String>) -> Vec<(Seat, Observed)> {
    let mut gone: BTreeMap<String, cluster::Host> = BTreeMap::new();
    for observed in found.iter().flatten() {
        let Some(deployed) = observed.cluster.as_ref().and_then(|t| serde_json::from_str::<Deployed>(t).ok()) else {
            continue;
        };
        if deployed.format != crate::release::FORMAT {
            continue;
        }
        for host in deployed.cluster.hosts {
            let stays = fleet.cluster.hosts.iter().any(|h| {
                h.name == host.name
                    || (h.local && host.local)
                    || (h.ssh.host == host.ssh.host && h.ssh.port == host.ssh.port)
            });
            if !stays && host.enabled {
                gone.insert(host.name.clone(), host);
            }
        }
    }
    let mut leaving = Vec::new();
    let seats: Vec<Seat> = gone.values().map(|h| fleet.foreign(h)).collect();
    if seats.is_empty() {
        return leaving;
    }
    for (seat, answer) in fleet.observe(seats, Detail::Brief).await {
        match answer {
            Ok(observed) => leaving.push((seat, observed)),
            Err(failure) => notes.push(format!(
                "{} left the description but can't be reached ({}): nodes may still run there",
                seat.name,
                failure.text()
            )),
        }
    }
    leaving
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
            let answer = stage_one(&seat, prepared).await;
            let failure = answer.as_ref().err().map(ToString::to_string);
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

async fn stage_one(seat: &Seat, prepared: &Prepared) -> Result<(), String> {
    let release = &prepared.release;
    let Some((index, part)) = seat.index.and_then(|i| Some((i, release.part(i)?))) else { return Ok(()) };
    let observed = prepared.found[index].as_ref();
    let manifest: &[String] = observed.map_or(&[], |o| &o.manifest);
    let base = match observed.and_then(|o| o.current.as_deref()) {
        Some(current) if !manifest.is_empty() => current,
        _ => "-",
    };
    let input = stage_input(part, manifest).map_err(|e| e.to_string())?;
    let call = Call::new(STAGE, STAGING)
        .arg(&seat.folders.home)
        .arg(&release.id)
        .arg(&part.digest)
        .arg(base)
        .arg(&seat.folders.spool)
        .input(input);
    let reply = seat.connection.run(call).await.map_err(|f| f.text())?;
    verdict(&reply, "staged")
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
    locks.note(&format!("{} {}", operation.id, operation.holder));
    let result = locked(fleet, prepared, &locks, &operation).await;
    // An operation that failed and was not undone leaves its journal, so that the next one can tell.
    let settled = match &result {
        Ok(report) => report.done || report.rolled_back.as_ref().is_some_and(|n| n.iter().all(|o| o.outcome.is_good())),
        Err(_) => true,
    };
    locks.release(settled).await;
    result
}

async fn locked(
    fleet: &Fleet,
    prepared: &Prepared,
    locks: &Locks,
    operation: &Operation,
) -> Result<DeployReport, Failure> {
    let release = &prepared.release;
    stage(fleet, prepared).await?;
    locks.note(&format!("staged {}", release.id));
    if prepared.plan.nodes.iter().any(|n| matches!(n.action, Action::Start | Action::Restart)) {
        let report = check::parse(fleet, release, false).await?;
        if !report.errors.is_empty() {
            return Err(refused(&report).into());
        }
        locks.note(&format!("checked {}", release.id));
    }
    let switch = fleet.seats(release.parts.iter().map(|p| p.host));
    let to = |_: &Seat| Some(release.id.clone());
    let from = |seat: &Seat| seat.index.and_then(|i| prepared.current(i)).map(str::to_owned);
    if let Err(error) = switch_all(fleet, prepared, switch.clone(), from, to, operation).await {
        let back = switch_all(fleet, prepared, switch, to, from, operation).await;
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
    let mut report = DeployReport { release: release.id.clone(), done: true, nodes, rolled_back: None };
    if report.nodes.iter().all(|o| o.outcome.is_good()) {
        locks.note("started");
        return Ok(report);
    }
    report.done = false;
    locks.note("going back");
    fleet.tell(Event::Note("not all nodes became ready: going back to what ran before".to_owned()));
    report.rolled_back = Some(go_back(fleet, prepared, &stops, &starts, operation).await);
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
                .input(obsolete.join("\n"));
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

/// Brings all hosts back to the release that ran before, and the nodes that were stopped to the one they ran.
async fn go_back(
    fleet: &Fleet,
    prepared: &Prepared,
    stops: &[Job],
    starts: &[Job],
    operation: &Operation,
) -> Vec<NodeOutcome> {
    let mut nodes = stop_jobs(fleet, starts).await;
    let seats = fleet.seats(prepared.release.parts.iter().map(|p| p.host));
    let to = |seat: &Seat| seat.index.and_then(|i| prepared.current(i)).map(str::to_owned);
    let from = |_: &Seat| Some(prepared.release.id.clone());
    if let Err(error) = switch_all(fleet, prepared, seats, from, to, operation).await {
        fleet.tell(Event::Note(error.to_string()));
    }
    let before: HashMap<(&str, &str), (&str, Option<Role>)> = prepared
        .plan
        .nodes
        .iter()
        .filter_map(|n| Some(((n.host.as_str(), n.node.as_str()), (n.from.as_deref()?, n.role))))
        .collect();
    let again: Vec<Job> = stops
        .iter()
        .filter_map(|job| {
            let (release, role) = before.get(&(job.seat.name.as_str(), job.node.as_str()))?;
            Some(Job { release: (*release).to_owned(), role: *role, ..job.clone() })
        })
        .collect();
    nodes.retain(|o| !o.outcome.is_good());
    nodes.extend(start_jobs(fleet, &again, false).await);
    nodes
}

fn refused(report: &CheckReport) -> Error {
    let mut error = Error::new(Kind::Failed, "nothing has changed: Zeek does not accept the scripts");
    for (node, host, lines) in &report.errors {
        error = error.because(format!("{node} on {host}:\n{}", lines.join("\n")));
    }
    error
}
