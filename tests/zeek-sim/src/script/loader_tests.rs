//! Tests of what loading a layout and scripts gives.

use super::*;

const LAYOUT: &str = "# A layout.
redef Cluster::nodes = {
	[\"manager\"] = [$node_type=Cluster::MANAGER, $ip=10.0.0.10, $p=27761/tcp],
	[\"logger-1\"] = [$node_type=Cluster::LOGGER, $ip=[2001:db8::1], $zone_id=\"\", $p=27762/tcp],
	[\"worker-1\"] = Cluster::Node($node_type=Cluster::WORKER, $ip=10.0.0.12, $manager=\"manager\"),
};
redef Cluster::manager_is_logger = F;
";

/// Loads a layout and a script as a node of a version.
fn loaded(version: &str, node: &str, layout: &str, script: &str) -> Loaded {
    let dir = tempfile::tempdir().unwrap();
    let site = dir.path().join("share/zeek/site");
    std::fs::create_dir_all(&site).unwrap();
    std::fs::create_dir_all(dir.path().join("etc")).unwrap();
    std::fs::write(dir.path().join("etc/zeek-sim.conf"), format!("version={version}")).unwrap();
    std::fs::write(site.join("cluster-layout.zeek"), layout).unwrap();
    std::fs::write(site.join("local.zeek"), script).unwrap();
    let setup = Setup { program: "zeek".into(), prefix: dir.path().into(), node: node.into(), zeekpath: None };
    load(&setup, &Options { scripts: vec!["local".into()], ..Options::default() })
}

/// The messages of failures, without their files.
fn texts(loaded: &Loaded) -> Vec<String> {
    let line = |f: &Failure| f.place.as_ref().map_or(0, |p| p.line);
    loaded.failures.iter().map(|f| format!("{}: {}", line(f), f.text)).collect()
}

#[test]
fn reads_the_layout() {
    let loaded = loaded("8.0.10", "worker-1", LAYOUT, "");
    assert!(loaded.failures.is_empty(), "{:?}", loaded.failures);
    let nodes = &loaded.world.nodes;
    assert_eq!(nodes.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(), ["manager", "logger-1", "worker-1"]);
    assert_eq!(nodes[1].ip, "2001:db8::1".parse::<std::net::IpAddr>().unwrap());
    assert_eq!((nodes[0].port, nodes[2].port), (Some(27761), None));
    assert_eq!(nodes[2].manager(), Some("manager"));
    assert_eq!(loaded.world.local_type(), "WORKER");
    assert!(!loaded.world.flag("Cluster::manager_is_logger"));
}

#[test]
fn the_layout_has_to_fit_the_version() {
    let one = |fields: &str| format!("redef Cluster::nodes = {{\n [\"w\"] = [{fields}]\n}};\n");
    let worker = "$node_type=Cluster::WORKER, $ip=127.0.0.1";
    let check = |version: &str, fields: &str| texts(&loaded(version, "w", &one(fields), ""));
    assert_eq!(check("8.0.10", worker), Vec::<String>::new());
    let coerced = |fields: &str| format!("((coerce [{fields}] to Cluster::Node))");
    let text = format!("2: non-optional field \"p\" missing {}", coerced(worker));
    assert_eq!(check("3.0.0", worker), [text]);
    assert_eq!(check("4.0.0", worker), Vec::<String>::new());
    let with = |more: &str| format!("{worker}, {more}");
    assert_eq!(check("7.0.0", &with("$interface=\"eth0\"")), Vec::<String>::new());
    let orphan = |f: &str, more: &str| {
        let text = coerced(&with(more)).replace('"', "");
        format!("2: orphaned field \"{f}\" in record coercion {text}")
    };
    assert_eq!(check("7.1.0", &with("$interface=\"eth0\"")), [orphan("interface", "$interface=eth0")]);
    assert_eq!(check("7.1.0", &with("$time_machine=\"t\"")), [orphan("time_machine", "$time_machine=t")]);
    assert_eq!(check("6.2.0", &with("$metrics_port=9991/tcp")), [orphan("metrics_port", "$metrics_port=9991/tcp")]);
    assert_eq!(check("7.0.0", &with("$metrics_port=9991/tcp")), Vec::<String>::new());
    assert_eq!(check("8.0.0", &with("$lb_filter=\"x\"")), [orphan("lb_filter", "$lb_filter=x")]);
    let machine = "$node_type=Cluster::TIME_MACHINE, $ip=127.0.0.1, $p=1/tcp";
    assert_eq!(check("7.0.0", machine), Vec::<String>::new());
    let text = "2: unknown identifier Cluster::TIME_MACHINE, at or near \"Cluster::TIME_MACHINE\"";
    assert_eq!(check("7.1.0", machine), [text]);
}

#[test]
fn conditions_choose_what_is_read() {
    let value = |node: &str, condition: &str| {
        let script = format!("const x = 0;\n@if ( {condition} )\nredef x = 1;\n@else\nredef x = 2;\n@endif\n");
        let loaded = loaded("8.0.10", node, LAYOUT, &script);
        assert!(loaded.failures.is_empty(), "{condition}: {:?}", loaded.failures);
        loaded.world.globals["x"].to_string()
    };
    assert_eq!(value("manager", "Cluster::local_node_type() == Cluster::MANAGER"), "1");
    assert_eq!(value("worker-1", "Cluster::local_node_type() == Cluster::MANAGER"), "2");
    assert_eq!(value("worker-1", "Cluster::node == \"worker-1\""), "1");
    assert_eq!(value("worker-1", "! ( Cluster::node == \"worker-1\" )"), "2");
    assert_eq!(value("worker-1", "getenv(\"ZEEK_SIM_NOT_SET\") == \"\""), "1");
    let logs = "Cluster::local_node_type() == Cluster::LOGGER || ( Cluster::manager_is_logger && \
                    Cluster::local_node_type() == Cluster::MANAGER )";
    assert_eq!(value("logger-1", logs), "1");
    assert_eq!(value("manager", logs), "2");
    assert_eq!(value("worker-1", "Something::nobody_knows()"), "1");
    assert_eq!(value("worker-1", "F && Something::nobody_knows()"), "2");
}

#[test]
fn conditions_nest_and_have_to_be_closed() {
    let script =
        "const x = 0;\n@if ( F )\n@if ( T )\nthis is not read ;;;\n@else\n@endif\n@else\nredef x = 3;\n@endif\n";
    assert_eq!(loaded("8.0.10", "", "", script).world.globals["x"].to_string(), "3");
    let open = texts(&loaded("8.0.10", "", "", "@if ( T )\nconst x = 1;\n"));
    assert!(open[0].contains("unbalanced @if"), "{open:?}");
}

#[test]
fn says_where_a_script_is_broken() {
    let error = |script: &str| texts(&loaded("8.0.10", "", "", script)).join("; ");
    assert_eq!(error("const x = 1;\nfoo bar;\n"), "2: unknown identifier foo, at or near \"foo\"");
    assert_eq!(error("global a = 1\nglobal b = 2;\n"), "2: syntax error, at or near \"global\"");
    assert_eq!(error("redef nosuch = 1;\n"), "1: \"redef\" used but not previously defined (nosuch)");
    assert_eq!(error("const x = \"abc\n"), "1: unrecognized character: '\"'");
    assert_eq!(error("event zeek_init()\n\t{\n\tprint \"x\"\n\t}\n"), "4: syntax error, at or near \"}\"");
    assert!(error("event zeek_init() {\n").starts_with("0: syntax error, at end of file "));
    assert_eq!(error("@load nosuch\n"), "1: can't find nosuch");
    assert_eq!(error("@load misc/loaded-scripts\n@load tuning/json-logs\n"), "");
}

#[test]
fn refuses_what_the_version_has_not() {
    let error = |version: &str, script: &str| texts(&loaded(version, "manager", LAYOUT, script)).join("; ");
    let listen = "event zeek_init() { Cluster::listen_websocket([$listen_addr=127.0.0.1, $listen_port=1/tcp]); }";
    assert_eq!(error("8.0.10", listen), "");
    let old = "1: orphaned field \"listen_addr\" in record coercion \
                   ((coerce [$listen_addr=127.0.0.1, $listen_port=1/tcp] to Cluster::WebSocketServerOptions))";
    assert_eq!(error("7.2.0", listen), old);
    assert!(error("7.1.0", listen).contains("unknown identifier Cluster::listen_websocket"));
    let broker = "event zeek_init() { Broker::listen_websocket(\"127.0.0.1\", 1/tcp); }";
    assert_eq!(error("7.0.0", broker), "");
    assert!(error("8.1.0", broker).contains("unknown identifier Broker::listen_websocket"));
    let zeromq = "@load frameworks/cluster/backend/zeromq/connect\nredef Cluster::Backend::ZeroMQ::ipv6 = F;";
    assert_eq!(error("8.0.10", zeromq), "");
    assert!(error("7.2.0", zeromq).contains("\"redef\" used but not previously defined"));
    assert_eq!(error("7.0.0", zeromq), "1: can't find frameworks/cluster/backend/zeromq/connect");
    let missing = error("8.0.10", "redef Cluster::Backend::ZeroMQ::ipv6 = F;");
    assert!(missing.contains("not previously defined"), "{missing}");
    assert!(error("8.0.10", "redef Cluster::no_such_option = 1;").contains("not previously defined"));
    assert!(error("8.0.10", "redef Cluster::retry_interval = \"1\";").contains("type clash"));
    assert_eq!(error("8.0.10", "redef AF_Packet::buffer_size = 1024;\nredef Pcap::bufsize = 256;"), "");
}

#[test]
fn notes_what_a_manager_serves() {
    let script = "@if ( Cluster::local_node_type() == Cluster::MANAGER )\n\
                      event zeek_init()\n{\nif ( F )\n\tCluster::listen_websocket([$listen_addr=127.0.0.1, $listen_port=1/tcp]);\n\
                      else\n\tCluster::listen_websocket([$listen_addr=[::1], $listen_port=2/tcp]);\n}\n@endif\n";
    let listens = |node: &str| loaded("8.0.10", node, LAYOUT, script).world.websockets;
    assert!(listens("worker-1").is_empty());
    let listens = listens("manager");
    assert_eq!((listens.len(), listens[0].host.as_str(), listens[0].port), (1, "::1", 2));
}
