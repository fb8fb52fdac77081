//! Runs one script after another in a folder of its own, as the transport does, in one of several shells.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use clusterctl::scripts;

/// The shells that a host may have as its `sh`, with what is called for it. mksh has no `printf` of its own.
pub(super) const SHELLS: [&[&str]; 4] = [&["dash"], &["busybox", "sh"], &["bash", "--posix"], &["mksh"]];
/// The last is asked for no more than to read: ksh93u+m 1.0.4 dies of SIGSEGV at an `exec` after `unset SHLVL`.
pub(super) const READERS: [&[&str]; 5] = [SHELLS[0], SHELLS[1], SHELLS[2], SHELLS[3], &["ksh93"]];

/// What hosts must have, as doctor says it, and what scripts use where it is there.
const TOOLS: [&str; 33] = [
    "basename",
    "cat",
    "chmod",
    "cmp",
    "cp",
    "date",
    "dd",
    "df",
    "env",
    "find",
    "grep",
    "gzip",
    "head",
    "id",
    "kill",
    "ln",
    "ls",
    "mkdir",
    "mv",
    "nproc",
    "printf",
    "readlink",
    "rm",
    "rmdir",
    "sed",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "tail",
    "tar",
    "tr",
    "wc",
];
const OPTIONAL: [&str; 6] = ["getcap", "nice", "setsid", "taskset", "timeout", "ps"];

/// What a script puts behind the PATH that it finds: without it, a tool can be missing.
const SYSTEM: &str = "PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What units look like from a script: each that runs has a file with the pid of what keeps it running.
const SYSTEMCTL: &str = r#"[ "$1" != --user ] || shift
verb=$1
shift
[ "${1:-}" != --no-block ] || shift
case $verb in
show)
	for file in HERE/units/*; do
		[ ! -e "$file" ] || printf 'Id=%s
ActiveState=active

' "${file##*/}"
	done
	;;
restart)
	for unit; do
		HERE/bin/unit "$unit" </dev/null >>HERE/unit.log 2>&1 &
		echo $! >"HERE/units/$unit"
	done
	;;
stop)
	for unit; do
		[ ! -e "HERE/units/$unit" ] || kill -TERM "$(cat "HERE/units/$unit")" 2>/dev/null
	done
	for unit; do
		while [ -e "HERE/units/$unit" ]; do sleep 0.1; done
	done
	;;
esac
"#;

/// A unit of the template: `clusterctl@.service` says the same to systemd.
const UNIT: &str = r#"unit=$1
for file in HERE/etc/systemd/system/$unit.d/clusterctl.conf HERE/.config/systemd/user/$unit.d/clusterctl.conf; do
	[ ! -e "$file" ] || conf=$file
done
dir=$(sed -n 's/^Environment="CLUSTERCTL_DIR=\(.*\)"$/\1/p' "$conf")
home=$(sed -n 's/^Environment="CLUSTERCTL_HOME=\(.*\)"$/\1/p' "$conf")
release=$(sed -n 's/.*"CLUSTERCTL_RELEASE=\(.*\)" CLUSTERCTL_NODE=.*/\1/p' "$conf")
name=$(sed -n 's/.* CLUSTERCTL_NODE=//p' "$conf")
verb() {
	verb=$1
	shift
	sh "$release/clusterctl/node.sh" "$verb" "$home" "$dir" "$release" "$name" "$@"
}
asked=''
trap 'asked=1; MAINPID=1 verb asked; kill -TERM "$child" 2>/dev/null' TERM
while [ -z "$asked" ] && verb may; do
	sh "$release/clusterctl/node.sh" run "$home" "$dir" "$release" "$name" &
	child=$!
	wait "$child"
	code=$?
	while kill -0 "$child" 2>/dev/null; do
		wait "$child"
		code=$?
	done
	EXIT_CODE=exited EXIT_STATUS=$code verb ended systemd
done
rm -f "HERE/units/$unit"
"#;

/// How shells say that a script is wrong.
const WRONG: [&str; 17] = [
    "parameter not set",
    "unbound variable",
    "not found",
    "yntax error",
    "ad substitution",
    "unexpected",
    "llegal number",
    "nteger expression",
    "ad number",
    "rithmetic",
    "nvalid option",
    "llegal option",
    "invalid identifier",
    "bad variable name",
    "out of range",
    "unknown operand",
    "argument expected",
];

/// A script that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(120);

/// What a script answered.
pub(super) struct Ran {
    /// Its lines, without the token.
    pub(super) lines: Vec<String>,
    pub(super) status: i32,
}

impl Ran {
    /// Tells whether one of the lines begins so.
    pub(super) fn has(&self, line: &str) -> bool {
        self.lines.iter().any(|l| l.starts_with(line))
    }
}

/// A host of its own for one shell.
pub(super) struct World {
    dir: tempfile::TempDir,
    shell: &'static [&'static str],
    /// The shell, as it is called without PATH.
    argv: Vec<PathBuf>,
    /// All that scripts answered, without what differs from run to run.
    said: RefCell<String>,
    /// Which scripts have run, and how many times some did.
    ran: RefCell<BTreeSet<String>>,
    runs: Cell<usize>,
}

/// A script that runs.
pub(super) struct Running {
    child: Child,
    name: String,
    /// What runs where, for messages.
    at: String,
    out: PathBuf,
    err: PathBuf,
}

fn find(tool: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].iter().map(|dir| Path::new(dir).join(tool)).find(|path| path.exists())
}

/// Runs a case in each shell, and holds what was said to be the same in all of them.
pub(super) fn in_each(shells: &[&'static [&'static str]], lacks: &[&str], case: impl Fn(&World)) {
    let mut first: Option<(&str, String)> = None;
    for &shell in shells {
        let found = find(shell[0]);
        crate::support::lacks(&format!("no {}", shell[0]), &format!("install {}", shell[0]), found.is_none());
        let Some(path) = found else { continue };
        let mut argv = vec![path];
        argv.extend(shell[1..].iter().map(PathBuf::from));
        let dir = tempfile::Builder::new().prefix("cc.").tempdir_in("/tmp").unwrap();
        let bin = dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for tool in TOOLS.iter().chain(&OPTIONAL).filter(|tool| !lacks.contains(tool)) {
            if let Some(path) = find(tool) {
                symlink(path, bin.join(tool)).unwrap();
            }
        }
        let called: Vec<_> = argv.iter().map(|a| a.to_str().unwrap()).collect();
        program(&bin.join("sh"), &format!("exec {} \"$@\"\n", called.join(" ")));
        // No crontab but this one, which is kept in a file.
        let tab = dir.path().join("crontab").display().to_string();
        program(
            &bin.join("crontab"),
            &format!("case $1 in -l) cat {tab} ;; -r) rm {tab} ;; *) cat >{tab} ;; esac 2>/dev/null\n"),
        );
        let world =
            World { dir, shell, argv, said: RefCell::default(), ran: RefCell::default(), runs: Cell::default() };
        case(&world);
        let said = world.said.take();
        match &first {
            None => first = Some((shell[0], said)),
            Some((name, before)) => {
                let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
                let (left, right) = (lines(before), lines(&said));
                let at = left.iter().zip(&right).position(|(l, r)| l != r).unwrap_or(left.len().min(right.len()));
                let near = |all: &[String]| all[at.saturating_sub(4)..all.len().min(at + 3)].join("\n");
                assert!(
                    left == right,
                    "{name} and {} answer differently:\n{}\n\n{}",
                    shell[0],
                    near(&left),
                    near(&right)
                );
            }
        }
    }
}

/// Makes a program of the system's `sh`.
pub(super) fn program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

impl World {
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A script as a host has it, but with the PATH that it finds, and with what is systemd's below this folder.
    pub(super) fn own(&self, script: &str) -> String {
        let here = self.dir.path().to_str().unwrap();
        let script = script.replace(SYSTEM, "PATH=$PATH");
        ["/etc/systemd/", "/run/systemd/", "/run/user/"]
            .iter()
            .fold(script, |script, folder| script.replace(folder, &format!("{here}{folder}")))
    }

    /// Gives this host a systemd, as far as scripts see of it.
    pub(super) fn with_systemd(&self) {
        let here = self.dir.path().to_str().unwrap();
        let uid = rustix::process::getuid().as_raw();
        for folder in ["run/systemd/system", "units", &format!("run/user/{uid}/systemd")] {
            fs::create_dir_all(self.path(folder)).unwrap();
        }
        // The file stays when its listener is gone.
        drop(UnixListener::bind(self.path(&format!("run/user/{uid}/systemd/private"))).unwrap());
        program(&self.path("bin/systemctl"), &SYSTEMCTL.replace("HERE", here));
        program(&self.path("bin/unit"), &UNIT.replace("HERE", here));
    }

    /// Tells whether a script has run here.
    pub(super) fn has_run(&self, name: &str) -> bool {
        self.ran.borrow().contains(name)
    }

    /// Runs a script, which must end well or badly with its last line, and say nothing on stderr.
    pub(super) fn run(&self, name: &str, args: &[&str], input: &[u8]) -> Ran {
        self.run_with(name, args, input, &[])
    }

    /// The same for one of whose tools these complaints are expected.
    pub(super) fn run_with(&self, name: &str, args: &[&str], input: &[u8], complaints: &[&str]) -> Ran {
        let (running, mut stdin) = self.begin(name, args);
        let input = input.to_vec();
        // One that ends early does not read all of it.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let ran = self.end(running, complaints);
        writer.join().unwrap();
        ran
    }

    /// Begins a script, whose input is still to come.
    pub(super) fn begin(&self, name: &str, args: &[&str]) -> (Running, ChildStdin) {
        let (_, text) = scripts::ALL.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no script {name}"));
        let sent = self.own(&scripts::sent(text));
        let mut head = format!("{sent}TOKEN\n{}\n", args.len());
        for arg in args {
            writeln!(head, "{arg}").unwrap();
        }
        let mut running = self.spawn(name, args, |shell| {
            shell.args(["-c", scripts::LOADER, "sh", &sent.len().to_string()]);
        });
        let mut stdin = running.child.stdin.take().unwrap();
        stdin.write_all(head.as_bytes()).unwrap();
        (running, stdin)
    }

    fn spawn(&self, name: &str, args: &[&str], with: impl FnOnce(&mut Command)) -> Running {
        self.ran.borrow_mut().insert(name.to_owned());
        self.runs.set(self.runs.get() + 1);
        let (out, err) =
            (self.path(&format!("stdout{}", self.runs.get())), self.path(&format!("stderr{}", self.runs.get())));
        let mut shell = Command::new(&self.argv[0]);
        shell.args(&self.argv[1..]).env_clear().env("PATH", self.path("bin")).env("HOME", self.dir.path());
        with(&mut shell);
        let files = shell.stdout(fs::File::create(&out).unwrap()).stderr(fs::File::create(&err).unwrap());
        let child = files.stdin(Stdio::piped()).spawn().unwrap();
        Running { child, name: name.to_owned(), at: format!("{name} {args:?} in {}", self.shell.join(" ")), out, err }
    }

    /// Waits until a script that runs has said a line that begins so.
    pub(super) fn wait_for(running: &Running, line: &str) {
        let (began, line) = (Instant::now(), format!("TOKEN {line}"));
        while !fs::read_to_string(&running.out).unwrap().lines().any(|l| l.starts_with(&line)) {
            assert!(began.elapsed() < LONGEST, "{} does not say `{line}`", running.at);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for the end of what runs. Returns its status, and what it said.
    fn wait(running: &mut Running) -> (i32, String, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = running.child.try_wait().unwrap() {
                break status.code();
            }
            if began.elapsed() > LONGEST {
                running.child.kill().unwrap();
                panic!("{} does not end", running.at);
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let (stdout, stderr) = (text(&running.out), text(&running.err));
        (status.unwrap_or_else(|| panic!("{} was killed: {stdout}{stderr}", running.at)), stdout, stderr)
    }

    /// Waits for the end of a script that was begun, and holds its answer to have the frame that the transport expects.
    pub(super) fn end(&self, mut running: Running, complaints: &[&str]) -> Ran {
        // Its status is what its last line says: that of a shell which runs a trap differs from shell to shell.
        let (_, stdout, stderr) = Self::wait(&mut running);
        let at = &running.at;
        let stderr = stderr.strip_prefix("TOKEN begin\n").unwrap_or(&stderr).to_owned();
        let mut lines: Vec<String> = stdout
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| line.strip_prefix("TOKEN ").unwrap_or_else(|| panic!("{at} says `{line}` without its token")))
            .map(str::to_owned)
            .collect();
        assert_eq!(lines.first().map(String::as_str), Some("begin"), "{at}: {stdout}{stderr}");
        let end = lines.pop().and_then(|line| line.strip_prefix("end ")?.parse().ok());
        let status: i32 = end.unwrap_or_else(|| panic!("{at} has no end: {stdout}{stderr}"));
        lines.remove(0);
        Self::sound(at, &stderr, complaints);
        self.note(&running.name, &lines, status);
        Ran { lines, status }
    }

    /// Runs a script of a release, as its file, with what is in its environment.
    pub(super) fn file(&self, path: &str, args: &[&str], env: &[(&str, &str)], complaints: &[&str]) -> Ran {
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        let mut running = self.spawn(name, args, |shell| {
            shell.arg(path).args(args).envs(env.iter().copied());
        });
        drop(running.child.stdin.take());
        let (status, stdout, stderr) = Self::wait(&mut running);
        Self::sound(&running.at, &stderr, complaints);
        let lines: Vec<_> = stdout.lines().map(|l| l.strip_prefix("clusterctl ").unwrap_or(l).to_owned()).collect();
        self.note(name, &lines, status);
        Ran { lines, status }
    }

    /// Holds a text on stderr to be none of a shell about a script, nor anything else that is not expected.
    fn sound(at: &str, stderr: &str, complaints: &[&str]) {
        for line in stderr.lines() {
            assert!(complaints.iter().any(|c| line.contains(c)), "{at} says on stderr: {stderr}");
            assert!(!WRONG.iter().any(|w| line.contains(w)), "{at} is wrong: {stderr}");
        }
    }

    /// Holds what the scripts of a release wrote into files of nodes to be no complaint of a shell.
    pub(super) fn nothing_wrong_below(&self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                self.nothing_wrong_below(&path);
            } else if ["stderr", "stderr.last", "supervisor.err", "last"].contains(&name.as_str()) {
                let text = fs::read_to_string(&path).unwrap();
                assert!(
                    !WRONG.iter().any(|w| text.contains(w)),
                    "{}, {}: {text}",
                    self.shell.join(" "),
                    path.display()
                );
            }
        }
    }

    /// Notes what was said, without pids, times, this folder, and what else runs on this machine.
    fn note(&self, name: &str, lines: &[String], status: i32) {
        let mut said = self.said.borrow_mut();
        writeln!(said, "== {name}: {status}").unwrap();
        let here = self.dir.path().to_str().unwrap();
        let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        if let Some(strays) = lines.iter().position(|l| *l == "nodes end") {
            let end = lines.iter().position(|l| *l == "observed end").unwrap_or(strays);
            lines.drain(strays..end);
        }
        // What is followed comes in parts as it is written.
        if let Some(shown) = lines.iter().position(|l| name == "LOGS" && *l == "shown") {
            lines.truncate(shown);
        }
        // Those that several processes say have no order.
        if ["START", "STOP", "MAINTAIN"].contains(&name) {
            lines.sort_unstable();
        }
        for line in lines {
            let word = line.split(' ').next().unwrap();
            // What differs with the time that this takes, and with this folder's name.
            if [
                "beat", "inside", "manifest", "now", "known", "touched", "process", "resident", "address", "load",
                "threads", "disk",
            ]
            .contains(&word)
            {
                continue;
            }
            // What the kernel counts, for all that runs on this machine.
            if ["TOP", "CAPSTATS"].contains(&name) {
                writeln!(said, "{word}").unwrap();
                continue;
            }
            let all =
                name == "DF" || ["room", "free", "folder", "clock", "locked", "last", "exit", "run"].contains(&word);
            let mut digits = String::new();
            for c in line.replace(here, "@").chars().chain(['\n']) {
                if c.is_ascii_digit() || (c == '.' && digits.len() > 2) {
                    digits.push(c);
                    continue;
                }
                said.push_str(if digits.len() > 2 || (all && !digits.is_empty()) { "#" } else { &digits });
                digits.clear();
                said.push(c);
            }
        }
    }
}

impl Drop for World {
    /// Ends what a case left behind: this folder is in its command line, its environment, or where it works.
    fn drop(&mut self) {
        let here = self.dir.path().to_str().unwrap().to_owned();
        let own = std::process::id().to_string();
        let left = || {
            let processes = fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
                let says = |file: &str| {
                    String::from_utf8_lossy(&fs::read(entry.path().join(file)).unwrap_or_default()).contains(&here)
                };
                let pid = entry.file_name().into_string().unwrap_or_default();
                pid.bytes().all(|b| b.is_ascii_digit())
                    && pid != own
                    && (says("cmdline")
                        || says("environ")
                        || fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(&here)))
            });
            processes.map(|entry| entry.file_name()).collect::<Vec<_>>()
        };
        // A supervisor may just be starting the next.
        for _ in 0..100 {
            let left = left();
            if left.is_empty() {
                return;
            }
            let _ = Command::new("kill").arg("-KILL").args(left).stderr(Stdio::null()).status();
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
