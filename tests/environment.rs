//! What nodes and their supervisors are given, and what they leave: environments, modes, digests.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::local::{LocalCluster, said, wait_for};

/// The environment of a process.
fn environ(pid: u64) -> BTreeMap<String, String> {
    let text = String::from_utf8(std::fs::read(format!("/proc/{pid}/environ")).unwrap()).unwrap();
    text.split('\0').filter_map(|one| one.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// The pid in the first line of a file of a node.
fn pid_in(cluster: &LocalCluster, file: &str) -> u64 {
    let text = std::fs::read_to_string(cluster.kept(file)).unwrap();
    text.split_whitespace().nth(2).unwrap().parse().unwrap()
}

/// What every node has, beside what the description says; bash adds two of its own.
const NODE: [&str; 9] = [
    "CLUSTERCTL",
    "CLUSTER_NODE",
    "HOME",
    "LC_ALL",
    "LOGNAME",
    "PATH",
    "USER",
    "ZEEKPATH",
    "ZEEK_DEFAULT_LISTEN_ADDRESS",
];
const OF_BASH: [&str; 2] = ["_", "SHLVL"];
const SUPERVISOR: [&str; 5] = ["HOME", "LC_ALL", "LOGNAME", "PATH", "USER"];

fn names(environ: &BTreeMap<String, String>) -> Vec<&str> {
    environ.keys().map(String::as_str).filter(|name| !OF_BASH.contains(name)).collect()
}

fn is_the_same_for_all(shell: &str) {
    let cluster = LocalCluster::new();
    cluster
        .write_local(", env: { COLOUR: blue, PATH: /nowhere, LD_PRELOAD: '', ENV: production }, limits: { nice: 1 }");
    let mut command = cluster.command(&["deploy", "--yes"]);
    cluster.under(&mut command, shell);
    let secrets =
        [("AWS_SECRET_ACCESS_KEY", "hush"), ("TZ", "Asia/Tokyo"), ("PWD", "/x"), ("LC_ALL", "de_DE"), ("MAIL", "x")];
    command.envs(secrets);
    said(command).code(0);
    let pid = cluster.pid("worker-1");
    let node = environ(pid);
    let mut expected: Vec<&str> = NODE.into_iter().chain(["COLOUR", "ENV", "LD_PRELOAD"]).collect();
    expected.sort_unstable();
    assert_eq!(names(&node), expected, "{shell}");
    assert_eq!((node["COLOUR"].as_str(), node["PATH"].as_str()), ("blue", "/nowhere"), "{shell}");
    let proxy = environ(cluster.pid("proxy-1"));
    assert_eq!(names(&proxy), NODE, "{shell}");
    assert_eq!(proxy["PATH"], "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "{shell}");
    assert_ne!(proxy["HOME"], cluster.dir().to_str().unwrap(), "HOME is the account's, not a session's");
    let supervisor = environ(pid_in(&cluster, "nodes/worker-1/supervisor"));
    let given: Vec<&str> = names(&supervisor);
    assert_eq!(given, SUPERVISOR, "{shell}");

    // The host's own start gives the same, whatever its session has.
    cluster.run(&["stop", "worker-1"]).code(0);
    let home = cluster.kept("").to_str().unwrap().trim_end_matches('/').to_owned();
    let mut start = Command::new("sh");
    start.arg(format!("{home}/current/clusterctl/start.sh")).args([&home, &home, "30"]);
    start.env("OTHER", "x").envs(secrets).stdin(Stdio::piped()).stdout(Stdio::piped());
    cluster.under(&mut start, shell);
    let mut start = start.spawn().unwrap();
    start.stdin.take().unwrap().write_all(b"worker-1 current\n").unwrap();
    let said = String::from_utf8(start.wait_with_output().unwrap().stdout).unwrap();
    assert!(said.contains("ready worker-1"), "{said}");
    let mut again = environ(pid_in(&cluster, "nodes/worker-1/run"));
    let mut node = node;
    for environ in [&mut again, &mut node] {
        environ.retain(|name, _| !OF_BASH.contains(&name.as_str()));
    }
    assert_eq!(again, node, "{shell}");
}

#[test]
fn a_node_has_what_the_description_says_under_dash() {
    is_the_same_for_all("dash");
}

#[test]
fn a_node_has_what_the_description_says_under_bash() {
    is_the_same_for_all("bash");
}

#[test]
fn a_node_has_what_the_description_says_under_busybox() {
    is_the_same_for_all("busybox");
}

/// All files and folders below a folder, with their modes.
fn modes(dir: &Path) -> Vec<(PathBuf, u32)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let Ok(data) = std::fs::symlink_metadata(entry.path()) else { continue };
        if !data.is_symlink() {
            all.push((entry.path(), data.permissions().mode() & 0o777));
        }
        if data.is_dir() {
            all.extend(modes(&entry.path()));
        }
    }
    all
}

/// Lets a command have a umask.
fn with_umask(command: &Command, mask: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask \"$0\" && exec \"$@\"", mask]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap()).env_clear();
    shell.envs(command.get_envs().filter_map(|(k, v)| Some((k, v?)))).arg0("sh");
    shell
}

#[test]
fn what_is_made_has_its_mode_whatever_the_umask_is() {
    let mut seen: Vec<BTreeMap<String, u32>> = Vec::new();
    for mask in ["000", "022", "077"] {
        let cluster = LocalCluster::new();
        cluster.write_local(", env: { TOKEN: { env: SECRET } }");
        let mut command = with_umask(&cluster.command(&["deploy", "--yes"]), mask);
        command.env("SECRET", "hush");
        said(command).code(0);
        cluster.settled();
        let base = cluster.dir().join("base");
        let release = std::fs::read_link(cluster.kept("current")).unwrap();
        let release = release.file_name().unwrap().to_str().unwrap().to_owned();
        let all: BTreeMap<String, u32> = modes(&base)
            .into_iter()
            .map(|(path, mode)| {
                let path = path.strip_prefix(&base).unwrap().to_str().unwrap();
                (path.replace(&cluster.name(), "C").replace(&release, "R"), mode)
            })
            // What comes and goes.
            .filter(|(path, _)| !path.contains(".new.") && !path.contains("lock") && !path.contains("supervisor."))
            .collect();
        for (path, mode) in &all {
            assert_eq!(mode & 0o022, 0, "{mask}: {path} has {mode:o}");
        }
        assert_eq!((all["C"], all["C/nodes/worker-1"], all["C/nodes/worker-1/run"]), (0o755, 0o755, 0o600), "{mask}");
        seen.push(all);
    }
    let common = |a: &BTreeMap<String, u32>, b: &BTreeMap<String, u32>| {
        a.iter().filter(|(path, mode)| b.get(*path).is_some_and(|other| other != *mode)).count()
    };
    assert_eq!((common(&seen[0], &seen[1]), common(&seen[2], &seen[1])), (0, 0));
}

#[test]
fn a_node_whose_run_file_is_old_is_known() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    let file = cluster.kept("nodes/worker-1/run");
    let text = std::fs::read_to_string(&file).unwrap();
    let without: String = text.lines().filter(|l| !l.starts_with("at ")).map(|l| format!("{l}\n")).collect();
    std::fs::write(&file, without).unwrap();
    let pid = cluster.pid("worker-1");
    assert!(cluster.run(&["deploy", "--yes"]).code(0).stdout.contains("nothing to do"));
    crate::support::local::kill("KILL", pid);
    wait_for("it to run again", || (cluster.row("worker-1")["pid"].as_u64().is_some_and(|p| p != pid)).then_some(()));
}

/// The digests of a node's inputs in a file.
fn input(text: &str, name: &str) -> String {
    let line = text.lines().find(|l| l.starts_with("input ") && l.ends_with(&format!(" {name}")));
    line.unwrap_or_else(|| panic!("no {name}: {text}")).split(' ').nth(1).unwrap().to_owned()
}

/// Whoever guesses a secret and knows the description can't confirm it, and all who plan agree.
#[test]
fn nothing_on_a_host_confirms_a_guessed_secret() {
    let describe = |cluster: &LocalCluster| {
        cluster.write_local("");
        let file = cluster.dir().join("cluster.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(
            file,
            text.replace("host: here, count: 1", "host: here, count: 1, env: { TOKEN: { env: SECRET } }"),
        )
        .unwrap();
    };
    let with = |cluster: &LocalCluster, secret: &str, args: &[&str]| {
        let mut command = cluster.command(args);
        command.env("SECRET", secret);
        said(command)
    };
    let cluster = LocalCluster::new();
    describe(&cluster);
    with(&cluster, "hush", &["deploy", "--yes"]).code(0);
    let read = |file: &str| std::fs::read_to_string(cluster.kept(file)).unwrap();
    let (run, start, release) = (read("nodes/proxy-1/run"), read("current/start/proxy-1"), cluster.kept("current"));
    let release = std::fs::read_link(release).unwrap();
    assert_eq!(input(&run, "environment"), input(&start, "environment"));
    let salt = start.lines().find_map(|l| l.strip_prefix("salt ")).expect("there is a salt").to_owned();
    assert_eq!(salt.len(), 64);
    // The nodes without a secret have none, and nobody else may read it.
    assert!(!read("current/start/worker-1").contains("\nsalt "));
    for (path, mode) in modes(&cluster.kept("")) {
        let text = std::fs::read(&path).unwrap_or_default();
        let has = text.windows(salt.len()).any(|part| part == salt.as_bytes());
        assert!(!has || mode == 0o600, "{}: {mode:o}", path.display());
    }
    // The same from another machine: what it plans is what is there. Another value is seen, by this node alone.
    assert!(with(&cluster, "hush", &["deploy", "--yes"]).code(0).stdout.contains("nothing to do"));
    let said = with(&cluster, "hush2", &["deploy", "--yes"]).code(0);
    assert!(said.stdout.contains("1 node touched"), "{}", said.stdout);
    let changed = read("nodes/proxy-1/run");
    assert_ne!(input(&changed, "environment"), input(&run, "environment"));
    assert!(read("current/start/proxy-1").contains(&salt));
    // The value of before is the release of before, and a cluster of the same name elsewhere has other digests.
    with(&cluster, "hush", &["deploy", "--yes"]).code(0);
    assert_eq!(std::fs::read_link(cluster.kept("current")).unwrap(), release);
    with(&cluster, "hush", &["stop"]).code(0);
    std::fs::remove_dir_all(cluster.dir().join("base")).unwrap();
    with(&cluster, "hush", &["deploy", "--yes"]).code(0);
    assert_ne!(input(&read("nodes/proxy-1/run"), "environment"), input(&run, "environment"));
    assert_ne!(std::fs::read_link(cluster.kept("current")).unwrap(), release);
}

fn running_as_root() -> bool {
    std::fs::read_to_string("/proc/self/status").unwrap().contains("\nUid:\t0\t")
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn folders_that_others_can_change_are_refused_before_anything_changes() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let base = cluster.dir().join("base");
    // A link leads there, and everybody may write into the folder that has the folder.
    let open = cluster.dir().join("open");
    std::fs::create_dir_all(open.join("base")).unwrap();
    std::os::unix::fs::symlink("open/base", &base).unwrap();
    set_mode(&open, 0o777);
    for shell in ["dash", "bash", "busybox"] {
        let said = cluster.run_under(shell, &["deploy", "--yes"]).code(1);
        let what = format!("here: {} is writable by other users (mode 777)", open.display());
        assert!(said.stderr.contains(&what), "{shell}: {}", said.stderr);
        assert!(said.stderr.contains(&format!("chmod go-w {}", open.display())), "{shell}: {}", said.stderr);
        assert!(!cluster.kept("").exists(), "{shell}");
        let said = cluster.run_under(shell, &["doctor"]).code(5);
        assert!(said.stdout.contains("is writable by other users (mode 777)"), "{shell}: {}", said.stdout);
    }
    set_mode(&open, 0o755);
    cluster.run(&["deploy", "--yes"]).code(0);
    // Inside of it: what anybody could have put there.
    let run = cluster.kept("nodes/worker-1/run");
    set_mode(&run, 0o666);
    let said = cluster.run(&["deploy", "--yes"]).code(1);
    assert!(said.stderr.contains("nodes/worker-1/run is writable by other users (mode 666)"), "{}", said.stderr);
    set_mode(&run, 0o600);
    // In a folder of root's that is sticky, nobody replaces what is another's.
    if running_as_root() {
        // Zeek itself may be other people's business, but not what root runs without a word.
        let bin = cluster.zeek().join("bin");
        set_mode(&bin, 0o777);
        let said = cluster.run(&["deploy", "--yes"]).code(0);
        let told = format!("other users could replace: {} is writable by other users (mode 777)", bin.display());
        assert!(said.stderr.contains(&told), "{}", said.stderr);
        assert!(said.stderr.contains(&format!("chmod go-w {}", bin.display())), "{}", said.stderr);
        set_mode(&bin, 0o755);
        let said = cluster.run(&["deploy", "--yes"]).code(0);
        assert!(!said.stderr.contains("other users could replace"), "{}", said.stderr);
        set_mode(&open, 0o1777);
        cluster.run(&["deploy", "--yes"]).code(0);
        // The folder is another user's.
        std::os::unix::fs::chown(open.join("base"), Some(65534), None).unwrap();
        let said = cluster.run(&["deploy", "--yes"]).code(1);
        assert!(said.stderr.contains("belongs to uid 65534, not to root"), "{}", said.stderr);
        assert!(said.stderr.contains(&format!("chown root {}", open.join("base").display())), "{}", said.stderr);
    }
}
