//! On a pseudo-terminal: completion of names from the description in real shells, and tables that fit.

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use expectrl::{Expect, Session};

const DESCRIPTION: &str = "cluster: small
hosts: { here: { local: true } }
nodes:
  manager: { type: manager, host: here }
  proxy: { type: proxy, host: here, count: 1 }
  quokka: { type: worker, host: here, interface: lo, count: 2 }
";

/// Types a command line and TAB into a shell and waits for the completed name.
fn complete(shell: &str, args: &[&str], setup: &str) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("other.yaml"), DESCRIPTION).unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_clusterctl"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(shell);
    command
        .args(args)
        .current_dir(dir.path())
        .env_clear()
        .env("PATH", path)
        .env("HOME", dir.path())
        .env("TERM", "vt100")
        .env("LANG", "C.UTF-8");
    let mut session = Session::spawn(command).unwrap_or_else(|e| panic!("{shell}: {e}: tests/run.sh installs it"));
    session.set_expect_timeout(Some(Duration::from_secs(60)));
    session.send_line(setup).unwrap();
    session.send_line("echo rea''dy").unwrap();
    session.expect("ready").unwrap_or_else(|e| panic!("{shell}: {e}"));
    write!(session, "clusterctl -f other.yaml status quo").unwrap();
    // A shell that is still drawing its prompt may take a TAB for a character: it is typed again until it counts.
    session.set_expect_timeout(Some(Duration::from_secs(3)));
    let mut tries = 0;
    loop {
        write!(session, "\t").unwrap();
        match session.expect("kka-") {
            Ok(_) => break,
            Err(e) => assert!(tries < 20, "{shell}: quokka-1 is not completed: {e}"),
        }
        tries += 1;
    }
    session.set_expect_timeout(Some(Duration::from_secs(60)));
    // A second TAB lists both, or, where the shell has filled one in, the line goes on with it.
    write!(session, "\t\t").unwrap();
    session.expect("1").unwrap_or_else(|e| panic!("{shell}: no list: {e}"));
    write!(session, "\x03").unwrap();
    session.send_line("exit").unwrap();
}

#[test]
fn no_line_is_wider_than_a_terminal_of_80_columns() {
    let cluster = crate::support::local::LocalCluster::new();
    cluster.write(
        "hosts: { a-host-with-quite-a-long-name: { local: true } }\nnodes:\n  manager: { type: manager }\n  \
         proxy: { type: proxy, count: 1 }\n  \
         a-worker-with-a-name-that-is-long: { type: worker, interface: lo, count: 3 }\n",
    );
    for command in ["status", "nodes"] {
        let mut shell = Command::new("sh");
        let line = format!("stty rows 24 cols 80; {} {command}; echo en''d", env!("CARGO_BIN_EXE_clusterctl"));
        shell.args(["-c", &line]).current_dir(cluster.dir()).env("TERM", "xterm").env_remove("NO_COLOR");
        shell.env_remove("COLUMNS");
        let mut session = Session::spawn(shell).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(60)));
        let captures = session.expect("end").unwrap_or_else(|e| panic!("{command}: {e}"));
        let text = String::from_utf8_lossy(captures.before()).into_owned();
        assert!(text.contains('\u{1b}'), "no colour on a terminal: {text:?}");
        let plain = anstream::adapter::strip_str(&text).to_string();
        let mut rows = 0;
        // Progress redraws its line, and what is seen is what stands after the last return.
        for line in plain.split('\n').map(|l| l.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default()) {
            assert!(line.chars().count() <= 80, "{command}: {line}");
            rows += usize::from(line.contains("a-worker-with"));
        }
        assert!(rows >= 3, "{command}: {plain}");
    }
}

#[test]
fn in_bash() {
    complete("bash", &["--norc", "--noprofile", "-i"], "source <(COMPLETE=bash clusterctl)");
}

#[test]
fn in_zsh() {
    complete("zsh", &["-f", "-i"], "autoload -U compinit; compinit -u; source <(COMPLETE=zsh clusterctl)");
}

#[test]
fn in_fish() {
    complete("fish", &["--no-config", "-i"], "COMPLETE=fish clusterctl | source");
}
