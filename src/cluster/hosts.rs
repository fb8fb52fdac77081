//! The hosts of a description.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::model::{Former, Host, Ssh};
use super::problems::Problems;
use super::settings::{check_env, check_interval};
use crate::error::{At, Place, Problem};
use crate::spec::{HostSpec, Listen, MachineSpec, PathsSpec, Spec, SshSpec};
use crate::values::{HostPath, Name, SshHost, SshUser, never_for_ssh};

const PREFIX: &str = "/opt/zeek";
const BASE: &str = "/var/lib/clusterctl";
const PERSIST: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// From, to, and whether zero turns it off. ssh counts in seconds; an open connection is a way in for whoever has this
/// account.
const CONNECT_TIMEOUTS: (Duration, Duration, bool) = (Duration::from_secs(1), Duration::from_secs(600), false);
const PERSISTS: (Duration, Duration, bool) = (Duration::from_secs(1), Duration::from_secs(24 * 3600), true);

/// The hosts, sorted by name, and what the nodes need to know of them.
pub(super) struct Hosts<'a> {
    pub(super) list: Vec<Host>,
    /// What the description says of each, in the order of `list`.
    pub(super) specs: Vec<&'a HostSpec>,
    /// Zones of link-local addresses, in the order of `list`.
    pub(super) zones: Vec<String>,
    by_name: HashMap<&'a str, usize>,
}

impl Hosts<'_> {
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Returns the name of the host that has an address, or that `localhost` stands for.
    pub(super) fn at_address(&self, text: &str) -> Option<&str> {
        let address: Option<IpAddr> = text.parse().ok();
        let is = |host: &&Host| match address {
            Some(address) => host.address == address || (host.local && address.is_loopback()),
            None => host.local && text == "localhost",
        };
        self.list.iter().find(is).map(|host| host.name.as_str())
    }
}

/// Resolves the hosts.
pub(super) fn resolve<'a>(spec: &'a Spec, problems: &mut Problems<'_>) -> Hosts<'a> {
    let all = Place::of(&["hosts"]);
    if spec.hosts.is_empty() {
        let problem = Problem::value(all.clone(), "the description has no hosts", "")
            .help("add `hosts: { NAME: { local: true } }` for this machine, or `{ address: ADDRESS }` for another");
        problems.missing(&all, problem);
    }
    let mut sorted: Vec<(&str, &HostSpec)> = spec.hosts.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut hosts = Hosts { list: Vec::new(), specs: Vec::new(), zones: Vec::new(), by_name: HashMap::new() };
    for (name, host) in sorted {
        let (resolved, zone) = one(spec, name, host, problems);
        hosts.by_name.insert(name, hosts.list.len());
        hosts.list.push(resolved);
        hosts.specs.push(host);
        hosts.zones.push(zone);
    }
    distinct(spec, problems);
    loopback(spec, problems);
    hosts
}

fn one(spec: &Spec, name: &str, host: &HostSpec, problems: &mut Problems<'_>) -> (Host, String) {
    let place = Place::of(&["hosts", name]);
    if let Err(why) = name.parse::<Name>() {
        problems.push(Problem::key(place.clone(), why, "not a name of a host"));
    }
    let local = host.local.unwrap_or(false);
    let (ip, zone) = match &host.machine.address {
        Some(address) => (address.ip, address.zone.clone()),
        None if local => (IpAddr::V4(Ipv4Addr::LOCALHOST), String::new()),
        None => {
            let problem = Problem::key(place.clone(), format!("the host `{name}` has no address"), "needs `address`")
                .help("write `address: IP`, or `local: true` if it is this machine");
            if !problems.is_broken(&place.key("local")) {
                problems.missing(&place.key("address"), problem);
            }
            (IpAddr::V4(Ipv4Addr::UNSPECIFIED), String::new())
        }
    };
    let zone = zone_of(host, ip, zone, &place, problems);
    check_env(&host.env, &place.key("env"), problems);
    let (prefix, base, spool) = folders(spec, host.machine.prefix.as_ref(), &host.machine.paths);
    let resolved = Host {
        name: name.to_owned(),
        address: ip,
        local,
        enabled: host.machine.enabled.unwrap_or(true),
        prefix,
        base,
        spool,
        ssh: ssh(&host.machine.ssh, &spec.ssh, ip, &zone),
    };
    check_ssh(&host.machine.ssh, &place.key("ssh"), problems);
    (resolved, zone)
}

/// Prefix, base and spool folder of a host: its own, or else those of all.
fn folders(spec: &Spec, prefix: Option<&HostPath>, paths: &PathsSpec) -> (String, String, String) {
    let path = |own: Option<&HostPath>, all: Option<&HostPath>| own.or(all).map(|path| path.as_str().to_owned());
    let base = path(paths.base.as_ref(), spec.paths.base.as_ref()).unwrap_or_else(|| BASE.to_owned());
    let spool = path(paths.spool.as_ref(), spec.paths.spool.as_ref()).unwrap_or_else(|| base.clone());
    (path(prefix, spec.zeek.prefix.as_ref()).unwrap_or_else(|| PREFIX.to_owned()), base, spool)
}

/// The settings of a host that the description does not have.
pub(super) fn elsewhere(spec: &Spec) -> Former {
    let (prefix, base, spool) = folders(spec, None, &PathsSpec::default());
    let ssh = Ssh { host: String::new(), ..ssh(&SshSpec::default(), &spec.ssh, Ipv4Addr::UNSPECIFIED.into(), "") };
    Former { name: String::new(), address: None, local: false, enabled: true, prefix, base, spool, ssh }
}

/// Resolves the hosts that left the description.
pub(super) fn removed(spec: &Spec, problems: &mut Problems<'_>) -> Vec<Former> {
    let mut names: HashMap<String, Place> =
        spec.hosts.iter().map(|(name, _)| (name.to_lowercase(), Place::of(&["hosts", name]))).collect();
    let mut all: Vec<Former> = Vec::new();
    for (name, host) in spec.removed.iter() {
        let place = Place::of(&["removed", name]);
        if let Err(why) = name.parse::<Name>() {
            problems.push(Problem::key(place.clone(), why, "not a name of a host"));
        }
        match names.get(&name.to_lowercase()) {
            None => drop(names.insert(name.to_lowercase(), place.clone())),
            Some(first) => {
                let message = format!("the host `{name}` is both in `hosts` and in `removed`, or removed twice");
                let problem = Problem::key(place.clone(), message, "the same name");
                problems.push(problem.also(first.clone(), At::Key, "first used here").help("keep one of them"));
            }
        }
        check_ssh(&host.ssh, &place.key("ssh"), problems);
        let Some(former) = one_removed(spec, name, host, problems) else { continue };
        let same = spec.hosts.iter().find(|(_, other)| {
            other.machine.address.as_ref().is_some_and(|a| host.address.as_ref() == Some(a))
                && ssh_port(&other.machine.ssh, spec) == ssh_port(&host.ssh, spec)
        });
        if let Some((other, _)) = same {
            let message = format!("the removed host `{name}` has the address of `{other}`");
            let problem = Problem::value(place.key("address"), message, "the address of another host").also(
                Place::of(&["hosts", other, "address"]),
                At::Value,
                "first used here",
            );
            problems.push(problem.help("a host with a new name is not a removed host: delete it from `removed`"));
        }
        all.push(former);
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn ssh_port(own: &SshSpec, spec: &Spec) -> u16 {
    own.port.or(spec.ssh.port).map_or(22, |port| port.0)
}

fn one_removed(spec: &Spec, name: &str, host: &MachineSpec, problems: &mut Problems<'_>) -> Option<Former> {
    let enabled = host.enabled.unwrap_or(true);
    let place = Place::of(&["removed", name]);
    if host.address.is_none() && host.ssh.host.is_none() && enabled {
        let message = format!("the removed host `{name}` has no address");
        let problem = Problem::key(place.clone(), message, "needs `address`, or `host` under `ssh`")
            .help("write `address: IP` or `ssh: { host: NAME }`, or `enabled: false` if it is gone for good");
        if !problems.is_broken(&place.key("enabled")) && !problems.is_broken(&place.key("ssh").key("host")) {
            problems.missing(&place.key("address"), problem);
        }
        return None;
    }
    let (ip, zone) = host
        .address
        .as_ref()
        .map_or((IpAddr::V4(Ipv4Addr::UNSPECIFIED), ""), |address| (address.ip, address.zone.as_str()));
    let (prefix, base, spool) = folders(spec, host.prefix.as_ref(), &host.paths);
    let ssh = ssh(&host.ssh, &spec.ssh, ip, zone);
    let address = host.address.as_ref().map(|address| address.ip);
    Some(Former { name: name.to_owned(), address, local: false, enabled, prefix, base, spool, ssh })
}

fn zone_of(host: &HostSpec, ip: IpAddr, zone: String, place: &Place, problems: &mut Problems<'_>) -> String {
    let link_local = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    match (&host.zone_id, zone.as_str()) {
        (Some(id), _) if !link_local => {
            let problem = Problem::key(place.key("zone_id"), "only a link-local IPv6 address has a zone", "not needed");
            if host.machine.address.is_some() {
                problems.push(problem.also(place.key("address"), At::Value, "not link-local"));
            }
            id.clone()
        }
        (Some(id), "") if format!("fe80::1%{id}").parse::<crate::values::Address>().is_ok() => id.clone(),
        (Some(id), "") => {
            problems.push(Problem::value(
                place.key("zone_id"),
                format!("`{id}` is not a zone"),
                "not an interface's name",
            ));
            String::new()
        }
        (Some(id), zone) if id != zone => {
            let problem =
                Problem::value(place.key("zone_id"), "`zone_id` and the zone in `address` differ", "another zone");
            problems.push(problem.also(place.key("address"), At::Value, "one zone"));
            id.clone()
        }
        (None, "") if link_local => {
            let problem =
                Problem::value(place.key("address"), "a link-local address needs its zone", "which interface?");
            problems.push(problem.help("write `zone_id: INTERFACE` beside it"));
            String::new()
        }
        _ => zone,
    }
}

fn ssh(own: &SshSpec, all: &SshSpec, ip: IpAddr, zone: &str) -> Ssh {
    let text = |of: fn(&SshSpec) -> &Option<String>| of(own).clone().or_else(|| of(all).clone());
    let address = if zone.is_empty() { ip.to_string() } else { format!("{ip}%{zone}") };
    Ssh {
        host: text(|ssh| &ssh.host).unwrap_or(address),
        user: text(|ssh| &ssh.user),
        port: own.port.or(all.port).map(|port| port.0),
        identity: text(|ssh| &ssh.identity),
        config: text(|ssh| &ssh.config),
        jump: text(|ssh| &ssh.jump),
        known_hosts: text(|ssh| &ssh.known_hosts),
        persist: own.persist.or(all.persist).map_or(PERSIST, |i| i.0),
        connect_timeout: own.connect_timeout.or(all.connect_timeout).map_or(CONNECT_TIMEOUT, |i| i.0),
    }
}

/// Checks settings of SSH: they end in a command line and in a configuration file of lines.
pub(super) fn check_ssh(ssh: &SshSpec, place: &Place, problems: &mut Problems<'_>) {
    let mut wrong = |key: &str, why: &str| {
        problems.push(Problem::value(place.key(key), format!("`{key}` {why}"), "not for ssh"));
    };
    let why = |message: &str| message.rsplit_once("` ").map_or(message, |(_, why)| why).to_owned();
    if let Some(Err(message)) = ssh.host.as_ref().map(|host| host.parse::<SshHost>()) {
        wrong("host", &why(&message));
    }
    if let Some(Err(message)) = ssh.user.as_ref().map(|user| user.parse::<SshUser>()) {
        wrong("user", &why(&message));
    }
    if let Some(jump) = &ssh.jump {
        let odd = jump.contains(|c: char| c.is_whitespace() || "'`$;|&<>".contains(c));
        let odd = odd.then_some("contains a character that is not allowed there");
        if let Some(why) = never_for_ssh(jump).or(odd) {
            wrong("jump", why);
        }
    }
    for (key, file) in [("identity", &ssh.identity), ("config", &ssh.config), ("known_hosts", &ssh.known_hosts)] {
        if let Some(why) = file.as_deref().and_then(never_for_ssh) {
            wrong(key, why);
        }
    }
    check_interval(ssh.connect_timeout, CONNECT_TIMEOUTS, place.key("connect_timeout"), problems);
    check_interval(ssh.persist, PERSISTS, place.key("persist"), problems);
}

/// Names, addresses and `local: true` stand for one machine each.
fn distinct(spec: &Spec, problems: &mut Problems<'_>) {
    let mut names: HashMap<String, &str> = HashMap::new();
    let mut addresses = HashMap::new();
    let mut local = None;
    for (name, host) in spec.hosts.iter() {
        let place = Place::of(&["hosts", name]);
        if let Some(first) = names.insert(name.to_lowercase(), name) {
            let message = format!("the hosts `{first}` and `{name}` differ only by case");
            let problem = Problem::key(place.clone(), message, "the same name");
            problems.push(problem.also(Place::of(&["hosts", first]), At::Key, "first used here"));
        }
        if host.local == Some(true) {
            if let Some(first) = local {
                let message = format!("`{first}` and `{name}` are both local, so they are one machine");
                let problem = Problem::value(place.key("local"), message, "local again").also(
                    Place::of(&["hosts", first, "local"]),
                    At::Value,
                    "first local here",
                );
                problems.push(problem.help("put the nodes of both on one host"));
            }
            local = local.or(Some(name));
        }
        let Some(address) = &host.machine.address else { continue };
        let zone = host.zone_id.as_ref().unwrap_or(&address.zone);
        if let Some(first) = addresses.insert((address.ip, zone), name) {
            let message = format!("`{first}` and `{name}` have the same address");
            let problem = Problem::value(place.key("address"), message, "used again here").also(
                Place::of(&["hosts", first, "address"]),
                At::Value,
                "first used here",
            );
            problems.push(problem.help("give the machine one name, and put the nodes of both there"));
        }
    }
}

/// Loopback addresses reach only the machine itself. Several of them among themselves are accepted: on Linux one
/// machine can play several hosts by 127.0.0.1, 127.0.0.2 and so on.
fn loopback(spec: &Spec, problems: &mut Problems<'_>) {
    let ip = |host: &HostSpec| host.machine.address.as_ref().map(|a| a.ip);
    let is_loopback = |host: &HostSpec| ip(host).map_or(host.local == Some(true), |ip| ip.is_loopback());
    if spec.hosts.iter().all(|(_, host)| is_loopback(host)) {
        return;
    }
    for (name, host) in spec.hosts.iter().filter(|(_, host)| is_loopback(host)) {
        let place = Place::of(&["hosts", name]);
        let (place, at, what) = match &host.machine.address {
            Some(address) => (place.key("address"), At::Value, format!("the loopback address {address}")),
            None => (place, At::Key, "no address, which means loopback".to_owned()),
        };
        let message = format!("the host `{name}` has {what}, and there are other hosts");
        let problem = Problem { at, ..Problem::value(place, message, "the others can't reach it") };
        problems.push(problem.help("write the address by which the other hosts reach it"));
    }
}

/// Checks `listen` against the hosts.
pub(super) fn check_listen(spec: &Spec, problems: &mut Problems<'_>) {
    let Some(Listen::Address(address)) = &spec.listen else { return };
    if address.ip.is_loopback() && spec.hosts.0.len() > 1 {
        let problem =
            Problem::value(Place::of(&["listen"]), "nodes listen on loopback, and there are several hosts", "")
                .help("write `listen: node`, or leave it out");
        problems.push(problem);
    }
}
