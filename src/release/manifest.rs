//! What a host says of its files, what differs from those it should have, and how the rest travels.

use std::collections::BTreeMap;
use std::io::{Error, Read, Write};

use sha2::{Digest as _, Sha256};

use super::content::{Content, File, Files, Part, VERSION_PATH};
use super::digest::digest;

/// Returns what `manifest` in `templates/manifest.sh` prints for these files.
pub(super) fn manifest(files: &Files) -> String {
    let mut digests: Vec<String> = files.iter().map(|(path, f)| format!("{}  ./{path}\n", f.digest)).collect();
    let mut modes: Vec<String> = files.iter().map(|(path, f)| format!("{} ./{path}\n", octal(f.mode))).collect();
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
        let mut changes = Changes::default();
        let new = self.entries();
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

    /// Returns what `manifest` in `templates/manifest.sh` prints for it.
    pub fn manifest(&self) -> String {
        self.kept.clone().unwrap_or_else(|| manifest(&self.files))
    }

    /// Returns what its manifest says of each file, by path.
    pub fn entries(&self) -> BTreeMap<&str, Entry<'_>> {
        match &self.kept {
            Some(manifest) => manifest_entries(manifest.lines()),
            None => {
                self.files.iter().map(|(path, f)| (path, Entry { digest: &f.digest, mode: octal(f.mode) })).collect()
            }
        }
    }

    /// Returns the version of Zeek and the backend that the part is made for, as `clusterctl/version` names them.
    pub fn made_for(&self) -> Option<(String, String)> {
        let text = self.files.get(VERSION_PATH)?.content.text()?;
        text.trim_end().split_once(' ').map(|(version, backend)| (version.to_owned(), backend.to_owned()))
    }
}

/// Returns a mode that a file of a release has as stat prints it.
fn octal(mode: u32) -> &'static str {
    match mode {
        0o755 => "755",
        0o644 => "644",
        _ => "600",
    }
}

/// What is to be packed. Packed pieces that stand one after the other, the last one with the end, are one gzipped tar
/// (RFC 1952: members of a gzip file simply appear one after another).
#[derive(Debug, Clone)]
pub struct Packing {
    files: Vec<(String, File)>,
}

impl Packing {
    /// Splits the files of some paths into those on the disk, which are the same for many hosts, and the others.
    pub fn split<'a>(part: &Part, paths: impl IntoIterator<Item = &'a String>) -> (Self, Self) {
        let files = paths.into_iter().filter_map(|path| Some((path.clone(), part.files.get(path)?.clone())));
        let (disk, memory) = files.partition(|(_, file)| matches!(file.content, Content::Disk(_)));
        (Self { files: disk }, Self { files: memory })
    }

    /// Tells whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns what tells it from others: a digest over paths, modes and contents.
    pub fn key(&self) -> String {
        let parts = self.files.iter().flat_map(|(path, f)| [path.clone(), f.mode.to_string(), f.digest.clone()]);
        digest(parts.collect::<Vec<_>>().join("\n").as_bytes())
    }

    /// Packs it, with the end of the tar or without. The same files give the same bytes. `stop` tells whether to leave it.
    ///
    /// # Errors
    /// Where a file can't be read or is not what it was, where it can't be written, or where it was to be left.
    pub fn pack<W: Write>(&self, into: W, end: bool, stop: &dyn Fn() -> bool) -> std::io::Result<W> {
        let gzip = flate2::write::GzEncoder::new(into, flate2::Compression::default());
        let mut builder = tar::Builder::new(Tap(Some(gzip)));
        for (path, file) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(file.content.size());
            header.set_mode(file.mode);
            header.set_mtime(0);
            match &file.content {
                Content::Memory(bytes) => builder.append_data(&mut header, path, &**bytes)?,
                Content::Disk(on_disk) => {
                    let told = |why: &dyn std::fmt::Display| Error::other(format!("{}: {why}", on_disk.path.display()));
                    let source = crate::files::open(&on_disk.path).map_err(|e| told(&e))?;
                    let left = on_disk.size;
                    let mut same = Same { source, remaining: left, hash: Sha256::new(), want: &file.digest, stop };
                    builder.append_data(&mut header, path, &mut same).map_err(|e| told(&e))?;
                }
            }
        }
        let none = || Error::other("nothing to write to");
        if !end {
            // What the builder writes as the end goes nowhere.
            return builder.get_mut().0.take().ok_or_else(none)?.finish();
        }
        builder.into_inner()?.0.ok_or_else(none)?.finish()
    }
}

/// A writer that can be taken away.
struct Tap<W: Write>(Option<W>);

impl<W: Write> Write for Tap<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.as_mut().map_or(Ok(bytes.len()), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// A file that is read while it is still what it was.
struct Same<'a, R> {
    source: R,
    /// How many bytes are to come.
    remaining: u64,
    hash: Sha256,
    /// SHA-256 of what it was.
    want: &'a str,
    stop: &'a dyn Fn() -> bool,
}

impl<R: Read> Read for Same<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if (self.stop)() {
            return Err(Error::other("left"));
        }
        let changed = || Error::other("it has changed since the plan was made; run the command again");
        let n = self.source.read(buffer)?;
        self.remaining = self.remaining.checked_sub(n as u64).ok_or_else(changed)?;
        self.hash.update(&buffer[..n]);
        if n == 0 {
            let hex = self.hash.finalize_reset().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            // It ends once.
            if self.remaining > 0 || hex != self.want {
                return Err(changed());
            }
        }
        Ok(n)
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::sync::Arc;

    use super::*;
    use crate::release::{OnDisk, digest};

    fn on_disk(dir: &Path, name: &str, content: &[u8]) -> (String, File) {
        let path = dir.join(name);
        std::fs::write(&path, content).unwrap();
        let file = OnDisk { path, size: content.len() as u64, is_text: false };
        let file = File { mode: 0o644, content: Content::Disk(Arc::new(file)), digest: digest(content) };
        (format!("site/{name}"), file)
    }

    #[test]
    fn pieces_that_follow_each_other_are_one_tar_for_every_tar() {
        let dir = tempfile::tempdir().unwrap();
        let large: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let long = "n".repeat(120);
        let shared = Packing {
            files: vec![
                on_disk(dir.path(), "large", &large),
                on_disk(dir.path(), "empty", b""),
                on_disk(dir.path(), &long, b"x"),
            ],
        };
        let own = Packing { files: vec![("clusterctl/version".to_owned(), File::new(0o600, *b"8.0.10 broker\n"))] };
        let pack = |packing: &Packing, end| packing.pack(Vec::new(), end, &|| false).unwrap();
        let whole = [pack(&shared, false), pack(&own, true)].concat();
        assert_eq!(whole, [pack(&shared, false), pack(&own, true)].concat(), "not the same bytes");
        for tar in [&["tar"][..], &["busybox", "tar"], &["bsdtar"]] {
            let out = tempfile::tempdir().unwrap();
            let mut command = Command::new(tar[0]);
            command.args(&tar[1..]).arg("-C").arg(out.path()).arg("-xzpof").arg("-").stdin(Stdio::piped());
            let Ok(mut child) = command.spawn() else { continue };
            child.stdin.take().unwrap().write_all(&whole).unwrap();
            assert!(child.wait().unwrap().success(), "{tar:?}");
            assert!(std::fs::read(out.path().join("site/large")).unwrap() == large, "{tar:?}");
            assert_eq!(std::fs::read(out.path().join("site").join(&long)).unwrap(), b"x");
            assert_eq!(std::fs::read(out.path().join("site/empty")).unwrap(), b"");
            assert_eq!(std::fs::read(out.path().join("clusterctl/version")).unwrap(), b"8.0.10 broker\n");
        }
    }

    #[test]
    fn a_file_that_changed_is_named_and_not_sent() {
        let dir = tempfile::tempdir().unwrap();
        for now in [&b"other"[..], b"shor", b"longer", b""] {
            let packing = Packing { files: vec![on_disk(dir.path(), "list.dat", b"lines")] };
            std::fs::write(dir.path().join("list.dat"), now).unwrap();
            let said = packing.pack(std::io::sink(), false, &|| false).map(|_| ()).unwrap_err().to_string();
            assert!(said.contains("list.dat: it has changed since the plan was made"), "{said}");
        }
        let packing = Packing { files: vec![on_disk(dir.path(), "list.dat", b"lines")] };
        std::fs::remove_file(dir.path().join("list.dat")).unwrap();
        let said = packing.pack(std::io::sink(), false, &|| false).map(|_| ()).unwrap_err().to_string();
        assert!(said.contains("list.dat: file not found"), "{said}");
    }

    #[test]
    fn packing_is_left_when_nobody_waits_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let packing = Packing { files: vec![on_disk(dir.path(), "large", &vec![0; 64 << 20])] };
        let asked = std::cell::Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        assert!(packing.pack(std::io::sink(), false, &stop).is_err());
        assert_eq!(asked.get(), 4);
    }
}
