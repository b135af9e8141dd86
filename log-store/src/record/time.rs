//! Times in the forms that loggers write.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// Parses times. Remembers the last date and the last offset, which are those of the next record too.
pub(crate) struct Clock {
    /// Zone of times without an offset, such as Python's `asctime`.
    zone: TimeZone,
    date: ([u8; 10], i64),
    offset: (i64, i64),
}

const DAY_S: i64 = 86_400;
/// Offsets of zones change at full quarters of an hour.
const QUARTER_S: i64 = 900;

impl Clock {
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self { zone, date: ([0; 10], 0), offset: (i64::MIN, 0) }
    }

    /// Reads a time from JSON text, in microseconds since 1970: an ISO 8601 text with a blank or a `T`,
    /// or a number of seconds, milliseconds, microseconds or nanoseconds.
    pub(crate) fn read(&mut self, value: &str) -> Option<i64> {
        match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
            Some(text) => self.text(text.as_bytes()),
            None => number(value.parse().ok()?),
        }
    }

    fn text(&mut self, text: &[u8]) -> Option<i64> {
        let (date, rest) = text.split_first_chunk::<10>()?;
        let (&separator, rest) = rest.split_first()?;
        let (clock, rest) = rest.split_first_chunk::<8>()?;
        if !matches!(separator, b' ' | b'T' | b't') || clock[2] != b':' || clock[5] != b':' {
            return None;
        }
        let [hour, minute, second] =
            [digits(&clock[..2])?, digits(&clock[3..5])?, digits(&clock[6..])?];
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let seconds = self.days(date)? * DAY_S + hour * 3600 + minute * 60 + second;
        let (micros, zone) = fraction(rest)?;
        let offset = match zone {
            b"" => self.local_offset(seconds)?,
            b"Z" | b"z" => 0,
            _ => numeric_offset(zone)?,
        };
        Some((seconds - offset) * 1_000_000 + micros)
    }

    /// Returns the days since 1970.
    fn days(&mut self, text: &[u8; 10]) -> Option<i64> {
        if *text != self.date.0 {
            if text[4] != b'-' || text[7] != b'-' {
                return None;
            }
            let [year, month, day] =
                [digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..])?];
            let date =
                Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?);
            let midnight = date.ok()?.to_zoned(TimeZone::UTC).ok()?;
            self.date = (*text, midnight.timestamp().as_second().div_euclid(DAY_S));
        }
        Some(self.date.1)
    }

    /// Returns the offset of the zone, in seconds, at a local time.
    fn local_offset(&mut self, seconds: i64) -> Option<i64> {
        let quarter = seconds.div_euclid(QUARTER_S);
        if quarter != self.offset.0 {
            let local = Timestamp::from_second(quarter * QUARTER_S).ok()?;
            let local: civil::DateTime = local.to_zoned(TimeZone::UTC).datetime();
            let instant = local.to_zoned(self.zone.clone()).ok()?;
            self.offset = (quarter, i64::from(instant.offset().seconds()));
        }
        Some(self.offset.1)
    }
}

/// Reads a fraction of a second, if there is one. Returns it in microseconds, with the text after it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.' | b',', rest)) = text.split_first() else { return Some((0, text)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut micros = 0;
    for index in 0..6 {
        let digit = rest.get(index).filter(|_| index < length).map_or(0, |byte| byte - b'0');
        micros = micros * 10 + i64::from(digit);
    }
    (length > 0).then_some((micros, &rest[length..]))
}

/// Reads `+01:00`, `+0100` or `+01` as seconds.
fn numeric_offset(text: &[u8]) -> Option<i64> {
    let (sign, rest) = text.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = match rest {
        [h, i, b':', m, n] | [h, i, m, n] => (digits(&[*h, *i])?, digits(&[*m, *n])?),
        [h, i] => (digits(&[*h, *i])?, 0),
        _ => return None,
    };
    Some(sign * (hours * 3600 + minutes * 60))
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// Reads a number of seconds or of a smaller unit. The size of the number shows the unit.
fn number(value: f64) -> Option<i64> {
    let micros = match value.abs() {
        1e8..1e11 => value * 1e6,
        1e11..1e14 => value * 1e3,
        1e14..1e17 => value,
        1e17..1e20 => value / 1e3,
        _ => return None,
    };
    Some(micros.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_all_forms_are_the_same_instant() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let mut clock = Clock::new(berlin);
        for (text, zone) in [
            (r#""2026-07-01 14:00:00,250""#, "without an offset"),
            (r#""2026-07-01T12:00:00.250Z""#, "UTC"),
            (r#""2026-07-01T12:00:00.250000000Z""#, "nanoseconds"),
            (r#""2026-07-01T14:00:00.25+02:00""#, "an offset"),
            (r#""2026-07-01T14:00:00.250+0200""#, "an offset without a colon"),
            ("1782907200.25", "seconds"),
            ("1782907200250", "milliseconds"),
            ("1782907200250000", "microseconds"),
            ("1782907200250000000", "nanoseconds"),
        ] {
            assert_eq!(clock.read(text), Some(1_782_907_200_250_000), "{zone}");
        }
        // Winter time, after a summer time.
        assert_eq!(clock.read(r#""2026-12-01 13:00:00""#), Some(1_796_126_400_000_000));
    }

    #[test]
    fn text_that_is_no_time_is_refused() {
        let mut clock = Clock::new(TimeZone::UTC);
        for text in [
            r#""""#,
            r#""today""#,
            r#""2026-07-01""#,
            r#""2026-13-01 14:00:00""#,
            "true",
            "17",
            r#""2026-07-01 24:00:00""#,
            r#""2026-07-01 14:00:00,""#,
            r#""2026-07-01 14:00:00 CET""#,
        ] {
            assert_eq!(clock.read(text), None, "{text}");
        }
    }
}
