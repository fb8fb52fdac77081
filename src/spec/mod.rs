//! YAML -> [`Spec`] with positions. One parser makes the tree with its places, one pass reads the types from it, and
//! every problem is told with its place.

mod decode;
mod description;
mod forms;
mod include;
mod load;
mod read;
mod scalar;
mod schema;
mod settings;
mod table;
mod tree;
mod types;
mod zeekctl_keys;

#[cfg(test)]
mod tests;

pub use description::Description;
pub use forms::{ArchiveSpec, EnvSpec, Listen, LogAge, OrderedMap, StringList};
pub use load::{load, parse};
pub use settings::Setting;
pub use types::{
    AfPacketSpec, GroupHosts, GroupSpec, HostSpec, LimitsSpec, LogsSpec, MachineSpec, MemberSpec, MetricsSpec,
    PathsSpec, PortsSpec, ReleasesSpec, Spec, SshSpec, StoreSpec, TimeoutsSpec, TlsSpec, ZeekSpec, schema,
};
