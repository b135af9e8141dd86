//! When a file is rotated by time, and what its past is called: as Python's
//! `TimedRotatingFileHandler` has it, in UTC.

use std::time::Duration;

use crate::clock::date;

/// What a [`Rotation`](super::Rotation) by time counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Period {
    /// Seconds from the start, or from the last change of a file that is there already.
    Seconds,
    /// Minutes, likewise.
    Minutes,
    /// Hours, likewise.
    Hours,
    /// Days of 24 hours, likewise.
    Days,
    /// Days that end at midnight, or at another time of the day.
    Midnight,
    /// Weeks that end with this day, 0 for Monday to 6 for Sunday; larger numbers go round.
    Weekday(u8),
}

const DAY: u64 = 86_400;
const WEEK: u64 = 7 * DAY;

impl Period {
    /// In seconds.
    fn length(self) -> u64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3_600,
            Self::Days | Self::Midnight => DAY,
            Self::Weekday(_) => WEEK,
        }
    }
}

/// Every so many periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    pub(super) period: Period,
    pub(super) interval: u32,
    /// Seconds into the day at which `Midnight` and `Weekday` are.
    pub(super) at: Option<u64>,
}

impl Schedule {
    pub(super) fn new(period: Period, interval: u32) -> Self {
        Self { period, interval: interval.max(1), at: None }
    }

    pub(super) fn at(mut self, time_of_day: Duration) -> Self {
        self.at = Some(time_of_day.as_secs() % DAY);
        self
    }

    fn length(self) -> u64 {
        self.period.length() * u64::from(self.interval)
    }

    /// When a file that was begun or last written at `time` is over. Times are in seconds since 1970.
    pub(super) fn after(self, time: u64) -> u64 {
        if !matches!(self.period, Period::Midnight | Period::Weekday(_)) {
            return time + self.length();
        }
        // The first day of 1970 was a Thursday.
        let mut weekday = (time / DAY + 3) % 7;
        let at = self.at.unwrap_or(DAY);
        let mut today = time / DAY * DAY + at;
        if today <= time {
            today += DAY;
            weekday += 1;
        }
        let days = match self.period {
            Period::Weekday(wanted) => (u64::from(wanted % 7) + 7 - weekday % 7) % 7,
            _ => 0,
        };
        today + days * DAY + self.length() - self.period.length()
    }

    /// When the next file is over, if one was over at `due` and it is `now`.
    pub(super) fn next(self, due: u64, now: u64) -> u64 {
        // At once if the clock has been far behind: no loop over all the intervals since.
        let next = self.after(now.max(due));
        if next > now { next } else { now + self.length() }
    }

    /// What is put behind the name of the file that is over at `due`: the time at which it began.
    pub(super) fn suffix(self, due: u64) -> String {
        let time = due.saturating_sub(self.length());
        let (year, month, day) = date(time / DAY);
        let (hour, minute, second) = (time / 3_600 % 24, time / 60 % 60, time % 60);
        let day = format!("{year:04}-{month:02}-{day:02}");
        match self.period {
            Period::Seconds => format!("{day}_{hour:02}-{minute:02}-{second:02}"),
            Period::Minutes => format!("{day}_{hour:02}-{minute:02}"),
            Period::Hours => format!("{day}_{hour:02}"),
            Period::Days | Period::Midnight | Period::Weekday(_) => day,
        }
    }

    /// The order of a file by its suffix, or that with a number behind it; `None` if it is none.
    pub(super) fn order(self, suffix: &str) -> Option<(&str, u32)> {
        let length = self.suffix(WEEK).len();
        let (stamp, number) = suffix.split_at_checked(length)?;
        let number = match number.strip_prefix('.') {
            Some(number) => number.parse().ok()?,
            None if number.is_empty() => 0,
            None => return None,
        };
        let form = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
        let same = self.suffix(WEEK).bytes().map(form).eq(stamp.bytes().map(form));
        same.then_some((stamp, number))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

    use super::*;

    /// What Python 3.11's `computeRollover` and `doRollover` say, with `utc=True`. Of midnights and weeks
    /// one only: it forgets the others.
    #[test]
    fn files_end_when_they_do_in_python() {
        for line in include_str!("python.txt").lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [when, interval, at, time, due, suffix] = words.try_into().unwrap();
            let period = match when {
                "S" => Period::Seconds,
                "M" => Period::Minutes,
                "H" => Period::Hours,
                "D" => Period::Days,
                "MIDNIGHT" => Period::Midnight,
                day => Period::Weekday(day[1..].parse().unwrap()),
            };
            let mut schedule = Schedule::new(period, interval.parse().unwrap());
            if at != "-" {
                schedule = schedule.at(Duration::from_secs(at.parse().unwrap()));
            }
            let due: u64 = due.parse().unwrap();
            assert_eq!(schedule.after(time.parse().unwrap()), due, "{line}");
            assert_eq!(schedule.suffix(due), suffix, "{line}");
            assert_eq!(schedule.order(suffix), Some((suffix, 0)), "{line}");
        }
    }

    #[test]
    fn several_days_or_weeks_are_counted_from_the_first_end() {
        // A Tuesday, 15:00.
        let now = 1_795_532_400;
        let midnight = Schedule::new(Period::Midnight, 1).after(now);
        assert_eq!(midnight, 1_795_564_800);
        assert_eq!(Schedule::new(Period::Midnight, 3).after(now), midnight + 2 * DAY);
        assert_eq!(Schedule::new(Period::Midnight, 3).suffix(midnight), "2026-11-22");
        assert_eq!(Schedule::new(Period::Weekday(1), 2).after(now), midnight + WEEK);
        assert_eq!(Schedule::new(Period::Weekday(8), 1).after(now), midnight);
        assert_eq!(Schedule::new(Period::Seconds, 0).after(now), now + 1);
    }

    #[test]
    fn a_clock_that_has_jumped_does_not_rotate_again_and_again() {
        let schedule = Schedule::new(Period::Hours, 1);
        assert!(schedule.next(1_000, 1_795_532_400) > 1_795_532_400);
        // Back: the next file is not over before the one before it.
        assert_eq!(schedule.next(1_795_532_400, 1_000), 1_795_536_000);
    }

    #[test]
    fn other_files_are_not_taken_for_old_ones() {
        let schedule = Schedule::new(Period::Midnight, 1);
        assert_eq!(schedule.order("2026-11-24.12"), Some(("2026-11-24", 12)));
        for other in [
            "",
            "1",
            "2026-11-2",
            "2026-11-24x",
            "2026-11-24.",
            "2026-11-24_10",
            "é026-11-24",
            "abcd-ef-gh",
        ] {
            assert_eq!(schedule.order(other), None, "{other}");
        }
    }
}
