//! Members -> drafts of nodes: names, indices, ports, interfaces and CPUs.

use super::model::{Host, Ports, Role};
use super::nodes::{Draft, INTERFACE, MOST, Member, Nodes};
use super::ports::{automatic, capacity};
use super::problems::Problems;
use super::template::Template;
use crate::error::{At, Place, Problem};
use crate::values::{CpuList, count};

/// Makes the nodes of all members, unless there are too many.
pub(super) fn expand(nodes: &mut Nodes<'_>, ports: &Ports, problems: &mut Problems<'_>) {
    let total = nodes.count();
    if total > MOST.into() {
        let message = format!("the description has {total} nodes; the limit is {MOST}");
        problems.push(Problem::key(Place::of(&["nodes"]), message, "too many nodes"));
        return;
    }
    for at in 0..nodes.members.len() {
        let drafts = drafts(at, &nodes.members[at], nodes.hosts, ports, problems);
        nodes.drafts.extend(drafts);
    }
}

/// Makes the nodes of a member.
fn drafts(at: usize, member: &Member<'_>, hosts: &[Host], ports: &Ports, problems: &mut Problems<'_>) -> Vec<Draft> {
    let host = &hosts[member.host];
    let captures = matches!(member.role, Role::Worker | Role::Standalone);
    check_interface(member, captures, problems);
    let cpus = member.nearest(|settings| settings.pin_cpus.as_ref());
    if let Some(pins) = cpus.map(CpuList::len).filter(|pins| *pins > 0 && *pins < member.count as usize) {
        let cpus = count(pins, "CPU");
        let message = format!("{} nodes of `{}` on `{}` share {cpus}", member.count, member.group, host.name);
        let place = member.setting("pin_cpus").unwrap_or_else(|| member.place.clone());
        let mut problem = Problem::value(place, message, format!("{cpus}, taken in turn"));
        if let Some(count) = member.setting("count") {
            problem = problem.also(count, At::Value, format!("{} nodes", member.count));
        }
        problems.warn(problem.help("unless you want that, give each node a CPU of its own, or lower `count`"));
    }
    let explicit = member.nearest(|settings| settings.port);
    let explicit_metrics = member.nearest(|settings| settings.metrics_port);
    let most = match (explicit, explicit_metrics) {
        (Some(_), Some(_)) => u32::MAX,
        (Some(_), None) => capacity(member.role, ports.metrics),
        (None, Some(_)) => capacity(member.role, ports.base),
        (None, None) => capacity(member.role, ports.base).min(capacity(member.role, ports.metrics)),
    };
    let last = u64::from(member.first) + u64::from(member.count - 1);
    if last > most.into() && most > 0 {
        let (role, name) = (member.role.name(), member.group);
        let message = format!("`{name}` goes up to index {last}, but a host has ports for {role} 1 to {most} only");
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
    // `check_interface` reports a wrong one.
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
            let message = format!("`{name}` is a {role}; only workers have an interface");
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
            Problem::key(place, format!("`{name}` has AF_PACKET settings, but does not capture with AF_PACKET"), "");
        if let Some(interface) = member.setting("interface") {
            problem = problem.also(interface, At::Value, "not `af_packet::...`");
        }
        let plain = member.interface().filter(|interface| !interface.is_empty() && !interface.contains("::"));
        problems.push(problem.help(match plain {
            Some(device) => format!("write `interface: af_packet::{device}`, or remove `af_packet`"),
            None => "write `interface: af_packet::INTERFACE`, or remove `af_packet`".to_owned(),
        }));
    }
}
