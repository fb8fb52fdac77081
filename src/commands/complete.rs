//! Names of nodes, hosts and roles for the shell, from the description that the command line names.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap_complete::CompletionCandidate;

use crate::{cluster, fleet, spec};

/// The variable that names the description.
pub(crate) const FILE_VARIABLE: &str = "CLUSTERCTL_FILE";

/// Completes a selector. Whatever goes wrong, the shell gets an empty list and no noise.
pub(crate) fn selectors(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let Ok(cluster) = cluster::check(&spec::load(&file())) else { return Vec::new() };
    fleet::candidates(&cluster)
        .into_iter()
        .filter(|(name, _)| name.starts_with(current))
        .map(|(name, about)| CompletionCandidate::new(name).help(Some(about.into())))
        .collect()
}

/// Returns the description that the command line names; a completer does not see the other arguments.
fn file() -> PathBuf {
    let mut args = std::env::args_os().skip_while(|a| a != "--").skip(1);
    while let Some(arg) = args.next() {
        let Some(text) = arg.to_str() else { continue };
        if text == "-f" || text == "--file" {
            if let Some(file) = args.next() {
                return file.into();
            }
        } else if let Some(file) = text.strip_prefix("--file=").or_else(|| text.strip_prefix("-f")) {
            return file.into();
        }
    }
    let named = std::env::var_os(FILE_VARIABLE).filter(|file| !file.is_empty());
    named.map_or_else(|| "cluster.yaml".into(), Into::into)
}
