//! Mistakes in the set-up.

use std::{fmt, path::PathBuf};

use crate::{filter::LevelsError, format::FormatError};

/// Error of the set-up. `Debug` prints the same as `Display`, for `main` functions that return it.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The format is invalid.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Two filters provide a field of the same name.
    #[error("two filters provide the field `{0}`; remove one of them or rename its field")]
    FieldProvidedTwice(String),
    /// A filter provides a field that is built in.
    #[error("a filter provides the field `{0}`, which is built in; rename the filter's field")]
    BuiltInField(String),
    /// A directive of the levels is invalid.
    #[error("log levels in {origin}, {error}")]
    Levels {
        /// Origin of the levels: `level(…)` or the environment variable.
        origin: &'static str,
        /// The mistakes.
        error: LevelsError,
    },
    /// A handler is invalid.
    #[error("the handler `{handler}`: {error}")]
    Handler {
        /// The handler.
        handler: String,
        /// The mistake.
        #[source]
        error: Box<Self>,
    },
    /// Two handlers have the same name.
    #[error("two handlers are named `{0}`; rename one of them")]
    HandlerTwice(String),
    /// Two loggers have the same name, or names that differ only in `.` and `::`.
    #[error("two loggers are named `{0}`; merge them")]
    LoggerTwice(String),
    /// The name of a logger is invalid.
    #[error("the logger `{logger}`: {problem}")]
    LoggerName {
        /// The logger.
        logger: String,
        /// The mistake in its name.
        problem: &'static str,
    },
    /// A logger names an unknown handler.
    #[error(
        "the logger `{logger}` names the unknown handler `{handler}`; add it or remove the name"
    )]
    UnknownHandler {
        /// The logger.
        logger: String,
        /// The name of the handler.
        handler: String,
    },
    /// No logger has a handler, so that nothing would be logged.
    #[error("no logger has a handler, nothing would be logged; give the root logger one")]
    NoHandler,
    /// The system cannot start the thread that writes records.
    #[error("no thread could be started to write the log records: {problem}")]
    Thread {
        /// Error of the system.
        problem: String,
    },
    /// There are too many handlers.
    #[error("there are more than {0} handlers; remove some")]
    TooManyHandlers(usize),
    /// A log file cannot be opened.
    #[error("the handler{} cannot open the file {}: {problem}; \
             create its folder, allow writing to it, or name another file", Quoted(handler), path.display())]
    OpenFile {
        /// The handler, empty for the one that [`builder`](crate::builder()) sets up.
        handler: String,
        /// The file.
        path: PathBuf,
        /// Error of the system.
        problem: String,
    },
    /// A standard stream cannot be opened.
    #[error("the handler{} cannot open its stream: {problem}", Quoted(handler))]
    OpenStream {
        /// The handler, empty for the one that [`builder`](crate::builder()) sets up.
        handler: String,
        /// Error of the system.
        problem: String,
    },
    /// A handler without a queue has a policy for a full queue.
    #[error(
        "the handler{} has no queue; remove its policy, or replace it by a `Handler::queued`",
        Quoted(.0)
    )]
    NoQueue(String),
    /// A log file cannot be emptied.
    #[error("its file cannot be emptied: {problem}")]
    EmptyFile {
        /// Error of the system.
        problem: String,
    },
    /// The settings of the OTLP export are invalid.
    #[error("export over OTLP: {problem}")]
    Otlp {
        /// The mistake and the remedy.
        problem: String,
    },
    /// The process has a `tracing` subscriber already.
    #[error(
        "a global tracing subscriber is installed already; install only one, or add `layer()` to the other one"
    )]
    SubscriberInstalled,
    /// The process has a logger for the `log` crate already, so that records of crates that use `log` cannot be
    /// received. The `tracing` subscriber has been installed.
    #[error(
        "a logger for the `log` crate is installed already; remove it, ml-logging writes those records too"
    )]
    LogInstalled,
}

/// Name of a handler in a message. The handler of a builder has none.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " `{}`", self.0) }
    }
}

// The text of an error contains that of its source.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
