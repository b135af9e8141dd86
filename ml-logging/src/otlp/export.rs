//! Opening the export, in code and for a handler.

use std::sync::Arc;

use opentelemetry::logs::LoggerProvider as _;
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    logs::{BatchConfigBuilder as RecordBatches, BatchLogProcessor, SdkLoggerProvider},
    trace::{BatchConfigBuilder as SpanBatches, BatchSpanProcessor, SdkTracerProvider},
};

use super::{
    client::Client,
    settings::{Endpoint, Otlp},
    sink::{Logs, OtlpSink, Traces},
    spans::Spans,
    tally::{CountedExporter, CountedProcessor, Tally},
};
use crate::{
    builder::Builder,
    config::{
        Handler,
        export::{Export, ExportRequest, Exported},
    },
    error::Error,
    record::SpanObserver,
};

/// Instrumentation scope of records without a target.
const SCOPE: &str = env!("CARGO_PKG_NAME");

impl Builder {
    /// Exports all records and all spans over OTLP, in addition to the writer. By default the environment
    /// variables of OpenTelemetry decide, see [`Otlp`].
    pub fn otlp(mut self, otlp: Otlp) -> Self {
        self.export = Some(Box::new(otlp));
        self
    }
}

impl Handler {
    /// Creates a handler that exports over OTLP, with the fields that its formatter writes. The formatter must
    /// write JSON. The first such handler of a configuration also exports the spans.
    pub fn otlp(name: impl Into<String>, otlp: Otlp) -> Self {
        Self::export(name, Box::new(otlp))
    }
}

impl Export for Otlp {
    fn open(&self, request: ExportRequest<'_>) -> Result<Option<Exported>, Error> {
        let Some(endpoints) = self.endpoints(request.environment)? else { return Ok(None) };
        let handler = request.handler;
        let resource = self.resource();
        let logs = endpoints.logs.map(|endpoint| logs(&endpoint, handler, resource.clone()));
        let traces = endpoints.traces.map(|endpoint| traces(&endpoint, handler, resource));
        let (logs, traces) = (logs.transpose()?, traces.transpose()?);
        let span_observer = traces
            .as_ref()
            .map(|traces| Box::new(Spans::new(traces.provider.clone())) as Box<dyn SpanObserver>);
        let takes_records = logs.is_some();
        let sink = OtlpSink::new(handler, logs, traces, request.layout);
        Ok(Some(Exported { sink: Arc::new(sink), takes_records, span_observer }))
    }
}

fn logs(endpoint: &Endpoint, handler: &str, resource: Resource) -> Result<Logs, Error> {
    let tally = Tally::new(handler, "log record", endpoint.queue);
    let exporter = opentelemetry_otlp::LogExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&endpoint.url)
        .with_http_client(Client::new(endpoint, Arc::clone(&tally)))
        .build()
        .map_err(|error| Error::Otlp { problem: error.to_string() })?;
    let batches = RecordBatches::default().with_max_queue_size(endpoint.queue).build();
    let exporter = CountedExporter::new(exporter, Arc::clone(&tally));
    let processor = BatchLogProcessor::builder(exporter).with_batch_config(batches).build();
    let provider =
        SdkLoggerProvider::builder().with_resource(resource).with_log_processor(processor).build();
    Ok(Logs { logger: provider.logger(SCOPE), provider, tally })
}

fn traces(endpoint: &Endpoint, handler: &str, resource: Resource) -> Result<Traces, Error> {
    let tally = Tally::new(handler, "span", endpoint.queue);
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&endpoint.url)
        .with_http_client(Client::new(endpoint, Arc::clone(&tally)))
        .build()
        .map_err(|error| Error::Otlp { problem: error.to_string() })?;
    let batches = SpanBatches::default().with_max_queue_size(endpoint.queue).build();
    let exporter = CountedExporter::new(exporter, Arc::clone(&tally));
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
    let processor = CountedProcessor::new(processor, Arc::clone(&tally));
    let provider =
        SdkTracerProvider::builder().with_resource(resource).with_span_processor(processor).build();
    Ok(Traces { provider, tally })
}
