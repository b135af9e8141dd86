//! The layer: from `tracing`'s events and spans to records.

use std::{sync::Arc, time::SystemTime};

use tracing::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::{
    callsite::PerCallsite,
    layout::Layout,
    local::Local,
    output::Output,
    plan::Plan,
    record,
    span::{SpanFields, SpanKeys},
};

/// Writes each event as a line of JSON.
pub(crate) struct JsonLayer {
    layout: Layout,
    plans: PerCallsite<Plan>,
    span_keys: PerCallsite<SpanKeys>,
    output: Arc<Output>,
}

impl JsonLayer {
    pub(crate) fn new(layout: Layout, output: Arc<Output>) -> Self {
        Self { layout, plans: PerCallsite::new(), span_keys: PerCallsite::new(), output }
    }

    /// Writes the fields of the active spans, innermost first, but for those whose name the event
    /// or an inner span has.
    fn write_spans<S>(
        &self,
        out: &mut Vec<u8>,
        written: &mut Vec<&'static str>,
        plan: &Plan,
        event: &Event<'_>,
        context: &Context<'_, S>,
    ) where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        written.clear();
        for span in context.event_scope(event).into_iter().flatten() {
            let extensions = span.extensions();
            let Some(fields) = extensions.get::<SpanFields>() else {
                continue;
            };
            let metadata = span.metadata();
            let keys = self.span_keys.get(metadata, || SpanKeys::new(&self.layout, metadata));
            for (index, value) in fields.values() {
                let Some((name, key)) = keys.get(index) else {
                    continue;
                };
                if plan.has_field(name) || written.contains(&name) {
                    continue;
                }
                written.push(name);
                out.extend_from_slice(key);
                out.extend_from_slice(value);
            }
        }
    }
}

impl<S> Layer<S> for JsonLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.fields().is_empty() {
            return;
        }
        let fields =
            SpanFields::new(attributes.fields().len(), |visitor| attributes.record(visitor));
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        // Another layer of this kind may have been here before; its values are the same.
        if !fields.is_empty() && extensions.get_mut::<SpanFields>().is_none() {
            extensions.insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        // Rendered before the extensions are locked: a value's `Debug` may log, and would wait
        // for the lock forever.
        let later = SpanFields::new(values.len(), |visitor| values.record(visitor));
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<SpanFields>() {
            Some(fields) => *fields = fields.updated(&later),
            None => extensions.insert(later),
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut plan =
            self.plans.get(metadata, || Plan::new(&self.layout, metadata, event.is_log()));
        let mut local = Local::take();
        let Local { record, span_names, log_plan, now } = &mut *local;

        let log_metadata = if plan.is_log() { event.normalized_metadata() } else { None };
        if let Some(metadata) = &log_metadata {
            log_plan.make(&self.layout, metadata, true);
            plan = log_plan;
        }
        record.clear();
        now.clock.set(SystemTime::now());
        record::write(record, plan, now, event);
        self.write_spans(record, span_names, plan, event, &context);
        record.extend_from_slice(b"}\n");
        self.output.write(log_metadata.as_ref().unwrap_or(metadata), record);
        local.give_back();
    }
}
