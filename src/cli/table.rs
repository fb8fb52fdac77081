//! The table of commands: from each line come its parser, its help, its completions, and its dispatch.

use super::execute::execute;
use super::global::{Definition, Global};
use crate::commands::{self, Command as Trait, Hosts};
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
    Status(commands::status::Status),
    Deploy(commands::deploy::Deploy),
    Diff(commands::diff::Diff),
    Releases(commands::releases::Releases),
    Rollback(commands::rollback::Rollback),
    Resume(commands::resume::Resume),
    Unlock(commands::unlock::Unlock),
    Start(commands::start::Start),
    Stop(commands::stop::Stop),
    Restart(commands::restart::Restart),
    Maintain(commands::maintain::Maintain),
    Check(commands::check::Check),
    Print(commands::print::Print),
    Netstats(commands::netstats::Netstats),
    Peerstatus(commands::peerstatus::Peerstatus),
    Events(commands::events::Events),
    Logs(commands::logs::Logs),
    History(commands::history::History),
    Diag(commands::diag::Diag),
    Exec(commands::exec::Exec),
    Top(commands::top::Top),
    Df(commands::df::Df),
    Capstats(commands::capstats::Capstats),
    Traffic(commands::traffic::Traffic),
    Doctor(commands::doctor::Doctor),
    Config(commands::config::Config),
    Layout(commands::layout::Layout),
    Secrets(commands::secrets::Secrets),
    Nodes(commands::nodes::Nodes),
    Targets(commands::targets::Targets),
    Init(commands::init::Init),
    Schema(commands::schema::Schema),
    Completions(commands::completions::Completions),
}
