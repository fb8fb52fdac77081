//! Messages of Zeek's WebSocket protocol v1.

use serde_json::{Value, json};

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// The hello was taken.
    Ack {
        /// Its Zeek version.
        version: String,
    },
    /// Something we sent was not.
    Error {
        /// Zeek's code.
        code: String,
        /// Zeek's words.
        context: String,
    },
    Event(Event),
}

/// An event as far as we read it: its arguments of the type string, others as empty texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// The topic it came on.
    pub(super) topic: String,
    /// Its name with its module.
    pub(super) name: String,
    /// Its arguments.
    pub(super) args: Vec<String>,
}

/// Reads a message; none for what is none of these.
pub(super) fn read(value: &Value) -> Option<Message> {
    let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
    Some(match value.get("type")?.as_str()? {
        "ack" => Message::Ack { version: text("version")? },
        "error" => Message::Error { code: text("code")?, context: text("context").unwrap_or_default() },
        "data-message" => {
            // A vector of two counts and a vector of the event's name and a vector of its arguments.
            let event = value.get("data")?.get(2)?.get("data")?;
            let args = event.get(1)?.get("data")?.as_array()?;
            let args = args.iter().map(|a| a.get("data").and_then(Value::as_str).unwrap_or_default().to_owned());
            Message::Event(Event {
                topic: text("topic")?,
                name: event.get(0)?.get("data")?.as_str()?.to_owned(),
                args: args.collect(),
            })
        }
        _ => return None,
    })
}

/// Writes an event whose arguments are all strings.
pub(super) fn event(topic: &str, name: &str, args: &[String]) -> String {
    let string = |text: &str| json!({ "@data-type": "string", "data": text });
    let args: Vec<Value> = args.iter().map(|a| string(a)).collect();
    let count = || json!({ "@data-type": "count", "data": 1 });
    json!({
        "type": "data-message",
        "topic": topic,
        "@data-type": "vector",
        "data": [count(), count(), {
            "@data-type": "vector",
            "data": [string(name), { "@data-type": "vector", "data": args }],
        }],
    })
    .to_string()
}
