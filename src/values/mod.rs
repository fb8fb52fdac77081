//! Values with one type and one parser each: durations, sizes, CPU lists, ports, networks, shares, versions.

mod amounts;
mod count;
mod cpus;
mod keywords;
mod names;
mod network;
mod quote;
mod share;
mod ssh;
mod text;
mod zeek;

use std::fmt;
use std::str::FromStr;

pub use amounts::{Interval, Percent, Size};
pub use count::count;
pub use cpus::CpuList;
pub use keywords::{
    Backend, ChecksumMode, Compress, Curve, FanoutMode, LayoutInputs, Metrics, Restart, Role, RunnerKind, StoreBackend,
    Toggle,
};
pub use names::{
    HostPath, Name, fold_names, is_account_name, is_node_name, is_release_id, is_secret_name, is_zeek_identifier,
};
pub use network::{Address, Network, Port};
pub use quote::shell_word;
pub use share::Share;
pub use ssh::{SshHost, SshUser, never_for_ssh};
pub use text::{BadValue, TextValue, nearest};
pub use zeek::{CoreLimit, Redef, ZeekValue};

use text::{stored_values, text_value};

/// A Zeek version as far as it decides anything: `major.minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// The major number.
    pub major: u16,
    /// The minor number.
    pub minor: u16,
}

impl Version {
    /// Makes a version.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = String;

    /// Reads `8.0`, `8.0.10`, `9.0.0-rc1` and the like.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a Zeek version such as `8.0`");
        let mut parts = text.trim().split(['.', '-', '+']);
        let mut number = || -> Result<u16, String> {
            let part = parts.next().ok_or_else(wrong)?;
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong());
            }
            part.parse().map_err(|_| wrong())
        };
        Ok(Self { major: number()?, minor: number()? })
    }
}

text_value!(Version, "a Zeek version such as `8.0`", {
    "description": "A Zeek version, such as \"8.0\".",
    "type": ["string", "number"]
});

stored_values!(HostPath, Name, Port, Version);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_text() {
        assert_eq!("8.10".parse(), Ok(Version::new(8, 10)));
        assert_eq!("9.0.0-rc1".parse(), Ok(Version::new(9, 0)));
        assert_eq!("8.0.10".parse(), Ok(Version::new(8, 0)));
        for wrong in ["", "8", "8.", ".8", "a.b", "8.x", "+8.0", "8.99999999"] {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
    }
}
