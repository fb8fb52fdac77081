//! Going back to a release that lies on the hosts: its own topology, its own Zeek, and only what differs restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Failure;
use super::again::{self, Again, Now};
use super::fleet::{Fleet, Seat};
use super::leaving::{Asked, Leaving, ask_leaving, gone};
use super::prepare::{
    Absent, Aim, Options, Prepared, apart, currents, deployments, look, manager_first, notes, pinnable, prevailing,
};
use super::secrets::Keys;
use super::select::skipped;
use super::stage::silence;
use crate::cluster::{Cluster, Former};
use crate::error::Error;
use crate::observed::{Kept, Observed, Stored, is_manifest_line};
use crate::plan::{Plan, Recorded, former, recorded};
use crate::release::{File, Files, Inputs, Part, VERSION_PATH, digest, manifest_entries};
use crate::transport::{Call, Reply};
use crate::values::{Version, is_node_name, is_secret_name};

const CLUSTER: &str = concat!(include_str!("../../templates/say.sh"), include_str!("../../templates/cluster.sh"));
const RELEASE: &str = concat!(
    include_str!("../../templates/say.sh"),
    include_str!("../../templates/lib.sh"),
    include_str!("../../templates/beat.sh"),
    include_str!("../../templates/manifest.sh"),
    include_str!("../../templates/release.sh")
);

/// How long a host may take to read and verify what it has of a release.
const READING: Duration = Duration::from_secs(300);

/// A release to go back to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    id: String,
    /// Hosts that the description has and that release has not: their nodes stop.
    more: Vec<Former>,
    /// The digest of the `cluster.json` that its topology was read from.
    record: String,
    /// The secrets of the description.
    now: Now,
}

/// The cluster of a release, and the digest of the file that has it.
struct Then {
    cluster: Cluster,
    record: String,
}

/// What a host has of a release.
#[derive(Debug, Default)]
pub(super) struct Held {
    whole: bool,
    /// Whether there are names in it that clusterctl gives to nothing.
    odd: bool,
    pub(super) manifest: Vec<String>,
    version: Option<Version>,
    /// The line of `clusterctl/version`.
    made_for: String,
    pub(super) inputs: BTreeMap<String, Inputs>,
    /// The names of the secrets that its nodes need.
    pub(super) secrets: Vec<String>,
    /// Why its Zeek can't be used any more.
    zeek: Option<String>,
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
) -> Result<(Fleet, Prepared), Failure> {
    // Which hosts are needed is that release's business; those that only the description has are asked at the end.
    let first = Options {
        without_those_away: true,
        skip: skipped(&fleet.cluster, skip).unwrap_or_default(),
        ..options.clone()
    };
    let (found, _) = look(fleet, &first).await?;
    let id = choose(&fleet.cluster, &found, wanted)?;
    let mut then = topology(fleet, &found, &id).await?;
    // Whether a host is touched is today's word, if it has one.
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
    let target = Target { id, more, record, now: Now::of(&fleet.cluster) };
    let prepared = prepare_on(&back, &target, &options).await?;
    Ok((back, prepared))
}

/// Plans the way back on the fleet of that release.
pub(super) async fn prepare_on(fleet: &Fleet, target: &Target, options: &Options) -> Result<Prepared, Failure> {
    let cluster = &*fleet.cluster;
    let (found, mut absent) = look(fleet, options).await?;
    pinnable(cluster, &found).map_err(|error| error.hint("`clusterctl releases` lists the others"))?;
    let seats = fleet.seats((0..found.len()).filter(|i| found[*i].is_some()));
    let answers = fleet
        .each("reading the release", seats, |seat| async move {
            let answer = held(fleet, &seat, &target.id).await;
            let failure = answer.as_ref().err().cloned();
            (answer, failure)
        })
        .await;
    let mut parts = Vec::new();
    let mut all: BTreeMap<usize, Held> = BTreeMap::new();
    let mut version = None;
    let mut wrong: Vec<String> = Vec::new();
    for (seat, answer) in answers {
        let Some(index) = seat.index else { continue };
        let why = match answer {
            Ok(held) if !held.manifest.is_empty() && !held.has_record(&target.record) => {
                // One host's word about the others is not enough.
                "its part of this release has another cluster.json than the host that was asked for it".to_owned()
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
            Ok(Held { zeek: None, .. }) => "the files of this release have been changed there".to_owned(),
            Ok(Held { zeek: Some(why), .. }) | Err(why) => why,
        };
        wrong.push(format!("{}: {why}", seat.name));
        absent.insert(index, Absent::Failed(why));
    }
    let Some(version) = version.filter(|_| wrong.is_empty()) else {
        let error = Error::failed(format!("nothing has changed: {} can't be had again everywhere", target.id));
        return Err(wrong
            .into_iter()
            .fold(error, Error::because)
            .hint("`clusterctl releases` shows what each host has; `clusterctl deploy` brings the description's")
            .into());
    };
    parts.sort_by_key(|p: &Part| p.host);
    let mut notes = notes(cluster, &found, &absent);
    let Again { release, base, names, known } =
        again::with_secrets_of_now(fleet, &target.id, &target.now, &found, &all, parts, &mut notes).await?;
    let (deployed, then) = deployments(fleet, &found, &release, &mut notes).await;
    let mut plan = Plan::make(cluster, &found, &release, &deployed);
    // What runs now may have hosts that neither the description nor that release has.
    let mut gone = gone(cluster, &found, &then);
    gone.asked.extend(target.more.iter().map(|h| (h.name.clone(), Asked { host: h.clone(), teller: None })));
    let leaving = ask_leaving(fleet, &found, gone, "is not of that release", &mut notes).await;
    leaving.plan(&mut plan);
    let Leaving { there: leaving, left, lost, .. } = leaving;
    if options.no_restart {
        plan.without_restarts();
    }
    plan.apart = apart(cluster, &absent);
    let (aim, options) = (Aim::Release(target.clone()), options.clone());
    let keys = Keys::needed(names, known);
    Ok(Prepared { plan, version, notes, release, base, found, keys, leaving, left, lost, absent, options, aim })
}

/// Decides which release is meant.
fn choose(cluster: &Cluster, found: &[Option<Observed>], wanted: Option<&str>) -> Result<String, Error> {
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
            many => Err(Error::failed(format!("{wanted} could be any of {}", many.join(", ")))),
        };
    }
    if all().next().is_none() {
        return Err(Error::failed("no host can be asked"));
    }
    let runs = prevailing(cluster, currents(found));
    // An operation that did not come to its end: what ran before it, or where it was to go back to. One that only a host
    // that was away remembers is nobody's any more.
    let undone = |o: &Observed| {
        let unfinished = o.unfinished()?;
        let ways = [&unfinished.from, &unfinished.to];
        ways.iter().any(|way| **way == runs).then(|| ways[usize::from(unfinished.command() == "rollback")].clone())?
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
    // A journal that a few hosts have, and not the manager's, decides nothing: it says what is to be done anyway, or that
    // the way back to what runs was not finished there.
    let fits = |id: &String| before.as_ref().map_or_else(|_| Some(id) == runs.as_ref(), |before| before == id);
    if told.iter().all(|(_, id)| fits(id)) {
        return before.or_else(|error| told.first().map(|(_, id)| id.clone()).ok_or(error));
    }
    let error = Error::failed("hosts do not say the same of an operation that did not come to its end");
    let line = |(host, id): &(&str, String)| format!("{host}: it is undone by going back to {id}");
    let name = before.unwrap_or_else(|_| told[0].1.clone());
    let hint = format!("name the release to go to, such as clusterctl rollback {name}");
    Err(told.iter().map(line).fold(error, Error::because).hint(hint))
}

/// Returns the release before the one that runs, by what hosts have, the manager's first.
fn release_before(manager: Option<&Observed>, found: &[Option<Observed>], runs: Option<&str>) -> Result<String, Error> {
    let all = || manager.into_iter().chain(found.iter().flatten());
    // A host that is new has few of them.
    let kept: BTreeMap<&str, &Kept> = all().flat_map(|o| &o.releases).map(|k| (k.id.as_str(), k)).rev().collect();
    let current = runs.and_then(|id| kept.get(id));
    // One that most hosts have, if there is any: what one host alone has can't be gone back to, and may be made up.
    let answered = all_once(found).count();
    let has = |o: &Observed, id: &str| o.releases.iter().any(|k| k.id == id);
    let common = |id: &str| all_once(found).filter(|o| has(o, id)).count() * 2 > answered;
    let any = kept.keys().any(|id| Some(*id) != runs && common(id));
    let others = || kept.values().filter(|k| Some(k.id.as_str()) != runs && (!any || common(&k.id)));
    if let Some(current) = current.filter(|k| k.command == "rollback") {
        let error = Error::failed(format!("the release that runs, {}, was itself gone back to", current.id));
        let mut others: Vec<&&Kept> = others().filter(|k| k.time.is_some()).collect();
        others.sort_by_key(|k| std::cmp::Reverse(k.time));
        let line = |k: &&&Kept| {
            let when = k.when().map(|t| t.to_string());
            format!("{} of {} by {}", k.id, when.unwrap_or_default(), k.who)
        };
        return Err(others.iter().map(line).fold(error, Error::because).hint(match others.first() {
            Some(newest) => format!("name the release to go to, such as clusterctl rollback {}", newest.id),
            None => "`clusterctl releases` lists what there is, `clusterctl deploy` makes another".to_owned(),
        }));
    }
    let now = current.and_then(|k| k.time).unwrap_or(i64::MAX);
    others().filter(|k| k.time.is_some_and(|t| t <= now)).max_by_key(|k| k.time).map(|k| k.id.clone()).ok_or_else(
        || Error::failed("there is no release before the one that runs").hint("`clusterctl releases` lists them"),
    )
}

/// The hosts that answered.
fn all_once(found: &[Option<Observed>]) -> impl Iterator<Item = &Observed> {
    found.iter().flatten()
}

/// Reads the cluster of a release from a host that has it.
async fn topology(fleet: &Fleet, found: &[Option<Observed>], id: &str) -> Result<Then, Error> {
    let mut error = Error::failed(format!("nothing has changed: the topology of {id} can't be read"));
    let has = |o: &Observed| o.releases.iter().any(|k| k.id == id);
    let tellers = manager_first(&fleet.cluster).filter(|i| found.get(*i).and_then(Option::as_ref).is_some_and(has));
    let tellers: Vec<usize> = tellers.take(3).collect();
    if tellers.is_empty() {
        return Err(error.because("no host that answers has it"));
    }
    for index in tellers {
        let seat = fleet.seat(index);
        let call = Call::new(CLUSTER, fleet.settings.question).arg(&seat.folders.home).arg(id);
        let read = match seat.connection.run(call).await {
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
            Err(why) => error = error.because(format!("{}: {why}", seat.name)),
        }
    }
    Err(error)
}

/// Passes on a cluster of before, all of whose hosts can be reached as far as the way to them is known.
fn reachable(fleet: &Fleet, recorded: Recorded) -> Result<Cluster, String> {
    for left in &recorded.left {
        former(&fleet.cluster, left).map_err(|why| {
            format!("it has the host {}, which left: {why}; list it under `removed` of the description", left.name)
        })?;
    }
    Ok(recorded.cluster)
}

impl Held {
    /// Tells whether the host's own manifest names the `cluster.json` of this digest.
    fn has_record(&self, record: &str) -> bool {
        let entries = manifest_entries(self.manifest.iter().map(String::as_str));
        entries.get("cluster.json").is_some_and(|entry| entry.digest == record)
    }
}

/// Asks a host what it has of a release.
async fn held(fleet: &Fleet, seat: &Seat, id: &str) -> Result<Held, String> {
    let call = Call::new(RELEASE, READING).arg(&seat.folders.home).arg(id).silence(silence(fleet));
    let reply: Reply = seat.connection.run(call).await.map_err(|f| f.text())?;
    let mut held = Held::default();
    let mut node = String::new();
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    let mut binary = String::new();
    let mut ended = false;
    for line in &reply.lines {
        let (word, value) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "whole" => held.whole = true,
            "manifest" if is_manifest_line(value) => held.manifest.push(value.to_owned()),
            "version" => {
                held.version = value.split(' ').next().and_then(|v| v.parse().ok());
                held.made_for = format!("{value}\n");
            }
            "node" if !is_node_name(value) => {
                held.odd = true;
                node.clear();
            }
            "node" => {
                value.clone_into(&mut node);
                held.inputs.insert(node.clone(), Inputs::new());
            }
            "input" => {
                if let (Some((digest, name)), Some(inputs)) = (value.split_once(' '), held.inputs.get_mut(&node)) {
                    inputs.insert(name.to_owned(), digest.to_owned());
                }
            }
            "secret" if is_secret_name(value) => held.secrets.push(value.to_owned()),
            "manifest" | "secret" => held.odd = true,
            "binary" => value.clone_into(&mut binary),
            "zeek" => drop(made.insert(value.to_owned(), binary.clone())),
            "there" => {
                let mut words = value.splitn(3, ' ');
                let now = format!("{} {}", words.next().unwrap_or_default(), words.next().unwrap_or_default());
                let path = words.next().unwrap_or_default();
                if made.get(path).is_some_and(|made| *made != now) {
                    held.zeek = Some(match now.as_str() {
                        "- -" => format!("its Zeek is not there any more: {path}"),
                        _ => format!("its Zeek was replaced: {path} is not the one that this release was made for"),
                    });
                }
            }
            "missing" | "end" => ended = true,
            _ => {}
        }
    }
    // What has names that none of ours has is no release of ours, whatever digests say.
    held.whole &= !held.odd;
    if ended { Ok(held) } else { Err(format!("the answer is not whole: {}", reply.stderr.trim())) }
}

#[cfg(test)]
mod tests {
    use super::{Kept, Observed, RELEASE, choose};
    use crate::plan::tests::{WORKERS, campus};

    /// What archives logs has neither a binary nor inputs, and is the first of the files.
    #[test]
    fn a_release_with_something_else_than_zeeks_is_read_to_its_end() {
        let home = tempfile::tempdir().unwrap();
        let release = home.path().join("releases/r");
        std::fs::create_dir_all(release.join("start")).unwrap();
        std::fs::write(release.join("manifest"), "").unwrap();
        let read = || {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("set -u\n{RELEASE}"), "sh"])
                .arg(home.path())
                .arg("r")
                .env("T", "t")
                .output()
                .unwrap();
            let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
            assert!(out.lines().any(|line| line == "t end") && err.is_empty(), "{out}{err}");
            out
        };
        assert!(!read().contains("t there"));
        std::fs::write(release.join("start/log-archiver"), "script archiver.sh\nrestart on-crash\narg /x\n").unwrap();
        assert!(!read().contains("t there"));
        std::fs::write(release.join("start/manager"), "zeek /none/zeek\nbinary 1 2\ninput ab site\nzeekpath x\n")
            .unwrap();
        let said = read();
        assert!(said.contains("t node log-archiver\nt node manager\nt binary 1 2\nt input ab site\n"), "{said}");
        assert!(said.contains("t zeek /none/zeek\nt there - - /none/zeek\nt end\n"), "{said}");
    }

    fn kept(id: &str, time: i64, command: &str) -> Kept {
        Kept { id: id.to_owned(), time: Some(time), command: command.to_owned(), ..Kept::default() }
    }

    /// A host with a current release and further ones, oldest first, and a journal.
    fn host(current: &str, releases: &[Kept], journal: &[&str]) -> Observed {
        Observed {
            current: Some(current.to_owned()),
            releases: releases.to_vec(),
            journal: journal.iter().map(|l| (*l).to_owned()).collect(),
            ..Observed::default()
        }
    }

    /// What is chosen where hosts say so, of which the first is the manager's, and the rest are away.
    fn chosen(hosts: &[Observed]) -> Result<String, String> {
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
        // The description and what runs were never anything else.
        assert_eq!(chosen(&[host("a", &[a], &[])]).unwrap_err(), "there is no release before the one that runs");
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
        assert!(error.contains("hosts do not say the same"), "{error}");
        assert_eq!(chosen(&[well(), made_up(), made_up()]).unwrap(), "a");
        let gone = [kept("a", 4, "rollback"), kept("b", 2, "deploy"), kept("c", 3, "deploy")];
        let finished = || host("a", &gone, &[]);
        assert_eq!(chosen(&[finished(), finished(), with("c", &rollback)]).unwrap(), "a");
    }

    #[test]
    fn what_was_gone_back_from_is_not_gone_to_without_its_name() {
        let all = [kept("a", 1, "deploy"), kept("b", 4, "rollback"), kept("c", 3, "deploy")];
        let error = chosen(&[host("b", &all, &[])]).unwrap_err();
        assert!(error.contains("b, was itself gone back to"), "{error}");
    }
}
