//! What a node answers: the control framework's requests, our own status request, and simple handlers of scripts.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::node::{Happening, Node, Shared, publish};
use crate::script::ast::{Expr, Stmt};
use crate::script::eval::Locals;
use crate::script::value::Value;
use crate::script::world::Handler;
use crate::traffic::traffic;
use crate::wire::{self, Message};

/// The status of a node, as the agent script of clusterctl gives it.
#[derive(Debug, Serialize)]
struct Status {
    node: String,
    node_type: String,
    version: String,
    pid: u32,
    uptime: f64,
    workers: usize,
    peers: Vec<String>,
    received: u64,
    dropped: u64,
    link: u64,
    received_1m: u64,
    dropped_1m: u64,
    memory: u64,
    /// What agents of older releases lack.
    #[serde(flatten)]
    newer: Option<Newer>,
}

/// What later agents added to a status.
#[derive(Debug, Serialize)]
struct Newer {
    link_1m: u64,
    bytes: u64,
    bytes_1m: u64,
    window: f64,
}

/// The events that ask the agent, and those that answer.
const AGENT: [(&str, &str); 3] = [
    ("Clusterctl::status_request", "Clusterctl::status_response"),
    (EVENTS_REQUEST, "Clusterctl::events_response"),
    ("Clusterctl::traffic_request", "Clusterctl::traffic_response"),
];

/// The event that asks for what happened.
const EVENTS_REQUEST: &str = "Clusterctl::events_request";

/// What the agent does where the WebSocket is Broker's own, whose clients reach the manager only: the manager passes
/// requests on to all nodes, and their answers to the client. Tells whether the event was dealt with.
fn relay(node: &Shared, message: &Message) -> bool {
    let (topic, manager, me) = {
        let n = node.borrow();
        (n.world.string("Cluster::manager_topic"), n.world.local_type() == "MANAGER", n.world.node.clone())
    };
    let text = |i: usize| message.args.get(i).and_then(|a| a["data"].as_str()).unwrap_or_default().to_owned();
    let event = message.event.as_str();
    if let Some((_, response)) = AGENT.iter().find(|(_, response)| *response == event) {
        if manager {
            publish(node, &format!("zeek/control/clusterctl/{}", text(1)), response, message.args.clone());
        }
        return true;
    }
    let Some((_, response, args)) = agent(node, message) else { return false };
    if !manager {
        later(node, topic, response.into(), args);
        return true;
    }
    let own = format!("zeek/control/clusterctl/{me}");
    if event == EVENTS_REQUEST {
        // It names the node that is meant.
        if text(1) == me {
            later(node, own, response.into(), args);
        } else {
            let topic = node.borrow().world.node_topic(&text(1));
            publish(node, &topic, event, message.args.clone());
        }
        return true;
    }
    // It may come once for each node that is asked.
    if !node.borrow_mut().relayed.insert(text(0)) {
        return true;
    }
    later(node, own, response.into(), args);
    let topics: Vec<String> = {
        let n = node.borrow();
        n.ids.keys().map(|name| n.world.node_topic(name)).collect()
    };
    for topic in topics {
        publish(node, &topic, event, message.args.clone());
    }
    true
}

/// The answer to a request of the agent: the name that the node answers by, the event, and its arguments.
fn agent(node: &Shared, message: &Message) -> Option<(String, &'static str, Vec<Json>)> {
    let (request, response) = AGENT.iter().find(|(request, _)| *request == message.event)?;
    let text = |i: usize| message.args.get(i).and_then(|a| a["data"].as_str()).unwrap_or_default();
    let status = status(&node.borrow());
    let name = status.node.clone();
    let json = match *request {
        EVENTS_REQUEST => happened(node, &name, text(2), text(3)),
        request if request.ends_with("status_request") => serde_json::to_string(&status).unwrap_or_default(),
        _ => traffic(&node.borrow(), &name),
    };
    let args = vec![wire::string(text(0)), wire::string(name.as_str()), wire::string(json)];
    Some((name, response, args))
}

/// What happened on a node after what the asker knows of, as JSON.
fn happened(node: &Shared, name: &str, pid: &str, after: &str) -> String {
    let mut n = node.borrow_mut();
    let report = n.setup.conduct("report").unwrap_or_default();
    if n.reported != report {
        n.reported.clone_from(&report);
        // Those that came too fast to be kept are only counted.
        n.happened += n.setup.conduct("reports_lost").and_then(|lost| lost.parse().ok()).unwrap_or(0);
        if let Some((kind, text)) = report.split_once(": ") {
            n.remember(kind, text);
        }
    }
    let own = std::process::id();
    let known = match pid {
        "" => n.happened,
        pid if pid == own.to_string() => after.parse().unwrap_or(0),
        _ => 0,
    };
    let events: Vec<&Happening> = n.happenings.iter().filter(|h| h.number > known).collect();
    json!({"node": name, "pid": own, "now": crate::setup::now(), "last": n.happened, "events": events}).to_string()
}

/// Handles an event that came for this node.
pub fn handle(node: &Shared, message: &Message) {
    if !node.borrow().world.events.contains_key(&message.event) {
        crate::say(&format!("error: Failed to lookup handler for '{}'", message.event));
        return;
    }
    if node.borrow().world.handlers.contains_key(AGENT[0].1) && relay(node, message) {
        return;
    }
    let answer = agent(node, message)
        .map(|(name, response, args)| (format!("zeek/control/clusterctl/{name}"), response.into(), args))
        .or_else(|| answer(&node.borrow(), message));
    if let Some((topic, event, args)) = answer {
        let over = (message.event == "Control::shutdown_request").then(|| node.borrow().over.clone());
        later(node, topic, event, args);
        if let Some(over) = over {
            tokio::task::spawn_local(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                over.notify_one();
            });
        }
    }
    local(node, &message.event, &message.args);
}

/// Sends an answer when, and in the shape in which, the conduct says.
fn later(node: &Shared, topic: String, event: String, args: Vec<Json>) {
    let setup = node.borrow().setup.clone();
    if setup.is("never_answer") || setup.is("mute") {
        return;
    }
    let args = spoil(setup.conduct("answer_rubbish").or_else(|| setup.conduct("rubbish")).as_deref(), &event, args);
    let delay = setup.millis("answer_after_ms").or_else(|| setup.millis("slow_answer")).unwrap_or_default();
    if delay.is_zero() {
        publish(node, &topic, &event, args);
        return;
    }
    let node = node.clone();
    tokio::task::spawn_local(async move {
        tokio::time::sleep(delay).await;
        publish(&node, &topic, &event, args);
    });
}

/// Makes rubbish of the last text of an answer.
fn spoil(how: Option<&str>, event: &str, mut args: Vec<Json>) -> Vec<Json> {
    let Some(last) = args.last_mut() else { return args };
    let text = last["data"].as_str().unwrap_or_default().to_owned();
    match how {
        Some("utf8") => *last = wire::string(format!("{text}\u{F7FF}")),
        Some("control") => *last = wire::string(format!("{text}\u{1}")),
        Some("json") if event.starts_with("Clusterctl::") => {
            *last = wire::string(format!("{},", &text[..text.len() / 2]));
        }
        Some("json") => *last = wire::string("{"),
        _ => {}
    }
    args
}

/// The answer to a request, with its topic.
fn answer(node: &Node, message: &Message) -> Option<(String, String, Vec<Json>)> {
    let world = &node.world;
    let name = &world.node;
    let text = |i: usize| message.args.get(i).and_then(|a| a["data"].as_str()).unwrap_or_default();
    if !world.has_own("frameworks/control/controllee") {
        return None;
    }
    let args = match message.event.as_str() {
        "Control::id_value_request" => {
            let id = text(0);
            vec![wire::string(id), wire::string(id_value(node, id))]
        }
        "Control::peer_status_request" => {
            let now = crate::setup::now();
            let mut lines = String::new();
            for peer in node.peers.values() {
                let _ = writeln!(lines, "{now:.6} peer={} host={} status=Broker::PEERED", peer.id, peer.host);
            }
            vec![wire::string(lines)]
        }
        "Control::net_stats_request" => {
            let (received, dropped, link) = node.packets();
            let now = crate::setup::now();
            vec![wire::string(format!("{now:.6} recvd={received} dropped={dropped} link={link}\n"))]
        }
        "Control::configuration_update_request" | "Control::shutdown_request" => Vec::new(),
        _ => return None,
    };
    // Before 8.0 the script published through Broker, without the node's name.
    if !world.version.since(8, 0) && world.is_zeromq() {
        return None;
    }
    let response = message.event.replace("_request", "_response");
    let mut topic = format!(
        "{}/{}",
        world.string("Control::topic_prefix"),
        response.strip_prefix("Control::").unwrap_or(&response)
    );
    if world.version.since(8, 0) {
        topic = format!("{topic}/{name}");
    }
    Some((topic, response, args))
}

fn status(node: &Node) -> Status {
    let world = &node.world;
    let uptime = node.started.elapsed().as_secs_f64();
    let (received, dropped, link) = node.packets_of(uptime);
    let (received_1m, dropped_1m, link_1m) = node.packets_of(uptime.min(60.0));
    let newer = Newer { link_1m, bytes: received * 100, bytes_1m: received_1m * 100, window: uptime.min(60.0) };
    let mut peers: Vec<_> = node.ids.keys().cloned().collect();
    peers.sort();
    // A standalone node has its name from a redef.
    let own = world.string("Clusterctl::node");
    Status {
        node: if own.is_empty() { world.node.clone() } else { own },
        node_type: if world.node.is_empty() { "standalone".into() } else { world.local_type().to_lowercase() },
        version: world.version.text.clone(),
        pid: std::process::id(),
        uptime,
        workers: node.active("WORKER"),
        peers,
        received,
        dropped,
        link,
        received_1m,
        dropped_1m,
        memory: memory(),
        newer: (!node.setup.is("old_agent")).then_some(newer),
    }
}

/// The resident memory of the process, in bytes.
fn memory() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    pages.and_then(|t| t.split(' ').nth(1)?.parse::<u64>().ok()).unwrap_or(0) * 4096
}

/// The text of an id's value, as `lookup_ID` gives it.
fn id_value(node: &Node, id: &str) -> String {
    let world = &node.world;
    let by_type = |node_type: &str| {
        let ids = world.nodes.iter().filter(|n| n.node_type == node_type).filter_map(|n| node.ids.get(&n.name));
        Value::Set(ids.cloned().map(Value::Text).collect())
    };
    match id {
        "Cluster::nodes" => return world.nodes_value(&node.ids).to_string(),
        "Cluster::active_node_ids" if world.version.since(6, 0) => {
            let types = ["CONTROL", "LOGGER", "MANAGER", "PROXY", "WORKER"];
            let seen = types.iter().filter(|t| node.active(t) > 0);
            let table = seen.map(|t| (Value::Enum(format!("Cluster::{t}")), by_type(t))).collect();
            return Value::Table(table).to_string();
        }
        "Cluster::active_worker_ids" if !world.version.since(6, 0) => return by_type("WORKER").to_string(),
        "Cluster::worker_count" if !world.version.since(6, 1) => return node.active("WORKER").to_string(),
        _ => {}
    }
    if let Some(value) = world.globals.get(id).or_else(|| world.others.get(id)) {
        return value.to_string();
    }
    let node_type = id.strip_prefix("Cluster::").filter(|t| crate::script::eval::is_node_type(t));
    match node_type {
        Some(of) if of != "TIME_MACHINE" || !world.version.since(7, 1) => id.to_owned(),
        _ if world.events.contains_key(id) => "<no ID value>".into(),
        _ => "<unknown id>".into(),
    }
}

/// Runs the handlers that scripts have for an event, as far as they publish something.
pub fn local(node: &Shared, event: &str, args: &[Json]) {
    if event.starts_with("Clusterctl::") || event.starts_with("Control::") {
        return;
    }
    let handlers: Vec<Handler> = node.borrow().world.handlers.get(event).cloned().unwrap_or_default();
    for handler in &handlers {
        let mut locals: Locals =
            handler.params.iter().zip(args).map(|(p, a)| (p.name.clone(), wire::value(a))).collect();
        run(node, &handler.body, &mut locals);
    }
}

fn run(node: &Shared, stmt: &Stmt, locals: &mut Locals) {
    match stmt {
        Stmt::Block(stmts) => {
            for stmt in stmts {
                if matches!(stmt, Stmt::Return) {
                    return;
                }
                run(node, stmt, locals);
            }
        }
        Stmt::If(cond, yes, no) => {
            let cond = node.borrow().world.eval(cond, locals);
            match (cond, no) {
                (Value::Bool(true), _) => run(node, yes, locals),
                (Value::Bool(false), Some(no)) => run(node, no, locals),
                _ => {}
            }
        }
        Stmt::Local(name, value) => {
            let value = node.borrow().world.eval(value, locals);
            locals.insert(name.clone(), value);
        }
        Stmt::Expr(Expr::Call(callee, args)) => {
            let Expr::Name(name, _) = &**callee else { return };
            if !matches!(name.as_str(), "Cluster::publish" | "Broker::publish") {
                return;
            }
            let [topic, Expr::Name(event, _), rest @ ..] = args.as_slice() else { return };
            let (topic, values) = {
                let n = node.borrow();
                let values: Vec<Json> = rest.iter().map(|a| wire::argument(&n.world.eval(a, locals))).collect();
                (n.world.eval(topic, locals), values)
            };
            if let Value::Text(topic) = topic {
                publish(node, &topic, event, values);
            }
        }
        Stmt::Expr(_) | Stmt::While(_) | Stmt::Return | Stmt::Other => {}
    }
}
