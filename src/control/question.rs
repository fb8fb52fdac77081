//! Questions to nodes: what is sent, and what counts as an answer. A new question is one more implementation of
//! [`Question`], beside the command that asks it.

use serde::de::DeserializeOwned;

use super::answer::{NoAnswer, NodeStatus};
use super::lenient;

/// Who answers a question, and so what an answer tells of its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answerer {
    /// `clusterctl/agent.zeek`: each answer names its node and its process, and where only the manager can be reached,
    /// it passes questions on.
    Agent,
    /// Zeek's control framework: no answer names its process, and before 8.0 none names its node.
    Controllee,
}

/// A question to nodes.
pub trait Question {
    /// An answer that has been checked as far as it can be without its host.
    type Answer;
    /// Who answers it.
    const ANSWERER: Answerer;

    /// The topic of the answers, below the prefix that all of them have. Others' answers come on it as well.
    fn topic(&self) -> &'static str;
    /// The event's name and its arguments, in the round (from 0) that asks for it.
    fn request(&self, round: u32) -> (&'static str, Vec<String>);
    /// As [`Question::request`], where it differs by node.
    fn request_to(&self, _node: &str, round: u32) -> (&'static str, Vec<String>) {
        self.request(round)
    }
    /// Whose answer an event is, and what it says; none if it is not an answer to one of the rounds so far.
    fn answer(&self, said: Said<'_>) -> Option<(String, Result<Self::Answer, NoAnswer>)>;
    /// The process that an answer names as its sender; none where no answer names one.
    fn process(answer: &Self::Answer) -> Option<u64>;
}

/// An event that may be an answer.
#[derive(Debug)]
pub struct Said<'a> {
    /// What follows the question's own topic.
    pub from: &'a str,
    /// The event's name, with its module.
    pub name: &'a str,
    /// Its arguments of the type string, others as empty texts.
    pub args: Vec<String>,
    /// How many rounds have been asked.
    pub rounds: u32,
    /// The only node that is asked, whose answers need not be named; none where several are.
    pub only: Option<&'a str>,
}

/// Reads JSON that a node sent; `what` is what it should be.
///
/// # Errors
/// Where it is none, or a field is missing or of another type.
pub fn json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, NoAnswer> {
    lenient::parse(text.as_bytes())
        .and_then(serde_json::from_value)
        .map_err(|error| NoAnswer::Malformed(format!("its {what} can't be read: {error}")))
}

/// Asks nodes for their status.
#[derive(Debug)]
pub struct StatusQuestion {
    /// What tells the requests of this question from all others.
    prefix: String,
}

impl StatusQuestion {
    /// Makes one whose requests nobody else makes: each use needs its own.
    pub fn unique() -> Self {
        Self::with_prefix(format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond()))
    }

    pub(super) fn with_prefix(prefix: String) -> Self {
        Self { prefix }
    }
}

impl Question for StatusQuestion {
    type Answer = NodeStatus;
    const ANSWERER: Answerer = Answerer::Agent;

    fn topic(&self) -> &'static str {
        "clusterctl/"
    }

    fn request(&self, round: u32) -> (&'static str, Vec<String>) {
        ("Clusterctl::status_request", vec![format!("{}-{round}", self.prefix)])
    }

    fn answer(&self, said: Said<'_>) -> Option<(String, Result<NodeStatus, NoAnswer>)> {
        let [request, name, status] = said.args.as_slice() else { return None };
        let round: u32 = request.strip_prefix(&self.prefix)?.strip_prefix('-')?.parse().ok()?;
        if said.name != "Clusterctl::status_response" || name != said.from || round >= said.rounds {
            return None;
        }
        let answer = json::<NodeStatus>("status", status).and_then(|status| {
            if status.node == said.from { Ok(status) } else { Err(NoAnswer::OtherName(status.node)) }
        });
        Some((said.from.to_owned(), answer))
    }

    fn process(answer: &NodeStatus) -> Option<u64> {
        Some(answer.pid)
    }
}

/// Asks nodes for the value of an identifier, as text, which needs the control framework's controllee on them.
///
/// Requests of this framework have no id: a node's answer to another client that asks for the same identifier counts as
/// well.
#[derive(Debug)]
pub struct ValueQuestion {
    /// The identifier, with its module.
    pub id: String,
}

impl Question for ValueQuestion {
    type Answer = String;
    const ANSWERER: Answerer = Answerer::Controllee;

    fn topic(&self) -> &'static str {
        "id_value_response"
    }

    fn request(&self, _round: u32) -> (&'static str, Vec<String>) {
        ("Control::id_value_request", vec![self.id.clone()])
    }

    fn answer(&self, said: Said<'_>) -> Option<(String, Result<String, NoAnswer>)> {
        let node = match said.from {
            "" => said.only?,
            rest => rest.strip_prefix('/')?,
        };
        let [id, value] = <[String; 2]>::try_from(said.args).ok()?;
        if said.name != "Control::id_value_response" || id != self.id {
            return None;
        }
        let answer = match value.as_str() {
            "<unknown id>" => Err(NoAnswer::NoIdentifier(id)),
            "<no ID value>" => Err(NoAnswer::NoValue(id)),
            _ => Ok(value),
        };
        Some((node.to_owned(), answer))
    }

    fn process(_answer: &String) -> Option<u64> {
        None
    }
}
