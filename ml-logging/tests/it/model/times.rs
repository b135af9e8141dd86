//! Formats of times, and checks of texts in these formats.
//!
//! Texts are parsed; nothing here writes a time.

use jiff::{Timestamp, fmt::strtime, tz};

/// The form of `asctime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// `None` is the form that there is without one.
    pub format: Option<DateFormat>,
    pub zone: &'static str,
}

/// Directives, and how fine the time is that they show, in microseconds; 0 if they show none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateFormat {
    pub directives: &'static str,
    pub precision: u64,
}

const fn format(directives: &'static str, precision: u64) -> DateFormat {
    DateFormat { directives, precision }
}

const SECOND: u64 = 1_000_000;

/// Those that cases have.
pub const FORMATS: [DateFormat; 9] = [
    format("%Y-%m-%dT%H:%M:%S.%f%z", 1),
    format("%F %T.%3f", 1000),
    format("%d %b %Y, %I:%M:%S %p", SECOND),
    format("%s", SECOND),
    format("100 %% \"%F\"\\\n%T\u{1b}[31m\u{202e}\u{2028}%:z", SECOND),
    format("%A %e %B %C%y %R:%S,%6f", 1),
    format("now", 0),
    format("\u{1b}]0;\u{7}", 0),
    format("", 0),
];

/// Those that cases have.
pub const ZONES: [&str; 6] =
    ["UTC", "+05:30", "-08:00", "Europe/Berlin", "America/St_Johns", "Asia/Tokyo"];

/// What is documented for `asctime` and for the time of [`JsonFormatter::timestamp`]
/// (ml_logging::JsonFormatter::timestamp) and of the Elastic Common Schema.
pub const PYTHON: Times = Times { format: None, zone: "UTC" };
pub const ISO_8601: Times =
    Times { format: Some(format("%Y-%m-%dT%H:%M:%S.%6f+00:00", 1)), zone: "UTC" };
pub const ECS: Times = Times { format: Some(format("%Y-%m-%dT%H:%M:%S.%3fZ", 1000)), zone: "UTC" };

/// The moments that a record can be of, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moments {
    /// The first one.
    pub from: u64,
    /// The last one.
    pub until: u64,
}

impl Moments {
    /// Keeps those of one unit of time; whether any are left.
    pub fn narrow(&mut self, start: u64, precision: u64) -> bool {
        self.from = self.from.max(start);
        self.until = self.until.min(start + precision - 1);
        self.from <= self.until
    }

    /// Returns whether one of them has these milliseconds within its second.
    pub fn has_milliseconds(&self, milliseconds: u64) -> bool {
        (self.from / 1000..=self.until / 1000).any(|all| all % 1000 == milliseconds)
    }
}

impl Times {
    /// Keeps the moments that have this text; whether any are left. `shown` tells what becomes of text
    /// that stands between the directives.
    pub fn narrow(
        &self,
        text: &str,
        shown: impl Fn(&str) -> String,
        moments: &mut Moments,
    ) -> bool {
        let DateFormat { directives, precision } =
            self.format.unwrap_or(format("%Y-%m-%d %H:%M:%S,%3f", 1000));
        let directives = shown(directives);
        if precision == 0 {
            return text == directives;
        }
        let before = *moments;
        self.read(&directives, text).into_iter().any(|moment| {
            let mut narrowed = before;
            let is_one = narrowed.narrow(moment, precision);
            if is_one {
                *moments = narrowed;
            }
            is_one
        })
    }

    /// The moment that a text shows; two in the hour that the end of summer time repeats.
    fn read(&self, directives: &str, text: &str) -> Vec<u64> {
        let Ok(parts) = strtime::parse(directives, text) else { return Vec::new() };
        let zone = tz::TimeZone::get(self.zone).unwrap_or_else(|_| offset(self.zone));
        let moments: Vec<Timestamp> = match (parts.timestamp(), parts.offset()) {
            // The offset that is written must be that of the zone, too.
            (Some(moment), _) => vec![moment],
            (None, Some(offset)) => {
                let moment = parts.to_timestamp().ok();
                moment.into_iter().filter(|moment| zone.to_offset(*moment) == offset).collect()
            }
            (None, None) => {
                let Ok(local) = parts.to_datetime() else { return Vec::new() };
                let either = || zone.to_ambiguous_timestamp(local);
                either().earlier().into_iter().chain(either().later()).collect()
            }
        };
        moments.iter().filter_map(|moment| u64::try_from(moment.as_microsecond()).ok()).collect()
    }
}

/// A zone such as `+05:30`.
fn offset(text: &str) -> tz::TimeZone {
    let (hours, minutes) = text[1..].split_once(':').unwrap();
    let minutes = hours.parse::<i32>().unwrap() * 60 + minutes.parse::<i32>().unwrap();
    let seconds = if text.starts_with('-') { -60 * minutes } else { 60 * minutes };
    tz::Offset::from_seconds(seconds).unwrap().to_time_zone()
}
