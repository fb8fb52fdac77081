//! What can be asked of running nodes, and under which topics.

use super::table::{self, backend};
use crate::cluster::{Backend, Cluster, Redef, Role, ZeekValue};
use crate::values::Version;

/// How far running nodes can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// All at once.
    Full,
    /// Status answers carry the node's name; those of the control framework don't, so nodes are asked in turn.
    OneAtATime,
    /// Not at all, and why: a lowercase sentence fragment.
    None(String),
}

/// Tells how far the nodes of a cluster can be asked in a version.
pub fn live(cluster: &Cluster, version: Version) -> Live {
    // For each client its WebSocket has a connection of its own to the cluster, which listens for log records once more on
    // the port that is taken (src/cluster/websocket/WebSocket.cc, backend/zeromq/ZeroMQ.cc).
    if backend(cluster, version) == Backend::Zeromq && !cluster.is_standalone() && !has_logger(cluster) {
        return Live::None(
            "over ZeroMQ a manager can't be asked that writes the logs itself; add a logger, or write \
             `zeek: { backend: broker }`"
                .to_owned(),
        );
    }
    if table::ANSWERS_NAMED.has(version) {
        return Live::Full;
    }
    if cluster.is_standalone() {
        return Live::None(format!("a standalone Zeek {version} can't be asked; Zeek 8.0 and later can"));
    }
    if !table::AGENT.has(version) {
        return Live::None(format!("Zeek {version} can't be asked; Zeek 7.0 and later can"));
    }
    if table::WEBSOCKET_BROKER.has(version) {
        if backend(cluster, version) == Backend::Zeromq {
            return Live::None(format!("Zeek {version} can't be asked over ZeroMQ; Zeek 7.2 and later can"));
        }
        if !may_drop_tls(cluster) {
            let how = match cluster.zeek.tls {
                Some(_) => "Zeek 7.2 and later can be asked with `zeek.tls`",
                None => "set `Broker::disable_ssl: true` in `zeek.redefs` to accept that",
            };
            return Live::None(format!(
                "Zeek {version} serves its WebSocket without TLS only if Broker uses none between hosts either; {how}"
            ));
        }
    }
    Live::OneAtATime
}

fn has_logger(cluster: &Cluster) -> bool {
    cluster.run_nodes().any(|node| node.role == Role::Logger)
}

/// Tells whether Broker may go without TLS, which is the price of a plain WebSocket up to 7.1: nothing leaves the
/// host, or the user wants it so.
pub(super) fn may_drop_tls(cluster: &Cluster) -> bool {
    if cluster.zeek.tls.is_some() {
        return false;
    }
    let wanted = cluster
        .manager()
        .is_some_and(|m| matches!(m.redefs.get("Broker::disable_ssl"), Some(Redef::Set(ZeekValue::Bool(true)))));
    wanted || cluster.run_nodes().all(|n| n.ip.is_loopback())
}

/// The prefix of all topics that answers come on, whatever the version and the backend.
pub const ANSWERS: &str = "zeek/control";

/// The topics over which nodes are asked and answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    before: String,
    after: &'static str,
    /// Under whose name all are asked, where only the manager can be reached and passes on what it is asked.
    relay: Option<String>,
    /// The prefix of all topics that answers come on, whatever the backend.
    pub answers: &'static str,
}

impl Topics {
    /// Returns the topic to ask a node for its status on.
    pub fn node(&self, name: &str) -> String {
        format!("{}{}{}", self.before, self.relay.as_deref().unwrap_or(name), self.after)
    }
}

/// Returns the topics of a cluster in a version and with a backend. A `node_topic_prefix` among the options counts with
/// both backends; a redef of ZeroMQ's own `Cluster::Backend::ZeroMQ::node_topic_prefix` wins with ZeroMQ.
pub fn topics(cluster: &Cluster, version: Version, backend: Backend) -> Topics {
    let redefined = |id: &str| match cluster.manager()?.redefs.get(id)? {
        Redef::Set(ZeekValue::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let option = match cluster.zeek.options.get("node_topic_prefix") {
        Some(ZeekValue::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let (before, after) = match backend {
        Backend::Broker => {
            let prefix = redefined("Cluster::node_topic_prefix").or(option);
            let after = if table::BROKER_TRAILING.has(version) { "/" } else { "" };
            (prefix.unwrap_or_else(|| "zeek/cluster/node/".to_owned()), after)
        }
        Backend::Zeromq => {
            let prefix = redefined("Cluster::Backend::ZeroMQ::node_topic_prefix").or(option);
            let after = if table::ZEROMQ_TRAILING.has(version) { "." } else { "" };
            (prefix.unwrap_or_else(|| "zeek.cluster.node".to_owned()) + ".", after)
        }
    };
    let relay = cluster.manager().filter(|_| table::WEBSOCKET_BROKER.has(version)).map(|m| m.name.clone());
    Topics { before, after, relay, answers: ANSWERS }
}
