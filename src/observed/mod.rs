//! What a host answered to `templates/observe.sh`, and to `templates/observe-all.sh` behind it, to `doctor.sh`, and to
//! `ports.sh`: the types and their parsers. The lines come without their token; what they quote from files is other people's bytes and is never taken for more
//! than text.

mod altered;
mod cpus;
mod host;
mod journal;
mod limits;
mod listener;
mod malformed;
mod node;
mod path_owners;
mod pending;
mod reader;
mod setup;
pub mod stored;
#[cfg(test)]
mod tests;
mod unmanaged;

pub use altered::{Alteration, Altered};
pub use cpus::HostCpus;
pub use host::{FullObserved, MOST_LEFT, Observed, Queue, StoredRelease, Systemd, Wrong};
pub use journal::{OperationKind, Unfinished};
pub use limits::{is_manifest_line, number};
pub use listener::Listener;
pub use malformed::{Malformed, fields, word_of};
pub use node::{Desired, Exit, ObservedNode, Process, RestartAction, ZeekBinary};
pub use path_owners::{Component, Flaw};
pub use pending::{RemovedHost, SshDestination};
pub use setup::{FolderSetup, HostSetup};
pub use stored::Stored;
pub use unmanaged::{Origin, Owner, ProcessFolder, UnmanagedProcess};
