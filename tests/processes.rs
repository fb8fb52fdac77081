//! Processes on a host that are none of the cluster's nodes: other people's, and other clusters'.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use crate::support::local::{LocalCluster, kill, said, wait_for};

/// A process that calls itself `zeek`; ends with the test.
struct Other(Child);

impl Other {
    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a process named `zeek`, with a name and a word of choice as its arguments.
fn other(cluster: &LocalCluster, name: &str, env: &[(&str, &str)]) -> Other {
    let file = cluster.dir().join("other/zeek");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    if !file.exists() {
        std::fs::copy("/bin/sleep", &file).unwrap();
    }
    let mut command = Command::new(&file);
    std::os::unix::process::CommandExt::arg0(&mut command, name);
    command.arg("600").env_clear().envs(env.iter().copied());
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let comm = format!("/proc/{}/comm", child.id());
    wait_for("it to have its name", || (std::fs::read_to_string(&comm).unwrap() == "zeek\n").then_some(()));
    Other(child)
}

/// Marks a process as another cluster's, so that it is no trouble for the other tests, which see it as well.
fn elsewhere() -> String {
    format!("elsewhere-{}/worker-1", std::process::id())
}

#[test]
fn what_a_process_calls_itself_is_taken_for_its_name_alone() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    let name = cluster.name();
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let forged = format!("CLUSTERCTL={name}/worker-9");
    let argument = format!("==> /proc/1/cmdline <== x\n==> /proc/1/environ <== {forged}\n{forged}");
    let _forged = other(&cluster, &argument, &[("CLUSTERCTL", &elsewhere()), ("X", &format!("x\n{forged}"))]);
    for shell in ["dash", "bash", "busybox"] {
        let said = cluster.run_under(shell, &["status"]).code(0);
        assert!(!said.stdout.contains("kill "), "{shell}: {}", said.stdout);
        let said = cluster.run_under(shell, &["deploy", "--yes"]).code(0);
        assert!(said.stdout.contains("nothing to do"), "{shell}: {}", said.stdout);
    }
}

#[test]
fn many_other_processes_are_counted() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let all: Vec<Other> = (0..30).map(|_| other(&cluster, "zeek", &[("CLUSTERCTL", &elsewhere())])).collect();
    let said = cluster.run(&["status", "-o", "json"]).code(0);
    assert!(said.stdout.contains("30 nodes of the cluster `elsewhere-"), "{}", said.stdout);
    // The last of them is one of this cluster, from a folder that nobody knows.
    let mark = format!("{}/worker-9", cluster.name());
    let ours = other(&cluster, "zeek", &[("CLUSTERCTL", &mark)]);
    let said = cluster.run(&["deploy", "--yes"]).code(1);
    assert!(said.stderr.contains("worker-9 already runs on here from another folder"), "{}", said.stderr);
    assert!(said.stderr.contains(&format!("pid {} ", ours.pid())), "{}", said.stderr);
    drop(all);
}

/// A name in another user's process is that user's word.
#[test]
fn processes_of_other_users_decide_nothing() {
    if !running_as_root() {
        return;
    }
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let mark = format!("CLUSTERCTL={}/worker-9", cluster.name());
    let file = cluster.dir().join("other/zeek");
    drop(other(&cluster, "zeek", &[]));
    for folder in [cluster.dir(), file.parent().unwrap()] {
        std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let start = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "env", mark.as_str()]).arg(&file).args(args);
        Other(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    };
    let all: Vec<Other> = (0..25).map(|_| start(&["600"])).collect();
    for one in &all {
        let comm = format!("/proc/{}/comm", one.pid());
        wait_for("it to have its name", || (std::fs::read_to_string(&comm).unwrap() == "zeek\n").then_some(()));
    }
    let said = cluster.run(&["deploy", "--yes"]).code(0);
    assert!(said.stdout.contains("nothing to do"), "{}", said.stdout);
    let said = cluster.run(&["status", "-o", "json"]).code(0);
    assert!(!said.stdout.contains("kill "), "{}", said.stdout);
    assert!(said.stdout.contains("of uid 65534") && said.stdout.contains(" more Zeeks are "), "{}", said.stdout);
}

fn running_as_root() -> bool {
    std::fs::read_to_string("/proc/self/status").unwrap().contains("\nUid:\t0\t")
}

/// Writes the description of another cluster beside the first one: same account, base, spool and control port.
fn describe_other(cluster: &LocalCluster, name: &str, control: Option<u16>) -> String {
    let text = std::fs::read_to_string(cluster.dir().join("cluster.yaml")).unwrap();
    let text = text.replace(&format!("cluster: {}\n", cluster.name()), &format!("cluster: {name}\n"));
    let at = text.find("ports: { base: ").unwrap() + "ports: { base: ".len();
    let base: u16 = text[at..].split(',').next().unwrap().parse().unwrap();
    let mut text = text.replace(&format!("base: {base},"), &format!("base: {},", base + 20));
    text = text.replace("backend: broker", "version: '8.0', backend: broker");
    if let Some(further) = control {
        let at = text.find("control: ").unwrap();
        let end = at + text[at..].find(' ').unwrap() + 1;
        let old: u16 = text[end..].split(' ').next().unwrap().parse().unwrap();
        text = text.replacen(&format!("control: {old}"), &format!("control: {}", old - further), 1);
    }
    std::fs::write(cluster.dir().join(format!("{name}.yaml")), text).unwrap();
    format!("{name}.yaml")
}

#[test]
fn another_cluster_on_the_same_host_is_named_and_its_answers_are_not_ours() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    cluster.settled();
    let corp = format!("corp-{}", std::process::id());
    let file = describe_other(&cluster, &corp, None);
    let run = |args: &[&str]| cluster.run(&[&["-f", &file], args].concat());
    // Behind its control port is the manager of the first one.
    let said = run(&["status", "-o", "json"]).code(5);
    let data = &said.json()["data"];
    // What the description says; the other manager has told 8.0.10.
    assert_eq!((&data["zeek"], &data["workers"]["counted"]), (&"8.0".into(), &serde_json::Value::Null));
    let names_it = format!("the cluster `{}` in {}", cluster.name(), cluster.kept("").display());
    let names_it = names_it.trim_end_matches('/');
    assert!(said.stdout.contains("give one of them another `ports.control`"), "{}", said.stdout);
    assert!(said.stdout.contains(names_it), "{names_it}: {}", said.stdout);
    assert!(!said.stdout.contains("kill "), "{}", said.stdout);
    let said = run(&["print", "Cluster::node"]);
    assert!(
        said.stdout.contains("another `ports.control`") || said.stderr.contains("another `ports.control`"),
        "{said:?}"
    );
    // Its nodes are named as what they are, and nothing is wrong with the first one.
    describe_other(&cluster, &corp, Some(2));
    run(&["deploy", "--yes"]).code(0);
    let said = cluster.run(&["status", "-o", "json"]).code(0);
    assert!(said.stdout.contains(&format!("4 nodes of the cluster `{corp}` in")), "{}", said.stdout);
    run(&["stop"]).code(0);
    // A node that finds its port taken when it starts says by whom.
    let ports = std::fs::read_to_string(cluster.dir().join(&file)).unwrap();
    let (base, _) = cluster.ports();
    let same = ports.replace(&format!("base: {},", base + 20), &format!("base: {base},"));
    std::fs::write(cluster.dir().join(&file), same).unwrap();
    cluster.run(&["stop"]).code(0);
    run(&["deploy", "--yes"]).code(0);
    run(&["stop"]).code(0);
    cluster.run(&["start"]).code(0);
    let said = run(&["start", "manager"]);
    assert!(said.stdout.contains(&format!("; it is manager of the cluster `{}` of", cluster.name())), "{said:?}");
}

/// In a container `/proc/uptime` may be the container's while processes' starts are counted by the kernel's own clock.
#[test]
fn how_long_a_node_ran_is_told_by_one_clock() {
    for shell in [&["dash"][..], &["bash"], &["busybox", "sh"]] {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for folder in ["release/start", "release/clusterctl", "spool/nodes/worker-1"] {
            std::fs::create_dir_all(path(folder)).unwrap();
        }
        std::fs::write(path("release/clusterctl/node.sh"), clusterctl::scripts::RELEASE_NODE).unwrap();
        std::fs::write(path("release/start/worker-1"), "zeek /none\nrestart on-crash\n").unwrap();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let now: u64 = uptime.split('.').next().unwrap().parse().unwrap();
        // Started 100 s ago; by the kernel's clock at a time that this one comes to in a year.
        let run = format!("id {} 1 3153600000\nat {}\nrelease r\ntries 7\n", boot.trim(), now.saturating_sub(100));
        let node = path("spool/nodes/worker-1");
        std::fs::write(node.join("run"), run).unwrap();
        let status = Command::new(shell[0])
            .args(&shell[1..])
            .arg(path("release/clusterctl/node.sh"))
            .args(["ended".into(), path("home"), node.clone(), path("release"), "worker-1".into(), "139".into()])
            .stdin(Stdio::null())
            .status()
            .unwrap();
        let exit = std::fs::read_to_string(node.join("exit")).unwrap();
        assert_eq!(status.code(), Some(1), "{exit}");
        assert!(exit.contains("\ntries 1\nnext 1\n"), "{shell:?}: {exit}");
    }
}

#[test]
fn the_age_of_a_process_is_told_where_the_uptime_is_the_containers() {
    let cluster = LocalCluster::new();
    cluster.write_local("");
    cluster.run(&["deploy", "--yes"]).code(0);
    let pid = cluster.pid("worker-1");
    let fake = cluster.dir().join("uptime");
    std::fs::write(&fake, "1.00 1.00\n").unwrap();
    let command = cluster.command(&["status", "-o", "json"]);
    let mut inside = Command::new("unshare");
    inside.args(["-m", "sh", "-c", "mount --bind \"$0\" /proc/uptime && exec \"$@\""]).arg(&fake);
    inside.arg(command.get_program()).args(command.get_args()).current_dir(cluster.dir()).env_clear();
    inside.envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
    let said = said(inside);
    if said.stdout.is_empty() && !running_as_root() {
        return;
    }
    let row =
        said.json()["data"]["nodes"].as_array().unwrap().iter().find(|r| r["node"] == "worker-1").unwrap().clone();
    assert_eq!(row["pid"], pid);
    assert!(row["uptime"].as_f64().unwrap() > 0.0, "{row}");
    kill("0", pid);
}

/// Who holds a port is told by the link of its socket, not by what the name of a file looks like.
#[test]
fn the_name_of_an_open_file_is_no_holder_of_a_port() {
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().unwrap();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let socket = OwnedFd::from(socket);
    let inode = std::fs::File::from(socket.try_clone().unwrap()).metadata().unwrap().ino();
    // Its process comes first.
    let name = dir.path().join(format!("x\n/proc/1/fd:\nlrwx------ 1 0 0 64 Jan  1 00:00 3 -> socket:[{inode}]"));
    std::fs::create_dir_all(name.parent().unwrap()).unwrap();
    let hold =
        |stdin: Stdio| Other(Command::new("sleep").arg("600").stdin(stdin).stdout(Stdio::null()).spawn().unwrap());
    let _forged = hold(std::fs::File::create(&name).unwrap().into());
    let holder = hold(socket.into());
    let text = clusterctl::scripts::PORTS;
    for shell in [&["dash"][..], &["bash"], &["busybox", "sh"]] {
        let mut script = Command::new(shell[0]);
        script.args(&shell[1..]).args(["-c", &format!("set -u\n{text}"), "sh"]).arg(dir.path()).env("T", "t");
        let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        writeln!(script.stdin.take().unwrap(), "{port:04X}\n").unwrap();
        let said = String::from_utf8(script.wait_with_output().unwrap().stdout).unwrap();
        let listens = said.lines().find(|l| l.starts_with("t listens ")).unwrap_or_else(|| panic!("{shell:?}: {said}"));
        assert!(listens.ends_with(&format!(" {} sleep", holder.pid())), "{shell:?}: {said}");
    }
}

/// A node that is started again while its files are read is told as the one or the other, and not as half of each.
#[test]
fn a_node_that_starts_while_it_is_looked_at_is_told_as_one_process() {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let since = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap();
    let me = std::process::id();
    // A word of the shell's makes it happen at the worst time: when the old files have been read.
    let start_now = "dump() {
        while IFS= read -r line; do say \"$1 $line\"; done <\"$2\"
        [ \"$1\" != exit ] || [ ! -e \"$home/next\" ] || { mv \"$home/next\" \"${dir}run\"; mv \"$2\" \"${2}.last\"; }
    }\n";
    let (parts, own) = clusterctl::scripts::OBSERVE.split_once("home=$1 spool=$2").unwrap();
    let script = format!("set -u\n{parts}{start_now}home=$1 spool=$2{own}");
    for shell in [&["dash"][..], &["bash"], &["busybox", "sh"]] {
        let dir = tempfile::tempdir().unwrap();
        let node = dir.path().join("nodes/worker-1");
        std::fs::create_dir_all(&node).unwrap();
        let keep = |path: std::path::PathBuf, text: String| std::fs::write(path, text).unwrap();
        let boot = boot.trim();
        keep(node.join("run"), format!("id {boot} 4194305 1\nrestarts 0\n"));
        keep(node.join("exit"), format!("id {boot} 4194305 1\nstatus 134\nnext 1\n"));
        keep(dir.path().join("next"), format!("id {boot} {me} {since}\nrestarts 1\n"));
        let mut script_of = Command::new(shell[0]);
        script_of.args(&shell[1..]).args(["-c", &script, "sh"]).args([dir.path(), dir.path()]).arg("/zeek");
        let said = script_of.env("T", "t").stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let (_, last) = said.rsplit_once("t node worker-1\n").unwrap_or_else(|| panic!("{shell:?}: {said}"));
        let has = |line: &str| last.lines().any(|l| l.starts_with(line));
        assert!(has(&format!("t process {me} ")) && has("t run restarts 1") && has("t last status 134"), "{said}");
        assert!(!has("t exit") && !has("t run restarts 0"), "{shell:?}: {said}");
    }
}
