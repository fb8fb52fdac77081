//! What a host has of a release.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fleet::{Fleet, HostHandle};
use crate::observed::is_manifest_line;
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
    let mut held = HostRelease::default();
    let mut node = String::new();
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    let mut binary = String::new();
    let mut ended = false;
    for line in &reply.lines {
        let (word, value) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "whole" => held.whole = true,
            "manifest" if is_manifest_line(value) => held.manifest.push(value.to_owned()),
            "version" => {
                held.version = value.split(' ').next().and_then(|v| v.parse().ok());
                held.made_for = format!("{value}\n");
            }
            "node" if !is_node_name(value) => {
                held.odd = true;
                node.clear();
            }
            "node" => {
                value.clone_into(&mut node);
                held.inputs.insert(node.clone(), Inputs::new());
            }
            "input" => {
                if let (Some((digest, name)), Some(inputs)) = (value.split_once(' '), held.inputs.get_mut(&node)) {
                    inputs.insert(name.to_owned(), digest.to_owned());
                }
            }
            "secret" if is_secret_name(value) => held.secrets.push(value.to_owned()),
            "manifest" | "secret" => held.odd = true,
            "binary" => value.clone_into(&mut binary),
            "zeek" => drop(made.insert(value.to_owned(), binary.clone())),
            "there" => {
                let mut words = value.splitn(3, ' ');
                let now = format!("{} {}", words.next().unwrap_or_default(), words.next().unwrap_or_default());
                let path = words.next().unwrap_or_default();
                if made.get(path).is_some_and(|made| *made != now) {
                    held.zeek = Some(match now.as_str() {
                        "- -" => format!("its Zeek is not there any more: {path}"),
                        _ => format!("its Zeek was replaced: {path} is not the one that this release was made for"),
                    });
                }
            }
            "missing" | "end" => ended = true,
            _ => {}
        }
    }
    // What has names that none of ours has is no release of ours, whatever digests say.
    held.whole &= !held.odd;
    if ended { Ok(held) } else { Err(format!("the reply is incomplete: {}", reply.stderr.trim())) }
}

#[cfg(test)]
mod tests {
    use crate::scripts;

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
