//! Ports that something else has: looked for before anything changes, and named where a node ended at its start.

use std::collections::{BTreeMap, BTreeSet};

use super::outcome::{NodeOutcome, Outcome};
use crate::error::Error;
use crate::fleet::{Fleet, HostHandle, understood};
use crate::observed::{Listener, Observed, Origin, UnmanagedProcess};
use crate::scripts;
use crate::transport::{Failure, RemoteScript};
use crate::values::Version;
use crate::zeek::{self, Listens};

/// Where nodes of one host listen.
type HostListens = Vec<(String, Listens)>;

/// Makes sure that nothing else listens where nodes that are about to start will.
///
/// # Errors
/// With each port that is taken, where, and by which process.
pub(crate) async fn free(
    fleet: &Fleet,
    version: Version,
    found: &[Option<impl AsRef<Observed>>],
    starting: &BTreeSet<&str>,
) -> Result<(), Error> {
    let mut taken = taken(fleet, version, starting).await?;
    if taken.is_empty() {
        return Ok(());
    }
    let settings: BTreeSet<String> = taken.iter().map(|taken| format!("`{}`", taken.setting)).collect();
    let settings: Vec<String> = settings.into_iter().collect();
    let others: BTreeSet<String> = taken.iter_mut().filter_map(|taken| taken.of_a_cluster(fleet, found)).collect();
    let mut error = Error::failed("other processes use ports that nodes need; nothing changed");
    for other in &others {
        error = error.hint(format!(
            "to stop the cluster `{other}`, run `clusterctl stop` with its description; if you renamed it, write \
             `cluster: {other}` into this one for that"
        ));
    }
    let process = if others.is_empty() { "that process" } else { "those processes" };
    let error = error.hint(format!("end {process}, or write another {}", settings.join(" or ")));
    let line = |taken: &Taken| format!("{} on {}: {}", taken.node, taken.host, taken.words);
    Err(taken.iter().map(line).fold(error, Error::because))
}

/// Adds to nodes that ended at start which of their ports something else has; `found` is what was seen on the hosts
/// before.
pub(crate) async fn blame(
    fleet: &Fleet,
    version: Option<Version>,
    found: &[Option<impl AsRef<Observed>>],
    outcomes: &mut [NodeOutcome],
) {
    let dead = |o: &&NodeOutcome| matches!(o.outcome, Outcome::ExitedAtStart(_));
    let starting: BTreeSet<&str> = outcomes.iter().filter(dead).map(|o| o.node.as_str()).collect();
    let Some(version) = version.filter(|_| !starting.is_empty()) else { return };
    // They ended; that their host can't say why is no further failure.
    let Ok(taken) = taken(fleet, version, &starting).await else { return };
    for mut taken in taken {
        taken.of_a_cluster(fleet, found);
        let Taken { node, words, .. } = taken;
        if let Some(NodeOutcome { outcome: Outcome::ExitedAtStart(how), .. }) =
            outcomes.iter_mut().find(|o| o.node == node)
        {
            *how = format!("{how}; {words}");
        }
    }
}

/// A port that something else has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Taken {
    host: String,
    node: String,
    words: String,
    /// What of the description moves the node's port.
    setting: &'static str,
    /// The process that has it, where the host lets us see it.
    pid: Option<u32>,
}

impl Taken {
    /// Says so where a node of another cluster of clusterctl's has the port, and returns that cluster's name. Where the
    /// process does not show, other clusters that run there are named.
    fn of_a_cluster(&mut self, fleet: &Fleet, found: &[Option<impl AsRef<Observed>>]) -> Option<String> {
        let host = fleet.cluster.hosts.iter().position(|host| host.name == self.host)?;
        let unmanaged = &found.get(host)?.as_ref()?.as_ref().unmanaged;
        let others = |unmanaged: &UnmanagedProcess| match &unmanaged.origin {
            Origin::Clusterctl { cluster, node, folder } if *cluster != fleet.cluster.name => {
                let folder = folder.as_ref().map(|folder| format!(", in {folder}")).unwrap_or_default();
                Some((cluster.clone(), node.clone(), folder))
            }
            _ => None,
        };
        let (name, words) = if let Some(pid) = self.pid {
            let (name, node, folder) = unmanaged.iter().find(|unmanaged| unmanaged.pid == pid).and_then(others)?;
            let words = format!("it is {node} of the cluster `{name}` of clusterctl{folder}");
            (name, words)
        } else {
            let (name, _, folder) = unmanaged.iter().find_map(others)?;
            let words = format!("the cluster `{name}` of clusterctl runs there{folder}");
            (name, words)
        };
        self.words = format!("{}; {words}", self.words);
        Some(name)
    }
}

/// Finds each port that is taken.
async fn taken(fleet: &Fleet, version: Version, starting: &BTreeSet<&str>) -> Result<Vec<Taken>, Error> {
    let mut wanted: BTreeMap<usize, HostListens> = BTreeMap::new();
    for node in fleet.cluster.run_nodes().filter(|n| starting.contains(n.name.as_str())) {
        for listens in zeek::listens(&fleet.cluster, node, version) {
            wanted.entry(node.host).or_default().push((node.name.clone(), listens));
        }
    }
    let handles = fleet.handles(wanted.keys().copied());
    let wanted = &wanted;
    let answers = fleet
        .each("looking at ports", handles, |handle| async move {
            let ports = handle.index.and_then(|i| wanted.get(&i)).map_or(&[][..], Vec::as_slice);
            listeners(fleet, &handle, ports).await
        })
        .await;
    let mut taken = Vec::new();
    for (handle, answer) in answers {
        let listeners = answer.map_err(|failure| {
            let error =
                Error::failed(format!("cannot read from {} which ports are free; nothing changed", handle.name));
            let error = error.because(failure.text());
            failure.hint(&handle.name).map_or(error.clone(), |hint| error.hint(hint))
        })?;
        for (node, listens) in handle.index.and_then(|i| wanted.get(&i)).into_iter().flatten() {
            if let Some(listener) = listeners.iter().find(|l| is_in_the_way(l, *listens)) {
                taken.push(Taken {
                    host: handle.name.clone(),
                    node: node.clone(),
                    words: listener.words(),
                    setting: listens.setting,
                    pid: listener.process.as_ref().map(|(pid, _)| *pid),
                });
            }
        }
    }
    taken.sort();
    taken.dedup();
    Ok(taken)
}

async fn listeners(fleet: &Fleet, handle: &HostHandle, wanted: &[(String, Listens)]) -> Result<Vec<Listener>, Failure> {
    let input: String = wanted.iter().map(|(_, l)| format!("{:04X}\n", l.port)).collect();
    let call = RemoteScript::new(scripts::PORTS, fleet.settings.question).arg(&handle.folders.spool).input(input);
    let reply = handle.connection.run(call).await?;
    understood(Listener::all(&reply.lines), &reply)
}

/// Tells whether a node can't listen somewhere because of another process.
pub(crate) fn is_in_the_way(listener: &Listener, listens: Listens) -> bool {
    let same = match (listener.address, listens.address) {
        (Some(theirs), Some(ours)) => theirs == ours || ours.is_unspecified(),
        _ => true,
    };
    listener.port == listens.port && same
}

#[cfg(test)]
mod tests {
    use super::is_in_the_way;
    use crate::observed::Listener;
    use crate::zeek::Listens;

    #[test]
    fn what_listens_on_all_addresses_is_in_every_way() {
        let in_the_way = |line: &str, address: &str, port: u16| {
            let listener = &Listener::all(&[&format!("listens {line}"), "ports end"]).unwrap()[0];
            is_in_the_way(listener, Listens { address: address.parse().ok(), port, setting: "port" })
        };
        let here = "0100007F:6C70 zeek 4711 nc";
        assert!(in_the_way(here, "127.0.0.1", 27760));
        assert!(in_the_way(here, "", 27760), "on all addresses is on this one as well");
        assert!(!in_the_way(here, "10.0.0.1", 27760));
        assert!(!in_the_way(here, "127.0.0.1", 27761));
        assert!(in_the_way("00000000000000000000000000000000:0016 root - -", "10.0.0.1", 22));
        let six = "B80D0120000000000000000012000000:0016 root 1 systemd";
        assert!(in_the_way(six, "2001:db8::12", 22));
        assert!(!in_the_way(six, "2001:db8::13", 22));
    }
}
