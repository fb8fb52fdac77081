//! Generated files are what the code makes. `UPDATE=1 cargo test --test it generated` writes them anew.

use std::path::Path;

use clap_complete::Shell;

fn compare(file: &str, made: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read(&path).unwrap_or_else(|e| panic!("{file}: {e}; UPDATE=1 writes it"));
    assert!(kept == made, "{file} is not what the code makes; UPDATE=1 writes it anew");
}

#[test]
fn completions() {
    for (shell, file) in [
        (Shell::Bash, "clusterctl.bash"),
        (Shell::Zsh, "_clusterctl"),
        (Shell::Fish, "clusterctl.fish"),
        (Shell::Elvish, "clusterctl.elv"),
        (Shell::PowerShell, "_clusterctl.ps1"),
    ] {
        compare(&format!("completions/{file}"), &clusterctl::cli::completion_script(shell));
    }
}

#[test]
fn the_schema_accepts_the_examples() {
    let schema = clusterctl::spec::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut seen = 0;
    for file in ["minimal.yaml", "af-packet.yaml", "standalone.yaml", "campus/cluster.yaml", "quickstart/cluster.yaml"]
    {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file)).unwrap();
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let problems: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(problems.is_empty(), "{file}: {problems:?}");
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn the_schema_refuses_what_the_parser_refuses() {
    let validator = jsonschema::validator_for(&clusterctl::spec::schema()).unwrap();
    let wrong = serde_json::json!({"cluster": "x", "hots": {}});
    assert!(!validator.is_valid(&wrong));
}
