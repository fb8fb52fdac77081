//! One word, one meaning: names that were given up in favour of the field's are not declared again.

use crate::support::sources;

/// What was given up, and what stands in its place.
const GIVEN_UP: [(&str, &str); 42] = [
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
    ("Behind", "Pending"),
    ("left", "removed_hosts"),
    ("lost", "unreachable_hosts"),
    ("Look", "Survey"),
    ("look_again", "replan"),
    ("Way", "Direction"),
    ("Halt", "Abort"),
    ("Touched", "SwitchState"),
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

#[test]
fn declarations_are_found() {
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
