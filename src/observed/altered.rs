//! What somebody did to the files of a host's current release.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::limits::number;

/// The longest line of a manifest that is read, in bytes.
const LONGEST: usize = 4352;

/// How a file differs from what was put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Alteration {
    /// Its content or mode is another.
    Changed,
    /// Nobody of ours put it there.
    Added,
    /// It is gone.
    Removed,
}

impl Alteration {
    /// Says it as a participle.
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

/// The files of a release that are not as they were put there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Altered {
    /// Lines of a manifest of the files of now that are not in the recorded one.
    now: Vec<String>,
    /// Lines of the recorded one that are not true any more.
    was: BTreeSet<String>,
    known: BTreeSet<String>,
    /// When files were last touched, in seconds since 1970 by the host's clock.
    touched: BTreeMap<String, i64>,
}

/// The path of a line of a manifest: `DIGEST  ./PATH`, `MODE ./PATH`, or `./PATH` of what is no file.
fn path(line: &str) -> Option<&str> {
    line.strip_prefix("./").or_else(|| line.split_once("  ./").or_else(|| line.split_once(" ./")).map(|(_, path)| path))
}

impl Altered {
    /// Reads a line of the answer, which quotes the name of a file.
    pub(super) fn line(&mut self, word: &str, value: &str) -> Result<(), String> {
        // No name of ours has such.
        if value.len() > LONGEST || value.chars().any(char::is_control) {
            return Err("there is a file with a name that clusterctl never uses".to_owned());
        }
        match word {
            "now" => self.now.push(value.to_owned()),
            "was" => drop(self.was.insert(value.to_owned())),
            "known" => drop(self.known.insert(value.strip_prefix("./").unwrap_or(value).to_owned())),
            _ => match value.split_once(" ./") {
                // It went while it was looked at.
                Some(("", _)) => {}
                Some((time, path)) => drop(self.touched.insert(path.to_owned(), number(time)?)),
                None => return Err(format!("{value:?} is not a time and a name of a file")),
            },
        }
        Ok(())
    }

    /// The files, and how they differ.
    pub fn files(&self) -> BTreeMap<&str, Alteration> {
        let was: BTreeSet<&str> = self.was.iter().filter_map(|line| path(line)).collect();
        let mut files: BTreeMap<&str, Alteration> = was.iter().map(|path| (*path, Alteration::Removed)).collect();
        for path in self.now.iter().filter_map(|line| path(line)) {
            let known = was.contains(path) || self.known.contains(path);
            files.insert(path, if known { Alteration::Changed } else { Alteration::Added });
        }
        files
    }

    /// Those that nodes or scripts may have read by the release's names; a script on the host may well write what
    /// `site_data` brought.
    pub fn of_the_release(&self) -> BTreeMap<&str, Alteration> {
        self.files().into_iter().filter(|(path, _)| !path.starts_with("data/")).collect()
    }

    /// Tells whether a process that runs since then (seconds since 1970, by the host's clock) may have read a file as it
    /// is now. Of one that is gone nobody knows since when.
    pub fn may_be_read(&self, path: &str, started: Option<i64>) -> bool {
        match (self.touched.get(path), started) {
            // Clocks of whole seconds, and starts that are reckoned from the uptime.
            (Some(touched), Some(started)) => started + 2 >= *touched,
            _ => true,
        }
    }

    /// What a manifest of the files of now would be, where `recorded` was written of them.
    pub fn manifest(&self, recorded: &[String]) -> Vec<String> {
        recorded.iter().filter(|line| !self.was.contains(*line)).chain(&self.now).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart() {
        let mut altered = Altered::default();
        for line in [
            "now aa  ./site/a b.zeek",
            "was bb  ./site/a b.zeek",
            "touched 50 ./site/a b.zeek",
            "now 755 ./m",
            "known ./m",
            "now cc  ./new",
            "now 644 ./new",
            "was dd  ./gone",
            "was 644 ./gone",
            "now ./link",
            "now ee  ./data/feed",
            "known ./data/feed",
        ] {
            let (word, value) = line.split_once(' ').unwrap();
            altered.line(word, value).unwrap();
        }
        let told: Vec<(&str, &str)> =
            altered.of_the_release().into_iter().map(|(path, how)| (path, how.word())).collect();
        let want =
            [("gone", "removed"), ("link", "added"), ("m", "changed"), ("new", "added"), ("site/a b.zeek", "changed")];
        assert_eq!(told, want);
        assert!(altered.files().contains_key("data/feed"));
        assert!(!altered.may_be_read("site/a b.zeek", Some(40)) && altered.may_be_read("site/a b.zeek", Some(60)));
        assert!(altered.may_be_read("gone", Some(1)));
        let recorded = ["bb  ./site/a b.zeek", "dd  ./gone", "ff  ./same", "644 ./gone"].map(str::to_owned);
        assert_eq!(altered.manifest(&recorded)[..2], ["ff  ./same", "aa  ./site/a b.zeek"]);
    }
}
