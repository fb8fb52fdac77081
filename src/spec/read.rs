//! Reads a file of a description, whatever it is: a folder, a pipe, a device or 100 MB end in a message.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::Diagnostic;

/// The largest description.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Reads a file's text.
pub(super) fn read(path: &Path) -> Result<String, Box<Diagnostic>> {
    let wrong = |message: String| Box::new(Diagnostic::file(path.display().to_string(), message));
    let too_large = || {
        Box::new(
            wrong("the file is larger than 8 MiB".to_owned())
                .help("is this a description? A large one can be split with `include`"),
        )
    };
    // Opening a pipe without a writer would wait for one, so what it is is asked first.
    let metadata =
        std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Box::new(wrong("there is no such file".to_owned()).help(
                "name the description with `-f FILE` or in CLUSTERCTL_FILE; `clusterctl init` writes a first one",
            )),
            _ => wrong(format!("the file can't be read: {error}")),
        })?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "a pipe, a socket or a device" };
        return Err(wrong(format!("this is {what}, not a file")));
    }
    if metadata.len() > LARGEST {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| wrong(format!("the file can't be read: {error}")))?;
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| wrong(format!("the file can't be read: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..at).unwrap_or_default();
        let line = before.split(|b| *b == b'\n').count();
        let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |p| p + 1);
        let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default()).chars().count() + 1;
        let mut diagnostic = wrong(format!("the file is not UTF-8: a wrong byte at line {line}, column {column}"));
        (diagnostic.line, diagnostic.column) = (line, column);
        Box::new(diagnostic.help("save it as UTF-8"))
    })
}
