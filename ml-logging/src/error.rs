//! What can be wrong with the set-up.

use std::path::PathBuf;

use crate::{FormatError, LevelsError};

/// The logging cannot be set up as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The format string is at fault.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Two filters provide a field of the same name.
    #[error("two filters provide the field `{0}`; remove one of them or rename its field")]
    FieldProvidedTwice(String),
    /// A filter provides a field that every record has by itself.
    #[error("a filter provides the field `{0}`, which is built in; rename the filter's field")]
    BuiltInField(String),
    /// A directive in the levels cannot be understood.
    #[error("log levels in {origin}, {error}")]
    Levels {
        /// Where the levels come from: `level(…)` or the environment variable.
        origin: &'static str,
        /// What is wrong with them.
        error: LevelsError,
    },
    /// The set-up of a handler is at fault.
    #[error("the handler `{handler}`: {error}")]
    Handler {
        /// The handler.
        handler: String,
        /// What is wrong with it.
        #[source]
        error: Box<Self>,
    },
    /// Two handlers have the same name.
    #[error("two handlers are called `{0}`; rename one of them")]
    HandlerTwice(String),
    /// Two loggers have the same name, or names that differ only in `.` and `::`.
    #[error("two loggers are called `{0}`; make them one")]
    LoggerTwice(String),
    /// A logger cannot be called so.
    #[error("the logger `{logger}`: {problem}")]
    LoggerName {
        /// The logger.
        logger: String,
        /// What is wrong with its name.
        problem: &'static str,
    },
    /// A logger names a handler that there is not.
    #[error(
        "the logger `{logger}` names the handler `{handler}`, which is not there; add it or remove the name"
    )]
    UnknownHandler {
        /// The logger.
        logger: String,
        /// The name of the handler.
        handler: String,
    },
    /// No logger has a handler, so that nothing would ever be logged.
    #[error("no logger has a handler, nothing would be logged; give the root logger one")]
    NoHandler,
    /// The system has no thread for the records to be written by.
    #[error("no thread could be started to write the log records: {problem}")]
    Thread {
        /// What the system says.
        problem: String,
    },
    /// There are more handlers than can be told apart.
    #[error("there are more than {0} handlers; remove some")]
    TooManyHandlers(usize),
    /// A log file cannot be opened.
    #[error("the handler `{handler}` cannot open the file {}: {problem}; \
             create its folder, allow writing to it, or change `filename`", path.display())]
    OpenFile {
        /// The handler.
        handler: String,
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// A standard stream cannot be opened.
    #[error("the handler `{handler}` cannot open its stream: {problem}")]
    OpenStream {
        /// The handler, empty for the one that [`builder`](crate::builder) sets up.
        handler: String,
        /// What the system says.
        problem: String,
    },
    /// A handler that writes before the program goes on has a policy for what waits.
    #[error(
        "the handler `{0}` writes each record before the program goes on, so nothing waits; \
             remove its policy, or make it a `Handler::queued`"
    )]
    NothingWaits(String),
    /// A log file that is to be overwritten cannot be emptied.
    #[error("its file cannot be emptied: {problem}")]
    EmptyFile {
        /// What the system says.
        problem: String,
    },
    /// What is to be exported, or where to, is at fault.
    #[cfg(feature = "opentelemetry")]
    #[error("export over OTLP: {problem}")]
    Otlp {
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// The process has a `tracing` subscriber already.
    #[error(
        "a global tracing subscriber is installed already; install one only, or add `layer()` to the other one"
    )]
    SubscriberInstalled,
    /// The process has a logger for the `log` crate already, so that records of crates using
    /// `log` cannot be taken over. The `tracing` subscriber has been installed.
    #[error(
        "a logger for the `log` crate is installed already; remove it, ml-logging writes those records too"
    )]
    LogInstalled,
}
