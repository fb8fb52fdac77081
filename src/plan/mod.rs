//! (Cluster, Observed, Release) -> Plan: which files change on which host, and what is done to which node, and why.
//! Pure.
//!
//! * `node`, `model`: what is done to nodes, and what a plan consists of;
//! * `make`: making it;
//! * `files`: which files differ, each difference once for all hosts that have it, and the difference of texts;
//! * `reasons`: what is done to a node, and why, in words;
//! * `effects`: an upgrade of Zeek, a change of backend, and how logs are interrupted;
//! * `misplaced`: where nodes run, and what runs where it has no place;
//! * `cluster_release`: which release the cluster runs, by what its hosts say;
//! * `stored_cluster`: a release's record on a host -> the cluster that it was;
//! * `rolling`: a plan without restarts, and restarts a few at a time;
//! * `saved`: a plan in a file, and what differs from it;
//! * `possible_duplicates`: what it starts that may run on where nobody looks.

mod cluster_release;
mod effects;
mod files;
mod make;
mod misplaced;
mod model;
mod node;
mod possible_duplicates;
mod reasons;
mod rolling;
mod saved;
mod stored_cluster;
#[cfg(test)]
pub(crate) mod tests;

pub use cluster_release::{cluster_release, current_releases, manager_first};
pub use effects::{BackendChange, LogFate, LogOutage, Upgrade};
pub use files::{After, Before, Change, FileChange, FileKind, RemoteText};
pub use misplaced::{Folder, Misplaced, elsewhere, misplaced};
pub use model::{Apart, HostPlan, Plan};
pub use node::{Action, Deployments, NodePlan, ObservedHosts};
pub use possible_duplicates::{NotObserved, PossibleDuplicate};
pub use rolling::batches;
pub use saved::{Contents, LARGEST_SAVED, SavedPlan};
pub use stored_cluster::{Recorded, former, recorded};
