//! `start`.

use super::args::Selectors;
use super::hooks::{self, Hook, News};
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::error::CommandError;
use crate::fleet::Selection;
use crate::nodes::{self, RunReport};
use crate::observed::OperationKind;
use crate::ui::Progress;

/// Start nodes from the release on their hosts
#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    #[command(flatten)]
    which: Selectors,
}

impl Command for Start {
    const HOSTS: Hosts = Hosts::Changed;
    const PROGRESS: Progress = Progress::Lines;
    type Report = RunReport;

    async fn run(&self, session: &mut Session) -> Result<RunReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::parse(&fleet.cluster, &self.which.selectors)?;
        let done = nodes::start(&fleet, &selection).await;
        let end = done.as_ref().map(|report| (report, report.nodes.as_slice()));
        hooks::after(&fleet, Hook::PostStart, || News::of_end(OperationKind::Start, None, end)).await;
        done
    }
}
