//! What `templates/logs-read.sh` says of the files of one host, line by line.

use std::sync::Arc;

use super::records::{Reader, Record};
use crate::observed::word_of;

/// The longest line without an end that is kept, in bytes; of a longer one the rest is left out.
const PENDING: usize = 128 << 10;
/// The most names that a host may say it has beside what was asked for.
const MOST_NAMES: usize = 1000;

/// A file of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) node: String,
    /// What users call it: `conn`, `stderr`.
    pub(super) log: String,
    /// Its name in the node's folder.
    pub(super) file: String,
}

/// A line of a file, with where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// Which host, and which of its files.
    pub(super) host: usize,
    pub(super) file: usize,
    /// When, by what it or one before it says, or by when its file was written.
    pub(super) key: f64,
    pub(super) record: Record,
    /// The fields of its log, where they are not in the record itself.
    pub(super) header: Option<Arc<str>>,
}

/// What is known of one file.
#[derive(Debug)]
struct FileState {
    reader: Reader,
    /// When it was written last, by its host.
    written: Option<f64>,
    /// The time of the last line that has one.
    last: Option<f64>,
    /// The last line, which goes on.
    pending: String,
    /// Whether what comes next is the rest of a line whose begin is not known.
    torn: bool,
    /// The last line so far, which is only known to go on when the next one comes.
    open: Option<String>,
    /// Lines that wait for the time of a later one.
    untimed: Vec<Record>,
    found: bool,
}

/// The answer of one host.
#[derive(Debug)]
pub(super) struct Answer {
    host: usize,
    pub(super) sources: Vec<Source>,
    files: Vec<FileState>,
    /// What is older is not wanted, in seconds before the host's now.
    since: Option<f64>,
    oldest: f64,
    /// Only lines with this text are wanted.
    text: Option<String>,
    /// What could be read at once has been.
    pub(super) shown: bool,
    /// Logs that are there beside those that are not.
    pub(super) others: Vec<String>,
    /// What a user should know.
    pub(super) notes: Vec<String>,
    /// Lines that can be shown.
    pub(super) lines: Vec<Line>,
}

impl Answer {
    pub(super) fn new(host: usize, sources: Vec<Source>, since: Option<f64>, text: Option<&str>) -> Self {
        let state = |source: &Source| FileState {
            reader: Reader::new(!source.is_text()),
            written: None,
            last: None,
            pending: String::new(),
            torn: false,
            open: None,
            untimed: Vec::new(),
            found: false,
        };
        let files = sources.iter().map(state).collect();
        Self {
            host,
            sources,
            files,
            since,
            oldest: f64::NEG_INFINITY,
            text: text.map(str::to_owned),
            shown: false,
            others: Vec::new(),
            notes: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Whether a file is there.
    pub(super) fn found(&self, file: usize) -> bool {
        self.files[file].found
    }

    /// Takes a line of the script's answer.
    ///
    /// # Errors
    /// Where the script says no such line.
    pub(super) fn take(&mut self, line: &str) -> Result<(), String> {
        let (word, rest) = word_of(line);
        let wrong = || format!("unexpected reply: {}", line.chars().take(100).collect::<String>());
        match word {
            "now" => {
                let now: f64 = rest.parse().map_err(|_| wrong())?;
                self.oldest = self.since.map_or(f64::NEG_INFINITY, |since| now - since);
                return Ok(());
            }
            "beat" => return Ok(()),
            "have" => {
                if self.others.len() < MOST_NAMES {
                    self.others.push(rest.to_owned());
                }
                return Ok(());
            }
            "shown" => {
                self.shown = true;
                return Ok(());
            }
            _ => {}
        }
        let (number, rest) = word_of(rest);
        let file = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).ok_or_else(wrong)?;
        let source = self.sources.get(file).ok_or_else(wrong)?;
        let name = format!("{} of {}", source.file, source.node);
        let state = &mut self.files[file];
        match word {
            "file" => {
                state.found = true;
                state.written = rest.split(' ').nth(1).and_then(|time| time.parse().ok());
            }
            "odd" => self.notes.push(format!("{name} is not a regular file, and was not read")),
            "big" => self.notes.push(format!("{name} is too large for the shell of its host, and was not read")),
            "from" if self.since.is_some() => {
                self.notes.push(format!("{name} is large: only its last part was read"));
            }
            "head" if rest.starts_with('#') => drop(state.reader.read(rest)),
            "from" | "head" => {}
            "line" => {
                if let Some(open) = state.open.replace(rest.to_owned()) {
                    self.add(file, &open);
                }
            }
            "part" => {
                // With a text only, it may not be the last one of the file.
                match state.open.take().filter(|_| self.text.is_none()) {
                    Some(open) => state.pending = open,
                    None => state.torn = true,
                }
            }
            "data" => {
                if let Some(open) = state.open.replace(rest.to_owned()) {
                    self.finish(file, &open);
                }
            }
            "cut" => {
                let open = state.open.take().unwrap_or_default();
                let open = open.strip_suffix('.').ok_or_else(wrong)?;
                if state.pending.len() < PENDING {
                    state.pending.push_str(open);
                }
            }
            "skip" => {
                let bytes = rest.parse().map_err(|_| wrong())?;
                self.notes.push(format!("{name} grows too fast: {} were left out", bytesize::ByteSize(bytes)));
                (state.torn, state.pending) = (true, String::new());
            }
            "new" => {
                let pending = std::mem::take(&mut state.pending);
                if !pending.is_empty() && !state.torn {
                    self.add(file, &pending);
                }
                let state = &mut self.files[file];
                (state.torn, state.reader) = (false, Reader::new(!self.sources[file].is_text()));
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// Ends what was read at once: a last line without an end is one.
    pub(super) fn flush(&mut self) {
        // It belongs to what was read at once, not to what is followed.
        let shown = std::mem::replace(&mut self.shown, false);
        for file in 0..self.files.len() {
            if let Some(open) = self.files[file].open.take() {
                self.add(file, &open);
            }
            let state = &mut self.files[file];
            let key = state.written.unwrap_or(f64::NEG_INFINITY);
            for record in std::mem::take(&mut state.untimed) {
                self.put(file, key, record);
            }
        }
        self.shown = shown;
    }

    /// Adds a line that is followed, of which the first part may have come before.
    fn finish(&mut self, file: usize, end: &str) {
        let state = &mut self.files[file];
        let begin = std::mem::take(&mut state.pending);
        if std::mem::take(&mut state.torn) {
            return;
        }
        let whole = begin + end;
        if self.text.as_ref().is_none_or(|text| whole.contains(text.as_str())) || whole.starts_with('#') {
            self.add(file, &whole);
        }
    }

    fn add(&mut self, file: usize, line: &str) {
        let state = &mut self.files[file];
        let Some(record) = state.reader.read(line) else { return };
        match (record.time, state.last) {
            (Some(time), _) => {
                for earlier in std::mem::take(&mut state.untimed) {
                    self.put(file, time, earlier);
                }
                self.files[file].last = Some(time);
                self.put(file, time, record);
            }
            (None, Some(last)) => self.put(file, last, record),
            // What is followed is shown as it comes.
            (None, None) if self.shown => self.put(file, f64::INFINITY, record),
            (None, None) => state.untimed.push(record),
        }
    }

    fn put(&mut self, file: usize, key: f64, record: Record) {
        if key < self.oldest {
            return;
        }
        let header = self.files[file].reader.fields().cloned();
        self.lines.push(Line { host: self.host, file, key, record, header });
    }
}

impl Source {
    /// Whether it is no log of Zeek's, but what a process printed.
    pub(super) fn is_text(&self) -> bool {
        self.log == self.file
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Source};

    fn answer(since: Option<f64>, text: Option<&str>, lines: &[&str]) -> Answer {
        let source =
            |log: &str, file: &str| Source { node: "a".to_owned(), log: log.to_owned(), file: file.to_owned() };
        let sources = vec![source("stderr", "stderr"), source("conn", "conn.log")];
        let mut answer = Answer::new(0, sources, since, text);
        for line in lines {
            answer.take(line).unwrap();
        }
        answer
    }

    fn shown(answer: &Answer) -> Vec<(f64, &str)> {
        answer.lines.iter().map(|l| (l.key, l.record.text.as_str())).collect()
    }

    #[test]
    fn a_line_without_a_time_has_that_of_its_neighbours() {
        let said = ["file 1 9 1700000009", "line 1 listening", "line 1 1700000005.000000 bad", "line 1 more"];
        let mut answer = answer(None, None, &said);
        answer.flush();
        let times = [1_700_000_005.0; 3];
        assert_eq!(shown(&answer), [(times[0], "listening"), (times[1], "1700000005.000000 bad"), (times[2], "more")]);
        let mut answer = self::answer(Some(10.0), None, &["now 1700000020", "file 1 9 1700000009", "line 1 listening"]);
        answer.flush();
        assert!(answer.lines.is_empty());
    }

    #[test]
    fn what_is_followed_is_joined_over_its_parts_and_ends_with_its_file() {
        let said = [
            "now 1700000000",
            "file 1 9 1700000000",
            "line 1 one",
            "line 1 tw",
            "part 1",
            "shown",
            "data 1 o",
            "data 1 thr.",
            "cut 1",
            "data 1 .",
            "cut 1",
            "data 1 ee",
            "data 1 rest.",
            "cut 1",
            "new 1",
            "data 1 first of the next",
            "data 1 .",
            "cut 1",
            "skip 1 5000",
            "data 1 torn",
            "data 1 whole",
            "data 1 .",
            "cut 1",
        ];
        let mut answer = answer(None, None, &said);
        answer.flush();
        let mut texts: Vec<&str> = answer.lines.iter().map(|l| l.record.text.as_str()).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["first of the next", "one", "rest", "three", "two", "whole"]);
        assert_eq!(answer.notes, ["stderr of a grows too fast: 4.9 KiB were left out"]);
    }

    #[test]
    fn only_lines_with_the_text_and_what_says_how_to_read_them() {
        let said = [
            "shown",
            "data 2 #fields\tts\tx",
            "data 2 #types\ttime\tstring",
            "data 2 1700000000.000000\tyes",
            "data 2 17\tno",
            "data 2 .",
            "cut 2",
        ];
        let answer = answer(None, Some("yes"), &said);
        assert_eq!(shown(&answer), [(1_700_000_000.0, "1700000000.000000\tyes")]);
        assert_eq!(answer.lines[0].header.as_deref(), Some("ts\tx"));
    }

    #[test]
    fn what_no_script_says_is_an_error() {
        for line in ["", "frob", "file", "file 0 1 1", "file 3 1 1", "file x", "now x", "skip 1 x", "cut 1"] {
            assert!(answer(None, None, &[]).take(line).is_err(), "{line}");
        }
    }
}
