//! From a line of JSON to a record of OpenTelemetry.

use std::{cell::Cell, io, time::SystemTime};

use opentelemetry::{
    Context, SpanId, TraceId,
    logs::{AnyValue, LogRecord as _, Logger as _, Severity},
};
use tracing::{Level, Metadata};

use super::{
    Exporter, Logs,
    value::{Members, Scalar, text},
};
use crate::{
    layout::{JsonLayout, Source},
    level,
    output::Sink,
};

thread_local! {
    static TIME: Cell<Option<SystemTime>> = const { Cell::new(None) };
}

/// Sets the time of the record that this thread is about to write.
pub(crate) fn set_time(time: SystemTime) {
    TIME.set(Some(time));
}

/// Hands records over to be exported.
pub(super) struct RecordSink {
    exporter: Exporter,
    keys: Keys,
}

/// Keys of a record that OpenTelemetry has a place of its own for.
struct Keys {
    message: Vec<String>,
    trace_id: Option<String>,
    span_id: Option<String>,
    /// Time, level and target, in whichever form.
    others: Vec<String>,
}

impl RecordSink {
    pub(super) fn new(exporter: Exporter, layout: &JsonLayout) -> Self {
        let mut keys = Keys {
            message: layout.unplaced_message.iter().cloned().collect(),
            trace_id: key(layout, "trace_id"),
            span_id: key(layout, "span_id"),
            others: Vec::new(),
        };
        for field in layout.context.iter().chain(&layout.tail) {
            match field.source {
                Source::Message => keys.message.push(field.key.clone()),
                Source::Asctime
                | Source::Time(_)
                | Source::Created
                | Source::Msecs
                | Source::Name
                | Source::LevelName
                | Source::LowerLevelName
                | Source::LevelNo => keys.others.push(field.key.clone()),
                _ => {}
            }
        }
        Self { exporter, keys }
    }

    fn export(&self, logs: &Logs, metadata: &Metadata<'_>, line: &[u8]) -> io::Result<()> {
        let members: Members<'_> = serde_json::from_slice(line)?;
        let mut record = logs.logger.create_log_record();
        let now = TIME.get().unwrap_or_else(SystemTime::now);
        record.set_timestamp(now);
        record.set_observed_timestamp(now);
        record.set_target(metadata.target().to_owned());
        record.set_severity_number(severity(*metadata.level()));
        record.set_severity_text(level::python(*metadata.level()).0);
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

impl Sink for RecordSink {
    fn write(&self, metadata: &Metadata<'_>, record: &[u8]) -> io::Result<()> {
        match &self.exporter.logs {
            // What the export itself logs would be exported without end.
            Some(logs) if !Context::is_current_telemetry_suppressed() => {
                self.export(logs, metadata, record)
            }
            _ => Ok(()),
        }
    }

    fn flush(&self) -> io::Result<()> {
        self.exporter.flush()
    }

    fn is_waited_for(&self) -> bool {
        false
    }

    fn lost_later(&self) -> u64 {
        self.exporter.logs.as_ref().map_or(0, |logs| logs.tally.lost())
    }

    fn lost_spans(&self) -> u64 {
        self.exporter.traces.as_ref().map_or(0, |traces| traces.tally.lost())
    }
}

/// The key that a span's field of that name gets, if it is written at all.
fn key(layout: &JsonLayout, name: &'static str) -> Option<String> {
    let mut out = Vec::new();
    layout.write_key(&mut out, layout.span_name(name)).then_some(())?;
    let key = out.strip_prefix(b",")?.strip_suffix(b":")?;
    Some(text(std::str::from_utf8(key).ok()?))
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
