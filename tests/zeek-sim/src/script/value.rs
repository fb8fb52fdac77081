//! Values of scripts, and their text as Zeek's `fmt("%s")` writes it.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `T` or `F`.
    Bool(bool),
    /// A count.
    Count(u64),
    /// An int.
    Int(i64),
    /// A double.
    Double(f64),
    /// A point in time, in seconds since 1970.
    Time(f64),
    /// An interval, in seconds.
    Interval(f64),
    /// A string.
    Text(String),
    /// An address.
    Addr(IpAddr),
    /// A subnet.
    Subnet(IpAddr, u8),
    /// A port.
    Port(u16, &'static str),
    /// An enum's value, by its full name.
    Enum(String),
    /// Something whose text is known and nothing else: a pattern, a function.
    Raw(String),
    /// A set.
    Set(Vec<Value>),
    /// A table.
    Table(Vec<(Value, Value)>),
    /// A vector.
    Vector(Vec<Value>),
    /// A record; a field without a value is not set.
    Record(Vec<(String, Option<Value>)>),
    /// A name without a value: a type.
    NoValue,
    /// Something that the stand-in can't tell.
    Unknown,
}

impl Value {
    /// The field of a record.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Record(fields) => fields.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.as_ref()),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is true; `None` if that can't be told.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    fn write(&self, out: &mut String, indent: usize) {
        let tabs = "\t".repeat(indent);
        match self {
            Self::Set(items) => {
                out.push('{');
                out.push('\n');
                // Zeek indents subnets and no other elements.
                let subnets = matches!(items.first(), Some(Self::Subnet(..)));
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push_str(",\n");
                    }
                    if subnets {
                        let _ = write!(out, "{tabs}\t");
                    }
                    item.write(out, indent + 1);
                }
                let _ = write!(out, "\n{tabs}}}");
            }
            Self::Table(items) => {
                out.push('{');
                out.push('\n');
                for (i, (key, value)) in items.iter().enumerate() {
                    if i > 0 {
                        out.push_str(",\n");
                    }
                    let _ = write!(out, "{tabs}\t[{key}] = ");
                    value.write(out, indent + 1);
                }
                let _ = write!(out, "\n{tabs}}}");
            }
            Self::Vector(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    item.write(out, indent);
                }
                out.push(']');
            }
            Self::Record(fields) => {
                out.push('[');
                for (i, (name, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    let _ = write!(out, "{name}=");
                    match value {
                        Some(value) => value.write(out, indent),
                        None => out.push_str("<uninitialized>"),
                    }
                }
                out.push(']');
            }
            _ => self.write_plain(out),
        }
    }

    fn write_plain(&self, out: &mut String) {
        let _ = match self {
            Self::Bool(b) => write!(out, "{}", if *b { "T" } else { "F" }),
            Self::Count(n) => write!(out, "{n}"),
            Self::Int(n) => write!(out, "{n}"),
            Self::Double(n) => write!(out, "{}", double(*n)),
            Self::Time(n) => write!(out, "{n:.6}"),
            Self::Interval(n) => write!(out, "{}", interval(*n)),
            Self::Text(text) | Self::Enum(text) | Self::Raw(text) => write!(out, "{text}"),
            Self::Addr(addr) => write!(out, "{addr}"),
            Self::Subnet(addr, width) => write!(out, "{addr}/{width}"),
            Self::Port(number, proto) => write!(out, "{number}/{proto}"),
            Self::NoValue => write!(out, "<no ID value>"),
            _ => write!(out, "<unknown>"),
        };
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write(&mut out, 0);
        f.write_str(&out)
    }
}

/// A double as Zeek writes it: always with a fraction or an exponent.
fn double(n: f64) -> String {
    let text = format!("{n}");
    if text.contains(['.', 'e', 'n']) { text } else { format!("{text}.0") }
}

/// An interval as Zeek writes it: `1.0 min 30.0 secs`.
fn interval(seconds: f64) -> String {
    const UNITS: &[(f64, &str)] =
        &[(86_400.0, "day"), (3600.0, "hr"), (60.0, "min"), (1.0, "sec"), (1e-3, "msec"), (1e-6, "usec")];
    let mut rest = seconds.abs();
    let mut parts = Vec::new();
    for (i, (size, name)) in UNITS.iter().enumerate() {
        let last = i + 1 == UNITS.len();
        // A microsecond's fraction is kept, of everything else the whole part.
        let amount = if last { rest / size } else { (rest / size + 1e-9).floor() };
        if amount >= 1.0 || (last && parts.is_empty()) {
            rest = (rest - amount * size).max(0.0);
            let sign = if seconds < 0.0 { "-" } else { "" };
            let plural = if (amount - 1.0).abs() < f64::EPSILON { "" } else { "s" };
            parts.push(format!("{sign}{} {name}{plural}", double(amount)));
        }
        if rest < 5e-7 && !parts.is_empty() {
            break;
        }
    }
    if seconds == 0.0 { "0 secs".into() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_values_as_zeek_does() {
        let set = Value::Set(vec![Value::Text("x".into()), Value::Text("y".into())]);
        assert_eq!(set.to_string(), "{\nx,\ny\n}");
        assert_eq!(Value::Set(vec![]).to_string(), "{\n\n}");
        assert_eq!(Value::Set(vec![Value::Subnet("10.0.0.0".parse().unwrap(), 8)]).to_string(), "{\n\t10.0.0.0/8\n}");
        let table = Value::Table(vec![(Value::Enum("Cluster::WORKER".into()), set)]);
        assert_eq!(table.to_string(), "{\n\t[Cluster::WORKER] = {\nx,\ny\n\t}\n}");
        let record = Value::Record(vec![("a".into(), Some(Value::Count(1))), ("b".into(), None)]);
        assert_eq!(record.to_string(), "[a=1, b=<uninitialized>]");
        assert_eq!(Value::Vector(vec![Value::Count(1), Value::Count(2)]).to_string(), "[1, 2]");
        assert_eq!(Value::Double(1.5).to_string(), "1.5");
        assert_eq!(Value::Port(80, "tcp").to_string(), "80/tcp");
    }

    #[test]
    fn writes_intervals_in_units() {
        assert_eq!(Value::Interval(90.0).to_string(), "1.0 min 30.0 secs");
        assert_eq!(Value::Interval(1.0).to_string(), "1.0 sec");
        assert_eq!(Value::Interval(3600.0).to_string(), "1.0 hr");
        assert_eq!(Value::Interval(0.25).to_string(), "250.0 msecs");
        assert_eq!(Value::Interval(0.0).to_string(), "0 secs");
    }
}
