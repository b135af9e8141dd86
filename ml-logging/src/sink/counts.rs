//! Public types for the outcomes of records.

use std::{fmt, io, time::Duration};

/// Counts of the records that reached a handler.
///
/// All counts belong to the same moment: `accepted` always equals `written + dropped + lost + queued`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HandlerCounts {
    /// Name of the handler; empty for the handler that [`builder`](crate::builder()) sets up.
    pub handler: String,
    /// Records that reached the handler, including the records that report dropped ones.
    pub accepted: u64,
    /// Records that wait to be written or exported.
    pub queued: u64,
    /// Records that the sink has taken. For an OTLP export, records that the collector has taken.
    pub written: u64,
    /// Records for which the queue had no room, see [`Policy::Drop`](crate::Policy::Drop).
    pub dropped: u64,
    /// Records that could not be written because the sink failed.
    pub lost: u64,
    /// Bytes of the records in the queue; 0 for an OTLP export.
    pub queued_bytes: u64,
    /// Number of failed attempts to rotate a file.
    pub failed_rotations: u64,
}

/// Error of a flush: records were not written in time, or not at all. `Debug` prints the same as `Display`, for `main`
/// functions that return it.
pub struct FlushError {
    /// `None` if the end of the process was the limit.
    pub(super) limit: Option<Duration>,
    pub(super) unwritten: Vec<(String, u64)>,
    pub(super) failure: Option<io::Error>,
    /// The failure is over: all later records of the sink were written.
    pub(super) is_past: bool,
}

impl FlushError {
    /// Returns the handlers that did not finish within the limit, each with the number of its records
    /// that were not written.
    pub fn unwritten(&self) -> impl Iterator<Item = (&str, u64)> {
        self.unwritten.iter().map(|(handler, records)| (handler.as_str(), *records))
    }

    /// Returns the first failure of a sink since the last flush.
    pub fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// Takes the failure out of the error.
    pub(crate) fn into_failure(self) -> Option<io::Error> {
        self.failure
    }
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (handler, records)) in self.unwritten.iter().enumerate() {
            match self.limit {
                _ if index > 0 => f.write_str(", ")?,
                Some(limit) => write!(f, "not written within {limit:?}: ")?,
                None => f.write_str("not written before the end: ")?,
            }
            write!(f, "{records} log records")?;
            if !handler.is_empty() {
                write!(f, " of the handler `{handler}`")?;
            }
        }
        match &self.failure {
            Some(failure) if self.unwritten.is_empty() => failure.fmt(f),
            Some(failure) => write!(f, "; {failure}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for FlushError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The failure itself is part of the text.
        self.failure.as_ref().and_then(std::error::Error::source)
    }
}
