//! Groups -> nodes: names, indices, ports, interfaces and CPUs.

use std::collections::{HashMap, HashSet};

use super::hosts::Hosts;
use super::model::{Host, Ports, Role};
use super::ports::{automatic, capacity};
use super::problems::Problems;
use super::settings::{check_env, check_limits, check_redefs, check_texts};
use super::template::Template;
use crate::error::{At, Place, Problem};
use crate::spec::{self, GroupHosts, GroupSpec, MemberSpec, Spec};
use crate::values::Name;

/// The longest interface, in bytes.
const INTERFACE: usize = 255;

/// How many nodes a cluster may have.
pub(super) const MOST: u32 = 20_000;

/// The nodes of one group on one host.
pub(super) struct Member<'a> {
    pub(super) group: &'a str,
    pub(super) spec: &'a GroupSpec,
    /// What differs on this host.
    pub(super) own: Option<&'a MemberSpec>,
    pub(super) host: usize,
    pub(super) role: Role,
    /// Whether names get the host's name and an index.
    named_by: Naming,
    group_place: Place,
    /// The entry of the host in the group, or else the group's.
    place: Place,
    pub(super) count: u32,
    first: u32,
}

/// How nodes of a group get their names.
#[derive(Clone, Copy, PartialEq)]
enum Naming {
    Exact,
    Index,
    HostAndIndex,
}

/// A node on its way.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) host: usize,
    pub(super) member: usize,
    pub(super) index: u32,
    /// Zero where there is none, which has been told.
    pub(super) port: u16,
    pub(super) metrics_port: Option<u16>,
    pub(super) interface: Option<String>,
    pub(super) cpu: Option<u32>,
}

/// All nodes.
pub(super) struct Nodes<'a> {
    pub(super) hosts: &'a [Host],
    pub(super) members: Vec<Member<'a>>,
    pub(super) drafts: Vec<Draft>,
}

impl Member<'_> {
    /// Returns where a setting of the nodes stands: at the host's entry, or else at the group's.
    pub(super) fn setting(&self, key: &str) -> Option<Place> {
        let own = self.own.is_some_and(|own| match key {
            "port" => own.port.is_some(),
            "metrics_port" => own.metrics_port.is_some(),
            "interface" => own.interface.is_some(),
            "pin_cpus" => own.pin_cpus.is_some(),
            "first_index" => own.first_index.is_some(),
            "count" => own.count.is_some(),
            "af_packet" => own.af_packet != spec::AfPacketSpec::default(),
            _ => false,
        });
        let group = match key {
            "port" => self.spec.port.is_some(),
            "metrics_port" => self.spec.metrics_port.is_some(),
            "interface" => self.spec.interface.is_some(),
            "pin_cpus" => self.spec.pin_cpus.is_some(),
            "first_index" => self.spec.first_index.is_some(),
            "count" => self.spec.count.is_some(),
            "af_packet" => self.spec.af_packet != spec::AfPacketSpec::default(),
            _ => false,
        };
        if own { Some(self.place.key(key)) } else { group.then(|| self.group_place.key(key)) }
    }

    /// Tells whether there are fewer CPUs than nodes.
    fn shares_cpus(&self) -> bool {
        let cpus = self.own.and_then(|own| own.pin_cpus.as_ref()).or(self.spec.pin_cpus.as_ref());
        cpus.is_some_and(|cpus| cpus.len() < self.count as usize)
    }

    /// Returns how long the interface is that each node has its own copy of.
    pub(super) fn interface_bytes(&self) -> usize {
        // One that is too long is given to none.
        self.interface().map(str::len).filter(|bytes| *bytes <= INTERFACE).unwrap_or_default()
    }

    pub(super) fn interface(&self) -> Option<&str> {
        self.own.and_then(|own| own.interface.as_deref()).or(self.spec.interface.as_deref())
    }

    /// Tells whether a setting could not be read, here or in the group.
    fn is_broken(&self, key: &str, problems: &Problems<'_>) -> bool {
        problems.is_broken(&self.place.key(key)) || problems.is_broken(&self.group_place.key(key))
    }

    fn name(&self, host: &Host, index: u32) -> String {
        match self.named_by {
            Naming::Exact => self.group.to_owned(),
            Naming::Index => format!("{}-{index}", self.group),
            Naming::HostAndIndex => format!("{}-{}-{index}", self.group, host.name),
        }
    }
}

impl Nodes<'_> {
    /// Returns how many nodes there are to be.
    pub(super) fn count(&self) -> u64 {
        self.members.iter().map(|member| u64::from(member.count)).sum()
    }

    /// Returns the environment of the host of a member.
    pub(super) fn env_of_host<'a>(&self, spec: &'a Spec, member: &Member<'_>) -> Option<&'a spec::Entries<spec::Env>> {
        let name = &self.hosts[member.host].name;
        spec.hosts.iter().find(|(host, _)| host == name).map(|(_, host)| &host.env)
    }
}

/// Resolves the groups.
pub(super) fn resolve<'a>(spec: &'a Spec, hosts: &'a Hosts<'a>, problems: &mut Problems<'_>) -> Nodes<'a> {
    let mut nodes = Nodes { hosts: &hosts.list, members: Vec::new(), drafts: Vec::new() };
    for (name, group) in spec.nodes.iter() {
        members(&mut nodes.members, name, group, hosts, problems);
    }
    nodes
}

impl Nodes<'_> {
    /// Makes the nodes of all members, unless they are too many.
    pub(super) fn expand(&mut self, ports: &Ports, problems: &mut Problems<'_>) {
        let total = self.count();
        if total > MOST.into() {
            let message = format!("the description has {total} nodes; {MOST} is the most");
            problems.push(Problem::key(Place::of(&["nodes"]), message, "too many nodes"));
            return;
        }
        for at in 0..self.members.len() {
            let drafts = drafts(at, &self.members[at], self.hosts, ports, problems);
            self.drafts.extend(drafts);
        }
    }
}

fn role(role: spec::Role) -> Role {
    match role {
        spec::Role::Manager => Role::Manager,
        spec::Role::Logger => Role::Logger,
        spec::Role::Proxy => Role::Proxy,
        spec::Role::Worker => Role::Worker,
        spec::Role::Standalone => Role::Standalone,
        spec::Role::TimeMachine => Role::TimeMachine,
        spec::Role::Control => Role::Control,
    }
}

fn members<'a>(
    into: &mut Vec<Member<'a>>,
    name: &'a str,
    group: &'a GroupSpec,
    hosts: &Hosts<'_>,
    problems: &mut Problems<'_>,
) {
    let place = Place::of(&["nodes", name]);
    if let Err(why) = name.parse::<Name>() {
        problems.push(Problem::key(place.clone(), why, "not a name of nodes"));
    }
    check_env(&group.env, &place.key("env"), problems);
    check_redefs(&group.redefs, &place.key("redefs"), problems);
    check_texts(&group.scripts, &place.key("scripts"), problems);
    check_texts(&group.args, &place.key("args"), problems);
    check_limits(&group.limits, &place.key("limits"), problems);
    if group.role.is_none() {
        let problem = Problem::key(place.clone(), format!("the group `{name}` has no type"), "needs `type`")
            .help("write `type: manager`, `logger`, `proxy`, `worker` or `standalone`");
        problems.missing(&place.key("type"), problem);
    }
    let mut add = |host: &str, at: Place, own: Option<&'a MemberSpec>, problems: &mut Problems<'_>| {
        let Some(index) = hosts.index(host) else {
            let key = if own.is_some() { At::Key } else { At::Value };
            let mut problem =
                Problem { at: key, ..Problem::value(at, format!("there is no host `{host}`"), "unknown host") };
            problem.help = match hosts.at_address(host) {
                Some(name) => Some(format!("write the name of a host of `hosts`: that is `{name}`")),
                None => problems.suggest(host, hosts.list.iter().map(|h| h.name.as_str())),
            };
            // A host whose entry could not be read at all is not missed.
            return problems.missing(&Place::of(&["hosts", host]), problem);
        };
        // What its hosts are can be told without its type, and what its nodes are can not.
        let Some(kind) = group.role else { return };
        let member = Member {
            group: name,
            spec: group,
            own,
            host: index,
            role: role(kind),
            named_by: match (&group.hosts, group.count) {
                (Some(_), _) => Naming::HostAndIndex,
                (None, Some(_)) => Naming::Index,
                (None, None) => Naming::Exact,
            },
            group_place: place.clone(),
            place: if own.is_some() { at } else { place.clone() },
            count: own.and_then(|own| own.count).or(group.count).unwrap_or(1),
            first: own.and_then(|own| own.first_index).or(group.first_index).unwrap_or(1),
        };
        let mut whole = true;
        for (key, value) in [("count", member.count), ("first_index", member.first)] {
            if value == 0 {
                let place = member.setting(key).unwrap_or_else(|| place.clone());
                problems.push(Problem::value(place, format!("`{key}` is at least 1"), "zero"));
                whole = false;
            }
        }
        if whole {
            into.push(member);
        }
    };
    match (&group.host, &group.hosts) {
        (Some(_), Some(_)) => {
            let problem =
                Problem::key(place.key("hosts"), format!("the group `{name}` has both `host` and `hosts`"), "both")
                    .also(place.key("host"), At::Key, "and this");
            problems.push(problem.help("keep one of the two"));
        }
        (Some(host), None) => add(host, place.key("host"), None, problems),
        (None, Some(GroupHosts::List(list))) => {
            let mut seen = HashMap::new();
            for (index, host) in list.iter().enumerate() {
                let at = place.key("hosts").index(index);
                match seen.insert(host, index) {
                    None => add(host, at, None, problems),
                    Some(first) => {
                        let problem =
                            Problem::value(at, format!("the host `{host}` stands in the list twice"), "again");
                        problems.push(problem.also(place.key("hosts").index(first), At::Value, "first"));
                    }
                }
            }
        }
        (None, Some(GroupHosts::Map(map))) => {
            for (host, own) in map.iter() {
                let at = place.key("hosts").key(host);
                check_env(&own.env, &at.key("env"), problems);
                check_redefs(&own.redefs, &at.key("redefs"), problems);
                check_texts(&own.scripts, &at.key("scripts"), problems);
                check_texts(&own.args, &at.key("args"), problems);
                check_limits(&own.limits, &at.key("limits"), problems);
                add(host, at, Some(own), problems);
            }
        }
        (None, None) => match hosts.list.as_slice() {
            [only] if !problems.is_broken(&place.key("host")) => add(&only.name, place.clone(), None, problems),
            [] => {}
            _ => {
                let problem =
                    Problem::key(place.clone(), format!("the group `{name}` has no host"), "needs `host` or `hosts`")
                        .help("write `host: NAME` or `hosts: [NAME, ...]`");
                if !problems.is_broken(&place.key("host")) {
                    problems.missing(&place.key("hosts"), problem);
                }
            }
        },
    }
}

/// Makes the nodes of a member.
fn drafts(at: usize, member: &Member<'_>, hosts: &[Host], ports: &Ports, problems: &mut Problems<'_>) -> Vec<Draft> {
    let host = &hosts[member.host];
    let captures = matches!(member.role, Role::Worker | Role::Standalone);
    check_interface(member, captures, problems);
    let cpus = member.own.and_then(|own| own.pin_cpus.as_ref()).or(member.spec.pin_cpus.as_ref());
    if let Some(pins) = cpus.map(crate::values::CpuList::len).filter(|pins| *pins > 0 && *pins < member.count as usize)
    {
        let cpus = if pins == 1 { "CPU" } else { "CPUs" };
        let message = format!("{} nodes of `{}` on `{}` share {pins} {cpus}", member.count, member.group, host.name);
        let place = member.setting("pin_cpus").unwrap_or_else(|| member.place.clone());
        let mut problem = Problem::value(place, message, format!("{pins} {cpus}, taken in turn"));
        if let Some(count) = member.setting("count") {
            problem = problem.also(count, At::Value, format!("{} nodes", member.count));
        }
        problems.warn(problem.help("if that is not meant, give each node a CPU of its own, or lower `count`"));
    }
    let explicit = member.own.and_then(|own| own.port).or(member.spec.port);
    let explicit_metrics = member.own.and_then(|own| own.metrics_port).or(member.spec.metrics_port);
    let most = match (explicit, explicit_metrics) {
        (Some(_), Some(_)) => u32::MAX,
        (Some(_), None) => capacity(member.role, ports.metrics),
        (None, Some(_)) => capacity(member.role, ports.base),
        (None, None) => capacity(member.role, ports.base).min(capacity(member.role, ports.metrics)),
    };
    let last = u64::from(member.first) + u64::from(member.count - 1);
    if last > most.into() && most > 0 {
        let (role, name) = (member.role.name(), member.group);
        let message = format!("`{name}` goes up to index {last}, and there are ports for {role} 1 to {most} on a host");
        let place = member.setting("count").or_else(|| member.setting("first_index"));
        let problem = Problem::value(place.unwrap_or_else(|| member.group_place.clone()), message, "too many");
        problems.push(problem.help("lower `count` or `first_index`, lower `ports.base`, or set `port`"));
    }
    if last > u32::MAX.into() {
        return Vec::new();
    }
    let after = |first: Option<crate::values::Port>, n: u32| u16::try_from(u32::from(first?.0) + n).ok();
    let overflows = [("port", explicit), ("metrics_port", explicit_metrics)];
    for (key, _) in overflows.into_iter().filter(|(_, port)| port.is_some() && after(*port, member.count - 1).is_none())
    {
        let place = member.setting(key).unwrap_or_else(|| member.place.clone());
        problems.push(Problem::value(
            place,
            format!("the last node of `{}` would get a port above 65535", member.group),
            "",
        ));
    }
    // One that is wrong has been told.
    let template = member
        .interface()
        .filter(|text| captures && text.len() <= INTERFACE)
        .and_then(|text| Template::parse(text).ok());
    let indices = (0..member.count).map(|n| (n, member.first.saturating_add(n)));
    let mut cpus = cpus.map(|cpus| cpus.iter().cycle());
    let draft = |(n, index): (u32, u32)| Draft {
        name: member.name(host, index),
        role: member.role,
        host: member.host,
        member: at,
        index,
        port: after(explicit, n).or_else(|| automatic(member.role, ports.base, index)).unwrap_or(0),
        metrics_port: after(explicit_metrics, n).or_else(|| automatic(member.role, ports.metrics, index)),
        interface: template.as_ref().map(|template| template.fill(index, n)),
        cpu: cpus.as_mut().and_then(Iterator::next),
    };
    indices.map(draft).collect()
}

fn check_interface(member: &Member<'_>, captures: bool, problems: &mut Problems<'_>) {
    let (name, role) = (member.group, member.role.name());
    match (member.interface(), member.setting("interface")) {
        (Some(_), Some(place)) if !captures => {
            let message = format!("`{name}` is a {role}, and a {role} has no interface");
            problems
                .push(Problem::key(place, message, "only workers capture").help("remove it, or write `type: worker`"));
        }
        (Some(text), Some(place)) => {
            let (mut wrong, mut help) = (None, None);
            if text.is_empty() {
                wrong = Some("is empty".to_owned());
            } else if text.starts_with('-') {
                wrong = Some("begins with `-`".to_owned());
            } else if text.len() > INTERFACE {
                wrong = Some(format!("is longer than {INTERFACE} bytes"));
            } else if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
                wrong = Some("contains a space or a control character".to_owned());
            } else if let Err(why) = Template::parse(text) {
                (wrong, help) = (Some(why.what), Some(why.help));
            }
            if let Some(wrong) = wrong {
                let problem = Problem::value(place, format!("the interface {wrong}"), "not an interface");
                problems.push(Problem { help, ..problem });
            }
        }
        _ if captures && !member.is_broken("interface", problems) => {
            let problem = Problem::key(member.place.clone(), format!("`{name}` has no interface"), "needs `interface`")
                .help("write `interface: af_packet::eth1`, or the name of another packet source");
            problems.push(problem);
        }
        _ => {}
    }
    if let Some(place) = member.setting("af_packet")
        && !member.interface().is_some_and(|interface| interface.starts_with("af_packet::"))
        && !member.is_broken("interface", problems)
    {
        let mut problem =
            Problem::key(place, format!("`{name}` has AF_PACKET settings, and does not capture with it"), "");
        if let Some(interface) = member.setting("interface") {
            problem = problem.also(interface, At::Value, "not `af_packet::...`");
        }
        let plain = member.interface().filter(|interface| !interface.is_empty() && !interface.contains("::"));
        problems.push(problem.help(match plain {
            Some(device) => format!("write `interface: af_packet::{device}`, or take `af_packet` out"),
            None => "write `interface: af_packet::INTERFACE`, or take `af_packet` out".to_owned(),
        }));
    }
}

/// Checks what must be distinct: names, indices of a role on a host, CPUs of a host.
pub(super) fn check_distinct(nodes: &Nodes<'_>, problems: &mut Problems<'_>) {
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
            let problem = Problem::key(member(at).place.clone(), message, "gives the name again");
            problems.push(problem.also(member(first).place.clone(), At::Key, "gives the name first"));
        }
        if let Some(first) = indices.insert((draft.host, draft.role, draft.index), at)
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
            // Nodes of one group that are more than its CPUs have been told of.
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
            problems.warn(problem.help("if that is not meant, give each node a CPU of its own"));
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
pub(super) fn check_names(nodes: &Nodes<'_>, problems: &mut Problems<'_>) {
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
pub(super) fn check_roles(spec: &Spec, nodes: &Nodes<'_>, problems: &mut Problems<'_>) {
    let all = Place::of(&["nodes"]);
    let of = |role: Role| nodes.members.iter().filter(move |member| member.role == role);
    let declared = |role: spec::Role| spec.nodes.iter().any(|(_, group)| group.role == Some(role));
    if spec.nodes.is_empty() {
        let problem = Problem::value(all.clone(), "the description has no nodes", "")
            .help("add `nodes:` with at least a manager, a proxy and a worker");
        return problems.missing(&all, problem);
    }
    if let Some(first) = of(Role::Standalone).next() {
        for other in nodes.members.iter().filter(|m| m.role != Role::Standalone) {
            let message = format!("a standalone Zeek is alone, and there is `{}`", other.group);
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
    if !declared(spec::Role::Standalone) && !problems.nodes_are_broken() {
        for (role, name, example) in [
            (spec::Role::Manager, "manager", "manager: { type: manager, host: HOST }"),
            (spec::Role::Proxy, "proxy", "proxy: { type: proxy, host: HOST, count: 1 }"),
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
            let problem = Problem::key(
                member.place.clone(),
                message,
                format!("a {} can't be away", member.role.name()),
            )
            .also(Place::of(&["hosts", &host.name, "enabled"]), At::Value, "not enabled");
            problems.push(problem.help("move it to another host, or enable the host"));
        }
    }
}
