//! Frames of the WebSocket protocol, as Zeek writes and reads them.

use std::collections::HashMap;

use serde_json::{Value as Json, json};

use crate::script::ast::Param;
use crate::script::lexer::RAW_BYTE;
use crate::script::value::Value;

/// An event on its way, its arguments in the protocol's form (`{"@data-type": ..., "data": ...}`).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Message {
    /// The topic.
    pub topic: String,
    /// The event's full name.
    pub event: String,
    /// The arguments.
    pub args: Vec<Json>,
    /// The id of the endpoint that sent it.
    pub from: String,
}

/// Events by their full names, with their parameters.
pub type Events = HashMap<String, Vec<Param>>;

/// Why a frame was refused: the `context` of the error frame.
pub type Refusal = &'static str;

/// It is no data message.
pub const NO_JSON: Refusal = "failed to decode JSON object";
/// It has no topic.
pub const NO_TOPIC: Refusal = "no topic in top-level JSON object";
/// It is no event, or one that isn't known, or with other arguments.
pub const NO_EVENT: Refusal = "failed to create Zeek event";
/// The first message is no array.
pub const NO_ARRAY: Refusal = "subscriptions not an array";
/// The array holds something else than strings.
pub const NO_STRING: Refusal = "individual subscription not a string";

/// A string as an argument.
pub fn string(text: impl Into<String>) -> Json {
    json!({"@data-type": "string", "data": text.into()})
}

/// A value of a script as an argument; what has no such form becomes its text.
pub fn argument(value: &Value) -> Json {
    match value {
        Value::Bool(b) => json!({"@data-type": "boolean", "data": b}),
        Value::Count(n) => json!({"@data-type": "count", "data": n}),
        Value::Int(n) => json!({"@data-type": "integer", "data": n}),
        Value::Double(n) => json!({"@data-type": "real", "data": n}),
        Value::Time(t) => json!({"@data-type": "timestamp", "data": timestamp(*t)}),
        Value::Interval(n) => json!({"@data-type": "timespan", "data": format!("{}ns", n * 1e9)}),
        Value::Addr(a) => json!({"@data-type": "address", "data": a.to_string()}),
        Value::Subnet(..) => json!({"@data-type": "subnet", "data": value.to_string()}),
        Value::Port(..) => json!({"@data-type": "port", "data": value.to_string()}),
        Value::Enum(name) => json!({"@data-type": "enum-value", "data": name}),
        Value::Set(items) => json!({"@data-type": "set", "data": items.iter().map(argument).collect::<Vec<_>>()}),
        Value::Vector(items) => json!({"@data-type": "vector", "data": items.iter().map(argument).collect::<Vec<_>>()}),
        other => string(other.to_string()),
    }
}

/// An argument as a script's value.
pub fn value(argument: &Json) -> Value {
    let data = &argument["data"];
    let text = || data.as_str().unwrap_or_default().to_owned();
    match argument["@data-type"].as_str() {
        Some("boolean") => Value::Bool(data.as_bool().unwrap_or_default()),
        Some("count") => Value::Count(data.as_u64().unwrap_or_default()),
        Some("integer") => Value::Int(data.as_i64().unwrap_or_default()),
        Some("real") => Value::Double(data.as_f64().unwrap_or_default()),
        Some("enum-value") => Value::Enum(text()),
        Some("string") => Value::Text(text()),
        _ => Value::Unknown,
    }
}

/// A time as the protocol writes it: `2026-11-22T17:55:12.300`, UTC.
fn timestamp(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "times of now fit")]
    let millis = (seconds * 1000.0) as i64;
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    // Civil date of a day number (Howard Hinnant's chrono algorithms, days_from_civil's inverse).
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (h, m, s) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{:03}", rest % 1000)
}

/// Writes an event's frame. Not always valid: a byte that is no UTF-8 goes out raw, a control character unescaped,
/// as Zeek 8.0 sends them.
pub fn frame(message: &Message) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(b"{\"type\":\"data-message\",\"topic\":");
    write_string(&message.topic, &mut out);
    let one = r#"{"@data-type":"count","data":1}"#;
    out.extend_from_slice(format!(",\"@data-type\":\"vector\",\"data\":[{one},{one},").as_bytes());
    let event = json!({"@data-type": "vector", "data": [string(message.event.as_str()),
        {"@data-type": "vector", "data": message.args}]});
    write(&event, &mut out);
    out.extend_from_slice(b"]}");
    out
}

fn write(json: &Json, out: &mut Vec<u8>) {
    match json {
        Json::String(text) => write_string(text, out),
        Json::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Json::Object(fields) => {
            out.push(b'{');
            for (i, (key, value)) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
        other => out.extend_from_slice(other.to_string().as_bytes()),
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            c => match u32::from(c).checked_sub(RAW_BYTE).and_then(|b| u8::try_from(b).ok()).filter(|b| *b >= 0x80) {
                Some(raw) => out.push(raw),
                None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            },
        }
    }
    out.push(b'"');
}

/// An error frame.
pub fn error(code: &str, context: &str) -> String {
    format!(r#"{{"type":"error","code":"{code}","context":"{context}"}}"#)
}

/// The answer to a hello.
pub fn ack(endpoint: &str, version: &str) -> String {
    format!(r#"{{"type":"ack","endpoint":"{endpoint}","version":"{version}"}}"#)
}

/// Reads the first message: what a client subscribes to.
///
/// # Errors
/// Returns the context of the error frame.
pub fn hello(bytes: &[u8]) -> Result<Vec<String>, Refusal> {
    let Ok(Json::Array(items)) = serde_json::from_slice(bytes) else { return Err(NO_ARRAY) };
    items.into_iter().map(|i| i.as_str().map(str::to_owned).ok_or(NO_STRING)).collect()
}

/// Reads an event's frame; `known` are the events with their parameters. Without `known` (Broker's own server) every
/// event passes.
///
/// # Errors
/// Returns the context of the error frame.
pub fn decode(bytes: &[u8], known: Option<&Events>) -> Result<(String, String, Vec<Json>), Refusal> {
    let json: Json = serde_json::from_slice(bytes).map_err(|_| NO_JSON)?;
    if !json.is_object() || !is_data(&json) {
        return Err(NO_JSON);
    }
    let topic = json["topic"].as_str().ok_or(NO_TOPIC)?.to_owned();
    let inner = json["data"].get(2).filter(|_| json["@data-type"] == "vector").ok_or(NO_EVENT)?;
    let name = inner["data"].get(0).and_then(|n| n["data"].as_str()).ok_or(NO_EVENT)?.to_owned();
    let args = inner["data"].get(1).and_then(|a| a["data"].as_array()).ok_or(NO_EVENT)?.clone();
    if let Some(known) = known {
        let params = known.get(&name).ok_or(NO_EVENT)?;
        if params.len() != args.len() || !params.iter().zip(&args).all(|(p, a)| fits(&p.of, a)) {
            return Err(NO_EVENT);
        }
    }
    Ok((topic, name, args))
}

/// Whether something has the protocol's form of data, all the way down.
fn is_data(json: &Json) -> bool {
    let data = &json["data"];
    match json["@data-type"].as_str() {
        Some("none") => true,
        Some("boolean") => data.is_boolean(),
        Some("count") => data.is_u64(),
        Some("integer") => data.is_i64() || data.is_u64(),
        Some("real") => data.is_number(),
        Some("string" | "address" | "subnet" | "port" | "timestamp" | "timespan" | "enum-value") => data.is_string(),
        Some("vector" | "set") => data.as_array().is_some_and(|items| items.iter().all(is_data)),
        Some("table") => {
            data.as_array().is_some_and(|items| items.iter().all(|i| is_data(&i["key"]) && is_data(&i["value"])))
        }
        _ => false,
    }
}

/// Whether an argument fits a parameter's type.
fn fits(of: &str, argument: &Json) -> bool {
    let want = match of {
        "string" | "pattern" => "string",
        "count" => "count",
        "int" => "integer",
        "double" => "real",
        "bool" => "boolean",
        "addr" => "address",
        "subnet" => "subnet",
        "port" => "port",
        "time" => "timestamp",
        "interval" => "timespan",
        of if of.starts_with("set[") => "set",
        of if of.starts_with("table[") => "table",
        // Records and vectors are vectors on the wire, enums have their own form; names can't be told apart here.
        _ => return true,
    };
    argument["@data-type"] == want
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(args: &Json) -> Vec<u8> {
        let one = json!({"@data-type": "count", "data": 1});
        json!({"topic": "t", "@data-type": "vector", "data": [one, one,
            {"@data-type": "vector", "data": [string("e"), {"@data-type": "vector", "data": args}]}]})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn decodes_what_fits_and_says_what_does_not() {
        let params = vec![Param { name: "a".into(), of: "string".into() }];
        let known = HashMap::from([("e".to_owned(), params)]);
        let decode = |bytes: &[u8]| decode(bytes, Some(&known));
        assert_eq!(decode(&event(&json!([string("x")]))).unwrap().2, [string("x")]);
        assert_eq!(decode(&event(&json!([]))), Err(NO_EVENT));
        assert_eq!(decode(&event(&json!([{"@data-type": "count", "data": 5}]))), Err(NO_EVENT));
        assert_eq!(decode(&event(&json!([{"@data-type": "zebra", "data": "x"}]))), Err(NO_JSON));
        assert_eq!(decode(b"[]"), Err(NO_JSON));
        assert_eq!(decode(b"{\"@data-type\":\"vector\",\"data\":[]}"), Err(NO_TOPIC));
        assert_eq!(decode(b"{\"topic\":\"t\",\"@data-type\":\"string\",\"data\":\"hi\"}"), Err(NO_EVENT));
    }

    #[test]
    fn frames_have_zeeks_order_and_its_faults() {
        let message = Message {
            topic: "a/b".into(),
            event: "E".into(),
            args: vec![string("x\n\u{1}\u{F7FF}\"")],
            from: String::new(),
        };
        let mut want = br#"{"type":"data-message","topic":"a/b","@data-type":"vector","data":[{"@data-type":"count","data":1},{"@data-type":"count","data":1},{"@data-type":"vector","data":[{"@data-type":"string","data":"E"},{"@data-type":"vector","data":[{"@data-type":"string","data":"x\n"#.to_vec();
        want.extend_from_slice(b"\x01\xff\\\"\"}]}]}]}");
        assert_eq!(frame(&message), want);
    }

    #[test]
    fn writes_times_in_utc() {
        assert_eq!(timestamp(1_795_370_112.300_831), "2026-11-22T17:55:12.300");
        assert_eq!(timestamp(951_782_400.0), "2000-02-29T00:00:00.000");
    }
}
