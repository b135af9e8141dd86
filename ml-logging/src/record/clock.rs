//! Time of a record in Python's default format.

use std::{
    io::Write as _,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, civil::DateTime};

use crate::format::{TimeFormat, TimeTexts, escape};

/// A time whose second is cached as text. Within the same second only the milliseconds are patched.
pub(super) struct Clock {
    /// Time since 1970. Earlier times count as 1970.
    since_epoch: Duration,
    asctime: [u8; ASCTIME.len()],
    /// The time in other formats.
    texts: TimeTexts,
}

const ASCTIME: &[u8; 23] = b"1970-01-01 00:00:00,000";
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

impl Clock {
    pub(super) fn new() -> Self {
        Self { since_epoch: Duration::ZERO, asctime: *ASCTIME, texts: TimeTexts::default() }
    }

    #[inline]
    pub(super) fn set(&mut self, now: SystemTime) {
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

    #[cold]
    fn render_second(&mut self, second: u64) {
        let second = i64::try_from(second).unwrap_or(i64::MAX);
        // Ends with the year 9999, so that the text always fits.
        let time = EPOCH.saturating_add(SignedDuration::from_secs(second));
        let _ = write!(&mut self.asctime[..], "{}", time.strftime("%Y-%m-%d %H:%M:%S"));
    }

    /// Returns the time as `2022-06-12 18:09:45,971`.
    pub(super) fn asctime(&self) -> &[u8] {
        &self.asctime
    }

    /// Writes the time in another format, escaped for a JSON string.
    // Not inlined, so that it does not grow the code of the usual record.
    #[inline(never)]
    pub(super) fn write_formatted(&mut self, out: &mut Vec<u8>, format: &Arc<TimeFormat>) {
        let time = (self.since_epoch.as_secs(), self.since_epoch.subsec_micros());
        self.texts.write(out, format, time);
    }

    /// Writes the milliseconds within the second, as a float like in Python.
    pub(super) fn write_msecs(&self, out: &mut Vec<u8>) {
        escape::integer(out, self.since_epoch.subsec_millis());
        out.extend_from_slice(b".0");
    }

    /// Writes the seconds since 1970 with six decimals, as a JSON number.
    pub(super) fn write_created(&self, out: &mut Vec<u8>) {
        escape::integer(out, self.since_epoch.as_secs());
        // The leading 1 keeps the zeros after it, and is replaced by the point.
        let point = out.len();
        escape::integer(out, 1_000_000 + self.since_epoch.subsec_micros());
        out[point] = b'.';
    }
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
    fn a_clock_out_of_range_still_gives_a_time() {
        let mut clock = Clock::new();
        clock.set(SystemTime::UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(clock.asctime(), ASCTIME);
        clock.set(SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000));
        assert_eq!(clock.asctime(), b"9999-12-31 23:59:59,000");
    }

    proptest! {
        #[test]
        fn any_time_agrees_with_jiff(seconds in 0..253_402_000_000_i64, before in 0..253_402_000_000_i64, millis in 0..1000_i64) {
            let mut clock = Clock::new();
            asctime(&mut clock, before as u64 * 1_000_000);
            let text = asctime(&mut clock, (seconds * 1000 + millis) as u64 * 1000);
            let expected = Timestamp::from_millisecond(seconds * 1000 + millis).unwrap();
            prop_assert_eq!(text, expected.strftime("%Y-%m-%d %H:%M:%S,%3f").to_string());
        }
    }
}
