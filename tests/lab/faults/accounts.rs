//! What an account, a clock and names can be like.

use std::os::unix::fs::symlink;
use std::process::Command;

use super::super::cluster::{TestCluster, row};
use super::{Scene, Undo, names};

/// Sets the clock of a host, for all processes that begin from now on, and back again.
fn clock_off<'a>(scene: &'a Scene, host: &'static str, seconds: i64) -> Undo<impl FnMut() + 'a> {
    let shim = tempfile::tempdir().unwrap();
    let built = shim.path().join("clock.so");
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/clock.c");
    let cc = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&built).arg(source).arg("-ldl").output();
    let cc = cc.unwrap();
    assert!(cc.status.success(), "{}", String::from_utf8_lossy(&cc.stderr));
    let root = scene.lab.root(host);
    std::fs::copy(built, root.join("usr/local/lib/lab-clock.so")).unwrap();
    std::fs::write(root.join("etc/lab-clock"), seconds.to_string()).unwrap();
    std::fs::write(root.join("etc/ld.so.preload"), "/usr/local/lib/lab-clock.so\n").unwrap();
    scene.lab.exec(host, &["systemctl", "restart", "ssh"]);
    Undo(move || drop(scene.lab.exec(host, &["sh", "-c", "rm -f /etc/ld.so.preload; systemctl restart ssh"])))
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f19_a_host_whose_clock_is_an_hour_off() {
    for (seconds, words) in
        [(3600, "1h ahead of the clock of this machine"), (-3600, "1h behind the clock of this machine")]
    {
        let scene = Scene::begin();
        let undo = clock_off(&scene, "sensor2", seconds);
        let there: i64 = scene.lab.exec("sensor2", &["date", "+%s"]).parse().unwrap();
        let here = jiff::Timestamp::now().as_second();
        assert!((there - here - seconds).abs() < 600, "{there} there, {here} here");
        let said = scene.run(&["doctor"]).code(5);
        let clock = said.stdout.lines().find(|l| l.contains("clock")).unwrap_or_default().to_owned();
        assert!(said.stdout.contains("sensor2") && !clock.is_empty(), "{said:?}");
        // Seconds pass between two looks at two clocks.
        let near = |off: i64| {
            let text = if off < 0 { format!("59m {}s", 60 + off) } else { format!("1h {off}s") };
            said.stdout.contains(&words.replace("1h", &text))
        };
        assert!(said.stdout.contains(words) || (-20..20).any(near), "{}", said.stdout);
        // A deploy, what runs since when, and which release was before: nothing of it is read off that clock.
        scene.change(&format!("with a clock {words}"));
        scene.run(&["deploy", "--yes"]).code(0);
        let status = scene.settled();
        let uptime = row(&status, "worker-sensor2-1")["uptime"].as_f64().unwrap();
        assert!((0.0..900.0).contains(&uptime), "{status:#}");
        scene.moved_on();
        scene.run(&["rollback", "--yes"]).code(0);
        scene.settled();
        let seen = scene.seen();
        assert_eq!(seen.everywhere(), scene.old);
        assert_eq!(seen.running, scene.before);
        // A lock that is held there holds others up, and no longer than it should.
        scene.run(&["restart", "@sensor2"]).code(0);
        scene.settled();
        scene.nothing_lost();
        drop(undo);
        scene.change(&format!("after a clock {words}"));
        scene.next_deploy_finishes();
    }
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f24_login_shells_and_noise_do_not_matter() {
    let scene = Scene::begin();
    let account = scene.combination.account.clone();
    let shells = [
        ("mgmt", "/bin/tcsh", "~/.cshrc", "echo noise"),
        ("sensor1", "/usr/bin/fish", "~/.config/fish/config.fish", "echo noise; echo more >&2"),
        ("sensor2", "/bin/bash", "~/.bashrc", "echo noise; printf half; echo more >&2"),
    ];
    let as_account =
        |host: &str, line: &str| scene.lab.exec(host, &["runuser", "-u", &account, "--", "bash", "--norc", "-c", line]);
    let home = |line: &str| format!("export HOME=$(getent passwd $(id -u) | cut -d: -f6); {line}");
    let undo = Undo(|| {
        for (host, _, file, _) in shells {
            scene.lab.exec(host, &["chsh", "-s", "/bin/bash", &account]);
            as_account(
                host,
                &home(&format!("if [ -e {file}.kept ]; then mv {file}.kept {file}; else rm -f {file}; fi")),
            );
        }
    });
    for (host, shell, file, noise) in shells {
        scene.lab.exec(host, &["chsh", "-s", shell, &account]);
        let line = format!(
            "mkdir -p $(dirname {file}); [ ! -e {file} ] || mv {file} {file}.kept; printf '%s\\n' '{noise}' >{file}"
        );
        as_account(host, &home(&line));
    }
    let said = String::from_utf8_lossy(
        &Command::new("ssh")
            .arg("-F")
            .arg(scene.lab.ssh_config())
            .args(["-l", &account, "sensor2", "true"])
            .output()
            .unwrap()
            .stdout,
    )
    .into_owned();
    assert!(said.contains("noise"), "{said}");
    scene.change("through csh, fish and noise");
    scene.run(&["deploy", "--yes"]).code(0);
    assert_eq!(scene.settled()["workers"]["answering"], 4);
    scene.moved_on();
    for (args, code) in [(&["check"][..], 0), (&["releases"], 0), (&["diff", "--exit-code"], 0), (&["doctor"], 0)] {
        let said = scene.run(args).code(code);
        assert!(!said.stdout.contains("noise"), "{said:?}");
    }
    scene.run(&["restart", "@sensor1"]).code(0);
    scene.settled();
    drop(undo);
    names(&scene.run(&["deploy", "--yes"]).code(0), &["nothing to do"]);
    scene.nothing_lost();
}

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn f25_odd_names_work_or_are_refused_by_name() {
    let mut cluster = TestCluster::new("odd", "broker");
    cluster.base = "/srv/b a's \"50%\" é".to_owned();
    cluster.write();
    let lab = cluster.lab.clone();
    let (account, base) = (cluster.combination.account.clone(), cluster.base.clone());
    for host in ["mgmt", "sensor1", "sensor2"] {
        lab.exec(host, &["install", "-d", "-o", &account, &base]);
    }
    let _undo = Undo(|| {
        for host in ["mgmt", "sensor1", "sensor2"] {
            lab.exec(host, &["rm", "-rf", &base]);
        }
    });
    let site = cluster.file().with_file_name("site");
    std::fs::create_dir(site.join("d a")).unwrap();
    std::fs::write(site.join("d a/$(touch x) \"l\" é's.zeek"), "# one\n").unwrap();
    {
        let scene = Scene::of(cluster);
        let there = format!("{}/current/site/d a/$(touch x) \"l\" é's.zeek", scene.home());
        assert_eq!(scene.lab.exec("sensor1", &["cat", &there]), "# one");
        // Not sent: nothing changes.
        for (name, make, words) in [
            ("a\nb.zeek", None, ["a\\nb.zeek", "newline"]),
            ("out.zeek", Some("/etc/hostname"), ["out.zeek", "points out of the folder, to /etc/hostname"]),
        ] {
            match make {
                Some(target) => symlink(target, site.join(name)).unwrap(),
                None => std::fs::write(site.join(name), "").unwrap(),
            }
            names(&scene.run(&["deploy", "--yes"]).code(3), &words);
            std::fs::remove_file(site.join(name)).unwrap();
            scene.unchanged();
        }
        // A node that crashes there comes back, and what it left lies there as well.
        let old = scene.pids()["worker-sensor2-1"];
        scene.lab.exec("sensor2", &["kill", "-ABRT", &old.to_string()]);
        super::super::cluster::wait_for("a new pid", std::time::Duration::from_secs(60), || {
            scene.pids().get("worker-sensor2-1").filter(|pid| **pid != old).map(drop)
        });
        let crash = scene.lab.exec("sensor2", &["find", &format!("{}/crash", scene.home()), "-name", "command"]);
        assert_eq!(crash.lines().count(), 1, "{crash}");
        scene.change("of odd names");
        std::fs::write(site.join("d a/$(touch x) \"l\" é's.zeek"), "# two\n").unwrap();
        scene.next_deploy_finishes();
        assert_eq!(scene.lab.exec("sensor1", &["cat", &there]), "# two");
        scene.run(&["rollback", "--yes"]).code(0);
        assert_eq!(scene.seen().everywhere(), scene.old);
        assert_eq!(scene.lab.exec("sensor1", &["cat", &there]), "# one");
        scene.settled();
        scene.run(&["stop"]).code(0);
    }
}

/// Puts a process of root's in the place of a node: its folder.
const OF_ROOT: &str = "
setsid /bin/sleep 600 >/dev/null 2>&1 </dev/null &
pid=$! dir=$1
read -r boot </proc/sys/kernel/random/boot_id
read -r stat <\"/proc/$pid/stat\"
set -- ${stat##*) }
printf 'id %s %s %s\nrelease -\n' \"$boot\" \"$pid\" \"${20}\" >\"$dir/run\"
";

#[test]
#[ignore = "needs the lab: tests/run.sh"]
fn a_node_of_another_user_is_said_to_be_that() {
    let scene = Scene::begin();
    if scene.combination.account == "root" {
        return;
    }
    let node = "worker-sensor2-1";
    scene.run(&["stop", node]).code(0);
    scene.sh("sensor2", OF_ROOT, &[&format!("{}/nodes/{node}", scene.home())]);
    {
        let lab = scene.lab.clone();
        let _undo = Undo(|| drop(lab.exec("sensor2", &["pkill", "-KILL", "-x", "sleep"])));
        let said = scene.run(&["stop", node]).code(1);
        names(&said, &[node, "another user owns the process"]);
        assert!(!said.stdout.contains("still running after SIGKILL"), "{said:?}");
    }
    scene.run(&["start"]).code(0);
    scene.settled();
    scene.unchanged();
    scene.nothing_to_do();
}
