//! The rule that gives a node its port, and the check that nothing on a host wants the same one.

use std::collections::{HashMap, HashSet};

use super::model::{Backend, Metrics, Ports, Role};
use super::nodes::Nodes;
use super::problems::Problems;
use crate::error::{At, Place, Problem};

/// The last automatic port: Linux' ephemeral range usually begins above it.
const LAST: u16 = 32767;

/// Where the ports of a role begin behind the base, and how many there are; none: up to the last automatic port.
fn range(role: Role) -> (u16, Option<u16>) {
    // +0 and +1 are ZeroMQ's.
    match role {
        Role::Manager => (2, Some(1)),
        Role::TimeMachine => (3, Some(1)),
        Role::Control => (4, Some(1)),
        Role::Standalone => (5, Some(1)),
        Role::Logger => (10, Some(40)),
        Role::Proxy => (50, Some(100)),
        Role::Worker => (200, None),
    }
}

/// Returns the highest index that a role has a port for above a base.
pub(super) fn capacity(role: Role, base: u16) -> u32 {
    let (offset, most) = range(role);
    let room = (u32::from(LAST) + 1).saturating_sub(u32::from(base) + u32::from(offset));
    most.map_or(room, |most| room.min(most.into()))
}

/// Returns the port of an index (from 1) of a role; none above the capacity.
pub(super) fn automatic(role: Role, base: u16, index: u32) -> Option<u16> {
    if index == 0 || index > capacity(role, base) {
        return None;
    }
    u16::try_from(u32::from(base) + u32::from(range(role).0) + index - 1).ok()
}

/// Who wants a port.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Node(usize),
    Metrics(usize),
    Control,
    Xpub,
    Xsub,
}

impl Who {
    fn name(self, nodes: &Nodes<'_>) -> String {
        match self {
            Self::Node(at) => format!("`{}`", nodes.drafts[at].name),
            Self::Metrics(at) => format!("the metrics of `{}`", nodes.drafts[at].name),
            Self::Control => "the control port".to_owned(),
            Self::Xpub => "ZeroMQ's XPUB port (`ports.base`)".to_owned(),
            Self::Xsub => "ZeroMQ's XSUB port (`ports.base` + 1)".to_owned(),
        }
    }

    /// Where it can be changed: an explicit port, or else the base of its range.
    fn place(self, nodes: &Nodes<'_>) -> (Place, bool) {
        let explicit = |at: usize, key: &str| {
            let member = &nodes.members[nodes.drafts[at].member];
            member.setting(key).map(|place| (place, true))
        };
        match self {
            Self::Node(at) => explicit(at, "port").unwrap_or((Place::of(&["ports", "base"]), false)),
            Self::Metrics(at) => explicit(at, "metrics_port").unwrap_or((Place::of(&["ports", "metrics"]), false)),
            Self::Control => (Place::of(&["ports", "control"]), true),
            Self::Xpub | Self::Xsub => (Place::of(&["ports", "base"]), false),
        }
    }

    /// What a report of a clash is about, so that each pair of groups is reported once.
    fn group(self, nodes: &Nodes<'_>) -> (u8, usize) {
        match self {
            Self::Node(at) => (0, nodes.drafts[at].member),
            Self::Metrics(at) => (1, nodes.drafts[at].member),
            Self::Control => (2, 0),
            Self::Xpub | Self::Xsub => (3, 0),
        }
    }
}

/// Checks that all ports on a host are distinct.
pub(super) fn check(
    nodes: &Nodes<'_>,
    ports: &Ports,
    metrics: Metrics,
    backend: Option<Backend>,
    problems: &mut Problems<'_>,
) {
    let mut used: HashMap<(usize, u16), Who> = HashMap::with_capacity(nodes.drafts.len() * 2);
    let mut clashes = Vec::new();
    let mut take = |host: usize, port: u16, who: Who| {
        if let Some(first) = used.insert((host, port), who) {
            clashes.push((host, port, first, who));
        }
    };
    // What can't move comes first, so that the report names what can.
    for draft in nodes.drafts.iter().filter(|d| matches!(d.role, Role::Manager | Role::Standalone)).take(1) {
        if backend != Some(Backend::Broker) && draft.role == Role::Manager {
            take(draft.host, ports.xpub, Who::Xpub);
            take(draft.host, ports.xsub, Who::Xsub);
        }
        take(draft.host, ports.control, Who::Control);
    }
    let explicit = |at: usize, key: &str| nodes.members[nodes.drafts[at].member].setting(key).is_some();
    for wanted in [false, true] {
        for (at, draft) in nodes.drafts.iter().enumerate() {
            if draft.port != 0 && explicit(at, "port") == wanted {
                take(draft.host, draft.port, Who::Node(at));
            }
            if let Some(port) = draft.metrics_port.filter(|_| metrics != Metrics::Off)
                && explicit(at, "metrics_port") == wanted
            {
                take(draft.host, port, Who::Metrics(at));
            }
        }
    }
    let mut told = HashSet::new();
    for (host, port, first, second) in clashes {
        // Two automatic ports of one role are equal if the indices are, which another check reports.
        let same_index = match (first, second) {
            (Who::Node(a), Who::Node(b)) | (Who::Metrics(a), Who::Metrics(b)) => {
                nodes.drafts[a].role == nodes.drafts[b].role && !first.place(nodes).1 && !second.place(nodes).1
            }
            _ => false,
        };
        if same_index || !told.insert((first.group(nodes), second.group(nodes))) {
            continue;
        }
        let name = &nodes.hosts[host].name;
        let (a, b) = (first.name(nodes), second.name(nodes));
        let ((place, _), (other, _)) = (second.place(nodes), first.place(nodes));
        let mut problem = Problem::value(
            place.clone(),
            format!("{a} and {b} need the same port {port} on `{name}`"),
            "needed again here",
        );
        if other != place {
            problem = problem.also(other, At::Value, "needed here");
        }
        let free = (port.max(1024)..=LAST).find(|port| !used.contains_key(&(host, *port)));
        if let Some(free) = free.filter(|_| second.place(nodes).1) {
            problem = problem.help(format!("port {free} is free on `{name}`"));
        }
        problems.push(problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_follow_the_rule() {
        assert_eq!(automatic(Role::Manager, 27760, 1), Some(27762));
        assert_eq!(automatic(Role::Logger, 27760, 1), Some(27770));
        assert_eq!(automatic(Role::Logger, 27760, 40), Some(27809));
        assert_eq!(automatic(Role::Logger, 27760, 41), None);
        assert_eq!(automatic(Role::Proxy, 27760, 1), Some(27810));
        assert_eq!(automatic(Role::Proxy, 27760, 100), Some(27909));
        assert_eq!(automatic(Role::Worker, 27760, 1), Some(27960));
        assert_eq!(automatic(Role::Worker, 27760, 4808), Some(32767));
        assert_eq!(automatic(Role::Worker, 27760, 4809), None);
        assert_eq!(automatic(Role::Manager, 27760, 2), None);
        assert_eq!(automatic(Role::Worker, 65535, 1), None);
    }

    proptest::proptest! {
        #[test]
        fn ranges_of_roles_never_meet(base in 1..u16::MAX, a in 0..7usize, b in 0..7usize, i in 1..5000u32, j in 1..5000u32) {
            let (one, two) = (Role::ALL[a], Role::ALL[b]);
            if let (Some(p), Some(q)) = (automatic(one, base, i), automatic(two, base, j)) {
                proptest::prop_assert_eq!(p == q, one == two && i == j);
                proptest::prop_assert!(p <= LAST && p > base + 1);
            }
        }
    }
}
