//! Arguments that all commands have.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use crate::commands::args::up_to_an_hour;
use crate::commands::complete::FILE_VARIABLE;
use crate::ui::{Color, Output};

#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The description of the cluster
    #[arg(short, long, global = true, env = FILE_VARIABLE, default_value = "cluster.yaml", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The form of the result
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
    /// Print only the result and errors, no progress messages
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Show on stderr what runs on each host, and how long it takes
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Append all messages, and what runs on each host, to a file (mode 0600)
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log: Option<PathBuf>,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// How long a host may take to answer a short question, connecting included
    #[arg(long, global = true, default_value = "20s", value_name = "DURATION", value_parser = up_to_an_hour)]
    pub(crate) timeout: Duration,
    /// How many hosts to work on at the same time
    #[arg(long, global = true, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) parallel: u16,
}

/// Makes the definition of the whole command line.
pub(crate) type Definition = fn() -> clap::Command;
