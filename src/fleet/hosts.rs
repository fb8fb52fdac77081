//! The hosts of a cluster, and asking many of them at once.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::watch;

use super::event::{Event, Events};
use super::select::Selection;
use crate::cluster::{self, Cluster, Folders};
use crate::error::{Error, Kind};
use crate::observed::{FullObserved, Malformed, Observed};

use crate::scripts;
use crate::transport::{
    Connection, Failure, HostFailure, Observer, RemoteScript, ScriptOutput, Shared, SshTarget, Target,
};

/// How long a host may take to read the files of a release.
const READING: Duration = Duration::from_secs(300);

/// The shortest timeout for a sign of life of a host at work: `templates/beat.sh` sends three in it.
const LEAST_SILENCE: Duration = Duration::from_secs(15);

/// Settings of one command.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How many hosts are worked on at the same time.
    pub parallel: usize,
    /// The deadline of a short question to a host, connecting included.
    pub question: Duration,
    /// What is done on each host is told ([`Event::Ran`]).
    pub trace: bool,
}

/// The hosts of a cluster.
pub struct Fleet {
    pub cluster: Arc<Cluster>,
    /// Settings of the command.
    pub settings: Settings,
    /// Replaced where something is shown or asked in between; shared with all forms of the cluster.
    events: Arc<Mutex<Events>>,
    shared: Shared,
    hosts: Vec<Arc<Connection>>,
    interrupt: watch::Receiver<bool>,
}

/// The way to one host, with what has to be known of it there.
#[derive(Debug, Clone)]
pub(crate) struct HostHandle {
    /// Its index in the cluster; none for a host that left the description.
    pub(crate) index: Option<usize>,
    pub(crate) name: String,
    pub(crate) connection: Arc<Connection>,
    /// The cluster's folders there.
    pub(crate) folders: Folders,
    /// The Zeek binary there.
    pub(crate) zeek: String,
}

/// What came of working on one host.
pub(crate) trait HostAnswer {
    /// Why nothing, or not all, came of it.
    fn failure(&self) -> Option<String>;
}

impl<T, E: fmt::Display> HostAnswer for Result<T, E> {
    fn failure(&self) -> Option<String> {
        self.as_ref().err().map(ToString::to_string)
    }
}

impl Fleet {
    /// Makes the fleet of a cluster; connects to nothing yet.
    pub fn new(cluster: Arc<Cluster>, settings: Settings, events: Events) -> Self {
        let events = Arc::new(Mutex::new(events));
        let shared = if settings.trace { Shared::observed(observer(&events)) } else { Shared::default() };
        let hosts = cluster.hosts.iter().map(|h| Arc::new(connection(h, &shared))).collect();
        // Without a sender it never changes.
        let (_, interrupt) = watch::channel(false);
        Self { cluster, settings, events, shared, hosts, interrupt }
    }

    /// Lets an operation come to an orderly end when `true` is sent.
    pub fn interruptible(&mut self, interrupt: watch::Receiver<bool>) {
        self.interrupt = interrupt;
    }

    /// Makes the fleet of another form of the same cluster; connections are shared.
    pub(crate) fn with(&self, cluster: Arc<Cluster>) -> Self {
        let known: HashMap<&str, (&cluster::Host, &Arc<Connection>)> =
            self.cluster.hosts.iter().zip(&self.hosts).map(|(h, c)| (h.name.as_str(), (h, c))).collect();
        let hosts = cluster
            .hosts
            .iter()
            .map(|host| match known.get(host.name.as_str()) {
                Some((same, connection)) if target(same) == target(host) => Arc::clone(connection),
                _ => Arc::new(connection(host, &self.shared)),
            })
            .collect();
        Self {
            cluster,
            settings: self.settings,
            events: self.events.clone(),
            shared: self.shared.clone(),
            hosts,
            interrupt: self.interrupt.clone(),
        }
    }

    /// Tells whether the user wants an end.
    pub(crate) fn is_interrupted(&self) -> bool {
        *self.interrupt.borrow()
    }

    /// Does something that can be left at any point.
    ///
    /// # Errors
    /// Where the user interrupts it.
    pub async fn unless_interrupted<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let mut interrupt = self.interrupt.clone();
        let interrupted = async {
            if interrupt.wait_for(|is| *is).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            value = work => Ok(value),
            () = interrupted => Err(Error::new(Kind::Interrupted, "interrupted; nothing changed")),
        }
    }

    /// Sends events elsewhere from now on, so that the consumer of those so far comes to its end.
    pub fn redirect(&self, events: Events) {
        *self.events.lock().unwrap_or_else(PoisonError::into_inner) = events;
    }

    /// Tells the consumer of events something.
    pub(crate) fn emit(&self, event: Event) {
        // Nobody listening is no reason to stop.
        let _ = self.events.lock().unwrap_or_else(PoisonError::into_inner).send(event);
    }

    /// Returns the way to a host of the cluster.
    pub(crate) fn handle(&self, index: usize) -> HostHandle {
        let host = &self.cluster.hosts[index];
        HostHandle {
            index: Some(index),
            name: host.name.clone(),
            connection: self.hosts[index].clone(),
            folders: Folders::of(&self.cluster.name, host),
            zeek: format!("{}/bin/zeek", host.prefix),
        }
    }

    /// Returns the ways to several hosts.
    pub(crate) fn handles(&self, hosts: impl IntoIterator<Item = usize>) -> Vec<HostHandle> {
        hosts.into_iter().map(|i| self.handle(i)).collect()
    }

    /// Returns the way to a host that left the description.
    pub(crate) fn foreign(&self, host: &cluster::Former) -> HostHandle {
        HostHandle {
            index: None,
            name: host.name.clone(),
            connection: {
                let way = way(host.local, host.address.map(|address| (host.name.as_str(), address)), &host.ssh);
                Arc::new(Connection::new(way, &self.shared).named(&host.name))
            },
            folders: Folders::of_former(&self.cluster.name, host),
            zeek: format!("{}/bin/zeek", host.prefix),
        }
    }

    /// Returns the hosts that are not disabled.
    pub(crate) fn enabled(&self) -> Vec<usize> {
        (0..self.hosts.len()).filter(|i| self.cluster.hosts[*i].enabled).collect()
    }

    /// Returns the enabled hosts that a selection means: of all nodes, those without nodes as well, on which something may
    /// run that has no place there any more.
    pub(crate) fn selected_hosts(&self, selection: &Selection) -> Vec<usize> {
        if selection.is_all() {
            return self.enabled();
        }
        selection.hosts(&self.cluster).into_iter().filter(|i| self.cluster.hosts[*i].enabled).collect()
    }

    /// Does something with several hosts, a bounded number at a time; tells when each one begins and ends, and how. Returns
    /// what came of it in the order of the handles.
    pub(crate) async fn each<T, W, F>(
        &self,
        phase: &'static str,
        handles: Vec<HostHandle>,
        work: W,
    ) -> Vec<(HostHandle, T)>
    where
        W: Fn(HostHandle) -> F,
        F: Future<Output = T>,
        T: HostAnswer,
    {
        self.emit(Event::Phase { name: phase, total: handles.len() });
        let work = &work;
        let mut answers: Vec<(usize, (HostHandle, T))> = futures_util::stream::iter(handles.into_iter().enumerate())
            .map(|(place, handle)| async move {
                self.emit(Event::HostBegins { host: handle.name.clone() });
                let answer = work(handle.clone()).await;
                self.emit(Event::HostEnds { host: handle.name.clone(), failure: answer.failure() });
                (place, (handle, answer))
            })
            .buffer_unordered(self.settings.parallel.max(1))
            .collect()
            .await;
        answers.sort_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    /// Asks several hosts one question each, which changes nothing: what a script answers, as `read` understands it.
    pub(crate) async fn probe<'a, T>(
        &self,
        phase: &'static str,
        handles: Vec<HostHandle>,
        script: impl Fn(&HostHandle) -> RemoteScript<'a>,
        read: impl Fn(&ScriptOutput) -> Result<T, String>,
    ) -> Vec<(HostHandle, Result<T, String>)> {
        let (script, read) = (&script, &read);
        self.each(phase, handles, |handle| async move {
            let output = handle.connection.run(script(&handle)).await.map_err(|failure| failure.text())?;
            read(&output)
        })
        .await
    }

    /// Looks briefly at several hosts.
    pub(crate) async fn observe(&self, handles: Vec<HostHandle>) -> Vec<(HostHandle, Result<Observed, Failure>)> {
        self.each("observing", handles, |handle| async move { self.observe_one(&handle).await }).await
    }

    /// Looks at all that a deploy needs to know of several hosts.
    pub(crate) async fn observe_fully(
        &self,
        handles: Vec<HostHandle>,
    ) -> Vec<(HostHandle, Result<FullObserved, Failure>)> {
        let script = || RemoteScript::new(scripts::OBSERVE_ALL, READING).silence(self.silence());
        self.each("observing", handles, |handle| {
            let script = script();
            async move { looked(&handle, script, FullObserved::parse).await }
        })
        .await
    }

    /// Looks briefly at one host: one round trip.
    pub(crate) async fn observe_one(&self, handle: &HostHandle) -> Result<Observed, Failure> {
        looked(handle, RemoteScript::new(scripts::OBSERVE, self.settings.question), Observed::parse).await
    }

    /// How long a host that is at work may give no sign of it.
    pub(crate) fn silence(&self) -> Duration {
        self.settings.question.max(LEAST_SILENCE)
    }

    /// Ends connections that are not to stay open.
    pub async fn close(&self) {
        futures_util::future::join_all(self.hosts.iter().map(|h| h.close())).await;
    }
}

/// Runs one of the scripts that look at a host, and reads its answer.
async fn looked<T>(
    handle: &HostHandle,
    script: RemoteScript<'_>,
    parse: impl Fn(&[String]) -> Result<T, Malformed>,
) -> Result<T, Failure> {
    let script = script.arg(&handle.folders.home).arg(&handle.folders.spool).arg(&handle.zeek);
    let reply = handle.connection.run(script).await?;
    understood(parse(&reply.lines), &reply)
}

/// What a host answered that a reader understood or not.
pub(crate) fn understood<T>(read: Result<T, Malformed>, reply: &ScriptOutput) -> Result<T, Failure> {
    read.map_err(|malformed| Failure::new(HostFailure::Other, malformed.because_of(&reply.stderr)))
}

/// Makes the error of hosts that did not answer: their names stand between `before` and `after`, their reasons below.
pub(crate) fn unreachable(before: &str, after: &str, failures: &[(String, Failure)]) -> Error {
    let names: Vec<&str> = failures.iter().map(|(name, _)| name.as_str()).collect();
    let mut error = Error::failed(format!("{before} {}{after}", names.join(", ")));
    for (name, failure) in failures {
        error = error.because(format!("{name}: {}", failure.text()));
        if let Some(hint) = failure.hint(name) {
            error = error.hint(hint);
        }
    }
    error
}

/// Makes the error of an operation that failed on some hosts, each with its reason; none if it failed on none.
pub(crate) fn require_all(what: &str, answers: Vec<(HostHandle, Result<(), String>)>) -> Result<(), Error> {
    let failed = answers.into_iter().filter_map(|(handle, answer)| Some(format!("{}: {}", handle.name, answer.err()?)));
    let error =
        failed.fold(None, |error: Option<Error>, why| Some(error.unwrap_or_else(|| Error::failed(what)).because(why)));
    error.map_or(Ok(()), Err)
}

/// Tells of what is done on hosts, as long as there is anybody to tell.
fn observer(events: &Arc<Mutex<Events>>) -> Observer {
    // Connections may outlast the command that the events are for.
    let events = Arc::downgrade(events);
    Observer::new(move |done| {
        let Some(events) = events.upgrade() else { return };
        let event = Event::Ran {
            host: done.host.to_owned(),
            what: done.what.to_lowercase().replace('_', "-"),
            args: done.args.to_vec(),
            seconds: done.took.as_secs_f64(),
            failure: done.failure.clone(),
        };
        // Nobody listening is no reason to stop.
        let _ = events.lock().unwrap_or_else(PoisonError::into_inner).send(event);
    })
}

fn connection(host: &cluster::Host, shared: &Shared) -> Connection {
    Connection::new(target(host), shared).named(&host.name)
}

fn target(host: &cluster::Host) -> Target {
    way(host.local, Some((&host.name, host.address)), &host.ssh)
}

/// How a host is reached; `named` is the name and the address that the description has of it.
fn way(local: bool, named: Option<(&str, IpAddr)>, ssh: &cluster::Ssh) -> Target {
    if local {
        return Target::Local;
    }
    // Without its zone.
    let address: Option<IpAddr> = ssh.host.split('%').next().and_then(|text| text.parse().ok());
    Target::Ssh(Box::new(SshTarget {
        // What the description sets in `ssh.host` is what ssh is given.
        name: named.filter(|(_, known)| address == Some(*known)).map(|(name, _)| name.to_owned()),
        host: ssh.host.clone(),
        user: ssh.user.clone(),
        port: ssh.port,
        identity: ssh.identity.as_ref().map(Into::into),
        config: ssh.config.as_ref().map(Into::into),
        jump: ssh.jump.clone(),
        known_hosts: ssh.known_hosts.as_ref().map(Into::into),
        persist: ssh.persist,
        connect_timeout: ssh.connect_timeout,
    }))
}
