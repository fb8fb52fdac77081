//! Hosts that take no part: nothing is said of what they have.

use crate::support::local::LocalCluster;
use crate::support::transcript::Transcript;

/// A cluster of which one host, of nothing but a worker, can't be reached.
fn with_one_away() -> LocalCluster {
    let cluster = LocalCluster::new();
    cluster.write(
        "hosts: { gone: { address: 127.0.0.1, ssh: { port: 1 } }, here: { address: 127.0.0.2, local: true } }\nnodes:\n  \
         manager: { type: manager, host: here }\n  proxy: { type: proxy, host: here, count: 1 }\n  \
         worker: { type: worker, hosts: [gone, here], interface: lo }\n",
    );
    cluster
}

#[test]
fn a_host_that_was_not_asked_is_not_said_to_have_the_release() {
    let cluster = with_one_away();
    cluster.run(&["deploy", "--yes", "--skip", "@gone"]).code(4);
    let seen = Transcript::default();
    for args in [
        &["deploy", "--yes", "--skip", "@gone"][..],
        &["deploy", "--dry-run", "--skip", "@gone"],
        &["deploy", "--yes", "--allow-failed", "1"],
        &["resume", "--yes"],
    ] {
        seen.run(&cluster, args).code(4);
    }
    let plan = cluster.run(&["deploy", "--dry-run", "--skip", "@gone", "-o", "json"]).code(4).json();
    assert_eq!(plan["data"]["apart"][0]["host"], "gone");
    // What is named is all that is meant.
    seen.run(&cluster, &["resume", "--yes", "@here"]).code(0);
    // What the description leaves out is no failure, and not claimed either.
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("ssh: { port: 1 } }", "ssh: { port: 1 }, enabled: false }")).unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    seen.run(&cluster, &["deploy", "--yes"]).code(0);
    insta::assert_snapshot!(seen.take());
}
