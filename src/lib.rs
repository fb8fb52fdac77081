//! clusterctl: the control plane for clusters of Zeek.

pub mod cluster;
pub mod error;
pub mod spec;
pub mod values;
