//! Zeek literals: the one place where values become Zeek source text.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::cluster::{AfPacketValue, Redef, ZeekValue};

/// Returns a string literal. Backslash, quote and control characters are escaped (control characters as the bytes of
/// their UTF-8 form); all else stands as it is, for Zeek reads the bytes of a string unchanged.
pub fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    // At most two digits are read after `\x`, so no digit that follows can be taken for a third.
                    let _ = write!(out, "\\x{byte:02x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Returns a bool literal.
pub(super) fn bool(value: bool) -> &'static str {
    if value { "T" } else { "F" }
}

/// Returns an address literal.
pub(super) fn addr(value: IpAddr) -> String {
    match value {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// Returns a subnet literal.
pub(super) fn subnet(value: &IpNet) -> String {
    format!("{}/{}", addr(value.addr()), value.prefix_len())
}

/// Returns a port literal.
pub(super) fn port(value: u16) -> String {
    format!("{value}/tcp")
}

/// Returns an interval literal, in the largest of seconds, milliseconds and microseconds that gives a whole number.
pub(super) fn interval(value: Duration) -> String {
    let micros = value.as_nanos().div_ceil(1000);
    if micros.is_multiple_of(1_000_000) {
        format!("{}secs", micros / 1_000_000)
    } else if micros.is_multiple_of(1000) {
        format!("{}msecs", micros / 1000)
    } else {
        format!("{micros}usecs")
    }
}

/// Returns the literal of a redef's value.
pub(super) fn value(value: &ZeekValue) -> String {
    match value {
        ZeekValue::Bool(b) => bool(*b).to_owned(),
        ZeekValue::Int(i) => i.to_string(),
        // `Debug` keeps the point or the exponent that makes it a double. A description has finite ones only.
        ZeekValue::Double(d) => format!("{d:?}"),
        ZeekValue::Text(s) => text(s),
    }
}

/// Returns the literal of an AF_PACKET option's value.
pub(super) fn af_packet(value: &AfPacketValue) -> String {
    match value {
        AfPacketValue::Bool(b) => bool(*b).to_owned(),
        AfPacketValue::Count(n) => n.to_string(),
        AfPacketValue::Interval(d) => interval(*d),
        AfPacketValue::Enum(name) => name.clone(),
    }
}

/// Writes `redef ID = ...;` or `redef ID += { ... };` with a newline.
pub(super) fn redef(out: &mut String, id: &str, redef: &Redef) {
    let _ = match redef {
        Redef::Set(set) => writeln!(out, "redef {id} = {};", value(set)),
        Redef::Add(values) => {
            let values: Vec<String> = values.iter().map(value).collect();
            writeln!(out, "redef {id} += {{ {} }};", values.join(", "))
        }
        Redef::Expr(expr) => writeln!(out, "redef {id} = {};", expr.trim()),
    };
}

/// Returns a text as the rest of a comment line: control characters become blanks.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// Returns the literal of a Broker store backend given by its name, with or without `Broker::`, in any case; none for
/// a name that never was one.
pub(super) fn store_backend(name: &str) -> Option<&'static str> {
    let bare = name.trim().rsplit("::").next().unwrap_or_default();
    ["Broker::MEMORY", "Broker::SQLITE", "Broker::ROCKSDB"]
        .into_iter()
        .find(|full| full.rsplit("::").next().is_some_and(|known| known.eq_ignore_ascii_case(bare)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a string literal as Zeek's scanner does (scan.l and `expand_escape` in util.cc), to bytes.
    fn read_back(literal: &str) -> Vec<u8> {
        let inner = literal.strip_prefix('"').unwrap().strip_suffix('"').unwrap().as_bytes();
        let mut out = Vec::new();
        let mut i = 0;
        while i < inner.len() {
            let byte = inner[i];
            i += 1;
            assert!(!matches!(byte, b'"' | b'\r' | b'\n' | 0), "a raw {byte:#x} in a literal");
            if byte != b'\\' {
                out.push(byte);
                continue;
            }
            let kind = inner[i];
            i += 1;
            out.push(match kind {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'0'..=b'7' => panic!("octal is not written"),
                b'x' => {
                    let digits = inner[i..].iter().take(2).take_while(|b| b.is_ascii_hexdigit()).count();
                    let digits = std::str::from_utf8(&inner[i..i + digits]).unwrap();
                    i += digits.len();
                    u8::from_str_radix(digits, 16).unwrap()
                }
                other => other,
            });
        }
        out
    }

    proptest! {
        #[test]
        fn a_string_literal_reads_back_as_what_it_was(value in any::<String>()) {
            prop_assert_eq!(read_back(&text(&value)), value.into_bytes());
        }

        #[test]
        fn a_comment_stays_on_its_line(value in any::<String>()) {
            prop_assert!(!comment(&value).contains(['\n', '\r', '\0']));
        }

        #[test]
        fn a_double_has_a_point_or_an_exponent(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
            let literal = value(&ZeekValue::Double(number));
            prop_assert!(literal.contains(['.', 'e']));
            prop_assert_eq!(literal.parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }

    #[test]
    fn control_characters_and_digits_after_them() {
        assert_eq!(text("a\"b\\c\u{1}2é\u{85}\r\n"), "\"a\\\"b\\\\c\\x012é\\xc2\\x85\\x0d\\n\"");
    }

    #[test]
    fn intervals() {
        let literals: Vec<String> =
            [Duration::ZERO, Duration::from_secs(90), Duration::from_millis(1500), Duration::from_nanos(1)]
                .into_iter()
                .map(interval)
                .collect();
        assert_eq!(literals, ["0secs", "90secs", "1500msecs", "1usecs"]);
    }

    #[test]
    fn networks_and_addresses() {
        assert_eq!(subnet(&"2001:db8::/32".parse().unwrap()), "[2001:db8::]/32");
        assert_eq!(subnet(&"10.0.0.0/8".parse().unwrap()), "10.0.0.0/8");
    }

    #[test]
    fn store_backends_by_either_name() {
        assert_eq!(store_backend("sqlite"), Some("Broker::SQLITE"));
        assert_eq!(store_backend("Broker::MEMORY"), Some("Broker::MEMORY"));
        assert_eq!(store_backend("redis"), None);
    }
}
