//! What is for Prometheus is read by a parser that is not ours.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::lacks;
use crate::support::local::LocalCluster;

/// Prints all samples as JSON; ends with an error for what the parser refuses, two samples with the same labels, and a
/// sample that belongs to no family with a type and a help.
const PARSE: &str = r#"
import json, sys
from prometheus_client.parser import text_string_to_metric_families
samples, seen = [], set()
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.type in ("gauge", "counter") and family.documentation, family
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        assert key not in seen, key
        seen.add(key)
        samples.append({"name": sample.name, "labels": sample.labels, "value": sample.value})
json.dump(samples, sys.stdout)
"#;

/// The samples of a text; none where there is no parser.
pub(crate) fn samples(text: &str) -> Option<Vec<Value>> {
    let python = std::env::var_os("PROMETHEUS_PYTHON").unwrap_or_else(|| "python3".into());
    let has = Command::new(&python).args(["-c", "import prometheus_client"]).output();
    let lacking = !has.is_ok_and(|output| output.status.success());
    if lacks("no prometheus_client", "pip install prometheus-client, and name its python in PROMETHEUS_PYTHON", lacking)
    {
        return None;
    }
    let mut command = Command::new(&python);
    command.args(["-c", PARSE]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The values of the samples with a name and some labels.
pub(crate) fn values(samples: &[Value], name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
    let has = |sample: &&Value| sample["name"] == name && labels.iter().all(|(k, v)| sample["labels"][k] == *v);
    samples.iter().filter(has).map(|sample| sample["value"].as_f64().unwrap()).collect()
}

#[test]
fn a_status_is_read_by_prometheus_also_with_a_host_that_is_down() {
    let cluster = LocalCluster::new();
    let describe = |away: &str| {
        cluster.write(&format!(
            "hosts: {{ here: {{ local: true, address: 127.0.0.1 }}, away: {{ address: 127.0.0.9, ssh: {{ port: 9 }}{away} }} }}\nnodes:\n  \
             manager: {{ type: manager, host: here }}\n  proxy: {{ type: proxy, host: here, count: 1 }}\n  \
             worker: {{ type: worker, host: here, count: 2, interface: lo }}\n  \
             far: {{ type: worker, host: away, count: 1, interface: lo }}\n"
        ));
    };
    describe("");
    cluster.run(&["deploy", "--yes", "--skip", "@away"]).code(4);
    cluster.run(&["stop", "worker-2"]).code(0);
    let said = cluster.run(&["status", "-o", "prometheus"]).code(5);
    let Some(samples) = samples(&said.stdout) else { return };
    let values = |name: &str, labels: &[(&str, &str)]| values(&samples, name, labels);
    let name = cluster.name();
    for (what, count) in [("described", 3.0), ("running", 1.0), ("answering", 1.0)] {
        assert_eq!(values("clusterctl_workers", &[("cluster", &name), ("count", what)]), [count], "{what}");
    }
    assert_eq!(values("clusterctl_host_up", &[("host", "here")]), [1.0]);
    assert_eq!(values("clusterctl_host_up", &[("host", "away")]), [0.0]);
    assert_eq!(values("clusterctl_host_release_info", &[]), [1.0]);
    for (node, state) in [("manager", "running"), ("worker-2", "stopped"), ("far-1", "unknown")] {
        assert_eq!(values("clusterctl_node_state", &[("node", node), ("state", state)]), [1.0], "{node}");
        assert_eq!(values("clusterctl_node_state", &[("node", node)]).len(), 1, "{node}");
    }
    assert_eq!(values("clusterctl_node_health", &[("node", "worker-1"), ("health", "ok"), ("role", "worker")]), [1.0]);
    assert_eq!(values("clusterctl_node_restarts_total", &[("node", "worker-1")]), [0.0]);
    assert_eq!(values("clusterctl_node_dropped_ratio", &[("node", "worker-1")]).len(), 1);
    assert!(values("clusterctl_problems", &[("severity", "problem")])[0] > 0.0);
    for (family, some) in [("clusterctl_node_uptime_seconds", 3), ("clusterctl_node_memory_bytes", 3)] {
        assert_eq!(values(family, &[]).len(), some, "{family}");
    }
    // A cluster with nobody to be asked is read as well.
    describe(", enabled: false");
    cluster.run(&["stop"]).code(0);
    let said = cluster.run(&["status", "-o", "prometheus"]);
    assert!(!super::prometheus::samples(&said.stdout).unwrap().is_empty());
}

#[test]
fn only_a_status_is_for_prometheus() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let said = cluster.run(&["deploy", "--yes", "-o", "prometheus"]).code(2);
    assert!(said.stderr.contains("this command has no output for Prometheus") && said.stdout.is_empty(), "{said:?}");
    assert!(!cluster.kept("").exists());
}

#[test]
fn targets_are_those_that_nodes_serve() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let said = cluster.run(&["targets"]).code(1);
    assert!(said.stderr.contains("`metrics.listen` is off"), "{said:?}");
    let file = cluster.dir().join("cluster.yaml");
    let text =
        std::fs::read_to_string(&file).unwrap().replace("metrics: { listen: off }", "metrics: { listen: loopback }");
    std::fs::write(&file, text).unwrap();
    let groups = cluster.run(&["targets", "workers"]).code(0).json();
    let groups = groups.as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["labels"]["node"], "worker-1");
    assert_eq!(groups[0]["labels"]["cluster"], cluster.name().as_str());
    let layout = cluster.run(&["layout", "--zeek-version", "8.0"]).code(0).stdout;
    let port = groups[0]["targets"][0].as_str().unwrap().strip_prefix("127.0.0.1:").unwrap();
    assert!(layout.contains(&format!("$metrics_port={port}/tcp")), "{layout}");
}

#[test]
fn maintenance_writes_what_a_host_knows_of_itself() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let (file, folder) = (cluster.dir().join("cluster.yaml"), cluster.dir().join("text"));
    let with = format!("metrics: {{ listen: off, textfile: {} }}", folder.display());
    let text = std::fs::read_to_string(&file).unwrap().replace("metrics: { listen: off }", &with);
    std::fs::write(&file, text).unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.run(&["stop", "worker-2"]).code(0);
    let said = cluster.run(&["maintain"]).code(5);
    assert!(said.stdout.contains("facts for Prometheus were not written: ") && said.stdout.contains("is no folder"));
    std::fs::create_dir(&folder).unwrap();
    cluster.run(&["maintain"]).code(0);
    let name = cluster.name();
    let text = std::fs::read_to_string(folder.join(format!("clusterctl_{name}.prom"))).unwrap();
    let Some(samples) = samples(&text) else { return };
    for (node, wanted) in [("worker-1", 1.0), ("worker-2", 0.0)] {
        for family in ["clusterctl_maintenance_node_wanted", "clusterctl_maintenance_node_running"] {
            assert_eq!(values(&samples, family, &[("cluster", &name), ("node", node)]), [wanted], "{family} {node}");
        }
    }
}
