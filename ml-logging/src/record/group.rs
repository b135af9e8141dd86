//! Handlers that share a layout.

use std::sync::Arc;

use tracing::{Event, Metadata};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::{
    callsite_cache::CallsiteCache,
    limit, render,
    span::{SpanKeys, TraceIdKeys},
    span_table::SpanTable,
    template::Template,
    text,
    thread_cache::ThreadCache,
};
use crate::{
    filter::{HandlerSet, Routes},
    format::{JsonLayout, Layout, TextLayout, escape},
    sink::{self, Record, RecordSink},
};

/// All handlers, grouped by layout. Each event is rendered once per group.
#[derive(Default)]
pub(crate) struct RenderGroups {
    json: Vec<JsonGroup>,
    text: Vec<TextGroup>,
}

/// Handlers with the same JSON layout and limit.
struct JsonGroup {
    layout: JsonLayout,
    /// Maximum length of a record.
    limit: usize,
    templates: CallsiteCache<CallsiteTemplate>,
    sinks: Sinks,
    /// Set if records carry the ids of their trace and span.
    trace_id_keys: Option<TraceIdKeys>,
}

/// What is known about the records of a callsite.
struct CallsiteTemplate {
    template: Template,
    handlers: HandlerSet,
    /// Keys of the fields of the spans around the event.
    span_keys: CallsiteCache<SpanKeys>,
}

/// Handlers with the same layout of text and limit.
struct TextGroup {
    layout: TextLayout,
    /// Maximum length of a line.
    limit: usize,
    sinks: Sinks,
}

/// Sinks of a group.
struct Sinks {
    sinks: Vec<(HandlerSet, Arc<dyn RecordSink>)>,
    handlers: HandlerSet,
}

impl RenderGroups {
    /// Adds a handler to the group with its layout and its limit for the length of a record.
    pub(crate) fn add(
        &mut self,
        (layout, limit): (Layout, usize),
        handler: HandlerSet,
        sink: Arc<dyn RecordSink>,
    ) {
        let sinks = match layout {
            Layout::Json(layout) => {
                let is_same = |group: &JsonGroup| group.layout == layout && group.limit == limit;
                let same = self.json.iter().position(is_same);
                let index = same.unwrap_or_else(|| {
                    self.json.push(JsonGroup::new(layout, limit));
                    self.json.len() - 1
                });
                &mut self.json[index].sinks
            }
            Layout::Text(layout) => {
                let is_same = |group: &TextGroup| group.layout == layout && group.limit == limit;
                let same = self.text.iter().position(is_same);
                let index = same.unwrap_or_else(|| {
                    self.text.push(TextGroup { layout, limit, sinks: Sinks::new() });
                    self.text.len() - 1
                });
                &mut self.text[index].sinks
            }
        };
        sinks.add(handler, sink);
    }

    /// Makes JSON records carry the [`TraceIds`](super::span::TraceIds) of their span.
    pub(crate) fn show_trace_ids(&mut self) {
        for group in &mut self.json {
            group.trace_id_keys = Some(TraceIdKeys::new(&group.layout));
        }
    }

    /// Renders an event for each group, and writes it to the handlers that `routes` selects.
    #[inline(always)]
    pub(crate) fn write<S>(
        &self,
        routes: &Routes,
        cache: &mut ThreadCache,
        event: &Event<'_>,
        span: Option<(&SpanRef<'_, S>, &SpanTable)>,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        for group in &self.json {
            group.write(routes, cache, event, span);
        }
        if !self.text.is_empty() {
            self.write_text(routes, cache, event, span);
        }
    }

    #[inline(never)]
    fn write_text<S>(
        &self,
        routes: &Routes,
        cache: &mut ThreadCache,
        event: &Event<'_>,
        span: Option<(&SpanRef<'_, S>, &SpanTable)>,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or(event.metadata());
        let handlers = routes.handlers_for(metadata);
        for group in &self.text {
            let handlers = handlers.intersection(group.sinks.handlers);
            if !handlers.is_empty() {
                text::render(&group.layout, cache, event, metadata, span);
                // A cut could leave the colours of a terminal changed.
                if cache.record.len() > group.limit && !group.layout.color {
                    limit::cut_line(&mut cache.record, group.limit);
                }
                group.sinks.write(handlers, metadata, cache);
            }
        }
    }
}

impl Sinks {
    fn new() -> Self {
        Self { sinks: Vec::new(), handlers: HandlerSet::EMPTY }
    }

    fn add(&mut self, handler: HandlerSet, sink: Arc<dyn RecordSink>) {
        self.sinks.push((handler, sink));
        self.handlers = self.handlers.union(handler);
    }

    /// Writes the record in the thread's cache to the sinks of these handlers.
    #[inline(always)]
    fn write(&self, handlers: HandlerSet, metadata: &Metadata<'_>, cache: &ThreadCache) {
        let record = Record { metadata, time: cache.time.now(), bytes: &cache.record };
        for (handler, sink) in &self.sinks {
            if handlers.intersects(*handler) {
                sink::write(&**sink, &record);
            }
        }
    }
}

impl JsonGroup {
    fn new(layout: JsonLayout, limit: usize) -> Self {
        Self {
            layout,
            limit,
            templates: CallsiteCache::new(),
            sinks: Sinks::new(),
            trace_id_keys: None,
        }
    }

    #[inline(never)]
    fn write<S>(
        &self,
        routes: &Routes,
        cache: &mut ThreadCache,
        event: &Event<'_>,
        span: Option<(&SpanRef<'_, S>, &SpanTable)>,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let metadata = event.metadata();
        let cached = self.templates.get(metadata, || CallsiteTemplate {
            template: Template::new(&self.layout, metadata, event.is_log()),
            handlers: routes.handlers_for(metadata).intersection(self.sinks.handlers),
            span_keys: CallsiteCache::small(),
        });
        let ThreadCache { record, span_names, log_template, time } = cache;
        let (mut template, mut handlers) = (&cached.template, cached.handlers);
        let log_metadata = if template.is_log() { event.normalized_metadata() } else { None };
        if let Some(metadata) = &log_metadata {
            handlers = routes.handlers_for(metadata).intersection(self.sinks.handlers);
            log_template.rebuild(&self.layout, metadata, true);
            template = log_template;
        }
        if handlers.is_empty() {
            return;
        }
        record.clear();
        render::render(record, template, time, event);
        self.write_spans(record, span_names, cached, span);
        record.extend_from_slice(b"}\n");
        if record.len() > self.limit {
            limit::cut_json(record, self.limit);
        }
        self.sinks.write(handlers, log_metadata.as_ref().unwrap_or(metadata), cache);
    }

    /// Writes the fields of the active spans, innermost first. A field is omitted if the event or an inner
    /// span has one of the same name.
    // `SpanRef::scope` would look up the innermost span a second time.
    #[inline(always)]
    fn write_spans<S>(
        &self,
        out: &mut Vec<u8>,
        written: &mut Vec<&'static str>,
        callsite: &CallsiteTemplate,
        span: Option<(&SpanRef<'_, S>, &SpanTable)>,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let Some((innermost, fields)) = span else { return };
        written.clear();
        if let Some(keys) = &self.trace_id_keys {
            keys.write(out, written, &callsite.template, &innermost.extensions());
        }
        self.write_span(out, written, callsite, innermost, fields);
        let mut outer = innermost.parent();
        while let Some(span) = outer {
            self.write_span(out, written, callsite, &span, fields);
            outer = span.parent();
        }
    }

    #[inline]
    fn write_span<S>(
        &self,
        out: &mut Vec<u8>,
        written: &mut Vec<&'static str>,
        callsite: &CallsiteTemplate,
        span: &SpanRef<'_, S>,
        fields: &SpanTable,
    ) where
        S: for<'a> LookupSpan<'a>,
    {
        let metadata = span.metadata();
        let new_keys = || SpanKeys::new(&self.layout, metadata, &callsite.template);
        let keys = callsite.span_keys.get(metadata, new_keys);
        // The records of a prediction have the id that is the only field of its span.
        if keys.is_empty() {
            return;
        }
        fields.with(&span.id(), |fields| {
            for (index, value) in fields.values() {
                let Some((name, key)) = keys.get(index) else { continue };
                if written.contains(&name) {
                    continue;
                }
                written.push(name);
                out.extend_from_slice(key);
                out.extend_from_slice(match escape::missing_float(value) {
                    None => value,
                    Some(_) if self.layout.has_null_floats() => b"null",
                    Some(text) => text,
                });
            }
        });
    }
}
