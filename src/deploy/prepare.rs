//! Planning a deploy: observe all hosts, decide Zeek's version, build the release, plan.

use std::collections::{BTreeMap, BTreeSet};

use super::leaving::{Leaving, ask_leaving, gone};
use super::options::{Excluded, Options};
use super::prepared::{Goal, Prepared};
use super::records::deployments;
use super::survey::{look, notes, pinnable, runnable, zeek_of};
use super::{beside, keys, site};
use crate::cluster::Cluster;
use crate::error::CommandError;
use crate::fleet::Fleet;
use crate::observed::Observed;
use crate::plan::{Apart, Plan, currents, prevailing};
use crate::release::{Release, ReleaseInput};
use crate::zeek;

/// Observes all hosts and plans.
///
/// # Errors
/// Where a host can't be asked, Zeek is missing or of another version, or the description can't be had with the
/// version that was found.
pub async fn prepare(fleet: &Fleet, options: &Options) -> Result<Prepared, CommandError> {
    let site = site::read(&fleet.cluster).await.map_err(beside::of_site)?;
    let values = site::secrets(&fleet.cluster)?;
    let given = site::tls(&fleet.cluster)?;
    let (found, excluded) = look(fleet, options).await?;
    runnable(&fleet.cluster, &found)?;
    pinnable(&fleet.cluster, &found).map_err(|error| error.hint("set `pin_cpus` of the nodes there"))?;
    let (version, zeeks) = zeek_of(&fleet.cluster, &found)?;
    let problems = zeek::check(&fleet.cluster, version);
    if !problems.is_empty() {
        return Err(CommandError::Problems(problems));
    }
    let mut notes = notes(&fleet.cluster, &found, &excluded);
    let keys = keys::decide(fleet, &found, version, given, &options.new_keys)?;
    let salt = if values.is_empty() { None } else { Some(keys::salt(fleet, &found, &options.new_keys)?) };
    let mut release = Release::build(&ReleaseInput {
        cluster: &fleet.cluster,
        version,
        zeeks: &zeeks,
        site: &site,
        kept: &keys.names,
        secrets: &values,
        salt: salt.as_deref(),
    });
    adopt(&mut release, &fleet.cluster, &found);
    let (deployed, then) = deployments(fleet, &found, &release, &mut notes).await;
    let mut plan = Plan::make(&fleet.cluster, &found, &release, &deployed);
    plan.new_keys = options.new_keys.any();
    let gone = gone(&fleet.cluster, &found, &then);
    let leaving = ask_leaving(fleet, &found, gone, "left the description", &mut notes).await;
    leaving.plan(&mut plan);
    let Leaving { there: leaving, removed_hosts, unreachable_hosts, .. } = leaving;
    let away: BTreeSet<&str> = unreachable_hosts.iter().map(|(left, _)| left.name.as_str()).collect();
    let unseen = plan.look_for_unseen(&fleet.cluster, &found, &deployed, &away);
    if options.no_restart {
        plan.without_restarts();
    } else if options.max_unavailable.is_some() {
        plan.roll(&fleet.cluster, &found, &release);
    }
    plan.apart = apart(&fleet.cluster, &excluded);
    let options = options.clone();
    let goal = Goal::Description;
    let base = None;
    Ok(Prepared {
        plan,
        version,
        notes,
        release,
        base,
        found,
        keys,
        leaving,
        removed_hosts,
        unreachable_hosts,
        unseen,
        excluded,
        options,
        goal,
    })
}

/// The hosts that take no part, and why.
pub(crate) fn apart(cluster: &Cluster, excluded: &BTreeMap<usize, Excluded>) -> Vec<Apart> {
    let hosts = cluster.hosts.iter().enumerate();
    hosts
        .filter_map(|(index, host)| {
            let why = match excluded.get(&index) {
                _ if !host.enabled => "is disabled".to_owned(),
                Some(Excluded::Skipped) => "was skipped".to_owned(),
                Some(Excluded::Failed(why)) => format!("could not be asked ({why})"),
                None => return None,
            };
            Some(Apart { host: host.name.clone(), why, disabled: !host.enabled })
        })
        .collect()
}

/// Where the hosts that are up to date have these very files already, the release keeps the name that it has there:
/// parts of further hosts, which were away, belong to it.
fn adopt(release: &mut Release, cluster: &Cluster, found: &[Option<Observed>]) {
    let Some(id) = prevailing(cluster, currents(found)) else { return };
    let same = release.parts.iter().all(|part| match &found[part.host] {
        Some(observed) if observed.current.as_ref() == Some(&id) => part.changes(&observed.manifest).is_empty(),
        _ => true,
    });
    if same {
        release.id = id;
    }
}
