//! Two answers of each node -> what came between them, and which samples several nodes have. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::question::{Connections, Counters};

/// What a node measured between two questions.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Measured {
    /// How long, in seconds.
    pub(super) seconds: f64,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) dropped: u64,
    pub(super) acks: u64,
    pub(super) gaps: u64,
    pub(super) snaplen: u64,
    pub(super) ignore_checksums: bool,
    pub(super) connections: Connections,
    pub(super) weirds: BTreeMap<String, u64>,
    pub(super) lost_records: u64,
    /// What other nodes got of the same connections; none where there are too few samples to tell.
    pub(super) overlap: Option<Overlap>,
}

/// How many of a node's sampled connections other nodes have as well.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Overlap {
    /// The share, from 0 to 1.
    pub(super) share: f64,
    /// The nodes that have most of them, the first with the most.
    pub(super) with: Vec<String>,
}

/// Fewer samples of a node tell nothing of the overlap.
const ENOUGH_SAMPLES: usize = 20;
/// How many other nodes are named.
const NAMES: usize = 3;
/// With how many others that have the same sample a node is compared.
const COMPARED: usize = 64;
/// What an ID begins with that is chosen at each narrowness (`chosen` of `templates/traffic.zeek`).
const CHOSEN: [fn(&[u8]) -> bool; 4] = [
    |id| matches!(id, [b'A'..=b'D', ..]),
    |id| matches!(id, [b'A', ..]),
    |id| matches!(id, [b'A', b'A'..=b'D', ..]),
    |id| matches!(id, [b'A', b'A', ..]),
];

impl Measured {
    /// Returns what came between two answers of the same process; none if time did not go on.
    pub(super) fn between(before: &Counters, after: &Counters) -> Option<Self> {
        let seconds = after.at - before.at;
        if seconds <= 0.0 {
            return None;
        }
        let (b, a) = (&before.connections, &after.connections);
        let weirds = after.weirds.iter().map(|(name, now)| {
            let before = before.weirds.get(name).copied().unwrap_or_default();
            (name.clone(), now.saturating_sub(before))
        });
        Some(Self {
            seconds,
            packets: after.received.saturating_sub(before.received),
            bytes: after.bytes.saturating_sub(before.bytes),
            dropped: after.dropped.saturating_sub(before.dropped),
            acks: after.acks.saturating_sub(before.acks),
            gaps: after.gaps.saturating_sub(before.gaps),
            snaplen: after.snaplen,
            ignore_checksums: after.ignore_checksums,
            connections: Connections {
                all: a.all.saturating_sub(b.all),
                foreign: a.foreign.saturating_sub(b.foreign),
                tcp: a.tcp.saturating_sub(b.tcp),
                checksums: a.checksums.saturating_sub(b.checksums),
                judged: a.judged.saturating_sub(b.judged),
                one_sided: a.one_sided.saturating_sub(b.one_sided),
                repeated: a.repeated.saturating_sub(b.repeated),
            },
            weirds: weirds.filter(|(_, n)| *n > 0).collect(),
            lost_records: after.lost_records.saturating_sub(before.lost_records),
            overlap: None,
        })
    }

    /// How often Zeek found something weird whose name has a part.
    pub(super) fn weird(&self, part: &str) -> u64 {
        self.weirds.iter().filter(|(name, _)| name.contains(part)).fold(0, |sum, (_, n)| sum.saturating_add(*n))
    }
}

/// Returns a share, from 0 to 1; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "a share")]
pub(super) fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// Tells for each node what others have of its samples, compared at the narrowest choice of all. The work grows with
/// the samples.
pub(super) fn overlaps(answers: &BTreeMap<&str, &Counters>) -> BTreeMap<String, Overlap> {
    let narrowest = answers.values().map(|counters| counters.narrowness).max().unwrap_or_default();
    let Some(chosen) = CHOSEN.get(narrowest) else { return BTreeMap::new() };
    let mut seen: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut own: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (&node, counters) in answers {
        for id in &counters.samples {
            let is_chosen = id.strip_prefix("1:").is_some_and(|id| chosen(id.as_bytes()));
            if is_chosen && own.entry(node).or_default().insert(id) {
                seen.entry(id).or_default().push(node);
            }
        }
    }
    own.retain(|_, ids| ids.len() >= ENOUGH_SAMPLES);
    own.iter()
        .map(|(&node, ids)| {
            let mut with: BTreeMap<&str, usize> = BTreeMap::new();
            let mut common = 0_u64;
            for id in ids {
                let mut others =
                    seen.get(id).into_iter().flatten().filter(|other| **other != node).take(COMPARED).peekable();
                common += u64::from(others.peek().is_some());
                for other in others {
                    *with.entry(other).or_default() += 1;
                }
            }
            let mut with: Vec<(&str, usize)> = with.into_iter().collect();
            with.sort_by_key(|(name, times)| (std::cmp::Reverse(*times), *name));
            let with = with.into_iter().take(NAMES).map(|(name, _)| name.to_owned()).collect();
            (node.to_owned(), Overlap { share: share(common, ids.len() as u64), with })
        })
        .collect()
}
