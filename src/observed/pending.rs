//! `pending`: hosts that left the description before their nodes could be stopped, as each host of the cluster
//! remembers them for whoever deploys next.

use std::fmt;

use serde::Deserialize;

use crate::values::{Name, Port, SshHost, SshUser};

/// The longest line that is read, in bytes; one has about 500.
const LONGEST: usize = 16 << 10;

/// A host that left the description: all that is taken of it from what a host says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedHost {
    pub name: Name,
    /// Whether it was the very machine that deployed.
    pub local: bool,
    /// How ssh finds it, or why nothing here says that.
    pub way: Result<SshDestination, String>,
}

/// How ssh finds a host; the rest is decided by the user's own configuration, and by the description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshDestination {
    /// Where ssh goes.
    pub host: SshHost,
    /// The port there.
    pub port: Option<Port>,
    /// The user there.
    pub user: Option<SshUser>,
}

/// What is read of the way to a host.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ssh {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
}

/// A line as clusterctl writes it; earlier ones wrote more, which is passed over.
#[derive(Deserialize)]
struct Line {
    name: Name,
    #[serde(default)]
    local: bool,
    ssh: Option<Ssh>,
}

impl RemovedHost {
    pub(super) fn new(name: Name, local: bool, ssh: Option<&Ssh>) -> Self {
        let way = match ssh {
            // Taken at its word, a host would make a host of this machine.
            _ if local => Err("it was the operator's own machine, so its address is unknown".to_owned()),
            None => Err("its address is unknown".to_owned()),
            Some(ssh) => SshDestination::new(ssh),
        };
        Self { name, local, way }
    }

    /// Makes one of what a description says; none where that is none that is kept.
    pub fn of(name: &str, local: bool, host: &str, port: Option<u16>, user: &Option<String>) -> Option<Self> {
        let ssh = Ssh { host: host.to_owned(), port, user: user.clone() };
        Some(Self::new(name.parse().ok()?, local, Some(&ssh)))
    }

    /// Reads a line of `pending`; none where it says nothing of a host that left.
    pub(super) fn parse(line: &str) -> Option<Result<Self, String>> {
        let text = line.strip_prefix("left ")?;
        if text.len() > LONGEST {
            return Some(Err("a line is too long".to_owned()));
        }
        let read = serde_json::from_str::<Line>(text).map_err(|error| error.to_string());
        Some(read.map(|line| Self::new(line.name, line.local, line.ssh.as_ref())))
    }

    /// Writes a line of `pending`.
    pub fn line(&self) -> String {
        let json = match &self.way {
            Ok(way) => {
                let user = way.user.as_ref().map(SshUser::as_str);
                let ssh =
                    serde_json::json!({ "host": way.host.as_str(), "port": way.port.map(|port| port.0), "user": user });
                serde_json::json!({ "name": self.name.as_str(), "ssh": ssh })
            }
            Err(_) => serde_json::json!({ "name": self.name.as_str(), "local": self.local }),
        };
        format!("left {json}")
    }
}

impl SshDestination {
    fn new(ssh: &Ssh) -> Result<Self, String> {
        Ok(Self {
            host: ssh.host.parse()?,
            port: ssh.port.map(|port| port.to_string().parse()).transpose()?,
            user: ssh.user.as_ref().map(|user| user.parse()).transpose()?,
        })
    }
}

impl fmt::Display for SshDestination {
    /// Writes it as `zeek@old1.example.org, port 2222`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", self.host)?;
        match self.port {
            Some(port) => write!(f, ", port {port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::RemovedHost;

    #[test]
    fn only_name_host_port_and_user_are_read() {
        // As it was written when all of a host was.
        let line = r#"left {"name":"far","address":"127.0.0.2","local":false,"enabled":true,"prefix":"/opt/zeek","base":"/b","spool":"/s","ssh":{"host":"far.example.org","user":"zeek","port":2222,"identity":"/keys/id","config":"/etc/passwd","jump":"gate.example.org","known_hosts":"/dev/null","persist":{"secs":60,"nanos":0},"connect_timeout":{"secs":18446744073709551615,"nanos":0}}}"#;
        let left = RemovedHost::parse(line).unwrap().unwrap();
        assert_eq!(left.way.as_ref().unwrap().to_string(), "zeek@far.example.org, port 2222");
        let line = left.line();
        assert_eq!(line, r#"left {"name":"far","ssh":{"host":"far.example.org","port":2222,"user":"zeek"}}"#);
        assert_eq!(RemovedHost::parse(&line).unwrap().unwrap(), left);
        assert!(RemovedHost::parse("something new").is_none());
    }

    #[test]
    fn what_no_description_could_say_is_no_way() {
        let of = |name: &str, host: &str, port: i64, user: &str, local: bool| {
            let json = serde_json::json!({ "name": name, "local": local, "ssh": { "host": host, "port": port, "user": user } });
            RemovedHost::parse(&format!("left {json}")).unwrap()?.way
        };
        assert!(of("ghost", "198.51.100.8", 22, "zeek", false).is_ok());
        for user in ["x\n  ProxyCommand sh -c 'id >/tmp/pwned'", "-l", "a b", "%r", "", "\u{1b}[2J", "x\0"] {
            assert!(of("ghost", "198.51.100.8", 22, user, false).is_err(), "{user:?}");
        }
        for host in ["-oProxyCommand=id", "a b", "*", "", "a\nb", "a;b", "`id`"] {
            assert!(of("ghost", host, 22, "x", false).is_err(), "{host:?}");
        }
        for name in ["../x", "a/b", "-a", "", "a\nb", "\u{1b}[31mred", "a\u{202e}b"] {
            assert!(of(name, "198.51.100.8", 22, "x", false).is_err(), "{name:?}");
        }
        for port in [0, -1, 65_536, i64::MAX] {
            assert!(of("ghost", "198.51.100.8", port, "x", false).is_err(), "{port}");
        }
        // The machine at which one sits is no host because another one says so.
        assert!(of("ghost", "198.51.100.8", 22, "x", true).is_err());
        for line in ["[".repeat(10_000), format!("{{\"name\":\"{}\"}}", "x".repeat(1 << 20)), "{}".to_owned()] {
            assert!(RemovedHost::parse(&format!("left {line}")).unwrap().is_err());
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "left \\PC{0,200}") {
            let _ = RemovedHost::parse(&line);
        }

        #[test]
        fn a_way_is_one_line(host in "\\PC{0,30}", user in "[\\x00-\\x7f]{0,30}", port in any::<u32>()) {
            let json = serde_json::json!({ "name": "a", "ssh": { "host": host, "port": port, "user": user } });
            if let Some(Ok(RemovedHost { way: Ok(way), .. })) = RemovedHost::parse(&format!("left {json}")) {
                let way = way.to_string();
                prop_assert!(!way.chars().any(char::is_control) && !way.starts_with('-'), "{way:?}");
            }
        }
    }
}
