//! Before anything changes: observe all hosts, decide Zeek's version, build the release, plan.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::fleet::{Detail, Fleet, Seat, unreachable};
use super::{Failure, archive, site};
use crate::cluster::{self, Cluster};
use crate::error::Error;
use crate::observed::Observed;
use crate::plan::{Deployments, Plan};
use crate::release::{Deployed, Ingredients, Release, ZeekIdentity};
use crate::runner;
use crate::transport::Call;
use crate::values::Version;
use crate::zeek;

const CLUSTER: &str = concat!(include_str!("../../templates/say.sh"), include_str!("../../templates/cluster.sh"));

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
    pub(super) found: Vec<Option<Observed>>,
    pub(super) leaving: Vec<(Seat, Observed)>,
    /// Hosts that left the description and can't be asked.
    pub(super) lost: Vec<String>,
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
    for (index, (host, observed)) in fleet.cluster.hosts.iter().zip(&found).enumerate() {
        let Some(observed) = observed else { continue };
        notes.extend(archive::missing(&fleet.cluster, index, observed).map(|note| format!("{}: {note}", host.name)));
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
    let deployed = deployments(fleet, &found, &release, &mut notes).await;
    let mut plan = Plan::make(&fleet.cluster, &found, &release, &deployed);
    let (leaving, lost) = leaving(fleet, &deployed, &mut notes).await;
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

/// Reads the clusters of the releases that are current on the hosts, but for the one that is planned.
async fn deployments(
    fleet: &Fleet,
    found: &[Option<Observed>],
    release: &Release,
    notes: &mut Vec<String>,
) -> Deployments {
    // A release is the same on all hosts, so one of them is asked for its cluster.
    let mut tellers: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, observed) in found.iter().enumerate() {
        if let Some(current) = observed.as_ref().and_then(|o| o.current.as_deref())
            && current != release.id
        {
            tellers.entry(current).or_insert(index);
        }
    }
    let mut deployed = Deployments::new();
    for (id, index) in tellers {
        let seat = fleet.seat(index);
        let call = Call::new(CLUSTER, fleet.settings.question).arg(&seat.folders.home);
        let text = match seat.connection.run(call).await {
            Ok(reply) => reply.lines.concat(),
            Err(failure) => {
                notes.push(format!("{}: its release can't be read: {}", seat.name, failure.text()));
                continue;
            }
        };
        match Deployed::parse(&text) {
            Some(then) => drop(deployed.insert(id.to_owned(), then.cluster)),
            None => notes.push(format!(
                "{}: its release was made by another clusterctl: hosts that left are not looked for",
                seat.name
            )),
        }
    }
    deployed
}

/// Finds hosts that a current release has and the description has not, and asks them; returns those that answered,
/// and the names of the others.
async fn leaving(
    fleet: &Fleet,
    deployed: &Deployments,
    notes: &mut Vec<String>,
) -> (Vec<(Seat, Observed)>, Vec<String>) {
    let mut gone: BTreeMap<String, cluster::Host> = BTreeMap::new();
    let stays: BTreeSet<&str> = fleet.cluster.hosts.iter().map(|h| h.name.as_str()).collect();
    let ways: BTreeSet<(&str, Option<u16>)> =
        fleet.cluster.hosts.iter().map(|h| (h.ssh.host.as_str(), h.ssh.port)).collect();
    for host in deployed.values().flat_map(|then| &then.hosts) {
        // What was `local` to somebody else is not our machine.
        let known =
            host.local || stays.contains(host.name.as_str()) || ways.contains(&(host.ssh.host.as_str(), host.ssh.port));
        if !known && host.enabled {
            gone.insert(host.name.clone(), host.clone());
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

impl Prepared {
    /// Tells whether an operation on one of the hosts did not come to its end.
    pub fn is_unfinished(&self) -> bool {
        self.found.iter().flatten().any(|o| !o.journal.is_empty())
    }

    /// Returns the release that is current on a host.
    pub(super) fn current(&self, host: usize) -> Option<&str> {
        self.found.get(host)?.as_ref()?.current.as_deref()
    }

    /// Releases that may go from a host: all but the newest, the current one, and those that nodes run.
    pub(super) fn obsolete(&self, host: usize) -> Vec<String> {
        let Some(observed) = &self.found[host] else { return Vec::new() };
        let mut used: BTreeSet<&str> = observed.nodes.values().filter_map(|n| n.release.as_deref()).collect();
        used.extend(observed.archiver.as_ref().and_then(|a| a.release.as_deref()));
        used.extend(observed.current.as_deref());
        used.insert(&self.release.id);
        let old = observed.releases.iter().skip(KEPT - 1);
        old.filter(|r| !used.contains(r.as_str())).cloned().collect()
    }
}
