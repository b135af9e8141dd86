//! Log records as lines of JSON, for programs that log through [`tracing`] or `log`, and as lines of text for
//! terminals.
//!
//! A record starts with context fields in the order of a format string, under the names of Python's `logging`, so
//! that services in both languages can share an index:
//!
//! ```json
//! {"asctime":"2022-06-12 18:09:45,971","hostname":"host","process":7,"levelname":"INFO","message":"Prediction requested.","age":25}
//! ```
//!
//! [`builder()`] sets up a single handler. [`Configuration`] has several handlers, and can be read from the `logging`
//! part of a Python service's file. With the feature `opentelemetry`, records and spans are also exported to a
//! collector.
//!
//! A process that forks must set up the logging after the fork: a child has no threads that write, and
//! inherits locks in an undefined state.
//!
//! # Content of a record
//!
//! 1. **The context**, in the order of the [format](JsonFormatter). Built-in fields are:
//!
//!    | field | value |
//!    |---|---|
//!    | `asctime` | `2022-06-12 18:09:45,971`, in UTC by default |
//!    | `created` | seconds since 1970 with six decimals, a number |
//!    | `msecs` | milliseconds within the second with `.0`, a number as in Python |
//!    | `name` | target of the event, by default its module |
//!    | `levelname` | `TRACE`, `DEBUG`, `INFO`, `WARNING`, `ERROR` |
//!    | `levelno` | 5, 10, 20, 30, 40 |
//!    | `message` | text of the event, also if it is a number; `null` if it has none |
//!    | `pathname`, `filename`, `lineno` | source file, its last component, line |
//!    | `module` | Rust module |
//!    | `process` | id of the process |
//!    | `thread` | number of the thread, counted from 1 as threads first log; not the system's number |
//!    | `threadName` | name of the thread, `null` if it has none |
//!
//!    All other fields come from [filters](ContextFilter) or are [static](JsonFormatter::static_field). A
//!    message that the format does not name follows as the first field of the event. [`EcsFormatter`] has a
//!    context of its own.
//! 2. **The fields of the event**, in the order of their declaration. `None` is `null`.
//! 3. **The fields of the active spans**, innermost first, with the latest values of `Span::record`. Fields
//!    without a value are omitted.
//!
//! # Names
//!
//! Each key of a record is unique:
//!
//! * A field of an event replaces a span's field of the same name, and a field of an inner span that of an
//!   outer span.
//! * If a name is repeated within an event or a span, the last value counts, as for JSON parsers.
//! * A field with the name of a context key is written as `fields.<name>`. The same holds for a span's field named
//!   `message`. If the name has the prefix already, it gets another one. The key of a field thus depends only
//!   on the format and its own name.
//!
//! # Values
//!
//! Integers up to 128 bits, floats and booleans are JSON numbers and booleans. The floats that JSON lacks are
//! the strings `"NaN"`, `"Infinity"` and `"-Infinity"`, and `null` with [`EcsFormatter`]. An error is written with
//! its chain of sources, `outer: inner: root`. Bytes are hexadecimal digits. All other values are strings from
//! their `Display` or `Debug`. Control characters and the line separators of Unicode are escaped, so that a value can neither end its
//! line nor control a terminal.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod builder;
mod config;
mod error;
mod filter;
mod format;
mod guard;
mod layer;
mod otlp;
mod panic;
mod record;
mod setup;
mod sink;

pub use builder::{Builder, builder};
pub use config::{Configuration, Filters, Handler, Logger};
pub use error::Error;
pub use filter::{
    ContextFilter, EnvironmentInfoFilter, HostnameFilter, IntoLevels, Levels, LevelsError,
    VariableNames,
};
pub use format::{
    EcsFormatter, EcsKeys, FormatError, FormatStyle, Formatter, HumanFormatter, IntoFormatter,
    JsonFormatter, StaticValue, TextFormatter, TimeZone,
};
pub use guard::Logging;
pub use ml_configuration::Problems;
#[cfg(feature = "opentelemetry")]
pub use otlp::Otlp;
pub use sink::{FlushError, HandlerCounts, Period, Policy, RecordWriter, Rotation};

/// Tests the examples of the documentation and of the README with those of the crate.
#[cfg(doctest)]
#[doc = include_str!("../../docs/logging.md")]
#[doc = include_str!("../README.md")]
struct Documentation;
