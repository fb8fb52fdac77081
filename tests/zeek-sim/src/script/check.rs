//! What the version that is played refuses.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::script::ast::{Decl, Expr, Stmt};
use crate::script::eval::{Locals, is_node_type};
use crate::script::lexer::Place;
use crate::script::own::in_range;
use crate::script::parser::Failure;
use crate::script::value::Value;
use crate::script::world::{NodeEntry, WebSocketKind, WebSocketListen, World};

/// What Zeek's scripts let others redefine, with the version that brought it and the one that dropped it.
const REDEFS: &str = include_str!("../../data/redefs.tsv");

/// Names with the versions that have them; what isn't listed here is not checked where it is used.
const NAMES: &[(&str, &str, &str)] = &[
    ("Cluster::TIME_MACHINE", "3.0", "7.1"),
    ("Cluster::worker_count", "3.0", "6.1"),
    ("Cluster::active_worker_ids", "3.0", "6.0"),
    ("Cluster::active_node_ids", "6.0", "-"),
    ("Cluster::get_active_node_count", "6.0", "-"),
    ("Cluster::get_node_count", "6.0", "-"),
    ("Cluster::listen_websocket", "7.2", "-"),
    ("Broker::listen_websocket", "5.0", "8.1"),
    ("Cluster::backend", "7.1", "-"),
    ("Cluster::publish", "7.1", "-"),
    ("Cluster::subscribe", "7.1", "-"),
    ("Cluster::CLUSTER_BACKEND_BROKER", "7.1", "-"),
    ("Cluster::CLUSTER_BACKEND_ZEROMQ", "7.1", "-"),
    ("Cluster::CLUSTER_BACKEND_NONE", "8.1", "-"),
    ("Telemetry::metrics_port", "7.0", "-"),
    ("Broker::auto_publish", "3.0", "8.1"),
];

/// Reports names that the version has not, and record fields where a WebSocket server is started.
pub fn names(world: &World, decl: &Decl, place: &Place, failures: &mut Vec<Failure>, warnings: &mut Vec<Failure>) {
    let mut look = Look { world, place: place.clone(), failures, warnings };
    match decl {
        Decl::Variable { value: Some(value), .. } | Decl::Redef { value, .. } => look.expr(value),
        Decl::Event { body, .. } => look.stmt(body),
        Decl::Stmt(stmt) => look.stmt(stmt),
        _ => {}
    }
}

struct Look<'a> {
    world: &'a World,
    place: Place,
    failures: &'a mut Vec<Failure>,
    warnings: &'a mut Vec<Failure>,
}

impl Look<'_> {
    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Expr(expr) | Stmt::Local(_, expr) => self.expr(expr),
            Stmt::If(cond, yes, no) => {
                self.expr(cond);
                self.stmt(yes);
                if let Some(no) = no {
                    self.stmt(no);
                }
            }
            Stmt::Block(stmts) => stmts.iter().for_each(|s| self.stmt(s)),
            Stmt::While(cond) => self.expr(cond),
            Stmt::Return | Stmt::Other => {}
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Name(name, place) => {
                self.place = place.clone();
                let known = NAMES.iter().find(|(n, ..)| n == name);
                if known.is_some_and(|(_, from, to)| !in_range(Some(from), Some(to), &self.world.version)) {
                    let text = format!("unknown identifier {name}, at or near \"{name}\"");
                    self.failures.push(Failure::error(place, text));
                }
            }
            Expr::Call(callee, args) => {
                self.expr(callee);
                if let Expr::Name(name, place) = &**callee {
                    if name == "Cluster::listen_websocket" {
                        self.listen_options(place, args);
                    } else if name == "Broker::listen_websocket" && self.world.version.since(7, 2) {
                        let text = "deprecated (Broker::listen_websocket): Remove in v8.1. Switch to Cluster::listen_websocket() instead.";
                        self.warnings.push(Failure::error(place, text));
                    }
                }
                self.all(args);
            }
            Expr::Braces(items) | Expr::Brackets(items) => self.all(items),
            Expr::Field(_, inner, _)
            | Expr::Unary(_, inner)
            | Expr::Size(inner)
            | Expr::Member(inner, _)
            | Expr::Has(inner, _) => self.expr(inner),
            Expr::Index(base, keys) => {
                self.expr(base);
                self.all(keys);
            }
            Expr::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            Expr::Cond(cond, yes, no) => {
                self.expr(cond);
                self.expr(yes);
                self.expr(no);
            }
            Expr::Value(_) | Expr::Opaque => {}
        }
    }

    fn all(&mut self, exprs: &[Expr]) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn listen_options(&mut self, place: &Place, args: &[Expr]) {
        let [Expr::Brackets(fields) | Expr::Call(_, fields)] = args else {
            self.failures.push(Failure::error(place, "argument type mismatch in function call"));
            return;
        };
        let known = self.world.version.websocket_fields();
        let coerced = coerced(self.world, fields, "Cluster::WebSocketServerOptions");
        let mut given = Vec::new();
        for field in fields {
            let Expr::Field(name, _, place) = field else { continue };
            given.push(name.as_str());
            if !known.contains(&name.as_str()) {
                let text = format!("orphaned field \"{name}\" in record coercion {coerced}");
                self.failures.push(Failure::error(place, text));
                return;
            } else if name == "listen_host" && self.world.version.since(8, 0) {
                let text = "deprecated (Cluster::WebSocketServerOptions$listen_host): Remove in v8.1: Use $listen_addr instead.";
                self.warnings.push(Failure::error(place, text));
            }
        }
        let required: &[&str] =
            if self.world.version.since(8, 0) { &["listen_port"] } else { &["listen_host", "listen_port"] };
        if let Some(name) = required.iter().find(|n| !given.contains(n)) {
            self.failures.push(Failure::error(place, format!("non-optional field \"{name}\" missing {coerced}")));
        }
    }
}

/// A record that doesn't fit its type, as Zeek writes it in a message.
fn coerced(world: &World, fields: &[Expr], of: &str) -> String {
    let mut parts = Vec::new();
    for field in fields {
        if let Expr::Field(name, value, _) = field {
            parts.push(format!("${name}={}", world.eval(value, &Locals::new())));
        }
    }
    format!("((coerce [{}] to {of}))", parts.join(", "))
}

/// Notes the WebSocket server that a call starts.
pub fn listen(world: &mut World, name: &str, args: &[Expr]) {
    let locals = Locals::new();
    let (kind, host, port) = if name == "Cluster::listen_websocket" {
        let record = args.first().map_or(Value::Unknown, |a| world.eval(a, &locals));
        let host = match (record.field("listen_addr"), record.field("listen_host")) {
            (Some(Value::Addr(addr)), _) => addr.to_string(),
            (_, Some(Value::Text(host))) => host.clone(),
            _ => "127.0.0.1".into(),
        };
        (WebSocketKind::Cluster, host, record.field("listen_port").cloned())
    } else {
        let host = match args.first().map(|a| world.eval(a, &locals)) {
            Some(Value::Text(host)) => host,
            _ => std::env::var("ZEEK_DEFAULT_LISTEN_ADDRESS").unwrap_or_default(),
        };
        (
            WebSocketKind::Broker,
            host,
            args.get(1).map_or(Some(Value::Port(9997, "tcp")), |a| Some(world.eval(a, &locals))),
        )
    };
    if let Some(Value::Port(port, _)) = port {
        world.websockets.push(WebSocketListen { kind, host, port });
    }
}

/// Takes the layout, entry by entry, and reports fields that `Cluster::Node` has not or that are missing.
pub fn layout(world: &mut World, value: &Expr, failures: &mut Vec<Failure>) {
    let known = world.version.node_fields();
    let Expr::Braces(entries) = value else { return };
    let lines: Vec<&Place> = entries.iter().filter_map(first_field).collect();
    let first = lines.first().map(|p| (*p).clone());
    let last = lines.last().map(|p| p.line);
    let mut places: HashMap<String, usize> = world.nodes.iter().enumerate().map(|(i, n)| (n.name.clone(), i)).collect();
    for entry in entries {
        let Expr::Binary("=", key, record) = entry else { continue };
        let key = match &**key {
            Expr::Brackets(keys) if keys.len() == 1 => &keys[0],
            key => key,
        };
        let (Value::Text(name), Expr::Brackets(fields) | Expr::Call(_, fields)) =
            (world.eval(key, &Locals::new()), &**record)
        else {
            continue;
        };
        let mut at = None;
        let mut given = Vec::new();
        let mut orphan = None;
        for field in fields {
            let Expr::Field(field, value, place) = field else { continue };
            at.get_or_insert_with(|| place.clone());
            if orphan.is_none() && !known.iter().any(|(n, _)| n == field) {
                orphan = Some(format!("orphaned field \"{field}\" in record coercion"));
            }
            given.push((field.clone(), Some(world.eval(value, &Locals::new()))));
        }
        // Zeek names all lines of the entries for an error in one.
        let place = first.clone().or(at).unwrap_or(Place { file: "cluster-layout.zeek".into(), line: 1 });
        let missing = known.iter().find(|(n, required)| *required && !given.iter().any(|(g, _)| g == n));
        let missing = missing.map(|(n, _)| format!("non-optional field \"{n}\" missing"));
        if let Some(text) = orphan.or(missing) {
            let text = format!("{text} {}", coerced(world, fields, "Cluster::Node"));
            failures.push(Failure { until: last, ..Failure::error(&place, text) });
            continue;
        }
        let find = |name: &str| given.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.as_ref());
        let node_type = match find("node_type") {
            Some(Value::Enum(of)) => of.strip_prefix("Cluster::").unwrap_or(of).to_owned(),
            _ => String::new(),
        };
        if !is_node_type(&node_type) {
            failures.push(Failure::error(&place, "type clash for field \"node_type\""));
        }
        let ip = if let Some(Value::Addr(ip)) = find("ip") {
            *ip
        } else {
            failures.push(Failure::error(&place, "type clash for field \"ip\""));
            continue;
        };
        let port = match find("p") {
            Some(Value::Port(port, _)) if *port > 0 => Some(*port),
            Some(Value::Port(..)) | None => None,
            Some(_) => {
                failures.push(Failure::error(&place, "type clash for field \"p\""));
                None
            }
        };
        let entry = NodeEntry { name: name.clone(), node_type, ip, port, fields: given };
        match places.entry(name) {
            Entry::Occupied(at) => world.nodes[*at.get()] = entry,
            Entry::Vacant(at) => {
                at.insert(world.nodes.len());
                world.nodes.push(entry);
            }
        }
    }
}

/// Reports a redef of what the version has not, and of a kind that Zeek would not take.
pub fn redef(world: &World, name: &str, value: &Value, place: &Place, failures: &mut Vec<Failure>) {
    let unknown = || Failure::error(place, format!("\"redef\" used but not previously defined ({name})"));
    let entry = REDEFS.lines().find(|l| l.split('\t').next() == Some(name));
    if let Some(line) = entry {
        let mut columns = line.split('\t').skip(1);
        let exists = in_range(columns.next(), columns.next(), &world.version);
        let needs_zeromq = name.starts_with("Cluster::Backend::ZeroMQ::") && !world.is_zeromq();
        if !exists || needs_zeromq {
            failures.push(unknown());
        } else if let Some(old) = world.globals.get(name)
            && mismatch(old, value)
        {
            failures.push(Failure::error(place, format!("type clash in assignment ({name} = {value})")));
        }
        return;
    }
    if world.globals.contains_key(name) {
        return;
    }
    // What nobody declared, be it in no module or in one of Zeek's; packages and plugins that weren't read have theirs.
    let zeeks = name.rsplit_once("::").is_none_or(|(module, _)| {
        REDEFS.lines().any(|l| l.split('\t').next().and_then(|n| n.rsplit_once("::")).is_some_and(|(m, _)| m == module))
    });
    if zeeks && !world.others.contains_key(name) {
        failures.push(unknown());
    }
}

/// Whether any version lets a name be redefined.
pub fn can_be_redefined(name: &str) -> bool {
    REDEFS.lines().any(|l| l.split('\t').next() == Some(name))
}

/// Where the first field of a layout's entry stands.
fn first_field(entry: &Expr) -> Option<&Place> {
    let Expr::Binary("=", _, record) = entry else { return None };
    let (Expr::Brackets(fields) | Expr::Call(_, fields)) = &**record else { return None };
    fields.iter().find_map(|f| match f {
        Expr::Field(_, _, place) => Some(place),
        _ => None,
    })
}

/// Whether a value is plainly of another type than the one it replaces.
fn mismatch(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (_, Value::Unknown | Value::Raw(_)) | (Value::Unknown | Value::NoValue, _) => false,
        (Value::Bool(_), new) => !matches!(new, Value::Bool(_)),
        (Value::Text(_), new) => !matches!(new, Value::Text(_)),
        (Value::Interval(_), new) => !matches!(new, Value::Interval(_)),
        (Value::Port(..), new) => !matches!(new, Value::Port(..)),
        (Value::Count(_), new) => !matches!(new, Value::Count(_)),
        _ => false,
    }
}
