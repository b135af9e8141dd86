//! The record that says how many records were dropped.

use tracing::{
    Event, Level, Metadata,
    callsite::{Callsite, Identifier},
    field::{FieldSet, Value},
    metadata::Kind,
    subscriber::Interest,
};

use tracing_subscriber::{Registry, registry::SpanRef};

use crate::{formatter::Layout, local::Local, plan::Plan, record};

/// Makes that record in a handler's own format.
pub(crate) struct Notice {
    layout: Layout,
    handler: String,
}

/// Where the record comes from. It is not registered: it goes to its handler and nowhere else, so
/// there is nobody to ask whether he wants it.
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

/// It is in no span.
const OUTSIDE: Option<&SpanRef<'_, Registry>> = None;

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &METADATA
    }
}

impl Notice {
    pub(crate) fn new(layout: Layout, handler: String) -> Self {
        Self { layout, handler }
    }

    /// Hands on the record that says that so many were dropped.
    pub(crate) fn render(&self, dropped: u64, take: impl FnOnce(&[u8])) {
        let message: &dyn Value = &"Log records were dropped.";
        let values = [Some(message), Some(&dropped), Some(&self.handler)];
        let values = METADATA.fields().value_set_all(&values);
        let event = Event::new(&METADATA, &values);

        let mut local = Local::take();
        local.now.clock.set(std::time::SystemTime::now());
        match &self.layout {
            Layout::Json(layout) => {
                let plan = Plan::new(layout, &METADATA, false);
                local.record.clear();
                record::write(&mut local.record, &plan, &mut local.now, &event);
                local.record.extend_from_slice(b"}\n");
            }
            Layout::Text(layout) => layout.render(&mut local, &event, &METADATA, OUTSIDE),
        }
        take(&local.record);
        local.give_back();
    }
}
