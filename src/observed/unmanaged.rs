//! Zeek processes that are no node of the cluster: whose they are, and where they come from.
//!
//! Any user of a host can name a process `zeek` and give it any arguments and environment. So what is said of a process
//! of another user is that user's own word, and no decision hangs on it.

use std::collections::HashMap;

use super::limits::number;

/// A Zeek process that is no node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmanagedProcess {
    pub pid: u32,
    pub owner: Owner,
    /// What started it.
    pub origin: Origin,
    /// The supervisor that would start it again.
    pub supervisor: Option<u32>,
}

impl UnmanagedProcess {
    /// The node of a cluster that it runs as, where it is no other user's word.
    pub fn node_of(&self, cluster: &str) -> Option<&str> {
        match &self.origin {
            Origin::Clusterctl { cluster: name, node, .. } if name == cluster => {
                (!matches!(self.owner, Owner::User(_))).then_some(node)
            }
            _ => None,
        }
    }

    /// The processes to end, in this order, so that it does not run any more.
    pub fn to_end(&self) -> impl Iterator<Item = u32> {
        self.supervisor.into_iter().chain([self.pid])
    }
}

/// Whose a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The account's that clusterctl logs in as.
    Account,
    /// Root's, where that is another one.
    Root,
    /// Another user's, by the number.
    User(u32),
}

/// What started a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// clusterctl: the cluster, the node, and the folder in which the cluster has its nodes, as far as that shows.
    Clusterctl { cluster: String, node: String, folder: Option<String> },
    /// zeekctl; with the node's name, where its environment can be read.
    Zeekctl(Option<String>),
    /// Something else.
    Unknown(Option<String>),
}

/// From which folder a process of a cluster runs, where the cluster's own folder on its host shows no process of that node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProcessFolder<'a> {
    /// From the cluster's own; whether that knows the node all the same, as where one of its files is damaged.
    Own { known: bool },
    /// From this one.
    Other(&'a str),
    /// It does not show; whether the cluster's own has a node of that name which is to run and does not.
    Hidden { known: bool },
}

/// The most processes that are taken from one answer; the script sends about 500.
const MOST: usize = 1000;

/// Reads what `templates/observe.sh` says of them.
#[derive(Debug, Default)]
pub(super) struct Reader {
    uid: Option<u32>,
    found: Vec<ProcessFacts>,
    /// Where each stands in `found`.
    index: HashMap<u32, usize>,
    /// Arguments of these processes and of their parents.
    args: HashMap<u32, Vec<String>>,
    /// How many were only counted.
    more: u64,
}

/// One of them, as it is told.
#[derive(Debug, Default)]
struct ProcessFacts {
    pid: u32,
    uid: u32,
    parent: u32,
    /// The instance in its unit's name.
    unit: Option<String>,
    /// The folder of a node of another cluster, beside ours, whose process it is.
    folder: Option<String>,
    /// `CLUSTER_NODE`.
    node: Option<String>,
    /// `CLUSTERCTL`.
    mark: Option<String>,
    gone: bool,
}

impl Reader {
    /// Takes a line; tells whether it was one of these. What a line quotes of a process is that process's own word, and
    /// may be anything.
    pub(super) fn take(&mut self, word: &str, value: &str) -> Result<bool, String> {
        if word == "unit" {
            let found = self.found.last_mut().ok_or("it comes before any process")?;
            found.unit = Some(value.to_owned());
            return Ok(true);
        }
        if !matches!(word, "uid" | "more" | "unmanaged" | "cmdline" | "folder" | "environ" | "gone") {
            return Ok(false);
        }
        let (first, rest) = value.split_once(' ').unwrap_or((value, ""));
        if word == "more" {
            self.more = self.more.saturating_add(number(first)?);
            return Ok(true);
        }
        let pid: u32 = number(first)?;
        match word {
            "uid" => self.uid = Some(pid),
            "unmanaged" => {
                let (uid, parent) = rest.split_once(' ').ok_or("it has no parent")?;
                let found = ProcessFacts { pid, uid: number(uid)?, parent: number(parent)?, ..ProcessFacts::default() };
                if self.found.len() >= MOST || self.index.insert(pid, self.found.len()).is_some() {
                    return Err("it comes twice, or there are too many".to_owned());
                }
                self.found.push(found);
            }
            "cmdline" => self.args.entry(pid).or_default().push(rest.to_owned()),
            _ => {
                let found = self.index.get(&pid).and_then(|at| self.found.get_mut(*at));
                let found = found.ok_or("it comes before any process")?;
                match (word, rest.split_once('=')) {
                    ("folder", _) => found.folder = Some(rest.to_owned()),
                    ("gone", _) => found.gone = true,
                    (_, Some(("CLUSTER_NODE", node))) => found.node = Some(node.to_owned()),
                    (_, Some(("CLUSTERCTL", mark))) => found.mark = Some(mark.to_owned()),
                    _ => return Err("that variable was not asked for".to_owned()),
                }
            }
        }
        Ok(true)
    }

    /// Returns what was told, and how many more there are.
    pub(super) fn finish(self) -> (Vec<UnmanagedProcess>, u64) {
        let args = |pid: u32| self.args.get(&pid).map_or(&[][..], Vec::as_slice);
        let unmanaged =
            self.found.iter().filter(|f| !f.gone && !f.only_asks(args(f.pid))).map(|found| UnmanagedProcess {
                pid: found.pid,
                owner: match found.uid {
                    uid if Some(uid) == self.uid => Owner::Account,
                    0 => Owner::Root,
                    uid => Owner::User(uid),
                },
                origin: found.origin(args(found.pid), args(found.parent)),
                supervisor: supervisor(args(found.parent)).map(|_| found.parent),
            });
        (unmanaged.collect(), self.more)
    }
}

impl ProcessFacts {
    /// Tells whether it does not run as a node: what parses scripts, or tells its version.
    fn only_asks(&self, args: &[String]) -> bool {
        self.mark.as_deref() == Some("-/version")
            || args.iter().any(|arg| matches!(arg.as_str(), "--parse-only" | "--version" | "-N"))
    }

    fn origin(&self, args: &[String], parent: &[String]) -> Origin {
        if let Some((cluster, node, folder)) =
            self.folder.as_deref().and_then(node_folder).or_else(|| supervisor(parent))
        {
            return Origin::Clusterctl { cluster, node, folder: Some(folder) };
        }
        let of_unit = self.unit.as_deref().and_then(instance);
        let of_mark = || self.mark.as_deref()?.split_once('/').map(|(c, n)| (c.to_owned(), n.to_owned()));
        if let Some((cluster, node)) = of_unit.or_else(of_mark) {
            return Origin::Clusterctl { cluster, node, folder: None };
        }
        if args.iter().any(|arg| arg == "zeekctl") {
            return Origin::Zeekctl(self.node.clone());
        }
        Origin::Unknown(self.node.clone())
    }
}

/// Reads `FOLDER/nodes/NODE`, where the folder's last part is the cluster.
fn node_folder(path: &str) -> Option<(String, String, String)> {
    let (folder, node) = path.rsplit_once("/nodes/")?;
    let (_, cluster) = folder.rsplit_once('/')?;
    Some((cluster.to_owned(), node.to_owned(), folder.to_owned()))
}

/// Reads the command line of a supervisor: `sh SCRIPT HOME DIR RELEASE NODE` (templates/supervisor.sh).
fn supervisor(args: &[String]) -> Option<(String, String, String)> {
    match args {
        [_, script, home, dir, _, node] if script.ends_with("/clusterctl/supervisor.sh") => {
            let (_, cluster) = home.rsplit_once('/')?;
            let folder = dir.strip_suffix(node.as_str())?.strip_suffix("/nodes/")?;
            Some((cluster.to_owned(), node.clone(), folder.to_owned()))
        }
        _ => None,
    }
}

/// Reads cluster and node from the instance of a unit (`unit_of` in templates/units.sh): `CLUSTER-NODE.service`, in which
/// a `-` of the names themselves is escaped.
fn instance(text: &str) -> Option<(String, String)> {
    let (cluster, node) = text.split('/').next()?.strip_suffix(".service")?.split_once('-')?;
    let plain = |name: &str| name.replace(r"\x2d", "-");
    Some((plain(cluster), plain(node)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Vec<UnmanagedProcess> {
        let mut reader = Reader::default();
        for line in lines {
            let (word, value) = line.split_once(' ').unwrap();
            assert_eq!(reader.take(word, value), Ok(true), "{line}");
        }
        reader.finish().0
    }

    fn clusterctl(cluster: &str, node: &str, folder: Option<&str>) -> Origin {
        Origin::Clusterctl { cluster: cluster.to_owned(), node: node.to_owned(), folder: folder.map(str::to_owned) }
    }

    #[test]
    fn a_node_is_known_by_its_folder_its_supervisor_its_unit_or_its_environment() {
        let found = read(&[
            "uid 1000",
            "unmanaged 10 1000 1",
            "unmanaged 11 1000 7",
            "unmanaged 12 1001 1",
            r"unit corp\x2dtwo-worker\x2d1.service",
            "unmanaged 13 0 1",
            "unmanaged 14 1000 1",
            "folder 10 /data/spool/corp/nodes/worker-1",
            "cmdline 7 sh",
            "cmdline 7 /opt/corp/releases/0123/clusterctl/supervisor.sh",
            "cmdline 7 /opt/corp",
            "cmdline 7 /data/corp/nodes/w",
            "cmdline 7 /opt/corp/releases/0123",
            "cmdline 7 w",
            "environ 13 CLUSTERCTL=c/manager",
            "cmdline 14 zeek",
            "cmdline 14 -p",
            "cmdline 14 zeekctl",
            "environ 14 CLUSTER_NODE=worker-9",
        ]);
        let told: Vec<(u32, Owner, &Origin)> = found.iter().map(|s| (s.pid, s.owner, &s.origin)).collect();
        assert_eq!(found[1].to_end().collect::<Vec<_>>(), [7, 11]);
        assert_eq!((found[1].node_of("corp"), found[2].node_of("corp-two")), (Some("w"), None));
        assert_eq!(
            told,
            [
                (10, Owner::Account, &clusterctl("corp", "worker-1", Some("/data/spool/corp"))),
                (11, Owner::Account, &clusterctl("corp", "w", Some("/data/corp"))),
                (12, Owner::User(1001), &clusterctl("corp-two", "worker-1", None)),
                (13, Owner::Root, &clusterctl("c", "manager", None)),
                (14, Owner::Account, &Origin::Zeekctl(Some("worker-9".to_owned()))),
            ]
        );
    }

    #[test]
    fn what_ended_meanwhile_and_what_only_asks_is_none() {
        let found = read(&[
            "uid 0",
            "unmanaged 10 0 1",
            "unmanaged 11 0 1",
            "unmanaged 12 0 1",
            "unmanaged 13 0 1",
            "cmdline 10 zeek",
            "cmdline 11 zeek",
            "cmdline 11 --parse-only",
            "environ 12 CLUSTERCTL=-/version",
            // An argument that has it in it is none that says so.
            "cmdline 13 x --parse-only",
            "gone 10",
        ]);
        assert_eq!(found.iter().map(|s| s.pid).collect::<Vec<_>>(), [13]);
    }
}
