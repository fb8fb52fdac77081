//! The question that nodes are asked about their traffic, and what they answer.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::control::{Answerer, NoAnswer, Question, Said, json};

/// The most names of weirds that are taken from one node.
const WEIRDS: usize = 64;
/// The most samples that the agent keeps (`most_samples`).
const SAMPLES: usize = 512;

/// Asks nodes for their counters of the traffic.
#[derive(Debug)]
pub(super) struct TrafficQuestion {
    /// Who asks: what tells the requests of this measurement from all others.
    looker: String,
    /// How long nodes go on to look at each connection, in seconds.
    seconds: u64,
    /// What tells the two questions of a measurement apart.
    mark: char,
}

impl TrafficQuestion {
    /// Makes the question with which a measurement begins that lasts at most so many seconds.
    pub(super) fn begin(seconds: u64) -> Self {
        let looker = format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
        Self { looker, seconds, mark: 'b' }
    }

    /// Makes the question with which it ends.
    pub(super) fn end(self) -> Self {
        Self { seconds: 0, mark: 'e', ..self }
    }
}

/// The counters of a node, since its process began (`Clusterctl::Traffic` of `templates/traffic.zeek`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Counters {
    pub(super) node: String,
    pub(super) pid: u64,
    /// When this was counted, in seconds since 1970, by the node's clock.
    pub(super) at: f64,
    pub(super) received: u64,
    pub(super) dropped: u64,
    pub(super) bytes: u64,
    /// Acknowledgements.
    pub(super) acks: u64,
    /// Acknowledgements of what had not been seen.
    pub(super) gaps: u64,
    /// The most bytes of a packet that libpcap gives to Zeek.
    pub(super) snaplen: u64,
    /// Whether Zeek takes packets with wrong checksums.
    pub(super) ignore_checksums: bool,
    pub(super) connections: Connections,
    pub(super) weirds: BTreeMap<String, u64>,
    /// Log records that were discarded, or lost on their way.
    pub(super) lost_records: u64,
    pub(super) samples: Vec<String>,
    /// How narrowly the samples are chosen; each step takes fewer.
    pub(super) narrowness: usize,
}

/// Connections that ended while somebody asked, or that a sample found alive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Connections {
    pub(super) all: u64,
    /// With neither side in the local networks.
    pub(super) foreign: u64,
    pub(super) tcp: u64,
    /// TCP with a wrong checksum.
    pub(super) checksums: u64,
    /// TCP with packets enough to judge the rest.
    pub(super) judged: u64,
    /// Of these, with packets of one side only.
    pub(super) one_sided: u64,
    /// Of these, with packets that came again.
    pub(super) repeated: u64,
}

impl Question for TrafficQuestion {
    type Answer = Counters;
    const ANSWERER: Answerer = Answerer::Agent;

    fn topic(&self) -> &'static str {
        "clusterctl/"
    }

    fn request(&self, round: u32) -> (&'static str, Vec<String>) {
        let request = format!("{}-{}{round}", self.looker, self.mark);
        ("Clusterctl::traffic_request", vec![request, self.looker.clone(), self.seconds.to_string()])
    }

    fn answer(&self, said: Said<'_>) -> Option<(String, Result<Counters, NoAnswer>)> {
        let [request, name, counters] = said.args.as_slice() else { return None };
        let round: u32 =
            request.strip_prefix(&self.looker)?.strip_prefix('-')?.strip_prefix(self.mark)?.parse().ok()?;
        if said.name != "Clusterctl::traffic_response" || name != said.from || round >= said.rounds {
            return None;
        }
        let answer = json::<Counters>("traffic", counters).and_then(|counters| {
            if counters.node != said.from {
                return Err(NoAnswer::OtherName(counters.node));
            }
            if counters.samples.len() > SAMPLES || counters.weirds.len() > WEIRDS || !counters.at.is_finite() {
                return Err(NoAnswer::Malformed("its traffic has more than the agent tells".to_owned()));
            }
            Ok(counters)
        });
        Some((said.from.to_owned(), answer))
    }

    fn process(answer: &Counters) -> Option<u64> {
        Some(answer.pid)
    }
}
