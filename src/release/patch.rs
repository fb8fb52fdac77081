//! A release of before with the secrets of now: all stays but the names of what hosts keep for it, and the values of
//! secrets in nodes' environments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::content::{File, Files, Inputs, Part};
use super::digest::digest;
use super::start::{environment_input, kept_lines, keys_input};
use crate::zeek;

/// Where a release names the secrets that a host keeps for it.
pub const SECRETS_PATH: &str = "clusterctl/secrets";

/// Rewrites how a node is started; returns that and what it depends on then.
///
/// `kept` are the names of what its host keeps, below `home`, and `env` values for variables that it has.
pub fn patch_start_file(text: &str, kept: &[String], home: &str, env: &BTreeMap<String, String>) -> (String, Inputs) {
    let mut inputs = Inputs::new();
    let mut environment: BTreeMap<String, String> = BTreeMap::new();
    let mut salt = None;
    let ours = |variable: &str| zeek::TLS_FILES.iter().any(|file| file.variable == variable);
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("input", rest)) => {
                if let Some((digest, name)) = rest.split_once(' ') {
                    inputs.insert(name.to_owned(), digest.to_owned());
                }
            }
            Some(("salt", value)) => salt = Some(value),
            Some(("env", pair)) => {
                if let Some((name, value)) = pair.split_once('=').filter(|(name, _)| !ours(name)) {
                    environment.insert(name.to_owned(), value.to_owned());
                }
            }
            _ => {}
        }
    }
    let changed: BTreeMap<&String, &String> =
        env.iter().filter(|(name, value)| environment.get(*name).is_some_and(|v| v != *value)).collect();
    for (name, value) in &changed {
        environment.insert((*name).clone(), (*value).clone());
    }
    if !changed.is_empty() {
        inputs.insert("environment".to_owned(), environment_input(salt, &environment));
    }
    inputs.remove("keys");
    if !kept.is_empty() {
        inputs.insert("keys".to_owned(), keys_input(kept));
    }
    let mut again = String::with_capacity(text.len());
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let name = rest.split_once('=').map_or(rest, |(name, _)| name);
        match word {
            "input" | "secrets" => continue,
            "env" if ours(name) => continue,
            "zeekpath" => {
                for (name, digest) in &inputs {
                    let _ = writeln!(again, "input {digest} {name}");
                }
            }
            "env" if changed.contains_key(&name.to_owned()) => {
                let _ = writeln!(again, "env {name}={}", environment[name]);
                continue;
            }
            _ => {}
        }
        again.push_str(line);
        again.push('\n');
        if word == "zeekpath" {
            kept_lines(kept, home, &mut again);
        }
    }
    (again, inputs)
}

impl Part {
    /// Makes a part of one that a host has: its manifest, with some files replaced or gone.
    pub fn again(
        host: usize,
        manifest: &[String],
        files: BTreeMap<String, File>,
        gone: &BTreeSet<&str>,
        inputs: BTreeMap<String, Inputs>,
    ) -> Self {
        let stays = |path: &str| !files.contains_key(path) && !gone.contains(path);
        let (mut digests, mut modes) = (Vec::new(), Vec::new());
        for line in manifest {
            if let Some((_, path)) = line.split_once("  ./") {
                digests.extend(stays(path).then(|| format!("{line}\n")));
            } else if let Some((_, path)) = line.split_once(" ./") {
                modes.extend(stays(path).then(|| format!("{line}\n")));
            }
        }
        for (path, file) in &files {
            digests.push(format!("{}  ./{path}\n", file.digest));
            modes.push(format!("{:o} ./{path}\n", file.mode));
        }
        digests.sort_unstable();
        modes.sort_unstable();
        let manifest: String = digests.into_iter().chain(modes).collect();
        let digest = digest(manifest.as_bytes());
        Self { host, files: Files::of(files), kept: Some(manifest), digest, inputs }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::release::Content;

    const START: &str = "zeek /z/bin/zeek\nbinary 1 2\nrestart on-crash\nnofile 9\ninput aa command line\n\
                         input bb environment\ninput cc keys\nzeekpath /p\nsecrets zeromq-01\n\
                         env CLUSTERCTL_TLS_KEY=/h/secrets/tls-key-01\nenv A=b=c\nenv TOKEN=old\narg env TOKEN=old\n";

    fn again(kept: &[&str], env: &[(&str, &str)]) -> (String, Inputs) {
        let kept: Vec<String> = kept.iter().map(|name| (*name).to_owned()).collect();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        patch_start_file(START, &kept, "/h", &env)
    }

    #[test]
    fn only_what_hosts_keep_and_values_of_secrets_change() {
        let kept = ["zeromq-02", "tls-key-02"];
        let (text, inputs) = again(&kept, &[("TOKEN", "new"), ("GONE", "x")]);
        let want = START.replace("zeromq-01", "zeromq-02").replace("tls-key-01", "tls-key-02");
        let want = want.replace("\nenv TOKEN=old", "\nenv TOKEN=new");
        let want = want.replace("bb environment", &format!("{} environment", inputs["environment"]));
        assert_eq!(text, want.replace("cc keys", &format!("{} keys", inputs["keys"])));
        assert_ne!(inputs["environment"], "bb");
        // With what it had, it is what it was.
        let (text, inputs) = again(&["zeromq-01", "tls-key-01"], &[("TOKEN", "old")]);
        assert_eq!(text, START.replace("cc keys", &format!("{} keys", inputs["keys"])));
        assert_eq!(inputs["environment"], "bb");
        let (text, inputs) = again(&[], &[]);
        assert!(!text.contains("secrets") && !inputs.contains_key("keys") && text.contains("\nenv A=b=c\n"), "{text}");
    }

    #[test]
    fn the_manifest_is_what_the_host_will_say() {
        let lines =
            ["aa  ./a", "bb  ./b b", "cc  ./clusterctl/secrets", "600 ./b b", "644 ./a", "644 ./clusterctl/secrets"];
        let lines: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        let file = |text: &str| File {
            mode: 0o600,
            digest: text.to_owned(),
            content: Content::Memory(Arc::from(text.as_bytes())),
        };
        let files = BTreeMap::from([("b b".to_owned(), file("99")), ("n".to_owned(), file("11"))]);
        let part = Part::again(0, &lines, files, &BTreeSet::from([SECRETS_PATH]), BTreeMap::new());
        assert_eq!(part.manifest(), "11  ./n\n99  ./b b\naa  ./a\n600 ./b b\n600 ./n\n644 ./a\n");
        assert_eq!(part.changes(&lines).changed, ["b b"]);
        assert_eq!(part.changes(&lines).removed, [SECRETS_PATH]);
    }
}
