//! What a version can't do is told with its place, before anything is written.

use clusterctl::cluster::{Backend, Cluster, Curve, Redef, Role, Store, ZeekValue};
use clusterctl::error::Problem;
use clusterctl::zeek;

use super::fixture::{bare, full, host, node, standalone, version};

/// `place: message (help)` of each problem.
fn told(cluster: &Cluster, v: &str) -> Vec<String> {
    let line = |p: Problem| match p.help {
        Some(help) => format!("{}: {} ({help})", p.place, p.message),
        None => format!("{}: {}", p.place, p.message),
    };
    zeek::check(cluster, version(v)).into_iter().map(line).collect()
}

fn with_option(name: &str, value: ZeekValue) -> Cluster {
    let mut cluster = full(version("8.0"), Some(Backend::Broker));
    cluster.zeek.options.insert(name.to_owned(), value);
    cluster
}

#[test]
fn versions_that_are_not_known() {
    let cluster = standalone();
    assert_eq!(
        told(&cluster, "2.6"),
        ["zeek.version: Zeek 2.6 is too old: 3.0 is the oldest that clusterctl writes a layout for"]
    );
    assert_eq!(
        told(&cluster, "9.1"),
        ["zeek.version: Zeek 9.1 is not known: 9.0 is the newest that this clusterctl knows \
          (a later release of clusterctl may know it)"]
    );
}

#[test]
fn options_that_are_not() {
    let text = |t: &str| ZeekValue::Text(t.to_owned());
    let cases = [
        ("retry_intervall", text("1s"), "no option `retry_intervall` to set here (did you mean `retry_interval`?)"),
        ("Cluster::retry_interval", text("1s"), "(did you mean `retry_interval`?)"),
        ("manager_is_logger", ZeekValue::Bool(true), "it is decided from the nodes"),
        ("worker_pool_spec", text("x"), "set it in `zeek.redefs`"),
        ("retry_interval", ZeekValue::Int(60), "must be a duration such as `1s` or `5min` (with its unit: `60s`)"),
        ("retry_interval", text("soon"), "must be a duration"),
        ("enable_round_robin_logging", text("yes"), "must be `true` or `false`"),
        ("default_websocket_max_event_queue_size", ZeekValue::Int(-1), "must be a whole number from 0"),
        ("worker_topic", ZeekValue::Int(1), "must be text"),
        ("default_backend", text("redis"), "must be `memory` or `sqlite`"),
        ("default_backend", text("rocksdb"), "Zeek 8.0 has no RocksDB stores, Zeek 4.0 was the last"),
        ("default_master_node", text("prxy-1"), "there is no node `prxy-1` (did you mean `proxy-1`?)"),
        (
            "time_machine_topic",
            text("x"),
            "Zeek 8.0 has no `Cluster::time_machine_topic` any more; Zeek 7.1 removed it",
        ),
        (
            "default_publish_table_batch_size",
            ZeekValue::Int(1),
            "Zeek 8.0 has no `Cluster::default_publish_table_batch_size`; Zeek 8.2 and later have it",
        ),
    ];
    for (name, value, wanted) in cases {
        let told = told(&with_option(name, value), "8.0");
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        assert!(told[0].starts_with(&format!("zeek.options.{name}: ")), "{told:?}");
        assert!(told[0].contains(wanted), "{wanted}\n{told:?}");
    }
}

#[test]
fn an_empty_master_node_is_the_manager() {
    let cluster = with_option("default_master_node", ZeekValue::Text(String::new()));
    assert!(told(&cluster, "8.0").is_empty());
}

#[test]
fn zeromq_where_it_is_not_and_where_it_is_not_safe() {
    let mut cluster = full(version("8.0"), Some(Backend::Zeromq));
    assert_eq!(
        told(&full(version("6.2"), Some(Backend::Zeromq)), "6.2"),
        ["zeek.backend: Zeek 6.2 has no ZeroMQ backend; Zeek 7.1 and later have it (write `broker`)"]
    );
    cluster.zeek.accept_unencrypted_zeromq = false;
    let clear = told(&cluster, "8.0");
    assert_eq!(clear.len(), 1);
    assert!(clear[0].contains("neither encrypted nor authenticated"), "{clear:?}");
    assert!(clear[0].contains("`zeek.accept_unencrypted_zeromq: true`"), "{clear:?}");
    cluster.zeek.backend = None;
    assert!(told(&cluster, "8.0").is_empty(), "Broker is this version's default");
    assert!(told(&cluster, "8.1")[0].contains("the default of this version,"));

    let hosts = vec![host("here", "127.0.0.1")];
    let nodes =
        vec![node("manager", Role::Manager, &hosts, 0, 27_760), node("worker-1", Role::Worker, &hosts, 0, 27_800)];
    let mut one_host = bare(hosts, nodes);
    one_host.zeek.accept_unencrypted_zeromq = false;
    assert!(told(&one_host, "8.1").is_empty());
}

#[test]
fn curve_where_it_is_and_where_it_is_not() {
    let cluster = |curve, accept| {
        let mut cluster = full(version("8.2"), Some(Backend::Zeromq));
        cluster.zeek.curve = curve;
        cluster.zeek.accept_unencrypted_zeromq = accept;
        cluster
    };
    let auto = cluster(Curve::Auto, false);
    assert!(told(&auto, "8.2").is_empty() && zeek::curve(&auto, version("8.2")));
    assert!(!zeek::curve(&auto, version("8.1")));
    assert!(told(&auto, "8.1").iter().any(|t| t.contains("upgrade to Zeek 8.2")));
    let off = told(&cluster(Curve::Off, false), "8.2");
    assert!(off[0].contains("with `zeek.curve: off`") && off[0].contains("leave `zeek.curve` out"), "{off:?}");
    assert!(told(&cluster(Curve::Off, true), "8.2").is_empty());
    assert!(!zeek::curve(&standalone(), version("8.2")));
    // Asked for where it can't be had.
    let on = told(&cluster(Curve::On, true), "8.1");
    assert!(on.iter().any(|t| t.starts_with("zeek.curve: Zeek 8.1 cannot encrypt ZeroMQ")), "{on:?}");
    let mut broker = cluster(Curve::On, false);
    broker.zeek.backend = Some(Backend::Broker);
    assert!(told(&broker, "8.2")[0].starts_with("zeek.curve: CURVE keys are for ZeroMQ"));
    // The user's own keys stay as they are.
    let mut own = cluster(Curve::Auto, false);
    let key = Redef::Expr("getenv(\"KEY\")".to_owned());
    own.nodes[0].redefs.insert("Cluster::Backend::ZeroMQ::curve_server_publickey".to_owned(), key);
    assert!(told(&own, "8.2").is_empty() && !zeek::curve(&own, version("8.2")));
    own.zeek.curve = Curve::On;
    assert!(told(&own, "8.2")[0].contains("refuses to mix them"));
}

#[test]
fn zeromq_over_ipv6_before_it_could() {
    let cluster = full(version("8.0"), Some(Backend::Zeromq));
    let mut older = cluster.clone();
    older.zeek.options.clear();
    let told = told(&older, "7.2");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("`dmz-sensor2-1` has the address 2001:db8::12"), "{told:?}");
}

#[test]
fn time_machines_after_their_time() {
    let cluster = full(version("7.0"), None);
    let told = told(&cluster, "7.1");
    assert!(told.iter().any(|t| t == "nodes.time-machine.type: Zeek 7.1 has no time machines, Zeek 7.0 was the last"));
}

#[test]
fn stores() {
    let mut cluster = full(version("8.0"), Some(Backend::Zeromq));
    assert!(told(&cluster, "8.1").iter().all(|t| !t.contains("stores")));
    let with_82 = told(&cluster, "8.2");
    assert!(with_82.iter().any(|t| t.starts_with("zeek.stores: Zeek 8.2 has stores with Broker only")), "{with_82:?}");
    cluster.zeek.backend = Some(Backend::Broker);
    let store = Store { backend: Some("rocksdb".to_owned()), ..Store::default() };
    cluster.zeek.stores.insert("x".to_owned(), store);
    assert_eq!(
        told(&cluster, "8.2"),
        ["zeek.stores.x.backend: Zeek 8.2 has no RocksDB stores, Zeek 4.0 was the last (write `memory` or `sqlite`)"]
    );
    cluster.zeek.options.retain(|name, _| !name.contains("websocket"));
    assert!(told(&cluster, "4.0").is_empty());
}

#[test]
fn certificates_are_brokers() {
    use clusterctl::cluster::{EnvValue, Tls};
    let file = |name: &str| EnvValue::SecretFile(name.to_owned());
    let mut cluster = full(version("8.2"), Some(Backend::Broker));
    let tls = Tls { ca: file("ca.pem"), certificate: file("c.pem"), key: file("k.pem"), passphrase: None };
    cluster.zeek.tls = Some(tls);
    assert!(told(&cluster, "8.2").is_empty());
    let script = zeek::options_script(&cluster, version("8.2"));
    assert!(script.contains("redef Broker::ssl_keyfile = getenv(\"CLUSTERCTL_TLS_KEY\");"), "{script}");
    assert!(!script.contains("ssl_passphrase"), "{script}");
    // There is no plain WebSocket beside a Broker with TLS up to 7.1.
    assert!(matches!(zeek::live(&cluster, version("7.1")), zeek::Live::None(why) if why.contains("zeek.tls")));
    cluster.nodes[0].redefs.insert("Broker::disable_ssl".to_owned(), Redef::Set(ZeekValue::Bool(true)));
    let twice = told(&cluster, "8.2");
    assert!(twice[0].starts_with("zeek.tls: `Broker::disable_ssl` at the nodes `logger`"), "{twice:?}");
    cluster.nodes[0].redefs.clear();
    cluster.zeek.backend = Some(Backend::Zeromq);
    let zeromq = told(&cluster, "8.1");
    assert!(zeromq.iter().any(|t| t.starts_with("zeek.tls: certificates are for Broker")), "{zeromq:?}");
}
