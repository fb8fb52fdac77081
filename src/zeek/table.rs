//! The version table: which Zeek has what. Read from the scripts of v3.0.0 to v9.0.0-rc1; nothing else in the code
//! compares versions.

use crate::cluster::{Backend, Cluster, Curve};
use crate::values::Version;

/// The oldest Zeek that a layout can be written for.
pub const OLDEST: Version = Version::new(3, 0);
/// The newest Zeek that the table knows.
pub const NEWEST: Version = Version::new(9, 0);

/// The versions that have something: from the first, up to but without the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The first version that has it; none: it was always there.
    pub(super) since: Option<Version>,
    /// The first version that has it no more; none: it is still there.
    pub(super) gone: Option<Version>,
}

impl Span {
    /// Tells whether a version has it.
    pub(super) const fn has(self, version: Version) -> bool {
        (match self.since {
            Some(since) => !before(version, since),
            None => true,
        }) && (match self.gone {
            Some(gone) => before(version, gone),
            None => true,
        })
    }
}

const fn before(a: Version, b: Version) -> bool {
    a.major < b.major || (a.major == b.major && a.minor < b.minor)
}

const ALWAYS: Span = Span { since: None, gone: None };

const fn since(major: u16, minor: u16) -> Span {
    Span { since: Some(Version::new(major, minor)), gone: None }
}

const fn until(major: u16, minor: u16) -> Span {
    Span { since: None, gone: Some(Version::new(major, minor)) }
}

const fn between(first: (u16, u16), gone: (u16, u16)) -> Span {
    Span { since: Some(Version::new(first.0, first.1)), gone: Some(Version::new(gone.0, gone.1)) }
}

// Cluster::Node (base/frameworks/cluster/main.zeek, from 8.1 types.zeek).

/// `Cluster::Node$p` has no default: workers need a port too.
pub(super) const WORKER_PORT: Span = until(4, 0);
/// `Cluster::Node$interface`; misc/load-balancing reads it from the layout.
pub(super) const NODE_INTERFACE: Span = until(7, 1);
/// `Cluster::Node$time_machine` and the node type `TIME_MACHINE`.
pub(super) const TIME_MACHINE: Span = until(7, 1);
/// `Cluster::Node$metrics_port` and `Telemetry::metrics_address`.
pub(super) const METRICS_PORT: Span = since(7, 0);

// Logs.

/// `Log::default_rotation_dir`, `Log::rotation_format_func` and leftover rotation.
pub(super) const ROTATION_DIR: Span = since(4, 0);
/// Tells whether this version's log writers rotate themselves what a process before them left, as their options ask for.
pub fn rotates_leftovers(version: Version) -> bool {
    ROTATION_DIR.has(version)
}

/// `archiver_rotation_format_func` outside of the Supervisor and with a suffix for each of several loggers.
pub(super) const ARCHIVER_FORMAT: Span = since(6, 0);

// Metrics before 7.0.

/// The manager serves Broker's metrics on 9911/tcp of all addresses unless told otherwise.
pub(super) const BROKER_METRICS: Span = between((5, 1), (6, 0));

// Backends.

/// The ZeroMQ backend.
pub(super) const ZEROMQ: Span = since(7, 1);
/// ZeroMQ is brought up by its `connect` script and not by the package.
pub(super) const ZEROMQ_CONNECT: Span = between((7, 1), (8, 1));
/// `Cluster::Backend::ZeroMQ::ipv6`; before, its sockets are IPv4 only.
pub(super) const ZEROMQ_IPV6: Span = since(8, 0);
/// ZeroMQ takes CURVE keys.
pub(super) const CURVE: Span = since(8, 2);
/// The default backend of the framework is none: a backend script is a must, Broker's too.
pub(super) const BACKEND_SCRIPT: Span = since(8, 1);
/// `Cluster::create_store` ends the process under another backend than Broker.
pub(super) const STORES_ONLY_BROKER: Span = since(8, 2);
/// `Broker::ROCKSDB`.
pub(super) const ROCKSDB: Span = until(4, 1);

// Topics.

/// The topic of a node ends in a separator with Broker.
pub(super) const BROKER_TRAILING: Span = since(3, 2);
/// The topic of a node ends in a separator with ZeroMQ.
pub(super) const ZEROMQ_TRAILING: Span = since(7, 2);

// The control WebSocket.

/// `Broker::listen_websocket` is the only form, and it has TLS unless all of Broker has none. It exists since 5.0;
/// live answers are promised from 7.0.
pub(super) const WEBSOCKET_BROKER: Span = between((7, 0), (7, 2));
/// `Cluster::listen_websocket`, TLS off.
pub(super) const WEBSOCKET_CLUSTER: Span = since(7, 2);
/// `Cluster::listen_websocket` takes `$listen_addr: addr` instead of `$listen_host: string`.
pub(super) const WEBSOCKET_ADDR: Span = since(8, 0);
/// The script `clusterctl/agent` answers status requests.
pub(super) const AGENT: Span = since(7, 0);
/// The control framework's answers carry the node's name in their topic, and come over every backend.
pub(super) const ANSWERS_NAMED: Span = since(8, 0);

/// The type of a Cluster framework option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OptionType {
    Bool,
    Count,
    Interval,
    /// `string`.
    Text,
    /// `string`: the name of a node.
    NodeName,
    /// `Broker::BackendType`.
    StoreBackend,
}

impl OptionType {
    /// Returns what a value of this type looks like in the description.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Bool => "`true` or `false`",
            Self::Count => "a whole number from 0",
            Self::Interval => "a duration such as `1s` or `5min`",
            Self::Text => "text",
            Self::NodeName => "the name of a node",
            Self::StoreBackend => "`memory` or `sqlite`",
        }
    }
}

/// A redefinable option of the Cluster framework.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClusterOption {
    /// Its name without `Cluster::`.
    pub(super) name: &'static str,
    pub(super) kind: OptionType,
    /// The versions that have it.
    pub(super) span: Span,
}

const fn option(name: &'static str, kind: OptionType, span: Span) -> ClusterOption {
    ClusterOption { name, kind, span }
}

/// The options that a description may set, sorted by name. `nodes`, `node` and `manager_is_logger` are not among them:
/// they are decided here.
pub(super) const OPTIONS: &[ClusterOption] = &[
    option("default_backend", OptionType::StoreBackend, ALWAYS),
    option("default_master_node", OptionType::NodeName, ALWAYS),
    option("default_persistent_backend", OptionType::StoreBackend, ALWAYS),
    option("default_publish_table_batch_size", OptionType::Count, since(8, 2)),
    option("default_store_dir", OptionType::Text, ALWAYS),
    option("default_websocket_max_event_queue_size", OptionType::Count, since(7, 2)),
    option("default_websocket_ping_interval", OptionType::Interval, since(8, 0)),
    option("enable_round_robin_logging", OptionType::Bool, ALWAYS),
    option("logger_topic", OptionType::Text, ALWAYS),
    option("manager_topic", OptionType::Text, ALWAYS),
    option("node_topic_prefix", OptionType::Text, ALWAYS),
    option("nodeid_topic_prefix", OptionType::Text, ALWAYS),
    option("proxy_topic", OptionType::Text, ALWAYS),
    option("retry_interval", OptionType::Interval, ALWAYS),
    option("time_machine_topic", OptionType::Text, until(7, 1)),
    option("worker_topic", OptionType::Text, ALWAYS),
];

/// Finds an option by its name without `Cluster::`.
pub(super) fn find_option(name: &str) -> Option<&'static ClusterOption> {
    OPTIONS.iter().find(|o| o.name == name)
}

/// Returns the backend of a cluster in a version: the description's, or else Broker up to 8.0 and ZeroMQ from 8.1.
/// Before 7.1 there is only Broker.
pub fn backend(cluster: &Cluster, version: Version) -> Backend {
    if !ZEROMQ.has(version) {
        return Backend::Broker;
    }
    let default = if BACKEND_SCRIPT.has(version) { Backend::Zeromq } else { Backend::Broker };
    cluster.zeek.backend.unwrap_or(default)
}

/// What the variables with the user's own CURVE keys, and the redefs of them, begin with.
const OWN_CURVE: [&str; 2] = ["ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_", "Cluster::Backend::ZeroMQ::curve_"];

/// Returns the name of the first variable or redef by which the user brings CURVE keys of his own.
pub(super) fn own_curve(cluster: &Cluster) -> Option<(&str, &str)> {
    let is_own = |name: &&String| OWN_CURVE.iter().any(|own| name.starts_with(own));
    cluster.run_nodes().find_map(|node| {
        let name = node.env.keys().find(is_own).or_else(|| node.redefs.keys().find(is_own))?;
        Some((node.group.as_str(), name.as_str()))
    })
}

/// Returns the name of the first redef by which the user decides about Broker's TLS.
pub(super) fn own_tls(cluster: &Cluster) -> Option<(&str, &str)> {
    let is_own = |name: &&String| name.starts_with("Broker::ssl_") || *name == "Broker::disable_ssl";
    cluster.run_nodes().find_map(|node| Some((node.group.as_str(), node.redefs.keys().find(is_own)?.as_str())))
}

/// Tells whether the nodes that run are on more than one host.
pub(super) fn spreads(cluster: &Cluster) -> bool {
    let mut hosts = cluster.run_nodes().map(|n| n.host);
    let first = hosts.next();
    hosts.any(|host| Some(host) != first)
}

/// Tells whether the nodes talk over ZeroMQ with CURVE keys that clusterctl makes.
pub fn curve(cluster: &Cluster, version: Version) -> bool {
    let can = CURVE.has(version) && backend(cluster, version) == Backend::Zeromq && !cluster.is_standalone();
    can && match cluster.zeek.curve {
        Curve::Auto => spreads(cluster) && own_curve(cluster).is_none(),
        Curve::On => true,
        Curve::Off => false,
    }
}

/// Says why clusterctl makes no CURVE keys for a cluster, where [`curve`] tells so.
pub fn why_no_curve(cluster: &Cluster, version: Version) -> &'static str {
    if cluster.is_standalone() {
        "a standalone Zeek talks to no other node"
    } else if backend(cluster, version) != Backend::Zeromq {
        "keys are for ZeroMQ, and this cluster uses Broker"
    } else if !CURVE.has(version) {
        "ZeroMQ has keys from Zeek 8.2 on"
    } else if cluster.zeek.curve == Curve::Off {
        "`zeek.curve` is off"
    } else if own_curve(cluster).is_some() {
        "the description brings keys of its own"
    } else {
        "all nodes run on one host, where they get keys only with `zeek.curve: on`"
    }
}

/// Returns the script that selects a backend, to be loaded before all others; none where the framework does it.
pub(super) fn backend_script(backend: Backend, version: Version) -> Option<&'static str> {
    match backend {
        Backend::Zeromq if ZEROMQ_CONNECT.has(version) => Some("frameworks/cluster/backend/zeromq/connect"),
        Backend::Zeromq => Some("frameworks/cluster/backend/zeromq"),
        Backend::Broker if BACKEND_SCRIPT.has(version) => Some("frameworks/cluster/backend/broker"),
        Backend::Broker => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_its_first_and_not_its_last() {
        let span = between((5, 1), (6, 0));
        let has = |major, minor| span.has(Version::new(major, minor));
        assert_eq!([has(5, 0), has(5, 1), has(5, 2), has(6, 0), has(9, 0)], [false, true, true, false, false]);
    }

    #[test]
    fn options_are_sorted_so_that_lists_of_them_are() {
        assert!(OPTIONS.is_sorted_by_key(|o| o.name));
    }
}
