//! `init`: a first description where there is none.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use serde::Serialize;

use super::report::Report;
use super::{Command, Hosts, Session};
use crate::error::{CommandError, Error, Kind};
use crate::ui::{Progress, Ui, typed};

/// Write a commented first description, if there is none
#[derive(Debug, clap::Args)]
pub(crate) struct Init {}

/// The file that was written.
#[derive(Serialize)]
pub(crate) struct Written {
    file: PathBuf,
}

impl Command for Init {
    const HOSTS: Hosts = Hosts::Untouched;
    const PROGRESS: Progress = Progress::Silent;
    type Report = Written;

    async fn run(&self, session: &mut Session) -> Result<Written, CommandError> {
        let file = session.file.clone();
        let write = || -> std::io::Result<()> {
            let mut new = std::fs::OpenOptions::new().write(true).create_new(true).open(&file)?;
            new.write_all(include_bytes!("../../examples/minimal.yaml"))
        };
        write().map_err(|e| match e.kind() {
            ErrorKind::AlreadyExists => {
                Error::failed(format!("{} already exists", file.display())).hint("use -f FILE to write another file")
            }
            _ => Error::failed(format!("can't write {}", file.display())).because(e),
        })?;
        Ok(Written { file })
    }
}

impl Report for Written {
    fn kind(&self) -> Option<&'static str> {
        Some("init")
    }

    fn show(&self, ui: &Ui) {
        let next = typed("edit it, then run `clusterctl check`");
        ui.result(&format!("wrote {}; next: {next}", self.file.display()));
    }

    fn end(&self) -> Option<Kind> {
        None
    }
}
