//! The layer that passes events and spans of `tracing` to the renderer.

use std::{
    ptr,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber, callsite, dispatcher,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_log::AsLog as _;
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::{
    filter::{CurrentLevels, Levels, Routes},
    record::{RenderGroups, SpanFields, SpanObserver, SpanTable, ThreadCache},
};

/// Writes each event to the handlers that receive it.
pub(crate) struct RecordLayer {
    groups: RenderGroups,
    routes: Routes,
    span_fields: SpanTable,
    span_observer: Option<Box<dyn SpanObserver>>,
}

impl RecordLayer {
    /// Creates the layer. With a span observer, records carry the ids of their trace and span.
    pub(crate) fn new(
        mut groups: RenderGroups,
        routes: Routes,
        span_observer: Option<Box<dyn SpanObserver>>,
    ) -> Self {
        if span_observer.is_some() {
            groups.show_trace_ids();
        }
        Self { groups, routes, span_fields: SpanTable::new(), span_observer }
    }

    fn levels(&self) -> &CurrentLevels {
        self.routes.levels()
    }
}

impl<S> Layer<S> for RecordLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.levels().set_subscriber(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.levels().register(metadata, self.routes.enabled(metadata))
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.routes.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.levels().max())
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(observer) = &self.span_observer
            && let Some(span) = context.span(id)
        {
            observer.open(&span);
        }
        if attributes.fields().is_empty() {
            return;
        }
        let fields = SpanFields::new(|visitor| attributes.record(visitor));
        if !fields.is_empty() {
            self.span_fields.insert(id, fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.span_fields.update(id, SpanFields::new(|visitor| values.record(visitor)));
    }

    #[inline]
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut cache = ThreadCache::take(SystemTime::now());
        let span = context.event_span(event);
        if let (Some(observer), Some(span)) = (&self.span_observer, &span)
            && *event.metadata().level() == Level::ERROR
        {
            observer.fail(event, span);
        }
        let span = span.as_ref().map(|span| (span, &self.span_fields));
        self.groups.write(&self.routes, &mut cache, event, span);
        cache.give_back();
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let fields = self.span_fields.remove(&id);
        if let Some(observer) = &self.span_observer
            && let Some(span) = context.span(&id)
        {
            observer.close(&span, fields.as_ref());
        }
    }
}

/// Replaces the levels in force, and makes `tracing` evaluate all callsites again. `is_installed` tells that
/// records of the `log` crate come to this layer.
pub(crate) fn set_levels(current: &CurrentLevels, levels: Levels, is_installed: bool) {
    // One change at a time in the whole process: the caches of the callsites belong to the process, and must
    // reflect the last change.
    static CHANGE: Mutex<()> = Mutex::new(());
    let _change = CHANGE.lock().unwrap_or_else(PoisonError::into_inner);
    current.set(levels);
    // With a single subscriber, `tracing` evaluates callsites against the default of this thread, which may
    // be another one. The default is set only then: while any thread has a default of its own, `tracing`
    // has no subscriber for records that are logged inside others.
    match current.subscriber() {
        Some(subscriber) if !dispatcher::get_default(|default| is_owner(default, current)) => {
            dispatcher::with_default(&subscriber, callsite::rebuild_interest_cache);
        }
        _ => callsite::rebuild_interest_cache(),
    }
    if is_installed {
        tracing_log::log::set_max_level(LevelFilter::current().as_log());
    }
}

/// Returns whether these are the levels of a subscriber.
fn is_owner(subscriber: &Dispatch, levels: &CurrentLevels) -> bool {
    let layer = subscriber.downcast_ref::<RecordLayer>();
    layer.is_some_and(|layer| ptr::eq(layer.levels(), levels))
}
