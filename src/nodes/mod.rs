//! Starting and stopping nodes, and what became of them.
//!
//! From the top down, and nothing imports what stands above it:
//!
//! * `run`: `start`, `stop` and `restart`;
//! * `peers`: waiting until nodes that were started see each other;
//! * `tiers`: doing it, tier by tier;
//! * `archiver`: what archives the logs beside the nodes;
//! * `ports`: what else listens where nodes will;
//! * `task`: what is done to a node, and the order of tiers;
//! * `stderr_paths`: names that the user knows in what nodes wrote;
//! * `outcome`: what became of a node.

pub(crate) mod archiver;
mod outcome;
pub(crate) mod peers;
pub(crate) mod ports;
mod run;
pub(crate) mod stderr_paths;
mod task;
mod tiers;

pub use outcome::{NodeOutcome, Outcome, RunReport, RunsOn};
pub use run::{restart, start, stop};

pub(crate) use ports::is_in_the_way;
pub(crate) use task::NodeTask;
pub(crate) use tiers::{OnFailure, start_tasks, stop_tasks};
