//! Before anything changes: observe all hosts, decide Zeek's version, build the release, plan.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::doctor::shell_word;
use super::fleet::{Detail, Fleet, Seat, unreachable};
use super::leaving::{Leaving, Remembered, ask_leaving, gone};
use super::secrets::Keys;
use super::{Failure, archive, beside, secrets, site};
use crate::cluster::{self, Cluster, Role, RunnerKind};
use crate::error::Error;
use crate::observed::{Kept, Left, Observed, ObservedNode, Origin, Owner, Stored};
use crate::plan::{Apart, Deployments, Plan, recorded};
use crate::release::{Ingredients, Release, ZeekIdentity};
use crate::runner;
use crate::transport::Call;
use crate::values::{Share, Version};
use crate::zeek;

const CLUSTER: &str = concat!(include_str!("../../templates/say.sh"), include_str!("../../templates/cluster.sh"));

/// How many nodes with the same trouble are named.
const REFUSED: usize = 10;

/// What a deploy may leave out, and how it goes about.
#[derive(Debug, Clone)]
pub struct Options {
    /// Hosts to leave out, by their index (`--skip`).
    pub skip: BTreeSet<usize>,
    /// So many workers may be missing at the end (`--allow-failed`).
    pub allow_failed: Share,
    /// So many workers may be down at a time; none: all (`--max-unavailable`).
    pub max_unavailable: Option<Share>,
    /// No node that runs is restarted (`--no-restart`).
    pub no_restart: bool,
    /// The backend may change (`--accept-backend-change`).
    pub accept_backend_change: bool,
    /// Hosts that can't be reached are left out, whatever runs there: to bring others up to date.
    pub without_those_away: bool,
    /// What the command can be told, for hints.
    pub offers: Offers,
}

/// Options that a command has; a hint names no other ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offers {
    /// `--skip` and `--allow-failed`.
    pub skip: bool,
    /// `--accept-backend-change`.
    pub backend: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            skip: BTreeSet::new(),
            allow_failed: Share::NONE,
            max_unavailable: None,
            no_restart: false,
            accept_backend_change: false,
            without_those_away: false,
            offers: Offers::default(),
        }
    }
}

/// All that a deploy knows before it changes anything.
pub struct Prepared {
    /// What it would do.
    pub plan: Plan,
    /// Zeek's version.
    pub version: Version,
    /// Things that the user should know first.
    pub notes: Vec<String>,
    pub(super) release: Release,
    /// Where its files lie on the hosts already, but for those that its parts have: the release, and its manifest on each
    /// host.
    pub(super) base: Option<(String, BTreeMap<usize, Vec<String>>)>,
    pub(super) found: Vec<Option<Observed>>,
    /// What the hosts keep to themselves.
    pub(super) keys: Keys,
    pub(super) leaving: Vec<(Seat, Observed)>,
    /// Those of them on which something runs or is meant to, and which therefore must not be forgotten.
    pub(super) left: Vec<Left>,
    /// Hosts that left the description and can't be asked, and why.
    pub(super) lost: Vec<(Left, String)>,
    /// Hosts of the description that are left out, and why.
    pub(super) absent: BTreeMap<usize, Absent>,
    /// How it is to be done.
    pub(super) options: Options,
    /// What it leads to.
    pub(super) aim: Aim,
}

/// What an operation leads to.
#[derive(Debug, Clone)]
pub(super) enum Aim {
    /// What the description says.
    Description,
    /// A release that lies on the hosts.
    Release(super::rollback::Target),
    /// Hosts that were away to the release of the others: which; none: all that are behind.
    UpToDate(Option<BTreeSet<usize>>),
}

/// Why a host is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Absent {
    /// The user said so.
    Skipped,
    /// It can't be reached, or failed; why.
    Failed(String),
}

impl Absent {
    /// Says it in words.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Skipped => "it was skipped",
            Self::Failed(why) => why,
        }
    }
}

/// Observes all hosts and plans.
///
/// # Errors
/// Where a host can't be asked, Zeek is missing or of another version, or the description can't be had with the
/// version that was found.
pub async fn prepare(fleet: &Fleet, options: &Options) -> Result<Prepared, Failure> {
    let site = site::read(&fleet.cluster).await.map_err(beside::of_site)?;
    let values = site::secrets(&fleet.cluster)?;
    let given = site::tls(&fleet.cluster)?;
    let (found, absent) = look(fleet, options).await?;
    runnable(&fleet.cluster, &found)?;
    pinnable(&fleet.cluster, &found).map_err(|error| error.hint("set `pin_cpus` of the nodes there"))?;
    let (version, zeeks) = zeek_of(&fleet.cluster, &found)?;
    let problems = zeek::check(&fleet.cluster, version);
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    let mut notes = notes(&fleet.cluster, &found, &absent);
    let keys = secrets::decide(fleet, &found, version, given)?;
    let salt = if values.is_empty() { None } else { Some(secrets::salt(fleet, &found)?) };
    let mut release = Release::build(&Ingredients {
        cluster: &fleet.cluster,
        version,
        zeeks: &zeeks,
        site: &site,
        kept: &keys.names,
        secrets: &values,
        salt: salt.as_deref(),
    });
    adopt(&mut release, &fleet.cluster, &found);
    let (deployed, then) = deployments(fleet, &found, &release, &mut notes).await;
    let mut plan = Plan::make(&fleet.cluster, &found, &release, &deployed);
    plan.new_keys = fleet.new_keys.get().is_some() || fleet.salt.get().is_some();
    let gone = gone(&fleet.cluster, &found, &then);
    let leaving = ask_leaving(fleet, &found, gone, "left the description", &mut notes).await;
    leaving.plan(&mut plan);
    let Leaving { there: leaving, left, lost, .. } = leaving;
    if options.no_restart {
        plan.without_restarts();
    }
    plan.apart = apart(&fleet.cluster, &absent);
    let options = options.clone();
    let aim = Aim::Description;
    let base = None;
    Ok(Prepared { plan, version, notes, release, base, found, keys, leaving, left, lost, absent, options, aim })
}

/// The hosts that take no part, and why.
pub(super) fn apart(cluster: &Cluster, absent: &BTreeMap<usize, Absent>) -> Vec<Apart> {
    let hosts = cluster.hosts.iter().enumerate();
    hosts
        .filter_map(|(index, host)| {
            let why = match absent.get(&index) {
                _ if !host.enabled => "is disabled".to_owned(),
                Some(Absent::Skipped) => "was skipped".to_owned(),
                Some(Absent::Failed(why)) => format!("could not be asked ({why})"),
                None => return None,
            };
            Some(Apart { host: host.name.clone(), why, disabled: !host.enabled })
        })
        .collect()
}

/// What was found on the hosts, and those that are left out.
pub(super) type Look = (Vec<Option<Observed>>, BTreeMap<usize, Absent>);

/// Observes all hosts that are to be touched.
pub(super) async fn look(fleet: &Fleet, options: &Options) -> Result<Look, Error> {
    let cluster = &*fleet.cluster;
    let mut found: Vec<Option<Observed>> = vec![None; cluster.hosts.len()];
    let mut failures = BTreeMap::new();
    let mut absent: BTreeMap<usize, Absent> = BTreeMap::new();
    absent.extend(fleet.enabled().into_iter().filter(|i| options.skip.contains(i)).map(|i| (i, Absent::Skipped)));
    let seats = fleet.seats(fleet.enabled().into_iter().filter(|i| !absent.contains_key(i)));
    for (seat, answer) in fleet.observe(seats, Detail::Full).await {
        match (answer, seat.index) {
            (Ok(observed), Some(index)) => found[index] = Some(observed),
            (Err(failure), Some(index)) => drop(failures.insert(index, (seat.name, failure))),
            (_, None) => {}
        }
    }
    let nodes: Vec<&str> =
        cluster.run_nodes().filter(|n| failures.contains_key(&n.host)).map(|n| n.name.as_str()).collect();
    let spared = options.without_those_away && found.iter().any(Option::is_some);
    if !failures.is_empty() && !spared && !tolerable(cluster, options, &nodes) {
        let only_workers = nodes_are_workers(cluster, &nodes);
        let names: Vec<String> = failures.values().map(|(name, _)| format!("--skip @{name}")).collect();
        let failures: Vec<_> = failures.into_values().collect();
        let error = unreachable("nothing has changed: these hosts can't be reached", &failures);
        let hint = match (only_workers, options.offers.skip) {
            (true, true) => format!("skip it once with {}, or set `enabled: false` for longer", names.join(" ")),
            (true, false) => "set `enabled: false` at a host to leave it out".to_owned(),
            (false, true) => "only hosts of nothing but workers can be left out (--skip, --allow-failed)".to_owned(),
            (false, false) => "only hosts of nothing but workers can be left out (`enabled: false`)".to_owned(),
        };
        return Err(error.hint(hint));
    }
    absent.extend(failures.into_iter().map(|(index, (_, failure))| (index, Absent::Failed(failure.text()))));
    same_machine(cluster, &found)?;
    elsewhere(cluster, &found)?;
    unsafe_folders(cluster, &found)?;
    Ok((found, absent))
}

fn nodes_are_workers(cluster: &Cluster, nodes: &[&str]) -> bool {
    let nodes: BTreeSet<&str> = nodes.iter().copied().collect();
    cluster.run_nodes().filter(|n| nodes.contains(n.name.as_str())).all(|n| n.role == Role::Worker)
}

/// Tells whether an operation may end well without these nodes: workers only, and not more than is allowed.
pub(super) fn tolerable(cluster: &Cluster, options: &Options, nodes: &[&str]) -> bool {
    let workers = cluster.run_nodes().filter(|n| n.role == Role::Worker && cluster.host_of(n).enabled).count();
    nodes.len() <= options.allow_failed.of(workers) && nodes_are_workers(cluster, nodes)
}

/// What the user should know before anything changes.
pub(super) fn notes(cluster: &Cluster, found: &[Option<Observed>], absent: &BTreeMap<usize, Absent>) -> Vec<String> {
    let mut notes: Vec<String> =
        absent.iter().map(|(index, why)| format!("{}: left out: {}", cluster.hosts[*index].name, why.text())).collect();
    for (index, (host, observed)) in cluster.hosts.iter().zip(found).enumerate() {
        let Some(observed) = observed else { continue };
        let archive = [archive::begins(cluster, index, observed), archive::missing(cluster, index, observed)];
        notes.extend(archive.into_iter().flatten().map(|note| format!("{}: {note}", host.name)));
        if observed.logind_kills && !host.local && cluster.runner == RunnerKind::Process {
            notes.push(format!(
                "{}: logind ends this user's processes at log-out, and with them the nodes; as root: loginctl enable-linger USER",
                host.name
            ));
        }
        let lonely: Vec<&str> =
            observed.nodes.iter().filter(|(_, n)| n.is_unsupervised()).map(|(name, _)| name.as_str()).collect();
        if !lonely.is_empty() {
            notes.push(format!(
                "{}: {} {} unsupervised, and will not be started again after an end: clusterctl restart {}",
                host.name,
                lonely.join(", "),
                if lonely.len() == 1 { "runs" } else { "run" },
                lonely.join(" ")
            ));
        }
        for wrong in &observed.wrong {
            let file = format!("{}/{}", cluster::Folders::of(&cluster.name, host).home, wrong.file);
            notes.push(format!(
                "{}: {file} is not what clusterctl writes: {}; it counts as unknown",
                host.name, wrong.why
            ));
        }
        // A script there may well write what `site_data` brought.
        let data: Vec<&str> = observed.altered.files().into_keys().filter(|path| path.starts_with("data/")).collect();
        if let Some(first) = data.first() {
            let more = if data.len() > 1 { format!(" and {} more", data.len() - 1) } else { String::new() };
            notes.push(format!(
                "{}: {first}{more} is not as it was deployed; it stays so until the next release",
                host.name
            ));
        }
        notes.extend(replaceable_zeek(observed).map(|note| format!("{}: {note}", host.name)));
        if let Some(unfinished) = observed.unfinished() {
            notes.push(format!("{}: an operation did not come to its end: {}", host.name, unfinished.text()));
        }
    }
    notes
}

/// Says where others could replace the Zeek that root runs.
fn replaceable_zeek(observed: &Observed) -> Option<String> {
    let (uid, user) = observed.account.as_ref().filter(|(uid, _)| *uid == 0)?;
    let (path, flaw) = observed.ways.iter().filter(|c| c.what == "zeek").find_map(|c| {
        let flaw = c.flaw(*uid, user)?;
        Some((&c.path, flaw))
    })?;
    Some(format!(
        "root runs a Zeek that others could replace: {}; make sure that nothing was put there, then: {} {}",
        flaw.what,
        flaw.command,
        shell_word(path)
    ))
}

/// What is current on hosts, by their indices.
pub(super) fn currents(found: &[Option<Observed>]) -> impl Iterator<Item = (usize, &str)> {
    found.iter().enumerate().filter_map(|(index, observed)| Some((index, observed.as_ref()?.current.as_deref()?)))
}

/// The release that the cluster runs: the manager's host can't be left out by a deploy, so its release is it; where that
/// host is not known, the one that most have.
pub(super) fn prevailing<'a>(cluster: &Cluster, currents: impl Iterator<Item = (usize, &'a str)>) -> Option<String> {
    let manager = cluster.manager().map(|m| m.host);
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for (host, current) in currents {
        if Some(host) == manager {
            return Some(current.to_owned());
        }
        *hosts.entry(current).or_default() += 1;
    }
    hosts.into_iter().max_by_key(|(_, count)| *count).map(|(id, _)| id.to_owned())
}

/// The hosts, by their indices, in the order in which their word about the others counts: no operation goes on without
/// the manager's, so that another one that lies keeps nobody from anything.
pub(super) fn manager_first(cluster: &Cluster) -> impl Iterator<Item = usize> {
    let manager = cluster.manager().map(|m| m.host);
    manager.into_iter().chain((0..cluster.hosts.len()).filter(move |index| Some(*index) != manager))
}

/// Where the hosts that are up to date have these very files already, the release keeps the name that it has there:
/// parts of further hosts, which were away, belong to it.
fn adopt(release: &mut Release, cluster: &Cluster, found: &[Option<Observed>]) {
    let Some(id) = prevailing(cluster, currents(found)) else { return };
    let same = release.parts.iter().all(|part| match &found[part.host] {
        Some(observed) if observed.current.as_ref() == Some(&id) => part.changes(&observed.manifest).is_empty(),
        _ => true,
    });
    if same {
        release.id = id;
    }
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

/// What others could replace must not be run.
fn unsafe_folders(cluster: &Cluster, found: &[Option<Observed>]) -> Result<(), Error> {
    let mut error: Option<Error> = None;
    for (host, observed) in cluster.hosts.iter().zip(found) {
        let Some((observed, (uid, user))) = observed.as_ref().and_then(|o| Some((o, o.account.as_ref()?))) else {
            continue;
        };
        let mut seen = BTreeSet::new();
        // Where Zeek lies may be other people's business; `doctor` speaks of it, and a note where root runs it.
        for component in observed.ways.iter().filter(|c| c.what != "zeek" && seen.insert(c.path.as_str())) {
            let Some(flaw) = component.flaw(*uid, user) else { continue };
            let so_far = error.unwrap_or_else(|| {
                Error::failed("nothing has changed: others could replace what clusterctl runs on the hosts")
            });
            let root = if flaw.root { ", as root" } else { "" };
            let command = format!("{} {}", flaw.command, shell_word(&component.path));
            error = Some(
                so_far
                    .because(format!("{}: {}", host.name, flaw.what))
                    .hint(format!("make sure that nothing was put there; then on {}{root}: {command}", host.name)),
            );
        }
    }
    error.map_or(Ok(()), Err)
}

/// Nodes of this cluster that run from another folder would be started a second time. What other users name theirs is
/// no reason to stop.
fn elsewhere(cluster: &Cluster, found: &[Option<Observed>]) -> Result<(), Error> {
    for (host, observed) in cluster.hosts.iter().zip(found) {
        for stray in observed.iter().flat_map(|o| &o.strays).filter(|s| !matches!(s.owner, Owner::User(_))) {
            let Origin::Clusterctl { cluster: name, node, folder } = &stray.origin else { continue };
            if *name != cluster.name {
                continue;
            }
            let from = folder.as_ref().map(|folder| format!(" ({folder})")).unwrap_or_default();
            return Err(Error::failed(format!(
                "nothing has changed: {node} runs on {} from another folder{from}",
                host.name
            ))
            .because(format!("pid {} belongs to this cluster, but no folder under `paths` knows it", stray.pid))
            .hint("stop it with the description that started it, before `paths.base` or `paths.spool` change"));
        }
    }
    Ok(())
}

/// Hosts that can't have the runner of the description.
fn runnable(cluster: &Cluster, found: &[Option<Observed>]) -> Result<(), Error> {
    let mut error: Option<Error> = None;
    for (host, observed) in cluster.hosts.iter().zip(found) {
        let Some((why, hint)) = observed.as_ref().and_then(|o| runner::missing(cluster.runner, o)) else { continue };
        let so_far = error.unwrap_or_else(|| {
            Error::failed("nothing has changed: not all hosts can run nodes with `runner: systemd`")
        });
        error = Some(so_far.because(format!("{}: {why}", host.name)).hint(hint));
    }
    error.map_or(Ok(()), Err)
}

/// Nodes that are pinned to CPUs that their hosts do not have would not start.
pub(super) fn pinnable(cluster: &Cluster, found: &[Option<Observed>]) -> Result<(), Error> {
    let confined = cluster.runner == RunnerKind::Process;
    let mut refused = cluster.run_nodes().filter_map(|node| {
        let why = found.get(node.host)?.as_ref()?.cpus.refuses(node.cpu?, confined)?;
        Some(format!("{} on {}: {why}", node.name, cluster.host_of(node).name))
    });
    let shown: Vec<String> = refused.by_ref().take(REFUSED).collect();
    if shown.is_empty() {
        return Ok(());
    }
    let more = match refused.count() {
        0 => None,
        more => Some(format!("and {more} more")),
    };
    let error = Error::failed("nothing has changed: nodes are pinned to CPUs that can't be had");
    Err(shown.into_iter().chain(more).fold(error, Error::because))
}

/// Decides the version of Zeek, which is the same everywhere.
pub(super) fn zeek_of(
    cluster: &Cluster,
    found: &[Option<Observed>],
) -> Result<(Version, Vec<Option<ZeekIdentity>>), Error> {
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
pub(super) async fn deployments(
    fleet: &Fleet,
    found: &[Option<Observed>],
    release: &Release,
    notes: &mut Vec<String>,
) -> (Deployments, Vec<Remembered>) {
    // A release is the same on all hosts, so one of them is asked for its cluster.
    let mut tellers: BTreeMap<&str, usize> = BTreeMap::new();
    for index in manager_first(&fleet.cluster) {
        if let Some(current) = found.get(index).and_then(|o| o.as_ref()?.current.as_deref())
            && current != release.id
        {
            tellers.entry(current).or_insert(index);
        }
    }
    let mut deployed = Deployments::new();
    let mut then = Vec::new();
    for (id, index) in tellers {
        let seat = fleet.seat(index);
        let call = Call::new(CLUSTER, fleet.settings.question).arg(&seat.folders.home).arg("current");
        let text = match seat.connection.run(call).await {
            Ok(reply) => reply.lines.concat(),
            Err(failure) => {
                notes.push(format!("{}: its release can't be read: {}", seat.name, failure.text()));
                continue;
            }
        };
        match Stored::parse(&text).and_then(|stored| recorded(stored, &fleet.cluster)) {
            Ok(recorded) => {
                let teller = format!("as the release {id} on {} has it", seat.name);
                then.extend(recorded.left.into_iter().map(|left| Remembered { left, teller: teller.clone() }));
                deployed.insert(id.to_owned(), recorded.cluster);
            }
            Err(why) => notes.push(format!(
                "{}: the record of the release that it has can't be used: {}/current/cluster.json: {why}; hosts that \
                 left are not known from it",
                seat.name, seat.folders.home
            )),
        }
    }
    (deployed, then)
}

impl Prepared {
    /// Tells whether an operation on one of the hosts did not come to its end, or a host lacks the cluster's keys.
    pub fn is_unfinished(&self) -> bool {
        self.found.iter().flatten().any(|o| !o.journal.is_empty()) || !secrets::lacking(self).is_empty()
    }

    /// Tells whether hosts have records that a deploy has to write anew, whatever else there is to do: they are not what
    /// they should be, or remember hosts that nobody has to remember any more.
    pub fn is_outdated(&self) -> bool {
        let due: BTreeSet<&str> =
            self.lost.iter().map(|(left, _)| left).chain(&self.left).map(|l| l.name.as_str()).collect();
        self.found.iter().flatten().any(|o| {
            o.wrong.iter().any(|wrong| wrong.mended) || o.pending.iter().any(|left| !due.contains(left.name.as_str()))
        })
    }

    /// Tells whether hosts are left out that were meant, so that nothing is known of them afterwards.
    pub fn leaves_out(&self) -> bool {
        !self.names_hosts() && (!self.absent.is_empty() || !self.lost.is_empty())
    }

    /// Tells whether only hosts that the user named are meant.
    pub(super) fn names_hosts(&self) -> bool {
        matches!(self.aim, Aim::UpToDate(Some(_)))
    }

    /// Tells whether somebody has altered files of a host's current release.
    pub(super) fn is_altered(&self, host: usize) -> bool {
        let observed = self.found.get(host).and_then(Option::as_ref);
        observed.is_some_and(|o| !o.altered.files().is_empty())
    }

    /// Returns the release that is current on a host.
    pub(super) fn current(&self, host: usize) -> Option<&str> {
        self.found.get(host)?.as_ref()?.current.as_deref()
    }

    /// Releases that may go from a host: all but the newest, the current one, and those that nodes run.
    pub(super) fn obsolete(&self, host: usize, keep: usize) -> Vec<String> {
        let Some(observed) = &self.found[host] else { return Vec::new() };
        let mut used: BTreeSet<&str> = observed.nodes.values().filter_map(|n| n.release.as_deref()).collect();
        used.extend(observed.archiver.as_ref().and_then(|a| a.release.as_deref()));
        used.extend(observed.nodes.values().filter_map(ObservedNode::meant));
        used.extend(observed.current.as_deref());
        used.insert(&self.release.id);
        let mut kept: Vec<&Kept> = observed.releases.iter().collect();
        kept.sort_by_key(|k| std::cmp::Reverse(k.time));
        // The new one is one of them.
        let old = kept.into_iter().filter(|k| k.id != self.release.id).skip(keep.saturating_sub(1));
        old.filter(|k| !used.contains(k.id.as_str())).map(|k| k.id.clone()).collect()
    }

    /// What stays to be done on hosts that left, for the file `pending` of each host; nothing on those that are `done`
    /// with. A host that is behind needs no word: what is current there tells.
    pub(super) fn pending(&self, done: &BTreeSet<String>) -> Vec<String> {
        let lost = self.lost.iter().map(|(left, _)| left);
        lost.chain(self.left.iter().filter(|left| !done.contains(left.name.as_str()))).map(Left::line).collect()
    }

    /// Tells whether two plans do the same.
    pub(super) fn does_as(&self, other: &Self) -> bool {
        let actions = |p: &Self| -> BTreeSet<(String, String, &'static str)> {
            p.plan.actions().map(|n| (n.host.clone(), n.node.clone(), n.action.name())).collect()
        };
        let hosts = |p: &Self| -> BTreeSet<(String, Option<String>, usize)> {
            p.plan.hosts.iter().map(|h| (h.host.clone(), h.from.clone(), h.repairs.len())).collect()
        };
        self.release.id == other.release.id && actions(self) == actions(other) && hosts(self) == hosts(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_managers_host_tells_what_the_cluster_runs() {
        let text = "cluster: c\nzeek: { scripts: [] }\n\
                    hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 } }\n\
                    nodes:\n  manager: { type: manager, host: b }\n  proxy: { type: proxy, host: b, count: 1 }\n  \
                    worker: { type: worker, hosts: [a, c], interface: lo }\n";
        let cluster = cluster::check(&crate::spec::parse("c.yaml", text.to_owned(), "/".into())).unwrap();
        let runs = |hosts: &[(usize, &'static str)]| prevailing(&cluster, hosts.iter().copied());
        // Two that were left out are not more than one that can't be.
        assert_eq!(runs(&[(0, "old"), (1, "new"), (2, "old")]).as_deref(), Some("new"));
        assert_eq!(runs(&[(0, "old"), (2, "old")]).as_deref(), Some("old"));
        assert_eq!(runs(&[]), None);
        assert_eq!(manager_first(&cluster).collect::<Vec<_>>(), [1, 0, 2]);
    }
}
