//! `completions`.

use clap_complete::Shell;

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
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut (session.definition)(), "clusterctl", &mut text);
        Ok(Text(String::from_utf8_lossy(&text).into_owned()))
    }
}
