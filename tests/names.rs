//! One word, one meaning: names that were given up in favour of the field's are not declared again.

use std::collections::BTreeMap;

use crate::support::sources;

/// What was given up, and what stands in its place.
const GIVEN_UP: [(&str, &str); 47] = [
    ("Seat", "HostHandle"),
    ("Call", "RemoteScript"),
    ("Manner", "OnFailure"),
    ("Strict", "Abort"),
    ("Lenient", "Continue"),
    ("Dogged", "Ignore"),
    ("Already", "AlreadyRunning"),
    ("Dead", "ExitedAtStart"),
    ("Late", "StartTimeout"),
    ("Stuck", "StopTimeout"),
    ("Denied", "PermissionDenied"),
    ("Job", "NodeTask"),
    ("Aim", "Goal"),
    ("Absent", "Excluded, NotInRelease"),
    ("Behind", "PendingHost"),
    ("left", "removed_hosts"),
    ("lost", "unreachable_hosts"),
    ("Look", "Survey"),
    ("look_again", "replan"),
    ("Way", "Direction"),
    ("Halt", "Abort"),
    ("Touched", "ActivationState"),
    ("Held", "HostLock"),
    ("Kept", "StoredRelease"),
    ("MEANWHILE", "Superseded"),
    ("Ingredients", "ReleaseInput"),
    ("ZeekIdentity", "HostZeek"),
    ("Wanted", "Desired"),
    ("meant", "desired_release"),
    ("due", "current_inputs"),
    ("Next", "RestartAction"),
    ("Stray", "UnmanagedProcess"),
    ("LogGap", "LogOutage"),
    ("Meanwhile", "LogFate"),
    ("Words", "ParseOutput"),
    ("Remark", "CheckFinding"),
    ("Judge", "Preflight"),
    ("Dialed", "Tunnel"),
    ("Relabelled", "TextAsBinary"),
    ("Texts", "StringList"),
    ("spare", "drop_priority"),
    ("harmless", "escape_control"),
    ("Asked", "HostToAsk, NodeAnswers, Awaited, EndRequest"),
    ("Found", "FoundFile, ObservedHosts, ProcessFacts"),
    ("Switch", "Activation"),
    ("switch", "activate"),
    ("Switched", "Activated"),
];

/// The name that a line declares: an item, a field, or a variant.
fn declared(line: &str) -> Option<&str> {
    let word = |text: &'_ str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8).sum();
    let mut rest = line.trim_start();
    for before in ["pub(crate) ", "pub(super) ", "pub ", "async ", "const fn", "unsafe "] {
        rest = rest.strip_prefix(before).unwrap_or(rest).trim_start();
    }
    for item in ["struct ", "enum ", "trait ", "type ", "fn ", "const ", "static ", "mod "] {
        if let Some(name) = rest.strip_prefix(item) {
            return Some(&name[..word(name)]);
        }
    }
    let name = &rest[..word(rest)];
    let after = &rest[name.len()..];
    let field = line.starts_with("    ") && after.starts_with(": ") && rest.ends_with(',');
    let variant = line.starts_with("    ")
        && !line.starts_with("     ")
        && name.starts_with(char::is_uppercase)
        && (after == "," || after.starts_with('(') && rest.ends_with("),") || after == " {");
    (field || variant).then_some(name)
}

#[test]
fn no_item_field_or_variant_has_a_name_that_was_given_up() {
    let mut found = Vec::new();
    for file in sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for (number, line) in text.lines().enumerate() {
            let Some(name) = declared(line) else { continue };
            if let Some((_, now)) = GIVEN_UP.iter().find(|(old, _)| *old == name) {
                found.push(format!("{}:{}: {name} -> {now}", file.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The name of a type that a line declares for more than its own room.
fn shared_type(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) "))?;
    let kinds = ["struct ", "enum ", "trait ", "type "];
    let name = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// A name means one type in all rooms. Two things have names of their own: what a stored release has is called as what it
/// becomes, and goes by its module (`stored::Host`); the arguments of a command are called as the command.
#[test]
fn no_two_types_that_rooms_share_have_one_name() {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let mut found = Vec::new();
    for file in sources() {
        if file.ends_with("observed/stored.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let Some(name) = shared_type(line) else { continue };
            if text.contains(&format!("impl Command for {name} ")) {
                continue;
            }
            let place = format!("{}:{}", file.display(), number + 1);
            if let Some(other) = known.insert(name.to_owned(), place.clone()) {
                found.push(format!("{name}: {other} and {place}"));
            }
        }
    }
    assert!(known.len() > 100 && found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn declarations_are_found() {
    for (line, name) in [
        ("pub(crate) struct Asked<T> {", Some("Asked")),
        ("pub type Found<'a> = &'a [Option<FullObserved>];", Some("Found")),
        ("pub(super) struct Files {", None),
        ("struct Found {", None),
        ("    type Error = String;", None),
    ] {
        assert_eq!(shared_type(line), name, "{line}");
    }
    for (line, name) in [
        ("pub(crate) struct Seat {", Some("Seat")),
        ("    pub(crate) async fn look_again(", Some("look_again")),
        ("    pub spare: u8,", Some("spare")),
        ("    Late(String),", Some("Late")),
        ("    Strict,", Some("Strict")),
        ("        Self::Late(node) => node,", None),
        ("    let meant = 1;", None),
        ("/// Way", None),
    ] {
        assert_eq!(declared(line), name, "{line}");
    }
}
