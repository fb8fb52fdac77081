//! The command line: types, completers, dispatch.

mod complete;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use clap_complete::{Generator, Shell};
use tokio::sync::mpsc;

use crate::cluster::{self, Cluster};
use crate::error::{Diagnostic, Error, Kind};
use crate::ops::{self, Failure, Fleet, Selection, Settings};
use crate::spec::{self, Description};
use crate::ui::{self, Color, Output, Progress, Ui};
use crate::values::{Interval, Version};
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
    Deploy {
        /// Do not ask before acting
        #[arg(short, long)]
        yes: bool,
        /// Stop after the plan
        #[arg(long)]
        dry_run: bool,
    },
    /// What a deploy would change
    Diff {
        /// End with 5 if there is something to do
        #[arg(long)]
        exit_code: bool,
    },
    /// Start nodes from the release on their hosts
    Start(Selectors),
    /// Stop nodes
    Stop(Selectors),
    /// Stop nodes and start them again
    Restart(Selectors),
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
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .context("can't listen for signals")?;
        tokio::select! {
            result = operate(ui, cli, &loaded) => result,
            _ = tokio::signal::ctrl_c() => Err(interrupted(cli).into()),
            _ = terminate.recv() => Err(interrupted(cli).into()),
        }
    });
    // What still waits for a host is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

fn interrupted(cli: &Cli) -> Error {
    let error = Error::new(Kind::Interrupted, "interrupted");
    match cli.command {
        Command::Status(_) | Command::Check { .. } | Command::Diff { .. } | Command::Print { .. } => error,
        _ => error.hint("what was begun on the hosts may be half done: `clusterctl status` shows it"),
    }
}

async fn operate(ui: &Ui, cli: &Cli, loaded: &Loaded) -> Result<Option<Kind>, End> {
    let settings = Settings { parallel: usize::from(cli.global.parallel), question: cli.global.timeout };
    let plain = match cli.command {
        Command::Status(_) | Command::Check { .. } | Command::Diff { .. } | Command::Print { .. } => Progress::Silent,
        _ => Progress::Lines,
    };
    let (events, progress) = show(*ui, plain);
    let fleet = Fleet::new(loaded.cluster.clone(), settings, events);
    let job = Job { ui, loaded, fleet, progress };
    match &cli.command {
        Command::Status(selectors) => job.status(selectors).await,
        Command::Deploy { yes, dry_run } => job.deploy(*yes, *dry_run).await,
        Command::Diff { exit_code } => job.diff(*exit_code).await,
        Command::Check { .. } => {
            let report = ops::check(&job.fleet).await;
            job.end(report, |ui, report| ui::check(ui, &report)).await
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
        let mut prepared = ops::prepare(&self.fleet).await;
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

    async fn deploy(mut self, yes: bool, dry_run: bool) -> Result<Option<Kind>, End> {
        let mut prepared = match ops::prepare(&self.fleet).await {
            Ok(prepared) => prepared,
            Err(failure) => return self.end(Err::<(), _>(failure), |_, ()| None).await,
        };
        ops::compare(&self.fleet, &mut prepared).await;
        if (prepared.plan.is_empty() && !prepared.is_unfinished()) || dry_run {
            return self
                .end(Ok(prepared), |ui, prepared| {
                    prepared.notes.iter().for_each(|note| ui.say(note));
                    ui::plan(ui, &prepared.plan, true);
                    None
                })
                .await;
        }
        self.settle().await;
        let ui = *self.ui;
        prepared.notes.iter().for_each(|note| ui.say(note));
        ui::plan(&ui, &prepared.plan, false);
        let asked = !yes && ui.can_ask();
        // On a thread of its own, so that an interrupt is heard meanwhile.
        if asked && !tokio::task::spawn_blocking(move || ui.confirm("deploy?")).await.unwrap_or(false) {
            return self
                .end(Err::<(), _>(Error::failed("nothing has changed: not confirmed").into()), |_, ()| None)
                .await;
        }
        let report = ops::apply(&self.fleet, &prepared).await;
        self.end(report, |ui, report| ui::deployed(ui, &report)).await
    }
}
