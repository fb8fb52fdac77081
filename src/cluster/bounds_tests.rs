//! What a description may ask for: intervals in ranges, and nodes whose settings fit into memory and into a release.

use crate::cluster;
use crate::error::Diagnostic;

const NODES: &str = "  manager: { type: manager, host: a }\n  proxy: { type: proxy, host: a, count: 1 }\n";

fn problems(text: &str) -> Vec<Diagnostic> {
    let description = crate::spec::parse("c.yaml", text.to_owned(), "/".into());
    let found = cluster::check(&description);
    found.err().unwrap_or_default()
}

fn messages(settings: &str) -> String {
    let text = format!(
        "cluster: c\n{settings}\nhosts: {{ a: {{ address: 10.0.0.1 }} }}\nnodes:\n{NODES}  \
         worker: {{ type: worker, host: a, interface: eth0 }}\n"
    );
    problems(&text).iter().map(|p| format!("{}\n", p.message)).collect()
}

#[test]
fn an_interval_out_of_its_range_is_told_with_the_range() {
    let cases = [
        ("ssh: { persist: 100y }", "is too long here: 1s to 1day; 0 turns it off"),
        ("ssh: { persist: 500ms }", "500ms is too short here: 1s to 1day"),
        ("ssh: { connect_timeout: 90y }", "is too long here: 1s to 10m"),
        ("ssh: { connect_timeout: 0s }", "0s is too short here: 1s to 10m"),
        ("timeouts: { ready: 7h }", "7h is too long here: 1s to 6h"),
        ("timeouts: { stop: 0 }", "0s is too short here: 1s to 6h"),
        ("timeouts: { control: 100y }", "is too long here: 1s to 6h"),
        ("logs: { rotate: 1ms }", "1ms is too short here: 1s to 1year"),
        ("logs: { late: 0 }", "0s is too short here"),
        ("limits: { nofile: 18446744073709551615 }", "at most 1073741824 open files"),
    ];
    for (settings, message) in cases {
        let told = messages(settings);
        assert!(told.contains(message), "{settings}: {told}");
    }
    for good in ["ssh: { persist: 0 }", "ssh: { persist: 1d, connect_timeout: 1s }", "logs: { rotate: 0 }"] {
        assert_eq!(messages(good), "", "{good}");
    }
}

#[test]
fn what_each_node_has_a_copy_of_is_bounded_before_it_is_made() {
    let big = "x".repeat(1 << 20);
    let group = |settings: &str| {
        let text = format!(
            "cluster: c\nports: {{ base: 1024 }}\nmetrics: {{ listen: off }}\nhosts: {{ a: {{ address: 10.0.0.1 }} }}\nnodes:\n{NODES}  \
             worker: {{ type: worker, host: a, count: 19990, {settings} }}\n"
        );
        problems(&text).iter().map(|p| format!("{}: {}\n", p.line, p.message)).collect::<String>()
    };
    // The interface alone is at fault, and is told alone.
    let told = group(&format!("interface: {big}"));
    assert!(told.contains("longer than 255 bytes") && !told.contains("all nodes together take"), "{told}");
    for settings in [
        format!("interface: eth0, env: {{ A: {big} }}"),
        format!("interface: eth0, args: [{big}]"),
        format!("interface: eth0, redefs: {{ A: {big} }}"),
        format!("interface: {}", "e".repeat(250)),
    ] {
        let told = group(&settings);
        assert!(told.contains("the limit is") && told.contains("8: "), "{}", &told[..told.len().min(400)]);
    }
    let long = "n".repeat(1 << 20);
    let text = format!(
        "cluster: c\nhosts: {{ a: {{ address: 10.0.0.1 }} }}\nnodes:\n{NODES}  ? {long}\n  : {{ type: worker, host: a, count: 19990, interface: e }}\n"
    );
    let all: Vec<String> = problems(&text).iter().map(|p| p.message.chars().take(200).collect()).collect();
    assert!(all.iter().any(|message| message.contains("the limit is")), "{all:#?}");
}
