//! The releases that are current on the hosts, by their own records.

use std::collections::BTreeMap;

use super::leaving::Remembered;
use crate::fleet::Fleet;
use crate::observed::{FullObserved, Stored};
use crate::plan::{Deployments, manager_first, recorded};
use crate::release::Release;
use crate::scripts;
use crate::transport::RemoteScript;

/// Reads the clusters of the releases that are current on the hosts, but for the one that is planned.
pub(crate) async fn read_deployed_clusters(
    fleet: &Fleet,
    found: &[Option<FullObserved>],
    release: &Release,
    notes: &mut Vec<String>,
) -> (Deployments, Vec<Remembered>) {
    // A release is the same on all hosts, so one of them is asked for its cluster.
    let mut tellers: BTreeMap<&str, usize> = BTreeMap::new();
    for index in manager_first(&fleet.cluster) {
        if let Some(current) = found.get(index).and_then(|o| o.as_ref()?.current.as_deref())
            && current != release.id
        {
            tellers.entry(current).or_insert(index);
        }
    }
    let mut deployed = Deployments::new();
    let mut then = Vec::new();
    for (id, index) in tellers {
        let handle = fleet.handle(index);
        let call =
            RemoteScript::new(scripts::CLUSTER, fleet.settings.question).arg(&handle.folders.home).arg("current");
        let text = match handle.connection.run(call).await {
            Ok(reply) => reply.lines.concat(),
            Err(failure) => {
                notes.push(format!("{}: cannot read its release: {}", handle.name, failure.text()));
                continue;
            }
        };
        match Stored::parse(&text).and_then(|stored| recorded(stored, &fleet.cluster)) {
            Ok(recorded) => {
                let teller = format!("as the release {id} on {} has it", handle.name);
                then.extend(
                    recorded.removed_hosts.into_iter().map(|left| Remembered { host: left, teller: teller.clone() }),
                );
                deployed.insert(id.to_owned(), recorded.cluster);
            }
            Err(why) => notes.push(format!(
                "{}: the record of the release that it has can't be used: {}/current/cluster.json: {why}; hosts that \
                 left are not known from it",
                handle.name, handle.folders.home
            )),
        }
    }
    (deployed, then)
}
