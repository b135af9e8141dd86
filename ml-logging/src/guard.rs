//! The guard that the set-up returns.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    filter::{CurrentLevels, Levels},
    layer,
    sink::{FlushError, HandlerCounts, SinkSet, report_not_installed},
};

/// Guard that flushes on drop. Keep it until the program ends: bound to a name, as in `let _logging`. `let _` drops
/// it at once.
///
/// The first record that is queued after the drop is reported on standard error, because the end of the program
/// may lose it.
///
/// A guard of [`build`](crate::Builder::build) or [`layer`](crate::Builder::layer) whose subscriber was never installed
/// reports that when it is dropped.
///
/// The flush is limited by [`Configuration::flush_limit`](crate::Configuration::flush_limit) or
/// [`Builder::flush_limit`](crate::Builder::flush_limit). The number of unwritten records is reported on
/// standard error.
#[must_use = "the last records are flushed when this is dropped; bind it to a name in `main`"]
pub struct Logging {
    sinks: SinkSet,
    levels: Arc<CurrentLevels>,
    /// The logging is that of the whole process, records of the `log` crate included.
    is_installed: bool,
    /// The final flush has failed already.
    is_given_up: AtomicBool,
}

impl Logging {
    pub(crate) fn new(sinks: SinkSet, levels: Arc<CurrentLevels>) -> Self {
        Self { sinks, levels, is_installed: false, is_given_up: AtomicBool::new(false) }
    }

    pub(crate) fn installed(mut self) -> Self {
        self.is_installed = true;
        self
    }

    pub(crate) fn sinks(&self) -> &SinkSet {
        &self.sinks
    }

    /// Returns the levels in force: the last ones that were [set](Self::set_levels), or the
    /// [initial](Self::initial_levels) ones.
    pub fn levels(&self) -> Levels {
        self.levels.get()
    }

    /// Returns the levels at the start: those of `RUST_LOG`, or those of the [`Builder`](crate::Builder) or of the
    /// loggers of the [`Configuration`](crate::Configuration).
    pub fn initial_levels(&self) -> Levels {
        self.levels.initial()
    }

    /// Replaces the levels while the program runs, as `RUST_LOG` does at the start.
    ///
    /// The routes of records do not change. A handler keeps its own level if that is less verbose than the
    /// levels of the configured loggers. Records that are logged during the call follow either set of
    /// levels.
    ///
    /// ```
    /// use tracing::{debug, dispatcher};
    ///
    /// let (subscriber, logging) = ml_logging::builder().level("info").build()?;
    /// let initial = logging.initial_levels();
    /// logging.set_levels("info,payments=debug".parse()?);
    /// dispatcher::with_default(&subscriber.into(), || {
    ///     debug!(target: "payments::card", "This is logged.");
    /// });
    /// logging.set_levels(initial);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Records of the `log` crate follow if `init` has installed the logging. With
    /// [`Builder::layer`](crate::Builder::layer), the program sets `log::set_max_level` itself. The features
    /// `release_max_level_*` of `tracing` limit all levels.
    ///
    /// The call evaluates all callsites of the program again. Records do not pay for it.
    pub fn set_levels(&self, levels: Levels) {
        layer::set_levels(&self.levels, levels, self.is_installed);
    }

    /// Waits until all handlers have written everything that was logged before, without a limit other than
    /// that of [`end_by`](Self::end_by). A sink that stalls blocks the call until it recovers.
    ///
    /// # Errors
    ///
    /// The first failure of a sink since the last flush. The other sinks are flushed as well.
    pub fn flush(&self) -> io::Result<()> {
        self.sinks.flush(None).map_err(|error| {
            // Without a limit every error but that of `end_by` is a failure.
            error.into_failure().unwrap_or_else(|| io::Error::from(io::ErrorKind::TimedOut))
        })
    }

    /// Waits until all handlers have written everything that was logged before, no longer than `limit` in
    /// total. Writers of the program, see [`Handler::writer`](crate::Handler::writer), are flushed without a
    /// limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let (subscriber, logging) = ml_logging::builder().build()?;
    /// # drop(subscriber);
    /// if let Err(error) = logging.flush_within(Duration::from_secs(5)) {
    ///     for (handler, records) in error.unwritten() {
    ///         eprintln!("{handler}: {records} records are not written");
    ///     }
    /// }
    /// # Ok::<(), ml_logging::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The number of unwritten records per handler, and the first failure of a sink since the last flush.
    pub fn flush_within(&self, limit: Duration) -> Result<(), FlushError> {
        self.sinks.flush(Some(limit))
    }

    /// Sets a deadline for everything that waits for a handler, because the process is about to end.
    ///
    /// Until then a thread that finds a queue full waits as its [`Policy`](crate::Policy) defines. After the
    /// deadline, its record is lost and counted. Every flush ends at the deadline, regardless of its own limit, and
    /// its error includes the records that were lost because of the deadline. With
    /// [`Policy::Audit`](crate::Policy::Audit) a separate thread writes from this call on, so that a
    /// sink that stalls later does not hold the threads that log.
    ///
    /// The call returns at once, and also affects threads that are waiting already. Of several deadlines the
    /// earliest one applies: `end_by(Instant::now())` ends all waiting at once. Handlers of
    /// [`Handler::writer`](crate::Handler::writer) are not affected.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let (subscriber, logging) = ml_logging::builder().build()?;
    /// # drop(subscriber);
    /// // At the signal that ends the program:
    /// logging.end_by(Instant::now() + Duration::from_secs(20));
    /// // After the last request:
    /// logging.finish().ok();
    /// # Ok::<(), ml_logging::Error>(())
    /// ```
    pub fn end_by(&self, deadline: Instant) {
        self.sinks.end_by(deadline);
    }

    /// Sets a function that runs the waits of threads that log, so that a runtime can continue its other tasks.
    ///
    /// A thread that has waited for a handler for 5 ms calls the function once for the rest of the wait. The
    /// function calls its argument, which returns when the wait is over. Later calls have no effect.
    ///
    /// ```
    /// # let (subscriber, logging) = ml_logging::builder().build()?;
    /// # drop(subscriber);
    /// // With Tokio, on a worker of its multi-thread runtime: tokio::task::block_in_place(wait).
    /// logging.on_wait(|wait| wait());
    /// # Ok::<(), ml_logging::Error>(())
    /// ```
    pub fn on_wait(&self, run: fn(&mut dyn FnMut())) {
        self.sinks.on_wait(run);
    }

    /// Opens the log files again, so that a program that has renamed or removed them finds new ones.
    ///
    /// File handlers notice that before they write, too. The call also frees the space of a removed file
    /// while nothing is logged. It does not wait: a handler that is writing opens its file after that. A file
    /// that cannot be opened is reported on standard error, and the open one stays in use.
    pub fn reopen(&self) {
        self.sinks.reopen();
    }

    /// Flushes for the last time, within the configured limit. If that fails, dropping the guard does not
    /// wait again.
    ///
    /// A failure after which records were written again, such as a disk that was full for a while, is not an
    /// error here. The number of records lost by it is reported on standard error.
    ///
    /// # Errors
    ///
    /// The number of unwritten records per handler, and the failure of a sink that still fails.
    pub fn finish(&self) -> Result<(), FlushError> {
        let result = self.sinks.finish();
        self.is_given_up.store(result.is_err(), Ordering::Relaxed);
        result
    }

    /// Returns the limit of the final flush.
    pub fn flush_limit(&self) -> Duration {
        self.sinks.flush_limit()
    }

    /// Returns the counts of each handler, in the order of the configuration.
    ///
    /// ```
    /// let (subscriber, logging) = ml_logging::builder().build()?;
    /// # drop(subscriber);
    /// for counts in logging.counts() {
    ///     let gone = counts.written + counts.dropped + counts.lost;
    ///     assert_eq!(counts.accepted, gone + counts.queued);
    /// }
    /// # Ok::<(), ml_logging::Error>(())
    /// ```
    pub fn counts(&self) -> Vec<HandlerCounts> {
        self.sinks.counts().collect()
    }

    /// Returns the number of records lost because a sink failed, or because a writer logged while it wrote.
    ///
    /// A record that two handlers lose counts twice. Records that a handler has dropped by its policy are not
    /// included. The first lost record of a handler is reported on standard error.
    pub fn lost_records(&self) -> u64 {
        self.sinks.counts().map(|counts| counts.lost).sum()
    }

    /// Returns the number of spans lost because they could not be exported, or because too many waited for the
    /// export. The first lost span is reported on standard error.
    pub fn lost_spans(&self) -> u64 {
        self.sinks.lost_spans()
    }

    /// Returns the number of bytes of records in the queues.
    pub fn queued_bytes(&self) -> u64 {
        self.sinks.counts().map(|counts| counts.queued_bytes).sum()
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        if !self.levels.was_installed() {
            report_not_installed();
        }
        if !*self.is_given_up.get_mut() {
            self.sinks.finish_and_report();
        }
        self.sinks.release();
    }
}

impl fmt::Debug for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logging").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
