//! What is done to a node, and why, in words.

use std::collections::{BTreeSet, HashMap};

use super::node::{Action, Deployments};
use crate::cluster::{Cluster, LayoutInputs, Node, Role, name_ranges};
use crate::observed::{Desired, Observed, ObservedNode};
use crate::release::{Inputs, belongs, own_scripts};

/// How many things are named before the rest is only counted.
const NAMED: usize = 4;

/// Knows what has to be known of all hosts to say why.
pub(super) struct Reasons<'a> {
    cluster: &'a Cluster,
    deployed: &'a Deployments,
    own: Vec<String>,
    /// Changed files below `site/`, by host.
    site: HashMap<usize, Vec<String>>,
    layouts: HashMap<&'a str, LayoutChange<'a>>,
}

/// How the nodes of a layout differ from those of now.
struct LayoutChange<'a> {
    old: HashMap<&'a str, &'a Node>,
    /// In words: all differences, and those of manager, loggers and proxies alone.
    all: Option<String>,
    tiers: Option<String>,
}

impl<'a> Reasons<'a> {
    pub(super) fn new(cluster: &'a Cluster, deployed: &'a Deployments) -> Self {
        let layouts = deployed.iter().map(|(id, old)| (id.as_str(), LayoutChange::new(old, cluster))).collect();
        Self { cluster, deployed, own: own_scripts(cluster), site: HashMap::new(), layouts }
    }

    /// Notes the files that change on a host.
    pub(super) fn host(&mut self, host: usize, paths: &[String]) {
        let site = paths.iter().filter_map(|p| p.strip_prefix("site/")).map(str::to_owned).collect();
        self.site.insert(host, site);
    }

    /// Decides; returns the names of the inputs that differ as well.
    pub(super) fn decide(
        &self,
        node: &Node,
        now: Option<&ObservedNode>,
        inputs: &Inputs,
        host: &Observed,
    ) -> (Action, Vec<String>, Vec<String>) {
        let only = |action, why: String| (action, vec![why], Vec::new());
        let Some(now) = now else { return only(Action::Start, "it is new".to_owned()) };
        if now.process.is_none() {
            let why = match (&now.desired, &now.exit) {
                (Some(Desired::Running(_)), Some(exit)) => format!("it is not running ({})", exit.text()),
                _ => "it is not running".to_owned(),
            };
            return only(Action::Start, why);
        }
        if now.stopping || now.desired == Some(Desired::Stopped) {
            return only(Action::Restart, "its stop did not finish".to_owned());
        }
        let names: BTreeSet<&String> = now.inputs.keys().chain(inputs.keys()).collect();
        let names: Vec<String> =
            names.into_iter().filter(|name| now.inputs.get(*name) != inputs.get(*name)).cloned().collect();
        if names.is_empty() {
            return (Action::Keep, Vec::new(), names);
        }
        // One that was kept through later releases had the layout of each of them.
        let as_current =
            now.inputs.get("layout").is_some_and(|layout| now.current_inputs.get("layout") == Some(layout));
        let known = now.release.as_deref().filter(|release| !as_current || self.layouts.contains_key(release));
        let release = known.or(host.current.as_deref());
        let reasons = names.iter().flat_map(|name| match (name.as_str(), now.inputs.get(name), inputs.get(name)) {
            ("keys", None, _) => vec!["it gets keys".to_owned()],
            ("keys", _, None) => vec!["it has no keys any more".to_owned()],
            _ => self.words(name, node, release),
        });
        let reasons = reasons.collect();
        (Action::Restart, reasons, names)
    }

    /// Says what it means that an input differs.
    fn words(&self, input: &str, node: &Node, release: Option<&str>) -> Vec<String> {
        match input {
            "site scripts" => self.scripts(node, |path| !self.own.iter().any(|own| belongs(path, own))),
            "own scripts" => self.scripts(node, |path| node.scripts.iter().any(|own| belongs(path, own))),
            "layout" => vec![self.layout(node, release)],
            "zeek" => vec!["the Zeek binary changed".to_owned()],
            "options" => vec!["generated options changed".to_owned()],
            "node script" => vec!["its redefs changed".to_owned()],
            other => vec![format!("its {other} changed")],
        }
    }

    /// Names the changed scripts, those that are known to be loaded first.
    fn scripts(&self, node: &Node, mine: impl Fn(&str) -> bool) -> Vec<String> {
        let files = self.site.get(&node.host).map(Vec::as_slice).unwrap_or_default();
        let loaded = |path: &str| {
            self.cluster.zeek.scripts.iter().chain(&node.scripts).any(|script| {
                let script = script.strip_prefix("./").unwrap_or(script);
                let rest = path.strip_prefix(script);
                rest.is_some_and(|rest| matches!(rest, "" | ".zeek" | "/__load__.zeek"))
            })
        };
        let (sure, may): (Vec<&str>, Vec<&str>) =
            files.iter().map(String::as_str).filter(|p| mine(p)).partition(|p| loaded(p));
        let mut words = Vec::new();
        if !sure.is_empty() {
            words.push(format!("{} changed", listed(&sure)));
        }
        if !may.is_empty() {
            words.push(format!("{} changed, which it may load", listed(&may)));
        }
        if words.is_empty() {
            words.push("site scripts changed".to_owned());
        }
        words
    }

    fn layout(&self, node: &Node, release: Option<&str>) -> String {
        let unknown = || "the layout changed".to_owned();
        let Some(change) = release.and_then(|r| self.layouts.get(r)) else { return unknown() };
        if node.role != Role::Worker || self.cluster.layout_inputs == LayoutInputs::Full {
            return change.all.clone().unwrap_or_else(unknown);
        }
        let moved = release.and_then(|r| self.deployed.get(r)).and_then(|old| {
            let before = change.old.get(node.name.as_str())?;
            differs(before, old, node, self.cluster)
        });
        let own = moved.map(|what| format!("it has {what}"));
        match (own, &change.tiers) {
            (Some(own), Some(tiers)) => format!("{own}; {tiers}"),
            (Some(own), None) => own,
            (None, Some(tiers)) => tiers.clone(),
            (None, None) => unknown(),
        }
    }
}

/// Says why a node that runs as planned may have read files of its release that somebody had altered.
pub(super) fn altered(node: &Node, now: Option<&ObservedNode>, host: &Observed) -> Option<String> {
    let process = now?.process.as_ref()?;
    // From another release it has read others.
    if now?.release != host.current {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "seconds")]
    let started = Some(host.epoch - process.uptime as i64);
    let reads = |path: &&str| {
        let own = [("start/", ""), ("clusterctl/nodes/", ".zeek")];
        let of_node = own.iter().find_map(|(folder, end)| path.strip_prefix(folder)?.strip_suffix(end));
        match of_node {
            Some(name) => name == node.name,
            // What starts and keeps nodes is read anew each time.
            None => !path.starts_with("clusterctl/") || path.strip_suffix(".zeek").is_some(),
        }
    };
    let files = host.altered.of_the_release();
    let read: Vec<&str> =
        files.keys().copied().filter(reads).filter(|path| host.altered.may_be_read(path, started)).collect();
    (!read.is_empty()).then(|| format!("it may have read {}, which was changed by hand", listed(&read)))
}

impl<'a> LayoutChange<'a> {
    fn new(old: &'a Cluster, new: &'a Cluster) -> Self {
        let before: HashMap<&str, &Node> = old.nodes.iter().map(|n| (n.name.as_str(), n)).collect();
        let after: HashMap<&str, &Node> = new.nodes.iter().map(|n| (n.name.as_str(), n)).collect();
        let text = |wanted: fn(&Node) -> bool| {
            let joined = |n: &&Node| wanted(n) && before.get(n.name.as_str()).is_none_or(|b| b.role != n.role);
            let left = |n: &&Node| wanted(n) && after.get(n.name.as_str()).is_none_or(|a| a.role != n.role);
            let mut parts = Vec::new();
            for (names, word) in [(whole(new, old, joined), "joined"), (whole(old, new, left), "left")] {
                if !names.is_empty() {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    parts.push(format!("{} {word}", listed(&names)));
                }
            }
            let mut altered: HashMap<&'static str, Vec<&str>> = HashMap::new();
            for node in new.nodes.iter().filter(|n| wanted(n)) {
                if let Some(was) = before.get(node.name.as_str()).filter(|b| b.role == node.role)
                    && let Some(what) = differs(was, old, node, new)
                {
                    altered.entry(what).or_default().push(&node.name);
                }
            }
            let mut altered: Vec<_> = altered.into_iter().collect();
            altered.sort_unstable();
            for (what, names) in altered {
                let names = name_ranges(names);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                parts.push(format!("{} {} {what}", listed(&names), if names.len() == 1 { "has" } else { "have" }));
            }
            (!parts.is_empty()).then(|| parts.join("; "))
        };
        let (all, tiers) = (text(|_| true), text(|n| n.role != Role::Worker));
        Self { old: before, all, tiers }
    }
}

/// Lists the nodes of one cluster that a test picks; a host whose nodes are all picked, and that the other has not, as
/// that host.
fn whole(of: &Cluster, other: &Cluster, picked: impl Fn(&&Node) -> bool) -> Vec<String> {
    let known: BTreeSet<&str> = other.hosts.iter().map(|h| h.name.as_str()).collect();
    let mut part: BTreeSet<usize> = of.nodes.iter().filter(|n| !picked(n)).map(|n| n.host).collect();
    part.extend(of.hosts.iter().enumerate().filter(|(_, h)| known.contains(h.name.as_str())).map(|(i, _)| i));
    let nodes: Vec<&Node> = of.nodes.iter().filter(picked).collect();
    let hosts: BTreeSet<&str> =
        nodes.iter().filter(|n| !part.contains(&n.host)).map(|n| of.host_of(n).name.as_str()).collect();
    let mut names = name_ranges(hosts);
    names.extend(name_ranges(nodes.iter().filter(|n| part.contains(&n.host)).map(|n| n.name.as_str())));
    names
}

/// Says what a node's entry in the layout has that it had not.
fn differs(was: &Node, old: &Cluster, node: &Node, new: &Cluster) -> Option<&'static str> {
    if old.host_of(was).name != new.host_of(node).name {
        Some("another host")
    } else if (was.ip, &was.zone_id) != (node.ip, &node.zone_id) {
        Some("another address")
    } else if was.port != node.port {
        Some("another port")
    } else if was.metrics_port != node.metrics_port {
        Some("another metrics port")
    } else if was.interface != node.interface {
        Some("another interface")
    } else {
        None
    }
}

/// Joins names, and only counts what is too much.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] if names.len() <= NAMED => format!("{} and {last}", first.join(", ")),
        many => format!("{} and {} more", many[..NAMED - 1].join(", "), many.len() - (NAMED - 1)),
    }
}
