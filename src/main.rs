//! The command `clusterctl`: completion hook, parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: nothing may be written before the shell's question for completions is answered.
    clap_complete::CompleteEnv::with_factory(clusterctl::cli::command).complete();
    ExitCode::from(clusterctl::cli::run(std::env::args_os()))
}
