//! The lock on each host that an operation touches. Its life is that of a remote `sh` waiting on its channel, so a
//! clusterctl that dies frees its locks; the journal stays and tells how far it came.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::fleet::{Fleet, Seat};
use crate::error::{Error, Kind};
use crate::transport::{Call, Failure};

const LOCK: &str = concat!(
    include_str!("../../templates/say.sh"),
    include_str!("../../templates/lib.sh"),
    include_str!("../../templates/lock.sh")
);

/// The longest that an operation may hold its locks.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Locks on several hosts; dropping them frees the hosts and leaves the journals.
pub(super) struct Locks {
    held: Vec<Held>,
}

struct Held {
    journal: mpsc::UnboundedSender<Vec<u8>>,
    task: tokio::task::JoinHandle<()>,
}

/// Who does what, for the lock and the journal.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    /// An id of its own.
    pub(super) id: String,
    /// Who, from where, what and when, in one line.
    pub(super) holder: String,
}

impl Operation {
    /// Names an operation that begins now.
    pub(super) fn new(command: &str) -> Self {
        let now = jiff::Timestamp::now();
        let user =
            std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "somebody".to_owned());
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let pid = std::process::id();
        Self {
            id: format!("{}-{pid}", now.as_millisecond()),
            holder: format!("{user}@{} (pid {pid}): {command}, since {now:.0}", host.trim()),
        }
    }
}

impl Locks {
    /// Takes the lock of every host; where one is held by somebody else, those taken are freed again.
    pub(super) async fn take(fleet: &Fleet, seats: &[Seat], operation: &Operation) -> Result<Self, Error> {
        let mut held = Vec::new();
        let mut waiting = Vec::new();
        for seat in seats {
            let (name, host) = (seat.name.clone(), seat.connection.clone());
            let home = seat.folders.home.clone();
            let (journal, later) = mpsc::unbounded_channel();
            let (answer, answered) = oneshot::channel::<Result<String, Failure>>();
            let operation = operation.clone();
            let task = tokio::spawn(async move {
                let answer = std::sync::Mutex::new(Some(answer));
                let tell = |result| {
                    if let Ok(mut slot) = answer.lock()
                        && let Some(answer) = slot.take()
                    {
                        // Nobody waits any more: then the lock is freed with the channel.
                        let _ = answer.send(result);
                    }
                };
                let mut call = Call::new(LOCK, LONGEST)
                    .arg(home)
                    .arg(operation.id)
                    .arg(operation.holder)
                    .on_line(|line| tell(Ok(line.to_owned())));
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
            held.push(Held { journal, task });
            waiting.push((name, answered));
        }
        let locks = Self { held };
        let mut problem: Option<Error> = None;
        // They were all asked at once, so one deadline is enough.
        let limit = tokio::time::Instant::now() + fleet.settings.question;
        for (name, answered) in waiting {
            let answer = tokio::time::timeout_at(limit, answered).await;
            let error = match answer {
                Ok(Ok(Ok(line))) => match line.split_once(' ').unwrap_or((&line, "")) {
                    ("locked", _) => continue,
                    ("held", holder) => Error::new(Kind::Locked, format!("{name} is locked by another operation"))
                        .because(holder.split_once(' ').map_or(holder, |(_, h)| h))
                        .hint("wait until it ends; a lock ends with the clusterctl that holds it"),
                    (_, why) => Error::failed(format!("can't lock {name}")).because(why),
                },
                Ok(Ok(Err(failure))) => Error::failed(format!("can't lock {name}")).because(failure.text()),
                _ => Error::failed(format!("can't lock {name}")).because("no answer in time"),
            };
            problem.get_or_insert(error);
        }
        match problem {
            None => Ok(locks),
            Some(error) => {
                locks.release(false).await;
                Err(error)
            }
        }
    }

    /// Writes a line into every journal.
    pub(super) fn note(&self, line: &str) {
        for held in &self.held {
            // A lock whose connection is gone has ended; its host is told by the next step.
            let _ = held.journal.send(format!("{line}\n").into_bytes());
        }
    }

    /// Frees all; `done` ends the journals too.
    pub(super) async fn release(self, done: bool) {
        if done {
            self.note("done");
        }
        for held in self.held {
            drop(held.journal);
            let mut task = held.task;
            if tokio::time::timeout(Duration::from_secs(5), &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}
