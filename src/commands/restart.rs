//! `restart`.

use super::args::Selectors;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::error::CommandError;
use crate::fleet::Selection;
use crate::nodes::{self, RunReport};
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
        nodes::restart(&fleet, &selection).await
    }
}
