//! The description as it is written: plain types, every field optional. What is required, and what fits together, is
//! checked when it becomes a cluster.

use std::collections::BTreeSet;
use std::num::NonZeroU8;

use schemars::JsonSchema;
use serde::Deserialize;

use super::forms::{Archive, Env, GroupHosts, Listen, OrderedMap, StringList, table, tables};
use crate::error::Place;
use crate::values::{
    Address, Backend, ChecksumMode, Compress, CoreLimit, CpuList, Curve, FanoutMode, HostPath, Interval, LayoutInputs,
    Metrics, Name, Percent, Port, Redef, Restart, Role, RunnerKind, Size, StoreBackend, Version, ZeekValue,
};

/// A Zeek cluster, described for clusterctl.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Spec {
    /// The cluster's name.
    pub cluster: Option<Name>,
    /// Further files with `hosts` and `nodes`; globs relative to this file.
    pub include: StringList,
    /// What concerns Zeek itself.
    #[serde(deserialize_with = "table")]
    pub zeek: ZeekSpec,
    /// Folders on the hosts; a host may differ.
    #[serde(deserialize_with = "table")]
    pub paths: PathsSpec,
    /// The first ports of the ranges that nodes get their ports from.
    #[serde(deserialize_with = "table")]
    pub ports: PortsSpec,
    /// Where nodes listen for each other: `node` (default), `any` or an address; loopback if there is one host.
    pub listen: Option<Listen>,
    /// Where nodes serve metrics.
    #[serde(deserialize_with = "table")]
    pub metrics: MetricsSpec,
    /// Log rotation and archive.
    #[serde(deserialize_with = "table")]
    pub logs: LogsSpec,
    /// Limits of every node.
    #[serde(deserialize_with = "table")]
    pub limits: LimitsSpec,
    /// How long to wait for what.
    #[serde(deserialize_with = "table")]
    pub timeouts: TimeoutsSpec,
    /// How SSH reaches the hosts; what is not set here is decided by your own SSH configuration.
    #[serde(deserialize_with = "table")]
    pub ssh: SshSpec,
    /// What keeps nodes running: `process` (default) or `systemd`.
    pub runner: Option<RunnerKind>,
    /// Whether a node that ended by itself is started again: `on-crash` (default) or `never`.
    pub restart: Option<Restart>,
    /// Releases that stay on the hosts.
    #[serde(deserialize_with = "table")]
    pub releases: ReleasesSpec,
    /// Which entries of the layout restart a worker when they change: `minimal` (default) or `full`.
    pub layout: Option<LayoutInputs>,
    /// The machines, by name.
    #[serde(deserialize_with = "tables")]
    pub hosts: OrderedMap<HostSpec>,
    /// Machines that left `hosts`, by name, whose nodes a deploy is still to stop; needed only for those that could not
    /// be reached when they left.
    #[serde(deserialize_with = "tables")]
    pub removed: OrderedMap<RemovedSpec>,
    /// Groups of nodes, by name.
    #[serde(deserialize_with = "tables")]
    pub nodes: OrderedMap<GroupSpec>,
    /// Places that could not be read; what is missing there is not missed.
    #[serde(skip)]
    #[schemars(skip)]
    pub broken: BTreeSet<Place>,
}

/// What an included file may hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(super) struct Part {
    /// Machines.
    #[serde(deserialize_with = "tables")]
    pub(super) hosts: OrderedMap<HostSpec>,
    /// Groups of nodes.
    #[serde(deserialize_with = "tables")]
    pub(super) nodes: OrderedMap<GroupSpec>,
}

/// Settings of Zeek.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct ZeekSpec {
    /// Zeek's install prefix on the hosts (default /opt/zeek); a host may differ.
    pub prefix: Option<HostPath>,
    /// Zeek's version; without it, it is read from the hosts. Needed to render a layout offline.
    pub version: Option<Version>,
    /// `broker` or `zeromq`; default: broker up to 8.0, zeromq from 8.1.
    pub backend: Option<Backend>,
    /// A folder, relative to this file, that is shipped to every host and comes first in ZEEKPATH.
    pub site: Option<String>,
    /// Globs below the site folder whose change restarts nothing.
    pub site_data: StringList,
    /// Scripts that every node loads, in this order.
    pub scripts: StringList,
    /// Further arguments of every node.
    pub args: StringList,
    /// Environment of every node.
    pub env: OrderedMap<Env>,
    /// Local networks with a comment each.
    pub local_networks: OrderedMap<Option<String>>,
    /// Options of the Cluster framework by their names without `Cluster::`.
    pub options: OrderedMap<ZeekValue>,
    /// Entries of `Cluster::stores` by the store's full name.
    #[serde(deserialize_with = "tables")]
    pub stores: OrderedMap<StoreSpec>,
    /// Redefinitions for every node.
    pub redefs: OrderedMap<Redef>,
    /// `global_hash_seed`, equal on all nodes; default: derived from the cluster's name.
    pub global_hash_seed: Option<String>,
    /// Whether ZeroMQ encrypts and authenticates with CURVE keys that clusterctl makes: `auto` (default: where there
    /// are several hosts, from Zeek 8.2 on), `on` or `off`.
    pub curve: Option<Curve>,
    /// Certificates with which Broker's nodes authenticate each other; without it they encrypt alone.
    pub tls: Option<TlsSpec>,
    /// Accept ZeroMQ over several hosts without encryption (Zeek before 8.2 has none).
    pub accept_unencrypted_zeromq: Option<bool>,
}

/// Certificates of Broker's nodes, as PEM files on the operator's machine, relative to this file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct TlsSpec {
    /// The authorities whose certificates are accepted (`Broker::ssl_cafile`).
    pub ca: Option<String>,
    /// The certificate that all nodes show (`Broker::ssl_certificate`).
    pub certificate: Option<String>,
    /// Its private key (`Broker::ssl_keyfile`), as `{ file: PATH }` or `{ env: NAME }`.
    pub key: Option<Env>,
    /// The passphrase of the key (`Broker::ssl_passphrase`), as `{ file: PATH }` or `{ env: NAME }`.
    pub passphrase: Option<Env>,
}

/// An entry of `Cluster::stores`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct StoreSpec {
    /// The node that holds the master.
    pub master_node: Option<String>,
    /// `memory`, `sqlite` or `rocksdb`.
    pub backend: Option<StoreBackend>,
    /// Path of the database on the master's host.
    pub path: Option<HostPath>,
    /// How often a clone tries to find its master again.
    pub clone_resync_interval: Option<Interval>,
    /// When a clone that lost its master counts as stale.
    pub clone_stale_interval: Option<Interval>,
    /// How long a clone keeps changes for a master that is away.
    pub clone_mutation_buffer_interval: Option<Interval>,
}

/// Folders on hosts.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct PathsSpec {
    /// The folder for everything of clusterctl (default /var/lib/clusterctl).
    pub base: Option<HostPath>,
    /// The folder for working directories and logs; default: `base`.
    pub spool: Option<HostPath>,
}

/// First ports of ranges.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct PortsSpec {
    /// Nodes' ports begin here (default 27760): ZeroMQ +0 and +1, manager +2, loggers from +10, proxies from +50,
    /// workers from +200.
    pub base: Option<Port>,
    /// Metrics ports begin here (default 9991), by the same rule.
    pub metrics: Option<Port>,
    /// The manager's WebSocket port on its loopback address (default 27759).
    pub control: Option<Port>,
}

/// Settings of metrics.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct MetricsSpec {
    /// `loopback` (default), `node`, `any` or `off`.
    pub listen: Option<Metrics>,
}

/// Settings of logs.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct LogsSpec {
    /// The archive's folder on the hosts (default: `archive` below the cluster's spool folder), or `off`: rotated logs
    /// stay in the queue, for you to take away.
    pub archive: Option<Archive>,
    /// How often logs rotate (default 1h; 0: only when their node ends).
    pub rotate: Option<Interval>,
    /// When archived logs are deleted; without it, never.
    pub expire: Option<Interval>,
    /// How logs in the archive are compressed: `gzip` (default), `zstd` or `none`.
    pub compress: Option<Compress>,
    /// A log that waits longer for the archive makes `status` say `queue growing` (default 10m).
    pub late: Option<Interval>,
    /// `status` and `maintain` complain where less of a file system is free (default 5%).
    pub min_free: Option<Percent>,
}

/// Releases that stay on the hosts.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct ReleasesSpec {
    /// How many, the running one included (default 5); one that a node runs always stays.
    pub keep: Option<NonZeroU8>,
}

/// Limits of a node's process.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct LimitsSpec {
    /// Open files.
    pub nofile: Option<u64>,
    /// Size of core files: `unlimited`, or a size.
    pub core: Option<CoreLimit>,
    /// Memory.
    pub memory: Option<Size>,
    /// Niceness, from -20 (first) to 19 (last).
    pub nice: Option<i8>,
}

/// How long to wait for what.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct TimeoutsSpec {
    /// For a node to become ready (default 120s).
    pub ready: Option<Interval>,
    /// For a node to end after SIGTERM, before SIGKILL (default 60s).
    pub stop: Option<Interval>,
    /// For nodes to answer (default 5s).
    pub control: Option<Interval>,
}

/// How SSH reaches a host.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct SshSpec {
    /// The name or address for ssh, if it is not the host's `address`.
    pub host: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The port.
    pub port: Option<Port>,
    /// A private key file.
    pub identity: Option<String>,
    /// An SSH configuration file instead of your own.
    pub config: Option<String>,
    /// Jump hosts, as for `ssh -J`.
    pub jump: Option<String>,
    /// A `known_hosts` file.
    pub known_hosts: Option<String>,
    /// How long a connection stays open between commands (default 60s; 0 turns it off).
    pub persist: Option<Interval>,
    /// How long to wait for a connection (default 10s).
    pub connect_timeout: Option<Interval>,
}

/// A machine.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct HostSpec {
    /// Its IP address, as other nodes reach it.
    pub address: Option<Address>,
    /// Whether it is this machine, used without SSH.
    pub local: Option<bool>,
    /// Whether it is touched at all (default true); its nodes stand in the layout either way.
    pub enabled: Option<bool>,
    /// Zeek's install prefix there.
    pub prefix: Option<HostPath>,
    /// Folders there.
    #[serde(deserialize_with = "table")]
    pub paths: PathsSpec,
    /// How SSH reaches it.
    #[serde(deserialize_with = "table")]
    pub ssh: SshSpec,
    /// Environment of the nodes there.
    pub env: OrderedMap<Env>,
    /// The zone of an IPv6 link-local address.
    pub zone_id: Option<String>,
}

/// A machine that left `hosts`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct RemovedSpec {
    /// Its IP address, if `ssh.host` does not say where it is.
    pub address: Option<Address>,
    /// Whether it is asked at all (default true); `false` if it is gone for good.
    pub enabled: Option<bool>,
    /// Zeek's install prefix there.
    pub prefix: Option<HostPath>,
    /// Folders there.
    #[serde(deserialize_with = "table")]
    pub paths: PathsSpec,
    /// How SSH reaches it.
    #[serde(deserialize_with = "table")]
    pub ssh: SshSpec,
}

/// Nodes of one kind, on one host or several.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct GroupSpec {
    /// `manager`, `logger`, `proxy`, `worker`, `standalone`; `time_machine` and `control` stand in the layout only.
    #[serde(rename = "type")]
    pub role: Option<Role>,
    /// The host; not needed if there is only one.
    pub host: Option<String>,
    /// The hosts: a list, or a mapping to the settings that differ there.
    pub hosts: Option<GroupHosts<MemberSpec>>,
    /// How many nodes on each host.
    pub count: Option<u32>,
    /// The index of the first node on each host (default 1).
    pub first_index: Option<u32>,
    /// The interface that workers capture on. `{index}` and `{index0}` stand for the node's index on its host and one
    /// less, `{group_index}` and `{group_index0}` for its place within the group there, from 1 and from 0; a brace that
    /// means itself is doubled.
    pub interface: Option<String>,
    /// The CPUs, one for each node in order; where there are fewer of them, nodes share them.
    pub pin_cpus: Option<CpuList>,
    /// `AF_PACKET` settings.
    #[serde(deserialize_with = "table")]
    pub af_packet: AfPacketSpec,
    /// The port of the first node on each host; further ones follow.
    pub port: Option<Port>,
    /// The metrics port of the first node on each host; further ones follow.
    pub metrics_port: Option<Port>,
    /// Environment.
    pub env: OrderedMap<Env>,
    /// Scripts of these nodes, after those of every node.
    pub scripts: StringList,
    /// Further arguments.
    pub args: StringList,
    /// Redefinitions.
    pub redefs: OrderedMap<Redef>,
    /// Limits.
    #[serde(deserialize_with = "table")]
    pub limits: LimitsSpec,
}

/// What differs for a group's nodes on one host.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct MemberSpec {
    /// How many nodes.
    pub count: Option<u32>,
    /// The index of the first node.
    pub first_index: Option<u32>,
    /// The interface.
    pub interface: Option<String>,
    /// The CPUs, one for each node in order.
    pub pin_cpus: Option<CpuList>,
    /// `AF_PACKET` settings.
    #[serde(deserialize_with = "table")]
    pub af_packet: AfPacketSpec,
    /// The port of the first node; further ones follow.
    pub port: Option<Port>,
    /// The metrics port of the first node; further ones follow.
    pub metrics_port: Option<Port>,
    /// Environment.
    pub env: OrderedMap<Env>,
    /// Scripts.
    pub scripts: StringList,
    /// Further arguments.
    pub args: StringList,
    /// Redefinitions.
    pub redefs: OrderedMap<Redef>,
    /// Limits.
    #[serde(deserialize_with = "table")]
    pub limits: LimitsSpec,
}

/// `AF_PACKET` settings (Zeek's scripts/init.zeek of the plugin `Zeek::AF_Packet`).
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct AfPacketSpec {
    /// Size of the ring buffer.
    pub buffer_size: Option<Size>,
    /// Size of a block, a multiple of the page size.
    pub block_size: Option<Size>,
    /// How long a block waits to be filled.
    pub block_timeout: Option<Interval>,
    /// Whether to use the card's timestamps.
    pub enable_hw_timestamping: Option<bool>,
    /// Whether the workers share the packets.
    pub enable_fanout: Option<bool>,
    /// Whether the kernel reassembles IP fragments.
    pub enable_defrag: Option<bool>,
    /// How packets are shared: `FANOUT_HASH` and the like.
    pub fanout_mode: Option<FanoutMode>,
    /// The id of the sharing group; default: assigned by host and interface.
    pub fanout_id: Option<u16>,
    /// The link type's number.
    pub link_type: Option<u32>,
    /// How checksums are validated: `CHECKSUM_ON` and the like.
    pub checksum_validation_mode: Option<ChecksumMode>,
}
