//! What a host may tell at all.

use std::str::FromStr;

use crate::values::Interval;

/// The latest time that a host may tell, in seconds since 1970: the end of the year 9999.
const LATEST: i64 = 253_402_207_200;
/// The longest number of seconds that a host may tell: a hundred years.
pub(super) const LONGEST: u64 = Interval::LONGEST.as_secs();

/// Reads a time, in seconds since 1970, that is one.
pub(super) fn time(text: &str) -> Option<i64> {
    text.parse().ok().filter(|time| (0..=LATEST).contains(time))
}

/// Reads a number.
///
/// # Errors
/// Where it is none of that type.
pub fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not a valid number"))
}

pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Tells whether a line of a manifest names a file below its release, as sha256sum and stat do.
pub fn is_manifest_line(line: &str) -> bool {
    let path = match line.split_once("  ./") {
        Some((digest, path)) if is_hex(digest, 64) => path,
        _ => match line.split_once(" ./") {
            Some((mode, path)) if mode.len() <= 5 && u32::from_str_radix(mode, 8).is_ok() => path,
            _ => return false,
        },
    };
    path.len() <= 4096
        && !path.chars().any(|c| c.is_control() || c == '\\')
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
