//! What keeps nodes running on their hosts: which script starts, stops and watches them, and how its answer reads.
//!
//! Each runner answers in the same words, so that everything above is the same for all of them. `process` is one
//! supervisor (`templates/supervisor.sh`) for each node, `systemd` a unit; both start a node with `templates/node.sh`.
//! Starting looks at the release, which was made for one of them, and stopping at what is on the host: so a change of the
//! runner leaves nothing behind, and going back goes back to the runner as well.

mod systemd;

use std::time::Duration;

pub use crate::cluster::Folders;
use crate::cluster::RunnerKind;
use crate::observed::FullObserved;
use crate::scripts;
use crate::transport::RemoteScript;

/// What a host says while nodes start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// The node is ready.
    Ready(String),
    /// The node was running already.
    AlreadyRunning(String),
    /// The node was running already, but what kept it running is gone.
    Unsupervised(String),
    /// The release has no such node.
    NotInRelease(String),
    /// The node ended before it was ready: the node, how it ended.
    ExitedAtStart(String, String),
    /// The node was not ready in time: the node, the last word of its `.status`.
    StartTimeout(String, String),
    /// A last line of a node's stderr.
    Stderr(String, String),
    /// A limit that a node that is ready has not got: the node, and what it lacks.
    Short(String, String),
}

/// What a host says while nodes stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// It ended after SIGTERM, or did not run.
    Stopped(String),
    /// It ended after SIGKILL.
    Killed(String),
    /// It does not end.
    StopTimeout(String),
    /// The signal was not allowed.
    PermissionDenied(String),
}

/// Time that a call may take beyond what its script waits for itself.
const MARGIN: Duration = Duration::from_secs(30);

/// Tells why a host can't have a runner, and what to do about it.
pub fn missing(runner: RunnerKind, observed: &FullObserved) -> Option<(String, String)> {
    match runner {
        RunnerKind::Process => None,
        RunnerKind::Systemd => systemd::missing(observed),
    }
}

/// Makes the call that starts nodes, each from a release, and waits until they are ready: a guarded step.
pub fn start(folders: &Folders, nodes: &[(String, String)], ready: Duration) -> RemoteScript<'static> {
    let input: String = nodes.iter().map(|(node, release)| format!("{node} {release}\n")).collect();
    RemoteScript::new(scripts::START, ready + MARGIN)
        .arg(&folders.home)
        .arg(&folders.spool)
        .arg(ready.as_secs().max(1).to_string())
        .input(input)
}

/// Makes the call that stops nodes, whatever keeps them running: a guarded step. With `again` they stay meant to run.
pub fn stop(folders: &Folders, nodes: &[String], deadline: Duration, again: bool) -> RemoteScript<'static> {
    let input: String = nodes.iter().map(|node| format!("{node}\n")).collect();
    let call = RemoteScript::new(scripts::STOP, deadline + MARGIN);
    let call = call.arg(&folders.spool).arg(deadline.as_secs().max(1).to_string());
    let call = if again { call.arg("again") } else { call };
    call.input(input)
}

impl Started {
    /// Reads a line of a host's answer. The words stay as they are: maintenance passes on what the `start.sh` of the
    /// release there says, which an earlier clusterctl may have made.
    pub fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        let (node, more) = rest.split_once(' ').unwrap_or((rest, ""));
        let (node, more) = (node.to_owned(), more.to_owned());
        Some(match word {
            "ready" => Self::Ready(node),
            "running" if more == "unsupervised" => Self::Unsupervised(node),
            "running" => Self::AlreadyRunning(node),
            "absent" => Self::NotInRelease(node),
            "dead" => Self::ExitedAtStart(node, exit_words(&more)),
            "late" => Self::StartTimeout(node, more),
            "stderr" => Self::Stderr(node, more),
            "short" => Self::Short(node, more),
            _ => return None,
        })
    }
}

impl Stopped {
    /// Reads a line of a host's answer.
    pub fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        let node = rest.split(' ').next().unwrap_or_default().to_owned();
        Some(match word {
            "stopped" => Self::Stopped(node),
            "killed" => Self::Killed(node),
            "overdue" => Self::StopTimeout(node),
            "not_permitted" => Self::PermissionDenied(node),
            _ => return None,
        })
    }
}

/// Turns `exit 139` into the signal's name.
fn exit_words(text: &str) -> String {
    match text.strip_prefix("exit ").and_then(|s| s.parse().ok()) {
        Some(status) => crate::observed::Exit { status: Some(status), ..crate::observed::Exit::default() }.text(),
        None => text.strip_prefix("refused ").unwrap_or(text).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use super::{Started, Stopped};
    use crate::scripts;

    /// A step for `worker-1` of the cluster in `home`, which is its spool as well; its operation is `ours`.
    fn step(script: &str, home: &Path, deadline: &str) -> Child {
        let mut step = Command::new("sh");
        step.args(["-c", script, "sh"]).arg(home).args(["ours", "99999999999"]);
        // A start has the folder once more.
        if script == scripts::START {
            step.arg(home);
        }
        step.arg(home).arg(deadline);
        step.env("T", "t").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    }

    fn said(mut step: Child) -> String {
        let mut said = String::new();
        step.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        step.wait().unwrap();
        said
    }

    fn lock(home: &Path, operation: &str) {
        std::fs::write(home.join("lock"), format!("id b 1 2 {operation} who\n")).unwrap();
    }

    fn until(what: &str, holds: impl Fn() -> bool) {
        let limit = Instant::now() + Duration::from_secs(20);
        while !holds() {
            assert!(Instant::now() < limit, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Is a step in its loop? Nothing before that sleeps.
    fn waits(step: &Child) -> bool {
        let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", step.id())).unwrap();
        let name = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/comm"));
        children.split_whitespace().any(|pid| name(pid).is_ok_and(|name| name == "sleep\n"))
    }

    /// A process that SIGTERM does not end, in the `run` file of `node`.
    fn stubborn(node: &Path) -> Child {
        let mut process = Command::new("sh");
        process.args(["-c", "trap '' TERM; echo; exec sleep 1000"]).stdout(Stdio::piped());
        let mut process = process.spawn().unwrap();
        process.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
        let since = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap();
        std::fs::create_dir_all(node).unwrap();
        std::fs::write(node.join("run"), format!("id {} {} {since}\n", boot.trim(), process.id())).unwrap();
        process
    }

    /// A clusterctl that stands still between a step's script and its input is not the only one that goes on.
    #[test]
    fn input_that_comes_when_the_lock_is_anothers_is_not_acted_on() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let node = home.join("nodes/worker-1");
        std::fs::create_dir_all(&node).unwrap();
        std::fs::write(node.join("want"), "running r\n").unwrap();
        for (then, acts) in [("ours", true), ("another", false)] {
            let _ = std::fs::remove_file(home.join("operation"));
            lock(home, "ours");
            let mut step = step(scripts::STOP, home, "5");
            until("the step is let through", || home.join("operation").exists());
            lock(home, then);
            step.stdin.take().unwrap().write_all(b"worker-1\n").unwrap();
            let said = said(step);
            assert_eq!(said.contains("t stopped worker-1"), acts, "{said}");
            assert_eq!(said.contains("t guard lock"), !acts, "{said}");
            let want = std::fs::read_to_string(node.join("want")).unwrap();
            assert_eq!(want, if acts { "stopped\n" } else { "running r\n" });
            std::fs::write(node.join("want"), "running r\n").unwrap();
        }
    }

    /// The step of a killed clusterctl goes on when its lock is free, and then another operation may have started the node.
    #[test]
    fn what_others_have_started_since_is_not_stopped() {
        for begun_anew in [true, false] {
            let home = tempfile::tempdir().unwrap();
            let node = home.path().join("nodes/worker-1");
            let mut process = stubborn(&node);
            lock(home.path(), "ours");
            let mut step = step(scripts::STOP, home.path(), "1");
            step.stdin.take().unwrap().write_all(b"worker-1\n").unwrap();
            until("the step waits for the node to end", || waits(&step));
            if begun_anew {
                // As a start does before it begins anything.
                std::fs::remove_file(node.join("stop")).unwrap();
            }
            let said = said(step);
            let lives = process.try_wait().unwrap().is_none();
            process.kill().unwrap();
            process.wait().unwrap();
            assert_eq!(lives, begun_anew, "{said}");
            assert_eq!(said, if begun_anew { "t stopped worker-1\n" } else { "t killed worker-1\n" });
        }
    }

    /// What waits for a node to end first starts none when another operation, which may have stopped it, has begun.
    #[test]
    fn a_start_that_waited_begins_nothing_when_the_lock_is_anothers() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let node = home.join("nodes/worker-1");
        let mut process = stubborn(&node);
        std::fs::write(node.join("stop"), "").unwrap();
        std::fs::write(node.join("want"), "stopped\n").unwrap();
        std::fs::create_dir_all(home.join("releases/r/start")).unwrap();
        std::fs::write(home.join("releases/r/start/worker-1"), "").unwrap();
        lock(home, "ours");
        let mut step = step(scripts::START, home, "60");
        step.stdin.take().unwrap().write_all(b"worker-1 r\n").unwrap();
        until("the step waits for the node to end", || waits(&step));
        lock(home, "another");
        process.kill().unwrap();
        process.wait().unwrap();
        let said = said(step);
        assert_eq!(said, "t fail the lock of this host is not held by this operation any more\n");
        assert_eq!(std::fs::read_to_string(node.join("want")).unwrap(), "stopped\n");
        assert!(node.join("stop").exists());
    }

    #[test]
    fn answers_are_read() {
        assert_eq!(
            Started::parse("dead worker-1 exit 139"),
            Some(Started::ExitedAtStart("worker-1".to_owned(), "SIGSEGV".to_owned()))
        );
        assert_eq!(
            Started::parse("stderr worker-1 fatal error: no  such"),
            Some(Started::Stderr("worker-1".to_owned(), "fatal error: no  such".to_owned()))
        );
        assert_eq!(Started::parse("noise"), None);
        assert_eq!(Stopped::parse("killed proxy-1"), Some(Stopped::Killed("proxy-1".to_owned())));
    }
}
