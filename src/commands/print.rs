//! Asking running nodes for the value of an identifier, as zeekctl's `print` does.

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::asked::{self, not_asked, rows};
use super::report::Report;
use super::session::Extent;
use super::status::State;
use super::{Command, Hosts, Session, complete};
use crate::cluster::Role;
use crate::control::ValueQuestion;
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Fleet, Selection, ask};
use crate::ui::{Progress, Tone, Ui, escape_control, in_line};
use crate::values::is_zeek_identifier;

/// Ask nodes for the value of a global identifier, such as `Cluster::nodes`
#[derive(Debug, clap::Args)]
pub(crate) struct Print {
    /// The identifier, with its module
    #[arg(value_name = "ID")]
    id: String,
    /// Nodes: a name, a glob, a role (manager, loggers, proxies, workers, all) or @host; default: all
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
    pub node: String,
    #[serde(rename = "type")]
    pub role: Role,
    pub host: String,
    /// What its process does, as its host says.
    pub state: State,
    /// The value, as text; none if it gave none.
    pub value: Option<String>,
    /// Why there is no value.
    pub reason: Option<String>,
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
            not_asked(ui, why);
        }
    }

    fn end(&self) -> Option<Kind> {
        asked::end(self.nodes.iter().map(|row| (row.state, row.value.is_none())))
    }
}

/// Asks nodes for the value of an identifier. Each node has its row, whether it answers or not.
///
/// # Errors
/// Where the identifier is none.
async fn print(fleet: &Fleet, selection: &Selection, id: &str) -> Result<PrintReport, CommandError> {
    if !is_zeek_identifier(id) {
        return Err(Error::new(Kind::Usage, format!("`{id}` is not an identifier of Zeek such as `Cluster::nodes`"))
            .hint("`print` shows the values of global identifiers, not of expressions")
            .into());
    }
    let cluster = &*fleet.cluster;
    let (facts, asked) = ask(fleet, selection, &ValueQuestion { id: id.to_owned() }).await;
    let (rows, failure) = rows(fleet, selection.nodes(cluster), &facts, asked);
    let nodes = rows
        .into_iter()
        .map(|row| {
            let (node, host) = (row.node.name.clone(), cluster.host_of(row.node).name.clone());
            let (value, reason) = match row.said {
                Ok(value) => (Some(value), None),
                Err(why) => (None, Some(why)),
            };
            PrintRow { node, role: row.node.role, host, state: row.state, value, reason }
        })
        .collect();
    Ok(PrintReport { id: id.to_owned(), nodes, failure })
}
