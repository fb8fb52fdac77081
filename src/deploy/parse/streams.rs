//! Log streams that the nodes which write logs do not know. Their records come to nothing there, and Zeek can't tell
//! before they do: neither parse sees what the other loads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::findings::{CheckFinding, Findings};
use super::names::Names;
use crate::cluster::{Cluster, Node, Role};
use crate::release::{Content, Files};
use crate::values::fold_names;

/// How deep `@load` is followed.
const DEPTH: usize = 100;

/// Finds scripts of the site folder that create a log stream on some nodes, and not on all that write logs.
pub(crate) fn unknown(cluster: &Cluster, files: &Files, names: &Names<'_>, found: &mut Findings) {
    let writers: Vec<&Node> = cluster.log_writers().collect();
    if cluster.is_standalone() || writers.is_empty() {
        return;
    }
    let scripts = Scripts::new(files);
    // Nodes with the same role and scripts create the same.
    let mut known: HashMap<(Role, &[String]), BTreeSet<Stream>> = HashMap::new();
    for node in cluster.run_nodes() {
        known.entry((node.role, &node.scripts)).or_insert_with(|| scripts.streams(cluster, node));
    }
    let written = writers.iter().filter_map(|w| known.get(&(w.role, w.scripts.as_slice())).cloned());
    let written = written.reduce(|all, one| all.intersection(&one).cloned().collect()).unwrap_or_default();
    let missing: Vec<&str> = writers.iter().map(|w| w.name.as_str()).collect();
    let missing = fold_names(&missing);
    for (index, node) in cluster.nodes.iter().enumerate() {
        let Some(streams) = known.get(&(node.role, node.scripts.as_slice())) else { continue };
        for stream in streams.difference(&written) {
            let message = format!(
                "the log stream {} is created here but not on {missing}, which drops its records: load the script \
                 there too",
                stream.id,
            );
            let path = stream.path.split_once('/').map_or("", |(_, path)| path);
            let file = Some(names.site_file(path));
            found.add(CheckFinding { file, line: Some(stream.line), key: None, message }, &[index]);
        }
    }
}

/// A log stream, and where it is created.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Stream {
    path: String,
    line: u32,
    id: String,
}

/// The site folder's scripts by their paths in the release.
struct Scripts<'a>(BTreeMap<&'a str, &'a Content>);

impl<'a> Scripts<'a> {
    fn new(files: &'a Files) -> Self {
        let site = files.iter().filter(|(path, _)| path.starts_with("site/") || path.starts_with("data/"));
        Self(site.filter(|(_, file)| file.content.is_text()).map(|(path, file)| (path, &file.content)).collect())
    }

    /// Finds all streams that a node creates.
    fn streams(&self, cluster: &Cluster, node: &Node) -> BTreeSet<Stream> {
        let mut walk = Walk { scripts: self, role: node.role, seen: BTreeSet::new(), streams: BTreeSet::new() };
        for script in cluster.zeek.scripts.iter().chain(&node.scripts) {
            walk.load("", script, DEPTH);
        }
        walk.streams
    }

    /// Finds the script that a name means, seen from a folder of the release.
    fn find(&self, folder: &str, name: &str) -> Option<&'a str> {
        let bases: Vec<String> = if name.starts_with("./") || name.starts_with("../") {
            vec![join(folder, name)]
        } else {
            ["site", "data"].iter().map(|root| join(root, name)).collect()
        };
        bases.iter().find_map(|base| {
            [base.clone(), format!("{base}.zeek"), format!("{base}/__load__.zeek")]
                .iter()
                .find_map(|path| self.0.get_key_value(path.as_str()).map(|(path, _)| *path))
        })
    }
}

/// Joins a relative path to a folder, without `.` and `..`.
fn join(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// One node's way through the scripts.
struct Walk<'s, 'a> {
    scripts: &'s Scripts<'a>,
    role: Role,
    seen: BTreeSet<&'a str>,
    streams: BTreeSet<Stream>,
}

impl Walk<'_, '_> {
    fn load(&mut self, folder: &str, name: &str, depth: usize) {
        let Some(path) = self.scripts.find(folder, name) else { return };
        if depth == 0 || !self.seen.insert(path) {
            return;
        }
        let Some(text) = self.scripts.0.get(path).and_then(|content| content.text()) else { return };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut module = "GLOBAL";
        // One entry for each open `@if`: whether its lines count. Of a condition that is not understood both branches do.
        let mut open: Vec<Option<bool>> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            let (word, rest) = line.split_once([' ', '\t', '(']).unwrap_or((line, ""));
            match word {
                "@if" => open.push(holds(rest, self.role)),
                "@ifdef" | "@ifndef" => open.push(None),
                "@else" => {
                    if let Some(last) = open.last_mut() {
                        *last = last.map(|holds| !holds);
                    }
                }
                "@endif" => drop(open.pop()),
                _ if open.contains(&Some(false)) => {}
                "@load" => self.load(folder, rest.trim(), depth - 1),
                "module" => module = rest.trim().trim_end_matches(';').trim(),
                _ => {
                    if let Some(id) = created(line) {
                        let id = if id.contains("::") { id.to_owned() } else { format!("{module}::{id}") };
                        self.streams.insert(Stream { path: path.to_owned(), line: number, id });
                    }
                }
            }
        }
    }
}

/// Finds what `Log::create_stream(ID, ...)` creates.
fn created(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("Log::create_stream")?;
    let rest = rest.trim_start().strip_prefix('(')?;
    let id = rest.split([',', ')']).next()?.trim();
    (!id.is_empty()).then_some(id)
}

/// Tells whether a condition over the node's type holds; none for any other condition.
fn holds(condition: &str, role: Role) -> Option<bool> {
    let text: String = condition.chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.replace("Cluster::local_node_type()", "TYPE").replace("Cluster::is_enabled()", "ENABLED");
    // Without its outer parentheses; with inner ones left, it is more than is understood here.
    let text = text.trim_start_matches('(').trim_end_matches(')');
    if text.is_empty() || text.contains(['(', ')']) {
        return None;
    }
    let kind = match role {
        Role::Logger => "Cluster::LOGGER",
        Role::Manager => "Cluster::MANAGER",
        Role::Proxy => "Cluster::PROXY",
        Role::Worker => "Cluster::WORKER",
        Role::Standalone | Role::TimeMachine | Role::Control => return None,
    };
    let atom = |atom: &str| match atom {
        "ENABLED" => Some(true),
        "!ENABLED" => Some(false),
        atom => match (atom.strip_prefix("TYPE=="), atom.strip_prefix("TYPE!=")) {
            (Some(name), _) => Some(name == kind),
            (_, Some(name)) => Some(name != kind),
            _ => None,
        },
    };
    let mut any = Some(false);
    for part in text.split("||") {
        let mut all = Some(true);
        for one in part.split("&&").map(atom) {
            all = match (all, one) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        any = match (any, all) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_over_the_node_type_are_understood() {
        let on = |text| (holds(text, Role::Worker), holds(text, Role::Logger));
        assert_eq!(on("( Cluster::local_node_type() == Cluster::WORKER )"), (Some(true), Some(false)));
        assert_eq!(on("(Cluster::local_node_type() != Cluster::LOGGER)"), (Some(true), Some(false)));
        let two = "( Cluster::is_enabled() && Cluster::local_node_type() == Cluster::LOGGER )";
        assert_eq!(on(two), (Some(false), Some(true)));
        assert_eq!(on("( some_option )"), (None, None));
        assert_eq!(on("( some_option && Cluster::local_node_type() == Cluster::WORKER )"), (None, Some(false)));
    }

    #[test]
    fn paths_are_joined_as_zeek_does() {
        assert_eq!(join("site/a", "../b/./c"), "site/b/c");
        assert_eq!(created("Log::create_stream(LOG, [$columns=Info]);"), Some("LOG"));
        assert_eq!(created("Log::create_streams(LOG)"), None);
    }
}
