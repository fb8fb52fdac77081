//! Checks of all nodes together: what must be distinct, which names are taken, and whether they make a cluster.

use std::collections::{HashMap, HashSet};

use super::model::Role;
use super::nodes::Nodes;
use super::ports::capacity;
use super::problems::Problems;
use crate::error::{At, Place, Problem};
use crate::spec::Spec;

/// Checks what must be distinct: names, indices of a role on a host, CPUs of a host.
pub(super) fn distinct(nodes: &Nodes<'_>, problems: &mut Problems<'_>) {
    let member = |at: usize| &nodes.members[nodes.drafts[at].member];
    let mut names: HashMap<String, usize> = HashMap::with_capacity(nodes.drafts.len());
    let mut indices = HashMap::with_capacity(nodes.drafts.len());
    let mut cpus = HashMap::new();
    let mut highest: HashMap<(usize, Role), u32> = HashMap::new();
    for draft in &nodes.drafts {
        let highest = highest.entry((draft.host, draft.role)).or_default();
        *highest = draft.index.max(*highest);
    }
    let mut told = HashSet::new();
    for (at, draft) in nodes.drafts.iter().enumerate() {
        if let Some(first) = names.insert(draft.name.to_lowercase(), at)
            && told.insert(('n', draft.member, nodes.drafts[first].member))
        {
            let (a, b) = (&nodes.drafts[first].name, &draft.name);
            let message = if a == b {
                format!("two nodes are called `{b}`")
            } else {
                format!("the nodes `{a}` and `{b}` differ only by case")
            };
            let problem = Problem::key(member(at).place.clone(), message, "uses the name again");
            problems.push(problem.also(member(first).place.clone(), At::Key, "uses the name first"));
        }
        if let Some(first) = indices.insert((draft.host, draft.role, draft.index), at)
            && !member(at).has_unread_indices(problems)
            && !member(first).has_unread_indices(problems)
            && told.insert(('i', draft.member, nodes.drafts[first].member))
        {
            let (name, role, index) = (&nodes.hosts[draft.host].name, draft.role.name(), draft.index);
            let message =
                format!("`{}` and `{}` are both {role} {index} of `{name}`", nodes.drafts[first].name, draft.name);
            let place = member(at)
                .setting("first_index")
                .map_or_else(|| (member(at).place.clone(), At::Key), |p| (p, At::Value));
            let mut problem =
                Problem { at: place.1, ..Problem::value(place.0, message, format!("{role} {index} again")) };
            problem = problem.also(member(first).place.clone(), At::Key, format!("{role} {index}"));
            let free = highest.entry((draft.host, draft.role)).or_default();
            if capacity(draft.role, 1) > 1 {
                problem = problem.help(format!("write `first_index: {}` here", free.saturating_add(1)));
                *free = free.saturating_add(member(at).count);
            }
            problems.push(problem);
        }
        let Some(cpu) = draft.cpu else { continue };
        if let Some(first) = cpus.insert((draft.host, cpu), at)
            // Another check reports a group with more nodes than CPUs.
            && (nodes.drafts[first].member != draft.member || !member(at).shares_cpus())
            && told.insert(('c', draft.member, nodes.drafts[first].member))
        {
            let host = &nodes.hosts[draft.host].name;
            let message =
                format!("CPU {cpu} of `{host}` is pinned by `{}` and `{}`", nodes.drafts[first].name, draft.name);
            let place = |at: usize| member(at).setting("pin_cpus").unwrap_or_else(|| member(at).place.clone());
            let mut problem = Problem::value(place(at), message, format!("CPU {cpu} again"));
            if place(first) != place(at) {
                problem = problem.also(place(first), At::Value, format!("CPU {cpu}"));
            }
            problems.warn(problem.help("unless you want that, give each node a CPU of its own"));
        }
    }
}

/// Names that are files' or selectors'.
const RESERVED: [&str; 12] = [
    "log-queue",
    "log-archiver",
    "archive",
    "all",
    "hosts",
    "managers",
    "loggers",
    "proxies",
    "workers",
    "current",
    "secrets",
    "crash",
];

/// Checks names against what they are used for.
pub(super) fn names(nodes: &Nodes<'_>, problems: &mut Problems<'_>) {
    let names: HashSet<&str> = nodes.drafts.iter().map(|draft| draft.name.as_str()).collect();
    let mut told = HashSet::new();
    for draft in &nodes.drafts {
        let place = &nodes.members[draft.member].place;
        let lower = draft.name.to_lowercase();
        if RESERVED.contains(&lower.as_str()) || (lower == "manager" && draft.role != Role::Manager) {
            let problem = Problem::key(place.clone(), format!("the name `{}` is reserved", draft.name), "reserved");
            problems.push(problem.help("choose another name"));
        }
        // ZeroMQ matches topics by their beginning: `zeek.cluster.node.a.` would take what is sent to `a.b`.
        let dots = draft.name.match_indices('.').map(|(at, _)| &draft.name[..at]);
        let Some(shorter) = dots.into_iter().find(|shorter| names.contains(shorter)) else { continue };
        if told.insert(draft.member) {
            let message = format!("`{}` would get the messages of `{}`", shorter, draft.name);
            problems.push(
                Problem::key(place.clone(), message, "begins with that name and a `.`").help("choose another name"),
            );
        }
    }
}

/// Checks that the nodes make a cluster: one manager and proxies, or one standalone node.
pub(super) fn roles(spec: &Spec, nodes: &Nodes<'_>, problems: &mut Problems<'_>) {
    let all = Place::of(&["nodes"]);
    let of = |role: Role| nodes.members.iter().filter(move |member| member.role == role);
    let declared = |role: Role| spec.nodes.iter().any(|(_, group)| group.role == Some(role));
    if spec.nodes.is_empty() {
        let problem = Problem::value(all.clone(), "the description has no nodes", "")
            .help("add `nodes:` with at least a manager, a proxy and a worker");
        return problems.missing(&all, problem);
    }
    if let Some(first) = of(Role::Standalone).next() {
        for other in nodes.members.iter().filter(|m| m.role != Role::Standalone) {
            let message = format!("a standalone Zeek has no other nodes, and there is also `{}`", other.group);
            let problem = Problem::key(other.group_place.clone(), message, "a node of a cluster").also(
                first.group_place.clone(),
                At::Key,
                "standalone",
            );
            problems.push(problem.help("remove one of the two; a cluster has a manager, a proxy and workers"));
        }
    }
    for role in [Role::Manager, Role::Standalone, Role::TimeMachine] {
        let mut members = of(role);
        let Some(first) = members.next() else { continue };
        let name = role.name();
        if first.count > 1 {
            let place = first.setting("count").unwrap_or_else(|| first.group_place.clone());
            problems.push(Problem::value(
                place,
                format!("a cluster has one {name}, not {}", first.count),
                "more than one",
            ));
        }
        for second in members {
            let problem = Problem::key(
                second.place.clone(),
                format!("`{}` is a second {name}", second.group),
                "second",
            )
            .also(first.group_place.clone(), At::Key, "first");
            problems.push(problem.help(format!("a cluster has one {name}; remove one of the two")));
        }
    }
    if !declared(Role::Standalone) && !problems.nodes_are_broken() {
        for (role, name, example) in [
            (Role::Manager, "manager", "manager: { type: manager, host: HOST }"),
            (Role::Proxy, "proxy", "proxy: { type: proxy, host: HOST, count: 1 }"),
        ] {
            if !declared(role) {
                let problem =
                    Problem::key(all.clone(), format!("the cluster has no {name}"), format!("needs a {name}"));
                problems.push(problem.help(format!("add `{example}`")));
            }
        }
    }
    for member in &nodes.members {
        let needed = matches!(member.role, Role::Manager | Role::Logger | Role::Proxy | Role::Standalone);
        let host = &nodes.hosts[member.host];
        if needed && !host.enabled {
            let message = format!("`{}` runs on `{}`, which is not enabled", member.group, host.name);
            let problem =
                Problem::key(member.place.clone(), message, format!("the cluster needs its {}", member.role.name()))
                    .also(Place::of(&["hosts", &host.name, "enabled"]), At::Value, "not enabled");
            problems.push(problem.help("move it to another host, or enable the host"));
        }
    }
}
