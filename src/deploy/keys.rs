//! The keys of a cluster: which ones its hosts should have, and bringing them there.
//!
//! The hosts are where keys live: any operator reads which ones are in use from there. Only a host that lacks them needs
//! their content, which is then read from one that has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::error::Error;
use crate::fleet::{Event, Fleet, HostHandle, Locks};
use crate::observed::FullObserved;
use crate::release::{Release, pack, secret_kind};
use crate::remote::verdict;
use crate::secrets::{CURVE, Secret, is_named};
use crate::transport::RemoteScript;
use crate::values::Version;
use crate::{scripts, secrets, zeek};

/// How long a host may take to keep them.
const KEEPING: Duration = Duration::from_secs(60);

/// What hosts keep to themselves for a release.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// The names for each host, in the order of the cluster.
    pub(crate) names: Vec<Vec<String>>,
    /// Those whose content is known here.
    known: BTreeMap<String, Secret>,
}

/// Keys that a command makes: each once, however often it plans.
#[derive(Debug, Clone, Default)]
pub struct NewKeys {
    curve: Arc<OnceLock<Secret>>,
    salt: Arc<OnceLock<String>>,
}

impl NewKeys {
    /// Makes new keys for ZeroMQ, which the next deploy brings to all hosts.
    ///
    /// # Errors
    /// Where this machine has no random numbers.
    pub fn rotated() -> Result<Self, Error> {
        let new = Self::default();
        new.make_curve()?;
        Ok(new)
    }

    /// The keys for ZeroMQ, if the command has made any.
    pub(crate) fn curve(&self) -> Option<&Secret> {
        self.curve.get()
    }

    fn make_curve(&self) -> Result<&Secret, Error> {
        if self.curve.get().is_none() {
            // Nobody else sets it meanwhile: a command plans one thing at a time.
            let _ = self.curve.set(secrets::curve()?);
        }
        self.curve.get().ok_or_else(|| Error::failed("internal error: the new keys are lost"))
    }

    fn salt(&self) -> Result<String, Error> {
        if self.salt.get().is_none() {
            let _ = self.salt.set(secrets::salt()?);
        }
        self.salt.get().cloned().ok_or_else(|| Error::failed("internal error: the salt for digests of secrets is lost"))
    }

    /// Tells whether the command has made anything that another one would make anew.
    pub(crate) fn any(&self) -> bool {
        self.curve.get().is_some() || self.salt.get().is_some()
    }
}

/// Decides what each host keeps; `given` is what the description brings.
///
/// # Errors
/// Where new keys are needed and can't be made.
pub(crate) fn decide(
    fleet: &Fleet,
    found: &[Option<FullObserved>],
    version: Version,
    given: Vec<Secret>,
    new: &NewKeys,
) -> Result<Keys, Error> {
    let mut keys = Keys { names: vec![Vec::new(); fleet.cluster.hosts.len()], ..Keys::default() };
    if new.curve().is_some() && !zeek::curve(&fleet.cluster, version) {
        return Err(Error::failed("this cluster has no keys to replace; nothing changed")
            .because(zeek::why_no_curve(&fleet.cluster, version)));
    }
    if zeek::curve(&fleet.cluster, version) {
        let name = match (new.curve(), in_use(fleet, found)) {
            // Made by this very command, on purpose or because there were none.
            (Some(made), _) => made.name.clone(),
            (None, Some(name)) => name,
            (None, None) => new.make_curve()?.name.clone(),
        };
        if let Some(made) = new.curve().filter(|made| made.name == name) {
            keys.known.insert(name.clone(), made.clone());
        }
        keys.add(found, &name);
    }
    for secret in given {
        keys.add(found, &secret.name);
        keys.known.insert(secret.name.clone(), secret);
    }
    Ok(keys)
}

/// Returns the current keys for ZeroMQ, where an earlier release had `old`: those that a current release names; else new
/// ones, if other keys have come after `old`; else `old`.
///
/// # Errors
/// Where new keys are needed and can't be made.
pub(crate) fn of_now(fleet: &Fleet, found: &[Option<FullObserved>], old: &str, new: &NewKeys) -> Result<String, Error> {
    if let Some(named) = named(fleet, found) {
        return Ok(named);
    }
    let others = found.iter().flatten().flat_map(have).any(|name| secret_kind(name) == CURVE && name != old);
    if others { Ok(new.make_curve()?.name.clone()) } else { Ok(old.to_owned()) }
}

/// What digests of secrets in environments are made with: that of the manager's host before those of others, so that
/// all who plan find the same; else a new one, once for a command.
///
/// # Errors
/// Where a new one is needed and can't be made.
pub(crate) fn salt(fleet: &Fleet, found: &[Option<FullObserved>], new: &NewKeys) -> Result<String, Error> {
    if let Some(salt) = hosts(fleet, found).into_iter().find_map(|observed| observed.salt.clone()) {
        return Ok(salt);
    }
    new.salt()
}

/// Finds the keys that are in use: those of the manager's host before those of others, those that the current release
/// names before those that only lie there (of a deploy that came to nothing).
fn in_use(fleet: &Fleet, found: &[Option<FullObserved>]) -> Option<String> {
    let lies = || hosts(fleet, found).into_iter().flat_map(have).find(|name| secret_kind(name) == CURVE);
    named(fleet, found).or_else(|| lies().map(str::to_owned))
}

/// The hosts that answered, the manager's first.
fn hosts<'a>(fleet: &Fleet, found: &'a [Option<FullObserved>]) -> Vec<&'a FullObserved> {
    let manager = fleet.cluster.manager().and_then(|m| found.get(m.host));
    manager.into_iter().chain(found).flatten().collect()
}

/// The keys that a current release names and a host has.
fn named(fleet: &Fleet, found: &[Option<FullObserved>]) -> Option<String> {
    let hosts = hosts(fleet, found);
    let there: BTreeSet<&str> = hosts.iter().flat_map(|o| have(o)).filter(|name| secret_kind(name) == CURVE).collect();
    hosts.iter().flat_map(|o| &o.needs).find(|name| there.contains(name.as_str())).cloned()
}

/// The names of the certificates, and what belongs to them, that the release of now uses.
pub(crate) fn certificates(fleet: &Fleet, found: &[Option<FullObserved>]) -> Vec<String> {
    let names = hosts(fleet, found).into_iter().map(|o| o.needs.iter().filter(|name| secret_kind(name) != CURVE));
    names.map(|names| names.cloned().collect::<Vec<_>>()).find(|names| !names.is_empty()).unwrap_or_default()
}

/// The secrets that a host has, and whole.
fn have(observed: &FullObserved) -> impl Iterator<Item = &str> {
    observed.secrets.iter().filter(|(digest, name)| is_named(name, digest)).map(|(_, name)| name.as_str())
}

/// The hosts of a release that lack something, and what.
pub(crate) fn lacking(keys: &Keys, found: &[Option<FullObserved>], release: &Release) -> Vec<(usize, Vec<String>)> {
    let mut lacking = keys.lacking(found);
    lacking.retain(|(index, _)| release.part(*index).is_some());
    lacking
}

/// Tells whether the release changes, adds or removes the keys of running nodes.
pub(crate) fn replaces(release: &Release, found: &[Option<FullObserved>]) -> bool {
    release.parts.iter().any(|part| {
        let Some(observed) = found.get(part.host).and_then(Option::as_ref) else { return false };
        let running = observed.nodes.iter().filter(|(_, node)| node.process.is_some());
        running
            .filter_map(|(name, node)| Some((node, part.inputs.get(name)?)))
            .any(|(node, inputs)| node.inputs.get("keys") != inputs.get("keys"))
    })
}

impl Keys {
    /// What hosts have to have: where its content is not `known`, it is to be found on the hosts.
    pub(crate) fn needed(names: Vec<Vec<String>>, known: impl IntoIterator<Item = Secret>) -> Self {
        Self { names, known: known.into_iter().map(|secret| (secret.name.clone(), secret)).collect() }
    }

    /// Lets all hosts that are there keep something.
    fn add(&mut self, found: &[Option<FullObserved>], name: &str) {
        for (names, _) in self.names.iter_mut().zip(found).filter(|(_, observed)| observed.is_some()) {
            names.push(name.to_owned());
        }
    }

    fn lacking(&self, found: &[Option<FullObserved>]) -> Vec<(usize, Vec<String>)> {
        let hosts = self.names.iter().zip(found).enumerate();
        hosts
            .filter_map(|(index, (names, observed))| {
                let has: BTreeSet<&str> = have(observed.as_ref()?).collect();
                let missing: Vec<String> = names.iter().filter(|n| !has.contains(n.as_str())).cloned().collect();
                (!missing.is_empty()).then_some((index, missing))
            })
            .collect()
    }
}

/// Brings to hosts what they lack (see [`lacking`]); returns the result for each. Running nodes are not affected: a
/// release names what it uses.
///
/// # Errors
/// Where nobody has the keys any more.
pub(crate) async fn keep(
    fleet: &Fleet,
    keys: &Keys,
    found: &[Option<FullObserved>],
    missing: Vec<(usize, Vec<String>)>,
    locks: &Locks,
) -> Result<Vec<(HostHandle, Result<(), String>)>, Error> {
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = keys.known.clone();
    let wanted: BTreeSet<&String> = missing.iter().flat_map(|(_, names)| names).collect();
    for name in wanted {
        if !known.contains_key(name) {
            known.insert(name.clone(), fetch(fleet, found, name).await?);
        }
    }
    for (index, names) in &missing {
        // On a host whose release names them this is not the usual way of things.
        let needs = found.get(*index).and_then(Option::as_ref).map_or(&[][..], |o| &o.needs);
        if names.iter().all(|name| needs.contains(name)) {
            let host = &fleet.cluster.hosts[*index].name;
            let text = format!("{host}: its keys differ from the cluster's; sending them again");
            fleet.emit(Event::Note { text });
        }
    }
    let (known, missing) = (&known, &missing);
    let handles = fleet.handles(missing.iter().map(|(index, _)| *index));
    let answers = fleet.each("sending keys", handles, |handle| async move {
        let names = missing.iter().find(|(i, _)| Some(*i) == handle.index).map_or(&[][..], |(_, names)| names);
        let secrets: Vec<&Secret> = names.iter().filter_map(|name| known.get(name)).collect();
        keep_one(&handle, locks, &secrets).await
    });
    Ok(answers.await)
}

async fn keep_one(handle: &HostHandle, locks: &Locks, secrets: &[&Secret]) -> Result<(), String> {
    let input = pack(secrets.iter().map(|s| (s.name.as_str(), 0o600, &*s.content))).map_err(|e| e.to_string())?;
    let call = || RemoteScript::new(scripts::KEEP, KEEPING).arg(&handle.folders.home).input(input.as_slice());
    verdict(&locks.step(handle, call).await?, "kept")
}

/// Reads keys from a host that has them.
async fn fetch(fleet: &Fleet, found: &[Option<FullObserved>], name: &str) -> Result<Secret, Error> {
    let mut error = Error::failed("cannot read the cluster's keys from any host that has them; nothing changed");
    let holders = found.iter().enumerate().filter(|(_, o)| o.as_ref().is_some_and(|o| have(o).any(|n| n == name)));
    for (index, _) in holders {
        let handle = fleet.handle(index);
        let call = RemoteScript::new(scripts::SECRET, fleet.settings.question).arg(&handle.folders.home).arg(name);
        let why = match handle.connection.run(call).await {
            Ok(reply) => {
                let lines = reply.lines.iter().filter_map(|l| l.strip_prefix("secret "));
                let content = lines.map(|l| format!("{l}\n")).collect::<String>().into_bytes();
                match Secret::from_host(name, content) {
                    Ok(secret) => return Ok(secret),
                    Err(why) => why,
                }
            }
            Err(failure) => failure.text(),
        };
        error = error.because(format!("{}: {why}", handle.name));
    }
    Err(error.hint(match secret_kind(name) {
        CURVE => "`clusterctl secrets rotate` makes new ones and restarts all nodes",
        _ => "`clusterctl deploy` brings those that the description names",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Settings;

    /// Three hosts with Zeek 8.2 and ZeroMQ.
    fn fleet() -> Fleet {
        let text = "cluster: c\nzeek: { backend: zeromq, scripts: [] }\n\
                    hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 } }\n\
                    nodes:\n  manager: { type: manager, host: b }\n  proxy: { type: proxy, host: b, count: 1 }\n  \
                    worker: { type: worker, hosts: [a, c], interface: lo }\n";
        let description = crate::spec::parse("c.yaml", text.to_owned(), "/".into());
        let cluster = crate::cluster::check(&description).unwrap();
        let (events, _) = tokio::sync::mpsc::unbounded_channel();
        Fleet::new(Arc::new(cluster), Settings { parallel: 1, question: KEEPING, trace: false }, events)
    }

    /// A host that has some secrets, and a release that needs others.
    #[expect(clippy::unnecessary_wraps, reason = "as `found` has it, where a host may be none")]
    fn host(has: &[&Secret], needs: &[&Secret]) -> Option<FullObserved> {
        let secrets = has.iter().map(|s| (crate::release::digest(&s.content), s.name.clone())).collect();
        Some(FullObserved { secrets, needs: needs.iter().map(|s| s.name.clone()).collect(), ..FullObserved::default() })
    }

    const VERSION: Version = Version::new(8, 2);

    #[test]
    fn why_there_are_no_keys_to_make_anew_is_told_of_this_cluster() {
        let why = |zeek: &str, nodes: &str, version| {
            let text = format!(
                "cluster: c\nzeek: {{ {zeek}, scripts: [] }}\nhosts: {{ a: {{ local: true }} }}\nnodes: {nodes}\n"
            );
            let cluster = crate::cluster::check(&crate::spec::parse("c.yaml", text, "/".into())).unwrap();
            assert!(!zeek::curve(&cluster, version));
            zeek::why_no_curve(&cluster, version)
        };
        let few = "{ manager: { type: manager, host: a }, proxy: { type: proxy, host: a, count: 1 } }";
        let one = "{ zeek: { type: standalone, host: a, interface: lo } }";
        let standalone = why("backend: zeromq, curve: on", one, VERSION);
        assert_eq!(standalone, "a standalone Zeek talks to no other node");
        assert_eq!(why("backend: broker", few, VERSION), "keys are for ZeroMQ, and this cluster uses Broker");
        assert_eq!(why("backend: zeromq", few, Version::new(8, 1)), "ZeroMQ has keys from Zeek 8.2 on");
        assert_eq!(why("backend: zeromq, curve: off", few, VERSION), "`zeek.curve` is off");
        assert!(why("backend: zeromq", few, VERSION).contains("on one host"));
    }

    #[test]
    fn the_keys_of_the_managers_release_go_to_the_hosts_that_lack_them() {
        let (old, new) = (secrets::curve().unwrap(), secrets::curve().unwrap());
        // A rotation that ended half way: c has only the old ones, a was made anew.
        let found = [host(&[], &[]), host(&[&old, &new], &[&new]), host(&[&old], &[&old])];
        let keys = decide(&fleet(), &found, VERSION, Vec::new(), &NewKeys::default()).unwrap();
        assert!(keys.names.iter().all(|names| *names == [new.name.clone()]));
        assert_eq!(keys.lacking(&found), [(0, vec![new.name.clone()]), (2, vec![new.name.clone()])]);
        // The manager's host was made anew: those of the others count.
        let found = [host(&[&old], &[&old]), host(&[], &[]), None];
        let keys = decide(&fleet(), &found, VERSION, Vec::new(), &NewKeys::default()).unwrap();
        assert_eq!(keys.names, [vec![old.name.clone()], vec![old.name.clone()], vec![]]);
        assert_eq!(keys.lacking(&found), [(1, vec![old.name.clone()])]);
    }

    #[test]
    fn keys_of_a_first_deploy_that_failed_are_taken_up_again() {
        let keys = secrets::curve().unwrap();
        let found = [host(&[], &[]), host(&[], &[]), host(&[&keys], &[])];
        assert_eq!(decide(&fleet(), &found, VERSION, Vec::new(), &NewKeys::default()).unwrap().names[0][0], keys.name);
        // Damaged ones are none.
        let mut found = found;
        found[2].as_mut().unwrap().secrets[0].0 = crate::release::digest(b"else");
        assert_ne!(decide(&fleet(), &found, VERSION, Vec::new(), &NewKeys::default()).unwrap().names[0][0], keys.name);
    }

    #[test]
    fn new_keys_are_made_once_for_a_command_and_where_they_are_needed() {
        let found = [host(&[], &[]), host(&[], &[]), host(&[], &[])];
        let (fleet, new) = (fleet(), NewKeys::default());
        assert!(decide(&fleet, &found, Version::new(8, 1), Vec::new(), &new).unwrap().names.iter().all(Vec::is_empty));
        let first = decide(&fleet, &found, VERSION, Vec::new(), &new).unwrap().names;
        assert_eq!(first, decide(&fleet, &found, VERSION, Vec::new(), &new).unwrap().names);
        let keys = secrets::curve().unwrap();
        let found = [host(&[&keys], &[&keys]), host(&[&keys], &[&keys]), None];
        assert_eq!(
            decide(&fleet, &found, VERSION, Vec::new(), &new).unwrap().names,
            [first[0].clone(), first[0].clone(), vec![]]
        );
    }
}
