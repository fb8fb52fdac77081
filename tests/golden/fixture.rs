//! A cluster that uses all that a layout and its scripts can hold, as far as a version has it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use clusterctl::cluster::{
    AfPacket, AfPacketValue, Archive, Backend, Checks, Cluster, Compress, Host, LayoutInputs, Limits, Logs, Metrics,
    Node, Ports, Redef, Role, RunnerKind, Ssh, Store, Timeouts, Zeek, ZeekValue,
};
use clusterctl::values::{Toggle, Version};

/// A version from its text.
pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn text(value: &str) -> ZeekValue {
    ZeekValue::Text(value.to_owned())
}

/// A host that is all defaults.
pub(crate) fn host(name: &str, address: &str) -> Host {
    Host {
        name: name.to_owned(),
        address: address.parse().unwrap(),
        local: false,
        enabled: true,
        prefix: "/opt/zeek".to_owned(),
        base: "/var/lib/clusterctl".to_owned(),
        spool: "/var/lib/clusterctl".to_owned(),
        ssh: Ssh {
            host: name.to_owned(),
            user: None,
            port: None,
            identity: None,
            config: None,
            jump: None,
            known_hosts: None,
            persist: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
        },
    }
}

/// A node that is all defaults and listens on its host's address.
pub(crate) fn node(name: &str, role: Role, hosts: &[Host], host: usize, port: u16) -> Node {
    let ip: IpAddr = hosts[host].address;
    let worker = matches!(role, Role::Worker | Role::Standalone);
    Node {
        name: name.to_owned(),
        role,
        host,
        group: name.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit()).to_owned(),
        index: 1,
        ip,
        port,
        metrics_port: Some(port - 17_769),
        listen: Some(ip),
        zone_id: String::new(),
        interface: worker.then(|| "af_packet::eth1".to_owned()),
        cpu: None,
        af_packet: None,
        scripts: Vec::new(),
        args: Vec::new(),
        env: BTreeMap::new(),
        redefs: BTreeMap::new(),
        limits: Limits::default(),
    }
}

/// A cluster of these hosts and nodes that is all defaults else.
pub(crate) fn bare(hosts: Vec<Host>, nodes: Vec<Node>) -> Cluster {
    Cluster {
        name: "campus".to_owned(),
        zeek: Zeek {
            version: None,
            backend: None,
            curve: clusterctl::cluster::Curve::Auto,
            tls: None,
            accept_unencrypted_zeromq: true,
            site: None,
            site_data: Vec::new(),
            scripts: vec!["local".to_owned()],
            local_networks: Vec::new(),
            options: BTreeMap::new(),
            stores: BTreeMap::new(),
            global_hash_seed: "campus-5eed".to_owned(),
        },
        ports: Ports { base: 27_760, metrics: 9991, control: 27_759, xpub: 27_757, xsub: 27_758 },
        metrics: Metrics::Loopback,
        textfile: None,
        hooks: clusterctl::cluster::Hooks::default(),
        logs: Logs {
            archive: Archive::Off,
            rotate: Duration::from_secs(3600),
            expire: None,
            compress: Compress::Gzip,
            late: Duration::from_secs(600),
            min_free: 5,
        },
        checks: Checks { traffic: Toggle::On },
        timeouts: Timeouts {
            ready: Duration::from_secs(120),
            stop: Duration::from_secs(60),
            control: Duration::from_secs(5),
        },
        runner: RunnerKind::Process,
        restart: clusterctl::cluster::Restart::OnCrash,
        keep: 5,
        layout_inputs: LayoutInputs::Minimal,
        elsewhere: (&host("elsewhere", "127.0.0.1")).into(),
        removed: Vec::new(),
        hosts,
        nodes,
    }
}

/// One Zeek without a cluster.
pub(crate) fn standalone() -> Cluster {
    let hosts = vec![host("here", "127.0.0.1")];
    let nodes = vec![node("zeek", Role::Standalone, &hosts, 0, 27_760)];
    bare(hosts, nodes)
}

/// Three hosts, one of them over IPv6 where the version and backend have that, and everything set.
pub(crate) fn full(version: Version, backend: Option<Backend>) -> Cluster {
    let at_least = |major, minor| version >= Version::new(major, minor);
    let zeromq = clusterctl::zeek::backend(&bare(Vec::new(), Vec::new()), version) == Backend::Zeromq
        && backend.is_none()
        || backend == Some(Backend::Zeromq);
    let ipv6 = !zeromq || at_least(8, 0);
    let hosts = vec![
        host("mgmt", "10.0.0.10"),
        host("sensor1", "10.0.0.11"),
        host("sensor2", if ipv6 { "2001:db8::12" } else { "10.0.0.12" }),
    ];
    let mut nodes = vec![
        node("logger-1", Role::Logger, &hosts, 0, 27_761),
        node("logger-2", Role::Logger, &hosts, 0, 27_762),
        node("manager", Role::Manager, &hosts, 0, 27_760),
        node("proxy-1", Role::Proxy, &hosts, 0, 27_780),
        node("dmz-sensor1-1", Role::Worker, &hosts, 1, 27_800),
        node("dmz-sensor2-1", Role::Worker, &hosts, 2, 27_800),
        node("control", Role::Control, &hosts, 0, 27_799),
    ];
    nodes[1].listen = None;
    nodes[4].af_packet = Some(AfPacket {
        fanout_id: 4711,
        options: BTreeMap::from([
            ("block_timeout".to_owned(), AfPacketValue::Interval(Duration::from_millis(10))),
            ("buffer_size".to_owned(), AfPacketValue::Count(268_435_456)),
            ("enable_defrag".to_owned(), AfPacketValue::Bool(true)),
            ("fanout_mode".to_owned(), AfPacketValue::Enum("AF_Packet::FANOUT_HASH".to_owned())),
        ]),
    });
    nodes[4].redefs = BTreeMap::from([
        ("Notice::mail_dest".to_owned(), Redef::Expr("getenv(\"MAIL\")".to_owned())),
        ("Pcap::bufsize".to_owned(), Redef::Set(ZeekValue::Int(256))),
        ("Site::local_zones".to_owned(), Redef::Add(vec![text("example.org"), text("a\"b\\c\u{7}é")])),
        ("ignore_checksums".to_owned(), Redef::Set(ZeekValue::Bool(false))),
    ]);
    nodes[4].args = vec!["-C".to_owned()];
    nodes[4].scripts = vec!["misc/capture-loss".to_owned()];
    nodes[5].zone_id = if ipv6 { "eth0".to_owned() } else { String::new() };
    if !at_least(7, 1) {
        nodes.insert(6, node("time-machine", Role::TimeMachine, &hosts, 0, 27_798));
    }
    let mut cluster = bare(hosts, nodes);
    cluster.metrics = Metrics::Node;
    cluster.logs.rotate = Duration::from_secs(900);
    cluster.zeek.backend = backend;
    cluster.zeek.local_networks =
        vec![("10.0.0.0/8".parse().unwrap(), "private".to_owned()), ("2001:db8::/32".parse().unwrap(), String::new())];
    let mut options = vec![
        ("default_backend", text("memory")),
        ("default_master_node", text("manager")),
        ("default_persistent_backend", text("Broker::SQLITE")),
        ("default_store_dir", text("/data/stores")),
        ("enable_round_robin_logging", ZeekValue::Bool(false)),
        ("logger_topic", text("campus/logger")),
        ("manager_topic", text("campus/manager")),
        ("node_topic_prefix", text("campus/node/")),
        ("nodeid_topic_prefix", text("campus/nodeid/")),
        ("proxy_topic", text("campus/proxy")),
        ("retry_interval", text("1500ms")),
        ("worker_topic", text("campus/worker")),
    ];
    if !at_least(7, 1) {
        options.push(("time_machine_topic", text("campus/time_machine")));
    }
    if at_least(7, 2) {
        options.push(("default_websocket_max_event_queue_size", ZeekValue::Int(64)));
    }
    if at_least(8, 0) {
        options.push(("default_websocket_ping_interval", text("10s")));
    }
    if at_least(8, 2) {
        options.push(("default_publish_table_batch_size", ZeekValue::Int(5000)));
    }
    cluster.zeek.options = options.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
    if !(zeromq && at_least(8, 2)) {
        let hosts = Store {
            master_node: Some("proxy-1".to_owned()),
            backend: Some("sqlite".to_owned()),
            path: Some("/data/stores/hosts.sqlite".to_owned()),
            clone_resync_interval: Some(Duration::from_secs(10)),
            clone_stale_interval: Some(Duration::from_secs(300)),
            clone_mutation_buffer_interval: Some(Duration::from_secs(120)),
        };
        let stores = [("zeek/known/hosts", hosts), ("zeek/known/services", Store::default())];
        cluster.zeek.stores = stores.into_iter().map(|(n, s)| (n.to_owned(), s)).collect();
    }
    cluster
}
