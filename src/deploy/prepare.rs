//! Planning a deploy: observe all hosts, decide Zeek's version, build the release, plan.

use std::collections::BTreeMap;

use super::deployed_clusters::read_deployed_clusters;
use super::leaving::{ask_leaving, gone};
use super::options::Options;
use super::prepared::{Draft, Goal, Prepared};
use super::survey::{check_cpus, check_runner, decide_zeek_version, look, notes};
use super::{keys, local_inputs, site};
use crate::cluster::Cluster;
use crate::error::CommandError;
use crate::fleet::Fleet;
use crate::observed::FullObserved;
use crate::plan::{cluster_release, current_releases};
use crate::release::{CURVE, Release, ReleaseInput, secret_kind};
use crate::zeek;

/// Observes all hosts and plans.
///
/// # Errors
/// Where a host can't be asked, Zeek is missing or of another version, or the description can't be had with the
/// version that was found.
pub async fn prepare(fleet: &Fleet, options: &Options) -> Result<Prepared, CommandError> {
    let site = site::read(&fleet.cluster).await.map_err(local_inputs::located_site_error)?;
    let values = site::secrets(&fleet.cluster)?;
    let given = site::tls(&fleet.cluster)?;
    let (found, excluded) = look(fleet, options).await?;
    check_runner(&fleet.cluster, &found)?;
    check_cpus(&fleet.cluster, &found).map_err(|error| error.hint("change `pin_cpus` of the nodes there"))?;
    let (version, zeeks) = decide_zeek_version(&fleet.cluster, &found)?;
    let problems = zeek::check(&fleet.cluster, version);
    if !problems.is_empty() {
        return Err(CommandError::Problems(problems));
    }
    let mut notes = notes(&fleet.cluster, &found, &excluded);
    let keys = keys::decide(fleet, &found, version, given, &options.new_keys)?;
    let salt = if values.is_empty() { None } else { Some(keys::salt(fleet, &found, &options.new_keys)?) };
    let input = ReleaseInput {
        cluster: &fleet.cluster,
        version,
        zeeks: &zeeks,
        site: &site,
        kept: &keys.names,
        secrets: &values,
        salt: salt.as_deref(),
    };
    let mut release = Release::build(&input);
    let unkeyed = options.compared.then(|| release_without_keys(&input));
    adopt(&mut release, &fleet.cluster, &found);
    let (deployed, then) = read_deployed_clusters(fleet, &found, &release, &mut notes).await;
    let gone = gone(&fleet.cluster, &found, &then);
    let leaving = ask_leaving(fleet, &found, gone, "left the description", &mut notes).await;
    let (options, goal) = (options.clone(), Goal::Description);
    let draft = Draft { version, notes, release, base: None, found, keys, excluded, options, goal };
    Ok(Prepared { unkeyed, ..draft.plan(&fleet.cluster, &deployed, leaving) })
}

/// Makes the release that it would be if nothing in it hung on keys that a command makes, or on values of secrets.
fn release_without_keys(input: &ReleaseInput<'_>) -> Release {
    let unnamed = |name: &String| if secret_kind(name) == CURVE { CURVE.to_owned() } else { name.clone() };
    let kept: Vec<Vec<String>> = input.kept.iter().map(|names| names.iter().map(unnamed).collect()).collect();
    Release::build(&ReleaseInput { kept: &kept, secrets: &BTreeMap::new(), salt: input.salt.map(|_| "-"), ..*input })
}

/// Takes over the id of the release that runs, if all hosts that are up to date have the same files: the parts of further
/// hosts, which were away, belong to it.
fn adopt(release: &mut Release, cluster: &Cluster, found: &[Option<FullObserved>]) {
    let Some(id) = cluster_release(cluster, current_releases(found)) else { return };
    let same = release.parts.iter().all(|part| match &found[part.host] {
        Some(observed) if observed.current.as_ref() == Some(&id) => part.changes(&observed.manifest).is_empty(),
        _ => true,
    });
    if same {
        release.id = id;
    }
}
