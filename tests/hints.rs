//! What a message says to run is accepted in the state in which it is said: every command that stands in an output is
//! run, and what it says is followed in turn.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use clusterctl::cli;

use crate::support::local::{LocalCluster, Said, kill, said, wait_for};

/// Returns the commands that a text names, without `clusterctl` itself; `ran` is the command that said it, to which
/// options belong that are named alone.
fn commands(text: &str, ran: &[&str]) -> Vec<Vec<String>> {
    // A pipe has no width, so each hint is a line.
    text.lines().flat_map(|line| of_line(line.trim(), ran)).fold(Vec::new(), |mut all, command| {
        if !all.contains(&command) {
            all.push(command);
        }
        all
    })
}

fn of_line(text: &str, ran: &[&str]) -> Vec<Vec<String>> {
    let verbs: Vec<String> = cli::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let mut all = Vec::new();
    // What an argument looks like: an option and its value, a host, a node, a release, `secrets rotate`.
    let is_argument = |word: &str, last: &str| {
        word.starts_with(['-', '@'])
            || word.contains("-1")
            || word.contains("-2")
            || word == "manager"
            || word == "rotate"
            || (last == "rollback" && word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    for (at, _) in text.match_indices("clusterctl ") {
        let mut command: Vec<String> = Vec::new();
        for word in text[at + "clusterctl ".len()..].split(' ') {
            let bare = word.trim_end_matches(['`', ',', ';', '.', ')']);
            let wanted = match command.last() {
                None => verbs.iter().any(|verb| verb == bare),
                Some(last) => is_argument(bare, last),
            };
            if !wanted {
                break;
            }
            command.push(bare.to_owned());
            if bare.len() < word.len() {
                break;
            }
        }
        if !command.is_empty() {
            all.push(command);
        }
    }
    if let Some(line) = text.strip_prefix("hint: ").filter(|line| !line.contains("clusterctl ")) {
        let mut words = line.split(' ').map(|word| word.trim_end_matches(['`', ',', ';', '.', ')'])).peekable();
        while let Some(word) = words.next() {
            if !["--skip", "--yes", "--accept-backend-change"].contains(&word) {
                continue;
            }
            let value = words.peek().filter(|value| value.starts_with('@')).map(|value| (*value).to_owned());
            all.push(ran.iter().map(|arg| (*arg).to_owned()).chain([word.to_owned()]).chain(value).collect());
        }
    }
    all
}

/// Follows what was said until nothing more is; each command has to do something that it was told for.
#[track_caller]
fn follow(cluster: &LocalCluster, ran: &[&str], said: &Said, wanted: &[&str]) {
    let found = commands(&format!("{}\n{}", said.stdout, said.stderr), ran);
    let found: Vec<String> = found.iter().map(|command| command.join(" ")).collect();
    for wanted in wanted {
        assert!(found.iter().any(|command| command == wanted), "{wanted} is not among {found:?}: {said:#?}");
    }
    for command in &found {
        // It would change this machine's timers, and depends on what it has.
        if command == "maintain --install" {
            continue;
        }
        let mut args: Vec<&str> = command.split(' ').collect();
        if ["deploy", "rollback", "resume", "secrets"].contains(&args[0]) {
            args.push("--dry-run");
        }
        let then = cluster.run(&args);
        let text = format!("{}{}", then.stdout, then.stderr);
        // What asks first says how it is answered without a terminal.
        if then.code == 2 && args[0] == "unlock" {
            follow(cluster, &args, &then, &[&format!("{command} --yes")]);
            continue;
        }
        assert!(
            matches!(then.code, 0 | 4 | 5),
            "`{command}` was said and is refused ({}): {text}\nafter {said:#?}",
            then.code
        );
    }
}

/// Runs a command, asserts its exit code, and follows what it says, which is at least that.
#[track_caller]
fn says(cluster: &LocalCluster, args: &[&str], code: i32, wanted: &[&str]) {
    let said = cluster.run(args).code(code);
    follow(cluster, args, &said, wanted);
}

fn edit(cluster: &LocalCluster, from: &str, to: &str) {
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    std::fs::write(&file, text.replace(from, to)).unwrap();
}

fn conduct(cluster: &LocalCluster, text: &str) {
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), format!("packets=1000\n{text}")).unwrap();
}

#[test]
fn where_nothing_was_ever_deployed() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    says(&cluster, &["status"], 5, &["deploy"]);
    says(&cluster, &["start"], 1, &["deploy"]);
    says(&cluster, &["restart", "worker-1"], 1, &["deploy"]);
    says(&cluster, &["maintain"], 0, &[]);
    let said = cluster.run(&["rollback", "--yes"]);
    follow(&cluster, &["rollback", "--yes"], &said, &["deploy"]);
}

#[test]
fn a_hint_means_the_description_that_was_named() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    std::fs::rename(cluster.dir().join("cluster.yaml"), cluster.dir().join("our corp.yaml")).unwrap();
    let status = cluster.run(&["-f", "our corp.yaml", "status"]).code(5);
    assert!(status.stdout.contains(" -> clusterctl -f 'our corp.yaml' deploy\n"), "{status:?}");
    let start = cluster.run(&["start", "--file=our corp.yaml"]).code(1);
    assert!(start.stderr.contains("run `clusterctl -f 'our corp.yaml' deploy`"), "{start:?}");
    // In JSON as well.
    let status = cluster.run(&["-f", "our corp.yaml", "status", "-o", "json"]).code(5).json();
    let hints: Vec<&str> =
        status["data"]["troubles"].as_array().unwrap().iter().filter_map(|trouble| trouble["hint"].as_str()).collect();
    assert!(hints.contains(&"clusterctl -f 'our corp.yaml' deploy"), "{status}");
    let start = cluster.run(&["start", "--file=our corp.yaml", "-o", "json"]).code(1).json();
    assert_eq!(start["data"]["hints"][0], "run `clusterctl -f 'our corp.yaml' deploy`", "{start}");
    // Where the environment names it, it does for the next command too.
    let mut command = cluster.command(&["start"]);
    command.env("CLUSTERCTL_FILE", "our corp.yaml");
    let start = said(command);
    assert!(start.stderr.contains("run `clusterctl deploy`"), "{start:?}");
}

#[test]
fn where_a_first_deploy_failed_or_was_cut_off() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    conduct(&cluster, "die_at_start=no\n");
    says(&cluster, &["deploy", "--yes"], 1, &[]);
    says(&cluster, &["status"], 5, &["deploy"]);
    says(&cluster, &["start"], 1, &["deploy"]);
    conduct(&cluster, "ready_ms=60000\n");
    cut_off(&cluster);
    conduct(&cluster, "");
    // Nothing ran before, so there is no way back.
    says(&cluster, &["status"], 5, &["deploy", "stop"]);
    let said = cluster.run(&["maintain"]);
    follow(&cluster, &["maintain"], &said, &[]);
}

/// A deploy that is killed while its nodes start.
fn cut_off(cluster: &LocalCluster) {
    let mut command = cluster.command(&["deploy", "--yes"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let journal = || std::fs::read_to_string(cluster.kept("journal")).unwrap_or_default();
    wait_for("the deploy to stop nodes", || journal().contains("did stop").then_some(()));
    kill("KILL", child.id().into());
    child.wait().unwrap();
    wait_for("its lock to go", || (!cluster.kept("lock").exists()).then_some(()));
}

#[test]
fn where_nodes_are_stopped_new_or_alone() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.run(&["stop", "workers"]).code(0);
    // One line for both, and both are started.
    says(&cluster, &["status"], 5, &["start worker-1 worker-2"]);
    cluster.settled();
    let supervisor = std::fs::read_to_string(cluster.kept("nodes/worker-1/supervisor")).unwrap();
    kill("KILL", supervisor.split_whitespace().nth(2).unwrap().parse().unwrap());
    says(&cluster, &["status"], 5, &["restart worker-1"]);
    cluster.settled();
    edit(&cluster, "count: 2", "count: 3");
    says(&cluster, &["start", "worker-3"], 1, &["deploy"]);
    says(&cluster, &["status"], 5, &["deploy"]);
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.run(&["rollback", "--yes"]).code(0);
    let said = cluster.run(&["rollback", "--yes"]);
    let found = commands(&said.stderr, &["rollback"]);
    assert!(said.code == 0 || found.iter().any(|c| c[0] == "rollback" && c.len() == 2), "{said:?}");
    follow(&cluster, &["rollback", "--yes"], &said, &[]);
    says(&cluster, &["status", "worker-3"], 5, &["deploy"]);
}

#[test]
fn where_another_operation_works_or_was_cut_off() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    edit(&cluster, "interface: lo", "interface: lo, env: { A: b }");
    conduct(&cluster, "ready_ms=60000\n");
    let mut command = cluster.command(&["deploy", "--yes"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the lock", || cluster.kept("lock").exists().then_some(()));
    says(&cluster, &["stop"], 6, &["unlock @here"]);
    kill("KILL", child.id().into());
    child.wait().unwrap();
    cut_off(&cluster);
    conduct(&cluster, "");
    says(&cluster, &["status"], 5, &["deploy", "rollback"]);
    let said = cluster.run(&["maintain"]);
    follow(&cluster, &["maintain"], &said, &[]);
}

#[test]
fn where_a_backend_changes_or_a_host_is_away() {
    let cluster = LocalCluster::new();
    std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), "packets=1000\nversion=8.2.2\n").unwrap();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    edit(&cluster, "backend: broker", "backend: zeromq, curve: on");
    let no_terminal = ["deploy", "--yes"];
    says(&cluster, &no_terminal, 1, &["deploy --yes --accept-backend-change"]);
    says(&cluster, &["secrets", "rotate", "--yes"], 1, &["deploy --accept-backend-change"]);
    cluster.run(&["deploy", "--yes", "--accept-backend-change"]).code(0);
    // Nobody listens there.
    let away = "hosts: { here: { local: true, address: 127.0.0.1 }, away: { address: 127.0.0.9, ssh: { port: 9 } } }";
    edit(&cluster, "hosts: { here: { local: true } }", away);
    edit(&cluster, "  worker:", "  far: { type: worker, host: away, interface: lo }\n  worker:");
    says(&cluster, &["deploy", "--yes"], 1, &["deploy --yes --skip @away"]);
    for args in [&["secrets", "rotate", "--yes"][..], &["check"], &["diff"]] {
        let said = cluster.run(args).code(1);
        assert!(said.stderr.contains("enabled: false") && !said.stderr.contains("--skip"), "{args:?}: {}", said.stderr);
    }
    edit(
        &cluster,
        "host: away, interface: lo }",
        "host: away, interface: lo }\n  proxy2: { type: proxy, host: away, first_index: 2 }",
    );
    for args in [&["check"][..], &["secrets", "rotate", "--yes"]] {
        let said = cluster.run(args).code(1);
        assert!(!said.stderr.contains("--skip"), "{args:?}: {}", said.stderr);
    }
}

/// What is said to write is accepted, and moves the port.
#[test]
fn where_a_port_is_taken_the_setting_that_moves_it_is_named() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    edit(&cluster, "metrics: { listen: off }", "metrics: { listen: loopback }");
    let text = std::fs::read_to_string(cluster.dir().join("cluster.yaml")).unwrap();
    let base: u16 = text.split("base: ").nth(2).unwrap().split(',').next().unwrap().parse().unwrap();
    edit(&cluster, &format!("base: {base},"), &format!("base: {base}, metrics: {},", base + 20));
    let nodes = cluster.run(&["nodes", "-o", "json"]).json();
    let of = |node: &str, key: &str| {
        let rows = nodes["data"].as_array().unwrap().clone();
        let row = rows.into_iter().find(|row| row["node"] == node).unwrap();
        u16::try_from(row[key].as_u64().unwrap()).unwrap()
    };
    for (node, key, group) in [("manager", "port", "type: manager"), ("proxy-1", "metrics_port", "type: proxy")] {
        let port = of(node, key);
        let held = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let said = cluster.run(&["deploy", "--yes"]).code(1);
        assert!(said.stderr.contains(&format!("or write another `{key}`\n")), "{}", said.stderr);
        edit(&cluster, group, &format!("{group}, {key}: {}", base + 90 + port % 7));
        cluster.run(&["deploy", "--yes"]).code(0);
        drop(held);
        cluster.run(&["stop"]).code(0);
    }
    let control = text.split("control: ").nth(1).unwrap().split(' ').next().unwrap();
    let _held = TcpListener::bind(("127.0.0.1", control.parse::<u16>().unwrap())).unwrap();
    let said = cluster.run(&["deploy", "--yes"]);
    assert!(said.code == 0 || said.stderr.contains("or write another `ports.control`\n"), "{}", said.stderr);
}

/// Each command that the code, the scripts for hosts or the documentation names is one that there is.
#[test]
fn every_command_that_is_named_exists() {
    fn texts(dir: &Path, all: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                texts(&path, all);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                all.push((path.display().to_string(), text));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for dir in ["src", "templates"] {
        texts(&root.join(dir), &mut all);
    }
    all.push(("README.md".to_owned(), std::fs::read_to_string(root.join("README.md")).unwrap()));
    let definition = cli::command();
    for (file, text) in all {
        for (at, _) in text.match_indices("`clusterctl ") {
            let command = text[at + 1..].split('`').next().unwrap_or_default();
            let Some(verb) =
                command.split_whitespace().nth(1).filter(|verb| verb.bytes().all(|b| b.is_ascii_lowercase()))
            else {
                continue;
            };
            let Some(known) = definition.get_subcommands().find(|c| c.get_name() == verb) else {
                panic!("{file} names `{command}`, which there is not");
            };
            for option in command.split_whitespace().filter_map(|word| word.strip_prefix("--")) {
                let of = |command: &clap::Command| command.get_arguments().any(|a| a.get_long() == Some(option));
                let nested = known.get_subcommands().any(of);
                assert!(
                    of(known) || of(&definition) || nested,
                    "{file} names `{command}`, and --{option} is not there"
                );
            }
        }
    }
}
