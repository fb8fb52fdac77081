//! The scripts that Zeek brings for loading on demand: `policy/` and `site/` of its versions, without `.zeek`.

/// Their names, as one loads them.
const NAMES: &str = include_str!("policy.txt");

/// Returns the names of scripts that some version of Zeek brings.
pub fn known_scripts() -> impl Iterator<Item = &'static str> {
    NAMES.lines()
}
