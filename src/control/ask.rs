//! One question to many nodes over one connection.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{Sink, SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message as Frame};

use super::answer::{Answers, ControlError, NodeStatus, Reply};
use super::lenient::{self, TextAsBinary};
use super::message::{self, Event, Message};

/// The only path Zeek's server knows.
const URI: &str = "ws://localhost/v1/messages/json";
/// How long to wait before a silent node is asked again: a message to a node that is not yet peered is dropped.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_millis(100);
/// The largest message taken: `Cluster::nodes` with 20,000 entries is about 5 MB as text.
const LARGEST: usize = 16 * 1024 * 1024;
/// The most bytes that wait to be sent: a peer that takes nothing and sends pings would make answers to them pile up.
const WAITING: usize = 1024 * 1024;

/// Asks nodes for their status, which needs `clusterctl/agent.zeek` on the manager and on them.
///
/// `answers` is the prefix of topics that answers come on, `nodes` are names with the topics to ask them on, and
/// `request_prefix` is what tells this command's requests from all others.
///
/// # Errors
/// Only if the connection did not come as far as the ack; what ends it later is told in [`Answers::ended`].
pub async fn ask_status<S>(
    stream: S,
    answers: &str,
    nodes: &[(String, String)],
    request_prefix: String,
    deadline: Instant,
) -> Result<Answers<NodeStatus>, ControlError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let question = Status { topic: format!("{answers}/clusterctl/"), prefix: request_prefix };
    ask(Client::open(stream, &question, deadline).await?, &question, nodes, deadline).await
}

/// Asks nodes for their status as [`ask_status`] does, where it only shows while the connection is made whom to ask:
/// `nodes` is awaited once the hello was answered, which has to be by `ready`; from then on they have `patience`.
///
/// # Errors
/// As [`ask_status`].
pub async fn ask_status_of<S>(
    stream: S,
    answers: &str,
    nodes: impl Future<Output = Vec<(String, String)>>,
    request_prefix: String,
    ready: Instant,
    patience: Duration,
) -> Result<Answers<NodeStatus>, ControlError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let question = Status { topic: format!("{answers}/clusterctl/"), prefix: request_prefix };
    let client = Client::open(stream, &question, ready).await?;
    let nodes = nodes.await;
    ask(client, &question, &nodes, Instant::now() + patience).await
}

/// Asks nodes for the value of an identifier, as text, which needs the control framework's controllee on them.
///
/// Requests of this framework have no id: a node's answer to another client that asks for the same identifier counts as
/// well. Before 8.0 an answer does not name its node: ask one node at a time then.
///
/// # Errors
/// As [`ask_status`].
pub async fn ask_id_value<S>(
    stream: S,
    answers: &str,
    nodes: &[(String, String)],
    id: &str,
    deadline: Instant,
) -> Result<Answers<String>, ControlError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let only = match nodes {
        [(name, _)] => Some(name.clone()),
        _ => None,
    };
    let question = IdValue { topic: format!("{answers}/id_value_response"), id: id.to_owned(), only };
    ask(Client::open(stream, &question, deadline).await?, &question, nodes, deadline).await
}

/// What is asked, and what counts as an answer to it.
trait Question {
    type Answer;

    /// The topics to subscribe to.
    fn subscription(&self) -> &str;
    /// The event's name and arguments, in the round (from 0) that asks for it.
    fn request(&self, round: u32) -> (&'static str, Vec<String>);
    /// Whose answer an event is, and what it says; none if it is not an answer to one of the rounds so far.
    fn answer(&self, event: Event, rounds: u32) -> Option<(String, Reply<Self::Answer>)>;
}

struct Status {
    topic: String,
    prefix: String,
}

impl Question for Status {
    type Answer = NodeStatus;

    fn subscription(&self) -> &str {
        &self.topic
    }

    fn request(&self, round: u32) -> (&'static str, Vec<String>) {
        ("Clusterctl::status_request", vec![format!("{}-{round}", self.prefix)])
    }

    fn answer(&self, event: Event, rounds: u32) -> Option<(String, Reply<NodeStatus>)> {
        let node = event.topic.strip_prefix(&self.topic)?;
        let [request, name, status] = event.args.as_slice() else { return None };
        let round: u32 = request.strip_prefix(&self.prefix)?.strip_prefix('-')?.parse().ok()?;
        if event.name != "Clusterctl::status_response" || name != node || round >= rounds {
            return None;
        }
        let reply = match lenient::parse(status.as_bytes()).and_then(serde_json::from_value::<NodeStatus>) {
            Ok(status) if status.node == node => Reply::Answer(status),
            Ok(status) => Reply::Bad(format!("answered as `{}`", status.node)),
            Err(e) => Reply::Bad(format!("its status can't be read: {e}")),
        };
        Some((node.to_owned(), reply))
    }
}

struct IdValue {
    topic: String,
    id: String,
    /// The only node that is asked, whose answers need not be named.
    only: Option<String>,
}

impl Question for IdValue {
    type Answer = String;

    fn subscription(&self) -> &str {
        &self.topic
    }

    fn request(&self, _round: u32) -> (&'static str, Vec<String>) {
        ("Control::id_value_request", vec![self.id.clone()])
    }

    fn answer(&self, event: Event, _rounds: u32) -> Option<(String, Reply<String>)> {
        let node = match event.topic.strip_prefix(&self.topic)? {
            "" => self.only.clone()?,
            rest => rest.strip_prefix('/')?.to_owned(),
        };
        let [id, value] = <[String; 2]>::try_from(event.args).ok()?;
        if event.name != "Control::id_value_response" || id != self.id {
            return None;
        }
        let reply = match value.as_str() {
            "<unknown id>" => Reply::Bad(format!("there is no `{id}`")),
            "<no ID value>" => Reply::Bad(format!("`{id}` has no value")),
            _ => Reply::Answer(value),
        };
        Some((node, reply))
    }
}

/// A connection that has come as far as the ack.
struct Client<S> {
    socket: WebSocketStream<TextAsBinary<S>>,
    endpoint: String,
    version: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn open(stream: S, question: &impl Question, deadline: Instant) -> Result<Self, ControlError> {
        let mut socket = connect(stream, deadline).await?;
        let (endpoint, version) = hello(&mut socket, question.subscription(), deadline).await?;
        Ok(Self { socket, endpoint, version })
    }
}

async fn ask<S, Q>(
    client: Client<S>,
    question: &Q,
    nodes: &[(String, String)],
    deadline: Instant,
) -> Result<Answers<Q::Answer>, ControlError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    Q: Question,
{
    let Client { socket, endpoint, version } = client;
    let mut asked = Asked::new(question, nodes);
    let (mut sink, mut frames) = socket.split();
    let ended = {
        let (batches, queue) = mpsc::channel(1);
        // Sending must not keep us from reading: a server whose answers nobody takes may take nothing in turn.
        let sending = send(&mut sink, queue);
        tokio::pin!(sending);
        loop {
            if asked.open == 0 {
                break None;
            }
            tokio::select! {
                () = sleep_until(deadline) => break None,
                sent = &mut sending => break sent.err().map(error_of),
                () = sleep_until(asked.next) => match batches.try_reserve() {
                    Ok(place) => place.send(asked.round()),
                    // What was asked before is not even sent.
                    Err(_) => asked.next = Instant::now() + ASK_AGAIN,
                },
                frame = frames.next() => match taken(frame) {
                    Ok(Some(Message::Event(event))) => asked.take(event),
                    Ok(Some(Message::Error { code, context })) => break Some(ControlError::Refused { code, context }),
                    Ok(Some(Message::Ack { .. }) | None) => {}
                    Err(error) => break Some(error),
                },
            }
        }
    };
    // Else Zeek logs that the client was lost; whether it takes it does not matter to us.
    let _ = timeout_at(Instant::now() + GOODBYE, sink.close()).await;
    let nodes = nodes.iter().map(|(name, _)| name.clone()).zip(asked.replies).collect();
    Ok(Answers { version, endpoint, nodes, ended })
}

async fn connect<S>(stream: S, deadline: Instant) -> Result<WebSocketStream<TextAsBinary<S>>, ControlError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let uri = URI.parse().map_err(|e| ControlError::Protocol(format!("{URI}: {e}")))?;
    let request = ClientRequestBuilder::new(uri)
        .with_header("X-Application-Name", concat!("clusterctl/", env!("CARGO_PKG_VERSION")));
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST))
        .max_write_buffer_size(WAITING);
    let upgrade = tokio_tungstenite::client_async_with_config(request, TextAsBinary::new(stream), Some(config));
    match timeout_at(deadline, upgrade).await {
        Ok(Ok((socket, _response))) => Ok(socket),
        Ok(Err(WsError::Http(response))) => Err(ControlError::Handshake(format!("HTTP status {}", response.status()))),
        Ok(Err(error)) => Err(error_of(error)),
        Err(_) => Err(ControlError::NoHandshake),
    }
}

/// Subscribes and waits for the ack; returns endpoint and version.
async fn hello<S>(
    socket: &mut WebSocketStream<S>,
    topic: &str,
    deadline: Instant,
) -> Result<(String, String), ControlError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let hello = async {
        let topics = serde_json::Value::from(vec![topic]).to_string();
        // An error frame about the URI may come before this could be sent: what was said counts more.
        let sent = socket.send(Frame::text(topics)).await;
        loop {
            match taken(socket.next().await) {
                Ok(Some(Message::Ack { endpoint, version })) => return Ok((endpoint, version)),
                Ok(Some(Message::Error { code, context })) => return Err(ControlError::Refused { code, context }),
                Ok(Some(Message::Event(_)) | None) => {}
                Err(error) => return Err(sent.err().map_or(error, error_of)),
            }
        }
    };
    timeout_at(deadline, hello).await.unwrap_or(Err(ControlError::NoAck))
}

async fn send<W>(sink: &mut W, mut queue: mpsc::Receiver<Vec<Frame>>) -> Result<(), WsError>
where
    W: Sink<Frame, Error = WsError> + Unpin,
{
    while let Some(batch) = queue.recv().await {
        for frame in batch {
            sink.feed(frame).await?;
        }
        sink.flush().await?;
    }
    Ok(())
}

/// Reads what the stream gave: a message, nothing of interest, or the end.
fn taken(frame: Option<Result<Frame, WsError>>) -> Result<Option<Message>, ControlError> {
    match frame {
        Some(Ok(Frame::Binary(bytes))) => Ok(lenient::parse(&bytes).ok().as_ref().and_then(message::read)),
        Some(Ok(Frame::Close(close))) => Err(ControlError::Closed {
            code: close.as_ref().map(|c| c.code.into()),
            reason: close.map(|c| c.reason.to_string()).unwrap_or_default(),
        }),
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(error_of(error)),
        None => Err(ControlError::Closed { code: None, reason: String::new() }),
    }
}

fn error_of(error: WsError) -> ControlError {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    match error {
        WsError::Io(error) => ControlError::Io(error),
        WsError::ConnectionClosed
        | WsError::AlreadyClosed
        | WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete) => {
            ControlError::Closed { code: None, reason: String::new() }
        }
        other => ControlError::Protocol(other.to_string()),
    }
}

/// Who was asked, and who has answered.
struct Asked<'a, Q: Question> {
    question: &'a Q,
    nodes: &'a [(String, String)],
    index: HashMap<&'a str, usize>,
    replies: Vec<Reply<Q::Answer>>,
    /// How many have not answered.
    open: usize,
    /// How many rounds have been asked.
    rounds: u32,
    /// When the next one is due.
    next: Instant,
}

impl<'a, Q: Question> Asked<'a, Q> {
    fn new(question: &'a Q, nodes: &'a [(String, String)]) -> Self {
        Self {
            question,
            nodes,
            index: nodes.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect(),
            replies: nodes.iter().map(|_| Reply::NoReply).collect(),
            open: nodes.len(),
            rounds: 0,
            next: Instant::now(),
        }
    }

    /// Returns the requests to all nodes that have not answered.
    fn round(&mut self) -> Vec<Frame> {
        let (name, args) = self.question.request(self.rounds);
        self.rounds += 1;
        self.next = Instant::now() + ASK_AGAIN;
        self.nodes
            .iter()
            .zip(&self.replies)
            .filter(|(_, reply)| matches!(reply, Reply::NoReply))
            .map(|((_, topic), _)| Frame::text(message::event(topic, name, &args)))
            .collect()
    }

    fn take(&mut self, event: Event) {
        let Some((node, reply)) = self.question.answer(event, self.rounds) else { return };
        let Some(place) = self.index.get(node.as_str()).and_then(|&i| self.replies.get_mut(i)) else { return };
        // A good answer is kept, whatever comes after it.
        if matches!(place, Reply::Answer(_)) {
            return;
        }
        if matches!(place, Reply::NoReply) {
            self.open -= 1;
        }
        *place = reply;
    }
}
