//! The scripts that run on hosts, each whole, as it is sent or lies in a release.

mod cases;
mod shells;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use clusterctl::scripts;

/// A script with what stands before it, comments included: shellcheck's directives are comments.
fn whole(name: &str, text: &str) -> String {
    if name.starts_with("RELEASE_") { text.to_owned() } else { [scripts::PRELUDE, text].concat() }
}

/// A variable that a script uses is set in it, and so on: <https://www.shellcheck.net>. All of them hold functions for
/// others as well, which they do not call (SC2317, in newer versions SC2329).
#[test]
fn shellcheck_finds_nothing() {
    let lacking = Command::new("shellcheck").arg("--version").output().is_err();
    if crate::support::lacks("no shellcheck", "install shellcheck", lacking) {
        return;
    }
    let mut found = String::new();
    for (name, text) in scripts::ALL {
        let mut child = Command::new("shellcheck")
            .args(["-s", "sh", "-e", "SC2317,SC2329", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(whole(name, text).as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        if !output.status.success() {
            found += &format!("== {name}\n{}", String::from_utf8_lossy(&output.stdout));
        }
    }
    assert!(found.is_empty(), "{found}");
}

/// The functions that a script defines.
fn defined(text: &str) -> BTreeSet<&str> {
    text.lines().filter_map(|line| line.trim_start().split_once("() {").map(|(name, _)| name)).collect()
}

/// The words at the places of commands, roughly: what stands in quotes may be among them, what is a command is.
fn commands(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    // What stands in arithmetic is none.
    let text = text.split("$((").enumerate().map(|(n, part)| match part.split_once("))") {
        Some((_, rest)) if n > 0 => rest,
        _ => part,
    });
    let text: String = text.collect();
    for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with('#')) {
        let mut at_command = true;
        for word in line.replace("$(", ";").split_inclusive([' ', ';', '&', '|']) {
            let bare = word.trim_start_matches('(').trim_end_matches([' ', ';', '&', '|', ')']);
            if at_command && !bare.is_empty() {
                all.insert(bare.to_owned());
            }
            at_command = ["!", "{", "if", "while", "until", "then", "do", "else", "elif"].contains(&bare)
                || word.ends_with([';', '&', '|'])
                || word.trim_end().ends_with(')')
                || (bare.is_empty() && at_command);
        }
    }
    all
}

/// No shell tells before it comes there that a function is not defined, nor does shellcheck.
#[test]
fn each_script_has_the_functions_that_it_calls() {
    let known: BTreeSet<&str> = scripts::ALL.iter().flat_map(|(_, text)| defined(text)).collect();
    for (name, text) in scripts::ALL {
        let own = defined(text);
        let lacks: Vec<_> =
            commands(text).into_iter().filter(|word| known.contains(&**word) && !own.contains(&**word)).collect();
        assert!(lacks.is_empty(), "{name} calls {lacks:?}, which no part of it defines");
    }
    // It does find calls.
    assert!(commands(scripts::STOP).contains("node_alive") && commands(scripts::RELEASE).contains("manifest"));
}
