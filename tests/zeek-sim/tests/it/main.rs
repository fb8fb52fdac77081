//! Clusters of stand-ins.

mod client;
mod cluster;
mod conduct;
mod replay;
