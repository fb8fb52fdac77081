//! `unlock`: freeing the lock of a holder that does not let go of it.

use std::collections::BTreeSet;

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use super::report::{Report, partial};
use super::session::{Extent, hosts_of};
use super::{Command, Hosts, Session, complete};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::{Fleet, HostHandle};
use crate::remote::verdict;
use crate::scripts;
use crate::transport::RemoteScript;
use crate::ui::{Progress, Tone, Ui, in_line};

/// Free the lock of an operation that hangs; an operation that ends frees its own lock
#[derive(Debug, clap::Args)]
pub(crate) struct Unlock {
    /// Hosts (@sensor1); default: all
    #[arg(value_name = "@HOST", add = ArgValueCompleter::new(complete::selectors))]
    hosts: Vec<String>,
    /// Do not ask before acting
    #[arg(short, long)]
    yes: bool,
}

impl Command for Unlock {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Lines;
    type Report = LocksReport;

    async fn run(&self, session: &mut Session) -> Result<LocksReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        let hosts = hosts_of(&fleet.cluster, &self.hosts)?;
        let locks = locks(&fleet, hosts.as_ref()).await;
        if locks.held.is_empty() {
            return Ok(locks);
        }
        session.settle().await;
        let ui = session.ui;
        for lock in &locks.held {
            ui.say(&format!("{} is locked by {}", lock.host, lock.holder));
        }
        if !self.yes && !ui.can_ask() {
            let named: String = self.hosts.iter().map(|selector| format!("{selector} ")).collect();
            let error = Error::new(Kind::Usage, "the lock may still be in use; nothing changed");
            return Err(error.hint(format!("check that operation first, then: clusterctl unlock {named}--yes")).into());
        }
        let question = "free the lock? (only if that operation no longer runs)";
        if !self.yes && !tokio::task::spawn_blocking(move || ui.confirm(question)).await.unwrap_or(false) {
            return Err(Error::cancelled().into());
        }
        Ok(unlock(&fleet, locks).await)
    }
}

/// A host's lock.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HeldLock {
    pub host: String,
    /// Who holds it, and since when.
    pub holder: String,
    #[serde(skip)]
    handle: HostHandle,
    #[serde(skip)]
    operation: String,
}

/// The locks of hosts.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct LocksReport {
    /// Those that are held.
    pub held: Vec<HeldLock>,
    /// Hosts that could not be asked, or whose lock could not be freed; and why.
    pub failed: Vec<(String, String)>,
}

impl Report for LocksReport {
    fn kind(&self) -> Option<&'static str> {
        Some("unlock")
    }

    fn show(&self, ui: &Ui) {
        if self.held.is_empty() && self.failed.is_empty() {
            ui.result("no host is locked");
        }
        for lock in &self.held {
            ui.result(&format!("{}: unlocked; it was locked by {}", lock.host, in_line(&lock.holder)));
        }
        for (host, why) in &self.failed {
            ui.result(&format!("{}: {}", ui.out.paint(Tone::Bad, host), in_line(why)));
        }
    }

    fn end(&self) -> Option<Kind> {
        partial(self.held.len() + self.failed.len(), self.failed.len())
    }
}

/// Looks which of these hosts are locked; none: all.
async fn locks(fleet: &Fleet, hosts: Option<&BTreeSet<usize>>) -> LocksReport {
    let mut report = LocksReport::default();
    let which = fleet.enabled().into_iter().filter(|i| hosts.is_none_or(|h| h.contains(i)));
    let answers = fleet.observe(fleet.handles(which)).await;
    for (handle, answer) in answers {
        match answer {
            Ok(observed) => {
                if let (Some(holder), Some(operation)) = (observed.lock, observed.lock_operation) {
                    report.held.push(HeldLock { host: handle.name.clone(), holder, handle, operation });
                }
            }
            Err(failure) => report.failed.push((handle.name, failure.text())),
        }
    }
    report
}

/// Frees locks that were looked at.
async fn unlock(fleet: &Fleet, mut report: LocksReport) -> LocksReport {
    let held = std::mem::take(&mut report.held);
    let handles = held.iter().map(|h| h.handle.clone()).collect();
    let operations = &held;
    let answers = fleet
        .each("unlocking", handles, |handle| async move {
            let operation = operations.iter().find(|h| h.host == handle.name).map_or("", |h| h.operation.as_str());
            let call = RemoteScript::new(scripts::UNLOCK, fleet.settings.question)
                .arg(&handle.folders.home)
                .arg(operation)
                .arg(crate::fleet::who());
            match handle.connection.run(call).await {
                Ok(reply) if reply.lines.iter().any(|l| l == "free") => Ok(()),
                Ok(reply) => verdict(&reply, "unlocked"),
                Err(failure) => Err(failure.text()),
            }
        })
        .await;
    for (handle, answer) in answers {
        match answer {
            Ok(()) => report.held.extend(held.iter().find(|h| h.host == handle.name).cloned()),
            Err(why) => report.failed.push((handle.name, why)),
        }
    }
    report
}
