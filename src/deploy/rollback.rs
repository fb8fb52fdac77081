//! Going back to a release that lies on the hosts: its own topology, its own Zeek, and only what differs restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::current_secrets::{self, CurrentSecrets, RefreshedRelease, RollbackTarget};
use super::deployed_clusters::read_deployed_clusters;
use super::host_release::{HostRelease, read_host_release};
use super::keys::Keys;
use super::leaving::{HostToAsk, ask_leaving, gone};
use super::options::{Excluded, Options, skipped};
use super::prepared::{Draft, Goal, Prepared};
use super::survey::{check_cpus, look, notes};
use crate::cluster::{Cluster, Former};
use crate::error::{CommandError, Error};
use crate::fleet::Fleet;
use crate::observed::{FullObserved, OperationKind, Stored, StoredRelease};
use crate::plan::{Recorded, cluster_release, current_releases, former, manager_first, recorded};
use crate::release::{ARCHIVER, File, Files, Part, VERSION_PATH, digest};
use crate::scripts;
use crate::transport::RemoteScript;

/// The cluster of a release, and the digest of the file that has it.
struct Then {
    cluster: Cluster,
    record: String,
}

/// Finds the release to go back to, and plans; the fleet that is returned has the topology of that release, whose hosts
/// the selectors of `skip` mean.
///
/// # Errors
/// Where there is none, a host that is needed can't be asked or does not have it whole, or its Zeek is not there any
/// more.
pub async fn prepare_rollback(
    fleet: &Fleet,
    wanted: Option<&str>,
    skip: &[String],
    options: &Options,
) -> Result<(Fleet, Prepared), CommandError> {
    // The target release decides which hosts are needed; those that only the description has are asked at the end.
    let first = Options {
        without_those_away: true,
        skip: skipped(&fleet.cluster, skip).unwrap_or_default(),
        ..options.clone()
    };
    let (found, _) = look(fleet, &first).await?;
    let id = choose(&fleet.cluster, &found, wanted)?;
    let mut then = topology(fleet, &found, &id).await?;
    // `enabled` comes from the current description, if it has the host.
    for host in &mut then.cluster.hosts {
        if let Some(now) = fleet.cluster.hosts.iter().find(|h| h.name == host.name) {
            host.enabled = now.enabled;
        }
    }
    let Then { cluster: then, record } = then;
    let names: BTreeSet<&str> = then.hosts.iter().map(|h| h.name.as_str()).collect();
    let more: Vec<Former> = fleet
        .cluster
        .hosts
        .iter()
        .filter(|h| h.enabled && !names.contains(h.name.as_str()))
        .map(Former::from)
        .collect();
    let options = Options { skip: skipped(&then, skip)?, ..options.clone() };
    let back = fleet.with(Arc::new(then));
    let target = RollbackTarget { id, more, record, now: CurrentSecrets::of(&fleet.cluster) };
    let prepared = prepare_on(&back, &target, &options).await?;
    Ok((back, prepared))
}

/// Plans the way back on the fleet of that release.
pub(crate) async fn prepare_on(
    fleet: &Fleet,
    target: &RollbackTarget,
    options: &Options,
) -> Result<Prepared, CommandError> {
    let cluster = &*fleet.cluster;
    let (found, mut excluded) = look(fleet, options).await?;
    check_cpus(cluster, &found).map_err(|error| error.hint("`clusterctl releases` lists the others"))?;
    let handles = fleet.handles((0..found.len()).filter(|i| found[*i].is_some()));
    let answers =
        fleet
            .each("reading the release", handles, |handle| async move {
                read_host_release(fleet, &handle, &target.id).await
            })
            .await;
    let mut parts = Vec::new();
    let mut all: BTreeMap<usize, HostRelease> = BTreeMap::new();
    let mut version = None;
    let mut wrong: Vec<String> = Vec::new();
    for (handle, answer) in answers {
        let Some(index) = handle.index else { continue };
        let why = match answer {
            Ok(held) if !held.manifest.is_empty() && !held.has_record(&target.record) => {
                // One host's word about the others is not enough.
                "its cluster.json of this release differs from the other hosts'".to_owned()
            }
            Ok(held) if !held.manifest.is_empty() && anothers(cluster, index, &held).is_some() => {
                anothers(cluster, index, &held).unwrap_or_default()
            }
            Ok(held) if held.whole && held.zeek.is_none() => {
                version = version.or(held.version);
                let mut manifest = held.manifest.join("\n");
                manifest.push('\n');
                // The files stay on the host; this one says what a plan wants to know.
                let file = File::new(0o644, held.made_for.as_bytes());
                parts.push(Part {
                    host: index,
                    files: Files::of(BTreeMap::from([(VERSION_PATH.to_owned(), file)])),
                    digest: digest(manifest.as_bytes()),
                    kept: Some(manifest),
                    inputs: held.inputs.clone(),
                });
                all.insert(index, held);
                continue;
            }
            Ok(held) if held.manifest.is_empty() => "it does not have this release".to_owned(),
            Ok(HostRelease { zeek: None, .. }) => "the files of this release have been changed there".to_owned(),
            Ok(HostRelease { zeek: Some(why), .. }) | Err(why) => why,
        };
        wrong.push(format!("{}: {why}", handle.name));
        excluded.insert(index, Excluded::Failed(why));
    }
    let Some(version) = version.filter(|_| wrong.is_empty()) else {
        let error = Error::failed(format!("release {} is not complete on all hosts; nothing changed", target.id));
        return Err(wrong
            .into_iter()
            .fold(error, Error::because)
            .hint("`clusterctl releases` shows what each host has; `clusterctl deploy` deploys the description")
            .into());
    };
    parts.sort_by_key(|p: &Part| p.host);
    let mut notes = notes(cluster, &found, &excluded);
    let RefreshedRelease { release, base, names, known } =
        current_secrets::with_current_secrets(fleet, &options.new_keys, target, &found, &all, parts, &mut notes)
            .await?;
    let (deployed, then) = read_deployed_clusters(fleet, &found, &release, &mut notes).await;
    // What runs now may have hosts that neither the description nor that release has.
    let mut gone = gone(cluster, &found, &then);
    gone.asked.extend(target.more.iter().map(|h| (h.name.clone(), HostToAsk { host: h.clone(), teller: None })));
    let leaving = ask_leaving(fleet, &found, gone, "is not of that release", &mut notes).await;
    let (options, goal) = (options.clone(), Goal::Release(target.clone()));
    let keys = Keys::needed(names, known);
    let draft = Draft { version, notes, release, base, found, keys, excluded, options, goal };
    Ok(draft.plan(cluster, &deployed, leaving))
}

/// Says that the part of a release on a host is not that host's: it was another one's machine then.
fn anothers(cluster: &Cluster, index: usize, held: &HostRelease) -> Option<String> {
    let has: BTreeSet<&str> = held.inputs.keys().map(String::as_str).filter(|name| *name != ARCHIVER).collect();
    let of = |host: usize| -> BTreeSet<&str> {
        cluster.run_nodes().filter(|n| n.host == host).map(|n| n.name.as_str()).collect()
    };
    if has == of(index) {
        return None;
    }
    let then = (0..cluster.hosts.len()).find(|other| *other != index && of(*other) == has);
    let name = then.map_or_else(|| "another host".to_owned(), |other| cluster.hosts[other].name.clone());
    Some(format!(
        "its part of this release belongs to {name}, the name of this machine at that time; roll back with a \
         description that has the old names"
    ))
}

/// Decides which release is meant.
fn choose(cluster: &Cluster, found: &[Option<FullObserved>], wanted: Option<&str>) -> Result<String, Error> {
    let manager = cluster.manager().and_then(|m| found.get(m.host)?.as_ref());
    let all = || manager.into_iter().chain(found.iter().flatten());
    if let Some(wanted) = wanted {
        let mut matches: Vec<&str> =
            all().flat_map(|o| &o.releases).map(|k| k.id.as_str()).filter(|id| id.starts_with(wanted)).collect();
        matches.sort_unstable();
        matches.dedup();
        // A host that has another one whose name begins so does not make a whole name ambiguous.
        if matches.contains(&wanted) {
            return Ok(wanted.to_owned());
        }
        return match matches.as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => {
                Err(Error::failed(format!("no host has a release {wanted}")).hint("`clusterctl releases` lists them"))
            }
            many => Err(Error::failed(format!("{wanted} matches several releases: {}", many.join(", ")))),
        };
    }
    if all().next().is_none() {
        return Err(Error::failed("cannot reach any host"));
    }
    let runs = cluster_release(cluster, current_releases(found));
    // An operation that did not finish: what ran before it, or where it was to go back to. One that only a host
    // that was away remembers is nobody's any more.
    let undone = |o: &FullObserved| {
        let unfinished = o.unfinished()?;
        let ways = [&unfinished.from, &unfinished.to];
        ways.iter()
            .any(|way| **way == runs)
            .then(|| ways[usize::from(unfinished.kind == Some(OperationKind::Rollback))].clone())?
    };
    if let Some(id) = manager.and_then(undone) {
        return Ok(id);
    }
    let told: Vec<(&str, String)> = found
        .iter()
        .zip(&cluster.hosts)
        .filter_map(|(o, host)| Some((host.name.as_str(), undone(o.as_ref()?)?)))
        .collect();
    let most = |id: &String| told.iter().filter(|(_, told)| told == id).count() * 2 > all_once(found).count();
    if let Some((_, id)) = told.iter().find(|(_, id)| most(id)) {
        return Ok(id.clone());
    }
    let before = release_before(manager, found, runs.as_deref());
    // A journal that only a few hosts have, and not the manager's, decides nothing. It is no contradiction if it leads to
    // the same release, or says that the way back to what runs was not finished there.
    let fits = |id: &String| before.as_ref().map_or_else(|_| Some(id) == runs.as_ref(), |before| before == id);
    if told.iter().all(|(_, id)| fits(id)) {
        return before.or_else(|error| told.first().map(|(_, id)| id.clone()).ok_or(error));
    }
    let error = Error::failed("hosts disagree about an unfinished operation");
    let line = |(host, id): &(&str, String)| format!("{host}: rollback leads to {id}");
    let name = before.unwrap_or_else(|_| told[0].1.clone());
    let hint = format!("name the release to go to, such as clusterctl rollback {name}");
    Err(told.iter().map(line).fold(error, Error::because).hint(hint))
}

/// Returns the release before the one that runs, by what hosts have, the manager's first.
fn release_before(
    manager: Option<&FullObserved>,
    found: &[Option<FullObserved>],
    runs: Option<&str>,
) -> Result<String, Error> {
    let all = || manager.into_iter().chain(found.iter().flatten());
    // A host that is new has few of them.
    let kept: BTreeMap<&str, &StoredRelease> =
        all().flat_map(|o| &o.releases).map(|k| (k.id.as_str(), k)).rev().collect();
    if kept.is_empty() {
        return Err(Error::failed("nothing is deployed yet").hint("run `clusterctl deploy`"));
    }
    let current = runs.and_then(|id| kept.get(id));
    // One that most hosts have, if there is any: what one host alone has can't be gone back to, and may be made up.
    let answered = all_once(found).count();
    let has = |o: &FullObserved, id: &str| o.releases.iter().any(|k| k.id == id);
    let common = |id: &str| all_once(found).filter(|o| has(o, id)).count() * 2 > answered;
    let any = kept.keys().any(|id| Some(*id) != runs && common(id));
    let others = || kept.values().filter(|k| Some(k.id.as_str()) != runs && (!any || common(&k.id)));
    if let Some(current) = current.filter(|k| k.command == "rollback") {
        let error = Error::failed(format!("{} is already the result of a rollback", current.id));
        let mut others: Vec<&&StoredRelease> = others().filter(|k| k.time.is_some()).collect();
        others.sort_by_key(|k| std::cmp::Reverse(k.time));
        let line = |k: &&&StoredRelease| {
            let when = k.when().map(|t| t.to_string());
            format!("{} of {} by {}", k.id, when.unwrap_or_default(), k.who)
        };
        return Err(others.iter().map(line).fold(error, Error::because).hint(match others.first() {
            Some(newest) => format!("name the release to go to, such as clusterctl rollback {}", newest.id),
            None => "`clusterctl releases` lists the releases, `clusterctl deploy` makes a new one".to_owned(),
        }));
    }
    let now = current.and_then(|k| k.time).unwrap_or(i64::MAX);
    others().filter(|k| k.time.is_some_and(|t| t <= now)).max_by_key(|k| k.time).map(|k| k.id.clone()).ok_or_else(
        || Error::failed("there is no release older than the one that runs").hint("`clusterctl releases` lists them"),
    )
}

/// The hosts that answered.
fn all_once(found: &[Option<FullObserved>]) -> impl Iterator<Item = &FullObserved> {
    found.iter().flatten()
}

/// Reads the cluster of a release from a host that has it.
async fn topology(fleet: &Fleet, found: &[Option<FullObserved>], id: &str) -> Result<Then, Error> {
    let mut error = Error::failed(format!("cannot read which hosts and nodes release {id} has; nothing changed"));
    let has = |o: &FullObserved| o.releases.iter().any(|k| k.id == id);
    let tellers = manager_first(&fleet.cluster).filter(|i| found.get(*i).and_then(Option::as_ref).is_some_and(has));
    let tellers: Vec<usize> = tellers.take(3).collect();
    if tellers.is_empty() {
        return Err(error.because("no host that answers has it"));
    }
    for index in tellers {
        let handle = fleet.handle(index);
        let call = RemoteScript::new(scripts::CLUSTER, fleet.settings.question).arg(&handle.folders.home).arg(id);
        let read = match handle.connection.run(call).await {
            Ok(reply) => {
                let text = reply.lines.iter().fold(String::new(), |text, line| text + line + "\n");
                let record = digest(text.as_bytes());
                let read = Stored::parse(&text).and_then(|stored| recorded(stored, &fleet.cluster));
                read.and_then(|recorded| reachable(fleet, recorded)).map(|cluster| Then { cluster, record })
            }
            Err(failure) => Err(failure.text()),
        };
        match read {
            Ok(then) => return Ok(then),
            Err(why) => error = error.because(format!("{}: {why}", handle.name)),
        }
    }
    Err(error)
}

/// Returns the cluster of a record; fails where a host of it left and the description has no way to that host.
fn reachable(fleet: &Fleet, recorded: Recorded) -> Result<Cluster, String> {
    for left in &recorded.removed_hosts {
        former(&fleet.cluster, left).map_err(|why| {
            format!("it has the host {}, which left: {why}; list it under `removed` of the description", left.name)
        })?;
    }
    Ok(recorded.cluster)
}

#[cfg(test)]
mod tests {
    use super::{FullObserved, HostRelease, StoredRelease, anothers, choose};
    use crate::observed::Observed;
    use crate::plan::tests::{WORKERS, campus};

    fn kept(id: &str, time: i64, command: &str) -> StoredRelease {
        StoredRelease { id: id.to_owned(), time: Some(time), command: command.to_owned(), ..StoredRelease::default() }
    }

    /// A host with a current release and further ones, oldest first, and a journal.
    fn host(current: &str, releases: &[StoredRelease], journal: &[&str]) -> FullObserved {
        let brief = Observed {
            current: Some(current.to_owned()),
            journal: journal.iter().map(|l| (*l).to_owned()).collect(),
            ..Observed::default()
        };
        FullObserved { brief, releases: releases.to_vec(), ..FullObserved::default() }
    }

    /// What is chosen where hosts say so, of which the first is the manager's, and the rest are away.
    fn chosen(hosts: &[FullObserved]) -> Result<String, String> {
        let found: Vec<_> = hosts.iter().cloned().map(Some).chain([None]).take(3).collect();
        choose(&campus("", "", WORKERS), &found, None).map_err(|error| error.message)
    }

    #[test]
    fn the_one_before_is_what_any_host_had_before() {
        let [a, b, c] = [kept("a", 1, "deploy"), kept("b", 2, "deploy"), kept("c", 3, "deploy")];
        let all = [a.clone(), b.clone(), c.clone()];
        let found = [host("b", &all, &[]), host("b", &all, &[])];
        assert_eq!(chosen(&found).unwrap(), "a");
        // The manager moved to a host that is new.
        let found = [host("c", &[c], &[]), host("c", &all, &[])];
        assert_eq!(chosen(&found).unwrap(), "b");
        assert_eq!(chosen(&[FullObserved::default()]).unwrap_err(), "nothing is deployed yet");
        // The description and what runs were never anything else.
        assert_eq!(chosen(&[host("a", &[a], &[])]).unwrap_err(), "there is no release older than the one that runs");
    }

    /// A host that makes up releases can't keep the others from going back.
    #[test]
    fn what_one_host_alone_has_is_not_gone_back_to() {
        let [a, b] = [kept("a", 1, "deploy"), kept("b", 5, "deploy")];
        let all = [a.clone(), b.clone()];
        let lies = [a, kept("ax", 4, "deploy"), kept("zz", 4, "deploy"), b];
        let found = [host("b", &all, &[]), host("b", &lies, &[])];
        assert_eq!(chosen(&found).unwrap(), "a");
        // Nor does it make a whole name ambiguous.
        let found = found.map(Some);
        assert_eq!(choose(&campus("", "", WORKERS), &found, Some("a")).unwrap(), "a");
    }

    #[test]
    fn an_operation_that_was_cut_off_is_undone_or_a_way_back_finished() {
        let all = [kept("a", 1, "deploy"), kept("b", 2, "deploy"), kept("c", 3, "deploy")];
        let journal = |command: &str, from: &str, to: &str| {
            [
                format!("17-1 ada@desk (pid 1): {command}, since 2026-01-01T00:00:00Z"),
                format!("from {from}"),
                format!("to {to}"),
            ]
        };
        let with = |current: &str, lines: &[String; 3]| host(current, &all, &lines.each_ref().map(String::as_str));
        let deploy = journal("deploy", "b", "c");
        for current in ["b", "c"] {
            assert_eq!(chosen(&[with(current, &deploy), host("b", &all, &[])]).unwrap(), "b");
        }
        let rollback = journal("rollback", "c", "a");
        assert_eq!(chosen(&[with("c", &rollback), host("a", &all, &[])]).unwrap(), "a");
        // That of a host that was away since is nobody's any more.
        let old = journal("deploy", "x", "a");
        assert_eq!(chosen(&[host("c", &all, &[]), host("c", &all, &[]), with("x", &old)]).unwrap(), "b");
        // One that a single host has steers nobody else: either it says what is to be done anyway, or a name is asked for.
        let well = || host("c", &all, &[]);
        assert_eq!(chosen(&[well(), well(), with("c", &journal("deploy", "b", "c"))]).unwrap(), "b");
        let made_up = || with("c", &journal("deploy", "a", "c"));
        let error = chosen(&[well(), well(), made_up()]).unwrap_err();
        assert!(error.contains("hosts disagree"), "{error}");
        assert_eq!(chosen(&[well(), made_up(), made_up()]).unwrap(), "a");
        let gone = [kept("a", 4, "rollback"), kept("b", 2, "deploy"), kept("c", 3, "deploy")];
        let finished = || host("a", &gone, &[]);
        assert_eq!(chosen(&[finished(), finished(), with("c", &rollback)]).unwrap(), "a");
    }

    #[test]
    fn a_part_of_a_release_is_of_the_host_whose_nodes_it_has() {
        let cluster = campus("", "", WORKERS);
        let part = |names: &[&str]| {
            let mut held = HostRelease::default();
            held.inputs = names.iter().map(|name| ((*name).to_owned(), crate::release::Inputs::new())).collect();
            held
        };
        let of = |host: &str| -> Vec<String> { (1..=8).map(|n| format!("dmz-{host}-{n}")).collect() };
        let held = |host: &str| part(&of(host).iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(anothers(&cluster, 1, &held("sensor1")), None);
        let why = anothers(&cluster, 1, &held("sensor2")).unwrap();
        assert!(why.contains("belongs to sensor2"), "{why}");
        assert_eq!(anothers(&cluster, 0, &part(&["log-archiver", "logger-1", "manager", "proxy-1"])), None);
        assert!(anothers(&cluster, 1, &part(&[])).is_some());
    }

    #[test]
    fn what_was_gone_back_from_is_not_gone_to_without_its_name() {
        let all = [kept("a", 1, "deploy"), kept("b", 4, "rollback"), kept("c", 3, "deploy")];
        let error = chosen(&[host("b", &all, &[])]).unwrap_err();
        assert!(error.contains("b is already the result of a rollback"), "{error}");
    }
}
