//! `diff`.

use super::apply_plan::Planned;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::deploy::{self, Options};
use crate::error::{CommandError, Kind};
use crate::ui::Progress;

/// What a deploy would change
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// End with 5 if there is something to do
    #[arg(long)]
    exit_code: bool,
}

impl Command for Diff {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = Planned;

    async fn run(&self, session: &mut Session) -> Result<Planned, CommandError> {
        let fleet = session.open_and_warn(Extent::Files)?;
        let mut prepared = deploy::prepare(&fleet, &Options::default()).await?;
        deploy::compare(&fleet, &mut prepared).await;
        let end = (self.exit_code && !prepared.plan.is_empty()).then_some(Kind::NotAsExpected);
        Ok(Planned { plan: prepared.plan, notes: prepared.notes, end })
    }
}
