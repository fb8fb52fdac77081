//! `status`: what hosts and nodes say: process facts from the hosts and answers over the control topics.

mod facts;
mod hosts;
mod report;
mod show;
mod types;
mod unmanaged;

use std::sync::Mutex;

use tokio::sync::watch;
use tokio::time::Instant;

use super::args::Selectors;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::cluster::{Cluster, Node};
use crate::control;
use crate::error::CommandError;
use crate::fleet::{
    Detail, Facts, Fleet, Selection, enough, forbidden, gather, might_run, only_ours, request, running, runs,
};
use crate::ui::Progress;
use crate::zeek::{self, Live};
use types::Asked;

pub(crate) use facts::{answers, process_row};
pub(crate) use types::{State, StatusReport};

/// What hosts and nodes are doing
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    which: Selectors,
}

impl Command for Status {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = StatusReport;

    async fn run(&self, session: &mut Session) -> Result<StatusReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::with_hosts(&fleet.cluster, &self.which.selectors)?;
        Ok(status(&fleet, &selection).await)
    }
}

/// Asks hosts and nodes.
async fn status(fleet: &Fleet, selection: &Selection) -> StatusReport {
    let cluster = &*fleet.cluster;
    let (facts, asked) =
        gather(fleet, selection, async |facts: &Mutex<Facts>, news| ask(fleet, selection, facts, news).await).await;
    let asked = because_of_facts(cluster, &facts, ours(cluster, &facts, asked));
    let others = others(fleet, selection, &facts).await;
    report::report(cluster, selection, &facts, &others, &asked)
}

/// Asks the hosts that were not asked where nodes of the selection do not run in their places: they may run there.
async fn others(fleet: &Fleet, selection: &Selection, facts: &Facts) -> Facts {
    let cluster = &*fleet.cluster;
    let missing = |node: &Node| matches!(facts.get(&node.host), Some(Ok(observed)) if !runs(observed, &node.name));
    if !selection.nodes(cluster).any(missing) {
        return Facts::new();
    }
    let rest = fleet.enabled().into_iter().filter(|index| !facts.contains_key(index));
    let answers = fleet.observe(fleet.handles(rest), Detail::Brief).await;
    answers.into_iter().filter_map(|(handle, answer)| Some((handle.index?, answer))).collect()
}

/// Asks the nodes while the hosts' facts come in: connection and hello need none of them, the question does.
async fn ask(fleet: &Fleet, selection: &Selection, facts: &Mutex<Facts>, news: watch::Receiver<bool>) -> Asked {
    let cluster = &*fleet.cluster;
    let Some(manager) = cluster.manager() else { return Asked::Never("there is no manager".to_owned()) };
    if !cluster.host_of(manager).enabled {
        return Asked::Never("the manager's host is disabled".to_owned());
    }
    if let Some(version) = cluster.zeek.version
        && let Live::None(why) = zeek::live(cluster, version)
    {
        return Asked::Never(why);
    }
    let question = fleet.settings.question;
    let stream = match fleet.handle(manager.host).connection.dial(cluster.ports.control, question).await {
        Ok(stream) => stream,
        Err(failure) => return Asked::Failed(failure.text(), None),
    };
    let whom = async {
        enough(cluster, manager.host, facts, news).await;
        facts.lock().map(|facts| whom(cluster, selection, manager, &facts)).unwrap_or_default()
    };
    let request = request();
    let ready = Instant::now() + question;
    let patience = cluster.timeouts.control;
    match control::ask_status_of(stream, zeek::ANSWERS, whom, request, ready, patience).await {
        Ok(answers) => Asked::Done(answers),
        Err(error) => match forbidden(fleet, manager.host).await {
            Some((why, hint)) => Asked::Failed(why, hint),
            None => Asked::Failed(error.to_string(), None),
        },
    }
}

/// Returns the nodes to ask, with their topics: those that run or might; none if nothing is known of the cluster.
fn whom(cluster: &Cluster, selection: &Selection, manager: &Node, facts: &Facts) -> Vec<(String, String)> {
    let Some((version, backend)) = running(cluster, facts) else { return Vec::new() };
    let topics = zeek::topics(cluster, version, backend);
    let mut nodes: Vec<&Node> = selection.nodes(cluster).filter(|n| might_run(cluster, facts, n)).collect();
    // It counts the workers, whoever else was selected.
    if !nodes.iter().any(|n| n.name == manager.name) {
        nodes.push(manager);
    }
    nodes.into_iter().map(|n| (n.name.clone(), topics.node(&n.name))).collect()
}

/// Leaves of the answers those that nodes of this cluster gave.
fn ours(cluster: &Cluster, facts: &Facts, asked: Asked) -> Asked {
    let Asked::Done(mut answers) = asked else { return asked };
    match only_ours(cluster, facts, &mut answers) {
        Ok(()) => Asked::Done(answers),
        Err(why) => Asked::Strangers(why),
    }
}

/// Puts the reason that the facts give, if they do, in the place of what the connection said.
fn because_of_facts(cluster: &Cluster, facts: &Facts, asked: Asked) -> Asked {
    let Asked::Failed(why, hint) = asked else { return asked };
    if let Some((version, _)) = running(cluster, facts)
        && let Live::None(why) = zeek::live(cluster, version)
    {
        return Asked::Never(why);
    }
    match cluster.manager().and_then(|m| Some((m, facts.get(&m.host)?.as_ref().ok()?))) {
        Some((manager, observed)) if !runs(observed, &manager.name) => {
            Asked::Failed("the manager is not running".to_owned(), None)
        }
        _ => Asked::Failed(why, hint),
    }
}
