//! The operator's own files, read within bounds: a folder, a pipe, a device, 100 MB, or a file system that does not
//! answer end in a message. And written for nobody else to read.

use std::fs::File;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a file may take to be read; one of /proc may say nothing for ever.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Why a file can't be read, as a sentence about it.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not there.
    #[error("file not found")]
    Missing,
    /// It is something else.
    #[error("this is {0}, not a file")]
    NoFile(&'static str),
    /// It is larger than so many bytes.
    #[error("the file is larger than {}", bytesize::ByteSize(*.0))]
    TooLarge(u64),
    /// It does not come.
    #[error("reading the file timed out: its file system does not answer, or it is not a regular file")]
    NoAnswer,
    /// The system says why.
    #[error("the file can't be read: {0}")]
    Io(io::Error),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Missing } else { Self::Io(error) }
    }
}

/// Opens a plain file. It may still be one that says nothing; [`read`] has a deadline.
///
/// # Errors
/// Where it is none, or can't be opened.
pub fn open(path: &Path) -> Result<File, Unreadable> {
    // Opening a pipe without a writer would wait for one, so what it is is asked first.
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() {
        return Err(Unreadable::NoFile(if meta.is_dir() { "a folder" } else { "a pipe, a socket or a device" }));
    }
    Ok(File::open(path)?)
}

/// Reads a plain file of at most so many bytes; what it takes is taken from the patience that is left.
///
/// # Errors
/// Where it is none, too large, or does not come in time.
pub fn read(path: &Path, most: u64, patience: &mut Duration) -> Result<Vec<u8>, Unreadable> {
    within(path, most, patience, open)
}

/// Reads a file as [`read`] does, but a pipe too, as shells make them of commands.
///
/// # Errors
/// As [`read`].
pub fn read_or_pipe(path: &Path, most: u64, patience: &mut Duration) -> Result<Vec<u8>, Unreadable> {
    within(path, most, patience, |path| {
        let is_device = std::fs::metadata(path)?.file_type().is_char_device();
        if is_device { Err(Unreadable::NoFile("a device")) } else { Ok(File::open(path)?) }
    })
}

/// Writes a file that only its owner may read (0600), whole or not at all: beside its place, and then renamed, so that a
/// link there is replaced and not followed.
///
/// # Errors
/// Where that fails.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // tempfile(3) and its kin make files for their owner alone.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn within(
    path: &Path,
    most: u64,
    patience: &mut Duration,
    open: fn(&Path) -> Result<File, Unreadable>,
) -> Result<Vec<u8>, Unreadable> {
    let begun = Instant::now();
    let (send, receive) = mpsc::channel();
    let owned = path.to_owned();
    // A thread whose read never returns ends with the process.
    let reader = move || {
        let all = || {
            let file = open(&owned)?;
            let mut bytes = Vec::new();
            // A file may be longer than it says, and one that says that it is too long need not be read.
            let size = file.metadata()?.len();
            if size <= most {
                file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
            }
            if size > most || bytes.len() as u64 > most { Err(Unreadable::TooLarge(most)) } else { Ok(bytes) }
        };
        // Nobody waits any more.
        let _ = send.send(all());
    };
    std::thread::Builder::new().spawn(reader).map_err(Unreadable::Io)?;
    let answer = receive.recv_timeout(*patience).unwrap_or(Err(Unreadable::NoAnswer));
    *patience = patience.saturating_sub(begun.elapsed());
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plain_file_or_says_nothing_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let read = |path: &Path, most| read(path, most, &mut PATIENCE.clone());
        assert!(matches!(read(dir.path(), 10), Err(Unreadable::NoFile("a folder"))));
        assert!(matches!(read(&dir.path().join("none"), 10), Err(Unreadable::Missing)));
        assert!(matches!(read(Path::new("/dev/zero"), 10), Err(Unreadable::NoFile(_))));
        let pipe = dir.path().join("pipe");
        std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(matches!(read(&pipe, 10), Err(Unreadable::NoFile(_))));
        let mut writer =
            std::process::Command::new("sh").arg("-c").arg("echo secret >\"$0\"").arg(&pipe).spawn().unwrap();
        assert_eq!(read_or_pipe(&pipe, 10, &mut PATIENCE.clone()).unwrap(), b"secret\n");
        writer.wait().unwrap();
        // Nobody writes into it.
        assert!(matches!(read_or_pipe(&pipe, 10, &mut Duration::from_millis(100)), Err(Unreadable::NoAnswer)));
        assert!(matches!(read_or_pipe(Path::new("/dev/zero"), 10, &mut PATIENCE.clone()), Err(Unreadable::NoFile(_))));
        let file = dir.path().join("file");
        std::fs::write(&file, "0123456789").unwrap();
        assert_eq!(read(&file, 10).unwrap(), b"0123456789");
        assert!(matches!(read(&file, 9), Err(Unreadable::TooLarge(9))));
        // It says that it has no bytes, and has more.
        assert!(matches!(read(Path::new("/proc/self/status"), 9), Err(Unreadable::TooLarge(9))));
    }

    #[test]
    fn what_is_written_is_for_its_owner_and_follows_no_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (file, other) = (dir.path().join("plan"), dir.path().join("other"));
        std::fs::write(&other, "other").unwrap();
        std::os::unix::fs::symlink(&other, &file).unwrap();
        write_private(&file, b"mine").unwrap();
        assert_eq!(std::fs::read(&other).unwrap(), b"other");
        assert_eq!(std::fs::read(&file).unwrap(), b"mine");
        let meta = std::fs::symlink_metadata(&file).unwrap();
        assert!(meta.is_file() && meta.permissions().mode() & 0o777 == 0o600, "{meta:?}");
        assert!(write_private(dir.path(), b"").is_err() && write_private(&file.join("below"), b"").is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_says_nothing_is_left() {
        // The kernel's messages: for root alone, and not in every container.
        let path = Path::new("/proc/kmsg");
        if File::open(path).is_ok() {
            let mut patience = Duration::from_millis(300);
            assert!(matches!(read(path, 8 << 20, &mut patience), Err(Unreadable::NoAnswer | Unreadable::Io(_))));
        }
    }
}
