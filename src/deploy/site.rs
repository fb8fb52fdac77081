//! What a release is made of on the operator's machine: the site folder's files, certificates, and the values of
//! secrets.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{Glob, GlobSet, GlobSetBuilder};
use sha2::{Digest as _, Sha256};

use crate::cluster::{Cluster, EnvValue};
use crate::error::{Error, Kind};
use crate::files::{self, Unreadable};
use crate::release::{Content, OnDisk, SiteFile, digest, secret_key};
use crate::secrets::{PASSPHRASE, Secret};
use crate::zeek::{TLS_FILES, TLS_PASSPHRASE};

/// The most that a site folder may hold, in bytes: all of it is sent to every host, and copied there by each deploy.
const SITE_LIMIT: u64 = 4 << 30;
/// The most files of it; a host tells of each in two lines.
const FILES_LIMIT: usize = 50_000;
/// The most files and folders that are looked at.
const LOOKED: usize = 4 * FILES_LIMIT;
/// The most that is told of what is wrong with it.
const FLAWS_LIMIT: usize = 100;
/// What to do about a link that can't be deployed.
const LINKS: &str = "copy the file into the site folder: only files in it are deployed";
/// How many bytes of a file are looked at at a time.
const CHUNK: usize = 128 << 10;
/// The most bytes of a secret or a certificate.
const SECRET_LIMIT: u64 = 1 << 20;

/// Names at the top of the site folder that would hide our own scripts, since `site/` is first in ZEEKPATH.
const RESERVED: [&str; 3] = ["cluster-layout.zeek", "clusterctl", "clusterctl.zeek"];

/// Reads the site folder, off the thread on which everything else waits.
///
/// # Errors
/// Where something can't be read, or has a name that can't be sent.
pub(crate) async fn read(cluster: &Arc<Cluster>) -> Result<Vec<SiteFile>, Error> {
    let cluster = Arc::clone(cluster);
    run_blocking(move |stop| read_now(&cluster, stop))
        .await
        .unwrap_or_else(|| Err(Error::failed("the site folder could not be read")))
}

/// Does work that takes long on a thread of its own; `work` is told to stop when nobody waits for it any more. None where
/// it panics.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
) -> Option<T> {
    struct Stop(Arc<AtomicBool>);
    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stop = Stop(Arc::default());
    let told = Arc::clone(&stop.0);
    tokio::task::spawn_blocking(move || work(&|| told.load(Ordering::Relaxed))).await.ok()
}

fn read_now(cluster: &Cluster, stop: &dyn Fn() -> bool) -> Result<Vec<SiteFile>, Error> {
    let Some(root) = &cluster.zeek.site else { return Ok(Vec::new()) };
    let root = PathBuf::from(root);
    let wrong = |what: String| Error::new(Kind::Description, format!("the site folder {}: {what}", root.display()));
    if !root.is_dir() {
        return Err(wrong("is not a folder".to_owned()).hint("create it, or remove `zeek.site` from the description"));
    }
    let data = globs(&cluster.zeek.site_data)?;
    let (found, flaws) = walk(&root);
    // They were told, all of them, when the description was read: since then somebody has been at work there.
    if let Some(flaw) = flaws.into_iter().next() {
        let error = wrong(flaw.what);
        return Err(flaw.hint.map_or(error.clone(), |hint| error.hint(hint)));
    }
    let mut files = Vec::new();
    let mut size = 0;
    for FoundFile { name, path, meta } in found {
        let (digest, on_disk) = look_at(&path, stop).map_err(|e| wrong(format!("{name}: {e}")))?;
        size += on_disk.size;
        if size > SITE_LIMIT {
            return Err(wrong(too_large()).hint(ELSEWHERE));
        }
        files.push(SiteFile {
            data: data.is_match(&name),
            executable: executable(&meta),
            content: Content::Disk(Arc::new(on_disk)),
            digest,
            path: name,
        });
    }
    Ok(files)
}

/// A file of the site folder.
pub(crate) struct FoundFile {
    /// Its name below the folder.
    pub(crate) name: String,
    path: PathBuf,
    meta: Metadata,
}

/// What in a site folder can't be deployed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SiteFlaw {
    pub(crate) what: String,
    pub(crate) hint: Option<&'static str>,
}

const ELSEWHERE: &str = "copy large data to the hosts by other means";

fn too_large() -> String {
    format!("holds more than {}", bytesize::ByteSize(SITE_LIMIT))
}

/// Tells whether something of that name is never deployed, nor what is in it.
fn is_left_out(name: &OsStr) -> bool {
    name == ".git" || name.as_encoded_bytes().ends_with(b"~")
}

/// Finds the files of a site folder, by their names in order, and all that is wrong with it, without reading a file.
pub(crate) fn walk(root: &Path) -> (Vec<FoundFile>, Vec<SiteFlaw>) {
    let (mut found, mut flaws) = (Vec::new(), Vec::new());
    let Ok(real_root) = root.canonicalize() else { return (found, flaws) };
    let (mut size, mut looked) = (0_u64, 0);
    let mut entries = walkdir::WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        looked += 1;
        if found.len() > FILES_LIMIT || looked > LOOKED {
            let hint = "check that it is the right folder; copy data in many files to the hosts by other means";
            flaws.push(SiteFlaw { what: format!("holds more than {FILES_LIMIT} files"), hint: Some(hint) });
            break;
        }
        if flaws.len() == FLAWS_LIMIT {
            break;
        }
        let path = match &entry {
            Ok(entry) => entry.path(),
            Err(error) => error.path().unwrap_or(root),
        };
        let is_folder = entry.as_ref().is_ok_and(|entry| entry.file_type().is_dir());
        if path != root && path.file_name().is_some_and(is_left_out) {
            if is_folder {
                entries.skip_current_dir();
            }
            continue;
        }
        match look(root, &real_root, path, &entry) {
            Ok(None) => {}
            Ok(Some(file)) => {
                let before = size;
                size = size.saturating_add(file.meta.len());
                if before <= SITE_LIMIT && size > SITE_LIMIT {
                    flaws.push(SiteFlaw { what: too_large(), hint: Some(ELSEWHERE) });
                }
                found.push(file);
            }
            Err(flaw) => {
                flaws.push(flaw);
                if is_folder {
                    entries.skip_current_dir();
                }
            }
        }
    }
    (found, flaws)
}

/// Looks at one thing in a site folder: a file of it, or none where it is a folder.
fn look(
    root: &Path,
    real_root: &Path,
    path: &Path,
    entry: &Result<walkdir::DirEntry, walkdir::Error>,
) -> Result<Option<FoundFile>, SiteFlaw> {
    let flaw = |what: String, hint| SiteFlaw { what, hint };
    let name = name_of(path.strip_prefix(root).unwrap_or(path)).map_err(|what| flaw(what, None))?;
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => {
            let target = std::fs::read_link(path).ok().map(|target| target.display().to_string());
            return Err(match (target, error.loop_ancestor()) {
                (Some(target), Some(_)) => {
                    flaw(format!("{name} points back to a folder that contains it ({target})"), Some(LINKS))
                }
                (Some(target), None) => {
                    flaw(format!("{name} points to a file that cannot be read ({target})"), Some(LINKS))
                }
                (None, _) => {
                    let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                    flaw(format!("{name} can't be read: {why}"), None)
                }
            });
        }
    };
    // What lies in a folder that a link leads to lies where that does.
    if entry.path_is_symlink() && entry.depth() > 0 {
        let real = path.canonicalize().map_err(|e| flaw(format!("{name}: {e}"), None))?;
        if !real.starts_with(real_root) {
            return Err(flaw(format!("{name} points out of the folder, to {}", real.display()), Some(LINKS)));
        }
    }
    if entry.depth() == 1 && RESERVED.contains(&name.as_str()) {
        return Err(flaw(format!("{name} has the name of a file that clusterctl generates"), Some("rename it")));
    }
    if entry.file_type().is_dir() {
        return Ok(None);
    }
    let meta = entry.metadata().map_err(|e| flaw(format!("{name}: {e}"), None))?;
    if !meta.is_file() {
        return Err(flaw(format!("{name} is neither a file nor a folder"), None));
    }
    Ok(Some(FoundFile { name, path: path.to_owned(), meta }))
}

/// Reads a file once: its digest, its size, and whether it is text.
fn look_at(path: &Path, stop: &dyn Fn() -> bool) -> Result<(String, OnDisk), Unreadable> {
    let mut file = files::open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let (mut size, mut is_text, mut open) = (0, true, 0);
    loop {
        // The first bytes may be the begin of a character from the chunk before.
        let n = file.read(&mut chunk[open..])?;
        if n == 0 || stop() {
            break;
        }
        hash.update(&chunk[open..open + n]);
        size += n as u64;
        if size > SITE_LIMIT {
            return Err(Unreadable::TooLarge(SITE_LIMIT));
        }
        let known = &chunk[..open + n];
        let valid = match std::str::from_utf8(known) {
            Ok(_) => known.len(),
            Err(e) if e.error_len().is_none() => e.valid_up_to(),
            Err(_) => {
                is_text = false;
                known.len()
            }
        };
        is_text &= !known.contains(&0);
        let (from, to) = (valid, open + n);
        open = to - from;
        chunk.copy_within(from..to, 0);
    }
    let digest = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((digest, OnDisk { path: path.to_owned(), size, is_text: is_text && open == 0 }))
}

fn executable(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o111 != 0
}

/// Returns a path as text, if sha256sum, tar and sh can all take it as it is.
fn name_of(path: &Path) -> Result<String, String> {
    let name = path.to_str().ok_or_else(|| format!("the name {} is not UTF-8", path.display()))?;
    if name.contains(['\n', '\\', '\r']) {
        return Err(format!("the name {name:?} contains a newline or a backslash"));
    }
    Ok(name.to_owned())
}

fn globs(patterns: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = Glob::new(pattern).map_err(|e| {
            Error::new(Kind::Description, format!("`{pattern}` in `zeek.site_data` is not a pattern")).because(e.kind())
        })?;
        set.add(glob);
    }
    set.build().map_err(|e| Error::new(Kind::Description, "`zeek.site_data` is too large").because(e))
}

/// Reads the values of all secrets that the nodes' environments name.
///
/// # Errors
/// Where a file or a variable is missing, or its value has a newline. The value itself is never in the message.
pub(crate) fn secrets(cluster: &Cluster) -> Result<BTreeMap<String, String>, Error> {
    let mut values = BTreeMap::new();
    for node in &cluster.nodes {
        for (name, value) in &node.env {
            let Some(key) = secret_key(value) else { continue };
            if values.contains_key(&key) {
                continue;
            }
            values.insert(key, one_line(value, &format!("the secret for {name} of {}", node.name))?);
        }
    }
    Ok(values)
}

/// Reads what a description names and does not hold; `what` it is, for the message.
fn text_of(value: &EnvValue, what: &str) -> Result<String, Error> {
    let fail = |why: String| Error::failed(format!("can't read {what}")).because(why);
    match value {
        EnvValue::Plain(text) => Ok(text.clone()),
        EnvValue::Elsewhere => Err(fail("only the description says where it is".to_owned())),
        EnvValue::SecretFile(path) => {
            let bytes = files::read_or_pipe(Path::new(path), SECRET_LIMIT, &mut files::PATIENCE.clone())
                .map_err(|e| fail(format!("{path}: {e}")))?;
            String::from_utf8(bytes).map_err(|_| fail(format!("{path}: it is not UTF-8")))
        }
        EnvValue::SecretEnv(variable) => {
            std::env::var(variable).map_err(|_| fail(format!("the variable {variable} is not set, or is not UTF-8")))
        }
    }
}

/// Reads the value of a secret of an environment.
///
/// # Errors
/// As [`secrets`].
pub(crate) fn secret(value: &EnvValue, what: &str) -> Result<String, Error> {
    one_line(value, what)
}

fn one_line(value: &EnvValue, what: &str) -> Result<String, Error> {
    let text = text_of(value, what)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.contains(['\n', '\0']) {
        return Err(Error::failed(format!("can't read {what}")).because("it has more than one line"));
    }
    Ok(text.to_owned())
}

/// Reads the certificates of Broker's nodes; none where there are none.
///
/// # Errors
/// Where a file or a variable is missing, or is not what it should be: PEM (RFC 7468).
pub(crate) fn tls(cluster: &Cluster) -> Result<Vec<Secret>, Error> {
    let Some(tls) = &cluster.zeek.tls else { return Ok(Vec::new()) };
    let mut secrets = Vec::new();
    let texts = [(&tls.ca, "ca", "CERTIFICATE"), (&tls.certificate, "certificate", "CERTIFICATE")];
    for ((value, key, label), file) in texts.into_iter().chain([(&tls.key, "key", "PRIVATE KEY")]).zip(&TLS_FILES) {
        let what = format!("`zeek.tls.{key}`");
        let text = text_of(value, &what)?;
        let begins =
            |line: &str| line.starts_with("-----BEGIN ") && line.trim_end().ends_with(&format!("{label}-----"));
        if !text.lines().any(begins) {
            return Err(Error::failed(format!("can't use {what}"))
                .because(format!("it has no line `-----BEGIN {label}-----`"))
                .hint("Broker reads PEM; `openssl` converts other formats"));
        }
        // In lines, as a host hands it on to one that lacks it.
        let text: String = text.lines().map(|line| format!("{line}\n")).collect();
        secrets.push(Secret::new(file.kind, text.into_bytes()));
    }
    if let Some(passphrase) = &tls.passphrase {
        let passphrase = one_line(passphrase, "`zeek.tls.passphrase`")?;
        let key = secrets.last().map(|key| digest(&key.content)).unwrap_or_default();
        // What is guessable must not be all that the name is a digest of.
        let text = format!("# {key}\n{TLS_PASSPHRASE}={passphrase}\n");
        secrets.push(Secret::new(PASSPHRASE, text.into_bytes()));
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_with_a_site_folder_is_told_at_once() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let site = dir.path().join("site");
        for folder in ["site/.git", "site/packages/one", "site/clusterctl", "outside"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        for file in [
            "site/local.zeek",
            "site/local.zeek~",
            "site/clusterctl/x.zeek",
            "outside/a.zeek",
            "site/packages/one/b.zeek",
        ] {
            std::fs::write(dir.path().join(file), "# x\n").unwrap();
        }
        for (target, link) in [
            ("../local.zeek", "site/packages/again.zeek"),
            ("packages/one", "site/two"),
            ("gone", "site/dangles"),
            ("itself", "site/itself"),
            (".", "site/loop"),
            ("../outside", "site/out"),
            ("/nowhere", "site/.git/lock"),
        ] {
            symlink(target, dir.path().join(link)).unwrap();
        }
        let _pipe = std::os::unix::net::UnixListener::bind(site.join("socket")).unwrap();
        let (found, flaws) = walk(&site);
        let names: Vec<&str> = found.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["local.zeek", "packages/again.zeek", "packages/one/b.zeek", "two/b.zeek"]);
        let told: Vec<String> = flaws
            .iter()
            .map(|f| f.what.replace(&dir.path().canonicalize().unwrap().display().to_string(), "DIR"))
            .collect();
        assert_eq!(
            told,
            [
                "clusterctl has the name of a file that clusterctl generates",
                "dangles points to a file that cannot be read (gone)",
                "itself points to a file that cannot be read (itself)",
                "loop points back to a folder that contains it (.)",
                "out points out of the folder, to DIR/outside",
                "socket is neither a file nor a folder",
            ]
        );
    }

    #[test]
    fn text_is_known_however_its_characters_lie_across_chunks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let look = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            let (hex, file) = look_at(&path, &|| false).unwrap();
            assert_eq!((hex, file.size), (digest(content), content.len() as u64));
            file.is_text
        };
        let text = "€".repeat(CHUNK);
        for cut in 0..3 {
            let shifted = [&b"abc"[..cut], text.as_bytes()].concat();
            assert!(look(&shifted));
            assert!(!look(&shifted[..shifted.len() - 1]));
            assert!(!look(&[&shifted[..], b"\xff"].concat()));
            assert!(!look(&[&shifted[..], b"\0"].concat()));
        }
        assert!(look(b""));
    }
}
