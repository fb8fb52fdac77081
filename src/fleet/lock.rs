//! The lock on each host that an operation touches. Its life is that of a remote `sh` waiting on its channel, so a
//! clusterctl that dies frees its locks; the journal stays and tells how far it came.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::hosts::{Fleet, HostHandle};
use crate::error::{Error, Kind};
use crate::observed::OperationKind;
use crate::scripts;
use crate::transport::{self, Failure, RemoteScript, ScriptOutput};

/// The longest that an operation may hold its locks.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How long an ended connection may take to be seen here.
const LOST: Duration = Duration::from_secs(5);

/// Locks on several hosts; dropping them frees the hosts and leaves the journals.
pub(crate) struct Locks {
    operation: Operation,
    question: Duration,
    held: BTreeMap<String, Mutex<HostLock>>,
}

/// The uptime of a host when it last told it, and ours at that moment, in seconds. No user changes these clocks, and both
/// go on while a machine sleeps.
type Clock = Arc<Mutex<Option<(f64, f64)>>>;

/// A lock on one host, and the channel that carries its journal.
struct HostLock {
    handle: HostHandle,
    journal: mpsc::UnboundedSender<Vec<u8>>,
    task: tokio::task::JoinHandle<()>,
    /// Lines that a lock whose connection was gone could not take; the next one writes them.
    missed: Vec<String>,
    clock: Clock,
    /// Which operation had done something there last, when the host was locked first.
    before: String,
}

/// The clock that goes on while this machine sleeps, as `clock_gettime(2)` has it.
#[cfg(target_os = "linux")]
const SLEEPLESS: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const SLEEPLESS: ClockId = ClockId::Monotonic;

/// Seconds since some moment before this process began, which nobody sets.
fn uptime() -> f64 {
    let now = clock_gettime(SLEEPLESS);
    #[expect(clippy::cast_precision_loss, reason = "seconds of a machine's life")]
    let seconds = now.tv_sec as f64 + now.tv_nsec as f64 / 1e9;
    seconds
}

/// Why a step was not done on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StepError {
    /// Its lock was lost, and another operation has run there in the meantime: nothing of ours may be done there any more.
    Superseded,
    /// Something else; what, in words.
    Failed(String),
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superseded => f.write_str("another operation has run there in the meantime"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl From<StepError> for String {
    fn from(error: StepError) -> Self {
        error.to_string()
    }
}

/// Who does what, for the lock and the journal.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// An id of its own.
    pub(crate) id: String,
    /// Who, from where, what and when, in one line.
    pub(crate) holder: String,
    pub(crate) who: String,
    /// What it does.
    pub(crate) kind: OperationKind,
    /// When it began, in seconds since 1970 by the operator's clock.
    pub(crate) time: i64,
}

/// Why a lock could not be had.
enum Refused {
    /// Somebody else holds it: who.
    Locked(String),
    /// It was ours, and another operation has run there in the meantime.
    Superseded,
    /// The host could not be asked, or could not do it; and whether it was reached.
    Failed(String, bool),
}

/// The error of a host that is locked by another operation. A host that the description does not have has no selector.
pub(crate) fn locked(host: &str, holder: &str, is_described: bool) -> Error {
    let ends = "wait until that operation ends; its lock ends with it";
    let hint = if is_described { format!("{ends}; if it hangs: clusterctl unlock @{host}") } else { ends.to_owned() };
    Error::new(Kind::Locked, format!("{host} is locked by another operation")).because(holder).hint(hint)
}

impl Refused {
    fn error(self) -> StepError {
        match self {
            Self::Superseded => StepError::Superseded,
            Self::Locked(why) | Self::Failed(why, _) => StepError::Failed(why),
        }
    }
}

fn not_taken() -> StepError {
    StepError::Failed("it was not locked".to_owned())
}

/// Who runs this command: as the environment says, or else the system's list of users.
fn user() -> String {
    let said = ["USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    let looked_up = || Some(uzers::get_user_by_uid(uzers::get_current_uid())?.name().to_string_lossy().into_owned());
    // It becomes a word of a line on each host.
    let usable = |name: &String| !name.is_empty() && !name.contains(|c: char| c.is_control() || c.is_whitespace());
    let uid = || format!("uid-{}", uzers::get_current_uid());
    said.chain(std::iter::once_with(looked_up).flatten()).find(usable).unwrap_or_else(uid)
}

impl Operation {
    /// Names an operation that begins now.
    pub(crate) fn new(kind: OperationKind) -> Self {
        let now = jiff::Timestamp::now();
        let user = user();
        let name = rustix::system::uname();
        let host = name.nodename().to_string_lossy();
        let pid = std::process::id();
        let who = format!("{user}@{}", host.trim());
        Self {
            id: format!("{}-{pid}", now.as_millisecond()),
            holder: format!("{who} (pid {pid}): {}, since {now:.0}", kind.name()),
            who,
            kind,
            time: now.as_second(),
        }
    }
}

/// Who runs this command, and where.
pub(crate) fn who() -> String {
    format!("{}@{}", user(), rustix::system::uname().nodename().to_string_lossy().trim())
}

type Answered = oneshot::Receiver<Result<String, Failure>>;

/// Asks one host for its lock; the answer comes later. A lost lock is taken again only if no other operation has run
/// there since: `before` is the last operation when it was taken first.
fn ask(handle: &HostHandle, operation: &Operation, before: Option<String>) -> (HostLock, Answered) {
    let host = handle.connection.clone();
    let (journal, later) = mpsc::unbounded_channel();
    let (answer, answered) = oneshot::channel::<Result<String, Failure>>();
    let call =
        RemoteScript::new(scripts::LOCK, LONGEST).arg(&handle.folders.home).arg(&operation.id).arg(&operation.holder);
    let call = call.arg(before.as_deref().unwrap_or("first"));
    let in_history = if operation.kind == OperationKind::Check { "" } else { operation.kind.name() };
    let call = call.arg(in_history).arg(&operation.who);
    let clock = Clock::default();
    let told = clock.clone();
    let task = tokio::spawn(async move {
        let answer = Mutex::new(Some(answer));
        let tell = |result| {
            if let Ok(mut slot) = answer.lock()
                && let Some(answer) = slot.take()
            {
                // Nobody waits any more: then the lock is freed with the channel.
                let _ = answer.send(result);
            }
        };
        let mut call = call.on_line(|line| {
            // With the lock, and with each beat after it.
            if let Some(up) = line.split(' ').nth(1).and_then(|up| up.parse().ok()) {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some((up, uptime()));
            }
            tell(Ok(line.to_owned()));
        });
        call.later = Some(later);
        let ended = host.run(call).await;
        match ended {
            Err(failure) => tell(Err(failure)),
            Ok(reply) => {
                let last = reply.stderr.lines().last().unwrap_or_default().to_owned();
                tell(Ok(format!("fail the lock's script ended: {last}")));
            }
        }
    });
    (
        HostLock {
            handle: handle.clone(),
            journal,
            task,
            missed: Vec::new(),
            clock,
            before: before.unwrap_or_default(),
        },
        answered,
    )
}

/// Waits for a host's answer; returns which operation has done something there last.
async fn answer(answered: Answered, limit: Instant) -> Result<String, Refused> {
    match tokio::time::timeout_at(limit, answered).await {
        Ok(Ok(Ok(line))) => match line.split_once(' ').unwrap_or((&line, "")) {
            ("locked", rest) => Ok(rest.split_once(' ').map_or("-", |(_, last)| last).to_owned()),
            ("held", holder) => Err(Refused::Locked(holder.split_once(' ').map_or(holder, |(_, h)| h).to_owned())),
            ("beaten", _) => Err(Refused::Superseded),
            (_, why) => Err(Refused::Failed(why.to_owned(), true)),
        },
        Ok(Ok(Err(failure))) => Err(Refused::Failed(failure.text(), false)),
        _ => Err(Refused::Failed("no answer in time".to_owned(), false)),
    }
}

impl Locks {
    /// Takes the lock of every host; where one is held by somebody else, those taken are freed again.
    pub(crate) async fn take(fleet: &Fleet, handles: &[HostHandle], operation: &Operation) -> Result<Self, Error> {
        let (locks, lost) = Self::take_those(fleet, handles, operation).await?;
        match lost.into_iter().next() {
            None => Ok(locks),
            Some((name, why)) => {
                locks.release().await;
                Err(Error::failed(format!("cannot lock {name}; nothing changed")).because(why))
            }
        }
    }

    /// As [`Locks::take`], but hosts that can't be reached are returned with their reasons.
    pub(crate) async fn take_those(
        fleet: &Fleet,
        handles: &[HostHandle],
        operation: &Operation,
    ) -> Result<(Self, Vec<(String, String)>), Error> {
        Self::take_some(fleet, handles, operation, false).await
    }

    /// As [`Locks::take_those`], but also without those that were reached and can't be locked: a full disk there keeps
    /// nobody else from being stopped.
    pub(crate) async fn take_where_possible(
        fleet: &Fleet,
        handles: &[HostHandle],
        operation: &Operation,
    ) -> Result<(Self, Vec<(String, String)>), Error> {
        Self::take_some(fleet, handles, operation, true).await
    }

    async fn take_some(
        fleet: &Fleet,
        handles: &[HostHandle],
        operation: &Operation,
        lenient: bool,
    ) -> Result<(Self, Vec<(String, String)>), Error> {
        transport::room_for(handles.len());
        let mut held = BTreeMap::new();
        let mut waiting = Vec::new();
        for handle in handles {
            let (lock, answered) = ask(handle, operation, None);
            held.insert(handle.name.clone(), Mutex::new(lock));
            waiting.push((handle, answered));
        }
        let mut locks = Self { operation: operation.clone(), question: fleet.settings.question, held };
        let mut lost = Vec::new();
        let mut problem: Option<Error> = None;
        // They were all asked at once, so one deadline is enough.
        let limit = Instant::now() + fleet.settings.question + transport::queueing(handles.len());
        for (handle, answered) in waiting {
            let name = handle.name.clone();
            let error = match answer(answered, limit).await {
                Ok(operation) => {
                    if let Some(slot) = locks.held.get_mut(&name) {
                        slot.get_mut().unwrap_or_else(PoisonError::into_inner).before = operation;
                    }
                    continue;
                }
                Err(Refused::Locked(holder)) => locked(&name, &holder, handle.index.is_some()),
                Err(Refused::Failed(why, reached)) if lenient || !reached => {
                    locks.held.remove(&name);
                    lost.push((name, why));
                    continue;
                }
                Err(refused) => Error::failed(format!("cannot lock {name}; nothing changed")).because(refused.error()),
            };
            problem.get_or_insert(error);
        }
        match problem {
            None => Ok((locks, lost)),
            Some(error) => {
                locks.release().await;
                Err(error)
            }
        }
    }

    /// Makes sure that a host's lock is still ours, before a step: one whose connection broke is taken again.
    ///
    /// # Errors
    /// Where it is somebody else's by now, or can't be had; why.
    async fn ensure(&self, handle: &HostHandle) -> Result<(), StepError> {
        let Some(slot) = self.held.get(&handle.name) else { return Err(not_taken()) };
        let before = {
            let held = slot.lock().unwrap_or_else(PoisonError::into_inner);
            if !held.task.is_finished() {
                return Ok(());
            }
            held.before.clone()
        };
        let (lock, answered) = ask(handle, &self.operation, Some(before));
        match answer(answered, Instant::now() + self.question).await {
            Ok(_) => {
                let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                for line in std::mem::take(&mut slot.missed) {
                    let _ = lock.journal.send(line.into_bytes());
                }
                *slot = lock;
                Ok(())
            }
            Err(Refused::Locked(holder)) => {
                Err(StepError::Failed(format!("its lock was lost with the connection; it is now locked by {holder}")))
            }
            Err(refused) => Err(refused.error()),
        }
    }

    /// Runs a step that changes something on a host, whose script begins with `templates/guard.sh`: the lock is made
    /// sure of, and the step is done under it and in time, or not at all. What was not done is tried once more.
    ///
    /// # Errors
    /// Where the lock can't be had, or the host can't be asked; why.
    pub(crate) async fn step<'a>(
        &self,
        handle: &HostHandle,
        make: impl Fn() -> RemoteScript<'a>,
    ) -> Result<ScriptOutput, StepError> {
        let reply = self.guarded(handle, make()).await?;
        match reply.lines.iter().find_map(|l| l.strip_prefix("guard ")) {
            None => Ok(reply),
            Some(why) => {
                let Some(slot) = self.held.get(&handle.name) else { return Ok(reply) };
                if let Some(up) = why.strip_prefix("late ").and_then(|up| up.parse().ok()) {
                    // One of the two machines has slept, or stood still.
                    let clock = slot.lock().unwrap_or_else(PoisonError::into_inner).clock.clone();
                    *clock.lock().unwrap_or_else(PoisonError::into_inner) = Some((up, uptime()));
                } else {
                    // The host has seen the end of its connection before we have.
                    let limit = Instant::now() + LOST;
                    while Instant::now() < limit
                        && !slot.lock().unwrap_or_else(PoisonError::into_inner).task.is_finished()
                    {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
                self.guarded(handle, make()).await
            }
        }
    }

    async fn guarded(&self, handle: &HostHandle, mut call: RemoteScript<'_>) -> Result<ScriptOutput, StepError> {
        self.ensure(handle).await?;
        let clock = self.held.get(&handle.name).map(|s| s.lock().unwrap_or_else(PoisonError::into_inner).clock.clone());
        let clock = clock.and_then(|clock| *clock.lock().unwrap_or_else(PoisonError::into_inner));
        let Some((there, here)) = clock else { return Err(not_taken()) };
        let latest = there + (uptime() - here).max(0.0) + self.question.as_secs_f64();
        let guard = [handle.folders.home.clone(), self.operation.id.clone(), format!("{latest:.0}")];
        call.args.splice(0..0, guard);
        handle.connection.run(call).await.map_err(|failure| StepError::Failed(failure.text()))
    }

    /// The operation that holds them.
    pub(crate) fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Writes a line into every journal.
    pub(crate) fn note(&self, line: &str) {
        for name in self.held.keys() {
            self.note_on(name, line);
        }
    }

    /// Writes a line into one host's journal.
    pub(crate) fn note_on(&self, host: &str, line: &str) {
        let Some(slot) = self.held.get(host) else { return };
        let mut held = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("{line}\n");
        // A lock whose connection is gone has ended; the next step takes it again.
        if held.task.is_finished() || held.journal.send(line.clone().into_bytes()).is_err() {
            held.missed.push(line);
        }
    }

    /// Writes a line into one host's journal if an operation of before has left one there.
    pub(crate) fn note_if_unfinished(&self, host: &str, line: &str) {
        self.note_on(host, &format!("beside {line}"));
    }

    /// Frees all, and ends the journals of all hosts but these; returns those where that was not possible, and why.
    pub(crate) async fn finish(self, but: &BTreeSet<String>) -> Vec<(String, String)> {
        let all = &self;
        let ends = self.held.iter().filter(|(name, _)| !but.contains(*name)).map(|(name, slot)| {
            let handle = slot.lock().unwrap_or_else(PoisonError::into_inner).handle.clone();
            async move {
                // Its connection may have broken after its last step.
                let why = all.ensure(&handle).await.err();
                if why.is_none() {
                    all.note_on(name, "done");
                }
                why.map(|why| (name.clone(), why.into()))
            }
        });
        let unended = futures_util::future::join_all(ends).await.into_iter().flatten().collect();
        self.release().await;
        unended
    }

    /// Frees all at the end of an operation that has no journal of its own.
    pub(crate) async fn end(self) {
        self.note("ended");
        self.release().await;
    }

    /// Frees all; the journals stay.
    pub(crate) async fn release(self) {
        let ends = self.held.into_values().map(|slot| async move {
            let held = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
            drop(held.journal);
            let mut task = held.task;
            if tokio::time::timeout(Duration::from_secs(5), &mut task).await.is_err() {
                task.abort();
            }
        });
        futures_util::future::join_all(ends).await;
    }
}
