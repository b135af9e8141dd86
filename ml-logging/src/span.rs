//! The fields of spans: rendered once when the span is made, copied into each record inside it.

use std::iter;

use tracing::{
    Metadata,
    field::{Field, Visit},
};

use crate::{
    layout::JsonLayout,
    values::{Place, ValueWriter},
};

/// The values of a span, as JSON, in the extensions of the span. They do not depend on the format,
/// so that several layers can share them.
///
/// All in one buffer, because spans are made as often as predictions: a second one would cost as
/// much as writing the values.
#[derive(Default)]
pub(crate) struct SpanFields {
    /// Of each recorded field, in ascending order, the [head](HEAD) and the value.
    buffer: Vec<u8>,
    /// Where the value of the last one begins.
    last: usize,
}

/// The index of a field and the length of its value.
const HEAD: usize = 2 * size_of::<usize>();

impl SpanFields {
    /// Renders what `record` hands to a visitor.
    pub(crate) fn new(record: impl FnOnce(&mut dyn Visit)) -> Self {
        // Room for an id.
        let mut writer = ValueWriter(Self { buffer: Vec::with_capacity(64), last: 0 });
        record(&mut writer);
        let mut fields = writer.0;
        fields.close();
        if fields.values().is_sorted_by(|left, right| left.0 < right.0) {
            fields
        } else {
            Self::default().updated(&fields)
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// These values, with the later ones in place of those of the same field.
    pub(crate) fn updated(&self, later: &Self) -> Self {
        let mut values: Vec<_> = self.values().chain(later.values()).collect();
        values.sort_by_key(|(index, _)| *index);
        let mut updated = Self::default();
        for (position, (index, json)) in values.iter().enumerate() {
            // The sort is stable: the latest value of a field is the last of its run.
            if values.get(position + 1).is_none_or(|(next, _)| next != index) {
                updated.open(*index);
                updated.buffer.extend_from_slice(json);
            }
        }
        updated.close();
        updated
    }

    /// Begins the value of a field.
    fn open(&mut self, index: usize) {
        self.close();
        self.buffer.extend_from_slice(&index.to_ne_bytes());
        self.buffer.extend_from_slice(&[0; size_of::<usize>()]);
        self.last = self.buffer.len();
    }

    /// Ends the last value: its length is known now.
    fn close(&mut self) {
        let length = self.buffer.len() - self.last;
        let place = self.last.saturating_sub(size_of::<usize>())..self.last;
        if let Some(place) = self.buffer[place].first_chunk_mut() {
            *place = length.to_ne_bytes();
        }
    }

    /// The index and the value of each recorded field.
    #[inline]
    pub(crate) fn values(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let mut rest = self.buffer.as_slice();
        iter::from_fn(move || {
            let (head, after) = rest.split_first_chunk::<HEAD>()?;
            let (index, length) = head.split_first_chunk()?;
            let length = usize::from_ne_bytes(*length.first_chunk()?);
            let (value, after) = after.split_at_checked(length)?;
            rest = after;
            Some((usize::from_ne_bytes(*index), value))
        })
    }
}

impl Place for SpanFields {
    fn place(&mut self, field: &Field, quoted: bool) -> Option<&mut Vec<u8>> {
        self.open(field.index());
        if quoted {
            self.buffer.push(b'"');
        }
        Some(&mut self.buffer)
    }
}

/// The keys of the fields that a span callsite declares.
pub(crate) struct SpanKeys {
    /// The name and the key as `,"key":`, by index; `None` if a later field has the same name, or it is left
    /// out.
    fields: Vec<Option<(&'static str, Vec<u8>)>>,
}

impl SpanKeys {
    pub(crate) fn new(layout: &JsonLayout, metadata: &'static Metadata<'static>) -> Self {
        let names: Vec<_> =
            metadata.fields().iter().map(|field| layout.span_name(field.name())).collect();
        let key = |(index, name): (usize, &&'static str)| {
            if names[index + 1..].contains(name) {
                return None;
            }
            let mut key = Vec::new();
            layout.write_key(&mut key, name).then_some((*name, key))
        };
        Self { fields: names.iter().enumerate().map(key).collect() }
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<(&'static str, &[u8])> {
        self.fields.get(index)?.as_ref().map(|(name, key)| (*name, key.as_slice()))
    }
}
