//! Hooks: programs on the operator's side that hear what a command is about to do, or has done (`hooks`).
//!
//! Each runs at most once for a command that changes something. It gets JSON on its stdin, an environment of fixed names,
//! and a minute; no word of a host is in its arguments or its environment, and no shell is between.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::report::Report;
use crate::cluster::Cluster;
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Event, Fleet, Operation, Selection};
use crate::nodes::NodeOutcome;
use crate::observed::OperationKind;
use crate::plan::Plan;
use crate::ui::{SCHEMA, in_line};

/// How long a hook may take.
const LONGEST: Duration = Duration::from_secs(60);
/// How long what it left running may keep its output open.
const LINGERING: Duration = Duration::from_millis(500);
/// The most of its output that is kept, in bytes.
const MOST_OUTPUT: usize = 64 << 10;
/// The last lines of it that are shown where it fails.
const LAST_LINES: usize = 10;
/// The most nodes that it is told of, and the most characters of one text.
const MOST_NODES: usize = 1000;
const MOST_TEXT: usize = 300;
/// What it has of the operator's environment.
const ENVIRONMENT: [&str; 4] = ["HOME", "LOGNAME", "PATH", "USER"];

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hook {
    PreDeploy,
    PostDeploy,
    PreStop,
    PostStart,
}

impl Hook {
    fn name(self) -> &'static str {
        match self {
            Self::PreDeploy => "pre_deploy",
            Self::PostDeploy => "post_deploy",
            Self::PreStop => "pre_stop",
            Self::PostStart => "post_start",
        }
    }

    fn program(self, cluster: &Cluster) -> &[String] {
        let hooks = &cluster.hooks;
        match self {
            Self::PreDeploy => &hooks.pre_deploy,
            Self::PostDeploy => &hooks.post_deploy,
            Self::PreStop => &hooks.pre_stop,
            Self::PostStart => &hooks.post_start,
        }
    }
}

/// What a hook hears. Texts are bounded, and have no control characters.
#[derive(Debug, Default, Serialize)]
pub(super) struct News {
    command: &'static str,
    /// The release that a deploy leads to.
    release: Option<String>,
    /// How it ended: `done`, `partial`, `failed`, `interrupted`, or `unchanged` where it ended before anything changed;
    /// none before it begins.
    result: Option<&'static str>,
    /// Why nothing came of it.
    why: Option<String>,
    nodes: Vec<NodeNews>,
    /// How many nodes more there are than `nodes` has.
    more_nodes: usize,
}

#[derive(Debug, Serialize)]
struct NodeNews {
    node: String,
    host: String,
    /// What is to be done with it, or what became of it.
    what: String,
    /// Whether that is as planned; none before.
    ok: Option<bool>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    hook: &'static str,
    cluster: &'a str,
    /// Who runs the command.
    by: String,
    #[serde(flatten)]
    news: &'a News,
}

impl News {
    /// What a plan is about to do.
    pub(super) fn of_plan(kind: OperationKind, plan: &Plan) -> Self {
        let nodes = plan.actions().map(|n| node(&n.node, &n.host, n.action.name(), None));
        Self { release: Some(plan.release.clone()), ..Self::new(kind, nodes) }
    }

    /// What is about to be done to the nodes of a selection.
    pub(super) fn of_selection(kind: OperationKind, cluster: &Cluster, selection: &Selection) -> Self {
        let enabled = selection.nodes(cluster).filter(|n| cluster.host_of(n).enabled);
        Self::new(kind, enabled.map(|n| node(&n.name, &cluster.host_of(n).name, kind.name(), None)))
    }

    /// How a command ended.
    pub(super) fn of_end<R: Report>(
        kind: OperationKind,
        release: Option<&str>,
        end: Result<(&R, &[NodeOutcome]), &CommandError>,
    ) -> Self {
        let (result, nodes, why) = match end {
            Ok((report, nodes)) => match report.end() {
                None => ("done", nodes, None),
                Some(Kind::Interrupted) => ("interrupted", nodes, None),
                Some(Kind::Partial) => ("partial", nodes, None),
                Some(_) => ("failed", nodes, None),
            },
            Err(CommandError::Error(error)) => ("unchanged", &[][..], Some(error.to_string())),
            Err(_) => ("unchanged", &[][..], Some("the description is not valid".to_owned())),
        };
        let nodes = nodes.iter().map(|n| node(&n.node, &n.host, &n.outcome.text(), Some(n.outcome.is_good())));
        let (release, why) = (release.map(bounded), why.as_deref().map(bounded));
        Self { release, result: Some(result), why, ..Self::new(kind, nodes) }
    }

    fn new(kind: OperationKind, nodes: impl Iterator<Item = NodeNews>) -> Self {
        let mut nodes: Vec<NodeNews> = nodes.collect();
        let more_nodes = nodes.len().saturating_sub(MOST_NODES);
        nodes.truncate(MOST_NODES);
        Self { command: kind.name(), nodes, more_nodes, ..Self::default() }
    }
}

fn node(node: &str, host: &str, what: &str, ok: Option<bool>) -> NodeNews {
    NodeNews { node: bounded(node), host: bounded(host), what: bounded(what), ok }
}

fn bounded(text: &str) -> String {
    in_line(text).chars().take(MOST_TEXT).collect()
}

/// Runs a hook before anything changes; none where the description has none.
///
/// # Errors
/// Where it fails, or the user interrupts it: the command is to end.
pub(super) async fn before(fleet: &Fleet, hook: Hook, news: impl FnOnce() -> News) -> Result<(), CommandError> {
    if hook.program(&fleet.cluster).is_empty() {
        return Ok(());
    }
    let failed = fleet.unless_interrupted(Box::pin(run(fleet, hook, &news()))).await?.err();
    failed.map_or(Ok(()), |Failed { why, last }| {
        let error = Error::failed(format!("the hook {} failed; nothing changed", hook.name())).because(why);
        Err(last.into_iter().fold(error, Error::because).into())
    })
}

/// Runs a hook once something was done; that it fails is told, and changes nothing.
pub(super) async fn after(fleet: &Fleet, hook: Hook, news: impl FnOnce() -> News) {
    if hook.program(&fleet.cluster).is_empty() {
        return;
    }
    if let Err(Failed { why, last }) = Box::pin(run(fleet, hook, &news())).await {
        let lines: String = last.iter().map(|line| format!("\n  {line}")).collect();
        fleet.emit(Event::Note { text: format!("the hook {} failed: {why}{lines}", hook.name()) });
    }
}

/// Why a hook failed, and its last words.
struct Failed {
    why: String,
    last: Vec<String>,
}

async fn run(fleet: &Fleet, hook: Hook, news: &News) -> Result<(), Failed> {
    let (cluster, began) = (&*fleet.cluster, Instant::now());
    let by = Operation::new(OperationKind::Deploy).who;
    let document = Document { schema: SCHEMA, hook: hook.name(), cluster: &cluster.name, by, news };
    let input = serde_json::to_vec(&document).map_err(|e| Failed { why: e.to_string(), last: Vec::new() })?;
    let said = Mutex::new(Vec::new());
    let mut command = command(cluster, hook, news);
    let ended = match tokio::time::timeout(LONGEST, converse(&mut command, &input, &said)).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(status.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it did not end within {}", humantime::format_duration(LONGEST))),
    };
    if fleet.settings.trace {
        // Its arguments may be secret: an address of a chat is as good as a password.
        fleet.emit(Event::Ran {
            host: "here".to_owned(),
            what: format!("the hook {}", hook.name()),
            args: Vec::new(),
            seconds: began.elapsed().as_secs_f64(),
            failure: ended.as_ref().err().cloned(),
        });
    }
    ended.map_err(|why| {
        let program = &hook.program(cluster)[0];
        let said = said.into_inner().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&said);
        let mut last: Vec<String> =
            text.lines().rev().map(bounded).filter(|l| !l.is_empty()).take(LAST_LINES).collect();
        last.reverse();
        Failed { why: format!("{program}: {why}"), last }
    })
}

fn command(cluster: &Cluster, hook: Hook, news: &News) -> tokio::process::Command {
    let (argv, dir) = (hook.program(cluster), &cluster.hooks.dir);
    let mut command = tokio::process::Command::new(program(&argv[0], dir));
    command
        .args(&argv[1..])
        .current_dir(dir)
        .env_clear()
        .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("LC_ALL", "C")
        .env("CLUSTERCTL_HOOK", hook.name())
        .env("CLUSTERCTL_CLUSTER", &cluster.name)
        .env("CLUSTERCTL_COMMAND", news.command)
        .env("CLUSTERCTL_RESULT", news.result.unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// A name with a `/` is a path from the description's folder, any other one is looked up in PATH.
fn program(name: &str, dir: &Path) -> PathBuf {
    if name.contains('/') { dir.join(name) } else { name.into() }
}

/// Ends all processes of a group that did not come to its end by itself.
struct Group(Option<rustix::process::Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // All of it may have ended meanwhile.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Runs a program with an input; what it says is added to a text.
async fn converse(
    command: &mut tokio::process::Command,
    input: &[u8],
    said: &Mutex<Vec<u8>>,
) -> std::io::Result<std::process::ExitStatus> {
    let mut child = command.spawn()?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let mut group = Group(id.and_then(rustix::process::Pid::from_raw));
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        // One that does not want to know is no failure.
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(input).await;
        }
    };
    let words = async { tokio::join!(write, hear(stdout, said), hear(stderr, said)) };
    let mut words = std::pin::pin!(words);
    let mut heard = false;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = &mut words, if !heard => heard = true,
        }
    };
    if !heard {
        let _ = tokio::time::timeout(LINGERING, words).await;
    }
    group.0 = None;
    Ok(status)
}

/// Reads a stream to its end, and keeps the last of it.
async fn hear(stream: Option<impl AsyncRead + Unpin>, said: &Mutex<Vec<u8>>) {
    let Some(mut stream) = stream else { return };
    let mut buffer = vec![0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut buffer).await {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(&buffer[..n]);
        if said.len() > 2 * MOST_OUTPUT {
            let more = said.len() - MOST_OUTPUT;
            said.drain(..more);
        }
    }
}
