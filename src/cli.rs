//! The command line: dispatch; its types are in `args`, its completers in `complete`.

mod args;
mod complete;
mod signals;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use args::{Act, Cli, Command, Extent, How, LayoutFormat, Secrets, Selectors};
use clap::FromArgMatches;
use clap_complete::Generator;
use futures_util::future::BoxFuture;
use signals::Signals;
use tokio::sync::{mpsc, watch};

use crate::cluster::{self, Cluster};
use crate::error::{Diagnostic, Error, Kind};
use crate::ops::{self, Failure, Fleet, Offers, Options, Prepared, Selection, Settings};
use crate::spec::{self, Description};
use crate::ui::{self, Color, Output, Progress, Ui};
use crate::values::Version;
use crate::zeek;

/// Returns the command line's definition, for completions.
pub fn command() -> clap::Command {
    Cli::definition()
}

/// Returns the static completion script of a shell.
pub fn completion_script(shell: impl Generator) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command(), "clusterctl", &mut text);
    text
}

/// Runs a command line and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let parsed = Cli::definition().try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches));
    let code = match &parsed {
        Ok(cli) => command_line(cli),
        Err(error) => {
            // clap writes help and version to stdout and complaints to stderr, with their codes 0 and 2.
            ui::written(&error.print());
            if error.use_stderr() { Kind::Usage.code() } else { 0 }
        }
    };
    let Some(why) = ui::unwritten() else { return code };
    let ui = Ui::new(Output::Table, parsed.map_or(Color::Auto, |cli| cli.global.color), false);
    ui.error(&Error::failed("the result could not be written").because(why));
    if code == 0 { Kind::Failed.code() } else { code }
}

/// Runs a command line that was understood.
fn command_line(cli: &Cli) -> u8 {
    let ui = Ui::new(cli.global.output, cli.global.color, cli.global.quiet);
    match dispatch(&ui, cli) {
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
    /// What may be meant, and is told all the same.
    warnings: Vec<Diagnostic>,
}

fn load(file: &std::path::Path, extent: Extent, version: Option<Version>) -> Result<Loaded, End> {
    let description = spec::load(file);
    let missing = match extent {
        Extent::Files => ops::missing(&description.spec, &description.dir),
        Extent::Description => Vec::new(),
    };
    let (mut cluster, warnings) = match cluster::check_all(&description, &[]) {
        Ok(valid) => valid,
        Err(all) if missing.is_empty() => return Err(End::Invalid(all)),
        Err(_) => cluster::check_all(&description, &missing).map_err(End::Invalid)?,
    };
    if version.is_some() {
        cluster.zeek.version = version;
    }
    let mut problems = missing;
    problems.extend(cluster.zeek.version.into_iter().flat_map(|version| zeek::check(&cluster, version)));
    if !problems.is_empty() {
        return Err(invalid(&description, &problems));
    }
    Ok(Loaded { description, cluster: Arc::new(cluster), warnings })
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
        Command::Layout { format, zeek_version, options } => {
            let form = match (options, format, ui.output) {
                (true, ..) => Form::Options,
                (_, Some(format), _) => Form::Layout(*format),
                (_, None, Output::Json) => Form::Layout(LayoutFormat::Json),
                (_, None, Output::Table) => Form::Layout(LayoutFormat::Zeek),
            };
            layout(ui, cli, form, *zeek_version)
        }
        Command::Nodes(selectors) => {
            let loaded = load(&cli.global.file, Extent::Description, None)?;
            let selection = Selection::parse(&loaded.cluster, &selectors.selectors)?;
            let nodes: Vec<&cluster::Node> = selection.nodes(&loaded.cluster).collect();
            ui::nodes(ui, &loaded.cluster, &nodes);
            Ok(None)
        }
        Command::Check { offline: true } => {
            let loaded = load(&cli.global.file, Extent::Files, None)?;
            ui.warnings(&loaded.warnings);
            let nodes = loaded.cluster.run_nodes().count();
            if ui.output == Output::Json {
                let hosts = loaded.cluster.hosts.len();
                let warnings = &loaded.warnings;
                let data = serde_json::json!({"nodes": nodes, "hosts": hosts, "offline": true, "warnings": warnings});
                ui.json("check", &data);
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
    if ui.output == Output::Json {
        ui.json("init", &serde_json::json!({"file": file}));
        return Ok(None);
    }
    ui.result(&format!("wrote {}; next: edit it, then `clusterctl check`", file.display()));
    Ok(None)
}

/// What `layout` prints.
#[derive(Debug, Clone, Copy)]
enum Form {
    Layout(LayoutFormat),
    Options,
}

fn layout(ui: &Ui, cli: &Cli, form: Form, version: Option<Version>) -> Result<Option<Kind>, End> {
    let loaded = load(&cli.global.file, Extent::Description, version)?;
    let cluster = &*loaded.cluster;
    let Some(version) = cluster.zeek.version else {
        return Err(Error::failed("the layout depends on the version of Zeek, and the description names none")
            .hint("set `zeek.version`, or pass `--zeek-version 8.0`")
            .into());
    };
    let (name, text) = match form {
        Form::Options => ("options", zeek::options_script(cluster, version)),
        Form::Layout(LayoutFormat::Zeek) => ("zeek", zeek::layout(cluster, version)),
        Form::Layout(LayoutFormat::Mermaid) => ("mermaid", zeek::layout_mermaid(cluster, version)),
        Form::Layout(LayoutFormat::Table) if ui.output == Output::Table => {
            let nodes: Vec<&cluster::Node> = cluster.nodes.iter().collect();
            ("table", ui::layout(ui, cluster, &nodes))
        }
        Form::Layout(LayoutFormat::Json | LayoutFormat::Table) => {
            ui.json("layout", &zeek::layout_json(cluster, version));
            return Ok(None);
        }
    };
    if ui.output == Output::Json {
        ui.json("layout_text", &serde_json::json!({"format": name, "text": text}));
    } else {
        ui.result(&text);
    }
    Ok(None)
}

/// Commands that talk to hosts.
fn connected(ui: &Ui, cli: &Cli) -> Result<Option<Kind>, End> {
    let loaded = load(&cli.global.file, cli.command.extent(), None)?;
    if matches!(cli.command, Command::Check { .. } | Command::Diff { .. } | Command::Deploy { .. }) {
        ui.warnings(&loaded.warnings);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start")?;
    let result = runtime.block_on(async {
        let mut signals = Signals::new().context("can't listen for signals")?;
        let (stop, stopping) = watch::channel(false);
        let mut work = std::pin::pin!(operate(ui, cli, &loaded, stopping));
        loop {
            tokio::select! {
                result = &mut work => return result,
                () = signals.next() => {}
            }
            // The first lets what was begun come to an orderly end, the second does not.
            if !cli.command.changes_hosts() || stop.send_replace(true) {
                ui.fresh_line();
                return Err(interrupted(cli).into());
            }
            ui.interrupted(
                "interrupted, finishing safely; press Ctrl-C again to quit now (may leave the operation half done)",
            );
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

/// Returns the hosts that selectors name; none for no selector.
fn hosts_of(cluster: &Cluster, selectors: &[String]) -> Result<Option<BTreeSet<usize>>, Error> {
    if selectors.is_empty() {
        return Ok(None);
    }
    let mut hosts = BTreeSet::new();
    for selector in selectors {
        // A host without nodes has a lock and a release as well.
        let named = selector.strip_prefix('@').and_then(|name| cluster.hosts.iter().position(|h| h.name == name));
        match named {
            Some(index) => drop(hosts.insert(index)),
            None => hosts.extend(Selection::parse(cluster, std::slice::from_ref(selector))?.hosts(cluster)),
        }
    }
    Ok(Some(hosts))
}

/// What is said of how to do it, but for the hosts to skip: which ones there are depends on the release.
fn options(how: &How) -> Options {
    let offers = Offers { skip: true, backend: true };
    Options { allow_failed: how.allow_failed, max_unavailable: how.max_unavailable, offers, ..Options::default() }
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
            let mut options = options(how);
            options.skip = ops::skipped(&loaded.cluster, &how.skip)?;
            options.no_restart = *no_restart;
            options.accept_backend_change = *accept_backend_change;
            job.deploy(act, &options).await
        }
        Command::Rollback { release, act, how, accept_backend_change } => {
            let mut options = options(how);
            options.accept_backend_change = *accept_backend_change;
            job.rollback(act, release.as_deref(), &how.skip, &options).await
        }
        Command::Resume { hosts, act } => {
            let hosts = hosts_of(&loaded.cluster, hosts)?;
            job.resume(act, hosts.as_ref()).await
        }
        Command::Releases => {
            let report = ops::releases(&job.fleet).await;
            job.end(report, |ui, report| ui::releases(ui, &report)).await
        }
        Command::Unlock { hosts: selectors, yes } => {
            let hosts = hosts_of(&loaded.cluster, selectors)?;
            job.unlock(*yes, selectors, hosts.as_ref()).await
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
            if *install || *remove {
                let hosts = ops::install(&job.fleet, &selection, *remove).await;
                return job.end(Ok(hosts), |ui, hosts| ui::installed(ui, &hosts)).await;
            }
            let report = ops::maintain(&job.fleet, &selection).await;
            job.end(report.map_err(Failure::from), |ui, report| ui::maintained(ui, &report)).await
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

    async fn rollback(
        mut self,
        act: &Act,
        release: Option<&str>,
        skip: &[String],
        options: &Options,
    ) -> Result<Option<Kind>, End> {
        match ops::prepare_rollback(&self.fleet, release, skip, options).await {
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
        if (prepared.plan.is_empty() && !prepared.is_unfinished() && !prepared.is_outdated()) || act.dry_run {
            return self
                .end(Ok(prepared), |ui, prepared| {
                    prepared.notes.iter().for_each(|note| ui.say(note));
                    ui::plan(ui, &prepared.plan, true);
                    prepared.leaves_out().then_some(Kind::Partial)
                })
                .await;
        }
        if !act.yes && !self.ui.can_ask() && ui::at_terminal() {
            // A user who has sent stderr elsewhere is not taken for a script.
            let error = Error::new(Kind::Usage, "nothing has changed: you can't be asked, since stderr is no terminal");
            return self.end(Err::<(), _>(error.hint("if you are sure: --yes").into()), |_, ()| None).await;
        }
        self.settle().await;
        let ui = *self.ui;
        let ask = !act.yes && ui.can_ask();
        let question = format!("{command}?");
        let show = |prepared: &Prepared| {
            prepared.notes.iter().for_each(|note| ui.say(note));
            if prepared.plan.is_empty() && ui.output != Output::Json {
                ui.say(&format!("{}: what is left to do there is done", ui::agreement(&prepared.plan)));
            } else {
                ui::plan(&ui, &prepared.plan, false);
            }
        };
        show(&prepared);
        // Nobody is asked about what is refused after it.
        if let Err(failure) = ops::allowed(&prepared) {
            return self.end(Err::<(), _>(failure), |_, ()| None).await;
        }
        // On a thread of its own, so that an interrupt is heard meanwhile.
        let confirm = || -> BoxFuture<'static, bool> {
            let question = question.clone();
            Box::pin(async move {
                !ask || tokio::task::spawn_blocking(move || ui.confirm(&question)).await.unwrap_or(false)
            })
        };
        let confirmed = match self.fleet.unless_interrupted(confirm()).await {
            Ok(confirmed) => confirmed,
            Err(error) => return self.end(Err::<(), _>(error.into()), |_, ()| None).await,
        };
        if !confirmed {
            return self
                .end(Err::<(), _>(Error::failed("nothing has changed: not confirmed").into()), |_, ()| None)
                .await;
        }
        let mut agree = |prepared: &Prepared| {
            show(prepared);
            confirm()
        };
        let report = ops::apply(&self.fleet, prepared, command, &mut agree).await;
        self.end(report, |ui, report| ui::deployed(ui, &report)).await
    }

    async fn unlock(
        mut self,
        yes: bool,
        selectors: &[String],
        hosts: Option<&BTreeSet<usize>>,
    ) -> Result<Option<Kind>, End> {
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
            let named: String = selectors.iter().map(|selector| format!("{selector} ")).collect();
            let error =
                Error::new(Kind::Usage, "nothing has changed: an operation that is at work must not lose its lock")
                    .hint(format!("check that operation first, then: clusterctl unlock {named}--yes"));
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
