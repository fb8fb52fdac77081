//! What is known of a host: what it has, and how it is reached.

use std::ops::Deref;

use crate::observed::HostSetup;
use crate::transport::Failure;

/// What is known of a host.
#[derive(Debug, Clone)]
pub(crate) struct DoctorFacts {
    /// What it said.
    pub(crate) setup: HostSetup,
    /// By how many seconds its clock is ahead of ours, as far as that is certain.
    pub(crate) ahead: i64,
    /// Why there is no room for as many sessions as are needed.
    pub(crate) sessions: Option<Failure>,
    /// Why the control port can't be dialed.
    pub(crate) forbids: Option<Failure>,
}

impl DoctorFacts {
    /// Makes them of an answer that came between two points in time, in seconds since 1970.
    pub(crate) fn new(setup: HostSetup, (before, after): (i64, i64)) -> Self {
        let ahead = setup.epoch.saturating_sub(setup.epoch.clamp(before, after));
        Self { setup, ahead, sessions: None, forbids: None }
    }
}

impl Deref for DoctorFacts {
    type Target = HostSetup;

    fn deref(&self) -> &HostSetup {
        &self.setup
    }
}
