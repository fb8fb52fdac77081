//! The table of commands: from each line come its parser, its help, its completions, and its dispatch.

use super::execute::execute;
use super::global::{Definition, Global};
use crate::commands::{
    Command as Trait, Hosts, check, completions, deploy, diff, doctor, init, layout, logs, maintain, nodes, print,
    releases, restart, resume, rollback, schema, secrets, start, status, stop, unlock,
};
use crate::error::{CommandError, Kind};
use crate::ui::Ui;

macro_rules! table {
    ($($name:ident($arguments:ty),)+) => {
        #[derive(Debug, clap::Subcommand)]
        pub(crate) enum Command {
            $($name($arguments)),+
        }

        impl Command {
            /// Runs the command that was named.
            pub(crate) fn run(
                &self,
                ui: Ui,
                global: &Global,
                definition: Definition,
            ) -> Result<Option<Kind>, CommandError> {
                match self {
                    $(Self::$name(command) => execute(command, ui, global, definition)),+
                }
            }

            /// The name of the command that was named.
            pub(crate) fn name(&self) -> String {
                match self {
                    $(Self::$name(_) => stringify!($name).to_lowercase()),+
                }
            }

            /// The names of the commands that change nothing on hosts; clap's `help` is one of them.
            pub(crate) fn that_only_look() -> Vec<String> {
                let all = [$((stringify!($name), <$arguments as Trait>::HOSTS)),+, ("help", Hosts::Untouched)];
                all.iter().filter(|(_, hosts)| *hosts != Hosts::Changed).map(|(name, _)| name.to_lowercase()).collect()
            }
        }
    };
}

// In this order they stand in the help.
table! {
    Status(status::Status),
    Deploy(deploy::Deploy),
    Diff(diff::Diff),
    Releases(releases::Releases),
    Rollback(rollback::Rollback),
    Resume(resume::Resume),
    Unlock(unlock::Unlock),
    Start(start::Start),
    Stop(stop::Stop),
    Restart(restart::Restart),
    Maintain(maintain::Maintain),
    Check(check::Check),
    Print(print::Print),
    Logs(logs::Logs),
    Doctor(doctor::Doctor),
    Layout(layout::Layout),
    Secrets(secrets::Secrets),
    Nodes(nodes::Nodes),
    Init(init::Init),
    Schema(schema::Schema),
    Completions(completions::Completions),
}
