//! `layout`: Zeek's layout, as the description and a version make it.

use clap::ValueEnum;
use serde::Serialize;

use super::nodes::NodeList;
use super::report::Report;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::error::{CommandError, Error, Kind};
use crate::ui::{Output, Progress, Ui};
use crate::values::Version;
use crate::zeek;

/// Print Zeek's layout; connects to no host
#[derive(Debug, clap::Args)]
pub(crate) struct Layout {
    /// The form [default: zeek; json with `-o json`]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The version of Zeek to write for, instead of the description's
    #[arg(long, value_name = "VERSION", value_parser = zeek_version)]
    zeek_version: Option<Version>,
    /// Print the generated options script instead of the layout
    #[arg(long, conflicts_with = "format")]
    options: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// cluster-layout.zeek
    Zeek,
    /// A JSON document
    Json,
    /// A table
    Table,
    /// A Mermaid diagram
    Mermaid,
}

fn zeek_version(text: &str) -> Result<Version, String> {
    let version = text.parse()?;
    zeek::known(version).map(|()| version)
}

/// A layout in one form.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Shown {
    /// Text: its form, and itself.
    Text { format: &'static str, text: String },
    /// A table.
    #[serde(skip)]
    Table(NodeList),
    /// A JSON document, whatever `--output` says.
    Json(serde_json::Value),
}

impl Command for Layout {
    const HOSTS: Hosts = Hosts::Untouched;
    const PROGRESS: Progress = Progress::Silent;
    type Report = Shown;

    async fn run(&self, session: &mut Session) -> Result<Shown, CommandError> {
        let json = session.ui.output == Output::Json;
        let loaded = session.load(Extent::Description, self.zeek_version)?;
        let cluster = &*loaded.cluster;
        let Some(version) = cluster.zeek.version else {
            return Err(Error::failed("the layout depends on the version of Zeek, and the description names none")
                .hint("set `zeek.version`, or pass `--zeek-version 8.0`")
                .into());
        };
        let text = |format, text| Ok(Shown::Text { format, text });
        if self.options {
            return text("options", zeek::options_script(cluster, version));
        }
        match self.format.unwrap_or(if json { Format::Json } else { Format::Zeek }) {
            Format::Zeek => text("zeek", zeek::layout(cluster, version)),
            Format::Mermaid => text("mermaid", zeek::layout_mermaid(cluster, version)),
            Format::Table if !json => Ok(Shown::Table(NodeList::new(cluster, cluster.nodes.iter()))),
            Format::Json | Format::Table => Ok(Shown::Json(zeek::layout_json(cluster, version))),
        }
    }
}

impl Report for Shown {
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Text { .. } => Some("layout_text"),
            Self::Json(_) => Some("layout"),
            Self::Table(_) => None,
        }
    }

    fn show(&self, ui: &Ui) {
        match self {
            Self::Text { text, .. } => ui.result(text),
            Self::Table(nodes) => ui.result(&nodes.table(ui)),
            Self::Json(value) => ui.json("layout", value),
        }
    }

    fn end(&self) -> Option<Kind> {
        None
    }
}
