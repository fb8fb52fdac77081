//! One question to many nodes over one connection.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::{Sink, SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message as Frame};

use super::answer::{Answers, ControlError, NoAnswer};
use super::lenient::{self, TextAsBinary};
use super::message::{self, Event, Message};
use super::question::{Question, Said};

/// The only path Zeek's server knows.
const URI: &str = "ws://localhost/v1/messages/json";
/// How long to wait before a silent node is asked again: a message to a node that is not yet peered is dropped.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_millis(100);
/// After so long without an answer, a connection that listens has ended.
const QUIET: Duration = Duration::from_secs(15);
/// The largest message taken: `Cluster::nodes` with 20,000 entries is about 5 MB as text.
const LARGEST: usize = 16 * 1024 * 1024;
/// The most bytes that wait to be sent: a peer that takes nothing and sends pings would make answers to them pile up.
const WAITING: usize = 1024 * 1024;

/// A connection to the manager over which one question is asked, as far as the answer to the hello.
pub struct Conversation<'a, S, Q> {
    socket: WebSocketStream<TextAsBinary<S>>,
    /// The prefix of the topics that answers come on.
    topic: String,
    question: &'a Q,
    version: String,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin, Q: Question> Conversation<'a, S, Q> {
    /// Opens one; `answers` is the prefix of all topics that answers come on.
    ///
    /// # Errors
    /// If it did not come as far as the ack by the deadline.
    pub async fn open(stream: S, answers: &str, question: &'a Q, deadline: Instant) -> Result<Self, ControlError> {
        let topic = format!("{answers}/{}", question.topic());
        let mut socket = connect(stream, deadline).await?;
        let version = hello(&mut socket, &topic, deadline).await?;
        Ok(Self { socket, topic, question, version })
    }

    /// Asks nodes, which are names with the topics to ask them on, until all have answered or the deadline is over.
    pub async fn ask(self, nodes: &[(String, String)], deadline: Instant) -> Answers<Q::Answer> {
        let Self { socket, topic, question, version } = self;
        let mut asked = Awaited::new(question, &topic, nodes);
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
                        Ok(Some(Message::Error { code, context })) => break Some(refused(code, context)),
                        Ok(Some(Message::Ack { .. }) | None) => {}
                        Err(error) => break Some(error),
                    },
                }
            }
        };
        // Else Zeek logs that the client was lost; whether it takes it does not matter to us.
        let _ = timeout_at(Instant::now() + GOODBYE, sink.close()).await;
        let nodes = nodes.iter().map(|(name, _)| name.clone()).zip(asked.replies).collect();
        Answers { version, nodes, ended }
    }
}

/// What is heard of nodes.
#[derive(Debug)]
pub enum Heard<T> {
    /// What a node answered.
    Answer(String, Result<T, NoAnswer>),
    /// They are asked once more: what they answered to the last round has mostly come.
    Round,
}

impl<S: AsyncRead + AsyncWrite + Unpin, Q: Question> Conversation<'_, S, Q> {
    /// Asks nodes again and again, and hands on what they say, until the connection ends; returns why it did. What finds
    /// no room with `heard` is dropped.
    pub async fn listen(
        self,
        nodes: &[(String, String)],
        every: Duration,
        heard: mpsc::Sender<Heard<Q::Answer>>,
    ) -> ControlError {
        let Self { mut socket, topic, question, .. } = self;
        socket.get_mut().go_live();
        let known: HashSet<&str> = nodes.iter().map(|(name, _)| name.as_str()).collect();
        let (mut sink, mut frames) = socket.split();
        let (batches, queue) = mpsc::channel(1);
        let ended = {
            let sending = send(&mut sink, queue);
            tokio::pin!(sending);
            let (mut rounds, mut next, mut last) = (0, Instant::now(), Instant::now());
            loop {
                tokio::select! {
                    sent = &mut sending => {
                        break sent.err().map_or(ControlError::Closed { code: None, reason: String::new() }, error_of);
                    }
                    () = sleep_until(next) => {
                        let _ = heard.try_send(Heard::Round);
                        if last.elapsed() > QUIET.max(every * 3) {
                            break ControlError::Quiet;
                        }
                        next = Instant::now() + every;
                        if let Ok(place) = batches.try_reserve() {
                            let requests = nodes.iter().map(|(name, topic)| {
                                let (event, args) = question.request_to(name, rounds);
                                Frame::text(message::event(topic, event, &args))
                            });
                            place.send(requests.collect());
                            rounds += 1;
                        }
                    }
                    frame = frames.next() => match taken(frame) {
                        Ok(Some(Message::Event(event))) => {
                            let Some(from) = event.topic.strip_prefix(&topic) else { continue };
                            let said = Said { from, name: &event.name, args: event.args, rounds, only: None };
                            let Some((node, said)) = question.answer(said) else { continue };
                            if known.contains(node.as_str()) {
                                last = Instant::now();
                                let _ = heard.try_send(Heard::Answer(node, said));
                            }
                        }
                        Ok(Some(Message::Error { code, context })) => break refused(code, context),
                        Ok(Some(Message::Ack { .. }) | None) => {}
                        Err(error) => break error,
                    },
                }
            }
        };
        let _ = timeout_at(Instant::now() + GOODBYE, sink.close()).await;
        ended
    }
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

/// Subscribes and waits for the ack; returns the version in it.
async fn hello<S>(socket: &mut WebSocketStream<S>, topic: &str, deadline: Instant) -> Result<String, ControlError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let hello = async {
        let topics = serde_json::Value::from(vec![topic]).to_string();
        // An error frame about the URI may come before this could be sent: what was said counts more.
        let sent = socket.send(Frame::text(topics)).await;
        loop {
            match taken(socket.next().await) {
                Ok(Some(Message::Ack { version })) => return Ok(version),
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

/// What the server's error says of a question: what we send is well formed, so it is the event that does not exist.
fn refused(code: String, context: String) -> ControlError {
    if code == "deserialization_failed" {
        return ControlError::UnknownQuestion;
    }
    ControlError::Refused { code, context }
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
struct Awaited<'a, Q: Question> {
    question: &'a Q,
    topic: &'a str,
    nodes: &'a [(String, String)],
    index: HashMap<&'a str, usize>,
    replies: Vec<Result<Q::Answer, NoAnswer>>,
    /// How many have not answered.
    open: usize,
    /// How many rounds have been asked.
    rounds: u32,
    /// When the next one is due.
    next: Instant,
}

impl<'a, Q: Question> Awaited<'a, Q> {
    fn new(question: &'a Q, topic: &'a str, nodes: &'a [(String, String)]) -> Self {
        Self {
            question,
            topic,
            nodes,
            index: nodes.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect(),
            replies: nodes.iter().map(|_| Err(NoAnswer::Silent)).collect(),
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
            .filter(|(_, reply)| matches!(reply, Err(NoAnswer::Silent)))
            .map(|((_, topic), _)| Frame::text(message::event(topic, name, &args)))
            .collect()
    }

    fn take(&mut self, event: Event) {
        let only = match self.nodes {
            [(name, _)] => Some(name.as_str()),
            _ => None,
        };
        let Some(from) = event.topic.strip_prefix(self.topic) else { return };
        let said = Said { from, name: &event.name, args: event.args, rounds: self.rounds, only };
        let Some((node, reply)) = self.question.answer(said) else { return };
        let Some(place) = self.index.get(node.as_str()).and_then(|&i| self.replies.get_mut(i)) else { return };
        // A good answer is kept, whatever comes after it.
        if place.is_ok() || matches!(reply, Err(NoAnswer::Silent)) {
            return;
        }
        if matches!(place, Err(NoAnswer::Silent)) {
            self.open -= 1;
        }
        *place = reply;
    }
}
