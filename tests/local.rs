//! clusterctl on zeek-sims over loopback: without SSH, and through a real sshd.

mod faults;
mod rolling;

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::local::{LocalCluster, clusterctl, gone, kill, masters, said, wait_for};
use crate::support::sshd::{self, Sshd};
use crate::support::transcript::Transcript;

#[test]
fn deploy_status_stop() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let deployed = cluster.run(&["deploy"]).code(0);
    assert!(deployed.stdout.contains("4 nodes touched, all as planned"), "{}", deployed.stdout);
    let status = cluster.settled();
    assert_eq!(status["workers"], json!({"described": 2, "running": 2, "answering": 2, "counted": 2}));
    let again = cluster.run(&["deploy"]).code(0);
    assert!(again.stdout.starts_with("nothing to do"), "{}", again.stdout);
    // Start data may hold secrets.
    let mode = std::fs::metadata(cluster.kept("current/start/worker-1")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    cluster.run(&["stop"]).code(0);
    assert_eq!(cluster.row("worker-1")["state"], "stopped");
    // Healing is for what crashed: a plan says why it starts what was stopped.
    let plan = cluster.run(&["diff"]).code(0);
    assert!(plan.stdout.contains("because it is not running"), "{}", plan.stdout);
}

#[test]
fn a_plan_names_files_lines_and_nodes() {
    let cluster = LocalCluster::new();
    std::fs::create_dir(cluster.dir().join("site")).unwrap();
    std::fs::write(cluster.dir().join("site/local.zeek"), "# one\n").unwrap();
    std::fs::write(cluster.dir().join("site/odd name.zeek"), "# two").unwrap();
    std::fs::write(cluster.dir().join("token"), "opensesame-4711\n").unwrap();
    let write = |worker: &str| {
        cluster.write_local(worker);
        let file = cluster.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("scripts: []", "scripts: [local], site: ./site")).unwrap();
    };
    write("");
    cluster.run(&["deploy"]).code(0);
    let seen = Transcript::default();
    seen.run(&cluster, &["diff", "--exit-code"]).code(0);

    std::fs::write(cluster.dir().join("site/local.zeek"), "# one\n# more\n").unwrap();
    std::fs::write(cluster.dir().join("site/odd name.zeek"), "# two\n").unwrap();
    seen.run(&cluster, &["diff"]).code(0);
    cluster.run(&["diff", "--exit-code"]).code(5);
    let plan = cluster.run(&["diff", "--exit-code", "-o", "json"]).code(5).json();
    assert_eq!((&plan["schema"], &plan["kind"]), (&json!(1), &json!("plan")));
    let files = plan["data"]["files"].as_array().unwrap();
    let local = files.iter().find(|f| f["paths"] == json!(["site/local.zeek"])).unwrap();
    assert_eq!((&local["old_bytes"], &local["new_bytes"], &local["hosts"]), (&json!(6), &json!(13), &json!(["here"])));
    // A deploy shows the same before it acts.
    seen.run(&cluster, &["deploy"]).code(0);

    // Of settings only the kind is told, and nobody's text but ours is compared.
    write(", env: { TOKEN: { file: token } }");
    std::fs::write(cluster.dir().join("site/local.zeek"), "# other\n").unwrap();
    let current = cluster.kept("current/site/local.zeek");
    std::fs::set_permissions(&current, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(current, "# by hand\n").unwrap();
    // A file that somebody has changed is compared as it is now.
    let plan = seen.run(&cluster, &["diff"]).code(0);
    assert!(!plan.stdout.contains("opensesame"), "{}", plan.stdout);
    insta::assert_snapshot!(seen.take());
}

#[test]
fn values_are_printed_and_every_node_has_its_row() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    cluster.settled();
    let said = cluster.run(&["print", "Cluster::manager_is_logger"]).code(0);
    assert_eq!(said.stdout, "manager   T\nproxy-1   T\nworker-1  T\nworker-2  T\n");
    let nodes = cluster.run(&["print", "Cluster::nodes", "worker-1", "-o", "json"]).code(0).json();
    let rows = nodes["data"]["nodes"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["node"], &rows[0]["reason"]), (1, &json!("worker-1"), &json!(null)));
    assert!(rows[0]["value"].as_str().unwrap().contains("worker-2"), "{nodes}");
    let unknown = cluster.run(&["print", "No::such", "worker-1"]).code(1);
    assert!(unknown.stdout.contains("there is no `No::such`"), "{}", unknown.stdout);
    assert!(cluster.run(&["print", "1 + 1"]).code(2).stderr.contains("not an identifier"));

    cluster.run(&["stop", "worker-1"]).code(0);
    std::fs::write(cluster.kept("nodes/worker-2/zeek-sim.conf"), "never_answer=1\n").unwrap();
    let said = cluster.run(&["print", "Cluster::manager_is_logger"]).code(4);
    let want = "worker-1  - (stopped)\nworker-2  - (no reply within 5s)\nmanager   T\nproxy-1   T\n";
    assert_eq!(said.stdout, want);

    cluster.run(&["stop", "manager"]).code(0);
    let said = cluster.run(&["print", "Cluster::manager_is_logger"]).code(1);
    assert!(said.stderr.contains("could not be asked: the manager is not running"), "{}", said.stderr);
    assert!(
        said.stdout.contains("manager   - (stopped)\n") && said.stdout.contains("proxy-1   - (not asked)\n"),
        "{}",
        said.stdout
    );
}

#[test]
fn print_without_the_managers_host_says_what_hosts_know() {
    let cluster = LocalCluster::new();
    cluster.write(
        "hosts: { gone: { address: 127.0.0.1, ssh: { port: 1 } }, here: { address: 127.0.0.2, local: true } }\nnodes:\n  \
         manager: { type: manager, host: gone }\n  proxy: { type: proxy, host: here, count: 1 }\n  \
         worker: { type: worker, host: here, count: 1, interface: lo }\n",
    );
    let said = cluster.run(&["print", "Cluster::nodes"]).code(1);
    assert!(said.stderr.contains("the manager's host gone cannot be reached: "), "{}", said.stderr);
    assert!(said.stdout.contains("worker-1  - (stopped (not deployed yet))\n"), "{}", said.stdout);
    assert!(said.stdout.contains("manager   - (unknown ("), "{}", said.stdout);
}

#[test]
fn doctor_looks_at_every_host_and_changes_nothing() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let seen = Transcript::default();
    seen.run(&cluster, &["doctor"]).code(0);
    assert!(!cluster.kept("").exists());
    cluster.run(&["deploy"]).code(0);
    // Ports of its own nodes are no trouble.
    cluster.run(&["doctor"]).code(0);
    cluster.run(&["stop"]).code(0);
    let nodes = cluster.run(&["nodes", "manager", "-o", "json"]).code(0).json();
    let port = nodes["data"][0]["port"].as_u64().unwrap();
    let held = std::net::TcpListener::bind(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("interface: lo", "interface: nope0")).unwrap();
    seen.run(&cluster, &["doctor"]).code(5);
    let json = cluster.run(&["doctor", "-o", "json"]).code(5).json();
    assert_eq!(json["data"]["hosts"][0]["host"], "here");
    drop(held);
    // A host that can't be asked hides no other.
    cluster.write(
        "hosts: { gone: { address: 127.0.0.1, ssh: { port: 1 } }, here: { address: 127.0.0.2, local: true } }\nnodes:\n  \
         manager: { type: manager, host: here }\n  proxy: { type: proxy, host: here, count: 1 }\n  \
         worker: { type: worker, host: gone, count: 1, interface: lo }\n",
    );
    seen.run(&cluster, &["doctor"]).code(5);
    insta::assert_snapshot!(seen.take());
}

/// Runs the whole way with another `sh`, and with other tools where `tools` names them.
fn the_whole_way_under(shell: &str, tools: &[&str]) {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let bin = cluster.dir().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let find = |name: &str| {
        let path = std::env::var("PATH").unwrap();
        let found = path.split(':').map(|d| std::path::Path::new(d).join(name)).find(|f| f.exists());
        found.unwrap_or_else(|| panic!("{name} is missing: tests/run.sh installs it"))
    };
    std::os::unix::fs::symlink(find(shell), bin.join("sh")).unwrap();
    for tool in tools {
        std::os::unix::fs::symlink(find(shell), bin.join(tool)).unwrap();
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let run = |args: &[&str], code: i32| {
        let mut command = cluster.command(args);
        command.env("PATH", &path);
        said(command).code(code)
    };
    run(&["deploy"], 0);
    wait_for("a status without trouble", || {
        let mut command = cluster.command(&["status", "-o", "json"]);
        command.env("PATH", &path);
        let said = said(command);
        (said.code == 0).then_some(())
    });
    cluster.write_local(", env: { MORE: \"it's a $HOME `test`\" }");
    run(&["deploy"], 0);
    let pid = cluster.pid("worker-1");
    let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert!(String::from_utf8_lossy(&environ).contains("MORE=it's a $HOME `test`"));
    kill("KILL", pid);
    wait_for("a new process", || {
        let row = cluster.row("worker-1");
        (row["state"] == "running" && row["pid"] != pid).then_some(())
    });
    run(&["check"], 0);
    let stopped = run(&["stop"], 0);
    assert!(stopped.stdout.contains("4 nodes stopped: "), "{}", stopped.stdout);
}

#[test]
fn under_dash() {
    the_whole_way_under("dash", &[]);
}

#[test]
fn under_bash() {
    the_whole_way_under("bash", &[]);
}

#[test]
fn under_busybox_with_its_own_tools() {
    let tools = [
        "dd",
        "tar",
        "sha256sum",
        "sort",
        "find",
        "stat",
        "sleep",
        "tail",
        "head",
        "tr",
        "cp",
        "mv",
        "rm",
        "mkdir",
        "ln",
        "cat",
        "date",
        "df",
        "id",
        "grep",
        "setsid",
        "timeout",
        "rmdir",
        "kill",
    ];
    the_whole_way_under("busybox", &tools);
}

#[test]
fn nothing_deployed_is_said() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("not deployed yet"), "{}", status.stdout);
    let start = cluster.run(&["start"]).code(1);
    assert!(start.stderr.contains("run `clusterctl deploy`"), "{}", start.stderr);
}

#[test]
fn a_node_that_dies_at_start_is_told_with_its_last_words_and_undone() {
    let cluster = LocalCluster::new();
    cluster.write_local(", env: { ZEEK_SIM_DIE_AT_START: 'fatal error: out of cheese' }");
    let deployed = cluster.run(&["deploy"]).code(1);
    assert!(deployed.stdout.contains("ended at start (exit 1)"), "{}", deployed.stdout);
    assert!(deployed.stderr.contains("out of cheese"), "{}", deployed.stderr);
    assert!(deployed.stdout.contains("first deploy failed"), "{}", deployed.stdout);
    let status = cluster.status();
    for row in status["nodes"].as_array().unwrap() {
        assert_eq!(row["pid"], json!(null), "{row}");
    }
    assert!(!cluster.kept("current").exists());
}

#[test]
fn a_further_node_that_dies_at_start_leaves_the_others_alone() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    cluster.settled();
    let pid = cluster.pid("worker-1");
    let text = std::fs::read_to_string(cluster.dir().join("cluster.yaml")).unwrap();
    let bad = "  bad: { type: worker, host: here, first_index: 9, interface: lo, env: { ZEEK_SIM_DIE_AT_START: 'fatal error: no' } }\n";
    std::fs::write(cluster.dir().join("cluster.yaml"), format!("{text}{bad}")).unwrap();
    let said = cluster.run(&["deploy", "--yes", "--no-restart"]).code(1);
    assert!(
        said.stdout.contains("went back: the nodes that it started are stopped, the others kept running"),
        "{said:?}"
    );
    assert_eq!(cluster.pid("worker-1"), pid);
}

#[test]
fn a_node_that_ignores_sigterm_is_killed_and_that_is_said() {
    let cluster = LocalCluster::new();
    cluster.write_local(", env: { ZEEK_SIM_IGNORE_SIGTERM: '1' }");
    cluster.run(&["deploy"]).code(0);
    let stopped = cluster.run(&["stop", "worker-1"]).code(0);
    assert!(stopped.stdout.contains("killed: it did not stop after SIGTERM"), "{}", stopped.stdout);
    assert_eq!(cluster.row("worker-1")["state"], "stopped");
    assert_eq!(cluster.row("worker-2")["state"], "running");
}

#[test]
fn a_crash_heals_itself_and_a_dead_supervisor_is_told() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    cluster.settled();
    let old = cluster.pid("worker-2");
    kill("KILL", old);
    wait_for("a new process", || {
        let row = cluster.row("worker-2");
        (row["state"] == "running" && row["pid"] != old && row["restarts"] == 1).then_some(())
    });
    let supervisor = std::fs::read_to_string(cluster.kept("nodes/worker-1/supervisor")).unwrap();
    let supervisor: u64 = supervisor.split_whitespace().nth(2).unwrap().parse().unwrap();
    let pid = cluster.pid("worker-1");
    kill("KILL", supervisor);
    let row = wait_for("the loss to be seen", || {
        let row = cluster.row("worker-1");
        (row["detail"] == "unsupervised").then_some(row)
    });
    assert_eq!((&row["state"], &row["pid"]), (&json!("running"), &json!(pid)));
    cluster.run(&["restart", "worker-1"]).code(0);
    assert_eq!(cluster.row("worker-1")["detail"], json!(null));
}

#[test]
fn two_starts_at_once_give_one_node() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    cluster.run(&["stop", "worker-1"]).code(0);
    // The runner's own start, without the lock that would keep two commands apart.
    let release = std::fs::read_link(cluster.kept("current")).unwrap();
    let release = cluster.kept("").join(release);
    std::fs::remove_file(cluster.kept("nodes/worker-1/stop")).unwrap();
    let supervisors: Vec<_> = (0..4)
        .map(|_| {
            std::process::Command::new("sh")
                .arg(release.join("clusterctl/supervisor.sh"))
                .args([cluster.kept(""), cluster.kept("nodes/worker-1"), release.clone()])
                .arg("worker-1")
                .spawn()
                .unwrap()
        })
        .collect();
    wait_for("the node to run", || {
        let status = std::fs::read_to_string(cluster.kept("nodes/worker-1/.status")).unwrap_or_default();
        status.starts_with("RUNNING").then_some(())
    });
    let mut ended = 0;
    let mut supervisors = supervisors;
    wait_for("three supervisors to give way", || {
        ended += supervisors.iter_mut().filter_map(|s| s.try_wait().unwrap()).count();
        supervisors.retain_mut(|s| s.try_wait().unwrap().is_none());
        (supervisors.len() == 1).then_some(())
    });
    let pattern = format!("{}/bin/zeek .*-i lo", cluster.zeek().display());
    let output = std::process::Command::new("pgrep").args(["-f", &pattern]).output().unwrap();
    // worker-2 and one worker-1.
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 2);
    cluster.run(&["stop"]).code(0);
    for mut supervisor in supervisors {
        supervisor.wait().unwrap();
    }
}

#[test]
fn a_second_operation_finds_the_lock() {
    let cluster = LocalCluster::new();
    cluster.write_local(", env: { ZEEK_SIM_READY_MS: '4000' }");
    let mut first = cluster.command(&["deploy"]);
    let mut first = first.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    wait_for("the lock", || cluster.kept("lock").exists().then_some(()));
    let second = cluster.run(&["stop"]).code(6);
    assert!(second.stderr.contains("locked by another operation"), "{}", second.stderr);
    assert!(second.stderr.contains("tester@") && second.stderr.contains("deploy"), "{}", second.stderr);
    // Looking takes no lock.
    assert!(cluster.run(&["status"]).code(5).stdout.contains("deploy, since"));
    assert!(first.wait().unwrap().success());
    assert!(!cluster.kept("lock").exists() && !cluster.kept("journal").exists());
    cluster.run(&["stop"]).code(0);
}

#[test]
fn an_interrupted_deploy_frees_the_lock_and_leaves_its_journal() {
    let cluster = LocalCluster::new();
    cluster.write_local(", env: { ZEEK_SIM_READY_MS: '3000' }");
    let mut first = cluster.command(&["deploy"]);
    let mut first = first.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    wait_for("the release to be active", || cluster.kept("current").exists().then_some(()));
    kill("KILL", u64::from(first.id()));
    first.wait().unwrap();
    wait_for("the lock to go with its holder", || (!cluster.kept("lock").exists()).then_some(()));
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("unfinished operation"), "{}", status.stdout);
    // The next deploy finishes it.
    cluster.run(&["deploy"]).code(0);
    cluster.settled();
    assert!(!cluster.kept("journal").exists());
}

#[test]
fn a_replaced_binary_is_told_and_not_started() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    cluster.replace_zeek();
    assert_eq!(cluster.row("worker-1")["health"], "old binary");
    let old = cluster.pid("worker-1");
    let said = cluster.run(&["restart", "worker-1"]).code(1);
    assert!(said.stdout.contains("the Zeek binary is not the one"), "{}", said.stdout);
    assert_eq!(cluster.pid("worker-1"), old);
    kill("KILL", old);
    let row = wait_for("the runner to refuse it", || {
        let row = cluster.row("worker-1");
        (row["state"] == "failed").then_some(row)
    });
    assert!(row["detail"].as_str().unwrap().contains("not the one that this release was made for"), "{row}");
    let deployed = cluster.run(&["deploy"]).code(0);
    assert!(deployed.stderr.contains("because the Zeek binary changed"), "{}", deployed.stderr);
    cluster.settled();
}

#[test]
fn a_silent_node_keeps_its_row() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    cluster.settled();
    std::fs::write(cluster.kept("nodes/worker-1/zeek-sim.conf"), "never_answer=1\n").unwrap();
    std::fs::write(cluster.kept("nodes/worker-2/zeek-sim.conf"), "answer_rubbish=json\n").unwrap();
    let status = cluster.status();
    assert_eq!(status["workers"], json!({"described": 2, "running": 2, "answering": 0, "counted": 2}));
    assert_eq!(cluster.row("worker-1")["health"], "no reply");
    assert_eq!(cluster.row("worker-1")["state"], "running");
}

#[test]
fn secrets_reach_the_node_and_nothing_else() {
    let cluster = LocalCluster::new();
    std::fs::write(cluster.dir().join("token"), "opensesame-4711\n").unwrap();
    cluster.write_local(&format!(", env: {{ TOKEN: {{ file: {}/token }} }}", cluster.dir().display()));
    let mut all = String::new();
    for args in [&["diff"][..], &["deploy", "-o", "json"], &["status", "-o", "json"], &["diff", "-o", "json"]] {
        let said = cluster.run(args);
        all.push_str(&said.stdout);
        all.push_str(&said.stderr);
    }
    assert!(!all.contains("opensesame"), "{all}");
    let pid = cluster.pid("worker-1");
    let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert!(String::from_utf8_lossy(&environ).contains("TOKEN=opensesame-4711"));
    let cluster_json = std::fs::read_to_string(cluster.kept("current/cluster.json")).unwrap();
    assert!(!cluster_json.contains("opensesame"));
}

/// Hosts that are addresses of one sshd: each its own host to SSH, with a folder of its own.
fn ssh_cluster(sshd: &Sshd) -> LocalCluster {
    let cluster = LocalCluster::new();
    cluster.write(&format!(
        "ssh: {{ config: {}, port: {}, connect_timeout: 5s }}\n\
         hosts:\n  one: {{ address: 127.0.0.1 }}\n\
         nodes:\n  manager: {{ type: manager, host: one }}\n  proxy: {{ type: proxy, host: one, count: 1 }}\n  \
         worker: {{ type: worker, host: one, count: 2, interface: lo }}\n",
        sshd.ssh_config_path().display(),
        sshd.port(),
    ));
    cluster
}

#[test]
fn over_ssh_connections_stay_warm() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    let cluster = ssh_cluster(&sshd);
    cluster.run(&["deploy"]).code(0);
    let status = cluster.settled();
    assert_eq!(status["workers"]["answering"], 2);
    let masters = || masters(&cluster.dir().join("run/clusterctl"));
    let before = masters();
    assert_eq!(before.len(), 1, "{before:?}");
    cluster.run(&["status"]).code(0);
    assert_eq!(masters(), before);
    // A frozen master hangs nothing for ever: its answer is not waited for, and another is started.
    kill("STOP", before[0]);
    cluster.run(&["status", "--timeout", "15s"]).code(0);
    kill("CONT", before[0]);
    cluster.run(&["stop"]).code(0);
    for pid in masters() {
        kill("TERM", pid);
    }
}

#[test]
fn where_the_manager_cannot_be_asked_a_rolling_restart_takes_the_workers_word() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start_with(&["AllowTcpForwarding no"]);
    let cluster = ssh_cluster(&sshd);
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    cluster.run(&["deploy"]).code(0);
    let before = cluster.pid("worker-1");
    let text = text.replace("ready: 30s", "ready: 20s").replace("interface: lo", "interface: lo, env: { ROUND: '2' }");
    std::fs::write(&file, text).unwrap();
    let said = cluster.run(&["deploy", "--yes", "--max-unavailable", "1"]).code(0);
    assert!(said.stdout.contains("all as planned"), "{said:?}");
    assert!(said.stderr.contains("cannot ask the manager"), "{said:?}");
    assert_ne!(cluster.pid("worker-1"), before);
}

#[test]
fn an_unknown_host_key_is_refused_with_a_hint() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    let cluster = ssh_cluster(&sshd);
    let text = std::fs::read_to_string(cluster.dir().join("cluster.yaml")).unwrap();
    let known = cluster.dir().join("empty");
    std::fs::write(&known, "").unwrap();
    let text = text.replace("ssh: {", &format!("ssh: {{ known_hosts: {},", known.display()));
    std::fs::write(cluster.dir().join("cluster.yaml"), text).unwrap();
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("host key is known"), "{}", status.stdout);
    assert!(status.stdout.contains("unknown"), "{}", status.stdout);
    let deploy = cluster.run(&["deploy"]).code(1);
    assert!(deploy.stderr.contains("add it to known_hosts"), "{}", deploy.stderr);
}

#[test]
fn a_refused_connection_is_no_crash() {
    if sshd::is_missing() {
        return;
    }
    let cluster = {
        let sshd = Sshd::start();
        ssh_cluster(&sshd)
    };
    let status = cluster.run(&["status"]).code(5);
    assert!(status.stdout.contains("Connection refused"), "{}", status.stdout);
    let row = &cluster.status()["nodes"][0];
    assert_eq!(row["state"], "unknown");
}

#[test]
fn a_description_with_ten_mistakes_prints_ten_problems_and_connects_to_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/ten-mistakes.yaml");
    for args in [&["status"][..], &["deploy"], &["layout"], &["nodes"], &["check"]] {
        let mut command = clusterctl(dir.path());
        command.args(["-f", file]).args(args);
        let said = said(command).code(3);
        let places = said.stderr.lines().filter(|l| l.trim_start().starts_with("--> ")).count();
        assert_eq!(places, 10, "{}", said.stderr);
        assert!(said.stderr.contains("10 problems in the description; nothing was done"), "{}", said.stderr);
        // Not even the folder for connections was made.
        assert!(!dir.path().join("run/clusterctl").exists());
    }
}

#[test]
fn a_jump_host_and_few_sessions_are_enough() {
    if sshd::is_missing() {
        return;
    }
    // A session each for the lock and for one call at a time; what else is asked for has to wait.
    let sshd = Sshd::start_with(&["MaxSessions 2"]);
    let gate = Sshd::start();
    let cluster = ssh_cluster(&sshd);
    let keys = gate.ssh_config_path();
    let keys = keys.parent().unwrap().display();
    let config = cluster.dir().join("both");
    let text = format!(
        "Include {}\nHost gate\n  HostName 127.0.0.1\n  Port {}\n  IdentityFile {keys}/id\n  IdentitiesOnly yes\n  \
         UserKnownHostsFile {keys}/known_hosts\n  StrictHostKeyChecking yes\n",
        sshd.ssh_config_path().display(),
        gate.port(),
    );
    std::fs::write(&config, text).unwrap();
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let config = format!("ssh: {{ jump: gate, persist: 0s, config: {},", config.display());
    let text = text.replace(&format!("ssh: {{ config: {},", sshd.ssh_config_path().display()), &config);
    assert!(text.contains("jump: gate"));
    std::fs::write(&file, text).unwrap();
    cluster.run(&["deploy"]).code(0);
    cluster.settled();
    // Without `persist` no connection stays.
    wait_for("the connection to end", || {
        let pattern = cluster.dir().join("run/clusterctl").display().to_string();
        let output = std::process::Command::new("pgrep").args(["-f", &pattern]).output().unwrap();
        output.stdout.is_empty().then_some(())
    });
}

#[test]
fn old_releases_go_and_those_in_use_stay() {
    let cluster = LocalCluster::new();
    std::fs::create_dir(cluster.dir().join("site")).unwrap();
    let write = || {
        cluster.write_local("");
        let file = cluster.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace("scripts: []", "scripts: [], site: ./site, site_data: ['*.dat']");
        std::fs::write(&file, text).unwrap();
    };
    write();
    cluster.run(&["deploy"]).code(0);
    let first = std::fs::read_link(cluster.kept("current")).unwrap();
    let pid = cluster.pid("worker-1");
    for round in 0..7 {
        // Data restarts nothing, so the nodes go on running the first release.
        std::fs::write(cluster.dir().join("site/list.dat"), format!("{round}\n")).unwrap();
        let said = cluster.run(&["deploy"]).code(0);
        assert!(said.stdout.contains("no node had to restart"), "{}", said.stdout);
    }
    assert_eq!(cluster.pid("worker-1"), pid);
    assert_eq!(std::fs::read_to_string(cluster.kept("data/list.dat")).unwrap(), "6\n");
    assert!(cluster.kept("").join(&first).exists(), "the release that runs was deleted");
    let kept = std::fs::read_dir(cluster.kept("releases")).unwrap();
    let kept = kept.filter(|e| e.as_ref().unwrap().path().is_dir()).count();
    assert!((5..=7).contains(&kept), "{kept} releases are kept");
}

#[test]
fn files_changed_on_a_host_are_sent_anew() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    let options = cluster.kept("current/clusterctl/options.zeek");
    let good = std::fs::read_to_string(&options).unwrap();
    std::fs::write(&options, "# by hand\n").unwrap();
    cluster.write_local(", env: { MORE: x }");
    let said = cluster.run(&["deploy"]).code(0);
    assert!(said.stderr.contains("sending all files again"), "{}", said.stderr);
    assert_eq!(std::fs::read_to_string(&options).unwrap(), good);
}

#[test]
fn a_node_that_is_not_in_the_release_is_told_so() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("count: 2", "count: 3")).unwrap();
    let said = cluster.run(&["start", "worker-3"]).code(1);
    assert!(said.stdout.contains("not in the deployed release: run clusterctl deploy"), "{}", said.stdout);
}

#[test]
fn another_base_folder_does_not_start_nodes_twice() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("/base }", "/elsewhere }")).unwrap();
    let said = cluster.run(&["deploy"]).code(1);
    assert!(said.stderr.contains("from another folder"), "{}", said.stderr);
    std::fs::write(&file, text).unwrap();
    cluster.settled();
}

#[test]
fn nodes_whose_folder_was_removed_are_named_with_what_to_end() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy"]).code(0);
    let pid = cluster.pid("worker-1");
    std::fs::remove_dir_all(cluster.kept("")).unwrap();
    let said = cluster.run(&["status"]).code(5);
    assert!(!said.stdout.contains("is stopped") && !said.stdout.contains("from another folder"), "{}", said.stdout);
    let row = cluster.row("worker-1");
    let detail = format!("runs with the pid {pid}, but its folder has no record of it");
    assert_eq!((row["state"].as_str(), row["detail"].as_str()), (Some("unknown"), Some(detail.as_str())));
    let refused = cluster.run(&["deploy"]).code(1);
    assert!(refused.stderr.contains("without a record in"), "{}", refused.stderr);
    // What it says to end is what runs, and after that nothing is in the way.
    let pids = said.stdout.split("on here: kill ").nth(1).unwrap().split(';').next().unwrap();
    for pid in pids.split(' ') {
        kill("TERM", pid.parse().unwrap());
    }
    assert_eq!(pids.split(' ').count(), 8, "{pids}");
    wait_for("their end", || pids.split(' ').all(|pid| gone(pid.parse().unwrap())).then_some(()));
    cluster.run(&["deploy"]).code(0);
    cluster.settled();
}

#[test]
fn a_stale_lock_is_taken_over_by_one() {
    let cluster = LocalCluster::new();
    cluster.write_local(", env: { ZEEK_SIM_READY_MS: '8000' }");
    std::fs::create_dir_all(cluster.kept("")).unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    std::fs::write(cluster.kept("lock"), format!("id {} 1 1 old somebody\n", boot.trim())).unwrap();
    let mut all: Vec<_> = (0..4)
        .map(|_| {
            let mut command = cluster.command(&["deploy"]);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    let mut codes: Vec<i32> = all.iter_mut().map(|c| c.wait().unwrap().code().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 6, 6, 6]);
}

#[test]
fn an_empty_lock_is_taken_over() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    std::fs::create_dir_all(cluster.kept("")).unwrap();
    for left in ["", "id", "\n"] {
        std::fs::write(cluster.kept("lock"), left).unwrap();
        cluster.run(&["deploy"]).code(0);
    }
}

#[test]
fn a_master_that_dies_is_replaced() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    let cluster = ssh_cluster(&sshd);
    let text = std::fs::read_to_string(cluster.dir().join("cluster.yaml")).unwrap();
    let text = text.replace("interface: lo", "interface: lo, env: { ZEEK_SIM_READY_MS: '5000' }");
    std::fs::write(cluster.dir().join("cluster.yaml"), text).unwrap();
    let mut deploy = cluster.command(&["deploy"]);
    let deploy = deploy.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    // The workers are on their way up: the call that waits for them is under way.
    wait_for("a worker to start", || cluster.kept("nodes/worker-1/run").exists().then_some(()));
    kill("KILL", masters(&cluster.dir().join("run/clusterctl"))[0]);
    // What was under way is lost with it; going back is not.
    let output = deploy.wait_with_output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(!cluster.kept("current").exists(), "{stdout}");
    assert_eq!(cluster.row("worker-1")["pid"], json!(null), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    cluster.run(&["deploy"]).code(0);
    cluster.settled();
    cluster.run(&["stop"]).code(0);
    for pid in masters(&cluster.dir().join("run/clusterctl")) {
        kill("TERM", pid);
    }
}
