//! `diff`.

use std::path::PathBuf;

use clap::ValueHint;

use super::apply_plan::Planned;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::deploy::{self, Options};
use crate::error::{CommandError, Kind};
use crate::ui::{Progress, typed};
use crate::values::shell_word;

/// Show what a deploy would change
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// End with 5 if there is something to do
    #[arg(long)]
    exit_code: bool,
    /// Write the plan to a file, for `deploy --plan`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    save: Option<PathBuf>,
}

impl Command for Diff {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = Planned;

    async fn run(&self, session: &mut Session) -> Result<Planned, CommandError> {
        let fleet = session.open_and_warn(Extent::Files)?;
        let options = Options { compared: self.save.is_some(), ..Options::default() };
        let mut prepared = deploy::prepare(&fleet, &options).await?;
        deploy::compare(&fleet, &mut prepared).await;
        if let Some(file) = &self.save {
            deploy::save(&fleet, &prepared, file)?;
            let file = shell_word(&file.to_string_lossy());
            prepared.notes.push(typed(&format!("wrote the plan; to apply it: clusterctl deploy --plan {file}")));
        }
        let end = (self.exit_code && !prepared.plan.is_empty()).then_some(Kind::NotAsExpected);
        Ok(Planned { plan: prepared.plan, notes: prepared.notes, end })
    }
}
