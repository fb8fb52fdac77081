//! Numbers of things, in words.

use std::fmt::Display;

/// Returns `1 node`, `2 nodes`.
pub fn count<N: Copy + Display + PartialEq + From<u8>>(number: N, word: &str) -> String {
    if number == N::from(1) { format!("1 {word}") } else { format!("{number} {word}s") }
}
