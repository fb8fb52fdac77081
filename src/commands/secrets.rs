//! `secrets`.

use super::apply_plan::{Acted, act};
use super::args::ConfirmArgs;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::deploy::{self, NewKeys, Options};
use crate::error::CommandError;
use crate::observed::OperationKind;
use crate::ui::Progress;

/// Manage the keys that encrypt the traffic between nodes
#[derive(Debug, clap::Args)]
pub(crate) struct Secrets {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can't talk
    Rotate {
        #[command(flatten)]
        confirm: ConfirmArgs,
    },
}

impl Command for Secrets {
    const HOSTS: Hosts = Hosts::Changed;
    const PROGRESS: Progress = Progress::Lines;
    type Report = Acted;

    async fn run(&self, session: &mut Session) -> Result<Acted, CommandError> {
        let What::Rotate { confirm } = &self.what;
        let fleet = session.open(Extent::Files)?;
        let options = Options { new_keys: NewKeys::rotated()?, ..Options::default() };
        let prepared = deploy::prepare(&fleet, &options).await?;
        act(session, &fleet, OperationKind::Deploy, confirm, None, prepared).await
    }
}
