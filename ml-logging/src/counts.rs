//! What has become of the records of each handler.

use std::{
    fmt,
    io::{self, Write as _},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// What has become of the records that reached a handler.
///
/// All figures are of the same moment: `accepted` is always
/// `written + dropped + lost + queued`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HandlerCounts {
    /// The name of the handler, empty for the one that [`builder`](crate::builder) sets up.
    pub handler: String,
    /// All records that came here, and those that say how many were dropped.
    pub accepted: u64,
    /// Those that wait to be written, in memory.
    pub queued: u64,
    /// Those that the sink has taken.
    pub written: u64,
    /// Those for which the queue had no room, see [`Policy::Drop`](crate::Policy::Drop).
    pub dropped: u64,
    /// Those that could not be written, as the sink failed.
    pub lost: u64,
    /// The bytes of the queued records.
    pub queued_bytes: u64,
    /// How many times a file could not be rotated when it was due.
    pub failed_rotations: u64,
}

/// Log records were not written in time, or not at all.
#[derive(Debug)]
pub struct FlushError {
    pub(crate) limit: Duration,
    pub(crate) unwritten: Vec<(String, u64)>,
    pub(crate) failure: Option<io::Error>,
}

impl FlushError {
    /// The handlers that were not done within the limit, each with the number of its records that
    /// were not written by then.
    pub fn unwritten(&self) -> impl Iterator<Item = (&str, u64)> {
        self.unwritten.iter().map(|(handler, records)| (handler.as_str(), *records))
    }

    /// What a writer has failed with since the last flush.
    pub fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }
}

impl fmt::Display for FlushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (handler, records)) in self.unwritten.iter().enumerate() {
            if index == 0 {
                write!(f, "not written within {:?}: ", self.limit)?;
            } else {
                f.write_str(", ")?;
            }
            write!(f, "{records} log records{}", Of(handler))?;
        }
        match &self.failure {
            Some(failure) if self.unwritten.is_empty() => failure.fmt(f),
            Some(failure) => write!(f, "; {failure}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FlushError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // It is part of the text.
        self.failure.as_ref().and_then(std::error::Error::source)
    }
}

struct Of<'a>(&'a str);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            handler => write!(f, " of the handler `{handler}`"),
        }
    }
}

/// Tells of a handler's misfortunes on standard error, of each kind the first time.
pub(crate) struct Teller {
    handler: String,
    lost: AtomicBool,
}

impl Teller {
    pub(crate) fn new(handler: &str) -> Self {
        Self { handler: handler.to_owned(), lost: AtomicBool::new(false) }
    }

    /// A record was lost.
    pub(crate) fn lost(&self, reason: fmt::Arguments<'_>) {
        if !self.lost.swap(true, Ordering::Relaxed) {
            let by = match self.handler.as_str() {
                "" => String::new(),
                name => format!(" by the handler `{name}`"),
            };
            say(format_args!(
                "a log record could not be written{by}: {reason}; further ones are only counted"
            ));
        }
    }
}

/// Writes a line to standard error.
pub(crate) fn say(text: fmt::Arguments<'_>) {
    // Not `eprintln!`, which panics if stderr is closed.
    let _ = io::stderr().write_all(format!("ml-logging: {text}\n").as_bytes());
}
