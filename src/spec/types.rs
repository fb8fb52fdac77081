//! The description as it is written: plain types, every field optional. What is required, and what fits together, is
//! checked when it becomes a cluster. The doc comments of fields are the descriptions of the schema.

use std::num::NonZeroU8;

use serde_json::{Value as Json, json};

use super::decode::{At, Decode, Form, Reader};
use super::forms::{ArchiveSpec, EnvSpec, Listen, LogAge, OrderedMap, StringList, entries};
use super::schema::Schemas;
use super::table::{Table, tables};
use crate::values::{
    Address, Backend, ChecksumMode, Compress, CoreLimit, CpuList, Curve, FanoutMode, HostPath, Interval, LayoutInputs,
    Metrics, Name, Percent, Port, Redef, Restart, Role, RunnerKind, Size, StoreBackend, Toggle, Version, ZeekValue,
};

tables! {
    /// A Zeek cluster, described for clusterctl.
    pub struct Spec {
        /// The cluster's name.
        cluster: Option<Name>,
        /// Further files with `hosts` and `nodes`; globs relative to this file.
        include: StringList,
        /// What concerns Zeek itself.
        zeek: ZeekSpec,
        /// Folders on the hosts; a host may differ.
        paths: PathsSpec,
        /// The first ports of the ranges that nodes get their ports from.
        ports: PortsSpec,
        /// Where nodes listen for each other: `node` (default), `any` or an address; loopback if there is one host.
        listen: Option<Listen>,
        /// Where nodes serve metrics.
        metrics: MetricsSpec,
        /// Log rotation and archive.
        logs: LogsSpec,
        /// Limits of every node.
        limits: LimitsSpec,
        /// What is watched of the traffic.
        checks: ChecksSpec,
        /// Programs that hear what a command is about to do, or has done; they run here and not on the hosts.
        hooks: HooksSpec,
        /// How long to wait for what.
        timeouts: TimeoutsSpec,
        /// How SSH reaches the hosts; what is not set here is decided by your own SSH configuration.
        ssh: SshSpec,
        /// What keeps nodes running: `process` (default) or `systemd`.
        runner: Option<RunnerKind>,
        /// Whether a node that ended by itself is started again: `on-crash` (default) or `never`.
        restart: Option<Restart>,
        /// Releases that stay on the hosts.
        releases: ReleasesSpec,
        /// Which entries of the layout restart a worker when they change: `minimal` (default) or `full`.
        layout: Option<LayoutInputs>,
        /// The machines, by name.
        hosts: OrderedMap<HostSpec>,
        /// Machines that left `hosts`, by name, whose nodes a deploy is still to stop; needed only for those that could
        /// not be reached when they left.
        removed: OrderedMap<MachineSpec>,
        /// Groups of nodes, by name.
        nodes: OrderedMap<GroupSpec>,
    }

    /// What an included file may hold.
    pub(super) struct Included {
        /// Machines.
        hosts: OrderedMap<HostSpec>,
        /// Groups of nodes.
        nodes: OrderedMap<GroupSpec>,
    }

    /// Settings of Zeek.
    pub struct ZeekSpec {
        /// Zeek's install prefix on the hosts (default /opt/zeek); a host may differ.
        prefix: Option<HostPath>,
        /// Zeek's version; without it, it is read from the hosts. Needed to render a layout offline.
        version: Option<Version>,
        /// `broker` or `zeromq`; default: broker up to 8.0, zeromq from 8.1.
        backend: Option<Backend>,
        /// A folder, relative to this file, that is shipped to every host and comes first in ZEEKPATH.
        site: Option<String>,
        /// Globs below the site folder whose change restarts nothing.
        site_data: StringList,
        /// Scripts that every node loads, in this order.
        scripts: StringList,
        /// Further arguments of every node.
        args: StringList,
        /// Environment of every node.
        env: OrderedMap<EnvSpec>,
        /// Local networks with a comment each.
        local_networks: OrderedMap<Option<String>>,
        /// Options of the Cluster framework by their names without `Cluster::`.
        options: OrderedMap<ZeekValue>,
        /// Entries of `Cluster::stores` by the store's full name.
        stores: OrderedMap<StoreSpec>,
        /// Redefinitions for every node.
        redefs: OrderedMap<Redef>,
        /// `global_hash_seed`, equal on all nodes; default: derived from the cluster's name.
        global_hash_seed: Option<String>,
        /// Whether ZeroMQ encrypts and authenticates with CURVE keys that clusterctl makes: `auto` (default: where
        /// there are several hosts, from Zeek 8.2 on), `on` or `off`.
        curve: Option<Curve>,
        /// Certificates with which Broker's nodes authenticate each other; without it they encrypt alone.
        tls: Option<TlsSpec>,
        /// Accept ZeroMQ over several hosts without encryption (Zeek before 8.2 has none).
        accept_unencrypted_zeromq: Option<bool>,
    }

    /// Certificates of Broker's nodes, as PEM files on the operator's machine, relative to this file.
    pub struct TlsSpec {
        /// The authorities whose certificates are accepted (`Broker::ssl_cafile`).
        ca: Option<String>,
        /// The certificate that all nodes show (`Broker::ssl_certificate`).
        certificate: Option<String>,
        /// Its private key (`Broker::ssl_keyfile`), as `{ file: PATH }` or `{ env: NAME }`.
        key: Option<EnvSpec>,
        /// The passphrase of the key (`Broker::ssl_passphrase`), as `{ file: PATH }` or `{ env: NAME }`.
        passphrase: Option<EnvSpec>,
    }

    /// An entry of `Cluster::stores`.
    pub struct StoreSpec {
        /// The node that holds the master.
        master_node: Option<String>,
        /// `memory`, `sqlite` or `rocksdb`.
        backend: Option<StoreBackend>,
        /// Path of the database on the master's host.
        path: Option<HostPath>,
        /// How often a clone tries to find its master again.
        clone_resync_interval: Option<Interval>,
        /// When a clone that lost its master counts as stale.
        clone_stale_interval: Option<Interval>,
        /// How long a clone keeps changes for a master that is away.
        clone_mutation_buffer_interval: Option<Interval>,
    }

    /// Folders on hosts.
    pub struct PathsSpec {
        /// The folder for everything of clusterctl (default /var/lib/clusterctl).
        base: Option<HostPath>,
        /// The folder for working directories and logs; default: `base`.
        spool: Option<HostPath>,
    }

    /// First ports of ranges.
    pub struct PortsSpec {
        /// Nodes' ports begin here (default 27760): ZeroMQ +0 and +1, manager +2, loggers from +10, proxies from +50,
        /// workers from +200.
        base: Option<Port>,
        /// Metrics ports begin here (default 9991), by the same rule.
        metrics: Option<Port>,
        /// The manager's WebSocket port on its loopback address (default 27759).
        control: Option<Port>,
    }

    /// Settings of metrics.
    pub struct MetricsSpec {
        /// `loopback` (default), `node`, `any` or `off`.
        listen: Option<Metrics>,
        /// The folder on hosts that `node_exporter`'s textfile collector reads: maintenance writes facts of the host
        /// there.
        textfile: Option<HostPath>,
    }

    /// Settings of logs.
    pub struct LogsSpec {
        /// The archive's folder on the hosts (default: `archive` below the cluster's spool folder), or `off`: rotated
        /// logs stay in the queue, for you to take away.
        archive: Option<ArchiveSpec>,
        /// How often logs rotate (default 1h; 0: only when their node ends).
        rotate: Option<Interval>,
        /// When archived logs are deleted; without it, never.
        expire: Option<LogAge>,
        /// How logs in the archive are compressed: `gzip` (default), `zstd` or `none`.
        compress: Option<Compress>,
        /// A log that waits longer for the archive makes `status` say `queue growing` (default 10m).
        late: Option<Interval>,
        /// `status` and `maintain` complain where less of a file system is free (default 5%).
        min_free: Option<Percent>,
    }

    /// Releases that stay on the hosts.
    pub struct ReleasesSpec {
        /// How many, the running one included (default 5); one that a node runs always stays.
        keep: Option<NonZeroU8>,
    }

    /// Limits of a node's process.
    pub struct LimitsSpec {
        /// Open files.
        nofile: Option<u64>,
        /// Size of core files: `unlimited`, or a size.
        core: Option<CoreLimit>,
        /// Memory.
        memory: Option<Size>,
        /// Niceness, from -20 (first) to 19 (last).
        nice: Option<i8>,
    }

    /// What is watched of the traffic.
    pub struct ChecksSpec {
        /// Whether nodes can be asked how good the traffic is: `on` (default) or `off`.
        traffic: Option<Toggle>,
    }

    /// Programs with their arguments, which run on this machine and get JSON on stdin, a minute, and no shell. A program
    /// with a `/` in its name is a path from the description's folder, any other one is looked up in PATH.
    pub struct HooksSpec {
        /// Before `deploy`, `rollback`, `resume` and `secrets rotate` change anything; if it fails, nothing changes.
        pre_deploy: StringList,
        /// After them, however they ended.
        post_deploy: StringList,
        /// Before `stop` and `restart`; if it fails, nothing changes.
        pre_stop: StringList,
        /// After `start` and `restart`.
        post_start: StringList,
    }

    /// How long to wait for what.
    pub struct TimeoutsSpec {
        /// For a node to become ready (default 120s).
        ready: Option<Interval>,
        /// For a node to end after SIGTERM, before SIGKILL (default 60s).
        stop: Option<Interval>,
        /// For nodes to answer (default 5s).
        control: Option<Interval>,
    }

    /// How SSH reaches a host.
    pub struct SshSpec {
        /// The name or address for ssh, if it is not the host's `address`.
        host: Option<String>,
        /// The user.
        user: Option<String>,
        /// The port.
        port: Option<Port>,
        /// A private key file.
        identity: Option<String>,
        /// An SSH configuration file instead of your own.
        config: Option<String>,
        /// Jump hosts, as for `ssh -J`.
        jump: Option<String>,
        /// A `known_hosts` file.
        known_hosts: Option<String>,
        /// How long a connection stays open between commands (default 60s; 0 turns it off).
        persist: Option<Interval>,
        /// How long to wait for a connection (default 10s).
        connect_timeout: Option<Interval>,
    }

    /// A machine: how clusterctl reaches it, and where things are there.
    pub struct MachineSpec {
        /// Its IP address, as other nodes reach it. A removed host needs none where `ssh.host` says where it is.
        address: Option<Address>,
        /// Whether clusterctl touches it at all (default true). The nodes of a host that it does not touch stand in the
        /// layout either way; a removed host that is gone for good has `false`.
        enabled: Option<bool>,
        /// Zeek's install prefix there.
        prefix: Option<HostPath>,
        /// Folders there.
        paths: PathsSpec,
        /// How SSH reaches it.
        ssh: SshSpec,
    }

    /// A machine that runs nodes.
    pub struct HostSpec {
        ..machine: MachineSpec,
        /// Whether it is this machine, used without SSH.
        local: Option<bool>,
        /// Environment of the nodes there.
        env: OrderedMap<EnvSpec>,
        /// The zone of an IPv6 link-local address.
        zone_id: Option<String>,
    }

    /// Nodes of one kind, on one host or several.
    pub struct GroupSpec {
        ..settings: MemberSpec,
        /// `manager`, `logger`, `proxy`, `worker`, `standalone`; `time_machine` and `control` stand in the layout only.
        role as "type": Option<Role>,
        /// The host; not needed if there is only one.
        host: Option<String>,
        /// The hosts: a list, or a mapping to the settings that differ there.
        hosts: Option<GroupHosts>,
    }

    /// Settings of a group's nodes, for the whole group or for one of its hosts.
    pub struct MemberSpec {
        /// How many nodes on each host.
        count: Option<u32>,
        /// The index of the first node on each host (default 1).
        first_index: Option<u32>,
        /// The interface that workers capture on. `{index}` and `{index0}` stand for the node's index on its host and
        /// one less, `{group_index}` and `{group_index0}` for its place within the group there, from 1 and from 0; a
        /// brace that means itself is doubled.
        interface: Option<String>,
        /// The CPUs, one for each node in order; where there are fewer of them, nodes share them.
        pin_cpus: Option<CpuList>,
        /// `AF_PACKET` settings.
        af_packet: AfPacketSpec,
        /// The port of the first node on each host; further ones follow.
        port: Option<Port>,
        /// The metrics port of the first node on each host; further ones follow.
        metrics_port: Option<Port>,
        /// Environment.
        env: OrderedMap<EnvSpec>,
        /// Scripts of these nodes, after those of every node.
        scripts: StringList,
        /// Further arguments.
        args: StringList,
        /// Redefinitions.
        redefs: OrderedMap<Redef>,
        /// Limits.
        limits: LimitsSpec,
    }

    /// `AF_PACKET` settings (Zeek's scripts/init.zeek of the plugin `Zeek::AF_Packet`).
    pub struct AfPacketSpec {
        /// Size of the ring buffer.
        buffer_size: Option<Size>,
        /// Size of a block, a multiple of the page size.
        block_size: Option<Size>,
        /// How long a block waits to be filled.
        block_timeout: Option<Interval>,
        /// Whether to use the card's timestamps.
        enable_hw_timestamping: Option<bool>,
        /// Whether the workers share the packets.
        enable_fanout: Option<bool>,
        /// Whether the kernel reassembles IP fragments.
        enable_defrag: Option<bool>,
        /// How packets are shared: `FANOUT_HASH` and the like.
        fanout_mode: Option<FanoutMode>,
        /// The id of the sharing group; default: assigned by host and interface.
        fanout_id: Option<u16>,
        /// The link type's number.
        link_type: Option<u32>,
        /// How checksums are validated: `CHECKSUM_ON` and the like.
        checksum_validation_mode: Option<ChecksumMode>,
    }
}

/// The hosts of a group: a list of names, or a mapping of names to settings that differ there.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupHosts {
    /// `[sensor1, sensor2]`
    List(Vec<String>),
    /// `{ sensor1: {}, sensor2: { count: 16 } }`
    Map(OrderedMap<MemberSpec>),
}

impl Decode for GroupHosts {
    fn decode(at: &At<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match at.form() {
            Form::Mapping(mapping) => Some(Self::Map(entries(at, mapping, reader))),
            Form::Text(_) | Form::List(_) => StringList::decode(at, reader).map(|StringList(hosts)| Self::List(hosts)),
            _ => reader.unexpected(at, "a list of hosts, or a mapping of hosts to their settings"),
        }
    }

    fn schema(schemas: &mut Schemas) -> Json {
        schemas.define("GroupHosts", |schemas| {
            json!({
                "description": "A list of hosts, or a mapping of hosts to the settings that differ there.",
                "type": ["array", "object", "string"],
                "items": { "type": "string" },
                "additionalProperties": MemberSpec::schema(schemas)
            })
        })
    }
}

/// Returns the JSON Schema of a description.
pub fn schema() -> Json {
    let mut schemas = Schemas::default();
    let properties = Spec::properties(&mut schemas);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A cluster of Zeek, described for clusterctl",
        "description": "A Zeek cluster, described for clusterctl.",
        "type": "object",
        "properties": properties,
        "patternProperties": { "^x-": {} },
        "additionalProperties": false,
        "$defs": schemas.into_map()
    })
}
