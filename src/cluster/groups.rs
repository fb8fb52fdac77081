//! Groups of the description -> members: which group has how many nodes on which host.

use std::collections::HashMap;

use super::hosts::Hosts;
use super::nodes::{Member, Naming, Nodes};
use super::problems::Problems;
use super::settings::{check_env, check_limits, check_redefs, check_texts};
use crate::error::{At, Place, Problem};
use crate::spec::{GroupHosts, GroupSpec, MemberSpec, Spec};
use crate::values::Name;

/// Resolves the groups.
pub(super) fn resolve<'a>(spec: &'a Spec, hosts: &'a Hosts<'a>, problems: &mut Problems<'_>) -> Nodes<'a> {
    let mut nodes = Nodes { hosts: &hosts.list, members: Vec::new(), drafts: Vec::new() };
    for (name, group) in spec.nodes.iter() {
        members(&mut nodes.members, name, group, hosts, problems);
    }
    nodes
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
    check_env(&group.settings.env, &place.key("env"), problems);
    check_redefs(&group.settings.redefs, &place.key("redefs"), problems);
    check_texts(&group.settings.scripts, &place.key("scripts"), problems);
    check_texts(&group.settings.args, &place.key("args"), problems);
    check_limits(&group.settings.limits, &place.key("limits"), problems);
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
                Some(name) => Some(format!("write the host's name in `hosts`: `{name}`")),
                None => problems.suggest(host, hosts.list.iter().map(|h| h.name.as_str())),
            };
            // The host may be there, with an entry that could not be read.
            return problems.missing(&Place::of(&["hosts", host]), problem);
        };
        // Its hosts can be checked without its type, its nodes can't.
        let Some(kind) = group.role else { return };
        let member = Member {
            group: name,
            spec: group,
            own,
            host: index,
            role: kind,
            named_by: match (&group.hosts, group.settings.count) {
                (Some(_), _) => Naming::HostAndIndex,
                (None, Some(_)) => Naming::Index,
                (None, None) => Naming::Exact,
            },
            group_place: place.clone(),
            place: if own.is_some() { at } else { place.clone() },
            count: own.and_then(|own| own.count).or(group.settings.count).unwrap_or(1),
            first: own.and_then(|own| own.first_index).or(group.settings.first_index).unwrap_or(1),
        };
        let mut whole = true;
        for (key, value) in [("count", member.count), ("first_index", member.first)] {
            if value == 0 {
                let place = member.setting(key).unwrap_or_else(|| place.clone());
                problems.push(Problem::value(place, format!("`{key}` must be at least 1"), "zero"));
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
                        let problem = Problem::value(at, format!("the host `{host}` is listed twice"), "again");
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
