//! What is found on the hosts before anything changes, and whether a deploy can go on with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::options::{Excluded, Options};
use crate::cluster::{self, Cluster, Role, RunnerKind};
use crate::error::Error;
use crate::fleet::{Fleet, unreachable};
use crate::nodes::archiver;
use crate::observed::{FullObserved, ProcessFolder};
use crate::release::HostZeek;
use crate::runner;
use crate::values::{Version, count, shell_word};

/// How many nodes with the same trouble are named.
const REFUSED: usize = 10;

/// What was found on the hosts, and those that are left out.
pub(crate) type Survey = (Vec<Option<FullObserved>>, BTreeMap<usize, Excluded>);

/// Observes all hosts that are to be touched.
pub(crate) async fn look(fleet: &Fleet, options: &Options) -> Result<Survey, Error> {
    let cluster = &*fleet.cluster;
    let mut found: Vec<Option<FullObserved>> = vec![None; cluster.hosts.len()];
    let mut failures = BTreeMap::new();
    let mut excluded: BTreeMap<usize, Excluded> = BTreeMap::new();
    excluded.extend(fleet.enabled().into_iter().filter(|i| options.skip.contains(i)).map(|i| (i, Excluded::Skipped)));
    let handles = fleet.handles(fleet.enabled().into_iter().filter(|i| !excluded.contains_key(i)));
    for (handle, answer) in fleet.observe_fully(handles).await {
        match (answer, handle.index) {
            (Ok(observed), Some(index)) => found[index] = Some(observed),
            (Err(failure), Some(index)) => drop(failures.insert(index, (handle.name, failure))),
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
        let error = unreachable("cannot reach", "; nothing changed", &failures);
        let hint = match (only_workers, options.offers.skip) {
            (true, true) => format!("skip it once with {}, or set `enabled: false` for longer", names.join(" ")),
            (true, false) => "set `enabled: false` at a host to leave it out".to_owned(),
            (false, true) => {
                "only hosts that run nothing but workers can be left out (--skip, --allow-failed)".to_owned()
            }
            (false, false) => "only hosts that run nothing but workers can be left out (`enabled: false`)".to_owned(),
        };
        return Err(error.hint(hint));
    }
    excluded.extend(failures.into_iter().map(|(index, (_, failure))| (index, Excluded::Failed(failure.text()))));
    same_machine(cluster, &found)?;
    elsewhere(cluster, &found)?;
    unsafe_folders(cluster, &found)?;
    Ok((found, excluded))
}

fn nodes_are_workers(cluster: &Cluster, nodes: &[&str]) -> bool {
    let nodes: BTreeSet<&str> = nodes.iter().copied().collect();
    cluster.run_nodes().filter(|n| nodes.contains(n.name.as_str())).all(|n| n.role == Role::Worker)
}

/// Tells whether an operation may end well without these nodes: workers only, and not more than is allowed.
pub(crate) fn tolerable(cluster: &Cluster, options: &Options, nodes: &[&str]) -> bool {
    let workers = cluster.run_nodes().filter(|n| n.role == Role::Worker && cluster.host_of(n).enabled).count();
    nodes.len() <= options.allow_failed.of(workers) && nodes_are_workers(cluster, nodes)
}

/// What the user should know before anything changes.
pub(crate) fn notes(
    cluster: &Cluster,
    found: &[Option<FullObserved>],
    excluded: &BTreeMap<usize, Excluded>,
) -> Vec<String> {
    let mut notes: Vec<String> = excluded
        .iter()
        .map(|(index, why)| format!("{}: left out: {}", cluster.hosts[*index].name, why.text()))
        .collect();
    for (index, (host, observed)) in cluster.hosts.iter().zip(found).enumerate() {
        let Some(observed) = observed else { continue };
        let archive = [archiver::begins(cluster, index, observed), archiver::missing(cluster, index, observed)];
        notes.extend(archive.into_iter().flatten().map(|note| format!("{}: {note}", host.name)));
        if let Some((logs, folder)) = &observed.stranded {
            notes.push(format!(
                "{}: {} {} in {folder}, and nothing archives them there from now on: move them to {}/log-queue",
                host.name,
                count(*logs, "rotated log"),
                if *logs == 1 { "waits" } else { "wait" },
                cluster::Folders::of(&cluster.name, host).spool
            ));
        }
        if observed.logind_kills && !host.local && cluster.runner == RunnerKind::Process {
            notes.push(format!(
                "{}: logind ends this user's processes at log-out, and the nodes with them; run as root: loginctl enable-linger USER",
                host.name
            ));
        }
        let lonely: Vec<&str> =
            observed.nodes.iter().filter(|(_, n)| n.is_unsupervised()).map(|(name, _)| name.as_str()).collect();
        if !lonely.is_empty() {
            notes.push(format!(
                "{}: {} {} unsupervised, without a restart after a crash: clusterctl restart {}",
                host.name,
                lonely.join(", "),
                if lonely.len() == 1 { "runs" } else { "run" },
                lonely.join(" ")
            ));
        }
        for wrong in &observed.wrong {
            let file = format!("{}/{}", cluster::Folders::of(&cluster.name, host).home, wrong.file);
            notes.push(format!("{}: {file} is damaged and ignored: {}", host.name, wrong.why));
        }
        // A script there may well write what `site_data` brought.
        let data: Vec<&str> = observed.altered.files().into_keys().filter(|path| path.starts_with("data/")).collect();
        if let Some(first) = data.first() {
            let more = if data.len() > 1 { format!(" and {} more", data.len() - 1) } else { String::new() };
            notes.push(format!(
                "{}: {first}{more} has changed since the deploy; the change stays until the next release",
                host.name
            ));
        }
        notes.extend(replaceable_zeek(observed).map(|note| format!("{}: {note}", host.name)));
        if let Some(unfinished) = observed.unfinished().filter(|_| observed.lock.is_none()) {
            notes.push(format!("{}: unfinished operation: {}", host.name, unfinished.text()));
        }
    }
    notes
}

/// Says where others could replace the Zeek that root runs.
fn replaceable_zeek(observed: &FullObserved) -> Option<String> {
    if observed.uid != 0 {
        return None;
    }
    let mut ways = observed.ways.iter().filter(|c| c.what == "zeek");
    let (path, flaw) = ways.find_map(|c| Some((&c.path, c.flaw(observed.uid, &observed.user)?)))?;
    Some(format!(
        "root runs a Zeek that other users could replace: {}; check that nobody put anything there, then run as root: {} {}",
        flaw.what,
        flaw.command,
        shell_word(path)
    ))
}

/// Two names for one machine would run every node twice.
fn same_machine(cluster: &Cluster, found: &[Option<FullObserved>]) -> Result<(), Error> {
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
fn unsafe_folders(cluster: &Cluster, found: &[Option<FullObserved>]) -> Result<(), Error> {
    let mut error: Option<Error> = None;
    for (host, observed) in cluster.hosts.iter().zip(found) {
        let Some(observed) = observed else { continue };
        let mut seen = BTreeSet::new();
        // Where Zeek lies may be other people's business; `doctor` speaks of it, and a note where root runs it.
        for component in observed.ways.iter().filter(|c| c.what != "zeek" && seen.insert(c.path.as_str())) {
            let Some(flaw) = component.flaw(observed.uid, &observed.user) else { continue };
            let so_far = error.unwrap_or_else(|| {
                Error::failed("other users could replace files that clusterctl runs on hosts; nothing changed")
            });
            let root = if flaw.root { " as root" } else { "" };
            let command = format!("{} {}", flaw.command, shell_word(&component.path));
            error = Some(
                so_far
                    .because(format!("{}: {}", host.name, flaw.what))
                    .hint(format!("check that nobody put anything there, then run{root} on {}: {command}", host.name)),
            );
        }
    }
    error.map_or(Ok(()), Err)
}

/// Nodes of this cluster that run from another folder would be started a second time. What other users name theirs is
/// no reason to stop.
fn elsewhere(cluster: &Cluster, found: &[Option<FullObserved>]) -> Result<(), Error> {
    for (host, observed) in cluster.hosts.iter().zip(found) {
        let spool = cluster::Folders::of(&cluster.name, host).spool;
        let Some(observed) = observed else { continue };
        for process in &observed.unmanaged {
            let own = observed.node_and_folder(process, &cluster.name, &spool);
            let Some((node, folder)) = own else { continue };
            let host = &host.name;
            let elsewhere = "stop it with the description that started it, then change `paths.base` or `paths.spool`";
            let (what, hint) = match folder {
                ProcessFolder::Own { .. } => {
                    let pids: Vec<String> = process.to_end().map(|pid| pid.to_string()).collect();
                    let hint = format!("run on {host}: kill {}; then try again", pids.join(" "));
                    (format!(" without a record in {spool}"), hint)
                }
                ProcessFolder::Other(folder) => (format!(" from another folder ({folder})"), elsewhere.to_owned()),
                ProcessFolder::Hidden { .. } => (" from another folder".to_owned(), elsewhere.to_owned()),
            };
            return Err(Error::failed(format!("{node} already runs on {host}{what}; nothing changed"))
                .because(format!(
                    "pid {} belongs to this cluster, but no folder under `paths` has a record of it",
                    process.pid
                ))
                .hint(hint));
        }
    }
    Ok(())
}

/// Hosts that can't have the runner of the description.
pub(crate) fn check_runner(cluster: &Cluster, found: &[Option<FullObserved>]) -> Result<(), Error> {
    let mut error: Option<Error> = None;
    for (host, observed) in cluster.hosts.iter().zip(found) {
        let Some((why, hint)) = observed.as_ref().and_then(|o| runner::missing(cluster.runner, o)) else { continue };
        let so_far = error
            .unwrap_or_else(|| Error::failed("some hosts cannot run nodes with `runner: systemd`; nothing changed"));
        error = Some(so_far.because(format!("{}: {why}", host.name)).hint(hint));
    }
    error.map_or(Ok(()), Err)
}

/// Nodes that are pinned to CPUs that their hosts do not have would not start.
pub(crate) fn check_cpus(cluster: &Cluster, found: &[Option<FullObserved>]) -> Result<(), Error> {
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
    let error = Error::failed("nodes are pinned to CPUs that their hosts do not have; nothing changed");
    Err(shown.into_iter().chain(more).fold(error, Error::because))
}

/// Decides the version of Zeek, which is the same everywhere.
pub(crate) fn decide_zeek_version(
    cluster: &Cluster,
    found: &[Option<FullObserved>],
) -> Result<(Version, Vec<Option<HostZeek>>), Error> {
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
        let said = &observed.version;
        let number = said.rsplit(' ').next().unwrap_or_default();
        let version: Version = number.parse().map_err(|_| {
            Error::failed(format!("cannot read the version of {path} on {}", host.name))
                .because(if said.is_empty() { "it printed nothing" } else { said })
                .hint(format!("try `{path} --version` there"))
        })?;
        versions.entry(version).or_default().push(&host.name);
        zeeks.push(Some(HostZeek { version: number.to_owned(), size: binary.size, mtime: binary.mtime }));
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
            .hint("a cluster runs one version of Zeek: install the same version on all hosts")),
    }
}
