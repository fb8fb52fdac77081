//! What is combined: what a description can have, and what is done.

use super::array::{Case, Design, Factor};

/// What one machine without systemd can show.
const HERE: [(&str, &[&str]); 17] = [
    ("shape", &["no logger", "one logger", "two loggers", "standalone"]),
    ("archive", &["off", "on"]),
    ("compress", &["gzip", "zstd", "none"]),
    ("rotate", &["0", "2s", "1h"]),
    ("backend", &["broker", "zeromq"]),
    ("curve", &["off", "on"]),
    ("tls", &["off", "on"]),
    ("secrets", &["none", "env", "file"]),
    ("spool", &["base", "elsewhere"]),
    ("data", &["none", "some"]),
    ("pins", &["off", "on"]),
    ("limits", &["off", "on"]),
    ("disabled host", &["none", "one"]),
    ("metrics", &["off", "loopback"]),
    ("keep", &["1", "5"]),
    ("layout", &["minimal", "full"]),
    // A second cluster with the same base folder and account, which runs all the time.
    ("neighbour", &["none", "one"]),
];

/// What only hosts can show.
const HOSTS: [(&str, &[&str]); 3] =
    [("runner", &["process", "systemd"]), ("account", &["zeek", "root"]), ("binary", &["plain", "capable"])];

/// What is done on one machine after the first deploy. What `kill` is told is a signal for clusterctl while it works.
const STEPS: [&str; 17] = [
    "unchanged",
    "script",
    "env",
    "data",
    "more nodes",
    "rollback",
    "resume",
    "rotate secrets",
    "stop and start",
    "maintain",
    "kill a node",
    "HUP",
    "INT",
    "TERM",
    "QUIT",
    "PIPE",
    "KILL",
];

const ON_HOSTS: [&str; 4] = ["added host", "removed host", "moved manager", "reboot"];

fn design(factors: &[(&'static str, &[&'static str])], steps: &[&'static str], length: usize) -> Design {
    Design {
        factors: factors.iter().map(|(name, values)| Factor { name, values: values.to_vec() }).collect(),
        steps: steps.to_vec(),
        apart: vec![
            [("backend", "broker"), ("curve", "on")],
            [("backend", "zeromq"), ("tls", "on")],
            // One Zeek is all there is.
            [("shape", "standalone"), ("disabled host", "one")],
        ],
        needs: vec![
            ("rotate secrets", "curve", &["on"]),
            // Which talks to nobody.
            ("rotate secrets", "shape", &["no logger", "one logger", "two loggers"]),
            ("data", "data", &["some"]),
            ("more nodes", "shape", &["no logger", "one logger", "two loggers"]),
            ("added host", "shape", &["no logger", "one logger", "two loggers"]),
            ("removed host", "shape", &["no logger", "one logger", "two loggers"]),
            ("moved manager", "shape", &["no logger", "one logger", "two loggers"]),
        ],
        length,
    }
}

/// For this machine.
pub(crate) fn here() -> Design {
    design(&HERE, &STEPS, 8)
}

/// For the lab. What one machine shows well enough is not tried once more there: of the signals, one that ends in order
/// and one that does not.
pub(crate) fn lab() -> Design {
    let left_out = ["compress", "rotate", "pins", "limits", "layout", "data", "metrics"];
    let factors: Vec<_> = HERE.into_iter().filter(|(name, _)| !left_out.contains(name)).chain(HOSTS).collect();
    let left_out = ["data", "env", "unchanged", "HUP", "TERM", "QUIT", "PIPE"];
    let steps: Vec<_> = STEPS.into_iter().filter(|s| !left_out.contains(s)).collect();
    design(&factors, &[&steps[..], &ON_HOSTS].concat(), 10)
}

/// A case with the names of its values and steps.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) number: usize,
    pub(crate) design: Design,
    pub(crate) case: Case,
}

impl Plan {
    /// The value of a factor; empty where the design has no such factor.
    pub(crate) fn value(&self, factor: &str) -> &'static str {
        self.design.value(&self.case, factor)
    }

    pub(crate) fn is(&self, factor: &str, value: &str) -> bool {
        self.value(factor) == value
    }

    pub(crate) fn steps(&self) -> Vec<&'static str> {
        self.case.steps.iter().map(|s| self.design.steps[*s]).collect()
    }
}
