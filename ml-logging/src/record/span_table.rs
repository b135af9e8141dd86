//! The fields of the open spans.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tracing::span::Id;

use super::span::SpanFields;

/// Fields of the open spans that have any, by the id of the span.
///
/// As extensions of the span, they would need another look-up of the span and an allocation.
pub(crate) struct SpanTable {
    /// Spans are spread over several locks, so that threads seldom wait for each other.
    shards: [Shard; SHARDS],
}

const SHARDS: usize = 64;

/// Part of the table, in a cache line of its own.
#[derive(Default)]
#[repr(align(64))]
struct Shard(Mutex<Spans>);

type Spans = HashMap<u64, SpanFields, BuildHasherDefault<IdHasher>>;

impl SpanTable {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Shard::default()) }
    }

    fn shard(&self, id: &Id) -> MutexGuard<'_, Spans> {
        let index = hash(id.into_u64()) >> (u64::BITS - SHARDS.ilog2());
        let Shard(spans) = &self.shards[index as usize % SHARDS];
        spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, id: &Id, fields: SpanFields) {
        self.shard(id).insert(id.into_u64(), fields);
    }

    /// Replaces the values of a span by later ones.
    pub(crate) fn update(&self, id: &Id, later: SpanFields) {
        let mut shard = self.shard(id);
        let fields = shard.entry(id.into_u64()).or_default();
        *fields = fields.updated(&later);
    }

    pub(crate) fn remove(&self, id: &Id) -> Option<SpanFields> {
        self.shard(id).remove(&id.into_u64())
    }

    /// Calls a function with the fields of a span, if it has any. The function must not log.
    #[inline]
    pub(crate) fn with(&self, id: &Id, run: impl FnOnce(&SpanFields)) {
        if let Some(fields) = self.shard(id).get(&id.into_u64()) {
            run(fields);
        }
    }
}

/// Spreads ids, of which those of a thread are small numbers.
fn hash(id: u64) -> u64 {
    id.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Hasher of span ids.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("span ids are integers");
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = hash(id);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
