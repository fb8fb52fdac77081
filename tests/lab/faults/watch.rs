//! Doing something at the very moment: a command's lines are read as they come, and it is frozen while something is
//! done at one of them, so that it can't run ahead.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::local::{Said, kill};

/// For a whole command.
const DEADLINE: Duration = Duration::from_secs(240);

/// Runs a command, and calls for each line of its stderr, with the process's id, until that says that it has seen
/// enough.
pub(crate) struct Watch<F: FnMut(&str, u64) -> bool>(pub(crate) F);

impl<F: FnMut(&str, u64) -> bool> Watch<F> {
    /// Runs the command to its end.
    ///
    /// # Panics
    /// When the moment never comes.
    #[track_caller]
    pub(crate) fn run(mut self, command: Command) -> Said {
        let what = format!("{command:?}");
        let (said, came) = self.watch(command);
        assert!(came, "the moment never came in {what}: {said:?}");
        said
    }

    /// As [`Watch::run`], also where the moment does not come.
    #[track_caller]
    pub(crate) fn run_whatever(mut self, command: Command) -> Said {
        self.watch(command).0
    }

    #[track_caller]
    fn watch(&mut self, mut command: Command) -> (Said, bool) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let pid = u64::from(child.id());
        let mut out = child.stdout.take().unwrap();
        let err = child.stderr.take().unwrap();
        let stdout = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = out.read_to_end(&mut text);
            text
        });
        let (send, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let limit = Instant::now() + DEADLINE;
        let mut stderr = String::new();
        let mut watching = true;
        while let Ok(line) = lines.recv_timeout(limit.saturating_duration_since(Instant::now())) {
            watching = watching && !(self.0)(&line, pid);
            stderr.push_str(&line);
            stderr.push('\n');
        }
        if Instant::now() >= limit {
            let _ = child.kill();
            panic!("{command:?} has not ended within {DEADLINE:?}; it said so far:\n{stderr}");
        }
        let status = child.wait().unwrap();
        let stdout = String::from_utf8_lossy(&stdout.join().unwrap()).into_owned();
        (Said { code: status.code().unwrap_or(-1), stdout, stderr }, !watching)
    }
}

/// Runs a command; at the first line of its stderr that begins with the words it is frozen, something is done, and it
/// goes on.
#[track_caller]
pub(crate) fn frozen(command: Command, words: &str, act: impl FnOnce()) -> Said {
    let mut act = Some(act);
    Watch(|line: &str, pid| {
        if !line.starts_with(words) {
            return false;
        }
        kill("STOP", pid);
        if let Some(act) = act.take() {
            act();
        }
        kill("CONT", pid);
        true
    })
    .run(command)
}

/// Runs a command, and kills it at the first line of its stderr that begins with the words.
#[track_caller]
pub(crate) fn killed_at(command: Command, words: &str) -> Said {
    Watch(|line: &str, pid| {
        let now = line.starts_with(words);
        if now {
            // Frozen first, so that it does nothing more meanwhile.
            kill("STOP", pid);
            kill("KILL", pid);
        }
        now
    })
    .run(command)
}
