//! Records and spans over OTLP, the protocol of OpenTelemetry.
//!
//! A record goes out as the JSON that its formatter makes of it, taken apart again
//! ([`records`](self::records)): so it has the fields of the JSON line, whatever the rules for names
//! and values are. Spans are those of `tracing` ([`spans`](self::spans)). Batches, retries and the
//! encoding are those of OpenTelemetry's SDK, on threads of its own; what it would lose without a word is
//! counted around it ([`counted`](self::counted)).

mod client;
mod counted;
mod records;
mod settings;
mod spans;
mod value;

use std::{io, sync::Arc};

use opentelemetry::logs::LoggerProvider as _;
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    logs::{BatchConfigBuilder as RecordBatches, BatchLogProcessor, SdkLogger, SdkLoggerProvider},
    trace::{BatchConfigBuilder as SpanBatches, BatchSpanProcessor, SdkTracerProvider},
};

pub use self::settings::Otlp;
use self::{
    client::Client,
    counted::{CountedExporter, CountedProcessor, Tally},
    records::RecordSink,
    settings::{Signal, Target},
};
pub(crate) use self::{
    records::set_time,
    settings::check_endpoint,
    spans::{IdKeys, Spans},
};
use crate::{
    Error,
    formatter::{Formatter, Layout},
    layer::Pipes,
    output::{Output, Way},
    routes::Handlers,
};

/// What is on its way to the collector.
struct Exporter {
    logs: Option<Logs>,
    traces: Option<Traces>,
}

struct Logs {
    provider: SdkLoggerProvider,
    logger: SdkLogger,
    tally: Arc<Tally>,
}

struct Traces {
    provider: SdkTracerProvider,
    tally: Arc<Tally>,
}

impl Exporter {
    /// Waits until all that is finished is at the collector, or lost.
    fn flush(&self) -> io::Result<()> {
        let mut left = Vec::new();
        let mut flush = |tally: &Tally, flush: &dyn Fn() -> bool| {
            let before = tally.lost();
            if !flush() || tally.lost() > before {
                left.push(tally.undelivered(before));
            }
        };
        if let Some(logs) = &self.logs {
            flush(&logs.tally, &|| logs.provider.force_flush().is_ok());
        }
        if let Some(traces) = &self.traces {
            flush(&traces.tally, &|| traces.provider.force_flush().is_ok());
        }
        if left.is_empty() {
            return Ok(());
        }
        Err(io::Error::other(format!("not at the collector: {}", left.join(", "))))
    }
}

/// A handler that exports, and which records are for it.
pub(crate) struct Attached<'a> {
    /// Its name, empty if nobody has given it one.
    pub(crate) name: &'a str,
    pub(crate) handler: Handlers,
    pub(crate) formatter: Option<Formatter>,
    pub(crate) context: Vec<(String, String)>,
}

/// Adds the handler, and says how spans are exported.
///
/// # Errors
///
/// If the settings are at fault, or the formatter makes no JSON.
pub(crate) fn attach(
    otlp: &Otlp,
    environment: &dyn Fn(&str) -> Option<std::ffi::OsString>,
    handler: Attached<'_>,
    pipes: &mut Pipes,
    outputs: &mut Vec<Arc<Output>>,
) -> Result<Option<Spans>, Error> {
    let Some(targets) = otlp.targets(environment)? else { return Ok(None) };
    let Layout::Json(layout) = Formatter::layout(handler.formatter, handler.context, false)? else {
        let problem = "its formatter makes lines of text; name one that makes JSON".to_owned();
        return Err(Error::Otlp { problem });
    };
    let resource = otlp.resource();
    let logs = targets.logs.map(|target| logs(&target, handler.name, resource.clone()));
    let traces = targets.traces.map(|target| traces(&target, handler.name, resource));
    let (logs, traces) = (logs.transpose()?, traces.transpose()?);
    let spans = traces.as_ref().map(|traces| Spans::new(traces.provider.clone()));
    let has_logs = logs.is_some();
    let sink = RecordSink::new(Exporter { logs, traces }, &layout);
    let layout = Layout::Json(layout);
    let output = Way::Direct(Box::new(sink)).into_output(handler.name.to_owned(), &layout)?;
    if has_logs {
        pipes.add(layout, handler.handler, Arc::clone(&output));
    }
    outputs.push(output);
    Ok(spans)
}

fn logs(target: &Target, handler: &str, resource: Resource) -> Result<Logs, Error> {
    let tally = Tally::new(handler, "log record", target.queue);
    let exporter = opentelemetry_otlp::LogExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&target.endpoint)
        .with_http_client(Client::new(target, Arc::clone(&tally)))
        .build()
        .map_err(|error| Error::Otlp { problem: error.to_string() })?;
    let batches = RecordBatches::default().with_max_queue_size(target.queue).build();
    let exporter = CountedExporter::new(exporter, Arc::clone(&tally));
    let processor = BatchLogProcessor::builder(exporter).with_batch_config(batches).build();
    let provider =
        SdkLoggerProvider::builder().with_resource(resource).with_log_processor(processor).build();
    Ok(Logs { logger: provider.logger(Signal::Logs.scope()), provider, tally })
}

fn traces(target: &Target, handler: &str, resource: Resource) -> Result<Traces, Error> {
    let tally = Tally::new(handler, "span", target.queue);
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&target.endpoint)
        .with_http_client(Client::new(target, Arc::clone(&tally)))
        .build()
        .map_err(|error| Error::Otlp { problem: error.to_string() })?;
    let batches = SpanBatches::default().with_max_queue_size(target.queue).build();
    let exporter = CountedExporter::new(exporter, Arc::clone(&tally));
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    let processor = CountedProcessor::new(processor, Arc::clone(&tally));
    let provider =
        SdkTracerProvider::builder().with_resource(resource).with_span_processor(processor).build();
    Ok(Traces { provider, tally })
}
