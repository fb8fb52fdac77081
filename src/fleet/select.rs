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
    /// A group, none of whose nodes has its very name.
    Group(String),
    Name(GlobMatcher),
}

impl Selector {
    fn parse(cluster: &Cluster, text: &str) -> Result<Self, Error> {
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
            _ if is_group(cluster, text) => Self::Group(text.to_owned()),
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
            Self::Group(group) => node.group == *group,
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
            let selector = Selector::parse(cluster, text)?;
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

/// Tells whether a name is that of a group of several nodes: no node has it.
fn is_group(cluster: &Cluster, name: &str) -> bool {
    cluster.nodes.iter().any(|n| n.group == name) && !cluster.nodes.iter().any(|n| n.name == name)
}

/// Returns selectors as they mean hosts, for what is done to hosts: the name of one needs no `@` there.
pub fn meaning_hosts(cluster: &Cluster, selectors: &[String]) -> Vec<String> {
    let is_host = |text: &str| cluster.hosts.iter().any(|h| h.name == text);
    selectors.iter().map(|text| if is_host(text) { format!("@{text}") } else { text.clone() }).collect()
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
    // A shell would stop at the name of a group, where most go on to one of its nodes.
    let groups: BTreeSet<&str> = cluster.run_nodes().map(|n| n.group.as_str()).collect();
    let near = nearest(text, names.iter().map(String::as_str).chain(groups));
    let error = Error::new(Kind::Usage, format!("no node matches `{text}`"));
    match near {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None => error.hint("`clusterctl nodes` lists them; a selector is a name, a glob, a group, a role or @host"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> Cluster {
        let text = "cluster: c\nhosts: { mgmt: { address: 10.0.0.1 }, a: { address: 10.0.0.2 }, lan: { address: 10.0.0.3 } }\n\
                    nodes:\n  manager: { type: manager, host: mgmt }\n  proxy: { type: proxy, host: mgmt, count: 1 }\n  \
                    dmz: { type: worker, hosts: [a, lan], interface: eth1, count: 2 }\n  \
                    lan: { type: worker, host: mgmt, interface: eth2 }\n";
        crate::cluster::check(&crate::spec::parse("c.yaml", text.to_owned(), "/".into())).unwrap()
    }

    #[test]
    fn a_group_is_all_its_nodes_and_a_node_is_itself() {
        let cluster = cluster();
        let names = |selector: &str| {
            let selection = Selection::parse(&cluster, &[selector.to_owned()]).map_err(|e| e.hints.join(" "))?;
            Ok::<_, String>(selection.nodes(&cluster).map(|n| n.name.clone()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names("dmz").unwrap(), "dmz-a-1 dmz-a-2 dmz-lan-1 dmz-lan-2");
        assert_eq!(names("lan").unwrap(), "lan");
        assert_eq!(names("@lan").unwrap(), "dmz-lan-1 dmz-lan-2");
        assert_eq!(names("proxy").unwrap(), "proxy-1");
        assert_eq!(names("dnz").unwrap_err(), "did you mean `dmz`?");
        assert_eq!(names("mgmt").unwrap_err(), "did you mean `@mgmt`?");
    }

    #[test]
    fn where_hosts_are_meant_their_names_need_no_sign() {
        let cluster = cluster();
        let selectors = ["lan", "@a", "dmz", "mgm"].map(str::to_owned);
        assert_eq!(meaning_hosts(&cluster, &selectors), ["@lan", "@a", "dmz", "mgm"]);
    }
}
