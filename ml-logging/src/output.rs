//! Where finished records go, and what becomes of those that do not get there.

use std::{
    cell::Cell,
    fmt,
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    Error, FlushError, HandlerCounts, Policy,
    counts::{Teller, say},
    destination::Destination,
    formatter::Layout,
    levels::{CurrentLevels, Levels},
    notice::Notice,
    queue::{Plan, Queue, Unflushed},
};

/// How long it is waited for records to be written when the program ends or panics, unless it says
/// otherwise.
pub(crate) const DEFAULT_FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// Takes whole records. Object-safe, unlike [`MakeWriter`], whose own boxed form allocates each
/// time.
pub(crate) trait Sink: Send + Sync {
    fn write(&self, metadata: &Metadata<'_>, record: &[u8]) -> io::Result<()>;

    fn flush(&self) -> io::Result<()>;

    /// Whether its user has chosen that the program waits for it.
    fn is_waited_for(&self) -> bool {
        true
    }

    /// How many records it has lost after it had taken them.
    fn lost_later(&self) -> u64 {
        0
    }

    /// How many spans it has lost.
    #[cfg(feature = "opentelemetry")]
    fn lost_spans(&self) -> u64 {
        0
    }
}

impl<W> Sink for W
where
    W: for<'a> MakeWriter<'a> + Send + Sync,
{
    fn write(&self, metadata: &Metadata<'_>, record: &[u8]) -> io::Result<()> {
        self.make_writer_for(metadata).write_all(record)
    }

    fn flush(&self) -> io::Result<()> {
        self.make_writer().flush()
    }
}

/// How records get to where they go.
pub(crate) enum Way {
    /// Whoever logs writes them.
    Direct(Box<dyn Sink>),
    /// Through a [`Queue`].
    Queued { destination: Box<dyn Destination>, policy: Policy, limit: usize },
}

impl Way {
    /// The output of the handler of that name, whose records have that layout.
    pub(crate) fn into_output(
        self,
        handler: String,
        layout: &Layout,
    ) -> Result<Arc<Output>, Error> {
        Ok(Arc::new(match self {
            Self::Direct(sink) => Output::Direct(Direct::new(sink, handler)),
            Self::Queued { destination, policy, limit } => {
                let notice = Notice::new(layout.clone(), handler.clone());
                let plan = Plan { handler, policy, limit, notice };
                Output::Queued(Queue::new(plan, destination)?)
            }
        }))
    }
}

/// Where the records of a handler go, with counts of what becomes of them.
pub(crate) enum Output {
    Direct(Direct),
    Queued(Queue),
}

/// A sink that the thread that logs writes to.
pub(crate) struct Direct {
    sink: Box<dyn Sink>,
    handler: String,
    figures: Figures,
    teller: Teller,
}

#[derive(Default)]
struct Figures {
    written: AtomicU64,
    lost: AtomicU64,
}

impl Direct {
    fn new(sink: Box<dyn Sink>, handler: String) -> Self {
        let teller = Teller::new(&handler);
        Self { sink, handler, figures: Figures::default(), teller }
    }

    #[cold]
    fn lose(&self, reason: fmt::Arguments<'_>) {
        self.figures.lost.fetch_add(1, Ordering::Relaxed);
        self.teller.lost(reason);
    }

    fn counts(&self) -> HandlerCounts {
        // Those that were lost on the way had been taken before.
        let lost_later = self.sink.lost_later();
        let Figures { written, lost } = &self.figures;
        let (taken, lost) = (written.load(Ordering::Relaxed), lost.load(Ordering::Relaxed));
        HandlerCounts {
            handler: self.handler.clone(),
            accepted: taken + lost,
            written: taken.saturating_sub(lost_later),
            lost: lost + lost_later.min(taken),
            ..HandlerCounts::default()
        }
    }
}

/// Those of all handlers, and how long it is waited for them in the end.
#[derive(Clone)]
pub(crate) struct Outputs {
    pub(crate) all: Arc<[Arc<Output>]>,
    pub(crate) flush_limit: Duration,
}

impl Outputs {
    fn flush(&self, limit: Option<Duration>) -> Result<(), FlushError> {
        self.flush_some(limit, |_| true)
    }

    fn flush_some(
        &self,
        limit: Option<Duration>,
        is_one: impl Fn(&Output) -> bool,
    ) -> Result<(), FlushError> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let limit = limit.unwrap_or(Duration::MAX);
        let mut error = FlushError { limit, unwritten: Vec::new(), failure: None };
        for output in self.all.iter().filter(|output| is_one(output)) {
            let failure = match &**output {
                Output::Direct(direct) => direct.sink.flush().err(),
                Output::Queued(queue) => match queue.flush(deadline) {
                    Ok(()) => None,
                    Err(Unflushed::Failure(failure)) => Some(failure),
                    Err(Unflushed::Records(records)) => {
                        error.unwritten.push((queue.handler().to_owned(), records));
                        None
                    }
                },
            };
            error.failure = error.failure.or(failure);
        }
        if error.unwritten.is_empty() && error.failure.is_none() { Ok(()) } else { Err(error) }
    }

    /// Flushes because the process may be about to end, and says on standard error what is not
    /// written.
    fn flush_at_last(&self) {
        Self::tell(self.flush(Some(self.flush_limit)));
    }

    /// Flushes as at last, all handlers or those whose policy lets the program wait, or only looks
    /// whether there is anything left. Whether all is written.
    pub(crate) fn flush_at_panic(&self, all: bool, only_look: bool) -> bool {
        let limit = if only_look { Duration::ZERO } else { self.flush_limit };
        let flushed = self.flush_some(Some(limit), |output| all || output.is_waited_for());
        let is_written = flushed.is_ok();
        if !only_look {
            Self::tell(flushed);
        }
        is_written
    }

    fn tell(flushed: Result<(), FlushError>) {
        if let Err(error) = flushed
            && !error.unwritten.is_empty()
        {
            say(format_args!("{error}"));
        }
    }

    /// How many records have been lost or dropped.
    pub(crate) fn losses(&self) -> u64 {
        self.counts().map(|counts| counts.lost + counts.dropped).sum()
    }

    fn counts(&self) -> impl Iterator<Item = HandlerCounts> {
        self.all.iter().map(|output| match &**output {
            Output::Direct(direct) => direct.counts(),
            Output::Queued(queue) => queue.counts(),
        })
    }
}

thread_local! {
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

impl Output {
    /// Writes a record in one piece, or leaves it for the thread that does. If it cannot be written
    /// it is lost and counted.
    #[inline]
    pub(crate) fn write(&self, metadata: &Metadata<'_>, record: &[u8]) {
        let Some(_writing) = Writing::begin() else { return self.refuse() };
        match self {
            Self::Direct(direct) => match direct.sink.write(metadata, record) {
                Ok(()) => _ = direct.figures.written.fetch_add(1, Ordering::Relaxed),
                Err(error) => direct.lose(format_args!("{error}")),
            },
            Self::Queued(queue) => queue.push(record),
        }
    }

    /// Whether the program waits for it if that is what it takes to lose nothing.
    fn is_waited_for(&self) -> bool {
        match self {
            Self::Direct(direct) => direct.sink.is_waited_for(),
            Self::Queued(queue) => queue.is_waited_for(),
        }
    }

    /// Loses a record that the writer itself has logged while it wrote.
    #[cold]
    fn refuse(&self) {
        let reason = format_args!("the writer itself logs while it writes");
        match self {
            Self::Direct(direct) => direct.lose(reason),
            Self::Queued(queue) => queue.refuse(reason),
        }
    }
}

/// Marks the thread as writing a record: a writer that logs would otherwise call itself without
/// end, or wait for its own lock.
pub(crate) struct Writing;

impl Writing {
    pub(crate) fn begin() -> Option<Self> {
        (!WRITING.replace(true)).then_some(Self)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        WRITING.set(false);
    }
}

/// Whether this thread is inside a writer, where a record would be lost.
pub(crate) fn is_writing() -> bool {
    WRITING.get()
}

/// A hold on the installed logging: keep it until the program ends. Dropping it flushes, within the
/// limit that [`Configuration::flush_limit`](crate::Configuration::flush_limit) or
/// [`Builder::flush_limit`](crate::Builder::flush_limit) sets, and says on standard error what is not
/// written then.
#[must_use = "the last records are flushed when this is dropped; bind it to a name in `main`"]
pub struct Logging {
    pub(crate) outputs: Outputs,
    pub(crate) levels: Arc<CurrentLevels>,
    /// It is that of the whole process, records of the `log` crate included.
    is_installed: bool,
    /// The end has been waited for already.
    is_given_up: AtomicBool,
}

impl Logging {
    pub(crate) fn new(outputs: Outputs, levels: Arc<CurrentLevels>) -> Self {
        Self { outputs, levels, is_installed: false, is_given_up: AtomicBool::new(false) }
    }

    pub(crate) fn installed(mut self) -> Self {
        self.is_installed = true;
        self
    }

    /// The levels in force: those that were [set](Self::set_levels) last, else the
    /// [initial](Self::initial_levels) ones.
    pub fn levels(&self) -> Levels {
        self.levels.get()
    }

    /// The levels with which the logging began: those of `RUST_LOG`, else those of the
    /// [`Builder`](crate::Builder) or of the loggers of the [`Configuration`](crate::Configuration).
    pub fn initial_levels(&self) -> Levels {
        self.levels.initial()
    }

    /// Replaces the levels while the program runs, as `RUST_LOG` would have at its start: where records
    /// go stays as it is, and so do the levels of handlers that let through less than the loggers
    /// would have. Records that are being logged at this moment may come under either.
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
    /// Records of the `log` crate follow if the logging was installed by `init`; with
    /// [`Builder::layer`](crate::Builder::layer), what `log::set_max_level` lets through is the program's
    /// to say. No level gets further than the features `release_max_level_*` of `tracing` let it.
    ///
    /// No record pays for this; the call itself asks again about every place in the program that logs.
    pub fn set_levels(&self, levels: Levels) {
        self.levels.set(levels, self.is_installed);
    }

    /// Waits until everything logged by now is written, by all handlers, however long that takes: with
    /// a sink that stalls, or one that fails and a handler that keeps its records, until it recovers.
    ///
    /// # Errors
    ///
    /// What the first writer has met with that has failed since the last flush; the others are
    /// flushed as well.
    pub fn flush(&self) -> io::Result<()> {
        // Without a limit nothing else can be wrong.
        self.outputs.flush(None).map_err(|error| {
            error.failure.unwrap_or_else(|| io::Error::from(io::ErrorKind::TimedOut))
        })
    }

    /// Waits until everything logged by now is written, by all handlers, no longer than `limit` for
    /// all of them together. Writers of the program's own, [`Handler::writer`](crate::Handler::writer),
    /// are flushed without a limit.
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
    /// How many records of which handlers are not written then, and what the first writer has met
    /// with that has failed since the last flush.
    pub fn flush_within(&self, limit: Duration) -> Result<(), FlushError> {
        self.outputs.flush(Some(limit))
    }

    /// Flushes for the last time, within the limit that has been configured. If that is in vain,
    /// dropping this does not wait once more.
    ///
    /// # Errors
    ///
    /// As of [`flush_within`](Self::flush_within).
    pub fn finish(&self) -> Result<(), FlushError> {
        let result = self.flush_within(self.outputs.flush_limit);
        self.is_given_up.store(result.is_err(), Ordering::Relaxed);
        result
    }

    /// What has become of the records of each handler, in the order of the configuration.
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
        self.outputs.counts().collect()
    }

    /// How many records have been lost because a writer failed, or because it was itself logging
    /// while it wrote; a record that two handlers lose counts twice. The first one that a handler
    /// lost has been reported on stderr. What a handler has dropped by its policy is not among them.
    pub fn lost_records(&self) -> u64 {
        self.outputs.counts().map(|counts| counts.lost).sum()
    }

    /// How many spans have been lost because they could not be exported, or too many waited for it.
    /// The first one has been reported on stderr.
    #[cfg(feature = "opentelemetry")]
    pub fn lost_spans(&self) -> u64 {
        let lost = |output: &Arc<Output>| match &**output {
            Output::Direct(direct) => direct.sink.lost_spans(),
            Output::Queued(_) => 0,
        };
        self.outputs.all.iter().map(lost).sum()
    }

    /// How many bytes of records are queued for their writers at this moment.
    pub fn queued_bytes(&self) -> u64 {
        self.outputs.counts().map(|counts| counts.queued_bytes).sum()
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        if !*self.is_given_up.get_mut() {
            self.outputs.flush_at_last();
        }
    }
}

impl fmt::Debug for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logging").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
