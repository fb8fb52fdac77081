//! What a release is made of: files with contents on disk or in memory, the parts of hosts, and where they come from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::digest::digest;
use crate::cluster::Cluster;
use crate::files;
use crate::values::Version;

/// The form of `cluster.json` and of a release; other forms are read with care or not at all.
pub const FORMAT: u32 = 1;

/// Where a release names Zeek's version and the backend that it is made for.
pub const VERSION_PATH: &str = "clusterctl/version";

/// The reserved name under which a host's runner keeps its archiver running; it is no node of the cluster.
pub const ARCHIVER: &str = "log-archiver";

/// The largest text that is shown or looked into, in bytes.
pub const LARGEST_TEXT: u64 = 1 << 20;

/// What is in a file.
#[derive(Debug, Clone)]
pub enum Content {
    /// What is made here.
    Memory(Arc<[u8]>),
    /// A file of the site folder. It is read where it is needed, since all of them need not fit into memory.
    Disk(Arc<OnDisk>),
}

/// A file of the site folder, as it was when it was read.
#[derive(Debug)]
pub struct OnDisk {
    /// Where it lies.
    pub path: PathBuf,
    /// How many bytes it has.
    pub size: u64,
    /// Whether they are UTF-8 without a NUL.
    pub is_text: bool,
}

impl Content {
    /// Returns how many bytes it has.
    pub fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk(file) => file.size,
        }
    }

    /// Tells whether it is text.
    pub fn is_text(&self) -> bool {
        match self {
            Self::Memory(bytes) => !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok(),
            Self::Disk(file) => file.is_text,
        }
    }

    /// Returns the text, if it is one that is not too large; of a file as it is now.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        if self.size() > LARGEST_TEXT {
            return None;
        }
        match self {
            Self::Memory(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Disk(file) => {
                let bytes = files::read(&file.path, LARGEST_TEXT, &mut files::PATIENCE.clone()).ok()?;
                String::from_utf8(bytes).ok().map(Cow::Owned)
            }
        }
    }
}

/// A file of the site folder.
#[derive(Debug, Clone)]
pub struct SiteFile {
    /// Its path below the site folder, with `/`.
    pub path: String,
    /// Whether it is executable.
    pub executable: bool,
    pub content: Content,
    /// SHA-256 of that, in hex.
    pub digest: String,
    /// Whether `site_data` names it, so that a change of it restarts nothing.
    pub data: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostZeek {
    /// Its version as it says it (`8.0.10`).
    pub version: String,
    /// Size of the binary in bytes.
    pub size: u64,
    /// Modification time of the binary, in seconds since 1970.
    pub mtime: i64,
}

/// All that a release is made of.
#[derive(Debug)]
pub struct ReleaseInput<'a> {
    pub cluster: &'a Cluster,
    /// The version that the scripts are written for.
    pub version: Version,
    /// The Zeek of each host, in the order of the hosts; none for hosts that get no part.
    pub zeeks: &'a [Option<HostZeek>],
    /// The site folder's files.
    pub site: &'a [SiteFile],
    /// The names of the secrets that each host keeps for its nodes, in the order of the hosts; hosts beyond its end
    /// keep none.
    pub kept: &'a [Vec<String>],
    /// Values of secrets, by [`super::secret_key`].
    pub secrets: &'a BTreeMap<String, String>,
    /// What digests over them are made with, which stays on the hosts; none where there are none.
    pub salt: Option<&'a str>,
}

/// A file of a release.
#[derive(Debug, Clone)]
pub struct File {
    pub mode: u32,
    pub content: Content,
    /// SHA-256 of that, in hex.
    pub digest: String,
}

impl File {
    /// Makes a file of bytes.
    pub fn new(mode: u32, content: impl Into<Arc<[u8]>>) -> Self {
        let content = content.into();
        let digest = digest(&content);
        Self { mode, content: Content::Memory(content), digest }
    }
}

/// The files of a part by path: those that all hosts have, and its own.
#[derive(Debug, Clone)]
pub struct Files {
    pub(super) common: Arc<BTreeMap<String, File>>,
    pub(super) own: BTreeMap<String, File>,
}

impl Files {
    /// Makes the files of a part that has none in common with others.
    pub fn of(own: BTreeMap<String, File>) -> Self {
        Self { common: Arc::default(), own }
    }

    /// Adds those of another part.
    pub fn add(&mut self, others: &Self) {
        self.own.extend(others.iter().map(|(path, file)| (path.to_owned(), file.clone())));
    }

    /// Returns a file.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.own.get(path).or_else(|| self.common.get(path))
    }

    /// Returns all files, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &File)> {
        let common = self.common.iter().filter(|(path, _)| !self.own.contains_key(*path));
        common.chain(&self.own).map(|(path, file)| (path.as_str(), file))
    }
}

/// What one node depends on: for each input its name and digest.
pub type Inputs = BTreeMap<String, String>;

/// One host's part of a release.
#[derive(Debug, Clone)]
pub struct Part {
    /// Index of the host in the cluster.
    pub host: usize,
    /// The files by path; of a release that a host keeps, those that were read.
    pub files: Files,
    /// Of a release that a host keeps: its manifest, which names all files.
    pub kept: Option<String>,
    /// SHA-256 of the manifest: what sha256sum and stat on the host will say of the files (`templates/manifest.sh`).
    pub digest: String,
    /// The inputs of the nodes of this host.
    pub inputs: BTreeMap<String, Inputs>,
}

/// A release: its parts and its id, the digest over them.
#[derive(Debug, Clone)]
pub struct Release {
    /// The id: 12 hex digits.
    pub id: String,
    /// The parts, in the order of the hosts.
    pub parts: Vec<Part>,
}

impl Release {
    /// Makes the release of parts, which are in the order of the hosts.
    pub fn of(cluster: &Cluster, parts: Vec<Part>) -> Self {
        let names: Vec<String> = parts.iter().map(|p| format!("{} {}", cluster.hosts[p.host].name, p.digest)).collect();
        let mut id = digest(names.join("\n").as_bytes());
        id.truncate(12);
        Self { id, parts }
    }

    /// Returns the part of a host.
    pub fn part(&self, host: usize) -> Option<&Part> {
        // They are in the order of the hosts; this is asked once for each node.
        let at = self.parts.binary_search_by_key(&host, |p| p.host).ok()?;
        self.parts.get(at)
    }
}
