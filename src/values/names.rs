//! Names, paths and identifiers.

use std::fmt;
use std::str::FromStr;

use super::text::{cut, text_value};

/// The longest name, in bytes.
const LONGEST: usize = 63;

/// The name of a cluster, a host or a group: safe in file names, topics and command lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(first) = text.chars().next() else {
            return Err("a name can't be empty".to_owned());
        };
        if !first.is_ascii_alphanumeric() {
            return Err(format!("the name `{}` does not begin with an ASCII letter or a digit", cut(text)));
        }
        if let Some(wrong) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(*c)) {
            return Err(format!(
                "the name `{}` contains {wrong:?}; ASCII letters, digits, `_`, `.` and `-` are allowed",
                cut(text)
            ));
        }
        if text.len() > LONGEST {
            return Err(format!("the name `{}` is longer than {LONGEST} characters", cut(text)));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_value!(Name, "a name", {
    "description": "A name of letters, digits, `_`, `.` and `-`.",
    "type": ["string", "integer"],
    "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*$",
    "maxLength": 63
});

/// Writes names in one line, those that count up as a range: `manager, worker-1..8`.
pub fn fold_names<S: AsRef<str>>(names: &[S]) -> String {
    // Stem, first and last number; a name without a number stands alone.
    let mut ranges: Vec<(&str, Option<(u64, u64)>)> = Vec::new();
    for name in names {
        let name = name.as_ref();
        let numbered = name.rsplit_once('-').and_then(|(stem, number)| {
            let plain = number.bytes().all(|b| b.is_ascii_digit()) && !(number.len() > 1 && number.starts_with('0'));
            plain.then(|| number.parse::<u64>().ok()).flatten().map(|n| (stem, n))
        });
        let Some((stem, number)) = numbered else {
            ranges.push((name, None));
            continue;
        };
        match ranges.last_mut() {
            Some((known, Some((_, last)))) if *known == stem && last.checked_add(1) == Some(number) => *last = number,
            _ => ranges.push((stem, Some((number, number)))),
        }
    }
    let texts: Vec<String> = ranges
        .into_iter()
        .map(|(stem, range)| match range {
            None => stem.to_owned(),
            Some((first, last)) if first == last => format!("{stem}-{first}"),
            Some((first, last)) => format!("{stem}-{first}..{last}"),
        })
        .collect();
    texts.join(", ")
}

/// An absolute path on a host, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPath(String);

impl HostPath {
    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("the path `{}` {why}", cut(text)));
        if !text.starts_with('/') {
            return wrong("is not absolute; paths on hosts begin with `/`");
        }
        if text.chars().any(char::is_control) {
            return wrong("contains a control character");
        }
        if text.split('/').any(|part| part == "..") {
            return wrong("contains `..`");
        }
        if text.len() > 1024 {
            return wrong("is longer than 1024 bytes");
        }
        let parts: Vec<_> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.is_empty() {
            return wrong("is the root folder");
        }
        Ok(Self(format!("/{}", parts.join("/"))))
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_value!(HostPath, "an absolute path", {
    "description": "An absolute path on the hosts.",
    "type": "string",
    "pattern": "^/"
});

/// Tells whether a text is a Zeek identifier, with its module or without: `Pcap::bufsize`, `digest_salt`.
pub fn is_zeek_identifier(text: &str) -> bool {
    text.len() <= 256
        && text.split("::").all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
}

/// Tells whether a text can be the name of a node: that of a group, of a host and an index together at the longest.
pub fn is_node_name(text: &str) -> bool {
    text.len() <= 3 * LONGEST
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// Tells whether a text can be the name of an account, which stands in commands that people are told to run as root.
pub fn is_account_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.@+-".contains(c))
}

/// Tells whether a text can be the id of a release, which is part of paths.
pub fn is_release_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Tells whether a text can be the name of a secret that hosts keep: what it is, and 16 hex digits.
pub fn is_secret_name(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(kind, digest)| {
        (1..=LONGEST).contains(&kind.len())
            && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && !kind.starts_with('-')
            && digest.len() == 16
            && digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_count_up_become_a_range() {
        let names = ["manager", "logger-1", "dmz-s1-1", "dmz-s1-2", "dmz-s1-3", "dmz-s2-4", "dmz-s2-5", "a-01", "x-"];
        assert_eq!(fold_names(&names), "manager, logger-1, dmz-s1-1..3, dmz-s2-4..5, a-01, x-");
        assert_eq!(fold_names(&["w-2", "w-1", "w-18446744073709551615"]), "w-2, w-1, w-18446744073709551615");
    }

    #[test]
    fn names_are_safe_everywhere() {
        for right in ["a", "sensor1", "Sensor_1.example-2", "7"] {
            assert_eq!(right.parse::<Name>().unwrap().as_str(), right);
        }
        let long = "x".repeat(64);
        for wrong in ["", "a/b", "-a", ".", "..", "a b", "a\nb", "a\0", "ä", "a*", "@a", "a:b", &long] {
            assert!(wrong.parse::<Name>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn paths_are_absolute_and_plain() {
        assert_eq!("/opt//zeek/./".parse::<HostPath>().unwrap().as_str(), "/opt/zeek");
        for wrong in ["", "opt", "~/x", "/", "//", "/a/../b", "/a\nb"] {
            assert!(wrong.parse::<HostPath>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_from_hosts_are_no_paths() {
        assert!(is_node_name("dmz-sensor1-12") && is_release_id("0123456789ab"));
        assert!(is_secret_name("tls-key-0123456789abcdef"));
        for wrong in
            ["", ".", "..", "../x", "a/b", "-a", "a b", "a\0", "a\nb", "\u{1b}[2J", "a\u{202e}", &"x".repeat(400)]
        {
            assert!(!is_node_name(wrong) && !is_release_id(wrong) && !is_secret_name(wrong), "{wrong:?}");
        }
        for wrong in
            ["zeromq-../../../../etc/", "zeromq-0123456789abcde", "zeromq-0123456789ABCDEF", "-0123456789abcdef"]
        {
            assert!(!is_secret_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn identifiers_of_zeek() {
        assert!(is_zeek_identifier("Pcap::bufsize"));
        assert!(is_zeek_identifier("digest_salt"));
        for wrong in ["", "Pcap:bufsize", "::x", "x::", "1x", "a b", "a;b", "a::b = 1"] {
            assert!(!is_zeek_identifier(wrong), "{wrong}");
        }
    }
}
