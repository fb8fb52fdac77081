//! What is read of the answers of scripts on hosts. Other people's bytes: never taken for more than they are.

use crate::transport::ScriptOutput;

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
