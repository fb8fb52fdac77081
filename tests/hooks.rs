//! Programs on the operator's side that hear what a command is about to do, and what it has done.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::local::{LocalCluster, Said, said, wait_for};

/// Writes a program.
fn program(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\n{text}")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A cluster with hooks, in a folder of an odd name below which its description lies.
fn hooked(hooks: &str) -> LocalCluster {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("{text}hooks: {{ {hooks} }}\n")).unwrap();
    cluster
}

/// What a hook heard, in order.
fn heard(cluster: &LocalCluster) -> Vec<Value> {
    let text = std::fs::read_to_string(cluster.dir().join("heard")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const HEAR: &str = "{ cat; echo; } >>heard; env >env; printf '%s\\n' \"$@\" >args\n";

#[test]
fn each_command_that_changes_something_is_told_once() {
    let all = ["pre_deploy", "post_deploy", "pre_stop", "post_start"];
    let cluster = hooked(&all.map(|hook| format!("{hook}: [./hooks/hear, 'a b', '$(x)', ';']")).join(", "));
    program(&cluster.dir().join("hooks/hear"), HEAR);
    let told = || -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = heard(&cluster);
        let _ = std::fs::remove_file(cluster.dir().join("heard"));
        all.iter().map(|v| (text(&v["hook"]), text(&v["command"]), text(&v["result"]))).collect()
    };
    let is = |hook: &str, command: &str, result: &str| (hook.to_owned(), command.to_owned(), result.to_owned());
    // Nothing that only looks.
    for args in [&["diff"][..], &["deploy", "--dry-run"], &["layout", "--zeek-version", "8.0"], &["nodes"], &["check"]]
    {
        cluster.run(args).code(0);
    }
    cluster.run(&["status"]);
    assert_eq!(told(), []);
    let mut command = cluster.command(&["deploy", "--yes", "-v"]);
    command.env("A_SECRET", "hunter2");
    let deployed = said(command).code(0);
    assert!(deployed.stderr.contains("here: the hook pre_deploy: "), "{deployed:?}");
    let all = heard(&cluster);
    assert_eq!(told(), [is("pre_deploy", "deploy", ""), is("post_deploy", "deploy", "done")]);
    let node = |at: usize, name: &str| {
        all[at]["nodes"].as_array().unwrap().iter().find(|n| n["node"] == name).unwrap().clone()
    };
    assert_eq!((&node(0, "worker-1")["what"], &node(0, "worker-1")["ok"]), (&"start".into(), &Value::Null));
    assert_eq!((&node(1, "worker-1")["what"], &node(1, "worker-1")["ok"]), (&"ready".into(), &true.into()));
    assert_eq!(
        (&all[1]["cluster"], &all[1]["schema"], &all[1]["more_nodes"]),
        (&cluster.name().into(), &1.into(), &0.into())
    );
    assert!(all[1]["by"].as_str().unwrap().starts_with("tester@") && all[1]["release"].as_str().unwrap().len() == 12);
    // Its arguments are its own, and of the environment it has but what is fixed.
    let read = |name: &str| std::fs::read_to_string(cluster.dir().join(name)).unwrap();
    assert_eq!(read("args"), "a b\n$(x)\n;\n");
    let known = [
        "CLUSTERCTL_CLUSTER",
        "CLUSTERCTL_COMMAND",
        "CLUSTERCTL_HOOK",
        "CLUSTERCTL_RESULT",
        "HOME",
        "LC_ALL",
        "PATH",
        "PWD",
        "USER",
    ];
    let shells = ["OLDPWD", "SHLVL", "_", "LOGNAME"];
    let names: Vec<String> = read("env").lines().filter_map(|l| Some(l.split_once('=')?.0.to_owned())).collect();
    assert!(names.iter().all(|n| known.contains(&n.as_str()) || shells.contains(&n.as_str())), "{names:?}");
    assert!(read("env").contains("CLUSTERCTL_RESULT=done\n"));
    // A deploy with nothing to do changes nothing.
    cluster.run(&["deploy", "--yes"]).code(0);
    assert_eq!(told(), []);
    cluster.run(&["restart", "worker-1"]).code(0);
    assert_eq!(told(), [is("pre_stop", "restart", ""), is("post_start", "restart", "done")]);
    cluster.run(&["stop"]).code(0);
    assert_eq!(told(), [is("pre_stop", "stop", "")]);
    cluster.run(&["start"]).code(0);
    assert_eq!(told(), [is("post_start", "start", "done")]);
}

#[test]
fn a_hook_that_fails_before_ends_the_command_and_one_after_is_told() {
    let cluster = hooked("pre_deploy: ./before, pre_stop: [./before], post_deploy: ./after");
    program(&cluster.dir().join("after"), "echo 'no such room' >&2; exit 7\n");
    let fails = |text: &str, args: &[&str], why: &str| -> Said {
        program(&cluster.dir().join("before"), text);
        let said = cluster.run(args).code(1);
        assert!(said.stderr.contains(why), "{why}: {said:?}");
        said
    };
    let deploy = ["deploy", "--yes"];
    let said = fails(
        "echo one; printf 'not today\\033[2J\\n' >&2; exit 3\n",
        &deploy,
        "the hook pre_deploy failed; nothing changed",
    );
    assert!(
        said.stderr.contains("./before: exit status: 3") && said.stderr.contains(r"not today\u{1b}[2J"),
        "{said:?}"
    );
    assert!(!cluster.kept("").exists());
    // It floods, or reads nothing of what it is told.
    fails("exec </dev/null; yes | head -n 1000000; exit 1\n", &deploy, "exit status: 1");
    std::fs::remove_file(cluster.dir().join("before")).unwrap();
    let said = cluster.run(&deploy).code(1);
    assert!(said.stderr.contains("the hook pre_deploy failed") && !cluster.kept("").exists(), "{said:?}");
    // What it leaves running, with its output open, keeps nobody waiting.
    program(&cluster.dir().join("before"), "sleep 600 & echo $! >left\n");
    let said = cluster.run(&deploy).code(0);
    assert!(said.stderr.contains("the hook post_deploy failed: ./after: exit status: 7\n  no such room"), "{said:?}");
    let left = std::fs::read_to_string(cluster.dir().join("left")).unwrap();
    Command::new("kill").arg(left.trim()).status().unwrap();
    fails("exit 1\n", &["stop"], "the hook pre_stop failed");
    assert_eq!(cluster.row("worker-1")["state"], "running");
    fails("exit 1\n", &["restart"], "the hook pre_stop failed");
    // The cluster is stopped at the end of the test.
    program(&cluster.dir().join("before"), "");
}

#[test]
fn an_interrupt_ends_a_hook_and_the_command_before_anything_changes() {
    let cluster = hooked("pre_deploy: ./before");
    program(&cluster.dir().join("before"), "echo $$ >pid.new; mv pid.new pid; sleep 600 & wait\n");
    let mut command = cluster.command(&["deploy", "--yes"]);
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    let pid =
        wait_for("the hook", || std::fs::read_to_string(cluster.dir().join("pid")).ok()?.trim().parse::<u64>().ok());
    crate::support::local::kill("INT", child.id().into());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_for("its end", || crate::support::local::gone(pid).then_some(()));
    assert!(!cluster.kept("").exists());
}

/// The examples, with stand-ins for the programs that they call.
#[test]
fn the_examples_tell_by_mail_and_chat() {
    let cluster = hooked("post_deploy: [./hooks/mail, noc@example.org], pre_deploy: [./hooks/chat, ./hooks/chat.conf]");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hooks");
    let hooks = cluster.dir().join("hooks");
    std::fs::create_dir(&hooks).unwrap();
    for name in ["mail", "chat"] {
        std::fs::copy(examples.join(name), hooks.join(name)).unwrap();
    }
    std::fs::write(hooks.join("chat.conf"), "url = \"https://chat.example.org/hook/s3cret\"\n").unwrap();
    let bin = cluster.dir().join("bin");
    for name in ["sendmail", "curl"] {
        program(
            &bin.join(name),
            &format!("cd \"${{0%/*}}\"; printf '%s\\n' \"$@\" >{name}.args; exec cat >{name}.in\n"),
        );
    }
    let mut command = cluster.command(&["deploy", "--yes"]);
    command.env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
    let said = said(command).code(0);
    assert!(!said.stderr.contains("hook"), "{said:?}");
    let read = |name: &str| std::fs::read_to_string(bin.join(name)).unwrap();
    let (head, body) = read("sendmail.in").split_once("\n\n").map(|(h, b)| (h.to_owned(), b.to_owned())).unwrap();
    let subject = format!("To: noc@example.org\nSubject: [clusterctl] {}: deploy: done\n", cluster.name());
    assert!(head.starts_with(&subject), "{head}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["result"], "done");
    assert_eq!(read("sendmail.args"), "-i\n-t\n");
    let chat: Value = serde_json::from_str(&read("curl.in")).unwrap();
    assert_eq!(chat["text"], format!("{}: deploy: begins", cluster.name()));
    assert!(read("curl.args").contains("--config\n./hooks/chat.conf\n") && !read("curl.args").contains("s3cret"));
}
