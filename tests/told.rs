//! What is run on hosts, told in detail and kept in a file.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::local::{LocalCluster, said};

const SECRET: &str = "hunter2-is-secret";

#[test]
fn what_is_run_is_told_and_kept_without_secrets() {
    let cluster = LocalCluster::new();
    cluster.write_local(", env: { TOKEN: { env: THE_TOKEN } }");
    let run = |args: &[&str]| {
        let mut command = cluster.command(args);
        command.env("THE_TOKEN", SECRET);
        said(command)
    };
    let log = cluster.dir().join("log");
    let read = || std::fs::read_to_string(&log).unwrap();
    let home = cluster.kept("");
    let home = home.to_str().unwrap().trim_end_matches('/');
    let told = run(&["deploy", "--yes", "-v", "--log", "log"]).code(0).stderr;
    for line in [format!("here: observe-all {home} "), "here: stage ".to_owned(), format!("here: activate {home} ")] {
        assert!(told.contains(&line) && read().contains(&line), "{line}: {told}");
    }
    assert!(told.lines().any(|l| l.starts_with("here: start ") && l.ends_with(" s")), "{told}");
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // Each line has its time; what is told besides is there too, and how it ended.
    let kept = read();
    assert!(
        kept.lines().filter(|l| !l.starts_with("    ")).all(|l| l.starts_with("20") && l[..24].ends_with('Z')),
        "{kept}"
    );
    assert!(kept.lines().next().unwrap().ends_with(": deploy") && kept.trim_end().ends_with("ended with 0"), "{kept}");
    assert!(kept.contains("manager on here: ready") && !kept.contains('\u{1b}'), "{kept}");
    // Quiet, but kept, after what is there; errors as well.
    let said = run(&["status", "-q", "--log", "log"]).code(0);
    assert!(said.stderr.is_empty(), "{said:?}");
    let more = read();
    assert!(
        more.starts_with(&kept) && more.contains("here: observe ") && more.contains("a stream to the port "),
        "{more}"
    );
    run(&["rollback", "abcdefabcdef", "--yes", "--log", "log"]).code(1);
    assert!(read().contains("no host has a release abcdefabcdef") && read().trim_end().ends_with("ended with 1"));
    // What a user has a host run may be anything, and is not kept.
    run(&["exec", "--log", "log", "here", "--", "echo", SECRET]).code(0);
    assert!(read().contains("here: exec ") && !read().contains(SECRET));
    // As lines of JSON.
    let said = run(&["status", "-v", "-o", "json"]).code(0);
    said.json();
    let events: Vec<Value> = said.stderr.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let ran =
        events.iter().find(|e| e["event"] == "ran" && e["what"] == "observe").unwrap_or_else(|| panic!("{said:?}"));
    assert_eq!((&ran["host"], &ran["args"][0], &ran["failure"]), (&"here".into(), &home.into(), &Value::Null));
    // What fails says so.
    let sleeper = cluster.dir().join("bin");
    std::fs::create_dir(&sleeper).unwrap();
    std::fs::write(sleeper.join("sh"), "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(sleeper.join("sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = cluster.command(&["status", "-v", "--timeout", "1s"]);
    command.env("PATH", format!("{}:{}", sleeper.display(), std::env::var("PATH").unwrap()));
    let failed = crate::support::local::said(command);
    assert!(failed.stderr.contains(" s, no answer within 1s"), "{failed:?}");
    for text in [told, read(), said.stderr] {
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn a_log_that_can_not_be_kept_ends_a_command_before_it_begins() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    std::os::unix::fs::symlink("cluster.yaml", cluster.dir().join("link")).unwrap();
    let said = cluster.run(&["deploy", "--yes", "--log", "link"]).code(1);
    assert!(said.stderr.contains("can't write a log to link\n  it is a link"), "{said:?}");
    assert!(!cluster.kept("").exists());
    cluster.run(&["status", "--log", "none/log"]).code(1);
    cluster.run(&["status", "-q", "-v"]).code(2);
    // A device is none.
    if std::path::Path::new("/dev/full").exists() {
        cluster.run(&["nodes", "--log", "/dev/full"]).code(1);
    }
}
