//! Hosts that take no part: nothing is said of what they have.

use crate::support::local::LocalCluster;

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
    for (args, why) in [
        (&["deploy", "--yes", "--skip", "@gone"][..], "gone was skipped: the state of its nodes is unknown"),
        (&["deploy", "--dry-run", "--skip", "@gone"], "gone was skipped: the state of its nodes is unknown"),
        (&["deploy", "--yes", "--allow-failed", "1"], "gone could not be reached ("),
        (&["resume", "--yes"], "gone could not be reached ("),
    ] {
        let said = cluster.run(args).code(4);
        assert!(said.stdout.starts_with("nothing to do: all hosts that answered have the release "), "{said:?}");
        assert!(said.stdout.contains(why), "{said:?}");
    }
    let plan = cluster.run(&["deploy", "--dry-run", "--skip", "@gone", "-o", "json"]).code(4).json();
    assert_eq!(plan["data"]["apart"][0]["host"], "gone");
    // What is named is all that is meant.
    let named = cluster.run(&["resume", "--yes", "@here"]).code(0);
    assert!(named.stdout.contains("gone could not be reached ("), "{named:?}");
    // What the description leaves out is no failure, and not claimed either.
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("ssh: { port: 1 } }", "ssh: { port: 1 }, enabled: false }")).unwrap();
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    let said = if said.stdout.starts_with("nothing") { said } else { cluster.run(&["deploy", "--yes"]).code(0) };
    assert!(said.stdout.starts_with("nothing to do: all hosts that are not disabled have the release "), "{said:?}");
}
