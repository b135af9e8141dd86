//! Interface for exports: handlers whose sink another module provides.

use std::{ffi::OsString, sync::Arc};

use crate::{error::Error, format::JsonLayout, record::SpanObserver, sink::RecordSink};

/// Opens the sink of an export.
pub(crate) trait Export: Send {
    /// Opens the sink. `None` if the environment turns the export off.
    fn open(&self, request: ExportRequest<'_>) -> Result<Option<Exported>, Error>;
}

/// Information for opening an export.
#[allow(dead_code, reason = "only the OTLP export reads it")]
pub(crate) struct ExportRequest<'a> {
    /// Name of the handler; empty if the user has not configured one.
    pub(crate) handler: &'a str,
    /// Layout of the records.
    pub(crate) layout: &'a JsonLayout,
    /// Looks up an environment variable.
    pub(crate) environment: &'a dyn Fn(&str) -> Option<OsString>,
}

/// An open export.
pub(crate) struct Exported {
    pub(crate) sink: Arc<dyn RecordSink>,
    /// Whether the sink takes records, and not only spans.
    pub(crate) takes_records: bool,
    /// Set if spans are exported.
    pub(crate) span_observer: Option<Box<dyn SpanObserver>>,
}
