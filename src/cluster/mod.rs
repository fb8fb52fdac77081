//! Spec -> Cluster: names, hosts, ports, CPUs, ids. Pure.

mod model;

pub use model::*;
