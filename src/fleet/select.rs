//! Which nodes a command means: names, globs, roles and hosts.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};

use crate::cluster::{Cluster, Node, Role};
use crate::error::{Error, Kind};
use crate::values::nearest;

/// A set of nodes, as indices into [`Cluster::nodes`]; only nodes that clusterctl runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    nodes: BTreeSet<usize>,
    /// The hosts that were named.
    hosts: BTreeSet<usize>,
    all: bool,
}

enum Selector {
    All,
    Role(Role),
    Host(String),
    Name(GlobMatcher),
}

impl Selector {
    fn parse(text: &str) -> Result<Self, Error> {
        if let Some(host) = text.strip_prefix('@') {
            return Ok(Self::Host(host.to_owned()));
        }
        Ok(match text {
            "all" => Self::All,
            "logger" | "loggers" => Self::Role(Role::Logger),
            "manager" => Self::Role(Role::Manager),
            "proxy" | "proxies" => Self::Role(Role::Proxy),
            "worker" | "workers" => Self::Role(Role::Worker),
            "standalone" => Self::Role(Role::Standalone),
            _ => Self::Name(
                Glob::new(text)
                    .map_err(|e| Error::new(Kind::Usage, format!("`{text}` is not a selector")).because(e.kind()))?
                    .compile_matcher(),
            ),
        })
    }

    fn matches(&self, cluster: &Cluster, node: &Node) -> bool {
        match self {
            Self::All => true,
            // A node may have the name of a role's word; then the word means it as well.
            Self::Role(role) => node.role == *role || node.name == role.name(),
            Self::Host(host) => cluster.host_of(node).name == *host,
            Self::Name(glob) => glob.is_match(&node.name),
        }
    }
}

impl Selection {
    /// Makes a selection from selectors; none means all nodes.
    ///
    /// # Errors
    /// For a selector that matches no node.
    pub fn parse(cluster: &Cluster, selectors: &[String]) -> Result<Self, Error> {
        Self::made(cluster, selectors, false)
    }

    /// As [`Selection::parse`], for commands to which a host without nodes means something: something may run there that
    /// has no place there any more.
    ///
    /// # Errors
    /// For a selector that matches neither a node nor a host.
    pub fn with_hosts(cluster: &Cluster, selectors: &[String]) -> Result<Self, Error> {
        Self::made(cluster, selectors, true)
    }

    fn made(cluster: &Cluster, selectors: &[String], lone_hosts: bool) -> Result<Self, Error> {
        let mut nodes = BTreeSet::new();
        let mut hosts = BTreeSet::new();
        for text in selectors {
            let selector = Selector::parse(text)?;
            let named = match &selector {
                Selector::Host(name) => cluster.hosts.iter().position(|h| h.name == *name),
                _ => None,
            };
            hosts.extend(named);
            let before = nodes.len();
            let mut any = false;
            for (index, node) in cluster.nodes.iter().enumerate() {
                if node.role.runs() && selector.matches(cluster, node) {
                    nodes.insert(index);
                    any = true;
                }
            }
            if !any && nodes.len() == before && !(lone_hosts && named.is_some()) {
                return Err(nothing(cluster, text));
            }
        }
        let all = selectors.is_empty();
        if all {
            nodes = (0..cluster.nodes.len()).filter(|i| cluster.nodes[*i].role.runs()).collect();
        }
        Ok(Self { nodes, hosts, all })
    }

    /// Tells whether a node that runs on a host is meant, whatever the description has there.
    pub fn means(&self, cluster: &Cluster, node: &str, host: usize) -> bool {
        self.all || self.hosts.contains(&host) || self.nodes(cluster).any(|n| n.name == node)
    }

    /// Tells whether a node is meant.
    pub fn has(&self, index: usize) -> bool {
        self.nodes.contains(&index)
    }

    /// Tells whether nothing was selected by name: all nodes are meant.
    pub fn is_all(&self) -> bool {
        self.all
    }

    /// Returns the nodes, in the cluster's order.
    pub fn nodes<'a>(&'a self, cluster: &'a Cluster) -> impl Iterator<Item = &'a Node> {
        self.nodes.iter().map(|i| &cluster.nodes[*i])
    }

    /// Returns the hosts of the nodes, and those that were named.
    pub fn hosts(&self, cluster: &Cluster) -> Vec<usize> {
        self.nodes(cluster)
            .map(|n| n.host)
            .chain(self.hosts.iter().copied())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }
}

/// Returns all that a selector could be, with a word about each: for shell completion.
pub fn candidates(cluster: &Cluster) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = cluster
        .run_nodes()
        .map(|n| (n.name.clone(), format!("{} on {}", n.role.name(), cluster.host_of(n).name)))
        .collect();
    all.extend(cluster.hosts.iter().map(|h| (format!("@{}", h.name), "the nodes of a host".to_owned())));
    for (word, role) in [("loggers", Role::Logger), ("proxies", Role::Proxy), ("workers", Role::Worker)] {
        if cluster.nodes.iter().any(|n| n.role == role) {
            all.push((word.to_owned(), "a role".to_owned()));
        }
    }
    all.push(("all".to_owned(), "all nodes".to_owned()));
    all
}

fn nothing(cluster: &Cluster, text: &str) -> Error {
    if let Some(host) = text.strip_prefix('@').filter(|host| cluster.hosts.iter().any(|h| h.name == *host)) {
        return Error::new(Kind::Usage, format!("no node matches `{text}`: the description has no node on {host}"));
    }
    let names: Vec<String> = candidates(cluster).into_iter().map(|(name, _)| name).collect();
    let near = nearest(text, names.iter().map(String::as_str));
    let error = Error::new(Kind::Usage, format!("no node matches `{text}`"));
    match near {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None => error.hint("`clusterctl nodes` lists them; a selector is a name, a glob, a role or @host"),
    }
}
