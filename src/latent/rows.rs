//! Ranges of a code's rows.

use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::LatentError;

/// Rows `start..end` of a code, counted from the coarsest layer. May reach beyond a code's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    pub start: u16,
    pub end: u16,
}

impl Rows {
    /// Every row of any code.
    pub const ALL: Self = Self { start: 0, end: u16::MAX };

    pub const fn new(start: u16, end: u16) -> Self {
        Self { start, end }
    }

    /// The part inside a code of `rows` rows.
    pub fn within(self, rows: usize) -> Range<usize> {
        let end = usize::from(self.end).min(rows);
        usize::from(self.start).min(end)..end
    }

    pub const fn intersect(self, other: Self) -> Self {
        let start = if self.start > other.start { self.start } else { other.start };
        let end = if self.end < other.end { self.end } else { other.end };
        Self { start, end }
    }
}

/// For people: the first and the last row, `4-7`; `all` for [`Rows::ALL`].
impl std::fmt::Display for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self { start: 0, end: u16::MAX } => f.write_str("all"),
            Self { start, end: u16::MAX } => write!(f, "{start}-"),
            Self { start, end } if end <= start => f.write_str("none"),
            Self { start, end } => write!(f, "{start}-{}", end - 1),
        }
    }
}

/// `FIRST-LAST`, `FIRST-`, one row `N`, or `all`.
impl FromStr for Rows {
    type Err = LatentError;

    fn from_str(text: &str) -> Result<Self, LatentError> {
        let bad = || LatentError::Rows(text.into());
        let number = |text: &str| text.parse::<u16>().ok().filter(|row| *row < u16::MAX);
        if text == "all" {
            return Ok(Self::ALL);
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let start = number(first).ok_or_else(bad)?;
        let end = match last {
            "" => u16::MAX,
            last => number(last).ok_or_else(bad)? + 1,
        };
        if end > start { Ok(Self { start, end }) } else { Err(bad()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_written_as_they_are_read() {
        for text in ["all", "0-3", "4-7", "8-", "5-5"] {
            assert_eq!(text.parse::<Rows>().unwrap().to_string(), text);
        }
        assert_eq!("5".parse::<Rows>().unwrap(), Rows::new(5, 6));
        for text in ["", "-", "-3", "7-4", "a", "1-2-3", "65535", "70000"] {
            assert!(text.parse::<Rows>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_range_ends_with_the_code() {
        assert_eq!(Rows::ALL.within(12), 0..12);
        assert_eq!(Rows::new(4, 8).within(6), 4..6);
        assert!(Rows::new(9, 12).within(6).is_empty());
        assert!(Rows::new(0, 4).intersect(Rows::new(6, 8)).within(12).is_empty());
        assert_eq!(Rows::new(2, 8).intersect(Rows::ALL), Rows::new(2, 8));
    }
}
