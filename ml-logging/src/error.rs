//! What can be wrong with the set-up.

use crate::FormatError;

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
    #[error("log levels in {origin}, directive `{directive}`: {problem}")]
    Level {
        /// Where the levels come from: `level(…)` or the environment variable.
        origin: &'static str,
        /// The directive.
        directive: String,
        /// What is wrong with it, and the remedy.
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
