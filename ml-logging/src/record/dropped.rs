//! The record that reports dropped records.

use std::time::SystemTime;

use tracing::{
    Event, Level, Metadata,
    callsite::{Callsite, Identifier},
    field::{FieldSet, Value},
    metadata::Kind,
    subscriber::Interest,
};
use tracing_subscriber::{Registry, registry::SpanRef};

use super::{render, span_table::SpanTable, template::Template, text, thread_cache::ThreadCache};
use crate::format::Layout;

/// Callsite of the record. It is not registered, because the record only goes to its own handler.
struct Site;

static SITE: Site = Site;

static METADATA: Metadata<'static> = Metadata::new(
    "log records dropped",
    "ml_logging",
    Level::WARN,
    Some(file!()),
    Some(line!()),
    Some(module_path!()),
    FieldSet::new(&["message", "dropped", "handler"], Identifier(&SITE)),
    Kind::EVENT,
);

const NO_SPAN: Option<(&SpanRef<'_, Registry>, &SpanTable)> = None;

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}

/// Renders the record that reports a number of dropped records, and passes it to a function.
pub(crate) fn render_dropped(
    layout: &Layout,
    handler: &str,
    dropped: u64,
    take: &mut dyn FnMut(&[u8]),
) {
    let message: &dyn Value = &"Log records were dropped.";
    let values = [Some(message), Some(&dropped), Some(&handler)];
    let values = METADATA.fields().value_set_all(&values);
    let event = Event::new(&METADATA, &values);

    let mut cache = ThreadCache::take(SystemTime::now());
    match layout {
        Layout::Json(layout) => {
            let template = Template::new(layout, &METADATA, false);
            cache.record.clear();
            render::render(&mut cache.record, &template, &mut cache.time, &event);
            cache.record.extend_from_slice(b"}\n");
        }
        Layout::Text(layout) => text::render(layout, &mut cache, &event, &METADATA, NO_SPAN),
    }
    take(&cache.record);
    cache.give_back();
}
