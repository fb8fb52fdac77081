//! Which files differ: each difference once, with all hosts that have it.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::Serialize;

use crate::observed::FullObserved;
use crate::release::{Content, Entry, LARGEST_TEXT, Part, manifest_entries};

/// How long one comparison may look for the shortest difference; after that it takes what it has.
const PATIENCE: Duration = Duration::from_millis(500);
/// Unchanged lines that are shown around a difference.
const CONTEXT: usize = 3;

/// A difference of files that one or more hosts have.
#[derive(Debug, Clone, Serialize)]
pub struct FileChange {
    /// What happens.
    pub change: Change,
    /// What kind of file it is, which decides what is shown of it.
    pub kind: FileKind,
    /// The files, below the release's folder: one, or those of several nodes that change alike.
    pub paths: Vec<String>,
    /// The hosts that have it, in the order of the cluster.
    pub hosts: Vec<String>,
    /// The size now, in bytes, where it is known.
    pub old_bytes: Option<u64>,
    /// The size to come, in bytes; none for a file that goes, and for private ones.
    pub new_bytes: Option<u64>,
    /// The mode before and after, in octal, where it changes.
    pub mode: Option<(String, String)>,
    /// For private files: which settings in them change, by the names of the inputs.
    pub settings: Vec<String>,
    /// The hunks of a unified difference; only for text, and only after the old text was read.
    pub diff: Option<String>,
    /// Why there is no difference to show where there could be one.
    pub note: Option<String>,
    #[serde(skip)]
    content: Option<Content>,
    #[serde(skip)]
    before: Option<Before>,
    #[serde(skip)]
    after: Option<After>,
}

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Its content or mode changes.
    Changed,
    /// It is new.
    Added,
    /// It goes.
    Removed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// Text, which is shown.
    Text,
    /// Something else: only its size is shown.
    Binary,
    /// Too large to be shown.
    Large,
    /// It may hold secrets: only its name and the kinds of settings are shown.
    Private,
    /// The resolved cluster in one line, which says nothing that other files do not.
    Cluster,
}

/// Where the old content of a changed file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    pub digest: String,
    /// The releases that have it: the host's index and name, and the release's id.
    pub hosts: Vec<(usize, String)>,
    /// Its path below the release.
    pub path: String,
}

/// Where the new content of a changed file lies, where only hosts have it: in the release that is gone back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    pub digest: String,
    /// The hosts that have it, by their indices.
    pub hosts: Vec<usize>,
    /// Its path below the release.
    pub path: String,
}

/// What came of reading the content of a file from a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteText {
    /// It was read.
    Text(String),
    /// Only its size.
    Size(u64),
    /// It could not be had, or is not what it should be; why, as a sentence fragment.
    Unknown(String),
}

/// Changes with the same key are shown once.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    change: Change,
    /// The path; for the files of single nodes only the folder, so that nodes that change alike are one.
    place: String,
    from: (String, String),
    to: (String, String),
    settings: Vec<String>,
}

/// Gathers the differences of all hosts.
#[derive(Default)]
pub(super) struct FileChanges {
    list: Vec<FileChange>,
    places: HashMap<Key, usize>,
}

impl FileChanges {
    /// Adds the differences of one host; returns the paths that differ.
    pub(super) fn add(&mut self, host: &str, part: &Part, observed: &FullObserved) -> Vec<String> {
        // As they are now, whoever made them so.
        let manifest = observed.altered.manifest(&observed.manifest);
        let entries = manifest_entries(manifest.iter().map(String::as_str));
        let wanted = part.entries();
        let changes = part.changes(&manifest);
        let lists =
            [(Change::Changed, &changes.changed), (Change::Added, &changes.added), (Change::Removed, &changes.removed)];
        for (change, paths) in lists {
            for path in paths {
                let old = entries.get(path.as_str()).copied().unwrap_or_default();
                let new = wanted.get(path.as_str()).copied().unwrap_or_default();
                self.add_file(host, part, observed, change, path, (old, new));
            }
        }
        lists.iter().flat_map(|(_, paths)| (*paths).clone()).collect()
    }

    fn add_file(
        &mut self,
        host: &str,
        part: &Part,
        observed: &FullObserved,
        change: Change,
        path: &str,
        (old, new): (Entry<'_>, Entry<'_>),
    ) {
        let file = part.files.get(path);
        let old = (old.digest.to_owned(), old.mode.to_owned());
        let new = (new.digest.to_owned(), new.mode.to_owned());
        let kind = kind(path, &old.1, &new.1, file.map(|f| &f.content));
        let private = kind == FileKind::Private;
        let settings = if private && change == Change::Changed { settings(path, part, observed) } else { Vec::new() };
        let node_file = [START, NODES].into_iter().find(|folder| path.starts_with(folder));
        let key = Key {
            change,
            place: node_file.unwrap_or(path).to_owned(),
            // What private files of several nodes hold differs, and what they are told of does not.
            from: if private { (String::new(), old.1.clone()) } else { old.clone() },
            to: if private { (String::new(), new.1.clone()) } else { new.clone() },
            settings: settings.clone(),
        };
        let next = self.list.len();
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.list.push(FileChange {
                change,
                kind,
                paths: Vec::new(),
                hosts: Vec::new(),
                old_bytes: None,
                new_bytes: file.filter(|_| !private).map(|f| f.content.size()),
                mode: (change == Change::Changed && old.1 != new.1).then(|| (old.1.clone(), new.1.clone())),
                settings,
                diff: None,
                note: None,
                content: file.filter(|_| kind == FileKind::Text).map(|f| f.content.clone()),
                before: None,
                after: None,
            });
        }
        let entry = &mut self.list[place];
        if entry.hosts.last().is_none_or(|last| last != host) {
            entry.hosts.push(host.to_owned());
        }
        if node_file.is_some() || entry.paths.is_empty() {
            entry.paths.push(path.to_owned());
        }
        let compared = matches!(kind, FileKind::Text | FileKind::Binary | FileKind::Large) && old.0 != new.0;
        if let (Change::Changed, true, Some(current)) = (change, compared, &observed.current) {
            let before =
                entry.before.get_or_insert_with(|| Before { digest: old.0, hosts: Vec::new(), path: path.to_owned() });
            // A file of a node lies on that node's host alone; any of them will do.
            if before.path == path {
                before.hosts.push((part.host, current.clone()));
            }
            // A release that is gone back to lies on the hosts alone.
            if file.is_none() && kind == FileKind::Text {
                let after = || After { digest: new.0, hosts: Vec::new(), path: path.to_owned() };
                let after = entry.after.get_or_insert_with(after);
                if after.path == path {
                    after.hosts.push(part.host);
                }
            }
        }
    }

    /// Returns the differences: those of many hosts together with the first of these, by kind of change and path.
    pub(super) fn done(mut self) -> Vec<FileChange> {
        let mut order: HashMap<Vec<String>, usize> = HashMap::new();
        for change in &self.list {
            let next = order.len();
            order.entry(change.hosts.clone()).or_insert(next);
        }
        self.list
            .sort_by_cached_key(|c| (order[&c.hosts], c.kind == FileKind::Private, c.change, c.paths.first().cloned()));
        self.list
    }
}

/// Start data of nodes: environments, with secrets.
const START: &str = "start/";
/// Scripts of single nodes.
const NODES: &str = "clusterctl/nodes/";

fn kind(path: &str, old_mode: &str, new_mode: &str, content: Option<&Content>) -> FileKind {
    // Whatever only its owner may read is shown to nobody, now or before.
    let closed = |mode: &str| u32::from_str_radix(mode, 8).is_ok_and(|mode| mode.trailing_zeros() >= 6);
    if path == "cluster.json" {
        return FileKind::Cluster;
    }
    if path.starts_with(START) || path.starts_with("secrets/") || closed(old_mode) || closed(new_mode) {
        return FileKind::Private;
    }
    match content {
        Some(content) if !content.is_text() => FileKind::Binary,
        Some(content) if content.size() > LARGEST_TEXT => FileKind::Large,
        _ => FileKind::Text,
    }
}

/// Tells by the inputs which settings of a node's start data change.
fn settings(path: &str, part: &Part, observed: &FullObserved) -> Vec<String> {
    let Some(node) = path.strip_prefix(START) else { return Vec::new() };
    let (Some(now), Some(new)) = (observed.nodes.get(node), part.inputs.get(node)) else { return Vec::new() };
    let names: BTreeSet<&String> = now.current_inputs.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| now.current_inputs.get(*name) != new.get(*name)).cloned().collect()
}

impl FileChange {
    /// Returns where the old content lies; none where it is not needed.
    pub fn before(&self) -> Option<&Before> {
        self.before.as_ref()
    }

    /// Returns where the new content lies; none where it is known here.
    pub fn after(&self) -> Option<&After> {
        self.after.as_ref()
    }

    /// Returns the most bytes of the old content that are of use: none of a file that is not shown.
    pub fn most_bytes(&self) -> u64 {
        if self.kind == FileKind::Text { LARGEST_TEXT } else { 0 }
    }

    /// Takes the old content, and the new one where that lies on hosts alone, and compares.
    pub fn compare(&mut self, old: &RemoteText, new: Option<&RemoteText>) {
        let shown = self.kind == FileKind::Text;
        let new = match (&self.content, new) {
            (Some(content), _) => {
                let text = content.text();
                if text.is_none() {
                    self.note = Some("it has changed since the plan was made".to_owned());
                }
                text
            }
            (None, Some(RemoteText::Text(text))) => {
                self.new_bytes = Some(text.len() as u64);
                Some(Cow::Borrowed(text.as_str()))
            }
            (None, Some(RemoteText::Size(size))) => {
                self.new_bytes = Some(*size);
                self.note = Some("the new content is binary, or too large to show".to_owned());
                None
            }
            (None, Some(RemoteText::Unknown(_)) | None) if shown => {
                self.note = Some("what it becomes can't be read".to_owned());
                None
            }
            _ => None,
        };
        match (old, new) {
            (RemoteText::Unknown(why), _) => self.note = Some(why.clone()),
            (RemoteText::Size(size), _) => {
                self.old_bytes = Some(*size);
                if shown {
                    self.note = Some("the current content is binary, or too large to show".to_owned());
                }
            }
            (RemoteText::Text(old), new) => {
                self.old_bytes = Some(old.len() as u64);
                if let Some(new) = new {
                    let diff = similar::TextDiff::configure().timeout(PATIENCE).diff_lines(old.as_str(), &new);
                    self.diff = Some(diff.unified_diff().context_radius(CONTEXT).to_string());
                }
            }
        }
    }
}
