//! What commands show that only look: problems alone, disks, interfaces, settings.

use crate::support::local::LocalCluster;

#[test]
fn problems_stand_alone_and_a_wait_ends_when_all_is_well_or_the_time_is_over() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let said = cluster.run(&["status", "--problems", "--wait=1s"]).code(5);
    let first = "manager, proxy-1, worker-1, worker-2: are stopped (not deployed yet) -> clusterctl deploy\n";
    assert!(said.stdout.starts_with(first), "{said:?}");
    assert!(said.stderr.contains("waiting: manager: is stopped (not deployed yet); and 3 more problems"), "{said:?}");
    assert!(said.stderr.contains("not all is well after 1s"), "{said:?}");
    // It waits for what is on its way.
    let mut waiting = cluster.command(&["status", "--wait=60s", "-q", "-o", "json"]);
    let waiting = waiting.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    let output = waiting.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    let well: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(well["data"]["troubles"], serde_json::json!([]));
    // A warning is no problem for the exit code.
    let said = cluster.run(&["status", "--problems", "--wait", "-o", "json"]).code(0).json();
    assert_eq!(said["kind"], "status_problems");
    let problems = said["data"]["problems"].as_array().unwrap();
    assert!(!problems.is_empty() && problems.iter().all(|p| p["severity"] == "warning"), "{said}");
    cluster.run(&["stop", "worker-2"]).code(0);
    let said = cluster.run(&["status", "--problems"]).code(5);
    assert!(said.stdout.starts_with("worker-2: is stopped -> clusterctl start worker-2\nhere: "), "{said:?}");
    assert!(said.stdout.contains(" -> clusterctl maintain --install\n"), "{said:?}");
    cluster.run(&["status", "--wait", "manager"]).code(0);
}

#[test]
fn disks_are_shown_once_for_each_file_system() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let said = cluster.run(&["df", "-o", "json"]).code(0).json();
    assert_eq!(said["kind"], "df");
    let all = said["data"]["file_systems"].as_array().unwrap();
    let mut holds: Vec<&str> =
        all.iter().flat_map(|fs| fs["holds"].as_array().unwrap()).map(|h| h.as_str().unwrap()).collect();
    holds.sort_unstable();
    assert_eq!(holds, ["base", "spool", "tmp", "zeek"], "{said}");
    for fs in all {
        let number = |key: &str| fs[key].as_u64().unwrap_or_else(|| panic!("{key}: {fs}"));
        assert!(number("size") >= number("used") && number("used_percent") <= 100, "{fs}");
        assert!(fs["mount"].as_str().unwrap().starts_with('/'), "{fs}");
    }
    let said = cluster.run(&["df", "@here"]).code(0);
    assert!(said.stdout.starts_with("HOST  MOUNT  "), "{said:?}");
    assert!(cluster.run(&["df", "@there"]).code(2).stderr.contains("no node matches"));
}

#[test]
fn what_arrives_at_an_interface_is_counted() {
    let cluster = LocalCluster::new();
    cluster.write(
        "hosts: { here: { local: true } }\nnodes:\n  manager: { type: manager, host: here }\n  \
         proxy: { type: proxy, host: here, count: 1 }\n  \
         worker: { type: worker, host: here, count: 2, interface: lo }\n  \
         gone: { type: worker, host: here, count: 1, first_index: 3, interface: nosuch0 }\n",
    );
    let said = cluster.run(&["capstats", "worker-*", "-o", "json"]).code(0).json();
    let rows = said["data"]["interfaces"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["interface"], &rows[0]["nodes"]), (1, &"lo".into(), &2.into()), "{said}");
    assert!(rows[0]["seconds"].as_f64().unwrap() >= 1.0 && rows[0]["packets_per_second"].is_f64(), "{said}");
    // One that is not there hides no other.
    let said = cluster.run(&["capstats"]).code(4);
    assert!(said.stdout.contains("nosuch0 on here: there is no interface nosuch0"), "{said:?}");
    assert!(said.stdout.contains("here  lo"), "{said:?}");
    let said = cluster.run(&["capstats", "manager"]).code(2);
    assert!(said.stderr.contains("captures from an interface"), "{said:?}");
}

#[test]
fn settings_are_told_with_where_they_came_from() {
    let cluster = LocalCluster::new();
    std::fs::write(cluster.dir().join("more.yaml"), "nodes:\n  worker:\n    type: worker\n    interface: lo\n")
        .unwrap();
    cluster.write(
        "include: more.yaml\nhosts: { here: { local: true } }\nnodes:\n  manager: { type: manager }\n  proxy: { type: proxy }\nx-own: 1\n",
    );
    let said = cluster.run(&["config", "-o", "json"]).code(0).json();
    let all = said["data"]["settings"].as_array().unwrap();
    let of = |name: &str| {
        let mut found = all.iter().filter(|row| row["setting"] == name);
        let row = found.next().unwrap_or_else(|| panic!("no {name}"));
        assert!(found.next().is_none(), "{name} twice");
        row
    };
    assert_eq!((&of("timeouts.ready")["line"], &of("timeouts.ready")["value"]), (&6.into(), &"30s".into()));
    let interface = of("nodes.worker.interface");
    assert!(interface["file"].as_str().unwrap().ends_with("more.yaml"), "{interface}");
    assert_eq!((&interface["line"], &interface["origin"]), (&4.into(), &"description".into()));
    assert_eq!((&of("logs.rotate")["value"], &of("logs.rotate")["origin"]), (&"1h".into(), &"default".into()));
    assert_eq!(
        (&of("manager_is_logger")["value"], &of("manager_is_logger")["why"]),
        (&"T".into(), &"there is no logger".into())
    );
    assert_eq!(of("nodes.worker.port")["origin"], "decided");
    assert!(!all.iter().any(|row| row["setting"].as_str().unwrap().starts_with("x-")));
    // Whatever the schema has, this has.
    let schema = clusterctl::spec::schema();
    for (section, of_section) in schema["properties"].as_object().unwrap() {
        if ["hosts", "removed", "nodes"].contains(&section.as_str()) {
            continue;
        }
        let table = of_section["$ref"].as_str().map(|name| &schema["$defs"][name.rsplit('/').next().unwrap()]);
        let keys = table.and_then(|table| table["properties"].as_object());
        for key in keys.into_iter().flat_map(|keys| keys.keys()) {
            let name = format!("{section}.{key}");
            let has = |row: &serde_json::Value| {
                row["setting"].as_str().unwrap().strip_prefix(&name).is_some_and(|r| r.is_empty() || r.starts_with('.'))
            };
            assert!(all.iter().any(has), "{name} is not told");
        }
        assert!(keys.is_some() || all.iter().any(|row| row["setting"] == section.as_str()), "{section} is not told");
    }
    let said = cluster.run(&["config", "ports"]).code(0);
    assert_eq!(said.stdout.lines().count(), 4, "{said:?}");
    assert!(cluster.run(&["config", "prots"]).code(2).stderr.contains("did you mean"));
}
