//! How nodes are started, as their runner reads it, and what they depend on; the same for what archives their logs.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::common::Common;
use super::content::{ARCHIVER, File, HostZeek, Inputs, ReleaseInput};
use super::digest::digest_of;
use super::node_scripts::belongs;
use super::secret::{CURVE, PASSPHRASE, secret_key, secret_kind};
use crate::cluster::{
    Cluster, Compress, CoreLimit, EnvValue, Folders, Host, LayoutInputs, Node, Restart, Role, RunnerKind,
};
use crate::{scripts, zeek};

/// By how much systemd waits longer than a stop before it kills a node: in seconds. The stop does so itself, and says it.
const STOP_MARGIN: u64 = 5;

/// Secrets of these kinds hold variables of a node's environment.
const SECRET_ENV: [&str; 2] = [CURVE, PASSPHRASE];

impl Common<'_> {
    /// Returns the file `start/NODE`, and the node's inputs.
    pub(super) fn start_file(
        &self,
        from: &ReleaseInput<'_>,
        node: &Node,
        host: &Host,
        identity: &HostZeek,
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
        // A digest over a secret alone would confirm a guess.
        let salt = from.salt.filter(|_| node.env.values().any(|value| secret_key(value).is_some()));
        input("environment", environment_input(salt, &env));
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
            input("keys", keys_input(kept));
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
        if cluster.writes_logs(node) && zeek::rotates_leftovers(version) {
            text.push_str("rotates yes\n");
        }
        text.push_str(&limits);
        if cluster.runner == RunnerKind::Systemd {
            if node.interface.is_some() {
                // What its manager may hand on is the host's business, and no input.
                text.push_str("captures yes\n");
            }
            // No input: a stop has its own deadline.
            let _ = writeln!(text, "unit TimeoutStopSec={}", cluster.timeouts.stop.as_secs() + STOP_MARGIN);
            if cluster.restart == Restart::Never {
                text.push_str("unit Restart=no\n");
            }
        }
        if let Some(salt) = salt {
            let _ = writeln!(text, "salt {salt}");
        }
        for (name, digest) in &inputs {
            let _ = writeln!(text, "input {digest} {name}");
        }
        let _ = writeln!(text, "zeekpath {zeekpath}");
        kept_lines(kept, &Folders::of(&cluster.name, host).home, &mut text);
        for (name, value) in &env {
            let _ = writeln!(text, "env {name}={value}");
        }
        for arg in &args {
            let _ = writeln!(text, "arg {arg}");
        }
        (text, inputs)
    }
}

/// The digest of a node's environment, which is an input of the node; salted where secrets are in it.
pub(super) fn environment_input(salt: Option<&str>, env: &BTreeMap<String, String>) -> String {
    let pairs = env.iter().flat_map(|(k, v)| [k.as_bytes(), v.as_bytes()]);
    digest_of(salt.map(str::as_bytes).into_iter().chain(pairs))
}

/// The digest of the names of a node's secrets, which is an input of the node.
pub(super) fn keys_input(kept: &[String]) -> String {
    digest_of(kept.iter().map(String::as_bytes))
}

/// Adds the lines of a start file that name the node's secrets, which lie below `home`.
pub(super) fn kept_lines(kept: &[String], home: &str, text: &mut String) {
    for name in kept {
        let kind = secret_kind(name);
        if SECRET_ENV.contains(&kind) {
            let _ = writeln!(text, "secrets {name}");
        } else if let Some(file) = zeek::TLS_FILES.iter().find(|file| file.kind == kind) {
            let _ = writeln!(text, "env {}={home}/secrets/{name}", file.variable);
        }
    }
}

/// Adds what archives the logs of a host, if any node there writes some.
pub(super) fn archiver(cluster: &Cluster, index: usize, host: &Host, files: &mut BTreeMap<String, File>) {
    let mut put = |path: String, text: String| {
        files.insert(path, File::new(0o644, text.into_bytes()));
    };
    let folders = Folders::of(&cluster.name, host);
    let logs = &cluster.logs;
    let mut settings = String::new();
    if let Some(archive) = cluster.archive(host) {
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
    }
    // Elsewhere there is little to archive: what nodes write for themselves. Maintenance does that.
    if cluster.archive_on(index).is_some() {
        let name = &cluster.name;
        put(
            format!("start/{ARCHIVER}"),
            format!(
                "script archiver.sh\nrestart on-crash\nenv CLUSTERCTL={name}/{ARCHIVER}\narg {}\narg {}\n",
                folders.home, folders.spool
            ),
        );
        put("clusterctl/archiver.sh".to_owned(), scripts::RELEASE_ARCHIVER.to_owned());
    }
    if cluster.log_writers().nth(1).is_some() {
        settings.push_str("several yes\n");
    }
    if let Some(expire) = logs.expire {
        let _ = writeln!(settings, "expire {}", expire.as_secs().max(60));
    }
    let _ = writeln!(settings, "min_free {}\nready {}", logs.min_free, cluster.timeouts.ready.as_secs().max(1));
    if let Some(folder) = &cluster.textfile {
        let _ = writeln!(settings, "textfile {folder}");
    }
    put("clusterctl/maintain.sh".to_owned(), scripts::RELEASE_MAINTAIN.to_owned());
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
