//! Why a host could not be asked: kinds told apart, so that each can have its own hint.

use std::time::Duration;

/// What went wrong between here and a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostFailure {
    /// Nothing listens there.
    Refused,
    /// No answer in time.
    Timeout,
    /// SSH did not let us in.
    Auth,
    /// The host key is unknown or has changed.
    HostKey,
    /// The name has no address.
    Resolve,
    /// The connection broke.
    Dropped,
    /// Something else; the text says what.
    Other,
}

/// A failure to ask a host.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", self.text())]
pub struct Failure {
    /// Which one.
    pub kind: HostFailure,
    /// What was said about it, by ssh or the system; one line.
    pub detail: String,
}

impl Failure {
    /// Makes a failure.
    pub fn new(kind: HostFailure, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// Makes the failure of a deadline that has passed.
    pub fn timeout(after: Duration) -> Self {
        Self::new(HostFailure::Timeout, format!("no answer within {}", humantime::format_duration(after)))
    }

    /// Tells a failure from what ssh wrote on its stderr.
    pub fn from_ssh(text: &str) -> Self {
        let kind = [
            ("Host key verification failed", HostFailure::HostKey),
            ("HOST IDENTIFICATION HAS CHANGED", HostFailure::HostKey),
            ("host key is known for", HostFailure::HostKey),
            ("Permission denied", HostFailure::Auth),
            ("Too many authentication failures", HostFailure::Auth),
            ("Could not resolve hostname", HostFailure::Resolve),
            ("Connection refused", HostFailure::Refused),
            ("timed out", HostFailure::Timeout),
            ("No route to host", HostFailure::Timeout),
            ("Network is unreachable", HostFailure::Timeout),
            ("kex_exchange_identification", HostFailure::Dropped),
            ("Connection reset", HostFailure::Dropped),
            ("Connection closed", HostFailure::Dropped),
        ]
        .into_iter()
        .find(|(needle, _)| text.contains(needle))
        .map_or(HostFailure::Other, |(_, kind)| kind);
        let noise = |line: &&str| !line.trim().is_empty() && !line.starts_with("Warning: Permanently added");
        let told: Vec<&str> = text.lines().map(str::trim).filter(noise).collect();
        // The line that names the cause; for others the last one, which is where ssh says why.
        let detail = match kind {
            HostFailure::HostKey if text.contains("HAS CHANGED") => "the host key has changed",
            HostFailure::HostKey => {
                told.iter().find(|l| l.contains("host key is known")).copied().unwrap_or("host key verification failed")
            }
            _ => told.last().copied().unwrap_or("it ended without a word"),
        };
        Self::new(kind, format!("ssh: {}", detail.strip_prefix("ssh: ").unwrap_or(detail)))
    }

    /// Says it in one line.
    pub fn text(&self) -> String {
        self.detail.clone()
    }

    /// Returns what the user can do about it.
    pub fn hint(&self, host: &str) -> Option<String> {
        match self.kind {
            HostFailure::Refused => Some(format!("is sshd running on {host}, and is `ssh.port` right?")),
            HostFailure::Timeout => Some(format!("is {host} up and reachable from here?")),
            HostFailure::Auth => {
                Some(format!("check `ssh.user` and the keys for {host} (passwords can't be asked for)"))
            }
            HostFailure::HostKey => {
                Some(format!("compare the key of {host}, then connect once with plain ssh, or add it to known_hosts"))
            }
            HostFailure::Resolve => Some(format!("check the address or `ssh.host` of {host}")),
            HostFailure::Dropped | HostFailure::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, HostFailure};

    #[test]
    fn ssh_text_is_told_apart() {
        let cases = [
            ("ssh: connect to host 127.0.0.1 port 22623: Connection refused", HostFailure::Refused),
            ("root@127.0.0.1: Permission denied (publickey,keyboard-interactive).", HostFailure::Auth),
            ("ssh: Could not resolve hostname no-such-host.invalid: Name or service not known", HostFailure::Resolve),
            (
                "No ED25519 host key is known for [127.0.0.1]:22622 and you have requested strict checking.\nHost key verification failed.",
                HostFailure::HostKey,
            ),
            ("ssh: connect to host 198.18.0.12 port 22: Connection timed out", HostFailure::Timeout),
            ("kex_exchange_identification: read: Connection reset by peer", HostFailure::Dropped),
            ("", HostFailure::Other),
        ];
        for (text, kind) in cases {
            assert_eq!(Failure::from_ssh(text).kind, kind, "{text}");
        }
        assert_eq!(
            Failure::from_ssh(cases[0].0).text(),
            "ssh: connect to host 127.0.0.1 port 22623: Connection refused"
        );
    }
}
