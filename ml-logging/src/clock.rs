//! The time of a record.

use std::{
    io::Write as _,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    json,
    time::{TimeFormat, TimeTexts},
};

/// A moment, and its second as text: a thread that logs much asks for the same second again and
/// again, and only the milliseconds have to be patched.
pub(crate) struct Clock {
    /// Since 1970. A system clock before that counts as 1970 itself.
    since_epoch: Duration,
    asctime: [u8; ASCTIME.len()],
    /// The moment in other formats.
    texts: TimeTexts,
}

const ASCTIME: &[u8; 23] = b"1970-01-01 00:00:00,000";

/// 9999-12-31 23:59:59. A system clock after that counts as this.
const LATEST: u64 = 253_402_300_799;

impl Clock {
    pub(crate) fn new() -> Self {
        Self { since_epoch: Duration::ZERO, asctime: *ASCTIME, texts: TimeTexts::default() }
    }

    #[inline]
    pub(crate) fn set(&mut self, now: SystemTime) {
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        if since_epoch.as_secs() != self.since_epoch.as_secs() {
            self.render_second(since_epoch.as_secs());
        }
        let millis = since_epoch.subsec_millis();
        if millis != self.since_epoch.subsec_millis() {
            for (digit, divisor) in self.asctime[20..].iter_mut().zip([100, 10, 1]) {
                *digit = b'0' + (millis / divisor % 10) as u8;
            }
        }
        self.since_epoch = since_epoch;
    }

    fn render_second(&mut self, second: u64) {
        let second = second.min(LATEST);
        let (year, month, day) = date(second / 86_400);
        let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
        let second = second % 60;
        // The text always fits: years have four digits up to the latest second.
        let _ = write!(
            &mut self.asctime[..],
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        );
    }

    /// `2022-06-12 18:09:45,971`, as Python's `logging` writes it.
    pub(crate) fn asctime(&self) -> &[u8] {
        &self.asctime
    }

    /// The moment in another format, escaped for a JSON string.
    // Never inlined: what the usual record does not need must not grow it.
    #[inline(never)]
    pub(crate) fn write_formatted(&mut self, out: &mut Vec<u8>, format: &Arc<TimeFormat>) {
        let moment = (self.since_epoch.as_secs(), self.since_epoch.subsec_micros());
        self.texts.write(out, format, moment);
    }

    /// The milliseconds within the second, as Python has them: a float.
    pub(crate) fn write_msecs(&self, out: &mut Vec<u8>) {
        json::integer(out, self.since_epoch.subsec_millis());
        out.extend_from_slice(b".0");
    }

    /// Seconds since 1970 with six decimals, as a JSON number.
    pub(crate) fn write_created(&self, out: &mut Vec<u8>) {
        json::integer(out, self.since_epoch.as_secs());
        // A leading one keeps the zeros behind it, and makes room for the point.
        let point = out.len();
        json::integer(out, 1_000_000 + self.since_epoch.subsec_micros());
        out[point] = b'.';
    }
}

/// The year, month and day so many days after 1970-01-01.
///
/// All that is needed of a calendar here, and little enough not to build a date library for it. A
/// year is counted from March, so that the leap day is its last; 400 such years are always 146,097
/// days, and the months from March on are 31, 30, 31, 30, 31 days long, again and again.
pub(crate) fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_FROM_MARCH_OF_YEAR_0: u64 = 719_468;
    let days = days + DAYS_FROM_MARCH_OF_YEAR_0;
    let (cycle, day) = (days / 146_097, days % 146_097);
    // Leap days so far are taken out: one in 4 years, none in 100, one in 400.
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = 400 * cycle + year;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn asctime(clock: &mut Clock, micros: u64) -> String {
        clock.set(SystemTime::UNIX_EPOCH + Duration::from_micros(micros));
        String::from_utf8(clock.asctime().to_vec()).unwrap()
    }

    #[test]
    fn seconds_and_milliseconds_as_python_writes_them() {
        let clock = &mut Clock::new();
        assert_eq!(asctime(clock, 7_000), "1970-01-01 00:00:00,007");
        assert_eq!(asctime(clock, 1_655_057_385_971_234), "2022-06-12 18:09:45,971");
        assert_eq!(asctime(clock, 1_655_057_385_003_000), "2022-06-12 18:09:45,003");
        assert_eq!(asctime(clock, 1_709_210_096_999_999), "2024-02-29 12:34:56,999");
    }

    #[test]
    fn created_has_six_decimals() {
        let mut clock = Clock::new();
        clock.set(SystemTime::UNIX_EPOCH + Duration::from_micros(1_655_057_385_000_930));
        let mut out = Vec::new();
        clock.write_created(&mut out);
        assert_eq!(out, b"1655057385.000930");
    }

    #[test]
    fn a_clock_out_of_all_bounds_still_gives_a_time() {
        let mut clock = Clock::new();
        clock.set(SystemTime::UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(clock.asctime(), ASCTIME);
        clock.set(SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000));
        assert_eq!(clock.asctime(), b"9999-12-31 23:59:59,000");
    }

    #[test]
    fn every_day_agrees_with_jiff() {
        let mut expected = jiff::civil::date(1970, 1, 1);
        for days in 0..=LATEST / 86_400 {
            let (year, month, day) = date(days);
            let date = (year as i16, month as i8, day as i8);
            assert_eq!(date, (expected.year(), expected.month(), expected.day()));
            expected = expected.tomorrow().unwrap_or(expected);
        }
    }

    proptest! {
        #[test]
        fn any_moment_agrees_with_jiff(seconds in 0..253_402_000_000_i64, before in 0..253_402_000_000_i64, millis in 0..1000_i64) {
            let mut clock = Clock::new();
            asctime(&mut clock, before as u64 * 1_000_000);
            let text = asctime(&mut clock, (seconds * 1000 + millis) as u64 * 1000);
            let expected = Timestamp::from_millisecond(seconds * 1000 + millis).unwrap();
            prop_assert_eq!(text, expected.strftime("%Y-%m-%d %H:%M:%S,%3f").to_string());
        }
    }
}
