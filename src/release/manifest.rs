//! What a host says of its files, what differs from those it should have, and how the rest travels.

use std::collections::BTreeMap;

use super::{File, Part, VERSION_PATH};

/// Returns what `manifest` in `templates/stage.sh` prints for these files.
pub(super) fn manifest(files: &BTreeMap<String, File>) -> String {
    let mut digests: Vec<String> = files.iter().map(|(path, f)| format!("{}  ./{path}\n", f.digest)).collect();
    let mut modes: Vec<String> = files.iter().map(|(path, f)| format!("{:o} ./{path}\n", f.mode)).collect();
    digests.sort_unstable();
    modes.sort_unstable();
    digests.into_iter().chain(modes).collect()
}

/// What a manifest says of one file; empty where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry<'a> {
    /// SHA-256 of its content, in hex.
    pub digest: &'a str,
    /// Its mode, in octal.
    pub mode: &'a str,
}

/// Reads the lines of a manifest: what it says of each file, by path.
pub fn manifest_entries<'a>(manifest: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, Entry<'a>> {
    let mut entries: BTreeMap<&str, Entry<'_>> = BTreeMap::new();
    for line in manifest {
        if let Some((digest, path)) = line.split_once("  ./") {
            entries.entry(path).or_default().digest = digest;
        } else if let Some((mode, path)) = line.split_once(" ./") {
            entries.entry(path).or_default().mode = mode;
        }
    }
    entries.retain(|_, entry| !entry.digest.is_empty());
    entries
}

/// What differs between the files that a host has and those that it should have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Paths that the host does not have.
    pub added: Vec<String>,
    /// Paths whose content or mode differs.
    pub changed: Vec<String>,
    /// Paths that go.
    pub removed: Vec<String>,
}

impl Changes {
    /// Tells whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

impl Part {
    /// Compares with the manifest of a release that the host has (lines; none: the host has nothing).
    pub fn changes(&self, manifest: &[String]) -> Changes {
        let old = manifest_entries(manifest.iter().map(String::as_str));
        let new = manifest_entries(self.manifest.lines());
        let mut changes = Changes::default();
        for (path, file) in &new {
            match old.get(path) {
                None => changes.added.push((*path).to_owned()),
                Some(before) if before != file => changes.changed.push((*path).to_owned()),
                Some(_) => {}
            }
        }
        changes.removed = old.keys().filter(|p| !new.contains_key(**p)).map(|p| (*p).to_owned()).collect();
        changes
    }

    /// Returns the version of Zeek and the backend that the part is made for, as `clusterctl/version` names them.
    pub fn made_for(&self) -> Option<(String, String)> {
        let text = std::str::from_utf8(&self.files.get(VERSION_PATH)?.content).ok()?;
        text.trim_end().split_once(' ').map(|(version, backend)| (version.to_owned(), backend.to_owned()))
    }

    /// Packs some files as gzipped tar. The same files give the same bytes.
    ///
    /// # Errors
    /// Never in practice: writing to memory does not fail.
    pub fn tar<'a>(&self, paths: impl IntoIterator<Item = &'a String>) -> std::io::Result<Vec<u8>> {
        pack(paths.into_iter().filter_map(|path| {
            let file = self.files.get(path)?;
            Some((path.as_str(), file.mode, &*file.content))
        }))
    }
}

/// Packs files (path, mode, content) as gzipped tar. The same files give the same bytes.
///
/// # Errors
/// Never in practice: writing to memory does not fail.
pub fn pack<'a>(files: impl IntoIterator<Item = (&'a str, u32, &'a [u8])>) -> std::io::Result<Vec<u8>> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut builder = tar::Builder::new(gzip);
    for (path, mode, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        header.set_mtime(0);
        builder.append_data(&mut header, path, content)?;
    }
    builder.into_inner()?.finish()
}
