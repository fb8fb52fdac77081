//! What hosts may look like, and what each script says of it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use clusterctl::scripts;

use super::shells::{READERS, SHELLS, World, in_each, program};

/// A Zeek that parses, runs until it is told to end, or fails at once.
const ZEEK: &str = r#"case " $* " in
*" --version "*) echo zeek version 8.0.1; exit ;;
*" --parse-only "*) exit ;;
esac
[ -z "${FAIL:-}" ] || { echo cannot >&2; exit 3; }
trap 'kill $nap; echo TERMINATED >.status; exit' TERM
sleep 600 &
nap=$!
echo RUNNING >.status
wait
"#;

const ARCHIVER: &str = r#"for last; do :; done
mkdir -p "$last/2026-01-01"
mv "$6"/*__* "$last/2026-01-01/"
"#;

/// Where a cluster lies.
struct Cluster<'a> {
    world: &'a World,
    home: String,
    spool: String,
    zeek: String,
}

/// A release as it is sent: its name, the digest of its manifest, and the archive.
struct Release {
    id: String,
    digest: String,
    tar: Vec<u8>,
}

fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

impl<'a> Cluster<'a> {
    /// With folders below one of this name, and a Zeek.
    fn below(world: &'a World, base: &str) -> Self {
        let at = |name: &str| world.path(&format!("{base}/{name}")).to_str().unwrap().to_owned();
        let cluster = Self { world, home: at("base/c"), spool: at("spool/c"), zeek: at("prefix/bin/zeek") };
        program(Path::new(&cluster.zeek), ZEEK);
        program(&Path::new(&cluster.zeek).with_file_name("zeek-archiver"), ARCHIVER);
        cluster
    }

    /// A release with a node, and what archives its logs; `more` is in the node's start file, and with the setting of a
    /// unit in it the release is one of the runner systemd.
    fn release(&self, id: &str, more: &str) -> Release {
        let dir = self.world.path(&format!("src-{id}"));
        let put = |path: &str, text: &str| {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, self.world.own(text)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        };
        let zeek = fs::metadata(&self.zeek).unwrap();
        let secret = Self::secret().0;
        put("cluster.json", "{\"cluster\": \"c\"}\n");
        put("clusterctl/version", "8.0.1 broker\n");
        put("clusterctl/secrets", &format!("{secret}\n"));
        put("clusterctl/node.sh", scripts::RELEASE_NODE);
        put("clusterctl/start.sh", scripts::RELEASE_START);
        put("clusterctl/supervisor.sh", scripts::RELEASE_SUPERVISOR);
        put("clusterctl/archiver.sh", scripts::RELEASE_ARCHIVER);
        if more.contains("unit ") {
            put("clusterctl/clusterctl@.service", scripts::UNIT);
        }
        put("clusterctl/maintain.sh", scripts::RELEASE_MAINTAIN);
        put(
            "clusterctl/logs.conf",
            &format!(
                "archive {}/archive\narchiver {}-archiver\ncompress \nexpire 3600\nmin_free 0\nready 30\n",
                self.spool, self.zeek
            ),
        );
        put(
            "start/manager",
            &format!(
                "zeek {0}\nbinary {1} {2}\nrestart on-crash\nrotates yes\ncpu 0\nnice 1\nnofile 256\ncore 0\nsalt 12ab\n\
                 input aaa command line\ninput bbb keys\n{more}zeekpath /none\nsecrets {secret}\nenv EMPTY=\nenv TZ=\n\
                 env ODD= a  \"b\" 'c' $d `e` \\\nenv not a name=1\narg -C\narg \narg it's \"$odd\" *\n",
                self.zeek,
                zeek.size(),
                zeek.mtime()
            ),
        );
        put(
            "start/log-archiver",
            &format!(
                "script archiver.sh\nrestart on-crash\nenv CLUSTERCTL=c/log-archiver\narg {}\narg {}\n",
                self.home, self.spool
            ),
        );
        put("site/local.zeek", "# nothing\n");
        put("site/-it's a \"file\" of \u{fc}.zeek", "");
        put("site/version", &format!("{id}\n"));
        let script = format!("{}manifest \"$1\"", include_str!("../../templates/manifest.sh"));
        let output = Command::new("sh").args(["-c", &script, "sh"]).arg(&dir).env("LC_ALL", "C").output().unwrap();
        let tar = Command::new("tar").arg("-C").arg(&dir).args(["-cz", "."]).output().unwrap().stdout;
        Release { id: id.to_owned(), digest: digest(&output.stdout), tar }
    }

    /// The name and the content of a secret.
    fn secret() -> (String, String) {
        let content = "CLUSTERCTL_TLS_PASSPHRASE= it's \"a\" $secret\n".to_owned();
        (format!("tls-passphrase-{}", &digest(content.as_bytes())[..16]), content)
    }

    /// The arguments of a step that changes something, after those of its guard.
    fn guarded<'b>(&'b self, args: &[&'b str]) -> Vec<&'b str> {
        let mut all = vec![self.home.as_str(), "op1", "999999999"];
        all.extend_from_slice(args);
        all
    }

    /// The host's lock is held by this operation, as far as a step can see.
    fn hold_lock(&self) {
        fs::create_dir_all(&self.home).unwrap();
        fs::write(format!("{}/lock", self.home), "id boot 1 1 op1 somebody\n").unwrap();
    }

    fn free_lock(&self) {
        fs::remove_file(format!("{}/lock", self.home)).unwrap();
    }

    fn observe(&self) -> [super::shells::Ran; 2] {
        ["OBSERVE", "OBSERVE_ALL"].map(|script| self.world.run(script, &[&self.home, &self.spool, &self.zeek], b""))
    }

    /// Unpacks a release and names it.
    fn stage(&self, release: &Release) {
        let (home, spool) = (self.home.as_str(), self.spool.as_str());
        let input = [b"\n", release.tar.as_slice()].concat();
        let args = [home, release.id.as_str(), release.digest.as_str(), "-", spool];
        let ran = self.world.run("STAGE", &self.guarded(&args), &input);
        assert_eq!(ran.lines.last(), Some(&format!("unpacked {}", release.id)));
        let ran = self.world.run("SETTLE", &self.guarded(&[home, &release.id, &release.digest]), b"");
        assert_eq!(ran.lines, [format!("staged {}", release.id)]);
    }

    fn activate(&self, from: &str, to: &str) {
        let ran = self.world.run("ACTIVATE", &self.guarded(&[&self.home, to, from]), b"who me\n\n\n");
        assert_eq!(ran.lines, [format!("activated {to}")]);
    }

    fn keep_secret(&self) {
        let (name, content) = Self::secret();
        let dir = self.world.path("keys");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(&name), content).unwrap();
        let tar = Command::new("tar").arg("-C").arg(&dir).args(["-cz", "."]).output().unwrap().stdout;
        assert_eq!(self.world.run("KEEP", &self.guarded(&[&self.home]), &tar).lines, ["kept"]);
        let ran = self.world.run("SECRET", &[&self.home, &name], b"");
        assert_eq!(ran.lines, ["secret CLUSTERCTL_TLS_PASSPHRASE= it's \"a\" $secret"]);
    }

    /// What only reads, of a release `r1`.
    fn look_around(&self) {
        let (home, spool) = (self.home.as_str(), self.spool.as_str());
        let run = |name, args: &[&str], input: &str| self.world.run(name, args, input.as_bytes());
        self.observe();
        run("RELEASE", &[home, "r1"], "");
        run("CLUSTER", &[home, "r1"], "");
        run("CLUSTER", &[home, "current"], "");
        run("STARTS", &[home, "r1"], "");
        run("DIFF", &[&format!("{home}/releases"), "100000"], "r1 1000\nsite/version\nr1 1\nsite/local.zeek\n");
        assert_eq!(run("PORTS", &[spool], "0001\n\n").lines, ["ports end"]);
        assert!(run("QUEUE", &[home, spool], "").has("queue "));
        assert_eq!(run("HISTORY", &[home, "9"], "").lines.last().unwrap(), "did end");
        assert_eq!(run("EXEC", &[home, spool, "60", "100", "none", "  ", "true"], "").lines, ["lacks"]);
        let ran = run("DIAG", &[home, spool, &self.zeek], "5\n1000\n TZ EMPTY \nall\nmanager\nno-such\n\n");
        assert!(ran.has("about no-such") && ran.lines.last().unwrap() == "about end", "{:?}", ran.lines);
        let nodes = format!("{spool}/nodes");
        let args = [&nodes, "once", "10", "100000", "text", "it's \"$x\""];
        assert!(run("LOGS", &args, "manager/conn.log\nmanager/stderr\nno such/stdout\n\n").has("shown"));
        let disks = format!("base {home}\nspool {spool}\nodd /no such/*/\"x\"\n");
        let ran = run("DF", &[], &disks);
        assert!(ran.has("folder base yes ") && ran.has("folder odd ") && ran.has("blocks ") && ran.has("shown"));
        let ran = run("TOP", &[home, spool, "1", "2"], "lo\nno-such.1\n\n");
        assert!(ran.has("nodes end") && ran.has("cpu ") && ran.has("net ") && ran.has("MemTotal:"));
        assert_eq!(ran.lines.iter().filter(|line| *line == "sampled").count(), 2);
        let ran = run("CAPSTATS", &["1"], "lo\nno such\n\n");
        assert!(ran.has("at ") && ran.has("sampled"));
        assert_eq!(ran.lines.iter().filter(|line| line.starts_with("counters ")).count(), 2);
        let prefix = self.zeek.strip_suffix("/bin/zeek").unwrap();
        assert!(run("DOCTOR", &[home, spool, prefix, "-", "-"], "lo\nno such\n\n0001\n\n").has("ports end"));
    }
}

#[test]
fn a_host_that_has_nothing() {
    in_each(&READERS, &[], |world| {
        let cluster = Cluster::below(world, "a");
        cluster.look_around();
        let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
        assert_eq!(world.run("RELEASE", &[home, "r1"], b"").lines, ["missing"]);
        assert_eq!(world.run("SECRET", &[home, "x"], b"").status, 1);
        assert_eq!(world.run("UNLOCK", &[home, "op1"], b"").lines, ["free"]);
        assert_eq!(world.run("MAINTAIN", &[home, spool, "op1", "me"], b"").lines, ["undeployed"]);
        let ran = world.run("MAINTAIN_INSTALL", &[home, "clusterctl-c", "install", "600"], b"\n\n\n");
        assert!(ran.has("fail nothing is deployed"));
        assert_eq!(world.run("MAINTAIN_INSTALL", &[home, "clusterctl-c", "remove", "0"], b"").lines, ["removed"]);
        // Without the lock nothing is changed.
        for (name, args) in [
            ("STAGE", &[home, "r1", "d", "-", spool][..]),
            ("SETTLE", &[home, "r1", "d"]),
            ("ACTIVATE", &[home, "r1", "-"]),
            ("KEEP", &[home]),
            ("PRUNE", &[home]),
            ("START", &[home, spool, "1"]),
            ("STOP", &[spool, "1"]),
        ] {
            let ran = world.run(name, &cluster.guarded(args), b"");
            assert!(ran.has("guard lock") && ran.status == 1, "{name}: {:?}", ran.lines);
        }
        cluster.hold_lock();
        assert_eq!(world.run("STOP", &cluster.guarded(&[spool, "1"]), b"x\n\n").lines, ["stopped x"]);
        assert_eq!(world.run("START", &cluster.guarded(&[home, spool, "1"]), b"x r1\n").lines, ["absent x"]);
        assert_eq!(world.run("PRUNE", &cluster.guarded(&[home]), b"x\n\n").lines, ["pruned"]);
        let ran = world.run("SETTLE", &cluster.guarded(&[home, "r1", "d"]), b"");
        assert!(ran.has("fail the unpacked files") && ran.status == 1);
        let ran = world.run("ACTIVATE", &cluster.guarded(&[home, "r1", "-"]), b"\n\n");
        assert!(ran.has("fail the release r1 is not there") && ran.status == 1);
    });
}

/// From the first deploy to a rollback, with an archive; in folders of ordinary and of odd names.
fn a_life(world: &World, base: &str) {
    let cluster = Cluster::below(world, base);
    let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
    let lock = world.run("LOCK", &[home, "op1", "me (pid 1): deploy", "first"], b"op1 me\nto r1\nbeside x\n");
    assert!(lock.has("locked ") && lock.status == 0);
    assert_eq!(fs::read_to_string(format!("{home}/journal")).unwrap(), "op1 me\nto r1\nx\n");
    assert!(world.run("LOCK", &[home, "op2", "me", "op0"], b"").lines.len() == 1);
    fs::remove_file(format!("{home}/journal")).unwrap();
    cluster.hold_lock();
    let (first, second) = (cluster.release("r1", ""), cluster.release("r2", "env MORE=1\n"));
    cluster.keep_secret();
    cluster.stage(&first);
    let release = world.run("RELEASE", &[home, "r1"], b"");
    assert!(release.has("whole") && release.has("node log-archiver") && release.lines.last().unwrap() == "end");
    let check = world.run("CHECK", &[home, "r1", "30", "60", "-"], b"manager\n\n");
    assert_eq!(check.lines, ["checked manager 0"]);
    cluster.activate("-", "r1");
    // The nodes of the release.
    let started = world.run("START", &cluster.guarded(&[home, spool, "60"]), b"manager current\nlog-archiver r1\n");
    assert!(started.has("ready manager") && started.has("ready log-archiver"), "{:?}", started.lines);
    let again = world.run("START", &cluster.guarded(&[home, spool, "60"]), b"manager r1\n");
    assert_eq!(again.lines, ["running manager"]);
    for seen in cluster.observe() {
        assert!(seen.has("node manager") && seen.has("process ") && seen.has("supervised"), "{:?}", seen.lines);
        assert!(!seen.has("now ") && !seen.has("was "), "{:?}", seen.lines);
    }
    // What it printed, but for lines with what is secret in them: of its environment, and of its keys.
    let printed = "one \\ two\nit has a  \"b\" 'c' $d `e` \\ in it\nits passphrase is it's \"a\" $secret!\nend\n";
    fs::write(format!("{spool}/nodes/manager/stderr"), printed).unwrap();
    let told = world.run("DIAG", &[home, spool, &cluster.zeek], b"9\n1000\n TZ EMPTY \nall\nmanager\n\n");
    for line in [
        "hidden ODD",
        "env EMPTY=",
        "arg it's \"$odd\" *",
        "set nofile 256",
        "release r1",
        "line one \\ two",
        "line end",
    ] {
        assert!(told.lines.iter().any(|l| l == line) || line == "release r1", "{line}: {:?}", told.lines);
    }
    assert!(!told.lines.iter().any(|l| l.contains("$d") || l.contains("$secret")), "{:?}", told.lines);
    assert!(told.has("cpus ") && told.has("limit Max open files"), "{:?}", told.lines);
    let well = world.run("DIAG", &[home, spool, &cluster.zeek], b"9\n1000\n TZ \nunwell\nmanager\n\n");
    assert!(!well.has("about manager"), "{:?}", well.lines);
    // It does not matter what somebody puts there, and it is told.
    for name in ["-rf", "a b", "it's \"x\"", "new\nline", "*", "\u{fc}"] {
        fs::write(format!("{home}/current/{name}"), "x").unwrap();
    }
    for seen in cluster.observe() {
        assert!(seen.has("now "), "{:?}", seen.lines);
    }
    assert!(world.run("RELEASE", &[home, "r1"], b"").has("differs"));
    let stopped = world.run("STOP", &cluster.guarded(&[spool, "30"]), b"manager\nlog-archiver\n\n");
    assert!(stopped.has("stopped manager") && stopped.has("stopped log-archiver"), "{:?}", stopped.lines);
    // What a stopped node left is archived.
    fs::write(format!("{spool}/nodes/manager/conn.log"), "x\n").unwrap();
    cluster.free_lock();
    let maintained = world.run("MAINTAIN", &[home, spool, "op2", "me"], b"");
    assert!(maintained.has("moved 1") && maintained.has("queue 0") && maintained.lines.last().unwrap() == "ended");
    // A second release, and back to the first, whose files are sent again.
    cluster.hold_lock();
    cluster.stage(&second);
    cluster.activate("r1", "r2");
    let starting =
        world.run("START", &cluster.guarded(&[home, spool, "60"]), b"manager current\nlog-archiver current\n");
    assert!(starting.has("ready manager") && starting.has("ready log-archiver"));
    assert!(world.run("RELEASE", &[home, "r1"], b"").lines.last().unwrap() == "end");
    let input = [b"\n", first.tar.as_slice()].concat();
    let staged = world.run("STAGE", &cluster.guarded(&[home, "r1", &first.digest, "fresh", spool]), &input);
    assert_eq!(staged.lines.last().unwrap(), "unpacked r1");
    assert_eq!(world.run("SETTLE", &cluster.guarded(&[home, "r1", &first.digest]), b"").lines, ["staged r1"]);
    cluster.activate("r2", "r1");
    assert!(world.run("RELEASE", &[home, "r1"], b"").has("whole"));
    cluster.look_around();
    // Stopped by an operation that starts it again, which is cut off: the host's own maintenance does it.
    world.run("STOP", &cluster.guarded(&[spool, "30", "again"]), b"manager\n\n");
    cluster.free_lock();
    let healed = world.run("MAINTAIN", &[home, spool, "op3", "me"], b"");
    assert!(healed.has("healed ready manager"), "{:?}", healed.lines);
    cluster.hold_lock();
    world.run("STOP", &cluster.guarded(&[spool, "30"]), b"manager\nlog-archiver\n\n");
    assert_eq!(world.run("PRUNE", &cluster.guarded(&[home]), b"r2\nr1\n\n").lines, ["pruned"]);
    assert!(!Path::new(&format!("{home}/releases/r2")).exists() && Path::new(&format!("{home}/releases/r1")).exists());
    cluster.free_lock();
    let installed = world.run("MAINTAIN_INSTALL", &[home, "clusterctl-c", "install", "600"], b"sh x\n\na\n\nb\n");
    assert!(installed.has("installed cron") || installed.has("fail"), "{:?}", installed.lines);
    world.run("MAINTAIN_INSTALL", &[home, "clusterctl-c", "remove", "0"], b"");
    // The files of a release, as a timer and a maintenance call them.
    let release = format!("{home}/current/clusterctl");
    let maintained = world.file(&format!("{release}/maintain.sh"), &[home, spool, "maintain", "timer"], &[], &[]);
    assert!(maintained.has("ended") && maintained.has("end 0"), "{:?}", maintained.lines);
    assert!(world.file(&format!("{release}/start.sh"), &[home, spool, "30"], &[], &[]).lines.is_empty());
    assert_eq!(world.file(&format!("{release}/archiver.sh"), &[home, spool, "once"], &[], &[]).status, 0);
    // Who holds the lock and is gone holds nothing.
    cluster.hold_lock();
    assert!(world.run("UNLOCK", &[home, "op2"], b"").has("fail another operation has taken the lock"));
    assert_eq!(world.run("UNLOCK", &[home, "op1"], b"").lines, ["unlocked"]);
    world.nothing_wrong_below(Path::new(spool));
    // Nothing that is sent is left out.
    let left: Vec<_> = scripts::ALL.iter().map(|(n, _)| n).filter(|n| !n.starts_with("RELEASE_")).collect();
    let left: Vec<_> = left.into_iter().filter(|n| !world.has_run(n)).collect();
    assert!(left.is_empty(), "{left:?} did not run");
}

#[test]
fn from_a_deploy_to_a_rollback_with_an_archive() {
    in_each(&SHELLS, &[], |world| a_life(world, "a"));
}

#[test]
fn in_folders_of_odd_names() {
    in_each(&SHELLS, &[], |world| a_life(world, "-n it's \"odd\"  $HOME `id` * %s \\ \u{fc}"));
}

#[test]
fn without_tools_that_a_host_may_lack() {
    in_each(&SHELLS, &["getcap", "nice", "nproc", "ps", "setsid", "taskset", "timeout"], |world| a_life(world, "a"));
}

/// With the runner systemd, and from it to a release of the other runner.
#[test]
fn units_of_systemd() {
    in_each(&SHELLS, &[], |world| {
        world.with_systemd();
        let cluster = Cluster::below(world, "a");
        let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
        cluster.hold_lock();
        cluster.keep_secret();
        cluster.stage(&cluster.release("r1", "unit LimitNOFILE=64\ncaptures yes\n"));
        cluster.stage(&cluster.release("r2", ""));
        cluster.stage(&cluster.release("r3", "unit LimitNOFILE=64\nrestart never\nenv FAIL=yes\n"));
        let unit = "clusterctl@c-manager.service";
        let files = || {
            let folders = ["etc/systemd/system", ".config/systemd/user"].map(|folder| world.path(folder));
            folders.iter().any(|folder| folder.join(format!("{unit}.d/clusterctl.conf")).exists())
        };
        let start = || world.run("START", &cluster.guarded(&[home, spool, "60"]), b"manager current\n").lines;
        let stop = || world.run_with("STOP", &cluster.guarded(&[spool, "30"]), b"manager\n\n", &["no bus"]).lines;
        cluster.activate("-", "r1");
        assert_eq!(start(), ["ready manager"]);
        assert!(files() && world.path(&format!("units/{unit}")).exists());
        for seen in cluster.observe() {
            assert!(seen.has("node manager") && seen.has("process "), "{:?}", seen.lines);
        }
        let [_, full] = cluster.observe();
        let mut releases: Vec<_> = full.lines.iter().filter(|l| l.starts_with("release ")).collect();
        releases.sort();
        assert_eq!(releases, ["release r1", "release r2", "release r3"]);
        assert!(full.has("info who me"), "{:?}", full.lines);
        assert_eq!(stop(), ["stopped manager"]);
        assert!(!files() && !world.path(&format!("units/{unit}")).exists());
        for seen in cluster.observe() {
            assert!(seen.has("exit next stopped") && !seen.has("supervised"), "{:?}", seen.lines);
        }
        // Logs that its last process left are queued before the next one would truncate them.
        let leaves = |log: &str| fs::write(format!("{spool}/nodes/manager/{log}"), "x\n").unwrap();
        let queued = || fs::read_dir(format!("{spool}/log-queue")).unwrap().count();
        leaves("dns.log");
        assert_eq!(start(), ["ready manager"]);
        assert_eq!(queued(), 1);
        // To a release of the runner process, with a unit that does not run any more, and back.
        assert_eq!(stop(), ["stopped manager"]);
        cluster.activate("r1", "r2");
        leaves("conn.log");
        assert_eq!(start(), ["ready manager"]);
        assert_eq!(queued(), 2);
        assert!(!files() && Path::new(&format!("{spool}/nodes/manager/supervisor")).exists());
        assert_eq!(stop(), ["stopped manager"]);
        cluster.activate("r2", "r3");
        assert_eq!(start(), ["dead manager exit 3", "stderr manager cannot"]);
        for seen in cluster.observe() {
            assert!(seen.has("exit next never"), "{:?}", seen.lines);
        }
        // Where no unit can be told, it is said of each node.
        program(&world.path("bin/systemctl"), "echo no bus >&2\nexit 1\n");
        cluster.activate("r3", "r1");
        assert_eq!(start(), ["dead manager systemd does not start it: no bus"]);
        assert_eq!(stop(), ["stopped manager"]);
        fs::remove_dir_all(world.path("run")).unwrap();
        let started = start();
        assert!(started[0].starts_with("dead manager systemd does not run on this host"), "{started:?}");
        world.nothing_wrong_below(Path::new(spool));
    });
}

/// The lock lives as long as its holder's input is open, and somebody else's end of it frees it.
#[test]
fn a_lock_that_is_held() {
    in_each(&SHELLS, &[], |world| {
        let cluster = Cluster::below(world, "a");
        let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
        cluster.hold_lock();
        cluster.keep_secret();
        cluster.stage(&cluster.release("r1", ""));
        cluster.activate("-", "r1");
        cluster.free_lock();
        let (holder, mut input) = world.begin("LOCK", &[home, "op1", "me", "first"]);
        input.write_all(b"op1 me\n").unwrap();
        World::wait_for(&holder, "locked ");
        assert_eq!(world.run("LOCK", &[home, "op2", "you", "first"], b"").lines, ["held op1 me"]);
        assert_eq!(world.run("MAINTAIN", &[home, spool, "op2", "you"], b"").lines, ["busy me"]);
        for seen in cluster.observe() {
            assert!(seen.lines.iter().any(|l| l.starts_with("lock ") && l.ends_with(" op1 me")), "{:?}", seen.lines);
        }
        assert!(world.run("PRUNE", &cluster.guarded(&[home]), b"r1\n\n").has("pruned"));
        assert_eq!(world.run("UNLOCK", &[home, "op2"], b"").status, 1);
        assert_eq!(world.run("UNLOCK", &[home, "op1"], b"").lines, ["unlocked"]);
        assert_eq!(world.end(holder, &[]).status, 1);
        drop(input);
        // What it was doing is known, until somebody has done it.
        for seen in cluster.observe() {
            assert!(seen.has("journal op1 me") && !seen.has("lock "), "{:?}", seen.lines);
        }
        let done = world.run("LOCK", &[home, "op3", "you", "first"], b"op3 you\ndone\n");
        assert!(done.has("locked ") && done.status == 0);
        assert!(!Path::new(&format!("{home}/journal")).exists());
    });
}

/// A node that fails at once, and what its end says to every verb of `node.sh`.
#[test]
fn a_node_that_fails() {
    in_each(&SHELLS, &[], |world| {
        let cluster = Cluster::below(world, "a");
        let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
        cluster.hold_lock();
        cluster.stage(&cluster.release("r1", "restart never\nenv FAIL=yes\n"));
        cluster.activate("-", "r1");
        let start = || world.run("START", &cluster.guarded(&[home, spool, "60"]), b"manager r1\n");
        // Without its keys it is not even tried.
        let (secret, _) = Cluster::secret();
        for seen in cluster.observe() {
            assert!(seen.has(&format!("lost {secret}")), "{:?}", seen.lines);
        }
        let started = start();
        assert!(started.has("dead manager refused its keys"), "{:?}", started.lines);
        cluster.keep_secret();
        assert_eq!(start().lines, ["dead manager exit 3", "stderr manager cannot"]);
        for seen in cluster.observe() {
            assert!(seen.has("exit status 3") && seen.has("exit next never") && !seen.has("lost "), "{:?}", seen.lines);
        }
        let crash = fs::read_dir(format!("{spool}/crash/manager")).unwrap().next().unwrap().unwrap().path();
        assert_eq!(fs::read_to_string(crash.join("stderr")).unwrap(), "cannot\n");
        fs::write(format!("{spool}/nodes/manager/dns.log"), "x\n").unwrap();
        cluster.free_lock();
        assert!(world.run("MAINTAIN", &[home, spool, "op2", "me"], b"").has("moved 1"));

        let (dir, release) = (format!("{spool}/nodes/manager"), format!("{home}/releases/r1"));
        let node = |verb, more: &[&str], env: &[(&str, &str)], complaint: &str| {
            let args = [&[verb, home, &dir, &release, "manager"], more].concat();
            world.file(&format!("{release}/clusterctl/node.sh"), &args, env, &[complaint]).status
        };
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let exit = |text: &str| fs::write(format!("{dir}/exit"), format!("id {} - -\n{text}", boot.trim())).unwrap();
        let says = || fs::read_to_string(format!("{dir}/exit")).unwrap();
        assert_eq!(node("may", &[], &[], "is not restarted (never)"), 1);
        exit("at 0\nnext 1\n");
        assert_eq!(node("may", &[], &[], "-"), 0);
        exit("refused \n");
        assert_eq!(node("may", &[], &[], "is not restarted (refused)"), 1);
        fs::write(format!("{dir}/want"), "stopped\n").unwrap();
        assert_eq!(node("may", &[], &[], "is stopped"), 1);
        // A record that something has damaged.
        exit("tries x\nnext 1\n");
        assert_eq!(node("ended", &["1", "-"], &[], "-"), 0);
        assert!(says().contains("\nstatus 1\n") && says().contains("\ntries 1\n"), "{}", says());
        // What systemd tells of an end.
        for (code, status, result, recorded) in [
            ("exited", "3", "exit-code", "\nstatus 3\n"),
            ("killed", "SEGV", "signal", "\nstatus 139\n"),
            ("dumped", "ABRT", "core-dump", "\nstatus 134\n"),
            ("killed", "KILL", "oom-kill", "\nwhy out of memory\n"),
            ("killed", "RTMIN", "signal", "\nstatus 128\n"),
        ] {
            let env = [("EXIT_CODE", code), ("EXIT_STATUS", status), ("SERVICE_RESULT", result)];
            assert_eq!(node("ended", &["systemd", "-"], &env, "-"), 0);
            assert!(says().contains(recorded) && says().contains("\nnext never\n"), "{code} {status}: {}", says());
        }
        fs::remove_file(format!("{dir}/exit")).unwrap();
        assert_eq!(node("ended", &["systemd", "-"], &[], "-"), 0);
        assert!(!Path::new(&format!("{dir}/exit")).exists());
        assert_eq!(node("ended", &["systemd", "-"], &[("EXIT_CODE", "exited"), ("EXIT_STATUS", "203")], "-"), 77);
        assert!(says().contains("refused systemd could not start it: step 203"), "{}", says());
        assert_eq!(node("ended", &["systemd", "-"], &[("SERVICE_RESULT", "resources")], "-"), 77);
        assert!(says().contains("refused systemd could not start it (resources)"), "{}", says());
        let asked = format!("{dir}/asked");
        assert_eq!(node("asked", &[], &[], "-"), 0);
        assert!(!Path::new(&asked).exists());
        assert_eq!(node("asked", &[], &[("MAINPID", "1")], "-"), 0);
        assert!(Path::new(&asked).exists());
        program(&world.path("bin/gdb"), "echo a backtrace\n");
        let core = crash.join("core").to_str().unwrap().to_owned();
        fs::write(&core, "").unwrap();
        assert_eq!(node("backtrace", &[&core], &[], "-"), 0);
        assert_eq!(fs::read_to_string(crash.join("backtrace")).unwrap(), "a backtrace\n");
        world.nothing_wrong_below(Path::new(spool));
    });
}

/// A manifest larger than any of ours is not compared; logs of a release that has its queue elsewhere are told.
#[test]
fn a_release_that_is_too_large_and_archives_elsewhere() {
    in_each(&SHELLS, &[], |world| {
        let cluster = Cluster::below(world, "a");
        let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
        cluster.hold_lock();
        cluster.stage(&cluster.release("r1", ""));
        cluster.activate("-", "r1");
        let elsewhere = world.path("elsewhere").to_str().unwrap().to_owned();
        let queue = format!("{spool}/log-queue");
        fs::create_dir_all(&queue).unwrap();
        let full = |spool: &str| world.run("OBSERVE_ALL", &[home, spool, &cluster.zeek], b"");
        assert!(!full(&elsewhere).has("stranded"));
        fs::write(format!("{queue}/conn__2026-01-01-00-00-00__2026-01-01-01-00-00__"), "").unwrap();
        assert!(full(&elsewhere).has(&format!("stranded 1 {queue}")) && !full(spool).has("stranded"));
        assert!(full(spool).has("manifest "));
        let manifest = format!("{home}/current/manifest");
        fs::OpenOptions::new().write(true).open(&manifest).unwrap().set_len(25 << 20).unwrap();
        fs::write(format!("{home}/current/cluster.json"), "").unwrap();
        for seen in cluster.observe() {
            assert!(seen.has("bulky") && !seen.has("manifest ") && !seen.has("now "), "{:?}", seen.lines);
        }
        let release = world.run("RELEASE", &[home, "r1"], b"");
        assert!(release.has("differs") && !release.has("manifest "), "{:?}", release.lines);
    });
}

/// What a release has of empty values, and what it has not at all.
#[test]
fn a_release_of_empty_files() {
    in_each(&SHELLS, &[], |world| {
        let cluster = Cluster::below(world, "a");
        let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
        let release = format!("{home}/releases/r1");
        for dir in ["start", "clusterctl"] {
            fs::create_dir_all(format!("{release}/{dir}")).unwrap();
        }
        fs::create_dir_all(format!("{spool}/nodes/manager")).unwrap();
        for file in ["manifest", "cluster.json", "start/manager", "start/log-archiver"] {
            fs::write(format!("{release}/{file}"), "").unwrap();
        }
        for file in ["version", "secrets", "logs.conf"] {
            fs::write(format!("{release}/clusterctl/{file}"), "").unwrap();
        }
        for (file, text) in [
            ("node.sh", scripts::RELEASE_NODE),
            ("start.sh", scripts::RELEASE_START),
            ("supervisor.sh", scripts::RELEASE_SUPERVISOR),
        ] {
            fs::write(format!("{release}/clusterctl/{file}"), world.own(text)).unwrap();
        }
        for file in ["format", "journal", "maintain", "maintained", "operation", "pending", "lock"] {
            fs::write(format!("{home}/{file}"), "").unwrap();
        }
        for file in ["run", "exit", "exit.last", "want", "unit", "supervisor", ".status", "stderr"] {
            fs::write(format!("{spool}/nodes/manager/{file}"), "").unwrap();
        }
        std::os::unix::fs::symlink("releases/r1", format!("{home}/current")).unwrap();
        cluster.look_around();
        let maintained = world.run("MAINTAIN", &[home, spool, "op2", "me"], b"");
        assert_eq!(maintained.lines.last().unwrap(), "ended");
        assert_eq!(world.run("UNLOCK", &[home, "op1"], b"").lines, ["free"]);
        cluster.hold_lock();
        fs::remove_file(format!("{spool}/nodes/manager/unit")).unwrap();
        let started = world.run("START", &cluster.guarded(&[home, spool, "30"]), b"manager r1\n");
        assert!(started.has("dead manager refused the binary"), "{:?}", started.lines);
        let stopped = world.run("STOP", &cluster.guarded(&[spool, "10"]), b"manager\n\n");
        assert_eq!(stopped.lines, ["stopped manager"]);
        world.nothing_wrong_below(Path::new(spool));
    });
}

/// The folder of a cluster lies in what is none, so that nobody can write in it, not even root.
#[test]
fn folders_that_can_not_be_written() {
    in_each(&READERS, &[], |world| {
        let mut cluster = Cluster::below(world, "a");
        fs::write(world.path("file"), "").unwrap();
        cluster.home = world.path("file/c").to_str().unwrap().to_owned();
        cluster.spool.clone_from(&cluster.home);
        cluster.look_around();
        let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
        assert!(world.run("LOCK", &[home, "op1", "me", "first"], b"").has("fail can't make the folder"));
        assert_eq!(world.run("MAINTAIN", &[home, spool, "op1", "me"], b"").lines, ["undeployed"]);
        assert_eq!(world.run("UNLOCK", &[home, "op1"], b"").lines, ["free"]);
    });
}

/// A file system without room, as far as this machine lets us have one.
struct Full(std::path::PathBuf);

impl Full {
    fn new(world: &World) -> Option<Self> {
        let dir = world.path("a");
        fs::create_dir(&dir).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(&dir)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        mounted.then(|| Self(dir))
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("fill")).unwrap();
        while file.write_all(&[b'x'; 512]).is_ok() {}
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk() {
    in_each(&SHELLS, &[], |world| {
        let Some(disk) = Full::new(world) else {
            eprintln!("SKIPPED: no file system can be mounted here, which takes root");
            return;
        };
        let cluster = Cluster::below(world, "a");
        let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
        cluster.hold_lock();
        let release = cluster.release("r1", "");
        cluster.keep_secret();
        cluster.stage(&release);
        cluster.activate("-", "r1");
        let started = world.run("START", &cluster.guarded(&[home, spool, "60"]), b"manager current\nlog-archiver r1\n");
        assert!(started.has("ready manager") && started.has("ready log-archiver"), "{:?}", started.lines);
        disk.fill();
        cluster.look_around();
        let no_room = [
            "No space left",
            "write error",
            "cannot create",
            "I/O error",
            "an't create",
            "error writing",
            "annot write",
            "Exiting with failure",
        ];
        let run = |name, args: &[&str], input: &[u8]| world.run_with(name, args, input, &no_room);
        let input = [b"\n", release.tar.as_slice()].concat();
        let staged = run("STAGE", &cluster.guarded(&[home, "r2", &release.digest, "-", spool]), &input);
        assert!(staged.has("fail ") && staged.status == 1, "{:?}", staged.lines);
        let kept = run("KEEP", &cluster.guarded(&[home]), &release.tar);
        assert!(kept.has("fail ") && kept.status == 1, "{:?}", kept.lines);
        let activated = run("ACTIVATE", &cluster.guarded(&[home, "r1", "r1"]), b"who me\n\nmore\n\n");
        assert!(activated.has("fail can't write"), "{:?}", activated.lines);
        let stopped = run("STOP", &cluster.guarded(&[spool, "30"]), b"manager\n\n");
        assert_eq!(stopped.lines, ["stopped manager"]);
        // What is meant is known without room for another file.
        let want = fs::read_to_string(format!("{spool}/nodes/manager/want")).unwrap();
        assert_eq!(want.trim_end(), "stopped");
        let started = run("START", &cluster.guarded(&[home, spool, "5"]), b"manager r1\n");
        assert_eq!(started.lines, [format!("dead manager can't write in {spool}/nodes/manager")]);
        let stopped = run("STOP", &cluster.guarded(&[spool, "30"]), b"log-archiver\n\n");
        assert_eq!(stopped.lines, ["stopped log-archiver"]);
        assert_eq!(run("UNLOCK", &[home, "op1"], b"").lines, ["unlocked"]);
        // What is given up makes room for the next.
        assert!(run("LOCK", &[home, "op3", "me", "first"], b"").has("locked "));
        assert_eq!(run("MAINTAIN", &[home, spool, "op2", "me"], b"").lines.last().unwrap(), "ended");
    });
}

/// Files of a node are read to where they end, followed over a rotation and a truncation, and never over a link.
#[test]
fn logs_are_read_and_followed() {
    in_each(&SHELLS, &[], |world| {
        let nodes = world.path("it's \"odd\" * nodes");
        let dir = nodes.join("logger-1");
        fs::create_dir_all(&dir).unwrap();
        let put = |name: &str, text: &str| fs::write(dir.join(name), text).unwrap();
        let add = |name: &str, text: &str| {
            let mut file = fs::File::options().append(true).open(dir.join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        put("conn.log", "#fields\tts\n1 a\n2 b\n3 c\n");
        put("stderr", "x\ny");
        put("other.log", "");
        std::os::unix::fs::symlink("/etc/passwd", dir.join("link.log")).unwrap();
        fs::create_dir(dir.join("folder.log")).unwrap();
        let nodes = nodes.to_str().unwrap();
        let input =
            b"logger-1/conn.log\nlogger-1/no such.log\nlogger-1/link.log\nlogger-1/folder.log\nlogger-1/stderr\n\n";
        let read = |args: &[&str]| world.run("LOGS", &[&[nodes, "once"], args].concat(), input).lines;
        let all = read(&["2", "1000", "-", ""]);
        for line in [
            "head 1 #fields\tts",
            "line 1 2 b",
            "line 1 3 c",
            "odd 3",
            "odd 4",
            "line 5 x",
            "line 5 y",
            "have logger-1/other.log",
        ] {
            assert!(all.iter().any(|l| l == line), "{line}: {all:?}");
        }
        assert!(
            !all.iter().any(|l| l == "line 1 1 a" || l.starts_with("file 3") || l.starts_with("line 3")),
            "{all:?}"
        );
        let some = read(&["5", "1000", "text", "2 b"]);
        assert_eq!(some.iter().filter(|l| l.starts_with("line ")).collect::<Vec<_>>(), ["line 1 2 b"]);
        // Of the last bytes, without the rest of a line.
        let end = read(&["5", "6", "-", ""]);
        assert!(end.contains(&"from 1".to_owned()) && end.contains(&"line 1 3 c".to_owned()), "{end:?}");
        assert!(!end.iter().any(|l| l.starts_with("line 1 ") && l != "line 1 3 c"), "{end:?}");

        let input = b"logger-1/conn.log\nlogger-1/stderr\nlogger-1/late.log\n\n";
        let (running, mut stdin) = world.begin("LOGS", &[nodes, "follow", "1", "1000", "-", ""]);
        stdin.write_all(input).unwrap();
        World::wait_for(&running, "shown");
        add("stderr", "z\nw");
        World::wait_for(&running, "data 2 w.");
        // A rotation: what was written before it and not yet said, and the file of another name deleted at once.
        add("conn.log", "4 d\n");
        fs::rename(dir.join("conn.log"), dir.join("rotated")).unwrap();
        add("rotated", "5 e\n");
        fs::remove_file(dir.join("rotated")).unwrap();
        put("conn.log", "6 f\n");
        put("late.log", "7 g\n");
        World::wait_for(&running, "data 1 6 f");
        World::wait_for(&running, "data 3 7 g");
        // A restart: its stderr has another name, and its own begins anew.
        add("stderr", "v\n");
        fs::rename(dir.join("stderr"), dir.join("stderr.last")).unwrap();
        put("stderr", "n\n");
        World::wait_for(&running, "data 2 n");
        put("stderr", "");
        World::wait_for(&running, "new 2");
        drop(stdin);
        let said = world.end(running, &[]).lines;
        let place = |line: &str| said.iter().position(|l| l == line).unwrap_or_else(|| panic!("{line}: {said:?}"));
        let order = ["line 1 3 c", "data 1 4 d", "data 1 5 e", "new 1", "data 1 6 f"];
        assert!(order.is_sorted_by_key(|line| place(line)), "{said:?}");
        let order = ["line 2 y", "part 2", "data 2 z", "data 2 w.", "data 2 v", "data 2 n"];
        assert!(order.is_sorted_by_key(|line| place(line)), "{said:?}");
    });
}

#[test]
fn facts_for_prometheus_are_written_where_nobody_else_can_write() {
    in_each(&SHELLS, &[], |world| {
        let cluster = Cluster::below(world, "a \"b\\");
        let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
        let (release, folder) = (format!("{home}/releases/r1"), world.path("text"));
        fs::create_dir_all(format!("{release}/clusterctl")).unwrap();
        fs::write(format!("{release}/clusterctl/logs.conf"), format!("textfile {}\n", folder.display())).unwrap();
        fs::write(format!("{home}/format"), "1\n").unwrap();
        std::os::unix::fs::symlink("releases/r1", format!("{home}/current")).unwrap();
        for (node, want) in [("worker-1", "stopped"), ("w \"x\\y", "stopped"), ("manager", "stopped")] {
            fs::create_dir_all(format!("{spool}/nodes/{node}")).unwrap();
            fs::write(format!("{spool}/nodes/{node}/want"), format!("{want}\n")).unwrap();
        }
        let maintain = || world.run("MAINTAIN", &[home, spool, "op", "me"], b"").lines;
        let why = |lines: &[String]| lines.iter().find_map(|l| l.strip_prefix("textfile ").map(str::to_owned));
        assert!(why(&maintain()).unwrap().ends_with("text is no folder"));
        fs::create_dir(&folder).unwrap();
        let mode = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        for open in [0o777, 0o1777, 0o775, 0o757, 0o2775] {
            mode(open);
            assert!(why(&maintain()).unwrap().starts_with("others can write to "), "{open:o}");
        }
        mode(0o755);
        // What is there already is replaced and not followed.
        let (file, other) = (folder.join("clusterctl_c.prom"), world.path("other"));
        fs::write(&other, "other").unwrap();
        std::os::unix::fs::symlink(&other, &file).unwrap();
        let lines = maintain();
        assert_eq!((why(&lines), lines.last().unwrap().as_str()), (None, "ended"), "{lines:?}");
        assert_eq!(fs::read(&other).unwrap(), b"other");
        assert_eq!(fs::symlink_metadata(&file).unwrap().mode() & 0o170_777, 0o100_644);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        let text = fs::read_to_string(&file).unwrap();
        if let Some(samples) = crate::prometheus::samples(&text) {
            let value = |name: &str, labels: &[(&str, &str)]| {
                crate::prometheus::values(&samples, &format!("clusterctl_maintenance_{name}"), labels)
            };
            assert_eq!(value("node_running", &[("cluster", "c"), ("node", "w \"x\\y")]), [0.0], "{text}");
            assert_eq!(value("node_wanted", &[]).len(), 3);
            assert_eq!(value("release_info", &[("release", "r1")]), [1.0]);
            assert_eq!(value("log_queue_files", &[]), [0.0]);
            assert!(value("timestamp_seconds", &[])[0] > 1e9);
        }
        // A link to a folder, and a folder in the file's place.
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert!(why(&maintain()).unwrap().ends_with("clusterctl_c.prom is a folder"));
        fs::rename(&folder, world.path("elsewhere")).unwrap();
        std::os::unix::fs::symlink(world.path("elsewhere"), &folder).unwrap();
        assert!(why(&maintain()).unwrap().ends_with("text is no folder"));
    });
}

/// A command arrives as it was given, and what it says and how it ends come back; it ends where nobody waits for it.
#[test]
fn a_command_is_run() {
    in_each(&SHELLS, &[], |world| {
        let cluster = Cluster::below(world, "a");
        let (home, spool) = (cluster.home.as_str(), cluster.spool.as_str());
        let begin = |args: &[&str]| world.begin("EXEC", &[&[home, spool, "60", "20"], args].concat());
        let run = |args: &[&str]| {
            let (running, stdin) = begin(args);
            World::wait_for(&running, "exit ");
            let mut ran = world.end(running, &[]);
            drop(stdin);
            ran.lines.sort_unstable();
            ran.lines
        };
        assert_eq!(
            run(&["-", "  ", "printf", "%s|", "a b", "", "$HOME `id`", "*"]),
            ["exit 0", "out a b||$HOME `id`|*|"]
        );
        assert_eq!(run(&["-", "  ", "sh", "-c", "cat; echo o; echo e >&2; exit 3"]), ["err e", "exit 3", "out o"]);
        assert_eq!(run(&["-", "  ", "head", "-c", "50", "/dev/zero"]).len(), 2);
        assert_eq!(
            run(&["-", "  ", "sh", "-c", "echo 123456789; echo 123456789; echo 1"]),
            ["exit 0", "out 123456789", "out 123456789"]
        );
        let unknown = run(&["-", "  ", "no-such-command"]);
        assert!(
            unknown.contains(&"exit 127".to_owned()) && unknown.iter().any(|l| l.starts_with("err ")),
            "{unknown:?}"
        );
        // In a node's environment, but for what is not named.
        cluster.hold_lock();
        cluster.keep_secret();
        cluster.stage(&cluster.release("r1", "env OPEN=yes\nenv CLOSED=no\n"));
        cluster.activate("-", "r1");
        fs::create_dir_all(format!("{spool}/nodes/manager")).unwrap();
        let of_node = run(&[
            "manager",
            " OPEN EMPTY ",
            "sh",
            "-c",
            "echo $PWD $OPEN-${CLOSED-none}-${ODD-none} >out; env | grep -c PASSPHRASE",
        ]);
        assert_eq!(of_node, ["exit 1", "out 0"]);
        let said = fs::read_to_string(format!("{spool}/nodes/manager/out")).unwrap();
        assert_eq!(said, format!("{spool}/nodes/manager yes-none-none\n"));
        // Nobody waits any more.
        let (running, stdin) = begin(&["-", "  ", "sh", "-c", "echo begun; exec sleep 600"]);
        drop(stdin);
        assert!(world.end(running, &[]).has("exit "));
    });
}
