//! Where the nodes of a cluster run, by what its hosts say: a node that runs, and not where the description has it, is
//! misplaced. Whoever says of a node that it does not run, starts it, or stops it looks here first.

use std::collections::{HashMap, HashSet};

use crate::cluster::{Cluster, Folders};
use crate::observed::{Observed, ProcessFolder};

/// A node of the cluster that runs where the description has no place for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misplaced {
    pub node: String,
    /// The host on which it runs, by its index.
    pub host: usize,
    /// Its pid there.
    pub pid: u32,
    /// The host on which the description has it; none where it has no such node.
    pub place: Option<usize>,
    /// From which folder it runs.
    pub folder: Folder,
}

/// From which folder a node runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folder {
    /// From that of the cluster on its host: it can be stopped as any other.
    Own,
    /// From that one, which has lost what it knew of it: these processes are to be ended by hand.
    Lost(Vec<u32>),
    /// From another one, as far as that is known: the description does not lead there.
    Other(Option<String>),
}

impl Misplaced {
    /// Says where it runs, as a sentence fragment of which the node is the subject.
    pub fn runs(&self, cluster: &Cluster) -> String {
        let host = &cluster.hosts[self.host].name;
        match &self.folder {
            Folder::Own => format!("runs on {host}"),
            Folder::Lost(_) => {
                format!("runs on {host}, but its folder has no record of it (pid {})", self.pid)
            }
            Folder::Other(Some(folder)) => format!("runs on {host} from another folder, {folder} (pid {})", self.pid),
            Folder::Other(None) => format!("runs on {host} from a folder that is not known (pid {})", self.pid),
        }
    }

    /// Says what ends that.
    pub fn remedy(&self, cluster: &Cluster) -> String {
        match &self.folder {
            Folder::Own => "clusterctl deploy".to_owned(),
            Folder::Lost(pids) => {
                let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
                format!("on {}: kill {}; then clusterctl deploy", cluster.hosts[self.host].name, pids.join(" "))
            }
            Folder::Other(Some(_)) => "stop it with the description that started it".to_owned(),
            Folder::Other(None) => {
                format!("if it is not supposed to run: kill {} on {}", self.pid, cluster.hosts[self.host].name)
            }
        }
    }
}

/// Returns the nodes that are misplaced. What other users of a host name theirs is none of them.
pub fn misplaced<'a>(cluster: &Cluster, found: impl IntoIterator<Item = (usize, &'a Observed)>) -> Vec<Misplaced> {
    let places: HashMap<&str, usize> = cluster.run_nodes().map(|n| (n.name.as_str(), n.host)).collect();
    let found: Vec<(usize, &Observed)> = found.into_iter().collect();
    let mut known: HashSet<(&str, &str, u32)> = HashSet::new();
    let mut all = Vec::new();
    for (host, observed) in &found {
        for (name, node) in &observed.nodes {
            let Some(process) = &node.process else { continue };
            known.insert((&observed.boot_id, name, process.pid));
            let place = places.get(name.as_str()).copied();
            if place != Some(*host) {
                all.push(Misplaced { node: name.clone(), host: *host, pid: process.pid, place, folder: Folder::Own });
            }
        }
    }
    for (host, observed) in &found {
        let spool = Folders::of(&cluster.name, &cluster.hosts[*host]).spool;
        for unmanaged in &observed.unmanaged {
            let Some((node, folder)) = observed.node_and_folder(unmanaged, &cluster.name, &spool) else { continue };
            // What another name for the same machine has as a node of its own is none.
            if known.contains(&(observed.boot_id.as_str(), node, unmanaged.pid)) {
                continue;
            }
            let place = places.get(node).copied();
            let folder = match folder {
                // A damaged file of its folder is no lost folder: it can be stopped there.
                ProcessFolder::Own { known: true } | ProcessFolder::Hidden { known: true } if place == Some(*host) => {
                    continue;
                }
                ProcessFolder::Own { .. } => Folder::Lost(unmanaged.to_end().collect()),
                ProcessFolder::Other(folder) => Folder::Other(Some(folder.to_owned())),
                ProcessFolder::Hidden { .. } => Folder::Other(None),
            };
            let node = node.to_owned();
            all.push(Misplaced { node, host: *host, pid: unmanaged.pid, place, folder });
        }
    }
    all
}

/// Returns which of these nodes do not run in their place, and where they run: by name.
pub fn elsewhere<'a>(
    cluster: &Cluster,
    misplaced: &'a [Misplaced],
    found: impl Fn(usize) -> Option<&'a Observed>,
) -> HashMap<&'a str, &'a Misplaced> {
    let at_home = |one: &Misplaced| {
        let node = one.place.and_then(&found).and_then(|o| o.nodes.get(&one.node));
        node.is_some_and(|n| n.process.is_some())
    };
    let named = |one: &&Misplaced| one.place.is_some_and(|place| cluster.hosts[place].enabled);
    misplaced.iter().filter(named).filter(|one| !at_home(one)).map(|one| (one.node.as_str(), one)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::campus;

    const NODES: &str = "  w1: { type: worker, host: sensor2, interface: eth1 }\n";

    fn host(lines: &[&str]) -> Observed {
        Observed::of(lines)
    }

    fn told(cluster: &Cluster, found: &[(usize, &Observed)]) -> Vec<String> {
        let line = |one: &Misplaced| format!("{} {} -> {}", one.node, one.runs(cluster), one.remedy(cluster));
        misplaced(cluster, found.iter().copied()).iter().map(line).collect()
    }

    const PROCESS: &str = "process 77 S 1 77 77 0 -1 4194304 0 0 0 0 150 50 0 0 20 0 1 0 90050 1000 1";

    #[test]
    fn what_runs_where_it_has_no_place_is_astray() {
        let cluster = campus("", "", NODES);
        let sensor1 = host(&["node w1", PROCESS, "node w9", PROCESS, "node w3", "nodes end"]);
        let sensor2 = host(&["node w1", "want stopped", "nodes end"]);
        let found = [(1, &sensor1), (2, &sensor2)];
        assert_eq!(
            told(&cluster, &found),
            ["w1 runs on sensor1 -> clusterctl deploy", "w9 runs on sensor1 -> clusterctl deploy"]
        );
        let all = misplaced(&cluster, found);
        assert_eq!(all.iter().map(|a| a.place).collect::<Vec<_>>(), [Some(2), None]);
        let at = |index: usize| found.iter().find(|(host, _)| *host == index).map(|(_, o)| *o);
        assert_eq!(elsewhere(&cluster, &all, at).into_keys().collect::<Vec<_>>(), ["w1"]);
        // One that runs in its place as well is not elsewhere, and its second one is misplaced all the same.
        let sensor2 = host(&["node w1", PROCESS, "nodes end"]);
        let found = [(1, &sensor1), (2, &sensor2)];
        let at = |index: usize| found.iter().find(|(host, _)| *host == index).map(|(_, o)| *o);
        let all = misplaced(&cluster, found);
        assert!(all.len() == 2 && elsewhere(&cluster, &all, at).is_empty(), "{all:?}");
    }

    #[test]
    fn what_runs_from_another_folder_is_astray_and_what_others_name_so_is_not() {
        let cluster = campus("", "", NODES);
        let unmanaged = |uid: &str, folder: &str| {
            host(&["uid 1000", &format!("unmanaged 77 {uid} 1"), &format!("folder 77 {folder}")])
        };
        let there = unmanaged("1000", "/old/c/nodes/w1");
        assert_eq!(
            told(&cluster, &[(2, &there)]),
            ["w1 runs on sensor2 from another folder, /old/c (pid 77) -> stop it with the description that started it"]
        );
        assert!(told(&cluster, &[(2, &unmanaged("1001", "/old/c/nodes/w1"))]).is_empty());
        assert!(told(&cluster, &[(2, &unmanaged("1000", "/old/other/nodes/w1"))]).is_empty());
        // The same process by another name of its machine.
        let known = host(&["node w1", PROCESS, "nodes end"]);
        assert_eq!(told(&cluster, &[(1, &known), (2, &there)]), ["w1 runs on sensor1 -> clusterctl deploy"]);
    }
}
