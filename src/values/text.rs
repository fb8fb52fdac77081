//! How values are read by serde: from text, from a number as its text, or from one of a few words.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Stands between the message and the help in the text of a serde error of ours.
pub const HELP_MARK: char = '\u{1f}';

struct Scalar<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err = String>> Visitor<'_> for Scalar<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

/// Reads a value from text, or from a number by its text.
pub fn scalar<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(
    deserializer: D,
    expected: &'static str,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(Scalar(expected, PhantomData))
}

struct Word<'a>(&'a [&'static str]);

impl Visitor<'_> for Word<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&list(self.0))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<usize, E> {
        if let Some(at) = self.0.iter().position(|word| *word == text) {
            return Ok(at);
        }
        // With a namespace of Zeek's, as zeekctl and scripts write it.
        let bare = text.rsplit("::").next().unwrap_or(text);
        let near = nearest(bare, self.0.iter().copied());
        let help = near.map(|word| format!("{HELP_MARK}did you mean `{word}`?")).unwrap_or_default();
        Err(E::custom(format_args!("`{}` is not {}{help}", cut(text), list(self.0))))
    }
}

/// Finds the candidate that was probably meant: what differs by a few typing errors, or only by case.
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.len() > 100 {
        return None;
    }
    let text = text.to_lowercase();
    let allowed = text.chars().count().div_ceil(4).min(3);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(text.len()) <= 3)
        .map(|candidate| (strsim::damerau_levenshtein(&text, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Reads one of a few words and returns its position among them.
pub fn word<'de, D: Deserializer<'de>>(deserializer: D, words: &[&'static str]) -> Result<usize, D::Error> {
    deserializer.deserialize_any(Word(words))
}

fn list(words: &[&'static str]) -> String {
    match words {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|w| format!("`{w}`")).collect();
            format!("{} or `{last}`", first.join(", "))
        }
    }
}

/// Shortens a text that goes into a message, which stays one line whatever is in it.
pub(super) fn cut(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short = String::new();
    for c in text.chars().take(LONGEST) {
        if c.is_control() {
            short.extend(c.escape_default());
        } else {
            short.push(c);
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

/// Gives a type that parses from text its `Deserialize`, `Serialize` and `JsonSchema`.
macro_rules! text_value {
    ($type:ident, $expected:literal, $schema:tt) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::values::scalar(deserializer, $expected)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
pub(super) use text_value;
