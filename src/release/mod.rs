//! Cluster -> the immutable files of one deploy, for each host: contents, modes, manifest, digests, tar.
//!
//! A host's part:
//! ```text
//! cluster.json              the resolved cluster
//! cluster-layout.zeek       Cluster::nodes and Cluster::manager_is_logger
//! clusterctl/options.zeek   the second generated script, the same for all nodes
//! clusterctl/version        Zeek's version and the backend, in one line
//! clusterctl/secrets        the names of the secrets that the host keeps for it, one a line
//! clusterctl/agent.zeek     answers status requests
//! clusterctl/nodes/N.zeek   what concerns one node alone
//! site/, data/              the site folder; what `site_data` names
//! start/N                   how to start a node: one setting a line, read by node.sh (0600)
//! clusterctl/start.sh       starts nodes, as over SSH: <home> <spool> <deadline>, lines of node and release on stdin
//! clusterctl/node.sh        becomes a node, and records its end
//! clusterctl/archiver.sh    runs as the node log-archiver, where logs are archived
//! clusterctl/maintain.sh    maintains the host, for a timer or cron
//! clusterctl/logs.conf      what it has to know, one setting a line; read again for each pass
//! clusterctl/supervisor.sh  keeps a node running (the runner `process`)
//! clusterctl/clusterctl@.service  the unit of all nodes (the runner `systemd`)
//! ```

mod build;
mod common;
mod content;
mod digest;
mod manifest;
mod node_scripts;
mod patch;
mod secret;
mod start;

pub use content::{
    ARCHIVER, Content, FORMAT, File, Files, HostZeek, Inputs, LARGEST_TEXT, OnDisk, Part, Release, ReleaseInput,
    SiteFile, VERSION_PATH,
};
pub use digest::digest;
pub use manifest::{Changes, Entry, Packing, manifest_entries, pack};
pub use patch::{SECRETS_PATH, patch_start_file};
pub use secret::{CURVE, PASSPHRASE, secret_key, secret_kind};

pub(crate) use node_scripts::{belongs, own_scripts};
