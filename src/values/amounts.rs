//! Durations and sizes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::text::{BadValue, TextValue, cut, text_value};

/// A duration with its unit: `10s`, `1h 30m`, `30d`. A bare `0` needs none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(pub Duration);

impl Interval {
    /// The longest that is accepted, so that adding it to a point in time can't overflow: a hundred years.
    pub const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("the interval is empty; write one such as `60s`".to_owned());
        }
        if text.bytes().all(|b| b.is_ascii_digit()) && text.bytes().any(|b| b != b'0') {
            return Err(format!("the interval `{0}` has no unit; write `{0}s` for seconds", cut(text)));
        }
        let wrong =
            |why: &dyn fmt::Display| format!("`{}` is not an interval such as `60s`, `1h` or `30d`: {why}", cut(text));
        if text.starts_with('-') {
            return Err(wrong(&"it is negative"));
        }
        let duration = humantime::parse_duration(text).map_err(|error| wrong(&error))?;
        if duration > Self::LONGEST {
            return Err(wrong(&"it is longer than a hundred years"));
        }
        Ok(Self(duration))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

text_value!(Interval, "an interval such as `60s`, `1h` or `30d`", {
    "description": "An interval with its unit: 500ms, 60s, 1h 30m, 30d.",
    "type": ["string", "integer"],
    "examples": ["60s", "1h", "30d"]
});

/// A whole number of per cent: `5%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(pub u8);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let number = text.strip_suffix('%').map(str::trim_end).filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        number
            .and_then(|n| n.parse().ok())
            .filter(|n| *n <= 100)
            .map(Self)
            .ok_or_else(|| format!("`{}` is not a share such as `5%`", cut(text)))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

text_value!(Percent, "a share such as `5%`", {
    "description": "A share in per cent: 0% to 100%.",
    "type": "string",
    "pattern": "^[0-9]{1,3} *%$",
    "examples": ["5%"]
});

/// A size in bytes: `8GiB`, `256MiB`, `65536`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

impl TextValue for Size {
    const NAME: &'static str = "Size";

    fn expected() -> String {
        "a size such as `256MiB` or `8GiB`".to_owned()
    }

    fn schema() -> Json {
        json!({
            "description": "A size in bytes, or with a unit: 256MiB, 8GiB.",
            "type": ["string", "integer"],
            "examples": ["256MiB", "8GiB"]
        })
    }

    fn read(text: &str) -> Result<Self, BadValue> {
        let text = text.trim();
        let wrong = |why: &str| format!("`{}` is not a size such as `256MiB` or `8GiB`{why}", cut(text));
        if text.starts_with('-') {
            return Err(wrong(": it is negative").into());
        }
        if let Some(size) = product(text) {
            return Err(BadValue {
                message: wrong(": it is a product"),
                help: Some(format!("write `{}`", whole(size))),
            });
        }
        // The crate saturates; a size that is not a size of anything is an error instead.
        let size = text.parse::<bytesize::ByteSize>().map_err(|_| wrong(""))?.as_u64();
        if size > i64::MAX as u64 {
            return Err(wrong(": it is too large").into());
        }
        Ok(Self(size))
    }
}

/// Reads `128*1024*1024`, as Zeek's scripts and zeekctl's files write sizes.
fn product(text: &str) -> Option<u64> {
    let factors: Vec<&str> = text.split('*').map(str::trim).collect();
    let all = || factors.iter().map(|factor| factor.parse::<u64>().ok());
    (factors.len() > 1).then(|| all().try_fold(1_u64, |product, factor| product.checked_mul(factor?)))?
}

/// Writes a size in the largest unit of which it has a whole number.
fn whole(size: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = units.into_iter().find(|(_, unit)| size > 0 && size.is_multiple_of(*unit));
    unit.map_or(size.to_string(), |(name, unit)| format!("{}{name}", size / unit))
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_need_a_unit() {
        assert_eq!("1h 30m".parse(), Ok(Interval(Duration::from_secs(5400))));
        assert_eq!("0".parse(), Ok(Interval(Duration::ZERO)));
        assert_eq!("60".parse::<Interval>().unwrap_err(), "the interval `60` has no unit; write `60s` for seconds");
        for wrong in ["", "-1s", "1 fortnight", "s", "99999999999999999999d", "200y", "1e9s"] {
            assert!(wrong.parse::<Interval>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_units_of_two_kinds() {
        assert_eq!(Size::read("256MiB"), Ok(Size(256 << 20)));
        assert_eq!(Size::read("8 GB"), Ok(Size(8_000_000_000)));
        assert_eq!(Size::read("512"), Ok(Size(512)));
        for wrong in ["", "-1", "12 parsecs", "1e30", "99999999999999999999", "9000000TiB", "NaN", "inf"] {
            assert!(Size::read(wrong).is_err(), "{wrong}");
        }
    }
}
