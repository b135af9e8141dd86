//! The trait that every sink implements.

use std::{
    fmt, io,
    time::{Instant, SystemTime},
};

use tracing::Metadata;

use super::{counts::HandlerCounts, guard::WriteGuard};

/// A rendered record.
pub(crate) struct Record<'a> {
    /// Metadata of the event; for the `log` crate that of the original record.
    pub(crate) metadata: &'a Metadata<'a>,
    /// Time of the event.
    #[allow(dead_code, reason = "only the OTLP export reads it")]
    pub(crate) time: SystemTime,
    /// The rendered line with its newline.
    pub(crate) bytes: &'a [u8],
}

/// Runs a wait of a thread that logs; see [`Logging::on_wait`](crate::Logging::on_wait).
pub(crate) type OnWait = fn(&mut dyn FnMut());

/// Takes rendered records and counts their outcomes.
pub(crate) trait RecordSink: Send + Sync {
    /// Writes a record, or queues it. A record that cannot be written is lost and counted.
    fn write(&self, record: &Record<'_>);

    /// Counts a record as lost without writing it.
    fn lose(&self, reason: fmt::Arguments<'_>);

    /// Waits until everything queued so far is written, no longer than until `deadline`.
    ///
    /// # Errors
    ///
    /// How many of these records are not written at the deadline, or the last failure.
    fn flush(&self, deadline: Option<Instant>) -> Result<(), Unflushed>;

    /// Opens the file of this sink again, at once or before the next record.
    fn reopen(&self) {}

    /// Sets the time after which no thread waits for this sink. The earliest one counts.
    fn end_by(&self, _deadline: Instant) {}

    /// Takes note that the guard of the logging is dropped: no flush follows.
    fn release(&self) {}

    /// Sets the function that runs waits of threads that log. The first one counts.
    fn on_wait(&self, _run: OnWait) {}

    /// Returns the counts since the start.
    fn counts(&self) -> HandlerCounts;

    /// Returns whether the program blocks on this sink rather than lose a record.
    fn is_blocking(&self) -> bool;

    /// Returns the number of spans that could not be exported.
    fn lost_spans(&self) -> u64 {
        0
    }
}

/// Reason why a flush did not complete.
#[derive(Debug)]
pub(crate) enum Unflushed {
    /// Number of records that are not written yet.
    Records(u64),
    /// The last failure of the sink.
    Failure {
        error: io::Error,
        /// Later records were written.
        is_past: bool,
    },
}

/// Writes a record to a sink, unless this thread is inside a sink already.
#[inline]
pub(crate) fn write(sink: &dyn RecordSink, record: &Record<'_>) {
    match WriteGuard::begin() {
        Some(_guard) => sink.write(record),
        None => sink.lose(format_args!("the writer itself logs while it writes")),
    }
}
