//! (Cluster, Observed, Release) -> Plan: which files change on which host, and what is done to which node, and why.
//! Pure.
//!
//! * `node`, `steps`: what is done to nodes, and what a plan consists of;
//! * `make`: making it;
//! * `files`: which files differ, each difference once for all hosts that have it, and the difference of texts;
//! * `reasons`: what is done to a node, and why, in words;
//! * `effects`: an upgrade of Zeek, a change of backend, and how logs are interrupted;
//! * `places`: where nodes run, and what runs where it has no place;
//! * `prevailing`: which release the cluster runs, by what its hosts say;
//! * `recorded`: a release's record on a host -> the cluster that it was;
//! * `rolling`: a plan without restarts, and restarts a few at a time;
//! * `unseen`: what it starts that may run on where nobody looks.

mod effects;
mod files;
mod make;
mod node;
mod places;
mod prevailing;
mod reasons;
mod recorded;
mod rolling;
mod steps;
#[cfg(test)]
pub(crate) mod tests;
mod unseen;

pub use effects::{BackendChange, LogFate, LogOutage, Upgrade};
pub use files::{After, Before, Change, FileChange, FileKind, OldText};
pub use node::{Action, Deployments, Found, NodePlan};
pub use places::{Astray, Folder, astray, elsewhere};
pub use prevailing::{currents, manager_first, prevailing};
pub use recorded::{Recorded, former, recorded};
pub use rolling::batches;
pub use steps::{Apart, HostPlan, Plan};
pub use unseen::{Blind, Unseen};
