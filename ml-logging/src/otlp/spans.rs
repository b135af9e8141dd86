//! Spans of `tracing` as spans of OpenTelemetry.

use opentelemetry::{
    Context, KeyValue, Value,
    trace::{
        Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
        TracerProvider as _,
    },
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};
use tracing::Event;

use super::value::{Scalar, text};
use crate::record::{
    callsite_cache::CallsiteCache,
    span::{SpanFields, TraceIds},
    span_observer::{SpanAccess, SpanObserver},
};

/// Exports spans.
pub(super) struct Spans {
    provider: SdkTracerProvider,
    /// Tracers whose scope is the target of the span.
    tracers: CallsiteCache<SdkTracer>,
}

/// A span that is not closed yet, in the extensions of the `tracing` span.
struct OpenSpan {
    span: Span,
    context: SpanContext,
}

impl Spans {
    pub(super) fn new(provider: SdkTracerProvider) -> Self {
        Self { provider, tracers: CallsiteCache::new() }
    }
}

impl SpanObserver for Spans {
    /// Starts a span. Its parent is the parent in `tracing`, or the active span of OpenTelemetry.
    fn open(&self, span: &dyn SpanAccess) {
        if Context::is_current_telemetry_suppressed() {
            return;
        }
        let mut outer = None;
        span.with_parent(&mut |parent| {
            let extensions = parent.extensions();
            if let Some(open) = extensions.get::<OpenSpan>() {
                outer = Some((open.context.clone(), extensions.get::<TraceIds>().cloned()));
            }
        });
        let (parent, outer_ids) = match outer {
            Some((context, ids)) => (Context::new().with_remote_span_context(context), ids),
            None => (Context::current(), None),
        };
        let metadata = span.metadata();
        let tracer = self.tracers.get(metadata, || self.provider.tracer(metadata.target()));
        let around = parent.span().span_context().clone();
        let kind = if around.is_remote() { SpanKind::Server } else { SpanKind::Internal };
        let builder = SpanBuilder::from_name(metadata.name()).with_kind(kind);
        let opened = tracer.build_with_context(builder, &parent);
        let context = opened.span_context().clone();
        // Records in a span that is not exported carry the ids of the span around it.
        let ids = if opened.is_recording() {
            Some(ids(&context))
        } else {
            outer_ids.or_else(|| around.is_valid().then(|| ids(&around)))
        };
        let mut extensions = span.extensions_mut();
        // Another layer of this type may have opened the span already.
        if extensions.get_mut::<OpenSpan>().is_none() {
            extensions.insert(OpenSpan { span: opened, context });
            if let Some(ids) = ids {
                extensions.insert(ids);
            }
        }
    }

    /// Marks the span as failed.
    fn fail(&self, event: &Event<'_>, span: &dyn SpanAccess) {
        // Rendered before the extensions are locked: the `Debug` implementation of a value may log.
        let values = SpanFields::new(|visitor| event.record(visitor));
        let value = |name: &str| {
            let field = event.metadata().fields().field(name)?;
            let (_, json) = values.values().find(|(index, _)| *index == field.index())?;
            std::str::from_utf8(json).ok().map(text)
        };
        let reason = value("error_info").or_else(|| value("message")).unwrap_or_default();
        if let Some(open) = span.extensions_mut().get_mut::<OpenSpan>() {
            open.span.set_status(Status::error(reason));
        }
    }

    /// Ends the span with the last values of its fields.
    fn close(&self, span: &dyn SpanAccess, fields: Option<&SpanFields>) {
        let Some(mut open) = span.extensions_mut().remove::<OpenSpan>() else { return };
        if open.span.is_recording()
            && let Some(values) = fields
        {
            let names = span.metadata().fields();
            for (index, json) in values.values() {
                let Some(field) = names.iter().nth(index) else { continue };
                if let Some(value) = std::str::from_utf8(json).ok().and_then(Scalar::read) {
                    open.span.set_attribute(KeyValue::new(field.name(), Value::from(value)));
                }
            }
        }
        open.span.end();
    }
}

fn ids(context: &SpanContext) -> TraceIds {
    TraceIds { trace_id: context.trace_id().to_string(), span_id: context.span_id().to_string() }
}

impl From<Scalar> for Value {
    fn from(value: Scalar) -> Self {
        match value {
            Scalar::Bool(value) => Self::Bool(value),
            Scalar::Integer(value) => Self::I64(value),
            Scalar::Float(value) => Self::F64(value),
            Scalar::String(value) => Self::String(value.into()),
        }
    }
}
