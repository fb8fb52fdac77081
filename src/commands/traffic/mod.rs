//! `traffic`: whether what the nodes capture is any good, as they measure it themselves.

mod advice;
mod judge;
mod measure;
mod question;
mod report;
mod show;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use measure::{Measured, Overlap};
use question::{Counters, TrafficQuestion};
use report::{Outcome, TrafficReport, report};

use super::args::Selectors;
use super::asked::rows;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::cluster::Node;
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Event, Fleet, Selection, ask};
use crate::ui::Progress;
use crate::values::{Interval, Toggle};

/// How long nodes may be measured.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How much longer nodes look at connections than it takes to ask them twice.
const SPARE: Duration = Duration::from_secs(60);

/// Check the traffic that nodes capture: drops, gaps, missing directions, duplicates
#[derive(Debug, clap::Args)]
pub(crate) struct Traffic {
    #[command(flatten)]
    which: Selectors,
    /// How long to measure: 1s to 15min
    #[arg(long = "for", value_name = "DURATION", default_value = "60s")]
    window: Interval,
}

impl Command for Traffic {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = TrafficReport;

    async fn run(&self, session: &mut Session) -> Result<TrafficReport, CommandError> {
        let window = self.window.0;
        if !(SHORTEST..=LONGEST).contains(&window) {
            let window = humantime::format_duration(window);
            return Err(Error::new(Kind::Usage, format!("traffic can't be measured for {window}"))
                .hint("`--for` takes 1s to 15min")
                .into());
        }
        let fleet = session.open(Extent::Description)?;
        if fleet.cluster.checks.traffic == Toggle::Off {
            return Err(Error::failed("nodes do not measure their traffic: `checks.traffic` is `off`")
                .hint("write `checks: { traffic: on }`, and then run `clusterctl deploy`")
                .into());
        }
        let selection = Selection::parse(&fleet.cluster, &self.which.selectors)?;
        if !selection.nodes(&fleet.cluster).any(|node| node.interface.is_some()) {
            return Err(Error::new(Kind::Usage, "none of these nodes captures packets")
                .hint("`clusterctl traffic workers` asks all workers")
                .into());
        }
        Ok(traffic(&fleet, &selection, window).await)
    }
}

/// Asks nodes for their counters, lets them measure for a while, and asks them again.
async fn traffic(fleet: &Fleet, selection: &Selection, window: Duration) -> TrafficReport {
    let cluster = &*fleet.cluster;
    let question = TrafficQuestion::begin((window + SPARE).as_secs());
    let (mut facts, mut asked) = ask(fleet, selection, &question).await;
    let before: BTreeMap<String, Counters> =
        asked.nodes.iter().filter_map(|(name, said)| Some((name.clone(), said.as_ref().ok()?.clone()))).collect();
    if !before.is_empty() {
        fleet.emit(Event::Phase { name: "measuring the traffic", total: 0 });
        tokio::time::sleep(window).await;
        (facts, asked) = ask(fleet, selection, &question.end()).await;
    }
    let good = asked.nodes.iter().filter_map(|(name, said)| Some((name.as_str(), said.as_ref().ok()?))).collect();
    let mut overlaps = measure::overlaps(&good);
    let nodes = selection.nodes(cluster).filter(|node| cluster.host_of(node).enabled);
    let (rows, failure) = rows(fleet, nodes, &facts, asked);
    let outcomes: Vec<(&Node, Outcome)> = rows
        .into_iter()
        .map(|row| {
            let name = &row.node.name;
            let outcome = row.said.and_then(|last| measured(before.get(name), &last, overlaps.remove(name)));
            (row.node, outcome)
        })
        .collect();
    report(cluster, &outcomes, failure)
}

/// What a node measured between two answers, or why that is nothing.
fn measured(first: Option<&Counters>, last: &Counters, overlap: Option<Overlap>) -> Outcome {
    let first = first.ok_or("answered only the second time")?;
    if first.pid != last.pid {
        return Err("restarted while it was measured".to_owned());
    }
    let measured = Measured::between(first, last).ok_or("its clock stood still while it was measured")?;
    Ok(Measured { overlap, ..measured })
}
