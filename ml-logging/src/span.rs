//! The fields of spans: rendered once when the span is made, copied into each record inside it.

use tracing::{
    Metadata,
    field::{Field, Visit},
};

use crate::{
    layout::Layout,
    values::{Place, ValueWriter},
};

/// The values of a span, as JSON, in the extensions of the span. They do not depend on the format,
/// so that several layers can share them.
#[derive(Default)]
pub(crate) struct SpanFields {
    json: Vec<u8>,
    /// The index of each recorded field, ascending, and where its value begins.
    starts: Vec<(usize, usize)>,
}

impl SpanFields {
    /// Renders what `record` hands to a visitor.
    pub(crate) fn new(declared: usize, record: impl FnOnce(&mut dyn Visit)) -> Self {
        let fields = Self { json: Vec::with_capacity(48), starts: Vec::with_capacity(declared) };
        let mut writer = ValueWriter(fields);
        record(&mut writer);
        let fields = writer.0;
        if fields.starts.is_sorted_by(|left, right| left.0 < right.0) {
            fields
        } else {
            Self::default().updated(&fields)
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// These values, with the later ones in place of those of the same field.
    pub(crate) fn updated(&self, later: &Self) -> Self {
        let mut values: Vec<_> = self.values().chain(later.values()).collect();
        values.sort_by_key(|(index, _)| *index);
        let mut updated = Self::default();
        for (position, (index, json)) in values.iter().enumerate() {
            // The sort is stable: the latest value of a field is the last of its run.
            if values.get(position + 1).is_none_or(|(next, _)| next != index) {
                updated.starts.push((*index, updated.json.len()));
                updated.json.extend_from_slice(json);
            }
        }
        updated
    }

    /// The index and the value of each recorded field.
    #[inline]
    pub(crate) fn values(&self) -> impl Iterator<Item = (usize, &[u8])> {
        self.starts.iter().enumerate().map(|(position, (index, start))| {
            let end = self.starts.get(position + 1).map_or(self.json.len(), |(_, start)| *start);
            (*index, &self.json[*start..end])
        })
    }
}

impl Place for SpanFields {
    fn place(&mut self, field: &Field, quoted: bool) -> Option<&mut Vec<u8>> {
        self.starts.push((field.index(), self.json.len()));
        if quoted {
            self.json.push(b'"');
        }
        Some(&mut self.json)
    }
}

/// The keys of the fields that a span callsite declares.
pub(crate) struct SpanKeys {
    /// The name and the key as `,"key":`, by index; `None` if a later field has the same name.
    fields: Vec<Option<(&'static str, Vec<u8>)>>,
}

impl SpanKeys {
    pub(crate) fn new(layout: &Layout, metadata: &'static Metadata<'static>) -> Self {
        let names: Vec<_> = metadata.fields().iter().map(|field| field.name()).collect();
        let key = |(index, name): (usize, &&'static str)| {
            if names[index + 1..].contains(name) {
                return None;
            }
            let mut key = vec![b','];
            layout.write_key(&mut key, name);
            Some((*name, key))
        };
        Self { fields: names.iter().enumerate().map(key).collect() }
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<(&'static str, &[u8])> {
        self.fields.get(index)?.as_ref().map(|(name, key)| (*name, key.as_slice()))
    }
}
