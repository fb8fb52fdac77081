//! `rollback`.

use super::apply_plan::{Acted, act, options};
use super::args::{ConfirmArgs, RolloutArgs};
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::deploy;
use crate::error::CommandError;
use crate::observed::OperationKind;
use crate::ui::Progress;

/// Return to an earlier release and its topology; only nodes that differ restart
#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// Release id or a prefix of it; default: the previous release, or after an interrupted deploy the one that it started from
    release: Option<String>,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    rollout: RolloutArgs,
    /// Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start
    #[arg(long)]
    accept_backend_change: bool,
}

impl Command for Rollback {
    const HOSTS: Hosts = Hosts::Changed;
    const PROGRESS: Progress = Progress::Lines;
    type Report = Acted;

    async fn run(&self, session: &mut Session) -> Result<Acted, CommandError> {
        let now = session.open(Extent::Description)?;
        let options = options(&self.rollout, self.accept_backend_change);
        let (then, prepared) =
            deploy::prepare_rollback(&now, self.release.as_deref(), &self.rollout.skip, &options).await?;
        // Its events come to their end with it.
        drop(now);
        let fleet = session.replace(then);
        act(session, &fleet, OperationKind::Rollback, &self.confirm, None, prepared).await
    }
}
