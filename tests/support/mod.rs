//! What several tests need.

pub(crate) mod local;
pub(crate) mod sshd;
