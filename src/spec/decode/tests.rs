//! The reader as a whole: it finds each mistake once and in its place, whatever the file, and looks at each value once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;

use super::{Decoded, decode};
use crate::cluster::check;
use crate::error::{Severity, Source};
use crate::spec::table::Table;
use crate::spec::{GroupSpec, HostSpec, Spec, ZeekSpec, load, parse, tree};

/// The lines of a description, right and with one mistake each.
const LINES: &[(&str, &str)] = &[
    ("cluster: c", "cluster: [c]"),
    ("zeek:", "zeek:"),
    ("  version: \"8.0\"", "  version: eight"),
    ("  backend: broker", "  bakend: broker"),
    ("  scripts: [a, b]", "  scripts: [a, {}]"),
    ("  args: []", "  args: { a: b }"),
    ("  env: { A: x }", "  env: { A: [x] }"),
    ("  redefs: { \"Pcap::bufsize\": 1 }", "  redefs: { \"Pcap::bufsize\": ~ }"),
    ("  local_networks: { 10.0.0.0/8: private }", "  local_networks: { 10.0.0.0/8: [] }"),
    ("  accept_unencrypted_zeromq: true", "  accept_unencrypted_zeromq: yes"),
    ("paths: { base: /b }", "paths: { base: b }"),
    ("ports: { metrics: 9991 }", "ports: { metrics: 0 }"),
    ("logs: { rotate: 1h, expire: 30d }", "logs: { rotate: 1h, expire: 30 }"),
    ("limits: { nofile: 1000 }", "limits: { nofile: -1000 }"),
    ("timeouts: { stop: 60s }", "timeouts: 60s"),
    ("ssh: { user: zeek }", "ssh: { usr: zeek }"),
    ("runner: process", "runner: proces"),
    ("releases: { keep: 5 }", "releases: { keep: 5, keep: 6 }"),
    ("hosts:", "hosts:"),
    ("  a: { address: 10.0.0.1 }", "  a: { address: 10.0.0 }"),
    ("  b: { address: 10.0.0.2, enabled: true }", "  b: { address: 10.0.0.2, enabled: perhaps }"),
    ("nodes:", "nodes:"),
    ("  manager: { type: manager, host: a }", "  manager: { type: manger, host: a }"),
    ("  proxy: { type: proxy, host: a }", "  proxy: { type: proxy, host: [a] }"),
    ("  w:", "  w:"),
    ("    type: worker", "    type: [worker]"),
    ("    hosts: [a, b]", "    hosts: [a, b, { c: d }]"),
    ("    interface: af_packet::eth0", "    interface: { af_packet: eth0 }"),
    ("    pin_cpus: [1, 2-3]", "    pin_cpus: [1, 3-2]"),
    ("    count: 3", "    count: three"),
];

fn read(text: &str) -> (Decoded<Spec>, usize) {
    let source = Arc::new(Source::new("c", text));
    let (root, diagnostics) = tree::parse(&source);
    let root = root.unwrap_or_else(|| panic!("{diagnostics:?}"));
    let size = root.size;
    (decode::<Spec>(&source, &root), size)
}

/// What is wrong with a text, one line each.
fn told(text: &str) -> Vec<String> {
    let description = parse("c", text.to_owned(), PathBuf::from("/etc/cluster"));
    let all = check(&description).err().unwrap_or_default();
    all.iter().map(|d| format!("{}:{} {}", d.line, d.column, d.message)).collect()
}

/// The help of the first thing that is wrong.
fn help(text: &str) -> String {
    let all = parse("c", text.to_owned(), PathBuf::from("/")).diagnostics;
    all.into_iter().next().and_then(|d| d.help).unwrap_or_default()
}

#[test]
fn each_mistake_alone_is_one_problem_on_its_line() {
    let right: Vec<&str> = LINES.iter().map(|(right, _)| *right).collect();
    assert_eq!(told(&right.join("\n")), Vec::<String>::new());
    for (at, (right_line, wrong)) in LINES.iter().enumerate().filter(|(_, (right, wrong))| right != wrong) {
        let mut lines = right.clone();
        lines[at] = wrong;
        let told = told(&lines.join("\n"));
        assert_eq!(told.len(), 1, "{right_line}: {told:#?}");
        assert!(told[0].starts_with(&format!("{}:", at + 1)), "{told:?}");
    }
}

#[test]
fn whole_numbers_are_told_with_their_bounds() {
    let of = |line: &str| told(line).into_iter().find(|problem| problem.contains("wrong value")).unwrap();
    assert_eq!(
        of("releases: { keep: 0 }"),
        "1:19 wrong value of `keep`: expected a whole number from 1 to 255, found the number `0`"
    );
    assert_eq!(
        of("limits: { nice: 1000 }"),
        "1:17 wrong value of `nice`: expected a whole number from -128 to 127, found the number `1000`"
    );
    assert_eq!(
        of("limits: { nofile: 1.50 }"),
        "1:19 wrong value of `nofile`: expected a whole number, 0 or more, found the number `1.50`"
    );
}

#[test]
fn a_list_is_no_table() {
    let told = told("zeek: { tls: [a, b] }\nports: [1]\n");
    assert!(told.contains(&"1:14 wrong value of `tls`: expected a mapping, found a list".to_owned()), "{told:#?}");
    assert!(told.contains(&"2:8 wrong value of `ports`: expected a mapping, found a list".to_owned()), "{told:#?}");
}

#[test]
fn items_keep_their_places_beside_one_that_can_not_be_read() {
    let lines: Vec<&str> = LINES.iter().map(|(right, _)| *right).collect();
    let text = lines.join("\n").replace("scripts: [a, b]", "scripts: [[], \"\", b]");
    assert_eq!(
        told(&text),
        ["5:13 wrong value of `scripts`: expected a text, found a list", "5:17 this entry is empty"]
    );
}

#[test]
fn nothing_follows_from_what_can_not_be_read() {
    let right: Vec<&str> = LINES.iter().map(|(right, _)| *right).collect();
    let right = right.join("\n");
    let with = |old: &str, new: &str| {
        assert!(right.contains(old), "{old}");
        told(&right.replace(old, new))
    };
    let tls = "  args: []\n  tls: { ca: a, certificate: b, key: { file: [] } }";
    assert_eq!(with("  args: []", tls), ["7:46 wrong value of `file`: expected a text, found a list"]);
    let again = "    type: worker\n    first_index: {}";
    let other = "  v: { type: worker, interface: af_packet::eth9, hosts: [a, b] }\n  w:";
    let text = right.replace("    type: worker", again).replace("  w:", other);
    let problem = "wrong value of `first_index`: expected a whole number from 0 to 4294967295, found a mapping";
    assert_eq!(told(&text), [format!("28:18 {problem}")]);
    let text = right.replace("  args: []", "  args: []\n  stores: { a: { master_node: manager } }");
    let text =
        text.replace("hosts:\n  a: { address: 10.0.0.1 }\n  b: { address: 10.0.0.2, enabled: true }", "hosts: 7");
    assert_eq!(told(&text), ["20:8 wrong value of `hosts`: expected a mapping, found the number `7`"]);
}

#[test]
fn help_says_what_to_write() {
    assert_eq!(help("limits: { core: 4*1024 }"), "write `4KiB`");
    assert_eq!(help("logs: { expire: 30 }"), "write `30d` for days, as zeekctl counts them");
    assert_eq!(help("runner: sytemd"), "did you mean `systemd`?");
    assert_eq!(help("hosts: { a: { adress: 10.0.0.1 } }"), "did you mean `address`?");
    assert_eq!(help("metrics: { qqq: 1 }"), "known keys: `listen`, `textfile`");
    assert!(help("hosts: { a: { qqq: 1 } }").contains("`local`, `env`, `zone_id`, `address`"));
}

#[test]
fn numbers_and_texts_are_what_is_written() {
    let text = "zeek: { version: 8.10, site: 010, global_hash_seed: 1e3 }\nports: { base: 0x2000, control: 1e3 }\nlimits: { memory: 0x100000 }\n";
    let (read, _) = read(text);
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
    assert_eq!(read.value.zeek.version, Some(crate::values::Version::new(8, 10)));
    assert_eq!(read.value.zeek.site.as_deref(), Some("010"));
    assert_eq!(read.value.zeek.global_hash_seed.as_deref(), Some("1e3"));
    assert_eq!(read.value.ports.base, Some(crate::values::Port(8192)));
    let problems = told("cluster: .nan\n").join("\n");
    assert!(problems.contains("the name `.nan` does not begin with"), "{problems}");
    assert_eq!(read.value.ports.control, Some(crate::values::Port(1000)));
    assert_eq!(read.value.limits.memory, Some(crate::values::Size(1 << 20)));
}

#[test]
fn more_mistakes_than_anybody_reads_are_told_up_to_a_bound() {
    let text: String = (0..3000).map(|n| format!("  h{n}: {{ addres: 1, local: perhaps }}\n")).collect();
    let (read, _) = read(&format!("hosts:\n{text}"));
    assert_eq!(read.diagnostics.len(), 1001);
    assert!(read.diagnostics[1000].message.starts_with("more than 1000"));
}

#[test]
fn an_included_file_that_expands_without_end_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut laughs = "x-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..30 {
        laughs.push_str(&format!("x-{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", ")));
    }
    std::fs::write(dir.path().join("more.yaml"), laughs).unwrap();
    std::fs::write(dir.path().join("cluster.yaml"), "cluster: c\ninclude: more.yaml\n").unwrap();
    let all = check(&load(&dir.path().join("cluster.yaml"))).unwrap_err();
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0].message, "the aliases stand for more than 400000 values");
    assert!(Path::new(&all[0].file).ends_with("more.yaml"));
}

/// Twice as many wrong entries are twice as many steps.
#[test]
fn reading_takes_as_many_steps_as_there_are_values() {
    let steps = |groups: usize| {
        let group = |n| {
            format!("  w{n}: {{ type: wrker, hosts: [a, [], {{}}], count: x, unknown: [1, 2], env: {{ A: [] }} }}\n")
        };
        let (read, size) = read(&format!("nodes:\n{}", (0..groups).map(group).collect::<String>()));
        assert!(read.steps <= size, "{} steps for {size} values", read.steps);
        read.steps
    };
    let (one, two, four) = (steps(100), steps(200), steps(400));
    assert_eq!((four - two, two - one), (2 * (two - one), two - one));
}

/// Any value, of keys that are known somewhere, and of texts that mean something somewhere.
fn any_value() -> impl Strategy<Value = String> {
    let mut keys = vec!["x-a", "clustre", "file", "env", "add", "expr", "h", "<<", "", "lb_procs"];
    keys.extend(Spec::keys().into_iter().chain(ZeekSpec::keys()).chain(HostSpec::keys()).chain(GroupSpec::keys()));
    let scalar = prop::sample::select(vec![
        "~",
        "true",
        "no",
        "7",
        "-1",
        "8.10",
        "1e3",
        "0x10",
        ".nan",
        "99999999999999999999",
        "10.0.0.1",
        "manager",
        "worker",
        "af_packet::eth0",
        "60",
        "60s",
        "2-9",
        "9-2",
        "\"a\\u0000\"",
        "''",
        "off",
        "/b",
        "a b",
        "4*1024",
    ]);
    let leaf = scalar.prop_map(str::to_owned);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let key = prop::sample::select(keys.clone());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec((key, inner), 0..6).prop_map(|entries| {
                let entries: Vec<_> = entries.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
                format!("{{{}}}", entries.join(", "))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn mistakes_are_as_many_problems_each_on_its_line(wrong in prop::collection::vec(any::<bool>(), LINES.len())) {
        let lines: Vec<&str> = LINES.iter().zip(&wrong).map(|((right, bad), wrong)| if *wrong { *bad } else { *right }).collect();
        let description = parse("c", lines.join("\n"), PathBuf::from("/etc/cluster"));
        let all = check(&description).err().unwrap_or_default();
        let told: Vec<usize> = all.iter().filter(|d| d.severity == Severity::Error).map(|d| d.line).collect();
        let made: Vec<usize> =
            (0..LINES.len()).filter(|at| wrong[*at] && LINES[*at].0 != LINES[*at].1).map(|at| at + 1).collect();
        prop_assert_eq!(told, made, "{:#?}", all.iter().map(|d| &d.message).collect::<Vec<_>>());
    }

    #[test]
    fn no_tree_makes_it_panic_or_look_twice(key in prop::sample::select(Spec::keys()), value in any_value(), whole in any_value()) {
        for text in [format!("{key}: {value}\n"), whole] {
            let description = parse("c", text.clone(), PathBuf::from("/x"));
            let all = check(&description).err().unwrap_or_default();
            for d in &all {
                prop_assert!(d.line <= text.lines().count() + 1, "{:?}", d);
            }
            let source = Arc::new(Source::new("c", text));
            if let (Some(root), _) = tree::parse(&source) {
                let size = root.size;
                prop_assert!(decode::<Spec>(&source, &root).steps <= size);
            }
        }
    }
}
