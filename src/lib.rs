//! clusterctl: the control plane for clusters of Zeek.

pub mod cluster;
pub mod control;
pub mod error;
pub mod spec;
pub mod values;
pub mod zeek;
