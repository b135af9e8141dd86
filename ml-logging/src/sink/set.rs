//! All sinks of the installed logging.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{
    counts::{FlushError, HandlerCounts},
    record_sink::{RecordSink, Unflushed},
    report::report_within,
};

/// Longest wait for standard error in the final flush. Its reader may have stalled as well.
const REPORT_LIMIT: Duration = Duration::from_millis(200);

/// The sinks in the order of the configuration, and the limits for the final flush.
#[derive(Clone)]
pub(crate) struct SinkSet {
    sinks: Arc<[Arc<dyn RecordSink>]>,
    flush_limit: Duration,
    end: Arc<Mutex<Option<Instant>>>,
}

impl SinkSet {
    pub(crate) fn new(sinks: Vec<Arc<dyn RecordSink>>, flush_limit: Duration) -> Self {
        Self { sinks: sinks.into(), flush_limit, end: Arc::default() }
    }

    /// Sets the time after which no thread waits for a sink. The earliest one counts.
    pub(crate) fn end_by(&self, deadline: Instant) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = end.map_or(deadline, |end| end.min(deadline));
        *end = Some(earliest);
        drop(end);
        self.sinks.iter().for_each(|sink| sink.end_by(earliest));
    }

    pub(crate) fn flush_limit(&self) -> Duration {
        self.flush_limit
    }

    /// Flushes all sinks, within `limit` for all of them together.
    pub(crate) fn flush(&self, limit: Option<Duration>) -> Result<(), FlushError> {
        self.flush_some(limit, |_| true)
    }

    fn flush_some(
        &self,
        limit: Option<Duration>,
        is_included: impl Fn(&dyn RecordSink) -> bool,
    ) -> Result<(), FlushError> {
        let now = Instant::now();
        let end = *self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let own = limit.and_then(|limit| now.checked_add(limit));
        let is_ended = end.is_some_and(|end| own.is_none_or(|own| end < own));
        let deadline = if is_ended { end } else { own };
        let limit = limit.filter(|_| !is_ended);
        let mut error = FlushError { limit, unwritten: Vec::new(), failure: None };
        for sink in self.sinks.iter().filter(|sink| is_included(&***sink)) {
            match sink.flush(deadline) {
                Ok(()) => {}
                Err(Unflushed::Failure(failure)) => {
                    error.failure.get_or_insert(failure);
                }
                Err(Unflushed::Records(records)) => {
                    error.unwritten.push((sink.counts().handler, records));
                }
            }
        }
        if error.unwritten.is_empty() && error.failure.is_none() { Ok(()) } else { Err(error) }
    }

    /// Flushes before the process may end, and reports unwritten records on standard error.
    pub(crate) fn flush_at_end(&self) {
        report_unwritten(self.flush(Some(self.flush_limit)));
    }

    /// Flushes after a panic, and returns whether everything is written.
    ///
    /// Sinks that do not block the program are included only if `all` is set. With `is_given_up` the
    /// call does not wait, and only checks whether anything is unwritten.
    pub(crate) fn flush_at_panic(&self, all: bool, is_given_up: bool) -> bool {
        let limit = if is_given_up { Duration::ZERO } else { self.flush_limit };
        let flushed = self.flush_some(Some(limit), |sink| all || sink.is_blocking());
        let is_written = flushed.is_ok();
        if !is_given_up {
            report_unwritten(flushed);
        }
        is_written
    }

    /// Returns the number of records that were lost or dropped.
    pub(crate) fn losses(&self) -> u64 {
        self.counts().map(|counts| counts.lost + counts.dropped).sum()
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = HandlerCounts> {
        self.sinks.iter().map(|sink| sink.counts())
    }

    pub(crate) fn lost_spans(&self) -> u64 {
        self.sinks.iter().map(|sink| sink.lost_spans()).sum()
    }
}

fn report_unwritten(flushed: Result<(), FlushError>) {
    if let Err(error) = flushed
        && !error.unwritten.is_empty()
    {
        report_within(REPORT_LIMIT, &error);
    }
}
