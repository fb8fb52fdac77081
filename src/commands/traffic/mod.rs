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

use question::{Counters, TrafficQuestion};
use report::{Outcome, TrafficReport, report};

use super::args::Selectors;
use super::asked::unasked;
use super::session::Extent;
use super::status::{State, answers, process_row};
use super::{Command, Hosts, Session};
use crate::cluster::Node;
use crate::control::NoAnswer;
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Event, Facts, Fleet, NodeAnswers, Selection, ask};
use crate::plan::{elsewhere, misplaced};
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
    let (facts, before) = ask(fleet, selection, &question).await;
    if before.nodes.values().all(Result::is_err) {
        return report(cluster, &outcomes(fleet, selection, &facts, &before, None), failure(fleet, &before));
    }
    fleet.emit(Event::Phase { name: "measuring the traffic", total: 0 });
    tokio::time::sleep(window).await;
    let (facts, after) = ask(fleet, selection, &question.end()).await;
    report(cluster, &outcomes(fleet, selection, &facts, &before, Some(&after)), failure(fleet, &after))
}

fn failure(fleet: &Fleet, asked: &NodeAnswers<Counters>) -> Option<String> {
    asked.unasked.as_ref().map(|why| unasked(fleet, why))
}

/// What each node of a selection measured, or why it did not.
fn outcomes<'a>(
    fleet: &'a Fleet,
    selection: &'a Selection,
    facts: &Facts,
    before: &NodeAnswers<Counters>,
    after: Option<&NodeAnswers<Counters>>,
) -> Vec<(&'a Node, Outcome)> {
    let cluster = &*fleet.cluster;
    let mut measured: BTreeMap<&str, Outcome> = BTreeMap::new();
    let latest = after.unwrap_or(before);
    let good = latest.nodes.iter().filter_map(|(name, said)| Some((name.as_str(), said.as_ref().ok()?))).collect();
    let mut overlaps = measure::overlaps(&good);
    for (name, said) in &latest.nodes {
        let outcome = match (before.nodes.get(name), said) {
            (Some(Ok(first)), Ok(last)) if first.pid != last.pid => Err("restarted while it was measured".to_owned()),
            (Some(Ok(first)), Ok(last)) => match measure::Measured::between(first, last) {
                Some(mut measured) => {
                    measured.overlap = overlaps.remove(name);
                    Ok(measured)
                }
                None => Err("its clock stood still while it was measured".to_owned()),
            },
            (_, Ok(_)) => Err("answered only the second time".to_owned()),
            (_, Err(NoAnswer::Silent)) => continue,
            (_, Err(why)) => Err(why.to_string()),
        };
        measured.insert(name, outcome);
    }
    let misplaced = misplaced(cluster, answers(facts));
    let elsewhere = elsewhere(cluster, &misplaced, |host| facts.get(&host)?.as_ref().ok());
    let silent = |node: &Node| {
        let known = process_row(cluster, node, facts.get(&node.host), &elsewhere);
        match known.state {
            State::Running if latest.unasked.is_some() => "not asked".to_owned(),
            State::Running => {
                format!("no reply within {}", humantime::format_duration(cluster.timeouts.control))
            }
            state => {
                let detail = known.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
                format!("{}{detail}", state.name())
            }
        }
    };
    selection
        .nodes(cluster)
        .filter(|node| cluster.host_of(node).enabled)
        .map(|node| (node, measured.remove(node.name.as_str()).unwrap_or_else(|| Err(silent(node)))))
        .collect()
}
