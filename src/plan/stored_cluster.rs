//! A record of a release on a host -> the cluster that it was, as far as that may be believed.
//!
//! How a host is reached, and where the cluster lies there, is the description's word: of a host that it has, or lists
//! as removed, all of it; of another one what holds for all its hosts, and from the record the name, and where ssh goes.

use std::time::Duration;

use crate::cluster::{self, AfPacketValue, Cluster, EnvValue, Former, verify};
use crate::observed::{MOST_LEFT, RemovedHost, Stored, stored};
use crate::values::Toggle;

/// A cluster of before, and the hosts of it that the description has no word about.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub cluster: Cluster,
    /// Hosts of it that were touched and are not in the description.
    pub removed_hosts: Vec<RemovedHost>,
}

/// Returns the way to a host that left the description, as the description has it, or else as a host remembers it.
///
/// # Errors
/// Where neither says how it is reached; why.
pub fn former(now: &Cluster, left: &RemovedHost) -> Result<Former, String> {
    let name = left.name.as_str();
    if let Some(listed) = now.removed.iter().find(|host| host.name == name) {
        return Ok(listed.clone());
    }
    let way = left.way.clone()?;
    let mut former = Former { name: name.to_owned(), ..now.elsewhere.clone() };
    way.host.as_str().clone_into(&mut former.ssh.host);
    former.ssh.port = way.port.map(|port| port.0).or(former.ssh.port);
    former.ssh.user = way.user.map(|user| user.as_str().to_owned()).or(former.ssh.user);
    Ok(former)
}

/// Makes the cluster of a record.
///
/// # Errors
/// Where it is none that a description could have made; what is wrong.
pub fn recorded(stored: Stored, now: &Cluster) -> Result<Recorded, String> {
    let known = |name: &str| now.hosts.iter().find(|host| host.name == name);
    let left =
        stored.hosts.iter().filter(|h| h.enabled && known(h.name.as_str()).is_none()).map(stored::Host::removed_host);
    let left = left.take(MOST_LEFT).collect();
    let hosts = stored.hosts.iter().map(|host| self::host(host, now)).collect();
    let nodes = stored.nodes.into_iter().map(node).collect();
    let cluster = Cluster {
        name: stored.name.as_str().to_owned(),
        zeek: zeek(stored.zeek),
        ports: cluster::Ports {
            base: stored.ports.base.0,
            metrics: stored.ports.metrics.0,
            control: stored.ports.control.0,
            xpub: stored.ports.xpub.0,
            xsub: stored.ports.xsub.0,
        },
        metrics: stored.metrics,
        textfile: None,
        logs: cluster::Logs {
            archive: match stored.logs.archive {
                None => cluster::Archive::Off,
                Some(stored::Archive::Spool) => cluster::Archive::Spool,
                Some(stored::Archive::Folder(path)) => cluster::Archive::Folder(path.as_str().to_owned()),
            },
            rotate: stored.logs.rotate.0,
            expire: stored.logs.expire.map(|span| span.0),
            compress: stored.logs.compress,
            late: stored.logs.late.map_or(Duration::ZERO, |span| span.0),
            min_free: stored.logs.min_free.min(100),
        },
        // A record that has no word on it is of a release whose nodes can't be asked.
        checks: cluster::Checks { traffic: stored.checks.map_or(Toggle::Off, |checks| checks.traffic) },
        // How long to wait is a matter of who waits.
        timeouts: now.timeouts.clone(),
        hooks: now.hooks.clone(),
        keep: now.keep,
        runner: stored.runner,
        restart: stored.restart,
        layout_inputs: stored.layout_inputs,
        hosts,
        nodes,
        elsewhere: now.elsewhere.clone(),
        removed: now.removed.clone(),
    };
    verify(&cluster)?;
    if cluster.name != now.name {
        return Err(format!("it is of the cluster {}, not {}", cluster.name, now.name));
    }
    Ok(Recorded { cluster, removed_hosts: left })
}

fn host(host: &stored::Host, now: &Cluster) -> cluster::Host {
    let name = host.name.as_str();
    let prefix = host.prefix.as_str().to_owned();
    let (address, enabled) = (host.address, host.enabled);
    if let Some(today) = now.hosts.iter().find(|h| h.name == name) {
        // A release is found below the base folder of today, and may have had its nodes elsewhere.
        let spool = if host.spool == host.base { today.base.clone() } else { host.spool.as_str().to_owned() };
        return cluster::Host { address, enabled, prefix, spool, ..today.clone() };
    }
    let way =
        former(now, &host.removed_host()).unwrap_or_else(|_| Former { name: name.to_owned(), ..now.elsewhere.clone() });
    cluster::Host {
        name: way.name,
        address,
        local: false,
        enabled,
        prefix: way.prefix,
        base: way.base,
        spool: way.spool,
        ssh: way.ssh,
    }
}

fn zeek(zeek: stored::Zeek) -> cluster::Zeek {
    let span = |span: Option<stored::Span>| span.map(|span| span.0);
    let store = |store: stored::Store| cluster::Store {
        master_node: store.master_node,
        backend: store.backend,
        path: store.path.map(|path| path.as_str().to_owned()),
        clone_resync_interval: span(store.clone_resync_interval),
        clone_stale_interval: span(store.clone_stale_interval),
        clone_mutation_buffer_interval: span(store.clone_mutation_buffer_interval),
    };
    cluster::Zeek {
        version: zeek.version,
        backend: zeek.backend,
        curve: zeek.curve,
        tls: zeek.tls.map(|tls| cluster::Tls {
            ca: EnvValue::Elsewhere,
            certificate: EnvValue::Elsewhere,
            key: EnvValue::Elsewhere,
            passphrase: tls.passphrase.map(|_| EnvValue::Elsewhere),
        }),
        accept_unencrypted_zeromq: zeek.accept_unencrypted_zeromq,
        site: None,
        site_data: zeek.site_data,
        scripts: zeek.scripts,
        local_networks: zeek.local_networks,
        options: zeek.options,
        stores: zeek.stores.into_iter().map(|(name, one)| (name, store(one))).collect(),
        global_hash_seed: zeek.global_hash_seed,
    }
}

fn node(node: stored::Node) -> cluster::Node {
    let option = |option: stored::AfPacketValue| match option {
        stored::AfPacketValue::Bool(value) => AfPacketValue::Bool(value),
        stored::AfPacketValue::Count(value) => AfPacketValue::Count(value),
        stored::AfPacketValue::Interval(span) => AfPacketValue::Interval(span.0),
        stored::AfPacketValue::Enum(text) => AfPacketValue::Enum(text),
    };
    let env = |env: stored::Env| match env {
        stored::Env::Plain(text) => EnvValue::Plain(text),
        stored::Env::SecretFile(_) | stored::Env::SecretEnv(_) => EnvValue::Elsewhere,
    };
    cluster::Node {
        name: node.name,
        role: node.role,
        host: node.host,
        group: node.group.as_str().to_owned(),
        index: node.index,
        ip: node.ip,
        port: node.port,
        metrics_port: node.metrics_port.map(|port| port.0),
        listen: node.listen,
        zone_id: node.zone_id,
        interface: node.interface,
        cpu: node.cpu,
        af_packet: node.af_packet.map(|settings| cluster::AfPacket {
            fanout_id: settings.fanout_id,
            options: settings.options.into_iter().map(|(name, one)| (name, option(one))).collect(),
        }),
        scripts: node.scripts,
        args: node.args,
        env: node.env.into_iter().map(|(name, one)| (name, env(one))).collect(),
        redefs: node.redefs,
        limits: cluster::Limits {
            nofile: node.limits.nofile,
            core: node.limits.core,
            memory: node.limits.memory,
            nice: node.limits.nice,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Recorded, recorded};
    use crate::cluster::{Cluster, EnvValue, Role};
    use crate::observed::Stored;

    /// A `cluster.json` as 312e525 wrote it: several kinds of nodes, a local host and a far one, environment, secrets,
    /// certificates, AF_PACKET.
    const WRITTEN: &str = include_str!("../../tests/data/deployed/cluster.json");

    /// A description of the same cluster, with other hosts.
    fn now(hosts: &str) -> Cluster {
        let text = format!(
            "cluster: fixture\nzeek: {{ prefix: /z, scripts: [] }}\npaths: {{ base: /b, spool: /s }}\n\
             ssh: {{ jump: gate, config: /c }}\nhosts: {{ here: {{ local: true, address: 127.0.0.1 }} }}\n{hosts}\n\
             nodes:\n  zeek: {{ type: standalone, host: here, interface: lo }}\n"
        );
        crate::cluster::check(&crate::spec::parse("c.yaml", text, "/".into())).unwrap()
    }

    fn read(text: &str, now: &Cluster) -> Result<Recorded, String> {
        Stored::parse(text).and_then(|stored| recorded(stored, now))
    }

    /// What the record becomes with one value replaced.
    fn with(pointer: &str, value: Value) -> Result<Recorded, String> {
        let mut json: Value = serde_json::from_str(WRITTEN).unwrap();
        *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        read(&json.to_string(), &now(""))
    }

    #[test]
    fn what_312e525_wrote_is_read() {
        let Recorded { cluster, removed_hosts: left } = read(WRITTEN, &now("")).unwrap();
        assert_eq!((cluster.hosts.len(), cluster.nodes.len()), (2, 8));
        assert_eq!(cluster.nodes.iter().filter(|n| n.role == Role::Worker).count(), 5);
        let worker = cluster.nodes.iter().find(|n| n.name == "worker-1").unwrap();
        assert_eq!(worker.env["TZ"], EnvValue::Plain("UTC".to_owned()));
        // Files and variables of the machine that deployed are nothing that another one looks for.
        assert!(worker.env["TOKEN"] == EnvValue::Elsewhere && worker.env["OTHER"] == EnvValue::Elsewhere);
        assert!(cluster.zeek.tls.is_some() && cluster.zeek.site.is_none());
        // A host that was not touched then did not leave.
        assert!(left.is_empty());
    }

    #[test]
    fn how_a_host_is_reached_is_the_descriptions_word() {
        let Recorded { cluster, .. } = read(WRITTEN, &now("")).unwrap();
        let host = |name: &str| cluster.hosts.iter().find(|h| h.name == name).unwrap();
        let (here, far) = (host("here"), host("far"));
        assert!(here.local && here.base == "/b");
        // Of one that left: name, host, port, user. The record has others for all the rest.
        assert_eq!(
            (far.ssh.host.as_str(), far.ssh.port, far.ssh.user.as_deref()),
            ("far.example.org", Some(2222), Some("zeek"))
        );
        assert_eq!((far.base.as_str(), far.spool.as_str(), far.prefix.as_str()), ("/b", "/s", "/z"));
        assert_eq!((far.ssh.jump.as_deref(), far.ssh.config.as_deref()), (Some("gate"), Some("/c")));
        assert!(far.ssh.identity.is_none() && far.ssh.known_hosts.is_none() && !far.local);
        // What the description lists as removed is as it lists it.
        let listed = now("removed: { far: { ssh: { host: other.example.org, identity: /k }, paths: { base: /f } } }");
        let Recorded { cluster, .. } = read(WRITTEN, &listed).unwrap();
        let far = cluster.hosts.iter().find(|h| h.name == "far").unwrap();
        assert_eq!((far.ssh.host.as_str(), far.ssh.identity.as_deref()), ("other.example.org", Some("/k")));
        assert_eq!((far.base.as_str(), far.spool.as_str()), ("/f", "/s"));
    }

    #[test]
    fn a_record_makes_no_host_of_this_machine() {
        let mut json: Value = serde_json::from_str(WRITTEN).unwrap();
        json["cluster"]["hosts"][0]["local"] = json!(true);
        json["cluster"]["hosts"][0]["enabled"] = json!(true);
        let Recorded { cluster, removed_hosts: left } = read(&json.to_string(), &now("")).unwrap();
        assert!(!cluster.hosts[0].local && left[0].way.is_err());
        assert!(super::former(&now(""), &left[0]).is_err());
        // Not even where it gives the name of a host that the description reaches by SSH.
        let mut json: Value = serde_json::from_str(WRITTEN).unwrap();
        json["cluster"]["hosts"][1]["local"] = json!(true);
        let text = "cluster: fixture\nhosts: { here: { address: 10.0.0.1 } }\n\
                    nodes: { zeek: { type: standalone, interface: lo } }\n";
        let ssh = crate::cluster::check(&crate::spec::parse("c.yaml", text.to_owned(), "/".into())).unwrap();
        assert!(read(&json.to_string(), &ssh).unwrap().cluster.hosts.iter().all(|h| !h.local));
    }

    #[test]
    fn what_no_description_could_say_is_refused_with_its_place() {
        let cases = [
            ("/format", json!(2)),
            ("/format", json!(u64::MAX)),
            ("/cluster/name", json!("../x")),
            ("/cluster/name", json!("another")),
            ("/cluster/hosts", json!([])),
            ("/cluster/hosts/0/name", json!("here")),
            ("/cluster/hosts/0/name", json!("\u{1b}[2J")),
            ("/cluster/hosts/0/name", json!("a\u{0}b")),
            ("/cluster/hosts/0/base", json!("relative")),
            ("/cluster/hosts/0/base", json!("/a/../../etc")),
            ("/cluster/hosts/0/spool", json!("/a\n/b")),
            ("/cluster/hosts/0/address", json!("sensor1")),
            ("/cluster/hosts/0/ssh/port", json!(65_536)),
            ("/cluster/nodes/0/host", json!(2)),
            ("/cluster/nodes/0/host", json!(u64::MAX)),
            ("/cluster/nodes/0/host", json!(-1)),
            ("/cluster/nodes/0/name", json!("../../x")),
            ("/cluster/nodes/0/name", json!("manager")),
            ("/cluster/nodes/0/role", json!("king")),
            ("/cluster/nodes/0/interface", json!("-x")),
            ("/cluster/nodes/0/zone_id", json!("a b")),
            ("/cluster/nodes/0/args", json!([""])),
            ("/cluster/nodes/0/args", json!(["a\nb"])),
            ("/cluster/nodes/0/env", json!({ "A B": { "Plain": "x" } })),
            ("/cluster/nodes/0/redefs", json!({ "a; b": { "Expr": "x" } })),
            ("/cluster/nodes/0/limits/nice", json!(127)),
            ("/cluster/logs/rotate", json!({ "secs": u64::MAX, "nanos": 0 })),
            ("/cluster/logs/rotate", json!({ "secs": 1, "nanos": u32::MAX })),
            ("/cluster/logs/expire", json!({ "secs": u64::MAX, "nanos": 999_999_999 })),
            ("/cluster/ports/control", json!(0)),
            ("/cluster/logs/archive", json!("relative")),
            ("/cluster/ports/base", json!(70_000)),
            ("/cluster", json!(null)),
        ];
        for (pointer, value) in cases {
            let shown = value.to_string();
            assert!(with(pointer, value).is_err(), "{pointer} = {shown}");
        }
        assert!(with("/cluster/nodes/0/host", json!(7)).unwrap_err().contains("host number 7"));
        for text in
            ["", "{}", "null", "[]", "{\"format\":1}", &"[".repeat(100_000), &"{\"a\":".repeat(100_000), "\u{0}"]
        {
            assert!(read(text, &now("")).is_err());
        }
    }

    /// What is not looked at can be as it likes.
    #[test]
    fn the_rest_of_the_way_is_not_even_read() {
        let forever = json!({ "secs": u64::MAX, "nanos": u32::MAX });
        for (key, value) in [
            ("persist", forever.clone()),
            ("connect_timeout", forever),
            ("known_hosts", json!("/dev/null")),
            ("jump", json!("x\n  ProxyCommand id")),
            ("config", json!({ "a": 1 })),
            ("identity", json!(["x"])),
        ] {
            let read = with(&format!("/cluster/hosts/0/ssh/{key}"), value).unwrap();
            assert!(!format!("{:?}", read.cluster.hosts).contains("ProxyCommand"));
        }
    }

    /// What is written now is what is read, but for what is not taken from a host.
    #[test]
    fn what_is_written_now_is_read_as_it_was() {
        let text = "cluster: fixture\nzeek: { backend: zeromq, version: '8.2', scripts: [local], env: { A: b }, \
                    local_networks: { 10.0.0.0/8: x }, options: { retry_interval: 2s }, \
                    stores: { a: { backend: sqlite, path: /d, clone_stale_interval: 5m } }, \
                    redefs: { 'A::b': { add: [1, 2.5, x, true] } } }\n\
                    logs: { archive: /a, expire: 30d, compress: zstd }\nrunner: systemd\nrestart: never\nlayout: full\n\
                    hosts: { a: { address: 10.0.0.1 }, b: { address: 'fe80::1', zone_id: eth0 } }\n\
                    nodes:\n  manager: { type: manager, host: a }\n  logger: { type: logger, host: a, count: 2 }\n  \
                    proxy: { type: proxy, host: a, count: 1 }\n  \
                    worker: { type: worker, hosts: [a, b], interface: af_packet::eth1, count: 2, pin_cpus: 2-3, \
                    af_packet: { buffer_size: 1MiB, block_timeout: 10ms, enable_defrag: true, fanout_mode: FANOUT_HASH }, \
                    limits: { nofile: 1000, core: 1GiB, nice: -5 } }\n";
        let now = crate::cluster::check(&crate::spec::parse("c.yaml", text.to_owned(), "/".into())).unwrap();
        let json = json!({ "format": crate::release::FORMAT, "cluster": now });
        assert_eq!(read(&json.to_string(), &now).unwrap().cluster, now);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

        /// Whatever one value is replaced with: it is refused, or no index of it leads nowhere.
        #[test]
        fn no_value_makes_it_panic(at in any::<prop::sample::Index>(), number in any::<i64>(), text in "\\PC{0,20}|[\\x00-\\x20]{1,3}", kind in 0..5) {
            let mut json: Value = serde_json::from_str(WRITTEN).unwrap();
            let mut places = Vec::new();
            pointers(&json, String::new(), &mut places);
            let value = match kind {
                0 => json!(number),
                1 => json!(text),
                2 => json!(null),
                3 => json!([]),
                _ => json!({ text: number }),
            };
            *json.pointer_mut(at.get::<String>(&places)).unwrap() = value;
            if let Ok(Recorded { cluster, .. }) = read(&json.to_string(), &now("")) {
                for node in &cluster.nodes {
                    prop_assert!(!cluster.host_of(node).base.is_empty());
                }
                prop_assert!(cluster.hosts.iter().all(|h| h.local == (h.name == "here")));
                let _ = cluster.timeouts.stop + cluster.timeouts.ready + cluster.logs.rotate + cluster.logs.late;
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = read(&text, &now(""));
        }
    }

    fn pointers(json: &Value, here: String, all: &mut Vec<String>) {
        match json {
            Value::Object(map) => map.iter().for_each(|(key, value)| {
                pointers(value, format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, value)| pointers(value, format!("{here}/{at}"), all));
            }
            _ => {}
        }
        if !here.is_empty() {
            all.push(here);
        }
    }
}
