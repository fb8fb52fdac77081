//! A cluster of stand-ins on loopback, in a folder of its own.

use std::collections::HashMap;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Client, request};

/// How long anything may take before a test gives up.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Waits until something is so.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Free ports; they are taken from the system and given back, all at once so that they differ.
pub(crate) fn ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|l| l.local_addr().unwrap().port())
}

/// A cluster of manager, logger-1, proxy-1, worker-1 and worker-2, as the recordings were made with.
pub(crate) struct Cluster {
    dir: tempfile::TempDir,
    nodes: HashMap<String, Child>,
    pub control: u16,
    pub zeromq: bool,
    /// Whether the manager passes requests on.
    relays: bool,
    /// Further environment of all nodes.
    pub env: Vec<(String, String)>,
}

pub(crate) const NODES: [&str; 5] = ["logger-1", "manager", "proxy-1", "worker-1", "worker-2"];

const AGENT: &str = r#"
@load policy/frameworks/control/controllee
redef Control::controllee_listen = F;
module Clusterctl;
export {
	const node = Cluster::node &redef;
	global status_request: event(request: string);
	global status_response: event(request: string, node: string, status: string);
}
event Clusterctl::status_request(request: string)
	{
	local s = table(["node"] = Cluster::node);
	Cluster::publish("zeek/control/clusterctl/" + Cluster::node, Clusterctl::status_response, request, Cluster::node, to_json(s));
	}
"#;

/// Where the WebSocket is Broker's own, the manager passes requests and answers on.
const RELAY: &str = r#"
event Clusterctl::status_response(request: string, name: string, status: string)
	{
	Cluster::publish("zeek/control/clusterctl/" + name, Clusterctl::status_response, request, name, status);
	}
"#;

impl Cluster {
    /// Writes a cluster's files; nothing runs yet.
    pub(crate) fn new(version: &str, zeromq: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        for sub in ["zeek/bin", "zeek/etc", "site/clusterctl", "nodes"] {
            std::fs::create_dir_all(path.join(sub)).unwrap();
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_zeek-sim"), path.join("zeek/bin/zeek")).unwrap();
        let [logger, manager, proxy, one, two, publish, hear, control, other] = ports();
        let layout = format!(
            "redef Cluster::nodes = {{\n\
             \t[\"control\"] = [$node_type=Cluster::CONTROL, $ip=127.0.0.1, $p={other}/tcp],\n\
             \t[\"logger-1\"] = [$node_type=Cluster::LOGGER, $ip=127.0.0.1, $p={logger}/tcp],\n\
             \t[\"manager\"] = [$node_type=Cluster::MANAGER, $ip=127.0.0.1, $p={manager}/tcp],\n\
             \t[\"proxy-1\"] = [$node_type=Cluster::PROXY, $ip=127.0.0.1, $p={proxy}/tcp, $manager=\"manager\"],\n\
             \t[\"worker-1\"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1, $p={one}/tcp, $manager=\"manager\"],\n\
             \t[\"worker-2\"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1, $p={two}/tcp, $manager=\"manager\"],\n}};\n\
             redef Cluster::manager_is_logger = F;\n"
        );
        let listen = match version {
            v if v.starts_with("7.2") => {
                format!("Cluster::listen_websocket([$listen_host=\"127.0.0.1\", $listen_port={control}/tcp]);")
            }
            v if v.starts_with("7.0") || v.starts_with("7.1") => {
                format!("Broker::listen_websocket(\"127.0.0.1\", {control}/tcp);")
            }
            _ => format!("Cluster::listen_websocket([$listen_addr=127.0.0.1, $listen_port={control}/tcp]);"),
        };
        let mut backend = String::new();
        if zeromq {
            backend = format!(
                "@load policy/frameworks/cluster/backend/zeromq/connect\n\
                 redef Cluster::Backend::ZeroMQ::listen_xpub_endpoint = \"tcp://127.0.0.1:{hear}\";\n\
                 redef Cluster::Backend::ZeroMQ::listen_xsub_endpoint = \"tcp://127.0.0.1:{publish}\";\n\
                 redef Cluster::Backend::ZeroMQ::connect_xpub_endpoint = \"tcp://127.0.0.1:{publish}\";\n\
                 redef Cluster::Backend::ZeroMQ::connect_xsub_endpoint = \"tcp://127.0.0.1:{hear}\";\n"
            );
        } else if ["8.1", "8.2", "9."].iter().any(|v| version.starts_with(v)) {
            backend = "@load frameworks/cluster/backend/broker\n".into();
        }
        let ws = format!(
            "{backend}@load clusterctl/agent\n@load ./research\n\
             @if ( Cluster::local_node_type() == Cluster::MANAGER )\n\
             event zeek_init()\n\t{{\n\t{listen}\n\t}}\n@endif\n"
        );
        let cluster = Self {
            nodes: HashMap::new(),
            control,
            zeromq,
            relays: version.starts_with("7.0") || version.starts_with("7.1"),
            env: Vec::new(),
            dir,
        };
        cluster.write("site/cluster-layout.zeek", &layout);
        let relay = if cluster.relays { RELAY } else { "" };
        let publish = if version.starts_with("7.0") { "Broker::publish" } else { "Cluster::publish" };
        cluster.write("site/clusterctl/agent.zeek", &format!("{AGENT}{relay}").replace("Cluster::publish", publish));
        cluster.write("site/research.zeek", "");
        cluster.write("site/ws.zeek", &ws);
        cluster.write("zeek/etc/zeek-sim.conf", &format!("version={version}\nready_ms=20\n"));
        for node in NODES {
            std::fs::create_dir(cluster.path(&format!("nodes/{node}"))).unwrap();
        }
        cluster
    }

    pub(crate) fn path(&self, of: &str) -> PathBuf {
        self.dir.path().join(of)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap_or_default()
    }

    /// The command that starts a node.
    pub(crate) fn command(&self, node: &str, args: &[&str]) -> Command {
        let mut command = Command::new(self.path("zeek/bin/zeek"));
        let work = self.path(&format!("nodes/{node}"));
        std::fs::create_dir_all(&work).unwrap();
        let open = |name: &str| std::fs::File::options().create(true).append(true).open(work.join(name)).unwrap();
        command
            .args(args)
            .current_dir(&work)
            .env("CLUSTER_NODE", node)
            .env("ZEEKPATH", self.path("site"))
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(open("stdout"))
            .stderr(open("stderr"));
        command
    }

    /// Starts a node.
    pub(crate) fn start(&mut self, node: &str) {
        let interface: &[&str] = if node == "worker-1" { &["-i", "lo"] } else { &[] };
        let args: Vec<&str> = interface.iter().chain(&["-U", ".status", "ws"]).copied().collect();
        let _ = std::fs::remove_file(self.path(&format!("nodes/{node}/.status")));
        let child = self.command(node, &args).spawn().unwrap();
        self.nodes.insert(node.into(), child);
    }

    /// Starts all nodes and waits until they know each other.
    pub(crate) fn start_all(&mut self) {
        for node in NODES {
            self.start(node);
        }
        self.settle();
    }

    pub(crate) fn status(&self, node: &str) -> String {
        self.read(&format!("nodes/{node}/.status"))
    }

    /// Waits until all nodes run and have seen all others that they can see.
    pub(crate) fn settle(&self) {
        for node in NODES {
            until(&format!("{node} to run"), || {
                let status = self.status(node);
                let stderr = self.read(&format!("nodes/{node}/stderr"));
                assert!(!status.starts_with("TERMINATED"), "{node}: {stderr}");
                (status == "RUNNING [run_loop]\n").then_some(())
            });
        }
        let mut client = until("the WebSocket server", || Client::connect(self.control).ok());
        client.hello(&["zeek/control"]);
        for node in NODES {
            let all = if node.starts_with("worker") && !self.zeromq { 3 } else { 4 };
            until(&format!("{node} to see its peers"), || {
                let status = self.ask(&mut client, node)?;
                (status["peers"].as_array().unwrap().len() == all).then_some(())
            });
        }
    }

    /// Asks a node for its status; `None` if it doesn't answer soon.
    pub(crate) fn ask(&self, client: &mut Client, node: &str) -> Option<serde_json::Value> {
        let id = format!("{node}-{:?}", Instant::now());
        let asked = if self.relays { "manager" } else { node };
        client.send(&request(&self.topic(asked), "Clusterctl::status_request", &[&id]));
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(500) {
            let Some(frame) = client.next(Duration::from_millis(500)) else { break };
            let frame: serde_json::Value = serde_json::from_slice(&frame).unwrap();
            let event = &frame["data"][2]["data"];
            if event[0]["data"] == "Clusterctl::status_response"
                && event[1]["data"][0]["data"] == id.as_str()
                && event[1]["data"][1]["data"] == node
            {
                return Some(serde_json::from_str(event[1]["data"][2]["data"].as_str().unwrap()).unwrap());
            }
        }
        None
    }

    /// The topic of a node.
    pub(crate) fn topic(&self, node: &str) -> String {
        if self.zeromq { format!("zeek.cluster.node.{node}.") } else { format!("zeek/cluster/node/{node}/") }
    }

    pub(crate) fn is_running(&self, node: &str) -> bool {
        self.nodes.contains_key(node)
    }

    pub(crate) fn pid(&self, node: &str) -> u32 {
        self.nodes[node].id()
    }

    /// Sends a signal to a node.
    pub(crate) fn signal(&self, node: &str, signal: &str) {
        let line = format!("kill -{} {}", signal.trim_start_matches("SIG"), self.pid(node));
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Waits for a node's end.
    pub(crate) fn wait(&mut self, node: &str) -> ExitStatus {
        let mut child = self.nodes.remove(node).unwrap();
        until(&format!("{node} to end"), || child.try_wait().unwrap())
    }

    /// Ends a node and returns its exit code, or the number of its signal below zero.
    pub(crate) fn stop(&mut self, node: &str, signal: &str) -> i32 {
        self.signal(node, signal);
        let status = self.wait(node);
        status.code().unwrap_or_else(|| -status.signal().unwrap())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.nodes.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
