//! Buffer of records with their boundaries.

/// Records in one buffer.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// End of each record.
    ends: Vec<usize>,
}

impl Batch {
    #[inline]
    pub(super) fn push(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
    }

    /// Returns the number of bytes.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Empties the batch, and frees its memory if that is more than `max_kept` bytes.
    pub(super) fn clear(&mut self, max_kept: usize) {
        if self.bytes.capacity() > max_kept {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.ends.clear();
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn records(&self) -> usize {
        self.ends.len()
    }

    /// Returns the number of records that end within the first `bytes` bytes.
    pub(super) fn records_within(&self, bytes: usize) -> usize {
        self.ends.partition_point(|end| *end <= bytes)
    }

    /// Returns the start of a record.
    pub(super) fn start(&self, record: usize) -> usize {
        record.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// Returns the lengths of the records from this record on.
    pub(super) fn lengths_from(&self, record: usize) -> impl Iterator<Item = usize> {
        let starts = std::iter::once(self.start(record)).chain(self.ends[record..].iter().copied());
        self.ends[record..].iter().zip(starts).map(|(end, start)| end - start)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
