//! Odd names, and what nodes listen on.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;

use crate::support::local::LocalCluster;

fn edit(cluster: &LocalCluster, from: &str, to: &str) {
    let file = cluster.dir().join("cluster.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn folders_and_files_with_blanks_quotes_and_other_letters() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let base = cluster.dir().join("b a's \"$é`");
    edit(
        &cluster,
        &format!("base: {}/base", cluster.dir().display()),
        &format!("base: '{}'", { base.display().to_string().replace('\'', "''") }),
    );
    edit(&cluster, "scripts: []", "scripts: ['it''s é'], site: ./site, site_data: ['d a/*']");
    let site = cluster.dir().join("site");
    std::fs::create_dir_all(site.join("d a")).unwrap();
    std::fs::write(site.join("it's é.zeek"), "").unwrap();
    std::fs::write(site.join("d a/$(touch x) \"l\".dat"), "1\n").unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let home = std::fs::read_dir(&base).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read_to_string(home.join("data/d a/$(touch x) \"l\".dat")).unwrap(), "1\n");
    std::fs::write(site.join("it's é.zeek"), "# changed\n").unwrap();
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stderr.contains("it's é.zeek") || said.stdout.contains("it's é.zeek"), "{said:?}");
    cluster.settled();
    cluster.run(&["stop"]).code(0);
}

#[test]
fn names_and_links_that_can_not_be_sent_are_refused_by_name() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    edit(&cluster, "scripts: []", "scripts: [], site: ./site");
    let site = cluster.dir().join("site");
    std::fs::create_dir(&site).unwrap();
    std::fs::write(site.join("a\nb.zeek"), "").unwrap();
    let said = cluster.run(&["deploy", "--yes"]).code(3);
    assert!(said.stderr.contains("a\\nb.zeek") && said.stderr.contains("newline"), "{}", said.stderr);
    std::fs::remove_file(site.join("a\nb.zeek")).unwrap();
    symlink("/etc/hostname", site.join("out")).unwrap();
    symlink("gone", site.join("dangles")).unwrap();
    let said = cluster.run(&["check", "--offline"]).code(3);
    assert!(said.stderr.contains("dangles points to a file that cannot be read (gone)"), "{}", said.stderr);
    assert!(said.stderr.contains("out points out of the folder"), "{}", said.stderr);
    std::fs::remove_file(site.join("dangles")).unwrap();
    let said = cluster.run(&["deploy", "--yes"]).code(3);
    assert!(said.stderr.contains("out points out of the folder, to /etc/hostname"), "{}", said.stderr);
    std::fs::remove_file(site.join("out")).unwrap();
    // A link to what lies in the folder is a copy of it.
    std::fs::write(site.join("one.zeek"), "# one\n").unwrap();
    symlink("one.zeek", site.join("two.zeek")).unwrap();
    cluster.run(&["deploy", "--yes"]).code(0);
    assert_eq!(std::fs::read_to_string(cluster.kept("current/site/two.zeek")).unwrap(), "# one\n");
}

/// Addresses, as the kernel writes them, and ports that a process listens on.
fn listens(pid: u64) -> BTreeSet<(String, u16)> {
    let sockets: BTreeSet<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|e| std::fs::read_link(e.ok()?.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|l| Some(l.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
        .collect();
    let mut all = BTreeSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // proc(5): local address, state (0A is LISTEN), inode.
            if fields[3] == "0A" && sockets.contains(fields[9]) {
                let (address, port) = fields[1].split_once(':').unwrap();
                all.insert((address.to_owned(), u16::from_str_radix(port, 16).unwrap()));
            }
        }
    }
    all
}

#[test]
fn nodes_listen_on_loopback_and_nowhere_else() {
    for (backend, version) in [("broker", "8.0.10"), ("zeromq", "8.0.10"), ("broker", "7.2.2"), ("zeromq", "8.2.2")] {
        let cluster = LocalCluster::new();
        std::fs::write(cluster.zeek().join("etc/zeek-sim.conf"), format!("version={version}\n")).unwrap();
        cluster.write_local("");
        edit(&cluster, "backend: broker", &format!("backend: {backend}"));
        edit(&cluster, "listen: off", "listen: loopback");
        let base: u16 = {
            let text = std::fs::read_to_string(cluster.dir().join("cluster.yaml")).unwrap();
            text.split("ports: { base: ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
        };
        edit(&cluster, &format!("base: {base},"), &format!("base: {base}, metrics: {},", base + 20));
        cluster.run(&["deploy", "--yes"]).code(0);
        let mut seen = BTreeSet::new();
        for node in ["manager", "proxy-1", "worker-1", "worker-2"] {
            for (address, port) in listens(cluster.pid(node)) {
                assert_eq!(address, "0100007F", "{backend} {version}: {node} listens on {address}, port {port}");
                seen.insert(port);
            }
        }
        assert!(seen.contains(&(base + 299)), "{backend} {version}: no WebSocket in {seen:?}");
        assert!(seen.iter().all(|port| (base..base + 300).contains(port)), "{backend} {version}: {seen:?}");
    }
}
