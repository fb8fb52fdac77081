//! Scripts of the site folder that belong to single nodes.

use crate::cluster::Cluster;

/// All scripts that belong to single nodes, without those that every node loads.
pub(crate) fn own_scripts(cluster: &Cluster) -> Vec<String> {
    let mut own: Vec<String> = cluster
        .nodes
        .iter()
        .flat_map(|n| n.scripts.iter())
        .filter(|s| !cluster.zeek.scripts.contains(s))
        .cloned()
        .collect();
    own.sort();
    own.dedup();
    own
}

/// Tells whether a file of the site folder is what a script name means (Zeek adds `.zeek`, or looks into a folder).
pub(crate) fn belongs(path: &str, script: &str) -> bool {
    let script = script.strip_prefix("./").unwrap_or(script);
    path == script
        || path.strip_suffix(".zeek").is_some_and(|p| p == script)
        || path.strip_prefix(script).is_some_and(|rest| rest.starts_with('/'))
}
