//! What holds whatever was done: one function for the combinations and for the suite on the lab's hosts.
//!
//! Hosts are looked at through their own `/proc` and their own files, never through clusterctl, whose word is then
//! compared with that.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::local::{Said, masters};

/// How long what is not yet as it should be may take to get there, once a command has ended. Longer than a few times
/// that `status` waits in vain for a host that has no time.
const QUIET: Duration = Duration::from_secs(120);

/// How many crashes of a node are kept (templates/crashes.sh).
const CRASHES: usize = 10;

/// A host as seen from outside.
#[derive(Debug, Clone)]
pub(crate) struct HostAt {
    pub(crate) name: String,
    /// Its file system; `/` for this machine.
    pub(crate) root: PathBuf,
    /// The cluster's folder, that of its nodes, and its archive, as paths on the host.
    pub(crate) home: String,
    pub(crate) spool: String,
    pub(crate) archive: Option<String>,
}

impl HostAt {
    fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }

    fn at(&self, path: &str) -> PathBuf {
        self.path(&self.home).join(path)
    }

    fn nodes(&self) -> PathBuf {
        self.path(&self.spool).join("nodes")
    }
}

/// A cluster that is looked at.
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a str,
    pub(crate) hosts: Vec<HostAt>,
    /// `releases.keep`.
    pub(crate) keep: usize,
    /// Texts that nobody may see.
    pub(crate) secrets: &'a [String],
    /// Where clusterctl keeps its connections.
    pub(crate) sockets: PathBuf,
    /// Runs clusterctl on it.
    pub(crate) run: &'a dyn Fn(&[&str]) -> Said,
}

/// What was seen before, to be compared with.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// By host: each record, and the file in which it was last.
    records: BTreeMap<String, HashMap<u64, Rc<Path>>>,
    /// What is in a file that does not change any more, by path, size and time.
    read: BTreeMap<(PathBuf, u64, i64), Vec<u64>>,
}

/// A process of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u64,
    /// In clock ticks since the boot: with the pid it is one process alone.
    pub(crate) since: String,
    pub(crate) release: String,
    args: Vec<String>,
    env: BTreeSet<String>,
}

/// What hosts show.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// The processes of nodes by host and node.
    pub(crate) processes: BTreeMap<(String, String), Process>,
    /// The current release by host.
    pub(crate) current: BTreeMap<String, String>,
}

type Checked = Result<(), String>;

/// Looks whether all is as it has to be after a command has ended, and returns what was seen. What may take a moment is
/// waited for. With `settled` a deploy has just had nothing to do: then nothing is left of what was cut off before.
pub(crate) fn hold(subject: &Subject<'_>, memory: &mut Memory, settled: bool) -> Result<Look, String> {
    let limit = Instant::now() + QUIET;
    let mut pause = Duration::from_millis(50);
    loop {
        let wrong = match at_rest(subject, memory, settled) {
            Ok(look) => return Ok(look),
            Err(wrong) => wrong,
        };
        if Instant::now() > limit || wrong.starts_with("NEVER") {
            return Err(wrong);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

fn at_rest(subject: &Subject<'_>, memory: &mut Memory, settled: bool) -> Result<Look, String> {
    let before = look(subject)?;
    let said = (subject.run)(&["status", "-o", "json"]);
    let look = look(subject)?;
    for host in &subject.hosts {
        supervisors(subject, host)?;
        lock(host)?;
        stopped(host, &look)?;
        hidden(subject, host)?;
        crashes(host)?;
        if settled {
            nothing_left(subject, host, &look)?;
        }
    }
    if look.processes != before.processes {
        return Err("processes come and go without an operation".to_owned());
    }
    agrees(subject, &said, &look)?;
    records(subject, memory)?;
    sockets(subject)?;
    Ok(look)
}

fn read(path: &Path) -> String {
    fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in entries(folder) {
        match path.symlink_metadata() {
            Ok(kind) if kind.is_dir() => all.extend(files(&path)),
            Ok(kind) if kind.is_file() => all.push(path),
            _ => {}
        }
    }
    all
}

/// The words of a process's stat behind its name: the state first, its start the twentieth.
fn stat(proc: &Path) -> Option<Vec<String>> {
    let stat = fs::read_to_string(proc.join("stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}

fn since(proc: &Path) -> Option<String> {
    stat(proc).filter(|s| s[0] != "Z" && s[0] != "X").map(|s| s[19].clone())
}

fn processes_of(host: &HostAt) -> Vec<(u64, PathBuf)> {
    entries(&host.root.join("proc")).into_iter().filter_map(|p| Some((name(&p).parse().ok()?, p))).collect()
}

fn words(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    text.trim_end_matches('\0').split('\0').map(str::to_owned).collect()
}

/// Each node runs one whole release, or none, and never twice.
pub(crate) fn look(subject: &Subject<'_>) -> Result<Look, String> {
    let mut look = Look::default();
    for host in &subject.hosts {
        if let Ok(current) = fs::read_link(host.at("current")) {
            let id = name(&current);
            whole(host, &id).map_err(|why| format!("{}: the current release {id}: {why}", host.name))?;
            look.current.insert(host.name.clone(), id);
        }
        let mut checked = BTreeSet::new();
        for (pid, proc) in processes_of(host) {
            let Some((node, process)) = process(subject, host, pid, &proc)? else { continue };
            let id = process.release.clone();
            if checked.insert(id.clone()) {
                whole(host, &id).map_err(|why| format!("NEVER: {}: {node} (pid {pid}) runs {id}: {why}", host.name))?;
            }
            as_its_release_says(host, &node, &process)?;
            let key = (host.name.clone(), node.clone());
            if let Some(other) = look.processes.insert(key, process.clone()) {
                let alive = |p: &Process| {
                    since(&host.root.join(format!("proc/{}", p.pid))).is_some_and(|since| since == p.since)
                };
                if alive(&other) && alive(&process) {
                    return Err(format!("NEVER: {}: {node} runs as {} and as {pid}", host.name, other.pid));
                }
                return Err(format!("{node} was just started"));
            }
        }
    }
    Ok(look)
}

/// Reads a process, if it is a node of the cluster.
fn process(subject: &Subject<'_>, host: &HostAt, pid: u64, proc: &Path) -> Result<Option<(String, Process)>, String> {
    let (Ok(comm), Ok(env)) = (fs::read_to_string(proc.join("comm")), fs::read(proc.join("environ"))) else {
        return Ok(None);
    };
    let (args, env) = (words(&fs::read(proc.join("cmdline")).unwrap_or_default()), words(&env));
    if comm.trim_end() != "zeek" || args.iter().any(|a| a == "--parse-only") {
        return Ok(None);
    }
    let mark = format!("CLUSTERCTL={}/", subject.name);
    let Some(node) = env.iter().find_map(|e| e.strip_prefix(&mark)) else { return Ok(None) };
    let Some(since) = since(proc) else { return Ok(None) };
    // What is in the operator's environment, and no description gives to a node.
    if env.iter().any(|e| e.starts_with("CASE_SECRET=")) {
        return Err(format!("NEVER: {}: {node} (pid {pid}) has the operator's environment", host.name));
    }
    let path = env.iter().find_map(|e| e.strip_prefix("ZEEKPATH=")).unwrap_or_default();
    let releases = format!("{}/releases/", host.home);
    let ids: BTreeSet<&str> = path.split(':').filter_map(|p| p.strip_prefix(&releases)?.split('/').next()).collect();
    let [release] = ids.iter().copied().collect::<Vec<_>>()[..] else {
        return Err(format!("NEVER: {}: {node} (pid {pid}) runs no or several releases: {path}", host.name));
    };
    let process = Process { pid, since, release: release.to_owned(), args, env: env.iter().cloned().collect() };
    Ok(Some((node.to_owned(), process)))
}

/// A release has all of its files as its manifest says, and no other.
fn whole(host: &HostAt, id: &str) -> Checked {
    let folder = host.at("releases").join(id);
    let said = fs::read_to_string(folder.join("manifest")).map_err(|e| format!("its manifest: {e}"))?;
    let mut digests = Vec::new();
    let mut modes = Vec::new();
    for file in files(&folder) {
        let path = file.strip_prefix(&folder).unwrap().display().to_string();
        if path == "manifest" {
            continue;
        }
        let content = fs::read(&file).map_err(|e| format!("{path}: {e}"))?;
        let digest: String = Sha256::digest(&content).iter().map(|b| format!("{b:02x}")).collect();
        digests.push(format!("{digest}  ./{path}\n"));
        modes.push(format!("{:o} ./{path}\n", file.metadata().unwrap().permissions().mode() & 0o7777));
    }
    digests.sort_unstable();
    modes.sort_unstable();
    let found: String = digests.into_iter().chain(modes).collect();
    if found == said { Ok(()) } else { Err("it is not whole".to_owned()) }
}

/// What a release's start file says of a node: its arguments with the program, and its environment.
fn start_file(host: &HostAt, release: &str, node: &str) -> Option<(Vec<String>, Vec<String>)> {
    let text = fs::read_to_string(host.at("releases").join(release).join("start").join(node)).ok()?;
    let all =
        |word: &str| -> Vec<String> { text.lines().filter_map(|l| l.strip_prefix(word)).map(str::to_owned).collect() };
    Some(([all("zeek "), all("arg ")].concat(), all("env ")))
}

fn differs(process: &Process, (args, env): &(Vec<String>, Vec<String>)) -> Option<String> {
    if process.args != *args {
        return Some(format!("its command line is {:?} and not {args:?}", process.args));
    }
    // Not its value, which may be a secret.
    let missing = env.iter().find(|e| !process.env.contains(*e))?;
    Some(format!("its environment has not the {} of its release", missing.split('=').next().unwrap_or_default()))
}

/// A process was started with what its release says.
fn as_its_release_says(host: &HostAt, node: &str, process: &Process) -> Checked {
    let Some(start) = start_file(host, &process.release, node) else {
        return Err(format!("NEVER: {}: {node} runs {}, which has no such node", host.name, process.release));
    };
    match differs(process, &start) {
        Some(how) => Err(format!("NEVER: {}: {node} runs {}, but {how}", host.name, process.release)),
        None => Ok(()),
    }
}

/// What `status` says is what there is.
fn agrees(subject: &Subject<'_>, said: &Said, look: &Look) -> Checked {
    let Ok(document) = serde_json::from_str::<Value>(&said.stdout) else {
        return Err(format!("status says no JSON: {said:?}"));
    };
    let status = &document["data"];
    let troubles = status["troubles"].as_array().cloned().unwrap_or_default();
    if (said.code == 0) != troubles.is_empty() || ![0, 5].contains(&said.code) {
        return Err(format!("status ends with {}, and its troubles are {troubles:?}: {}", said.code, said.stderr));
    }
    let mut told = BTreeSet::new();
    for row in status["nodes"].as_array().into_iter().flatten() {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let key = (text("host"), text("node"));
        let Some(host) = subject.hosts.iter().find(|h| h.name == key.0) else { continue };
        // A node that the description has elsewhere now.
        let key = row["runs_on"].as_str().map_or(key.clone(), |place| (place.to_owned(), key.1));
        let process = look.processes.get(&key);
        let runs = row["state"] == "running";
        let pid = process.map(|p| p.pid);
        if runs != process.is_some() || row["pid"].as_u64() != pid {
            return Err(format!("status says {row}, but its process is {pid:?}"));
        }
        told.insert(key.clone());
        let Some(process) = process.filter(|_| row["runs_on"].is_null()) else { continue };
        if row["release"] != process.release.as_str() {
            return Err(format!("status says {row}, but it runs {}", process.release));
        }
        if row["health"] == "ok"
            && let Some(current) = look.current.get(&key.0)
        {
            let due = start_file(host, current, &key.1);
            let how = due.map_or(Some("the current release has no such node".to_owned()), |due| differs(process, &due));
            if let Some(how) = how {
                return Err(format!("status says that {} is well, but {how}", key.1));
            }
        }
    }
    // Of what the description has not (any more), something is said.
    let talk = format!("{troubles:?} {:?}", status["warnings"]);
    for (host, node) in look.processes.keys().filter(|key| !told.contains(*key)) {
        if !talk.contains(node.as_str()) {
            return Err(format!("status says nothing of {node}, which runs on {host}: {talk}"));
        }
    }
    Ok(())
}

/// Nobody is told to kill what belongs to another cluster, by whatever a command of the cluster `name` says.
pub(crate) fn kills_no_others(text: &str, name: &str, hosts: &[HostAt]) -> Checked {
    let ours = format!("{name}/");
    for line in text.lines().filter(|line| line.contains("kill ")) {
        let named = |host: &&HostAt| line.contains(&format!("on {}", host.name));
        let all = !hosts.iter().any(|host| named(&host));
        for (at, word) in line.match_indices("kill ") {
            let rest = line[at + word.len()..].split(' ').map(|w| w.trim_end_matches(|c: char| !c.is_ascii_digit()));
            for pid in rest.map_while(|word| word.parse::<u32>().ok()) {
                for host in hosts.iter().filter(|host| all || named(host)) {
                    let env = words(&fs::read(host.root.join(format!("proc/{pid}/environ"))).unwrap_or_default());
                    let of = env.iter().find_map(|e| e.strip_prefix("CLUSTERCTL="));
                    if of.is_some_and(|of| !of.starts_with(&ours)) {
                        return Err(format!("NEVER: to kill {pid}, which is {of:?}, is advised: {line}"));
                    }
                }
            }
        }
    }
    Ok(())
}

/// No node has two supervisors.
fn supervisors(subject: &Subject<'_>, host: &HostAt) -> Checked {
    let mut found: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (pid, proc) in processes_of(host) {
        let args = words(&fs::read(proc.join("cmdline")).unwrap_or_default());
        let of_us = args.get(2).is_some_and(|home| *home == host.home) && args.len() > 5;
        if of_us && args[1].ends_with("/clusterctl/supervisor.sh") && since(&proc).is_some() {
            found.entry(args[5].clone()).or_default().push(pid);
        }
    }
    match found.iter().find(|(_, pids)| pids.len() > 1) {
        Some((node, pids)) => {
            Err(format!("{}: {node} of {} has several supervisors: {pids:?}", host.name, subject.name))
        }
        None => Ok(()),
    }
}

/// Once a command has ended, nobody holds the lock.
fn lock(host: &HostAt) -> Checked {
    let line = read(&host.at("lock"));
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, boot, pid, begun, ..] = words[..] else { return Ok(()) };
    let now = read(&host.root.join("proc/sys/kernel/random/boot_id"));
    if boot == now.trim() && since(&host.root.join("proc").join(pid)).is_some_and(|since| since == begun) {
        return Err(format!("{}: the lock is still held: {line}", host.name));
    }
    Ok(())
}

/// What hosts were told to stop does not run.
fn stopped(host: &HostAt, look: &Look) -> Checked {
    for dir in entries(&host.nodes()) {
        let node = name(&dir);
        if read(&dir.join("want")).starts_with("stopped")
            && let Some(process) = look.processes.get(&(host.name.clone(), node.clone()))
        {
            return Err(format!("{}: {node} was told to stop, and runs as {}", host.name, process.pid));
        }
    }
    Ok(())
}

/// No secret is in a process list, in a file that everybody may read, or in a release but for what starts nodes.
fn hidden(subject: &Subject<'_>, host: &HostAt) -> Checked {
    let mut secrets = subject.secrets.to_vec();
    for file in entries(&host.at("secrets")).into_iter().filter(|f| name(f).starts_with("zeromq-")) {
        secrets.extend(read(&file).lines().filter_map(|l| Some(l.split_once('=')?.1.to_owned())));
    }
    if secrets.is_empty() {
        return Ok(());
    }
    let shows = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        secrets.iter().any(|secret| text.contains(secret.as_str()))
    };
    for (pid, proc) in processes_of(host) {
        if let Ok(line) = fs::read(proc.join("cmdline"))
            && shows(&line)
        {
            return Err(format!("NEVER: {}: the command line of {pid} has a secret", host.name));
        }
    }
    let releases = host.at("releases");
    let all = files(&host.path(&host.home)).into_iter().chain(files(&host.path(&host.spool)));
    for file in all.collect::<BTreeSet<_>>() {
        let Ok(meta) = file.metadata() else { continue };
        let starts = file.parent().is_some_and(|p| name(p) == "start");
        let open = meta.permissions().mode() & 0o004 != 0;
        let of_release = file.starts_with(&releases) && !starts;
        if (open || of_release) && meta.len() < 1 << 22 && fs::read(&file).is_ok_and(|content| shows(&content)) {
            return Err(format!("NEVER: {}: {} has a secret", host.name, file.display()));
        }
    }
    Ok(())
}

fn crashes(host: &HostAt) -> Checked {
    for dir in entries(&host.path(&host.spool).join("crash")) {
        let count = entries(&dir).len();
        if count > CRASHES {
            return Err(format!("{}: {count} crashes are kept in {}", host.name, dir.display()));
        }
    }
    Ok(())
}

/// Whether a name is that of a file on its way to another name, or of one who claims it.
fn is_temporary(name: &str) -> bool {
    let numbered =
        |stem: &str| name.strip_prefix(stem).is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let last = name.rsplit('.').next().unwrap_or_default();
    name.ends_with(".new")
        || name == ".new"
        || (name.contains(".new.") && last.bytes().all(|b| b.is_ascii_digit()))
        || name.starts_with(".stage-")
        || name.starts_with(".gone-")
        || name.starts_with(".manifest-")
        || name.contains(".dead-")
        || ["lock.", "supervisor.", "archiving.", "last."].iter().any(|stem| numbered(stem))
}

/// Nothing is left of operations, and no more than is to be kept.
fn nothing_left(subject: &Subject<'_>, host: &HostAt, look: &Look) -> Checked {
    let mut folders = vec![host.at(""), host.at("releases"), host.at("secrets"), host.path(&host.spool)];
    folders.extend(entries(&host.nodes()));
    for path in folders.iter().flat_map(|folder| entries(folder)) {
        if is_temporary(&name(&path)) {
            return Err(format!("{}: {} is left", host.name, path.display()));
        }
    }
    if host.at("journal").exists() {
        return Err(format!("{}: there is a journal: {}", host.name, read(&host.at("journal"))));
    }
    let found: Vec<String> = entries(&host.at("releases")).iter().map(|p| name(p)).collect();
    // When a release was named: templates/altered.sh.
    let (seen, found): (Vec<String>, Vec<String>) = found.into_iter().partition(|n| n.starts_with(".seen-"));
    let (infos, releases): (Vec<&String>, Vec<&String>) = found.iter().partition(|n| n.ends_with(".info"));
    let running: BTreeSet<&String> = look.processes.values().map(|p| &p.release).collect();
    // What ran before the last activation, and what archives logs, may have releases of their own.
    if releases.len() > subject.keep + 2 + running.len() {
        return Err(format!("{}: {} are to be kept, and {releases:?} are there", host.name, subject.keep));
    }
    if let Some(info) = infos.iter().find(|i| !releases.iter().any(|r| i.starts_with(r.as_str()))) {
        return Err(format!("{}: {info} is of no release", host.name));
    }
    if let Some(of) = seen.iter().find(|s| !releases.iter().any(|r| s.strip_prefix(".seen-") == Some(r))) {
        return Err(format!("{}: {of} is of no release", host.name));
    }
    let secrets = entries(&host.at("secrets")).len();
    if secrets > 4 * (releases.len() + 1) {
        return Err(format!("{}: {secrets} secrets for {} releases", host.name, releases.len()));
    }
    Ok(())
}

/// Connections and what belongs to them are not more than there are hosts.
fn sockets(subject: &Subject<'_>) -> Checked {
    let folder = subject.sockets.join("clusterctl");
    let (masters, files) = (masters(&folder).len(), entries(&folder).len());
    // For each host a socket, its configuration and a lock; twice, since the description may have changed.
    if masters > 2 * subject.hosts.len() || files > 6 * subject.hosts.len() {
        return Err(format!("{masters} masters and {files} files in {} ", folder.display()));
    }
    Ok(())
}

/// Every record that was in a log once is in one ever after, and in no two. Logs move while they are read, in the order
/// of the folders: so one look may find a record twice, and what is wrong has to stay so.
fn records(subject: &Subject<'_>, memory: &mut Memory) -> Checked {
    for host in &subject.hosts {
        let limit = Instant::now() + Duration::from_secs(30);
        while let Err(wrong) = records_of(host, memory) {
            if Instant::now() > limit {
                return Err(wrong);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    Ok(())
}

fn records_of(host: &HostAt, memory: &mut Memory) -> Checked {
    let spool = host.path(&host.spool);
    let mut folders = vec![spool.join("nodes"), spool.join("crash"), spool.join("log-queue"), spool.join("archive")];
    for archive in host.archive.iter().map(|a| host.path(a)) {
        if !folders.contains(&archive) {
            folders.push(archive);
        }
    }
    let mut now: HashMap<u64, Rc<Path>> = HashMap::new();
    let mut twice = None;
    for file in folders.iter().flat_map(|f| files(f)) {
        let called = name(&file);
        if !called.contains("sim") || called.starts_with('.') || !called.contains(".log") {
            continue;
        }
        let Ok(meta) = file.metadata() else { continue };
        let key = (file.clone(), meta.len(), meta.mtime());
        let known = memory.read.get(&key).cloned();
        let lines = known.unwrap_or_else(|| {
            let lines = numbers(&file);
            if called != "sim.log" && !lines.is_empty() {
                memory.read.insert(key, lines.clone());
            }
            lines
        });
        let path: Rc<Path> = file.as_path().into();
        for record in lines {
            if let Some(other) = now.insert(record, path.clone()) {
                twice = Some((file.clone(), other));
            }
        }
    }
    let before = memory.records.entry(host.name.clone()).or_default();
    let mut lost = before.iter().filter(|(record, _)| !now.contains_key(record));
    if let Some((_, file)) = lost.next() {
        let (lost, all) = (lost.count() + 1, before.len());
        return Err(format!("{}: {lost} of {all} records are in no log any more, as of {}", host.name, file.display()));
    }
    if let Some((file, other)) = twice {
        return Err(format!("{}: records of {} are in {} too", host.name, file.display(), other.display()));
    }
    *before = now;
    Ok(())
}

/// The records of a log, as something to compare.
fn numbers(file: &Path) -> Vec<u64> {
    let raw = fs::read(file).unwrap_or_default();
    let mut text = Vec::new();
    let called = name(file);
    if called.ends_with(".gz") {
        if flate2::read::MultiGzDecoder::new(raw.as_slice()).read_to_end(&mut text).is_err() {
            return Vec::new();
        }
    } else if called.ends_with(".zst") {
        let output = Command::new("zstd").arg("-dcq").arg(file).output();
        text = output.map(|o| o.stdout).unwrap_or_default();
    } else {
        text = raw;
    }
    // A line that is not whole yet is none.
    let end = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(&text[..end]);
    let lines = text.lines().filter(|l| !l.starts_with('#') && l.split('\t').count() == 4);
    lines
        .map(|line| {
            let mut hasher = DefaultHasher::new();
            line.hash(&mut hasher);
            hasher.finish()
        })
        .collect()
}
