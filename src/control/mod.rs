//! Asking running nodes over their control topics: a WebSocket client of the manager over any byte stream.
//!
//! The protocol is Zeek's v1 (doc/advanced/devel/websocket-api.rst): a hello with the topics to subscribe to, an ack,
//! then events both ways. What comes back is other people's bytes: not always UTF-8, not always JSON, and not always
//! for us, for every client that subscribes to a topic gets every answer on it.

mod answer;
mod ask;
mod lenient;
mod message;
mod question;
#[cfg(test)]
mod tests;

pub use answer::{Answers, ControlError, MoreCounters, NoAnswer, NodeStatus};
pub use ask::{Conversation, Heard};
pub use question::{Answerer, Question, Said, StatusQuestion, ValueQuestion, json};
