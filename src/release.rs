//! Cluster -> the immutable files of one deploy, for each host: contents, modes, manifest, digests, tar. Pure.
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

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::cluster::{
    Cluster, Compress, CoreLimit, EnvValue, Folders, Host, LayoutInputs, Node, Restart, Role, RunnerKind,
};
use crate::values::Version;
use crate::zeek;

/// The form of `cluster.json` and of a release; other forms are read with care or not at all.
pub const FORMAT: u32 = 1;

/// What becomes a node and records its end, whatever keeps it running.
const NODE: &str = concat!(
    include_str!("../templates/lib.sh"),
    include_str!("../templates/crashes.sh"),
    include_str!("../templates/node.sh")
);
/// Where a release names Zeek's version and the backend that it is made for.
pub const VERSION_PATH: &str = "clusterctl/version";

/// What keeps a node running; it tells processes apart as all scripts do.
const SUPERVISOR: &str = concat!(
    include_str!("../templates/lib.sh"),
    include_str!("../templates/claim.sh"),
    include_str!("../templates/supervisor.sh")
);
/// What starts nodes on their own host.
const START: &str = concat!(
    include_str!("../templates/here.sh"),
    include_str!("../templates/say.sh"),
    include_str!("../templates/lib.sh"),
    include_str!("../templates/units.sh"),
    include_str!("../templates/process-start.sh"),
    include_str!("../templates/systemd-start.sh"),
    include_str!("../templates/start.sh")
);
/// The unit of all nodes.
const UNIT: &str = include_str!("../templates/clusterctl@.service");
/// By how much systemd waits longer than a stop before it kills a node: in seconds. The stop does so itself, and says it.
const STOP_MARGIN: u64 = 5;

/// What archives rotated logs.
const ARCHIVE: &str = concat!(
    include_str!("../templates/here.sh"),
    include_str!("../templates/lib.sh"),
    include_str!("../templates/logs.sh"),
    include_str!("../templates/archiver.sh")
);

/// What maintains a host.
const MAINTAIN: &str = concat!(
    include_str!("../templates/here.sh"),
    include_str!("../templates/say.sh"),
    include_str!("../templates/lib.sh"),
    include_str!("../templates/logs.sh"),
    include_str!("../templates/claim.sh"),
    include_str!("../templates/locking.sh"),
    include_str!("../templates/crashes.sh"),
    include_str!("../templates/maintain.sh")
);

/// The reserved name under which a host's runner keeps its archiver running; it is no node of the cluster.
pub const ARCHIVER: &str = "log-archiver";

/// Secrets of these kinds hold variables of a node's environment.
const SECRET_ENV: [&str; 2] = ["zeromq", "passphrase"];

/// A file of the site folder.
#[derive(Debug, Clone)]
pub struct SiteFile {
    /// Its path below the site folder, with `/`.
    pub path: String,
    /// Whether it is executable.
    pub executable: bool,
    /// What is in it.
    pub content: Arc<[u8]>,
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
}

/// A file of a release.
#[derive(Debug, Clone)]
pub struct File {
    /// Its mode.
    pub mode: u32,
    /// What is in it.
    pub content: Arc<[u8]>,
    /// SHA-256 of that, in hex.
    pub digest: String,
}

/// What one node depends on: for each input its name and digest.
pub type Inputs = BTreeMap<String, String>;

/// One host's part of a release.
#[derive(Debug, Clone)]
pub struct Part {
    /// Index of the host in the cluster.
    pub host: usize,
    /// The files by path.
    pub files: BTreeMap<String, File>,
    /// What sha256sum and stat on the host will say of them (`templates/stage.sh`).
    pub manifest: String,
    /// SHA-256 of the manifest.
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

/// Returns what a secret is that hosts keep, by its name.
pub fn secret_kind(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(kind, _)| kind)
}

/// Returns the name under which the value of a secret is looked up; none for a value that is no secret.
pub fn secret_key(value: &EnvValue) -> Option<String> {
    match value {
        EnvValue::Plain(_) => None,
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

/// The part of a deployed `cluster.json` that a later clusterctl needs.
#[derive(Debug, Clone, Deserialize)]
pub struct Deployed {
    format: u32,
    /// The cluster of then.
    pub cluster: Cluster,
}

impl Deployed {
    /// Reads a `cluster.json`; none where it is of another form.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|d| d.format == FORMAT)
    }
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
        let names: Vec<String> =
            parts.iter().map(|p| format!("{} {}", from.cluster.hosts[p.host].name, p.digest)).collect();
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
    entries: zeek::Entries<'a>,
    files: BTreeMap<String, File>,
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
        let entries = zeek::Entries::new(cluster, version);
        let tiers: Vec<String> =
            cluster.nodes.iter().filter(|n| n.role != Role::Worker).map(|n| entries.of(n)).collect();
        let options = zeek::options_script(cluster, version);
        let agent = zeek::agent_script(version);
        let mut files = BTreeMap::new();
        let mut put = |path: &str, mode: u32, content: Arc<[u8]>| {
            let digest = digest(&content);
            files.insert(path.to_owned(), File { mode, content, digest });
        };
        let text = |text: &str| Arc::<[u8]>::from(text.as_bytes());
        put("cluster.json", 0o644, Arc::from(cluster_json(cluster, version)));
        if !cluster.is_standalone() {
            put(zeek::LAYOUT_PATH, 0o644, text(&layout));
        }
        put(zeek::OPTIONS_PATH, 0o644, text(&options));
        put(zeek::AGENT_PATH, 0o644, text(&agent));
        let backend = zeek::backend(cluster, version).name();
        put(VERSION_PATH, 0o644, text(&format!("{version} {backend}\n")));
        put("clusterctl/node.sh", 0o755, text(NODE));
        put("clusterctl/start.sh", 0o755, text(START));
        match cluster.runner {
            RunnerKind::Process => put("clusterctl/supervisor.sh", 0o755, text(SUPERVISOR)),
            RunnerKind::Systemd => put("clusterctl/clusterctl@.service", 0o644, text(UNIT)),
        }
        let own_names = own_scripts(cluster);
        let mut own = BTreeMap::new();
        let mut shared = Vec::new();
        for file in from.site {
            let folder = if file.data { "data" } else { "site" };
            put(&format!("{folder}/{}", file.path), if file.executable { 0o755 } else { 0o644 }, file.content.clone());
            if file.data {
                continue;
            }
            if own_names.iter().any(|name| belongs(&file.path, name)) {
                own.insert(file.path.clone(), digest(&file.content));
            } else {
                shared.extend([file.path.clone().into_bytes(), digest(&file.content).into_bytes()]);
            }
        }
        Self {
            entries,
            files,
            layout: digest_of([layout.as_bytes()]),
            tiers: digest_of(tiers.iter().map(String::as_bytes)),
            options: digest_of([options.as_bytes(), agent.as_bytes()]),
            site: digest_of(shared.iter().map(Vec::as_slice)),
            own,
        }
    }

    fn part(&self, from: &Ingredients<'_>, index: usize, host: &Host, identity: &ZeekIdentity) -> Part {
        let mut files = self.files.clone();
        let mut inputs = BTreeMap::new();
        let kept = from.kept.get(index).map_or(&[][..], Vec::as_slice);
        if !kept.is_empty() {
            let content = Arc::<[u8]>::from(kept.iter().map(|n| format!("{n}\n")).collect::<String>().into_bytes());
            let digest = digest(&content);
            files.insert("clusterctl/secrets".to_owned(), File { mode: 0o644, content, digest });
        }
        for node in from.cluster.run_nodes().filter(|n| n.host == index) {
            let script = zeek::node_script(from.cluster, node, from.version);
            if let Some(script) = &script {
                let content = Arc::<[u8]>::from(script.as_bytes());
                let digest = digest(&content);
                files.insert(zeek::node_script_path(&node.name), File { mode: 0o644, content, digest });
            }
            let (start, node_inputs) = self.start_file(from, node, host, identity, script.as_deref());
            let content = Arc::<[u8]>::from(start.into_bytes());
            let digest = digest(&content);
            // Secrets of the environment are in it.
            files.insert(format!("start/{}", node.name), File { mode: 0o600, content, digest });
            inputs.insert(node.name.clone(), node_inputs);
        }
        archiver(from.cluster, index, host, &mut files);
        let manifest = manifest(&files);
        let digest = digest(manifest.as_bytes());
        Part { host: index, files, manifest, digest, inputs }
    }

    fn start_file(
        &self,
        from: &Ingredients<'_>,
        node: &Node,
        host: &Host,
        identity: &ZeekIdentity,
        script: Option<&str>,
    ) -> (String, Inputs) {
        let (cluster, version) = (from.cluster, from.version);
        let args = zeek::command_line(cluster, node, version);
        let mut env = zeek::environment(cluster, node, version);
        for (name, value) in &node.env {
            let value = match (value, secret_key(value)) {
                (EnvValue::Plain(value), _) => value.clone(),
                (_, key) => key.and_then(|k| from.secrets.get(&k)).cloned().unwrap_or_default(),
            };
            env.insert(name.clone(), value);
        }
        env.insert("CLUSTERCTL".to_owned(), format!("{}/{}", cluster.name, node.name));
        let binary = format!("{}/bin/zeek", host.prefix);
        let zeekpath = zeek::zeekpath(&host.prefix);
        let limits = limits(cluster.runner, node);
        let restart = match cluster.restart {
            Restart::OnCrash => "on-crash",
            Restart::Never => "never",
        };

        let mut inputs = Inputs::new();
        let mut input = |name: &str, digest: String| inputs.insert(name.to_owned(), digest);
        input("command line", digest_of(args.iter().map(String::as_bytes)));
        input("environment", digest_of(env.iter().flat_map(|(k, v)| [k.as_bytes(), v.as_bytes()])));
        input("limits", digest_of([limits.as_bytes(), restart.as_bytes()]));
        let runner = match cluster.runner {
            RunnerKind::Process => "process",
            RunnerKind::Systemd => "systemd",
        };
        input("runner", digest_of([runner.as_bytes()]));
        input(
            "zeek",
            digest_of([
                identity.version.as_bytes(),
                &identity.size.to_le_bytes(),
                &identity.mtime.to_le_bytes(),
                zeekpath.as_bytes(),
            ]),
        );
        let kept = from.kept.get(node.host).map_or(&[][..], Vec::as_slice);
        if !kept.is_empty() {
            input("keys", digest_of(kept.iter().map(String::as_bytes)));
        }
        input("options", self.options.clone());
        input("site scripts", self.site.clone());
        if !node.scripts.is_empty() {
            let own: Vec<&[u8]> = self
                .own
                .iter()
                .filter(|(path, _)| node.scripts.iter().any(|s| belongs(path, s)))
                .flat_map(|(path, digest)| [path.as_bytes(), digest.as_bytes()])
                .collect();
            input("own scripts", digest_of(own));
        }
        if let Some(script) = script {
            input("node script", digest_of([script.as_bytes()]));
        }
        if !cluster.is_standalone() {
            let entry = self.entries.of(node);
            let layout = if node.role == Role::Worker && cluster.layout_inputs == LayoutInputs::Minimal {
                digest_of([entry.as_bytes(), self.tiers.as_bytes()])
            } else {
                self.layout.clone()
            };
            input("layout", layout);
        }

        let mut text = String::new();
        let _ = writeln!(text, "zeek {binary}\nbinary {} {}\nrestart {restart}", identity.size, identity.mtime);
        text.push_str(&limits);
        if cluster.runner == RunnerKind::Systemd {
            // No input: a stop has its own deadline.
            let _ = writeln!(text, "unit TimeoutStopSec={}", cluster.timeouts.stop.as_secs() + STOP_MARGIN);
            if cluster.restart == Restart::Never {
                text.push_str("unit Restart=no\n");
            }
        }
        for (name, digest) in &inputs {
            let _ = writeln!(text, "input {digest} {name}");
        }
        let _ = writeln!(text, "zeekpath {zeekpath}");
        for name in kept {
            let kind = secret_kind(name);
            if SECRET_ENV.contains(&kind) {
                let _ = writeln!(text, "secrets {name}");
            } else if let Some(file) = zeek::TLS_FILES.iter().find(|file| file.kind == kind) {
                let home = Folders::of(&cluster.name, host).home;
                let _ = writeln!(text, "env {}={home}/secrets/{name}", file.variable);
            }
        }
        for (name, value) in &env {
            let _ = writeln!(text, "env {name}={value}");
        }
        for arg in &args {
            let _ = writeln!(text, "arg {arg}");
        }
        (text, inputs)
    }
}

/// Adds what archives the logs of a host, if any node there writes some.
fn archiver(cluster: &Cluster, index: usize, host: &Host, files: &mut BTreeMap<String, File>) {
    let mut put = |path: String, text: String| {
        let content = Arc::<[u8]>::from(text.into_bytes());
        let digest = digest(&content);
        files.insert(path, File { mode: 0o644, content, digest });
    };
    let folders = Folders::of(&cluster.name, host);
    let logs = &cluster.logs;
    let mut settings = String::new();
    if let Some(archive) = cluster.archive_on(index) {
        // zeek-archiver: extension and command; none means that it only moves them.
        let compress = match logs.compress {
            Compress::Gzip => "gz,gzip",
            Compress::Zstd => "zst,zstd -q -f",
            Compress::None => "",
        };
        let _ = write!(
            settings,
            "archive {archive}\narchiver {}/bin/zeek-archiver\ncompress {compress}\n",
            host.prefix.trim_end_matches('/')
        );
        let name = &cluster.name;
        put(
            format!("start/{ARCHIVER}"),
            format!(
                "script archiver.sh\nrestart on-crash\nenv CLUSTERCTL={name}/{ARCHIVER}\narg {}\narg {}\n",
                folders.home, folders.spool
            ),
        );
        put("clusterctl/archiver.sh".to_owned(), ARCHIVE.to_owned());
    }
    if cluster.log_writers().nth(1).is_some() {
        settings.push_str("several yes\n");
    }
    if let Some(expire) = logs.expire {
        let _ = writeln!(settings, "expire {}", expire.as_secs().max(60));
    }
    let _ = writeln!(settings, "min_free {}\nready {}", logs.min_free, cluster.timeouts.ready.as_secs().max(1));
    put("clusterctl/maintain.sh".to_owned(), MAINTAIN.to_owned());
    put("clusterctl/logs.conf".to_owned(), settings);
}

/// A node's limits, as `templates/node.sh` reads them, or as lines of its unit (systemd.exec(5),
/// systemd.resource-control(5)).
fn limits(runner: RunnerKind, node: &Node) -> String {
    let limits = &node.limits;
    let mut text = String::new();
    let mut line = |key: &str, unit: &str, value: String| {
        let _ = match runner {
            RunnerKind::Process => writeln!(text, "{key} {value}"),
            RunnerKind::Systemd => writeln!(text, "unit {unit}={value}"),
        };
    };
    if let Some(cpu) = node.cpu {
        line("cpu", "CPUAffinity", cpu.to_string());
    }
    if let Some(nice) = limits.nice {
        line("nice", "Nice", nice.to_string());
    }
    if let Some(nofile) = limits.nofile {
        line("nofile", "LimitNOFILE", nofile.to_string());
    }
    match (limits.core, runner) {
        (Some(CoreLimit::Unlimited), RunnerKind::Process) => line("core", "", "unlimited".to_owned()),
        (Some(CoreLimit::Unlimited), RunnerKind::Systemd) => line("", "LimitCORE", "infinity".to_owned()),
        // POSIX: ulimit counts in blocks of 512 bytes.
        (Some(CoreLimit::Bytes(bytes)), RunnerKind::Process) => line("core", "", bytes.div_ceil(512).to_string()),
        (Some(CoreLimit::Bytes(bytes)), RunnerKind::Systemd) => line("", "LimitCORE", bytes.to_string()),
        (None, _) => {}
    }
    match (limits.memory, runner) {
        // Of its address space, in KiB.
        (Some(memory), RunnerKind::Process) => line("memory", "", memory.div_ceil(1024).to_string()),
        // Of what it really has.
        (Some(memory), RunnerKind::Systemd) => line("", "MemoryMax", memory.to_string()),
        (None, _) => {}
    }
    text
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

/// Returns what `manifest` in `templates/stage.sh` prints for these files.
fn manifest(files: &BTreeMap<String, File>) -> String {
    let mut digests: Vec<String> = files.iter().map(|(path, f)| format!("{}  ./{path}\n", f.digest)).collect();
    let mut modes: Vec<String> = files.iter().map(|(path, f)| format!("{:o} ./{path}\n", f.mode)).collect();
    digests.sort_unstable();
    modes.sort_unstable();
    digests.into_iter().chain(modes).collect()
}

/// What a manifest says of one file; empty where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry<'a> {
    /// SHA-256 of its content, in hex.
    pub digest: &'a str,
    /// Its mode, in octal.
    pub mode: &'a str,
}

/// Reads the lines of a manifest: what it says of each file, by path.
pub fn manifest_entries<'a>(manifest: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, Entry<'a>> {
    let mut entries: BTreeMap<&str, Entry<'_>> = BTreeMap::new();
    for line in manifest {
        if let Some((digest, path)) = line.split_once("  ./") {
            entries.entry(path).or_default().digest = digest;
        } else if let Some((mode, path)) = line.split_once(" ./") {
            entries.entry(path).or_default().mode = mode;
        }
    }
    entries.retain(|_, entry| !entry.digest.is_empty());
    entries
}

/// What differs between the files that a host has and those that it should have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Paths that the host does not have.
    pub added: Vec<String>,
    /// Paths whose content or mode differs.
    pub changed: Vec<String>,
    /// Paths that go.
    pub removed: Vec<String>,
}

impl Changes {
    /// Tells whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Part {
    /// Compares with the manifest of a release that the host has (lines; none: the host has nothing).
    pub fn changes(&self, manifest: &[String]) -> Changes {
        let old = manifest_entries(manifest.iter().map(String::as_str));
        let new = manifest_entries(self.manifest.lines());
        let mut changes = Changes::default();
        for (path, file) in &new {
            match old.get(path) {
                None => changes.added.push((*path).to_owned()),
                Some(before) if before != file => changes.changed.push((*path).to_owned()),
                Some(_) => {}
            }
        }
        changes.removed = old.keys().filter(|p| !new.contains_key(**p)).map(|p| (*p).to_owned()).collect();
        changes
    }

    /// Returns the version of Zeek and the backend that the part is made for, as `clusterctl/version` names them.
    pub fn made_for(&self) -> Option<(String, String)> {
        let text = std::str::from_utf8(&self.files.get(VERSION_PATH)?.content).ok()?;
        text.trim_end().split_once(' ').map(|(version, backend)| (version.to_owned(), backend.to_owned()))
    }

    /// Packs some files as gzipped tar. The same files give the same bytes.
    ///
    /// # Errors
    /// Never in practice: writing to memory does not fail.
    pub fn tar<'a>(&self, paths: impl IntoIterator<Item = &'a String>) -> std::io::Result<Vec<u8>> {
        pack(paths.into_iter().filter_map(|path| {
            let file = self.files.get(path)?;
            Some((path.as_str(), file.mode, &*file.content))
        }))
    }
}

/// Packs files (path, mode, content) as gzipped tar. The same files give the same bytes.
///
/// # Errors
/// Never in practice: writing to memory does not fail.
pub fn pack<'a>(files: impl IntoIterator<Item = (&'a str, u32, &'a [u8])>) -> std::io::Result<Vec<u8>> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut builder = tar::Builder::new(gzip);
    for (path, mode, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        header.set_mtime(0);
        builder.append_data(&mut header, path, content)?;
    }
    builder.into_inner()?.finish()
}
