//! What several tests need.

use std::path::{Path, PathBuf};

pub(crate) mod local;
pub(crate) mod sshd;
pub(crate) mod transcript;

/// Tells that a test has to be skipped for want of something, and says so with the way to get it. Where nothing may be
/// skipped (`CLUSTERCTL_NO_SKIP`, as tests/run.sh sets it), the test fails.
pub(crate) fn lacks(what: &str, remedy: &str, lacking: bool) -> bool {
    if lacking {
        assert!(std::env::var_os("CLUSTERCTL_NO_SKIP").is_none(), "{what}: {remedy}");
        eprintln!("SKIPPED: {what}; {remedy}, or run tests/run.sh, which does");
    }
    lacking
}

/// All source files of the program but those of tests, sorted.
pub(crate) fn sources() -> Vec<PathBuf> {
    let mut all = below(Path::new("src"));
    all.sort();
    all
}

fn below(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(below(&path));
        } else if path.extension().is_some_and(|e| e == "rs") && !path.to_str().unwrap().ends_with("tests.rs") {
            all.push(path);
        }
    }
    all
}
