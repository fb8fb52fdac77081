//! Hosts that leave the cluster: who they are, how they are reached, and what runs there. A host's word makes the
//! operator's machine connect somewhere, so it is taken for as little as possible, and it is said where that is.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{Cluster, Former};
use crate::fleet::{Event, Fleet, HostHandle};
use crate::observed::{FullObserved, Observed, RemovedHost};
use crate::plan::{Plan, former};

/// A host that a host of the cluster remembers.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    pub(crate) host: RemovedHost,
    /// Who says so.
    pub(crate) teller: String,
}

/// A host that is to be asked.
#[derive(Debug, Clone)]
pub(crate) struct HostToAsk {
    /// How it is reached.
    pub(crate) host: Former,
    /// Who says so; none: the description.
    pub(crate) teller: Option<String>,
}

/// Hosts that leave the cluster.
#[derive(Default)]
pub(crate) struct Leaving {
    /// Those that answered.
    pub(crate) there: Vec<(HostHandle, Observed)>,
    /// Those of them on which something runs or is meant to.
    pub(crate) removed_hosts: Vec<RemovedHost>,
    /// Those that can't be asked, and why.
    pub(crate) unreachable_hosts: Vec<(RemovedHost, String)>,
    /// Where those that answered were reached, by name.
    ways: BTreeMap<String, String>,
}

/// Hosts that are to be asked, by name, and those of which nothing says how.
pub(crate) struct Gone {
    pub(crate) asked: BTreeMap<String, HostToAsk>,
    unknown: Vec<(RemovedHost, String)>,
}

/// Hosts that a current release has and the cluster has not, those that an earlier deploy could not ask either, and
/// those that the description lists as removed.
pub(crate) fn gone(cluster: &Cluster, found: &[Option<FullObserved>], then: &[Remembered]) -> Gone {
    let pending = cluster.hosts.iter().zip(found).flat_map(|(host, observed)| {
        let lines = observed.iter().flat_map(|o| &o.pending);
        lines.map(|left| Remembered { host: left.clone(), teller: format!("{} remembers it", host.name) })
    });
    let remembered: Vec<Remembered> = then.iter().cloned().chain(pending).collect();
    let stays: BTreeSet<String> = cluster.hosts.iter().map(|h| h.name.to_lowercase()).collect();
    let ways: BTreeSet<(&str, u16)> =
        cluster.hosts.iter().map(|h| (h.ssh.host.as_str(), h.ssh.port.unwrap_or(22))).collect();
    let here = cluster.hosts.iter().any(|h| h.local);
    let mut gone = Gone { asked: BTreeMap::new(), unknown: Vec::new() };
    for host in &cluster.removed {
        gone.asked.insert(host.name.clone(), HostToAsk { host: host.clone(), teller: None });
    }
    for Remembered { host: left, teller } in remembered {
        let name = left.name.as_str();
        if stays.contains(&name.to_lowercase()) || gone.asked.contains_key(name) {
            continue;
        }
        match former(cluster, &left) {
            Ok(host) if ways.contains(&(host.ssh.host.as_str(), host.ssh.port.unwrap_or(22))) => {}
            Ok(host) => drop(gone.asked.insert(name.to_owned(), HostToAsk { host, teller: Some(teller) })),
            // A `local` host of before is this machine, which the cluster still has under another name.
            Err(_) if left.local && here => {}
            Err(_) if gone.unknown.iter().any(|(known, _)| known.name == left.name) => {}
            Err(why) => gone.unknown.push((left, why)),
        }
    }
    gone.unknown.retain(|(left, _)| !gone.asked.contains_key(left.name.as_str()));
    // For good: whatever runs there is nobody's business any more.
    gone.asked.retain(|_, asked| asked.host.enabled);
    gone
}

/// Asks hosts that leave the cluster; `found` are those that stay, and `why` says why the others leave.
pub(crate) async fn ask_leaving(
    fleet: &Fleet,
    found: &[Option<FullObserved>],
    gone: Gone,
    why: &str,
    notes: &mut Vec<String>,
) -> Leaving {
    let mut leaving = Leaving::default();
    for (left, reason) in gone.unknown {
        notes.push(unknown(left.name.as_str(), why, &reason));
        leaving.unreachable_hosts.push((left, reason));
    }
    if gone.asked.is_empty() {
        return leaving;
    }
    for (name, asked) in &gone.asked {
        if let Some(teller) = &asked.teller {
            // Before it is done: a host has a say in where this goes.
            let text = format!("{name} {why}: asking it at {} ({teller})", way(&asked.host));
            fleet.emit(Event::Note { text });
        }
    }
    let handles: Vec<HostHandle> = gone.asked.values().map(|asked| fleet.foreign(&asked.host)).collect();
    for (handle, answer) in fleet.observe(handles).await {
        let Some(asked) = gone.asked.get(&handle.name) else { continue };
        let left = RemovedHost::of(
            &handle.name,
            asked.host.local,
            &asked.host.ssh.host,
            asked.host.ssh.port,
            &asked.host.ssh.user,
        );
        match answer {
            // By another way, or under another name: its nodes are those of a host that stays, and do not stop.
            Ok(observed) if let Some(stays) = same_machine(fleet, found, &observed) => notes.push(format!(
                "{} {why}, and is the same machine as {stays} (at {}): nothing to do there as {}",
                handle.name,
                way(&asked.host),
                handle.name
            )),
            // Whose word it was may have meant another cluster of the same name.
            Ok(observed) if asked.teller.is_some() && !is_of_this_cluster(found, &observed) => {
                let current = observed.current.as_deref().unwrap_or("-");
                let reason = format!("it runs the release {current}, which no host of this cluster has");
                notes.push(format!(
                    "{} {why}, but at {} {reason}: it may belong to another cluster, so clusterctl leaves it alone; if \
                     it belongs to this one, list it under `removed`",
                    handle.name,
                    way(&asked.host)
                ));
                leaving.unreachable_hosts.extend(left.map(|left| (left, reason)));
            }
            Ok(observed) => {
                let lives = observed.nodes.values().any(|n| n.process.is_some() || n.desired_release().is_some());
                if asked.teller.is_none() && !lives && cluster_lists(fleet, &handle.name) {
                    notes.push(format!("{}: no node of this cluster is left; remove it from `removed`", handle.name));
                }
                leaving.removed_hosts.extend(left.filter(|_| lives));
                leaving.ways.insert(handle.name.clone(), way(&asked.host));
                leaving.there.push((handle, observed));
            }
            Err(failure) => {
                let reason = failure.text();
                notes.push(unknown(&handle.name, why, &format!("at {}: {reason}", way(&asked.host))));
                leaving.unreachable_hosts.extend(left.map(|left| (left, reason)));
            }
        }
    }
    leaving
}

/// Returns the host that stays and is the same machine, in the same boot.
fn same_machine(fleet: &Fleet, found: &[Option<FullObserved>], observed: &Observed) -> Option<String> {
    // What has no machine id is not told apart by it.
    if observed.machine_id.len() < 8 {
        return None;
    }
    let of = |o: &Observed| (o.machine_id.clone(), o.boot_id.clone());
    let is = |stays: &FullObserved| of(stays) == of(observed);
    let same = fleet.cluster.hosts.iter().zip(found).find(|(_, stays)| stays.as_ref().is_some_and(is));
    same.map(|(host, _)| host.name.clone())
}

/// Tells whether what lies on a host is of this cluster, as far as that shows: a host that stays has had its release. Its
/// id is a digest of all that is in it, so that another cluster of the same name has another one, which no host of this
/// one knows.
fn is_of_this_cluster(found: &[Option<FullObserved>], observed: &Observed) -> bool {
    let Some(current) = observed.current.as_deref() else { return true };
    let has =
        |o: &FullObserved| o.current.as_deref() == Some(current) || o.releases.iter().any(|kept| kept.id == current);
    found.iter().flatten().any(has)
}

/// Tells whether the description lists a host as removed; not so hosts that only a rollback takes out.
fn cluster_lists(fleet: &Fleet, name: &str) -> bool {
    fleet.cluster.removed.iter().any(|host| host.name == name)
}

fn unknown(name: &str, why: &str, reason: &str) -> String {
    format!(
        "{name} {why} but cannot be reached ({reason}): nodes may still run there; list it under `removed`, \
         with the way to reach it, or with `enabled: false` if it is gone for good"
    )
}

/// Says where ssh goes for a host.
fn way(host: &Former) -> String {
    if host.local {
        return "this machine".to_owned();
    }
    let user = host.ssh.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = host.ssh.port.map(|port| format!(", port {port}")).unwrap_or_default();
    format!("{user}{}{port}", host.ssh.host)
}

impl Leaving {
    /// Adds to a plan what becomes of these hosts.
    pub(crate) fn plan(&self, plan: &mut Plan) {
        for (handle, observed) in &self.there {
            let way = self.ways.get(&handle.name).map_or("", String::as_str);
            plan.add_leaving(&handle.name, way, observed);
        }
        for (left, why) in &self.unreachable_hosts {
            plan.add_unknown(left.name.as_str(), why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::StoredRelease;

    #[test]
    fn another_cluster_of_the_same_name_is_not_this_one() {
        let runs = |id: &str| Observed { current: Some(id.to_owned()), ..Observed::default() };
        let kept = StoredRelease { id: "a1".to_owned(), ..StoredRelease::default() };
        let stays = [
            None,
            Some(FullObserved { brief: runs("b2"), releases: vec![kept], ..FullObserved::default() }),
            Some(FullObserved::default()),
        ];
        assert!(is_of_this_cluster(&stays, &runs("b2")) && is_of_this_cluster(&stays, &runs("a1")));
        assert!(!is_of_this_cluster(&stays, &runs("c3")));
        // What has no release is no other cluster's.
        assert!(is_of_this_cluster(&stays, &Observed::default()));
    }
}
