//! Zeek processes on a host that are no nodes of the cluster, in words. What to do is advised only for those that are
//! the account's own; no user of a host makes a status fail by the name of a process.

use std::collections::{BTreeMap, BTreeSet};

use super::types::Trouble;
use crate::cluster::{Cluster, Folders, Host};
use crate::observed::{Observed, Origin, Owner, ProcessFolder, UnmanagedProcess};

/// The most pids in one line.
const PIDS: usize = 10;

/// Kinds of processes that are told together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Nodes of this cluster that no folder under `paths` knows, in another folder or in none that is known.
    Ours(Option<String>),
    /// Nodes of this cluster that were started from the folder under `paths`, which has lost what it knew of them.
    Lost(String),
    /// Nodes of another cluster.
    Others(String, Option<String>),
    /// Started by zeekctl.
    Zeekctl,
    /// Started by somebody, as the account or as root.
    Unknown { root: bool },
    /// Processes of other users.
    Foreign,
}

fn kind(cluster: &Cluster, spool: &str, observed: &Observed, unmanaged: &UnmanagedProcess) -> Kind {
    let foreign = matches!(unmanaged.owner, Owner::User(_));
    match observed.node_and_folder(unmanaged, &cluster.name, spool) {
        Some((_, ProcessFolder::Own { .. })) => return Kind::Lost(spool.to_owned()),
        Some((_, ProcessFolder::Other(folder))) => return Kind::Ours(Some(folder.to_owned())),
        Some((_, ProcessFolder::Hidden { .. })) => return Kind::Ours(None),
        None => {}
    }
    match &unmanaged.origin {
        Origin::Clusterctl { cluster: name, folder, .. } => Kind::Others(name.clone(), folder.clone()),
        _ if foreign => Kind::Foreign,
        Origin::Zeekctl(_) => Kind::Zeekctl,
        Origin::Unknown(_) => Kind::Unknown { root: unmanaged.owner == Owner::Root },
    }
}

/// Tells of the processes on a host, each kind in one line.
pub(crate) fn tell(
    cluster: &Cluster,
    host: &Host,
    observed: &Observed,
    troubles: &mut Vec<Trouble>,
    warnings: &mut Vec<Trouble>,
) {
    let spool = Folders::of(&cluster.name, host).spool;
    let host = &host.name;
    let mut kinds: BTreeMap<Kind, Vec<&UnmanagedProcess>> = BTreeMap::new();
    for unmanaged in &observed.unmanaged {
        kinds.entry(kind(cluster, &spool, observed, unmanaged)).or_default().push(unmanaged);
    }
    let trouble = |what: String, hint: Option<String>| Trouble { subject: host.to_owned(), what, hint };
    for (kind, unmanaged) in kinds {
        let (pids, one) = (pids(&unmanaged), unmanaged.len() == 1);
        let names = names(&unmanaged);
        let number = unmanaged.len();
        let some = |one_word: &str, words: &str| if one { one_word.to_owned() } else { format!("{number} {words}") };
        let run = if one { "runs" } else { "run" };
        let kill = || {
            let list: Vec<String> = unmanaged.iter().take(PIDS).map(|s| s.pid.to_string()).collect();
            let them = if one { "it is" } else { "they are" };
            Some(format!("if {them} not supposed to run: kill {} on {host}", list.join(" ")))
        };
        match kind {
            Kind::Lost(folder) => {
                let list: Vec<String> = unmanaged.iter().flat_map(|p| p.to_end()).map(|pid| pid.to_string()).collect();
                troubles.push(trouble(
                    format!("{names} of this cluster {run}, but {folder} has no record of it ({pids} on {host})"),
                    Some(format!("on {host}: kill {}; then clusterctl deploy", list.join(" "))),
                ));
            }
            Kind::Ours(Some(folder)) => troubles.push(trouble(
                format!("{names} of this cluster {run} from another folder, {folder} ({pids} on {host})"),
                Some(format!("stop {0} with the description that started {0}", if one { "it" } else { "them" })),
            )),
            Kind::Ours(None) => troubles.push(trouble(
                format!(
                    "{} as {names} of this cluster, but its folders there have no record of {} ({pids} on {host})",
                    some("an unmanaged Zeek runs", "unmanaged Zeeks run"),
                    if one { "that process" } else { "these processes" },
                ),
                kill(),
            )),
            Kind::Others(other, folder) => {
                let folder = folder.map(|folder| format!(" in {folder}")).unwrap_or_default();
                let of = users(&unmanaged);
                warnings.push(trouble(
                    format!("{} of the cluster `{other}`{folder} {run} there too{of}", some("a node", "nodes")),
                    None,
                ));
            }
            Kind::Zeekctl => troubles.push(trouble(
                format!("{}{names} that zeekctl started ({pids} on {host})", some("a Zeek runs", "Zeeks run")),
                Some(format!("`zeekctl stop` where {} belongs", if one { "it" } else { "they" })),
            )),
            Kind::Unknown { root } => troubles.push(trouble(
                format!(
                    "{}{names} that clusterctl did not start ({pids} on {host}{})",
                    some("an unmanaged Zeek runs", "unmanaged Zeeks run"),
                    if root { ", root's" } else { "" }
                ),
                if root { Some("find out who started it as root".to_owned()) } else { kill() },
            )),
            Kind::Foreign => warnings.push(trouble(
                format!(
                    "{} named zeek {run} there that clusterctl did not start ({pids}{})",
                    some("a process", "processes"),
                    users(&unmanaged)
                ),
                None,
            )),
        }
    }
    if observed.more_unmanaged > 0 {
        let more = observed.more_unmanaged;
        warnings.push(trouble(
            format!("{more} more {} not of this cluster", if more == 1 { "Zeek is" } else { "Zeeks are" }),
            None,
        ));
    }
}

fn pids(unmanaged: &[&UnmanagedProcess]) -> String {
    let list: Vec<String> = unmanaged.iter().take(PIDS).map(|s| s.pid.to_string()).collect();
    let more = match unmanaged.len().saturating_sub(PIDS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("pid{} {}{more}", if unmanaged.len() == 1 { "" } else { "s" }, list.join(", "))
}

/// The names of nodes: those of a cluster of ours bare, others after ` as `.
fn names(unmanaged: &[&UnmanagedProcess]) -> String {
    let all: Vec<&str> = unmanaged
        .iter()
        .filter_map(|s| match &s.origin {
            Origin::Clusterctl { node, .. } => Some(node.as_str()),
            Origin::Zeekctl(node) | Origin::Unknown(node) => node.as_deref(),
        })
        .take(PIDS)
        .collect();
    let bare = matches!(unmanaged.first().map(|s| &s.origin), Some(Origin::Clusterctl { .. }));
    match (all.is_empty(), bare) {
        (true, _) => String::new(),
        (false, true) => all.join(", "),
        (false, false) => format!(" as {}", all.join(", ")),
    }
}

/// Says whose they are, where they are not the account's.
fn users(unmanaged: &[&UnmanagedProcess]) -> String {
    let users: BTreeSet<String> = unmanaged
        .iter()
        .filter_map(|s| match s.owner {
            Owner::Account => None,
            Owner::Root => Some("root".to_owned()),
            Owner::User(uid) => Some(format!("uid {uid}")),
        })
        .take(PIDS)
        .collect();
    if users.is_empty() { String::new() } else { format!(", of {}", users.into_iter().collect::<Vec<_>>().join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> Cluster {
        let text = "cluster: c\nhosts: { here: { local: true } }\nnodes:\n  manager: { type: manager, host: here }\n  \
                    proxy: { type: proxy, host: here, count: 1 }\n";
        let description = crate::spec::parse("c", text.to_owned(), "/".into());
        crate::cluster::check(&description).unwrap()
    }

    fn told(lines: &[&str]) -> String {
        let observed = Observed::of(lines);
        let (mut troubles, mut warnings) = (Vec::new(), Vec::new());
        let cluster = cluster();
        let host = Host { name: "sensor2".to_owned(), ..cluster.hosts[0].clone() };
        tell(&cluster, &host, &observed, &mut troubles, &mut warnings);
        let line = |word: &str, t: &Trouble| {
            let hint = t.hint.as_ref().map(|hint| format!(" -> {hint}")).unwrap_or_default();
            format!("{word}: {}: {}{hint}", t.subject, t.what)
        };
        let lines = troubles.iter().map(|t| line("trouble", t)).chain(warnings.iter().map(|t| line("warning", t)));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_kind_has_its_line_and_only_what_is_ours_is_to_be_killed() {
        insta::assert_snapshot!(told(&[
            "uid 1000",
            "unmanaged 10 1000 1",
            "unmanaged 11 1000 1",
            "unmanaged 12 1000 1",
            "folder 12 /base/corp/nodes/worker-1",
            "unmanaged 13 1000 1",
            "folder 13 /base/corp/nodes/worker-2",
            "unmanaged 14 1000 1",
            "environ 14 CLUSTERCTL=c/manager",
            "unmanaged 15 1000 1",
            "folder 15 /old/c/nodes/proxy-1",
            "unmanaged 16 1001 1",
            "cmdline 16 ==> /proc/1/cmdline <== x",
            "unmanaged 17 1001 1",
            "environ 17 CLUSTERCTL=c/manager",
            "unmanaged 18 0 1",
            "cmdline 18 zeekctl",
            "unmanaged 19 0 1",
            "unmanaged 20 1000 7",
            "cmdline 7 sh",
            "cmdline 7 /var/lib/clusterctl/c/releases/0123/clusterctl/supervisor.sh",
            "cmdline 7 /var/lib/clusterctl/c",
            "cmdline 7 /var/lib/clusterctl/c/nodes/w",
            "cmdline 7 /var/lib/clusterctl/c/releases/0123",
            "cmdline 7 w",
            "more 30",
        ]), @r"
        trouble: sensor2: an unmanaged Zeek runs as manager of this cluster, but its folders there have no record of that process (pid 14 on sensor2) -> if it is not supposed to run: kill 14 on sensor2
        trouble: sensor2: proxy-1 of this cluster runs from another folder, /old/c (pid 15 on sensor2) -> stop it with the description that started it
        trouble: sensor2: w of this cluster runs, but /var/lib/clusterctl/c has no record of it (pid 20 on sensor2) -> on sensor2: kill 7 20; then clusterctl deploy
        trouble: sensor2: a Zeek runs that zeekctl started (pid 18 on sensor2) -> `zeekctl stop` where it belongs
        trouble: sensor2: 2 unmanaged Zeeks run that clusterctl did not start (pids 10, 11 on sensor2) -> if they are not supposed to run: kill 10 11 on sensor2
        trouble: sensor2: an unmanaged Zeek runs that clusterctl did not start (pid 19 on sensor2, root's) -> find out who started it as root
        warning: sensor2: a node of the cluster `c` runs there too, of uid 1001
        warning: sensor2: 2 nodes of the cluster `corp` in /base/corp run there too
        warning: sensor2: a process named zeek runs there that clusterctl did not start (pid 16, of uid 1001)
        warning: sensor2: 30 more Zeeks are not of this cluster
        ");
    }
}
