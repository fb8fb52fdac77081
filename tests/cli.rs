//! What the user sees: stdout, stderr and exit code of commands that connect to nothing.

use std::path::Path;

use crate::support::local::{Said, clusterctl, said};

fn run(dir: &Path, args: &[&str]) -> String {
    let mut command = clusterctl(dir);
    command.args(args).env("COLUMNS", "100");
    let Said { code, stdout, stderr } = said(command);
    let mut text = stdout;
    if !stderr.is_empty() {
        text.push_str("------- stderr -------\n");
        text.push_str(&stderr);
    }
    if code != 0 {
        text.push_str(&format!("[exit {code}]\n"));
    }
    text
}

const SMALL: &str = "cluster: small
zeek: { prefix: /opt/zeek, version: \"8.0\" }
hosts: { here: { local: true } }
nodes:
  manager: { type: manager, host: here }
  proxy: { type: proxy, host: here, count: 1 }
  worker: { type: worker, host: here, interface: lo, count: 2 }
";

fn small() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cluster.yaml"), SMALL).unwrap();
    dir
}

#[test]
fn help() {
    let dir = small();
    insta::assert_snapshot!(run(dir.path(), &["--help"]));
}

#[test]
fn layout_as_zeek_json_table_and_mermaid() {
    let dir = small();
    for format in ["zeek", "json", "table", "mermaid"] {
        insta::assert_snapshot!(format!("layout_{format}"), run(dir.path(), &["layout", "--format", format]));
    }
}

#[test]
fn nodes_and_selectors() {
    let dir = small();
    insta::assert_snapshot!("nodes", run(dir.path(), &["nodes"]));
    insta::assert_snapshot!("nodes_workers", run(dir.path(), &["nodes", "worker-*", "manager"]));
    insta::assert_snapshot!("nodes_wrong", run(dir.path(), &["nodes", "wroker-1"]));
    insta::assert_snapshot!("nodes_json", run(dir.path(), &["nodes", "manager", "-o", "json"]));
}

#[test]
fn usage_is_2() {
    let dir = small();
    assert!(run(dir.path(), &["frobnicate"]).ends_with("[exit 2]\n"));
    assert!(run(dir.path(), &["layout", "--zeek-version", "eight"]).ends_with("[exit 2]\n"));
    assert!(run(dir.path(), &["nodes", "nope"]).ends_with("[exit 2]\n"));
}

#[test]
fn a_missing_description_is_3_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(run(dir.path(), &["status"]));
}

#[test]
fn init_writes_a_valid_description_once() {
    let dir = tempfile::tempdir().unwrap();
    assert!(run(dir.path(), &["init"]).starts_with("wrote cluster.yaml"));
    assert!(run(dir.path(), &["check", "--offline"]).starts_with("the description is valid"));
    assert!(run(dir.path(), &["init"]).ends_with("[exit 1]\n"));
}

#[test]
fn the_description_of_the_readme_is_valid() {
    let dir = tempfile::tempdir().unwrap();
    let readme = include_str!("../README.md");
    let yaml = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    std::fs::write(dir.path().join("cluster.yaml"), yaml).unwrap();
    std::fs::create_dir(dir.path().join("site")).unwrap();
    std::fs::write(dir.path().join("token"), "secret\n").unwrap();
    let text = run(dir.path(), &["check", "--offline"]);
    assert!(text.starts_with("the description is valid: 28 nodes on 4 hosts"), "{text}");
}

#[test]
fn problems_as_json() {
    let dir = small();
    std::fs::write(dir.path().join("cluster.yaml"), SMALL.replace("count: 2", "cuont: 2")).unwrap();
    insta::assert_snapshot!(run(dir.path(), &["check", "--offline", "-o", "json"]));
}

#[test]
fn a_layout_needs_a_version() {
    let dir = small();
    std::fs::write(dir.path().join("cluster.yaml"), SMALL.replace(", version: \"8.0\"", "")).unwrap();
    insta::assert_snapshot!(run(dir.path(), &["layout"]));
}

#[test]
fn every_input_ends_in_a_message() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cluster.yaml");
    let mut inputs: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("not UTF-8", b"cluster: \xff\xfe\n".to_vec()),
        ("a tab", b"cluster: x\nhosts:\n\tmgmt: {}\n".to_vec()),
        ("deep", [vec![b'['; 100_000], vec![b']'; 100_000]].concat()),
        ("large", vec![b'#'; 100 << 20]),
        ("a NUL", b"cluster: \0\n".to_vec()),
    ];
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let of = vec![format!("*a{}", i - 1); 9].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{of}]\n"));
    }
    inputs.push(("anchors", bomb.into_bytes()));
    for (what, bytes) in inputs {
        std::fs::write(&file, bytes).unwrap();
        let text = run(dir.path(), &["check", "--offline"]);
        assert!(text.ends_with("[exit 3]\n"), "{what}: {text}");
        assert!(text.contains("cluster.yaml"), "{what}: {text}");
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(run(dir.path(), &["check", "--offline"]).ends_with("[exit 3]\n"));
    std::fs::remove_dir(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    assert!(run(dir.path(), &["check", "--offline"]).ends_with("[exit 3]\n"));
}
