//! Times of rotations and suffixes of old files, as in Python's `TimedRotatingFileHandler`.

use std::time::Duration;

use jiff::{
    SignedDuration,
    civil::{DateTime, Time},
};

use crate::format::TimeZone;

/// Unit of a [`Rotation`](super::Rotation) by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Period {
    /// Seconds since the start, or since the last change of an existing file.
    Seconds,
    /// Minutes, likewise.
    Minutes,
    /// Hours, likewise.
    Hours,
    /// Days of 24 hours, likewise.
    Days,
    /// Days that end at midnight, or at another time of day.
    Midnight,
    /// Weeks that end with this day: 0 for Monday to 6 for Sunday, modulo 7.
    Weekday(u8),
}

const DAY: u64 = 86_400;
const WEEK: u64 = 7 * DAY;

/// Time beyond the end of the calendar.
const NEVER: u64 = u64::MAX;

impl Period {
    /// Returns the nominal length in seconds.
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

/// Rotation every `interval` periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule {
    period: Period,
    interval: u32,
    /// Time of day at which `Midnight` and `Weekday` end.
    at: Option<Time>,
    zone: TimeZone,
}

impl Schedule {
    pub(super) fn new(period: Period, interval: u32) -> Self {
        Self { period, interval: interval.max(1), at: None, zone: TimeZone::UTC }
    }

    pub(super) fn at(&mut self, time_of_day: Duration) {
        let seconds = Duration::from_secs(time_of_day.as_secs() % DAY);
        self.at = Some(Time::MIN.wrapping_add(seconds));
    }

    pub(super) fn time_zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    fn length(&self) -> u64 {
        self.period.length() * u64::from(self.interval)
    }

    /// Returns the end of a file that was begun or last written at `time`, which is always later. Times are
    /// in seconds since 1970.
    pub(super) fn after(&self, time: u64) -> u64 {
        if !matches!(self.period, Period::Midnight | Period::Weekday(_)) {
            return time.saturating_add(self.length());
        }
        let shown = self.zone.shown(time);
        let first = match self.at {
            Some(at) if shown.time() < at => shown.date(),
            Some(_) => match shown.date().tomorrow() {
                Ok(tomorrow) => tomorrow,
                Err(_) => return NEVER,
            },
            None => shown.date(),
        };
        let wait = match self.period {
            Period::Weekday(wanted) => {
                let weekday = first.weekday().to_monday_zero_offset();
                (i64::from(wanted % 7) + 7 - i64::from(weekday)) % 7
            }
            _ => 0,
        };
        // Calendar days: they do not have 24 hours when the clocks change.
        let midnight = if self.at.is_none() { DAY } else { 0 };
        let further = self.length() - self.period.length() + midnight;
        let end = SignedDuration::from_secs(wait * DAY as i64 + further as i64);
        let end = first.checked_add(end).ok();
        let end = end.map(|date| date.to_datetime(self.at.unwrap_or(Time::MIN)));
        // A time of day that occurs twice ends the file at its next occurrence.
        let moments = end.and_then(|end| self.zone.moments(end)).unwrap_or([NEVER; 2]);
        moments.into_iter().find(|moment| *moment > time).unwrap_or(NEVER)
    }

    /// Returns an end that was computed earlier, or an earlier one if the clock was ahead then. Without that, a
    /// clock that has jumped ahead and back would stop the rotation until it is there again.
    pub(super) fn not_beyond(&self, due: u64, now: u64) -> u64 {
        if due <= now.saturating_add(self.length()) {
            return due;
        }
        due.min(self.after(now))
    }

    /// Returns the suffix of the file that ends at `due`: the time at which it began.
    pub(super) fn suffix(&self, due: u64) -> String {
        let length = self.length();
        let began = match self.period {
            Period::Midnight | Period::Weekday(_) => {
                let length = SignedDuration::from_secs(length as i64);
                self.zone.shown(due).saturating_sub(length)
            }
            _ => self.zone.shown(due.saturating_sub(length)),
        };
        began.strftime(self.form()).to_string()
    }

    /// Returns the format of the suffix, to the precision of the period.
    fn form(&self) -> &'static str {
        match self.period {
            Period::Seconds => "%Y-%m-%d_%H-%M-%S",
            Period::Minutes => "%Y-%m-%d_%H-%M",
            Period::Hours => "%Y-%m-%d_%H",
            Period::Days | Period::Midnight | Period::Weekday(_) => "%Y-%m-%d",
        }
    }

    /// Returns the sort key of an old file from its suffix, which may have a number appended, and the time
    /// of its last change. `None` if the file is not an old one.
    pub(super) fn order(&self, suffix: &str, modified: u64) -> Option<(u64, u32)> {
        let (stamp, number) = match suffix.split_once('.') {
            Some((stamp, number)) => (stamp, number.parse().ok()?),
            None => (suffix, 0),
        };
        let began = DateTime::strptime(self.form(), stamp).ok()?;
        // The parser also accepts `2026-1-2`.
        if began.strftime(self.form()).to_string() != stamp {
            return None;
        }
        // A time of day that occurs twice is ambiguous. A file not written after the second occurrence began
        // at the first.
        let [first, second] = self.zone.moments(began)?;
        Some((if modified < second { first } else { second }, number))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "clippy takes only test functions for tests")]

    use proptest::prelude::*;

    use super::*;

    fn schedule(period: Period, interval: u32, at: Option<u64>, zone: &str) -> Schedule {
        let mut schedule = Schedule::new(period, interval);
        if let Some(at) = at {
            schedule.at(Duration::from_secs(at));
        }
        schedule.time_zone(zone.parse().unwrap());
        schedule
    }

    /// Reads a line of a table: the schedule, the time at which the file was opened, and the results of
    /// Python, the end and the suffix.
    fn row<'a>(zone: &str, words: &[&'a str]) -> (Schedule, u64, u64, &'a str) {
        let [when, interval, at, time, due, suffix] = words.try_into().unwrap();
        let period = match when {
            "S" => Period::Seconds,
            "M" => Period::Minutes,
            "H" => Period::Hours,
            "D" => Period::Days,
            "MIDNIGHT" => Period::Midnight,
            day => Period::Weekday(day[1..].parse().unwrap()),
        };
        let schedule = schedule(period, interval.parse().unwrap(), at.parse().ok(), zone);
        (schedule, time.parse().unwrap(), due.parse().unwrap(), suffix)
    }

    /// Compares with `computeRollover` and `doRollover` of Python 3.11, with `utc=True`. Only single midnights
    /// and weeks: Python ignores the interval for them.
    #[test]
    fn files_end_when_they_do_in_python() {
        for line in include_str!("python.txt").lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let (schedule, time, due, suffix) = row("UTC", &words);
            assert_eq!(schedule.after(time), due, "{line}");
            assert_eq!(schedule.suffix(due), suffix, "{line}");
            assert!(schedule.order(suffix, due).is_some(), "{line}");
        }
    }

    /// Compares with Python 3.13 in local time, around changes of the clocks. `tests/python/rotation.py`
    /// records the table.
    #[test]
    fn files_end_when_they_do_in_python_by_local_time() {
        let mut changes = 0;
        for line in include_str!("python_local.txt").lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let (schedule, time, due, suffix) = row(words[0], &words[1..]);
            assert_eq!(schedule.after(time), due, "{line}");
            if matches!(schedule.period, Period::Midnight | Period::Weekday(_)) {
                assert_eq!(schedule.suffix(due), suffix, "{line}");
                continue;
            }
            // Files of elapsed seconds: if the clocks have changed since the start, Python's suffix is an
            // hour off.
            let (began, length) = (due - schedule.length(), schedule.length() as i64);
            let shown = schedule.zone.shown(due).duration_since(schedule.zone.shown(began));
            let change = shown.as_secs() - length;
            let pythons = schedule.zone.shown(began.checked_add_signed(change).unwrap());
            assert_eq!(pythons.strftime(schedule.form()).to_string(), suffix, "{line}");
            let own = schedule.zone.shown(began).strftime(schedule.form()).to_string();
            assert_eq!(schedule.suffix(due), own, "{line}");
            changes += usize::from(own != suffix);
        }
        assert!(changes > 0, "the table has such files");
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
    fn periods_beyond_the_calendar_never_end() {
        for period in [Period::Midnight, Period::Weekday(3)] {
            assert_eq!(Schedule::new(period, u32::MAX).after(1_795_532_400), NEVER);
            assert_eq!(schedule(period, 1, Some(3_600), "UTC").after(NEVER - 1), NEVER);
        }
        assert_eq!(Schedule::new(Period::Hours, 1).after(NEVER - 1), NEVER);
    }

    #[test]
    fn files_of_an_hour_that_occurs_twice_are_sorted_by_time() {
        // 2026-10-25 02:30 in summer time; at 03:00 it is 02:00 again.
        let summer = 1_792_888_200;
        let schedule = schedule(Period::Minutes, 1, None, "Europe/Berlin");
        let winter = summer + 3_000;
        assert_eq!(schedule.suffix(summer + 60), "2026-10-25_02-30");
        assert_eq!(schedule.suffix(winter + 60), "2026-10-25_02-20");
        // Each was written for a minute.
        let first = schedule.order("2026-10-25_02-30", summer + 59).unwrap();
        let second = schedule.order("2026-10-25_02-20", winter + 59).unwrap();
        assert!(first < second);
        assert_eq!((first, second), ((summer, 0), (winter, 0)));
    }

    #[test]
    fn other_files_do_not_count_as_old_ones() {
        let schedule = Schedule::new(Period::Midnight, 1);
        assert_eq!(schedule.order("2026-11-24.12", 0), Some((1_795_478_400, 12)));
        for other in [
            "",
            "1",
            "2026-11-2",
            "2026-11-24x",
            "2026-11-24.",
            "2026-11-24_10",
            "2026-13-24",
            "+026-11-24",
            "é026-11-24",
            "abcd-ef-gh",
        ] {
            assert_eq!(schedule.order(other, 0), None, "{other}");
        }
    }

    /// Includes changes by half an hour, changes at midnight, and a skipped day.
    const ZONES: [&str; 9] = [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Havana",
        "America/Sao_Paulo",
        "America/St_Johns",
        "Africa/Cairo",
        "Pacific/Apia",
    ];

    proptest! {
        #[test]
        fn days_and_weeks_end_at_their_local_time(
            zone in proptest::sample::select(&ZONES[..]),
            weekday in proptest::option::of(0..7_u8),
            interval in 1..4_u32,
            at in proptest::option::of(0..DAY),
            time in 0..4_000_000_000_u64,
            change in any::<bool>(),
        ) {
            let period = weekday.map_or(Period::Midnight, Period::Weekday);
            let schedule = schedule(period, interval, at, zone);
            let time = if change { near_a_change(&schedule.zone, time) } else { time };
            let due = schedule.after(time);
            // An hour more or less at each end, or a whole day in Apia.
            let longest = schedule.length() + if zone == "Pacific/Apia" { DAY } else { 3_600 };
            prop_assert!(due > time && due <= time + longest);

            let mut shown = schedule.zone.shown(due);
            let wanted = Time::MIN.wrapping_add(Duration::from_secs(at.unwrap_or(0)));
            if shown.time() != wanted {
                let days = [shown.date(), shown.date().yesterday().unwrap()];
                prop_assert!(days.iter().any(|day| skips(&schedule.zone, day.to_datetime(wanted))));
                return Ok(());
            }
            if at.is_none() {
                shown = shown.date().yesterday().unwrap().to_datetime(wanted);
            }
            if let Some(weekday) = weekday {
                prop_assert_eq!(shown.weekday().to_monday_zero_offset(), weekday as i8);
            }
            // Suffixes are distinct and in order.
            let next = schedule.after(due);
            let (old, new) = (schedule.suffix(due), schedule.suffix(next));
            prop_assert!(old < new);
            // The skipped day is as old as the next.
            prop_assert!((schedule.order(&old, due), old) < (schedule.order(&new, next), new));
        }
    }

    fn skips(zone: &TimeZone, shown: DateTime) -> bool {
        zone.shown(zone.moments(shown).unwrap()[0]) != shown
    }

    /// Returns a time within an hour and a half of the next change of the clocks, if there is one.
    fn near_a_change(zone: &TimeZone, time: u64) -> u64 {
        let shift = |time: u64| {
            let shown = zone.shown(time).duration_since(zone.shown(time - time % DAY));
            shown.as_secs() as u64 != time % DAY
        };
        let day =
            (0..400).map(|day| time + day * DAY).find(|time| shift(time / DAY * DAY + DAY - 1));
        let Some(day) = day.map(|time| time / DAY * DAY) else { return time };
        let hour = (1..=24).map(|hour| day + hour * 3_600 - 1).find(|time| shift(*time));
        hour.unwrap_or(day) + time % 10_800 - 5_400
    }
}
