//! What may stand in settings of SSH. They end in a configuration file of lines and in a command line, so whoever may
//! choose them freely would choose what runs on the operator's machine.

use std::fmt;
use std::str::FromStr;

use super::network::Address;
use super::text::cut;

/// The longest name of a host, in bytes (RFC 1035, 2.3.4).
const LONGEST_HOST: usize = 253;
/// The longest name of a user, in bytes.
const LONGEST_USER: usize = 64;

/// The destination of ssh: a name or an address, and nothing that ssh takes for a pattern, a token or an option.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SshHost(String);

/// A user to log in as, for ssh.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SshUser(String);

/// Says why a text can stand in no setting of SSH at all; none where it can.
pub fn never_for_ssh(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.starts_with('-') {
        Some("begins with `-`, which ssh would take for an option")
    } else if text.chars().any(char::is_control) {
        Some("contains a control character")
    } else if text.len() > 1024 {
        Some("is longer than 1024 bytes")
    } else if text.contains(['"', '\\']) {
        Some("contains a character that is not allowed there")
    } else {
        None
    }
}

fn word(text: &str, what: &str, longest: usize, others: &str) -> Result<String, String> {
    let wrong = match never_for_ssh(text) {
        Some(why) => why,
        None if text.len() > longest => "is too long",
        None if text.chars().any(|c| !c.is_alphanumeric() && !others.contains(c)) => {
            "contains a character that is not allowed there"
        }
        None => return Ok(text.to_owned()),
    };
    Err(format!("the {what} `{}` {wrong}", cut(text)))
}

impl SshHost {
    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SshHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.parse::<Address>().is_ok() {
            return Ok(Self(text.to_owned()));
        }
        word(text, "name", LONGEST_HOST, "._-+").map(Self)
    }
}

impl fmt::Display for SshHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SshUser {
    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SshUser {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        word(text, "user", LONGEST_USER, "._-+@").map(Self)
    }
}

impl fmt::Display for SshUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn destinations_are_names_and_addresses() {
        for right in ["sensor1", "sensor1.example.org", "10.0.0.1", "2001:db8::1", "fe80::1%eth0", "a_b-c", "köln"] {
            assert!(right.parse::<SshHost>().is_ok(), "{right}");
        }
        let long = "x".repeat(300);
        for wrong in [
            "",
            "-oProxyCommand=id",
            "-",
            "a b",
            "a\nProxyCommand id",
            "a*",
            "?",
            "!a",
            "a,b",
            "zeek@a",
            "ssh://a",
            "%h",
            "a\"b",
            "a\\b",
            "a#b",
            "a=b",
            "$HOME",
            "`id`",
            "a\0",
            "\u{1b}[2J",
            &long,
        ] {
            assert!(wrong.parse::<SshHost>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn users_are_names() {
        for right in ["zeek", "svc-zeek", "ada@example.org", "a.b_c+d"] {
            assert!(right.parse::<SshUser>().is_ok(), "{right}");
        }
        for wrong in ["", "-l", "x y", "x\n  ProxyCommand sh -c 'id >/tmp/x'", "%r", "a\"", "a\\b", "$USER", "a;b"] {
            assert!(wrong.parse::<SshUser>().is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_has_nothing_that_ssh_reads_another_way(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            for passed in [text.parse::<SshHost>().map(|h| h.to_string()), text.parse::<SshUser>().map(|u| u.to_string())] {
                let Ok(passed) = passed else { continue };
                prop_assert!(!passed.starts_with('-'));
                let odd = |c: char| c.is_control() || c.is_whitespace() || "\"'\\`$;|&<>*?!,#=".contains(c);
                prop_assert!(!passed.contains(odd), "{passed:?}");
            }
        }
    }
}
