//! `maintain`: what ZeekControl's `cron` does. The work itself is done by a script on each host
//! (`templates/maintain.sh`), which a timer or cron runs there as well.

mod install;
mod report;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::args::Selectors;
use super::report::Report;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::deploy::{NewKeys, apply, prepare_resume};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Event, Fleet, Operation, Selection};
use crate::observed::OperationKind;
use crate::scripts;
use crate::transport::RemoteScript;
use crate::ui::{Progress, Ui};
use install::{Installations, install};
use report::{HostMaintenance, MaintainReport, Maintained};

/// Archive leftover logs, delete expired logs, start nodes that are down, check free disk space
///
/// A node that you stopped stays stopped; one whose runner gave up gets another chance. With --install each host does
/// all this by itself from now on, every five minutes and after a reboot.
#[derive(Debug, clap::Args)]
pub(crate) struct Maintain {
    #[command(flatten)]
    which: Selectors,
    /// Let the hosts do it by themselves: by a systemd timer, or else cron
    #[arg(long)]
    install: bool,
    /// Undo --install
    #[arg(long)]
    remove: bool,
}

/// What came of it.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum MaintainOrInstall {
    Maintained(MaintainReport),
    Installed(Installations),
}

impl Command for Maintain {
    const HOSTS: Hosts = Hosts::Changed;
    const PROGRESS: Progress = Progress::Lines;
    type Report = MaintainOrInstall;

    async fn run(&self, session: &mut Session) -> Result<MaintainOrInstall, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let selection = Selection::with_hosts(&fleet.cluster, &self.which.selectors)?;
        Ok(if self.install || self.remove {
            MaintainOrInstall::Installed(install(&fleet, &selection, self.remove).await)
        } else {
            MaintainOrInstall::Maintained(maintain(&fleet, &selection).await?)
        })
    }
}

impl Report for MaintainOrInstall {
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::Maintained(report) => report.kind(),
            Self::Installed(report) => report.kind(),
        }
    }

    fn show(&self, ui: &Ui) {
        match self {
            Self::Maintained(report) => report.show(ui),
            Self::Installed(report) => report.show(ui),
        }
    }

    fn end(&self) -> Option<Kind> {
        match self {
            Self::Maintained(report) => report.end(),
            Self::Installed(report) => report.end(),
        }
    }
}

/// Time that archiving and expiring may take beyond the nodes' start.
const MARGIN: Duration = Duration::from_secs(600);

/// Maintains the hosts of a selection. A host that can't be asked, or is locked, keeps no other waiting.
///
/// # Errors
/// Where the user interrupts it.
async fn maintain(fleet: &Fleet, selection: &Selection) -> Result<MaintainReport, Error> {
    let (resumed, not_resumed) = match bring_up_to_date(fleet, selection).await {
        Ok(resumed) => (resumed, Vec::new()),
        Err(why) => (Vec::new(), why),
    };
    let cluster = &fleet.cluster;
    let operation = Operation::new(OperationKind::Maintain);
    let answers = fleet.each("maintaining", fleet.handles(fleet.selected_hosts(selection)), |handle| {
        let operation = &operation;
        async move {
            let call = RemoteScript::new(scripts::MAINTAIN, cluster.timeouts.ready + MARGIN)
                .arg(&handle.folders.home)
                .arg(&handle.folders.spool)
                .arg(&operation.id)
                .arg(&operation.holder);
            match handle.connection.run(call).await {
                Ok(reply) => HostMaintenance::parse(&handle.name, &reply.lines)
                    .map_err(|malformed| malformed.because_of(&reply.stderr)),
                Err(failure) => Err(failure.text()),
            }
            .unwrap_or_else(|why| HostMaintenance::new(&handle.name, Maintained::Failed, Some(why)))
        }
    });
    let interrupted = |_| Error::new(Kind::Interrupted, "interrupted: not all hosts were maintained");
    let answers = fleet.unless_interrupted(answers).await.map_err(interrupted)?;
    Ok(MaintainReport { resumed, not_resumed, hosts: answers.into_iter().map(|(_, done)| done).collect() })
}

/// Brings hosts that were away to the release that the others run, before anything of theirs is healed; returns those
/// that were. Where it is not for maintenance to do that, it is only told.
///
/// # Errors
/// Why it could not be done, line by line.
async fn bring_up_to_date(fleet: &Fleet, selection: &Selection) -> Result<Vec<String>, Vec<String>> {
    let cluster = &fleet.cluster;
    let chosen: BTreeSet<usize> = fleet.selected_hosts(selection).into_iter().collect();
    let not_now = |why: &str| {
        fleet.emit(Event::Note { text: format!("no host was brought up to date: {why}") });
        Ok(Vec::new())
    };
    let why = |failure: CommandError| match failure {
        CommandError::Error(error) if error.causes.is_empty() => vec![error.message],
        CommandError::Error(error) => error.causes.iter().map(|cause| format!("{}: {cause}", error.message)).collect(),
        CommandError::Invalid(all) => {
            all.iter().map(|d| format!("the description is not valid: {}", d.message)).collect()
        }
        CommandError::Problems(problems) => {
            let told = |p: &crate::error::Problem| format!("the description is not valid: {}", p.message);
            problems.iter().map(told).collect()
        }
    };
    let prepared = match prepare_resume(fleet, None, &NewKeys::default()).await {
        Ok(prepared) => prepared,
        Err(refused) if !refused.is_needed => return Ok(Vec::new()),
        Err(refused) => return not_now(&why(refused.error).join("; ")),
    };
    // What did not finish is for somebody to decide.
    let deployed = prepared.found.iter().flatten().any(|o| o.current.is_some());
    if !deployed || prepared.is_unfinished() || prepared.plan.is_empty() {
        return Ok(Vec::new());
    }
    let behind: Vec<usize> = prepared.release.parts.iter().map(|p| p.host).collect();
    if behind.iter().any(|host| !chosen.contains(host)) {
        return not_now("not all of them were selected");
    }
    let names = behind.iter().map(|i| cluster.hosts[*i].name.clone()).collect();
    match apply(fleet, prepared, OperationKind::Maintain, &mut |_| Box::pin(std::future::ready(Ok(())))).await {
        Ok(report) if report.done => Ok(names),
        Ok(report) => {
            let bad = report.nodes.iter().filter(|o| !o.outcome.is_good());
            let lines = bad.map(|o| {
                let last = o.stderr.last().map(|line| format!(": {line}")).unwrap_or_default();
                format!("{}{last}", o.text())
            });
            Err(lines.chain(report.not_back).collect())
        }
        // A host that is busy has a row of its own.
        Err(CommandError::Error(error)) if error.kind == Kind::Locked => {
            not_now(&why(CommandError::Error(error)).join("; "))
        }
        Err(failure) => Err(why(failure)),
    }
}
