//! `completions`.

use clap_complete::{Generator, Shell};

use super::show::Text;
use super::{Command, Hosts, Session};
use crate::error::CommandError;
use crate::ui::Progress;

/// Print the completion script of a shell
///
/// With names of nodes and hosts from the description: `source <(COMPLETE=bash clusterctl)`, or zsh;
/// `COMPLETE=fish clusterctl | source` in fish.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Command for Completions {
    const HOSTS: Hosts = Hosts::Untouched;
    const PROGRESS: Progress = Progress::Silent;
    type Report = Text;

    async fn run(&self, session: &mut Session) -> Result<Text, CommandError> {
        let text = script((session.definition)(), self.shell);
        Ok(Text(String::from_utf8_lossy(&text).into_owned()))
    }
}

/// Makes the completion script of a shell for a command line.
pub(crate) fn script(mut definition: clap::Command, shell: impl Generator) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut definition, "clusterctl", &mut text);
    text
}
