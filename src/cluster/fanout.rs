//! AF_PACKET fanout ids: one for each host and interface, stable, distinct on a host.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use super::nodes::{Draft, Nodes};
use super::problems::Problems;
use crate::error::{At, Problem};

/// The ids, by host and interface.
pub(super) struct Ids<'a> {
    assigned: HashMap<(usize, &'a str), u16>,
    /// What the description sets, by member.
    set: Vec<Option<u16>>,
}

impl Ids<'_> {
    /// Returns the id of a node; none if it does not capture with `AF_PACKET`.
    pub(super) fn get(&self, draft: &Draft, interface: &str) -> Option<u16> {
        let assigned = self.assigned.get(&(draft.host, interface));
        assigned.map(|id| self.set.get(draft.member).copied().flatten().unwrap_or(*id))
    }
}

/// Assigns ids: what the description sets, else a hash of host and interface, the next free one if it is taken.
pub(super) fn assign<'a>(nodes: &'a Nodes<'_>, problems: &mut Problems<'_>) -> Ids<'a> {
    let id = |member: &super::nodes::Member<'_>| member.nearest(|settings| settings.af_packet.fanout_id);
    let set: Vec<Option<u16>> = nodes.members.iter().map(id).collect();
    // Sorted, so that a collision ends the same whatever the order of the file.
    let mut interfaces: BTreeMap<(usize, &str), Vec<&Draft>> = BTreeMap::new();
    for draft in &nodes.drafts {
        if let Some(interface) = draft.interface.as_deref().filter(|interface| interface.starts_with("af_packet::")) {
            interfaces.entry((draft.host, interface)).or_default().push(draft);
        }
    }
    let mut used: HashMap<(usize, u16), (&str, usize)> = HashMap::new();
    let mut assigned = HashMap::new();
    for (&(host, interface), drafts) in &interfaces {
        let mut last = None;
        for draft in drafts {
            let Some(id) = set[draft.member].filter(|_| last != Some(draft.member)) else { continue };
            last = Some(draft.member);
            let (other, first) = *used.entry((host, id)).or_insert((interface, draft.member));
            if other != interface {
                let host = &nodes.hosts[host].name;
                let message = format!("`{other}` and `{interface}` of `{host}` have the same fanout id {id}");
                let place =
                    |member: usize| nodes.members[member].setting("af_packet").map(|place| place.key("fanout_id"));
                let (Some(here), Some(there)) = (place(draft.member), place(first)) else { continue };
                let problem =
                    Problem::value(here, message, "used again here").also(there, At::Value, "first used here");
                problems.push(problem.help("leave it out, and each interface gets an id of its own"));
            }
            assigned.entry((host, interface)).or_insert(id);
        }
    }
    for &(host, interface) in interfaces.keys() {
        if assigned.contains_key(&(host, interface)) {
            continue;
        }
        let digest = Sha256::digest(format!("{}\0{interface}", nodes.hosts[host].name));
        let start = u16::from_be_bytes([digest[0], digest[1]]);
        let free =
            (0..=u16::MAX).map(|n| start.wrapping_add(n)).find(|id| *id != 0 && !used.contains_key(&(host, *id)));
        // There are more ids than nodes; and a host with as many interfaces as ids does not exist.
        let id = free.unwrap_or(start);
        used.insert((host, id), (interface, 0));
        assigned.insert((host, interface), id);
    }
    Ids { assigned, set }
}
