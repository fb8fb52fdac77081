//! Asking running nodes for the value of an identifier, as zeekctl's `print` does.

use std::sync::Mutex;
use std::time::Duration;

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;
use unicode_width::UnicodeWidthStr as _;

use super::report::{Report, partial};
use super::session::Extent;
use super::status::{State, answers, process_row};
use super::{Command, Hosts, Session, complete};
use crate::cluster::{Cluster, Node, Role};
use crate::control::{self, Answers, NodeStatus, Reply};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Facts, Fleet, Selection, enough, forbidden, gather, might_run, only_ours, request, running, runs};
use crate::plan::{astray, elsewhere};
use crate::ui::{Progress, Tone, Ui, complain, escape_control, in_line};
use crate::values::is_zeek_identifier;
use crate::zeek::{self, Live};

/// Ask nodes for the value of a global identifier, such as `Cluster::nodes`
#[derive(Debug, clap::Args)]
pub(crate) struct Print {
    /// The identifier, with its module
    #[arg(value_name = "ID")]
    id: String,
    /// Nodes: a name, a glob, a role (manager, loggers, proxies, workers, all) or @host; none: all
    #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    selectors: Vec<String>,
}

impl Command for Print {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = PrintReport;

    async fn run(&self, session: &mut Session) -> Result<PrintReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::parse(&fleet.cluster, &self.selectors)?;
        print(&fleet, &selection, &self.id).await
    }
}

/// How long nodes are asked in turn, where they can't be asked at once.
const IN_TURN: Duration = Duration::from_secs(60);

/// What became of asking for a value.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PrintReport {
    /// The identifier.
    pub id: String,
    /// A row for each node, in the cluster's order.
    pub nodes: Vec<PrintRow>,
    /// Why no node, or not all, could be asked; none where that is the node's own matter.
    pub failure: Option<String>,
}

/// What one node said.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PrintRow {
    /// The node.
    pub node: String,
    /// What it is.
    #[serde(rename = "type")]
    pub role: Role,
    /// Its host.
    pub host: String,
    /// What its process does, as its host says.
    pub state: State,
    /// The value, as text; none if it gave none.
    pub value: Option<String>,
    /// Why there is no value.
    pub reason: Option<String>,
}

impl PrintReport {
    /// The nodes that were asked: nobody expects a word of one whose host is disabled.
    fn asked(&self) -> impl Iterator<Item = &PrintRow> {
        self.nodes.iter().filter(|n| n.state != State::Disabled)
    }
}

impl Report for PrintReport {
    fn kind(&self) -> Option<&'static str> {
        Some("print")
    }

    fn show(&self, ui: &Ui) {
        let width = self.nodes.iter().map(|n| n.node.width()).max().unwrap_or(0);
        let mut text = String::new();
        // Trouble stands first. A value is never cut, however long it is.
        let bad = self.nodes.iter().filter(|n| n.value.is_none());
        for row in bad.chain(self.nodes.iter().filter(|n| n.value.is_some())) {
            let value = match (&row.value, &row.reason) {
                (Some(value), _) => escape_control(value).replace('\n', "\n  "),
                (None, why) => {
                    ui.out.paint(Tone::Bad, &format!("- ({})", in_line(why.as_deref().unwrap_or("no value"))))
                }
            };
            let pad = " ".repeat(width - row.node.width());
            let line = format!("{}{pad}  {value}", ui.out.paint(Tone::Strong, &row.node));
            text.push_str(&ui.out.wrap(&line, "  "));
            text.push('\n');
        }
        ui.result(&text);
        if let Some(why) = &self.failure {
            complain(&ui.err.wrap(&in_line(&format!("the nodes could not be asked: {why}")), "  "));
        }
    }

    fn end(&self) -> Option<Kind> {
        partial(self.asked().count(), self.asked().filter(|n| n.value.is_none()).count())
    }
}

/// Why no answer can come, or the replies that came.
enum Asked {
    Replies(Vec<(String, Reply<String>)>, Option<String>),
    Failed(String),
}

/// Asks nodes for the value of an identifier. Each node has its row, whether it answers or not.
///
/// # Errors
/// Where the identifier is none.
async fn print(fleet: &Fleet, selection: &Selection, id: &str) -> Result<PrintReport, CommandError> {
    if !is_zeek_identifier(id) {
        return Err(Error::new(Kind::Usage, format!("`{id}` is not an identifier of Zeek such as `Cluster::nodes`"))
            .hint("only the values of global identifiers can be asked for, no expressions")
            .into());
    }
    let cluster = &*fleet.cluster;
    let mut witness = None;
    let ask = async |facts: &Mutex<Facts>, news| ask(fleet, selection, id, facts, news, &mut witness).await;
    let (facts, asked) = gather(fleet, selection, ask).await;
    let (mut replies, mut failure) = match asked {
        Asked::Replies(replies, ended) => (replies, ended),
        Asked::Failed(why) => (Vec::new(), Some(why)),
    };
    let verdict = witness.as_mut().map(|answers| only_ours(cluster, &facts, answers));
    if !witness.is_some_and(|answers| answers.nodes.values().any(|reply| matches!(reply, Reply::Answer(_)))) {
        replies.retain(|(_, reply)| !matches!(reply, Reply::Answer(_)));
    }
    if let Some(Err(why)) = verdict {
        (replies, failure) = (Vec::new(), Some(why));
    } else if let (Some(_), Some(manager)) = (&failure, cluster.manager())
        && let Some(Ok(observed)) = facts.get(&manager.host)
        && !runs(observed, &manager.name)
    {
        failure = Some("the manager is not running".to_owned());
    }
    let mut replies: std::collections::BTreeMap<String, Reply<String>> = replies.into_iter().collect();
    let astray = astray(cluster, answers(&facts));
    let elsewhere = elsewhere(cluster, &astray, |host| facts.get(&host)?.as_ref().ok());
    let nodes = selection
        .nodes(cluster)
        .map(|node| {
            let known = process_row(cluster, node, facts.get(&node.host), &elsewhere);
            let patience = humantime::format_duration(cluster.timeouts.control);
            let (value, reason) = match (replies.remove(&node.name), known.state) {
                (Some(Reply::Answer(value)), _) => (Some(value), None),
                (Some(Reply::Bad(why)), _) => (None, Some(why)),
                (_, State::Running | State::Starting) if failure.is_some() => (None, Some("not asked".to_owned())),
                (_, State::Running) if let Some(other) = elsewhere.get(node.name.as_str()) => {
                    (None, Some(other.runs(cluster)))
                }
                (_, State::Running) => (None, Some(format!("no reply within {patience}"))),
                (_, state) => {
                    let detail = known.detail.as_ref().map(|d| format!(" ({d})")).unwrap_or_default();
                    (None, Some(format!("{}{detail}", state.name())))
                }
            };
            PrintRow { node: node.name.clone(), role: node.role, host: known.host, state: known.state, value, reason }
        })
        .collect();
    Ok(PrintReport { id: id.to_owned(), nodes, failure })
}

/// Asks over the control topics while the hosts' facts come in.
async fn ask(
    fleet: &Fleet,
    selection: &Selection,
    id: &str,
    facts: &Mutex<Facts>,
    news: watch::Receiver<bool>,
    witness: &mut Option<Answers<NodeStatus>>,
) -> Asked {
    let cluster = &*fleet.cluster;
    let Some(manager) = cluster.manager() else { return Asked::Failed("there is no manager".to_owned()) };
    let handle = fleet.handle(manager.host);
    if !cluster.host_of(manager).enabled {
        return Asked::Failed(format!("the manager's host {} is disabled", handle.name));
    }
    let dial = || async {
        let stream = handle.connection.dial(cluster.ports.control, fleet.settings.question).await;
        stream.map_err(|failure| format!("the manager's host {} can't be reached: {}", handle.name, failure.text()))
    };
    let stream = match dial().await {
        Ok(stream) => stream,
        Err(why) => return Asked::Failed(why),
    };
    enough(cluster, manager.host, facts, news).await;
    let (topic, nodes, live) = match facts.lock() {
        Ok(facts) => whom(cluster, selection, manager, &facts),
        Err(_) => return Asked::Failed("the hosts' answers are lost".to_owned()),
    };
    let patience = cluster.timeouts.control;
    if !matches!(live, Live::None(_)) {
        // The answer to a value does not tell whose it is; that to another question does.
        let other = match dial().await {
            Ok(stream) => stream,
            Err(why) => return Asked::Failed(why),
        };
        let manager = [(manager.name.clone(), topic)];
        let deadline = Instant::now() + patience;
        *witness = control::ask_status(other, zeek::ANSWERS, &manager, request(), deadline).await.ok();
    }
    match live {
        Live::None(why) => Asked::Failed(why),
        Live::Full => {
            let deadline = Instant::now() + patience;
            match control::ask_id_value(stream, zeek::ANSWERS, &nodes, id, deadline).await {
                Ok(answers) => {
                    Asked::Replies(answers.nodes.into_iter().collect(), answers.ended.map(|ended| ended.to_string()))
                }
                Err(error) => Asked::Failed(why_not(fleet, manager.host, &error.to_string()).await),
            }
        }
        Live::OneAtATime => {
            // Answers do not name their node, so there is one question at a time, over a connection of its own.
            let limit = Instant::now() + IN_TURN;
            let mut replies = Vec::new();
            let mut stream = Some(stream);
            for node in nodes {
                if Instant::now() >= limit {
                    replies.push((
                        node.0,
                        Reply::Bad("not asked: nodes of this Zeek are asked in turn, and a minute is over".to_owned()),
                    ));
                    continue;
                }
                let next = match stream.take() {
                    Some(stream) => stream,
                    None => match dial().await {
                        Ok(stream) => stream,
                        Err(why) => return Asked::Replies(replies, Some(why)),
                    },
                };
                let deadline = Instant::now() + patience;
                let one = [node];
                match control::ask_id_value(next, zeek::ANSWERS, &one, id, deadline).await {
                    Ok(answers) => replies.extend(answers.nodes),
                    Err(error) => {
                        let why = why_not(fleet, manager.host, &error.to_string()).await;
                        return Asked::Replies(replies, Some(why));
                    }
                }
            }
            Asked::Replies(replies, None)
        }
    }
}

/// Returns why the nodes could not be asked, with what to do where that is known.
async fn why_not(fleet: &Fleet, manager: usize, said: &str) -> String {
    match forbidden(fleet, manager).await {
        Some((why, Some(hint))) => format!("{why}; {hint}"),
        Some((why, None)) => why,
        None => said.to_owned(),
    }
}

/// Returns the manager's topic, the nodes to ask, with theirs, and how they can be asked.
fn whom(
    cluster: &Cluster,
    selection: &Selection,
    manager: &Node,
    facts: &Facts,
) -> (String, Vec<(String, String)>, Live) {
    let Some((version, backend)) = running(cluster, facts) else {
        let why = "nothing is deployed on the manager's host".to_owned();
        return (String::new(), Vec::new(), Live::None(why));
    };
    let topics = zeek::topics(cluster, version, backend);
    let asked = topics.node(&manager.name);
    let nodes = selection.nodes(cluster).filter(|n| might_run(cluster, facts, n));
    let nodes = nodes.map(|n| (n.name.clone(), topics.node(&n.name)));
    // Where the manager stands for all, only it can be asked for a value.
    let nodes = nodes.filter(|(name, topic)| *name == manager.name || *topic != asked).collect();
    (asked, nodes, zeek::live(cluster, version))
}
