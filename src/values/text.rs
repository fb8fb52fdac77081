//! How values are read from a text, wherever it stands: in a description, in an answer of a host, on the command line.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Visitor};
use serde_json::Value as Json;

/// Why a text is not a value of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadValue {
    /// What is wrong with it.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl From<String> for BadValue {
    fn from(message: String) -> Self {
        Self { message, help: None }
    }
}

/// A type whose values a description writes as one text, or as a number that is read by its text.
pub trait TextValue: Sized {
    /// Its name in the schema.
    const NAME: &'static str;

    /// What is expected where something else stands: `a port, a number from 1 to 65535`.
    fn expected() -> String;

    /// Its JSON Schema.
    fn schema() -> Json;

    /// Reads a text.
    fn read(text: &str) -> Result<Self, BadValue>;
}

/// Makes a type that parses from text a [`TextValue`], and writes it as text.
macro_rules! text_value {
    ($type:ident, $expected:literal, $schema:tt) => {
        impl $crate::values::text::TextValue for $type {
            const NAME: &'static str = stringify!($type);

            fn expected() -> String {
                $expected.to_owned()
            }

            fn schema() -> serde_json::Value {
                serde_json::json!($schema)
            }

            fn read(text: &str) -> Result<Self, $crate::values::text::BadValue> {
                Ok(text.parse::<Self>()?)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}
pub(super) use text_value;

struct Scalar<T>(PhantomData<T>);

impl<T: TextValue + FromStr<Err = String>> Visitor<'_> for Scalar<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&T::expected())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

/// Reads a value that is stored as its text, or as the number that it is.
pub(super) fn stored<'de, D: Deserializer<'de>, T: TextValue + FromStr<Err = String>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(Scalar(PhantomData))
}

/// Lets types be read back from what clusterctl stored.
macro_rules! stored_values {
    ($($type:ident),*) => { $(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text::stored(deserializer)
            }
        }
    )* };
}
pub(super) use stored_values;

/// Finds the candidate that was probably meant: what differs by a few typing errors, or only by case.
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.len() > 100 {
        return None;
    }
    let text = text.to_lowercase();
    // One letter for another is no typing error where there is but one.
    let length = text.chars().count();
    let allowed = length.div_ceil(4).min(3).min(length.saturating_sub(1));
    // `sensor3` beside `sensor1` is another one.
    let letters = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let other_number = |candidate: &str| candidate != text && letters(candidate) == letters(&text);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(text.len()) <= 3 && !other_number(&candidate.to_lowercase()))
        .map(|candidate| (strsim::damerau_levenshtein(&text, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
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
