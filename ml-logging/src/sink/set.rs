//! All sinks of the installed logging.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    counts::{FlushError, HandlerCounts},
    record_sink::{OnWait, RecordSink, Unflushed},
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
    /// Number of lost records in the last report of their sum.
    reported: Arc<AtomicU64>,
}

impl SinkSet {
    pub(crate) fn new(sinks: Vec<Arc<dyn RecordSink>>, flush_limit: Duration) -> Self {
        Self { sinks: sinks.into(), flush_limit, end: Arc::default(), reported: Arc::default() }
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
        let mut past_failure = None;
        let mut error = FlushError { limit, unwritten: Vec::new(), failure: None, is_past: false };
        for sink in self.sinks.iter().filter(|sink| is_included(&***sink)) {
            match sink.flush(deadline) {
                Ok(()) => {}
                Err(Unflushed::Failure { error: failure, is_past: true }) => {
                    past_failure.get_or_insert(failure);
                }
                Err(Unflushed::Failure { error: failure, is_past: false }) => {
                    error.failure.get_or_insert(failure);
                }
                Err(Unflushed::Records(records)) => {
                    error.unwritten.push((sink.counts().handler, records));
                }
            }
        }
        let is_current = !error.unwritten.is_empty() || error.failure.is_some();
        if !is_current && past_failure.is_none() {
            return Ok(());
        }
        error.is_past = !is_current;
        error.failure = error.failure.or(past_failure);
        Err(error)
    }

    /// Sets the function that runs waits of threads that log.
    pub(crate) fn on_wait(&self, run: OnWait) {
        self.sinks.iter().for_each(|sink| sink.on_wait(run));
    }

    /// Opens the files of all sinks again.
    pub(crate) fn reopen(&self) {
        self.sinks.iter().for_each(|sink| sink.reopen());
    }

    /// Flushes for the last time. Failures after which records were written again are not an error; the number of
    /// records lost by them is reported on standard error.
    pub(crate) fn finish(&self) -> Result<(), FlushError> {
        let result = match self.flush(Some(self.flush_limit)) {
            Err(error) if error.is_past => Ok(()),
            result => result,
        };
        let lost = self.counts().map(|counts| counts.lost).sum();
        if result.is_ok() && self.reported.swap(lost, Ordering::Relaxed) < lost {
            report_within(REPORT_LIMIT, &format_args!("{lost} log records were lost in all"));
        }
        result
    }

    /// Flushes for the last time, and reports unwritten records on standard error.
    pub(crate) fn finish_and_report(&self) {
        report_unwritten(self.finish());
    }

    /// Marks the sinks as no longer flushed by the guard.
    pub(crate) fn release(&self) {
        self.sinks.iter().for_each(|sink| sink.release());
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
