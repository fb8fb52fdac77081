//! What a Zeek version can't do of what the description wants.

use std::collections::BTreeSet;

use super::literal;
use super::options::option_literal;
use super::table::{
    self, ClusterOption, NEWEST, OLDEST, OPTIONS, OptionType, backend, curve, find_option, own_curve, own_tls, spreads,
};
use crate::cluster::{Backend, Cluster, Curve, Role, ZeekValue};
use crate::error::{Place, Problem};
use crate::values::{Version, nearest};

/// Finds what a Zeek version can't do of what a cluster wants. For a version that the table does not know that is all
/// it says. What is wrong with any version was found when the cluster was made, and is not looked for again.
pub fn check(cluster: &Cluster, version: Version) -> Vec<Problem> {
    if let Err(message) = known(version) {
        let label = if version < OLDEST { "too old" } else { "not known" };
        let problem = Problem::value(Place::of(&["zeek", "version"]), message, label);
        let help = "a later release of clusterctl may know it";
        return vec![if version > NEWEST { problem.help(help) } else { problem }];
    }
    let mut check = Check { cluster, version, problems: Vec::new() };
    check.backend();
    check.curve();
    check.tls();
    check.roles();
    check.options();
    check.stores();
    check.problems
}

/// Tells whether there is a layout for a version.
///
/// # Errors
/// Says why not.
pub fn known(version: Version) -> Result<(), String> {
    if version < OLDEST {
        return Err(format!("Zeek {version} is too old: {OLDEST} is the oldest that clusterctl writes a layout for"));
    }
    if version > NEWEST {
        return Err(format!("Zeek {version} is not known: {NEWEST} is the newest that this clusterctl knows"));
    }
    Ok(())
}

struct Check<'a> {
    cluster: &'a Cluster,
    version: Version,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn has(&self, span: table::Span) -> bool {
        span.has(self.version)
    }

    fn backend(&mut self) {
        let place = Place::of(&["zeek", "backend"]);
        let version = self.version;
        if self.cluster.zeek.backend == Some(Backend::Zeromq) && !self.has(table::ZEROMQ) {
            let message = format!("Zeek {version} has no ZeroMQ backend; Zeek 7.1 and later have it");
            self.problems.push(Problem::value(place, message, "not in this version").help("write `broker`"));
            return;
        }
        if backend(self.cluster, version) != Backend::Zeromq {
            return;
        }
        let by_default = if self.cluster.zeek.backend.is_none() { ", the default of this version," } else { "" };
        let encrypted = curve(self.cluster, version) || own_curve(self.cluster).is_some();
        if spreads(self.cluster) && !encrypted && !self.cluster.zeek.accept_unencrypted_zeromq {
            let hosts: BTreeSet<usize> = self.cluster.run_nodes().map(|n| n.host).collect();
            let (why, other) = if self.has(table::CURVE) {
                (" with `zeek.curve: off`", "leave `zeek.curve` out, or write ")
            } else {
                ("", "upgrade to Zeek 8.2 or later, which encrypts by itself, or write ")
            };
            let message = format!(
                "ZeroMQ{by_default} is neither encrypted nor authenticated between hosts{why}, and this cluster has {} \
                 of them",
                hosts.len()
            );
            let help = format!(
                "{other}`zeek.backend: broker`, or `zeek.accept_unencrypted_zeromq: true` if the network between them \
                 is trusted"
            );
            self.problems.push(Problem::value(place.clone(), message, "in clear text").help(help));
        }
        if !self.has(table::ZEROMQ_IPV6)
            && let Some(node) = self.cluster.run_nodes().find(|n| n.ip.is_ipv6())
        {
            let message =
                format!("Zeek {version} has ZeroMQ over IPv4 only, and `{}` has the address {}", node.name, node.ip);
            let help = "Zeek 8.0 and later have it over IPv6; or write `broker`";
            self.problems.push(Problem::value(place, message, "IPv4 only").help(help));
        }
    }

    /// Keys for ZeroMQ that are asked for and can't be had.
    fn curve(&mut self) {
        if self.cluster.zeek.curve != Curve::On {
            return;
        }
        let place = Place::of(&["zeek", "curve"]);
        if backend(self.cluster, self.version) != Backend::Zeromq {
            let problem =
                Problem::value(place, "CURVE keys are for ZeroMQ, and this cluster uses Broker", "not ZeroMQ");
            self.problems.push(problem.help("leave it out; Broker has `zeek.tls`"));
        } else if !self.has(table::CURVE) {
            let message = format!("Zeek {} cannot encrypt ZeroMQ; Zeek 8.2 and later can", self.version);
            self.problems.push(Problem::value(place, message, "not in this version"));
        } else if let Some((group, name)) = own_curve(self.cluster) {
            let message = format!("`{name}` at the nodes `{group}` brings other keys, and Zeek refuses to mix them");
            self.problems.push(Problem::value(place, message, "keys that clusterctl makes").help("remove one of them"));
        }
    }

    /// Certificates where nothing would look at them, or something else brings others.
    fn tls(&mut self) {
        if self.cluster.zeek.tls.is_none() {
            return;
        }
        let place = Place::of(&["zeek", "tls"]);
        if backend(self.cluster, self.version) != Backend::Broker {
            let message = "certificates are for Broker, and this cluster uses ZeroMQ";
            let help = "leave it out, or write `zeek.backend: broker`; ZeroMQ has keys of its own from Zeek 8.2 on";
            self.problems.push(Problem::key(place, message, "not Broker").help(help));
        } else if let Some((group, name)) = own_tls(self.cluster) {
            let message = format!("`{name}` at the nodes `{group}` decides about Broker's TLS as well");
            self.problems.push(Problem::key(place, message, "twice").help("remove one of them"));
        }
    }

    fn roles(&mut self) {
        if self.has(table::TIME_MACHINE) {
            return;
        }
        for node in self.cluster.nodes.iter().filter(|n| n.role == Role::TimeMachine) {
            let place = Place::of(&["nodes", &node.group, "type"]);
            let message = format!("Zeek {} has no time machines, Zeek 7.0 was the last", self.version);
            self.problems.push(Problem::value(place, message, "not in this version"));
        }
    }

    fn options(&mut self) {
        for (name, value) in &self.cluster.zeek.options {
            let place = Place::of(&["zeek", "options", name]);
            match find_option(name) {
                Some(option) if self.has(option.span) => self.option(place, option, value),
                Some(option) => self.problems.push(not_in_version(place, option, self.version)),
                None => self.problems.push(unknown_option(place, name, self.version)),
            }
        }
    }

    fn option(&mut self, place: Place, option: &ClusterOption, value: &ZeekValue) {
        let name = option.name;
        if option_literal(option.kind, value).is_none() {
            let message = format!("`Cluster::{name}` must be {}", option.kind.expected());
            let mut problem = Problem::value(place, message, "wrong value");
            if let (OptionType::Interval, ZeekValue::Int(n)) = (option.kind, value) {
                problem = problem.help(format!("with its unit: `{n}s`"));
            }
            self.problems.push(problem);
            return;
        }
        let ZeekValue::Text(text) = value else { return };
        match option.kind {
            OptionType::NodeName => self.node_name(place, text),
            OptionType::StoreBackend => self.store_backend(place, text),
            _ => {}
        }
    }

    /// An empty name means the manager.
    fn node_name(&mut self, place: Place, name: &str) {
        if name.is_empty() || self.cluster.nodes.iter().any(|n| n.name == name) {
            return;
        }
        let problem = Problem::value(place, format!("there is no node `{name}`"), "no such node");
        let names = self.cluster.nodes.iter().map(|n| n.name.as_str());
        self.problems.push(with_suggestion(problem, name, names));
    }

    fn store_backend(&mut self, place: Place, name: &str) {
        let message = match literal::store_backend(name) {
            Some("Broker::ROCKSDB") if !self.has(table::ROCKSDB) => {
                format!("Zeek {} has no RocksDB stores, Zeek 4.0 was the last", self.version)
            }
            Some(_) => return,
            None => format!("`{name}` is no store backend"),
        };
        self.problems.push(Problem::value(place, message, "not a backend").help("write `memory` or `sqlite`"));
    }

    fn stores(&mut self) {
        let stores = Place::of(&["zeek", "stores"]);
        let zeek = &self.cluster.zeek;
        if zeek.stores.is_empty() {
            return;
        }
        if backend(self.cluster, self.version) == Backend::Zeromq && self.has(table::STORES_ONLY_BROKER) {
            let message =
                format!("Zeek {} has stores with Broker only: making one with ZeroMQ ends the process", self.version);
            let help = "leave the stores out, or write `zeek.backend: broker`";
            let problem = Problem::key(stores.clone(), message, "not with ZeroMQ").help(help);
            self.problems.push(problem);
        }
        for (name, store) in &zeek.stores {
            if let Some(backend) = &store.backend {
                self.store_backend(stores.key(name).key("backend"), backend);
            }
        }
    }
}

fn not_in_version(place: Place, option: &ClusterOption, version: Version) -> Problem {
    let name = option.name;
    let message = match (option.span.since, option.span.gone) {
        (Some(since), _) if version < since => {
            format!("Zeek {version} has no `Cluster::{name}`; Zeek {since} and later have it")
        }
        (_, Some(gone)) => format!("Zeek {version} has no `Cluster::{name}` any more; Zeek {gone} removed it"),
        _ => format!("Zeek {version} has no `Cluster::{name}`"),
    };
    Problem::key(place, message, "not in this version")
}

fn unknown_option(place: Place, name: &str, version: Version) -> Problem {
    let problem =
        Problem::key(place, format!("the Cluster framework has no option `{name}` to set here"), "unknown option");
    match name.strip_prefix("Cluster::").unwrap_or(name) {
        "manager_is_logger" => problem.help("it is decided from the nodes: true exactly when there is no logger"),
        "node" | "nodes" => problem.help("it is made from `nodes`"),
        "backend" => problem.help("it is `zeek.backend`"),
        "stores" => problem.help("they are `zeek.stores`"),
        "proxy_pool_spec" | "worker_pool_spec" | "logger_pool_spec" | "broadcast_topics" => {
            problem.help(format!("set it in `zeek.redefs`, as `\"Cluster::{name}\": {{ expr: ... }}`"))
        }
        bare => {
            let names = OPTIONS.iter().filter(|o| o.span.has(version)).map(|o| o.name);
            with_suggestion(problem, bare, names)
        }
    }
}

fn with_suggestion<'a>(problem: Problem, wrong: &str, names: impl Iterator<Item = &'a str>) -> Problem {
    match nearest(wrong, names) {
        Some(name) => problem.help(format!("did you mean `{name}`?")),
        None => problem,
    }
}
