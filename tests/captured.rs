//! A real Zeek captures good and spoiled traffic, and `traffic` tells which is which. Needs root, a real Zeek
//! (`CLUSTERCTL_ZEEK`), tcpreplay, and a Python with scapy (`CLUSTERCTL_SCAPY`); `tests/run.sh --zeek PREFIX` has them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::lacks;
use crate::support::local::{LocalCluster, said};

/// Two ends of a wire: what is sent into the one is captured at the other.
struct Wire {
    name: String,
}

impl Wire {
    fn new() -> Self {
        let wire = Self { name: format!("cct{}", std::process::id()) };
        let (from, to) = (wire.from(), wire.to());
        run(&["ip", "link", "add", &from, "type", "veth", "peer", "name", &to]);
        for end in [&from, &to] {
            // Nothing of its own is sent on it.
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1").unwrap();
            run(&["ip", "link", "set", end, "up"]);
        }
        wire
    }

    fn from(&self) -> String {
        format!("{}a", self.name)
    }

    fn to(&self) -> String {
        format!("{}b", self.name)
    }

    /// Replays a trace on a CPU.
    fn replay(&self, trace: &Path, cpu: usize) -> Child {
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &cpu.to_string(), "tcpreplay", "--quiet", "--pps=3000", "--intf1", &self.from()]);
        command.arg(trace).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        run(&["ip", "link", "del", &self.from()]);
    }
}

fn run(args: &[&str]) {
    let mut command = Command::new(args[0]);
    command.args(&args[1..]);
    let said = said(command);
    assert_eq!(said.code, 0, "{args:?}: {said:?}");
}

/// A cluster of real Zeeks whose workers capture the wire's end.
struct Captured {
    cluster: LocalCluster,
    zeek: String,
    wire: Wire,
    traces: PathBuf,
}

impl Captured {
    /// Deploys it anew with other workers, and other settings of Zeek.
    fn deploy(&self, workers: &str, zeek: &str) {
        let cluster = &self.cluster;
        cluster.write(&format!(
            "hosts: {{ here: {{ local: true }} }}\nnodes:\n  manager: {{ type: manager, host: here }}\n  \
             logger: {{ type: logger, host: here, count: 1 }}\n  proxy: {{ type: proxy, host: here, count: 1 }}\n  worker: {{ type: worker, host: here, {workers} }}\n"
        ));
        let file = cluster.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let ours = format!("{}/zeek, scripts: [], backend: broker", cluster.dir().display());
        let text = text.replace(&ours, &format!("{}{zeek}", self.zeek)).replace("ready: 30s", "ready: 120s");
        let text = text.replace("control: 5s", "control: 30s");
        std::fs::write(&file, text).unwrap();
        cluster.run(&["deploy", "--yes"]).code(0);
    }

    /// Measures while traces are replayed, and returns what the workers came to and what is wrong.
    fn measure(&self, traces: &[&str]) -> (Vec<String>, Vec<String>) {
        let replayed: Vec<Child> = traces
            .iter()
            .enumerate()
            .map(|(cpu, trace)| self.wire.replay(&self.traces.join(format!("{trace}.pcap")), cpu))
            .collect();
        let said = self.cluster.run(&["traffic", "--for", "17s", "-o", "json"]).json();
        assert!(said["data"]["failure"].is_null(), "{said:#}");
        for mut child in replayed {
            assert!(child.wait().unwrap().success());
        }
        let words = |list: &str, key: &str| {
            let rows = said["data"][list].as_array().unwrap().iter();
            rows.map(|row| row[key].as_str().map_or_else(|| row["reason"].to_string(), str::to_owned))
                .collect::<Vec<_>>()
        };
        (words("nodes", "verdict"), words("faults", "fault"))
    }
}

#[test]
fn a_real_zeek_tells_good_traffic_from_bad() {
    let Ok(zeek) = std::env::var("CLUSTERCTL_ZEEK") else {
        eprintln!("SKIPPED: no real Zeek, as CLUSTERCTL_ZEEK is not set");
        return;
    };
    let Ok(python) = std::env::var("CLUSTERCTL_SCAPY") else {
        lacks("no traces", "CLUSTERCTL_SCAPY has to name a Python with scapy", true);
        return;
    };
    let cluster = LocalCluster::new();
    let traces = cluster.dir().join("traces");
    std::fs::create_dir_all(&traces).unwrap();
    run(&[&python, "tests/traces/make.py", traces.to_str().unwrap()]);
    let captured = Captured { cluster, zeek, wire: Wire::new(), traces };
    let to = captured.wire.to();
    let said = |traces: &[&str]| {
        let (verdicts, faults) = captured.measure(traces);
        format!("{}: {}", verdicts.join(" "), faults.join(" "))
    };

    captured.deploy(&format!("interface: {to}, count: 1"), "");
    assert_eq!(said(&[]), "no_traffic: no_traffic");
    assert_eq!(said(&["clean"]), "good: ");
    assert_eq!(said(&["scan"]), "too_little: ");
    assert_eq!(said(&["forth"]), "bad: one_sided");
    assert_eq!(said(&["loss1"]), "doubtful: gaps");
    assert_eq!(said(&["loss5"]), "bad: gaps");
    assert_eq!(said(&["checksums"]), "bad: checksums");
    assert_eq!(said(&["twice"]), "bad: repeated_packets");

    captured.deploy(&format!("interface: {to}, count: 2"), "");
    assert_eq!(said(&["clean"]), "bad bad: duplicates");

    captured.deploy(&format!("interface: {to}, count: 1"), ", redefs: { \"Pcap::snaplen\": 128 }");
    assert_eq!(said(&["clean"]), "bad: cut_packets");

    let fanout = |mode: &str| format!("interface: \"af_packet::{to}\", count: 2, af_packet: {{ fanout_mode: {mode} }}");
    captured.deploy(&fanout("FANOUT_HASH"), "");
    assert_eq!(said(&["clean"]), "good good: ");
    captured.deploy(&fanout("FANOUT_CPU"), "");
    assert_eq!(said(&["forth", "back"]), "bad bad: split_directions");
    captured.cluster.run(&["stop"]).code(0);
}
