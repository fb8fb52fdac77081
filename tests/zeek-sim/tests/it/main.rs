//! Clusters of stand-ins.

#[cfg(test)]
mod client;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod conduct;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod replay;
