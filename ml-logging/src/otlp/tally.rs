//! Counts around the batches of OpenTelemetry's SDK.
//!
//! The SDK silently drops what does not fit into its queue and what it cannot export. The tally admits no more than
//! the queue holds, so that every loss is counted here.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter},
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};

use crate::sink::report;

/// Counts of the records or spans of an export.
#[derive(Debug)]
pub(super) struct Tally {
    handler: String,
    /// Name of the counted items.
    unit: &'static str,
    /// Largest number of items that wait for the collector.
    limit: usize,
    counts: Mutex<TallyCounts>,
    /// Reason why the last request failed.
    failure: Mutex<String>,
}

/// Counts of one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TallyCounts {
    /// Items that wait for the collector.
    pub(super) waiting: usize,
    /// Items that the collector has taken.
    pub(super) exported: u64,
    pub(super) lost: u64,
}

impl Tally {
    pub(super) fn new(handler: &str, unit: &'static str, limit: usize) -> Arc<Self> {
        Arc::new(Self {
            handler: handler.to_owned(),
            unit,
            limit,
            counts: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, TallyCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the counts.
    pub(super) fn counts(&self) -> TallyCounts {
        *self.lock()
    }

    /// Admits one more item, or counts it as lost.
    pub(super) fn admit(&self) -> bool {
        let mut counts = self.lock();
        if counts.waiting < self.limit {
            counts.waiting += 1;
            return true;
        }
        let reason = format_args!("{} wait for the collector already", self.limit);
        self.lose_locked(counts, 1, reason);
        false
    }

    /// Describes the items that are not delivered, given the number of items lost before.
    pub(super) fn undelivered(&self, lost_before: u64) -> String {
        let TallyCounts { waiting, lost, .. } = self.counts();
        format!("{}s: {} lost, {waiting} still waiting", self.unit, lost - lost_before)
    }

    /// Stores the reason of a failed request. The exporter itself only reports that it failed.
    pub(super) fn set_failure(&self, reason: &dyn fmt::Display) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = reason.to_string();
    }

    fn finish(&self, count: usize, result: &OTelSdkResult) {
        // A failure before a successful retry has lost nothing.
        let failure = mem::take(&mut *self.failure.lock().unwrap_or_else(PoisonError::into_inner));
        let lost = match result {
            Ok(()) => None,
            Err(error) if failure.is_empty() => Some(error.to_string()),
            Err(_) => Some(failure),
        };
        let mut counts = self.lock();
        counts.waiting -= count;
        match lost {
            None => counts.exported += count as u64,
            Some(reason) => self.lose_locked(counts, count as u64, format_args!("{reason}")),
        }
    }

    /// Counts losses, and reports the first one on standard error.
    pub(super) fn lose(&self, count: u64, reason: fmt::Arguments<'_>) {
        self.lose_locked(self.lock(), count, reason);
    }

    fn lose_locked(
        &self,
        mut counts: MutexGuard<'_, TallyCounts>,
        count: u64,
        reason: fmt::Arguments<'_>,
    ) {
        let lost_before = counts.lost;
        counts.lost += count;
        drop(counts);
        if lost_before > 0 {
            return;
        }
        let by = match self.handler.as_str() {
            "" => String::new(),
            name => format!(" by the handler `{name}`"),
        };
        report(format_args!(
            "{count} {}(s) could not be exported{by}: {reason}; further ones are only counted",
            self.unit
        ));
    }
}

/// Exporter that counts what it exports.
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
        self.tally.finish(count, &result);
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
        self.tally.finish(count, &result);
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

/// Processor that admits no more spans than fit into the queue.
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
