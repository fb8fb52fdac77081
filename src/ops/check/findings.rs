//! Zeek's words about scripts, with the user's own names: `site/local.zeek:12`, or the description's key.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cluster::{Cluster, Node};
use crate::release::Release;
use crate::values::fold_names;
use crate::zeek;

/// Something that is wrong, or not good, in the scripts of some nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The nodes, in the order of the cluster.
    pub nodes: Vec<String>,
    /// The file: one of the site folder as the user would name it, or one of Zeek's.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<u32>,
    /// The key of the description that it comes from, where a generated script is concerned.
    pub key: Option<String>,
    /// What is wrong, in Zeek's words.
    pub message: String,
}

impl Finding {
    /// Returns it as one line: `manager, logger-1..2: site/local.zeek:12: syntax error`.
    pub fn text(&self) -> String {
        let nodes = fold_names(&self.nodes);
        let place = match (&self.key, &self.file, self.line) {
            (Some(key), ..) => format!("{key}: "),
            (None, Some(file), Some(line)) => format!("{file}:{line}: "),
            (None, Some(file), None) => format!("{file}: "),
            (None, None, _) => String::new(),
        };
        format!("{nodes}: {place}{}", self.message)
    }
}

/// Findings, each told once for all the nodes that it concerns.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<(Remark, Vec<usize>)>,
    known: HashMap<Remark, usize>,
}

/// What is said, without the nodes that it is said of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Remark {
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) key: Option<String>,
    pub(super) message: String,
}

impl Findings {
    /// Adds what is said of some nodes, given by their indices in the cluster.
    pub(super) fn add(&mut self, remark: Remark, nodes: &[usize]) {
        if let Some((_, known)) = self.known.get(&remark).and_then(|at| self.list.get_mut(*at)) {
            known.extend(nodes);
        } else {
            self.known.insert(remark.clone(), self.list.len());
            self.list.push((remark, nodes.to_vec()));
        }
    }

    /// Returns them with the nodes' names, in the order of the nodes.
    pub(super) fn into_list(mut self, cluster: &Cluster) -> Vec<Finding> {
        for (_, nodes) in &mut self.list {
            nodes.sort_unstable();
            nodes.dedup();
        }
        // Stable: what Zeek says of one node stays in its order.
        self.list.sort_by_key(|(_, nodes)| nodes.first().copied());
        let name = |index: &usize| cluster.nodes.get(*index).map(|n| n.name.clone());
        self.list
            .into_iter()
            .map(|(remark, nodes)| Finding {
                nodes: nodes.iter().filter_map(name).collect(),
                file: remark.file,
                line: remark.line,
                key: remark.key,
                message: remark.message,
            })
            .collect()
    }
}

/// Puts the user's own names in the place of a release's.
pub(super) struct Names<'a> {
    cluster: &'a Cluster,
    release: &'a Release,
    /// The site folder as the user would name it, with a slash at its end unless it is empty.
    site: String,
}

impl<'a> Names<'a> {
    pub(super) fn new(cluster: &'a Cluster, release: &'a Release) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        Self { cluster, release, site: site_name(cluster.zeek.site.as_deref(), &here) }
    }

    /// Names a file of the site folder as the user would.
    pub(super) fn site_file(&self, path: &str) -> String {
        format!("{}{path}", self.site)
    }

    /// Reads a line of Zeek's stderr (`Reporter::DoLog` in its src/Reporter.cc) about a node whose release lies in a
    /// folder.
    pub(super) fn read(&self, node: &Node, folder: &str, line: &str) -> Remark {
        let own = |text: &str| self.own(folder, text);
        let plain = || Remark { message: own(line), ..Remark::default() };
        let Some(rest) = LEVELS.iter().find_map(|level| line.strip_prefix(level)) else { return plain() };
        if let Some(message) = rest.strip_prefix(": ") {
            return Remark { message: own(message), ..Remark::default() };
        }
        let Some((file, number, rest)) = rest.strip_prefix(" in ").and_then(location) else { return plain() };
        let path = own(subject(folder, file));
        let message = match rest.strip_prefix(" and ").and_then(location) {
            Some((other, line, rest)) => {
                let message = own(rest.trim_start_matches(": "));
                format!("{message}, together with {}:{line}", own(subject(folder, other)))
            }
            None => own(rest.trim_start_matches(": ")),
        };
        match self.key(node, &path, number) {
            // The file is one that the user did not write.
            Some(key) => Remark { key: Some(key), message, ..Remark::default() },
            None => Remark { file: Some(path), line: Some(number), message, ..Remark::default() },
        }
    }

    /// Names files as the user would: site scripts by his folder, all else by its path in the release.
    pub(super) fn own(&self, folder: &str, text: &str) -> String {
        if !text.contains(folder) {
            return text.to_owned();
        }
        let mut out = text.replace("/./", "/");
        for part in ["site", "data"] {
            out = out.replace(&format!("{folder}/{part}/"), &self.site);
        }
        out.replace(&format!("{folder}/"), "")
    }

    /// Finds the key of the description that a line of a generated script comes from.
    fn key(&self, node: &Node, path: &str, line: u32) -> Option<String> {
        let file = self.release.part(node.host)?.files.get(path)?;
        let own = path == zeek::node_script_path(&node.name);
        if !own && path != zeek::OPTIONS_PATH {
            return None;
        }
        let text = file.content.text()?;
        let before: Vec<&str> = text.lines().take(usize::try_from(line).ok()?).collect();
        let redef = before.iter().rev().find_map(|l| l.strip_prefix("redef "))?;
        let id = redef.split([' ', '=']).next()?;
        if own { self.key_of_node(node, id) } else { self.key_of_all(id) }
    }

    fn key_of_node(&self, node: &Node, id: &str) -> Option<String> {
        if let Some(redef) = node.redefs.get(id) {
            let all = self.cluster.run_nodes().all(|n| n.redefs.get(id) == Some(redef));
            return Some(if all { format!("zeek.redefs.{id}") } else { format!("nodes.{}.redefs.{id}", node.group) });
        }
        match id.strip_prefix("AF_Packet::") {
            Some(option) => Some(format!("nodes.{}.af_packet.{option}", node.group)),
            None => (id == "Cluster::Backend::ZeroMQ::listen_log_endpoint").then(|| "listen".to_owned()),
        }
    }

    fn key_of_all(&self, id: &str) -> Option<String> {
        let zeek = &self.cluster.zeek;
        Some(match id {
            "Site::local_nets" => "zeek.local_networks".to_owned(),
            "Cluster::stores" => "zeek.stores".to_owned(),
            "global_hash_seed" => "zeek.global_hash_seed".to_owned(),
            "Telemetry::metrics_address" | "Telemetry::metrics_port" => "metrics".to_owned(),
            "Log::default_rotation_interval" => "logs.rotate".to_owned(),
            id => {
                let option = id.rsplit("::").next().filter(|name| zeek.options.contains_key(*name))?;
                format!("zeek.options.{option}")
            }
        })
    }
}

/// Takes the folder of whichever release out of a text: `releases` is the folder of all, with a slash at its end.
pub(super) fn without_folder(releases: &str, text: &str) -> String {
    let mut parts = text.split(releases);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let id = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
        match part.split_once('/') {
            Some((first, path)) if id(first) => out.push_str(path),
            _ => out.extend([releases, part]),
        }
    }
    out
}

/// How Zeek begins a line, longest first.
const LEVELS: [&str; 5] = ["internal error", "internal warning", "fatal error", "error", "warning"];

/// Splits `FILE, line N...` or `FILE, lines N-M...` into file, first line and rest.
fn location(text: &str) -> Option<(&str, u32, &str)> {
    text.match_indices(", line").find_map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let rest = rest.strip_prefix('s').unwrap_or(rest).strip_prefix(' ')?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest[..digits].parse().ok()?;
        let rest = rest[digits..].trim_start_matches(|c: char| c == '-' || c.is_ascii_digit());
        Some((&text[..at], number, rest))
    })
}

/// Zeek names what is wrong before its place: `string and FILE`.
fn subject<'t>(folder: &str, text: &'t str) -> &'t str {
    if text.starts_with('/') {
        return text;
    }
    let at = text.rfind(folder).or_else(|| text.rfind(" and /").map(|at| at + " and ".len()));
    at.map_or(text, |at| &text[at..])
}

/// The site folder as the user would name it from where he is.
fn site_name(site: Option<&str>, here: &Path) -> String {
    let Some(site) = site else { return String::new() };
    // Without the `.` of `./site`.
    let site: PathBuf = Path::new(site).components().collect();
    let shown = site.strip_prefix(here).unwrap_or(&site).display().to_string();
    if shown.is_empty() { shown } else { format!("{shown}/") }
}

/// Groups nodes whose scripts read alike: what parsing depends on; values of redefs and variables too, since they can
/// be wrong by themselves. Returns the indices of each group's nodes, of which the first is parsed for all.
pub(super) fn classes(cluster: &Cluster, runs: impl Fn(usize) -> Option<u64>) -> Vec<Vec<usize>> {
    let mut classes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, node) in cluster.nodes.iter().enumerate().filter(|(_, n)| n.role.runs()) {
        let Some(binary) = runs(node.host) else { continue };
        let key = format!(
            "{:?} {} {binary} {:?} {:?} {:?} {:?} {}",
            node.role,
            cluster.host_of(node).prefix,
            node.scripts,
            node.args,
            node.redefs,
            node.env,
            node.af_packet.is_some()
        );
        classes.entry(key).or_default().push(index);
    }
    let mut classes: Vec<Vec<usize>> = classes.into_values().collect();
    classes.sort();
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_zeek_writes_them() {
        assert_eq!(location("/a/b.zeek, line 12: no"), Some(("/a/b.zeek", 12, ": no")));
        assert_eq!(location("/a, line x/b.zeek, lines 3-7: no"), Some(("/a, line x/b.zeek", 3, ": no")));
        assert_eq!(location("no place"), None);
        assert_eq!(subject("/r/1", "string and /r/1/site/x.zeek"), "/r/1/site/x.zeek");
        assert_eq!(subject("/r/1", "string and /opt/zeek/x.zeek"), "/opt/zeek/x.zeek");
    }

    #[test]
    fn no_release_folder_is_left() {
        let without = |text| without_folder("/var/lib/clusterctl/c/releases/", text);
        assert_eq!(
            without("error in /var/lib/clusterctl/c/releases/ab12/site/x.zeek, line 3"),
            "error in site/x.zeek, line 3"
        );
        assert_eq!(without("/var/lib/clusterctl/c/releases/1/a and /var/lib/clusterctl/c/releases/2/b"), "a and b");
        for kept in
            ["nothing of ours", "in /var/lib/clusterctl/c/releases/ and", "/var/lib/clusterctl/c/releases/.stage-1/a"]
        {
            assert_eq!(without(kept), kept);
        }
    }

    #[test]
    fn the_site_folder_has_the_users_name() {
        let here = Path::new("/home/me/zeek");
        assert_eq!(site_name(Some("/home/me/zeek/./site"), here), "site/");
        assert_eq!(site_name(Some("/home/me/policy"), here), "/home/me/policy/");
        assert_eq!(site_name(Some("/home/me/zeek"), here), "");
    }
}
