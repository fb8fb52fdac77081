//! The runner `systemd`: a unit for each node, of the system's manager or of the user's own.

use crate::observed::{FullObserved, Systemd};

/// Tells why a host can't have it, and what to do about it.
pub(super) fn missing(observed: &FullObserved) -> Option<(String, String)> {
    match &observed.systemd {
        Systemd::Ready => None,
        Systemd::NoLinger(user) => Some((
            format!("the systemd of {user} ends when {user} logs out, and stops the nodes"),
            format!("run as root on that host: loginctl enable-linger {user}"),
        )),
        Systemd::Missing => Some(("systemd does not run there".to_owned(), "write `runner: process`".to_owned())),
    }
}
