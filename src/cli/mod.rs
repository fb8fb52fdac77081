//! The command line: what all commands have in common, and the table of commands.

mod args;
mod execute;
mod global;
mod signals;
mod table;
mod unknown;

use std::ffi::OsString;

use args::Cli;
use clap::FromArgMatches as _;
use clap::parser::ValueSource;
use clap_complete::Generator;

use crate::commands::completions;
use crate::error::{CommandError, Error, Kind};
use crate::ui::{self, Color, Output, Ui};
use crate::values::shell_word;

/// Returns the command line's definition, for completions.
pub fn command() -> clap::Command {
    Cli::definition()
}

/// Returns the static completion script of a shell.
pub fn completion_script(shell: impl Generator) -> Vec<u8> {
    completions::script(command(), shell)
}

/// Runs a command line and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let parsed = Cli::definition().try_get_matches_from(args).and_then(|matches| {
        let typed = matches.value_source("file") == Some(ValueSource::CommandLine);
        let cli = Cli::from_arg_matches(&matches)?;
        if typed {
            let commands = Cli::definition().get_subcommands().map(|one| one.get_name().to_owned()).collect();
            crate::error::hints_have(format!("-f {}", shell_word(&cli.global.file.to_string_lossy())), commands);
        }
        Ok(cli)
    });
    let parsed = parsed.map_err(|error| unknown::advise(error, &table::Command::that_only_look()));
    let code = match &parsed {
        Ok(cli) => command_line(cli),
        Err(error) => {
            // clap writes help and version to stdout and complaints to stderr, with their codes 0 and 2.
            ui::written(&error.print());
            if error.use_stderr() { Kind::Usage.code() } else { 0 }
        }
    };
    let Some(why) = ui::unwritten() else { return code };
    let ui = Ui::new(Output::Table, parsed.map_or(Color::Auto, |cli| cli.global.color), false);
    ui.error(&Error::failed("the result could not be written").because(why));
    if code == 0 { Kind::Failed.code() } else { code }
}

/// Runs a command line that was understood.
fn command_line(cli: &Cli) -> u8 {
    let ui = Ui::new(cli.global.output, cli.global.color, cli.global.quiet).verbose(cli.global.verbose);
    if let Some(file) = &cli.global.log {
        if let Err(why) = ui::keep_log(file) {
            ui.error(&Error::failed(format!("can't write a log to {}", file.display())).because(why));
            return Kind::Failed.code();
        }
        ui::log(&format!("clusterctl {}: {}", env!("CARGO_PKG_VERSION"), cli.command.name()));
    }
    let code = ended(cli, ui);
    ui::log(&format!("ended with {code}"));
    code
}

/// Runs it, and shows how it ended.
fn ended(cli: &Cli, ui: Ui) -> u8 {
    match cli.command.run(ui, &cli.global, command) {
        Ok(None) => 0,
        Ok(Some(kind)) => kind.code(),
        Err(CommandError::Error(error)) => {
            ui.error(&error);
            error.kind.code()
        }
        Err(CommandError::Invalid(diagnostics)) => {
            ui.diagnostics(&diagnostics);
            Kind::Description.code()
        }
        // A command that has read a description has given them their places.
        Err(CommandError::Problems(problems)) => {
            let error = Error::new(Kind::Description, "the description is not valid");
            let error = problems.into_iter().fold(error, |error, problem| error.because(problem.message));
            ui.error(&error);
            error.kind.code()
        }
    }
}
