//! What nodes said that were asked, or why they did not: a row for each, whatever happened.

use super::report::partial;
use super::status::{State, answers, process_row};
use crate::cluster::Node;
use crate::control::NoAnswer;
use crate::error::Kind;
use crate::fleet::{Facts, Fleet, NodeAnswers, Unasked};
use crate::plan::{elsewhere, misplaced};
use crate::ui::{Ui, complain, in_line};

/// What came of asking one node.
pub(super) struct AskedRow<'a, T> {
    pub(super) node: &'a Node,
    /// What its process does, as its host says.
    pub(super) state: State,
    /// What it said, or why it said nothing.
    pub(super) said: Result<T, String>,
}

/// Makes a row for each node, and tells why no node, or not all, could be asked; none where that is the node's own matter.
pub(super) fn rows<'a, T>(
    fleet: &'a Fleet,
    nodes: impl Iterator<Item = &'a Node>,
    facts: &Facts,
    mut asked: NodeAnswers<T>,
) -> (Vec<AskedRow<'a, T>>, Option<String>) {
    let cluster = &*fleet.cluster;
    let failure = asked.unasked.as_ref().map(|why| unasked(fleet, why));
    let misplaced = misplaced(cluster, answers(facts));
    let elsewhere = elsewhere(cluster, &misplaced, |host| facts.get(&host)?.as_ref().ok());
    let patience = humantime::format_duration(cluster.timeouts.control);
    let rows = nodes.map(|node| {
        let known = process_row(cluster, node, facts.get(&node.host), &elsewhere);
        let said = match (asked.nodes.remove(&node.name), known.state) {
            (Some(Ok(answer)), _) => Ok(answer),
            (Some(Err(why)), _) if why != NoAnswer::Silent => Err(why.to_string()),
            (_, State::Running | State::Starting) if failure.is_some() => Err("not asked".to_owned()),
            (_, State::Running) if let Some(other) = elsewhere.get(node.name.as_str()) => Err(other.runs(cluster)),
            (_, State::Running) => Err(format!("no reply within {patience}")),
            (_, state) => {
                let detail = known.detail.as_ref().map(|d| format!(" ({d})")).unwrap_or_default();
                Err(format!("{}{detail}", state.name()))
            }
        };
        AskedRow { node, state: known.state, said }
    });
    (rows.collect(), failure)
}

/// Returns the kind of end of a question to nodes, each with its state and whether it said nothing. Nobody expects a word
/// of one whose host is disabled.
pub(super) fn end(nodes: impl Iterator<Item = (State, bool)>) -> Option<Kind> {
    let (mut asked, mut silent) = (0, 0);
    for (_, says_nothing) in nodes.filter(|(state, _)| *state != State::Disabled) {
        asked += 1;
        silent += usize::from(says_nothing);
    }
    partial(asked, silent)
}

/// Says on the side why the nodes could not be asked.
pub(super) fn not_asked(ui: &Ui, why: &str) {
    complain(&ui.err.wrap(&in_line(&format!("the nodes could not be asked: {why}")), "  "));
}

/// Says why the nodes could not be asked, with what to do where that is known.
pub(super) fn unasked(fleet: &Fleet, why: &Unasked) -> String {
    let host = fleet.cluster.manager().map_or("", |manager| &fleet.cluster.host_of(manager).name);
    match (why, why.hint()) {
        (Unasked::Disabled, _) => format!("the manager's host {host} is disabled"),
        (Unasked::Unreachable(failure), _) => {
            format!("the manager's host {host} cannot be reached: {}", failure.text())
        }
        (_, Some(hint)) => format!("{why}; {hint}"),
        (_, None) => why.to_string(),
    }
}
