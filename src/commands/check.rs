//! `check`: is the description valid, and does Zeek parse the scripts?

use serde::Serialize;

use super::report::Report;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::deploy::{self, CheckReport, Finding, Options};
use crate::error::{CommandError, Diagnostic, Kind};
use crate::fleet::{Fleet, Locks, Operation, require_all};
use crate::observed::OperationKind;
use crate::ui::{Progress, Tone, Ui, escape_control};
use crate::values::{count, fold_names};

/// Check the description, then let the real Zeek parse the scripts on the hosts; changes nothing that runs
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Only the description: connect to no host
    #[arg(long)]
    offline: bool,
}

/// What a check found.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Checked {
    /// The description alone.
    Description { nodes: usize, hosts: usize, offline: bool, warnings: Vec<Diagnostic> },
    /// The scripts as well.
    Scripts(CheckReport),
}

impl Command for Check {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = Checked;

    async fn run(&self, session: &mut Session) -> Result<Checked, CommandError> {
        if !self.offline {
            let fleet = session.open_and_warn(Extent::Files)?;
            return Ok(Checked::Scripts(check(&fleet).await?));
        }
        let loaded = session.load(Extent::Files, None)?;
        session.ui.warnings(&loaded.warnings);
        Ok(Checked::Description {
            nodes: loaded.cluster.run_nodes().count(),
            hosts: loaded.cluster.hosts.len(),
            offline: true,
            warnings: loaded.warnings.clone(),
        })
    }
}

impl Report for Checked {
    fn kind(&self) -> Option<&'static str> {
        Some("check")
    }

    fn show(&self, ui: &Ui) {
        match self {
            Self::Scripts(report) => scripts(ui, report),
            Self::Description { nodes, hosts, .. } => ui.result(&format!(
                "the description is valid: {} on {}; scripts not checked (--offline)",
                count(*nodes, "node"),
                count(*hosts, "host"),
            )),
        }
    }

    fn end(&self) -> Option<Kind> {
        match self {
            Self::Description { .. } => None,
            Self::Scripts(report) => {
                (!report.errors.is_empty() || !report.unchecked.is_empty()).then_some(Kind::NotAsExpected)
            }
        }
    }
}

fn scripts(ui: &Ui, report: &CheckReport) {
    let tell = |tone: Tone, word: &str, finding: &Finding| {
        ui.result(&format!("{} {}", ui.out.paint(tone, word), escape_control(&finding.text())));
    };
    report.errors.iter().for_each(|e| tell(Tone::Bad, "error:", e));
    report.warnings.iter().for_each(|w| tell(Tone::Warn, "warning:", w));
    report.unchecked.iter().for_each(|u| tell(Tone::Bad, "not checked:", u));
    if report.errors.is_empty() && !report.unchecked.is_empty() {
        ui.result("the description is valid; not all scripts are checked: Zeek crashed");
    } else if report.errors.is_empty() {
        let nodes: Vec<&str> = report.checked.iter().map(|c| c.node.as_str()).collect();
        let nodes = fold_names(&nodes);
        ui.result(&format!("the description is valid, and Zeek parses the scripts (as {nodes})"));
    } else {
        ui.result(&format!("Zeek does not accept the scripts: {}", count(report.errors.len(), "error")));
    }
}

/// Stages what the description says, lets the real Zeek parse it, and takes it away again.
///
/// # Errors
/// Where a host can't be asked. Scripts that do not parse are in the report.
async fn check(fleet: &Fleet) -> Result<CheckReport, CommandError> {
    let mut prepared = deploy::prepare(fleet, &Options::default()).await?;
    let handles = fleet.handles(prepared.release.parts.iter().map(|p| p.host));
    // Where somebody has altered files of a release, Zeek is shown those that were meant, beside it.
    if (0..prepared.found.len()).any(|host| prepared.is_altered(host)) {
        prepared.release.id.push_str("-check");
    }
    // What is staged for a look is taken away again, which must not meet a deploy of the same.
    let locks = Locks::take(fleet, &handles, &Operation::new(OperationKind::Check)).await?;
    let staged = deploy::stage(fleet, &prepared, &locks).await;
    let report = match require_all("cannot check the scripts: could not stage the release on all hosts", staged) {
        Ok(()) => deploy::parse(fleet, &prepared, |_| true, true).await,
        Err(error) => Err(error),
    };
    locks.release().await;
    Ok(report?)
}
