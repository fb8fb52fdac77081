//! `status`: what hosts and nodes say: process facts from the hosts and answers over the control topics.

mod facts;
mod hosts;
mod problems;
mod prometheus;
mod report;
mod show;
mod types;
mod unmanaged;
mod wait;

use serde::Serialize;

use super::args::Selectors;
use super::report::Report;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::cluster::Node;
use crate::control::StatusQuestion;
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Facts, Fleet, Selection, ask, runs};
use crate::ui::{Output, Progress, Ui};
use crate::values::Interval;
use problems::ProblemsReport;
use types::StatusReport;

pub(crate) use facts::{answers, process_row};
pub(crate) use types::State;

/// Show what hosts and nodes are doing
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  clusterctl status                  all hosts and nodes\n  \
clusterctl status @sensor1 --problems\n  clusterctl deploy -y && clusterctl status --wait=2m -q")]
pub(crate) struct Status {
    #[command(flatten)]
    which: Selectors,
    /// Only what is wrong, worst first, each with the command to run
    #[arg(long)]
    problems: bool,
    /// Wait until all is well, at most for this time
    ///
    /// The exit code is 0 as soon as all is well, and 5 if something is wrong in the end. Progress goes to stderr.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "5m")]
    wait: Option<Interval>,
}

/// What a status comes to.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum StatusAnswer {
    Whole(StatusReport),
    Problems(ProblemsReport),
}

impl Report for StatusAnswer {
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Whole(report) => report.kind(),
            Self::Problems(report) => report.kind(),
        }
    }

    fn show(&self, ui: &Ui) {
        match self {
            Self::Whole(report) => report.show(ui),
            Self::Problems(report) => report.show(ui),
        }
    }

    fn end(&self) -> Option<Kind> {
        match self {
            Self::Whole(report) => report.end(),
            Self::Problems(report) => report.end(),
        }
    }
}

impl Command for Status {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    const PROMETHEUS: bool = true;
    type Report = StatusAnswer;

    async fn run(&self, session: &mut Session) -> Result<StatusAnswer, CommandError> {
        if self.problems && session.ui.output == Output::Prometheus {
            let error = Error::new(Kind::Usage, "`--problems` and `-o prometheus` cannot be combined");
            return Err(error.hint("leave `--problems` out: `clusterctl status -o prometheus` counts problems").into());
        }
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::with_hosts(&fleet.cluster, &self.which.selectors)?;
        let report = match self.wait {
            Some(Interval(longest)) => wait::until_well(session.ui, &fleet, &selection, longest).await,
            None => status(&fleet, &selection).await,
        };
        Ok(if self.problems { StatusAnswer::Problems(ProblemsReport::of(report)) } else { StatusAnswer::Whole(report) })
    }
}

/// Asks hosts and nodes.
async fn status(fleet: &Fleet, selection: &Selection) -> StatusReport {
    let (facts, asked) = ask(fleet, selection, &StatusQuestion::unique()).await;
    let others = others(fleet, selection, &facts).await;
    report::report(&fleet.cluster, selection, &facts, &others, &asked)
}

/// Asks the hosts that were not asked where nodes of the selection do not run in their places: they may run there.
async fn others(fleet: &Fleet, selection: &Selection, facts: &Facts) -> Facts {
    let cluster = &*fleet.cluster;
    let missing = |node: &Node| matches!(facts.get(&node.host), Some(Ok(observed)) if !runs(observed, &node.name));
    if !selection.nodes(cluster).any(missing) {
        return Facts::new();
    }
    let rest = fleet.enabled().into_iter().filter(|index| !facts.contains_key(index));
    let answers = fleet.observe(fleet.handles(rest)).await;
    answers.into_iter().filter_map(|(handle, answer)| Some((handle.index?, answer))).collect()
}
