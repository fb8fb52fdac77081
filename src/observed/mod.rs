//! What a host answered to `templates/observe.sh`: the types and their parser. The lines come without their token;
//! what they quote from files is other people's bytes and is never taken for more than text.

mod altered;
mod cpus;
mod host;
mod journal;
mod limits;
mod node;
mod pending;
pub mod stored;
mod unmanaged;
mod ways;

pub use altered::{Alteration, Altered};
pub use cpus::HostCpus;
pub use host::{MOST_LEFT, Observed, Queue, StoredRelease, Wrong};
pub use journal::{OperationKind, Unfinished};
pub use limits::is_manifest_line;
pub use node::{Desired, Exit, ObservedNode, Process, RestartAction, ZeekBinary};
pub use pending::{RemovedHost, SshDestination};
pub use stored::Stored;
pub use unmanaged::{Origin, Owner, UnmanagedProcess};
pub use ways::{Component, Flaw};
