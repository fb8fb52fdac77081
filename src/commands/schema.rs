//! `schema`.

use super::show::Text;
use super::{Command, Hosts, Session};
use crate::error::{CommandError, Error};
use crate::spec;
use crate::ui::Progress;

/// Print the JSON Schema of the description, for editors
#[derive(Debug, clap::Args)]
pub(crate) struct Schema {}

impl Command for Schema {
    const HOSTS: Hosts = Hosts::Untouched;
    const PROGRESS: Progress = Progress::Silent;
    type Report = Text;

    async fn run(&self, _: &mut Session) -> Result<Text, CommandError> {
        let text = serde_json::to_string_pretty(&spec::schema());
        Ok(Text(text.map_err(|e| Error::failed("can't write the schema").because(e))?))
    }
}
