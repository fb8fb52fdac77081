//! `rollback`.

use super::acting::{Acted, act, options};
use super::args::{ConfirmArgs, RolloutArgs};
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::deploy;
use crate::error::CommandError;
use crate::observed::OperationKind;
use crate::ui::Progress;

/// Go back to an earlier release, with the topology that it had; only what differs restarts
#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// Its id or the begin of it; none: the one before, or where a deploy was cut off, the one from which it began
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
        act(session, &fleet, OperationKind::Rollback, &self.confirm, prepared).await
    }
}
