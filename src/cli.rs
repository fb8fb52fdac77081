//! The command line: types, completers, dispatch.

mod complete;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use clap_complete::{Generator, Shell};
use tokio::sync::{mpsc, watch};

use crate::cluster::{self, Cluster};
use crate::error::{Diagnostic, Error, Kind};
use crate::ops::{self, Failure, Fleet, Options, Prepared, Selection, Settings};
use crate::spec::{self, Description};
use crate::ui::{self, Color, Output, Progress, Ui};
use crate::values::{Interval, Share, Version};
use crate::zeek;

/// The control plane for clusters of Zeek
///
/// One YAML file describes the cluster. clusterctl makes Zeek's layout from it, puts it on every host over SSH, runs
/// the nodes, and tells what each of them is doing.
#[derive(Debug, Parser)]
#[command(name = "clusterctl", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 the description is not valid, 4 some hosts or nodes \
failed, 5 not as it should be, 6 locked by another operation, 130 interrupted")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// The description of the cluster
    #[arg(short, long, global = true, env = "CLUSTERCTL_FILE", default_value = "cluster.yaml", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// How results are written
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    output: Output,
    /// Only the result and errors: no progress, no talk
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Whether colours are used
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// How long a host may take to answer a short question, connecting included
    #[arg(long, global = true, default_value = "20s", value_name = "DURATION", value_parser = duration)]
    timeout: Duration,
    /// How many hosts are worked on at the same time
    #[arg(long, global = true, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: u16,
}

#[derive(Debug, Args)]
struct Selectors {
    /// Nodes: a name, a glob, a role (manager, loggers, proxies, workers, all) or @host; none: all
    #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    selectors: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What hosts and nodes are doing
    Status(Selectors),
    /// Check, plan, stage, activate, and confirm that all nodes came up
    ///
    /// Before the first host switches, nothing has changed anywhere. Where nodes do not become ready, all hosts go back
    /// to what ran before. An operation that was cut off is finished by the next deploy, or undone by `rollback`.
    Deploy {
        #[command(flatten)]
        act: Act,
        #[command(flatten)]
        how: How,
        /// Put the release on the hosts, but restart no node that runs: `restart` moves them on
        #[arg(long, conflicts_with = "max_unavailable")]
        no_restart: bool,
        /// Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start
        #[arg(long)]
        accept_backend_change: bool,
    },
    /// What a deploy would change
    Diff {
        /// End with 5 if there is something to do
        #[arg(long)]
        exit_code: bool,
    },
    /// Releases on each host: when, by whom, with which Zeek, and which runs
    Releases,
    /// Go back to an earlier release, with the topology that it had; only what differs restarts
    Rollback {
        /// Its id or the begin of it; none: the one before, or where a deploy was cut off, the one from which it began
        release: Option<String>,
        #[command(flatten)]
        act: Act,
        #[command(flatten)]
        how: How,
        /// Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start
        #[arg(long)]
        accept_backend_change: bool,
    },
    /// Bring hosts that were away to the release that the others run, and start their nodes
    Resume {
        /// Hosts (@sensor1); none: all that are behind
        #[arg(value_name = "@HOST", add = ArgValueCompleter::new(complete::selectors))]
        hosts: Vec<String>,
        #[command(flatten)]
        act: Act,
    },
    /// Free the lock of an operation that hangs; the lock of one that ended is free by itself
    Unlock {
        /// Hosts (@sensor1); none: all
        #[arg(value_name = "@HOST", add = ArgValueCompleter::new(complete::selectors))]
        hosts: Vec<String>,
        /// Do not ask before acting
        #[arg(short, long)]
        yes: bool,
    },
    /// Start nodes from the release on their hosts
    Start(Selectors),
    /// Stop nodes
    Stop(Selectors),
    /// Stop nodes and start them again
    Restart(Selectors),
    /// Archive what nodes left, expire the archive, start nodes that should run, look at disks
    ///
    /// What an operator stopped stays stopped; a node that gave up restarting gets another chance. With --install
    /// each host does it by itself from now on, every five minutes and after a reboot.
    Maintain {
        #[command(flatten)]
        selectors: Selectors,
        /// Let the hosts do it by themselves: by a systemd timer, or else cron
        #[arg(long)]
        install: bool,
        /// With --install: undo that
        #[arg(long, requires = "install")]
        remove: bool,
    },
    /// Check the description, then let the real Zeek parse the scripts on the hosts; changes nothing
    Check {
        /// Only the description: connect to no host
        #[arg(long)]
        offline: bool,
    },
    /// Ask nodes for the value of a global identifier, such as `Cluster::nodes`
    Print {
        /// The identifier, with its module
        #[arg(value_name = "ID")]
        id: String,
        /// Nodes: a name, a glob, a role (manager, loggers, proxies, workers, all) or @host; none: all
        #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
        selectors: Vec<String>,
    },
    /// Look whether each host has what it needs; changes nothing, and says what root has to do once
    Doctor,
    /// Print Zeek's layout; connects to no host
    Layout {
        /// The form
        #[arg(long, value_enum, default_value_t = LayoutFormat::Zeek)]
        format: LayoutFormat,
        /// The version of Zeek to write for, instead of the description's
        #[arg(long, value_name = "VERSION")]
        zeek_version: Option<Version>,
        /// Print the second generated script instead, which holds all that is no layout
        #[arg(long, conflicts_with = "format")]
        options: bool,
    },
    /// The keys with which nodes encrypt what they say to each other
    #[command(subcommand)]
    Secrets(Secrets),
    /// Nodes with hosts, addresses, ports and CPUs
    Nodes(Selectors),
    /// Write a commented first description, if there is none
    Init,
    /// Print the JSON Schema of the description, for editors
    Schema,
    /// Print the completion script of a shell
    ///
    /// With names of nodes and hosts from the description: `source <(COMPLETE=bash clusterctl)`, or zsh;
    /// `COMPLETE=fish clusterctl | source` in fish.
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Whether and when to act.
#[derive(Debug, Args)]
struct Act {
    /// Do not ask before acting
    #[arg(short, long)]
    yes: bool,
    /// Stop after the plan
    #[arg(long)]
    dry_run: bool,
}

/// What may be left out, and how many at a time.
#[derive(Debug, Args)]
struct How {
    /// Leave hosts out that run nothing but workers, such as @sensor3: they are behind then, until `resume`
    #[arg(long, value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    skip: Vec<String>,
    /// So many workers may fail or be away without the rest going back: a number, or a share such as 10%
    #[arg(long, value_name = "N|P%", default_value_t = Share::NONE)]
    allow_failed: Share,
    /// Restart so many workers at a time, by whole capture groups: a number, or a share such as 10%
    #[arg(long, value_name = "N|P%")]
    max_unavailable: Option<Share>,
}

#[derive(Debug, Subcommand)]
enum Secrets {
    /// Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can't talk
    Rotate {
        #[command(flatten)]
        act: Act,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LayoutFormat {
    /// cluster-layout.zeek
    Zeek,
    /// A JSON document
    Json,
    /// A table
    Table,
    /// A Mermaid diagram
    Mermaid,
}

fn duration(text: &str) -> Result<Duration, String> {
    text.parse().map(|Interval(duration)| duration)
}

/// Returns the command line's definition, for completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Returns the static completion script of a shell.
pub fn completion_script(shell: impl Generator) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command(), "clusterctl", &mut text);
    text
}

/// Runs a command line and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // clap writes help and version to stdout and complaints to stderr, with their codes 0 and 2.
            let _ = error.print();
            return if error.use_stderr() { Kind::Usage.code() } else { 0 };
        }
    };
    let ui = Ui::new(cli.global.output, cli.global.color, cli.global.quiet);
    match dispatch(&ui, &cli) {
        Ok(None) => 0,
        Ok(Some(kind)) => kind.code(),
        Err(End::Error(error)) => {
            ui.error(&error);
            error.kind.code()
        }
        Err(End::Invalid(diagnostics)) => {
            ui.diagnostics(&diagnostics);
            Kind::Description.code()
        }
    }
}

/// How a command can end badly.
enum End {
    Error(Box<Error>),
    Invalid(Vec<Diagnostic>),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<anyhow::Error> for End {
    fn from(error: anyhow::Error) -> Self {
        let failed = Error::failed(error.to_string());
        error.chain().skip(1).fold(failed, Error::because).into()
    }
}

/// A description that is valid, with its cluster.
struct Loaded {
    description: Description,
    cluster: Arc<Cluster>,
}

fn load(file: &std::path::Path, version: Option<Version>) -> Result<Loaded, End> {
    let description = spec::load(file);
    let mut cluster = cluster::check(&description).map_err(End::Invalid)?;
    if version.is_some() {
        cluster.zeek.version = version;
    }
    if let Some(version) = cluster.zeek.version {
        let problems = zeek::check(&cluster, version);
        if !problems.is_empty() {
            return Err(invalid(&description, &problems));
        }
    }
    Ok(Loaded { description, cluster: Arc::new(cluster) })
}

fn invalid(description: &Description, problems: &[crate::error::Problem]) -> End {
    End::Invalid(description.with(problems))
}

fn dispatch(ui: &Ui, cli: &Cli) -> Result<Option<Kind>, End> {
    match &cli.command {
        Command::Init => init(ui, &cli.global.file),
        Command::Schema => {
            let text = serde_json::to_string_pretty(&spec::schema()).context("can't write the schema")?;
            ui.result(&text);
            Ok(None)
        }
        Command::Completions { shell } => {
            ui.result(&String::from_utf8_lossy(&completion_script(*shell)));
            Ok(None)
        }
        Command::Layout { format, zeek_version, options } => layout(ui, cli, *format, *zeek_version, *options),
        Command::Nodes(selectors) => {
            let loaded = load(&cli.global.file, None)?;
            let selection = Selection::parse(&loaded.cluster, &selectors.selectors)?;
            let nodes: Vec<&cluster::Node> = selection.nodes(&loaded.cluster).collect();
            ui::nodes(ui, &loaded.cluster, &nodes);
            Ok(None)
        }
        Command::Check { offline: true } => {
            let loaded = load(&cli.global.file, None)?;
            let nodes = loaded.cluster.run_nodes().count();
            if ui.output == Output::Json {
                let hosts = loaded.cluster.hosts.len();
                ui.json("check", &serde_json::json!({"nodes": nodes, "hosts": hosts, "offline": true}));
                return Ok(None);
            }
            ui.result(&format!(
                "the description is valid: {} on {}; Zeek has not seen the scripts",
                ui::count(nodes, "node"),
                ui::count(loaded.cluster.hosts.len(), "host"),
            ));
            Ok(None)
        }
        _ => connected(ui, cli),
    }
}

/// Writes a first description where there is none.
fn init(ui: &Ui, file: &std::path::Path) -> Result<Option<Kind>, End> {
    use std::io::Write;
    let wrong = || format!("can't write {}", file.display());
    let mut new = std::fs::OpenOptions::new().write(true).create_new(true).open(file).with_context(wrong)?;
    new.write_all(include_bytes!("../examples/minimal.yaml")).with_context(wrong)?;
    ui.result(&format!("wrote {}; next: edit it, then `clusterctl check`", file.display()));
    Ok(None)
}

fn layout(
    ui: &Ui,
    cli: &Cli,
    format: LayoutFormat,
    version: Option<Version>,
    options: bool,
) -> Result<Option<Kind>, End> {
    let loaded = load(&cli.global.file, version)?;
    let cluster = &*loaded.cluster;
    let Some(version) = cluster.zeek.version else {
        return Err(Error::failed("the layout depends on the version of Zeek, and the description names none")
            .hint("set `zeek.version`, or pass `--zeek-version 8.0`")
            .into());
    };
    if options {
        ui.result(&zeek::options_script(cluster, version));
        return Ok(None);
    }
    match format {
        LayoutFormat::Zeek => ui.result(&zeek::layout(cluster, version)),
        LayoutFormat::Json => {
            let text = serde_json::to_string_pretty(&zeek::layout_json(cluster, version))
                .context("can't write the layout as JSON")?;
            ui.result(&text);
        }
        LayoutFormat::Mermaid => ui.result(&zeek::layout_mermaid(cluster, version)),
        LayoutFormat::Table => {
            let nodes: Vec<&cluster::Node> = cluster.nodes.iter().collect();
            ui.result(&ui::layout(ui, cluster, &nodes));
        }
    }
    Ok(None)
}

/// Commands that talk to hosts.
fn connected(ui: &Ui, cli: &Cli) -> Result<Option<Kind>, End> {
    let loaded = load(&cli.global.file, None)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start")?;
    let result = runtime.block_on(async {
        let signal = |kind| tokio::signal::unix::signal(kind).context("can't listen for signals");
        let mut interrupt = signal(tokio::signal::unix::SignalKind::interrupt())?;
        let mut terminate = signal(tokio::signal::unix::SignalKind::terminate())?;
        let (stop, stopping) = watch::channel(false);
        let mut work = std::pin::pin!(operate(ui, cli, &loaded, stopping));
        loop {
            tokio::select! {
                result = &mut work => return result,
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            // The first lets what was begun come to an orderly end, the second does not.
            if !cli.command.changes_hosts() || stop.send_replace(true) {
                return Err(interrupted(cli).into());
            }
            ui.say("interrupted: coming to an end; once more ends at once, and may leave things half done");
        }
    });
    // What still waits for a host is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

fn interrupted(cli: &Cli) -> Error {
    let error = Error::new(Kind::Interrupted, "interrupted");
    if cli.command.changes_hosts() {
        return error.hint("what was begun on the hosts may be half done: `clusterctl status` shows it");
    }
    error
}

impl Command {
    /// Tells whether it changes what hosts run.
    fn changes_hosts(&self) -> bool {
        matches!(
            self,
            Self::Deploy { .. }
                | Self::Rollback { .. }
                | Self::Resume { .. }
                | Self::Start(_)
                | Self::Stop(_)
                | Self::Restart(_)
        )
    }
}

/// Returns the hosts that selectors name; none for no selector.
fn hosts_of(cluster: &Cluster, selectors: &[String]) -> Result<Option<BTreeSet<usize>>, Error> {
    if selectors.is_empty() {
        return Ok(None);
    }
    Ok(Some(Selection::parse(cluster, selectors)?.hosts(cluster).into_iter().collect()))
}

fn options(cluster: &Cluster, how: &How) -> Result<Options, Error> {
    Ok(Options {
        skip: ops::skipped(cluster, &how.skip)?,
        allow_failed: how.allow_failed,
        max_unavailable: how.max_unavailable,
        ..Options::default()
    })
}

async fn operate(ui: &Ui, cli: &Cli, loaded: &Loaded, stopping: watch::Receiver<bool>) -> Result<Option<Kind>, End> {
    let settings = Settings { parallel: usize::from(cli.global.parallel), question: cli.global.timeout };
    let plain = match cli.command {
        Command::Status(_)
        | Command::Check { .. }
        | Command::Diff { .. }
        | Command::Print { .. }
        | Command::Doctor
        | Command::Releases => Progress::Silent,
        _ => Progress::Lines,
    };
    let (events, progress) = show(*ui, plain);
    let mut fleet = Fleet::new(loaded.cluster.clone(), settings, events);
    fleet.interruptible(stopping);
    let job = Job { ui, loaded, fleet, progress };
    match &cli.command {
        Command::Status(selectors) => job.status(selectors).await,
        Command::Deploy { act, how, no_restart, accept_backend_change } => {
            let mut options = options(&loaded.cluster, how)?;
            options.no_restart = *no_restart;
            options.accept_backend_change = *accept_backend_change;
            job.deploy(act, &options).await
        }
        Command::Rollback { release, act, how, accept_backend_change } => {
            let mut options = options(&loaded.cluster, how)?;
            options.accept_backend_change = *accept_backend_change;
            job.rollback(act, release.as_deref(), &options).await
        }
        Command::Resume { hosts, act } => {
            let hosts = hosts_of(&loaded.cluster, hosts)?;
            job.resume(act, hosts.as_ref()).await
        }
        Command::Releases => {
            let report = ops::releases(&job.fleet).await;
            job.end(report, |ui, report| ui::releases(ui, &report)).await
        }
        Command::Unlock { hosts, yes } => {
            let hosts = hosts_of(&loaded.cluster, hosts)?;
            job.unlock(*yes, hosts.as_ref()).await
        }
        Command::Secrets(Secrets::Rotate { act }) => {
            job.fleet.rotate()?;
            job.deploy(act, &Options::default()).await
        }
        Command::Diff { exit_code } => job.diff(*exit_code).await,
        Command::Check { .. } => {
            let report = ops::check(&job.fleet).await;
            job.end(report, |ui, report| ui::check(ui, &report)).await
        }
        Command::Doctor => {
            let report = ops::doctor(&job.fleet).await;
            job.end(Ok(report), |ui, report| ui::doctor(ui, &report)).await
        }
        Command::Print { id, selectors } => {
            let selection = Selection::parse(&loaded.cluster, selectors)?;
            let report = ops::print(&job.fleet, &selection, id).await;
            job.end(report, |ui, report| ui::values(ui, &report)).await
        }
        Command::Start(s) => {
            let selection = Selection::parse(&loaded.cluster, &s.selectors)?;
            let report = ops::start(&job.fleet, &selection).await;
            job.end(report, |ui, report| ui::outcomes(ui, &report)).await
        }
        Command::Stop(s) => {
            let selection = Selection::parse(&loaded.cluster, &s.selectors)?;
            let report = ops::stop(&job.fleet, &selection).await;
            job.end(report, |ui, report| ui::outcomes(ui, &report)).await
        }
        Command::Restart(s) => {
            let selection = Selection::parse(&loaded.cluster, &s.selectors)?;
            let report = ops::restart(&job.fleet, &selection).await;
            job.end(report, |ui, report| ui::outcomes(ui, &report)).await
        }
        Command::Maintain { selectors, install, remove } => {
            let selection = Selection::parse(&loaded.cluster, &selectors.selectors)?;
            if *install {
                let hosts = ops::install(&job.fleet, &selection, *remove).await;
                return job.end(Ok(hosts), |ui, hosts| ui::installed(ui, &hosts)).await;
            }
            let report = ops::maintain(&job.fleet, &selection).await;
            job.end(Ok(report), |ui, report| ui::maintained(ui, &report)).await
        }
        // These connect to nothing and were dispatched before.
        Command::Init | Command::Layout { .. } | Command::Nodes(_) | Command::Schema | Command::Completions { .. } => {
            Ok(None)
        }
    }
}

/// Begins to show events.
fn show(ui: Ui, plain: Progress) -> (ops::Events, tokio::task::JoinHandle<()>) {
    let (events, received) = mpsc::unbounded_channel();
    (events, tokio::spawn(ui::follow(ui, received, plain)))
}

/// How long the last events may take to be shown.
const SHOWN: Duration = Duration::from_secs(2);

/// A command at work, with the consumer of its events.
struct Job<'a> {
    ui: &'a Ui,
    loaded: &'a Loaded,
    fleet: Fleet,
    progress: tokio::task::JoinHandle<()>,
}

impl Job<'_> {
    /// Ends connections and progress, then shows the result: nothing may be drawn over it.
    async fn end<T>(
        self,
        result: Result<T, Failure>,
        show: impl FnOnce(&Ui, T) -> Option<Kind>,
    ) -> Result<Option<Kind>, End> {
        self.fleet.close().await;
        drop(self.fleet);
        // The channel is closed, so the consumer comes to its end; a deadline all the same.
        let _ = tokio::time::timeout(SHOWN, self.progress).await;
        match result {
            Ok(value) => Ok(show(self.ui, value)),
            Err(Failure::Error(error)) => Err(End::Error(error)),
            Err(Failure::Problems(problems)) => Err(invalid(&self.loaded.description, &problems)),
        }
    }

    async fn status(self, selectors: &Selectors) -> Result<Option<Kind>, End> {
        let selection = Selection::parse(&self.loaded.cluster, &selectors.selectors)?;
        let report = ops::status(&self.fleet, &selection).await;
        self.end(Ok(report), |ui, report| {
            ui::status(ui, &report);
            (!report.is_ok()).then_some(Kind::NotAsExpected)
        })
        .await
    }

    async fn diff(self, exit_code: bool) -> Result<Option<Kind>, End> {
        let mut prepared = ops::prepare(&self.fleet, &Options::default()).await;
        if let Ok(prepared) = &mut prepared {
            ops::compare(&self.fleet, prepared).await;
        }
        self.end(prepared, |ui, prepared| {
            prepared.notes.iter().for_each(|note| ui.say(note));
            ui::plan(ui, &prepared.plan, true);
            (exit_code && !prepared.plan.is_empty()).then_some(Kind::NotAsExpected)
        })
        .await
    }

    /// Ends the progress so far, so that something can be shown or asked in its place, and begins a new one.
    async fn settle(&mut self) {
        let (events, progress) = show(*self.ui, Progress::Lines);
        self.fleet.redirect(events);
        let before = std::mem::replace(&mut self.progress, progress);
        let _ = tokio::time::timeout(SHOWN, before).await;
    }

    async fn deploy(self, act: &Act, options: &Options) -> Result<Option<Kind>, End> {
        match ops::prepare(&self.fleet, options).await {
            Ok(prepared) => self.act("deploy", act, prepared).await,
            Err(failure) => self.end(Err::<(), _>(failure), |_, ()| None).await,
        }
    }

    async fn rollback(mut self, act: &Act, release: Option<&str>, options: &Options) -> Result<Option<Kind>, End> {
        match ops::prepare_rollback(&self.fleet, release, options).await {
            Ok((fleet, prepared)) => {
                self.fleet = fleet;
                self.act("rollback", act, prepared).await
            }
            Err(failure) => self.end(Err::<(), _>(failure), |_, ()| None).await,
        }
    }

    async fn resume(self, act: &Act, hosts: Option<&BTreeSet<usize>>) -> Result<Option<Kind>, End> {
        match ops::prepare_resume(&self.fleet, hosts).await {
            Ok(prepared) => self.act("resume", act, prepared).await,
            Err(failure) => self.end(Err::<(), _>(failure), |_, ()| None).await,
        }
    }

    /// Shows what was planned, asks, and does it.
    async fn act(mut self, command: &str, act: &Act, mut prepared: Prepared) -> Result<Option<Kind>, End> {
        ops::compare(&self.fleet, &mut prepared).await;
        if (prepared.plan.is_empty() && !prepared.is_unfinished()) || act.dry_run {
            return self
                .end(Ok(prepared), |ui, prepared| {
                    prepared.notes.iter().for_each(|note| ui.say(note));
                    ui::plan(ui, &prepared.plan, true);
                    prepared.leaves_out().then_some(Kind::Partial)
                })
                .await;
        }
        self.settle().await;
        let ui = *self.ui;
        let ask = !act.yes && ui.can_ask();
        let question = format!("{command}?");
        let show = |prepared: &Prepared| {
            prepared.notes.iter().for_each(|note| ui.say(note));
            ui::plan(&ui, &prepared.plan, false);
        };
        show(&prepared);
        let confirm = question.clone();
        // On a thread of its own, so that an interrupt is heard meanwhile.
        let confirmed = !ask || {
            let answer = tokio::task::spawn_blocking(move || ui.confirm(&confirm));
            match self.fleet.unless_interrupted(answer).await {
                Ok(answer) => answer.unwrap_or(false),
                Err(error) => return self.end(Err::<(), _>(error.into()), |_, ()| None).await,
            }
        };
        if !confirmed {
            return self
                .end(Err::<(), _>(Error::failed("nothing has changed: not confirmed").into()), |_, ()| None)
                .await;
        }
        let mut agree = |prepared: &Prepared| {
            show(prepared);
            !ask || ui.confirm(&question)
        };
        let report = ops::apply(&self.fleet, prepared, command, &mut agree).await;
        self.end(report, |ui, report| ui::deployed(ui, &report)).await
    }

    async fn unlock(mut self, yes: bool, hosts: Option<&BTreeSet<usize>>) -> Result<Option<Kind>, End> {
        let locks = ops::locks(&self.fleet, hosts).await;
        if locks.held.is_empty() {
            return self.end(Ok(locks), |ui, locks| ui::unlocked(ui, &locks)).await;
        }
        self.settle().await;
        let ui = *self.ui;
        for lock in &locks.held {
            ui.say(&format!("{} is locked by {}", lock.host, lock.holder));
        }
        if !yes && !ui.can_ask() {
            let error =
                Error::new(Kind::Usage, "nothing has changed: an operation that is at work must not lose its lock")
                    .hint("make sure that it is not, then: clusterctl unlock --yes");
            return self.end(Err::<(), _>(error.into()), |_, ()| None).await;
        }
        let question = "is that operation really dead? free the lock?";
        if !yes && !tokio::task::spawn_blocking(move || ui.confirm(question)).await.unwrap_or(false) {
            return self
                .end(Err::<(), _>(Error::failed("nothing has changed: not confirmed").into()), |_, ()| None)
                .await;
        }
        let report = ops::unlock(&self.fleet, locks).await;
        self.end(report, |ui, report| ui::unlocked(ui, &report)).await
    }
}
