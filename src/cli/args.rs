//! The command line's types.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use clap_complete::engine::ArgValueCompleter;

use super::complete;
use crate::ui::{Color, Output};
use crate::values::{Interval, Share, Version};
use crate::zeek;

/// The variable that names the description.
pub(super) const FILE_VARIABLE: &str = "CLUSTERCTL_FILE";

/// The control plane for clusters of Zeek
///
/// One YAML file describes the cluster. clusterctl makes Zeek's layout from it, puts it on every host over SSH, runs
/// the nodes, and tells what each of them is doing.
#[derive(Debug, Parser)]
#[command(name = "clusterctl", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 the description is not valid, 4 some hosts or nodes \
failed, 5 not as it should be, 6 locked by another operation, 130 interrupted")]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
pub(super) struct Global {
    /// The description of the cluster
    #[arg(short, long, global = true, env = FILE_VARIABLE, default_value = "cluster.yaml", value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
    /// How results are written
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    pub(super) output: Output,
    /// Only the result and errors: no progress, no talk
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Whether colours are used
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(super) color: Color,
    /// How long a host may take to answer a short question, connecting included
    #[arg(long, global = true, default_value = "20s", value_name = "DURATION", value_parser = timeout)]
    pub(super) timeout: Duration,
    /// How many hosts are worked on at the same time
    #[arg(long, global = true, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) parallel: u16,
}

/// What of a description is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The description alone.
    Description,
    /// And the files that it names on this machine.
    Files,
}

#[derive(Debug, Args)]
pub(super) struct Selectors {
    /// Nodes: a name, a glob, a role (manager, loggers, proxies, workers, all) or @host; none: all
    #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    pub(super) selectors: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What hosts and nodes are doing
    Status(Selectors),
    /// Check, plan, stage, activate, and confirm that all nodes came up
    ///
    /// Before the first host switches, nothing has changed anywhere. Where nodes do not become ready, all hosts go back
    /// to what ran before. An operation that was cut off is finished by the next deploy, or undone by `rollback`.
    Deploy {
        #[command(flatten)]
        act: Act,
        #[command(flatten)]
        how: How,
        /// Put the release on the hosts, but restart no node that runs: `restart` moves them on
        #[arg(long, conflicts_with = "max_unavailable")]
        no_restart: bool,
        /// Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start
        #[arg(long)]
        accept_backend_change: bool,
    },
    /// What a deploy would change
    Diff {
        /// End with 5 if there is something to do
        #[arg(long)]
        exit_code: bool,
    },
    /// Releases on each host: when, by whom, with which Zeek, and which runs
    Releases,
    /// Go back to an earlier release, with the topology that it had; only what differs restarts
    Rollback {
        /// Its id or the begin of it; none: the one before, or where a deploy was cut off, the one from which it began
        release: Option<String>,
        #[command(flatten)]
        act: Act,
        #[command(flatten)]
        how: How,
        /// Let the backend of the cluster change (Broker, ZeroMQ): all nodes stop and start
        #[arg(long)]
        accept_backend_change: bool,
    },
    /// Bring hosts that were away to the release that the others run, and start their nodes
    Resume {
        /// Hosts (@sensor1); none: all that are behind
        #[arg(value_name = "@HOST", add = ArgValueCompleter::new(complete::selectors))]
        hosts: Vec<String>,
        #[command(flatten)]
        act: Act,
    },
    /// Free the lock of an operation that hangs; the lock of one that ended is free by itself
    Unlock {
        /// Hosts (@sensor1); none: all
        #[arg(value_name = "@HOST", add = ArgValueCompleter::new(complete::selectors))]
        hosts: Vec<String>,
        /// Do not ask before acting
        #[arg(short, long)]
        yes: bool,
    },
    /// Start nodes from the release on their hosts
    Start(Selectors),
    /// Stop nodes
    Stop(Selectors),
    /// Stop nodes and start them again
    Restart(Selectors),
    /// Archive what nodes left, expire the archive, start nodes that should run, look at disks
    ///
    /// What an operator stopped stays stopped; a node that gave up restarting gets another chance. With --install
    /// each host does it by itself from now on, every five minutes and after a reboot.
    Maintain {
        #[command(flatten)]
        selectors: Selectors,
        /// Let the hosts do it by themselves: by a systemd timer, or else cron
        #[arg(long)]
        install: bool,
        /// Undo --install
        #[arg(long)]
        remove: bool,
    },
    /// Check the description, then let the real Zeek parse the scripts on the hosts; changes nothing
    Check {
        /// Only the description: connect to no host
        #[arg(long)]
        offline: bool,
    },
    /// Ask nodes for the value of a global identifier, such as `Cluster::nodes`
    Print {
        /// The identifier, with its module
        #[arg(value_name = "ID")]
        id: String,
        /// Nodes: a name, a glob, a role (manager, loggers, proxies, workers, all) or @host; none: all
        #[arg(value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
        selectors: Vec<String>,
    },
    /// Look whether each host has what it needs; changes nothing, and says what root has to do once
    Doctor,
    /// Print Zeek's layout; connects to no host
    Layout {
        /// The form [default: zeek; json with `-o json`]
        #[arg(long, value_enum)]
        format: Option<LayoutFormat>,
        /// The version of Zeek to write for, instead of the description's
        #[arg(long, value_name = "VERSION", value_parser = zeek_version)]
        zeek_version: Option<Version>,
        /// Print the second generated script instead, which holds all that is no layout
        #[arg(long, conflicts_with = "format")]
        options: bool,
    },
    /// The keys with which nodes encrypt what they say to each other
    #[command(subcommand)]
    Secrets(Secrets),
    /// Nodes with hosts, addresses, ports and CPUs
    Nodes(Selectors),
    /// Write a commented first description, if there is none
    Init,
    /// Print the JSON Schema of the description, for editors
    Schema,
    /// Print the completion script of a shell
    ///
    /// With names of nodes and hosts from the description: `source <(COMPLETE=bash clusterctl)`, or zsh;
    /// `COMPLETE=fish clusterctl | source` in fish.
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Whether and when to act.
#[derive(Debug, Args)]
pub(super) struct Act {
    /// Do not ask before acting
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Stop after the plan
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// What may be left out, and how many at a time.
#[derive(Debug, Args)]
pub(super) struct How {
    /// Leave hosts out that run nothing but workers, such as @sensor3: they are behind then, until `resume`
    #[arg(long, value_name = "SELECTOR", add = ArgValueCompleter::new(complete::selectors))]
    pub(super) skip: Vec<String>,
    /// So many workers may fail or be away without the rest going back: a number, or a share such as 10%
    #[arg(long, value_name = "N|P%", default_value_t = Share::NONE)]
    pub(super) allow_failed: Share,
    /// Restart so many workers at a time, by whole capture groups: a number, or a share such as 10%
    #[arg(long, value_name = "N|P%", value_parser = some_of)]
    pub(super) max_unavailable: Option<Share>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Secrets {
    /// Make new keys for ZeroMQ and deploy them: all nodes stop, then start, since old and new keys can't talk
    Rotate {
        #[command(flatten)]
        act: Act,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LayoutFormat {
    /// cluster-layout.zeek
    Zeek,
    /// A JSON document
    Json,
    /// A table
    Table,
    /// A Mermaid diagram
    Mermaid,
}

fn zeek_version(text: &str) -> Result<Version, String> {
    let version = text.parse()?;
    zeek::known(version).map(|()| version)
}

fn timeout(text: &str) -> Result<Duration, String> {
    match text.parse()? {
        Interval(timeout) if (1..=3600).contains(&timeout.as_secs()) => Ok(timeout),
        timeout => Err(format!("{timeout} is no time to wait for a host: 1s to 1h")),
    }
}

fn some_of(text: &str) -> Result<Share, String> {
    match text.parse()? {
        Share::Number(0) | Share::Percent(0) => Err("with none at a time nothing is done: at least 1 or 1%".to_owned()),
        share => Ok(share),
    }
}

impl Cli {
    /// Returns the definition of the command line. A variable that is empty is as good as none.
    pub(super) fn definition() -> clap::Command {
        let command = Self::command();
        if std::env::var_os(FILE_VARIABLE).is_some_and(|file| file.is_empty()) {
            return command.mut_arg("file", |arg| arg.env(None::<&str>));
        }
        command
    }
}

impl Command {
    /// Tells how much of a description it needs: what makes a release needs the files as well.
    pub(super) fn extent(&self) -> Extent {
        match self {
            Self::Check { .. }
            | Self::Diff { .. }
            | Self::Deploy { .. }
            | Self::Resume { .. }
            | Self::Secrets { .. } => Extent::Files,
            _ => Extent::Description,
        }
    }

    /// Tells whether it changes what hosts run.
    pub(super) fn changes_hosts(&self) -> bool {
        matches!(
            self,
            Self::Deploy { .. }
                | Self::Rollback { .. }
                | Self::Resume { .. }
                | Self::Secrets { .. }
                | Self::Maintain { install: false, .. }
                | Self::Start(_)
                | Self::Stop(_)
                | Self::Restart(_)
        )
    }
}
