//! Where finished records go, and what becomes of those that do not get there.

use std::{
    cell::Cell,
    fmt,
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::{Error, queue::Queue};

/// Takes whole records. Object-safe, unlike [`MakeWriter`], whose own boxed form allocates each
/// time.
pub(crate) trait Sink: Send + Sync {
    fn write(&self, metadata: &Metadata<'_>, record: &[u8]) -> io::Result<()>;

    /// Waits until everything is where it goes.
    fn flush(&self) -> io::Result<()>;

    /// How much waits to be written.
    fn queued_bytes(&self) -> u64 {
        0
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

/// Where records go, and which thread takes them there.
pub(crate) enum Destination {
    /// The one that logs.
    Direct(Box<dyn Sink>),
    /// Another one, through a [`Queue`].
    Queued(Box<dyn io::Write + Send>),
}

impl Destination {
    /// The output of the handler of that name.
    pub(crate) fn into_output(self, handler: String) -> Result<Arc<Output>, Error> {
        let loss = Loss::new(handler);
        let sink = match self {
            Self::Direct(sink) => sink,
            Self::Queued(destination) => {
                let queue = Queue::new(destination, loss.clone());
                Box::new(queue.map_err(|error| Error::Thread { problem: error.to_string() })?)
            }
        };
        Ok(Arc::new(Output { sink, loss }))
    }
}

/// A sink, and a count of the records that it has not taken.
pub(crate) struct Output {
    sink: Box<dyn Sink>,
    loss: Arc<Loss>,
}

/// The records that a handler has lost.
pub(crate) struct Loss {
    /// What the handler is called, empty if there is but one.
    handler: String,
    records: AtomicU64,
}

impl Loss {
    pub(crate) fn new(handler: String) -> Arc<Self> {
        Arc::new(Self { handler, records: AtomicU64::new(0) })
    }

    pub(crate) fn count(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Counts lost records. The first time that is said on stderr, too.
    pub(crate) fn add(&self, records: u64, reason: fmt::Arguments<'_>) {
        if self.records.fetch_add(records, Ordering::Relaxed) == 0 {
            let handler = match self.handler.as_str() {
                "" => String::new(),
                name => format!(" by the handler `{name}`"),
            };
            let text = format!(
                "ml-logging: a log record could not be written{handler}: {reason}; \
                 further ones are only counted\n"
            );
            // Not `eprintln!`, which panics if stderr is closed.
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}

/// Those of all handlers.
#[derive(Clone)]
pub(crate) struct Outputs(pub(crate) Arc<[Arc<Output>]>);

impl Outputs {
    pub(crate) fn flush(&self) -> io::Result<()> {
        let results: Vec<_> = self.0.iter().map(|output| output.flush()).collect();
        results.into_iter().collect()
    }
}

thread_local! {
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

impl Output {
    /// Writes a record in one piece. If that fails the record is lost and counted.
    pub(crate) fn write(&self, metadata: &Metadata<'_>, record: &[u8]) {
        let Some(_writing) = Writing::begin() else {
            return self.loss.add(1, format_args!("the writer itself logs while it writes"));
        };
        if let Err(error) = self.sink.write(metadata, record) {
            self.loss.add(1, format_args!("{error}"));
        }
    }

    pub(crate) fn flush(&self) -> io::Result<()> {
        self.sink.flush()
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

/// A hold on the installed logging: keep it until the program ends. Dropping it flushes.
#[must_use = "the last records are flushed when this is dropped; bind it to a name in `main`"]
pub struct Logging {
    outputs: Outputs,
}

impl Logging {
    pub(crate) fn new(outputs: Outputs) -> Self {
        Self { outputs }
    }

    /// Flushes the writers of all handlers.
    ///
    /// # Errors
    ///
    /// The first writer's that fails; the others are flushed as well.
    pub fn flush(&self) -> io::Result<()> {
        self.outputs.flush()
    }

    /// How many records have been lost because a writer failed, or because it was itself logging
    /// while it wrote; a record that two handlers lose counts twice. The first one that a handler
    /// lost has been reported on stderr.
    pub fn lost_records(&self) -> u64 {
        let lost = |output: &Output| output.loss.count() + output.sink.lost_later();
        self.outputs.0.iter().map(|output| lost(output)).sum()
    }

    /// How many spans have been lost because they could not be exported, or too many waited for it.
    /// The first one has been reported on stderr.
    #[cfg(feature = "opentelemetry")]
    pub fn lost_spans(&self) -> u64 {
        self.outputs.0.iter().map(|output| output.sink.lost_spans()).sum()
    }

    /// How many bytes of records are queued for their writers at this moment.
    pub fn queued_bytes(&self) -> u64 {
        self.outputs.0.iter().map(|output| output.sink.queued_bytes()).sum()
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.flush();
    }
}

impl fmt::Debug for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logging")
            .field("lost_records", &self.lost_records())
            .finish_non_exhaustive()
    }
}
