//! What is written for each Zeek version, against files in `tests/golden/`; `UPDATE_GOLDEN=1` writes them anew.

mod check;
mod fixture;
mod real;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use clusterctl::cluster::{Backend, Cluster, Role};
use clusterctl::values::Version;
use clusterctl::zeek;
use proptest::prelude::*;

use crate::support::lacks;
use fixture::{bare, full, host, node, standalone, version};

const VERSIONS: [&str; 12] = ["3.0", "4.0", "5.0", "6.0", "6.2", "7.0", "7.1", "7.2", "8.0", "8.1", "8.2", "9.0"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The backends that a version has.
fn backends(version: Version) -> Vec<Backend> {
    if version < Version::new(7, 1) { vec![Backend::Broker] } else { vec![Backend::Broker, Backend::Zeromq] }
}

/// The files for one version, by their names below its folder.
fn files(v: Version) -> Vec<(String, String)> {
    let cluster = full(v, None);
    let worker = cluster.nodes.iter().find(|n| n.name == "dmz-sensor1-1").unwrap();
    let mut files = vec![
        ("cluster-layout.zeek".to_owned(), zeek::layout(&cluster, v)),
        ("standalone.zeek".to_owned(), zeek::options_script(&standalone(), v)),
        ("worker.zeek".to_owned(), zeek::node_script(&cluster, worker, v).unwrap()),
    ];
    let mut lines = String::new();
    for backend in backends(v) {
        let cluster = full(v, Some(backend));
        files.push((format!("options-{}.zeek", backend.name()), zeek::options_script(&cluster, v)));
        for node in &cluster.nodes {
            if matches!(node.name.as_str(), "manager" | "logger-2" | "dmz-sensor1-1") {
                let line = zeek::command_line(&cluster, node, v).join(" ");
                writeln!(lines, "{} {}: {line}", backend.name(), node.name).unwrap();
            }
        }
    }
    files.push(("command-lines.txt".to_owned(), lines));
    files
}

#[test]
fn what_is_written_for_each_version() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for v in VERSIONS {
        let folder = folder().join(v);
        let mut names = Vec::new();
        for (name, text) in files(version(v)) {
            let path = folder.join(&name);
            if update {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&path, &text).unwrap();
            }
            let golden = fs::read_to_string(&path).unwrap_or_default();
            assert!(golden == text, "{} differs:\n{}", path.display(), similar(&golden, &text));
            names.push(name);
        }
        for entry in fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(names.contains(&name), "{v}/{name} is written by nothing");
        }
    }
}

fn similar(old: &str, new: &str) -> String {
    old.lines().zip(new.lines()).find(|(a, b)| a != b).map_or_else(String::new, |(a, b)| format!("- {a}\n+ {b}"))
}

#[test]
fn nothing_is_wrong_with_what_is_written() {
    for v in VERSIONS {
        for backend in backends(version(v)) {
            let problems = zeek::check(&full(version(v), Some(backend)), version(v));
            assert!(problems.is_empty(), "{v} {backend:?}: {problems:?}");
        }
        assert!(zeek::check(&standalone(), version(v)).is_empty());
    }
}

/// Zeek's own formatter parses everything, and finds nothing wrong with the syntax.
#[test]
fn zeek_format_parses_every_file() {
    let program = std::env::var_os("ZEEK_FORMAT").unwrap_or_else(|| "zeek-format".into());
    let lacking = Command::new(&program).arg("--help").output().is_err();
    if lacks("no zeek-format", "pip install zeekscript, and name its path in ZEEK_FORMAT", lacking) {
        return;
    }
    // It takes many files only where it may write them.
    let parse = |files: &[(String, String)]| -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut command = Command::new(&program);
        let out = command.args(["--inplace", "--recursive"]).arg(folder.path()).output().map_err(|e| e.to_string())?;
        let words = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).trim().to_owned();
        if out.status.success() { Ok(words) } else { Err(words) }
    };
    let broken = parse(&[("broken.zeek".to_owned(), "redef a = ;\n".to_owned())]).unwrap_err();
    assert!(broken.contains("cannot parse"), "{broken}");
    let mut files = Vec::new();
    for v in VERSIONS {
        files.push((format!("{v}-agent.zeek"), zeek::agent_script(&standalone(), version(v))));
        for entry in fs::read_dir(folder().join(v)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "zeek") {
                let name = format!("{v}-{}", path.file_name().unwrap().to_str().unwrap());
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert_eq!(parse(&files), Ok(format!("{} files processed, 0 errors", files.len())));
}

#[test]
fn ten_thousand_nodes_take_no_time() {
    let hosts: Vec<_> = (0..200).map(|i| host(&format!("sensor{i}"), &format!("10.0.1.{i}"))).collect();
    let mut nodes = vec![
        node("logger-1", Role::Logger, &hosts, 0, 27_761),
        node("manager", Role::Manager, &hosts, 0, 27_760),
        node("proxy-1", Role::Proxy, &hosts, 0, 27_780),
    ];
    nodes.extend((0..10_000).map(|i| node(&format!("worker-{i}"), Role::Worker, &hosts, i % 200, 27_800)));
    let cluster = bare(hosts, nodes);
    let start = Instant::now();
    let text = zeek::layout(&cluster, version("7.0"));
    let entries = zeek::LayoutEntries::new(&cluster, version("7.0"));
    assert!(cluster.nodes.iter().all(|n| text.contains("worker") && !entries.of(n).is_empty()));
    // Some 50 ms in a release build are promised; this is far from what anything quadratic would take.
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(text.lines().filter(|l| l.starts_with("\t[\"")).count(), 10_003);
}

/// The fields of an entry as they stand in the layout.
fn fields(line: &str) -> Vec<&str> {
    line.split('$').skip(1).map(|f| f.split('=').next().unwrap()).collect()
}

fn any_cluster() -> impl Strategy<Value = Cluster> {
    let sizes = (0usize..3, 1usize..3, 0usize..30, 1usize..5, any::<bool>(), any::<bool>(), any::<bool>());
    sizes.prop_map(|(loggers, proxies, workers, hosts, ipv6, time_machine, metrics)| {
        let prefix = if ipv6 { "2001:db8::" } else { "10.0.0." };
        let hosts: Vec<_> = (0..hosts).map(|i| host(&format!("h{i}"), &format!("{prefix}{}", i + 1))).collect();
        let on = |i: usize| i % hosts.len();
        let port = |base: u16, i: usize| base + u16::try_from(i).unwrap();
        let mut nodes = Vec::new();
        let mut add = |count: usize, role: Role, base: u16| {
            let named = |i: usize| format!("{}-{}", role.name(), i + 1);
            nodes.extend((0..count).map(|i| node(&named(i), role, &hosts, on(i), port(base, i))));
        };
        add(loggers, Role::Logger, 27_761);
        add(1, Role::Manager, 27_760);
        add(proxies, Role::Proxy, 27_780);
        add(workers, Role::Worker, 27_800);
        add(usize::from(time_machine), Role::TimeMachine, 27_799);
        for node in nodes.iter_mut().filter(|_| !metrics) {
            node.metrics_port = None;
        }
        bare(hosts, nodes)
    })
}

proptest! {
    #[test]
    fn every_node_stands_once_and_has_only_what_the_version_has(
        cluster in any_cluster(),
        v in prop::sample::select(VERSIONS.as_slice()),
    ) {
        let v = version(v);
        let text = zeek::layout(&cluster, v);
        prop_assert_eq!(&text, &zeek::layout(&cluster.clone(), v));
        let is_logger = if cluster.nodes.iter().any(|n| n.role == Role::Logger) { "F" } else { "T" };
        prop_assert!(text.ends_with(&format!("}};\n\nredef Cluster::manager_is_logger = {is_logger};\n")), "{text}");
        prop_assert_eq!(text.matches("redef").count(), 2);
        let entries: Vec<&str> = text.lines().filter(|l| l.starts_with('\t')).collect();
        prop_assert_eq!(entries.len(), cluster.nodes.len());
        let time_machine = cluster.nodes.iter().any(|n| n.role == Role::TimeMachine);
        for (node, line) in cluster.nodes.iter().zip(entries) {
            let start = format!("\t[\"{}\"] = [$node_type=Cluster::", node.name);
            prop_assert!(line.starts_with(&start), "{line}");
            prop_assert_eq!(line, format!("\t{},", zeek::layout_entry(&cluster, node, v)));
            let worker = node.role == Role::Worker;
            let mut wanted = vec!["node_type", "ip"];
            if !worker || v < version("4.0") {
                wanted.push("p");
            }
            if worker && v < version("7.1") {
                wanted.push("interface");
            }
            if worker || node.role == Role::Proxy {
                wanted.push("manager");
            }
            if worker && time_machine && v < version("7.1") {
                wanted.push("time_machine");
            }
            if node.metrics_port.is_some() && node.role.runs() && v >= version("7.0") {
                wanted.push("metrics_port");
            }
            prop_assert_eq!(fields(line), wanted);
        }
    }

    #[test]
    fn json_and_mermaid_have_every_node(cluster in any_cluster(), v in prop::sample::select(VERSIONS.as_slice())) {
        let json = zeek::layout_json(&cluster, version(v));
        let names: Vec<&str> = json["nodes"].as_array().unwrap().iter().map(|n| n["name"].as_str().unwrap()).collect();
        let wanted: Vec<&str> = cluster.nodes.iter().map(|n| n.name.as_str()).collect();
        prop_assert_eq!(names, wanted);
        let mermaid = zeek::layout_mermaid(&cluster, version(v));
        for (i, node) in cluster.nodes.iter().enumerate() {
            let shape = format!("    n{i}[\"{}", node.name);
            prop_assert_eq!(mermaid.lines().filter(|l| l.starts_with(&shape)).count(), 1);
        }
    }
}

#[test]
fn topics_by_version_and_backend() {
    let topic = |v: &str, backend: Backend, own: bool| {
        let mut cluster = full(version(v), Some(backend));
        if !own {
            cluster.zeek.options.clear();
        }
        zeek::topics(&cluster, version(v), backend).node("worker-1")
    };
    let (broker, zeromq) = (Backend::Broker, Backend::Zeromq);
    assert_eq!(topic("3.0", broker, false), "zeek/cluster/node/worker-1");
    assert_eq!(topic("6.0", broker, false), "zeek/cluster/node/worker-1/");
    assert_eq!(topic("7.0", broker, false), "zeek/cluster/node/manager/", "the manager passes it on");
    assert_eq!(topic("7.2", broker, false), "zeek/cluster/node/worker-1/");
    assert_eq!(topic("7.2", zeromq, false), "zeek.cluster.node.worker-1.");
    assert_eq!(topic("8.0", broker, true), "campus/node/worker-1/");
    assert_eq!(topic("8.0", zeromq, true), "campus/node/.worker-1.");
}

#[test]
fn who_can_be_asked() {
    use clusterctl::cluster::{Redef, ZeekValue};
    use zeek::Live;
    let several = full(version("7.0"), None);
    let live = |cluster: &Cluster, v: &str| zeek::live(cluster, version(v));
    for v in ["8.0", "8.1", "8.2", "9.0"] {
        assert_eq!(live(&several, v), Live::Full);
    }
    assert_eq!(live(&several, "7.2"), Live::OneAtATime);
    assert!(matches!(live(&several, "6.2"), Live::None(why) if why.contains("Zeek 6.2 can't be asked")));
    // A WebSocket without TLS would take it from the nodes too: only where that is nothing, or wanted.
    assert!(matches!(live(&several, "7.0"), Live::None(why) if why.contains("Broker::disable_ssl")));
    assert!(!zeek::options_script(&several, version("7.0")).contains("disable_ssl"));
    let mut wanted = several.clone();
    for node in &mut wanted.nodes {
        node.redefs.insert("Broker::disable_ssl".to_owned(), Redef::Set(ZeekValue::Bool(true)));
    }
    let mut loopback = several.clone();
    for node in &mut loopback.nodes {
        node.ip = "127.0.0.1".parse().unwrap();
    }
    for cluster in [wanted, loopback] {
        assert_eq!(live(&cluster, "7.0"), Live::OneAtATime);
        let script = zeek::options_script(&cluster, version("7.0"));
        assert!(script.contains("redef Broker::disable_ssl = T;"), "{script}");
        assert!(script.contains("Broker::listen_websocket(\"127.0.0.1\", 27759/tcp)"), "{script}");
    }
}
