//! The `.status` file, written as Zeek writes it (its `set_processing_status`): truncated, then filled.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// Where the state of the process is recorded.
#[derive(Debug, Clone)]
pub struct Status {
    file: Option<PathBuf>,
    /// Whether half a line is left behind each time.
    noise: bool,
}

impl Status {
    /// Makes one; without a file it records nothing.
    pub fn new(file: Option<&str>, noise: bool) -> Self {
        let file = file.map(|f| std::path::absolute(f).unwrap_or_else(|_| PathBuf::from(f)));
        Self { file, noise }
    }

    /// Records a state with the place that Zeek names in brackets.
    pub fn set(&self, state: &str, place: &str) {
        let Some(path) = &self.file else { return };
        let opened = OpenOptions::new().create(true).write(true).truncate(true).mode(0o777).open(path);
        let text = if self.noise { state[..state.len() / 2].to_owned() } else { format!("{state} [{place}]\n") };
        if let Err(e) = opened.and_then(|mut f| f.write_all(text.as_bytes())) {
            let code = e.raw_os_error().unwrap_or(0);
            crate::say(&format!("Failed to open process status file '{}': {code} [{state}]", path.display()));
        }
    }
}
