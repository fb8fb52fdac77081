//! What a plain scalar stands for.

use serde_yaml::Value;

/// Reads a plain scalar as YAML's core schema and `serde_yaml` do.
pub(super) fn scalar(text: &str) -> Value {
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
