//! A stand-in for Zeek.
fn main() {}
