//! Bringing hosts that were away to the release that the others run, before anything else is done to them.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::NewKeys;
use super::options::Options;
use super::prepare::prepare;
use super::prepared::{Goal, Prepared};
use crate::error::{CommandError, Error};
use crate::fleet::Fleet;
use crate::observed::{Desired, FullObserved};
use crate::plan::{Action, Apart, cluster_release, current_releases};

/// Why hosts are not brought up to date.
pub struct NotResumed {
    /// What a user who asked for it is told.
    pub error: CommandError,
    /// Whether a host is behind, as far as that is known.
    pub is_needed: bool,
}

impl From<CommandError> for NotResumed {
    fn from(error: CommandError) -> Self {
        Self { error, is_needed: true }
    }
}

impl From<NotResumed> for CommandError {
    fn from(why: NotResumed) -> Self {
        why.error
    }
}

/// Plans what brings hosts up to date; none named: all that are behind, or were lost in the middle. Hosts that can't be
/// reached are left out.
///
/// # Errors
/// Where a named host can't be reached, or the description is not what the other hosts run.
pub async fn prepare_resume(
    fleet: &Fleet,
    hosts: Option<&BTreeSet<usize>>,
    new_keys: &NewKeys,
) -> Result<Prepared, NotResumed> {
    let options = Options { without_those_away: true, new_keys: new_keys.clone(), ..Options::default() };
    let mut prepared = prepare(fleet, &options).await?;
    let away = |index: &usize| prepared.excluded.get(index);
    if let Some((index, why)) = hosts.into_iter().flatten().find_map(|i| Some((i, away(i)?))) {
        let error = Error::failed(format!("cannot reach {}", fleet.cluster.hosts[*index].name));
        return Err(CommandError::from(error.because(why.text())).into());
    }
    let release = prepared.release.id.clone();
    if let Some(runs) = cluster_release(&fleet.cluster, current_releases(&prepared.found))
        && runs != release
    {
        let mut hint = format!(
            "`clusterctl deploy` brings all hosts to this description; `clusterctl resume` needs the description and \
             the site folder that made {runs}"
        );
        // A host that has it already needs no description.
        let mut behind = prepared.found.iter().flatten().filter(|o| o.current.as_ref() != Some(&runs)).peekable();
        let is_needed = behind.peek().is_some();
        if is_needed && behind.all(|o| o.releases.iter().any(|kept| kept.id == runs)) {
            hint.push_str(&format!("; `clusterctl rollback {runs}` works without them"));
        }
        let error = Error::failed("the description does not match the release that the cluster runs; nothing changed")
            .because(format!("the cluster runs {runs}, the description makes {release}"))
            .hint(hint);
        return Err(NotResumed { error: error.into(), is_needed });
    }
    // What is named, or else what is behind; a host that was lost in the middle may have activated the release, and its nodes not run it.
    // What others need is a deploy's business.
    let behind = |o: &FullObserved| o.current.as_ref() != Some(&release) || o.unfinished().is_some();
    let touched: BTreeMap<&str, &FullObserved> = fleet
        .cluster
        .hosts
        .iter()
        .zip(&prepared.found)
        .enumerate()
        .filter_map(|(index, (host, observed))| Some((index, host.name.as_str(), observed.as_ref()?)))
        .filter(|(index, _, observed)| hosts.map_or_else(|| behind(observed), |named| named.contains(index)))
        .map(|(_, name, observed)| (name, observed))
        .collect();
    for node in &mut prepared.plan.nodes {
        // What an operator stopped stays so; what an operation stopped that did not finish does not.
        let stopped = |o: &FullObserved| {
            o.unfinished().is_none()
                && o.nodes.get(&node.node).is_some_and(|n| n.desired == Some(Desired::Stopped) && n.process.is_none())
        };
        if touched.get(node.host.as_str()).is_none_or(|o| stopped(o)) {
            node.action = Action::Keep;
            node.reasons.clear();
        }
    }
    // Loggers that others keep running go on.
    let restart = |name: &String| prepared.plan.actions().any(|n| n.node == *name);
    if prepared.plan.logs.as_ref().is_some_and(|gap| !gap.writers.iter().any(restart)) {
        prepared.plan.logs = None;
    }
    // Those that are behind as well, and were not named.
    let others = fleet.cluster.hosts.iter().zip(&prepared.found).filter_map(|(host, observed)| {
        let current = observed.as_ref()?.current.as_ref();
        if touched.contains_key(host.name.as_str()) || current == Some(&release) {
            return None;
        }
        let why = current.map_or_else(|| "has no release".to_owned(), |id| format!("has the release {id}"));
        Some(Apart { host: host.name.clone(), why, disabled: false })
    });
    prepared.plan.apart.extend(others);
    prepared.release.parts.retain(|p| touched.contains_key(fleet.cluster.hosts[p.host].name.as_str()));
    prepared.plan.hosts.retain(|h| !h.leaving && touched.contains_key(h.host.as_str()));
    prepared.leaving.clear();
    prepared.goal = Goal::UpToDate(hosts.cloned());
    Ok(prepared)
}
