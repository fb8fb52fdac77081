//! The value of an expression, as far as it can be told without running Zeek.

use std::collections::HashMap;

use crate::script::ast::Expr;
use crate::script::value::Value;
use crate::script::world::World;

/// Local variables and parameters.
pub type Locals = HashMap<String, Value>;

impl World {
    /// The value of an expression; [`Value::Unknown`] where it can't be told.
    pub fn eval(&self, expr: &Expr, locals: &Locals) -> Value {
        match expr {
            Expr::Value(value) => value.clone(),
            Expr::Name(name, _) => self.name_value(name, locals),
            Expr::Call(callee, args) => match &**callee {
                Expr::Name(name, _) => self.call(name, args, locals),
                _ => Value::Unknown,
            },
            Expr::Braces(items) => self.braces(items, locals),
            Expr::Brackets(items) => self.brackets(items, locals),
            Expr::Field(name, value, _) => Value::Record(vec![(name.clone(), Some(self.eval(value, locals)))]),
            Expr::Index(base, keys) => {
                let [key] = keys.as_slice() else { return Value::Unknown };
                let key = self.eval(key, locals);
                match (self.eval(base, locals), key) {
                    (Value::Table(items), key) => {
                        items.into_iter().find(|(k, _)| *k == key).map_or(Value::Unknown, |(_, v)| v)
                    }
                    (Value::Vector(items), Value::Count(i)) => {
                        usize::try_from(i).ok().and_then(|i| items.get(i).cloned()).unwrap_or(Value::Unknown)
                    }
                    _ => Value::Unknown,
                }
            }
            Expr::Member(base, name) => self.eval(base, locals).field(name).cloned().unwrap_or(Value::Unknown),
            Expr::Has(base, name) => match self.eval(base, locals) {
                record @ Value::Record(_) => Value::Bool(record.field(name).is_some()),
                _ => Value::Unknown,
            },
            Expr::Unary(op, inner) => match (*op, self.eval(inner, locals)) {
                ("!", Value::Bool(b)) => Value::Bool(!b),
                ("-", Value::Count(n)) => i64::try_from(n).map_or(Value::Unknown, |n| Value::Int(-n)),
                ("-", Value::Double(n)) => Value::Double(-n),
                ("-", Value::Interval(n)) => Value::Interval(-n),
                ("+", value) => value,
                _ => Value::Unknown,
            },
            Expr::Binary(op, left, right) => self.operator(op, left, right, locals),
            Expr::Cond(cond, yes, no) => match self.eval(cond, locals) {
                Value::Bool(true) => self.eval(yes, locals),
                Value::Bool(false) => self.eval(no, locals),
                _ => Value::Unknown,
            },
            Expr::Size(inner) => {
                let size = match self.eval(inner, locals) {
                    Value::Set(items) | Value::Vector(items) => items.len(),
                    Value::Table(items) => items.len(),
                    Value::Text(text) => text.len(),
                    _ => return Value::Unknown,
                };
                Value::Count(size as u64)
            }
            Expr::Opaque => Value::Unknown,
        }
    }

    fn name_value(&self, name: &str, locals: &Locals) -> Value {
        if let Some(value) = locals.get(name) {
            return value.clone();
        }
        if name == "Cluster::nodes" || (name == "nodes" && self.module == "Cluster") {
            return self.nodes_value(&HashMap::new());
        }
        if let Some(value) = self.find(name) {
            return value.clone();
        }
        if let Some(node_type) = name.strip_prefix("Cluster::")
            && is_node_type(node_type)
        {
            return Value::Enum(name.to_owned());
        }
        // An enum's value is written in capitals.
        let last = name.rsplit("::").next().unwrap_or(name);
        if name.contains("::") && last.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
            return Value::Enum(name.to_owned());
        }
        Value::Unknown
    }

    fn call(&self, name: &str, args: &[Expr], locals: &Locals) -> Value {
        let values = || args.iter().map(|a| self.eval(a, locals)).collect::<Vec<_>>();
        match name {
            "Cluster::local_node_type" => Value::Enum(format!("Cluster::{}", self.local_type())),
            "Cluster::is_enabled" => Value::Bool(!self.node.is_empty()),
            "getenv" => match values().as_slice() {
                [Value::Text(variable)] => Value::Text(std::env::var(variable).unwrap_or_default()),
                _ => Value::Unknown,
            },
            "zeek_version" => Value::Text(self.version.text.clone()),
            "getpid" => Value::Count(u64::from(std::process::id())),
            "gethostname" => Value::Text(crate::setup::hostname()),
            "current_time" | "network_time" => Value::Time(crate::setup::now()),
            "set" => self.set(args, locals),
            "table" => self.braces(args, locals),
            "vector" => Value::Vector(values()),
            "Cluster::node_topic" | "Cluster::nodeid_topic" => match values().as_slice() {
                [Value::Text(of)] if name == "Cluster::node_topic" => Value::Text(self.node_topic(of)),
                [Value::Text(of)] => Value::Text(self.nodeid_topic(of)),
                _ => Value::Unknown,
            },
            "Cluster::get_node_count" => match values().as_slice() {
                [Value::Enum(of)] => Value::Count(
                    self.nodes.iter().filter(|n| of.strip_prefix("Cluster::") == Some(&n.node_type)).count() as u64,
                ),
                _ => Value::Unknown,
            },
            "cat" => {
                let values = values();
                if values.contains(&Value::Unknown) {
                    return Value::Unknown;
                }
                Value::Text(values.iter().map(ToString::to_string).collect())
            }
            "fmt" => format(&values()),
            "port_to_count" => match values().as_slice() {
                [Value::Port(port, _)] => Value::Count(u64::from(*port)),
                _ => Value::Unknown,
            },
            "addr_to_uri" => match values().as_slice() {
                [Value::Addr(addr @ std::net::IpAddr::V6(_))] => Value::Text(format!("[{addr}]")),
                [Value::Addr(addr)] => Value::Text(addr.to_string()),
                _ => Value::Unknown,
            },
            "to_count" => match values().as_slice() {
                [Value::Text(text)] => Value::Count(text.parse().unwrap_or(0)),
                _ => Value::Unknown,
            },
            "to_port" => match values().as_slice() {
                [Value::Text(text)] => text
                    .strip_suffix("/tcp")
                    .and_then(|n| n.parse().ok())
                    .map_or(Value::Unknown, |n| Value::Port(n, "tcp")),
                _ => Value::Unknown,
            },
            "to_addr" => match values().as_slice() {
                [Value::Text(text)] => text.parse().map_or(Value::Unknown, Value::Addr),
                _ => Value::Unknown,
            },
            // A record's constructor: fields as arguments.
            _ if !args.is_empty() && args.iter().all(|a| matches!(a, Expr::Field(..))) => self.brackets(args, locals),
            _ => Value::Unknown,
        }
    }

    fn set(&self, items: &[Expr], locals: &Locals) -> Value {
        let mut set = Vec::new();
        for item in items {
            let value = self.eval(item, locals);
            if !set.contains(&value) {
                set.push(value);
            }
        }
        Value::Set(set)
    }

    /// `{ a, b }` is a set, `{ [a] = b }` a table.
    fn braces(&self, items: &[Expr], locals: &Locals) -> Value {
        if items.is_empty() || !items.iter().all(|i| matches!(i, Expr::Binary("=", ..))) {
            return self.set(items, locals);
        }
        let mut table: Vec<(Value, Value)> = Vec::new();
        for item in items {
            let Expr::Binary(_, key, value) = item else { continue };
            let key = match &**key {
                Expr::Brackets(keys) if keys.len() == 1 => self.eval(&keys[0], locals),
                key => self.eval(key, locals),
            };
            let value = self.eval(value, locals);
            match table.iter_mut().find(|(k, _)| *k == key) {
                Some(entry) => entry.1 = value,
                None => table.push((key, value)),
            }
        }
        Value::Table(table)
    }

    fn brackets(&self, items: &[Expr], locals: &Locals) -> Value {
        if items.iter().all(|i| matches!(i, Expr::Field(..))) && !items.is_empty() {
            return Value::Record(
                items
                    .iter()
                    .filter_map(|i| match i {
                        Expr::Field(name, value, _) => Some((name.clone(), Some(self.eval(value, locals)))),
                        _ => None,
                    })
                    .collect(),
            );
        }
        Value::Vector(items.iter().map(|i| self.eval(i, locals)).collect())
    }

    fn operator(&self, op: &str, left: &Expr, right: &Expr, locals: &Locals) -> Value {
        let a = self.eval(left, locals);
        // What is known on one side can decide alone.
        match (op, &a) {
            ("&&", Value::Bool(false)) | ("||", Value::Bool(true)) => return a,
            _ => {}
        }
        let b = self.eval(right, locals);
        match (op, a, b) {
            ("&&", Value::Bool(a), Value::Bool(b)) => Value::Bool(a && b),
            ("||", Value::Bool(a), Value::Bool(b)) => Value::Bool(a || b),
            ("&&", _, Value::Bool(false)) => Value::Bool(false),
            ("||", _, Value::Bool(true)) => Value::Bool(true),
            (_, Value::Unknown, _) | (_, _, Value::Unknown) => Value::Unknown,
            ("==", a, b) => Value::Bool(a == b),
            ("!=", a, b) => Value::Bool(a != b),
            ("<", Value::Count(a), Value::Count(b)) => Value::Bool(a < b),
            ("<=", Value::Count(a), Value::Count(b)) => Value::Bool(a <= b),
            (">", Value::Count(a), Value::Count(b)) => Value::Bool(a > b),
            (">=", Value::Count(a), Value::Count(b)) => Value::Bool(a >= b),
            ("+", Value::Count(a), Value::Count(b)) => Value::Count(a.saturating_add(b)),
            ("+", Value::Text(a), Value::Text(b)) => Value::Text(a + &b),
            ("+", Value::Interval(a), Value::Interval(b)) => Value::Interval(a + b),
            ("-", Value::Count(a), Value::Count(b)) => Value::Count(a.saturating_sub(b)),
            ("*", Value::Count(a), Value::Count(b)) => Value::Count(a.saturating_mul(b)),
            ("*", Value::Count(n), Value::Interval(i)) | ("*", Value::Interval(i), Value::Count(n)) => {
                Value::Interval(i * u32::try_from(n).map_or(0.0, f64::from))
            }
            ("in", a, b) => contains(&a, &b).map_or(Value::Unknown, Value::Bool),
            ("!in", a, b) => contains(&a, &b).map_or(Value::Unknown, |c| Value::Bool(!c)),
            _ => Value::Unknown,
        }
    }

    /// `Cluster::nodes` as a value, with the ids of the nodes that said hello.
    pub fn nodes_value(&self, ids: &HashMap<String, String>) -> Value {
        let fields = self.version.node_fields();
        Value::Table(
            self.nodes
                .iter()
                .map(|node| {
                    let record = fields
                        .iter()
                        .map(|(name, _)| {
                            let given = node.fields.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.clone());
                            let value = match *name {
                                "id" => ids.get(&node.name).cloned().map(Value::Text),
                                "zone_id" => Some(given.unwrap_or(Value::Text(String::new()))),
                                "p" => Some(given.unwrap_or(Value::Port(0, "unknown"))),
                                _ => given,
                            };
                            ((*name).to_owned(), value)
                        })
                        .collect();
                    (Value::Text(node.name.clone()), Value::Record(record))
                })
                .collect(),
        )
    }
}

/// Whether a name is one of `Cluster::NodeType`, of any version.
pub fn is_node_type(name: &str) -> bool {
    matches!(name, "NONE" | "CONTROL" | "LOGGER" | "MANAGER" | "PROXY" | "WORKER" | "TIME_MACHINE")
}

fn contains(needle: &Value, hay: &Value) -> Option<bool> {
    match hay {
        Value::Set(items) => Some(items.contains(needle)),
        Value::Table(items) => Some(items.iter().any(|(k, _)| k == needle)),
        Value::Text(text) => Some(text.contains(needle.text()?)),
        _ => None,
    }
}

/// `fmt`: `%s`, `%d` and `%%`.
fn format(values: &[Value]) -> Value {
    let [Value::Text(form), rest @ ..] = values else { return Value::Unknown };
    if rest.contains(&Value::Unknown) {
        return Value::Unknown;
    }
    let mut rest = rest.iter();
    let mut out = String::new();
    let mut chars = form.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('%') => out.push('%'),
            Some('s' | 'd') => out.extend(rest.next().map(ToString::to_string)),
            _ => return Value::Unknown,
        }
    }
    Value::Text(out)
}
