//! The ZeroMQ backend: a proxy in the manager's process, through which everything goes.
//!
//! As with ZeroMQ, a node has two connections: one to publish (to the proxy's XSUB port) and one to hear (from its
//! XPUB port). The proxy tells all publishers which topics are subscribed to and which no longer are; from that nodes
//! learn of each other, by the handshake of Zeek's `zeromq/main.zeek`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::logs;
use crate::node::{Node, Shared, connects, down, fail, publish, receive, wants};
use crate::script::value::Value;
use crate::start::Fatal;
use crate::wire::Message;
use crate::{net, say, wire};

/// A node's ways to the proxy.
#[derive(Debug, Default)]
pub struct Hub {
    publish: Option<UnboundedSender<String>>,
    hear: Option<UnboundedSender<String>>,
    /// Who waits until the proxy has taken a subscription.
    waiting: BTreeMap<u64, oneshot::Sender<()>>,
    /// Ids of nodes whose subscription was seen and whose hello wasn't yet.
    subscribed: HashSet<String>,
    /// The other way round.
    greeted: HashSet<String>,
}

impl Hub {
    /// Publishes through the proxy; without a connection it is lost.
    pub fn publish(&self, message: &Message) {
        if let Some(publish) = &self.publish {
            let _ = publish.send(net::line("msg", message));
        }
    }
}

/// The proxy.
#[derive(Debug, Default)]
struct Proxy {
    publishers: BTreeMap<u64, UnboundedSender<String>>,
    subscribers: BTreeMap<u64, (Vec<String>, UnboundedSender<String>)>,
    next: u64,
}

/// Opens the proxy on the manager, and joins it.
///
/// # Errors
/// Fails if a port can't be had.
pub async fn join(node: &Shared) -> Result<(), Fatal> {
    let disabled = std::env::var("ZEEKCTL_DISABLE_LISTEN").is_ok_and(|v| !v.is_empty());
    if !connects(node) || (disabled && node.borrow().world.version.since(8, 1)) {
        return Ok(());
    }
    let keys = keys(node)?;
    let endpoint = |name: &str| node.borrow().world.string(&format!("Cluster::Backend::ZeroMQ::{name}"));
    if node.borrow().world.flag("Cluster::Backend::ZeroMQ::run_proxy_thread") {
        let proxy = Rc::new(RefCell::new(Proxy::default()));
        let to_hear = bind(&endpoint("listen_xpub_endpoint"), "xpub").await?;
        let to_publish = bind(&endpoint("listen_xsub_endpoint"), "xsub").await?;
        tokio::task::spawn_local(accept(to_hear, proxy.clone(), keys.clone(), subscriber));
        tokio::task::spawn_local(accept(to_publish, proxy, keys.clone(), publisher));
    }
    let log = endpoint("listen_log_endpoint");
    if !log.is_empty() {
        let listener = bind(&log, "pull").await?;
        let node = node.clone();
        let keys = keys.clone();
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let node = node.clone();
                let keys = keys.clone();
                tokio::task::spawn_local(async move {
                    let Some((mut lines, _sender)) = admit(stream, &keys).await else { return };
                    while let Ok(Some(record)) = lines.next_line().await {
                        logs::receive_line(&node, &record);
                    }
                });
            }
        });
    }
    log_endpoints(node, &keys)?;
    tokio::task::spawn_local(hear(node.clone(), endpoint("connect_xsub_endpoint"), keys.clone()));
    tokio::task::spawn_local(speak(node.clone(), endpoint("connect_xpub_endpoint"), keys));
    Ok(())
}

/// What the two ends of a connection have to have in common: the public keys, where there are keys.
type Keys = Option<[String; 2]>;

/// Reads the CURVE keys, from variables or from script, as Zeek 8.2 does.
fn keys(node: &Shared) -> Result<Keys, Fatal> {
    let n = node.borrow();
    if !n.world.version.since(8, 2) {
        return Ok(None);
    }
    let sides = ["server_public", "server_secret", "client_public", "client_secret"];
    let env = sides.map(|side| {
        let name = side.to_uppercase();
        std::env::var(format!("ZEEK_CLUSTER_BACKEND_ZEROMQ_CURVE_{name}KEY")).unwrap_or_default()
    });
    let script = sides.map(|side| n.world.string(&format!("Cluster::Backend::ZeroMQ::curve_{side}key")));
    let set = |keys: &[String; 4]| keys.iter().any(|k| !k.is_empty());
    if set(&env) && set(&script) {
        return Err(Fatal("ZeroMQ: CURVE keys are set by script and by environment variables".into()));
    }
    let keys = if set(&env) { env } else { script };
    if !set(&keys) {
        return Ok(None);
    }
    // Z85: 32 bytes in 40 characters.
    if let Some(wrong) = keys.iter().position(|k| k.len() != 40) {
        return Err(Fatal(format!("ZeroMQ: the CURVE {} key is not one", sides[wrong].replace('_', " "))));
    }
    let [server, _, client, _] = keys;
    Ok(Some([server, client]))
}

type Ends = (tokio::io::Lines<tokio::io::BufReader<tokio::net::tcp::OwnedReadHalf>>, UnboundedSender<String>);

/// The listening side of a handshake.
async fn admit(stream: TcpStream, keys: &Keys) -> Option<Ends> {
    let (mut lines, sender) = net::lines(stream);
    let greeting = tokio::time::timeout(HANDSHAKE, lines.next_line()).await.ok()?.ok()??;
    let good = net::parse(&greeting) == net::parse(&net::line("keys", keys));
    let _ = sender.send(net::line("admitted", &good));
    good.then_some((lines, sender))
}

/// The connecting side of a handshake. Keys that don't fit end the process, as Zeek's script does.
async fn greet(node: &Shared, stream: TcpStream, keys: &Keys, endpoint: &str) -> Option<Ends> {
    let (mut lines, sender) = net::lines(stream);
    let _ = sender.send(net::line("keys", keys));
    let answer = tokio::time::timeout(HANDSHAKE, lines.next_line()).await.ok()?.ok()??;
    if net::parse(&answer) == net::parse(&net::line("admitted", &true)) {
        return Some((lines, sender));
    }
    let main = node.borrow().setup.share().join("policy/frameworks/cluster/backend/zeromq/main.zeek");
    fail(
        node,
        format!(
            "fatal error in {}, line 587: ZeroMQ: Handshake for socket {endpoint} failed: event=0x2000 value=268435473",
            main.display()
        ),
    );
    None
}

/// Host and port of `tcp://host:port` and `tcp://[v6]:port`.
fn address(endpoint: &str) -> Option<(String, u16)> {
    let (host, port) = endpoint.strip_prefix("tcp://")?.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        // The last colon decides, as in libzmq: Zeek's own scripts leave the brackets out once.
        None => host,
    };
    Some((host.to_owned(), port.parse().ok()?))
}

async fn bind(endpoint: &str, socket: &str) -> Result<TcpListener, Fatal> {
    let failed = |why: &str, code: &str| {
        say(&format!("error: ZeroMQ: Failed to bind {socket} socket {endpoint}: {why}{code}"));
        let fatal =
            if socket == "pull" { "Failed initialize ZeroMQ backend" } else { "Failed to spawn ZeroMQ proxy thread" };
        Fatal(fatal.into())
    };
    let Some((host, port)) = address(endpoint) else { return Err(failed("Invalid argument", " (22)")) };
    let host = if host == "*" { String::new() } else { host };
    net::bind(&host, port).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => failed("Address already in use", " (98)"),
        std::io::ErrorKind::AddrNotAvailable => failed("Cannot assign requested address", " (99)"),
        _ => failed("No such device", " (19)"),
    })
}

async fn accept<F, T>(listener: TcpListener, proxy: Rc<RefCell<Proxy>>, keys: Keys, serve: F)
where
    F: Fn(Rc<RefCell<Proxy>>, TcpStream, Keys) -> T,
    T: Future<Output = ()> + 'static,
{
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn_local(serve(proxy.clone(), stream, keys.clone()));
    }
}

/// The proxy's side of a connection that publishes.
async fn publisher(proxy: Rc<RefCell<Proxy>>, stream: TcpStream, keys: Keys) {
    let Some((mut lines, sender)) = admit(stream, &keys).await else { return };
    let number = {
        let mut p = proxy.borrow_mut();
        p.next += 1;
        let number = p.next;
        let topics: HashSet<&String> = p.subscribers.values().flat_map(|(topics, _)| topics).collect();
        for topic in topics {
            let _ = sender.send(net::line("sub", topic));
        }
        p.publishers.insert(number, sender);
        number
    };
    while let Ok(Some(line)) = lines.next_line().await {
        let Some((kind, content)) = net::parse(&line) else { continue };
        let topic = content["topic"].as_str().unwrap_or_default();
        if kind == "msg" {
            for (topics, sender) in proxy.borrow().subscribers.values() {
                if wants(topics, topic) {
                    let _ = sender.send(line.clone());
                }
            }
        }
    }
    proxy.borrow_mut().publishers.remove(&number);
}

/// The proxy's side of a connection that hears.
async fn subscriber(proxy: Rc<RefCell<Proxy>>, stream: TcpStream, keys: Keys) {
    let Some((mut lines, sender)) = admit(stream, &keys).await else { return };
    let number = {
        let mut p = proxy.borrow_mut();
        p.next += 1;
        let number = p.next;
        p.subscribers.insert(number, (Vec::new(), sender.clone()));
        number
    };
    while let Ok(Some(line)) = lines.next_line().await {
        match net::parse(&line) {
            Some((kind, Json::String(topic))) if kind == "sub" => proxy.borrow_mut().subscribe(number, topic),
            Some((kind, Json::String(topic))) if kind == "unsub" => proxy.borrow_mut().unsubscribe(number, &topic),
            Some((kind, ticket)) if kind == "sync" => {
                let _ = sender.send(net::line("synced", &ticket));
            }
            _ => {}
        }
    }
    let mut p = proxy.borrow_mut();
    let topics = p.subscribers.get(&number).map(|(topics, _)| topics.clone()).unwrap_or_default();
    for topic in &topics {
        p.unsubscribe(number, topic);
    }
    p.subscribers.remove(&number);
}

impl Proxy {
    fn is_subscribed(&self, topic: &String) -> bool {
        self.subscribers.values().any(|(topics, _)| topics.contains(topic))
    }

    fn tell(&self, kind: &str, topic: &str) {
        let line = net::line(kind, &topic);
        for publisher in self.publishers.values() {
            let _ = publisher.send(line.clone());
        }
    }

    fn subscribe(&mut self, number: u64, topic: String) {
        let new = !self.is_subscribed(&topic);
        if new {
            self.tell("sub", &topic);
        }
        if let Some((topics, _)) = self.subscribers.get_mut(&number) {
            topics.push(topic);
        }
    }

    fn unsubscribe(&mut self, number: u64, topic: &String) {
        if let Some((topics, _)) = self.subscribers.get_mut(&number) {
            topics.retain(|t| t != topic);
        }
        if !self.is_subscribed(topic) {
            self.tell("unsub", topic);
        }
    }
}

const RETRY: Duration = Duration::from_millis(100);
/// How long the other end may take to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Keeps the connection on which a node hears.
async fn hear(node: Shared, endpoint: String, keys: Keys) {
    let Some((host, port)) = address(&endpoint) else { return };
    loop {
        if let Ok(stream) = TcpStream::connect((host.as_str(), port)).await
            && let Some((mut lines, sender)) = greet(&node, stream, &keys, &endpoint).await
        {
            {
                let mut n = node.borrow_mut();
                for topic in n.subscriptions() {
                    let _ = sender.send(net::line("sub", &topic));
                }
                for ticket in n.hub.waiting.keys() {
                    let _ = sender.send(net::line("sync", ticket));
                }
                n.hub.hear = Some(sender);
            }
            while let Ok(Some(line)) = lines.next_line().await {
                match net::parse(&line) {
                    Some((kind, content)) if kind == "msg" => {
                        if let Ok(message) = serde_json::from_value(content) {
                            receive(&node, &message);
                        }
                    }
                    Some((kind, ticket)) if kind == "synced" => {
                        let waiting = node.borrow_mut().hub.waiting.remove(&ticket.as_u64().unwrap_or_default());
                        if let Some(waiting) = waiting {
                            let _ = waiting.send(());
                        }
                    }
                    _ => {}
                }
            }
            node.borrow_mut().hub.hear = None;
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Keeps the connection on which a node speaks, and learns there who listens.
async fn speak(node: Shared, endpoint: String, keys: Keys) {
    let Some((host, port)) = address(&endpoint) else { return };
    loop {
        if let Ok(stream) = TcpStream::connect((host.as_str(), port)).await
            && let Some((mut lines, sender)) = greet(&node, stream, &keys, &endpoint).await
        {
            node.borrow_mut().hub.publish = Some(sender);
            while let Ok(Some(line)) = lines.next_line().await {
                match net::parse(&line) {
                    Some((kind, Json::String(topic))) if kind == "sub" => subscription(&node, &topic),
                    Some((kind, Json::String(topic))) if kind == "unsub" => {
                        let id = nodeid(&node.borrow(), &topic);
                        if let Some(id) = id {
                            down(&node, &id);
                        }
                    }
                    _ => {}
                }
            }
            let mut n = node.borrow_mut();
            n.hub.publish = None;
            n.hub.subscribed.clear();
            n.hub.greeted.clear();
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// The node id in a nodeid topic.
fn nodeid(node: &Node, topic: &str) -> Option<String> {
    let around = node.world.nodeid_topic("\n");
    let (before, after) = around.split_once('\n')?;
    Some(topic.strip_prefix(before)?.strip_suffix(after)?.to_owned())
}

fn who(node: &Shared) -> Vec<Json> {
    let n = node.borrow();
    vec![wire::string(n.world.node.as_str()), wire::string(n.id.as_str())]
}

/// `event Cluster::Backend::ZeroMQ::subscription`.
fn subscription(node: &Shared, topic: &str) {
    let id = nodeid(&node.borrow(), topic);
    let Some(id) = id.filter(|id| *id != node.borrow().id) else { return };
    publish(node, topic, "Cluster::Backend::ZeroMQ::hello", who(node));
    let greeted = node.borrow_mut().hub.greeted.remove(&id);
    if greeted {
        publish(node, topic, "Cluster::hello", who(node));
    } else {
        node.borrow_mut().hub.subscribed.insert(id);
    }
}

/// `event Cluster::Backend::ZeroMQ::hello`.
pub fn hello(node: &Shared, name: &str, id: &str) {
    let before = node.borrow().ids.get(name).cloned();
    match before {
        Some(before) if before == id => return,
        Some(before) => {
            say(&format!("warning: node '{name}' never said goodbye (old id:{before} new id:{id}"));
            down(node, &before);
        }
        None => {}
    }
    let subscribed = node.borrow_mut().hub.subscribed.remove(id);
    if subscribed {
        let topic = node.borrow().world.nodeid_topic(id);
        publish(node, &topic, "Cluster::hello", who(node));
    } else {
        node.borrow_mut().hub.greeted.insert(id.to_owned());
    }
}

/// Subscribes to a WebSocket client's topics; what comes back is told when the proxy has them.
pub fn subscribe(node: &mut Node, topics: &[String]) -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    let ticket = node.number();
    node.hub.waiting.insert(ticket, sender);
    if let Some(hear) = &node.hub.hear {
        for topic in topics {
            let _ = hear.send(net::line("sub", topic));
        }
        let _ = hear.send(net::line("sync", &ticket));
    }
    receiver
}

/// Ends a WebSocket client's subscriptions, except those that someone else here has as well.
pub fn unsubscribe(node: &Node, topics: &[String]) {
    let still = node.subscriptions();
    let Some(hear) = &node.hub.hear else { return };
    for topic in topics.iter().filter(|t| !still.contains(t)) {
        let _ = hear.send(net::line("unsub", topic));
    }
}

/// Connects to the loggers; a node that has none to connect to fails, as Zeek's script does.
fn log_endpoints(node: &Shared, keys: &Keys) -> Result<(), Fatal> {
    let (endpoints, alone) = {
        let n = node.borrow();
        let world = &n.world;
        if world.writes_logs() {
            return Ok(());
        }
        let mut endpoints: Vec<(String, u16)> = Vec::new();
        if let Some(Value::Vector(given)) = world.globals.get("Cluster::Backend::ZeroMQ::connect_log_endpoints") {
            endpoints.extend(given.iter().filter_map(Value::text).filter_map(address));
        }
        let manager_logs = world.flag("Cluster::manager_is_logger");
        for entry in &world.nodes {
            let logs = entry.node_type == "LOGGER" || (manager_logs && entry.node_type == "MANAGER");
            if let (true, Some(port)) = (logs, entry.port) {
                endpoints.push((entry.ip.to_string(), port));
            }
        }
        (endpoints, world.nodes.len() <= 1)
    };
    if endpoints.is_empty() && !alone {
        let main = node.borrow().setup.share().join("policy/frameworks/cluster/backend/zeromq/main.zeek");
        say(&format!("error in {}, line 430: No ZeroMQ connect_log_endpoints configured", main.display()));
        return Err(Fatal("errors occurred while initializing".into()));
    }
    let immediate = node.borrow().world.flag("Cluster::Backend::ZeroMQ::log_immediate");
    for (host, port) in endpoints {
        let (sender, records) = tokio::sync::mpsc::unbounded_channel::<String>();
        let pipe = LogPipe { sender, connected: Rc::default(), queued: Rc::default() };
        let way = (node.clone(), keys.clone(), (host, port));
        tokio::task::spawn_local(log_pipe(way, records, pipe.connected.clone(), pipe.queued.clone()));
        let pipes = &mut node.borrow_mut().log_pipes;
        pipes.immediate = immediate;
        pipes.pipes.push(pipe);
    }
    Ok(())
}

/// A PUSH socket: its pipes, one for each logger.
#[derive(Debug, Default)]
pub struct LogPipes {
    pipes: Vec<LogPipe>,
    /// `ZMQ_IMMEDIATE`: only loggers that are connected get anything.
    immediate: bool,
    turn: usize,
}

#[derive(Debug)]
struct LogPipe {
    sender: UnboundedSender<String>,
    connected: Rc<Cell<bool>>,
    queued: Rc<Cell<usize>>,
}

/// `log_sndhwm`: how many batches wait for one logger.
const HIGH_WATER: usize = 1000;

/// Hands a batch to the logger whose turn it is: the sockets that ZeroMQ calls PUSH go round, past those that are full.
/// Where none takes it, it is dropped.
pub fn push(node: &Shared, batch: &str) {
    let mut n = node.borrow_mut();
    let pipes = &mut n.log_pipes;
    for _ in 0..pipes.pipes.len() {
        pipes.turn = (pipes.turn + 1) % pipes.pipes.len();
        let Some(pipe) = pipes.pipes.get(pipes.turn) else { return };
        if pipe.queued.get() < HIGH_WATER && (pipe.connected.get() || !pipes.immediate) {
            pipe.queued.set(pipe.queued.get() + 1);
            let _ = pipe.sender.send(batch.to_owned());
            return;
        }
    }
}

/// Keeps the connection to a logger, and hands it what is queued.
async fn log_pipe(
    (node, keys, (host, port)): (Shared, Keys, (String, u16)),
    mut records: tokio::sync::mpsc::UnboundedReceiver<String>,
    connected: Rc<Cell<bool>>,
    queued: Rc<Cell<usize>>,
) {
    let endpoint = format!("tcp://{host}:{port}");
    loop {
        if let Ok(stream) = TcpStream::connect((host.as_str(), port)).await
            && let Some((mut lines, sender)) = greet(&node, stream, &keys, &endpoint).await
        {
            connected.set(true);
            loop {
                tokio::select! {
                    // Loggers say nothing; this is how their end is noticed, before anything more is sent.
                    biased;
                    end = lines.next_line() => if !matches!(end, Ok(Some(_))) { break },
                    record = records.recv() => match record {
                        Some(record) => {
                            queued.set(queued.get().saturating_sub(1));
                            let _ = sender.send(record);
                        }
                        None => return,
                    },
                }
            }
            connected.set(false);
        }
        tokio::time::sleep(RETRY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_endpoints() {
        assert_eq!(address("tcp://127.0.0.1:5555"), Some(("127.0.0.1".into(), 5555)));
        assert_eq!(address("tcp://[::1]:5555"), Some(("::1".into(), 5555)));
        assert_eq!(address("tcp://::1:5555"), Some(("::1".into(), 5555)));
        assert_eq!(address("ipc:///x"), None);
    }
}
