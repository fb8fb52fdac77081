//! What the scripts have said so far.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::script::ast::{Param, Stmt};
use crate::script::value::Value;
use crate::version::Version;

/// What a node is, by the names of `Cluster::NodeType` without `Cluster::`.
pub type NodeType = String;

/// An entry of `Cluster::nodes`.
#[derive(Debug, Clone)]
pub struct NodeEntry {
    /// Its name.
    pub name: String,
    /// `WORKER`, `MANAGER`, ...
    pub node_type: NodeType,
    /// Its address.
    pub ip: IpAddr,
    /// Its port; none if it has none (`0/unknown`).
    pub port: Option<u16>,
    /// All fields as given.
    pub fields: Vec<(String, Option<Value>)>,
}

impl NodeEntry {
    /// The manager it names.
    pub fn manager(&self) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == "manager").and_then(|(_, v)| v.as_ref()).and_then(Value::text)
    }

    /// Its metrics port.
    pub fn metrics_port(&self) -> Option<u16> {
        match self.fields.iter().find(|(n, _)| n == "metrics_port").and_then(|(_, v)| v.as_ref()) {
            Some(Value::Port(port, _)) if *port > 0 => Some(*port),
            _ => None,
        }
    }
}

/// Which WebSocket server a script starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebSocketKind {
    /// `Cluster::listen_websocket`: Zeek's own.
    Cluster,
    /// `Broker::listen_websocket`: Broker's, which knows nothing of scripts.
    Broker,
}

/// A WebSocket server that a script starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketListen {
    /// Whose.
    pub kind: WebSocketKind,
    /// The address, empty for all.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A handler of an event.
#[derive(Debug, Clone)]
pub struct Handler {
    /// The names of its parameters.
    pub params: Vec<Param>,
    /// What it does.
    pub body: Stmt,
}

/// What `zeek_init` does to the process, so that it never runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// `Reporter::fatal`: where it stands, and its words.
    Fatal(String, String),
    /// `exit`.
    Exit(u8),
    /// `terminate`.
    Terminate,
    /// A loop without end.
    Hang,
}

/// Everything that was read.
#[derive(Debug)]
pub struct World {
    /// The version played.
    pub version: Version,
    /// `CLUSTER_NODE`.
    pub node: String,
    /// The layout.
    pub nodes: Vec<NodeEntry>,
    /// Variables by their full names.
    pub globals: HashMap<String, Value>,
    /// Names of types, functions and modules' other things: they have no value.
    pub others: HashMap<String, Value>,
    /// Events by their full names, with their parameters.
    pub events: HashMap<String, Vec<Param>>,
    /// Handlers by the event's full name.
    pub handlers: HashMap<String, Vec<Handler>>,
    /// Scripts that were accepted without being read, without `policy/` and `.zeek`.
    pub own_scripts: Vec<String>,
    /// The topics that scripts subscribe to.
    pub subscriptions: Vec<String>,
    /// The WebSocket servers that scripts start.
    pub websockets: Vec<WebSocketListen>,
    /// What `zeek_init` does to the process; none if it lets it run.
    pub fate: Option<Fate>,
    /// The module at hand.
    pub module: String,
}

impl World {
    /// The entry of this node.
    pub fn me(&self) -> Option<&NodeEntry> {
        self.nodes.iter().find(|n| n.name == self.node)
    }

    /// What this node is: `NONE` without a cluster.
    pub fn local_type(&self) -> &str {
        self.me().map_or("NONE", |n| n.node_type.as_str())
    }

    /// A variable by its name as a script in the current module writes it.
    pub fn find(&self, name: &str) -> Option<&Value> {
        if !name.contains("::")
            && let Some(value) = self.globals.get(&format!("{}::{name}", self.module))
        {
            return Some(value);
        }
        self.globals.get(name)
    }

    /// A name in full: with the current module, unless it has one.
    pub fn full(&self, name: &str) -> String {
        if name.contains("::") || self.module == "GLOBAL" {
            name.to_owned()
        } else {
            format!("{}::{name}", self.module)
        }
    }

    /// Whether a boolean is true.
    pub fn flag(&self, name: &str) -> bool {
        self.globals.get(name).and_then(Value::truth).unwrap_or(false)
    }

    /// A string's text, or empty.
    pub fn string(&self, name: &str) -> String {
        self.globals.get(name).and_then(Value::text).unwrap_or_default().to_owned()
    }

    /// Whether ZeroMQ is the backend.
    pub fn is_zeromq(&self) -> bool {
        self.globals.get("Cluster::backend") == Some(&Value::Enum("Cluster::CLUSTER_BACKEND_ZEROMQ".into()))
    }

    /// Whether a script of Zeek's own was loaded, by its name without `policy/` and without `.zeek`.
    pub fn has_own(&self, name: &str) -> bool {
        self.own_scripts.iter().any(|s| s == name)
    }

    /// Whether this node writes logs.
    pub fn writes_logs(&self) -> bool {
        match self.local_type() {
            "LOGGER" => true,
            "MANAGER" => self.flag("Cluster::manager_is_logger"),
            _ => false,
        }
    }

    /// The topic of a node.
    pub fn node_topic(&self, name: &str) -> String {
        if self.is_zeromq() {
            let end = if self.version.since(7, 2) { "." } else { "" };
            return format!("{}.{name}{end}", self.string("Cluster::Backend::ZeroMQ::node_topic_prefix"));
        }
        let end = if self.version.since(3, 2) { "/" } else { "" };
        format!("{}{name}{end}", self.string("Cluster::node_topic_prefix"))
    }

    /// The topic of a node's id.
    pub fn nodeid_topic(&self, id: &str) -> String {
        if self.is_zeromq() {
            let end = if self.version.since(7, 2) { "." } else { "" };
            return format!("{}.{id}{end}", self.string("Cluster::Backend::ZeroMQ::nodeid_topic_prefix"));
        }
        let (prefix, end) = if self.version.since(3, 2) {
            ("Cluster::nodeid_topic_prefix", "/")
        } else {
            ("Cluster::node_topic_prefix", "")
        };
        format!("{}{id}{end}", self.string(prefix))
    }

    /// The topic of all nodes of a type.
    pub fn type_topic(&self, node_type: &str) -> Option<String> {
        let name = format!("Cluster::{}_topic", node_type.to_lowercase());
        self.globals.get(&name).and_then(Value::text).map(str::to_owned)
    }
}
