//! Asking the nodes of a cluster on this machine, whose manager is a small WebSocket peer, and whose processes are this one
//! and one that sleeps.

use std::process::{Child, Command};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::*;
use crate::control::{ControlError, NoAnswer, StatusQuestion, ValueQuestion};
use crate::values::Version;

/// What a node of the peer does with a question.
#[derive(Clone, Copy, PartialEq)]
enum Conduct {
    /// It answers, as the process of this id.
    Process(u32),
    /// It says nothing.
    Silent,
    /// The connection ends.
    Cut,
}

struct World {
    fleet: Fleet,
    dir: TempDir,
    listener: Option<TcpListener>,
    /// What runs as `proxy-1`.
    proxy: Child,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

impl World {
    /// A manager and a proxy that are meant to run; nothing of them runs yet, and nobody has been asked.
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let text = format!(
            "cluster: c\nzeek: {{ version: '8.0', scripts: [] }}\npaths: {{ base: {} }}\nports: {{ control: {} }}\n\
             timeouts: {{ control: 1s }}\nhosts: {{ here: {{ local: true }} }}\n\
             nodes:\n  manager: {{ type: manager, host: here }}\n  proxy: {{ type: proxy, host: here, count: 1 }}\n",
            dir.path().display(),
            listener.local_addr().unwrap().port(),
        );
        let description = crate::spec::parse("c.yaml", text, "/".into());
        let cluster = crate::cluster::check(&description).unwrap();
        let (events, _) = tokio::sync::mpsc::unbounded_channel();
        let settings = Settings { parallel: 1, question: Duration::from_secs(60), trace: false };
        let fleet = Fleet::new(Arc::new(cluster), settings, events);
        let proxy = Command::new("sleep").arg("600").spawn().unwrap();
        Self { fleet, dir, listener: Some(listener), proxy }
    }

    /// Lets the host know a process as a node's.
    fn runs(&self, node: &str, pid: u32) -> &Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let since = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap();
        let folder = self.dir.path().join("c/nodes").join(node);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("run"), format!("id {} {pid} {since}\n", boot.trim())).unwrap();
        self
    }

    /// Serves the control port: `conduct` tells what a node does, `values` whether it gives values as well.
    fn serve(&mut self, conduct: impl Fn(&str) -> Conduct + Copy + Send + Sync + 'static) -> &Self {
        let listener = self.listener.take().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                    let ack = json!({ "type": "ack", "endpoint": "x", "version": "8.0.10" });
                    let mut hello = Some(ack);
                    while let Some(Ok(Frame::Text(text))) = socket.next().await {
                        let frame = match hello.take() {
                            Some(ack) => ack,
                            None => match reply(&serde_json::from_str(&text).unwrap(), conduct) {
                                Ok(Some(frame)) => frame,
                                Ok(None) => continue,
                                Err(()) => return,
                            },
                        };
                        socket.send(Frame::text(frame.to_string())).await.unwrap();
                    }
                });
            }
        });
        self
    }

    async fn status(&self) -> NodeAnswers<crate::control::NodeStatus> {
        let all = Selection::parse(&self.fleet.cluster, &[]).unwrap();
        ask(&self.fleet, &all, &StatusQuestion::unique()).await.1
    }

    async fn value(&self, id: &str) -> NodeAnswers<String> {
        let all = Selection::parse(&self.fleet.cluster, &[]).unwrap();
        ask(&self.fleet, &all, &ValueQuestion { id: id.to_owned() }).await.1
    }
}

/// What a node sends for a question; an error where the connection ends.
fn reply(question: &Value, conduct: impl Fn(&str) -> Conduct) -> Result<Option<Value>, ()> {
    let event = &question["data"][2]["data"];
    let node = question["topic"].as_str().unwrap().trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
    let arg = event[1]["data"][0]["data"].as_str().unwrap().to_owned();
    let pid = match conduct(&node) {
        Conduct::Process(pid) => pid,
        Conduct::Silent => return Ok(None),
        Conduct::Cut => return Err(()),
    };
    let (topic, name, args) = if event[0]["data"] == "Clusterctl::status_request" {
        let status = json!({
            "node": node, "node_type": "proxy", "version": "8.0.10", "pid": pid, "uptime": 1.0, "workers": 0, "peers": [],
            "received": 0, "dropped": 0, "link": 0, "received_1m": 0, "dropped_1m": 0, "memory": 0,
        });
        let args = vec![arg, node.clone(), status.to_string()];
        (format!("clusterctl/{node}"), "Clusterctl::status_response", args)
    } else {
        let args = vec![arg, format!("of {node}")];
        (format!("id_value_response/{node}"), "Control::id_value_response", args)
    };
    let string = |text: &str| json!({ "@data-type": "string", "data": text });
    let args: Vec<Value> = args.iter().map(|arg| string(arg)).collect();
    let event = json!([string(name), { "@data-type": "vector", "data": args }]);
    Ok(Some(json!({
        "type": "data-message", "topic": format!("zeek/control/{topic}"), "@data-type": "vector",
        "data": [{ "@data-type": "count", "data": 1 }, { "@data-type": "count", "data": 1 },
            { "@data-type": "vector", "data": event }],
    })))
}

fn me() -> u32 {
    std::process::id()
}

#[tokio::test]
async fn answers_count_for_the_process_that_the_host_knows() {
    let mut world = World::new().await;
    world.runs("manager", me()).runs("proxy-1", world.proxy.id());
    let sleeper = world.proxy.id();
    world.serve(|node| Conduct::Process(if node == "manager" { me() } else { 1 }));
    let asked = world.status().await;
    assert_eq!((asked.version.as_deref(), asked.of("manager").map(|s| s.pid)), (Some("8.0.10"), Some(me().into())));
    let other = NoAnswer::OtherProcess { pid: 1, own: Some(sleeper) };
    assert_eq!(asked.nodes["proxy-1"].as_ref().unwrap_err(), &other);
    assert!(asked.unasked.is_none(), "{asked:?}");
    // Values name no process; that the manager is ours is enough.
    let asked = world.value("Cluster::node").await;
    assert_eq!(asked.of("proxy-1").map(String::as_str), Some("of proxy-1"));
    assert!(asked.unasked.is_none(), "{asked:?}");
}

#[tokio::test]
async fn what_another_cluster_answers_counts_for_nothing() {
    let mut world = World::new().await;
    world.runs("manager", me()).runs("proxy-1", world.proxy.id());
    world.serve(|_| Conduct::Process(1));
    let asked = world.status().await;
    assert!(matches!(asked.unasked, Some(Unasked::ForeignResponder(_))) && asked.nodes.is_empty(), "{asked:?}");
    assert_eq!(asked.version, None);
    let asked = world.value("Cluster::node").await;
    let why = asked.unasked.unwrap().to_string();
    assert!(why.contains("is not this cluster's: another Zeek answers there (pid 1)"), "{why}");
    assert!(asked.nodes.is_empty());
}

#[tokio::test]
async fn without_a_word_of_the_manager_nothing_that_came_counts() {
    let mut world = World::new().await;
    world.runs("manager", me()).runs("proxy-1", world.proxy.id());
    world.serve(|node| if node == "manager" { Conduct::Silent } else { Conduct::Process(1) });
    // Nobody's process is known by a value.
    let asked = world.value("Cluster::node").await;
    assert_eq!(asked.nodes["proxy-1"], Err(NoAnswer::Silent));
    assert_eq!(asked.version, None);
}

#[tokio::test]
async fn a_node_that_does_not_run_is_not_asked_and_the_reason_is_typed() {
    let mut world = World::new().await;
    world.runs("manager", me());
    world.serve(|node| if node == "manager" { Conduct::Process(me()) } else { panic!("{node} was asked") });
    let asked = world.status().await;
    assert_eq!(asked.nodes.keys().collect::<Vec<_>>(), ["manager"]);

    // Nobody listens: the host says that the manager does not run, or the way is told.
    let mut world = World::new().await;
    drop(world.listener.take());
    let asked = world.status().await;
    assert!(matches!(asked.unasked, Some(Unasked::NotRunning)), "{asked:?}");
    world.runs("manager", me());
    let asked = world.status().await;
    assert!(matches!(asked.unasked, Some(Unasked::Unreachable(_))), "{asked:?}");
}

#[tokio::test]
async fn a_connection_that_ends_before_all_have_answered_is_told() {
    let mut world = World::new().await;
    world.runs("manager", me()).runs("proxy-1", world.proxy.id());
    world.serve(|node| if node == "manager" { Conduct::Process(me()) } else { Conduct::Cut });
    let asked = world.status().await;
    assert!(matches!(asked.unasked, Some(Unasked::Ended(ControlError::Closed { .. }))), "{asked:?}");
    assert_eq!(asked.nodes["proxy-1"].as_ref().unwrap_err(), &NoAnswer::Silent);
}

#[tokio::test]
async fn rounds_believe_only_the_manager_that_its_host_knows() {
    let mut world = World::new().await;
    let (version, second) = ("8.0".parse::<Version>().unwrap(), Duration::from_secs(20));
    world.serve(|_| Conduct::Process(me()));
    let fleet = &world.fleet;
    let mut rounds = Rounds::new(fleet, version, &fleet.cluster.nodes).unwrap();
    let why = rounds.ask(&StatusQuestion::unique(), second, second).await.unwrap_err();
    assert!(matches!(why, Unasked::ForeignResponder(_)), "{why:?}");
    // The host knows this process as the manager.
    world.runs("manager", me());
    for _ in 0..2 {
        let said = rounds.ask(&StatusQuestion::unique(), second, second).await.unwrap();
        assert_eq!(said.values().filter(|said| said.is_ok()).count(), 2, "{said:?}");
        // Once it is known, its host is not asked any more.
        std::fs::remove_dir_all(world.dir.path().join("c")).unwrap_or_default();
    }
    // A version that can't be asked is no failure.
    assert!(Rounds::new(fleet, "6.0".parse().unwrap(), &fleet.cluster.nodes).is_none());
}
