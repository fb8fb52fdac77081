//! The hand-written forms of the description: mappings that keep their order, and values with two forms.
//! Written by hand, because derived ones (`flatten`, `untagged`) lose places and give poor messages.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::values::{Address, CoreLimit, HostPath, Redef, ZeekValue};

/// A mapping of the user's own names, in the order of the file. An empty value is the default of its type.
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

/// Reads a mapping into a type with defaults; nothing at all is the default. (A derived struct alone would take a
/// sequence as its fields in order.)
struct Table<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Table<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de, T: Deserialize<'de> + Default> DeserializeSeed<'de> for Table<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// For `deserialize_with`: a mapping with defaults, or nothing.
pub(super) fn table<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Table(PhantomData).deserialize(deserializer)
}

/// For `deserialize_with`: a mapping of names to mappings with defaults.
pub(super) fn tables<'de, D, T>(deserializer: D) -> Result<OrderedMap<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    deserializer.deserialize_any(EntriesVisitor(|| Table(PhantomData)))
}

struct EntriesVisitor<F>(F);

impl<'de, F: Fn() -> S, S: DeserializeSeed<'de>> Visitor<'de> for EntriesVisitor<F> {
    type Value = OrderedMap<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(OrderedMap::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            entries.push((key, map.next_value_seed((self.0)())?));
        }
        Ok(OrderedMap(entries))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrderedMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntriesVisitor(|| PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OrderedMap<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Map_of_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({ "type": ["object", "null"], "additionalProperties": value })
    }
}

/// A list of texts; a single text is a list of one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StringList(pub Vec<String>);

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = StringList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_unit<E: Error>(self) -> Result<StringList, E> {
        Ok(StringList::default())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StringList, E> {
        Ok(StringList(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<StringList, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = seq.next_element()? {
            texts.push(text);
        }
        Ok(StringList(texts))
    }
}

impl<'de> Deserialize<'de> for StringList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

impl JsonSchema for StringList {
    fn schema_name() -> Cow<'static, str> {
        "StringList".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A list of texts; a single text is a list of one.",
            "type": ["array", "string", "null"],
            "items": { "type": "string" }
        })
    }
}

/// The hosts of a group: a list of names, or a mapping of names to settings that differ there.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupHosts<T> {
    /// `[sensor1, sensor2]`
    List(Vec<String>),
    /// `{ sensor1: {}, sensor2: { count: 16 } }`
    Map(OrderedMap<T>),
}

struct GroupHostsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for GroupHostsVisitor<T> {
    type Value = GroupHosts<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of hosts, or a mapping of hosts to their settings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(GroupHosts::List(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        TextsVisitor.visit_seq(seq).map(|texts| GroupHosts::List(texts.0))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        EntriesVisitor(|| Table(PhantomData)).visit_map(map).map(GroupHosts::Map)
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for GroupHosts<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GroupHostsVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for GroupHosts<T> {
    fn schema_name() -> Cow<'static, str> {
        "GroupHosts".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({
            "description": "A list of hosts, or a mapping of hosts to the settings that differ there.",
            "type": ["array", "object", "string"],
            "items": { "type": "string" },
            "additionalProperties": { "anyOf": [value, { "type": "null" }] }
        })
    }
}

/// A value of the environment: a text, or where a secret is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Env {
    /// As written.
    Plain(String),
    /// The contents of a file on the operator's machine.
    File(String),
    /// A variable of the operator's environment.
    Variable(String),
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = ZeekValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean, a number or a text")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<ZeekValue, E> {
        Ok(ZeekValue::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<ZeekValue, E> {
        Ok(ZeekValue::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<ZeekValue, E> {
        i64::try_from(value).map(ZeekValue::Int).map_err(|_| E::custom(format_args!("the number {value} is too large")))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<ZeekValue, E> {
        if value.is_finite() { Ok(ZeekValue::Double(value)) } else { Err(E::custom("Zeek has no such number")) }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<ZeekValue, E> {
        Ok(ZeekValue::Text(value.to_owned()))
    }
}

impl<'de> Deserialize<'de> for ZeekValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl JsonSchema for ZeekValue {
    fn schema_name() -> Cow<'static, str> {
        "ZeekValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A boolean, a number or a text.", "type": ["boolean", "number", "string"] })
    }
}

/// Reads the one entry of a mapping whose key says what the value is.
fn one_of<'de, A: MapAccess<'de>, T>(
    mut map: A,
    expected: &str,
    read: impl Fn(&str, &mut A) -> Option<Result<T, A::Error>>,
) -> Result<T, A::Error> {
    let wrong = |found: &str| A::Error::custom(format_args!("expected {expected}, found {found}"));
    let Some(key) = map.next_key::<String>()? else { return Err(wrong("an empty mapping")) };
    let value = read(&key, &mut map).unwrap_or_else(|| Err(wrong(&format!("the key `{key}`"))))?;
    match map.next_key::<String>()? {
        Some(_) => Err(wrong("more than one key")),
        None => Ok(value),
    }
}

struct EnvVisitor;

const ENV: &str = "a text, `{ file: PATH }` or `{ env: NAME }`";

impl<'de> Visitor<'de> for EnvVisitor {
    type Value = Env;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ENV)
    }

    fn visit_unit<E: Error>(self) -> Result<Env, E> {
        Ok(Env::Plain(String::new()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Env, E> {
        Ok(Env::Plain(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Env, A::Error> {
        one_of(map, ENV, |key, map| match key {
            "file" => Some(map.next_value().map(Env::File)),
            "env" => Some(map.next_value().map(Env::Variable)),
            _ => None,
        })
    }
}

impl<'de> Deserialize<'de> for Env {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EnvVisitor)
    }
}

impl JsonSchema for Env {
    fn schema_name() -> Cow<'static, str> {
        "Env".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text, or a secret from a file or from a variable of the operator's environment.",
            "type": ["string", "number", "boolean", "null", "object"],
            "properties": { "file": { "type": "string" }, "env": { "type": "string" } },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false
        })
    }
}

struct RedefVisitor;

const REDEF: &str = "a boolean, a number, a text, `{ add: [...] }` or `{ expr: \"...\" }`";

impl<'de> Visitor<'de> for RedefVisitor {
    type Value = Redef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDEF)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Redef, E> {
        ValueVisitor.visit_bool(value).map(Redef::Set)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Redef, E> {
        ValueVisitor.visit_i64(value).map(Redef::Set)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Redef, E> {
        ValueVisitor.visit_u64(value).map(Redef::Set)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Redef, E> {
        ValueVisitor.visit_f64(value).map(Redef::Set)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Redef, E> {
        ValueVisitor.visit_str(value).map(Redef::Set)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Redef, A::Error> {
        one_of(map, REDEF, |key, map| match key {
            "add" => Some(map.next_value().map(Redef::Add)),
            "expr" => Some(map.next_value().map(Redef::Expr)),
            _ => None,
        })
    }
}

impl<'de> Deserialize<'de> for Redef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RedefVisitor)
    }
}

impl JsonSchema for Redef {
    fn schema_name() -> Cow<'static, str> {
        "Redef".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<ZeekValue>();
        json_schema!({
            "description": "A value that becomes a Zeek literal, values to add, or a verbatim Zeek expression.",
            "type": ["boolean", "number", "string", "object"],
            "properties": { "add": { "type": "array", "items": value }, "expr": { "type": "string" } },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false
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

impl std::str::FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "node" => Ok(Self::Node),
            "any" => Ok(Self::Any),
            other => other.parse().map(Self::Address).map_err(|why: String| format!("{why}, and not `node` or `any`")),
        }
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::values::scalar(deserializer, "`node`, `any` or an IP address")
    }
}

impl JsonSchema for Listen {
    fn schema_name() -> Cow<'static, str> {
        "Listen".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "`node`, `any` or an address.", "type": "string", "examples": ["node", "any"] })
    }
}

/// Where logs are archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Archive {
    /// Nowhere.
    Off,
    /// In this folder of the hosts.
    Folder(HostPath),
}

impl std::str::FromStr for Archive {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            other => other.parse().map(Self::Folder).map_err(|why: String| format!("{why}, and it is not `off`")),
        }
    }
}

impl<'de> Deserialize<'de> for Archive {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::values::scalar(deserializer, "an absolute path, or `off`")
    }
}

impl JsonSchema for Archive {
    fn schema_name() -> Cow<'static, str> {
        "Archive".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An absolute path on the hosts, or `off`.",
            "type": "string",
            "pattern": "^(/|off$)",
            "examples": ["off", "/data/zeek/logs"]
        })
    }
}

impl<'de> Deserialize<'de> for CoreLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::values::scalar(deserializer, "`unlimited` or a size such as `1GiB`")
    }
}

impl JsonSchema for CoreLimit {
    fn schema_name() -> Cow<'static, str> {
        "CoreLimit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "`unlimited`, or a size.", "type": ["string", "integer"] })
    }
}
