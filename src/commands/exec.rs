//! `exec`: runs a command on hosts.

use std::collections::BTreeMap;
use std::time::Duration;

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;
use tokio::sync::mpsc;

use super::report::{Report, partial};
use super::session::{Extent, hosts_of};
use super::{Command, Hosts, Session, complete};
use crate::cluster::{Cluster, EnvValue, Node};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Fleet, HostHandle, Selection};
use crate::observed::word_of;
use crate::scripts;
use crate::transport::{RemoteScript, ScriptOutput};
use crate::ui::{Progress, Tone, Ui, in_line};

/// The most bytes of each of its outputs.
const MOST: usize = 256 << 10;
/// How much longer than the command its host may take.
const GRACE: Duration = Duration::from_secs(10);
/// What timeout(1) ends with where it has ended a command.
const TIMED_OUT: i32 = 124;

/// Run a command on hosts, without a shell: its words arrive as they are
///
/// Its input is empty, and it is ended after --timeout. Hosts with the same output are shown together.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  clusterctl exec -- uptime\n  clusterctl exec @sensor1 @sensor2 -- ethtool -g eth1\n  \
clusterctl exec -- sh -c 'ip -br link | grep UP'\n  clusterctl exec --as-node worker-1 -- /opt/zeek/bin/zeek --version"
)]
pub(crate) struct Exec {
    /// On these hosts alone: @host, or those of nodes
    #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors), conflicts_with = "as_node")]
    selectors: Vec<String>,
    /// On this node's host, in its folder and environment, without its secrets
    #[arg(long, value_name = "NODE", add = ArgValueCompleter::new(complete::selectors))]
    as_node: Option<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Command for Exec {
    const HOSTS: Hosts = Hosts::Changed;
    const PROGRESS: Progress = Progress::Silent;
    type Report = ExecReport;

    async fn run(&self, session: &mut Session) -> Result<ExecReport, CommandError> {
        if self.command.iter().any(|word| word.contains(['\n', '\0'])) {
            return Err(Error::new(Kind::Usage, "no word of the command may have a line break in it").into());
        }
        let fleet = session.open(Extent::Description)?;
        let node = match &self.as_node {
            Some(name) => Some(one(&fleet.cluster, name)?),
            None => None,
        };
        let hosts = match node {
            Some(node) => vec![node.host],
            None => {
                hosts_of(&fleet.cluster, &self.selectors)?.map_or_else(|| fleet.enabled(), |h| h.into_iter().collect())
            }
        };
        let (hosts, disabled): (Vec<usize>, Vec<usize>) =
            hosts.into_iter().partition(|i| fleet.cluster.hosts[*i].enabled);
        let mut report = ExecReport { command: self.command.clone(), hosts: Vec::new() };
        for host in disabled {
            report.hosts.push(Ran::failed(&fleet.cluster.hosts[host].name, "it is disabled".to_owned()));
        }
        let ran = fleet.unless_interrupted(self.run_on(&fleet, hosts, node));
        let interrupted = |_| Error::new(Kind::Interrupted, "interrupted: the command is ended where it still runs");
        report.hosts.extend(ran.await.map_err(interrupted)?);
        Ok(report)
    }
}

impl Exec {
    async fn run_on(&self, fleet: &Fleet, hosts: Vec<usize>, node: Option<&Node>) -> Vec<Ran> {
        let seconds = fleet.settings.question.as_secs().max(1);
        let plain = node.map(|node| plain_names(node).join(" ")).unwrap_or_default();
        let all = fleet
            .each("running", fleet.handles(hosts), |handle: HostHandle| {
                let mut script = RemoteScript::new(scripts::EXEC, fleet.settings.question + GRACE)
                    .arg(&handle.folders.home)
                    .arg(&handle.folders.spool)
                    .arg(seconds.to_string())
                    .arg(MOST.to_string())
                    .arg(node.map_or("-", |node| &node.name))
                    .arg(format!(" {plain} "));
                for word in &self.command {
                    script = script.untold_arg(word);
                }
                async move {
                    // It is ended on the host where this closes.
                    let (input, later) = mpsc::unbounded_channel();
                    script.later = Some(later);
                    let output = handle.connection.run(script).await.map_err(|failure| failure.text())?;
                    drop(input);
                    Ran::read(&handle.name, &output, seconds)
                }
            })
            .await;
        all.into_iter().map(|(handle, ran)| ran.unwrap_or_else(|why| Ran::failed(&handle.name, why))).collect()
    }
}

/// The node of a name.
fn one<'a>(cluster: &'a Cluster, name: &str) -> Result<&'a Node, Error> {
    let selection = Selection::parse(cluster, &[name.to_owned()])?;
    let named: Vec<usize> = (0..cluster.nodes.len()).filter(|index| selection.has(*index)).collect();
    match named[..] {
        [index] => Ok(&cluster.nodes[index]),
        _ => Err(Error::new(Kind::Usage, format!("`{name}` means several nodes; name one"))),
    }
}

/// The names of a node's variables that are no secrets.
fn plain_names(node: &Node) -> Vec<&str> {
    let own = node.env.iter().filter(|(_, value)| matches!(value, EnvValue::Plain(_))).map(|(name, _)| name.as_str());
    ["CLUSTERCTL", "CLUSTER_NODE", "ZEEK_DEFAULT_LISTEN_ADDRESS"].into_iter().chain(own).collect()
}

/// What became of a command on each host.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ExecReport {
    pub command: Vec<String>,
    pub hosts: Vec<Ran>,
}

/// What became of it on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Ran {
    pub host: String,
    /// Its exit status; none where it did not run.
    pub exit: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// Whether more was written than is told.
    pub is_cut: bool,
    /// Why it did not run, or not to its end.
    pub failure: Option<String>,
}

impl Ran {
    fn failed(host: &str, why: String) -> Self {
        let (stdout, stderr) = (String::new(), String::new());
        Self { host: host.to_owned(), exit: None, stdout, stderr, is_cut: false, failure: Some(why) }
    }

    /// Reads what the script says.
    ///
    /// # Errors
    /// Where it says something else.
    fn read(host: &str, output: &ScriptOutput, seconds: u64) -> Result<Self, String> {
        let mut ran = Self::failed(host, String::new());
        for line in &output.lines {
            let (word, value) = word_of(line);
            match word {
                "out" => ran.stdout.push_str(&format!("{value}\n")),
                "err" => ran.stderr.push_str(&format!("{value}\n")),
                "exit" => ran.exit = value.parse().ok(),
                "lacks" => return Err("the node has not been deployed there".to_owned()),
                _ => return Err("unexpected reply".to_owned()),
            }
        }
        ran.failure = match ran.exit {
            None => return Err(format!("incomplete reply: {}", output.stderr.trim())),
            Some(TIMED_OUT) => Some(format!("no end within {seconds}s (exit {TIMED_OUT}); --timeout gives it longer")),
            Some(_) => None,
        };
        ran.is_cut = ran.stdout.len() >= MOST || ran.stderr.len() >= MOST;
        Ok(ran)
    }

    fn is_well(&self) -> bool {
        self.exit == Some(0)
    }
}

impl Report for ExecReport {
    fn kind(&self) -> Option<&'static str> {
        Some("exec")
    }

    fn show(&self, ui: &Ui) {
        // Hosts of which the same is to be said, where the first of them stands; trouble last, where it is seen.
        let mut groups: BTreeMap<(bool, usize), Vec<&str>> = BTreeMap::new();
        for ran in &self.hosts {
            let same = |other: &Ran| {
                Ran { host: String::new(), ..other.clone() } == Ran { host: String::new(), ..ran.clone() }
            };
            let first = self.hosts.iter().position(same).unwrap_or_default();
            groups.entry((!ran.is_well(), first)).or_default().push(&ran.host);
        }
        let mut text = String::new();
        for ((is_bad, first), hosts) in groups {
            let ran = &self.hosts[first];
            let state = match (&ran.failure, ran.exit) {
                (Some(why), _) => format!(": {}", in_line(why)),
                (None, Some(0)) => String::new(),
                (None, exit) => format!(": exit {}", exit.unwrap_or_default()),
            };
            let tone = if is_bad { Tone::Bad } else { Tone::Strong };
            text.push_str(&format!("{}{state}\n", ui.out.paint(tone, &hosts.join(", "))));
            for (tone, lines) in [(Tone::Plain, &ran.stdout), (Tone::Dim, &ran.stderr)] {
                for line in lines.lines() {
                    text.push_str(&format!("  {}\n", ui.out.paint(tone, &in_line(line))));
                }
            }
            if ran.is_cut {
                text.push_str(&ui.out.paint(Tone::Dim, "  (there is more: only the first 256 KiB are shown)\n"));
            }
        }
        ui.result(&text);
    }

    fn end(&self) -> Option<Kind> {
        partial(self.hosts.len(), self.hosts.iter().filter(|ran| !ran.is_well()).count())
    }
}
