//! What comes of asking nodes.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

/// Why nothing more could be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The server would not become a WebSocket.
    #[error("the WebSocket handshake failed: {0}")]
    Handshake(String),
    /// The server told of an error.
    #[error("refused by Zeek: {context} ({code})")]
    Refused {
        /// Zeek's code, such as `invalid_uri`.
        code: String,
        /// Zeek's words.
        context: String,
    },
    /// The manager has no such event: its scripts are of a release that is asked for less.
    #[error("the release that runs does not know this question")]
    UnknownQuestion,
    /// Nothing came for long from nodes that had something to answer.
    #[error("nothing comes any more")]
    Quiet,
    /// The upgrade to a WebSocket was not answered in time.
    #[error("no answer to the WebSocket handshake in time")]
    NoHandshake,
    /// The hello was not answered in time.
    #[error("no answer to the hello in time: the manager's cluster backend may not be up")]
    NoAck,
    /// The server closed the connection.
    #[error("the connection was closed{}", closed(*code, reason))]
    Closed {
        /// The code of the close frame; none if there was none.
        code: Option<u16>,
        /// The reason in the close frame.
        reason: String,
    },
    /// What came was not the protocol.
    #[error("not the WebSocket protocol: {0}")]
    Protocol(String),
    /// The byte stream failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

pub(super) fn closed(code: Option<u16>, reason: &str) -> String {
    match (code, reason) {
        (None, _) => " without a reason".to_owned(),
        (Some(code), "") => format!(" with code {code}"),
        (Some(code), reason) => format!(" with code {code}: {reason}"),
    }
}

/// Why a node that was asked gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Nothing came until the deadline or the end of the connection.
    #[error("no reply")]
    Silent,
    /// Nodes were asked in turn, and the time for all was over before its turn.
    #[error("not asked: out of time (this version of Zeek is asked one node at a time, for at most one minute)")]
    NoTurn,
    /// What it sent has not the form of an answer.
    #[error("{0}")]
    Malformed(String),
    /// It calls itself by another name than the topic of its answer.
    #[error("answered as `{0}`")]
    OtherName(String),
    /// It has no such identifier.
    #[error("there is no `{0}`")]
    NoIdentifier(String),
    /// The identifier has no value there.
    #[error("`{0}` has no value")]
    NoValue(String),
    /// A process answered that its host does not know as the node's.
    #[error("the process {pid} answers under its name, but {}", own.map_or_else(|| "it does not run".to_owned(), |own| format!("its own process is {own}")))]
    OtherProcess {
        /// The process that answered, as it says.
        pid: u64,
        /// The node's own, as its host says; none where it does not run.
        own: Option<u32>,
    },
}

/// What came of asking nodes.
#[derive(Debug)]
pub struct Answers<T> {
    /// The version of the manager's Zeek, from its ack.
    pub version: String,
    /// What every node that was asked said, by its name.
    pub nodes: BTreeMap<String, Result<T, NoAnswer>>,
    /// Why the connection ended before all had answered, if it did; none at the deadline.
    pub ended: Option<ControlError>,
}

/// A node's status, as `clusterctl/agent.zeek` tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// The node's name.
    pub node: String,
    /// `manager`, `logger`, `proxy`, `worker` or `standalone`.
    pub node_type: String,
    /// Its Zeek version.
    pub version: String,
    /// Its process id on its host.
    pub pid: u64,
    /// How long it runs, in seconds.
    pub uptime: f64,
    /// How many workers it counts.
    pub workers: u64,
    /// The names of the nodes it sees, sorted.
    pub peers: Vec<String>,
    /// Packets received since it started.
    pub received: u64,
    /// Packets dropped since it started.
    pub dropped: u64,
    /// Packets seen on the link since it started; zero where the packet source can't tell.
    pub link: u64,
    /// Packets received over the last minute.
    pub received_1m: u64,
    /// Packets dropped over the last minute.
    pub dropped_1m: u64,
    /// What agents of newer releases tell beside it.
    #[serde(flatten)]
    pub more: MoreCounters,
    /// The most memory it had resident, in bytes.
    pub memory: u64,
}

/// What a node's agent tells of its traffic since the release that has `netstats`; an older one tells none of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MoreCounters {
    /// Packets seen on the link over the last minute.
    pub link_1m: Option<u64>,
    /// Bytes received since the node started.
    pub bytes: Option<u64>,
    /// Bytes received over the last minute.
    pub bytes_1m: Option<u64>,
    /// How long the last minute is, in seconds: less after a start, and up to ten more.
    pub window: Option<f64>,
}
