//! `deploy`.

use std::path::PathBuf;

use clap::ValueHint;

use super::apply_plan::{Acted, act, options};
use super::args::{ConfirmArgs, RolloutArgs};
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::deploy;
use crate::error::CommandError;
use crate::observed::OperationKind;
use crate::ui::Progress;

/// Check, plan, stage, activate, and confirm that all nodes came up
///
/// Until the first host activates the release, nothing changes on any host. If nodes do not become ready, all hosts go back
/// to what ran before. An operation that was cut off is finished by the next deploy, or undone by `rollback`.
#[derive(Debug, clap::Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    rollout: RolloutArgs,
    /// Apply the plan that `diff --save` wrote, without asking; refuse if anything differs by now, and say what
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["skip", "max_unavailable", "no_restart"])]
    plan: Option<PathBuf>,
    /// Put the release on the hosts, but restart no node that runs: `restart` moves them on
    #[arg(long, conflicts_with = "max_unavailable")]
    no_restart: bool,
    /// Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start
    #[arg(long)]
    accept_backend_change: bool,
}

impl Command for Deploy {
    const HOSTS: Hosts = Hosts::Changed;
    const PROGRESS: Progress = Progress::Lines;
    type Report = Acted;

    async fn run(&self, session: &mut Session) -> Result<Acted, CommandError> {
        let fleet = session.open_and_warn(Extent::Files)?;
        let mut options = options(&self.rollout, self.accept_backend_change);
        options.skip = deploy::skipped(&fleet.cluster, &self.rollout.skip)?;
        options.no_restart = self.no_restart;
        let saved = self.plan.as_ref().map(|file| deploy::read_saved(&fleet, file)).transpose()?;
        options.compared = saved.is_some();
        let prepared = deploy::prepare(&fleet, &options).await?;
        act(session, &fleet, OperationKind::Deploy, &self.confirm, saved, prepared).await
    }
}
