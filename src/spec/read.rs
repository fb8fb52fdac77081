//! Reads a file of a description, whatever it is: a folder, a pipe, a device or 100 MB end in a message.

use std::path::Path;
use std::time::Duration;

use crate::error::Diagnostic;
use crate::files::{self, Unreadable};

/// The largest file of a description.
const LARGEST: u64 = 8 * 1024 * 1024;
/// The most that all of them may have together.
const TOGETHER: u64 = 2 * LARGEST;

/// How much may still be read for one description, all its files together.
pub(super) struct Budget {
    bytes: u64,
    patience: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: TOGETHER, patience: files::PATIENCE }
    }
}

/// Reads a file's text.
pub(super) fn read(path: &Path, budget: &mut Budget) -> Result<String, Box<Diagnostic>> {
    let wrong = |message: String| Box::new(Diagnostic::file(path.display().to_string(), message));
    let most = LARGEST.min(budget.bytes);
    let bytes = files::read(path, most, &mut budget.patience).map_err(|why| match why {
        Unreadable::Missing => Box::new(
            wrong(why.to_string()).help("use -f FILE or CLUSTERCTL_FILE, or `clusterctl init` to write a first one"),
        ),
        Unreadable::TooLarge(LARGEST) => Box::new(
            wrong("the file is larger than 8 MiB".to_owned())
                .help("is this a description? A large one can be split with `include`"),
        ),
        Unreadable::TooLarge(_) => {
            wrong(format!("all files of the description are larger than {} together", bytesize::ByteSize(TOGETHER)))
        }
        why => wrong(why.to_string()),
    })?;
    budget.bytes -= bytes.len() as u64;
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
