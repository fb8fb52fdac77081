//! What a node measured -> what is wrong with its traffic. Pure. Evidence, thresholds and order follow measurements on a
//! real Zeek with good and spoiled traces: wrong checksums look like one-sided connections, and these hide gaps.

use serde::Serialize;

use super::measure::{Measured, share};

/// Below these nothing is judged.
const ENOUGH_CONNECTIONS: u64 = 50;
const ENOUGH_ACKS: u64 = 100;
const ENOUGH_PACKETS: u64 = 100;
/// Shares from which something is said, and from which it is bad.
const DROPS: Limit = Limit { some: 0.01, bad: 0.05 };
const CHECKSUMS: Limit = Limit { some: 0.02, bad: 0.10 };
const ONE_SIDED: Limit = Limit { some: 0.02, bad: 0.10 };
const GAPS: Limit = Limit { some: 0.01, bad: 0.05 };
const OVERLAP: Limit = Limit { some: 0.10, bad: 0.10 };
/// Clean traffic has up to 2 % of them, by retransmission.
const REPEATED: Limit = Limit { some: 0.50, bad: 0.50 };
/// Cutting packets to headers leaves far more gaps than any loss.
const CUT: f64 = 0.50;
/// What libpcap gives by default of Zeek's, in bytes; less cuts usual frames.
const USUAL_FRAME: u64 = 1514;

struct Limit {
    some: f64,
    bad: f64,
}

/// What a node's traffic comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Good,
    TooLittle,
    /// Worth a look.
    Doubtful,
    NoTraffic,
    Bad,
}

impl Verdict {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::TooLittle => "too little to tell",
            Self::Doubtful => "doubtful",
            Self::NoTraffic => "no traffic",
            Self::Bad => "bad",
        }
    }
}

/// Something that is wrong with traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    NoTraffic,
    /// No packets, while others on the same interface get some.
    NoShare,
    /// The kernel dropped packets, since the node did not take them in time.
    Drops,
    /// Zeek discards packets whose checksums are wrong.
    Checksums,
    /// Other nodes get the same traffic.
    Duplicates,
    /// One node gets one direction of a connection, another one the other.
    SplitDirections,
    /// The packets of a connection are spread over several nodes.
    SplitPackets,
    /// Connections of which one side is missing everywhere.
    OneSided,
    /// TCP, of which nothing that was sent is ever acknowledged.
    NoAcks,
    /// Packets are cut.
    CutPackets,
    /// Packets are lost before the kernel counts them.
    Gaps,
    /// Packets come more than once.
    RepeatedPackets,
    /// Log records that did not arrive, or were discarded.
    LostRecords,
}

/// A fault, and how much of the traffic has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Finding {
    pub(super) fault: Fault,
    /// The share of what was judged, from 0 to 1; none where it is no share.
    pub(super) share: Option<f64>,
    /// Whether it is bad, or only worth a look.
    pub(super) bad: bool,
}

/// Judges what a node that captures has measured.
pub(super) fn judge(measured: &Measured) -> (Verdict, Vec<Finding>) {
    let seen = measured.packets.saturating_add(measured.dropped);
    if seen == 0 {
        return (Verdict::NoTraffic, vec![Finding { fault: Fault::NoTraffic, share: None, bad: true }]);
    }
    let mut findings = Vec::new();
    if seen >= ENOUGH_PACKETS {
        findings.extend(found(Fault::Drops, share(measured.dropped, seen), &DROPS));
    }
    let capture = capture(measured);
    findings.extend(capture);
    let connections = &measured.connections;
    if connections.judged >= ENOUGH_CONNECTIONS {
        findings.extend(found(Fault::RepeatedPackets, share(connections.repeated, connections.judged), &REPEATED));
    }
    let verdict = match findings.iter().map(|finding| finding.bad).max() {
        Some(true) => Verdict::Bad,
        Some(false) => Verdict::Doubtful,
        None if connections.judged < ENOUGH_CONNECTIONS || measured.acks < ENOUGH_ACKS => Verdict::TooLittle,
        None => Verdict::Good,
    };
    (verdict, findings)
}

/// Finds what is wrong with the capture: one fault, since each looks like the next one or hides it.
fn capture(measured: &Measured) -> Option<Finding> {
    let connections = &measured.connections;
    // Where Zeek takes them all the same, nothing is lost by them.
    if !measured.ignore_checksums {
        if connections.tcp >= ENOUGH_CONNECTIONS
            && let Some(finding) = found(Fault::Checksums, share(connections.checksums, connections.tcp), &CHECKSUMS)
        {
            return Some(finding);
        }
        // Those with wrong IP checksums never become connections.
        if measured.packets >= ENOUGH_PACKETS
            && let Some(finding) =
                found(Fault::Checksums, share(measured.weird("checksum"), measured.packets).min(1.0), &CHECKSUMS)
        {
            return Some(finding);
        }
    }
    let overlap = measured.overlap.as_ref().map_or(0.0, |overlap| overlap.share);
    let one_sided = (connections.judged >= ENOUGH_CONNECTIONS)
        .then(|| found(Fault::OneSided, share(connections.one_sided, connections.judged), &ONE_SIDED))
        .flatten();
    let gaps = (measured.acks >= ENOUGH_ACKS)
        .then(|| found(Fault::Gaps, share(measured.gaps, measured.acks).min(1.0), &GAPS))
        .flatten();
    if let Some(shared) = found(Fault::Duplicates, overlap, &OVERLAP) {
        return Some(match (one_sided, gaps) {
            (Some(Finding { bad: true, share, .. }), _) => Finding { fault: Fault::SplitDirections, share, bad: true },
            (_, Some(Finding { bad: true, share, .. })) => Finding { fault: Fault::SplitPackets, share, bad: true },
            _ => shared,
        });
    }
    if one_sided.is_some() {
        return one_sided;
    }
    // Connections that lack so much that none is evidence: the one thing that they leave behind.
    let lacking = measured.weird("split_routing").max(measured.weird("data_before_established"));
    if measured.acks == 0 && lacking >= ENOUGH_CONNECTIONS {
        return Some(Finding { fault: Fault::NoAcks, share: None, bad: true });
    }
    match gaps {
        Some(Finding { share: Some(share), .. }) if share >= CUT && measured.snaplen < USUAL_FRAME => {
            Some(Finding { fault: Fault::CutPackets, share: Some(share), bad: true })
        }
        other => other,
    }
}

/// Judges what any node has measured of its log records.
pub(super) fn records(measured: &Measured) -> Option<Finding> {
    (measured.lost_records > 0).then_some(Finding { fault: Fault::LostRecords, share: None, bad: true })
}

fn found(fault: Fault, share: f64, limit: &Limit) -> Option<Finding> {
    (share >= limit.some).then_some(Finding { fault, share: Some(share), bad: share >= limit.bad })
}
