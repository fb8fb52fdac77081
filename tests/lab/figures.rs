//! Figures that need real hosts, printed for `--nocapture`. Nothing fails for being slow.

use super::cluster::TestCluster;

/// Kills a node's process; prints the milliseconds until there is another one, and until that is ready.
const CRASH: &str = r#"
read -r _ _ old _ <"$1/run"
from=$(date +%s%N)
kill -KILL "$old"
new=$old tries=0
while [ "$new" = "$old" ]; do
    { read -r _ _ new _ <"$1/run"; } 2>/dev/null || new=$old
    tries=$((tries + 1))
    [ "$tries" -lt 6000 ] || exit 1
    sleep 0.01
done
started=$(date +%s%N)
until { read -r status _ <"$1/.status"; } 2>/dev/null && [ "$status" = RUNNING ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 12000 ] || exit 1
    sleep 0.01
done
echo $(((started - from) / 1000000)) $((($(date +%s%N) - from) / 1000000))
"#;

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn crash_to_started_again() {
    let cluster = TestCluster::new("figures", "broker");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let folder = format!("{}/figures/nodes/worker-sensor1-1", cluster.base);
    let said = cluster.lab.exec("sensor1", &["sh", "-c", CRASH, "sh", &folder]);
    let (started, ready) = said.split_once(' ').unwrap();
    let (runner, account) = (&cluster.combination.runner, &cluster.combination.account);
    eprintln!(
        "figure: first crash, runner {runner}, as {account}: started again {started} ms (promised: 2000), ready {ready} ms"
    );
    assert_eq!(cluster.settled()["workers"]["counted"], 4);
}
