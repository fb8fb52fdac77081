//! What Zeek finds wrong in scripts, each finding once for all nodes that it concerns; which nodes read alike.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::cluster::Cluster;
use crate::values::fold_names;

/// Something that is wrong, or not good, in the scripts of some nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The nodes, in the order of the cluster.
    pub nodes: Vec<String>,
    /// The file: one of the site folder as the user would name it, or one of Zeek's.
    pub file: Option<String>,
    pub line: Option<u32>,
    /// The key of the description that it comes from, where a generated script is concerned.
    pub key: Option<String>,
    /// What is wrong, in Zeek's words.
    pub message: String,
}

impl Finding {
    /// Returns it as one line: `manager, logger-1..2: site/local.zeek:12: syntax error`.
    pub fn text(&self) -> String {
        let nodes = fold_names(&self.nodes);
        let place = match (&self.key, &self.file, self.line) {
            (Some(key), ..) => format!("{key}: "),
            (None, Some(file), Some(line)) => format!("{file}:{line}: "),
            (None, Some(file), None) => format!("{file}: "),
            (None, None, _) => String::new(),
        };
        format!("{nodes}: {place}{}", self.message)
    }
}

/// Findings, each told once for all the nodes that it concerns.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    list: Vec<(CheckFinding, Vec<usize>)>,
    known: HashMap<CheckFinding, usize>,
}

/// What is said, without the nodes that it is said of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct CheckFinding {
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) key: Option<String>,
    pub(crate) message: String,
}

impl Findings {
    /// Adds what is said of some nodes, given by their indices in the cluster.
    pub(crate) fn add(&mut self, remark: CheckFinding, nodes: &[usize]) {
        if let Some((_, known)) = self.known.get(&remark).and_then(|at| self.list.get_mut(*at)) {
            known.extend(nodes);
        } else {
            self.known.insert(remark.clone(), self.list.len());
            self.list.push((remark, nodes.to_vec()));
        }
    }

    /// Returns them with the nodes' names, in the order of the nodes.
    pub(crate) fn into_list(mut self, cluster: &Cluster) -> Vec<Finding> {
        for (_, nodes) in &mut self.list {
            nodes.sort_unstable();
            nodes.dedup();
        }
        // Stable: what Zeek says of one node stays in its order.
        self.list.sort_by_key(|(_, nodes)| nodes.first().copied());
        let name = |index: &usize| cluster.nodes.get(*index).map(|n| n.name.clone());
        self.list
            .into_iter()
            .map(|(remark, nodes)| Finding {
                nodes: nodes.iter().filter_map(name).collect(),
                file: remark.file,
                line: remark.line,
                key: remark.key,
                message: remark.message,
            })
            .collect()
    }
}

/// Groups nodes whose scripts read alike: what parsing depends on; values of redefs and variables too, since they can
/// be wrong by themselves. Returns the indices of each group's nodes, of which the first is parsed for all.
pub(crate) fn classes(cluster: &Cluster, runs: impl Fn(usize) -> Option<u64>) -> Vec<Vec<usize>> {
    let mut classes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, node) in cluster.nodes.iter().enumerate().filter(|(_, n)| n.role.runs()) {
        let Some(binary) = runs(node.host) else { continue };
        let key = format!(
            "{:?} {} {binary} {:?} {:?} {:?} {:?} {}",
            node.role,
            cluster.host_of(node).prefix,
            node.scripts,
            node.args,
            node.redefs,
            node.env,
            node.af_packet.is_some()
        );
        classes.entry(key).or_default().push(index);
    }
    let mut classes: Vec<Vec<usize>> = classes.into_values().collect();
    classes.sort();
    classes
}
