//! Dates, times and durations as text in the forms of ISO 8601, which are those that serde writes.

use std::fmt;
use std::time::Duration;

use tracing::field::DisplayValue;

use super::LogValue;

/// Logs the seconds of the duration, as in `PT1.5S`.
impl LogValue for Duration {
    type Value<'a> = DisplayValue<Iso8601>;

    fn log_value(&self) -> DisplayValue<Iso8601> {
        tracing::field::display(Iso8601(*self))
    }
}

/// A duration whose `Display` is that of ISO 8601.
#[derive(Debug, Clone, Copy)]
pub struct Iso8601(pub(crate) Duration);

impl fmt::Display for Iso8601 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, nanoseconds) = (self.0.as_secs(), self.0.subsec_nanos());
        write!(f, "PT{seconds}")?;
        if nanoseconds > 0 {
            let digits = format!("{nanoseconds:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("S")
    }
}

#[cfg(feature = "jiff")]
macro_rules! displayed {
    ($($type:ty)*) => {$(
        impl LogValue for $type {
            type Value<'a> = DisplayValue<&'a Self>;

            fn log_value(&self) -> DisplayValue<&Self> {
                tracing::field::display(self)
            }
        }
    )*};
}

#[cfg(feature = "jiff")]
displayed! {
    jiff::civil::Date jiff::civil::Time jiff::civil::DateTime
    jiff::Timestamp jiff::Zoned jiff::SignedDuration jiff::Span
}

#[cfg(feature = "chrono")]
mod chrono {
    use std::fmt;

    use ::chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
    use tracing::field::{DebugValue, DisplayValue};

    use super::LogValue;

    // The form of ISO 8601 is their `Debug`.
    macro_rules! debugged {
        ($($type:ty)*) => {$(
            impl LogValue for $type {
                type Value<'a> = DebugValue<&'a Self>;

                fn log_value(&self) -> DebugValue<&Self> {
                    tracing::field::debug(self)
                }
            }
        )*};
    }

    debugged! { NaiveDate NaiveTime NaiveDateTime }

    impl<Tz: TimeZone<Offset: fmt::Display> + 'static> LogValue for DateTime<Tz> {
        type Value<'a> = DebugValue<&'a Self>;

        fn log_value(&self) -> DebugValue<&Self> {
            tracing::field::debug(self)
        }
    }

    impl LogValue for TimeDelta {
        type Value<'a> = DisplayValue<&'a Self>;

        fn log_value(&self) -> DisplayValue<&Self> {
            tracing::field::display(self)
        }
    }
}
