//! A file that keeps what was told (`--log`): for its owner alone, and added to.

use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::fs::{Mode, OFlags};

use super::escape::without_colours;

static LOG: OnceLock<Mutex<Log>> = OnceLock::new();

struct Log {
    file: File,
    /// Whether a line could not be written: that is told once.
    failed: bool,
}

/// From now on, what is told is kept in a file.
///
/// # Errors
/// Where it can't be opened, is a link, no plain file, or somebody else's.
pub fn keep_log(path: &Path) -> io::Result<()> {
    let file = open(path)?;
    LOG.get_or_init(|| Mutex::new(Log { file, failed: false }));
    Ok(())
}

fn open(path: &Path) -> io::Result<File> {
    let flags =
        OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).map_err(|error| {
        // open(2): ELOOP is what O_NOFOLLOW says of a link.
        if error == rustix::io::Errno::LOOP { io::Error::other("it is a link") } else { error.into() }
    })?);
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() || meta.nlink() > 1 {
        return Err(io::Error::other("it belongs to another user, or it has a second name (a hard link)"));
    }
    if meta.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Keeps something that was told; returns why it can't be kept, once.
pub(super) fn record(text: &str) -> Option<String> {
    let mut log = LOG.get()?.lock().unwrap_or_else(PoisonError::into_inner);
    let text = without_colours(text.trim_end()).replace('\n', "\n    ");
    if text.is_empty() {
        return None;
    }
    let line = format!("{:.3} {text}\n", jiff::Timestamp::now());
    let error = log.file.write_all(line.as_bytes()).err()?;
    (!std::mem::replace(&mut log.failed, true)).then(|| format!("the log can't be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_file_of_ours_is_opened_and_nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("old"), "before\n").unwrap();
        std::fs::set_permissions(at("old"), Permissions::from_mode(0o644)).unwrap();
        open(&at("old")).unwrap().write_all(b"after\n").unwrap();
        assert_eq!(std::fs::read(at("old")).unwrap(), b"before\nafter\n");
        open(&at("new")).unwrap();
        for name in ["old", "new"] {
            assert_eq!(at(name).metadata().unwrap().mode() & 0o777, 0o600, "{name}");
        }
        std::os::unix::fs::symlink(at("old"), at("link")).unwrap();
        assert_eq!(open(&at("link")).unwrap_err().to_string(), "it is a link");
        std::fs::hard_link(at("old"), at("second")).unwrap();
        assert!(open(&at("second")).is_err() && open(dir.path()).is_err() && open(&at("none/x")).is_err());
        std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        // Without a reader it can't be opened, and with one it is none.
        assert!(open(&at("pipe")).is_err());
    }
}
