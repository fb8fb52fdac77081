//! What a deploy may leave out, and how it goes about it.

use std::collections::BTreeSet;

use super::keys::NewKeys;
use crate::cluster::{Cluster, Role};
use crate::error::{Error, Kind};
use crate::fleet::{Selection, meaning_hosts};
use crate::values::Share;

/// What a deploy may leave out, and how it goes about.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line, and says so")]
pub struct Options {
    /// Hosts to leave out, by their index (`--skip`).
    pub skip: BTreeSet<usize>,
    /// So many workers may be missing at the end (`--allow-failed`).
    pub allow_failed: Share,
    /// So many workers may be down at a time; none: all (`--max-unavailable`).
    pub max_unavailable: Option<Share>,
    /// No node that runs is restarted (`--no-restart`).
    pub no_restart: bool,
    /// The backend may change (`--accept-backend-change`).
    pub accept_backend_change: bool,
    /// Hosts that can't be reached are left out, whatever runs there: to bring others up to date.
    pub without_those_away: bool,
    /// What the command can be told, for hints.
    pub offers: Offers,
    /// Keys that this command makes.
    pub new_keys: NewKeys,
    /// The plan is compared with one in a file, or kept in one: what the release would be without keys is made too.
    pub compared: bool,
}

/// Options that a command has; a hint names no other ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offers {
    /// `--skip` and `--allow-failed`.
    pub skip: bool,
    /// `--accept-backend-change`.
    pub backend: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            skip: BTreeSet::new(),
            allow_failed: Share::NONE,
            max_unavailable: None,
            no_restart: false,
            accept_backend_change: false,
            without_those_away: false,
            offers: Offers::default(),
            new_keys: NewKeys::default(),
            compared: false,
        }
    }
}

/// Why a host is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Excluded {
    /// The user said so.
    Skipped,
    /// It can't be reached, or failed; why.
    Failed(String),
}

impl Excluded {
    /// Says it in words.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Skipped => "it was skipped",
            Self::Failed(why) => why,
        }
    }
}

/// Returns the hosts that a deploy is to leave out.
///
/// # Errors
/// For a selector that matches nothing, means only a part of a host's nodes, or a host that runs more than workers.
pub fn skipped(cluster: &Cluster, selectors: &[String]) -> Result<BTreeSet<usize>, Error> {
    if selectors.is_empty() {
        return Ok(BTreeSet::new());
    }
    let selection = Selection::with_hosts(cluster, &meaning_hosts(cluster, selectors))?;
    let hosts: BTreeSet<usize> = selection.hosts(cluster).into_iter().collect();
    for (index, node) in cluster.nodes.iter().enumerate().filter(|(_, n)| n.role.runs() && hosts.contains(&n.host)) {
        let host = &cluster.host_of(node).name;
        if node.role != Role::Worker {
            return Err(Error::new(Kind::Usage, format!("{host} can't be skipped: {} runs there", node.name)).hint(
                "a cluster can run without some of its workers, but not without its manager, loggers or proxies",
            ));
        }
        if !selection.has(index) {
            return Err(Error::new(Kind::Usage, format!("only a part of the nodes of {host} would be skipped"))
                .hint(format!("only whole hosts can be skipped: --skip @{host}")));
        }
    }
    Ok(hosts)
}
