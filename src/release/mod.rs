//! Cluster -> the immutable files of one deploy, for each host: contents, modes, manifest, digests, tar.
//!
//! A host's part:
//! ```text
//! cluster.json              the resolved cluster
//! cluster-layout.zeek       Cluster::nodes and Cluster::manager_is_logger
//! clusterctl/options.zeek   the second generated script, the same for all nodes
//! clusterctl/version        Zeek's version and the backend, in one line
//! clusterctl/secrets        the names of the secrets that the host keeps for it, one a line
//! clusterctl/agent.zeek     answers status requests
//! clusterctl/nodes/N.zeek   what concerns one node alone
//! site/, data/              the site folder; what `site_data` names
//! start/N                   how to start a node: one setting a line, read by the supervisor (0600)
//! clusterctl/start.sh       starts nodes, as over SSH: <home> <spool> <deadline>, lines of node and release on stdin
//! clusterctl/node.sh        becomes a node, and records its end
//! clusterctl/archiver.sh    runs as the node log-archiver, where logs are archived
//! clusterctl/maintain.sh    maintains the host, for a timer or cron
//! clusterctl/logs.conf      what it has to know, one setting a line; read again for each pass
//! clusterctl/supervisor.sh  keeps a node running (the runner `process`)
//! clusterctl/clusterctl@.service  the unit of all nodes (the runner `systemd`)
//! ```

mod again;
mod manifest;
mod start;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use again::{SECRETS_PATH, start_again};
pub use manifest::{Changes, Entry, Packing, manifest_entries, pack};

use crate::cluster::{Cluster, EnvValue, Host, Role, RunnerKind};
use crate::values::Version;
use crate::zeek;
use crate::{files, scripts};

/// The form of `cluster.json` and of a release; other forms are read with care or not at all.
pub const FORMAT: u32 = 1;

/// Where a release names Zeek's version and the backend that it is made for.
pub const VERSION_PATH: &str = "clusterctl/version";

/// The reserved name under which a host's runner keeps its archiver running; it is no node of the cluster.
pub const ARCHIVER: &str = "log-archiver";

/// The largest text that is shown or looked into, in bytes.
pub const LARGEST_TEXT: u64 = 1 << 20;

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// What is made here.
    Memory(Arc<[u8]>),
    /// A file of the site folder. It is read where it is needed, since all of them need not fit into memory.
    Disk(Arc<OnDisk>),
}

/// A file of the site folder, as it was when it was read.
#[derive(Debug)]
pub struct OnDisk {
    /// Where it lies.
    pub path: PathBuf,
    /// How many bytes it has.
    pub size: u64,
    /// Whether they are UTF-8 without a NUL.
    pub is_text: bool,
}

impl Content {
    /// Returns how many bytes it has.
    pub fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk(file) => file.size,
        }
    }

    /// Tells whether it is text.
    pub fn is_text(&self) -> bool {
        match self {
            Self::Memory(bytes) => !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok(),
            Self::Disk(file) => file.is_text,
        }
    }

    /// Returns the text, if it is one that is not too large; of a file as it is now.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        if self.size() > LARGEST_TEXT {
            return None;
        }
        match self {
            Self::Memory(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Disk(file) => {
                let bytes = files::read(&file.path, LARGEST_TEXT, &mut files::PATIENCE.clone()).ok()?;
                String::from_utf8(bytes).ok().map(Cow::Owned)
            }
        }
    }
}

/// A file of the site folder.
#[derive(Debug, Clone)]
pub struct SiteFile {
    /// Its path below the site folder, with `/`.
    pub path: String,
    /// Whether it is executable.
    pub executable: bool,
    /// What is in it.
    pub content: Content,
    /// SHA-256 of that, in hex.
    pub digest: String,
    /// Whether `site_data` names it, so that a change of it restarts nothing.
    pub data: bool,
}

/// What the Zeek of a host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZeekIdentity {
    /// Its version as it says it (`8.0.10`).
    pub version: String,
    /// Size of the binary in bytes.
    pub size: u64,
    /// Modification time of the binary, in seconds since 1970.
    pub mtime: i64,
}

/// All that a release is made of.
#[derive(Debug)]
pub struct Ingredients<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The version that the scripts are written for.
    pub version: Version,
    /// The Zeek of each host, in the order of the hosts; none for hosts that get no part.
    pub zeeks: &'a [Option<ZeekIdentity>],
    /// The site folder's files.
    pub site: &'a [SiteFile],
    /// The names of the secrets that each host keeps for its nodes, in the order of the hosts; hosts beyond its end
    /// keep none.
    pub kept: &'a [Vec<String>],
    /// Values of secrets, by [`secret_key`].
    pub secrets: &'a BTreeMap<String, String>,
    /// What digests over them are made with, which stays on the hosts; none where there are none.
    pub salt: Option<&'a str>,
}

/// A file of a release.
#[derive(Debug, Clone)]
pub struct File {
    /// Its mode.
    pub mode: u32,
    /// What is in it.
    pub content: Content,
    /// SHA-256 of that, in hex.
    pub digest: String,
}

impl File {
    /// Makes a file of bytes.
    pub fn new(mode: u32, content: impl Into<Arc<[u8]>>) -> Self {
        let content = content.into();
        let digest = digest(&content);
        Self { mode, content: Content::Memory(content), digest }
    }
}

/// The files of a part by path: those that all hosts have, and its own.
#[derive(Debug, Clone)]
pub struct Files {
    common: Arc<BTreeMap<String, File>>,
    own: BTreeMap<String, File>,
}

impl Files {
    /// Makes the files of a part that has none in common with others.
    pub fn of(own: BTreeMap<String, File>) -> Self {
        Self { common: Arc::default(), own }
    }

    /// Adds those of another part.
    pub fn add(&mut self, others: &Self) {
        self.own.extend(others.iter().map(|(path, file)| (path.to_owned(), file.clone())));
    }

    /// Returns a file.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.own.get(path).or_else(|| self.common.get(path))
    }

    /// Returns all files, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &File)> {
        let common = self.common.iter().filter(|(path, _)| !self.own.contains_key(*path));
        common.chain(&self.own).map(|(path, file)| (path.as_str(), file))
    }
}

/// What one node depends on: for each input its name and digest.
pub type Inputs = BTreeMap<String, String>;

/// One host's part of a release.
#[derive(Debug, Clone)]
pub struct Part {
    /// Index of the host in the cluster.
    pub host: usize,
    /// The files by path; of a release that a host keeps, those that were read.
    pub files: Files,
    /// Of a release that a host keeps: its manifest, which names all files.
    pub kept: Option<String>,
    /// SHA-256 of the manifest: what sha256sum and stat on the host will say of the files (`templates/stage.sh`).
    pub digest: String,
    /// The inputs of the nodes of this host.
    pub inputs: BTreeMap<String, Inputs>,
}

/// A release: its parts and its id, the digest over them.
#[derive(Debug, Clone)]
pub struct Release {
    /// The id: 12 hex digits.
    pub id: String,
    /// The parts, in the order of the hosts.
    pub parts: Vec<Part>,
}

/// Returns the SHA-256 of data in hex.
pub fn digest(data: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(data) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What the name of ZeroMQ's keys begins with.
pub const CURVE: &str = "zeromq";

/// What the name of a passphrase begins with.
pub const PASSPHRASE: &str = "passphrase";

/// Returns what a secret is that hosts keep, by its name.
pub fn secret_kind(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(kind, _)| kind)
}

/// Returns the name under which the value of a secret is looked up; none for a value that is no secret.
pub fn secret_key(value: &EnvValue) -> Option<String> {
    match value {
        EnvValue::Plain(_) | EnvValue::Elsewhere => None,
        EnvValue::SecretFile(path) => Some(format!("file {path}")),
        EnvValue::SecretEnv(name) => Some(format!("env {name}")),
    }
}

/// A digest over parts that can't run into each other.
fn digest_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut text = String::new();
    for byte in hash.finalize().iter().take(8) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Release {
    /// Makes a release.
    pub fn build(from: &Ingredients<'_>) -> Self {
        let common = Common::new(from);
        let parts: Vec<Part> = from
            .cluster
            .hosts
            .iter()
            .enumerate()
            .filter_map(|(index, host)| Some(common.part(from, index, host, from.zeeks.get(index)?.as_ref()?)))
            .collect();
        Self::of(from.cluster, parts)
    }

    /// Makes the release of parts, which are in the order of the hosts.
    pub fn of(cluster: &Cluster, parts: Vec<Part>) -> Self {
        let names: Vec<String> = parts.iter().map(|p| format!("{} {}", cluster.hosts[p.host].name, p.digest)).collect();
        let mut id = digest(names.join("\n").as_bytes());
        id.truncate(12);
        Self { id, parts }
    }

    /// Returns the part of a host.
    pub fn part(&self, host: usize) -> Option<&Part> {
        // They are in the order of the hosts; this is asked once for each node.
        let at = self.parts.binary_search_by_key(&host, |p| p.host).ok()?;
        self.parts.get(at)
    }
}

/// What is the same for all hosts, made once.
struct Common<'a> {
    entries: zeek::LayoutEntries<'a>,
    files: Arc<BTreeMap<String, File>>,
    /// Digest of the whole layout.
    layout: String,
    /// Digest of the entries that every worker depends on.
    tiers: String,
    options: String,
    /// Digest of the site files that every node depends on.
    site: String,
    /// Digests of site files that belong to some nodes' own scripts, by path.
    own: BTreeMap<String, String>,
}

impl<'a> Common<'a> {
    fn new(from: &Ingredients<'a>) -> Self {
        let (cluster, version) = (from.cluster, from.version);
        let layout = zeek::layout(cluster, version);
        let entries = zeek::LayoutEntries::new(cluster, version);
        let tiers: Vec<String> =
            cluster.nodes.iter().filter(|n| n.role != Role::Worker).map(|n| entries.of(n)).collect();
        let options = zeek::options_script(cluster, version);
        let agent = zeek::agent_script(version);
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

    fn part(&self, from: &Ingredients<'_>, index: usize, host: &Host, identity: &ZeekIdentity) -> Part {
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
            let (start, node_inputs) = self.start_file(from, node, host, identity, script.as_deref());
            // Secrets of the environment are in it.
            files.insert(format!("start/{}", node.name), File::new(0o600, start.into_bytes()));
            inputs.insert(node.name.clone(), node_inputs);
        }
        start::archiver(from.cluster, index, host, &mut files);
        let files = Files { common: Arc::clone(&self.files), own: files };
        let digest = digest(manifest::manifest(&files).as_bytes());
        Part { host: index, files, kept: None, digest, inputs }
    }
}

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
