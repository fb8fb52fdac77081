//! `targets`: where Prometheus finds the nodes' metrics.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Serialize;

use super::args::Selectors;
use super::report::Report;
use super::session::Extent;
use super::{Command, Hosts, Session};
use crate::cluster::{Cluster, Metrics, Node};
use crate::error::{CommandError, Error, Kind};
use crate::fleet::Selection;
use crate::ui::{Progress, Ui};
use crate::values::Version;
use crate::zeek;

/// Print the metrics ports of nodes for Prometheus (`file_sd`)
///
/// It connects to no host, and leaves out nodes of disabled hosts. Where `metrics.listen` is `loopback`, only a
/// Prometheus on the same host can read them: name that host, as in `clusterctl targets @sensor1`.
#[derive(Debug, clap::Args)]
pub(crate) struct Targets {
    #[command(flatten)]
    which: Selectors,
}

/// What Prometheus reads from a file (`file_sd_config`).
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct TargetList(Vec<Group>);

/// Targets with the same labels.
#[derive(Serialize)]
struct Group {
    targets: [SocketAddr; 1],
    labels: Labels,
}

#[derive(Serialize)]
struct Labels {
    cluster: String,
    host: String,
    node: String,
    role: &'static str,
}

impl Command for Targets {
    const HOSTS: Hosts = Hosts::Untouched;
    const PROGRESS: Progress = Progress::Silent;
    type Report = TargetList;

    async fn run(&self, session: &mut Session) -> Result<TargetList, CommandError> {
        let loaded = session.load(Extent::Description, None)?;
        let cluster = &loaded.cluster;
        let selection = Selection::with_hosts(cluster, &self.which.selectors)?;
        let nodes: Vec<&Node> = selection.nodes(cluster).filter(|node| node.role.runs()).collect();
        Ok(targets(cluster, &nodes)?)
    }
}

fn targets(cluster: &Cluster, nodes: &[&Node]) -> Result<TargetList, Error> {
    // The same ones in each version that has any.
    let version = cluster.zeek.version.unwrap_or(zeek::NEWEST);
    if cluster.metrics == Metrics::Off {
        let error = Error::failed("nodes serve no metrics: `metrics.listen` is off");
        return Err(error.hint("set `metrics: { listen: node }`"));
    }
    if !nodes.is_empty() && nodes.iter().all(|node| address(cluster, node, version).is_none()) {
        return Err(Error::failed(format!("nodes of Zeek {version} serve no metrics"))
            .because("those of Zeek 7.0 and later do"));
    }
    let up: Vec<&Node> = nodes.iter().copied().filter(|node| cluster.host_of(node).enabled).collect();
    let hosts: BTreeSet<usize> = up.iter().map(|node| node.host).collect();
    if cluster.metrics == Metrics::Loopback && hosts.len() > 1 {
        let names: Vec<&str> = hosts.iter().map(|host| cluster.hosts[*host].name.as_str()).collect();
        return Err(Error::failed("metrics can only be read on the nodes' own hosts: `metrics.listen` is loopback")
            .hint("for a Prometheus elsewhere, set `metrics: { listen: node }`")
            .hint(format!("for one on the host itself, name that host: clusterctl targets @{}", names[0])));
    }
    let group = |node: &Node| {
        let labels = Labels {
            cluster: cluster.name.clone(),
            host: cluster.host_of(node).name.clone(),
            node: node.name.clone(),
            role: node.role.name(),
        };
        Some(Group { targets: [address(cluster, node, version)?], labels })
    };
    Ok(TargetList(up.into_iter().filter_map(group).collect()))
}

/// Where a node's metrics are read.
fn address(cluster: &Cluster, node: &Node, version: Version) -> Option<SocketAddr> {
    let listens = zeek::listens(cluster, node, version).into_iter().find(|l| l.setting == "metrics_port")?;
    let ip = match cluster.metrics {
        Metrics::Loopback => IpAddr::V4(Ipv4Addr::LOCALHOST),
        _ => node.ip,
    };
    Some(SocketAddr::new(ip, listens.port))
}

impl Report for TargetList {
    fn kind(&self) -> Option<&'static str> {
        // Another program reads it.
        None
    }

    fn show(&self, ui: &Ui) {
        ui.plain_json(self);
    }

    fn end(&self) -> Option<Kind> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(more: &str, hosts: &str) -> Result<String, Error> {
        let text = format!(
            "cluster: c\n{more}\nhosts: {{ a: {{ address: 10.0.0.1 }}, b: {{ address: \"2001:db8::2\"{hosts} }} }}\nnodes:\n  \
             manager: {{ type: manager, host: a }}\n  proxy: {{ type: proxy, host: a, count: 1 }}\n  \
             w: {{ type: worker, host: b, interface: lo, count: 1, metrics_port: 5000 }}\n"
        );
        let cluster = crate::cluster::check(&crate::spec::parse("c.yaml", text, "/".into())).unwrap();
        let nodes: Vec<&Node> = cluster.nodes.iter().collect();
        targets(&cluster, &nodes).map(|list| serde_json::to_string(&list).unwrap())
    }

    #[test]
    fn each_node_that_serves_metrics_is_a_target_with_its_labels() {
        let all = said("metrics: { listen: node }", "").unwrap();
        let target = |at: &str, host: &str, node: &str, role: &str| {
            format!(
                r#"{{"targets":["{at}"],"labels":{{"cluster":"c","host":"{host}","node":"{node}","role":"{role}"}}}}"#
            )
        };
        let manager = target("10.0.0.1:9993", "a", "manager", "manager");
        let proxy = target("10.0.0.1:10041", "a", "proxy-1", "proxy");
        assert_eq!(all, format!("[{manager},{proxy},{}]", target("[2001:db8::2]:5000", "b", "w-1", "worker")));
        assert_eq!(said("metrics: { listen: any }", "").unwrap(), all);
        // A host that nobody touches.
        let one = said("metrics: { listen: node }", ", enabled: false").unwrap();
        assert_eq!(one, format!("[{manager},{proxy}]"));
        // On the loopback address of one host.
        assert!(said("", ", enabled: false").unwrap().contains(r#"["127.0.0.1:9993"]"#));
    }

    #[test]
    fn what_nobody_can_read_is_told() {
        let why = |more: &str| said(more, "").unwrap_err();
        assert!(why("").hints[1].ends_with("clusterctl targets @a"));
        assert!(why("metrics: { listen: off }").message.contains("is off"));
        assert!(
            why("zeek: { version: \"6.0\" }\nmetrics: { listen: node }")
                .message
                .contains("nodes of Zeek 6.0 serve no metrics")
        );
    }
}
