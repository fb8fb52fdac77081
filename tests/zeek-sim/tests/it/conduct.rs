//! What a cluster of stand-ins does beside the recordings: life and death, refusals, and misbehaviour on demand.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::client::{Client, End, Failed, request};
use crate::cluster::{Cluster, DEADLINE, NODES, until};

/// Runs a node that is expected to end by itself; returns its exit code, stderr and last status.
fn fails(cluster: &Cluster, node: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let mut child = cluster.command(node, args).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("{node} {args:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap(), cluster.status(node))
}

#[test]
fn tells_the_truth_about_workers_and_peers() {
    let mut cluster = Cluster::new("8.0.10", false);
    cluster.start_all();
    let mut client = Client::connect(cluster.control).unwrap();
    client.hello(&["zeek/control"]);
    let manager = cluster.ask(&mut client, "manager").unwrap();
    assert_eq!(manager["workers"], 2);
    assert_eq!(manager["peers"], serde_json::json!(["logger-1", "proxy-1", "worker-1", "worker-2"]));
    assert_eq!(manager["pid"], cluster.pid("manager"));
    assert_eq!((&manager["version"], &manager["node_type"]), (&"8.0.10".into(), &"manager".into()));
    assert!(manager["uptime"].as_f64().unwrap() > 0.0 && manager["memory"].as_u64().unwrap() > 1 << 20);
    let keys: Vec<_> = manager.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys.len(), 17, "{keys:?}");
    let worker = cluster.ask(&mut client, "worker-1").unwrap();
    assert_eq!(
        (&worker["workers"], &worker["peers"]),
        (&0.into(), &serde_json::json!(["logger-1", "manager", "proxy-1"]))
    );

    assert_eq!(cluster.stop("worker-2", "KILL"), -9);
    until("the worker to be taken out", || (cluster.ask(&mut client, "manager")?["workers"] == 1).then_some(()));
    assert_eq!(cluster.status("worker-2"), "RUNNING [run_loop]\n");
    cluster.start("worker-2");
    until("the worker to be back", || (cluster.ask(&mut client, "manager")?["workers"] == 2).then_some(()));

    until("the manager's records", || {
        let log = cluster.read("nodes/logger-1/cluster.log");
        (log.contains("manager\tgot hello from worker-2") && log.contains("\tnode down: worker-2")).then_some(())
    });
}

#[test]
fn goes_through_the_states_of_zeek() {
    let mut cluster = Cluster::new("8.0.10", false);
    // Long enough to be seen.
    cluster.env.push(("ZEEK_SIM_READY_MS".into(), "2000".into()));
    cluster.env.push(("ZEEK_SIM_END_MS".into(), "1500".into()));
    cluster.start("worker-1");
    until("the beginning", || (cluster.status("worker-1") == "INITIALIZING [main]\n").then_some(()));
    until("the run", || (cluster.status("worker-1") == "RUNNING [run_loop]\n").then_some(()));
    let mode = std::fs::metadata(cluster.path("nodes/worker-1/.status")).unwrap().permissions().mode();
    assert_eq!(mode & 0o100, 0o100, "created 0777 without the umask");
    cluster.signal("worker-1", "TERM");
    let mut seen = BTreeSet::new();
    until("the end", || {
        let status = cluster.status("worker-1");
        let over = status.starts_with("TERMINATED");
        seen.insert(status);
        over.then_some(())
    });
    assert!(seen.iter().any(|s| s.starts_with("TERMINATING [")), "{seen:?}");
    assert_eq!(cluster.wait("worker-1").code(), Some(0));
    assert_eq!(cluster.status("worker-1"), "TERMINATED [atexit]\n");
    let stderr = cluster.read("nodes/worker-1/stderr");
    assert!(stderr.contains("listening on lo") && stderr.contains("received termination signal"), "{stderr}");
    assert!(stderr.contains("packets received on interface lo, 0 (0.00%) dropped"), "{stderr}");
}

#[test]
fn says_its_version() {
    let cluster = Cluster::new("9.0.0-rc1", false);
    let output = cluster.command("manager", &["--version"]).stdout(Stdio::piped()).output().unwrap();
    let program = cluster.path("zeek/bin/zeek");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{} version 9.0.0-rc1\n", program.display()));
    let env =
        cluster.command("manager", &["-v"]).env("ZEEK_SIM_VERSION", "7.0.4").stdout(Stdio::piped()).output().unwrap();
    assert!(String::from_utf8(env.stdout).unwrap().ends_with(" version 7.0.4\n"));
}

#[test]
fn refuses_at_start_what_zeek_refuses() {
    let cluster = Cluster::new("8.0.10", false);
    let (code, stderr, _) = fails(&cluster, "manager", &["-Z"]);
    assert_eq!((code, stderr.lines().next()), (Some(1), Some("ERROR: Unrecognized option -Z")));

    let (code, stderr, status) = fails(&cluster, "manager", &["-U", ".status", "nosuch"]);
    assert_eq!((code, stderr.as_str()), (Some(1), "fatal error: can't find nosuch\n"));
    assert_eq!(status, "TERMINATED [fatal_error]\n");

    cluster.write("site/broken.zeek", "const x = 1;\nfoo bar;\n");
    let (code, stderr, status) = fails(&cluster, "manager", &["-U", ".status", "broken"]);
    let file = cluster.path("site/broken.zeek");
    assert_eq!(code, Some(1));
    assert_eq!(stderr, format!("error in {}, line 2: unknown identifier foo, at or near \"foo\"\n", file.display()));
    assert_eq!(status, "TERMINATED [atexit]\n");

    let (code, stderr, status) = fails(&cluster, "worker-1", &["-i", "nosuch0", "-U", ".status", "ws"]);
    assert_eq!((code, status.as_str()), (Some(1), "TERMINATED [fatal_error]\n"));
    assert!(stderr.starts_with("fatal error: problem with interface nosuch0 (pcap_error: "), "{stderr}");

    let (code, stderr, _) = fails(&cluster, "worker-9", &["-U", ".status", "ws"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("'worker-9' is not a valid node in the Cluster::nodes configuration"), "{stderr}");
    assert!(stderr.ends_with("fatal error: errors occurred while initializing\n"), "{stderr}");

    // Parsing opens nothing: both of these would fail at run time.
    for (node, args) in [("worker-9", &["-a", "ws"][..]), ("worker-1", &["--parse-only", "-i", "nosuch0", "ws"][..])] {
        let (code, stderr, _) = fails(&cluster, node, args);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{node}");
    }
    assert_eq!(fails(&cluster, "manager", &["-a", "broken"]).0, Some(1));
}

#[test]
fn zeek_init_can_end_it() {
    let mut cluster = Cluster::new("8.0.10", false);
    let init =
        |body: &str| format!("event zeek_init()\n\t{{\n\tif ( Cluster::node == \"worker-1\" )\n\t\t{body}\n\t}}\n");
    let args = ["-i", "lo", "-U", ".status", "own", "ws"];
    cluster.write("site/own.zeek", &init("Reporter::fatal(\"out of cheese\");"));
    let (code, stderr, status) = fails(&cluster, "worker-1", &args);
    let file = cluster.path("site/own.zeek");
    assert_eq!((code, status.as_str()), (Some(1), "TERMINATED [fatal_error]\n"));
    assert_eq!(stderr, format!("fatal error in {}, line 4: out of cheese\n", file.display()));
    for (body, wanted) in [("exit(3);", 3), ("terminate();", 0)] {
        cluster.write("site/own.zeek", &init(body));
        let (code, _, status) = fails(&cluster, "worker-1", &args);
        assert_eq!((code, status.as_str()), (Some(wanted), "TERMINATED [atexit]\n"), "{body}");
    }
    cluster.write("site/own.zeek", &init("while ( T ) { }"));
    assert_eq!(fails(&cluster, "worker-1", &["-a", "own", "ws"]).0, Some(0), "no event runs while it parses");
    let mut hung = cluster.command("worker-1", &args).spawn().unwrap();
    let pid = hung.id().to_string();
    until("a handler for SIGTERM", || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let caught = status.lines().find_map(|l| l.strip_prefix("SigCgt:")).unwrap().trim();
        (u64::from_str_radix(caught, 16).unwrap() & (1 << 14) != 0).then_some(())
    });
    assert_eq!(cluster.status("worker-1"), "INITIALIZING [main]\n");
    std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    until("the signal to be seen", || (cluster.status("worker-1") == "TERMINATING [sig_handler]\n").then_some(()));
    assert!(hung.try_wait().unwrap().is_none());
    hung.kill().unwrap();
    hung.wait().unwrap();
    // The others go their way.
    cluster.start("manager");
    until("the run", || (cluster.status("manager") == "RUNNING [run_loop]\n").then_some(()));
}

#[test]
fn a_cluster_of_8_1_needs_a_backend() {
    let cluster = Cluster::new("8.1.0", false);
    cluster.write("site/none.zeek", "@load clusterctl/agent\n");
    let (code, stderr, _) = fails(&cluster, "manager", &["-U", ".status", "none"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("please select a cluster backend to use"), "{stderr}");
}

#[test]
fn ports_in_use_are_fatal() {
    for zeromq in [false, true] {
        let mut cluster = Cluster::new("8.0.10", zeromq);
        cluster.start_all();
        let (code, stderr, status) = fails(&cluster, "manager", &["-U", ".other", "ws"]);
        assert_eq!(code, Some(1), "{stderr}");
        let (text, fatal) = if zeromq {
            ("ZeroMQ: Failed to bind xpub socket tcp://127.0.0.1:", "fatal error: Failed to spawn ZeroMQ proxy thread")
        } else {
            ("Failed to listen on INADDR_ANY:", "fatal error: errors occurred while initializing")
        };
        assert!(stderr.contains(text) && stderr.contains(fatal), "{stderr}");
        assert_eq!(status, "RUNNING [run_loop]\n", "the running one is not touched");
    }
}

#[test]
fn zeek_7_2_answers_without_a_name_in_the_topic() {
    let mut cluster = Cluster::new("7.2.0", false);
    cluster.start_all();
    let mut client = Client::connect(cluster.control).unwrap();
    assert_eq!(client.hello(&["zeek/control"])["version"], "7.2.0");
    client.send(&request(&cluster.topic("worker-1"), "Control::id_value_request", &["Cluster::node"]));
    let frame = String::from_utf8(client.next(DEADLINE).unwrap()).unwrap();
    assert!(frame.contains(r#""topic":"zeek/control/id_value_response","#), "{frame}");
    assert!(frame.contains(r#""data":"worker-1"}"#), "{frame}");
}

#[test]
fn brokers_own_websocket_reaches_the_manager_only() {
    for version in ["7.0.4", "7.1.1"] {
        let mut cluster = Cluster::new(version, false);
        cluster.start_all();
        let mut client = Client::connect(cluster.control).unwrap();
        // Not of all of zeek/control: late answers to the questions of the start would come as well.
        let ack = client.hello(&["zeek/control/id_value_response"]);
        assert_eq!(ack["version"], "2.8.0", "Broker's version, not Zeek's");
        client.send(&request(&cluster.topic("worker-1"), "Control::id_value_request", &["Cluster::node"]));
        assert_eq!(client.next(Duration::from_millis(200)), None);
        client.send(&request(&cluster.topic("manager"), "Control::id_value_request", &["Cluster::node"]));
        let frame = String::from_utf8(client.next(DEADLINE).unwrap()).unwrap();
        assert!(frame.contains(r#""topic":"zeek/control/id_value_response","#), "{frame}");
        // The agent's manager passes requests on.
        let mut client = Client::connect(cluster.control).unwrap();
        client.hello(&["zeek/control"]);
        let worker = cluster.ask(&mut client, "worker-2").unwrap();
        assert_eq!((&worker["node"], &worker["workers"]), (&"worker-2".into(), &0.into()));
        client.send("{\"topic\":");
        let error = until("the error", || {
            let frame = String::from_utf8(client.next(DEADLINE)?).unwrap();
            frame.contains("error").then_some(frame)
        });
        assert!(error.contains("contained malformed JSON"), "{error}");
    }
}

#[test]
fn runs_every_version_that_has_a_cluster_of_this_form() {
    for version in ["8.1.0", "8.2.0", "9.0.0-rc1"] {
        for zeromq in [false, true] {
            let mut cluster = Cluster::new(version, zeromq);
            cluster.start_all();
            let mut client = Client::connect(cluster.control).unwrap();
            assert_eq!(client.hello(&["zeek/control"])["version"], version);
            assert_eq!(cluster.ask(&mut client, "manager").unwrap()["workers"], 2);
        }
    }
}

#[test]
fn a_zeromq_cluster_needs_a_port_for_its_logs() {
    let cluster = Cluster::new("8.0.10", true);
    let layout = cluster.read("site/cluster-layout.zeek");
    let without: Vec<String> = layout
        .lines()
        .map(|l| if l.contains("LOGGER") { l.split(", $p=").next().unwrap().to_owned() + "]," } else { l.to_owned() })
        .collect();
    cluster.write("site/cluster-layout.zeek", &without.join("\n"));
    let (code, stderr, status) = fails(&cluster, "worker-2", &["-U", ".status", "ws"]);
    assert_eq!((code, status.as_str()), (Some(1), "TERMINATED [fatal_error]\n"), "{stderr}");
    assert!(stderr.contains("No ZeroMQ connect_log_endpoints configured"), "{stderr}");
}

#[test]
fn old_versions_run_without_a_websocket() {
    for version in ["3.0.0", "4.0.0", "6.2.1"] {
        let mut cluster = Cluster::new(version, false);
        cluster.write("site/ws.zeek", "@load frameworks/control/controllee\nredef Control::controllee_listen = F;\n");
        for node in NODES {
            cluster.start(node);
        }
        until("all to know the logger", || {
            let log = cluster.read("nodes/logger-1/cluster.log");
            let hello = |n: &str| log.contains(&format!("logger-1\tgot hello from {n} "));
            NODES[1..].iter().all(|n| hello(n)).then_some(())
        });
        for node in NODES {
            assert_eq!(cluster.stop(node, "TERM"), 0);
        }
    }
}

#[test]
fn a_standalone_zeek_answers_through_a_proxy_of_its_own() {
    let cluster = Cluster::new("8.1.0", true);
    let backend = cluster.read("site/ws.zeek").lines().take(5).collect::<Vec<_>>().join("\n");
    let script = format!(
        "{backend}\nredef Cluster::Backend::ZeroMQ::run_proxy_thread = T;\n@load clusterctl/agent\n\
         redef Clusterctl::node = \"zeek\";\nevent zeek_init()\n\t{{\n\
         \tif ( ! Cluster::listen_websocket([$listen_addr=127.0.0.1, $listen_port={}/tcp]) )\n\t\tprint \"no\";\n\
         \tCluster::subscribe(Cluster::node_topic(Clusterctl::node));\n\t}}\n",
        cluster.control
    );
    cluster.write("site/alone.zeek", &script);
    let mut child = cluster.command("zeek", &["-U", ".status", "alone"]).env_remove("CLUSTER_NODE").spawn().unwrap();
    let mut client = until("the server", || {
        assert_eq!(child.try_wait().unwrap(), None, "{}", cluster.read("nodes/zeek/stderr"));
        Client::connect(cluster.control).ok()
    });
    client.hello(&["zeek/control"]);
    let status = until("an answer", || cluster.ask(&mut client, "zeek"));
    assert_eq!((&status["node"], &status["node_type"]), (&"zeek".into(), &"standalone".into()));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn zeromq_up_to_8_0_needs_the_connect_script() {
    let mut cluster = Cluster::new("8.0.10", true);
    let script = cluster.read("site/ws.zeek").replace("backend/zeromq/connect", "backend/zeromq");
    cluster.write("site/ws.zeek", &script);
    cluster.start("manager");
    until("the manager", || (cluster.status("manager") == "RUNNING [run_loop]\n").then_some(()));
    let mut client = Client::connect(cluster.control).unwrap();
    client.send("[\"zeek/control\"]");
    assert_eq!(client.next(Duration::from_millis(300)), None, "the upgrade succeeds and no ack comes");
}

#[test]
fn pings_at_once_and_forgets_clients_that_leave() {
    let mut cluster = Cluster::new("8.0.10", false);
    cluster.start_all();
    let mut client = Client::connect(cluster.control).unwrap();
    client.hello(&["zeek/control"]);
    until("a ping", || {
        let _ = client.next(Duration::from_millis(10));
        client.pings.first().cloned()
    });
    assert_eq!(client.pings[0], "ixwebsocket::heartbeat::5s::0");
    client.close(1000);
    let mut other = Client::connect(cluster.control).unwrap();
    let first = other.hello(&["zeek/control"])["endpoint"].as_str().unwrap().to_owned();
    let second = Client::connect(cluster.control).unwrap().hello(&[])["endpoint"].as_str().unwrap().to_owned();
    let number = |e: &str| e.rsplit('-').next().unwrap().parse::<u32>().unwrap();
    assert_eq!(number(&second), number(&first) + 1, "each connection has its number");
    until("the end to be noted", || {
        cluster.read("nodes/logger-1/cluster.log").contains("gone with code 1000").then_some(())
    });
}

#[test]
fn misbehaves_at_start_and_later() {
    let mut cluster = Cluster::new("8.0.10", false);
    let conf = |cluster: &Cluster, node: &str, text: &str| {
        std::fs::create_dir_all(cluster.path("zeek/etc/zeek-sim")).unwrap();
        cluster.write(&format!("zeek/etc/zeek-sim/{node}.conf"), text);
    };
    conf(&cluster, "worker-1", "die_at_start=fatal error: no licence\n");
    let (code, stderr, status) = fails(&cluster, "worker-1", &["-U", ".status", "ws"]);
    assert_eq!(
        (code, stderr.as_str(), status.as_str()),
        (Some(1), "fatal error: no licence\n", "TERMINATED [atexit]\n")
    );

    conf(&cluster, "worker-2", "die_after_ms=50\ndie_exit=7\n");
    cluster.start("worker-2");
    assert_eq!(cluster.wait("worker-2").code(), Some(7));
    conf(&cluster, "worker-2", "die_after_ms=50\ndie_signal=SEGV\n");
    cluster.start("worker-2");
    assert_eq!(cluster.wait("worker-2").signal(), Some(11));

    conf(&cluster, "proxy-1", "never_ready=1\n");
    cluster.start("proxy-1");
    until("it to start", || (cluster.status("proxy-1") == "INITIALIZING [main]\n").then_some(()));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(cluster.status("proxy-1"), "INITIALIZING [main]\n");
    assert_eq!(cluster.stop("proxy-1", "TERM"), 0);

    conf(&cluster, "proxy-1", "ignore_sigterm=1\n");
    cluster.start("proxy-1");
    until("it to run", || (cluster.status("proxy-1") == "RUNNING [run_loop]\n").then_some(()));
    cluster.signal("proxy-1", "TERM");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(cluster.status("proxy-1"), "RUNNING [run_loop]\n");
    assert_eq!(cluster.stop("proxy-1", "KILL"), -9);

    conf(&cluster, "proxy-1", "status_noise=1\n");
    cluster.start("proxy-1");
    until("half a line", || (cluster.status("proxy-1") == "RUN").then_some(()));
}

#[test]
fn answers_late_never_or_with_rubbish_when_told_to() {
    let mut cluster = Cluster::new("8.0.10", false);
    cluster.start_all();
    let mut client = Client::connect(cluster.control).unwrap();
    client.hello(&["zeek/control"]);
    let told = |cluster: &Cluster, text: &str| cluster.write("nodes/worker-1/zeek-sim.conf", text);
    let ask = |client: &mut Client, cluster: &Cluster, within: Duration| {
        client.send(&request(&cluster.topic("worker-1"), "Clusterctl::status_request", &["r"]));
        client.next(within)
    };
    told(&cluster, "never_answer=1\n");
    assert_eq!(ask(&mut client, &cluster, Duration::from_millis(200)), None);
    told(&cluster, "answer_after_ms=300\n");
    let start = Instant::now();
    assert!(ask(&mut client, &cluster, DEADLINE).is_some());
    assert!(start.elapsed() >= Duration::from_millis(300));
    told(&cluster, "answer_rubbish=utf8\n");
    assert!(std::str::from_utf8(&ask(&mut client, &cluster, DEADLINE).unwrap()).is_err());
    told(&cluster, "answer_rubbish=control\n");
    assert!(ask(&mut client, &cluster, DEADLINE).unwrap().contains(&1));
    told(&cluster, "answer_rubbish=json\n");
    let frame: serde_json::Value = serde_json::from_slice(&ask(&mut client, &cluster, DEADLINE).unwrap()).unwrap();
    let status = frame["data"][2]["data"][1]["data"][2]["data"].as_str().unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(status).is_err(), "{status}");
    told(&cluster, "packets=1000\ndrop_percent=2\n");
    let status =
        until("packets", || cluster.ask(&mut client, "worker-1").filter(|s| s["received"].as_u64() > Some(100)));
    let (received, dropped) = (status["received"].as_f64().unwrap(), status["dropped"].as_f64().unwrap());
    assert!((dropped / (received + dropped) - 0.02).abs() < 0.01, "{status}");

    cluster.write("nodes/manager/zeek-sim.conf", "hang=1\n");
    let tried = Client::connect_to(cluster.control, "/v1/messages/json", "", Duration::from_millis(200));
    assert_eq!(tried.err(), Some(Failed::TimedOut));
    assert_eq!(cluster.stop("manager", "TERM"), 0);
    assert_eq!(client.ended(DEADLINE), Some(End::Close(1001, "Terminating".into())));
}

#[test]
fn the_status_event_is_known_only_where_a_script_declares_it() {
    let mut cluster = Cluster::new("8.0.10", false);
    cluster.write(
        "site/clusterctl/agent.zeek",
        "@load policy/frameworks/control/controllee\nredef Control::controllee_listen = F;\n",
    );
    cluster.start("manager");
    until("the manager", || (cluster.status("manager") == "RUNNING [run_loop]\n").then_some(()));
    let mut client = Client::connect(cluster.control).unwrap();
    client.hello(&["zeek/control"]);
    client.send(&request(&cluster.topic("manager"), "Clusterctl::status_request", &["r"]));
    let frame = String::from_utf8(client.next(DEADLINE).unwrap()).unwrap();
    assert!(frame.contains("failed to create Zeek event"), "{frame}");
}

#[test]
fn a_node_is_small() {
    let mut cluster = Cluster::new("8.0.10", false);
    cluster.start_all();
    for node in NODES {
        let pages = std::fs::read_to_string(format!("/proc/{}/statm", cluster.pid(node))).unwrap();
        let resident = pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096;
        assert!(resident < 16 << 20, "{node} takes {resident} bytes");
    }
}
