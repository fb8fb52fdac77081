//! `resume`.

use clap_complete::engine::ArgValueCompleter;

use super::apply_plan::{Acted, act};
use super::args::ConfirmArgs;
use super::session::{Extent, hosts_of};
use super::{Command, Hosts, Session, complete};
use crate::deploy::{self, NewKeys};
use crate::error::CommandError;
use crate::observed::OperationKind;
use crate::ui::Progress;

/// Bring hosts that were away to the release that the others run, and start their nodes
#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    /// Hosts (@sensor1); default: all that are behind
    #[arg(value_name = "@HOST", add = ArgValueCompleter::new(complete::selectors))]
    hosts: Vec<String>,
    #[command(flatten)]
    confirm: ConfirmArgs,
}

impl Command for Resume {
    const HOSTS: Hosts = Hosts::Changed;
    const PROGRESS: Progress = Progress::Lines;
    type Report = Acted;

    async fn run(&self, session: &mut Session) -> Result<Acted, CommandError> {
        let fleet = session.open(Extent::Files)?;
        let hosts = hosts_of(&fleet.cluster, &self.hosts)?;
        let prepared = deploy::prepare_resume(&fleet, hosts.as_ref(), &NewKeys::default()).await?;
        act(session, &fleet, OperationKind::Resume, &self.confirm, None, prepared).await
    }
}
