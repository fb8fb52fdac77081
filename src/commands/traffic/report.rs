//! What came of asking nodes about their traffic.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::advice::{Advice, advice};
use super::judge::{Fault, Finding, Verdict, judge, records};
use super::measure::{Measured, Overlap, share};
use crate::cluster::{Cluster, Node};

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TrafficReport {
    pub(super) cluster: String,
    /// The nodes that capture, in the cluster's order.
    pub(super) nodes: Vec<TrafficRow>,
    /// What they got together, for each interface of a host.
    pub(super) interfaces: Vec<InterfaceRow>,
    /// What is wrong, the worst first.
    pub(super) faults: Vec<FaultRow>,
    /// The share of connections with neither side in the local networks; none where too few ended.
    pub(super) foreign: Option<f64>,
    /// Why no node, or not all, could be asked; none where that is the node's own matter.
    pub(super) failure: Option<String>,
}

/// One node that captures.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TrafficRow {
    pub(super) node: String,
    pub(super) host: String,
    pub(super) interface: String,
    /// None where it was not measured.
    pub(super) verdict: Option<Verdict>,
    /// Why it was not.
    pub(super) reason: Option<String>,
    pub(super) figures: Option<Figures>,
}

/// Figures of a node. Shares are from 0 to 1, and none where there was too little to tell.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figures {
    /// How long it was measured, in seconds.
    pub(super) seconds: f64,
    pub(super) packets_per_second: f64,
    pub(super) bits_per_second: f64,
    /// Packets that the kernel dropped.
    pub(super) dropped: Option<f64>,
    /// Acknowledgements of what had not been seen.
    pub(super) gaps: Option<f64>,
    pub(super) one_sided: Option<f64>,
    pub(super) wrong_checksums: Option<f64>,
    pub(super) repeated: Option<f64>,
    pub(super) overlap: Option<Overlap>,
    /// Connections that ended, and TCP connections that were judged.
    pub(super) connections: u64,
    pub(super) judged: u64,
    /// The most bytes of a packet that libpcap gives to Zeek.
    pub(super) snaplen: u64,
    pub(super) weirds: BTreeMap<String, u64>,
}

/// What the nodes on one interface of a host got together.
#[derive(Debug, Clone, Serialize)]
pub(super) struct InterfaceRow {
    pub(super) host: String,
    pub(super) interface: String,
    pub(super) nodes: usize,
    pub(super) packets_per_second: f64,
    pub(super) bits_per_second: f64,
    pub(super) dropped: Option<f64>,
}

/// A fault, with the nodes of one interface that have it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FaultRow {
    pub(super) fault: Fault,
    pub(super) bad: bool,
    pub(super) host: String,
    pub(super) nodes: Vec<String>,
    #[serde(flatten)]
    pub(super) advice: Advice,
}

/// What a node measured, or why it did not.
pub(super) type Outcome = Result<Measured, String>;

/// Makes the report of what nodes measured; `outcomes` has one for each node of the selection.
pub(super) fn report(cluster: &Cluster, outcomes: &[(&Node, Outcome)], failure: Option<String>) -> TrafficReport {
    let mut nodes = Vec::new();
    let mut found: BTreeMap<(Fault, &str, &str), (Vec<&str>, Finding)> = BTreeMap::new();
    let mut interfaces: BTreeMap<(&str, &str), (usize, Vec<&Measured>)> = BTreeMap::new();
    let (mut all, mut foreign) = (0_u64, 0_u64);
    let with_traffic: BTreeSet<(usize, Option<&str>)> = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Ok(measured) if measured.packets > 0))
        .map(|(node, _)| (node.host, node.interface.as_deref()))
        .collect();
    for (node, outcome) in outcomes {
        let host = cluster.host_of(node).name.as_str();
        let interface = node.interface.as_deref().unwrap_or_default();
        let mut note = |finding: Finding| {
            let (names, worst) = found.entry((finding.fault, host, interface)).or_insert_with(|| (Vec::new(), finding));
            names.push(node.name.as_str());
            if finding.share > worst.share {
                worst.share = finding.share;
            }
            worst.bad |= finding.bad;
        };
        if let Ok(measured) = outcome {
            records(measured).into_iter().for_each(&mut note);
        }
        if node.interface.is_none() {
            continue;
        }
        let (verdict, reason, figures) = match outcome {
            Ok(measured) => {
                let (verdict, mut findings) = judge(measured);
                if with_traffic.contains(&(node.host, node.interface.as_deref())) {
                    for finding in findings.iter_mut().filter(|finding| finding.fault == Fault::NoTraffic) {
                        finding.fault = Fault::NoShare;
                    }
                }
                findings.into_iter().for_each(&mut note);
                all = all.saturating_add(measured.connections.all);
                foreign = foreign.saturating_add(measured.connections.foreign);
                let (count, list) = interfaces.entry((host, interface)).or_default();
                *count += 1;
                list.push(measured);
                (Some(verdict), None, Some(figures(measured)))
            }
            Err(why) => (None, Some(why.clone()), None),
        };
        nodes.push(TrafficRow {
            node: node.name.clone(),
            host: host.to_owned(),
            interface: interface.to_owned(),
            verdict,
            reason,
            figures,
        });
    }
    let mut faults: Vec<FaultRow> = found
        .into_iter()
        .map(|((fault, host, interface), (nodes, worst))| FaultRow {
            fault,
            bad: worst.bad,
            host: host.to_owned(),
            nodes: nodes.into_iter().map(str::to_owned).collect(),
            advice: advice(fault, &percent(worst.share.unwrap_or_default()), device(interface)),
        })
        .collect();
    faults.sort_by_key(|row| !row.bad);
    TrafficReport {
        cluster: cluster.name.clone(),
        nodes,
        interfaces: interfaces
            .into_iter()
            .map(|((host, name), (count, all))| interface(host, name, count, &all))
            .collect(),
        faults,
        foreign: (all >= 50).then(|| share(foreign, all)),
        failure,
    }
}

/// The name of an interface for the kernel: without its packet source.
fn device(interface: &str) -> &str {
    interface.split_once("::").map_or(interface, |(_, device)| device)
}

fn figures(measured: &Measured) -> Figures {
    let c = &measured.connections;
    let of = |part, all| (all > 0).then(|| share(part, all));
    Figures {
        seconds: measured.seconds,
        packets_per_second: rate(measured.packets, measured.seconds),
        bits_per_second: rate(measured.bytes, measured.seconds) * 8.0,
        dropped: of(measured.dropped, measured.packets.saturating_add(measured.dropped)),
        gaps: of(measured.gaps, measured.acks),
        one_sided: of(c.one_sided, c.judged),
        wrong_checksums: of(c.checksums, c.tcp),
        repeated: of(c.repeated, c.judged),
        overlap: measured.overlap.clone(),
        connections: c.all,
        judged: c.judged,
        snaplen: measured.snaplen,
        weirds: measured.weirds.clone(),
    }
}

fn interface(host: &str, name: &str, nodes: usize, all: &[&Measured]) -> InterfaceRow {
    let sum = |of: fn(&Measured) -> u64| all.iter().fold(0_u64, |sum, one| sum.saturating_add(of(one)));
    let (packets, dropped) = (sum(|one| one.packets), sum(|one| one.dropped));
    let seen = packets.saturating_add(dropped);
    InterfaceRow {
        host: host.to_owned(),
        interface: name.to_owned(),
        nodes,
        packets_per_second: all.iter().map(|one| rate(one.packets, one.seconds)).sum(),
        bits_per_second: all.iter().map(|one| rate(one.bytes, one.seconds) * 8.0).sum(),
        dropped: (seen > 0).then(|| share(dropped, seen)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn rate(number: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { number as f64 / seconds } else { 0.0 }
}

/// Writes a share in per cent, with digits enough to see small ones.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 10.0 || percent == 0.0 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}
