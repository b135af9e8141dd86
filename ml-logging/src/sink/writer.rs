//! Sink that calls a writer of the program on the thread that logs.

use std::{
    fmt,
    io::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use tracing_subscriber::fmt::MakeWriter;

use super::{
    counts::HandlerCounts,
    record_sink::{Record, RecordSink, Unflushed},
    report::LossReporter,
};

/// Makes the writers of records: a function without arguments that returns a [`Write`](std::io::Write), or another
/// [`MakeWriter`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not make writers of records",
    label = "expected a function that returns a writer",
    note = "pass a function, such as `std::io::stdout` or `move || writer.clone()`, whose result implements \
            `std::io::Write`",
    note = "for a file, write `.file(\"records.jsonl\")`"
)]
pub trait RecordWriter: for<'a> MakeWriter<'a> + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<W: for<'a> MakeWriter<'a> + Send + Sync + 'static> RecordWriter for W {}

/// Writes each record with one `write_all` before the program continues.
pub(crate) struct WriterSink<W> {
    handler: String,
    make_writer: W,
    written: AtomicU64,
    lost: AtomicU64,
    reporter: LossReporter,
}

impl<W> WriterSink<W> {
    pub(crate) fn new(handler: String, make_writer: W) -> Self {
        let reporter = LossReporter::new(&handler);
        let [written, lost] = Default::default();
        Self { handler, make_writer, written, lost, reporter }
    }
}

impl<W> RecordSink for WriterSink<W>
where
    W: RecordWriter,
{
    fn write(&self, record: &Record<'_>) {
        match self.make_writer.make_writer_for(record.metadata).write_all(record.bytes) {
            Ok(()) => _ = self.written.fetch_add(1, Ordering::Relaxed),
            Err(error) => self.lose(format_args!("{error}")),
        }
    }

    #[cold]
    fn lose(&self, reason: fmt::Arguments<'_>) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.reporter.lost(reason);
    }

    /// Flushes the writer, however long that takes.
    fn flush(&self, _: Option<Instant>) -> Result<(), Unflushed> {
        self.make_writer
            .make_writer()
            .flush()
            .map_err(|error| Unflushed::Failure { error, is_past: false })
    }

    fn counts(&self) -> HandlerCounts {
        let written = self.written.load(Ordering::Relaxed);
        let lost = self.lost.load(Ordering::Relaxed);
        HandlerCounts {
            handler: self.handler.clone(),
            accepted: written + lost,
            written,
            lost,
            ..HandlerCounts::default()
        }
    }

    fn is_blocking(&self) -> bool {
        true
    }
}
