//! clusterctl itself, killed or interrupted.
