//! Text from elsewhere: what a terminal may be sent, and what stays in its line.

use std::borrow::Cow;

/// Makes text from elsewhere harmless for a terminal: control characters become what they are called, and so do those
/// that nobody sees and that make a text look like another one.
pub(crate) fn escape_control(text: &str) -> String {
    if !text.chars().any(|c| c != '\n' && is_unseen(c)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push(' '),
            c if is_unseen(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// As [`escape_control`], for what has to stay in its line: a host could add lines about other hosts otherwise.
pub(crate) fn in_line(text: &str) -> String {
    escape_control(text).replace('\n', "\\n")
}

/// Tells whether a character shows as nothing but what it does to others: control characters, separators of lines, and
/// those that turn the direction of a text or stand in it without a width.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Lets through what a terminal may be sent at all: text, and colours. What comes from elsewhere has gone through
/// [`escape_control`] where it was put in; this is for what was forgotten there.
pub(super) fn sealed(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(length) = colour(rest) {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        match c {
            c if c.is_control() && c != '\n' && c != '\t' => out.extend(c.escape_default()),
            c => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(out)
}

/// Takes colours out of a text.
pub(super) fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = colour(rest);
        if length.is_none() {
            out.push(c);
        }
        rest = &rest[length.unwrap_or_else(|| c.len_utf8())..];
    }
    out
}

/// The length of the colour that a text begins with (ECMA-48, SGR), if it does.
fn colour(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let length = numbers.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    numbers[length..].starts_with('m').then_some(length + 3)
}

/// Writes control characters in JSON as JSON has them: it may go to a terminal, and serde leaves those beyond ASCII.
pub(super) fn sealed_json(text: String) -> String {
    if !text.chars().any(|c| c.is_control() && c != '\n') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Between values only: serde escapes those in them.
            '\n' => out.push('\n'),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escape_control, in_line, sealed, sealed_json, without_colours};

    #[test]
    fn what_is_not_seen_is_shown() {
        for (text, shown) in [
            ("a\u{1b}[2Jb", r"a\u{1b}[2Jb"),
            ("a\u{9b}2Jb\u{7f}", r"a\u{9b}2Jb\u{7f}"),
            ("kill \u{202e}21\u{2069}", r"kill \u{202e}21\u{2069}"),
            ("wor\u{200b}ker\u{2028}x\u{e0041}", r"wor\u{200b}ker\u{2028}x\u{e0041}"),
            ("größe\tü\nb", "größe ü\nb"),
        ] {
            assert_eq!(escape_control(text), shown);
        }
        assert_eq!(in_line("a\nsensor2: is stopped"), r"a\nsensor2: is stopped");
    }

    #[test]
    fn only_text_and_colours_reach_a_terminal() {
        let colours = "\u{1b}[1m\u{1b}[31mbad\u{1b}[0m\tx\ny";
        assert_eq!(sealed(colours), colours);
        assert_eq!(sealed("\u{1b}]0;title\u{7}\u{1b}[2J\r\u{9b}1m"), r"\u{1b}]0;title\u{7}\u{1b}[2J\r\u{9b}1m");
        assert_eq!(without_colours(colours), "bad\tx\ny");
        assert_eq!(sealed("\u{1b}"), r"\u{1b}");
        assert_eq!(sealed("\u{1b}[1"), r"\u{1b}[1");
        let json = serde_json::to_string_pretty(&["a\u{9b}2J\u{7f}\u{1b}"]).unwrap();
        let sealed = sealed_json(json);
        assert!(!sealed.chars().any(|c| c.is_control() && c != '\n'));
        assert_eq!(serde_json::from_str::<Vec<String>>(&sealed).unwrap(), ["a\u{9b}2J\u{7f}\u{1b}"]);
    }
}
