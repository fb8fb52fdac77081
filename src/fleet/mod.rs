//! The hosts of a cluster, and what all operations on them share: asking many at once, their locks, which nodes are
//! meant, what is told on the way.

mod ask;
mod authenticity;
mod event;
mod facts;
mod hosts;
mod listen;
mod lock;
mod select;
#[cfg(test)]
mod tests;

pub use event::{Event, Events};
pub use hosts::{Fleet, Settings};
pub use select::{Selection, candidates, meaning_hosts};

pub(crate) use ask::{NodeAnswers, Rounds, Unasked, ask};
pub(crate) use facts::{Facts, running, runs};
pub(crate) use hosts::{HostAnswer, HostHandle, require_all, understood, unreachable};
pub(crate) use listen::{Round, listen};
pub(crate) use lock::{Locks, Operation, StepError, locked, who};
