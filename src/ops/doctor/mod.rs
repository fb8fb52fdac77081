//! The preflight of every host: one call each, and what it says, judged.

mod facts;
mod judge;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;

use super::fleet::{Fleet, Seat};
use super::ports::Listener;
use crate::cluster::{Archive, Cluster, Node};
use crate::transport::{Call, Failure};
use crate::values::Version;
use crate::zeek::{self, Listens};

use facts::Facts;
pub(super) use judge::word as shell_word;

const DOCTOR: &str = concat!(
    include_str!("../../../templates/say.sh"),
    include_str!("../../../templates/lib.sh"),
    include_str!("../../../templates/units.sh"),
    include_str!("../../../templates/cpus.sh"),
    include_str!("../../../templates/trail.sh"),
    include_str!("../../../templates/doctor.sh"),
    include_str!("../../../templates/ports.sh")
);

/// What was found on all hosts.
#[derive(Debug, Clone, Serialize)]
pub struct DoctorReport {
    /// One for each host that is not disabled, in the cluster's order.
    pub hosts: Vec<HostReport>,
}

/// What was found on one host.
#[derive(Debug, Clone, Serialize)]
pub struct HostReport {
    /// The host.
    pub host: String,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// What root has to run there once, in this order.
    pub as_root: Vec<String>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What: `zeek`, `ports`.
    pub what: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found, in words.
    pub found: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Worth knowing, and no obstacle.
    Note,
    /// Not as it should be.
    Bad,
}

impl HostReport {
    /// Tells whether all is as it should be.
    pub fn is_ok(&self) -> bool {
        self.checks.iter().all(|c| c.verdict != Verdict::Bad)
    }
}

impl DoctorReport {
    /// Tells whether all is as it should be.
    pub fn is_ok(&self) -> bool {
        self.hosts.iter().all(HostReport::is_ok)
    }
}

/// What the nodes of one host need of it.
struct Needs<'a> {
    nodes: Vec<&'a Node>,
    /// Devices that the kernel has to have.
    interfaces: Vec<&'a str>,
    af_packet: bool,
    /// Where nodes listen in any version that may come, with their names.
    listens: BTreeMap<Version, Vec<(&'a str, Listens)>>,
}

impl<'a> Needs<'a> {
    fn of(cluster: &'a Cluster, host: usize) -> Self {
        let nodes: Vec<&Node> = cluster.run_nodes().filter(|n| n.host == host).collect();
        let mut interfaces: Vec<&str> = nodes.iter().filter_map(|n| device(n.interface.as_deref()?)).collect();
        interfaces.sort_unstable();
        interfaces.dedup();
        // Which version a host has shows only in its answer; these two differ most of those that are run.
        let versions = cluster.zeek.version.map_or_else(|| vec![Version::new(8, 0), zeek::NEWEST], |v| vec![v]);
        let listens = |version: Version| {
            nodes
                .iter()
                .flat_map(|n| zeek::listens(cluster, n, version).into_iter().map(|l| (n.name.as_str(), l)))
                .collect()
        };
        Self {
            interfaces,
            af_packet: nodes.iter().any(|n| n.interface.as_deref().is_some_and(|i| i.starts_with("af_packet::"))),
            listens: versions.into_iter().map(|v| (v, listens(v))).collect(),
            nodes,
        }
    }

    /// Returns where nodes listen in a version, or in the nearest that was thought of.
    fn listens(&self, version: Version) -> &[(&'a str, Listens)] {
        let before = self.listens.range(..=version).next_back();
        before.or_else(|| self.listens.iter().next()).map_or(&[], |(_, listens)| listens)
    }
}

/// Returns the device of the kernel that an interface means; none where only a packet source of Zeek's knows it.
fn device(interface: &str) -> Option<&str> {
    let name = interface.strip_prefix("af_packet::").unwrap_or(interface);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    (!name.is_empty() && !name.starts_with('.') && name.chars().all(plain)).then_some(name)
}

/// Looks at every host that is not disabled. A host that can't be asked is in the report.
pub async fn doctor(fleet: &Fleet) -> DoctorReport {
    let cluster = &*fleet.cluster;
    let mut answers: BTreeMap<usize, Result<Facts, Failure>> = BTreeMap::new();
    let asked = fleet
        .each("looking at hosts", fleet.seats(fleet.enabled()), |seat| async move {
            let answer = ask(fleet, &seat).await;
            let failure = answer.as_ref().err().map(Failure::text);
            (answer, failure)
        })
        .await;
    for (seat, answer) in asked {
        if let Some(index) = seat.index {
            answers.insert(index, answer);
        }
    }
    let mut hosts = Vec::new();
    for (index, answer) in &answers {
        let name = &cluster.hosts[*index].name;
        hosts.push(match answer {
            Ok(facts) => judge::host(cluster, *index, facts, &Needs::of(cluster, *index), &answers),
            Err(failure) => HostReport {
                host: name.clone(),
                checks: vec![Check {
                    what: "ssh",
                    verdict: Verdict::Bad,
                    found: format!("can't be asked: {}", failure.text()),
                    hint: failure.hint(name),
                }],
                as_root: Vec::new(),
            },
        });
    }
    DoctorReport { hosts }
}

/// Returns the folder of the archive, if it is not in the spool folder.
fn own_archive(cluster: &Cluster) -> Option<&str> {
    match &cluster.logs.archive {
        Archive::Folder(path) => Some(path),
        Archive::Off | Archive::Spool => None,
    }
}

async fn ask(fleet: &Fleet, seat: &Seat) -> Result<Facts, Failure> {
    let cluster = &*fleet.cluster;
    let index = seat.index.unwrap_or_default();
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
    let call = Call::new(DOCTOR, fleet.settings.question)
        .arg(&seat.folders.home)
        .arg(&seat.folders.spool)
        .arg(&cluster.hosts[index].prefix)
        .arg(or_none(own_archive(cluster)))
        .arg(or_none(needs.af_packet.then_some("plugins")))
        .input(input);
    let before = jiff::Timestamp::now().as_second();
    let reply = seat.connection.run(call).await?;
    let after = jiff::Timestamp::now().as_second();
    let mut facts = Facts::parse(&reply.lines, (before, after));
    if !cluster.hosts[index].local {
        // What sshd does counts, and its configuration is mostly not for us to read.
        facts.sessions = room(seat, fleet.settings.question).await.err();
        if cluster.manager().is_some_and(|m| m.host == index) {
            facts.forbids = seat.connection.forbids(cluster.ports.control, fleet.settings.question).await;
        }
    }
    Ok(facts)
}

/// How many sessions clusterctl has open at the same time: the lock, a call, and an interruption's.
const SESSIONS: usize = 3;
/// Tells that it is there, and stays until its input ends.
const STAY: &str = "echo \"$T here\"\nread -r rest\n";

/// Tries whether a host lets in as many sessions at a time as are needed; why not, where it does not.
async fn room(seat: &Seat, deadline: Duration) -> Result<(), Failure> {
    let (there, mut arrived) = mpsc::unbounded_channel();
    let stay = || async {
        // As long as this is kept, its input does not end.
        let (_stay, later) = mpsc::unbounded_channel();
        let there = there.clone();
        let mut call = Call::new(STAY, deadline).on_line(move |_| {
            // Nobody waits any more.
            let _ = there.send(());
        });
        call.later = Some(later);
        seat.connection.run(call).await.map(drop)
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
