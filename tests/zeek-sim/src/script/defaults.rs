//! What Zeek's own scripts say before anyone else's: the ids, events and defaults that a stand-in is asked for.

use std::collections::HashMap;

use crate::script::ast::Param;
use crate::script::value::Value;
use crate::script::world::World;
use crate::setup::Setup;
use crate::version::Version;

/// The private networks that `Site::local_nets` holds from 6.0 on.
const PRIVATE: &[&str] = &[
    "2002:c612::/31",
    "198.51.100.0/24",
    "169.254.0.0/16",
    "224.0.0.0/24",
    "100.64.0.0/10",
    "fe80::/10",
    "239.0.0.0/8",
    "2002:a00::/24",
    "2002:ffff:ffff::/48",
    "2002:6440::/26",
    "2002:f000::/20",
    "2002:c633:6400::/40",
    "2002:c000:200::/40",
    "10.0.0.0/8",
    "::1/128",
    "192.0.0.0/24",
    "255.255.255.255/32",
    "2002:c0a8::/32",
    "fc00::/7",
    "2002:cb00:7100::/40",
    "2002:ef00::/24",
    "172.16.0.0/12",
    "fec0::/10",
    "64:ff9b:1::/48",
    "2002:a9fe::/32",
    "2001:2::/48",
    "192.168.0.0/16",
    "2001::/23",
    "203.0.113.0/24",
    "2002:c000::/40",
    "240.0.0.0/4",
    "::/128",
    "2002:ac10::/28",
    "100::/64",
    "0.0.0.0/8",
    "2002::/24",
    "2002:7f00::/24",
    "127.0.0.0/8",
    "2001:db8::/32",
    "2002:e000::/40",
    "192.0.2.0/24",
    "198.18.0.0/15",
];

/// Events with their parameters' types: what can be sent over a control connection.
const EVENTS: &[(&str, &[&str])] = &[
    ("Control::id_value_request", &["string"]),
    ("Control::id_value_response", &["string", "string"]),
    ("Control::peer_status_request", &[]),
    ("Control::peer_status_response", &["string"]),
    ("Control::net_stats_request", &[]),
    ("Control::net_stats_response", &["string"]),
    ("Control::configuration_update_request", &[]),
    ("Control::configuration_update_response", &[]),
    ("Control::configuration_update", &[]),
    ("Control::shutdown_request", &[]),
    ("Control::shutdown_response", &[]),
    ("Cluster::hello", &["string", "string"]),
    ("Cluster::node_up", &["string", "string"]),
    ("Cluster::node_down", &["string", "string"]),
    ("zeek_init", &[]),
    ("zeek_done", &[]),
];

/// Makes the world as it is before any script of ours was read.
pub fn world(setup: &Setup) -> World {
    let version = setup.version();
    let mut world = World {
        node: setup.node.clone(),
        nodes: Vec::new(),
        globals: globals(&version, &setup.node),
        others: HashMap::new(),
        events: HashMap::new(),
        handlers: HashMap::new(),
        own_scripts: Vec::new(),
        subscriptions: Vec::new(),
        websockets: Vec::new(),
        fate: None,
        module: "GLOBAL".into(),
        version,
    };
    for (name, types) in EVENTS {
        let params =
            types.iter().enumerate().map(|(i, of)| Param { name: format!("arg{i}"), of: (*of).to_owned() }).collect();
        world.events.insert((*name).to_owned(), params);
    }
    for name in ["Cluster::Node", "Cluster::NodeType", "Cluster::PoolSpec", "Cluster::Info", "Broker::PeerInfo"] {
        world.others.insert(name.to_owned(), Value::NoValue);
    }
    world
}

fn globals(version: &Version, node: &str) -> HashMap<String, Value> {
    let text = |t: &str| Value::Text(t.to_owned());
    let listen = std::env::var("ZEEK_DEFAULT_LISTEN_ADDRESS").unwrap_or_default();
    let retry = if version.since(7, 2) { 1.0 } else { 60.0 };
    let mut all = vec![
        ("Cluster::node", text(node)),
        ("Cluster::enable_round_robin_logging", Value::Bool(true)),
        ("Cluster::manager_is_logger", Value::Bool(true)),
        ("Cluster::logger_topic", text("zeek/cluster/logger")),
        ("Cluster::manager_topic", text("zeek/cluster/manager")),
        ("Cluster::proxy_topic", text("zeek/cluster/proxy")),
        ("Cluster::worker_topic", text("zeek/cluster/worker")),
        ("Cluster::node_topic_prefix", text("zeek/cluster/node/")),
        ("Cluster::nodeid_topic_prefix", text("zeek/cluster/nodeid/")),
        ("Cluster::retry_interval", Value::Interval(retry)),
        ("Cluster::default_master_node", text("")),
        ("Cluster::default_store_dir", text("")),
        ("Cluster::default_backend", Value::Enum("Broker::MEMORY".into())),
        ("Cluster::default_persistent_backend", Value::Enum("Broker::SQLITE".into())),
        ("Cluster::stores", Value::Table(Vec::new())),
        ("Cluster::LOG", Value::Enum("Cluster::LOG".into())),
        ("Control::topic_prefix", text("zeek/control")),
        ("Control::controllee_listen", Value::Bool(true)),
        (
            "Control::commands",
            Value::Set(["net_stats", "id_value", "shutdown", "peer_status", "configuration_update"].map(text).to_vec()),
        ),
        ("Broker::default_port", Value::Port(9999, "tcp")),
        ("Broker::default_listen_address", text(&listen)),
        ("Broker::default_listen_retry", Value::Interval(if version.since(7, 2) { 1.0 } else { 30.0 })),
        ("Broker::default_connect_retry", Value::Interval(if version.since(7, 2) { 1.0 } else { 30.0 })),
        ("Broker::disable_ssl", Value::Bool(false)),
        ("peer_description", text("zeek")),
        ("ignore_checksums", Value::Bool(false)),
        ("capture_filters", Value::Table(Vec::new())),
        ("Pcap::snaplen", Value::Count(9216)),
        ("Pcap::bufsize", Value::Count(128)),
        ("global_hash_seed", text("")),
        ("Log::default_rotation_interval", Value::Interval(0.0)),
        ("Log::default_rotation_postprocessor_cmd", text("")),
        ("Log::default_rotation_dir", text("")),
        ("Log::default_logdir", text("")),
        ("LogAscii::enable_leftover_log_rotation", Value::Bool(false)),
        ("LogAscii::use_json", Value::Bool(false)),
        ("Notice::mail_dest", text("")),
        ("Site::local_zones", Value::Set(Vec::new())),
        ("Site::private_address_space", subnets()),
        ("Site::local_nets", if version.since(6, 0) { subnets() } else { Value::Set(Vec::new()) }),
    ];
    if version.since(7, 0) {
        all.push(("Telemetry::metrics_port", Value::Port(0, "unknown")));
        all.push(("Telemetry::metrics_address", text(&listen)));
    }
    if version.has_backends() {
        let backend = if version.since(8, 1) { "NONE" } else { "BROKER" };
        all.push(("Cluster::backend", Value::Enum(format!("Cluster::CLUSTER_BACKEND_{backend}"))));
        for (name, port) in [
            ("Cluster::Backend::ZeroMQ::connect_xpub_endpoint", 5556),
            ("Cluster::Backend::ZeroMQ::connect_xsub_endpoint", 5555),
            ("Cluster::Backend::ZeroMQ::listen_xsub_endpoint", 5556),
            ("Cluster::Backend::ZeroMQ::listen_xpub_endpoint", 5555),
        ] {
            all.push((name, Value::Text(format!("tcp://127.0.0.1:{port}"))));
        }
        all.push(("Cluster::Backend::ZeroMQ::run_proxy_thread", Value::Bool(false)));
        all.push(("Cluster::Backend::ZeroMQ::log_immediate", Value::Bool(false)));
        all.push(("Cluster::Backend::ZeroMQ::listen_log_endpoint", text("")));
        all.push(("Cluster::Backend::ZeroMQ::connect_log_endpoints", Value::Vector(Vec::new())));
        all.push(("Cluster::Backend::ZeroMQ::node_topic_prefix", text("zeek.cluster.node")));
        all.push(("Cluster::Backend::ZeroMQ::nodeid_topic_prefix", text("zeek.cluster.nodeid")));
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn subnets() -> Value {
    Value::Set(
        PRIVATE
            .iter()
            .filter_map(|net| {
                let (addr, width) = net.split_once('/')?;
                Some(Value::Subnet(addr.parse().ok()?, width.parse().ok()?))
            })
            .collect(),
    )
}

/// What Zeek's cluster framework redefines once it has the layout.
pub fn after_layout(world: &mut World) {
    let node = world.node.clone();
    world.globals.insert("peer_description".into(), Value::Text(node));
    if let Some(port) = world.me().and_then(super::world::NodeEntry::metrics_port)
        && world.version.since(7, 0)
    {
        world.globals.insert("Telemetry::metrics_port".into(), Value::Port(port, "tcp"));
    }
    if world.writes_logs() || !world.node.is_empty() {
        let command = if world.writes_logs() { "archive-log" } else { "delete-log" };
        world.globals.insert("Log::default_rotation_postprocessor_cmd".into(), Value::Text(command.into()));
    }
}
