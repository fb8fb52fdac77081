//! What operations tell while they run: progress bars, plain lines and JSON lines are three consumers of it.

/// What happens while an operation runs: for progress bars, plain lines or JSON lines.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A phase begins, over so many hosts or nodes.
    Phase {
        /// What is done, as a present participle: `observing`.
        name: &'static str,
        /// How many things there are to do.
        total: usize,
    },
    /// A host begins to work on something.
    HostBegins { host: String },
    /// A host is done with it.
    HostEnds {
        host: String,
        /// What went wrong; none if nothing did.
        failure: Option<String>,
    },
    /// Something happened to a node.
    Node {
        node: String,
        host: String,
        /// What: `ready`, `stopped`, `ended at start (exit 1)`.
        what: String,
        /// Whether that is bad.
        bad: bool,
        /// Whether it is the stop of a restart, which is not shown: the start is.
        #[serde(skip)]
        passing: bool,
    },
    /// Something was done on a host; for those who want to know it in detail.
    Ran {
        host: String,
        /// The name of a script, or that a port was opened.
        what: String,
        /// Its arguments; never a secret.
        args: Vec<String>,
        seconds: f64,
        /// Why nothing came of it; none if something did.
        failure: Option<String>,
    },
    /// Something that the user should know.
    Note { text: String },
}

/// Where events go.
pub type Events = tokio::sync::mpsc::UnboundedSender<Event>;
