//! Why a host could not be asked: kinds told apart, so that each can have its own hint.

use std::time::Duration;

/// What went wrong between here and a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostFailure {
    /// Nothing listens there.
    Refused,
    /// No answer in time.
    Timeout,
    /// This machine itself did not do it in time.
    Slow,
    /// SSH did not let us in.
    Auth,
    /// The host key is unknown or has changed.
    HostKey,
    /// The name has no address.
    Resolve,
    /// The connection broke.
    Dropped,
    /// No further session is let in over the connection.
    Sessions,
    /// It forbids connections to a port.
    Forwarding,
    /// The login shell there ran no command.
    Shell,
    /// It sent more than any answer has.
    Flood,
    /// Something else; the text says what.
    Other,
}

/// A failure to ask a host.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", self.text())]
pub struct Failure {
    pub kind: HostFailure,
    /// What was said about it, by ssh or the system; one line.
    pub detail: String,
    /// Whether it is the way there that failed: a jump host, or another proxy.
    pub on_the_way: bool,
}

/// The most characters of what others said that are told.
const TOLD: usize = 400;
/// What ssh says last where its proxy failed, whatever the reason was.
const PROXY_FAILED: &str = "UNKNOWN port 65535";

impl Failure {
    /// Makes a failure.
    pub fn new(kind: HostFailure, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if let Some((at, _)) = detail.char_indices().nth(TOLD) {
            detail.truncate(at);
            detail.push_str("...");
        }
        Self { kind, detail, on_the_way: false }
    }

    /// Makes the failure of a deadline that has passed.
    pub fn timeout(after: Duration) -> Self {
        Self::new(HostFailure::Timeout, format!("no answer within {}", humantime::format_duration(after)))
    }

    /// Tells whether ssh wrote no more than that its proxy failed, which is all that it says beside `ControlPersist`:
    /// it gives the proxy no stderr then.
    pub(super) fn hides_a_proxy(text: &str) -> bool {
        text.contains(PROXY_FAILED)
    }

    /// Tells a failure from what ssh wrote on its stderr.
    pub fn from_ssh(text: &str) -> Self {
        let (needle, kind) = [
            ("Host key verification failed", HostFailure::HostKey),
            ("HOST IDENTIFICATION HAS CHANGED", HostFailure::HostKey),
            ("host key is known for", HostFailure::HostKey),
            ("Permission denied", HostFailure::Auth),
            ("Too many authentication failures", HostFailure::Auth),
            ("Could not resolve hostname", HostFailure::Resolve),
            ("administratively prohibited", HostFailure::Forwarding),
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
        .unwrap_or(("", HostFailure::Other));
        let noise = |line: &&str| !line.trim().is_empty() && !line.starts_with("Warning: Permanently added");
        let told: Vec<&str> = text.lines().map(str::trim).filter(noise).collect();
        let proxied = text.contains(PROXY_FAILED);
        // The line that names the cause; where none is known, the last one, which is where ssh says why.
        let detail = match kind {
            HostFailure::HostKey if text.contains("HAS CHANGED") => "the host key has changed",
            HostFailure::HostKey => {
                told.iter().find(|l| l.contains("host key is known")).copied().unwrap_or("host key verification failed")
            }
            HostFailure::Other | HostFailure::Dropped if proxied => {
                // A proxy's own words stand before what ssh makes of its end.
                let of_ssh = |l: &&&str| !l.contains("kex_exchange_identification") && !l.contains(PROXY_FAILED);
                told.iter().rfind(of_ssh).or(told.last()).copied().unwrap_or_default()
            }
            HostFailure::Other | HostFailure::Dropped => told.last().copied().unwrap_or("it ended without a message"),
            _ => told.iter().rfind(|l| l.contains(needle)).copied().unwrap_or_default(),
        };
        let detail = detail.strip_prefix("ssh: ").unwrap_or(detail);
        // A jump host that was reached tells what came of the connection from there.
        let beyond = text.contains("stdio forwarding failed");
        let mut failure = match (kind, proxied && beyond) {
            (HostFailure::Forwarding, true) => Self::new(kind, format!("ssh: the jump host forbids it ({detail})")),
            (_, true) => Self::new(kind, format!("ssh: from the jump host: {detail}")),
            (_, false) if proxied => Self::new(kind, format!("ssh: on the way, at the jump host: {detail}")),
            (_, false) => Self::new(kind, format!("ssh: {detail}")),
        };
        failure.on_the_way = proxied && (!beyond || kind == HostFailure::Forwarding);
        failure
    }

    /// Says it in one line.
    pub fn text(&self) -> String {
        self.detail.clone()
    }

    /// Returns what the user can do about it.
    pub fn hint(&self, host: &str) -> Option<String> {
        match self.kind {
            HostFailure::Forwarding if self.on_the_way => Some(format!(
                "sshd on the jump host must let connections through to {host}: `AllowTcpForwarding`, `PermitOpen`, and \
                 options of the key there"
            )),
            HostFailure::Auth if self.on_the_way => Some(format!(
                "the jump host does not take this user or key: `ssh.jump` of {host} may name another user, and \
                 ~/.ssh/config the key"
            )),
            HostFailure::HostKey if self.on_the_way => {
                Some("compare the key of the jump host, then connect to it once with plain ssh".to_owned())
            }
            HostFailure::Resolve | HostFailure::Refused | HostFailure::Timeout if self.on_the_way => {
                Some(format!("is the jump host up, and is `ssh.jump` of {host} (or ~/.ssh/config) right?"))
            }
            HostFailure::Sessions => Some(format!(
                "write `MaxSessions 10` into sshd_config on {host} and reload sshd: clusterctl has up to three sessions \
                 open at a time"
            )),
            HostFailure::Forwarding => Some(format!(
                "let sshd on {host} forward to its own ports: `AllowTcpForwarding local`, and where `PermitOpen` is set, \
                 the control port on 127.0.0.1"
            )),
            HostFailure::Shell => Some(format!(
                "give that account on {host} a login shell that runs commands (run as root: usermod -s /bin/sh USER), or \
                 name another one in `ssh.user`"
            )),
            HostFailure::Refused => Some(format!("is sshd running on {host}, and is `ssh.port` right?")),
            HostFailure::Timeout => Some(format!("is {host} up and reachable from here?")),
            HostFailure::Slow => {
                Some("this machine is slow at the moment: allow more time with --timeout 5m".to_owned())
            }
            HostFailure::Auth => {
                Some(format!("check `ssh.user` and the keys for {host} (clusterctl cannot ask for passwords)"))
            }
            HostFailure::HostKey => {
                Some(format!("compare the key of {host}, then connect once with plain ssh, or add it to known_hosts"))
            }
            HostFailure::Resolve => Some(format!("check the address or `ssh.host` of {host}")),
            HostFailure::Dropped | HostFailure::Flood | HostFailure::Other => None,
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
            ("channel 0: open failed: administratively prohibited: open failed", HostFailure::Forwarding),
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

    /// What OpenSSH 9.2 writes where a connection over a jump host fails, and ssh is not asked to persist.
    #[test]
    fn what_failed_on_the_way_is_told_from_the_host() {
        const END: &str =
            "kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535\n";
        let cases = [
            (
                "ssh: Could not resolve hostname gate.invalid: Name or service not known",
                (HostFailure::Resolve, true),
                "ssh: on the way, at the jump host: Could not resolve hostname gate.invalid: Name or service not known",
            ),
            (
                "No ED25519 host key is known for [127.0.0.1]:22804 and you have requested strict checking.\nHost key verification failed.",
                (HostFailure::HostKey, true),
                "ssh: on the way, at the jump host: No ED25519 host key is known for [127.0.0.1]:22804 and you have requested strict checking.",
            ),
            (
                "nobody@gate: Permission denied (publickey).",
                (HostFailure::Auth, true),
                "ssh: on the way, at the jump host: nobody@gate: Permission denied (publickey).",
            ),
            (
                "channel 0: open failed: administratively prohibited: open failed\nstdio forwarding failed",
                (HostFailure::Forwarding, true),
                "ssh: the jump host forbids it (channel 0: open failed: administratively prohibited: open failed)",
            ),
            (
                "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed",
                (HostFailure::Refused, false),
                "ssh: from the jump host: channel 0: open failed: connect failed: Connection refused",
            ),
            ("nc: bad address", (HostFailure::Dropped, true), "ssh: on the way, at the jump host: nc: bad address"),
        ];
        for (text, (kind, on_the_way), told) in cases {
            let failure = Failure::from_ssh(&format!("{text}\r\n{END}"));
            assert_eq!((failure.kind, failure.on_the_way), (kind, on_the_way), "{text}");
            assert_eq!(failure.text(), told);
        }
    }

    #[test]
    fn words_of_others_are_cut() {
        assert!(Failure::new(HostFailure::Other, "ä".repeat(1 << 20)).text().len() < 1000);
    }
}
