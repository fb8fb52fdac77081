//! Words that are no commands: those of zeekctl are answered with what to use here, and no word with a command that
//! changes things.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What zeekctl has, and what to use here.
const OF_ZEEKCTL: &[(&str, &str)] = &[
    ("cleanup", "not needed; `maintain` tidies up"),
    ("cron", "use `maintain --install` once: then hosts do it by themselves"),
    ("install", "use `deploy`"),
    ("process", "not there: run `zeek -r TRACE` with the scripts of your site folder"),
    ("quit", "not needed; every command ends by itself"),
    ("scripts", "`check` has Zeek read the scripts; `layout --options` prints what is generated"),
    ("update", "use `deploy`"),
    ("host", "use `nodes`"),
    ("list", "use `nodes`"),
];

/// Puts what helps in the place of what clap suggests: the nearest command, whatever it does. A typing error is answered
/// with one that is `harmless`.
pub(super) fn advise(mut error: clap::Error, harmless: &[String]) -> clap::Error {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand).cloned() else { return error };
    let suggested = error.remove(ContextKind::SuggestedSubcommand);
    let known = OF_ZEEKCTL.iter().find(|(theirs, _)| *theirs == word);
    let tip = match (known, suggested) {
        (Some((theirs, ours)), _) => Some(format!("zeekctl's `{theirs}`: {ours}")),
        (None, Some(ContextValue::Strings(near))) => {
            let near: Vec<String> =
                near.iter().filter(|name| harmless.contains(name)).map(|name| format!("`{name}`")).collect();
            (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
    }
    error
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::advise;

    fn said(word: &str) -> String {
        let command = Command::new("c").subcommand_required(true);
        let command = ["status", "stop", "start", "restart", "diff", "nodes"]
            .into_iter()
            .fold(command, |command, name| command.subcommand(Command::new(name)));
        let harmless = ["status", "diff", "nodes"].map(str::to_owned);
        advise(command.try_get_matches_from(["c", word]).unwrap_err(), &harmless).render().to_string()
    }

    #[test]
    fn no_word_is_answered_with_a_command_that_changes_things() {
        assert!(said("list").contains("zeekctl's `list`: use `nodes`"), "{}", said("list"));
        assert!(!said("sop").contains("stop"), "{}", said("sop"));
        assert!(!said("stp").contains("tip:"), "{}", said("stp"));
        assert!(said("statsu").contains("did you mean `status`?"), "{}", said("statsu"));
    }
}
