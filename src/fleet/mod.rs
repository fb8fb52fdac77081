//! The hosts of a cluster, and what all operations on them share: asking many at once, their locks, which nodes are
//! meant, what is told on the way.

mod ask;
mod event;
mod hosts;
mod lock;
mod select;
mod whose;

pub use event::{Event, Events};
pub use hosts::{Fleet, Settings};
pub use select::{Selection, candidates};

pub(crate) use ask::{Facts, enough, forbidden, gather, might_run, request, running, runs};
pub(crate) use hosts::{Detail, HostAnswer, HostHandle, all_well, unreachable};
pub(crate) use lock::{Locks, Operation, StepError, locked};
pub(crate) use whose::{manager_is_ours, only_ours};
