//! The layer: from `tracing`'s events and spans to records.

use std::{sync::Arc, time::SystemTime};

#[cfg(feature = "opentelemetry")]
use tracing::Level;
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

#[cfg(feature = "opentelemetry")]
use crate::otlp::{self, IdKeys, Spans};
use crate::{
    callsite::PerCallsite,
    formatter::Layout,
    layout::JsonLayout,
    levels::CurrentLevels,
    local::Local,
    output::Output,
    plan::Plan,
    record,
    routes::{Handlers, Routes},
    span::{SpanFields, SpanKeys},
    text::TextPipe,
};

/// Writes each event to the handlers that want it.
pub(crate) struct RecordLayer {
    first: Option<Pipe>,
    others: Vec<Pipe>,
    texts: Vec<TextPipe>,
    has_more: bool,
    routes: Routes,
    #[cfg(feature = "opentelemetry")]
    exported: Option<Spans>,
}

/// Handlers by what their records look like: those with the same layout share one rendering.
#[derive(Default)]
pub(crate) struct Pipes {
    json: Vec<Pipe>,
    text: Vec<TextPipe>,
}

impl Pipes {
    pub(crate) fn add(&mut self, layout: Layout, handler: Handlers, output: Arc<Output>) {
        match layout {
            Layout::Json(layout) => {
                let same = self.json.iter().position(|pipe| pipe.layout == layout);
                let index = same.unwrap_or_else(|| {
                    self.json.push(Pipe::new(layout));
                    self.json.len() - 1
                });
                self.json[index].add(handler, output);
            }
            Layout::Text(layout) => {
                let same = self.text.iter().position(|pipe| *pipe.layout() == layout);
                let index = same.unwrap_or_else(|| {
                    self.text.push(TextPipe::new(layout));
                    self.text.len() - 1
                });
                self.text[index].add(handler, output);
            }
        }
    }
}

/// The handlers whose records are the same JSON: each record is rendered once for all of them.
struct Pipe {
    layout: JsonLayout,
    known: Known,
    outputs: Vec<(Handlers, Arc<Output>)>,
    /// All of them.
    handlers: Handlers,
    /// If spans are exported, whose ids the records then have.
    #[cfg(feature = "opentelemetry")]
    ids: Option<IdKeys>,
}

/// What has been worked out for callsites.
struct Known {
    planned: PerCallsite<Planned>,
    span_keys: PerCallsite<SpanKeys>,
}

impl Known {
    fn new() -> Self {
        Self { planned: PerCallsite::new(), span_keys: PerCallsite::new() }
    }
}

/// What is known of the records of a callsite.
struct Planned {
    plan: Plan,
    wanted: Handlers,
}

impl Pipe {
    fn new(layout: JsonLayout) -> Self {
        Self {
            layout,
            known: Known::new(),
            outputs: Vec::new(),
            handlers: Handlers::NONE,
            #[cfg(feature = "opentelemetry")]
            ids: None,
        }
    }

    fn add(&mut self, handler: Handlers, output: Arc<Output>) {
        self.outputs.push((handler, output));
        self.handlers = self.handlers.with(handler);
    }

    /// Writes the fields of the active spans, innermost first, but for those whose name the event
    /// or an inner span has.
    // `SpanRef::scope` would look the innermost span up a second time.
    #[inline(always)]
    fn write_spans<S>(
        &self,
        known: &Known,
        out: &mut Vec<u8>,
        written: &mut Vec<&'static str>,
        plan: &Plan,
        innermost: Option<&SpanRef<'_, S>>,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let Some(innermost) = innermost else { return };
        written.clear();
        #[cfg(feature = "opentelemetry")]
        if let Some(ids) = &self.ids {
            ids.write(out, written, plan, innermost);
        }
        self.write_span(known, out, written, plan, innermost);
        let mut outer = innermost.parent();
        while let Some(span) = outer {
            self.write_span(known, out, written, plan, &span);
            outer = span.parent();
        }
    }

    fn write_span<S>(
        &self,
        known: &Known,
        out: &mut Vec<u8>,
        written: &mut Vec<&'static str>,
        plan: &Plan,
        span: &SpanRef<'_, S>,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let extensions = span.extensions();
        let Some(fields) = extensions.get::<SpanFields>() else { return };
        let metadata = span.metadata();
        let keys = known.span_keys.get(metadata, || SpanKeys::new(&self.layout, metadata));
        for (index, value) in fields.values() {
            let Some((name, key)) = keys.get(index) else { continue };
            if plan.has_field(name) || written.contains(&name) {
                continue;
            }
            written.push(name);
            out.extend_from_slice(key);
            out.extend_from_slice(value);
        }
    }
}

impl RecordLayer {
    pub(crate) fn new(pipes: Pipes, routes: Routes) -> Self {
        let (mut json, texts) = (pipes.json.into_iter(), pipes.text);
        let (first, others) = (json.next(), Vec::from_iter(json));
        let has_more = !others.is_empty() || !texts.is_empty();
        Self {
            first,
            others,
            texts,
            has_more,
            routes,
            #[cfg(feature = "opentelemetry")]
            exported: None,
        }
    }

    pub(crate) fn levels(&self) -> &CurrentLevels {
        self.routes.levels()
    }

    /// Exports the spans, too.
    #[cfg(feature = "opentelemetry")]
    #[must_use]
    pub(crate) fn exporting(mut self, spans: Option<Spans>) -> Self {
        if spans.is_some() {
            for pipe in self.first.iter_mut().chain(&mut self.others) {
                pipe.ids = Some(IdKeys::new(&pipe.layout));
            }
        }
        self.exported = spans;
        self
    }

    /// Writes a record to those handlers of a pipe that want it.
    // Inlined, and the first pipe not in a loop: usually there is one, which a loop would make pay.
    #[inline(always)]
    fn write<S>(
        &self,
        pipe: &Pipe,
        local: &mut Local,
        event: &Event<'_>,
        span: Option<&SpanRef<'_, S>>,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let metadata = event.metadata();
        let Local { record, span_names, log_plan, now } = local;
        let known = &pipe.known;
        let planned = known.planned.get(metadata, || Planned {
            plan: Plan::new(&pipe.layout, metadata, event.is_log()),
            wanted: self.routes.wanted(metadata).and(pipe.handlers),
        });
        let (mut plan, mut wanted) = (&planned.plan, planned.wanted);
        let log_metadata = if plan.is_log() { event.normalized_metadata() } else { None };
        if let Some(metadata) = &log_metadata {
            wanted = self.routes.wanted(metadata).and(pipe.handlers);
            log_plan.make(&pipe.layout, metadata, true);
            plan = log_plan;
        }
        if wanted.is_empty() {
            return;
        }
        record.clear();
        record::write(record, plan, now, event);
        pipe.write_spans(known, record, span_names, plan, span);
        record.extend_from_slice(b"}\n");
        for (handler, output) in &pipe.outputs {
            if wanted.contains(*handler) {
                output.write(log_metadata.as_ref().unwrap_or(metadata), record);
            }
        }
    }

    #[inline(never)]
    fn write_others<S>(&self, local: &mut Local, event: &Event<'_>, span: Option<&SpanRef<'_, S>>)
    where
        S: for<'a> LookupSpan<'a>,
    {
        for pipe in &self.others {
            self.write(pipe, local, event, span);
        }
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or(event.metadata());
        for pipe in &self.texts {
            pipe.write(local, event, metadata, span, self.routes.wanted(metadata));
        }
    }
}

impl<S> Layer<S> for RecordLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.levels().registered(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.routes.enabled(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.routes.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.levels().max())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        #[cfg(feature = "opentelemetry")]
        if let Some(spans) = &self.exported
            && let Some(span) = context.span(id)
        {
            spans.open(&span);
        }
        if attributes.fields().is_empty() {
            return;
        }
        let fields = SpanFields::new(|visitor| attributes.record(visitor));
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
        let later = SpanFields::new(|visitor| values.record(visitor));
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<SpanFields>() {
            Some(fields) => *fields = fields.updated(&later),
            None => extensions.insert(later),
        }
    }

    #[inline]
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut local = Local::take();
        let now = SystemTime::now();
        local.now.clock.set(now);
        let span = context.event_span(event);
        #[cfg(feature = "opentelemetry")]
        {
            otlp::set_time(now);
            if let (Some(spans), Some(span)) = (&self.exported, &span)
                && *event.metadata().level() == Level::ERROR
            {
                spans.fail(event, span);
            }
        }

        if let Some(first) = &self.first {
            self.write(first, &mut local, event, span.as_ref());
        }
        if self.has_more {
            self.write_others(&mut local, event, span.as_ref());
        }
        local.give_back();
    }

    #[cfg(feature = "opentelemetry")]
    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if let Some(spans) = &self.exported
            && let Some(span) = context.span(&id)
        {
            spans.close(&span);
        }
    }
}
