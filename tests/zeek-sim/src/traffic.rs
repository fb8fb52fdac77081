//! What the agent's `traffic_response` says: counters that grow as the conduct says.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::node::Node;

/// How many of each the interface brings in a second, where nothing else is said: good traffic.
const GOOD: &str = "all=30 tcp=20 judged=20 acks=100";

/// Returns the answer's JSON; `name` is the name that the node answers by.
pub fn traffic(node: &Node, name: &str) -> String {
    let said = node.setup.conduct("traffic").unwrap_or_default();
    let mut texts: BTreeMap<&str, &str> = BTreeMap::new();
    if node.interface.is_some() {
        texts.extend(GOOD.split(' ').chain(said.split_whitespace()).filter_map(|pair| pair.split_once('=')));
    }
    let seconds = node.started.elapsed().as_secs_f64();
    let number = |key: &str| texts.get(key).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are small here")]
    let grown = |key: &str| (number(key) * seconds) as u64;
    let weirds: BTreeMap<&str, u64> =
        texts.keys().filter_map(|key| Some((key.strip_prefix("weird.")?, grown(key)))).collect();
    let (received, dropped, _) = node.packets_of(seconds);
    let of = texts.get("samples_of").copied().unwrap_or(name);
    let samples: Vec<String> = (0..if node.interface.is_some() { 40 } else { 0 })
        .map(|i| format!("1:{}{of}{i}=", ["A", "B", "C", "D"][i % 4]))
        .collect();
    let count = |key: &str, default: u64| texts.get(key).and_then(|text| text.parse().ok()).unwrap_or(default);
    let answer: Json = json!({
        "node": name,
        "pid": std::process::id(),
        "at": crate::setup::now(),
        "received": received,
        "dropped": dropped,
        "bytes": received * 500,
        "acks": grown("acks"),
        "gaps": grown("gaps"),
        "snaplen": count("snaplen", 9216),
        "ignore_checksums": texts.get("ignore_checksums") == Some(&"T"),
        "connections": {
            "all": grown("all"),
            "foreign": grown("foreign"),
            "tcp": grown("tcp"),
            "checksums": grown("checksums"),
            "judged": grown("judged"),
            "one_sided": grown("one_sided"),
            "repeated": grown("repeated"),
        },
        "weirds": weirds,
        "lost_records": grown("lost_records"),
        "samples": samples,
        "narrowness": 0,
    });
    answer.to_string()
}
