//! Counts around OpenTelemetry's batches: what is on its way, and what is lost.
//!
//! The SDK's processors drop what does not fit into their queue, and what cannot be exported, without
//! a word. No more is let in than fits into the queue, so that all that is lost is lost here.

use std::{
    fmt,
    io::{self, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter},
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};

/// What is on its way to the collector, and what has been lost.
#[derive(Debug)]
pub(super) struct Tally {
    handler: String,
    /// What is counted.
    thing: &'static str,
    limit: usize,
    figures: Figures,
}

#[derive(Debug, Default)]
struct Figures {
    on_the_way: AtomicUsize,
    lost: AtomicU64,
    /// Why the last request failed.
    failure: Mutex<String>,
}

impl Tally {
    pub(super) fn new(handler: &str, thing: &'static str, limit: usize) -> Arc<Self> {
        Arc::new(Self { handler: handler.to_owned(), thing, limit, figures: Figures::default() })
    }

    /// Takes one more, or counts it as lost.
    pub(super) fn admit(&self) -> bool {
        let added = |now: usize| (now < self.limit).then_some(now + 1);
        let on_the_way = &self.figures.on_the_way;
        let updated = on_the_way.fetch_update(Ordering::AcqRel, Ordering::Acquire, added);
        if updated.is_err() {
            let waiting = format_args!("{} wait for the collector already", self.limit);
            self.lose(1, waiting);
        }
        updated.is_ok()
    }

    pub(super) fn lost(&self) -> u64 {
        self.figures.lost.load(Ordering::Acquire)
    }

    /// What is not at the collector of that which was on its way when `lost` were lost.
    pub(super) fn undelivered(&self, lost: u64) -> String {
        let lost = self.lost() - lost;
        let waiting = self.figures.on_the_way.load(Ordering::Acquire);
        format!("{}s: {lost} lost, {waiting} still on their way", self.thing)
    }

    /// Keeps the reason of a failure until it is known whether it loses anything.
    pub(super) fn failed(&self, reason: &dyn fmt::Display) {
        *self.figures.failure.lock().unwrap_or_else(PoisonError::into_inner) = reason.to_string();
    }

    fn exported(&self, count: usize, result: &OTelSdkResult) {
        // Those before a success have lost nothing.
        let failure = std::mem::take(
            &mut *self.figures.failure.lock().unwrap_or_else(PoisonError::into_inner),
        );
        match result {
            Ok(()) => {}
            Err(error) if failure.is_empty() => self.lose(count as u64, format_args!("{error}")),
            Err(_) => self.lose(count as u64, format_args!("{failure}")),
        }
        // After the loss: who sees that nothing is on its way has seen all losses.
        self.figures.on_the_way.fetch_sub(count, Ordering::AcqRel);
    }

    /// Counts. The first time that is said on stderr, too.
    fn lose(&self, count: u64, reason: fmt::Arguments<'_>) {
        if self.figures.lost.fetch_add(count, Ordering::AcqRel) > 0 {
            return;
        }
        let handler = match self.handler.as_str() {
            "" => String::new(),
            name => format!(" by the handler `{name}`"),
        };
        let thing = self.thing;
        let text = format!(
            "ml-logging: {count} {thing}(s) could not be exported{handler}: {reason}; \
             further ones are only counted\n"
        );
        // Not `eprintln!`, which panics if stderr is closed.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// Counts what is exported.
#[derive(Debug)]
pub(super) struct CountedExporter<E> {
    exporter: E,
    tally: Arc<Tally>,
}

impl<E> CountedExporter<E> {
    pub(super) fn new(exporter: E, tally: Arc<Tally>) -> Self {
        Self { exporter, tally }
    }
}

impl<E: LogExporter> LogExporter for CountedExporter<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let count = batch.iter().count();
        let result = self.exporter.export(batch).await;
        self.tally.exported(count, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: SpanExporter> SpanExporter for CountedExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let result = self.exporter.export(batch).await;
        self.tally.exported(count, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Lets no more spans in than fit into the queue.
#[derive(Debug)]
pub(super) struct CountedProcessor<P> {
    processor: P,
    tally: Arc<Tally>,
}

impl<P> CountedProcessor<P> {
    pub(super) fn new(processor: P, tally: Arc<Tally>) -> Self {
        Self { processor, tally }
    }
}

impl<P: SpanProcessor> SpanProcessor for CountedProcessor<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.processor.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.tally.admit() {
            self.processor.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.processor.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.processor.set_resource(resource);
    }
}
