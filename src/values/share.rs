//! A part of a number of things: so many, or so many per cent.

use std::fmt;
use std::str::FromStr;

use super::text::cut;

/// So many of something (`3`), or so many per cent of it (`10%`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Share {
    /// So many.
    Number(u32),
    /// So many per cent: at most 100.
    Percent(u8),
}

impl Share {
    /// None of them.
    pub const NONE: Self = Self::Number(0);

    /// Returns how many of `all` things that is at most: per cent are rounded down, so that it is never more.
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Number(number) => usize::try_from(number).unwrap_or(usize::MAX).min(all),
            // In two steps, so that no number of things overflows.
            Self::Percent(percent) => all / 100 * usize::from(percent) + all % 100 * usize::from(percent) / 100,
        }
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |why: &str| format!("`{}` is not a number such as `3`, or a share such as `10%`{why}", cut(text));
        let (digits, percent) = match text.strip_suffix('%') {
            Some(rest) => (rest.trim_end(), true),
            None => (text, false),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong(""));
        }
        let number: u32 = digits.parse().map_err(|_| wrong(": it is too large"))?;
        if !percent {
            return Ok(Self::Number(number));
        }
        match u8::try_from(number) {
            Ok(number) if number <= 100 => Ok(Self::Percent(number)),
            _ => Err(wrong(": it is more than all")),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_shares() {
        for (text, all, many) in [("3", 100, 3), ("300", 100, 100), ("10%", 105, 10), ("1%", 99, 0), ("100%", 7, 7)] {
            assert_eq!(text.parse::<Share>().unwrap().of(all), many, "{text} of {all}");
        }
        assert_eq!("7 %".parse::<Share>().unwrap().to_string(), "7%");
        assert_eq!(Share::Percent(100).of(usize::MAX), usize::MAX);
        for wrong in ["", "%", "-1", "101%", "300%", "1.5", "3 of 4", "99999999999", "10%%"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }
}
