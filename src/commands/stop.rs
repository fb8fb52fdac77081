//! `stop`.

use super::args::Selectors;
use super::hooks::{self, Hook, News};
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::error::CommandError;
use crate::fleet::Selection;
use crate::nodes::{self, RunReport};
use crate::observed::OperationKind;
use crate::ui::Progress;

/// Stop nodes
#[derive(Debug, clap::Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    which: Selectors,
}

impl Command for Stop {
    const HOSTS: Hosts = Hosts::Changed;
    const PROGRESS: Progress = Progress::Lines;
    type Report = RunReport;

    async fn run(&self, session: &mut Session) -> Result<RunReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::with_hosts(&fleet.cluster, &self.which.selectors)?;
        hooks::before(&fleet, Hook::PreStop, || News::of_selection(OperationKind::Stop, &fleet.cluster, &selection))
            .await?;
        nodes::stop(&fleet, &selection).await
    }
}
