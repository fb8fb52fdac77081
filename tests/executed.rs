//! `exec`: a command on hosts, as it was given.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::local::{LocalCluster, wait_for};

#[test]
fn a_command_runs_on_hosts_as_it_was_given() {
    let cluster = LocalCluster::new();
    cluster.write_local(", env: { OPEN: seen, HIDDEN: { env: PLANTED } }");
    let mut command = cluster.command(&["deploy", "--yes"]);
    command.env("PLANTED", "planted");
    crate::support::local::said(command).code(0);
    let odd = ["exec", "-o", "json", "--", "printf", "%s\\n", "a  b", "$HOME `id` *", "'\"\\", "--help"];
    let json = cluster.run(&odd).code(0).json();
    assert_eq!(json["kind"], "exec");
    let host = &json["data"]["hosts"][0];
    assert_eq!(host["stdout"], "a  b\n$HOME `id` *\n'\"\\\n--help\n");
    assert_eq!((&host["exit"], &host["stderr"], &host["failure"]), (&json!(0), &json!(""), &json!(null)));
    // It can't do anything to a terminal, nor look like another host.
    let said = cluster.run(&["exec", "--", "printf", "x\\033[2J\\nthere:\\n"]).code(0);
    assert_eq!(said.stdout, "here\n  x\\u{1b}[2J\n  there:\n");
    let said = cluster.run(&["exec", "--", "sh", "-c", "cat; echo why >&2; exit 7"]).code(1);
    assert_eq!(said.stdout, "here: exit 7\n  why\n");
    let said = cluster.run(&["exec", "--timeout", "1s", "--", "sleep", "600"]).code(1);
    assert!(said.stdout.starts_with("here: no end within 1s"), "{said:?}");
    let said = cluster.run(&["exec", "-o", "json", "--", "head", "-c", "5000000", "/dev/zero"]).code(0).json();
    assert_eq!(said["data"]["hosts"][0]["is_cut"], true);
    let said = cluster.run(&["exec", "--as-node", "worker-1", "--", "env"]).code(0);
    assert!(said.stdout.contains("  CLUSTER_NODE=worker-1\n") && said.stdout.contains("  OPEN=seen\n"), "{said:?}");
    assert!(!said.stdout.contains("planted") && said.stdout.contains("  ZEEKPATH="), "{said:?}");
    let said = cluster.run(&["exec", "--as-node", "worker-1", "--", "pwd"]).code(0);
    assert_eq!(said.stdout, format!("here\n  {}\n", cluster.kept("nodes/worker-1").display()));
    for (args, why) in [
        (&["exec", "uptime"][..], "required"),
        (&["exec", "--", "a\nb"], "line break"),
        (&["exec", "--as-node", "workers", "--", "true"], "several nodes"),
        (&["exec", "nobody", "--", "true"], "no node matches"),
    ] {
        let said = cluster.run(args).code(2);
        assert!(said.stderr.contains(why), "{said:?}");
    }
    // What was interrupted is ended there.
    let mut child = cluster.command(&["exec", "--timeout", "1h", "--", "sleep", "987654"]).spawn().unwrap();
    let runs = || {
        let out = std::process::Command::new("pgrep").args(["-fx", "sleep 987654"]).output().unwrap();
        String::from_utf8_lossy(&out.stdout).split_whitespace().count()
    };
    wait_for("its start", || (runs() > 0).then_some(()));
    crate::support::local::kill("INT", child.id().into());
    let began = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(60));
    wait_for("its end", || (runs() == 0).then_some(()));
}
