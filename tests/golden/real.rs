//! A real Zeek reads what is written for it, where `$CLUSTERCTL_ZEEK` names its prefix.

use std::fs;
use std::path::Path;
use std::process::Command;

use clusterctl::cluster::{Cluster, Node, Role};
use clusterctl::values::Version;
use clusterctl::zeek;

use super::fixture::{full, standalone};

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Has a node's scripts parsed; an error's text is what Zeek said.
fn parse(prefix: &str, cluster: &Cluster, node: &Node, v: Version) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at(zeek::LAYOUT_PATH), &zeek::layout(cluster, v));
    write(&at(zeek::OPTIONS_PATH), &zeek::options_script(cluster, v));
    write(&at(zeek::AGENT_PATH), &zeek::agent_script(v));
    if let Some(script) = zeek::node_script(cluster, node, v) {
        write(&at(&zeek::node_script_path(&node.name)), &script);
    }
    let out = Command::new(format!("{prefix}/bin/zeek"))
        .arg("--parse-only")
        .args(zeek::command_line(cluster, node, v))
        .current_dir(folder.path())
        .env("ZEEKPATH", format!("{}:{}", folder.path().display(), zeek::zeekpath(prefix)))
        .env("ZEEKCTL_CHECK_CONFIG", "1")
        .env("ZEEKCTL_DISABLE_LISTEN", "1")
        .envs(zeek::environment(cluster, node, v))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&out.stderr).into_owned();
    if out.status.success() && !words.contains("error") && !words.contains("warning") {
        Ok(())
    } else {
        Err(format!("{} {:?}: {}\n{words}", node.name, zeek::backend(cluster, v), out.status))
    }
}

#[test]
fn a_real_zeek_reads_it() {
    let Ok(prefix) = std::env::var("CLUSTERCTL_ZEEK") else {
        eprintln!("SKIPPED: no real Zeek, as CLUSTERCTL_ZEEK is not set");
        return;
    };
    let out = Command::new(format!("{prefix}/bin/zeek")).arg("--version").output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let v: Version = text.trim().rsplit(' ').next().unwrap().parse().unwrap();
    let mut failed = Vec::new();
    for backend in super::backends(v) {
        let mut cluster = full(v, Some(backend));
        let alone = {
            let mut alone = standalone();
            alone.zeek.backend = Some(backend);
            alone
        };
        for node in cluster.nodes.iter().filter(|n| n.role.runs()).chain(&alone.nodes) {
            let of = if node.role == Role::Standalone { &alone } else { &cluster };
            failed.extend(parse(&prefix, of, node, v).err());
        }
        // Without loggers the manager writes the logs.
        cluster.nodes.retain(|n| n.role != Role::Logger);
        let manager = cluster.manager().unwrap();
        failed.extend(parse(&prefix, &cluster, manager, v).err());
        // The test's own proof that it can fail.
        let mut broken = cluster.clone();
        broken.zeek.scripts.push("no-such-script".to_owned());
        assert!(parse(&prefix, &broken, broken.manager().unwrap(), v).is_err());
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
