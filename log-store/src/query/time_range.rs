//! `from` and `to` of a question.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

/// A span of time in microseconds since 1970. `to` is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeRange {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl TimeRange {
    /// All times.
    pub(crate) const ALL: Self =
        Self { from: -62_135_596_800_000_000, to: 253_402_300_800_000_000 };

    /// Reads a range. Without `from` it starts `default` before its end, and without `to` it ends now. Without
    /// `default` it is not restricted there.
    ///
    /// # Errors
    ///
    /// Fails with a message if one of them is no time, or if they are in the wrong order.
    pub(crate) fn parse(
        from: Option<&str>,
        to: Option<&str>,
        default: Option<i64>,
        now: &Zoned,
    ) -> Result<Self, String> {
        // A record may be a little ahead of this clock.
        let end = default.map_or(Self::ALL.to, |_| now.timestamp().as_microsecond() + 60_000_000);
        let to = to.map_or(Ok(end), |text| {
            instant(text, now, true).map_err(|error| format!("to: {error}"))
        })?;
        let from = match (from, default) {
            (Some(text), _) => {
                instant(text, now, false).map_err(|error| format!("from: {error}"))?
            }
            (None, Some(default)) => to - default,
            (None, None) => Self::ALL.from,
        };
        if from >= to {
            return Err("from: the time must be before `to`".to_owned());
        }
        Ok(Self { from, to })
    }

    /// Returns the span of the same length before this one.
    pub(crate) fn before(self) -> Self {
        Self { from: self.from - (self.to - self.from), to: self.from }
    }
}

/// Reads a time, in microseconds since 1970. A day means its start, or its end with `is_end`.
///
/// # Errors
///
/// Fails with the valid forms.
pub(crate) fn instant(text: &str, now: &Zoned, is_end: bool) -> Result<i64, String> {
    let text = text.trim();
    let zone = now.time_zone();
    let found = day(text, now).map(|date| of_day(date, zone, is_end)).or_else(|| {
        let lower = text.to_ascii_lowercase();
        let instant = if lower == "now" {
            Some(now.timestamp())
        } else if let Ok(timestamp) =
            text.replace(' ', "+").parse::<Timestamp>().or_else(|_| text.parse())
        {
            // A `+` in an address means a blank, also that of an offset.
            Some(timestamp)
        } else if let Ok(local) = text.parse::<DateTime>() {
            local.to_zoned(zone.clone()).ok().map(|local| local.timestamp())
        } else {
            ago(lower.trim_start_matches('-')).and_then(|span| {
                now.timestamp().checked_sub(jiff::SignedDuration::from_secs(span)).ok()
            })
        };
        instant.map(|instant| Some(instant.as_microsecond()))
    });
    found.flatten().ok_or_else(|| {
        format!(
            "`{text}` is no time: write `2026-11-28T14:00:00Z`, `2026-11-28 14:00` or `2026-11-28`, \
             `today`, `yesterday` or a day such as `tuesday`, or a time ago such as `15m`, `2h` or `7d`"
        )
    })
}

fn of_day(date: Date, zone: &TimeZone, is_end: bool) -> Option<i64> {
    let date = if is_end { date.checked_add(Span::new().days(1)).ok()? } else { date };
    Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond())
}

/// Reads a day: a date, `today`, `yesterday`, or the last day with a name.
fn day(text: &str, now: &Zoned) -> Option<Date> {
    let today = now.date();
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let lower = text.to_ascii_lowercase();
    let name = days.iter().position(|day| lower.len() >= 3 && day.starts_with(&*lower));
    match (&*lower, name) {
        ("today", _) => Some(today),
        ("yesterday", _) => today.yesterday().ok(),
        (_, Some(index)) => {
            let weekday = Weekday::from_monday_zero_offset(index as i8).ok()?;
            let back = today.weekday().since(weekday);
            today.checked_sub(Span::new().days(back)).ok()
        }
        _ if text.len() == 10 => text.parse().ok(),
        _ => None,
    }
}

/// Reads a number of seconds, minutes, hours, days or weeks, in seconds.
fn ago(text: &str) -> Option<i64> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number: f64 = text[..text.len() - 1].parse().ok()?;
    (0.0..1e6).contains(&number).then_some((number * unit as f64) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_zone_of_the_reader() {
        // A Saturday, in winter time.
        let now: Zoned = "2026-11-28T15:00:00+01:00[Europe/Berlin]".parse().unwrap();
        for (text, is_end, expected) in [
            ("now", false, "2026-11-28T14:00:00Z"),
            ("15m", false, "2026-11-28T13:45:00Z"),
            ("-1.5h", false, "2026-11-28T12:30:00Z"),
            ("today", false, "2026-11-27T23:00:00Z"),
            ("today", true, "2026-11-28T23:00:00Z"),
            ("yesterday", false, "2026-11-26T23:00:00Z"),
            ("Tuesday", false, "2026-11-23T23:00:00Z"),
            ("tue", true, "2026-11-24T23:00:00Z"),
            ("saturday", false, "2026-11-27T23:00:00Z"),
            ("2026-07-01", false, "2026-06-30T22:00:00Z"),
            ("2026-07-01 14:00", false, "2026-07-01T12:00:00Z"),
            ("2026-07-01T14:00:00.5+02:00", false, "2026-07-01T12:00:00.5Z"),
            ("2026-07-01T14:00:00.5 02:00", false, "2026-07-01T12:00:00.5Z"),
            ("2026-07-01 14:00:00+02:00", false, "2026-07-01T12:00:00Z"),
        ] {
            let expected: Timestamp = expected.parse().unwrap();
            assert_eq!(instant(text, &now, is_end), Ok(expected.as_microsecond()), "{text}");
        }
        for text in ["", "soon", "5x", "2026-13-01", "m", "1e9d"] {
            assert!(instant(text, &now, false).unwrap_err().contains("is no time"), "{text}");
        }
    }
}
