//! Warns of workers that all see every packet, which is rarely intended.

use std::collections::{BTreeMap, BTreeSet};

use super::nodes::{Draft, Member, Nodes};
use super::problems::Problems;
use crate::error::Problem;
use crate::spec::{OrderedMap, Spec, StringList};
use crate::values::Redef;

/// Warns of workers that capture on one interface of a host and do not share its packets among themselves: each log has
/// everything as often as there are workers.
pub(super) fn check(spec: &Spec, nodes: &Nodes<'_>, problems: &mut Problems<'_>) {
    let mut interfaces: BTreeMap<(usize, &str), Vec<&Draft>> = BTreeMap::new();
    for draft in &nodes.drafts {
        if let Some(interface) = draft.interface.as_deref() {
            interfaces.entry((draft.host, interface)).or_default().push(draft);
        }
    }
    let mut told = BTreeSet::new();
    for ((host, interface), drafts) in interfaces {
        if drafts.len() < 2 {
            continue;
        }
        let members: BTreeSet<usize> = drafts.iter().map(|draft| draft.member).collect();
        let whole: BTreeSet<usize> =
            members.into_iter().filter(|at| sees_all(spec, nodes, &nodes.members[*at], interface)).collect();
        let count = drafts.iter().filter(|draft| whole.contains(&draft.member)).count();
        let Some(member) = whole.last().filter(|_| count > 1).map(|at| &nodes.members[*at]) else { continue };
        let Some(place) = member.setting("interface") else { continue };
        // Once for a group, on however many hosts.
        if !told.insert((place.clone(), interface)) {
            continue;
        }
        let host = &nodes.hosts[host].name;
        let message = format!(
            "{count} workers capture on `{interface}` of `{host}`, and each sees every packet: logs have every record \
             {count} times"
        );
        let help = match interface.split_once("::") {
            None => format!("write `interface: af_packet::{interface}`, and they share the packets"),
            Some(("pcap", device)) => format!("write `interface: af_packet::{device}`, and they share the packets"),
            Some(_) => "remove `enable_fanout: false`, and they share the packets".to_owned(),
        };
        problems.warn(Problem::value(place, message, "not shared").help(help));
    }
}

/// Tells whether a worker sees all packets of its interface, as far as that can be known: other packet sources, and
/// libraries that stand in for libpcap, share packets in their own ways.
fn sees_all(spec: &Spec, nodes: &Nodes<'_>, member: &Member<'_>, interface: &str) -> bool {
    match interface.split_once("::") {
        Some(("af_packet", _)) => {
            return member.nearest(|settings| settings.af_packet.enable_fanout) == Some(false);
        }
        // Another check reports settings that nothing uses.
        _ if member.setting("af_packet").is_some() => return false,
        Some(("pcap", _)) => {}
        Some(_) => return false,
        // Devices of the kernel have other names.
        None if interface.contains([':', '@', '^', '{', '}', '/']) => return false,
        None => {}
    }
    let env = [Some(&spec.zeek.env), nodes.env_of_host(spec, member), Some(&member.spec.settings.env)];
    let env = env.into_iter().chain([member.own.map(|own| &own.env)]).flatten();
    // PF_RING's and Myricom's libpcap (https://www.ntop.org/guides/pf_ring/thirdparty/bro.html).
    let shares =
        |name: &str| name.starts_with("PCAP_PF_RING_") || name.starts_with("PF_RING_") || name.starts_with("SNF_");
    if env.flat_map(OrderedMap::iter).any(|(name, _)| shares(name)) {
        return false;
    }
    // A filter of its own, or Zeek's script that gives each worker one.
    let texts =
        |global: &'_ StringList, group: &'_ StringList, own: Option<&'_ StringList>, is: &dyn Fn(&str) -> bool| {
            [Some(global), Some(group), own].into_iter().flatten().flat_map(|texts| &texts.0).any(|text| is(text))
        };
    let filters = |arg: &str| arg.starts_with("-f") || arg.starts_with("--filter");
    let balances = |script: &str| script.trim_end_matches(".zeek").ends_with("misc/load-balancing");
    let redefs = [Some(&spec.zeek.redefs), Some(&member.spec.settings.redefs), member.own.map(|own| &own.redefs)];
    let filter = |(name, _): (&str, &Redef)| name.contains("_filter") || name.starts_with("PacketFilter::");
    let own = member.own;
    !texts(&spec.zeek.args, &member.spec.settings.args, own.map(|own| &own.args), &filters)
        && !texts(&spec.zeek.scripts, &member.spec.settings.scripts, own.map(|own| &own.scripts), &balances)
        && !redefs.into_iter().flatten().flat_map(OrderedMap::iter).any(filter)
}
