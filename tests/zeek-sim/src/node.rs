//! The state of the node that is played, and the way of an event through it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use serde::Serialize;
use serde_json::Value as Json;
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;

use crate::control;
use crate::logs::{self, LOG_EVENT, LOG_TOPIC, Logs, log};
use crate::net::websocket::Outgoing;
use crate::script::own;
use crate::script::world::{WebSocketKind, World};
use crate::setup::{self, Setup};
use crate::wire::{self, Message};

/// The node, as all tasks of the process share it.
pub type Shared = Rc<RefCell<Node>>;

/// A peer: a process at the other end of a connection (Broker).
#[derive(Debug)]
pub struct Peer {
    /// Its id.
    pub id: String,
    /// What it wants to hear.
    pub subscriptions: Vec<String>,
    /// Its address, as Broker writes it.
    pub host: String,
    /// The way to it: lines.
    pub lines: UnboundedSender<String>,
}

/// A WebSocket client that got its ack.
#[derive(Debug)]
pub struct Client {
    /// Its id.
    pub endpoint: String,
    /// What it wants to hear.
    pub subscriptions: Vec<String>,
    /// Whose server it talks to.
    pub kind: WebSocketKind,
    /// The way to it.
    pub frames: UnboundedSender<Outgoing>,
}

/// Something that the agent remembers.
#[derive(Debug, Serialize)]
pub struct Happening {
    /// Its number, from 1 on.
    pub number: u64,
    at: f64,
    kind: String,
    text: String,
    location: String,
}

/// The node.
#[derive(Debug)]
pub struct Node {
    /// Where and how it runs.
    pub setup: Setup,
    /// What its scripts say.
    pub world: World,
    /// Its id, new with each process.
    pub id: String,
    /// The interface it listens on.
    pub interface: Option<String>,
    /// When it started.
    pub started: Instant,
    /// Its peers (Broker).
    pub peers: BTreeMap<u64, Peer>,
    /// The authority of its peers' certificates (Broker).
    pub authority: String,
    /// Its WebSocket clients.
    pub clients: BTreeMap<u64, Client>,
    /// The tasks of all WebSocket connections, those without an ack included.
    pub sockets: BTreeMap<u64, UnboundedSender<Outgoing>>,
    /// The nodes that said hello, with their ids.
    pub ids: HashMap<String, String>,
    /// The ways to the ZeroMQ proxy, while there are any.
    pub hub: crate::net::zeromq::Hub,
    /// The ways to loggers (ZeroMQ).
    pub log_pipes: crate::net::zeromq::LogPipes,
    /// Its logs.
    pub logs: Logs,
    /// Status requests that were passed on (see [`control`]).
    pub relayed: HashSet<String>,
    /// How many events happened that the agent remembers or counts.
    pub happened: u64,
    /// Those that it remembers.
    pub happenings: Vec<Happening>,
    /// What the conduct had it report last.
    pub reported: String,
    /// Told when the process is to end.
    pub over: Rc<Notify>,
    /// What it says last, if it ends because it can't go on.
    pub fatal: Option<String>,
    next: u64,
}

/// Ends the process as `Reporter::fatal` does, with these last words.
pub fn fail(node: &Shared, words: String) {
    let mut node = node.borrow_mut();
    node.fatal.get_or_insert(words);
    node.over.notify_one();
}

impl Node {
    /// Makes the node.
    pub fn shared(setup: Setup, world: World, interface: Option<String>) -> Shared {
        let id = if world.is_zeromq() {
            let letters: String = setup::random::<12>().iter().map(|b| base62(*b)).collect();
            format!("zeromq_{}_{}_{}_N{letters}", world.node, setup::hostname(), std::process::id())
        } else {
            setup::uuid()
        };
        Rc::new(RefCell::new(Self {
            setup,
            world,
            id,
            interface,
            started: Instant::now(),
            peers: BTreeMap::new(),
            authority: String::new(),
            clients: BTreeMap::new(),
            sockets: BTreeMap::new(),
            ids: HashMap::new(),
            hub: crate::net::zeromq::Hub::default(),
            log_pipes: crate::net::zeromq::LogPipes::default(),
            logs: Logs::default(),
            relayed: HashSet::new(),
            happened: 0,
            happenings: Vec::new(),
            reported: String::new(),
            over: Rc::new(Notify::new()),
            fatal: None,
            next: 0,
        }))
    }

    /// A number that no other connection of this process has.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Has the agent remember something.
    pub fn remember(&mut self, kind: &str, text: &str) {
        self.happened += 1;
        let (kind, text, location) = (kind.to_owned(), text.to_owned(), String::new());
        self.happenings.push(Happening { number: self.happened, at: setup::now(), kind, text, location });
    }

    /// The topics that the node itself listens to.
    pub fn own_subscriptions(&self) -> Vec<String> {
        let world = &self.world;
        let mut topics = world.subscriptions.clone();
        if world.node.is_empty() {
            return topics;
        }
        topics.push(world.node_topic(&world.node));
        topics.push(world.nodeid_topic(&self.id));
        topics.extend(world.type_topic(world.local_type()));
        let pool = world.local_type().to_lowercase();
        if world.is_zeromq() {
            topics.push(format!("zeek.cluster.pool.{pool}"));
        } else {
            topics.push(format!("zeek/cluster/pool/{pool}"));
            if world.has_own("frameworks/control/controllee") {
                topics.push(format!("{}/{}", world.string("Control::topic_prefix"), self.id));
            }
            if world.writes_logs() {
                topics.push(LOG_TOPIC.into());
            }
        }
        topics
    }

    /// The topics that the process wants to hear, those of its WebSocket clients included. Broker's own server doesn't
    /// pass its clients' on to other nodes.
    pub fn subscriptions(&self) -> Vec<String> {
        let mut topics = self.own_subscriptions();
        let clients = self.clients.values().filter(|c| c.kind == WebSocketKind::Cluster);
        topics.extend(clients.flat_map(|c| c.subscriptions.iter().cloned()));
        topics
    }

    /// How many nodes of a type said hello and are still there.
    pub fn active(&self, node_type: &str) -> usize {
        self.world.nodes.iter().filter(|n| n.node_type == node_type && self.ids.contains_key(&n.name)).count()
    }

    /// The packets received, dropped and on the link since the start, as the conduct says.
    pub fn packets(&self) -> (u64, u64, u64) {
        self.packets_of(self.started.elapsed().as_secs_f64())
    }

    /// The packets of so many seconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of packets are small here")]
    pub fn packets_of(&self, seconds: f64) -> (u64, u64, u64) {
        let rate = if self.interface.is_some() { self.setup.number("packets").unwrap_or(0.0) } else { 0.0 };
        let all = rate * seconds;
        let dropped = all * self.setup.number("drop_percent").unwrap_or(0.0) / 100.0;
        (((all - dropped).max(0.0)) as u64, dropped as u64, all as u64)
    }
}

fn base62(byte: u8) -> char {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char::from(LETTERS[usize::from(byte) % 62])
}

/// Whether a topic begins with one of the subscriptions.
pub fn wants(subscriptions: &[String], topic: &str) -> bool {
    subscriptions.iter().any(|s| topic.starts_with(s.as_str()))
}

/// Publishes an event of this node.
pub fn publish(node: &Shared, topic: &str, event: &str, args: Vec<Json>) {
    let from = node.borrow().id.clone();
    send(node, &Message { topic: topic.to_owned(), event: event.to_owned(), args, from });
}

/// Publishes an event to one peer, or to all that want it if none is named (Broker).
pub fn publish_to(node: &Shared, peer: Option<&str>, topic: &str, event: &str, args: Vec<Json>) {
    let Some(peer) = peer else { return publish(node, topic, event, args) };
    let n = node.borrow();
    let message = Message { topic: topic.to_owned(), event: event.to_owned(), args, from: n.id.clone() };
    if let Some(peer) = n.peers.values().find(|p| p.id == peer) {
        let _ = peer.lines.send(crate::net::line("msg", &message));
    }
}

/// Sends an event of this node or of one of its WebSocket clients on its way.
pub fn send(node: &Shared, message: &Message) {
    let (zeromq, own, near) = {
        let n = node.borrow();
        // Broker forwards nothing in a cluster, and takes a client of its own server for a peer.
        let near = n.clients.values().any(|c| c.endpoint == message.from && c.kind == WebSocketKind::Broker);
        (n.world.is_zeromq(), message.from == n.id, near)
    };
    if zeromq {
        // Everything goes through the proxy and comes back from there to all who want it.
        if !near {
            node.borrow().hub.publish(message);
        }
        return;
    }
    if !near {
        let n = node.borrow();
        let mut line = None;
        for peer in n.peers.values().filter(|p| wants(&p.subscriptions, &message.topic)) {
            let line = line.get_or_insert_with(|| crate::net::line("msg", message));
            // A peer that is just going away misses it, as with Broker.
            let _ = peer.lines.send(line.clone());
        }
    }
    to_clients(node, message);
    if !own && wants(&node.borrow().own_subscriptions(), &message.topic) {
        handle(node, message);
    }
}

/// Takes an event from the network.
pub fn receive(node: &Shared, message: &Message) {
    to_clients(node, message);
    let mine = {
        let n = node.borrow();
        message.from != n.id && wants(&n.own_subscriptions(), &message.topic)
    };
    if mine {
        handle(node, message);
    }
}

fn to_clients(node: &Shared, message: &Message) {
    let n = node.borrow();
    if message.event == LOG_EVENT {
        return;
    }
    let mut frame = None;
    for client in n.clients.values().filter(|c| c.endpoint != message.from && wants(&c.subscriptions, &message.topic)) {
        let frame = frame.get_or_insert_with(|| wire::frame(message));
        let _ = client.frames.send(Outgoing::Event(frame.clone()));
    }
}

/// Handles an event that this node listens to.
fn handle(node: &Shared, message: &Message) {
    match (message.event.as_str(), message.args.as_slice()) {
        (LOG_EVENT, records) => logs::receive(node, records),
        ("Cluster::hello", [name, id]) => {
            let text = |v: &Json| v["data"].as_str().unwrap_or_default().to_owned();
            hello(node, &text(name), &text(id));
        }
        ("Cluster::Backend::ZeroMQ::hello", [name, id]) => {
            let text = |v: &Json| v["data"].as_str().unwrap_or_default().to_owned();
            crate::net::zeromq::hello(node, &text(name), &text(id));
        }
        _ => control::handle(node, message),
    }
}

/// Notes a node that said hello.
fn hello(node: &Shared, name: &str, id: &str) {
    let before = {
        let mut n = node.borrow_mut();
        if !n.world.nodes.iter().any(|e| e.name == name) {
            crate::say(&format!("error: Got Cluster::hello msg from unexpected node: {name}"));
            return;
        }
        let before = n.ids.insert(name.to_owned(), id.to_owned());
        n.remember(if before.is_none() { "node_up" } else { "hello" }, name);
        before
    };
    if before.is_none() {
        control::local(node, "Cluster::node_up", &[wire::string(name), wire::string(id)]);
    } else if before.as_deref() != Some(id) {
        crate::say(&format!("error: Got Cluster::hello msg from duplicate node:{name}"));
    }
    log(node, &format!("got hello from {name} ({id})"));
}

/// Takes a node that is gone out of the counts.
pub fn down(node: &Shared, id: &str) {
    let name = {
        let mut n = node.borrow_mut();
        let name = n.ids.iter().find(|(_, i)| *i == id).map(|(name, _)| name.clone());
        if let Some(name) = &name {
            n.ids.remove(name);
            n.remember("node_down", name);
        }
        name
    };
    if let Some(name) = name {
        log(node, &format!("node down: {name}"));
        control::local(node, "Cluster::node_down", &[wire::string(name), wire::string(id)]);
    }
}

/// Whether the scripts make the node connect at all.
pub fn connects(node: &Shared) -> bool {
    let n = node.borrow();
    !n.world.is_zeromq() || own::zeromq_connects(&n.world)
}
