//! clusterctl: the control plane for clusters of Zeek.
//!
//! The rooms, and who may import whom (a row may import what it names; all may import `error` and `values`, which
//! import nothing of ours; a test holds the imports to this table):
//!
//! | room | what it is for | may import |
//! |---|---|---|
//! | `error` | error kinds, exit codes, hints; problems with places in the file | - |
//! | `values` | durations, sizes, CPU lists, ports, networks: one type and one parser each | - |
//! | `files` | the operator's own files, read within bounds | - |
//! | `spec` | YAML -> Spec with positions; all checks of form | `files` |
//! | `cluster` | Spec -> Cluster: names, hosts, ports, CPUs, ids; pure | `spec` |
//! | `zeek` | what differs by Zeek version; layout and scripts; pure | `cluster` |
//! | `release` | Cluster -> files per host, manifest, digest, tar | `zeek`, `cluster`, `files` |
//! | `observed` | what a host answered: type and parser | - |
//! | `plan` | (Cluster, Observed, Release) -> Plan | `release`, `cluster`, `observed` |
//! | `secrets` | keys that are made here, and what else hosts keep to themselves | `release`, `zeek` |
//! | `transport` | hosts by SSH or here: run, dial, close | - |
//! | `control` | WebSocket client over any byte stream | - |
//! | `runner` | what to send to a host for start and stop | `cluster`, `transport`, `observed` |
//! | `ops` | observe, deploy, start, stop, status: fan-out, events, lock | all above |
//! | `ui` | tables, JSON, progress: the only place that prints | `cluster`, `plan`, `ops`, `zeek` |
//! | `cli` | clap types, completers, dispatch | `ops`, `ui`, `spec`, `cluster`, `zeek` |

pub mod cli;
pub mod cluster;
pub mod control;
pub mod error;
pub mod files;
pub mod observed;
pub mod ops;
pub mod plan;
pub mod release;
pub mod runner;
pub mod secrets;
pub mod spec;
pub mod transport;
pub mod ui;
pub mod values;
pub mod zeek;
