//! `diag`: what one needs to know of nodes that are not well, and all of it in a file for a bug report.

mod answer;
mod bundle;
mod redact;
mod show;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use clap::ValueHint;
use serde::Serialize;

use self::answer::{CrashFile, FileText, HostFacts, ListedRelease, NodeFacts};
use super::args::Selectors;
use super::report::{Report, partial};
use super::session::Extent;
use super::status::{State, process_row};
use super::{Command, Hosts, Session};
use crate::cluster::{Cluster, EnvValue, Node, Role};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Facts, Fleet, HostHandle, Selection};
use crate::observed::Observed;
use crate::plan::{elsewhere, misplaced};
use crate::scripts;
use crate::transport::{Failure, HostFailure, RemoteScript, ScriptOutput};
use crate::ui::{Progress, Ui};
use crate::zeek;

/// How many lines of each file are shown, and how many go into a bundle; and of how many bytes.
const SHOWN: (u32, u32) = (12, 16 << 10);
const BUNDLED: (u32, u32) = (2000, 128 << 10);

/// Show what is wrong with nodes: how they ended, what they printed, how they were started
///
/// Without a selector, it shows all nodes that do not run. It shows no secrets: no variables that the description keeps
/// secret, and no lines with their values or with keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  clusterctl diag worker-3\n  clusterctl diag --bundle report.tar.gz     \
for a bug report")]
pub(crate) struct Diag {
    #[command(flatten)]
    which: Selectors,
    /// Write all of it, of these nodes and their hosts, with the description and the layout, into a new file (0600);
    /// secrets are left out
    #[arg(long, value_name = "FILE.tar.gz", value_hint = ValueHint::FilePath)]
    bundle: Option<PathBuf>,
}

impl Command for Diag {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = DiagReport;

    async fn run(&self, session: &mut Session) -> Result<DiagReport, CommandError> {
        if let Some(file) = self.bundle.as_ref().filter(|file| file.symlink_metadata().is_ok()) {
            return Err(Error::new(Kind::Usage, format!("{} already exists", file.display()))
                .hint("name a file that does not exist")
                .into());
        }
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::parse(&fleet.cluster, &self.which.selectors)?;
        let mut report = diag(&fleet, &selection, self.bundle.is_some()).await;
        if let Some(file) = &self.bundle {
            bundle::write(file, &report, &fleet.cluster, &session.description())
                .map_err(|e| Error::failed(format!("can't write {}", file.display())).because(e))?;
            report.bundle = Some(file.clone());
        }
        Ok(report)
    }
}

/// What is known of nodes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DiagReport {
    pub nodes: Vec<NodeDiag>,
    pub hosts: Vec<HostDiag>,
    /// Hosts that could not be asked, and why.
    pub unknown: Vec<(String, String)>,
    /// How many nodes run and were passed over.
    pub passed_over: usize,
    /// The file that all of it was written to.
    pub bundle: Option<PathBuf>,
}

/// What is known of one node.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NodeDiag {
    pub node: String,
    #[serde(rename = "type")]
    pub role: Role,
    pub host: String,
    pub state: State,
    pub detail: Option<String>,
    pub pid: Option<u32>,
    pub restarts: Option<u32>,
    /// How its last process ended.
    pub ended: Option<String>,
    /// The release that its process was started from.
    pub release: Option<String>,
    /// The node's folder on its host.
    pub folder: String,
    /// What Zeek's `.status` says.
    pub status: Option<String>,
    /// The command line.
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// Variables whose values are not told.
    pub hidden: Vec<String>,
    /// Pins, limits and what else is set for it.
    pub settings: Vec<String>,
    /// The limits of its process (proc(5), limits).
    pub limits: Vec<String>,
    pub threads: Option<String>,
    /// The CPUs that its process may run on.
    pub cpus: Option<String>,
    /// What changed with the release that it was started from.
    pub changed: Option<Changed>,
    /// What crashes left: the folders, the newest last, and the files of that one.
    pub crashes: Vec<String>,
    pub crash_files: Vec<CrashFile>,
    /// The last lines of what it printed.
    pub texts: Vec<FileText>,
}

/// What a node depends on that differs from the release before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Changed {
    /// The release before, which it was in.
    pub since: String,
    /// When the newer one was activated, and by whom.
    pub time: Option<String>,
    pub who: String,
    /// What differs; nothing, where it depends on nothing that changed.
    pub what: Vec<String>,
}

/// What is known of one host.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HostDiag {
    pub host: String,
    /// Kernel, load, memory, disks.
    pub system: Vec<String>,
    /// Version and backend of what runs there.
    pub zeek: Option<String>,
    /// The last releases, the newest first.
    pub releases: Vec<ListedRelease>,
}

impl Report for DiagReport {
    fn kind(&self) -> Option<&'static str> {
        Some("diag")
    }

    fn show(&self, ui: &Ui) {
        show::show(self, ui);
    }

    fn end(&self) -> Option<Kind> {
        partial(self.hosts.len() + self.unknown.len(), self.unknown.len())
    }
}

/// Asks the hosts of a selection about its nodes.
async fn diag(fleet: &Fleet, selection: &Selection, bundle: bool) -> DiagReport {
    let cluster = &*fleet.cluster;
    let hosts: Vec<usize> = selection.hosts(cluster).into_iter().filter(|i| cluster.hosts[*i].enabled).collect();
    let (lines, bytes) = if bundle { BUNDLED } else { SHOWN };
    let which = if selection.is_all() && !bundle { "unwell" } else { "all" };
    let script = |handle: &HostHandle| {
        let nodes: Vec<&Node> = selection.nodes(cluster).filter(|n| Some(n.host) == handle.index).collect();
        let names: String = nodes.iter().map(|n| format!("{}\n", n.name)).collect();
        let input = format!("{lines}\n{bytes}\n {} \n{which}\n{names}\n", told(cluster, &nodes).join(" "));
        RemoteScript::new(scripts::DIAG, fleet.settings.question)
            .arg(&handle.folders.home)
            .arg(&handle.folders.spool)
            .arg(&handle.zeek)
            .input(input)
    };
    let answers = fleet
        .each("asking hosts", fleet.handles(hosts), |handle| {
            let script = script(&handle);
            async move {
                let output = handle.connection.run(script).await?;
                read(&output).map_err(|why| Failure::new(HostFailure::Other, why))
            }
        })
        .await;
    let mut facts = Facts::new();
    let mut more: HashMap<usize, HostFacts> = HashMap::new();
    let mut report =
        DiagReport { nodes: Vec::new(), hosts: Vec::new(), unknown: Vec::new(), passed_over: 0, bundle: None };
    for (handle, answer) in answers {
        let Some(index) = handle.index else { continue };
        match answer {
            Ok((observed, host)) => {
                facts.insert(index, Ok(observed));
                more.insert(index, host);
            }
            Err(failure) => {
                report.unknown.push((handle.name, failure.text()));
                facts.insert(index, Err(failure));
            }
        }
    }
    report.unknown.sort();
    let misplaced = misplaced(cluster, super::status::answers(&facts));
    let elsewhere = elsewhere(cluster, &misplaced, |host| facts.get(&host)?.as_ref().ok());
    for node in selection.nodes(cluster) {
        let row = process_row(cluster, node, facts.get(&node.host), &elsewhere);
        if which == "unwell" && matches!(row.state, State::Running | State::Disabled) {
            report.passed_over += 1;
            continue;
        }
        let host = more.get(&node.host);
        let own = host.and_then(|host| host.nodes.get(&node.name)).cloned().unwrap_or_default();
        let changed = host.and_then(|host| changed(row.release.as_deref()?, &host.releases, &own));
        report.nodes.push(NodeDiag {
            node: row.node,
            role: row.role,
            host: row.host,
            state: row.state,
            detail: row.detail.map(|detail| detail.to_string()),
            pid: row.pid,
            restarts: row.restarts,
            ended: row.ended,
            release: row.release,
            folder: row.folder,
            status: own.status,
            command: own.command,
            environment: own.environment,
            hidden: own.hidden,
            settings: own.settings,
            limits: own.limits,
            threads: own.threads,
            cpus: own.cpus,
            changed,
            crashes: own.crashes,
            crash_files: own.crash_files,
            texts: own.texts,
        });
    }
    let mut known: Vec<(usize, HostFacts)> = more.into_iter().collect();
    known.sort_by_key(|(index, _)| *index);
    for (index, host) in known {
        let running = facts.get(&index).and_then(|f| f.as_ref().ok()?.running.as_ref());
        report.hosts.push(HostDiag {
            host: cluster.hosts[index].name.clone(),
            system: host.system,
            zeek: running.map(|(version, backend)| format!("{version} {backend}")),
            releases: host.releases,
        });
    }
    report
}

/// Reads an answer: that of the brief look, and more behind it.
fn read(output: &ScriptOutput) -> Result<(Observed, HostFacts), String> {
    let end = output.lines.iter().position(|line| line == "observed end");
    let Some(end) = end else { return Err(format!("the host's reply is incomplete: {}", output.stderr.trim())) };
    let (brief, more) = output.lines.split_at(end + 1);
    Ok((Observed::parse(brief).map_err(|e| e.to_string())?, HostFacts::parse(more)?))
}

/// The names of the variables whose values may be told: ours, and those of the description that are no secrets.
fn told<'a>(cluster: &'a Cluster, nodes: &[&'a Node]) -> Vec<&'a str> {
    let mut told = vec!["CLUSTERCTL", "CLUSTER_NODE", "ZEEK_DEFAULT_LISTEN_ADDRESS"];
    told.extend(zeek::TLS_FILES.iter().map(|file| file.variable));
    let plain = |name: &str| {
        // Of one name it may be a secret for another node.
        !cluster.nodes.iter().any(|n| n.env.get(name).is_some_and(|value| !matches!(value, EnvValue::Plain(_))))
    };
    let mut own: Vec<&str> = nodes.iter().flat_map(|n| n.env.keys().map(String::as_str)).collect();
    own.sort_unstable();
    own.dedup();
    told.extend(own.into_iter().filter(|name| plain(name) && !redact::is_secret(name)));
    told
}

/// What a node depends on that its release brought.
fn changed(release: &str, releases: &[ListedRelease], node: &NodeFacts) -> Option<Changed> {
    let at = releases.iter().position(|r| r.id == release)?;
    let now = node.inputs.get(release)?;
    let (before, inputs) = releases[at + 1..].iter().find_map(|r| Some((r, node.inputs.get(&r.id)?)))?;
    let mut what: Vec<String> = now
        .iter()
        .filter(|(name, digest)| inputs.get(*name) != Some(digest))
        .map(|(name, _)| name.clone())
        .chain(inputs.keys().filter(|name| !now.contains_key(*name)).cloned())
        .collect();
    what.sort_unstable();
    let ListedRelease { time, who, .. } = releases[at].clone();
    Some(Changed { since: before.id.clone(), time, who, what })
}
