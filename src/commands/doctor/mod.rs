//! `doctor`: the preflight of every host: one call each, and what it says, judged.

mod facts;
mod needs;
mod preflight;
mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;

use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::error::CommandError;
use crate::fleet::{Fleet, HostHandle, understood};
use crate::observed::HostSetup;
use crate::scripts;
use crate::transport::{Failure, RemoteScript};
use crate::ui::Progress;
use facts::DoctorFacts;
pub(crate) use needs::device;
use needs::{Needs, SESSIONS, own_archive};
use report::{DoctorReport, HostCheck, HostReport, Verdict};

/// Check that each host has what it needs, and print what root must run once; changes nothing
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {}

impl Command for Doctor {
    const HOSTS: Hosts = Hosts::Read;
    const PROGRESS: Progress = Progress::Silent;
    type Report = DoctorReport;

    async fn run(&self, session: &mut Session) -> Result<DoctorReport, CommandError> {
        let fleet = session.open(Extent::Description)?;
        Ok(doctor(&fleet).await)
    }
}

/// Looks at every host that is not disabled. A host that can't be asked is in the report.
async fn doctor(fleet: &Fleet) -> DoctorReport {
    let cluster = &*fleet.cluster;
    let mut answers: BTreeMap<usize, Result<DoctorFacts, Failure>> = BTreeMap::new();
    let asked = fleet
        .each("looking at hosts", fleet.handles(fleet.enabled()), |handle| async move { ask(fleet, &handle).await })
        .await;
    for (handle, answer) in asked {
        if let Some(index) = handle.index {
            answers.insert(index, answer);
        }
    }
    let mut hosts = Vec::new();
    for (index, answer) in &answers {
        let name = &cluster.hosts[*index].name;
        hosts.push(match answer {
            Ok(facts) => preflight::host(cluster, *index, facts, &Needs::of(cluster, *index), &answers),
            Err(failure) => HostReport {
                host: name.clone(),
                checks: vec![HostCheck {
                    what: if cluster.hosts[*index].local { "host" } else { "ssh" },
                    verdict: Verdict::Bad,
                    found: format!("cannot be reached: {}", failure.text()),
                    hint: failure.hint(name),
                }],
                as_root: Vec::new(),
            },
        });
    }
    DoctorReport { hosts }
}

async fn ask(fleet: &Fleet, handle: &HostHandle) -> Result<DoctorFacts, Failure> {
    let cluster = &*fleet.cluster;
    let index = handle.index.unwrap_or_default();
    let needs = Needs::of(cluster, index);
    let mut ports: Vec<u16> = needs.listens.values().flatten().map(|(_, l)| l.port).collect();
    ports.sort_unstable();
    ports.dedup();
    let input: String = needs
        .interfaces
        .iter()
        .map(|name| format!("{name}\n"))
        .chain(["\n".to_owned()])
        .chain(ports.iter().map(|port| format!("{port:04X}\n")))
        .collect();
    let or_none = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let call = RemoteScript::new(scripts::DOCTOR, fleet.settings.question)
        .arg(&handle.folders.home)
        .arg(&handle.folders.spool)
        .arg(&cluster.hosts[index].prefix)
        .arg(or_none(own_archive(cluster)))
        .arg(or_none(needs.af_packet.then_some("plugins")))
        .input(input);
    let before = jiff::Timestamp::now().as_second();
    let reply = handle.connection.run(call).await?;
    let after = jiff::Timestamp::now().as_second();
    let setup = understood(HostSetup::parse(&reply.lines), &reply)?;
    let mut facts = DoctorFacts::new(setup, (before, after));
    if !cluster.hosts[index].local {
        // What sshd does counts, and its configuration is mostly not for us to read.
        facts.sessions = room(handle, fleet.settings.question).await.err();
        if cluster.manager().is_some_and(|m| m.host == index) {
            facts.forbids = handle.connection.forbids(cluster.ports.control, fleet.settings.question).await;
        }
    }
    Ok(facts)
}

/// Tells that it is there, and stays until its input ends.
const STAY: &str = "echo \"$T here\"\nread -r rest\n";

/// Tries whether a host lets in as many sessions at a time as are needed; why not, where it does not.
async fn room(handle: &HostHandle, deadline: Duration) -> Result<(), Failure> {
    let (there, mut arrived) = mpsc::unbounded_channel();
    let stay = || async {
        // As long as this is kept, its input does not end.
        let (_stay, later) = mpsc::unbounded_channel();
        let there = there.clone();
        let mut call = RemoteScript::new(STAY, deadline).on_line(move |_| {
            // Nobody waits any more.
            let _ = there.send(());
        });
        call.later = Some(later);
        handle.connection.run(call).await.map(drop)
    };
    let all = async {
        for _ in 0..SESSIONS {
            arrived.recv().await;
        }
    };
    tokio::select! {
        ended = futures_util::future::select_all((0..SESSIONS).map(|_| Box::pin(stay()))) => ended.0,
        () = all => Ok(()),
    }
}
