//! The checked model of a cluster: every name, address, port and CPU resolved. Pure data.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Serialize;

use crate::values::Version;
pub use crate::values::{
    Backend, Compress, CoreLimit, Curve, LayoutInputs, Metrics, Redef, Restart, Role, RunnerKind, Toggle, ZeekValue,
};

/// A whole cluster, as the description means it. Hosts are sorted by name, nodes by [`Role`] and then by name in
/// natural order (`worker-2` before `worker-10`), so that the same description always gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cluster {
    pub name: String,
    /// What concerns Zeek itself.
    pub zeek: Zeek,
    /// What ports the cluster uses beside those of its nodes.
    pub ports: Ports,
    /// Where nodes serve metrics.
    pub metrics: Metrics,
    /// The folder on hosts into which maintenance writes facts for Prometheus. Hosts read it from a file of the release.
    #[serde(skip)]
    pub textfile: Option<String>,
    /// Where logs go.
    pub logs: Logs,
    /// What is watched of the traffic.
    pub checks: Checks,
    /// Programs on the operator's machine that hear of commands; none of a release's business.
    #[serde(skip)]
    pub hooks: Hooks,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// What keeps nodes running.
    pub runner: RunnerKind,
    /// Whether a node that ended by itself is started again (`restart: on-crash | never`).
    pub restart: Restart,
    /// How many releases stay on a host.
    pub keep: usize,
    /// Whether other nodes' entries of the layout are an input of a worker (`layout: full`).
    pub layout_inputs: LayoutInputs,
    /// All hosts, sorted by name.
    pub hosts: Vec<Host>,
    /// All nodes, sorted by role and name.
    pub nodes: Vec<Node>,
    /// What holds for a host of which the description says nothing. It has no name.
    #[serde(skip)]
    pub elsewhere: Former,
    /// Hosts that left the description, as it lists them (`removed`), sorted by name.
    #[serde(skip)]
    pub removed: Vec<Former>,
}

/// Programs that hear of commands, with their arguments; none where a list is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hooks {
    /// The description's folder, where they run and from which their paths begin.
    pub dir: PathBuf,
    pub pre_deploy: Vec<String>,
    pub post_deploy: Vec<String>,
    pub pre_stop: Vec<String>,
    pub post_start: Vec<String>,
}

/// Cluster-wide settings of Zeek.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Zeek {
    /// The version that the description names, if it does.
    pub version: Option<Version>,
    /// The backend that the description names; else the default of the version.
    pub backend: Option<Backend>,
    /// Whether ZeroMQ encrypts and authenticates (`zeek.curve`).
    pub curve: Curve,
    /// Certificates with which Broker's nodes authenticate each other (`zeek.tls`).
    pub tls: Option<Tls>,
    /// Whether the user accepts ZeroMQ without encryption over several hosts (`zeek.accept_unencrypted_zeromq`).
    pub accept_unencrypted_zeromq: bool,
    /// The site folder on the operator's machine, as an absolute path; none if there is none.
    pub site: Option<String>,
    /// Globs below the site folder whose change restarts nothing.
    pub site_data: Vec<String>,
    /// Scripts that every node loads, in this order.
    pub scripts: Vec<String>,
    /// Local networks with their comments.
    pub local_networks: Vec<(IpNet, String)>,
    /// Options of the Cluster framework by their names without `Cluster::`.
    pub options: BTreeMap<String, ZeekValue>,
    /// Entries of `Cluster::stores` by the store's full name.
    pub stores: BTreeMap<String, Store>,
    /// What `global_hash_seed` is, equal on all nodes: set by the user, or else derived from the cluster's name.
    pub global_hash_seed: String,
}

/// Where the certificates of Broker's nodes are found on the operator's machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tls {
    /// The authorities whose certificates are accepted.
    pub ca: EnvValue,
    /// The certificate that all nodes show.
    pub certificate: EnvValue,
    /// Its private key.
    pub key: EnvValue,
    /// The passphrase of the key.
    pub passphrase: Option<EnvValue>,
}

/// An entry of `Cluster::stores` (`Cluster::StoreInfo` in Zeek's base/frameworks/cluster/broker-stores.zeek).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Store {
    /// The node that holds the master.
    pub master_node: Option<String>,
    /// `memory`, `sqlite` or `rocksdb`.
    pub backend: Option<String>,
    /// Path of the database file, of `BackendOptions`.
    pub path: Option<String>,
    /// How often a clone tries to find its master again.
    pub clone_resync_interval: Option<Duration>,
    /// When a clone that lost its master counts as stale.
    pub clone_stale_interval: Option<Duration>,
    /// How long a clone keeps changes for a master that is away.
    pub clone_mutation_buffer_interval: Option<Duration>,
}

/// Ports of the cluster that belong to no single node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ports {
    /// The first port of the nodes' range.
    pub base: u16,
    /// The first port of the metrics range.
    pub metrics: u16,
    /// The manager's WebSocket port on loopback.
    pub control: u16,
    /// ZeroMQ's XPUB port on the manager's host.
    pub xpub: u16,
    /// ZeroMQ's XSUB port on the manager's host.
    pub xsub: u16,
}

/// Logs and their archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logs {
    /// Where logs are archived.
    pub archive: Archive,
    /// How often logs rotate.
    pub rotate: Duration,
    /// When archived logs are deleted; none: never.
    pub expire: Option<Duration>,
    /// How logs in the archive are compressed.
    pub compress: Compress,
    /// How long a log may wait for the archive.
    pub late: Duration,
    /// How much of each file system is to stay free, in per cent.
    pub min_free: u8,
}

impl Logs {
    /// Tells whether a file system with so much free space, in per cent, has too little of it.
    pub fn is_low(&self, free: u64) -> bool {
        free < u64::from(self.min_free)
    }
}

/// Where logs are archived on their hosts. Written as a text, or as nothing where they are not, as releases from before
/// there was a folder by default have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "Option<String>")]
pub enum Archive {
    /// Nowhere: they stay in the queue.
    Off,
    /// In `archive` of the cluster's spool folder.
    Spool,
    /// In a folder of the description's.
    Folder(String),
}

/// What a stored cluster says for [`Archive::Spool`], which is no path.
const IN_SPOOL: &str = "spool";

impl From<Archive> for Option<String> {
    fn from(archive: Archive) -> Self {
        match archive {
            Archive::Off => None,
            Archive::Spool => Some(IN_SPOOL.to_owned()),
            Archive::Folder(folder) => Some(folder),
        }
    }
}

/// What is watched of the traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Whether nodes can be asked how good the traffic is.
    pub traffic: Toggle,
}

/// How long to wait for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timeouts {
    /// For a node to become ready.
    pub ready: Duration,
    /// For a node to end after SIGTERM, before SIGKILL.
    pub stop: Duration,
    /// For nodes to answer over their control topics.
    pub control: Duration,
}

/// A machine that runs nodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Host {
    /// Its name in the description.
    pub name: String,
    /// Its address, as other nodes reach it.
    pub address: IpAddr,
    /// Whether it is this machine, reached without SSH.
    pub local: bool,
    /// Whether it is touched at all; its nodes stand in the layout either way.
    pub enabled: bool,
    /// Zeek's install prefix there.
    pub prefix: String,
    /// The base folder there (`<base>/<cluster>/` is ours).
    pub base: String,
    /// The folder in which nodes, crash and log-queue lie (`<spool>/<cluster>/`); equal to `base` unless set.
    pub spool: String,
    /// How SSH reaches it.
    pub ssh: Ssh,
}

/// A host that is no part of the cluster any more: how it is reached, and where its nodes lie there.
#[derive(Debug, Clone, PartialEq)]
pub struct Former {
    pub name: String,
    /// Its address, where the description has it.
    pub address: Option<IpAddr>,
    /// Whether it is this machine.
    pub local: bool,
    /// Whether it is asked at all; else it is gone for good.
    pub enabled: bool,
    /// Zeek's install prefix there.
    pub prefix: String,
    /// The base folder there.
    pub base: String,
    /// The spool folder there.
    pub spool: String,
    /// How SSH reaches it.
    pub ssh: Ssh,
}

impl From<&Host> for Former {
    fn from(host: &Host) -> Self {
        Self {
            name: host.name.clone(),
            address: Some(host.address),
            local: host.local,
            enabled: host.enabled,
            prefix: host.prefix.clone(),
            base: host.base.clone(),
            spool: host.spool.clone(),
            ssh: host.ssh.clone(),
        }
    }
}

/// How SSH reaches a host; all that is not set here is decided by the user's own SSH configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Ssh {
    /// The name or address to give to ssh.
    pub host: String,
    /// The user there.
    pub user: Option<String>,
    /// The port there.
    pub port: Option<u16>,
    /// A private key file.
    pub identity: Option<String>,
    /// An SSH configuration file instead of the user's.
    pub config: Option<String>,
    /// Jump hosts, as for `ssh -J`.
    pub jump: Option<String>,
    /// A `known_hosts` file.
    pub known_hosts: Option<String>,
    /// How long a connection stays open between commands; zero: it doesn't.
    pub persist: Duration,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
}

/// One Zeek process.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// Its name: `CLUSTER_NODE`.
    pub name: String,
    pub role: Role,
    /// Index of its host in [`Cluster::hosts`].
    pub host: usize,
    /// Its group in the description (a key of `nodes`).
    pub group: String,
    /// Its index among the nodes of its role on its host, from 1; ports follow it.
    pub index: u32,
    /// Its address in the layout: the host's, or loopback where all nodes listen there.
    pub ip: IpAddr,
    /// Its port. Rendered only for nodes that need one in the version at hand.
    pub port: u16,
    /// Its metrics port; none if metrics are off.
    pub metrics_port: Option<u16>,
    /// Where it listens for other nodes; none: on all addresses.
    pub listen: Option<IpAddr>,
    /// `zone_id` of an IPv6 link-local address, or empty.
    pub zone_id: String,
    /// The interface it captures on, templates filled in; workers (and standalone) only.
    pub interface: Option<String>,
    /// The CPU it is pinned to.
    pub cpu: Option<u32>,
    /// AF_PACKET settings; only with an `af_packet::` interface.
    pub af_packet: Option<AfPacket>,
    /// Scripts of its own, after those that every node loads.
    pub scripts: Vec<String>,
    /// Further arguments, those for every node included.
    pub args: Vec<String>,
    /// Its environment; the nearest setting of a name has won.
    pub env: BTreeMap<String, EnvValue>,
    /// Its redefs; the nearest setting of an identifier has won. Those of `zeek.redefs` are included.
    pub redefs: BTreeMap<String, Redef>,
    /// Limits of its process.
    pub limits: Limits,
}

/// AF_PACKET settings of a worker (Zeek's `AF_Packet::` options).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AfPacket {
    /// `AF_Packet::fanout_id`: distinct per host and interface.
    pub fanout_id: u16,
    /// The further options by their names without `AF_Packet::`, as Zeek literals' values
    /// (`buffer_size` and `block_size` in bytes).
    pub options: BTreeMap<String, AfPacketValue>,
}

/// A value of an AF_PACKET option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum AfPacketValue {
    /// `T` or `F`.
    Bool(bool),
    Count(u64),
    /// An interval (`block_timeout`).
    Interval(Duration),
    /// An enum by its full name (`fanout_mode: AF_Packet::FANOUT_HASH`).
    Enum(String),
}

/// A value in a node's environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum EnvValue {
    /// As written.
    Plain(String),
    /// A secret: the contents of a file on the operator's machine (its last newline cut).
    SecretFile(String),
    /// A secret: a variable of the operator's environment.
    SecretEnv(String),
    /// A secret of a cluster that was read from a release: where it was found is not taken from there.
    Elsewhere,
}

/// Limits of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Open files.
    pub nofile: Option<u64>,
    /// Size of core files.
    pub core: Option<CoreLimit>,
    /// Memory, in bytes.
    pub memory: Option<u64>,
    /// Niceness.
    pub nice: Option<i8>,
}

impl Cluster {
    /// Returns the host of a node.
    pub fn host_of(&self, node: &Node) -> &Host {
        &self.hosts[node.host]
    }

    /// Returns the nodes that clusterctl runs.
    pub fn run_nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|n| n.role.runs())
    }

    /// Returns the manager, or the standalone node.
    pub fn manager(&self) -> Option<&Node> {
        self.nodes.iter().find(|n| matches!(n.role, Role::Manager | Role::Standalone))
    }

    /// Tells whether the manager writes the logs: exactly when there is no logger.
    pub fn manager_is_logger(&self) -> bool {
        !self.nodes.iter().any(|n| n.role == Role::Logger)
    }

    /// Returns the nodes that write logs: the loggers, or else the manager.
    pub fn log_writers(&self) -> impl Iterator<Item = &Node> {
        let writer = if self.manager_is_logger() { Role::Manager } else { Role::Logger };
        self.nodes.iter().filter(move |n| n.role == writer)
    }

    /// Tells whether a node writes logs.
    pub fn writes_logs(&self, node: &Node) -> bool {
        match node.role {
            Role::Standalone | Role::Logger => true,
            Role::Manager => self.manager_is_logger(),
            _ => false,
        }
    }

    /// Tells whether this is one Zeek without a cluster.
    pub fn is_standalone(&self) -> bool {
        self.nodes.iter().any(|n| n.role == Role::Standalone)
    }
}

/// How many releases stay on a host, where nothing else is said.
pub const fn keep() -> usize {
    5
}
