//! Cluster -> release: the files of each host.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::common::Common;
use super::content::{File, Files, HostZeek, Part, Release, ReleaseInput};
use super::digest::digest;
use super::manifest::manifest;
use super::patch::SECRETS_PATH;
use super::start::archiver;
use crate::cluster::Host;
use crate::zeek;

impl Release {
    /// Makes a release.
    pub fn build(from: &ReleaseInput<'_>) -> Self {
        let common = Common::new(from);
        let parts: Vec<Part> = from
            .cluster
            .hosts
            .iter()
            .enumerate()
            .filter_map(|(index, host)| Some(part(&common, from, index, host, from.zeeks.get(index)?.as_ref()?)))
            .collect();
        Self::of(from.cluster, parts)
    }
}

fn part(common: &Common<'_>, from: &ReleaseInput<'_>, index: usize, host: &Host, identity: &HostZeek) -> Part {
    let mut files = BTreeMap::new();
    let mut inputs = BTreeMap::new();
    let kept = from.kept.get(index).map_or(&[][..], Vec::as_slice);
    if !kept.is_empty() {
        let names: String = kept.iter().map(|n| format!("{n}\n")).collect();
        files.insert(SECRETS_PATH.to_owned(), File::new(0o644, names.into_bytes()));
    }
    for node in from.cluster.run_nodes().filter(|n| n.host == index) {
        let script = zeek::node_script(from.cluster, node, from.version);
        if let Some(script) = &script {
            files.insert(zeek::node_script_path(&node.name), File::new(0o644, script.as_bytes()));
        }
        let (start, node_inputs) = common.start_file(from, node, host, identity, script.as_deref());
        // Secrets of the environment are in it.
        files.insert(format!("start/{}", node.name), File::new(0o600, start.into_bytes()));
        inputs.insert(node.name.clone(), node_inputs);
    }
    archiver(from.cluster, index, host, &mut files);
    let files = Files { common: Arc::clone(&common.files), own: files };
    let digest = digest(manifest(&files).as_bytes());
    Part { host: index, files, kept: None, digest, inputs }
}
