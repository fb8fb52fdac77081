//! Tree -> types. A value that is wrong is recorded with its place, and reading goes on beside it, so that one pass
//! finds all of them; each value is looked at once.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use serde_yaml::Number;

use super::scalar::scalar;
use super::schema::{self, Schemas, nullable};
use super::tree::{Entry, Kind, Mapping, Node};
use super::zeekctl_keys;
use crate::error::{Diagnostic, Place, Source, Step};
use crate::values::{BadValue, TextValue, nearest};

/// How many problems of form are recorded; the last one says that there are more.
const MOST: usize = 1_000;
/// For how many unknown keys a similar one is looked for.
const SUGGESTIONS: usize = 100;
/// How many sections are named for a key that stands in another one.
const PLACES: usize = 3;

/// A type that a description can hold. One implementation says how it is read and what its schema is.
pub(super) trait Decode: Sized {
    /// Reads a value. If it is wrong, records that and returns none.
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// Returns the JSON Schema.
    fn schema(schemas: &mut Schemas) -> Json;
}

/// A value of the tree, and the way to it.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    node: &'a Node,
    from: Option<(&'a At<'a>, Move<'a>)>,
}

#[derive(Clone, Copy)]
enum Move<'a> {
    Key(&'a str),
    Index(usize),
}

/// A value as YAML has it. Of a scalar there is also the text that stands in the file.
pub(super) enum Form<'a> {
    Nothing,
    Bool(bool, &'a str),
    Number(Number, &'a str),
    Text(&'a str),
    List(&'a [Arc<Node>]),
    Mapping(&'a Mapping),
}

impl<'a> At<'a> {
    pub(super) fn root(node: &'a Node) -> Self {
        Self { node, from: None }
    }

    /// The value of an entry of this mapping.
    pub(super) fn entry<'b>(&'b self, entry: &'b Entry) -> At<'b> {
        At { node: &entry.value, from: Some((self, Move::Key(&entry.key))) }
    }

    /// An item of this list.
    pub(super) fn item<'b>(&'b self, index: usize, node: &'b Node) -> At<'b> {
        At { node, from: Some((self, Move::Index(index))) }
    }

    pub(super) fn form(&self) -> Form<'a> {
        match &self.node.kind {
            Kind::Scalar { text, plain: false } => Form::Text(text),
            Kind::Scalar { text, plain: true } => match scalar(text) {
                serde_yaml::Value::Null => Form::Nothing,
                serde_yaml::Value::Bool(value) => Form::Bool(value, text),
                serde_yaml::Value::Number(number) => Form::Number(number, text),
                _ => Form::Text(text),
            },
            Kind::Sequence(items) => Form::List(items),
            Kind::Mapping(mapping) => Form::Mapping(mapping),
        }
    }

    fn place(&self) -> Place {
        let mut steps = Vec::new();
        let mut at = self;
        while let Some((from, way)) = at.from {
            steps.push(match way {
                Move::Key(key) => Step::Key(key.to_owned()),
                Move::Index(index) => Step::Index(index),
            });
            at = from;
        }
        steps.reverse();
        Place(steps)
    }

    /// The nearest key on the way here.
    fn name(&self) -> Option<&'a str> {
        let mut at = self;
        loop {
            match at.from? {
                (_, Move::Key(key)) => return Some(key),
                (from, Move::Index(_)) => at = from,
            }
        }
    }
}

impl Form<'_> {
    /// What it is, for messages.
    fn found(&self) -> String {
        const LONGEST: usize = 80;
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Bool(_, text) => format!("`{text}`"),
            Self::Number(_, text) => format!("the number `{text}`"),
            Self::Text(text) => {
                let mut shown = format!("{text:?}");
                if let Some((end, _)) = shown.char_indices().nth(LONGEST) {
                    shown.truncate(end);
                    shown.push('…');
                }
                format!("the text {shown}")
            }
            Self::List(_) => "a list".to_owned(),
            Self::Mapping(_) => "a mapping".to_owned(),
        }
    }
}

/// Gathers what is wrong while a file is read.
pub(super) struct Reader<'s> {
    source: &'s Arc<Source>,
    /// The schema of the whole file, which knows where each key belongs.
    schema: fn(&mut Schemas) -> Json,
    diagnostics: Vec<Diagnostic>,
    broken: BTreeSet<Place>,
    suggestions: usize,
    /// How many values were looked at.
    steps: usize,
}

/// What could be read.
pub(super) struct Decoded<T> {
    pub(super) value: T,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Places that could not be read. A later check does not report what is missing there.
    pub(super) broken: BTreeSet<Place>,
    /// How many values were looked at.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests hold it to the size of the file"))]
    pub(super) steps: usize,
}

/// Reads a file as far as it goes.
pub(super) fn decode<T: Decode + Default>(source: &Arc<Source>, root: &Node) -> Decoded<T> {
    let mut reader = Reader {
        source,
        schema: T::schema,
        diagnostics: Vec::new(),
        broken: BTreeSet::new(),
        suggestions: SUGGESTIONS,
        steps: 0,
    };
    let at = At::root(root);
    let value = if let Form::Mapping(_) = at.form() {
        reader.decode(&at).unwrap_or_default()
    } else {
        let wrong =
            Diagnostic::at(source, source.first_line(&root.span), "this is not a description", "no `key: value`");
        reader.record(wrong.help("begin with `cluster: NAME`"));
        reader.broken.insert(Place::root());
        T::default()
    };
    Decoded { value, diagnostics: reader.diagnostics, broken: reader.broken, steps: reader.steps }
}

impl Reader<'_> {
    /// Reads a value.
    pub(super) fn decode<T: Decode>(&mut self, at: &At<'_>) -> Option<T> {
        self.steps += 1;
        let value = T::decode(at, self);
        if value.is_none() && self.diagnostics.len() <= MOST {
            self.broken.insert(at.place());
        }
        value
    }

    /// Records that something else stands where a value is expected.
    pub(super) fn unexpected<T>(&mut self, at: &At<'_>, expected: &str) -> Option<T> {
        self.expected(at, expected, &at.form().found())
    }

    /// Records what is expected and what was found instead.
    pub(super) fn expected<T>(&mut self, at: &At<'_>, expected: &str, found: &str) -> Option<T> {
        self.wrong(at, &format!("expected {expected}, found {found}"), format!("expected {expected}"), None)
    }

    /// Records a text that is not a value of its type.
    pub(super) fn bad<T>(&mut self, at: &At<'_>, bad: BadValue) -> Option<T> {
        self.wrong(at, &bad.message, String::new(), bad.help)
    }

    fn wrong<T>(&mut self, at: &At<'_>, message: &str, label: String, help: Option<String>) -> Option<T> {
        let of = at.name().map(|name| format!(" of `{name}`")).unwrap_or_default();
        let message = format!("wrong value{of}: {message}");
        let span = self.source.first_line(&at.node.span);
        self.record(Diagnostic { help, ..Diagnostic::at(self.source, span, message, label) });
        None
    }

    /// Records a key that its mapping does not know.
    pub(super) fn unknown(&mut self, mapping: &At<'_>, entry: &Entry, known: &[&'static str]) {
        let key = &entry.key;
        if mapping.from.is_none() && key.starts_with("x-") {
            return;
        }
        let span = self.source.first_line(&entry.span);
        let mut diagnostic = Diagnostic::at(self.source, span, format!("unknown key `{key}`"), "not known here");
        if let Some(left) = self.suggestions.checked_sub(1) {
            self.suggestions = left;
            let near = nearest(key, known.iter().copied());
            diagnostic.help = Some(match (zeekctl_keys::ours(key), near) {
                (Some(ours), _) => ours,
                (None, Some(near)) => {
                    // The key is there under another name, so it is not missing.
                    self.broken.insert(mapping.place().key(near));
                    format!("did you mean `{near}`?")
                }
                (None, None) => self.belongs(key).unwrap_or_else(|| {
                    format!("known keys: {}", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "))
                }),
            });
        }
        self.record(diagnostic);
    }

    /// Says in which sections a key belongs that stands elsewhere.
    fn belongs(&self, key: &str) -> Option<String> {
        let sections = schema::sections(key, self.schema);
        let places: Vec<String> = sections
            .iter()
            .take(PLACES)
            .map(|section| if section.is_empty() { "at the top level".to_owned() } else { format!("in `{section}`") })
            .collect();
        (!places.is_empty()).then(|| format!("`{key}` belongs {}", places.join(" or ")))
    }

    fn record(&mut self, diagnostic: Diagnostic) {
        match self.diagnostics.len() {
            n if n < MOST => self.diagnostics.push(diagnostic),
            MOST => {
                let message = format!("more than {MOST} values and keys are wrong; correct these to see the others");
                self.diagnostics.push(Diagnostic { message, help: None, ..diagnostic });
                self.broken.insert(Place::root());
            }
            _ => {}
        }
    }
}

/// An empty value is none.
impl<T: Decode> Decode for Option<T> {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match at.form() {
            Form::Nothing => Some(None),
            _ => T::decode(at, reader).map(Some),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        nullable(T::schema(schemas))
    }
}

impl Decode for bool {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match at.form() {
            Form::Bool(value, _) => Some(value),
            _ => reader.unexpected(at, "`true` or `false`"),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "boolean" })
    }
}

/// A text as it stands in the file: `8.10` and `true` are texts where one is expected.
impl Decode for String {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match at.form() {
            Form::Text(text) | Form::Bool(_, text) | Form::Number(_, text) => Some(text.to_owned()),
            _ => reader.unexpected(at, "a text"),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        json!({ "type": "string" })
    }
}

impl<T: TextValue> Decode for T {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let read = match at.form() {
            Form::Text(text) => T::read(text),
            // The text as written counts; YAML's number counts only if the text is not a value.
            Form::Number(number, text) => T::read(text).or_else(|bad| T::read(&plain(&number)).map_err(|_| bad)),
            Form::Bool(_, text) => match T::read(text) {
                Ok(value) => Ok(value),
                Err(_) => return reader.unexpected(at, &T::expected()),
            },
            _ => return reader.unexpected(at, &T::expected()),
        };
        match read {
            Ok(value) => Some(value),
            Err(bad) => reader.bad(at, bad),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define(T::NAME, |_| T::schema())
    }
}

/// Whole numbers: the words for messages, and the schema with the bounds.
macro_rules! whole_numbers {
    ($($type:ty, $expected:literal, $schema:tt;)*) => { $(
        impl Decode for $type {
            fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
                let number = if let Form::Number(number, _) = at.form() { whole(&number) } else { None };
                number.and_then(|n| n.try_into().ok()).or_else(|| reader.unexpected(at, $expected))
            }

            fn schema(_: &mut Schemas) -> Json {
                json!($schema)
            }
        }
    )* };
}

/// A number in the digits that other parsers know, whatever its form in YAML (`0x10`, `1e3`).
pub(super) fn plain(number: &Number) -> String {
    match (whole(number), number.as_f64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(fraction)) if fraction.is_finite() => fraction.to_string(),
        (None, _) => number.to_string(),
    }
}

fn whole(number: &Number) -> Option<i128> {
    number.as_u64().map(i128::from).or_else(|| number.as_i64().map(i128::from))
}

/// `TryFrom<i128>` as the other whole numbers have it.
struct Counted(NonZeroU8);

impl TryFrom<i128> for Counted {
    type Error = ();

    fn try_from(number: i128) -> Result<Self, ()> {
        u8::try_from(number).ok().and_then(NonZeroU8::new).map(Self).ok_or(())
    }
}

whole_numbers! {
    u16, "a whole number from 0 to 65535", { "type": "integer", "minimum": 0, "maximum": 65535 };
    u32, "a whole number from 0 to 4294967295", { "type": "integer", "minimum": 0 };
    u64, "a whole number, 0 or more", { "type": "integer", "minimum": 0 };
    i8, "a whole number from -128 to 127", { "type": "integer", "minimum": -128, "maximum": 127 };
    Counted, "a whole number from 1 to 255", { "type": "integer", "minimum": 1, "maximum": 255 };
}

impl Decode for NonZeroU8 {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        Counted::decode(at, reader).map(|Counted(number)| number)
    }

    fn schema(schemas: &mut Schemas) -> Json {
        Counted::schema(schemas)
    }
}
