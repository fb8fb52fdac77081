//! Ports that something else has: looked for before anything changes, and named where a node ended at its start.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::outcome::{NodeOutcome, Outcome};
use crate::error::Error;
use crate::fleet::{Fleet, HostHandle};
use crate::observed::{Observed, Origin, UnmanagedProcess};
use crate::scripts;
use crate::transport::{Failure, RemoteScript};
use crate::values::Version;
use crate::zeek::{self, Listens};

/// A process that listens on a port and is no node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    /// None: on all addresses.
    address: Option<IpAddr>,
    port: u16,
    user: String,
    /// Pid and name, where the host lets us see them.
    process: Option<(u32, String)>,
}

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
            if let Some(listener) = listeners.iter().find(|l| l.is_in_the_way_of(*listens)) {
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
    Ok(reply.lines.iter().filter_map(|line| Listener::parse(line.strip_prefix("listens ")?)).collect())
}

impl Listener {
    /// Reads `ADDRESS:PORT USER PID NAME`, address and port as the kernel writes them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ' ');
        let (address, port) = parts.next()?.split_once(':')?;
        let user = parts.next()?.to_owned();
        let process = parts.next()?.parse().ok().map(|pid| (pid, parts.next().unwrap_or("-").to_owned()));
        let address = address_of(address)?;
        let address = Some(address).filter(|a| !a.is_unspecified());
        Some(Self { address, port: u16::from_str_radix(port, 16).ok()?, user, process })
    }

    pub(crate) fn is_in_the_way_of(&self, listens: Listens) -> bool {
        let same = match (self.address, listens.address) {
            (Some(theirs), Some(ours)) => theirs == ours || ours.is_unspecified(),
            _ => true,
        };
        self.port == listens.port && same
    }

    pub(crate) fn words(&self) -> String {
        match &self.process {
            Some((pid, name)) => {
                format!("port {} is held by {name} (pid {pid}, user {})", self.port, self.user)
            }
            None => format!("port {} is held by a process of user {}", self.port, self.user),
        }
    }
}

/// Reads an address of /proc/net/tcp: words of 32 bits as hex digits, each in the machine's own order of bytes. All
/// machines that Zeek is built for begin with the lowest.
fn address_of(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_le_bytes());
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (i, four) in bytes.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(i * 8)?);
            }
            Some(Ipv6Addr::from(bytes).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Listener;
    use crate::zeek::Listens;

    fn listens(address: &str, port: u16) -> Listens {
        Listens { address: address.parse().ok(), port, setting: "port" }
    }

    #[test]
    fn the_kernels_table_is_read() {
        let here = Listener::parse("0100007F:6C70 zeek 4711 nc").unwrap();
        assert_eq!(here.words(), "port 27760 is held by nc (pid 4711, user zeek)");
        assert!(here.is_in_the_way_of(listens("127.0.0.1", 27760)));
        assert!(here.is_in_the_way_of(listens("", 27760)), "on all addresses is on this one as well");
        assert!(!here.is_in_the_way_of(listens("10.0.0.1", 27760)));
        assert!(!here.is_in_the_way_of(listens("127.0.0.1", 27761)));
        let all = Listener::parse("00000000000000000000000000000000:0016 root - -").unwrap();
        assert_eq!(all.words(), "port 22 is held by a process of user root");
        assert!(all.is_in_the_way_of(listens("10.0.0.1", 22)));
        let six = Listener::parse("B80D0120000000000000000012000000:0016 root 1 systemd").unwrap();
        assert!(six.is_in_the_way_of(listens("2001:db8::12", 22)));
        assert!(!six.is_in_the_way_of(listens("2001:db8::13", 22)));
        assert_eq!(Listener::parse("noise"), None);
    }
}
