//! What a user sees, whole: transcripts of commands, with what they print to stdout and stderr and their exit codes. What
//! differs from run to run has a word in its place, and blanks between columns are two.

use std::cell::RefCell;
use std::fmt::Write as _;

use regex::{Captures, Regex};

use super::local::{LocalCluster, Said};

/// What was typed and seen so far.
#[derive(Default)]
pub(crate) struct Transcript {
    text: RefCell<String>,
    /// Ids of releases, in the order in which they were seen first.
    releases: RefCell<Vec<String>>,
}

impl Transcript {
    /// Runs a command and adds what it says.
    pub(crate) fn run(&self, cluster: &LocalCluster, args: &[&str]) -> Said {
        let said = cluster.run(args);
        self.add(cluster, args, &said);
        said
    }

    /// Adds what a command said.
    pub(crate) fn add(&self, cluster: &LocalCluster, args: &[&str], said: &Said) {
        let (stdout, stderr) = (self.plain(cluster, &said.stdout), self.plain(cluster, &said.stderr));
        let mut text = self.text.borrow_mut();
        let _ = writeln!(text, "$ clusterctl {}", self.plain(cluster, &args.join(" ")).trim_end());
        text.push_str(&stdout);
        if !stderr.is_empty() {
            let _ = write!(text, "--- stderr\n{stderr}");
        }
        let _ = writeln!(text, "[exit {}]\n", said.code);
    }

    /// Returns all of it, and begins anew.
    pub(crate) fn take(&self) -> String {
        self.text.take()
    }

    /// The text with words for what differs. Nodes that are told one after the other are in the order of their names.
    fn plain(&self, cluster: &LocalCluster, text: &str) -> String {
        let replace = |text: &str, of: &str, with: &str| Regex::new(of).unwrap().replace_all(text, with).into_owned();
        let mut text = text.replace(cluster.dir().to_str().unwrap(), "DIR").replace(&cluster.name(), "corp");
        // What else runs on this machine.
        text =
            replace(&text, r"(?m)^[^\n:]+: .* (?:runs? there too|not of this cluster|named zeek runs? there).*\n", "");
        // This process holds ports: its name depends on how it was built, its user on who runs it.
        text = replace(&text, r"\bit-[0-9a-f]{8,} \(pid \d+, user [^)]*\)", "TEST (pid PID, user USER)");
        // A note where getcap is missing.
        text = replace(&text, r"(?m)^  capabilities: .*\n", "");
        text = replace(&text, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME");
        // What is on its way to the archive.
        text = replace(&text, r"(?m)^here: \d+ rotated logs? in the queue .*\n\n?", "");
        text = replace(&text, r"/\d{4}-\d\d-\d\dT\d{6}Z", "/TIME");
        text = replace(&text, r"tester@[\w.-]+", "tester@HOST");
        text = Regex::new(r"\b[0-9a-f]{12}\b")
            .unwrap()
            .replace_all(&text, |found: &Captures<'_>| {
                let mut known = self.releases.borrow_mut();
                let at = known.iter().position(|id| *id == found[0]).unwrap_or_else(|| {
                    known.push(found[0].to_owned());
                    known.len() - 1
                });
                format!("RELEASE-{}", at + 1)
            })
            .into_owned();
        // A row of a node that runs: its pid, uptime, share of a CPU, memory.
        text = replace(
            &text,
            r"(?m)^(\S+ +\w+ +here +running +\w.*?) +\d+ +\d+m?s +[\d.]+ +[\d.]+[KMG] ",
            "$1 PID UPTIME CPU MEM ",
        );
        text = replace(&text, r"(?m)^(\S+ +\w+ +\S+ +running +- +)\d+ ", "${1}PID ");
        text = replace(&text, r"\bpid \d+", "pid PID");
        text = replace(&text, r"\bpids \d+(?:, \d+)*", "pids PIDS");
        text = replace(&text, r"kill \d+(?: \d+)*", "kill PID");
        let (base, _) = cluster.ports();
        text = Regex::new(r"\b(?:1[89]|2[0-9])\d{3}\b")
            .unwrap()
            .replace_all(&text, |found: &Captures<'_>| {
                let port = found[0].parse::<u16>().unwrap().checked_sub(base).filter(|above| *above < 300);
                port.map_or_else(|| found[0].to_owned(), |above| format!("BASE+{above}"))
            })
            .into_owned();
        // How much a host is asked depends on the host.
        text = replace(&text, r"\b(?:\d+ of )?\d+ checks\b", "N checks");
        text = replace(&text, r"(?m)(\S) {2,}", "$1  ");
        let mut lines: Vec<&str> = text.lines().collect();
        let told = Regex::new(r"^\S+ on \S+: ").unwrap();
        for block in lines.chunk_by_mut(|a, b| told.is_match(a) && told.is_match(b)) {
            block.sort_unstable();
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if text.is_empty() { text } else { format!("{}\n", text.trim_end()) }
    }
}
