//! Nodes that peer with each other, as Zeek's cluster framework sets Broker up.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use crate::node::{Node, Peer, Shared, down, publish, receive};
use crate::script::value::Value;
use crate::start::Fatal;
use crate::{net, say, wire};

/// What each side says first.
#[derive(Debug, Serialize, Deserialize)]
struct Hello {
    id: String,
    /// The authority whose certificates are accepted, as it stands in the file; empty if there is none. Who has another
    /// one is no peer.
    authority: String,
    subscriptions: Vec<String>,
}

/// Reads what `Broker::ssl_*` name; returns the authority.
fn authority(node: &Node) -> Result<String, Fatal> {
    let mut texts = ["ssl_cafile", "ssl_certificate", "ssl_keyfile"].into_iter().map(|option| {
        let path = node.world.string(&format!("Broker::{option}"));
        if path.is_empty() {
            return Ok(String::new());
        }
        std::fs::read_to_string(&path).map_err(|_| Fatal(format!("Broker::{option}: can't read {path}")))
    });
    let authority = texts.next().unwrap_or_else(|| Ok(String::new()));
    texts.collect::<Result<Vec<_>, _>>()?;
    authority
}

/// Listens and begins to connect, as `setup-connections.zeek` (from 8.1 on the Broker backend's script) does.
///
/// # Errors
/// Fails if a port can't be had.
pub async fn join(node: &Shared) -> Result<(), Fatal> {
    let (port, host, peers, retry, controllee) = {
        let authority = authority(&node.borrow())?;
        node.borrow_mut().authority = authority;
        let n = node.borrow();
        let world = &n.world;
        let retry = match world.globals.get("Cluster::retry_interval") {
            Some(Value::Interval(seconds)) => Duration::from_secs_f64(seconds.clamp(0.05, 3600.0)),
            _ => Duration::from_secs(1),
        };
        let controllee = world.has_own("frameworks/control/controllee") && world.flag("Control::controllee_listen");
        (
            world.me().and_then(|me| me.port),
            world.string("Broker::default_listen_address"),
            peers(&n),
            retry,
            controllee,
        )
    };
    for port in port.into_iter().chain(controllee.then_some(9999)) {
        let listener = net::bind(&host, port).await.map_err(|_| {
            let n = node.borrow();
            // Where the call stands: from 8.1 on in the backend's own script.
            let script = if n.world.version.since(8, 1) {
                "policy/frameworks/cluster/backend/broker/main.zeek"
            } else {
                "base/frameworks/cluster/setup-connections.zeek"
            };
            let host = if host.is_empty() { "INADDR_ANY" } else { &host };
            say(&format!(
                "error in {}, lines 127-129: Failed to listen on {host}:{port} (Broker::listen(Broker::default_listen_address, Cluster::self$p, Broker::default_listen_retry))",
                n.setup.share().join(script).display()
            ));
            Fatal("errors occurred while initializing".into())
        })?;
        let node = node.clone();
        tokio::task::spawn_local(async move {
            while let Ok((stream, from)) = listener.accept().await {
                tokio::task::spawn_local(talk(node.clone(), stream, from.ip().to_string()));
            }
        });
    }
    // A day is for ever in a test; what Zeek retries in a minute before 7.2 is retried in a second here.
    let retry = retry.min(Duration::from_secs(1));
    for (ip, port) in peers {
        tokio::task::spawn_local(connect(node.clone(), ip, port, retry));
    }
    Ok(())
}

/// Whom a node connects to: workers to loggers, proxies and the manager, proxies to loggers and the manager, the
/// manager to loggers.
fn peers(node: &Node) -> Vec<(IpAddr, u16)> {
    let world = &node.world;
    let Some(me) = world.me() else { return Vec::new() };
    let types: &[&str] = match me.node_type.as_str() {
        "MANAGER" => &["LOGGER"],
        "PROXY" => &["LOGGER", "MANAGER"],
        "WORKER" => &["LOGGER", "PROXY", "MANAGER"],
        _ => &[],
    };
    let ours = |name: &str| me.manager() == Some(name);
    world
        .nodes
        .iter()
        .filter(|n| n.name != me.name && types.contains(&n.node_type.as_str()))
        // Only the manager that the entry names is connected to.
        .filter(|n| n.node_type != "MANAGER" || ours(&n.name))
        .filter_map(|n| Some((n.ip, n.port?)))
        .collect()
}

async fn connect(node: Shared, ip: IpAddr, port: u16, retry: Duration) {
    loop {
        if let Ok(stream) = TcpStream::connect((ip, port)).await {
            talk(node.clone(), stream, ip.to_string()).await;
        } else {
            let log = node.borrow().setup.share().join("base/frameworks/broker/log.zeek");
            say(&format!(
                "error in {}, line 95: Broker error (Broker::PEER_UNAVAILABLE): (00000000-0000-0000-0000-000000000000, *{ip}:{port}, \"unable to connect to remote peer\")",
                log.display()
            ));
        }
        tokio::time::sleep(retry).await;
    }
}

/// A peering, from its first word to its end.
async fn talk(node: Shared, stream: TcpStream, host: String) {
    let (mut lines, sender) = net::lines(stream);
    let hello = {
        let n = node.borrow();
        Hello { id: n.id.clone(), authority: n.authority.clone(), subscriptions: n.subscriptions() }
    };
    if sender.send(net::line("hello", &hello)).is_err() {
        return;
    }
    let Ok(Some(first)) = lines.next_line().await else { return };
    let Some((kind, content)) = net::parse(&first) else { return };
    let Ok(Hello { id, authority, subscriptions }) = serde_json::from_value(content) else { return };
    if kind != "hello" || authority != node.borrow().authority {
        return;
    }
    let number = {
        let mut n = node.borrow_mut();
        let number = n.number();
        // Subscriptions may have changed since the hello was written.
        let _ = sender.send(net::line("subscriptions", &n.subscriptions()));
        n.peers.insert(number, Peer { id: id.clone(), subscriptions, host, lines: sender });
        number
    };
    // Broker::peer_added: say who we are.
    let (topic, args) = {
        let n = node.borrow();
        (n.world.nodeid_topic(&id), vec![wire::string(n.world.node.as_str()), wire::string(n.id.as_str())])
    };
    publish(&node, &topic, "Cluster::hello", args);
    while let Ok(Some(line)) = lines.next_line().await {
        let Some((kind, content)) = net::parse(&line) else { continue };
        match kind.as_str() {
            "msg" => {
                if let Ok(message) = serde_json::from_value(content) {
                    receive(&node, &message);
                }
            }
            "subscriptions" => {
                if let Some(peer) = node.borrow_mut().peers.get_mut(&number) {
                    peer.subscriptions = serde_json::from_value(content).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    let still = {
        let mut n = node.borrow_mut();
        n.peers.remove(&number);
        n.peers.values().any(|p| p.id == id)
    };
    if !still {
        down(&node, &id);
    }
}

/// Tells all peers what the process wants to hear now.
pub fn tell_subscriptions(node: &Node) {
    let line = net::line("subscriptions", &node.subscriptions());
    for peer in node.peers.values() {
        let _ = peer.lines.send(line.clone());
    }
}
