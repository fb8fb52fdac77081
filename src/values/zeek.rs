//! Values of several forms that a description, the resolved cluster and a stored release have alike.

use std::str::FromStr;

use serde::Serialize;

use super::Size;

/// A value that becomes a Zeek literal.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Redef {
    /// `redef ID = value;`
    Set(ZeekValue),
    /// `redef ID += { values };`
    Add(Vec<ZeekValue>),
    /// `redef ID = expression;`, verbatim Zeek.
    Expr(String),
}

/// A limit on core files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CoreLimit {
    /// No limit.
    Unlimited,
    /// At most so many bytes.
    Bytes(u64),
}

impl FromStr for CoreLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        text.parse().map(|Size(bytes)| Self::Bytes(bytes)).map_err(|why| format!("{why}, and not `unlimited`"))
    }
}
