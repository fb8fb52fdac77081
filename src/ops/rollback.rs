//! Going back to a release that lies on the hosts: its own topology, its own Zeek, and only what differs restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Failure;
use super::fleet::{Fleet, Seat};
use super::prepare::{Absent, Aim, Leaving, Options, Prepared, ask_leaving, deployments, gone, look, notes};
use super::secrets::Keys;
use crate::cluster::{self, Cluster};
use crate::error::Error;
use crate::observed::Observed;
use crate::plan::Plan;
use crate::release::{Deployed, File, Inputs, Part, Release, VERSION_PATH, digest};
use crate::transport::{Call, Reply};
use crate::values::Version;

const CLUSTER: &str = concat!(include_str!("../../templates/say.sh"), include_str!("../../templates/cluster.sh"));
const RELEASE: &str = concat!(
    include_str!("../../templates/say.sh"),
    include_str!("../../templates/lib.sh"),
    include_str!("../../templates/manifest.sh"),
    include_str!("../../templates/release.sh")
);

/// A release to go back to.
#[derive(Debug, Clone)]
pub(super) struct Target {
    id: String,
    /// Hosts that the description has and that release has not: their nodes stop.
    more: Vec<cluster::Host>,
}

/// What a host has of a release.
#[derive(Debug, Default)]
struct Held {
    whole: bool,
    manifest: Vec<String>,
    version: Option<Version>,
    /// The line of `clusterctl/version`.
    made_for: String,
    inputs: BTreeMap<String, Inputs>,
    /// The names of the secrets that its nodes need.
    secrets: Vec<String>,
    /// Why its Zeek can't be used any more.
    zeek: Option<String>,
}

/// Finds the release to go back to, and plans; the fleet that is returned has the topology of that release.
///
/// # Errors
/// Where there is none, a host that is needed can't be asked or does not have it whole, or its Zeek is not there any
/// more.
pub async fn prepare_rollback(
    fleet: &Fleet,
    wanted: Option<&str>,
    options: &Options,
) -> Result<(Fleet, Prepared), Failure> {
    let (found, _) = look(fleet, options).await?;
    let id = choose(&fleet.cluster, &found, wanted)?;
    let deployed = topology(fleet, &found, &id).await?;
    let mut then = deployed;
    // The way to a host is today's, if it has one.
    for host in &mut then.hosts {
        if let Some(now) = fleet.cluster.hosts.iter().find(|h| h.name == host.name) {
            host.ssh = now.ssh.clone();
            host.local = now.local;
            host.enabled = now.enabled;
        }
    }
    then.timeouts = fleet.cluster.timeouts.clone();
    then.keep = fleet.cluster.keep;
    let names: BTreeSet<&str> = then.hosts.iter().map(|h| h.name.as_str()).collect();
    let more: Vec<cluster::Host> =
        fleet.cluster.hosts.iter().filter(|h| h.enabled && !names.contains(h.name.as_str())).cloned().collect();
    let skipped: BTreeSet<&str> = options.skip.iter().map(|i| fleet.cluster.hosts[*i].name.as_str()).collect();
    let skip = (0..then.hosts.len()).filter(|i| skipped.contains(then.hosts[*i].name.as_str())).collect();
    let options = Options { skip, ..options.clone() };
    let back = fleet.with(Arc::new(then));
    let target = Target { id, more };
    let prepared = prepare_on(&back, &target, &options).await?;
    Ok((back, prepared))
}

/// Plans the way back on the fleet of that release.
pub(super) async fn prepare_on(fleet: &Fleet, target: &Target, options: &Options) -> Result<Prepared, Failure> {
    let cluster = &*fleet.cluster;
    let (found, mut absent) = look(fleet, options).await?;
    let seats = fleet.seats((0..found.len()).filter(|i| found[*i].is_some()));
    let answers = fleet
        .each("reading the release", seats, |seat| async move {
            let answer = held(fleet, &seat, &target.id).await;
            let failure = answer.as_ref().err().cloned();
            (answer, failure)
        })
        .await;
    let mut parts = Vec::new();
    let mut secrets = vec![Vec::new(); cluster.hosts.len()];
    let mut version = None;
    let mut wrong: Vec<String> = Vec::new();
    for (seat, answer) in answers {
        let Some(index) = seat.index else { continue };
        let why = match answer {
            Ok(held) if held.whole && held.zeek.is_none() => {
                version = version.or(held.version);
                secrets[index] = held.secrets;
                let mut manifest = held.manifest.join("\n");
                manifest.push('\n');
                // The files stay on the host; this one says what a plan wants to know.
                let content = Arc::<[u8]>::from(held.made_for.as_bytes());
                let file = File { mode: 0o644, digest: digest(&content), content };
                parts.push(Part {
                    host: index,
                    files: BTreeMap::from([(VERSION_PATH.to_owned(), file)]),
                    digest: digest(manifest.as_bytes()),
                    manifest,
                    inputs: held.inputs,
                });
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
    let release = Release { id: target.id.clone(), parts };
    let mut notes = notes(cluster, &found, &absent);
    let deployed = deployments(fleet, &found, &release, &mut notes).await;
    let mut plan = Plan::make(cluster, &found, &release, &deployed);
    // What runs now may have hosts that neither the description nor that release has.
    let mut gone = gone(cluster, &found, &deployed);
    gone.extend(target.more.iter().map(|h| (h.name.clone(), h.clone())));
    let Leaving { there: leaving, left, lost } = ask_leaving(fleet, gone, "is not of that release", &mut notes).await;
    for (seat, observed) in &leaving {
        plan.add_leaving(&seat.name, observed);
    }
    if options.no_restart {
        plan.without_restarts();
    }
    let (aim, options) = (Aim::Release(target.clone()), options.clone());
    let keys = Keys::needed(secrets);
    Ok(Prepared { plan, version, notes, release, found, keys, leaving, left, lost, absent, options, aim })
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
        return match matches.as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => {
                Err(Error::failed(format!("no host has a release {wanted}")).hint("`clusterctl releases` lists them"))
            }
            many => Err(Error::failed(format!("{wanted} could be any of {}", many.join(", ")))),
        };
    }
    // What ran before an operation that did not come to its end.
    if let Some(from) = all().find_map(|o| o.unfinished()?.from) {
        return Ok(from);
    }
    let Some(observed) = all().next() else { return Err(Error::failed("no host can be asked")) };
    let time = |id: &str| observed.releases.iter().find(|k| k.id == id).and_then(|k| k.time);
    let now = observed.current.as_deref().and_then(time).unwrap_or(i64::MAX);
    let current = observed.current.as_deref();
    observed
        .releases
        .iter()
        .filter(|k| Some(k.id.as_str()) != current && k.time.is_some_and(|t| t <= now))
        .max_by_key(|k| k.time)
        .map(|k| k.id.clone())
        .ok_or_else(|| {
            Error::failed("there is no release before the one that runs").hint("`clusterctl releases` lists them")
        })
}

/// Reads the cluster of a release from a host that has it.
async fn topology(fleet: &Fleet, found: &[Option<Observed>], id: &str) -> Result<Cluster, Error> {
    let mut last = None;
    let has = |o: &Observed| o.releases.iter().any(|k| k.id == id);
    for index in (0..found.len()).filter(|i| found[*i].as_ref().is_some_and(has)).take(3) {
        let seat = fleet.seat(index);
        let call = Call::new(CLUSTER, fleet.settings.question).arg(&seat.folders.home).arg(id);
        match seat.connection.run(call).await {
            Ok(reply) => match Deployed::parse(&reply.lines.concat()) {
                Some(deployed) => return Ok(deployed.cluster),
                None => last = Some(format!("{}: it was made by another clusterctl", seat.name)),
            },
            Err(failure) => last = Some(format!("{}: {}", seat.name, failure.text())),
        }
    }
    let error = Error::failed(format!("nothing has changed: the topology of {id} can't be read"));
    Err(error.because(last.unwrap_or_else(|| "no host that answers has it".to_owned())))
}

/// Asks a host what it has of a release.
async fn held(fleet: &Fleet, seat: &Seat, id: &str) -> Result<Held, String> {
    let call = Call::new(RELEASE, fleet.settings.question * 3).arg(&seat.folders.home).arg(id);
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
            "manifest" => held.manifest.push(value.to_owned()),
            "version" => {
                held.version = value.split(' ').next().and_then(|v| v.parse().ok());
                held.made_for = format!("{value}\n");
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
            "secret" => held.secrets.push(value.to_owned()),
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
    if ended { Ok(held) } else { Err(format!("the answer is not whole: {}", reply.stderr.trim())) }
}
