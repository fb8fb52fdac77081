#![expect(clippy::format_push_string, reason = "short tests")]

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::error::{RenderStyle, render};
use crate::spec::{load, parse};

fn made(text: &str) -> Cluster {
    let description = parse("c", text.to_owned(), PathBuf::from("/etc/cluster"));
    check(&description).unwrap_or_else(|all| panic!("{}", render(&all, RenderStyle::default())))
}

fn told(text: &str) -> String {
    let description = parse("c", text.to_owned(), PathBuf::from("/etc/cluster"));
    let all = check(&description).err().unwrap_or_default();
    let line = |d: &crate::error::Diagnostic| {
        let help = d.help.as_deref().map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{}:{} {}{help}", d.line, d.column, d.message)
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

const HOSTS: &str = "cluster: c
hosts:
  a: { address: 10.0.0.1 }
  b: { address: 10.0.0.2 }
nodes:
  manager: { type: manager, host: a }
  proxy: { type: proxy, host: a, count: 1 }
";

#[test]
fn the_campus_example_is_resolved() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/campus/cluster.yaml");
    let cluster = check(&load(&path)).unwrap_or_else(|all| panic!("{}", render(&all, RenderStyle::default())));
    let line = |node: &Node| {
        let host = &cluster.host_of(node).name;
        let cpu = node.cpu.map(|cpu| format!(" cpu {cpu}")).unwrap_or_default();
        let interface = node.interface.as_deref().unwrap_or("-");
        let id = node.af_packet.as_ref().map(|a| format!(" fanout {}", a.fanout_id)).unwrap_or_default();
        format!(
            "{} @{host} {} {} {}{cpu} {interface}{id}",
            node.name,
            node.ip,
            node.port,
            node.metrics_port.unwrap_or(0)
        )
    };
    assert_snapshot!(cluster.nodes.iter().map(line).collect::<Vec<_>>().join("\n"), @r#"
    logger-1 @mgmt 10.0.0.10 27770 10001 -
    logger-2 @mgmt 10.0.0.10 27771 10002 -
    manager @mgmt 10.0.0.10 27762 9993 -
    proxy-1 @mgmt 10.0.0.10 27810 10041 -
    dmz-sensor1-1 @sensor1 10.0.0.11 27960 10191 cpu 2 af_packet::eth1 fanout 28505
    dmz-sensor1-2 @sensor1 10.0.0.11 27961 10192 cpu 3 af_packet::eth1 fanout 28505
    dmz-sensor1-3 @sensor1 10.0.0.11 27962 10193 cpu 4 af_packet::eth1 fanout 28505
    dmz-sensor1-4 @sensor1 10.0.0.11 27963 10194 cpu 5 af_packet::eth1 fanout 28505
    dmz-sensor1-5 @sensor1 10.0.0.11 27964 10195 cpu 6 af_packet::eth1 fanout 28505
    dmz-sensor1-6 @sensor1 10.0.0.11 27965 10196 cpu 7 af_packet::eth1 fanout 28505
    dmz-sensor1-7 @sensor1 10.0.0.11 27966 10197 cpu 8 af_packet::eth1 fanout 28505
    dmz-sensor1-8 @sensor1 10.0.0.11 27967 10198 cpu 9 af_packet::eth1 fanout 28505
    dmz-sensor2-1 @sensor2 2001:db8::12 27960 10191 cpu 2 af_packet::ens5f0 fanout 31657
    dmz-sensor2-2 @sensor2 2001:db8::12 27961 10192 cpu 3 af_packet::ens5f0 fanout 31657
    dmz-sensor2-3 @sensor2 2001:db8::12 27962 10193 cpu 4 af_packet::ens5f0 fanout 31657
    dmz-sensor2-4 @sensor2 2001:db8::12 27963 10194 cpu 5 af_packet::ens5f0 fanout 31657
    dmz-sensor2-5 @sensor2 2001:db8::12 27964 10195 cpu 6 af_packet::ens5f0 fanout 31657
    dmz-sensor2-6 @sensor2 2001:db8::12 27965 10196 cpu 7 af_packet::ens5f0 fanout 31657
    dmz-sensor2-7 @sensor2 2001:db8::12 27966 10197 cpu 8 af_packet::ens5f0 fanout 31657
    dmz-sensor2-8 @sensor2 2001:db8::12 27967 10198 cpu 9 af_packet::ens5f0 fanout 31657
    dmz-sensor2-9 @sensor2 2001:db8::12 27968 10199 cpu 10 af_packet::ens5f0 fanout 31657
    dmz-sensor2-10 @sensor2 2001:db8::12 27969 10200 cpu 11 af_packet::ens5f0 fanout 31657
    dmz-sensor2-11 @sensor2 2001:db8::12 27970 10201 cpu 12 af_packet::ens5f0 fanout 31657
    dmz-sensor2-12 @sensor2 2001:db8::12 27971 10202 cpu 13 af_packet::ens5f0 fanout 31657
    dmz-sensor2-13 @sensor2 2001:db8::12 27972 10203 cpu 14 af_packet::ens5f0 fanout 31657
    dmz-sensor2-14 @sensor2 2001:db8::12 27973 10204 cpu 15 af_packet::ens5f0 fanout 31657
    dmz-sensor2-15 @sensor2 2001:db8::12 27974 10205 cpu 16 af_packet::ens5f0 fanout 31657
    dmz-sensor2-16 @sensor2 2001:db8::12 27975 10206 cpu 17 af_packet::ens5f0 fanout 31657
    lan-sensor1-9 @sensor1 10.0.0.11 27968 10199 af_packet::eth2 fanout 60512
    lan-sensor1-10 @sensor1 10.0.0.11 27969 10200 af_packet::eth2 fanout 60512
    lan-sensor1-11 @sensor1 10.0.0.11 27970 10201 af_packet::eth2 fanout 60512
    lan-sensor1-12 @sensor1 10.0.0.11 27971 10202 af_packet::eth2 fanout 60512
    "#);
    assert_eq!(cluster.zeek.site.as_deref().map(Path::new), path.parent().map(|dir| dir.join("site")).as_deref());
    assert_eq!(cluster.hosts[1].ssh.port, Some(2222));
    assert_eq!(cluster.hosts[1].ssh.host, "10.0.0.11");
    assert_eq!(cluster.hosts[2].ssh.host, "sensor2.example.org");
    assert!(!cluster.hosts[3].enabled);
    assert_eq!(cluster.hosts[0].spool, "/data/zeek/spool");
    let worker = cluster.nodes.iter().find(|n| n.name == "dmz-sensor1-1").unwrap();
    assert_eq!(worker.af_packet.as_ref().unwrap().options["buffer_size"], AfPacketValue::Count(256 << 20));
    assert_eq!(worker.redefs["Site::local_zones"], Redef::Add(vec![ZeekValue::Text("example.org".to_owned())]));
    let limits = Limits { nofile: Some(65536), core: Some(CoreLimit::Unlimited), memory: Some(8 << 30), nice: None };
    assert_eq!(worker.limits, limits);
    // What a description makes passes as what a host remembers.
    assert_eq!(super::verify(&cluster), Ok(()));
}

#[test]
fn a_removed_host_has_the_way_that_the_description_says() {
    let text = |removed: &str| {
        format!(
            "cluster: c\nzeek: {{ prefix: /z }}\npaths: {{ base: /b }}\nssh: {{ user: zeek }}\nremoved: {removed}\n\
             hosts: {{ h: {{ address: 10.0.0.1 }}, i: {{ address: 10.0.0.2 }} }}\n\
             nodes: {{ m: {{ type: manager, host: h }}, p: {{ type: proxy, host: h }} }}\n"
        )
    };
    let cluster = made(&text(
        "{ old2: { address: 10.0.0.9, paths: { spool: /s } }, old1: { ssh: { host: old.example.org, user: ada } } }",
    ));
    let [old1, old2] = cluster.removed.as_slice() else { panic!("{:?}", cluster.removed) };
    assert_eq!(
        (old1.name.as_str(), old1.ssh.host.as_str(), old1.ssh.user.as_deref()),
        ("old1", "old.example.org", Some("ada"))
    );
    assert_eq!((old1.base.as_str(), old1.spool.as_str(), old1.prefix.as_str()), ("/b", "/b", "/z"));
    assert_eq!(
        (old2.ssh.host.as_str(), old2.ssh.user.as_deref(), old2.spool.as_str()),
        ("10.0.0.9", Some("zeek"), "/s")
    );
    assert!(old1.enabled && !old1.local);
    let gone = made(&text("{ old1: { enabled: false } }"));
    assert!(!gone.removed[0].enabled);
    // They are no part of what is deployed.
    let json = |cluster: &Cluster| serde_json::to_string(cluster).unwrap();
    assert_eq!(json(&cluster), json(&made(&text("{}"))));
    for (removed, why) in [
        ("{ h: { ssh: { host: old.example.org } } }", "is both in `hosts` and in `removed`"),
        ("{ H: { ssh: { host: old.example.org } } }", "is both in `hosts` and in `removed`"),
        ("{ old1: {} }", "has no address"),
        ("{ old1: { address: 10.0.0.2 } }", "has the address of `i`"),
        ("{ -x: { address: 10.0.0.9 } }", "does not begin with an ASCII letter"),
        ("{ old1: { address: 10.0.0.9, local: true } }", "unknown key `local`"),
        ("{ old1: { ssh: { host: '-oProxyCommand=id' } } }", "begins with `-`"),
        ("{ old1: { ssh: { host: a, user: \"x\\n  ProxyCommand id\" } } }", "control character"),
    ] {
        let description = crate::spec::parse("c", text(removed), "/".into());
        let told = check(&description).unwrap_err().iter().map(|d| d.message.clone()).collect::<Vec<_>>().join("\n");
        assert!(told.contains(why), "{removed}: {told}");
    }
}

#[test]
fn one_host_listens_on_loopback() {
    let text =
        "cluster: c\nhosts: { h: { address: \"2001:db8::1\" } }\nnodes: { m: { type: manager }, p: { type: proxy } }\n";
    let node = &made(text).nodes[0];
    assert_eq!((node.ip.to_string(), node.listen.map(|ip| ip.to_string())), ("::1".to_owned(), Some("::1".to_owned())));
    let node = &made(&format!("{text}listen: node\n")).nodes[0];
    assert_eq!(node.ip.to_string(), "2001:db8::1");
    assert_eq!(node.listen, Some(node.ip));
    assert_eq!(made(&format!("{text}listen: any\n")).nodes[0].listen, None);
    assert_eq!(made(&format!("{text}metrics: {{ listen: off }}\n")).nodes[0].metrics_port, None);
}

#[test]
fn the_nearest_setting_wins_and_lists_add_up() {
    let text = HOSTS.replace("a: { address: 10.0.0.1 }", "a: { address: 10.0.0.1, env: { E: host, H: host } }")
        + "  w:
    type: worker
    interface: af_packet::eth0
    af_packet: { buffer_size: 1MiB, fanout_mode: FANOUT_QM }
    env: { E: group, G: { file: secret } }
    scripts: [group]
    args: [-g]
    limits: { nofile: 2000, nice: -5 }
    redefs: { x: 1, y: 2 }
    hosts:
      a: { env: { E: node }, scripts: [node], args: [-n], redefs: { x: 3 }, af_packet: { buffer_size: 2MiB, fanout_id: 7 } }
zeek: { env: { E: zeek, Z: { env: SECRET } }, args: [-z], scripts: [all], redefs: { z: true } }
limits: { nofile: 1000, core: unlimited }
";
    let cluster = made(&text);
    let node = cluster.nodes.last().unwrap();
    let env: Vec<_> = node.env.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    assert_eq!(
        env,
        ["E=Plain(\"node\")", "G=SecretFile(\"/etc/cluster/secret\")", "H=Plain(\"host\")", "Z=SecretEnv(\"SECRET\")"]
    );
    assert_eq!(node.args, ["-z", "-g", "-n"]);
    assert_eq!(node.scripts, ["group", "node"]);
    assert_eq!(
        node.limits,
        Limits { nofile: Some(2000), core: Some(CoreLimit::Unlimited), memory: None, nice: Some(-5) }
    );
    assert_eq!(format!("{:?}", node.redefs["x"]), "Set(Int(3))");
    assert_eq!(node.redefs.len(), 3);
    let af_packet = node.af_packet.as_ref().unwrap();
    assert_eq!(af_packet.fanout_id, 7);
    assert_eq!(af_packet.options["buffer_size"], AfPacketValue::Count(2 << 20));
    assert_eq!(af_packet.options["fanout_mode"], AfPacketValue::Enum("AF_Packet::FANOUT_QM".to_owned()));
}

#[test]
fn interface_templates_are_filled_in() {
    let cluster = made(&format!(
        "{HOSTS}  w: {{ type: worker, host: b, interface: \"napatech::{{index0}}-{{index}}\", count: 2, first_index: 5 }}\n"
    ));
    let of: Vec<_> = cluster.nodes.iter().filter_map(|n| n.interface.as_deref()).collect();
    assert_eq!(of, ["napatech::4-5", "napatech::5-6"]);
    assert!(cluster.nodes.iter().all(|n| n.af_packet.is_none()));
}

#[test]
fn a_standalone_zeek_is_alone() {
    let text = "cluster: c\nhosts: { h: { local: true } }\nnodes:\n  z: { type: standalone, interface: lo }\n";
    let cluster = made(text);
    assert!(cluster.is_standalone());
    assert_eq!(cluster.nodes[0].port, 27765);
    assert_snapshot!(told(&format!("{text}  m: {{ type: manager }}\n")), @r#"
    5:3 a standalone Zeek has no other nodes, and there is also `m` | remove one of the two; a cluster has a manager, a proxy and workers
    "#);
}

#[test]
fn wrong_hosts_are_told() {
    let text = "cluster: c
listen: 127.0.0.1
hosts:
  mgmt: { address: 10.0.0.1 }
  MGMT: { address: \"::ffff:10.0.0.1\" }
  one: { local: true }
  two: { local: true, address: 10.0.0.3, zone_id: eth0 }
  link: { address: \"fe80::1\" }
  none: { ssh: { user: \"-oProxyCommand=x\", host: \"a b\", connect_timeout: 0 } }
  lo: { address: \"::1\", env: { CLUSTER_NODE: x, \"a-b\": y } }
  away: { address: 10.0.0.4, enabled: false }
nodes:
  manager: { type: manager, host: away }
  proxy: { type: proxy, host: mgmt, count: 1 }
";
    assert_snapshot!(told(text), @r#"
    2:9 nodes listen on loopback, and there are several hosts | write `listen: node`, or leave it out
    5:3 the hosts `mgmt` and `MGMT` differ only by case
    5:20 `mgmt` and `MGMT` have the same address | give the machine one name, and put the nodes of both there
    6:3 the host `one` has no address, which means loopback, and there are other hosts | write the address by which the other hosts reach it
    7:17 `one` and `two` are both local, so they are one machine | put the nodes of both on one host
    7:42 only a link-local IPv6 address has a zone
    8:20 a link-local address needs its zone | write `zone_id: INTERFACE` beside it
    9:3 the host `none` has no address | write `address: IP`, or `local: true` if it is this machine
    9:24 `user` begins with `-`, which ssh would take for an option
    9:50 `host` contains a character that is not allowed there
    9:74 0s is too short here: 1s to 10m
    10:18 the host `lo` has the loopback address ::1, and there are other hosts | write the address by which the other hosts reach it
    10:32 `CLUSTER_NODE` is set by clusterctl
    10:49 `a-b` is not the name of a variable
    13:3 `manager` runs on `away`, which is not enabled | move it to another host, or enable the host
    "#);
}

#[test]
fn names_that_the_shell_keeps_are_refused_in_every_environment() {
    let text = "cluster: c
zeek: { env: { UID: '0', PATH: /usr/bin, ENV: production } }
hosts:
  a: { address: 10.0.0.1, env: { _: x, LD_PRELOAD: /x.so } }
nodes:
  manager: { type: manager, host: a, env: { BASH_ENV: /x, TZ: UTC } }
  proxy: { type: proxy, host: a, count: 1, env: { OPTIND: { env: SECRET }, HOME: /x } }
  worker: { type: worker, hosts: { a: { env: { IFS: x } } }, interface: eth0 }
";
    assert_snapshot!(told(text), @r#"
    2:16 `UID` is a variable of the shell itself: its value would not reach the node | choose another name
    4:34 `_` is a variable of the shell itself: its value would not reach the node | choose another name
    6:45 `BASH_ENV` is a variable of the shell itself: its value would not reach the node | choose another name
    7:51 `OPTIND` is a variable of the shell itself: its value would not reach the node | choose another name
    8:48 `IFS` is a variable of the shell itself: its value would not reach the node | choose another name
    "#);
}

#[test]
fn wrong_nodes_are_told() {
    let text = HOSTS.to_owned()
        + "  workers: { type: worker, host: b, interface: eth0 }
  no-type: { host: a }
  no-host: { type: worker, interface: eth0 }
  no-interface: { type: worker, host: b, first_index: 20 }
  both: { type: worker, host: a, hosts: [b], interface: eth0 }
  twice: { type: worker, hosts: [b, b], interface: eth0, count: 0 }
  w: { type: worker, host: b, count: 4, interface: eth0, first_index: 2, pin_cpus: 0-3 }
  v: { type: worker, hosts: { b: { first_index: 3, pin_cpus: 3-9 } }, count: 4, interface: \"eth{n}\", af_packet: { fanout_id: 1 } }
  p: { type: proxy, host: b, count: 101 }
  l: { type: logger, host: b, port: 27960 }
  a: { type: worker, host: a, interface: af_packet::eth0, af_packet: { fanout_id: 5 } }
  a.b: { type: worker, host: a, interface: af_packet::eth1, af_packet: { fanout_id: 5 }, first_index: 2 }
";
    assert_snapshot!(told(&text), @r#"
    8:3 the name `workers` is reserved | choose another name
    9:3 the group `no-type` has no type | write `type: manager`, `logger`, `proxy`, `worker` or `standalone`
    10:3 the group `no-host` has no host | write `host: NAME` or `hosts: [NAME, ...]`
    11:3 `no-interface` has no interface | write `interface: af_packet::eth1`, or the name of another packet source
    12:34 the group `both` has both `host` and `hosts` | keep one of the two
    13:37 the host `b` is listed twice
    13:65 `count` must be at least 1
    14:52 5 workers capture on `eth0` of `b`, and each sees every packet: logs have every record 5 times | write `interface: af_packet::eth0`, and they share the packets
    15:49 `w-3` and `v-b-3` are both worker 3 of `b` | write `first_index: 21` here
    15:62 CPU 3 of `b` is pinned by `w-5` and `v-b-3` | unless you want that, give each node a CPU of its own
    15:92 the interface has the unknown placeholder `{n}` | placeholders are `{index}`, `{index0}`, `{group_index}` and `{group_index0}`; double a literal brace: `{{` or `}}`
    15:102 `v` has AF_PACKET settings, but does not capture with AF_PACKET | write `interface: af_packet::eth{n}`, or remove `af_packet`
    16:37 `p` goes up to index 101, but a host has ports for proxy 1 to 100 only | lower `count` or `first_index`, lower `ports.base`, or set `port`
    17:37 `workers` and `l` need the same port 27960 on `b` | port 27966 is free on `b`
    19:3 `a` would get the messages of `a.b` | choose another name
    19:85 `af_packet::eth0` and `af_packet::eth1` of `a` have the same fanout id 5 | leave it out, and each interface gets an id of its own
    "#);
}

#[test]
fn wrong_settings_are_told() {
    let text = HOSTS.to_owned()
        + "zeek:
  site_data: [\"a[\"]
  scripts: [\"\", \"a\\nb\"]
  options: { manager_is_logger: true, \"Cluster::retry_interval\": 1s }
  stores: { s: { master_node: proxi-1 } }
  redefs: { \"a b\": 1, \"Cluster::nodes\": { expr: x }, e: { expr: \"\" } }
  local_networks: { 10.0.0.0/8: a, 10.0.0.0/08: b, 10.0.0.1: c }
logs: { rotate: 1h, expire: 1m, archive: off }
timeouts: { ready: 0s }
limits: { nofile: 1, memory: 8, nice: 20 }
ports: { base: 32760, control: 27770 }
";
    assert_snapshot!(told(&text), @r#"
    9:15 `a[` is not a glob: unclosed character class; missing ']'
    10:13 this entry is empty
    10:17 this entry contains a control character
    11:14 `manager_is_logger` follows from the nodes | it is true exactly when there is no logger
    11:39 options are written without `Cluster::` | write `retry_interval`
    12:31 there is no node `proxi-1` | did you mean `proxy-1`?
    13:13 `a b` is not a Zeek identifier | write it with its module, such as `Pcap::bufsize`
    13:23 `Cluster::nodes` follows from the nodes
    13:65 this is not a Zeek expression
    14:36 the network 10.0.0.0/8 is given twice
    14:52 the network `10.0.0.1` has no prefix length; write `10.0.0.1/32` for one address
    15:21 logs expire only in the archive, and the archive is off | remove `archive: off`: by default there is an archive
    15:29 logs would expire after 1m, before they rotate (1h)
    16:20 0s is too short here: 1s to 6h
    17:19 Zeek can't run with so few open files
    17:30 Zeek can't run with so little memory | sizes have units, such as `8GiB`
    17:39 niceness goes from -20 to 19
    18:16 `ports.base` 32760 is too high: automatic ports stay below 32768 | write at most 32567, such as 27760
    "#);
}

#[test]
fn ports_that_clash_are_told_with_a_free_one() {
    let text = HOSTS.to_owned()
        + "  logger: { type: logger, host: a, count: 2, port: 27759 }
  w: { type: worker, host: a, interface: lo, metrics_port: 27762 }
  x: { type: worker, host: b, interface: lo, port: 27762 }
";
    assert_snapshot!(told(&text), @r#"
    8:52 the control port and `logger-1` need the same port 27759 on `a` | port 27763 is free on `a`
    8:52 ZeroMQ's XPUB port (`ports.base`) and `logger-2` need the same port 27760 on `a` | port 27763 is free on `a`
    9:60 `manager` and the metrics of `w` need the same port 27762 on `a` | port 27763 is free on `a`
    "#);
}

/// Ten thousand nodes, from the text to the cluster. The time is asserted with care: debug builds on a busy machine.
#[test]
fn ten_thousand_nodes_are_soon_resolved() {
    let mut text = "cluster: big\nhosts:\n  mgmt: { address: 10.1.0.1 }\n".to_owned();
    for n in 0..100 {
        text.push_str(&format!("  s{n}: {{ address: 10.0.0.{} }}\n", n + 1));
    }
    text.push_str("nodes:\n  manager: { type: manager, host: mgmt }\n  proxy: { type: proxy, host: mgmt, count: 4 }\n");
    text.push_str(
        "  worker:\n    type: worker\n    interface: af_packet::eth0\n    count: 100\n    pin_cpus: 0-99\n    hosts:\n",
    );
    for n in 0..100 {
        text.push_str(&format!("      s{n}: {{}}\n"));
    }
    let begin = std::time::Instant::now();
    let cluster = made(&text);
    let time = begin.elapsed();
    println!("10,000 nodes: {time:?}");
    assert_eq!(cluster.nodes.len(), 10_005);
    assert!(time < std::time::Duration::from_secs(5), "{time:?}");
}

/// A description of some groups of workers and loggers.
fn groups(groups: &[(u8, u8, u8)]) -> String {
    let mut text = HOSTS.to_owned();
    let mut next = [1, 1];
    for (at, (host, count, kind)) in groups.iter().enumerate() {
        let (host, count) = (usize::from(host % 2), count % 5 + 1);
        let name = ["a", "b"][host];
        if kind % 2 == 0 {
            text.push_str(&format!("  w{at}: {{ type: worker, host: {name}, count: {count}, first_index: {}, interface: \"af_packet::e{kind}\" }}\n", next[host]));
            next[host] += u32::from(count);
        } else if !text.contains("logger") {
            text.push_str(&format!("  l: {{ type: logger, host: {name}, count: {count} }}\n"));
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_change_of_nodes_moves_no_other_port(all in prop::collection::vec(any::<(u8, u8, u8)>(), 1..12), cut in any::<prop::sample::Index>(), name in "[a-z]{1,8}") {
        let text = groups(&all);
        let before = made(&text);
        // Remove one group, rename one, add one: the others stay where they are.
        let lines: Vec<_> = text.lines().collect();
        let at = 7 + cut.index(lines.len() - 6).min(lines.len() - 8 + usize::from(lines.len() == 7));
        let kept = lines.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
        let after = made(&format!("{kept}\n  new-{name}: {{ type: worker, host: b, first_index: 1000, interface: x }}\n"));
        for node in &after.nodes {
            if let Some(old) = before.nodes.iter().find(|old| old.name == node.name) {
                prop_assert_eq!((old.port, old.metrics_port), (node.port, node.metrics_port));
                prop_assert_eq!(&old.af_packet, &node.af_packet);
            }
        }
        let renamed = made(&text.replace("  w0:", &format!("  renamed-{name}:")));
        let ports = |cluster: &Cluster| {
            let mut all: Vec<_> = cluster.nodes.iter().map(|n| (n.host, n.role, n.index, n.port, n.metrics_port)).collect();
            all.sort_unstable();
            all
        };
        prop_assert_eq!(ports(&renamed), ports(&before));
    }

    #[test]
    fn ports_and_fanout_ids_are_distinct_on_a_host(all in prop::collection::vec(any::<(u8, u8, u8)>(), 1..12)) {
        let cluster = made(&groups(&all));
        let mut ports = std::collections::HashSet::new();
        let mut ids = std::collections::HashMap::new();
        for node in &cluster.nodes {
            prop_assert!(ports.insert((node.host, node.port)));
            prop_assert!(ports.insert((node.host, node.metrics_port.unwrap())));
            prop_assert!(node.port < 32768);
            if let Some(af_packet) = &node.af_packet {
                let interface = ids.entry((node.host, af_packet.fanout_id)).or_insert(&node.interface);
                prop_assert_eq!(*interface, &node.interface);
            }
        }
    }

    #[test]
    fn the_order_of_the_file_changes_nothing(all in prop::collection::vec(any::<(u8, u8, u8)>(), 1..12)) {
        let text = groups(&all);
        let lines: Vec<_> = text.lines().collect();
        let turned: Vec<_> = lines[..5].iter().chain(lines[5..].iter().rev()).copied().collect();
        prop_assert_eq!(made(&text), made(&turned.join("\n")));
    }
}

/// The warnings of a description that is right.
fn warned(text: &str) -> String {
    let description = parse("c", text.to_owned(), PathBuf::from("/etc/cluster"));
    let (_, warnings) =
        check_all(&description, &[]).unwrap_or_else(|all| panic!("{}", render(&all, RenderStyle::default())));
    assert!(warnings.iter().all(|w| w.severity == crate::error::Severity::Warning));
    let line = |d: &crate::error::Diagnostic| {
        let help = d.help.as_deref().map(|help| format!(" | {help}")).unwrap_or_default();
        format!("{}:{} {}{help}", d.line, d.column, d.message)
    };
    warnings.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn af_packet_settings_that_nothing_would_use_are_refused() {
    let told = |worker: &str| {
        told(&format!(
            "{HOSTS}  w:\n    type: worker\n    count: 4\n    af_packet: {{ buffer_size: 256MiB }}\n{worker}"
        ))
    };
    assert_snapshot!(told("    host: b\n    interface: eth0\n"), @"11:5 `w` has AF_PACKET settings, but does not capture with AF_PACKET | write `interface: af_packet::eth0`, or remove `af_packet`");
    assert_snapshot!(told("    interface: af_packet::eth0\n    hosts: { a: {}, b: { interface: \"netmap::eth0\" } }\n"), @"11:5 `w` has AF_PACKET settings, but does not capture with AF_PACKET | write `interface: af_packet::INTERFACE`, or remove `af_packet`");
    assert_snapshot!(told("    host: b\n    interface: af_packet::eth0\n"), @"");
}

#[test]
fn workers_that_all_see_every_packet_are_warned_of_where_nothing_shares_them() {
    let warned = |rest: &str| warned(&format!("{HOSTS}{rest}"));
    assert_snapshot!(warned("  w: { type: worker, host: b, interface: eth0, count: 4 }\n"), @"8:42 4 workers capture on `eth0` of `b`, and each sees every packet: logs have every record 4 times | write `interface: af_packet::eth0`, and they share the packets");
    assert_snapshot!(warned("  w: { type: worker, host: b, interface: eth0 }\n  v: { type: worker, host: b, interface: eth0, first_index: 2 }\n"), @"9:42 2 workers capture on `eth0` of `b`, and each sees every packet: logs have every record 2 times | write `interface: af_packet::eth0`, and they share the packets");
    assert_snapshot!(warned("  w: { type: worker, hosts: [a, b], interface: \"pcap::eth0\", count: 2 }\n"), @"8:48 2 workers capture on `pcap::eth0` of `a`, and each sees every packet: logs have every record 2 times | write `interface: af_packet::eth0`, and they share the packets");
    assert_snapshot!(warned("  w: { type: worker, host: b, interface: af_packet::eth0, count: 2, af_packet: { enable_fanout: false } }\n"), @"8:42 2 workers capture on `af_packet::eth0` of `b`, and each sees every packet: logs have every record 2 times | remove `enable_fanout: false`, and they share the packets");
    for shares in [
        "w: { type: worker, host: b, interface: af_packet::eth0, count: 4 }",
        "w: { type: worker, hosts: [a, b], interface: eth0 }",
        "w: { type: worker, host: b, interface: \"eth{group_index}\", count: 4 }",
        "w: { type: worker, host: b, interface: \"netmap::eth0\", count: 4 }",
        "w: { type: worker, host: b, interface: \"myricom::eth0\", count: 4 }",
        "w: { type: worker, host: b, interface: \"napatech::0\", count: 4 }",
        "w: { type: worker, host: b, interface: \"pf_ring::eth0\", count: 4 }",
        "w: { type: worker, host: b, interface: \"zc:99@0\", count: 4 }",
        "w: { type: worker, host: b, interface: eth0, count: 4, env: { PCAP_PF_RING_CLUSTER_ID: 99 } }",
        "w: { type: worker, hosts: { b: { env: { SNF_NUM_RINGS: 4 } } }, interface: p1p1, count: 4 }",
        "w: { type: worker, host: b, interface: eth0, count: 4, scripts: [misc/load-balancing] }",
        "w: { type: worker, host: b, interface: eth0, args: [-f, tcp] }\n  v: { type: worker, host: b, interface: eth0, args: [-f, udp], first_index: 2 }",
    ] {
        assert_eq!(warned(&format!("  {shares}\n")), "", "{shares}");
    }
}

#[test]
fn cpus_that_nodes_share_are_warned_of() {
    let warned = |rest: &str| warned(&format!("{}{rest}", HOSTS.replace("host: a }", "host: a, pin_cpus: 0 }")));
    assert_snapshot!(warned("  w: { type: worker, host: b, interface: af_packet::eth0, count: 58, pin_cpus: 0-47 }\n"), @"8:80 58 nodes of `w` on `b` share 48 CPUs | unless you want that, give each node a CPU of its own, or lower `count`");
    assert_snapshot!(warned("  w: { type: worker, host: b, interface: af_packet::eth0, count: 2, pin_cpus: [1, 1] }\n"), @"8:79 CPU 1 of `b` is pinned by `w-1` and `w-2` | unless you want that, give each node a CPU of its own");
    assert_snapshot!(warned("  l: { type: logger, host: a, pin_cpus: 0 }\n"), @"8:41 CPU 0 of `a` is pinned by `manager` and `l` | unless you want that, give each node a CPU of its own");
    let text =
        format!("{HOSTS}  w: {{ type: worker, host: b, interface: af_packet::eth0, count: 5, pin_cpus: \"3,1\" }}\n");
    let cpus: Vec<_> = made(&text).nodes.iter().filter(|n| n.role == Role::Worker).map(|n| n.cpu).collect();
    assert_eq!(cpus, [Some(3), Some(1), Some(3), Some(1), Some(3)]);
    let none = made(&text.replace("\"3,1\"", "[]"));
    assert!(none.nodes.iter().all(|n| n.cpu.is_none()));
}

#[test]
fn interfaces_have_the_numbers_of_their_nodes() {
    let text = format!(
        "{HOSTS}  w: {{ type: worker, host: b, interface: \"napatech::{{group_index0}}\", count: 2, first_index: 99 }}\n  \
         v: {{ type: worker, host: b, interface: \"netmap::eth1}}}}{{index0}}\", count: 2 }}\n"
    );
    let cluster = made(&text);
    let interfaces: Vec<_> = cluster.nodes.iter().filter_map(|n| n.interface.as_deref()).collect();
    assert_eq!(interfaces, ["netmap::eth1}0", "netmap::eth1}1", "napatech::0", "napatech::1"]);
}
