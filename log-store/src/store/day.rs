//! Days, each of which has a file of its own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::civil::Date;

/// Microseconds of a day.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// A day in UTC, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(pub(crate) i32);

impl Day {
    /// Returns the day of a time in microseconds since 1970.
    pub(crate) fn of(time: i64) -> Self {
        Self(time.div_euclid(DAY_US) as i32)
    }

    /// Returns the first microsecond of the day.
    pub(crate) fn start(self) -> i64 {
        i64::from(self.0) * DAY_US
    }

    /// Returns the path of the day's file in a store.
    pub(crate) fn path(self, store: &Path) -> PathBuf {
        store.join(format!("{self}.sqlite"))
    }

    /// Returns the day whose file has this name.
    fn from_file_name(name: &str) -> Option<Self> {
        Self::parse(name.strip_suffix(".sqlite")?)
    }

    /// Parses `2026-11-28`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let date: Date = text.parse().ok()?;
        let day = Self((date - epoch()).get_days());
        (day.to_string() == text).then_some(day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = epoch().checked_add(jiff::Span::new().days(self.0)).map_err(|_| fmt::Error)?;
        write!(f, "{date}")
    }
}

fn epoch() -> Date {
    Date::constant(1970, 1, 1)
}

/// Returns the days that a store has files of, the newest first.
///
/// # Errors
///
/// Fails if the folder cannot be read.
pub(crate) fn days(store: &Path) -> io::Result<Vec<Day>> {
    let mut days = Vec::new();
    for entry in fs::read_dir(store)? {
        days.extend(entry?.file_name().to_str().and_then(Day::from_file_name));
    }
    days.sort_unstable_by(|a, b| b.cmp(a));
    Ok(days)
}
