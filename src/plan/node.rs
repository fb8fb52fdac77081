//! What is done to nodes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cluster::{Cluster, Role};
use crate::observed::FullObserved;

/// What is done to one node.
#[derive(Debug, Clone, Serialize)]
pub struct NodePlan {
    /// Its name.
    pub node: String,
    pub host: String,
    /// What it is; none for a node that left the description.
    pub role: Option<Role>,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reasons: Vec<String>,
    /// Why it would restart, if restarts had not been taken out ([`super::Plan::without_restarts`]).
    pub later: Vec<String>,
    /// The inputs that differ, by their names.
    pub inputs: Vec<String>,
    /// Whether it runs now.
    pub running: bool,
    /// The release that it runs now.
    pub from: Option<String>,
}

/// What is done to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Stop,
    /// It stops and starts again.
    Restart,
    Start,
    /// Nothing.
    Keep,
}

impl Action {
    /// Returns the action's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Stop => "stop",
        }
    }
}

/// Hosts as they were found: by their index in the cluster, what they answered; none where one is not to be touched.
pub type ObservedHosts<'a> = &'a [Option<FullObserved>];

/// The clusters of the releases that hosts have now, by the ids of these; a release that could not be read is missing,
/// which only makes reasons less precise.
pub type Deployments = BTreeMap<String, Cluster>;
