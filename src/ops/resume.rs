//! Bringing hosts that were away to the release that the others run, before anything else is done to them.

use std::collections::BTreeSet;

use super::Failure;
use super::deploy::{Agree, DeployReport, apply};
use super::fleet::Fleet;
use super::prepare::{Aim, Options, Prepared, currents, prepare, prevailing};
use crate::error::Error;
use crate::observed::Wanted;
use crate::plan::Action;

/// Plans what brings hosts up to date; none named: all that are behind. Hosts that can't be reached are left out.
///
/// # Errors
/// Where a named host can't be reached, or the description is not what the other hosts run.
pub async fn prepare_resume(fleet: &Fleet, hosts: Option<&BTreeSet<usize>>) -> Result<Prepared, Failure> {
    let options = Options { without_those_away: true, ..Options::default() };
    let mut prepared = prepare(fleet, &options).await?;
    let away = |index: &usize| prepared.absent.get(index);
    if let Some((index, why)) = hosts.into_iter().flatten().find_map(|i| Some((i, away(i)?))) {
        return Err(Error::failed(format!("{} can't be reached", fleet.cluster.hosts[*index].name))
            .because(why.text())
            .into());
    }
    let release = prepared.release.id.clone();
    let behind: BTreeSet<String> =
        prepared.plan.hosts.iter().filter(|h| h.switches(&release)).map(|h| h.host.clone()).collect();
    // Those that are meant are brought up to date; what others need is a deploy's business.
    let meant = |name: &str| {
        hosts.is_none_or(|h| fleet.cluster.hosts.iter().position(|x| x.name == name).is_some_and(|i| h.contains(&i)))
    };
    if let Some(runs) = prevailing(&fleet.cluster, currents(&prepared.found))
        && runs != release
    {
        return Err(Error::failed("nothing has changed: the description is not what the hosts run")
            .because(format!("most have the release {runs}, and the description makes {release}"))
            .hint("`clusterctl deploy` brings all hosts to the description; `clusterctl rollback` all to one release")
            .into());
    }
    let stopped: BTreeSet<(String, String)> = prepared
        .found
        .iter()
        .zip(&fleet.cluster.hosts)
        .filter_map(|(o, h)| Some((o.as_ref()?, h)))
        .flat_map(|(o, h)| {
            let nodes = o.nodes.iter().filter(|(_, n)| n.wanted == Some(Wanted::Stopped) && n.process.is_none());
            nodes.map(|(name, _)| (h.name.clone(), name.clone()))
        })
        .collect();
    for node in &mut prepared.plan.nodes {
        let named = hosts.is_some() && meant(&node.host);
        let touched = behind.contains(&node.host) && meant(&node.host) || named;
        if !touched || stopped.contains(&(node.host.clone(), node.node.clone())) {
            node.action = Action::Keep;
            node.reasons.clear();
        }
    }
    let only = |name: &str| meant(name) && (behind.contains(name) || hosts.is_some());
    prepared.release.parts.retain(|p| only(&fleet.cluster.hosts[p.host].name));
    prepared.plan.hosts.retain(|h| !h.leaving && only(&h.host));
    prepared.leaving.clear();
    prepared.aim = Aim::UpToDate(hosts.cloned());
    Ok(prepared)
}

/// Brings hosts up to date.
///
/// # Errors
/// As [`prepare_resume`] and [`apply`].
pub async fn resume(
    fleet: &Fleet,
    hosts: Option<&BTreeSet<usize>>,
    agree: Agree<'_>,
) -> Result<Option<DeployReport>, Failure> {
    let prepared = prepare_resume(fleet, hosts).await?;
    if prepared.plan.is_empty() && !prepared.is_unfinished() {
        return Ok(None);
    }
    Ok(Some(apply(fleet, prepared, "resume", agree).await?))
}
