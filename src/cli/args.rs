//! The whole command line.

use clap::{CommandFactory, Parser};

use super::global::Global;
use super::table::Command;
use crate::commands::complete::FILE_VARIABLE;

/// The control plane for clusters of Zeek
///
/// One YAML file describes the cluster. clusterctl makes Zeek's layout from it, puts it on every host over SSH, runs
/// the nodes, and tells what each of them is doing.
#[derive(Debug, Parser)]
#[command(name = "clusterctl", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 the description is not valid, 4 some hosts or nodes \
failed, 5 problems found, 6 locked by another operation, 130 interrupted")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Returns the definition of the command line. A variable that is empty is as good as none.
    pub(crate) fn definition() -> clap::Command {
        let command = Self::command();
        if std::env::var_os(FILE_VARIABLE).is_some_and(|file| file.is_empty()) {
            return command.mut_arg("file", |arg| arg.env(None::<&str>));
        }
        command
    }
}
