//! Hints as the user types them: commands of ours name the description that this command was given.

use std::sync::OnceLock;

use serde::Serializer;

/// The words that a command of ours needs beside its own, and the names of all commands.
static NEEDED: OnceLock<(String, Vec<String>)> = OnceLock::new();

/// From now on, commands in hints have these words, such as `-f FILE`: what a hint says to run means this cluster.
pub fn hints_have(words: String, commands: Vec<String>) {
    NEEDED.get_or_init(|| (words, commands));
}

/// A hint of ours as it is to be typed.
pub fn typed(hint: &str) -> String {
    NEEDED.get().map_or_else(|| hint.to_owned(), |(words, commands)| with_words(hint, words, commands))
}

fn with_words(hint: &str, words: &str, commands: &[String]) -> String {
    const PROGRAM: &str = "clusterctl ";
    let mut parts = hint.split(PROGRAM);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(PROGRAM);
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(part.len());
        if commands.iter().any(|command| command == &part[..end]) {
            text.push_str(words);
            text.push(' ');
        }
        text.push_str(part);
    }
    text
}

/// Serializes a hint as it is to be typed.
///
/// # Errors
/// Those of the serializer.
pub(crate) fn serialize<S: Serializer>(hint: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&typed(hint))
}

/// As [`serialize`], where there may be no hint.
///
/// # Errors
/// Those of the serializer.
#[expect(clippy::ref_option, reason = "the form that serde asks for")]
pub(crate) fn serialize_any<S: Serializer>(hint: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match hint {
        Some(hint) => serializer.serialize_some(&typed(hint)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::with_words;

    #[test]
    fn hints_name_the_file_of_this_cluster() {
        let commands = ["deploy".to_owned(), "resume".to_owned()];
        let typed = |hint: &str| with_words(hint, "-f corp.yaml", &commands);
        assert_eq!(
            typed("clusterctl resume @a, or `clusterctl deploy`"),
            "clusterctl -f corp.yaml resume @a, or `clusterctl -f corp.yaml deploy`"
        );
        assert_eq!(
            typed("a lock ends with the clusterctl that holds it"),
            "a lock ends with the clusterctl that holds it"
        );
        assert_eq!(typed("see clusterctl deploys"), "see clusterctl deploys");
        assert_eq!(typed("chmod go-w /var/lib/clusterctl /srv"), "chmod go-w /var/lib/clusterctl /srv");
    }
}
