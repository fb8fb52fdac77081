//! Connections: between nodes, and of WebSocket clients.

pub mod broker;
pub mod metrics;
pub mod websocket;
pub mod zeromq;

use std::io;
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;
use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A line of the protocol between stand-ins: `{"<kind>": content}`.
pub fn line<T: Serialize>(kind: &str, content: &T) -> String {
    let content = serde_json::to_value(content).unwrap_or(Json::Null);
    let mut object = serde_json::Map::new();
    object.insert(kind.to_owned(), content);
    Json::Object(object).to_string()
}

/// Takes a line apart.
pub fn parse(line: &str) -> Option<(String, Json)> {
    match serde_json::from_str(line) {
        Ok(Json::Object(object)) => object.into_iter().next(),
        _ => None,
    }
}

/// Listens on an address, or on all of them if it is empty, IPv4 included.
pub async fn bind(host: &str, port: u16) -> io::Result<TcpListener> {
    if host.is_empty() || host == "0.0.0.0" || host == "*" {
        let all = match TcpListener::bind(("::", port)).await {
            Err(e) if e.kind() != io::ErrorKind::AddrInUse && host.is_empty() => {
                TcpListener::bind(("0.0.0.0", port)).await
            }
            other if host.is_empty() => other,
            _ => TcpListener::bind(("0.0.0.0", port)).await,
        };
        return all;
    }
    match host.parse::<IpAddr>() {
        Ok(ip) => TcpListener::bind(SocketAddr::new(ip, port)).await,
        Err(_) => TcpListener::bind((host, port)).await,
    }
}

/// Splits a connection into lines to read and a way for lines to write; the task that writes ends with the way.
pub fn lines(stream: TcpStream) -> (Lines<BufReader<OwnedReadHalf>>, UnboundedSender<String>) {
    // Small messages should not wait for each other.
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    let (sender, receiver) = unbounded_channel();
    tokio::task::spawn_local(write_lines(write, receiver));
    (BufReader::new(read).lines(), sender)
}

async fn write_lines(mut write: OwnedWriteHalf, mut lines: UnboundedReceiver<String>) {
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        if write.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}
