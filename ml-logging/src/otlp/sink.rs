//! From the JSON of a record to a record of OpenTelemetry.

use std::{
    fmt, io,
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
    time::Instant,
};

use opentelemetry::{
    Context, SpanId, TraceId,
    logs::{AnyValue, LogRecord as _, Logger as _, Severity},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{SdkLogger, SdkLoggerProvider},
    trace::SdkTracerProvider,
};
use tracing::Level;

use super::{
    tally::{Tally, TallyCounts},
    value::{Members, Scalar},
};
use crate::{
    format::{JsonLayout, Source, level},
    sink::{
        HandlerCounts,
        record_sink::{Record, RecordSink, Unflushed},
    },
};

/// Sink that exports records.
pub(super) struct OtlpSink {
    handler: String,
    logs: Option<Logs>,
    traces: Option<Traces>,
    keys: Keys,
    level_name: fn(Level) -> &'static str,
}

/// Export of records.
pub(super) struct Logs {
    pub(super) provider: SdkLoggerProvider,
    pub(super) logger: SdkLogger,
    pub(super) tally: Arc<Tally>,
}

/// Export of spans.
pub(super) struct Traces {
    pub(super) provider: SdkTracerProvider,
    pub(super) tally: Arc<Tally>,
}

/// Keys that have a separate field in a record of OpenTelemetry.
struct Keys {
    message: Vec<String>,
    trace_id: Option<String>,
    span_id: Option<String>,
    /// Keys of time, level and target.
    others: Vec<String>,
}

impl OtlpSink {
    pub(super) fn new(
        handler: &str,
        logs: Option<Logs>,
        traces: Option<Traces>,
        layout: &JsonLayout,
    ) -> Self {
        let mut keys = Keys {
            message: layout.unplaced_message.iter().cloned().collect(),
            trace_id: span_key(layout, "trace_id"),
            span_id: span_key(layout, "span_id"),
            others: Vec::new(),
        };
        let mut level_name: fn(Level) -> &'static str = level::python_name;
        for field in layout.context.iter().chain(&layout.tail) {
            match field.source {
                Source::Message => keys.message.push(field.key.clone()),
                Source::Asctime
                | Source::Time(_)
                | Source::Created
                | Source::Msecs
                | Source::Name
                | Source::LevelName
                | Source::LevelNo => keys.others.push(field.key.clone()),
                Source::LowerLevelName => {
                    keys.others.push(field.key.clone());
                    level_name = level::lower_case_name;
                }
                _ => {}
            }
        }
        Self { handler: handler.to_owned(), logs, traces, keys, level_name }
    }

    fn export(&self, logs: &Logs, source: &Record<'_>) -> serde_json::Result<()> {
        let members: Members<'_> = serde_json::from_slice(source.bytes)?;
        let mut record = logs.logger.create_log_record();
        let level = *source.metadata.level();
        record.set_timestamp(source.time);
        record.set_observed_timestamp(source.time);
        record.set_target(source.metadata.target().to_owned());
        record.set_severity_number(severity(level));
        record.set_severity_text((self.level_name)(level));
        let (mut trace, mut span) = (None, None);
        for (key, json) in members.0 {
            let json = json.get();
            let is = |own: &Option<String>| own.as_deref() == Some(&*key);
            if is(&self.keys.trace_id)
                && let Some(id) = trace_id(json)
            {
                trace = Some(id);
            } else if is(&self.keys.span_id)
                && let Some(id) = span_id(json)
            {
                span = Some(id);
            } else if self.keys.others.iter().any(|other| *other == key) {
                continue;
            } else if let Some(value) = Scalar::read(json) {
                if self.keys.message.iter().any(|message| *message == key) {
                    record.set_body(value.into());
                } else {
                    record.add_attribute(key.into_owned(), value);
                }
            }
        }
        if let Some(trace) = trace {
            record.set_trace_context(trace, span.unwrap_or(SpanId::INVALID), None);
        }
        if logs.tally.admit() {
            logs.logger.emit(record);
        }
        Ok(())
    }
}

/// A running flush. It has a thread of its own, because the SDK takes no deadline.
struct Flush<'a> {
    tally: &'a Tally,
    lost_before: u64,
    result: Receiver<OTelSdkResult>,
}

impl<'a> Flush<'a> {
    fn start(tally: &'a Tally, flush: impl FnOnce() -> OTelSdkResult + Send + 'static) -> Self {
        let (sender, result) = mpsc::channel();
        let lost_before = tally.counts().lost;
        // Without a thread the sender is dropped, which counts as a failure.
        let _ = thread::Builder::new().spawn(move || _ = sender.send(flush()));
        Self { tally, lost_before, result }
    }

    /// Waits for the end of the flush, and describes what is not delivered.
    fn undelivered(self, deadline: Option<Instant>) -> Option<String> {
        let is_flushed = match deadline {
            None => matches!(self.result.recv(), Ok(Ok(()))),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                matches!(self.result.recv_timeout(left), Ok(Ok(())))
            }
        };
        let is_delivered = is_flushed && self.tally.counts().lost == self.lost_before;
        (!is_delivered).then(|| self.tally.undelivered(self.lost_before))
    }
}

impl RecordSink for OtlpSink {
    fn write(&self, record: &Record<'_>) {
        // Exporting the records of the export itself would not end.
        if let Some(logs) = &self.logs
            && !Context::is_current_telemetry_suppressed()
            && let Err(error) = self.export(logs, record)
        {
            self.lose(format_args!("{error}"));
        }
    }

    fn lose(&self, reason: fmt::Arguments<'_>) {
        if let Some(logs) = &self.logs {
            logs.tally.lose(1, reason);
        }
    }

    /// Waits until all records and all closed spans are delivered or lost. The time-out of a request limits
    /// the wait as well.
    fn flush(&self, deadline: Option<Instant>) -> Result<(), Unflushed> {
        let logs = self.logs.as_ref().map(|Logs { provider, tally, .. }| {
            let provider = provider.clone();
            Flush::start(tally, move || provider.force_flush())
        });
        let traces = self.traces.as_ref().map(|Traces { provider, tally }| {
            let provider = provider.clone();
            Flush::start(tally, move || provider.force_flush())
        });
        let flushes = [logs, traces].into_iter().flatten();
        let undelivered: Vec<_> = flushes.filter_map(|flush| flush.undelivered(deadline)).collect();
        if undelivered.is_empty() {
            return Ok(());
        }
        let message = format!("not delivered to the collector: {}", undelivered.join(", "));
        Err(Unflushed::Failure { error: io::Error::other(message), is_past: false })
    }

    fn counts(&self) -> HandlerCounts {
        let counts = self.logs.as_ref().map(|logs| logs.tally.counts());
        let TallyCounts { waiting, exported, lost } = counts.unwrap_or_default();
        HandlerCounts {
            handler: self.handler.clone(),
            accepted: exported + lost + waiting as u64,
            queued: waiting as u64,
            written: exported,
            lost,
            ..HandlerCounts::default()
        }
    }

    fn is_blocking(&self) -> bool {
        false
    }

    fn lost_spans(&self) -> u64 {
        self.traces.as_ref().map_or(0, |traces| traces.tally.counts().lost)
    }
}

/// Returns the key of a span's field; `None` if it is excluded.
fn span_key(layout: &JsonLayout, name: &str) -> Option<String> {
    layout.key(layout.span_name(name)).map(String::from)
}

fn trace_id(json: &str) -> Option<TraceId> {
    let digits = json.strip_prefix('"')?.strip_suffix('"').filter(|text| text.len() == 32)?;
    TraceId::from_hex(digits).ok().filter(|id| *id != TraceId::INVALID)
}

fn span_id(json: &str) -> Option<SpanId> {
    let digits = json.strip_prefix('"')?.strip_suffix('"').filter(|text| text.len() == 16)?;
    SpanId::from_hex(digits).ok().filter(|id| *id != SpanId::INVALID)
}

fn severity(level: Level) -> Severity {
    match level {
        Level::TRACE => Severity::Trace,
        Level::DEBUG => Severity::Debug,
        Level::INFO => Severity::Info,
        Level::WARN => Severity::Warn,
        Level::ERROR => Severity::Error,
    }
}

impl From<Scalar> for AnyValue {
    fn from(value: Scalar) -> Self {
        match value {
            Scalar::Bool(value) => Self::Boolean(value),
            Scalar::Integer(value) => Self::Int(value),
            Scalar::Float(value) => Self::Double(value),
            Scalar::String(value) => Self::String(value.into()),
        }
    }
}
