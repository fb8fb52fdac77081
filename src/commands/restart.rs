//! `restart`.

use super::args::Selectors;
use super::hooks::{self, Hook, News};
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::error::CommandError;
use crate::fleet::Selection;
use crate::nodes::{self, RunReport};
use crate::observed::OperationKind;
use crate::ui::Progress;

/// Stop nodes and start them again
#[derive(Debug, clap::Args)]
pub(crate) struct Restart {
    #[command(flatten)]
    which: Selectors,
}

impl Command for Restart {
    const HOSTS: Hosts = Hosts::Changed;
    const PROGRESS: Progress = Progress::Lines;
    type Report = RunReport;

    async fn run(&self, session: &mut Session) -> Result<RunReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::parse(&fleet.cluster, &self.which.selectors)?;
        hooks::before(&fleet, Hook::PreStop, || News::of_selection(OperationKind::Restart, &fleet.cluster, &selection))
            .await?;
        let done = nodes::restart(&fleet, &selection).await;
        let end = done.as_ref().map(|report| (report, report.nodes.as_slice()));
        hooks::after(&fleet, Hook::PostStart, || News::of_end(OperationKind::Restart, None, end)).await;
        done
    }
}
