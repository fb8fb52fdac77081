//! What a host has of a release.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fleet::{Fleet, HostHandle};
use crate::observed::{Malformed, ZeekBinary, fields, is_manifest_line, number, word_of};
use crate::release::{Inputs, manifest_entries};
use crate::scripts;
use crate::transport::{RemoteScript, ScriptOutput};
use crate::values::{Version, is_node_name, is_secret_name};

/// How long a host may take to read and verify what it has of a release.
const READING: Duration = Duration::from_secs(300);

#[derive(Debug, Default)]
pub(crate) struct HostRelease {
    pub(crate) whole: bool,
    /// Whether there are names in it that clusterctl gives to nothing.
    odd: bool,
    pub(crate) manifest: Vec<String>,
    pub(crate) version: Option<Version>,
    /// The line of `clusterctl/version`.
    pub(crate) made_for: String,
    pub(crate) inputs: BTreeMap<String, Inputs>,
    /// The names of the secrets that its nodes need.
    pub(crate) secrets: Vec<String>,
    /// Why its Zeek can't be used any more.
    pub(crate) zeek: Option<String>,
}

impl HostRelease {
    /// Tells whether the host's own manifest names the `cluster.json` of this digest.
    pub(crate) fn has_record(&self, record: &str) -> bool {
        let entries = manifest_entries(self.manifest.iter().map(String::as_str));
        entries.get("cluster.json").is_some_and(|entry| entry.digest == record)
    }
}

/// Asks a host what it has of a release.
pub(crate) async fn read_host_release(fleet: &Fleet, handle: &HostHandle, id: &str) -> Result<HostRelease, String> {
    let call = RemoteScript::new(scripts::RELEASE, READING).arg(&handle.folders.home).arg(id).silence(fleet.silence());
    let reply: ScriptOutput = handle.connection.run(call).await.map_err(|f| f.text())?;
    HostRelease::parse(&reply.lines).map_err(|malformed| malformed.because_of(&reply.stderr))
}

/// What was read of a release, and what is only needed to read on.
#[derive(Default)]
struct Reader {
    held: HostRelease,
    /// The node whose lines come; none: one whose name is none.
    node: Option<String>,
    /// Whether nodes were named.
    named: bool,
    /// Size and time of the Zeek that the node was made for.
    binary: Option<ZeekBinary>,
    /// Those of each path.
    made: BTreeMap<String, ZeekBinary>,
    ended: bool,
}

impl HostRelease {
    /// Reads the lines of a host's answer to `templates/release.sh`. What it quotes from files of the release and has not
    /// the form that clusterctl writes makes the release one that is not whole.
    ///
    /// # Errors
    /// Where one is not of the script's, or it did not come to its end.
    fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, Malformed> {
        let mut reader = Reader::default();
        for line in lines {
            let line = line.as_ref();
            let (word, value) = word_of(line);
            if reader.ended {
                return Err(Malformed::unsaid(line));
            }
            let taken = reader.take(word, value).map_err(|why| Malformed::line(line, why))?;
            if !(taken || reader.quoted(word, value)) {
                return Err(Malformed::unsaid(line));
            }
        }
        if !reader.ended {
            return Err(Malformed::Missing("end"));
        }
        let mut held = reader.held;
        // What has names that none of ours has is no release of ours, whatever digests say.
        held.whole &= !held.odd;
        Ok(held)
    }
}

impl Reader {
    /// Takes what the script says itself.
    fn take(&mut self, word: &str, value: &str) -> Result<bool, String> {
        match word {
            "beat" | "differs" if value.is_empty() => {}
            "whole" if value.is_empty() => self.held.whole = true,
            "missing" | "end" if value.is_empty() => self.ended = true,
            "node" => {
                self.named = true;
                self.binary = None;
                self.node = is_node_name(value).then(|| value.to_owned());
                match &self.node {
                    Some(node) => drop(self.held.inputs.insert(node.clone(), Inputs::new())),
                    None => self.held.odd = true,
                }
            }
            "input" | "binary" | "zeek" if !self.named => return Err("it comes before any node".to_owned()),
            "there" => {
                let [size, mtime, path] = fields(value)?;
                let now = match (size, mtime) {
                    ("-", "-") => None,
                    _ => Some(ZeekBinary { size: number(size)?, mtime: number(mtime)? }),
                };
                if self.made.get(path).is_some_and(|made| Some(made) != now.as_ref()) {
                    self.held.zeek = Some(if now.is_none() {
                        format!("its Zeek is not there any more: {path}")
                    } else {
                        format!("its Zeek was replaced: {path} is not the one that this release was made for")
                    });
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes what the script quotes from files of the release.
    fn quoted(&mut self, word: &str, value: &str) -> bool {
        let right = match word {
            "manifest" if is_manifest_line(value) => {
                self.held.manifest.push(value.to_owned());
                true
            }
            "version" => {
                self.held.version = value.split(' ').next().and_then(|v| v.parse().ok());
                self.held.made_for = format!("{value}\n");
                self.held.version.is_some()
            }
            "secret" if is_secret_name(value) => {
                self.held.secrets.push(value.to_owned());
                true
            }
            "input" => match (value.split_once(' '), &self.node) {
                (Some((digest, name)), Some(node)) => {
                    let inputs = self.held.inputs.entry(node.clone()).or_default();
                    inputs.insert(name.to_owned(), digest.to_owned());
                    true
                }
                _ => false,
            },
            "binary" => {
                self.binary = ZeekBinary::parse(value);
                self.binary.is_some()
            }
            // It stands before the binary in what starts a node, and is said after it.
            "zeek" => self.binary.take().is_some_and(|binary| {
                self.made.insert(value.to_owned(), binary);
                true
            }),
            "manifest" | "secret" => false,
            _ => return false,
        };
        self.held.odd |= !right;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::HostRelease;
    use crate::observed::Malformed;
    use crate::scripts;

    const DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn read(lines: &[&str]) -> Result<HostRelease, Malformed> {
        HostRelease::parse(lines)
    }

    #[test]
    fn an_answer_is_read() {
        let manifest = format!("manifest {DIGEST}  ./start/worker-1");
        let lines = [
            "whole",
            &manifest,
            "version 8.0.10 broker",
            "secret zeromq-curve-0123456789abcdef",
            "beat",
            "node log-archiver",
            "node worker-1",
            "input ffff command line",
            "binary 12345 1795000000",
            "zeek /opt/zeek/bin/zeek",
            "there 12345 1795000000 /opt/zeek/bin/zeek",
            "end",
        ];
        let held = read(&lines).unwrap();
        assert!(held.whole && held.zeek.is_none() && held.inputs["log-archiver"].is_empty());
        assert_eq!((held.manifest.len(), held.secrets.len(), held.made_for.as_str()), (1, 1, "8.0.10 broker\n"));
        assert_eq!(held.inputs["worker-1"]["command line"], "ffff");
        for end in 0..lines.len() {
            assert_eq!(read(&lines[..end]).unwrap_err(), Malformed::Missing("end"), "{end}");
        }
        for (there, why) in [
            ("there - - /opt/zeek/bin/zeek", "its Zeek is not there any more: /opt/zeek/bin/zeek"),
            ("there 1 1795000000 /opt/zeek/bin/zeek", "its Zeek was replaced: /opt/zeek/bin/zeek"),
        ] {
            let mut lines = lines;
            lines[10] = there;
            let held = read(&lines).unwrap();
            assert!(held.zeek.is_some_and(|zeek| zeek.starts_with(why)), "{why}");
        }
        assert!(!read(&["missing"]).unwrap().whole);
    }

    #[test]
    fn a_line_that_is_malformed_is_named() {
        for lines in [
            &["", "end"][..],
            &["noise", "end"],
            &["whole of it", "end"],
            &["input ffff command line", "end"],
            &["binary 1 2", "end"],
            &["zeek /x", "end"],
            &["there 1 2", "end"],
            &["there x 2 /x", "end"],
            &["there 1 - /x", "end"],
            &["there -1 2 /x", "end"],
            &["missing release", "end"],
        ] {
            let Err(Malformed::Line(said)) = read(lines) else { panic!("{lines:?}") };
            assert!(said.starts_with(&format!("{:?}: ", lines[0])), "{said}");
        }
        assert!(matches!(read(&["end", "whole"]), Err(Malformed::Line(_))));
    }

    #[test]
    fn a_file_that_clusterctl_does_not_write_so_makes_a_release_that_is_not_whole() {
        for quoted in [
            &["manifest ../x"][..],
            &["version"],
            &["version `id` broker"],
            &["secret ../../etc/x"],
            &["node ../x", "input ffff site"],
            &["node w", "input ffff"],
            &["node w", "binary x y"],
            &["node w", "binary 1 2", "zeek /x", "zeek /x"],
        ] {
            let held = read(&[&["whole"], quoted, &["end"]].concat()).unwrap();
            assert!(!held.whole, "{quoted:?}");
        }
    }

    /// What archives logs has neither a binary nor inputs, and is the first of the files.
    #[test]
    fn a_release_with_something_else_than_zeeks_is_read_to_its_end() {
        let home = tempfile::tempdir().unwrap();
        let release = home.path().join("releases/r");
        std::fs::create_dir_all(release.join("start")).unwrap();
        std::fs::write(release.join("manifest"), "").unwrap();
        let read = || {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("set -u\n{}", scripts::RELEASE), "sh"])
                .arg(home.path())
                .arg("r")
                .env("T", "t")
                .output()
                .unwrap();
            let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
            assert!(out.lines().any(|line| line == "t end") && err.is_empty(), "{out}{err}");
            out
        };
        assert!(!read().contains("t there"));
        std::fs::write(release.join("start/log-archiver"), "script archiver.sh\nrestart on-crash\narg /x\n").unwrap();
        assert!(!read().contains("t there"));
        std::fs::write(release.join("start/manager"), "zeek /none/zeek\nbinary 1 2\ninput ab site\nzeekpath x\n")
            .unwrap();
        let said = read();
        assert!(said.contains("t node log-archiver\nt node manager\nt binary 1 2\nt input ab site\n"), "{said}");
        assert!(said.contains("t zeek /none/zeek\nt there - - /none/zeek\nt end\n"), "{said}");
    }
}
