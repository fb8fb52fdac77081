//! Nodes that misbehave.
