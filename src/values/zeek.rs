//! Values of several forms that a description, the resolved cluster and a stored release have alike.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::amounts::Size;
use super::text::{BadValue, TextValue};

/// A value that becomes a Zeek literal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ZeekValue {
    /// `T` or `F`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number; it is finite.
    Double(f64),
    /// A text: a quoted string, or, where the option has another type (an interval, an enum), that type's literal.
    Text(String),
}

/// A redefinition of one identifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Redef {
    /// `redef ID = value;`
    Set(ZeekValue),
    /// `redef ID += { values };`
    Add(Vec<ZeekValue>),
    /// `redef ID = expression;`, verbatim Zeek.
    Expr(String),
}

/// A limit on core files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CoreLimit {
    /// No limit.
    Unlimited,
    /// At most so many bytes.
    Bytes(u64),
}

impl TextValue for CoreLimit {
    const NAME: &'static str = "CoreLimit";

    fn expected() -> String {
        "`unlimited` or a size such as `1GiB`".to_owned()
    }

    fn schema() -> Json {
        json!({ "description": "`unlimited`, or a size.", "type": ["string", "integer"] })
    }

    fn read(text: &str) -> Result<Self, BadValue> {
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        let other = |bad: BadValue| BadValue { message: format!("{}, and not `unlimited`", bad.message), ..bad };
        Size::read(text).map(|Size(bytes)| Self::Bytes(bytes)).map_err(other)
    }
}
