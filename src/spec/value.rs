//! Tree -> `serde_yaml` values, with aliases expanded and counted.

use std::sync::Arc;

use serde_yaml::{Mapping, Value};

use super::tree::{DEPTH, EVENTS, Kind, Node};
use crate::error::{Diagnostic, Source};

/// Makes the value of a tree, or tells why it can't be made.
pub(super) fn value(source: &Arc<Source>, root: &Node) -> Result<Value, Box<Diagnostic>> {
    let mut maker = Maker { source, made: 0, path: Vec::new() };
    maker.make(root)
}

struct Maker<'a> {
    source: &'a Arc<Source>,
    made: usize,
    /// The keys that lead here; empty for the items of a sequence.
    path: Vec<&'a str>,
}

impl<'a> Maker<'a> {
    fn make(&mut self, node: &'a Node) -> Result<Value, Box<Diagnostic>> {
        self.made += 1;
        let wrong = if self.made > EVENTS {
            format!("the aliases stand for more than {EVENTS} values")
        } else if self.path.len() > DEPTH {
            format!("the description is nested more than {DEPTH} levels deep")
        } else {
            return match &node.kind {
                Kind::Scalar { text, plain: false } => Ok(Value::String(text.clone())),
                Kind::Scalar { text, plain: true } => Ok(match scalar(text) {
                    Value::Bool(_) | Value::Number(_) if is_text(&self.path) => Value::String(text.clone()),
                    value => value,
                }),
                Kind::Sequence(items) => {
                    self.path.push("");
                    let values: Result<_, _> = items.iter().map(|item| self.make(item)).collect();
                    self.path.pop();
                    values.map(Value::Sequence)
                }
                Kind::Mapping(mapping) => {
                    let mut values = Mapping::with_capacity(mapping.entries.len());
                    for entry in &mapping.entries {
                        self.path.push(&entry.key);
                        let value = self.make(&entry.value);
                        self.path.pop();
                        values.insert(Value::String(entry.key.clone()), value?);
                    }
                    Ok(Value::Mapping(values))
                }
            };
        };
        Err(Box::new(Diagnostic::at(self.source, node.span.clone(), wrong, "the limit is reached here")))
    }
}

/// Tells whether a plain scalar at these keys is read as the text it is: `version: 8.10` is no number.
fn is_text(path: &[&str]) -> bool {
    match path {
        ["cluster"]
        | ["zeek", "version" | "global_hash_seed"]
        | ["include" | "paths", ..]
        | [.., "env", _]
        | [.., "env", _, "file"]
        | [.., "args" | "scripts" | "hosts" | "site_data", ""] => true,
        [.., key] => matches!(*key, "host" | "user" | "interface" | "master_node" | "jump" | "zone_id" | "address"),
        [] => false,
    }
}

/// Reads a plain scalar as YAML's core schema and `serde_yaml` do.
fn scalar(text: &str) -> Value {
    // The common ones first: asking the parser for each costs as much as all the rest together.
    let string = || Value::String(text.to_owned());
    match text.as_bytes() {
        [] | b"~" | b"null" | b"Null" | b"NULL" => Value::Null,
        b"true" | b"True" | b"TRUE" => Value::Bool(true),
        b"false" | b"False" | b"FALSE" => Value::Bool(false),
        [b'1'..=b'9', ..] | b"0" if text.len() < 19 && text.bytes().all(|b| b.is_ascii_digit()) => {
            text.parse::<u64>().map_or_else(|_| string(), Value::from)
        }
        [b'0'..=b'9' | b'+' | b'-' | b'.', ..] if text.len() < 64 && !text.contains([':', ' ']) => {
            match serde_yaml::from_str(text) {
                Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => value,
                _ => string(),
            }
        }
        _ => string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_what_serde_yaml_makes_of_them() {
        for text in [
            "~",
            "null",
            "true",
            "TRUE",
            "no",
            "on",
            "0",
            "7",
            "-7",
            "+7",
            "010",
            "0o10",
            "0x10",
            "0b11",
            "1_000",
            "1.5",
            ".5",
            "1e3",
            ".inf",
            "-.inf",
            ".nan",
            "2-9",
            "1:30",
            "10.0.0.1",
            "123456789012345678901234567890",
            "8.10",
            "18446744073709551615",
            "9223372036854775807",
            "-9223372036854775808",
            "-",
            "+",
            ".",
            "..",
            "a",
            "2001:db8::1",
            "0.1.2",
            "1-2",
            "--5",
            "-a",
        ] {
            let theirs: Value = serde_yaml::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
            let theirs = if matches!(theirs, Value::Sequence(_)) { Value::String(text.to_owned()) } else { theirs };
            assert_eq!(format!("{:?}", scalar(text)), format!("{theirs:?}"), "{text}");
        }
    }
}
