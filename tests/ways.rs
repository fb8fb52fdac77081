//! The ways to a host through a real sshd: what ssh is given, what may fail on them, and what is said of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::local::{LocalCluster, Said};
use crate::support::sshd::{self, Sshd};

/// A cluster on one host `sensor1` at 127.0.0.1, which ssh knows by this configuration alone.
fn cluster(config: &str, ssh: &str) -> LocalCluster {
    let cluster = LocalCluster::new();
    let file = cluster.dir().join("ssh_config");
    fs::write(&file, config).unwrap();
    cluster.write(&format!(
        "ssh: {{ config: {}, connect_timeout: 5s, persist: 5s{ssh} }}\n\
         hosts:\n  sensor1: {{ address: 127.0.0.1 }}\n\
         nodes:\n  manager: {{ type: manager, host: sensor1 }}\n  proxy: {{ type: proxy, host: sensor1, count: 1 }}\n  \
         worker: {{ type: worker, host: sensor1, count: 2, interface: lo }}\n",
        file.display(),
    ));
    cluster
}

/// The lines that let one in at an sshd, without the `Host` that they are for.
fn lines(sshd: &Sshd) -> String {
    let text = fs::read_to_string(sshd.ssh_config_path()).unwrap();
    text.lines().skip(1).map(|l| format!("{l}\n")).collect()
}

/// What the host's row of a status says.
fn told(cluster: &LocalCluster) -> String {
    let said = cluster.run(&["status", "--timeout", "30s"]).code(5);
    said.stdout
}

#[test]
fn what_the_users_configuration_says_of_a_name_counts() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    // The port, the key and the known hosts stand at the name alone; the address of the description has the last word.
    let by_name = cluster(&format!("Host sensor1\n{}", lines(&sshd)), "");
    by_name.run(&["unlock"]).code(0);
    // A name that stands for another address is the user's.
    let elsewhere = cluster(&format!("Host sensor1\n  HostName 127.0.0.2\n{}", lines(&sshd)), "");
    let text = told(&elsewhere);
    assert!(text.contains("127.0.0.2") && text.contains("Connection refused"), "{text}");
    // Where it says something of the address alone, that counts, as ever.
    let by_address = cluster(&format!("Host 127.0.0.1\n{}", lines(&sshd)), "");
    by_address.run(&["unlock"]).code(0);
    let by_match = cluster(&format!("Match host 127.0.0.*\n{}", lines(&sshd)), "");
    by_match.run(&["unlock"]).code(0);
    let of_all = cluster(&format!("Host *\n{}", lines(&sshd)), "");
    of_all.run(&["unlock"]).code(0);
    let original = cluster(&format!("Match originalhost sensor*\n{}", lines(&sshd)), "");
    original.run(&["unlock"]).code(0);
    // Both: the name, and the address says nothing more.
    let both = cluster(&format!("Host 127.0.0.1\n  ProxyCommand false\nHost sensor1\n{}", lines(&sshd)), "");
    both.run(&["unlock"]).code(0);
    // What the description says goes before.
    let wins = cluster(&format!("Host sensor1\n  Port 9\n{}", lines(&sshd)), &format!(", port: {}", sshd.port()));
    wins.run(&["unlock"]).code(0);
    // A destination that the description sets is that.
    let set = cluster(&format!("Host gate*\n  HostName 127.0.0.1\n{}", lines(&sshd)), ", host: gate7");
    set.run(&["unlock"]).code(0);
}

#[test]
fn why_a_jump_host_fails_is_told() {
    if sshd::is_missing() {
        return;
    }
    let target = Sshd::start();
    let gate = Sshd::start();
    let closed = Sshd::start_with(&["AllowTcpForwarding no"]);
    let narrow = Sshd::start_with(&["PermitOpen 127.0.0.1:9"]);
    let ways = |jump: &Sshd, more: &str, target_more: &str| {
        // The user wants to hear nothing, and is told all the same.
        format!(
            "Host *\n  LogLevel QUIET\nHost sensor1\n{target_more}{}Host gate\n  HostName 127.0.0.1\n{more}{}",
            lines(&target),
            lines(jump)
        )
    };
    let jump = ", jump: gate";
    cluster(&ways(&gate, "", ""), jump).run(&["unlock"]).code(0);
    let empty = tempfile::NamedTempFile::new().unwrap();
    let unknown = format!("  UserKnownHostsFile {}\n", empty.path().display());
    let cases = [
        (
            "a name that is not found",
            ways(&gate, "", ""),
            ", jump: gate.invalid",
            "Could not resolve hostname gate.invalid",
            "`ssh.jump` of sensor1",
        ),
        ("an unknown key", ways(&gate, &unknown, ""), jump, "host key is known for", "the key of the jump host"),
        (
            "a user who is refused",
            ways(&gate, "  User nobody\n", ""),
            jump,
            "nobody@127.0.0.1: Permission denied",
            "the jump host does not take",
        ),
        ("nobody listens", ways(&gate, "  Port 9\n", ""), jump, "port 9: Connection refused", "is the jump host up"),
        ("it forwards nothing", ways(&closed, "", ""), jump, "the jump host forbids it", "AllowTcpForwarding"),
        ("it forwards elsewhere", ways(&narrow, "", ""), jump, "the jump host forbids it", "PermitOpen"),
        (
            "nobody listens beyond",
            ways(&gate, "", "  Port 9\n"),
            jump,
            "from the jump host: channel 0: open failed: connect failed: Connection refused",
            "is sshd running on sensor1",
        ),
        (
            "a proxy's own words",
            ways(&gate, "", "  ProxyCommand sh -c 'echo the tunnel is closed on sundays >&2'\n"),
            "",
            "the tunnel is closed on sundays",
            "",
        ),
    ];
    for (what, config, ssh, why, hint) in cases {
        let cluster = cluster(&config, ssh);
        let text = told(&cluster);
        assert!(text.contains(why) && !text.contains("UNKNOWN port"), "{what}: {text}");
        let said = cluster.run(&["deploy", "--yes", "--timeout", "30s"]).code(1);
        assert!(said.stderr.contains(hint), "{what}: {}", said.stderr);
    }
}

#[test]
fn a_quiet_configuration_hides_no_reason() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    let text = told(&cluster(&format!("LogLevel QUIET\nHost sensor1\n  Port 9\n{}", lines(&sshd)), ""));
    assert!(text.contains("port 9: Connection refused"), "{text}");
}

#[test]
fn a_login_shell_that_refuses_is_told_in_its_own_words() {
    if sshd::is_missing() {
        return;
    }
    let cases = [
        ("/usr/sbin/nologin", "This account is currently not available"),
        ("/bin/false", "ran no command, and said nothing"),
        ("internal-sftp", "This service allows sftp connections only"),
        ("echo 'you shall not pass' >&2; exit 1", "you shall not pass"),
        ("echo; echo 'closed for repair'; exit 0", "closed for repair"),
    ];
    for (command, words) in cases {
        let sshd = Sshd::start_with(&[&format!("ForceCommand {command}")]);
        let cluster = cluster(&format!("Host sensor1\n{}", lines(&sshd)), "");
        let text = told(&cluster);
        assert!(text.contains(words) && !text.contains("cut off"), "{command}: {text}");
        let said = cluster.run(&["deploy", "--yes"]).code(1);
        assert!(said.stderr.contains("usermod -s /bin/sh"), "{command}: {}", said.stderr);
    }
    // One that only talks first is none.
    let sshd = Sshd::start_with(&["ForceCommand echo 'Welcome! You have no mail.'; eval \"$SSH_ORIGINAL_COMMAND\""]);
    cluster(&format!("Host sensor1\n{}", lines(&sshd)), "").run(&["unlock"]).code(0);
}

#[test]
fn an_sshd_that_forbids_forwarding_is_named() {
    if sshd::is_missing() {
        return;
    }
    for setting in ["AllowTcpForwarding no", "PermitOpen 127.0.0.1:9", "DisableForwarding yes"] {
        let sshd = Sshd::start_with(&[setting]);
        let cluster = cluster(&format!("Host sensor1\n{}", lines(&sshd)), "");
        let named = |said: &Said| {
            let text = format!("{}{}", said.stdout, said.stderr);
            assert!(
                text.contains("its sshd forbids connections to port") && text.contains("AllowTcpForwarding local"),
                "{setting}: {text}"
            );
        };
        named(&cluster.run(&["doctor"]).code(5));
        cluster.run(&["deploy", "--yes"]).code(0);
        named(&cluster.run(&["status"]).code(5));
        let said = cluster.run(&["print", "Cluster::node"]);
        assert_ne!(said.code, 0, "{said:?}");
        named(&said);
        cluster.run(&["stop"]).code(0);
    }
}

#[test]
fn an_sshd_with_too_few_sessions_is_found_by_trying() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start_with(&["MaxSessions 1"]);
    let cluster = cluster(&format!("Host sensor1\n{}", lines(&sshd)), "");
    let said = cluster.run(&["doctor"]).code(5);
    assert!(
        said.stdout.contains("cannot open 3 sessions at a time") && said.stdout.contains("MaxSessions 10"),
        "{said:?}"
    );
    let said = cluster.run(&["deploy", "--yes"]).code(1);
    assert!(said.stderr.contains("MaxSessions"), "{said:?}");
    let sshd = Sshd::start_with(&["MaxSessions 3"]);
    let cluster = self::cluster(&format!("Host sensor1\n{}", lines(&sshd)), "");
    let said = cluster.run(&["doctor"]);
    assert!(!said.stdout.contains("sessions"), "{said:?}");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.run(&["stop"]).code(0);
}

/// Names in the folder of sockets.
fn sockets(cluster: &LocalCluster) -> Vec<String> {
    let entries = fs::read_dir(cluster.dir().join("run/clusterctl")).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_folder_of_sockets_holds_sockets_and_nothing_else() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    let cluster = cluster(&format!("Host sensor1\n{}", lines(&sshd)), "");
    let folder = cluster.dir().join("run/clusterctl");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let age = |name: &str, days: u64| {
        let file = fs::File::options().read(true).open(folder.join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400)).unwrap();
    };
    // What earlier versions and killed commands left.
    for name in ["old.conf", "old.lock", "old.4711.new", "held.lock", "young.lock"] {
        fs::write(folder.join(name), "").unwrap();
        age(name, if name == "young.lock" { 0 } else { 3 });
    }
    drop(std::os::unix::net::UnixListener::bind(folder.join("dead")).unwrap());
    let held = fs::File::open(folder.join("held.lock")).unwrap();
    held.lock().unwrap();
    cluster.run(&["unlock"]).code(0);
    let left = sockets(&cluster);
    let extra: Vec<&str> = left.iter().map(String::as_str).filter(|n| n.contains('.')).collect();
    assert_eq!(extra, ["held.lock", "young.lock"], "{left:?}");
}

#[test]
fn a_folder_of_sockets_that_is_not_ours_is_named_with_the_way_out() {
    if sshd::is_missing() {
        return;
    }
    let sshd = Sshd::start();
    let cluster = cluster(&format!("Host sensor1\n{}", lines(&sshd)), "");
    let folder = cluster.dir().join("run/clusterctl");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let text = told(&cluster);
    assert!(text.contains(&format!("chmod 700 {}", folder.display())), "{text}");
    fs::remove_dir(&folder).unwrap();
    std::os::unix::fs::symlink(Path::new("/"), &folder).unwrap();
    let text = told(&cluster);
    assert!(text.contains("set XDG_RUNTIME_DIR to a folder of your own"), "{text}");
    if fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0) {
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::chown(&folder, Some(65_534), None).unwrap();
        let text = told(&cluster);
        assert!(text.contains("belongs to user 65534") && text.contains("set XDG_RUNTIME_DIR"), "{text}");
    }
}
