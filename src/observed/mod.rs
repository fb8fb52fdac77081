//! What a host answered to `templates/observe.sh`, and to `templates/observe-all.sh` behind it: the types and their parser.
//! The lines come without their token; what they quote from files is other people's bytes and is never taken for more
//! than text.

mod altered;
mod cpus;
mod host;
mod journal;
mod limits;
mod node;
mod path_owners;
mod pending;
mod reader;
pub mod stored;
#[cfg(test)]
mod tests;
mod unmanaged;

pub use altered::{Alteration, Altered};
pub use cpus::HostCpus;
pub use host::{FullObserved, MOST_LEFT, Observed, Queue, StoredRelease, Systemd, Wrong};
pub use journal::{OperationKind, Unfinished};
pub use limits::is_manifest_line;
pub use node::{Desired, Exit, ObservedNode, Process, RestartAction, ZeekBinary};
pub use path_owners::{Component, Flaw};
pub use pending::{RemovedHost, SshDestination};
pub use reader::Malformed;
pub use stored::Stored;
pub use unmanaged::{Origin, Owner, UnmanagedProcess};
