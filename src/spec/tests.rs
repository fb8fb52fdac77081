#![expect(clippy::format_push_string, clippy::format_collect, reason = "short tests")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::cluster::check;
use crate::error::{RenderStyle, render};
use crate::values::{Backend, RunnerKind};

const CAMPUS: &str = include_str!("../../examples/campus/cluster.yaml");
const TEN: &str = include_str!("../../tests/data/ten-mistakes.yaml");

/// What a user is shown of a text.
fn shown(text: &str) -> String {
    let description = parse("cluster.yaml", text.to_owned(), PathBuf::from("/etc/cluster"));
    match check(&description) {
        Ok(_) => "fine".to_owned(),
        Err(all) => render(&all, RenderStyle::default()),
    }
}

/// The first lines of what is wrong, one for each problem, with the place.
fn told(text: &str) -> Vec<String> {
    let description = parse("c", text.to_owned(), PathBuf::from("/etc/cluster"));
    let all = check(&description).err().unwrap_or_default();
    all.iter().map(|d| format!("{}:{} {}", d.line, d.column, d.message)).collect()
}

/// A description that is right but for what is added to it.
fn with(more: &str) -> String {
    format!(
        "cluster: c\nhosts: {{ h: {{ local: true }} }}\nnodes:\n  manager: {{ type: manager }}\n  proxy: {{ type: proxy }}\n{more}"
    )
}

#[test]
fn the_example_of_the_design_is_right() {
    let text = CAMPUS.replace("backend: broker ", "backend: zeromq ").replace("runner:  process ", "runner:  systemd ");
    assert_eq!(shown(CAMPUS), "fine");
    assert_eq!(shown(&text), "fine");
    let description = parse("c", text, PathBuf::from("/x"));
    assert_eq!(description.spec.runner, Some(RunnerKind::Systemd));
    assert_eq!(description.spec.zeek.backend, Some(Backend::Zeromq));
}

#[test]
fn ten_mistakes_are_ten_problems_with_their_places() {
    assert_eq!(
        told(TEN),
        [
            "4:3 unknown key `prefx`",
            "6:5 the network `10.0.0.1/8` has bits after its prefix; write `10.0.0.0/8`",
            "7:16 wrong value of `base`: `many` is not a port, a number from 1 to 65535",
            "8:19 wrong value of `stop`: the interval `60` has no unit; write `60s` for seconds",
            "11:23 wrong value of `address`: `10.0.0.300` is not an IP address",
            "13:3 the key `mgmt` is given twice",
            "16:3 `manager2` is a second manager",
            "17:47 `proxy` is a proxy; only workers have an interface",
            "22:15 wrong value of `pin_cpus`: `5-2` is not a CPU list such as `2-9`, `0-14:2` or `[2, 4]`: a range ends before it begins",
            "23:13 there is no host `senser1`",
        ]
    );
}

#[test]
fn problems_are_shown_with_their_lines() {
    assert_snapshot!(shown("cluster: a\nclustre: b\nhosts:\n  ä: { addres: 1 }\n  h: [a]\nnodes: 7\n"), @r#"
    error: unknown key `clustre`
     --> cluster.yaml:2:1
      |
    2 | clustre: b
      | ^^^^^^^ not known here
      |
      = help: did you mean `cluster`?

    error: the name `ä` does not begin with an ASCII letter or a digit
     --> cluster.yaml:4:3
      |
    4 |   ä: { addres: 1 }
      |   ^ not a name of a host

    error: unknown key `addres`
     --> cluster.yaml:4:8
      |
    4 |   ä: { addres: 1 }
      |        ^^^^^^ not known here
      |
      = help: did you mean `address`?

    error: wrong value of `h`: expected a mapping, found a list
     --> cluster.yaml:5:6
      |
    5 |   h: [a]
      |      ^^^ expected a mapping

    error: wrong value of `nodes`: expected a mapping, found the number `7`
     --> cluster.yaml:6:8
      |
    6 | nodes: 7
      |        ^ expected a mapping
    "#);
}

#[test]
fn yaml_that_is_none_is_told_with_its_place() {
    assert_snapshot!(shown("cluster: a\n\thosts: b\n"), @r#"
    error: this is not YAML: while scanning a plain scalar, found a tab
     --> cluster.yaml:2:1
      |
    2 |     hosts: b
      | ^^^^
      |
      = help: YAML indents with spaces; there is a tab here
    "#);
    assert_snapshot!(shown("cluster: [a\nhosts: {}\n"), @r#"
    error: this is not YAML: illegal placement of ':' indicator
     --> cluster.yaml:2:6
      |
    2 | hosts: {}
      |      ^ here
      |
      = help: perhaps a `[`, `{` or quotation mark before this is not closed
    "#);
    assert_snapshot!(shown("cluster: !name a\nhosts: {}\n---\nx: y\n"), @r#"
    error: the description has no nodes
     --> cluster.yaml:1:1
      |
    1 | cluster: !name a
      | ^^^^^^^^^^^^^^^^
      |
      = help: add `nodes:` with at least a manager, a proxy and a worker

    error: YAML tags (`!...`) are not supported
     --> cluster.yaml:1:10
      |
    1 | cluster: !name a
      |          ^^^^^^^ the value with the tag
      |
      = help: remove the tag

    error: the description has no hosts
     --> cluster.yaml:2:8
      |
    2 | hosts: {}
      |        ^^
      |
      = help: add `hosts: { NAME: { local: true } }` for this machine, or `{ address: ADDRESS }` for another

    error: a second document begins here
     --> cluster.yaml:3:1
      |
    3 | ---
      | ^^^ only the first is read
      |
      = help: one file describes one cluster; use `include` for several files
    "#);
    assert_snapshot!(shown("\u{feff}"), @r#"
    error: the file begins with a byte order mark
     --> cluster.yaml:1:1
      |
    1 |
      | ^ before this
      |
      = help: save it as UTF-8 without a byte order mark
    "#);
    assert_snapshot!(shown("- a\n- b\n"), @r#"
    error: this is not a description
     --> cluster.yaml:1:1
      |
    1 | - a
      | ^^^ no `key: value`
      |
      = help: begin with `cluster: NAME`
    "#);
}

#[test]
fn places_are_right_after_other_alphabets_and_line_ends() {
    assert_eq!(
        told("cluster: a # äöü 漢字 🦀\r\nhosts: { \"hö\": { address: 1.2.3 } }\r\nnodes: {}\r\n"),
        [
            "2:10 the name `hö` contains 'ö'; ASCII letters, digits, `_`, `.` and `-` are allowed",
            "2:27 wrong value of `address`: `1.2.3` is not an IP address",
            "3:8 the description has no nodes",
        ]
    );
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let text = shown("cluster: \"\\e[31mred\\u0007\"\n\"\\e[2J\": 1\n");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
    let raw = shown("cluster: a\n# \u{9b}31m\nx: \u{85}\u{9b}31m\n");
    assert!(!raw.contains('\u{9b}'), "{raw:?}");
    let turned = shown("cluster: \"a\\u202eb\"\n");
    assert!(!shown("cluster: a # \u{202e}x\n").contains('\u{202e}'));
    assert!(!turned.contains('\u{202e}'), "{turned:?}");
}

#[test]
fn anchors_aliases_merges_and_x_keys_work() {
    let text = "x-any: [anything, { goes: here }]
x-limits: &limits { nofile: 1000 }
x-worker: &worker { type: worker, interface: lo, limits: *limits }
x-more: &more { env: { A: 1.10 } }
cluster: c
zeek: { version: 8.10, env: { N: 010, T: true, F: 1.50 } }
hosts: { h: { local: true } }
nodes:
  manager: { type: manager }
  proxy: { type: proxy }
  w: { <<: [*worker, *more], interface: eth0, count: 2 }
";
    let description = parse("c", text.to_owned(), PathBuf::from("/"));
    let cluster = check(&description).map_err(|all| render(&all, RenderStyle::default())).unwrap();
    assert_eq!(cluster.zeek.version, Some(crate::values::Version::new(8, 10)));
    let worker = cluster.nodes.last().unwrap();
    assert_eq!(worker.interface.as_deref(), Some("eth0"));
    assert_eq!(worker.limits.nofile, Some(1000));
    let env: Vec<_> = worker.env.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    assert_eq!(env, ["A=Plain(\"1.10\")", "F=Plain(\"1.50\")", "N=Plain(\"010\")", "T=Plain(\"true\")"]);
}

#[test]
fn all_wrong_values_of_a_list_are_told_with_their_own_places() {
    let text = with("zeek:\n  scripts:\n    - a\n    - [b]\n    - c\n    - {}\n    - e\n");
    assert_eq!(
        told(&text),
        [
            "9:7 wrong value of `scripts`: expected a text, found a list",
            "11:7 wrong value of `scripts`: expected a text, found a mapping",
        ]
    );
}

#[test]
fn what_could_not_be_read_is_not_missed() {
    // The manager's entry is wrong; that there is no manager is not told as well.
    let text = "cluster: [c]\nhosts: { h: { local: maybe } }\nnodes:\n  m: { type: manger }\n  p: { type: proxy, host: h }\n  w: { type: worker, interface: [] }\n";
    let told = told(text);
    assert_eq!(
        told,
        [
            "1:10 wrong value of `cluster`: expected a name, found a list",
            "2:22 wrong value of `local`: expected `true` or `false`, found the text \"maybe\"",
            "4:14 wrong value of `type`: `manger` is not `logger`, `manager`, `proxy`, `worker`, `standalone`, \
             `time_machine` or `control`",
            "6:33 wrong value of `interface`: expected a text, found a list",
        ]
    );
}

#[test]
fn values_with_two_forms_have_one_message() {
    let text = with(
        "zeek:\n  env: { A: { fil: x }, B: { file: [] }, C: {} }\n  redefs: { a: { add: 1 }, b: , c: { expr: x, add: [] }, d: 99999999999999999999 }\n",
    );
    assert_snapshot!(told(&text).join("\n"), @r#"
    7:13 wrong value of `A`: expected a text, `{ file: PATH }` or `{ env: NAME }`, found the key `fil`
    7:36 wrong value of `file`: expected a text, found a list
    7:45 wrong value of `C`: expected a text, `{ file: PATH }` or `{ env: NAME }`, found an empty mapping
    8:23 wrong value of `add`: expected a list, found the number `1`
    8:29 wrong value of `b`: expected a boolean, a number, a text, `{ add: [...] }` or `{ expr: "..." }`, found nothing
    8:36 wrong value of `c`: expected a boolean, a number, a text, `{ add: [...] }` or `{ expr: "..." }`, found more than one key
    "#);
}

#[test]
fn files_that_are_none_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let said = |name: &str| {
        let description = load(&dir.path().join(name));
        let all = check(&description).unwrap_err();
        assert_eq!(all.len(), 1);
        format!("{} ({}:{})", all[0].message, all[0].line, all[0].column)
    };
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    assert_eq!(said("none"), "file not found (0:0)");
    assert_eq!(said("."), "this is a folder, not a file (0:0)");
    write("utf8", b"cluster: \xc3\xa4\n# \xc3\xa4\xff\n");
    assert_eq!(said("utf8"), "the file is not UTF-8: a wrong byte at line 2, column 4 (2:4)");
    write("large", &vec![b'#'; 9 << 20]);
    assert_eq!(said("large"), "the file is larger than 8 MiB (0:0)");
    write("empty", b"");
    assert_eq!(said("empty"), "the description is empty (0:0)");
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap();
    assert!(made.success());
    assert_eq!(said("pipe"), "this is a pipe, a socket or a device, not a file (0:0)");
    assert!(load(Path::new("/dev/zero")).diagnostics[0].message.contains("device"));
}

#[test]
fn a_folder_that_is_included_has_its_name() {
    let dir = tempfile::tempdir().unwrap();
    for folder in [".", "./"] {
        let text = with(&format!("include: [\"{folder}\"]\n"));
        std::fs::write(dir.path().join("cluster.yaml"), text).unwrap();
        let description = load(&dir.path().join("cluster.yaml"));
        let told: Vec<&str> = description.diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert!(told.iter().any(|told| told.starts_with("`.` can't be included: ")), "{told:?}");
    }
}

#[test]
fn included_files_have_places_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    std::fs::create_dir(dir.path().join("hosts")).unwrap();
    write(
        "cluster.yaml",
        &with("  w: { type: worker, interface: lo, hosts: [a, b] }\ninclude: [\"hosts/*.yaml\", none.yaml]\n"),
    );
    write("hosts/1.yaml", "hosts:\n  a: { address: 10.0.0.1 }\n  h: { address: 10.0.0.9 }\nzeek: {}\n");
    write("hosts/2.yaml", "hosts:\n  b: { address: 10.0.0.1 }\nnodes:\n  v: { type: worker, host: c }\n");
    write("hosts/not.txt", "hosts: 7");
    let description = load(&dir.path().join("cluster.yaml"));
    let all = check(&description).unwrap_err();
    let told: Vec<_> = all
        .iter()
        .map(|d| {
            let file = Path::new(&d.file).strip_prefix(dir.path()).unwrap().display();
            format!("{file}:{}:{} {}", d.line, d.column, d.message)
        })
        .collect();
    assert_snapshot!(told.join("\n"), @r#"
    cluster.yaml:2:10 the host `h` has no address, which means loopback, and there are other hosts
    cluster.yaml:7:27 `none.yaml` can't be included: file not found
    hosts/1.yaml:3:3 two files have `h` under `hosts`
    hosts/1.yaml:4:1 unknown key `zeek`
    hosts/2.yaml:2:17 `a` and `b` have the same address
    "#);
    // The glob alone, without mistakes.
    write("hosts/1.yaml", "hosts:\n  a: { address: 10.0.0.1 }\n");
    write("hosts/2.yaml", "hosts:\n  b: { address: 10.0.0.2 }\n");
    let text = with("  w: { type: worker, interface: lo, hosts: [a, b] }\ninclude: hosts/*.yaml\n");
    write(
        "cluster.yaml",
        &text
            .replace("local: true", "address: 10.0.0.9")
            .replace("type: manager", "type: manager, host: h")
            .replace("type: proxy", "type: proxy, host: h"),
    );
    let description = load(&dir.path().join("cluster.yaml"));
    let cluster = check(&description).map_err(|all| render(&all, RenderStyle::default())).unwrap();
    let names: Vec<_> = cluster.nodes.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["manager", "proxy", "w-a-1", "w-b-1"]);
}

#[test]
fn a_json_form_has_file_line_column_message_and_help() {
    let description = parse("c.yaml", "cluster: a\nhost: b\n".to_owned(), PathBuf::new());
    let json = serde_json::to_value(&description.diagnostics).unwrap();
    assert_eq!(
        json,
        serde_json::json!([{ "file": "c.yaml", "line": 2, "column": 1, "message": "unknown key `host`", "help": "did you mean `hosts`?", "severity": "error" }])
    );
}

/// Inputs that explode: each ends in a message, soon.
#[test]
fn bombs_end_in_messages() {
    let mut laughs = "x-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut merges = "x-0: &a0 { a: b }\n".to_owned();
    for n in 1..20 {
        let all = vec![format!("*a{}", n - 1); 10].join(", ");
        laughs.push_str(&format!("x-{n}: &a{n} [{all}]\n"));
        merges.push_str(&format!("x-{n}: &a{n} {{ <<: [{all}], k{n}: *a{} }}\n", n - 1));
    }
    let deep = |open: &str, close: &str, n: usize| format!("cluster: {}{}", open.repeat(n), close.repeat(n));
    let nested: String = (0..2_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    let bombs = [
        laughs,
        merges,
        deep("[", "]", 100_000),
        deep("{a: ", "}", 100_000),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        "[".repeat(4_000_000),
        "{".repeat(4_000_000),
        nested,
        "a: &a [*a, *a]\n".to_owned(),
        format!("x: [{}]", "a,".repeat(3_000_000)),
        "a\n".repeat(4_000_000),
        format!("cluster: \"{}\"", "a".repeat(8_000_000)),
        format!("cluster: {}", "9".repeat(8_000_000)),
        "&a ".repeat(100_000),
        "!!a ".repeat(100_000),
        "%TAG ! a\n".repeat(100_000),
        "---\n".repeat(100_000),
        "\0".repeat(100_000),
        "\t".repeat(1_000_000),
        "'".repeat(1_000_001),
        "\"\\x".repeat(100_000),
        "|\n".repeat(100_000),
        with("  w: { type: worker, interface: lo, count: 4294967295 }\n"),
        with("  w: { type: worker, interface: lo, first_index: 4294967295, count: 2 }\n"),
        with(&format!(
            "  w: {{ type: worker, interface: lo, count: 4000 }}\nzeek: {{ redefs: {{ a: \"{}\" }} }}\n",
            "x".repeat(4_000_000)
        )),
        with(
            &(0..30_000)
                .map(|n| format!("  w{n}: {{ type: wrker, pin_cpus: 0-8191, ifnterface: x }}\n"))
                .collect::<String>(),
        ),
        with(
            &(0..40_000)
                .map(|n| format!("  w{n}: {{ type: worker, host: hh{n}, interface: lo }}\n"))
                .collect::<String>(),
        ),
        with(&(0..10_000).map(|n| format!("  w{n}: {{ type: worker, interface: lo }}\n")).collect::<String>()),
    ];
    for (at, bomb) in bombs.iter().enumerate() {
        let begin = Instant::now();
        let text = shown(bomb);
        assert!(text.starts_with("error: "), "bomb {at}: {text}");
        assert!(text.len() < 200_000, "bomb {at}: {} bytes of messages", text.len());
        println!(
            "bomb {at}: {:?} {}",
            begin.elapsed(),
            text.lines().next().unwrap_or_default().chars().take(100).collect::<String>()
        );
        assert!(begin.elapsed() < Duration::from_secs(60), "bomb {at}: {:?}", begin.elapsed());
    }
}

#[test]
fn the_schema_is_the_one_in_the_examples() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/clusterctl.schema.json");
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "the schema has changed: run UPDATE=1 cargo test the_schema, and look at the difference");
}

#[test]
fn the_examples_are_right_and_match_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for entry in walkdir::WalkDir::new(&examples) {
        let path = entry.unwrap().into_path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        seen += 1;
        let description = load(&path);
        if let Err(all) = check(&description) {
            panic!("{}", render(&all, RenderStyle::default()));
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut value: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        value.apply_merge().unwrap();
        let json = serde_json::to_value(value).unwrap();
        let errors: Vec<_> = validator.iter_errors(&json).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
    assert!(seen >= 4, "{seen} examples");
    let wrong = serde_json::json!({ "cluster": "a", "zeke": {} });
    assert!(!validator.is_valid(&wrong));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 20_000 }))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = shown(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_yaml_like_text_makes_it_panic(text in "([a-c:{}\\[\\],&*!|>'\"#%@\\-?<~ \t\n\r\u{e4}\u{feff}0-9.]|cluster: |hosts:|nodes:|<<: |\\*a|&a ){0,60}") {
        let _ = shown(&text);
    }

    #[test]
    fn no_mangled_description_makes_it_panic(cuts in prop::collection::vec((0..3000_usize, 0..40_usize, ".{0,3}|[\\[\\]{}:,\n \t&*-]{0,4}|[0-9]{1,20}|null|- "), 1..6)) {
        let mut text = CAMPUS.to_owned();
        for (at, length, new) in cuts {
            let floor = |n: usize| (0..=n.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0);
            let (from, to) = (floor(at), floor(at + length));
            text.replace_range(from..to, &new);
        }
        let description = parse("c", text.clone(), PathBuf::from("/x"));
        if let Err(all) = check(&description) {
            prop_assert!(!all.is_empty());
            for d in &all {
                prop_assert!(d.line <= text.lines().count() + 1, "{:?}", d);
            }
            let text = render(&all, RenderStyle { color: true, width: 80 });
            prop_assert!(!text.is_empty());
        }
    }
}

#[test]
fn a_key_in_the_wrong_section_is_told_with_its_section() {
    let help = |line: &str| -> Vec<String> {
        let text = format!("cluster: a\n{line}\n");
        let description = super::parse("c", text, PathBuf::from("/x"));
        let all = check(&description).err().unwrap_or_default();
        all.into_iter().filter(|d| d.message.starts_with("unknown key")).filter_map(|d| d.help).collect()
    };
    for (line, told) in [
        ("site: ./site", "`site` belongs in `zeek`"),
        ("scripts: [local]", "`scripts` belongs in `zeek` or in `nodes.NAME` or in `nodes.NAME.hosts.NAME`"),
        ("pin_cpus: 2-9", "`pin_cpus` belongs in `nodes.NAME` or in `nodes.NAME.hosts.NAME`"),
        ("zeek: { rotate: 1h }", "`rotate` belongs in `logs`"),
        ("ports: { runner: systemd }", "`runner` belongs at the top level"),
        ("nodes: { w: { local_networks: {} } }", "`local_networks` belongs in `zeek`"),
    ] {
        assert_eq!(help(line), [told], "{line}");
    }
    assert!(help("quokka: 1")[0].starts_with("known keys: `"));
}
