//! Lines of logs and of other files of nodes: their time, and what they are as JSON. Zeek's tab-separated logs begin with
//! lines that say how to read them (logging/writers/ascii); its JSON logs have a record in each line; all else is text.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Number, Value};

/// The longest line that is shown, in bytes.
const LONGEST_LINE: usize = 64 << 10;
/// The most fields of a log.
const MOST_FIELDS: usize = 4096;
/// A time in seconds since 1970 is smaller, one in milliseconds is not (`JSON::TS_MILLIS`).
const MILLIS: f64 = 1e11;

/// What a line of a file is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    /// When, in seconds since 1970, where the line says so.
    pub(super) time: Option<f64>,
    /// The line as it was written.
    pub(super) text: String,
    /// Its fields; none where it is text.
    pub(super) fields: Option<Map<String, Value>>,
}

/// Reads one file line by line.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    is_log: bool,
    separator: String,
    set_separator: String,
    empty: String,
    unset: String,
    fields: Vec<String>,
    types: Vec<String>,
    /// The names of the fields as they are shown.
    header: Option<Arc<str>>,
}

impl Reader {
    /// Makes a reader; `is_log`: what is read is a log of Zeek's.
    pub(super) fn new(is_log: bool) -> Self {
        let text = str::to_owned;
        Self {
            is_log,
            separator: text("\t"),
            set_separator: text(","),
            empty: text("(empty)"),
            unset: text("-"),
            fields: Vec::new(),
            types: Vec::new(),
            header: None,
        }
    }

    /// The names of the fields, as the log's header has them; none of JSON and text.
    pub(super) fn fields(&self) -> Option<&Arc<str>> {
        self.header.as_ref()
    }

    /// Reads a line; none where it says how to read the others.
    pub(super) fn read(&mut self, line: &str) -> Option<Record> {
        let text = cut(line);
        if !self.is_log {
            return Some(Record { time: leading_time(line), text, fields: None });
        }
        if line.starts_with('#') {
            self.read_header(line);
            return None;
        }
        if line.is_empty() {
            return None;
        }
        if line.starts_with('{')
            && let Ok(Value::Object(fields)) = serde_json::from_str(line)
        {
            let time = fields.get("ts").and_then(time_of);
            return Some(Record { time, text, fields: Some(fields) });
        }
        if self.fields.is_empty() {
            return Some(Record { time: leading_time(line), text, fields: None });
        }
        let mut fields = Map::new();
        for (index, value) in line.split(self.separator.as_str()).take(MOST_FIELDS).enumerate() {
            let Some(name) = self.fields.get(index) else { break };
            let of = self.types.get(index).map_or("string", String::as_str);
            if value != self.unset {
                fields.insert(name.clone(), self.value(of, value));
            }
        }
        let time = fields.get("ts").and_then(time_of);
        Some(Record { time, text, fields: Some(fields) })
    }

    fn read_header(&mut self, line: &str) {
        if let Some(separator) = line.strip_prefix("#separator ") {
            self.separator = Some(unescape(separator)).filter(|s| !s.is_empty()).unwrap_or_else(|| "\t".to_owned());
            return;
        }
        let mut words = line.split(self.separator.as_str());
        let key = words.next().unwrap_or_default();
        let rest: Vec<String> = words.take(MOST_FIELDS).map(str::to_owned).collect();
        let first = || rest.first().filter(|word| !word.is_empty()).cloned();
        match key {
            "#set_separator" => self.set_separator = first().map_or_else(|| ",".to_owned(), |s| unescape(&s)),
            "#empty_field" => self.empty = first().unwrap_or_default(),
            "#unset_field" => self.unset = first().unwrap_or_default(),
            "#fields" => {
                self.header = Some(rest.join("\t").into());
                self.fields = rest;
            }
            "#types" => self.types = rest,
            _ => {}
        }
    }

    fn value(&self, of: &str, text: &str) -> Value {
        if let Some(inner) = ["set[", "vector[", "table["].iter().find_map(|kind| of.strip_prefix(kind)) {
            let inner = inner.strip_suffix(']').unwrap_or(inner);
            if text == self.empty || text.is_empty() {
                return Value::Array(Vec::new());
            }
            return text.split(self.set_separator.as_str()).map(|one| self.value(inner, one)).collect();
        }
        if text == self.unset {
            return Value::Null;
        }
        let number = match of {
            "bool" if text == "T" => return Value::Bool(true),
            "bool" if text == "F" => return Value::Bool(false),
            "count" | "port" => text.parse::<u64>().ok().map(Number::from),
            "int" => text.parse::<i64>().ok().map(Number::from),
            "time" | "interval" | "double" => text.parse::<f64>().ok().and_then(Number::from_f64),
            _ if text == self.empty => return Value::String(String::new()),
            _ => None,
        };
        number.map_or_else(|| Value::String(unescape(text)), Value::Number)
    }
}

/// A line as far as it is shown.
fn cut(line: &str) -> String {
    if line.len() <= LONGEST_LINE {
        return line.to_owned();
    }
    let end = (0..=LONGEST_LINE).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    format!("{}... ({} bytes in all)", &line[..end], line.len())
}

/// Replaces `\x09` and `\\` by what they mean.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.strip_prefix(b"x").and_then(|h| std::str::from_utf8(h.get(..2)?).ok());
        match (first, hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'\\', Some(byte)) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            (b'\\', None) if after.first() == Some(&b'\\') => {
                bytes.push(b'\\');
                rest = &after[1..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Seconds since 1970 of the field `ts`, however it is written.
fn time_of(value: &Value) -> Option<f64> {
    let time = match value {
        Value::Number(number) => number.as_f64().map(|n| if n.abs() >= MILLIS { n / 1000.0 } else { n }),
        Value::String(text) => text.parse::<Timestamp>().ok().map(|t| {
            #[expect(clippy::cast_precision_loss, reason = "microseconds of our time are exact in a double")]
            let micros = t.as_microsecond() as f64;
            micros / 1e6
        }),
        _ => None,
    };
    time.filter(|t| t.is_finite())
}

/// The time that Zeek puts before its messages on stderr: `1700000000.123456 error in ...`.
fn leading_time(line: &str) -> Option<f64> {
    let word = line.split(' ').next()?;
    let (whole, part) = word.split_once('.')?;
    let digits = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    (digits(whole, 10) && digits(part, 6)).then(|| word.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Reader;

    fn read(lines: &[&str]) -> Vec<Value> {
        let mut reader = Reader::new(true);
        lines.iter().filter_map(|line| reader.read(line)).map(|r| json!([r.time, r.fields])).collect()
    }

    /// As Zeek 9.0.0-rc1 writes it.
    #[test]
    fn a_log_with_a_header_becomes_what_a_json_log_has() {
        let records = read(&[
            "#separator \\x09",
            "#set_separator\t,",
            "#empty_field\t(empty)",
            "#unset_field\t-",
            "#path\tconn",
            "#open\t2026-11-27-01-00-00",
            "#fields\tts\tuid\tid.resp_p\tproto\tduration\tlocal_orig\torig_bytes\ttunnel_parents\tservice\tips",
            "#types\ttime\tstring\tport\tenum\tinterval\tbool\tcount\tset[string]\tstring\tvector[addr]",
            "1700000000.123456\tC1\t80\ttcp\t0.5\tT\t18446744073709551615\t(empty)\t-\t10.0.0.1,::1",
            "1700000001.000000\tC\\x092\\\\x\t443\ttcp\t-\tF\t0\ta,b\t(empty)\t-",
            "#close\t2026-11-27-02-00-00",
        ]);
        assert_eq!(
            records,
            [
                json!([1_700_000_000.123_456, {"ts": 1_700_000_000.123_456, "uid": "C1", "id.resp_p": 80, "proto": "tcp",
                       "duration": 0.5, "local_orig": true, "orig_bytes": u64::MAX, "tunnel_parents": [],
                       "ips": ["10.0.0.1", "::1"]}]),
                json!([1_700_000_001.0, {"ts": 1_700_000_001.0, "uid": "C\t2\\x", "id.resp_p": 443, "proto": "tcp",
                       "local_orig": false, "orig_bytes": 0, "tunnel_parents": ["a", "b"], "service": ""}]),
            ]
        );
    }

    #[test]
    fn a_json_log_is_read_with_any_form_of_time() {
        let times: Vec<Value> = read(&[
            r#"{"ts":1700000000.25,"uid":"C1"}"#,
            r#"{"ts":1700000000250.0}"#,
            r#"{"ts":"2023-11-14T22:13:20.250000Z"}"#,
            r#"{"uid":"no time"}"#,
        ]);
        let times: Vec<&Value> = times.iter().map(|r| &r[0]).collect();
        assert_eq!(times, [&json!(1_700_000_000.25), &json!(1_700_000_000.25), &json!(1_700_000_000.25), &Value::Null]);
    }

    #[test]
    fn what_is_no_record_is_text() {
        assert_eq!(read(&["half a rec", "{\"ts\": 17", ""]), [json!([null, null]), json!([null, null])]);
        let mut reader = Reader::new(false);
        let line = reader.read("1700000000.500000 error in x: # no").unwrap();
        assert_eq!((line.time, line.fields), (Some(1_700_000_000.5), None));
        let line = reader.read("#fields\tx").unwrap();
        assert_eq!((line.time, line.text.as_str()), (None, "#fields\tx"));
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read(lines in proptest::collection::vec("(#(separator |fields\t|types\t|unset_field\t))?[\\x00-\\x7fü]{0,60}", 0..20)) {
            for is_log in [true, false] {
                let mut reader = Reader::new(is_log);
                for line in &lines {
                    reader.read(line);
                }
            }
        }
    }
}
