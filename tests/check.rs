//! `check`: what Zeek says of the scripts, with the user's own names, each thing once.

use serde_json::{Value, json};

use crate::support::local::LocalCluster;
use crate::support::transcript::Transcript;

/// A cluster with scripts in its site folder; `zeek` goes into the description's `zeek`, `nodes` into its nodes.
fn with_site(cluster: &LocalCluster, files: &[(&str, &str)], zeek: &str, nodes: &str) {
    for (name, text) in files {
        let path = cluster.dir().join("site").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    cluster.write(&format!(
        "hosts: {{ here: {{ local: true }} }}\nnodes:\n  manager: {{ type: manager }}\n  \
         logger: {{ type: logger, count: 2 }}\n  proxy: {{ type: proxy, count: 1 }}\n  \
         worker: {{ type: worker, count: 2, interface: lo }}\n{nodes}"
    ));
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, text.replace("scripts: []", &format!("site: ./site, {zeek}"))).unwrap();
}

/// The real Zeek, where there is one; the simulated one tells what a few kinds of errors look like.
fn real(cluster: &LocalCluster) -> bool {
    let Ok(prefix) = std::env::var("CLUSTERCTL_ZEEK") else {
        eprintln!("SKIPPED: no real Zeek, as CLUSTERCTL_ZEEK is not set");
        return false;
    };
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let own = format!("prefix: {}/zeek", cluster.dir().display());
    std::fs::write(file, text.replace(&own, &format!("prefix: {prefix}"))).unwrap();
    true
}

#[test]
fn an_error_is_told_once_with_the_users_file_and_nothing_stays() {
    let cluster = LocalCluster::new();
    let files = [("local.zeek", "@load ./more/inner\n"), ("more/inner.zeek", "# One line.\nevent zeek_init( {\n")];
    with_site(&cluster, &files, "scripts: [local]", "");
    let seen = Transcript::default();
    seen.run(&cluster, &["check"]).code(5);
    let said = cluster.run(&["check", "-o", "json"]).code(5);
    let errors = said.json()["data"]["errors"].clone();
    assert_eq!(errors.as_array().unwrap().len(), 1, "{errors}");
    assert_eq!((&errors[0]["file"], &errors[0]["line"]), (&json!("site/more/inner.zeek"), &json!(2)));
    assert_eq!(errors[0]["nodes"].as_array().unwrap().len(), 6);
    assert_eq!(std::fs::read_dir(cluster.kept("releases")).unwrap().count(), 0);
    // The same stops a deploy before anything changes.
    seen.run(&cluster, &["deploy", "--yes"]).code(1);
    assert!(!cluster.kept("current").exists());
    insta::assert_snapshot!(seen.take());
}

#[test]
fn the_scripts_are_parsed_once_for_nodes_that_are_alike() {
    let cluster = LocalCluster::new();
    with_site(&cluster, &[("local.zeek", ""), ("odd name é.zeek", "")], "scripts: [local, 'odd name é']", "");
    let checked = cluster.run(&["check", "-o", "json"]).code(0).json()["data"]["checked"].clone();
    let nodes: Vec<&Value> = checked.as_array().unwrap().iter().map(|c| &c["node"]).collect();
    assert_eq!(nodes, ["logger-1", "manager", "proxy-1", "worker-1"]);
    assert_eq!(checked[3]["nodes"], json!(["worker-1", "worker-2"]));
}

#[test]
fn a_log_stream_that_the_loggers_do_not_know_is_warned_of() {
    let cluster = LocalCluster::new();
    let stream = "module Extra;\n\nexport {\n\tredef enum Log::ID += { LOG };\n}\n\nevent zeek_init()\n\t{\n\t\
                  Log::create_stream(LOG, []);\n\t}\n";
    let more = "  extra: { type: worker, count: 1, first_index: 9, interface: lo, scripts: [extra] }\n";
    with_site(&cluster, &[("extra.zeek", stream)], "scripts: []", more);
    let seen = Transcript::default();
    seen.run(&cluster, &["check"]).code(0);
    insta::assert_snapshot!(seen.take());
    let warnings = cluster.run(&["check", "-o", "json"]).code(0).json()["data"]["warnings"].clone();
    assert_eq!(warnings[0]["line"], 9, "{warnings}");
    // Loaded by all but created by workers only, it is the same; with a condition that all meet it is fine.
    let only = |role: &str| {
        let text = format!("@if ( Cluster::local_node_type() == Cluster::{role} )\n{stream}@endif\n");
        with_site(&cluster, &[("extra.zeek", &text)], "scripts: [extra]", "");
        cluster.run(&["check"]).code(0).stdout
    };
    assert!(only("WORKER").contains("warning: worker-1..2: site/extra.zeek:10: "));
    assert!(!only("LOGGER").contains("warning"));
}

#[test]
fn a_real_zeek_is_read() {
    let cluster = LocalCluster::new();
    let files = [
        ("local.zeek", "@load intel/list\n@load ./more/inner\n"),
        ("more/inner.zeek", "global n: count = 1;\nglobal s: string = n;\n"),
        ("intel/list.zeek", "global old = 1 &deprecated=\"Use new.\";\nevent zeek_init()\n\t{\n\tprint old;\n\t}\n"),
        ("odd name é.zeek", "\nevent zeek_init()\n\t{\n\tno_such_function();\n\t}\n"),
    ];
    let zeek = "site_data: ['intel/**'], scripts: [local]";
    with_site(&cluster, &files, zeek, "");
    if !real(&cluster) {
        return;
    }
    let said = cluster.run(&["check"]).code(5);
    assert!(said.stdout.contains("error: logger-1..2, manager, proxy-1, worker-1..2: site/more/inner.zeek:2: "));
    let warning =
        "warning: logger-1..2, manager, proxy-1, worker-1..2: site/intel/list.zeek:4: deprecated (old): Use new.";
    assert!(said.stdout.contains(warning), "{}", said.stdout);

    with_site(&cluster, &files, "scripts: ['odd name é']", "");
    real(&cluster);
    let said = cluster.run(&["check"]).code(5);
    assert!(said.stdout.contains("worker-1..2: site/odd name é.zeek:4: unknown identifier no_such_function"));

    with_site(&cluster, &files, "redefs: { 'Pcap::bufsize': many }", "");
    real(&cluster);
    let said = cluster.run(&["check"]).code(5);
    assert!(said.stdout.contains("worker-1..2: zeek.redefs.Pcap::bufsize: "), "{}", said.stdout);
    assert_eq!(said.stdout.matches("error:").count(), 1, "{}", said.stdout);

    let more = "  extra: { type: worker, count: 1, first_index: 9, interface: lo, redefs: { 'No::such': 1 } }\n";
    with_site(&cluster, &files, "options: { retry_interval: 1s }", more);
    real(&cluster);
    let said = cluster.run(&["check"]).code(5);
    assert!(said.stdout.contains("error: extra-9: nodes.extra.redefs.No::such: "), "{}", said.stdout);
}
