//! A real Zeek reads what is written for it, where `$CLUSTERCTL_ZEEK` names its prefix.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clusterctl::cluster::{Backend, Cluster, Metrics, Node, Role};
use clusterctl::control::{Conversation, NodeStatus, StatusQuestion};
use clusterctl::values::Version;
use clusterctl::zeek;
use tokio::net::TcpStream;

use super::fixture::{bare, full, host, node, standalone};

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn write_scripts(folder: &Path, cluster: &Cluster, node: &Node, v: Version) {
    write(&folder.join(zeek::LAYOUT_PATH), &zeek::layout(cluster, v));
    write(&folder.join(zeek::OPTIONS_PATH), &zeek::options_script(cluster, v));
    write(&folder.join(zeek::AGENT_PATH), &zeek::agent_script(cluster, v));
    if let Some(script) = zeek::node_script(cluster, node, v) {
        write(&folder.join(zeek::node_script_path(&node.name)), &script);
    }
}

fn version_of(prefix: &str) -> Version {
    let out = Command::new(format!("{prefix}/bin/zeek")).arg("--version").output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().rsplit(' ').next().unwrap().parse().unwrap()
}

/// Has a node's scripts parsed; an error's text is what Zeek said.
fn parse(prefix: &str, cluster: &Cluster, node: &Node, v: Version) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    write_scripts(folder.path(), cluster, node, v);
    let out = Command::new(format!("{prefix}/bin/zeek"))
        .arg("--parse-only")
        .args(zeek::command_line(cluster, node, v))
        .current_dir(folder.path())
        .env("ZEEKPATH", format!("{}:{}", folder.path().display(), zeek::zeekpath(prefix)))
        .env("ZEEKCTL_CHECK_CONFIG", "1")
        .env("ZEEKCTL_DISABLE_LISTEN", "1")
        .envs(zeek::environment(cluster, node, v))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&out.stderr).into_owned();
    if out.status.success() && !words.contains("error") && !words.contains("warning") {
        Ok(())
    } else {
        Err(format!("{} {:?}: {}\n{words}", node.name, zeek::backend(cluster, v), out.status))
    }
}

#[test]
fn a_real_zeek_reads_it() {
    let Ok(prefix) = std::env::var("CLUSTERCTL_ZEEK") else {
        eprintln!("SKIPPED: no real Zeek, as CLUSTERCTL_ZEEK is not set");
        return;
    };
    let v = version_of(&prefix);
    let mut failed = Vec::new();
    for backend in super::backends(v) {
        let mut cluster = full(v, Some(backend));
        let alone = {
            let mut alone = standalone();
            alone.zeek.backend = Some(backend);
            alone
        };
        for node in cluster.nodes.iter().filter(|n| n.role.runs()).chain(&alone.nodes) {
            let of = if node.role == Role::Standalone { &alone } else { &cluster };
            failed.extend(parse(&prefix, of, node, v).err());
        }
        // Without loggers the manager writes the logs.
        cluster.nodes.retain(|n| n.role != Role::Logger);
        let manager = cluster.manager().unwrap();
        failed.extend(parse(&prefix, &cluster, manager, v).err());
        // The test's own proof that it can fail.
        let mut broken = cluster.clone();
        broken.zeek.scripts.push("no-such-script".to_owned());
        assert!(parse(&prefix, &broken, broken.manager().unwrap(), v).is_err());
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The nodes of a running cluster; dropped, they are killed.
struct Running(Vec<(String, Child)>);

impl Drop for Running {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// So many ports that are free now, on loopback.
fn free_ports(count: usize) -> Vec<u16> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|l| l.local_addr().unwrap().port()).collect()
}

fn on_loopback(v: Version, backend: Backend, address: &str) -> Cluster {
    let hosts = vec![host("here", address)];
    let roles = [
        ("logger-1", Role::Logger),
        ("manager", Role::Manager),
        ("proxy-1", Role::Proxy),
        ("worker-1", Role::Worker),
        ("worker-2", Role::Worker),
    ];
    let ports = free_ports(2 * roles.len() + 3);
    let nodes = roles.iter().zip(ports.chunks(2)).map(|(&(name, role), ports)| {
        let mut node = node(name, role, &hosts, 0, ports[0]);
        node.metrics_port = Some(ports[1]);
        node.interface = (name == "worker-1").then(|| "lo".to_owned());
        node
    });
    let mut cluster = bare(hosts.clone(), nodes.collect());
    cluster.zeek.backend = Some(backend);
    cluster.zeek.scripts = Vec::new();
    cluster.metrics = Metrics::Node;
    [cluster.ports.control, cluster.ports.xpub, cluster.ports.xsub] = ports[2 * roles.len()..].try_into().unwrap();
    assert!(zeek::check(&cluster, v).is_empty());
    cluster
}

/// Starts all nodes and waits until they run.
fn start(prefix: &str, cluster: &Cluster, v: Version, base: &Path) -> Running {
    let release = base.join("release");
    fs::create_dir_all(base.join("log-queue")).unwrap();
    let mut running = Running(Vec::new());
    for node in &cluster.nodes {
        write_scripts(&release, cluster, node, v);
        let folder = base.join("nodes").join(&node.name);
        fs::create_dir_all(&folder).unwrap();
        let child = Command::new(format!("{prefix}/bin/zeek"))
            .args(zeek::command_line(cluster, node, v))
            .current_dir(&folder)
            .env("ZEEKPATH", format!("{}:{}", release.display(), zeek::zeekpath(prefix)))
            .envs(zeek::environment(cluster, node, v))
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        running.0.push((node.name.clone(), child));
    }
    let deadline = Instant::now() + Duration::from_secs(120);
    for (name, child) in &mut running.0 {
        let folder = base.join("nodes").join(&*name);
        while !fs::read_to_string(folder.join(".status")).unwrap_or_default().starts_with("RUNNING") {
            let words = fs::read_to_string(folder.join("stderr")).unwrap();
            assert!(child.try_wait().unwrap().is_none(), "{name} died: {words}");
            assert!(Instant::now() < deadline, "{name} does not run: {words}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    running
}

/// Asks until the manager counts all workers and everyone sees who there is to see, for at most a minute.
async fn ask(cluster: &Cluster, v: Version) -> BTreeMap<String, NodeStatus> {
    let topics = zeek::topics(cluster, v, zeek::backend(cluster, v));
    let nodes: Vec<_> = cluster.nodes.iter().map(|n| (n.name.clone(), topics.node(&n.name))).collect();
    let manager = &cluster.manager().unwrap().name;
    let workers = cluster.nodes.iter().filter(|n| n.role == Role::Worker).count();
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let stream = TcpStream::connect(("127.0.0.1", cluster.ports.control)).await.unwrap();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        let question = StatusQuestion::unique();
        let asked = match Conversation::open(stream, topics.answers, &question, deadline).await {
            Ok(conversation) => conversation.ask(&nodes, deadline).await,
            Err(e) => panic!("{e}"),
        };
        let answered: BTreeMap<String, NodeStatus> =
            asked.nodes.iter().filter_map(|(name, said)| Some((name.clone(), said.as_ref().ok()?.clone()))).collect();
        // Workers need not see each other: with Broker they don't.
        let sees_all = |n: &NodeStatus| {
            n.peers.len() + 1 + usize::from(n.node_type == "worker") * workers.saturating_sub(1) >= nodes.len()
        };
        if answered.len() == nodes.len()
            && answered.values().all(sees_all)
            && answered[manager].workers == workers as u64
        {
            return answered;
        }
        assert!(Instant::now() < end, "{asked:?}");
    }
}

/// Starts a cluster of the version's scripts and asks it.
async fn runs_and_answers(prefix: &str, v: Version, backend: Backend, address: &str) {
    let base = tempfile::tempdir().unwrap();
    let cluster = on_loopback(v, backend, address);
    let running = start(prefix, &cluster, v, base.path());
    let answers = ask(&cluster, v).await;
    for (name, child) in &running.0 {
        let status = &answers[name];
        assert_eq!(status.pid, u64::from(child.id()));
        assert!(status.memory > 20_000_000, "{status:?}");
        assert!(status.uptime > 0.0 && status.uptime < 300.0, "{status:?}");
    }
    let peers = |name: &str| answers[name].peers.join(" ");
    assert_eq!(peers("manager"), "logger-1 proxy-1 worker-1 worker-2");
    assert!(peers("worker-1").starts_with("logger-1 manager proxy-1"), "{}", peers("worker-1"));
    assert_eq!(answers["worker-1"].node_type, "worker");
    for node in &cluster.nodes {
        let metrics = SocketAddr::new(node.ip, node.metrics_port.unwrap());
        assert!(TcpStream::connect(metrics).await.is_ok(), "{} has no metrics on {metrics}", node.name);
    }
    let stderr = fs::read_to_string(base.path().join("nodes/manager/stderr")).unwrap();
    assert!(!stderr.contains("warning") || v != version_of(prefix), "{stderr}");
}

#[tokio::test]
async fn a_real_cluster_answers() {
    let Ok(prefix) = std::env::var("CLUSTERCTL_ZEEK") else {
        eprintln!("SKIPPED: no real Zeek, as CLUSTERCTL_ZEEK is not set");
        return;
    };
    let v = version_of(&prefix);
    for backend in super::backends(v) {
        runs_and_answers(&prefix, v, backend, "127.0.0.1").await;
        if backend == Backend::Broker || v >= Version::new(8, 0) {
            runs_and_answers(&prefix, v, backend, "::1").await;
        }
    }
    // It still has the WebSocket of the versions before 7.2 and can stand in for them.
    if v == Version::new(8, 0) {
        runs_and_answers(&prefix, Version::new(7, 1), Backend::Broker, "127.0.0.1").await;
    }
}

#[tokio::test]
async fn a_real_standalone_zeek_answers() {
    let Ok(prefix) = std::env::var("CLUSTERCTL_ZEEK") else {
        eprintln!("SKIPPED: no real Zeek, as CLUSTERCTL_ZEEK is not set");
        return;
    };
    let v = version_of(&prefix);
    for backend in super::backends(v) {
        let base = tempfile::tempdir().unwrap();
        let mut cluster = standalone();
        cluster.zeek.backend = Some(backend);
        cluster.zeek.scripts = Vec::new();
        let ports = free_ports(3);
        [cluster.ports.control, cluster.ports.xpub, cluster.ports.xsub] = ports.try_into().unwrap();
        cluster.nodes[0].interface = Some("lo".to_owned());
        cluster.nodes[0].metrics_port = None;
        let running = start(&prefix, &cluster, v, base.path());
        let answers = ask(&cluster, v).await;
        let status = &answers["zeek"];
        assert_eq!((status.node_type.as_str(), status.pid), ("standalone", u64::from(running.0[0].1.id())));
    }
}
