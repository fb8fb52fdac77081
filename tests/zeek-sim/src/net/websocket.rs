//! The WebSocket server of the manager, as recorded from Zeek 8.0.10, and Broker's older one where it differs.

use std::borrow::Cow;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{Callback, ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as RawFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use crate::logs::log;
use crate::node::{Client, Shared, send};
use crate::script::value::Value;
use crate::script::world::{WebSocketKind, WebSocketListen};
use crate::wire::{self, Message};
use crate::{net, say};

/// What a connection's task is to send.
#[derive(Debug)]
pub enum Outgoing {
    /// A frame; it may not be valid text.
    Event(Vec<u8>),
    /// The end: the process is terminating.
    Terminating,
}

const INVALID_URI: &str = "Invalid URI - use /v1/messages/json";
const INVALID_NAME: &str = "Invalid X-Application-Name";

/// Opens a server.
///
/// # Errors
/// Fails with Zeek's message if the port can't be had.
pub async fn listen(node: &Shared, listen: &WebSocketListen) -> Result<(), String> {
    let WebSocketListen { kind, host, port } = listen.clone();
    let listener = net::bind(&host, port).await.map_err(|_| match kind {
        WebSocketKind::Cluster => format!(
            "WebSocket: Unable to listen on {host}:{port}: SocketServer::listen() error calling bind at address {host}:{port} : Address already in use"
        ),
        WebSocketKind::Broker => {
            let host = if host.is_empty() { "INADDR_ANY" } else { &host };
            format!("Failed to listen on {host}:{port} (Broker::__listen(Broker::a, Broker::p, Broker::WEBSOCKET))")
        }
    })?;
    let node = node.clone();
    tokio::task::spawn_local(async move {
        let mut count = 0_u64;
        while let Ok((stream, from)) = listener.accept().await {
            let endpoint = match kind {
                WebSocketKind::Cluster => format!("{}-websocket-{count}", node.borrow().id),
                WebSocketKind::Broker => crate::setup::uuid(),
            };
            count += 1;
            let connection = Connection { node: node.clone(), kind, endpoint, from: from.to_string() };
            tokio::task::spawn_local(connection.serve(stream));
        }
    });
    Ok(())
}

/// Tells all clients that the process ends.
pub fn close_all(node: &Shared) {
    for socket in node.borrow().sockets.values() {
        let _ = socket.send(Outgoing::Terminating);
    }
}

struct Connection {
    node: Shared,
    kind: WebSocketKind,
    endpoint: String,
    from: String,
}

/// What a client asked for in its request.
#[derive(Default)]
struct Asked {
    path: String,
    application: Option<String>,
}

/// Notes what the request asks for.
struct Note<'a>(&'a mut Asked);

impl Callback for Note<'_> {
    fn on_request(self, request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
        self.0.path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        self.0.application =
            request.headers().get("x-application-name").map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        response.headers_mut().insert("server", HeaderValue::from_static("ixwebsocket/11.4.6 linux"));
        Ok(response)
    }
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        if self.node.borrow().setup.is("hang") {
            // The connection stands until the client gives it up.
            let mut byte = [0; 512];
            loop {
                if stream.readable().await.is_err() || matches!(stream.try_read(&mut byte), Ok(0)) {
                    return;
                }
            }
        }
        let _ = stream.set_nodelay(true);
        let mut asked = Asked::default();
        let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, Note(&mut asked)).await else {
            say("WebSocketServer::handleConnection() HTTP status: 400 error: Error reading HTTP request line");
            return;
        };
        let (sender, outgoing) = unbounded_channel();
        let number = {
            let mut n = self.node.borrow_mut();
            let number = n.number();
            n.sockets.insert(number, sender);
            number
        };
        let code = self.converse(socket, asked, number, outgoing).await;
        let client = {
            let mut n = self.node.borrow_mut();
            n.sockets.remove(&number);
            n.clients.remove(&number)
        };
        if let Some(client) = client {
            {
                let n = self.node.borrow();
                if n.world.is_zeromq() {
                    net::zeromq::unsubscribe(&n, &client.subscriptions);
                } else {
                    net::broker::tell_subscriptions(&n);
                }
            }
            log(&self.node, &format!("WebSocket client '{}' ({}) gone with code {code}", self.endpoint, self.from));
        }
    }

    /// Talks with a client until one of both ends it; returns the code of the end.
    async fn converse(
        &self,
        mut socket: WebSocketStream<TcpStream>,
        asked: Asked,
        number: u64,
        mut outgoing: UnboundedReceiver<Outgoing>,
    ) -> u16 {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "/_-.=:*@".contains(c);
        let refused = if asked.path != "/v1/messages/json" {
            Some(("invalid_uri", INVALID_URI))
        } else if asked.application.as_deref().is_some_and(|a| a.is_empty() || !a.chars().all(allowed)) {
            Some(("invalid_application_name", INVALID_NAME))
        } else {
            None
        };
        let none = Some(&Value::Enum("Cluster::CLUSTER_BACKEND_NONE".into()));
        if self.node.borrow().world.globals.get("Cluster::backend") == none {
            say("error: Failed to instantiate backend for client with id 0!");
            let _ = end(&mut socket, CloseCode::Away, "Internal error").await;
            return 1001;
        }
        if let Some((code, context)) = refused {
            let _ = socket.send(Frame::text(wire::error(code, context))).await;
            let _ = end(&mut socket, CloseCode::Policy, context).await;
            return 1008;
        }
        let mut beats = 0_u64;
        let mut count = 0_u64;
        let mut heart = tokio::time::interval(Duration::from_secs(5));
        let mut stage = self.first_stage();
        loop {
            tokio::select! {
                _ = heart.tick() => {
                    let beat = format!("ixwebsocket::heartbeat::5s::{beats}");
                    beats += 1;
                    if socket.send(Frame::Ping(beat.into())).await.is_err() {
                        return 1006;
                    }
                }
                frame = outgoing.recv() => match frame {
                    Some(Outgoing::Event(bytes)) => {
                        let raw = RawFrame::message(bytes, OpCode::Data(Data::Text), true);
                        if socket.send(Frame::Frame(raw)).await.is_err() {
                            return 1006;
                        }
                    }
                    Some(Outgoing::Terminating) | None => {
                        let _ = end(&mut socket, CloseCode::Away, "Terminating").await;
                        return 1001;
                    }
                },
                ready = stage.ready() => {
                    let queued = stage.queue();
                    let answers = if ready {
                        let mut answers = vec![self.welcome(asked.application.as_deref())];
                        answers.extend(queued.iter().filter_map(|m| { count += 1; self.event(m, count) }));
                        stage = Stage::Open;
                        answers
                    } else {
                        stage = Stage::Dead;
                        Vec::new()
                    };
                    // The ack goes out before what its queued requests bring.
                    for answer in answers {
                        if socket.send(Frame::text(answer)).await.is_err() {
                            return 1006;
                        }
                    }
                }
                frame = socket.next() => {
                    let bytes = match frame {
                        Some(Ok(Frame::Text(text))) => text.as_bytes().to_vec(),
                        Some(Ok(Frame::Binary(bytes))) => bytes.to_vec(),
                        Some(Ok(Frame::Close(close))) => return close.map_or(1005, |c| c.code.into()),
                        Some(Ok(_)) => continue,
                        Some(Err(_)) | None => return 1006,
                    };
                    let answer = match &mut stage {
                        Stage::New => {
                            let (next, answer) = self.hello(&bytes, number);
                            // Broker's server hangs up instead.
                            if matches!(next, Stage::Dead) && self.kind == WebSocketKind::Broker {
                                return 1006;
                            }
                            stage = next;
                            answer
                        }
                        Stage::Waiting(_, queue) => {
                            queue.push(bytes);
                            None
                        }
                        // After a bad hello nothing is ever answered.
                        Stage::Dead => None,
                        Stage::Open => {
                            count += 1;
                            self.event(&bytes, count)
                        }
                    };
                    if let Some(answer) = answer
                        && socket.send(Frame::text(answer)).await.is_err() {
                            return 1006;
                        }
                }
            }
        }
    }

    /// What a client finds. Each has a backend of its own, which listens for log records as well where its node writes logs.
    fn first_stage(&self) -> Stage {
        let n = self.node.borrow();
        let over_zeromq = n.world.is_zeromq() && self.kind == WebSocketKind::Cluster && !n.world.node.is_empty();
        if !over_zeromq || !n.world.writes_logs() {
            return Stage::New;
        }
        say("error: ZeroMQ: Failed to bind pull socket: Address already in use");
        Stage::Dead
    }

    /// Takes the first message.
    fn hello(&self, bytes: &[u8], number: u64) -> (Stage, Option<String>) {
        let topics = match wire::hello(bytes) {
            Ok(topics) => topics,
            Err(context) => return (Stage::Dead, Some(wire::error("deserialization_failed", context))),
        };
        let mut n = self.node.borrow_mut();
        let Some(frames) = n.sockets.get(&number).cloned() else { return (Stage::Dead, None) };
        n.clients.insert(
            number,
            Client { endpoint: self.endpoint.clone(), subscriptions: topics.clone(), kind: self.kind, frames },
        );
        let ready = if n.world.is_zeromq() && self.kind == WebSocketKind::Cluster {
            net::zeromq::subscribe(&mut n, &topics)
        } else {
            net::broker::tell_subscriptions(&n);
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let _ = sender.send(());
            receiver
        };
        (Stage::Waiting(ready, Vec::new()), None)
    }

    /// The ack.
    fn welcome(&self, application: Option<&str>) -> String {
        let (version, topics) = {
            let n = self.node.borrow();
            let version = match self.kind {
                WebSocketKind::Cluster => n.world.version.text.clone(),
                WebSocketKind::Broker => n.world.version.broker().to_owned(),
            };
            let topics = n.clients.values().find(|c| c.endpoint == self.endpoint).map(|c| c.subscriptions.join(", "));
            (version, topics.unwrap_or_default())
        };
        let application = application.map(|a| format!(" application_name={a}")).unwrap_or_default();
        log(
            &self.node,
            &format!("WebSocket client '{}' ({}){application} subscribed to [{topics}]", self.endpoint, self.from),
        );
        wire::ack(&self.endpoint, &version)
    }

    /// Takes a later message: an event, which goes on its way, or an error.
    fn event(&self, bytes: &[u8], count: u64) -> Option<String> {
        let decoded = {
            let n = self.node.borrow();
            let known = match self.kind {
                WebSocketKind::Cluster => Some(&n.world.events),
                WebSocketKind::Broker => None,
            };
            wire::decode(bytes, known)
        };
        match decoded {
            Ok((topic, event, args)) => {
                send(&self.node, &Message { topic, event, args, from: self.endpoint.clone() });
                None
            }
            // Broker's words (its internal/json_client.cc), which count the messages after the hello.
            Err(context) if self.kind == WebSocketKind::Broker => {
                let text = match context {
                    wire::NO_JSON if serde_json::from_slice::<serde_json::Value>(bytes).is_ok() => {
                        "contained invalid data"
                    }
                    wire::NO_JSON => "contained malformed JSON -> invalid_argument",
                    // It asks for neither topic nor event.
                    _ => return None,
                };
                Some(wire::error("deserialization_failed", &format!("input #{count} {text}")))
            }
            Err(context) => {
                if context == wire::NO_EVENT {
                    say("error: Failed to lookup handler or to unserialize its arguments");
                }
                Some(wire::error("deserialization_failed", context))
            }
        }
    }
}

/// How far a connection is.
enum Stage {
    /// Nothing was said yet.
    New,
    /// The subscriptions are being made; what comes meanwhile is kept.
    Waiting(tokio::sync::oneshot::Receiver<()>, Vec<Vec<u8>>),
    /// The ack was sent.
    Open,
    /// The hello was bad.
    Dead,
}

impl Stage {
    /// Waits until the subscriptions are made; for ever in other stages.
    async fn ready(&mut self) -> bool {
        match self {
            Self::Waiting(ready, _) => ready.await.is_ok(),
            _ => std::future::pending().await,
        }
    }

    fn queue(&mut self) -> Vec<Vec<u8>> {
        match self {
            Self::Waiting(_, queue) => std::mem::take(queue),
            _ => Vec::new(),
        }
    }
}

/// Closes a connection in good order: the frame, then the client's answer, for at most a second.
async fn end(socket: &mut WebSocketStream<TcpStream>, code: CloseCode, reason: &str) -> Result<(), ()> {
    let close = CloseFrame { code, reason: Cow::<str>::Borrowed(reason).into_owned().into() };
    socket.close(Some(close)).await.map_err(|_| ())?;
    let rest = async { while let Some(Ok(_)) = socket.next().await {} };
    tokio::time::timeout(Duration::from_secs(1), rest).await.map_err(|_| ())
}
