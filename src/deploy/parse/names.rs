//! Zeek's words about scripts, with the user's own names: `site/local.zeek:12`, or the description's key.

use std::path::{Path, PathBuf};

use super::findings::CheckFinding;
use crate::cluster::{Cluster, Node};
use crate::fleet::Fleet;
use crate::nodes::{NodeOutcome, stderr_paths};
use crate::release::Release;
use crate::zeek;

/// Puts the user's own names in the place of a release's.
pub(crate) struct Names<'a> {
    cluster: &'a Cluster,
    release: &'a Release,
    /// The site folder as the user would name it, with a slash at its end unless it is empty.
    site: String,
}

impl<'a> Names<'a> {
    pub(crate) fn new(cluster: &'a Cluster, release: &'a Release) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        Self { cluster, release, site: site_name(cluster.zeek.site.as_deref(), &here) }
    }

    /// Names a file of the site folder as the user would.
    pub(crate) fn site_file(&self, path: &str) -> String {
        format!("{}{path}", self.site)
    }

    /// Reads a line of Zeek's stderr (`Reporter::DoLog` in its src/Reporter.cc) about a node whose release lies in a
    /// folder.
    pub(crate) fn read(&self, node: &Node, folder: &str, line: &str) -> CheckFinding {
        let own = |text: &str| self.own(folder, text);
        let plain = || CheckFinding { message: own(line), ..CheckFinding::default() };
        let Some(rest) = LEVELS.iter().find_map(|level| line.strip_prefix(level)) else { return plain() };
        if let Some(message) = rest.strip_prefix(": ") {
            return CheckFinding { message: own(message), ..CheckFinding::default() };
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
            Some(key) => CheckFinding { key: Some(key), message, ..CheckFinding::default() },
            None => CheckFinding { file: Some(path), line: Some(number), message, ..CheckFinding::default() },
        }
    }

    /// Names files as the user would: site scripts by his folder, all else by its path in the release.
    pub(crate) fn own(&self, folder: &str, text: &str) -> String {
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

/// Puts names that the user knows in the place of those of release folders in what nodes wrote on stderr: the user's own
/// files, of which the release was made here.
pub(crate) fn in_own_names(fleet: &Fleet, release: &Release, outcomes: &mut [NodeOutcome]) {
    let names = Names::new(&fleet.cluster, release);
    stderr_paths::map_stderr(fleet, outcomes, |releases, line| names.own(&format!("{releases}{}", release.id), line));
    stderr_paths::strip_release_paths(fleet, outcomes);
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
    fn the_site_folder_has_the_users_name() {
        let here = Path::new("/home/me/zeek");
        assert_eq!(site_name(Some("/home/me/zeek/./site"), here), "site/");
        assert_eq!(site_name(Some("/home/me/policy"), here), "/home/me/policy/");
        assert_eq!(site_name(Some("/home/me/zeek"), here), "");
    }
}
