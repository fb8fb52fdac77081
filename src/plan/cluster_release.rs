//! Which release a cluster runs, by what its hosts say.

use std::collections::BTreeMap;

use crate::cluster::Cluster;
use crate::observed::Observed;

/// What is current on hosts, by their indices.
pub fn current_releases(found: &[Option<impl AsRef<Observed>>]) -> impl Iterator<Item = (usize, &str)> {
    let found = found.iter().enumerate();
    found.filter_map(|(index, observed)| Some((index, observed.as_ref()?.as_ref().current.as_deref()?)))
}

/// The release that the cluster runs: the manager's host can't be left out by a deploy, so its release is it; where that
/// host is not known, the one that most have.
pub fn cluster_release<'a>(
    cluster: &Cluster,
    current_releases: impl Iterator<Item = (usize, &'a str)>,
) -> Option<String> {
    let manager = cluster.manager().map(|m| m.host);
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for (host, current) in current_releases {
        if Some(host) == manager {
            return Some(current.to_owned());
        }
        *hosts.entry(current).or_default() += 1;
    }
    hosts.into_iter().max_by_key(|(_, count)| *count).map(|(id, _)| id.to_owned())
}

/// The hosts by their indices, the manager's first: no operation works without that one, so that no other host can block
/// it by false records.
pub fn manager_first(cluster: &Cluster) -> impl Iterator<Item = usize> {
    let manager = cluster.manager().map(|m| m.host);
    manager.into_iter().chain((0..cluster.hosts.len()).filter(move |index| Some(*index) != manager))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster;

    #[test]
    fn the_managers_host_tells_what_the_cluster_runs() {
        let text = "cluster: c\nzeek: { scripts: [] }\n\
                    hosts: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 }, c: { address: 10.0.0.3 } }\n\
                    nodes:\n  manager: { type: manager, host: b }\n  proxy: { type: proxy, host: b, count: 1 }\n  \
                    worker: { type: worker, hosts: [a, c], interface: lo }\n";
        let cluster = cluster::check(&crate::spec::parse("c.yaml", text.to_owned(), "/".into())).unwrap();
        let runs = |hosts: &[(usize, &'static str)]| cluster_release(&cluster, hosts.iter().copied());
        // Two that were left out are not more than one that can't be.
        assert_eq!(runs(&[(0, "old"), (1, "new"), (2, "old")]).as_deref(), Some("new"));
        assert_eq!(runs(&[(0, "old"), (2, "old")]).as_deref(), Some("old"));
        assert_eq!(runs(&[]), None);
        assert_eq!(manager_first(&cluster).collect::<Vec<_>>(), [1, 0, 2]);
    }
}
