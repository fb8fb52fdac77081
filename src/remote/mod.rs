//! What is read of the answers of scripts on hosts. Other people's bytes: never taken for more than they are.

use crate::observed::{Malformed, number, word_of};
use crate::transport::ScriptOutput;

/// Reads `NUMBER WHY`: how many rotated logs wait, and why, as far as that is known.
///
/// # Errors
/// Where it is no number.
pub fn queued(value: &str) -> Result<(u64, Option<String>), String> {
    let (logs, why) = word_of(value);
    Ok((number(logs)?, Some(why.to_owned()).filter(|why| !why.is_empty())))
}

/// Reads the answer of `templates/queue.sh`.
///
/// # Errors
/// Where it is not that of the script.
pub fn queue<S: AsRef<str>>(lines: &[S]) -> Result<(u64, Option<String>), Malformed> {
    let [line] = lines else { return Err(Malformed::Missing("queue")) };
    match word_of(line.as_ref()) {
        ("queue", value) => queued(value).map_err(|why| Malformed::line(line.as_ref(), why)),
        _ => Err(Malformed::unsaid(line.as_ref())),
    }
}

/// Reads the answer of a script that says one word when it has done its work.
pub fn verdict(reply: &ScriptOutput, good: &str) -> Result<(), String> {
    for line in &reply.lines {
        if let Some(why) = line.strip_prefix("fail ") {
            return Err(last_words(&reply.stderr).map_or_else(|| why.to_owned(), |last| format!("{why}: {last}")));
        }
        if line.split(' ').next() == Some(good) && reply.ok() {
            return Ok(());
        }
    }
    Err(reply.stderr.lines().last().unwrap_or("no reason given").to_owned())
}

/// The last thing that a tool complained about: tar says at last only that it failed.
fn last_words(stderr: &str) -> Option<&str> {
    const ENDS: [&str; 3] = ["Exiting with failure status", "is not recoverable", "Child returned status"];
    stderr.lines().rfind(|line| !line.trim().is_empty() && !ENDS.iter().any(|end| line.contains(end)))
}

#[cfg(test)]
mod tests {
    use super::queue;
    use crate::observed::Malformed;

    #[test]
    fn a_queue_is_counted_and_never_empty_by_a_malformed_line() {
        assert_eq!(queue(&["queue 3 there is no archiver"]), Ok((3, Some("there is no archiver".to_owned()))));
        assert_eq!(queue(&["queue 0 "]), Ok((0, None)));
        assert_eq!(queue(&[] as &[&str]), Err(Malformed::Missing("queue")));
        for line in ["", "queue", "queue x", "queue -1 y", "queues 3"] {
            assert!(matches!(queue(&[line]), Err(Malformed::Line(_))), "{line}");
        }
    }
}
