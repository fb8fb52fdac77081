//! What `templates/diag.sh` says of a host and its nodes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::redact;
use crate::observed::word_of;

/// Some lines of a file of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FileText {
    /// What it is called: `stderr`, `crash/TIME/backtrace`.
    pub file: String,
    /// The last lines, without secrets.
    pub lines: Vec<String>,
}

/// A file that a crash left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CrashFile {
    pub file: String,
    /// In bytes.
    pub size: u64,
}

/// What a host says of one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NodeFacts {
    pub(super) command: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) hidden: Vec<String>,
    pub(super) settings: Vec<String>,
    pub(super) limits: Vec<String>,
    pub(super) threads: Option<String>,
    pub(super) cpus: Option<String>,
    pub(super) status: Option<String>,
    pub(super) texts: Vec<FileText>,
    pub(super) crashes: Vec<String>,
    pub(super) crash_files: Vec<CrashFile>,
    /// What it depends on in each release: names and digests.
    pub(super) inputs: BTreeMap<String, BTreeMap<String, String>>,
}

/// A release that lies on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ListedRelease {
    pub id: String,
    /// When it was made the current one, as RFC 3339 in UTC.
    pub time: Option<String>,
    pub who: String,
    pub command: String,
    pub zeek: String,
}

/// What a host says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HostFacts {
    /// The kernel, the load, memory and disks, each in a line.
    pub(super) system: Vec<String>,
    pub(super) nodes: BTreeMap<String, NodeFacts>,
    /// The newest first.
    pub(super) releases: Vec<ListedRelease>,
}

impl HostFacts {
    /// Reads the lines behind `observed end`.
    ///
    /// # Errors
    /// Where one of them is none that the script says, or the last one is missing.
    pub(super) fn parse(lines: &[String]) -> Result<Self, String> {
        let mut host = Self::default();
        let mut node: Option<(String, NodeFacts)> = None;
        for line in lines {
            let wrong = || format!("unexpected reply: {}", line.chars().take(100).collect::<String>());
            let (word, value) = word_of(line);
            match word {
                "kernel" | "load" => host.system.push(format!("{word} {value}")),
                "memory" => host.system.push(value.to_owned()),
                "disk" => {
                    let mut words = value.splitn(3, ' ');
                    let mut number =
                        || words.next().and_then(|n| n.parse::<u64>().ok()).map(|n| n.saturating_mul(1024));
                    let (size, free) = (number().ok_or_else(wrong)?, number().ok_or_else(wrong)?);
                    let mount = words.next().ok_or_else(wrong)?;
                    let [size, free] = [size, free].map(bytesize::ByteSize);
                    host.system.push(format!("disk {mount}: {free} of {size} are free"));
                }
                "about" => {
                    host.nodes.extend(node.take());
                    if value == "end" {
                        return Ok(host.tidied());
                    }
                    node = Some((value.to_owned(), NodeFacts::default()));
                }
                "release" => {
                    host.nodes.extend(node.take());
                    host.releases.push(ListedRelease { id: value.to_owned(), ..ListedRelease::default() });
                }
                "info" => host.info(value).ok_or_else(wrong)?,
                "input" if node.is_none() => host.input(value).ok_or_else(wrong)?,
                _ => {
                    let (_, facts) = node.as_mut().ok_or_else(wrong)?;
                    facts.take(word, value).ok_or_else(wrong)?;
                }
            }
        }
        Err("the host's reply is incomplete".to_owned())
    }

    fn info(&mut self, value: &str) -> Option<()> {
        let release = self.releases.last_mut()?;
        // What other releases of clusterctl wrote there may have no form of ours.
        let (key, value) = word_of(value);
        match key {
            "time" => {
                let time = value.parse().ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
                release.time = time.map(|time| time.to_string());
            }
            "who" => value.clone_into(&mut release.who),
            "command" => value.clone_into(&mut release.command),
            "zeek" => value.clone_into(&mut release.zeek),
            _ => {}
        }
        Some(())
    }

    fn input(&mut self, value: &str) -> Option<()> {
        let mut words = value.splitn(3, ' ');
        let (node, digest, name) = (words.next()?, words.next()?, words.next()?);
        let release = self.releases.last()?.id.clone();
        let facts = self.nodes.get_mut(node)?;
        facts.inputs.entry(release).or_default().insert(name.to_owned(), digest.to_owned());
        Some(())
    }

    /// Without what looks like a secret.
    fn tidied(mut self) -> Self {
        for facts in self.nodes.values_mut() {
            for arg in &mut facts.command {
                *arg = redact::line(arg);
            }
            for text in &mut facts.texts {
                redact::lines(&mut text.lines);
            }
            if let Some(at) = facts.texts.iter().position(|text| text.file == ".status") {
                facts.status = Some(facts.texts.remove(at).lines.join(" "));
            }
            let (hidden, told): (BTreeMap<_, _>, _) =
                std::mem::take(&mut facts.environment).into_iter().partition(|(name, _)| redact::is_secret(name));
            facts.environment = told;
            facts.hidden.extend(hidden.into_keys());
            facts.hidden.sort_unstable();
        }
        self
    }
}

impl NodeFacts {
    fn take(&mut self, word: &str, value: &str) -> Option<()> {
        match word {
            "arg" => self.command.push(value.to_owned()),
            "env" => {
                let (name, value) = value.split_once('=')?;
                self.environment.insert(name.to_owned(), value.to_owned());
            }
            "hidden" => self.hidden.push(value.to_owned()),
            "set" => self.settings.push(value.to_owned()),
            "limit" => self.limits.push(value.split_whitespace().collect::<Vec<_>>().join(" ")),
            "threads" => self.threads = Some(value.to_owned()),
            "cpus" => self.cpus = Some(value.to_owned()),
            "text" => self.texts.push(FileText { file: value.to_owned(), lines: Vec::new() }),
            "line" => self.texts.last_mut()?.lines.push(value.to_owned()),
            "crash" => self.crashes.push(value.to_owned()),
            "left" => {
                let (size, file) = value.split_once(' ')?;
                self.crash_files.push(CrashFile { file: file.to_owned(), size: size.parse().ok()? });
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::HostFacts;

    fn parse(lines: &[&str]) -> Result<HostFacts, String> {
        HostFacts::parse(&lines.iter().map(|&l| l.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn an_answer_is_read_to_its_end() {
        let lines = [
            "kernel 6.12.1",
            "disk 1000 500 /data two",
            "about worker-1",
            "arg /opt/zeek/bin/zeek",
            "arg X::password=p",
            "env CLUSTER_NODE=worker-1",
            "env MY_TOKEN=t",
            "hidden API",
            "text stderr",
            "line one",
            "left 12 core",
            "about worker-2",
            "release abc",
            "info time 1700000000",
            "input worker-1 12ab site scripts",
            "about end",
        ];
        let host = parse(&lines).unwrap();
        assert_eq!(host.system, ["kernel 6.12.1", "disk /data two: 500.0 KiB of 1000.0 KiB are free"]);
        let node = &host.nodes["worker-1"];
        assert_eq!(node.command, ["/opt/zeek/bin/zeek", "X::password= [left out]"]);
        assert_eq!((node.environment.len(), &node.hidden[..]), (1, &["API".to_owned(), "MY_TOKEN".to_owned()][..]));
        assert_eq!(node.inputs["abc"]["site scripts"], "12ab");
        assert_eq!(host.releases[0].time.as_deref(), Some("2023-11-14T22:13:20Z"));
        for end in 0..lines.len() {
            parse(&lines[..end]).unwrap_err();
        }
        for odd in ["frob", "line x", "input a b c", "info x", "left x y", "disk x", "arg x"] {
            assert!(parse(&[odd, "about end"]).is_err(), "{odd}");
        }
    }
}
