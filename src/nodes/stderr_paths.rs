//! Names that the user knows, in the place of those of release folders.

use std::collections::HashMap;

use super::outcome::NodeOutcome;
use crate::cluster::{Folders, Host};
use crate::fleet::Fleet;

/// Takes the folders of releases out of what nodes wrote on stderr.
pub(crate) fn strip_release_paths(fleet: &Fleet, outcomes: &mut [NodeOutcome]) {
    map_stderr(fleet, outcomes, without_folder);
}

/// Changes each line that nodes wrote on stderr; `change` is given the folder of the releases on the node's host, with a
/// slash at its end, and the line.
pub(crate) fn map_stderr(fleet: &Fleet, outcomes: &mut [NodeOutcome], change: impl Fn(&str, &str) -> String) {
    let mut told = outcomes.iter_mut().filter(|o| !o.stderr.is_empty()).peekable();
    if told.peek().is_none() {
        return;
    }
    let cluster = &*fleet.cluster;
    let folder = |host: &Host| format!("{}/releases/", Folders::of(&cluster.name, host).home);
    let folders: HashMap<&str, String> = cluster.hosts.iter().map(|h| (h.name.as_str(), folder(h))).collect();
    for outcome in told {
        let Some(releases) = folders.get(outcome.host.as_str()) else { continue };
        for line in &mut outcome.stderr {
            *line = change(releases, line);
        }
    }
}

/// Takes the folder of whichever release out of a text: `releases` is the folder of all, with a slash at its end.
fn without_folder(releases: &str, text: &str) -> String {
    let mut parts = text.split(releases);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let id = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
        match part.split_once('/') {
            Some((first, path)) if id(first) => out.push_str(path),
            _ => out.extend([releases, part]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_release_folder_is_left() {
        let without = |text| without_folder("/var/lib/clusterctl/c/releases/", text);
        assert_eq!(
            without("error in /var/lib/clusterctl/c/releases/ab12/site/x.zeek, line 3"),
            "error in site/x.zeek, line 3"
        );
        assert_eq!(without("/var/lib/clusterctl/c/releases/1/a and /var/lib/clusterctl/c/releases/2/b"), "a and b");
        for kept in
            ["nothing of ours", "in /var/lib/clusterctl/c/releases/ and", "/var/lib/clusterctl/c/releases/.stage-1/a"]
        {
            assert_eq!(without(kept), kept);
        }
    }
}
