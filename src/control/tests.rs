//! The client against a small server on a pipe in memory. Frames of Zeek's are verbatim from recordings of 8.0.10.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as RawFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::*;

const ACK: &str = r#"{"type":"ack","endpoint":"50b60264-8cc5-569b-a8df-b2e47802cc77-websocket-3","version":"8.0.10"}"#;
const NO_EVENT: &str = r#"{"type":"error","code":"deserialization_failed","context":"failed to create Zeek event"}"#;
const WRONG_URI: &str = r#"{"type":"error","code":"invalid_uri","context":"Invalid URI - use /v1/messages/json"}"#;
const WORKER_COUNT: &str = r#"{"type":"data-message","topic":"zeek/control/id_value_response/manager","@data-type":"vector","data":[{"@data-type":"count","data":1},{"@data-type":"count","data":1},{"@data-type":"vector","data":[{"@data-type":"string","data":"Control::id_value_response"},{"@data-type":"vector","data":[{"@data-type":"string","data":"Cluster::worker_count"},{"@data-type":"string","data":"<unknown id>"}]}]}]}"#;
const NODE: &str = r#"{"type":"data-message","topic":"zeek/control/id_value_response/worker-1","@data-type":"vector","data":[{"@data-type":"count","data":1},{"@data-type":"count","data":1},{"@data-type":"vector","data":[{"@data-type":"string","data":"Control::id_value_response"},{"@data-type":"vector","data":[{"@data-type":"string","data":"Cluster::node"},{"@data-type":"string","data":"worker-1"}]}]}]}"#;
const FORGED: &str = r#"{"type":"data-message","topic":"zeek/control/id_value_response/worker-1","@data-type":"vector","data":[{"@data-type":"count","data":1},{"@data-type":"count","data":1},{"@data-type":"vector","data":[{"@data-type":"string","data":"Control::id_value_response"},{"@data-type":"vector","data":[{"@data-type":"string","data":"fake"},{"@data-type":"string","data":"forged"}]}]}]}"#;
const STATUS: &str = r#"{"node":"worker-1","node_type":"worker","version":"8.0.10","pid":123,"uptime":12.5,"workers":0,"peers":["logger-1","manager"],"received":744,"dropped":0,"link":1488,"received_1m":700,"dropped_1m":0,"memory":12345678}"#;

/// The manager's side of a connection.
struct Server {
    socket: WebSocketStream<DuplexStream>,
    /// The path and the application's name of the upgrade request.
    request: (String, String),
}

/// A request as the server reads it: topic, event, arguments.
type Received = (String, String, Vec<String>);

impl Server {
    async fn accept(stream: DuplexStream) -> Self {
        let mut request = (String::new(), String::new());
        #[expect(clippy::result_large_err, reason = "the callback's type is the crate's")]
        let look = |r: &Request, response: Response| {
            let name = r.headers().get("X-Application-Name").unwrap().to_str().unwrap();
            request = (r.uri().to_string(), name.to_owned());
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, look).await.unwrap();
        Self { socket, request }
    }

    /// Accepts and acknowledges; returns the subscription too.
    async fn acked(stream: DuplexStream) -> (Self, Value) {
        let mut server = Self::accept(stream).await;
        let hello = server.read().await.unwrap();
        server.send(ACK).await;
        (server, hello)
    }

    async fn read(&mut self) -> Option<Value> {
        loop {
            match self.socket.next().await?.ok()? {
                Frame::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Frame::Close(_) => return None,
                _ => {}
            }
        }
    }

    async fn asked(&mut self) -> Option<Received> {
        let value = self.read().await?;
        let event = &value["data"][2]["data"];
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let args = event[1]["data"].as_array().unwrap().iter().map(|a| text(&a["data"])).collect();
        Some((text(&value["topic"]), text(&event[0]["data"]), args))
    }

    async fn send(&mut self, text: &str) {
        self.socket.send(Frame::text(text)).await.unwrap();
    }

    /// Sends a text frame of any bytes, as Zeek does.
    async fn send_raw(&mut self, bytes: Vec<u8>) {
        let frame = RawFrame::message(bytes, OpCode::Data(Data::Text), true);
        self.socket.send(Frame::Frame(frame)).await.unwrap();
    }

    async fn event(&mut self, topic: &str, name: &str, args: &[&str]) {
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        self.send(&message::event(topic, name, &args)).await;
    }

    async fn status(&mut self, node: &str, request: &str) {
        let status = STATUS.replace("worker-1", node);
        self.event(&format!("zeek/control/clusterctl/{node}"), RESPONSE, &[request, node, &status]).await;
    }

    /// Waits for the client to go, so that the pipe stays whole until then.
    async fn until_gone(mut self) {
        while self.read().await.is_some() {}
    }
}

const RESPONSE: &str = "Clusterctl::status_response";

fn targets(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|n| ((*n).to_owned(), format!("zeek/cluster/node/{n}/"))).collect()
}

fn within(millis: u64) -> Instant {
    Instant::now() + Duration::from_millis(millis)
}

/// A deadline that no test reaches unless it fails.
fn far() -> Instant {
    within(20_000)
}

async fn ask<Q: Question>(
    stream: DuplexStream,
    question: &Q,
    nodes: &[(String, String)],
    deadline: Instant,
) -> Result<Answers<Q::Answer>, ControlError> {
    Ok(Conversation::open(stream, "zeek/control", question, deadline).await?.ask(nodes, deadline).await)
}

async fn status(stream: DuplexStream, names: &[&str], deadline: Instant) -> Result<Answers<NodeStatus>, ControlError> {
    ask(stream, &StatusQuestion::with_prefix("me".to_owned()), &targets(names), deadline).await
}

fn value(id: &str) -> ValueQuestion {
    ValueQuestion { id: id.to_owned() }
}

#[tokio::test]
async fn it_ends_as_soon_as_all_have_answered() {
    let (client, server) = duplex(4096);
    let server = async {
        let (mut server, hello) = Server::acked(server).await;
        assert_eq!(server.request.0, "/v1/messages/json");
        assert_eq!(server.request.1, format!("clusterctl/{}", env!("CARGO_PKG_VERSION")));
        assert_eq!(hello, json!(["zeek/control/clusterctl/"]));
        let mut requests = Vec::new();
        for _ in 0..2 {
            requests.push(server.asked().await.unwrap());
        }
        let request =
            |topic: &str| (topic.to_owned(), "Clusterctl::status_request".to_owned(), vec!["me-0".to_owned()]);
        assert_eq!(requests, [request("zeek/cluster/node/manager/"), request("zeek/cluster/node/worker-1/")]);
        server.status("worker-1", "me-0").await;
        server.status("manager", "me-0").await;
        server.until_gone().await;
    };
    let (answers, ()) = tokio::join!(status(client, &["manager", "worker-1"], far()), server);
    let answers = answers.unwrap();
    assert_eq!(answers.version, "8.0.10");
    assert!(answers.ended.is_none());
    let Ok(worker) = &answers.nodes["worker-1"] else { panic!("{answers:?}") };
    assert_eq!((worker.pid, worker.uptime, worker.received_1m), (123, 12.5, 700));
    assert_eq!(worker.peers, ["logger-1", "manager"]);
    assert!(matches!(&answers.nodes["manager"], Ok(s) if s.node == "manager"));
}

#[tokio::test]
async fn who_was_silent_is_asked_again_with_a_new_id() {
    let (client, server) = duplex(4096);
    let server = async {
        let (mut server, _) = Server::acked(server).await;
        assert_eq!(server.asked().await.unwrap().2, ["me-0"]);
        assert_eq!(server.asked().await.unwrap().2, ["me-0"]);
        server.status("manager", "me-0").await;
        let (topic, _, args) = server.asked().await.unwrap();
        assert_eq!((topic.as_str(), args), ("zeek/cluster/node/worker-1/", vec!["me-1".to_owned()]));
        server.status("worker-1", "me-1").await;
        server.until_gone().await;
    };
    let (answers, ()) = tokio::join!(status(client, &["manager", "worker-1"], far()), server);
    assert!(answers.unwrap().nodes.values().all(Result::is_ok));
}

#[tokio::test]
async fn what_is_not_for_us_is_no_answer() {
    let (client, server) = duplex(4096);
    let server = async {
        let (mut server, _) = Server::acked(server).await;
        let ours = "zeek/control/clusterctl/worker-1";
        server.status("worker-1", "you-0").await;
        server.status("worker-1", "me-99").await;
        server.status("worker-1", "me").await;
        server.status("worker-9", "me-0").await;
        server.event(ours, RESPONSE, &["me-0", "worker-2", STATUS]).await;
        server.event(ours, "Control::net_stats_response", &["me-0", "worker-1", STATUS]).await;
        server.event(ours, RESPONSE, &["me-0", "worker-1"]).await;
        server.send("{}").await;
        server.send("not JSON").await;
        server.until_gone().await;
    };
    let (answers, ()) = tokio::join!(status(client, &["worker-1"], within(1500)), server);
    let answers = answers.unwrap();
    assert_eq!(answers.nodes, BTreeMap::from([("worker-1".to_owned(), Err(NoAnswer::Silent))]));
    assert!(answers.ended.is_none());
}

#[tokio::test]
async fn rubbish_in_an_answer_is_told() {
    let (client, server) = duplex(4096);
    let server = async {
        let (mut server, _) = Server::acked(server).await;
        let topic = |n: &str| format!("zeek/control/clusterctl/{n}");
        server.asked().await.unwrap();
        server.event(&topic("worker-1"), RESPONSE, &["me-0", "worker-1", "{\"node\":"]).await;
        server.event(&topic("worker-2"), RESPONSE, &["me-0", "worker-2", STATUS]).await;
        server.event(&topic("worker-3"), RESPONSE, &["me-0", "worker-3", "{\"node\":\"worker-3\"}"]).await;
        server.until_gone().await;
    };
    let names = ["worker-1", "worker-2", "worker-3"];
    let (answers, ()) = tokio::join!(status(client, &names, far()), server);
    let nodes = answers.unwrap().nodes;
    let Err(NoAnswer::Malformed(half)) = &nodes["worker-1"] else { panic!() };
    assert!(half.contains("can't be read"), "{half}");
    assert_eq!(nodes["worker-2"], Err(NoAnswer::OtherName("worker-1".to_owned())));
    let Err(NoAnswer::Malformed(missing)) = &nodes["worker-3"] else { panic!() };
    assert!(missing.contains("node_type"), "{missing}");
}

#[tokio::test]
async fn bytes_that_are_not_utf8_and_raw_control_characters_hinder_nobody() {
    let (client, server) = duplex(4096);
    let server = async {
        let (mut server, hello) = Server::acked(server).await;
        assert_eq!(hello, json!(["zeek/control/id_value_response"]));
        let (_, name, args) = server.asked().await.unwrap();
        assert_eq!((name.as_str(), args), ("Control::id_value_request", vec!["Cluster::node".to_owned()]));
        let raw = |from: &str, to: &[u8]| -> Vec<u8> {
            let at = NODE.rfind(from).unwrap();
            [&NODE.as_bytes()[..at], to, &NODE.as_bytes()[at + from.len()..]].concat()
        };
        server.send_raw(raw("worker-1", b"a\x01b\xff")).await;
        server.send(&NODE.replace("worker-1", "worker-2")).await;
        server.until_gone().await;
    };
    let nodes = targets(&["worker-1", "worker-2"]);
    let question = value("Cluster::node");
    let (answers, ()) = tokio::join!(ask(client, &question, &nodes, far()), server);
    let nodes = answers.unwrap().nodes;
    assert_eq!(nodes["worker-1"], Ok("a\u{1}b\u{fffd}".to_owned()));
    assert_eq!(nodes["worker-2"], Ok("worker-2".to_owned()));
}

#[tokio::test]
async fn an_unknown_id_is_an_error_and_anothers_is_ignored() {
    let (client, server) = duplex(4096);
    let server = async {
        let (mut server, _) = Server::acked(server).await;
        server.send(FORGED).await;
        server.send(NODE).await;
        server.send(WORKER_COUNT).await;
        server.until_gone().await;
    };
    let nodes = targets(&["manager", "worker-1"]);
    let question = value("Cluster::worker_count");
    let (answers, ()) = tokio::join!(ask(client, &question, &nodes, within(1500)), server);
    let nodes = answers.unwrap().nodes;
    assert_eq!(nodes["manager"], Err(NoAnswer::NoIdentifier("Cluster::worker_count".to_owned())));
    assert_eq!(nodes["worker-1"], Err(NoAnswer::Silent));
}

#[tokio::test]
async fn an_answer_without_a_node_is_the_only_nodes() {
    for names in [vec!["manager"], vec!["manager", "worker-1"]] {
        let (client, server) = duplex(4096);
        let server = async {
            let (mut server, _) = Server::acked(server).await;
            server.send(&NODE.replace("id_value_response/worker-1", "id_value_response")).await;
            server.until_gone().await;
        };
        let nodes = targets(&names);
        let question = value("Cluster::node");
        let asking = ask(client, &question, &nodes, within(1500));
        let (answers, ()) = tokio::join!(asking, server);
        let answered = answers.unwrap().nodes["manager"] == Ok("worker-1".to_owned());
        assert_eq!(answered, names.len() == 1);
    }
}

#[tokio::test]
async fn an_error_frame_ends_the_wait() {
    let (client, server) = duplex(4096);
    let server = async {
        let (mut server, _) = Server::acked(server).await;
        server.asked().await.unwrap();
        server.send(NO_EVENT).await;
        server.until_gone().await;
    };
    let (answers, ()) = tokio::join!(status(client, &["manager"], far()), server);
    let answers = answers.unwrap();
    assert_eq!(answers.nodes["manager"], Err(NoAnswer::Silent));
    let ended = answers.ended.unwrap();
    assert_eq!(ended.to_string(), "the release that runs does not know this question");
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_keeps_what_was_gathered() {
    for orderly in [true, false] {
        let (client, server) = duplex(4096);
        let server = async {
            let (mut server, _) = Server::acked(server).await;
            server.asked().await.unwrap();
            server.status("manager", "me-0").await;
            if orderly {
                let close = CloseFrame { code: 1001.into(), reason: "Terminating".into() };
                server.socket.close(Some(close)).await.unwrap();
                server.until_gone().await;
            }
        };
        let (answers, ()) = tokio::join!(status(client, &["manager", "worker-1"], far()), server);
        let answers = answers.unwrap();
        assert!(answers.nodes["manager"].is_ok());
        assert_eq!(answers.nodes["worker-1"], Err(NoAnswer::Silent));
        let words = answers.ended.unwrap().to_string();
        let wanted = if orderly { "the connection was closed with code 1001: Terminating" } else { "the connection" };
        assert!(words.starts_with(wanted), "{words}");
    }
}

#[tokio::test]
async fn a_refused_uri_is_told_in_zeeks_words() {
    let (client, server) = duplex(4096);
    let server = async {
        let mut server = Server::accept(server).await;
        server.send(WRONG_URI).await;
        let close = CloseFrame { code: 1008.into(), reason: "Invalid URI - use /v1/messages/json".into() };
        server.socket.close(Some(close)).await.unwrap();
        server.until_gone().await;
    };
    let (answers, ()) = tokio::join!(status(client, &["manager"], far()), server);
    let error = answers.unwrap_err();
    assert!(matches!(&error, ControlError::Refused { code, .. } if code == "invalid_uri"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_does_not_hold_us() {
    // No answer to the upgrade, as of a manager stopped by SIGSTOP; the pipe stays open.
    let (client, server) = duplex(4096);
    let error = status(client, &["manager"], within(500)).await.unwrap_err();
    assert!(matches!(error, ControlError::NoHandshake), "{error:?}");
    drop(server);

    // No ack, as of a cluster backend that never came up.
    let (client, server) = duplex(4096);
    let server = async { Server::accept(server).await.until_gone().await };
    let (answers, ()) = tokio::join!(status(client, &["manager"], within(1500)), server);
    let error = answers.unwrap_err();
    assert!(matches!(error, ControlError::NoAck), "{error:?}");
}

#[tokio::test]
async fn what_is_no_websocket_is_told() {
    let (client, mut server) = duplex(4096);
    let server = async {
        use tokio::io::AsyncWriteExt as _;
        let mut request = [0; 16];
        server.read_exact(&mut request).await.unwrap();
        server.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    };
    let (answers, ()) = tokio::join!(status(client, &["manager"], far()), server);
    assert_eq!(answers.unwrap_err().to_string(), "the WebSocket handshake failed: HTTP status 404 Not Found");

    let (client, server) = duplex(4096);
    drop(server);
    assert!(status(client, &["manager"], far()).await.is_err());
}

#[tokio::test]
async fn a_thousand_nodes_over_a_narrow_pipe() {
    let (client, server) = duplex(512);
    let names: Vec<String> = (0..1000).map(|i| format!("worker-{i}")).collect();
    let server = async {
        let (mut server, _) = Server::acked(server).await;
        // Each is answered before the next request is read: a client that does not read while it sends would hang.
        for _ in 0..1000 {
            let (topic, _, args) = server.asked().await.unwrap();
            let node = topic.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
            server.status(&node, &args[0]).await;
        }
        server.until_gone().await;
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (answers, ()) = tokio::join!(status(client, &names, far()), server);
    let answers = answers.unwrap();
    assert_eq!(answers.nodes.values().filter(|r| r.is_ok()).count(), 1000);
}

/// Sends frames without end, and takes nothing.
async fn flood(mut server: Server, frame: Frame) {
    while server.socket.feed(frame.clone()).await.is_ok() {}
}

#[tokio::test]
async fn a_peer_that_floods_is_left_before_the_deadline() {
    let fragment = || {
        // The first of a message that never ends.
        Frame::Frame(RawFrame::message(Vec::new(), OpCode::Data(Data::Text), false))
    };
    for frame in [
        Frame::Ping(vec![7; 125].into()),
        Frame::Pong(Vec::new().into()),
        Frame::binary(Vec::new()),
        Frame::text("{}"),
        fragment(),
    ] {
        let (client, server) = duplex(64 << 10);
        let told = format!("{frame:?}");
        let serve = tokio::spawn(async move { flood(Server::acked(server).await.0, frame).await });
        // Nothing but the flood's end ends this before.
        let answers = status(client, &["worker-1"], within(600_000)).await.unwrap();
        assert!(answers.ended.is_some(), "{told}: {answers:?}");
        assert_eq!(answers.nodes["worker-1"], Err(NoAnswer::Silent));
        serve.abort();
    }
}

/// Listens to nodes, and returns what was heard until the connection ended, and why it did.
async fn listen(stream: DuplexStream, names: &[&str]) -> (Vec<Heard<NodeStatus>>, ControlError) {
    let question = StatusQuestion::with_prefix("me".to_owned());
    let (sender, mut heard) = tokio::sync::mpsc::channel(4096);
    let conversation = Conversation::open(stream, "zeek/control", &question, far()).await.unwrap();
    let ended = conversation.listen(&targets(names), Duration::from_millis(20), sender).await;
    let mut all = Vec::new();
    while let Ok(one) = heard.try_recv() {
        all.push(one);
    }
    (all, ended)
}

#[tokio::test]
async fn who_listens_asks_again_and_hears_all_until_the_end() {
    let (client, server) = duplex(4096);
    let server = async {
        let (mut server, _) = Server::acked(server).await;
        for round in 0..3 {
            let (topic, _, args) = server.asked().await.unwrap();
            assert_eq!((topic.as_str(), args), ("zeek/cluster/node/worker-1/", vec![format!("me-{round}")]));
            server.status("worker-1", &format!("me-{round}")).await;
            // Of nobody who was asked.
            server.status("worker-9", &format!("me-{round}")).await;
        }
        server.socket.close(None).await.unwrap();
        server.until_gone().await;
    };
    let ((heard, ended), ()) = tokio::join!(listen(client, &["worker-1"]), server);
    let answers = heard.iter().filter(|one| matches!(one, Heard::Answer(node, Ok(_)) if node == "worker-1")).count();
    let others = heard.iter().filter(|one| matches!(one, Heard::Answer(node, _) if node != "worker-1")).count();
    assert_eq!((answers, others), (3, 0), "{heard:?}");
    assert!(matches!(ended, ControlError::Closed { .. }), "{ended:?}");
}
