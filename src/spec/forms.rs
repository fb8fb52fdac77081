//! Forms of the description that are no tables: mappings of the user's own names, lists of texts, and values with
//! several forms.

use serde_json::{Value as Json, json};

use super::decode::{At, Decode, Form, Reader, plain};
use super::schema::Schemas;
use super::tree::{Entry, Mapping, Node};
use crate::values::{Address, BadValue, CpuList, HostPath, Interval, Redef, TextValue, ZeekValue};

/// A mapping of the user's own names, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderedMap<T>(pub Vec<(String, T)>);

impl<T> Default for OrderedMap<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> OrderedMap<T> {
    /// Goes through the entries in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads the entries of a mapping of the user's own names; those that can't be read are left out.
pub(super) fn entries<T: Decode>(at: &At<'_>, mapping: &Mapping, reader: &mut Reader<'_>) -> OrderedMap<T> {
    let one = |entry: &Entry| Some((entry.key.clone(), reader.decode(&at.entry(entry))?));
    OrderedMap(mapping.entries.iter().filter_map(one).collect())
}

impl<T: Decode> Decode for OrderedMap<T> {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match at.form() {
            Form::Nothing => Some(Self::default()),
            Form::Mapping(mapping) => Some(entries(at, mapping, reader)),
            _ => reader.unexpected(at, "a mapping"),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": ["object", "null"], "additionalProperties": T::schema(schemas) })
    }
}

/// A list of texts; a single text is a list of one. An item that could not be read is the empty text, so that the
/// others keep their indices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StringList(pub Vec<String>);

impl Decode for StringList {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = |(index, item): (usize, &Node)| reader.decode(&at.item(index, item)).unwrap_or_default();
        match at.form() {
            Form::Nothing => Some(Self::default()),
            Form::Text(text) => Some(Self(vec![text.to_owned()])),
            Form::List(items) => Some(Self(items.iter().map(AsRef::as_ref).enumerate().map(text).collect())),
            _ => reader.unexpected(at, "a list of texts"),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("StringList", |_| {
            json!({
                "description": "A list of texts; a single text is a list of one.",
                "type": ["array", "string", "null"],
                "items": { "type": "string" }
            })
        })
    }
}

/// A value of the environment: a text, or where a secret is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvSpec {
    /// As written.
    Plain(String),
    /// The contents of a file on the operator's machine.
    File(String),
    /// A variable of the operator's environment.
    Variable(String),
}

/// Returns the one entry of a mapping whose key says what the value is.
fn only<'m>(at: &At<'_>, mapping: &'m Mapping, expected: &str, reader: &mut Reader<'_>) -> Option<&'m Entry> {
    match mapping.entries.as_slice() {
        [entry] => Some(entry),
        [] => reader.expected(at, expected, "an empty mapping"),
        _ => reader.expected(at, expected, "more than one key"),
    }
}

impl Decode for EnvSpec {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        const EXPECTED: &str = "a text, `{ file: PATH }` or `{ env: NAME }`";
        match at.form() {
            Form::Nothing => Some(Self::Plain(String::new())),
            Form::Text(text) | Form::Bool(_, text) | Form::Number(_, text) => Some(Self::Plain(text.to_owned())),
            Form::Mapping(mapping) => {
                let entry = only(at, mapping, EXPECTED, reader)?;
                match entry.key.as_str() {
                    "file" => reader.decode(&at.entry(entry)).map(Self::File),
                    "env" => reader.decode(&at.entry(entry)).map(Self::Variable),
                    key => reader.expected(at, EXPECTED, &format!("the key `{key}`")),
                }
            }
            Form::List(_) => reader.unexpected(at, EXPECTED),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Env", |_| {
            json!({
                "description": "A text, or a secret from a file or from a variable of the operator's environment.",
                "type": ["string", "number", "boolean", "null", "object"],
                "properties": { "file": { "type": "string" }, "env": { "type": "string" } },
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": false
            })
        })
    }
}

/// Reads a boolean, a number or a text.
fn zeek_value(at: &At<'_>, expected: &str, reader: &mut Reader<'_>) -> Option<ZeekValue> {
    match at.form() {
        Form::Bool(value, _) => Some(ZeekValue::Bool(value)),
        Form::Text(text) => Some(ZeekValue::Text(text.to_owned())),
        Form::Number(number, text) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => Some(ZeekValue::Int(whole)),
            (None, Some(_), _) => reader.bad(at, format!("the number {text} is too large").into()),
            (None, None, Some(fraction)) if fraction.is_finite() => Some(ZeekValue::Double(fraction)),
            _ => reader.bad(at, "Zeek has no such number".to_owned().into()),
        },
        Form::Nothing | Form::List(_) | Form::Mapping(_) => reader.unexpected(at, expected),
    }
}

impl Decode for ZeekValue {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        zeek_value(at, "a boolean, a number or a text", reader)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define(
            "ZeekValue",
            |_| json!({ "description": "A boolean, a number or a text.", "type": ["boolean", "number", "string"] }),
        )
    }
}

/// What a redefinition adds.
struct Added(Vec<ZeekValue>);

impl Decode for Added {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let Form::List(items) = at.form() else { return reader.unexpected(at, "a list") };
        let read: Vec<_> = items.iter().enumerate().map(|(index, item)| reader.decode(&at.item(index, item))).collect();
        read.into_iter().collect::<Option<_>>().map(Self)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        json!({ "type": "array", "items": ZeekValue::schema(schemas) })
    }
}

impl Decode for Redef {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        const EXPECTED: &str = "a boolean, a number, a text, `{ add: [...] }` or `{ expr: \"...\" }`";
        let Form::Mapping(mapping) = at.form() else {
            return zeek_value(at, EXPECTED, reader).map(Self::Set);
        };
        let entry = only(at, mapping, EXPECTED, reader)?;
        match entry.key.as_str() {
            "add" => reader.decode(&at.entry(entry)).map(|Added(values)| Self::Add(values)),
            "expr" => reader.decode(&at.entry(entry)).map(Self::Expr),
            key => reader.expected(at, EXPECTED, &format!("the key `{key}`")),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("Redef", |schemas| {
            json!({
                "description": "A value that becomes a Zeek literal, values to add, or a verbatim Zeek expression.",
                "type": ["boolean", "number", "string", "object"],
                "properties": { "add": Added::schema(schemas), "expr": { "type": "string" } },
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": false
            })
        })
    }
}

impl Decode for CpuList {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut list = Self::default();
        let mut add = |at: &At<'_>, expected: &str, reader: &mut Reader<'_>| match at.form() {
            Form::Text(text) => list.append(text).or_else(|why| reader.bad(at, why.into()).ok_or(())).ok(),
            Form::Number(number, _) => {
                list.append(&plain(&number)).or_else(|why| reader.bad(at, why.into()).ok_or(())).ok()
            }
            _ => reader.unexpected(at, expected),
        };
        match at.form() {
            Form::List(items) => {
                let mut whole = true;
                for (index, item) in items.iter().enumerate() {
                    whole &= add(&at.item(index, item), "a CPU number or a range such as `2-9`", reader).is_some();
                }
                whole.then_some(list)
            }
            _ => add(at, "a CPU list such as `2-9`, `0-14:2` or `[2, 4]`", reader).map(|()| list),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("CpuList", |_| {
            json!({
                "description": "CPUs in the order in which workers take them: 2-9, 0-14:2, [2, 4].",
                "type": ["string", "integer", "array"],
                "items": { "type": ["string", "integer"] },
                "examples": ["2-9", "0-14:2"]
            })
        })
    }
}

/// Where nodes listen for each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// On the node's own address.
    Node,
    /// On all addresses.
    Any,
    /// On this address.
    Address(Address),
}

impl TextValue for Listen {
    const NAME: &'static str = "Listen";

    fn expected() -> String {
        "`node`, `any` or an IP address".to_owned()
    }

    fn schema() -> Json {
        json!({ "description": "`node`, `any` or an address.", "type": "string", "examples": ["node", "any"] })
    }

    fn read(text: &str) -> Result<Self, BadValue> {
        match text {
            "node" => Ok(Self::Node),
            "any" => Ok(Self::Any),
            other => {
                let address = other.parse().map_err(|why: String| format!("{why}, and not `node` or `any`"));
                Ok(Self::Address(address?))
            }
        }
    }
}

/// Where logs are archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveSpec {
    /// Nowhere.
    Off,
    /// In this folder of the hosts.
    Folder(HostPath),
}

impl TextValue for ArchiveSpec {
    const NAME: &'static str = "Archive";

    fn expected() -> String {
        "an absolute path, or `off`".to_owned()
    }

    fn schema() -> Json {
        json!({
            "description": "An absolute path on the hosts, or `off`.",
            "type": "string",
            "pattern": "^(/|off$)",
            "examples": ["off", "/data/zeek/logs"]
        })
    }

    fn read(text: &str) -> Result<Self, BadValue> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let folder = text.parse().map_err(|why: String| format!("{why}, and it is not `off`"));
        Ok(Self::Folder(folder?))
    }
}

/// The age at which archived logs are deleted: an interval, with a word for those who know zeekctl's
/// `LogExpireInterval`, which counts days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogAge(pub Interval);

impl TextValue for LogAge {
    const NAME: &'static str = Interval::NAME;

    fn expected() -> String {
        Interval::expected()
    }

    fn schema() -> Json {
        <Interval as TextValue>::schema()
    }

    fn read(text: &str) -> Result<Self, BadValue> {
        Interval::read(text).map(Self).map_err(|bad| {
            let bare = text.trim();
            let days = !bare.is_empty() && bare.len() <= 9 && bare.bytes().all(|b| b.is_ascii_digit());
            let help = days.then(|| format!("write `{bare}d` for days, as zeekctl counts them"));
            BadValue { help, ..bad }
        })
    }
}
