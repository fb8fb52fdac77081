//! What is the same for all hosts of a release.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::content::{FORMAT, File, ReleaseInput, VERSION_PATH};
use super::digest::digest_of;
use super::node_scripts::{belongs, own_scripts};
use crate::cluster::{Cluster, EnvValue, Role, RunnerKind};
use crate::values::Version;
use crate::{scripts, zeek};

/// What is the same for all hosts, made once.
pub(super) struct Common<'a> {
    pub(super) entries: zeek::LayoutEntries<'a>,
    pub(super) files: Arc<BTreeMap<String, File>>,
    /// Digest of the whole layout.
    pub(super) layout: String,
    /// Digest of the entries that every worker depends on.
    pub(super) tiers: String,
    pub(super) options: String,
    /// Digest of the site files that every node depends on.
    pub(super) site: String,
    /// Digests of site files that belong to some nodes' own scripts, by path.
    pub(super) own: BTreeMap<String, String>,
}

impl<'a> Common<'a> {
    pub(super) fn new(from: &ReleaseInput<'a>) -> Self {
        let (cluster, version) = (from.cluster, from.version);
        let layout = zeek::layout(cluster, version);
        let entries = zeek::LayoutEntries::new(cluster, version);
        let tiers: Vec<String> =
            cluster.nodes.iter().filter(|n| n.role != Role::Worker).map(|n| entries.of(n)).collect();
        let options = zeek::options_script(cluster, version);
        let agent = zeek::agent_script(cluster, version);
        let mut files = BTreeMap::new();
        let mut put = |path: &str, mode: u32, content: Arc<[u8]>| {
            files.insert(path.to_owned(), File::new(mode, content));
        };
        let text = |text: &str| Arc::<[u8]>::from(text.as_bytes());
        // It has the environments of all nodes.
        put("cluster.json", 0o600, Arc::from(cluster_json(cluster, version)));
        if !cluster.is_standalone() {
            put(zeek::LAYOUT_PATH, 0o644, text(&layout));
        }
        put(zeek::OPTIONS_PATH, 0o644, text(&options));
        put(zeek::AGENT_PATH, 0o644, text(&agent));
        let backend = zeek::backend(cluster, version).name();
        put(VERSION_PATH, 0o644, text(&format!("{version} {backend}\n")));
        put("clusterctl/node.sh", 0o755, text(scripts::RELEASE_NODE));
        put("clusterctl/start.sh", 0o755, text(scripts::RELEASE_START));
        match cluster.runner {
            RunnerKind::Process => put("clusterctl/supervisor.sh", 0o755, text(scripts::RELEASE_SUPERVISOR)),
            RunnerKind::Systemd => put("clusterctl/clusterctl@.service", 0o644, text(scripts::UNIT)),
        }
        let own_names = own_scripts(cluster);
        let mut own = BTreeMap::new();
        let mut shared = Vec::new();
        for file in from.site {
            let folder = if file.data { "data" } else { "site" };
            let mode = if file.executable { 0o755 } else { 0o644 };
            let (content, digest) = (file.content.clone(), file.digest.clone());
            files.insert(format!("{folder}/{}", file.path), File { mode, content, digest });
            if file.data {
                continue;
            }
            if own_names.iter().any(|name| belongs(&file.path, name)) {
                own.insert(file.path.clone(), file.digest.clone());
            } else {
                shared.extend([file.path.clone().into_bytes(), file.digest.clone().into_bytes()]);
            }
        }
        Self {
            entries,
            files: Arc::new(files),
            layout: digest_of([layout.as_bytes()]),
            tiers: digest_of(tiers.iter().map(String::as_bytes)),
            options: digest_of([options.as_bytes(), agent.as_bytes()]),
            site: digest_of(shared.iter().map(Vec::as_slice)),
            own,
        }
    }
}

/// Returns `cluster.json`: the resolved cluster. Secrets are in it as references only.
fn cluster_json(cluster: &Cluster, version: Version) -> Vec<u8> {
    // Paths of the operator's machine are left out: the same description gives the same bytes wherever it lies.
    let mut cluster = cluster.clone();
    cluster.zeek.site = None;
    let tls = cluster
        .zeek
        .tls
        .iter_mut()
        .flat_map(|tls| [&mut tls.ca, &mut tls.certificate, &mut tls.key].into_iter().chain(&mut tls.passphrase));
    for value in cluster.nodes.iter_mut().flat_map(|node| node.env.values_mut()).chain(tls) {
        if let EnvValue::SecretFile(path) = value {
            *path = path.rsplit('/').next().unwrap_or_default().to_owned();
        }
    }
    let document = serde_json::json!({
        "format": FORMAT,
        "clusterctl": env!("CARGO_PKG_VERSION"),
        "zeek_version": version,
        "cluster": cluster,
    });
    // A resolved cluster has only types that JSON knows, so this does not fail.
    let mut text = serde_json::to_vec(&document).unwrap_or_default();
    text.push(b'\n');
    text
}
