//! Clusters of stand-ins.

mod client;
mod cluster;
mod replay;
