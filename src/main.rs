//! The command `clusterctl`.

fn main() {}
