//! Time zones.

use std::str::FromStr;

use jiff::{Timestamp, Zoned, civil::DateTime, fmt::temporal::DateTimeParser, tz};
use ml_configuration::nearest;

use super::error::FormatError;

/// A time zone: `UTC`, `local` for the time zone of the machine, a name such as `Europe/Berlin`, or an
/// offset such as `+02:00`.
///
/// Names and `local` are looked up in the time zone database of the system.
///
/// ```
/// use ml_logging::TimeZone;
///
/// let zone: TimeZone = "+05:30".parse()?;
/// assert_ne!(zone, TimeZone::UTC);
///
/// let error = "Mars/Olympus".parse::<TimeZone>().unwrap_err();
/// assert!(error.to_string().starts_with("unknown time zone `Mars/Olympus`"));
/// # Ok::<(), ml_logging::FormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone(tz::TimeZone);

impl TimeZone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(tz::TimeZone::UTC);

    /// Returns the time zone of the machine.
    ///
    /// # Errors
    ///
    /// The system does not provide it.
    pub fn local() -> Result<Self, FormatError> {
        tz::TimeZone::try_system().map(Self).map_err(|_| FormatError::TimeZone {
            name: "local".to_owned(),
            remedy: "the system does not provide its time zone; write its name or `UTC`".to_owned(),
        })
    }

    /// Returns the date and time at a number of seconds since 1970.
    pub(super) fn at(&self, second: u64) -> Zoned {
        let moment =
            i64::try_from(second).ok().and_then(|second| Timestamp::from_second(second).ok());
        moment.unwrap_or(Timestamp::MAX).to_zoned(self.0.clone())
    }

    /// Returns the civil date and time at a number of seconds since 1970.
    pub(crate) fn shown(&self, second: u64) -> DateTime {
        self.at(second).datetime()
    }

    /// Returns the first and the last moment with this civil date and time, in seconds since 1970.
    ///
    /// They differ only where clocks are set back. A date and time that is skipped is shifted by the length
    /// of the gap. `None` if it is out of range.
    pub(crate) fn moments(&self, shown: DateTime) -> Option<[u64; 2]> {
        let moments = self.0.to_ambiguous_timestamp(shown);
        let seconds = |moment: Timestamp| u64::try_from(moment.as_second()).unwrap_or(0);
        Some([seconds(moments.compatible().ok()?), seconds(moments.later().ok()?)])
    }
}

impl FromStr for TimeZone {
    type Err = FormatError;

    fn from_str(name: &str) -> Result<Self, FormatError> {
        if name.eq_ignore_ascii_case("local") {
            return Self::local();
        }
        // The parser does not turn these into the UTC constant.
        if ["utc", "z"].iter().any(|utc| name.eq_ignore_ascii_case(utc)) {
            return Ok(Self::UTC);
        }
        DateTimeParser::new().parse_time_zone(name).map(Self).map_err(|_| FormatError::TimeZone {
            name: name.to_owned(),
            remedy: {
                let known: Vec<_> = tz::db().available().map(|name| name.to_string()).collect();
                let known = known.iter().map(String::as_str).chain(["UTC", "local"]);
                match nearest(name, known) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None if tz::db().is_definitively_empty() => {
                        "this system has no time zone database; install its package `tzdata`, or \
                         write `UTC` or an offset such as `+02:00`"
                            .to_owned()
                    }
                    None => "write `UTC`, `local`, a name such as `Europe/Berlin` or an offset \
                             such as `+02:00`"
                        .to_owned(),
                }
            },
        })
    }
}
