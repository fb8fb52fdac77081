//! `status`: what hosts and nodes say: process facts from the hosts and answers over the control topics.

mod facts;
mod hosts;
mod prometheus;
mod report;
mod show;
mod types;
mod unmanaged;

use super::args::Selectors;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::cluster::Node;
use crate::control::StatusQuestion;
use crate::error::CommandError;
use crate::fleet::{Facts, Fleet, Selection, ask, runs};
use crate::ui::Progress;

pub(crate) use facts::{answers, process_row};
pub(crate) use types::{State, StatusReport};

/// Show what hosts and nodes are doing
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    which: Selectors,
}

impl Command for Status {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    const PROMETHEUS: bool = true;
    type Report = StatusReport;

    async fn run(&self, session: &mut Session) -> Result<StatusReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::with_hosts(&fleet.cluster, &self.which.selectors)?;
        Ok(status(&fleet, &selection).await)
    }
}

/// Asks hosts and nodes.
async fn status(fleet: &Fleet, selection: &Selection) -> StatusReport {
    let (facts, asked) = ask(fleet, selection, &StatusQuestion::unique()).await;
    let others = others(fleet, selection, &facts).await;
    report::report(&fleet.cluster, selection, &facts, &others, &asked)
}

/// Asks the hosts that were not asked where nodes of the selection do not run in their places: they may run there.
async fn others(fleet: &Fleet, selection: &Selection, facts: &Facts) -> Facts {
    let cluster = &*fleet.cluster;
    let missing = |node: &Node| matches!(facts.get(&node.host), Some(Ok(observed)) if !runs(observed, &node.name));
    if !selection.nodes(cluster).any(missing) {
        return Facts::new();
    }
    let rest = fleet.enabled().into_iter().filter(|index| !facts.contains_key(index));
    let answers = fleet.observe(fleet.handles(rest)).await;
    answers.into_iter().filter_map(|(handle, answer)| Some((handle.index?, answer))).collect()
}
