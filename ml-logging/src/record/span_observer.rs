//! Interface for code that follows spans, such as an export.

use tracing::{Event, Metadata};
use tracing_subscriber::registry::{Extensions, ExtensionsMut, LookupSpan, SpanRef};

use super::span::SpanFields;

/// Is called when spans are created and closed, and when they fail.
pub(crate) trait SpanObserver: Send + Sync {
    /// Handles a new span. May insert [`TraceIds`](super::span::TraceIds) into its extensions.
    fn open(&self, span: &dyn SpanAccess);

    /// Handles an event of level ERROR inside a span.
    fn fail(&self, event: &Event<'_>, span: &dyn SpanAccess);

    /// Handles the end of a span, with the last values of its fields.
    fn close(&self, span: &dyn SpanAccess, fields: Option<&SpanFields>);
}

/// A span of any registry.
#[allow(dead_code, reason = "only the OTLP export reads it")]
pub(crate) trait SpanAccess {
    fn metadata(&self) -> &'static Metadata<'static>;

    fn extensions(&self) -> Extensions<'_>;

    fn extensions_mut(&self) -> ExtensionsMut<'_>;

    /// Calls a function with the parent, if there is one.
    fn with_parent(&self, run: &mut dyn FnMut(&dyn SpanAccess));
}

impl<S> SpanAccess for SpanRef<'_, S>
where
    S: for<'a> LookupSpan<'a>,
{
    fn metadata(&self) -> &'static Metadata<'static> {
        SpanRef::metadata(self)
    }

    fn extensions(&self) -> Extensions<'_> {
        SpanRef::extensions(self)
    }

    fn extensions_mut(&self) -> ExtensionsMut<'_> {
        SpanRef::extensions_mut(self)
    }

    fn with_parent(&self, run: &mut dyn FnMut(&dyn SpanAccess)) {
        if let Some(parent) = self.parent() {
            run(&parent);
        }
    }
}
