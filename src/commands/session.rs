//! A command at work: the description that it reads, the hosts that it reaches, and what the user sees meanwhile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::cluster::{self, Cluster};
use crate::deploy;
use crate::error::{CommandError, Diagnostic, Error, Problem};
use crate::fleet::{Events, Fleet, Selection, Settings, meaning_hosts};
use crate::spec::{self, Description};
use crate::ui::{Progress, Ui};
use crate::values::Version;
use crate::zeek;

/// How long the last events may take to be shown.
const SHOWN: Duration = Duration::from_secs(2);

/// What of a description a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The description alone.
    Description,
    /// And the files that it names on this machine: what makes a release needs them.
    Files,
}

/// A description that is valid, with its cluster.
pub(crate) struct Loaded {
    description: Description,
    pub(crate) cluster: Arc<Cluster>,
    /// What may be meant, and is told all the same.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Loaded {
    /// The description as it was read.
    pub(crate) fn description(&self) -> &Description {
        &self.description
    }
}

/// A command at work.
pub(crate) struct Session {
    /// What shows results, and asks.
    pub(crate) ui: Ui,
    /// The file of the description.
    pub(crate) file: PathBuf,
    /// Makes the definition of the whole command line.
    pub(crate) definition: fn() -> clap::Command,
    settings: Settings,
    /// How events are shown where there is no terminal.
    progress: Progress,
    /// Becomes `true` where the user wants an end.
    stopping: watch::Receiver<bool>,
    loaded: Option<Arc<Loaded>>,
    fleet: Option<Arc<Fleet>>,
    consumer: Option<JoinHandle<()>>,
}

impl Session {
    pub(crate) fn new(
        ui: Ui,
        file: &Path,
        definition: fn() -> clap::Command,
        settings: Settings,
        progress: Progress,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let file = file.to_owned();
        Self { ui, file, definition, settings, progress, stopping, loaded: None, fleet: None, consumer: None }
    }

    /// Reads the description.
    ///
    /// # Errors
    /// Where it is not valid: with all that is wrong.
    pub(crate) fn load(&mut self, extent: Extent, version: Option<Version>) -> Result<Arc<Loaded>, CommandError> {
        let loaded = Arc::new(load(&self.file, extent, version)?);
        self.loaded = Some(loaded.clone());
        Ok(loaded)
    }

    /// Reads the description, and makes the way to its hosts; connects to nothing yet.
    ///
    /// # Errors
    /// As [`Session::load`].
    pub(crate) fn open(&mut self, extent: Extent) -> Result<Arc<Fleet>, CommandError> {
        let loaded = self.load(extent, None)?;
        let (events, consumer) = self.show(self.progress);
        let mut fleet = Fleet::new(loaded.cluster.clone(), self.settings, events);
        fleet.interruptible(self.stopping.clone());
        let fleet = Arc::new(fleet);
        (self.fleet, self.consumer) = (Some(fleet.clone()), Some(consumer));
        Ok(fleet)
    }

    /// As [`Session::open`], and tells what the description warns of.
    ///
    /// # Errors
    /// As [`Session::load`].
    pub(crate) fn open_and_warn(&mut self, extent: Extent) -> Result<Arc<Fleet>, CommandError> {
        let fleet = self.open(extent)?;
        if let Some(loaded) = &self.loaded {
            self.ui.warnings(&loaded.warnings);
        }
        Ok(fleet)
    }

    /// The files of the description that was read: their names, and what is in them.
    pub(crate) fn description(&self) -> Vec<(String, String)> {
        let texts = self.loaded.iter().flat_map(|loaded| loaded.description.texts());
        texts.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    /// Goes on with another form of the same cluster, whose connections are shared.
    pub(crate) fn replace(&mut self, fleet: Fleet) -> Arc<Fleet> {
        let fleet = Arc::new(fleet);
        self.fleet = Some(fleet.clone());
        fleet
    }

    /// Ends the progress so far, so that something can be shown or asked in its place, and begins a new one.
    pub(crate) async fn settle(&mut self) {
        let (events, consumer) = self.show(Progress::Lines);
        if let Some(fleet) = &self.fleet {
            fleet.redirect(events);
        }
        if let Some(before) = self.consumer.replace(consumer) {
            let _ = tokio::time::timeout(SHOWN, before).await;
        }
    }

    /// Ends connections and progress: nothing may be drawn over the result.
    pub(crate) async fn close(&mut self) {
        if let Some(fleet) = self.fleet.take() {
            fleet.close().await;
        }
        // The channel is closed, so the consumer comes to its end; a deadline all the same.
        if let Some(consumer) = self.consumer.take() {
            let _ = tokio::time::timeout(SHOWN, consumer).await;
        }
    }

    /// Gives problems that only showed later their places in the description.
    pub(crate) fn located(&self, error: CommandError) -> CommandError {
        match (error, &self.loaded) {
            (CommandError::Problems(problems), Some(loaded)) => invalid(&loaded.description, &problems),
            (error, _) => error,
        }
    }

    fn show(&self, progress: Progress) -> (Events, JoinHandle<()>) {
        let (events, received) = mpsc::unbounded_channel();
        (events, tokio::spawn(crate::ui::follow(self.ui, received, progress)))
    }
}

fn load(file: &Path, extent: Extent, version: Option<Version>) -> Result<Loaded, CommandError> {
    let description = spec::load(file);
    let missing = match extent {
        Extent::Files => deploy::missing(&description.spec, &description.dir),
        Extent::Description => Vec::new(),
    };
    let (mut cluster, warnings) = match cluster::check_all(&description, &[]) {
        Ok(valid) => valid,
        Err(all) if missing.is_empty() => return Err(CommandError::Invalid(all)),
        Err(_) => cluster::check_all(&description, &missing).map_err(CommandError::Invalid)?,
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

fn invalid(description: &Description, problems: &[Problem]) -> CommandError {
    CommandError::Invalid(description.with(problems))
}

/// Returns the hosts that selectors name, with or without `@`; none for no selector.
pub(crate) fn hosts_of(cluster: &Cluster, selectors: &[String]) -> Result<Option<BTreeSet<usize>>, Error> {
    if selectors.is_empty() {
        return Ok(None);
    }
    let mut hosts = BTreeSet::new();
    for selector in &meaning_hosts(cluster, selectors) {
        // A host without nodes has a lock and a release as well.
        let named = selector.strip_prefix('@').and_then(|name| cluster.hosts.iter().position(|h| h.name == name));
        match named {
            Some(index) => drop(hosts.insert(index)),
            None => hosts.extend(Selection::parse(cluster, std::slice::from_ref(selector))?.hosts(cluster)),
        }
    }
    Ok(Some(hosts))
}
