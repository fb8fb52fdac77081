//! `cluster.json` as it lies in a release on a host. Types of their own, but for words and literals: what another clusterctl wrote, or whoever has
//! the host since, becomes the program's own only through [`Stored::parse`] and the checks behind it (`plan::recorded`).
//!
//! Of the way to a host only destination, port and user are read; `local` only says that there is none. Identity,
//! configuration, jump hosts and known hosts are not even looked at.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;

use super::pending::{RemovedHost, Ssh};
use crate::values::{
    Backend, Compress, CoreLimit, Curve, HostPath, Interval, LayoutInputs, Metrics, Name, Port, Redef, Restart, Role,
    RunnerKind, Toggle, Version, ZeekValue,
};

/// The form of `cluster.json` that is read.
pub const FORMAT: u32 = 1;

/// The largest `cluster.json` that is read, in bytes: ten thousand nodes take 6 MiB.
const LARGEST: usize = 64 << 20;

/// A cluster as a release on a host has it.
#[derive(Debug, Clone, Deserialize)]
pub struct Stored {
    pub name: Name,
    /// What concerns Zeek.
    pub zeek: Zeek,
    /// Ports beside those of nodes.
    pub ports: Ports,
    /// Where nodes serve metrics.
    pub metrics: Metrics,
    /// Logs and their archive.
    pub logs: Logs,
    /// What is watched of the traffic; none in records of before there was.
    #[serde(default)]
    pub checks: Option<Checks>,
    /// What keeps nodes running.
    pub runner: RunnerKind,
    /// Whether nodes are started again.
    pub restart: Restart,
    /// Which entries of the layout are a worker's input.
    pub layout_inputs: LayoutInputs,
    pub hosts: Vec<Host>,
    pub nodes: Vec<Node>,
}

/// What is watched of the traffic.
#[derive(Debug, Clone, Deserialize)]
pub struct Checks {
    pub traffic: Toggle,
}

/// Settings of Zeek. Where things lay on the machine that deployed them is not kept.
#[derive(Debug, Clone, Deserialize)]
pub struct Zeek {
    /// The version that the description named.
    pub version: Option<Version>,
    /// The backend that it named.
    pub backend: Option<Backend>,
    /// Whether ZeroMQ encrypts.
    #[serde(default = "curve")]
    pub curve: Curve,
    /// Whether Broker's nodes have certificates.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Whether ZeroMQ may do without encryption.
    pub accept_unencrypted_zeromq: bool,
    /// Globs of data files.
    pub site_data: Vec<String>,
    /// Scripts of every node.
    pub scripts: Vec<String>,
    /// Local networks with their comments.
    pub local_networks: Vec<(IpNet, String)>,
    /// Options of the Cluster framework.
    pub options: BTreeMap<String, ZeekValue>,
    /// Entries of `Cluster::stores`.
    pub stores: BTreeMap<String, Store>,
    pub global_hash_seed: String,
}

/// What releases from before there was the setting have.
fn curve() -> Curve {
    Curve::Auto
}

/// What releases from before there was the setting have.
fn compress() -> Compress {
    Compress::Gzip
}

/// Certificates; where they were found is not kept.
#[derive(Debug, Clone, Deserialize)]
pub struct Tls {
    /// The passphrase of the key, if it has one.
    pub passphrase: Option<Env>,
}

/// A value of an environment. Where a secret was found on the machine of whoever deployed is not kept: what a host says
/// of that is no reason to read a file here.
#[derive(Debug, Clone, Deserialize)]
pub enum Env {
    /// As written.
    Plain(String),
    /// A file there.
    SecretFile(serde::de::IgnoredAny),
    /// A variable there.
    SecretEnv(serde::de::IgnoredAny),
}

/// A length of time, at most as long as in a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Parts")]
pub struct Span(pub Duration);

#[derive(Deserialize)]
struct Parts {
    secs: u64,
    nanos: u32,
}

impl TryFrom<Parts> for Span {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        if parts.nanos >= 1_000_000_000 {
            return Err(format!("{} nanoseconds are more than a second", parts.nanos));
        }
        let span = Duration::new(parts.secs, parts.nanos);
        if span > Interval::LONGEST {
            return Err(format!("{} seconds are longer than a hundred years", parts.secs));
        }
        Ok(Self(span))
    }
}

/// An entry of `Cluster::stores`.
#[derive(Debug, Clone, Deserialize)]
pub struct Store {
    /// The node that holds the master.
    pub master_node: Option<String>,
    /// `memory`, `sqlite` or `rocksdb`.
    pub backend: Option<String>,
    /// The database.
    pub path: Option<HostPath>,
    /// How often a clone tries to find its master.
    pub clone_resync_interval: Option<Span>,
    /// When a clone counts as stale.
    pub clone_stale_interval: Option<Span>,
    /// How long a clone keeps changes.
    pub clone_mutation_buffer_interval: Option<Span>,
}

/// Ports beside those of nodes.
#[derive(Debug, Clone, Deserialize)]
pub struct Ports {
    /// The first of the nodes' range.
    pub base: Port,
    /// The first of the metrics range.
    pub metrics: Port,
    /// The manager's WebSocket.
    pub control: Port,
    /// ZeroMQ's XPUB.
    pub xpub: Port,
    /// ZeroMQ's XSUB.
    pub xsub: Port,
}

/// Logs and their archive.
#[derive(Debug, Clone, Deserialize)]
pub struct Logs {
    /// The archive; none: logs stay in the queue.
    pub archive: Option<Archive>,
    /// How often they rotate.
    pub rotate: Span,
    /// When they are deleted.
    pub expire: Option<Span>,
    /// How they are compressed.
    #[serde(default = "compress")]
    pub compress: Compress,
    /// How long one may wait for the archive.
    pub late: Option<Span>,
    /// How much of each file system stays free, in per cent.
    #[serde(default)]
    pub min_free: u8,
}

/// Where logs are archived.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Archive {
    /// In the spool folder.
    Spool,
    /// In a folder of its own.
    Folder(HostPath),
}

impl TryFrom<String> for Archive {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "spool" { Ok(Self::Spool) } else { text.parse().map(Self::Folder) }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Host {
    pub name: Name,
    /// Its address for other nodes.
    pub address: IpAddr,
    /// Whether it was the very machine that deployed: then nothing here says how it is reached.
    #[serde(default)]
    pub local: bool,
    /// Whether it was touched at all.
    pub enabled: bool,
    /// Zeek's prefix.
    pub prefix: HostPath,
    /// The base folder.
    pub base: HostPath,
    /// The spool folder.
    pub spool: HostPath,
    /// How it was reached.
    ssh: Ssh,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Node {
    pub name: String,
    pub role: Role,
    /// Index of its host.
    pub host: usize,
    pub group: Name,
    pub index: u32,
    /// Its address.
    pub ip: IpAddr,
    pub port: u16,
    pub metrics_port: Option<Port>,
    pub listen: Option<IpAddr>,
    /// The zone of its address.
    pub zone_id: String,
    pub interface: Option<String>,
    pub cpu: Option<u32>,
    /// Its `AF_PACKET` settings.
    pub af_packet: Option<AfPacket>,
    /// Scripts of its own.
    pub scripts: Vec<String>,
    /// Further arguments.
    pub args: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, Env>,
    /// Its redefinitions.
    pub redefs: BTreeMap<String, Redef>,
    /// Limits of its process.
    pub limits: Limits,
}

/// `AF_PACKET` settings.
#[derive(Debug, Clone, Deserialize)]
pub struct AfPacket {
    pub fanout_id: u16,
    /// Further options.
    pub options: BTreeMap<String, AfPacketValue>,
}

/// A value of an `AF_PACKET` option.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub enum AfPacketValue {
    Bool(bool),
    Count(u64),
    Interval(Span),
    Enum(String),
}

/// Limits of a process.
#[derive(Debug, Clone, Deserialize)]
pub struct Limits {
    /// Open files.
    pub nofile: Option<u64>,
    /// Size of core files.
    pub core: Option<CoreLimit>,
    /// Memory, in bytes.
    pub memory: Option<u64>,
    /// Niceness.
    #[serde(default)]
    pub nice: Option<i8>,
}

/// What every form of `cluster.json` has.
#[derive(Deserialize)]
struct Form {
    format: u32,
}

#[derive(Deserialize)]
struct Document {
    cluster: Stored,
}

impl Stored {
    /// Reads a `cluster.json` of any form that is known.
    ///
    /// # Errors
    /// Where it is too large, of another form, or not what it should be; where in it, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("it is empty, or not there".to_owned());
        }
        if text.len() > LARGEST {
            return Err(format!("it is larger than {}", bytesize::ByteSize(LARGEST as u64)));
        }
        let Form { format } = serde_json::from_str(text).map_err(|error| format!("it is not valid JSON: {error}"))?;
        if format != FORMAT {
            return Err(format!("it has format {format}; this clusterctl reads format {FORMAT}"));
        }
        let mut json = serde_json::Deserializer::from_str(text);
        let document: Document = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| format!("`{}`: {}", error.path(), error.inner()))?;
        Ok(document.cluster)
    }
}

impl Host {
    /// Returns what is kept of it once it has left the description: its name, and how ssh finds it.
    pub fn removed_host(&self) -> RemovedHost {
        RemovedHost::new(self.name.clone(), self.local, Some(&self.ssh))
    }
}
