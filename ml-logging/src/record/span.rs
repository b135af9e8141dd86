//! Fields of spans: rendered when the span is created, copied into each record inside it.

use std::{cell::Cell, iter, mem};

use tracing::{
    Metadata,
    field::{Field, Visit},
};
use tracing_subscriber::registry::Extensions;

use super::{
    template::Template,
    visit::{ValueTarget, ValueWriter},
};
use crate::format::{JsonLayout, escape};

/// Values of the fields of a span or an event as JSON. They do not depend on the format, so that all groups share
/// those of a span.
///
/// All values are in one buffer, which is reused by the thread after the span is closed. An allocation would cost
/// as much as rendering an id.
#[derive(Default)]
pub(crate) struct SpanFields {
    /// [Header](HEADER) and value of each recorded field, in ascending order.
    buffer: Vec<u8>,
}

/// Size of the index of a field and the length of its value.
const HEADER: usize = 2 * size_of::<u32>();

/// Largest buffer that a thread keeps.
const MAX_KEPT: usize = 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl SpanFields {
    /// Renders the values that `record` passes to a visitor.
    #[inline(always)]
    pub(crate) fn new(record: impl FnOnce(&mut dyn Visit)) -> Self {
        // Fails if the thread is ending.
        let buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
        let mut writer = ValueWriter(FieldsWriter { buffer, ..FieldsWriter::default() });
        record(&mut writer);
        let is_unordered = writer.0.is_unordered;
        let fields = writer.0.finish();
        if is_unordered { Self::default().updated(&fields) } else { fields }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Returns the values with later ones replacing those of the same field.
    pub(crate) fn updated(&self, later: &Self) -> Self {
        let mut values: Vec<_> = self.values().chain(later.values()).collect();
        values.sort_by_key(|(index, _)| *index);
        let mut updated = FieldsWriter::default();
        for (position, (index, json)) in values.iter().enumerate() {
            // The sort is stable, so that the latest value of a field comes last.
            if values.get(position + 1).is_none_or(|(next, _)| next != index) {
                updated.open(*index);
                updated.buffer.extend_from_slice(json);
            }
        }
        updated.finish()
    }

    /// Returns the index and the value of each recorded field.
    #[inline]
    pub(crate) fn values(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut rest = self.buffer.as_slice();
        iter::from_fn(move || {
            let (header, after) = rest.split_first_chunk::<HEADER>()?;
            let (index, length) = header.split_first_chunk()?;
            let [index, length] = [*index, *length.first_chunk()?].map(u32::from_le_bytes);
            let (value, after) = after.split_at_checked(length as usize)?;
            rest = after;
            Some((index as usize, value))
        })
    }
}

impl Drop for SpanFields {
    fn drop(&mut self) {
        if (1..=MAX_KEPT).contains(&self.buffer.capacity()) {
            let mut buffer = mem::take(&mut self.buffer);
            buffer.clear();
            // Fails if the thread is ending.
            let _ = BUFFER.try_with(|kept| kept.set(buffer));
        }
    }
}

/// Writer of values, each after its [header](HEADER).
#[derive(Default)]
struct FieldsWriter {
    buffer: Vec<u8>,
    /// Start of the last value.
    last: usize,
    /// Number of the last field, from 1.
    last_number: usize,
    is_unordered: bool,
}

impl FieldsWriter {
    /// Starts the value of a field.
    fn open(&mut self, index: usize) {
        self.close();
        self.is_unordered |= index < self.last_number;
        self.last_number = index + 1;
        self.buffer.extend_from_slice(&(index as u64).to_le_bytes());
        self.last = self.buffer.len();
    }

    /// Ends the last value by storing its length.
    fn close(&mut self) {
        let length = (self.buffer.len() - self.last) as u32;
        if let Some(start) = self.last.checked_sub(size_of::<u32>())
            && let Some(header) = self.buffer[start..].first_chunk_mut()
        {
            *header = length.to_le_bytes();
        }
    }

    fn finish(mut self) -> SpanFields {
        self.close();
        SpanFields { buffer: self.buffer }
    }
}

impl ValueTarget for FieldsWriter {
    // What floats that JSON lacks become depends on the format.
    fn float(out: &mut Vec<u8>, value: f64) {
        escape::float_or_word(out, value);
    }

    #[inline]
    fn target(&mut self, field: &Field, quoted: bool) -> Option<&mut Vec<u8>> {
        self.open(field.index());
        if quoted {
            self.buffer.push(b'"');
        }
        Some(&mut self.buffer)
    }
}

/// Keys of the fields of a span callsite in the records of an event callsite.
pub(super) struct SpanKeys {
    /// Name and `,"key":` of each field; `None` if it is excluded, or if the event or a later field of the
    /// span has the same name.
    fields: Vec<Option<(&'static str, Vec<u8>)>>,
}

impl SpanKeys {
    pub(super) fn new(
        layout: &JsonLayout,
        metadata: &'static Metadata<'static>,
        event: &Template,
    ) -> Self {
        let names: Vec<_> =
            metadata.fields().iter().map(|field| layout.span_name(field.name())).collect();
        let key = |(index, name): (usize, &&'static str)| {
            if names[index + 1..].contains(name) || event.has_field(name) {
                return None;
            }
            let mut key = Vec::new();
            layout.write_key(&mut key, name).then_some((*name, key))
        };
        let mut fields: Vec<_> = names.iter().enumerate().map(key).collect();
        fields.truncate(fields.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
        Self { fields }
    }

    /// Returns whether the records contain no field of the span.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<(&'static str, &[u8])> {
        self.fields.get(index)?.as_ref().map(|(name, key)| (*name, key.as_slice()))
    }
}

/// Ids of the trace and the span that the records inside a span belong to, as hexadecimal digits. A
/// [`SpanObserver`](super::SpanObserver) stores them in the extensions of the span.
#[derive(Clone)]
pub(crate) struct TraceIds {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
}

/// Names and keys of the ids of trace and span.
pub(super) struct TraceIdKeys([(&'static str, Option<Vec<u8>>); 2]);

impl TraceIdKeys {
    pub(super) fn new(layout: &JsonLayout) -> Self {
        Self(["trace_id", "span_id"].map(|name| {
            let name = layout.span_name(name);
            let mut key = Vec::new();
            (name, layout.write_key(&mut key, name).then_some(key))
        }))
    }

    /// Writes the ids of the innermost span. Fields of spans with the same names are omitted after that.
    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        written: &mut Vec<&'static str>,
        template: &Template,
        innermost: &Extensions<'_>,
    ) {
        let Some(TraceIds { trace_id, span_id }) = innermost.get() else { return };
        for ((name, key), id) in self.0.iter().zip([trace_id, span_id]) {
            let Some(key) = key else { continue };
            if template.has_field(name) {
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
