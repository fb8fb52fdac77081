//! Hosts that the description disables.

use crate::support::local::LocalCluster;

#[test]
fn a_host_that_is_disabled_is_no_failure_of_what_is_done_to_all() {
    let cluster = LocalCluster::new();
    cluster.write(
        "hosts:\n  here: { local: true, address: 127.0.0.1 }\n  away: { address: 127.0.0.9, enabled: false }\nnodes:\n  \
         manager: { type: manager, host: here }\n  proxy: { type: proxy, host: here, count: 1 }\n  \
         worker: { type: worker, hosts: [here, away], interface: lo, count: 1 }\n",
    );
    cluster.run(&["deploy", "--yes"]).code(0);
    for words in [&["stop", "all"][..], &["start", "all"], &["restart", "workers"], &["stop", "work*"], &["start"]] {
        cluster.run(words).code(0);
    }
    let said = cluster.run(&["stop", "workers"]).code(0);
    assert!(said.stdout.contains("its host is disabled"), "{said:?}");
    // If nothing else is asked for, nothing that is asked for is done.
    for words in [["stop", "worker-away-1"], ["start", "@away"]] {
        let said = cluster.run(&words);
        assert_ne!(said.code, 0, "{said:?}");
    }
}
