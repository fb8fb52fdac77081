//! Words for shells. What clusterctl runs is never made of glued text: these are for people, and for crontab(5), which
//! has only lines.

/// Quotes a word for sh, where it needs that.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_.,:@%+=-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn only_what_needs_it_is_quoted() {
        for (word, quoted) in [
            ("/opt/zeek-8.0", "/opt/zeek-8.0"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(shell_word(word), quoted);
        }
    }
}
