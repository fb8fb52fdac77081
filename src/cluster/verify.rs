//! Whether a cluster that was not made from a description could have been: the same forms, ranges and indices.

use std::collections::{BTreeMap, HashSet};

use super::model::{AfPacketValue, Cluster, Host, Node, Redef, Role};
use super::settings::is_variable;
use crate::values::{Address, HostPath, Name, is_node_name, is_zeek_identifier};

/// Checks a cluster that comes from a release on a host.
///
/// # Errors
/// The first thing that no description would have given: what, and where.
pub fn verify(cluster: &Cluster) -> Result<(), String> {
    cluster.name.parse::<Name>()?;
    if cluster.hosts.is_empty() {
        return Err("it has no hosts".to_owned());
    }
    let mut names = HashSet::new();
    for host in &cluster.hosts {
        host_form(host).map_err(|why| format!("the host {:?}: {why}", host.name))?;
        if !names.insert(host.name.to_lowercase()) {
            return Err(format!("it has the host {} twice", host.name));
        }
    }
    let mut names = HashSet::new();
    for node in &cluster.nodes {
        node_form(node, cluster.hosts.len()).map_err(|why| format!("the node {:?}: {why}", node.name))?;
        if !names.insert(node.name.to_lowercase()) {
            return Err(format!("it has the node {} twice", node.name));
        }
    }
    if cluster.nodes.iter().filter(|n| matches!(n.role, Role::Manager | Role::Standalone)).count() > 1 {
        return Err("it has more than one manager".to_owned());
    }
    let zeek = &cluster.zeek;
    texts("`scripts`", &zeek.scripts)?;
    texts("`site_data`", &zeek.site_data)?;
    let comments: Vec<&String> = zeek.local_networks.iter().map(|(_, comment)| comment).collect();
    if comments.into_iter().chain([&zeek.global_hash_seed]).chain(zeek.stores.keys()).any(|text| is_odd(text)) {
        return Err("a setting of Zeek contains a control character".to_owned());
    }
    match zeek.options.keys().find(|name| !is_zeek_identifier(name)) {
        Some(name) => Err(format!("{name:?} is not an option")),
        None => Ok(()),
    }
}

fn host_form(host: &Host) -> Result<(), String> {
    host.name.parse::<Name>()?;
    for path in [&host.prefix, &host.base, &host.spool] {
        path.parse::<HostPath>()?;
    }
    Ok(())
}

fn node_form(node: &Node, hosts: usize) -> Result<(), String> {
    if !is_node_name(&node.name) {
        return Err("that is not a valid node name".to_owned());
    }
    node.group.parse::<Name>()?;
    if node.host >= hosts {
        return Err(format!("it is on host number {}, and the number of hosts is {hosts}", node.host));
    }
    let zone = |id: &str| format!("fe80::1%{id}").parse::<Address>().is_ok();
    if !node.zone_id.is_empty() && !zone(&node.zone_id) {
        return Err(format!("{:?} is not a zone", node.zone_id));
    }
    if let Some(interface) = &node.interface
        && (interface.is_empty()
            || interface.len() > 255
            || interface.starts_with('-')
            || interface.chars().any(|c| c.is_control() || c.is_whitespace()))
    {
        return Err(format!("{interface:?} is not an interface"));
    }
    texts("`scripts`", &node.scripts)?;
    texts("`args`", &node.args)?;
    if let Some(name) = node.env.keys().find(|name| !is_variable(name)) {
        return Err(format!("{name:?} is not the name of a variable"));
    }
    redefs(&node.redefs)?;
    let limits = &node.limits;
    if limits.nice.is_some_and(|nice| !(-20..=19).contains(&nice)) {
        return Err("niceness goes from -20 to 19".to_owned());
    }
    for (name, value) in node.af_packet.iter().flat_map(|settings| &settings.options) {
        if !is_zeek_identifier(name) || matches!(value, AfPacketValue::Enum(text) if !is_zeek_identifier(text)) {
            return Err(format!("{name:?} is not a setting of AF_PACKET"));
        }
    }
    Ok(())
}

fn redefs(redefs: &BTreeMap<String, Redef>) -> Result<(), String> {
    match redefs
        .iter()
        .find(|(id, redef)| !is_zeek_identifier(id) || matches!(redef, Redef::Expr(text) if text.contains('\0')))
    {
        Some((id, _)) => Err(format!("the redef of {id:?} is not valid")),
        None => Ok(()),
    }
}

fn texts(what: &str, texts: &[String]) -> Result<(), String> {
    match texts.iter().find(|text| text.is_empty() || is_odd(text)) {
        Some(text) => Err(format!("{what} has the invalid text {text:?}")),
        None => Ok(()),
    }
}

fn is_odd(text: &str) -> bool {
    text.chars().any(char::is_control)
}
