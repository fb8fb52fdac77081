//! An earlier release with the current secrets: a rollback never brings back keys that were replaced since, because
//! somebody else may know them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::host_release::HostRelease;
use super::keys::NewKeys;
use super::{keys, site};
use crate::cluster::{Cluster, EnvValue, Folders, Former};
use crate::error::Error;
use crate::fleet::{Fleet, HostHandle};
use crate::observed::FullObserved;
use crate::release::{
    CURVE, File, Part, Release, SECRETS_PATH, digest, manifest_entries, patch_start_file, secret_key, secret_kind,
};
use crate::scripts;
use crate::secrets::Secret;
use crate::transport::RemoteScript;

/// The secrets that the description of now names.
#[derive(Clone, Default)]
pub(crate) struct CurrentSecrets {
    /// Certificates and what belongs to them; none where there are none, or they can't be read here.
    tls: Vec<Secret>,
    /// Values in the environments of nodes, by host, node and variable.
    env: BTreeMap<(String, String, String), String>,
    /// What can't be read here, and why.
    unread: Vec<String>,
}

impl fmt::Debug for CurrentSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentSecrets").finish_non_exhaustive()
    }
}

impl CurrentSecrets {
    /// Reads them, as far as they can be read.
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let mut now = Self::default();
        let why = |error: &Error| match error.causes.first() {
            Some(cause) => format!("{} ({cause})", error.message),
            None => error.message.clone(),
        };
        match site::tls(cluster) {
            Ok(tls) => now.tls = tls,
            Err(error) => now.unread.push(why(&error)),
        }
        for node in &cluster.nodes {
            for (name, value) in node.env.iter().filter(|(_, value)| secret_key(value).is_some()) {
                match site::secret(value, &format!("the secret for {name} of {}", node.name)) {
                    Ok(value) => {
                        let key = (cluster.host_of(node).name.clone(), node.name.clone(), name.clone());
                        now.env.insert(key, value);
                    }
                    Err(error) => now.unread.push(why(&error)),
                }
            }
        }
        now
    }
}

/// A release to go back to.
#[derive(Debug, Clone)]
pub(crate) struct RollbackTarget {
    pub(crate) id: String,
    /// Hosts that the description has and that release has not: their nodes stop.
    pub(crate) more: Vec<Former>,
    /// The digest of the `cluster.json` that its topology was read from.
    pub(crate) record: String,
    /// The secrets of the description.
    pub(crate) now: CurrentSecrets,
}

/// What became of a release of before.
pub(crate) struct RefreshedRelease {
    pub(crate) release: Release,
    /// The release of before and its manifests, where this is another one.
    pub(crate) base: Option<(String, BTreeMap<usize, Vec<String>>)>,
    /// What each host keeps for it.
    pub(crate) names: Vec<Vec<String>>,
    /// Of that, what is known here.
    pub(crate) known: Vec<Secret>,
}

/// Gives a release that lies on the hosts, as `parts`, the secrets of now: its own id where nothing differs.
///
/// # Errors
/// Where a host can't be asked how its nodes are started, or new keys can't be made.
pub(crate) async fn with_current_secrets(
    fleet: &Fleet,
    new: &NewKeys,
    target: &RollbackTarget,
    found: &[Option<FullObserved>],
    held: &BTreeMap<usize, HostRelease>,
    parts: Vec<Part>,
    notes: &mut Vec<String>,
) -> Result<RefreshedRelease, Error> {
    let RollbackTarget { id, now, .. } = target;
    let cluster = &*fleet.cluster;
    let mut names = vec![Vec::new(); cluster.hosts.len()];
    let mut replaced: BTreeSet<String> = BTreeSet::new();
    for (host, held) in held {
        names[*host] = kept_now(fleet, new, now, found, &held.secrets)?;
        let others = names[*host].iter().filter(|name| !held.secrets.contains(name));
        replaced.extend(others.map(|name| secret_kind(name).to_owned()));
    }
    let mut again: Vec<Part> = Vec::new();
    let mut values: BTreeSet<String> = BTreeSet::new();
    for part in &parts {
        let Some(held) = held.get(&part.host) else { continue };
        let host = &cluster.hosts[part.host];
        let mut env: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
        for node in cluster.run_nodes().filter(|n| n.host == part.host) {
            for (variable, _) in node.env.iter().filter(|(_, value)| !matches!(value, EnvValue::Plain(_))) {
                // The secret goes only to the host that has it in the current description: a record on a host decides nothing.
                match now.env.get(&(host.name.clone(), node.name.clone(), variable.clone())) {
                    Some(value) => drop(env.entry(&node.name).or_default().insert(variable.clone(), value.clone())),
                    None => notes.push(format!(
                        "{}: {variable} keeps the value that {id} was deployed with: the description has no secret \
                         for it now",
                        node.name
                    )),
                }
            }
        }
        let kept = &names[part.host];
        if *kept == held.secrets && env.is_empty() {
            again.push(part.clone());
            continue;
        }
        let handle = fleet.handle(part.host);
        let starts = starts(fleet, &handle, id, held).await?;
        let home = Folders::of(&cluster.name, host).home;
        let (mut files, mut inputs) = (BTreeMap::new(), held.inputs.clone());
        let mut put = |path: String, mode: u32, text: String| {
            files.insert(path, File::new(mode, text.into_bytes()));
        };
        for node in cluster.run_nodes().filter(|n| n.host == part.host) {
            let Some(text) = starts.get(&node.name) else { continue };
            let values_now = env.remove(node.name.as_str()).unwrap_or_default();
            let (new, depends) = patch_start_file(text, kept, &home, &values_now);
            if depends.get("environment") != held.inputs.get(&node.name).and_then(|i| i.get("environment")) {
                values.insert(node.name.clone());
            }
            if new != *text {
                put(format!("start/{}", node.name), 0o600, new);
                inputs.insert(node.name.clone(), depends);
            }
        }
        let mut gone = BTreeSet::new();
        if *kept != held.secrets {
            if kept.is_empty() {
                gone.insert(SECRETS_PATH);
            } else {
                put(SECRETS_PATH.to_owned(), 0o644, kept.iter().map(|name| format!("{name}\n")).collect());
            }
        }
        let mut part_now = Part::again(part.host, &held.manifest, files, &gone, inputs);
        // What a plan wants to know, and stays on the host.
        part_now.files.add(&part.files);
        again.push(part_now);
    }
    if !replaced.is_empty() || !values.is_empty() {
        notes.extend(now.unread.iter().map(|why| format!("{why}: using the one that was deployed with {id}")));
    }
    let known = now.tls.iter().chain(new.curve()).cloned().collect();
    let same = again.iter().zip(&parts).all(|(new, old)| new.digest == old.digest);
    if same {
        return Ok(RefreshedRelease { release: Release { id: id.clone(), parts }, base: None, names, known });
    }
    let release = Release::of(cluster, again);
    let what: Vec<String> = replaced
        .iter()
        .map(|kind| match kind.as_str() {
            CURVE => "keys for ZeroMQ".to_owned(),
            kind => kind.replace('-', " "),
        })
        .chain((!values.is_empty()).then(|| "secrets in the environment".to_owned()))
        .collect();
    notes.push(format!("rolling back to {id} as {}: same files, current {}", release.id, what.join(", ")));
    let manifests = held.iter().map(|(host, held)| (*host, held.manifest.clone())).collect();
    Ok(RefreshedRelease { release, base: Some((id.clone(), manifests)), names, known })
}

/// What a host keeps now for a release for which it kept `old`.
fn kept_now(
    fleet: &Fleet,
    new: &NewKeys,
    now: &CurrentSecrets,
    found: &[Option<FullObserved>],
    old: &[String],
) -> Result<Vec<String>, Error> {
    let (curve, others): (Vec<&String>, Vec<&String>) = old.iter().partition(|name| secret_kind(name) == CURVE);
    let mut names = Vec::new();
    if let Some(curve) = curve.first() {
        names.push(keys::of_now(fleet, found, curve, new)?);
    }
    if others.is_empty() {
        return Ok(names);
    }
    let given: Vec<String> = now.tls.iter().map(|secret| secret.name.clone()).collect();
    if given.is_empty() {
        let current = keys::certificates(fleet, found);
        names.extend(if current.is_empty() { others.into_iter().cloned().collect() } else { current });
    } else {
        names.extend(given);
    }
    Ok(names)
}

/// Reads how the nodes of a release are started on a host.
async fn starts(
    fleet: &Fleet,
    handle: &HostHandle,
    id: &str,
    held: &HostRelease,
) -> Result<BTreeMap<String, String>, Error> {
    let fail = |why: String| {
        let what = format!("cannot read from {} how release {id} starts its nodes; nothing changed", handle.name);
        Error::failed(what).because(why)
    };
    let call = RemoteScript::new(scripts::STARTS, fleet.settings.question).arg(&handle.folders.home).arg(id);
    let reply = handle.connection.run(call).await.map_err(|f| fail(f.text()))?;
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut name = "";
    for line in &reply.lines {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("file", node) => {
                name = node;
                files.insert(node.to_owned(), String::new());
            }
            ("line", text) => {
                if let Some(file) = files.get_mut(name) {
                    file.push_str(text);
                    file.push('\n');
                }
            }
            _ => {}
        }
    }
    // What was read is what the manifest names, or it is not built upon.
    let entries = manifest_entries(held.manifest.iter().map(String::as_str));
    for (node, text) in &files {
        if entries.get(format!("start/{node}").as_str()).is_none_or(|e| e.digest != digest(text.as_bytes())) {
            return Err(fail(format!("start/{node} was changed on the host")));
        }
    }
    Ok(files)
}
