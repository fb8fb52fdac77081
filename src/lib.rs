//! clusterctl: the control plane for clusters of Zeek.
//!
//! The rooms, and who may import whom: a room may import what its row names, and whatever these may; all may import
//! `error`, `values` and `scripts`, which import nothing of ours. The files of a room import each other in one direction as
//! well. A test holds the imports to this table, and finds circles.
//!
//! | room | what it is for | may import |
//! |---|---|---|
//! | `error` | error kinds, exit codes, hints; problems with places in the file | - |
//! | `values` | durations, sizes, CPU lists, ports, networks: one type and one parser each | - |
//! | `scripts` | the scripts that run on hosts: what each is composed of | - |
//! | `files` | the operator's own files, read within bounds | - |
//! | `spec` | YAML -> Spec with positions; all checks of form | `files` |
//! | `cluster` | Spec -> Cluster: names, hosts, ports, CPUs, ids; pure | `spec` |
//! | `zeek` | what differs by Zeek version; layout and scripts; pure | `cluster` |
//! | `release` | Cluster -> files per host, manifest, digest, tar | `zeek` |
//! | `secrets` | keys that are made here, and what else hosts keep to themselves | `release` |
//! | `observed` | what a host answered: types and their parsers | - |
//! | `plan` | (Cluster, Observed, Release) -> Plan, and which release a cluster runs; pure | `release`, `observed` |
//! | `transport` | connections over SSH or here: run a script, dial, close | - |
//! | `control` | WebSocket client over any byte stream; a question and its answers | - |
//! | `remote` | arguments of scripts, and the parsers of their answers | `observed`, `release`, `transport` |
//! | `runner` | process and systemd: what to send to a host for start, stop, state | `remote` |
//! | `fleet` | the hosts of a cluster: each, ask, lock, selection, events | `remote`, `control`, `plan` |
//! | `nodes` | starting and stopping nodes by tiers; what became of them | `fleet`, `runner` |
//! | `deploy` | survey, plan, keys, stage, parse, activate, confirm or go back; rollback, resume, rolling | `nodes`, `secrets` |
//! | `ui` | tables, JSON envelope, progress, prompts: the only place that prints; knows no command | `fleet` |
//! | `commands` | one file (or folder) per command: arguments, run, report, how it is shown | `deploy`, `ui` |
//! | `cli` | global arguments, signals, the table of commands | `commands` |

pub mod cli;
pub mod cluster;
mod commands;
pub mod control;
pub mod deploy;
pub mod error;
pub mod files;
pub mod fleet;
pub mod nodes;
pub mod observed;
pub mod plan;
pub mod release;
pub mod remote;
pub mod runner;
pub mod scripts;
pub mod secrets;
pub mod spec;
pub mod transport;
pub mod ui;
pub mod values;
pub mod zeek;
