//! `tracing`'s spans as spans of OpenTelemetry.

use opentelemetry::{
    Context, KeyValue, Value,
    trace::{
        Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
        TracerProvider as _,
    },
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};
use tracing::Event;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::value::{Scalar, text};
use crate::{callsite::PerCallsite, layout::JsonLayout, plan::Plan, span::SpanFields};

/// Makes the spans.
pub(crate) struct Spans {
    provider: SdkTracerProvider,
    /// Whose scope is the span's target.
    tracers: PerCallsite<SdkTracer>,
}

/// A span that is not over, in the extensions of `tracing`'s.
pub(crate) struct OpenSpan {
    span: Span,
    own: SpanContext,
    /// The trace and the span that records inside are said to belong to, as hexadecimal digits: this
    /// one or, if it is not exported, the one that it is in.
    ids: Option<(String, String)>,
}

impl Spans {
    pub(super) fn new(provider: SdkTracerProvider) -> Self {
        Self { provider, tracers: PerCallsite::new() }
    }

    /// Begins a span in the one around it; in OpenTelemetry's active one if there is none.
    pub(crate) fn open<S>(&self, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        if Context::is_current_telemetry_suppressed() {
            return;
        }
        let (parent, outer) = match span.parent() {
            Some(outer) => match outer.extensions().get::<OpenSpan>() {
                Some(open) => {
                    (Context::new().with_remote_span_context(open.own.clone()), open.ids.clone())
                }
                None => (Context::current(), None),
            },
            None => (Context::current(), None),
        };
        let metadata = span.metadata();
        let tracer = self.tracers.get(metadata, || self.provider.tracer(metadata.target()));
        let around = parent.span().span_context().clone();
        let is_entry = around.is_remote();
        let kind = if is_entry { SpanKind::Server } else { SpanKind::Internal };
        let builder = SpanBuilder::from_name(metadata.name()).with_kind(kind);
        let opened = tracer.build_with_context(builder, &parent);
        let own = opened.span_context().clone();
        let ids = if opened.is_recording() {
            Some(ids(&own))
        } else {
            outer.or_else(|| around.is_valid().then(|| ids(&around)))
        };
        let mut extensions = span.extensions_mut();
        // Another layer of this kind may have been here before.
        if extensions.get_mut::<OpenSpan>().is_none() {
            extensions.insert(OpenSpan { span: opened, own, ids });
        }
    }

    /// Ends a span, with the values that it has by now.
    pub(crate) fn close<S>(&self, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        let mut extensions = span.extensions_mut();
        let Some(mut open) = extensions.remove::<OpenSpan>() else { return };
        if open.span.is_recording()
            && let Some(values) = extensions.get_mut::<SpanFields>()
        {
            let names = span.metadata().fields();
            for (index, json) in values.values() {
                let Some(field) = names.iter().nth(index) else { continue };
                if let Some(value) = std::str::from_utf8(json).ok().and_then(Scalar::read) {
                    open.span.set_attribute(KeyValue::new(field.name(), Value::from(value)));
                }
            }
        }
        drop(extensions);
        open.span.end();
    }

    /// Marks the span of an event of level ERROR as failed.
    pub(crate) fn fail<S>(&self, event: &Event<'_>, span: &SpanRef<'_, S>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        // Rendered before the extensions are locked: a value's `Debug` may log.
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
}

fn ids(context: &SpanContext) -> (String, String) {
    (context.trace_id().to_string(), context.span_id().to_string())
}

/// How a format calls the trace and the span of a record.
pub(crate) struct IdKeys([(&'static str, Option<Vec<u8>>); 2]);

impl IdKeys {
    pub(crate) fn new(layout: &JsonLayout) -> Self {
        Self(["trace_id", "span_id"].map(|name| {
            let name = layout.span_name(name);
            let mut key = Vec::new();
            (name, layout.write_key(&mut key, name).then_some(key))
        }))
    }

    /// Writes the ids of the innermost span; then none around it may have others.
    pub(crate) fn write<S>(
        &self,
        out: &mut Vec<u8>,
        written: &mut Vec<&'static str>,
        plan: &Plan,
        innermost: &SpanRef<'_, S>,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let extensions = innermost.extensions();
        let Some(OpenSpan { ids: Some((trace, span)), .. }) = extensions.get() else { return };
        for ((name, key), id) in self.0.iter().zip([trace, span]) {
            let Some(key) = key else { continue };
            if plan.has_field(name) {
                continue;
            }
            written.push(name);
            out.extend_from_slice(key);
            out.push(b'"');
            out.extend_from_slice(id.as_bytes());
            out.push(b'"');
        }
    }
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
