//! The status in Prometheus' text format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! What is not known has no sample: a host that is down has `clusterctl_host_up` 0, and its nodes the state `unknown`.

use std::fmt::Write as _;

use super::types::StatusReport;
use crate::ui::escape_control;

/// A family of samples: its name, its type, what it is.
type Family = (&'static str, &'static str, &'static str);

const INFO: Family = ("clusterctl_cluster_info", "gauge", "Version of Zeek and backend, as far as they are known.");
const WORKERS: Family = (
    "clusterctl_workers",
    "gauge",
    "Workers: described, running (their hosts say), answering, counted (by the manager; missing if it was not asked).",
);
const PROBLEMS: Family = ("clusterctl_problems", "gauge", "Problems and warnings of status.");
const HOST_UP: Family = ("clusterctl_host_up", "gauge", "Whether the host could be reached.");
const HOST_RELEASE: Family = ("clusterctl_host_release_info", "gauge", "The current release on the host.");
const HOST_LOCKED: Family = ("clusterctl_host_locked", "gauge", "Whether an operation holds the host's lock.");
const QUEUE_LOGS: Family = ("clusterctl_host_log_queue_files", "gauge", "Rotated logs that wait for the archive.");
const QUEUE_AGE: Family = (
    "clusterctl_host_log_queue_oldest_seconds",
    "gauge",
    "For how long the oldest rotated log has been waiting for the archive.",
);
const MAINTAINED: Family = (
    "clusterctl_host_maintained_timestamp_seconds",
    "gauge",
    "When the host last maintained itself, by its own clock.",
);
const STATE: Family = ("clusterctl_node_state", "gauge", "The state of the node: 1 with the state as a label.");
const HEALTH: Family = (
    "clusterctl_node_health",
    "gauge",
    "The health of a running node that could be asked: 1 with the health as a label.",
);
const RELEASE: Family = ("clusterctl_node_release_info", "gauge", "The release that the node runs.");
const RESTARTS: Family =
    ("clusterctl_node_restarts_total", "counter", "How often the node was started again after it had ended by itself.");
const UPTIME: Family = ("clusterctl_node_uptime_seconds", "gauge", "Time since the node's process was started.");
const CPU: Family =
    ("clusterctl_node_cpu_ratio", "gauge", "Processor time as a share of one CPU, averaged over the process's life.");
const MEMORY: Family = ("clusterctl_node_memory_bytes", "gauge", "Resident memory of the node's process.");
const PEERS: Family = ("clusterctl_node_peers", "gauge", "How many nodes the node sees.");
const RECEIVED: Family =
    ("clusterctl_node_received_packets_last_minute", "gauge", "Packets received in the last minute.");
const DROPPED: Family =
    ("clusterctl_node_dropped_ratio", "gauge", "Share of the packets that were dropped in the last minute.");

/// Samples in the text format.
#[derive(Default)]
struct Text(String);

impl Text {
    /// Adds a family with its samples; none is left out.
    fn add(&mut self, (name, kind, help): Family, samples: impl Iterator<Item = (Vec<(&'static str, String)>, f64)>) {
        let mut head = false;
        for (labels, value) in samples {
            if !std::mem::replace(&mut head, true) {
                let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
            }
            let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", label(value))).collect();
            let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
        }
    }
}

/// A label's value, with what would end it escaped; control characters become what they are called.
fn label(text: &str) -> String {
    escape_control(text).replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// Whole numbers beyond 2^53 do not occur: these are packets of a minute, bytes of a process, and the like.
#[expect(clippy::cast_precision_loss, reason = "Prometheus has but floating point numbers")]
fn number(value: u64) -> f64 {
    value as f64
}

/// Returns a status in the text format.
pub(super) fn text(status: &StatusReport) -> String {
    let mut text = Text::default();
    let cluster = || ("cluster", status.cluster.clone());
    let known = status.zeek.is_some() || status.backend.is_some();
    let info = known.then(|| {
        let backend = status.backend.map(|b| b.name().to_owned()).unwrap_or_default();
        (vec![cluster(), ("zeek", status.zeek.clone().unwrap_or_default()), ("backend", backend)], 1.0)
    });
    text.add(INFO, info.into_iter());
    let workers = &status.workers;
    let counts = [
        ("described", Some(workers.described as u64)),
        ("running", Some(workers.running as u64)),
        ("answering", Some(workers.answering as u64)),
        ("counted", workers.counted),
    ];
    let counts = counts.into_iter().filter_map(|(what, count)| Some((what, count?)));
    text.add(WORKERS, counts.map(|(what, count)| (vec![cluster(), ("count", what.to_owned())], number(count))));
    let found = [("problem", status.troubles.len()), ("warning", status.warnings.len())];
    let found =
        found.into_iter().map(|(kind, count)| (vec![cluster(), ("severity", kind.to_owned())], number(count as u64)));
    text.add(PROBLEMS, found);

    let hosts = || status.hosts.iter().map(|h| (vec![cluster(), ("host", h.host.clone())], h));
    let with = |mut labels: Vec<(&'static str, String)>, key, value: &str| {
        labels.push((key, value.to_owned()));
        labels
    };
    let flag = |is: bool| f64::from(u8::from(is));
    text.add(HOST_UP, hosts().map(|(labels, h)| (labels, flag(h.failure.is_none()))));
    text.add(HOST_RELEASE, hosts().filter_map(|(l, h)| Some((with(l, "release", h.release.as_ref()?), 1.0))));
    let answered = hosts().filter(|(_, h)| h.failure.is_none());
    text.add(HOST_LOCKED, answered.map(|(labels, h)| (labels, flag(h.lock.is_some()))));
    text.add(QUEUE_LOGS, hosts().filter_map(|(labels, h)| Some((labels, number(h.queue.as_ref()?.logs)))));
    let age = hosts().filter_map(|(labels, h)| Some((labels, number(h.queue.as_ref()?.age.unwrap_or(0)))));
    text.add(QUEUE_AGE, age);
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    text.add(MAINTAINED, hosts().filter_map(|(labels, h)| Some((labels, h.maintained? as f64))));

    let nodes = || {
        status.nodes.iter().map(|n| {
            let role = ("role", n.role.name().to_owned());
            (vec![cluster(), ("host", n.host.clone()), ("node", n.node.clone()), role], n)
        })
    };
    text.add(STATE, nodes().map(|(labels, n)| (with(labels, "state", n.state.name()), 1.0)));
    text.add(HEALTH, nodes().filter_map(|(labels, n)| Some((with(labels, "health", n.health?.name()), 1.0))));
    text.add(RELEASE, nodes().filter_map(|(labels, n)| Some((with(labels, "release", n.release.as_ref()?), 1.0))));
    let runs = || nodes().filter(|(_, n)| n.pid.is_some());
    text.add(RESTARTS, runs().filter_map(|(labels, n)| Some((labels, f64::from(n.restarts?)))));
    text.add(UPTIME, nodes().filter_map(|(labels, n)| Some((labels, n.uptime?))));
    text.add(CPU, nodes().filter_map(|(labels, n)| Some((labels, n.cpu? / 100.0))));
    text.add(MEMORY, nodes().filter_map(|(labels, n)| Some((labels, number(n.memory?)))));
    text.add(PEERS, nodes().filter_map(|(labels, n)| Some((labels, number(n.peers.as_ref()?.len() as u64)))));
    text.add(RECEIVED, nodes().filter_map(|(labels, n)| Some((labels, number(n.received?)))));
    text.add(DROPPED, nodes().filter_map(|(labels, n)| Some((labels, n.dropped_percent? / 100.0))));
    text.0
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn no_value_ends_its_label() {
        assert_eq!(label("a\"b\\c\nd"), r#"a\"b\\c\nd"#);
        assert_eq!(label("x\u{1b}[2J"), r"x\\u{1b}[2J");
    }
}
