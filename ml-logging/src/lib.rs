//! Log records as lines of JSON, for programs that log through [`tracing`] or through `log`; and as
//! lines for people where a terminal shows them.
//!
//! A record starts with context fields in the order of a format string, under the names that
//! Python's `logging` uses, so that services in both languages feed the same index:
//!
//! ```json
//! {"asctime":"2022-06-12 18:09:45,971","hostname":"host","process":7,"levelname":"INFO","message":"Prediction requested.","age":25}
//! ```
//!
//! [`builder`] sets it up from code, with one place for all records; [`Configuration`] has several, and
//! is also read from the `logging` part of a Python service's file.
//!
//! With the feature `opentelemetry` records and spans also go to a collector; the repository's
//! documentation of the logging has the details.
//!
//! # What a record holds
//!
//! 1. **The context**, in the order of the [format](JsonFormatter). Built in are:
//!
//!    | field | value |
//!    |---|---|
//!    | `asctime` | `2022-06-12 18:09:45,971`, in UTC unless the formatter says otherwise |
//!    | `created` | seconds since 1970 with six decimals, a number |
//!    | `msecs` | the milliseconds within the second, with `.0`, a number as in Python |
//!    | `name` | the target of the event, which is the module unless it says otherwise |
//!    | `levelname` | `TRACE`, `DEBUG`, `INFO`, `WARNING`, `ERROR` |
//!    | `levelno` | 5, 10, 20, 30, 40 |
//!    | `message` | the text of the event, `null` if it has none |
//!    | `pathname`, `filename`, `lineno` | the source file, its last part, the line |
//!    | `module` | the Rust module |
//!    | `process` | the id of the process |
//!    | `thread` | this thread's own number, counted from 1 as threads first log; not the system's |
//!    | `threadName` | the thread's name, `null` if it has none |
//!
//!    Everything else comes from [filters](ContextFilter), or is a
//!    [static field](JsonFormatter::static_field). If the format does not place the message, it
//!    follows as the first field of the event. [`EcsFormatter`] has a context of its own.
//! 2. **The event's fields**, in the order in which the event declares them. `None` is `null`.
//! 3. **The fields of the active spans**, innermost first, with the values that
//!    `Span::record` has set last. Those without a value are left out: they may get one later.
//!
//! # Names
//!
//! No key stands twice in a record:
//!
//! * An event's field beats a span's field of the same name, and an inner span's an outer one's.
//! * Of a name repeated within one event or one span the last one counts, as for JSON parsers.
//! * A field called like a key of the context is written as `fields.<name>`. So is a span's field
//!   called `message`. If its name has that prefix already, it gets one more. Which key a field
//!   gets thus depends on the format and its own name, never on what else is in the record.
//!
//! # Values
//!
//! Integers up to 128 bits, floats and booleans are JSON numbers and booleans. The floats that JSON
//! lacks are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`. An error is its whole chain of
//! sources, `outer: inner: root`; bytes are hexadecimal digits; all else is a string, as its
//! `Display` or `Debug` writes it. Control characters and Unicode's line separators are escaped: a value can
//! neither end its line nor drive the terminal that shows it.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod builder;
mod callsite;
mod clock;
mod configuration;
mod context;
mod counts;
mod destination;
mod error;
mod format;
mod format_error;
mod formatter;
mod json;
mod layer;
mod layout;
mod level;
mod levels;
mod local;
mod notice;
#[cfg(feature = "opentelemetry")]
mod otlp;
#[cfg(not(feature = "opentelemetry"))]
mod otlp_absent;
mod output;
mod panic;
mod plan;
mod policy;
mod queue;
mod record;
mod rotating;
mod routes;
mod span;
mod text;
mod time;
mod values;

pub use builder::{Builder, builder};
pub use configuration::{Configuration, Filters, Handler, Logger};
pub use context::{ContextFilter, EnvironmentInfoFilter, HostnameFilter};
pub use counts::{FlushError, HandlerCounts};
pub use error::Error;
pub use format::FormatStyle;
pub use format_error::FormatError;
pub use formatter::{
    EcsFormatter, EcsKeys, Formatter, HumanFormatter, JsonFormatter, StaticValue, TextFormatter,
};
pub use levels::{Levels, LevelsError};
pub use ml_configuration::Problems;
#[cfg(feature = "opentelemetry")]
pub use otlp::Otlp;
pub use output::Logging;
pub use policy::Policy;
pub use rotating::{Period, Rotation};
pub use time::TimeZone;

/// The examples of the documentation are tested with those of the crate.
#[cfg(doctest)]
#[doc = include_str!("../../docs/logging.md")]
struct Documentation;
