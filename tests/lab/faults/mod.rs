//! Faults, each made for real. Every test ends with the same four things: which release runs where, that no file of a
//! node was lost, that the message names the cause, and what the next command does. README.md here lists them.
//!
//! The tests share one cluster, which is deployed when the first of them begins: [`Scene::begin`] brings it into order
//! with nothing but `deploy`, and makes it anew only where that does not help.

mod accounts;
mod description;
mod disk;
mod hosts;
mod killed;
mod locks;
mod logs;
mod manager;
mod network;
mod nodes;
mod ssh;
mod watch;
mod zeek;

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::cluster::TestCluster;
use crate::combinations::invariants::{HostAt, Memory, Subject, hold};
use crate::support::local::Said;

pub(crate) use watch::{Watch, frozen, killed_at};

static SHARED: Mutex<Option<TestCluster>> = Mutex::new(None);

fn shared() -> MutexGuard<'static, Option<TestCluster>> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops the shared cluster, so that another one has the hosts to itself.
pub(crate) fn stand_down() {
    drop(shared().take());
}

/// Whose cluster it is.
enum Stage {
    Shared(MutexGuard<'static, Option<TestCluster>>),
    Own(Box<TestCluster>),
}

/// A cluster, well and running, and what there was before the fault.
pub(crate) struct Scene {
    cluster: Stage,
    /// The release that is current everywhere.
    pub(crate) old: String,
    /// Which release each node runs.
    pub(crate) before: BTreeMap<String, String>,
    files: Files,
}

/// Files of the nodes, by host and path, with their content.
type Files = BTreeMap<(String, String), Vec<u8>>;

/// How the names begin of what a run of a node leaves and the next one makes anew: no log and no state.
const OF_A_RUN: [&str; 15] = [
    ".cmdline",
    ".env_vars",
    ".pid",
    ".shadow.",
    ".startup",
    ".status",
    "archiving",
    "exit",
    "run",
    "stderr",
    "stdout",
    "stop",
    "supervisor",
    "unit",
    "want",
];

/// Prints `current RELEASE`, and `NODE RELEASE` for each process of the cluster `$1`, below the base folder `$2`, whose
/// release is whole.
const LOOK: &str = r#"
echo current "$(basename "$(readlink "$2/$1/current")")"
for pid in $(pgrep -x zeek); do
    # What only parses is no node; a real Zeek takes its time for it.
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q -- '--parse-only' && continue
    node='' numbered='' path=''
    while IFS= read -r line; do
        case $line in
        "CLUSTERCTL=$1/"*) node=${line#*/} ;;
        CLUSTER_NODE=*) numbered=yes ;;
        ZEEKPATH=*) path=${line#*=} ;;
        esac
    done <<END
$(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null)
END
    [ -n "$node" ] && [ -n "$numbered" ] || continue
    ids=$(echo "$path" | tr ':' '\n' | sed -n "s,^$2/$1/releases/\([^/]*\).*,\1,p" | sort -u)
    for id in $ids; do
        case " $whole " in *" $id "*) continue ;; esac
        cd "$2/$1/releases/$id" && grep -E '^[0-9a-f]{64}  ' manifest | sha256sum --check --quiet --strict >&2 || exit 1
        whole="$whole $id"
    done
    echo "$node" $ids
done
"#;

/// What hosts show of themselves.
pub(crate) struct Seen {
    /// What is current on each host.
    pub(crate) current: BTreeMap<String, String>,
    /// Which release the process of each node runs: each node once, of one release, whose files are whole.
    pub(crate) running: BTreeMap<String, String>,
}

impl Scene {
    /// Brings the shared cluster into order.
    pub(crate) fn begin() -> Self {
        let mut slot = shared();
        let cluster = slot.get_or_insert_with(|| TestCluster::beside("faults", "broker"));
        cluster.sensors = vec!["sensor1", "sensor2"];
        cluster.extra = String::new();
        cluster.backend = "broker";
        cluster.write();
        let mut well = false;
        for _ in 0..2 {
            let said = cluster.run(&["deploy", "--yes"]);
            well = said.code == 0 && cluster.settles().is_ok();
            if well {
                break;
            }
            eprintln!("the shared cluster is not well and is made anew: {said:?}");
            wipe(cluster);
        }
        assert!(well, "the shared cluster can't be brought into order");
        let mut scene = Self::on(Stage::Shared(slot));
        if scene.before.values().any(|release| *release != scene.old) {
            // Nodes whose inputs are the same stayed at an earlier release; a start would move them.
            scene.run(&["restart"]).code(0);
            scene.settled();
            scene.remember();
        }
        assert_eq!(scene.before.len(), 8, "{:?}", scene.before);
        scene
    }

    /// Deploys a cluster of the test's own.
    pub(crate) fn of(cluster: TestCluster) -> Self {
        cluster.run(&["deploy", "--yes"]).code(0);
        cluster.settled();
        Self::on(Stage::Own(Box::new(cluster)))
    }

    fn on(cluster: Stage) -> Self {
        let mut scene = Self { cluster, old: String::new(), before: BTreeMap::new(), files: Files::new() };
        scene.remember();
        scene
    }

    /// Takes what is now for what there was before the fault.
    pub(crate) fn remember(&mut self) {
        let seen = self.seen();
        seen.everywhere().clone_into(&mut self.old);
        self.before = seen.running;
        self.plant();
        self.files = self.files_now();
    }

    /// The hosts of the description.
    pub(crate) fn hosts(&self) -> Vec<&'static str> {
        ["mgmt"].into_iter().chain(self.sensors.iter().copied()).collect()
    }

    /// Puts a log and a state into each node's folder.
    fn plant(&self) {
        for host in self.hosts() {
            self.lab.exec(
                host,
                &[
                    "sh",
                    "-c",
                    "for dir in \"$1\"/nodes/*/; do \
                     [ -e \"$dir/kept.sqlite\" ] || echo \"state of $dir\" >\"$dir/kept.sqlite\"; \
                     echo \"a record of $dir\" >>\"$dir/planted.log\"; \
                     chown --reference=\"$dir\" \"$dir/kept.sqlite\" \"$dir/planted.log\"; done",
                    "sh",
                    &self.home(),
                ],
            );
        }
    }

    /// The cluster's folder on a host.
    pub(crate) fn home(&self) -> String {
        format!("{}/{}", self.base, self.name)
    }

    /// Changes a script that every node loads: a deploy then restarts all of them.
    pub(crate) fn change(&self, what: &str) {
        self.site("local.zeek", &format!("# Site scripts: {what}.\n"));
    }

    /// Looks at all hosts of the description.
    #[track_caller]
    pub(crate) fn seen(&self) -> Seen {
        self.seen_on(&self.hosts())
    }

    /// Looks at some hosts.
    #[track_caller]
    pub(crate) fn seen_on(&self, hosts: &[&str]) -> Seen {
        let mut seen = Seen { current: BTreeMap::new(), running: BTreeMap::new() };
        for host in hosts {
            let said = self.lab.exec(host, &["sh", "-c", LOOK, "sh", &self.name, &self.base]);
            for line in said.lines() {
                let words: Vec<&str> = line.split(' ').collect();
                assert_eq!(words.len(), 2, "a node of more or less than one release on {host}: {said}");
                if words[0] == "current" {
                    seen.current.insert((*host).to_owned(), words[1].to_owned());
                } else {
                    let twice = seen.running.insert(words[0].to_owned(), words[1].to_owned());
                    assert!(twice.is_none(), "{} runs twice: {said}", words[0]);
                }
            }
        }
        seen
    }

    /// Nothing has happened to what runs.
    #[track_caller]
    pub(crate) fn unchanged(&self) {
        let seen = self.seen();
        assert_eq!(seen.everywhere(), self.old);
        assert_eq!(seen.running, self.before);
        self.nothing_lost();
    }

    /// All hosts and nodes are at one release, another than before.
    #[track_caller]
    pub(crate) fn moved_on(&self) {
        let seen = self.seen();
        let new = seen.everywhere();
        assert_ne!(new, self.old);
        assert_eq!(seen.running.len(), self.before.len(), "{:?}", seen.running);
        assert!(seen.running.values().all(|r| *r == new), "{new}: {:?}", seen.running);
        self.nothing_lost();
    }

    /// The next `deploy` does the whole work, after which all is well and a further one has nothing to do.
    #[track_caller]
    pub(crate) fn next_deploy_finishes(&self) {
        let said = self.run(&["deploy", "--yes"]);
        assert_eq!(said.code, 0, "{said:?}");
        self.settled();
        self.moved_on();
        let said = self.run(&["deploy", "--yes"]).code(0);
        assert!(said.stdout.contains("nothing to do"), "{said:?}");
        self.holds();
    }

    /// What always holds (tests/combinations).
    #[track_caller]
    fn holds(&self) {
        let hosts = self.hosts().into_iter().map(|host| HostAt {
            name: host.to_owned(),
            root: self.lab.root(host),
            home: self.home(),
            spool: self.home(),
            archive: None,
        });
        let run = |args: &[&str]| self.run(args);
        let subject = Subject {
            name: &self.name,
            hosts: hosts.collect(),
            keep: 5,
            secrets: &[],
            // Those of all tests are in one folder.
            sockets: PathBuf::from("/nonexistent"),
            run: &run,
        };
        hold(&subject, &mut Memory::default(), false).unwrap_or_else(|wrong| panic!("{wrong}"));
    }

    /// No log and no state of a node was lost: each file is where it was and no shorter, or its content is in the queue,
    /// in the archive or in what a crash left.
    #[track_caller]
    pub(crate) fn nothing_lost(&self) {
        let now = self.files_now();
        for ((host, path), content) in &self.files {
            let kept = now.get(&(host.clone(), path.clone())).is_some_and(|c| c.starts_with(content));
            let moved = || now.iter().any(|((h, p), c)| h == host && p != path && holds(p, c, content));
            assert!(kept || moved(), "{host}: {path} was lost or has shrunk");
        }
    }

    /// All files of the nodes but those of a run.
    fn files_now(&self) -> Files {
        let mut files = Files::new();
        for host in self.hosts() {
            let raw = self.archive_of(host);
            let mut archive = tar::Archive::new(raw.as_slice());
            for entry in archive.entries().unwrap() {
                let mut entry = entry.unwrap();
                let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                let name = path.rsplit('/').next().unwrap();
                let of_a_run = path.starts_with("nodes/") && OF_A_RUN.iter().any(|r| name.starts_with(r));
                if of_a_run {
                    continue;
                }
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                files.insert((host.to_owned(), path), content);
            }
        }
        files
    }

    /// The folders of a host that hold what its nodes wrote, as one tar archive of one moment.
    ///
    /// Nodes go on writing and moving files. tar(1) fails where a file changed or went away before it was read; one that
    /// was moved just then may be in the archive under neither name, so that archive does not count.
    fn archive_of(&self, host: &str) -> Vec<u8> {
        let script = "cd \"$1\" && for dir in nodes crash log-queue archive; do [ -d $dir ] && set -- \"$@\" $dir; done; \
                      shift; find \"$@\" -type f -size -4096k -print0 | \
                      tar --null --no-recursion --files-from=- -cf -";
        let mut said = String::new();
        for _ in 0..20 {
            let output = self.lab.try_exec(host, &["sh", "-c", script, "sh", &self.home()]);
            if output.status.success() {
                return output.stdout;
            }
            said = format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        panic!("{host}: the files of its nodes don't hold still: {said}");
    }
}

impl Seen {
    /// What is current on all hosts, which is one release.
    #[track_caller]
    pub(crate) fn everywhere(&self) -> &str {
        let mut all: Vec<&str> = self.current.values().map(String::as_str).collect();
        all.dedup();
        assert_eq!(all.len(), 1, "not one release is current everywhere: {:?}", self.current);
        all[0]
    }
}

/// Tells whether a file holds what another one had, compressed or not.
fn holds(path: &str, content: &[u8], wanted: &[u8]) -> bool {
    if std::path::Path::new(path).extension().is_none_or(|e| e != "gz") {
        return content.starts_with(wanted);
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(content).read_to_end(&mut plain).is_ok() && plain.starts_with(wanted)
}

/// Ends all that runs and takes all files away, as a new machine would be.
fn wipe(cluster: &TestCluster) {
    for host in cluster.lab.hosts() {
        cluster.lab.exec(
            &host.name,
            &[
                "sh",
                "-c",
                "pkill -KILL -f '[s]upervisor[.]sh'; pkill -KILL -x zeek; chown --reference=/var/lib/clusterctl -R \"$1\"; \
                 rm -rf \"$1\"; true",
                "sh",
                &format!("{}/{}", cluster.base, cluster.name),
            ],
        );
    }
}

impl Deref for Scene {
    type Target = TestCluster;

    fn deref(&self) -> &TestCluster {
        match &self.cluster {
            Stage::Shared(slot) => slot.as_ref().unwrap(),
            Stage::Own(cluster) => cluster,
        }
    }
}

impl DerefMut for Scene {
    fn deref_mut(&mut self) -> &mut TestCluster {
        match &mut self.cluster {
            Stage::Shared(slot) => slot.as_mut().unwrap(),
            Stage::Own(cluster) => cluster,
        }
    }
}

/// Something that is undone when the test ends, however it ends.
pub(crate) struct Undo<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for Undo<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Asserts that a message says all of these.
#[track_caller]
pub(crate) fn names(said: &Said, words: &[&str]) {
    let text = format!("{}\n{}", said.stdout, said.stderr);
    for word in words {
        assert!(text.contains(word), "`{word}` is not in:\n{text}");
    }
}
