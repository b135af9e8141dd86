//! Cache with one value per callsite.

use std::{ptr, sync::OnceLock};

use tracing::Metadata;

/// Cache with one value per callsite.
///
/// It is a hash table whose chains only grow. Lookups take no lock. Values are never removed, because the number
/// of callsites in a program is limited.
pub(crate) struct CallsiteCache<T> {
    buckets: Box<[Link<T>]>,
    /// Number of bits of a hash that are not part of the index of a bucket.
    shift: u32,
}

type Link<T> = OnceLock<Box<Node<T>>>;

struct Node<T> {
    address: usize,
    value: T,
    next: Link<T>,
}

impl<T> CallsiteCache<T> {
    /// Creates a cache for the callsites of a program.
    pub(crate) fn new() -> Self {
        Self::with_buckets(8)
    }

    /// Creates a cache for the few callsites that occur together with another one.
    pub(crate) fn small() -> Self {
        Self::with_buckets(2)
    }

    fn with_buckets(log2: u32) -> Self {
        let buckets = (0..1 << log2).map(|_| OnceLock::new()).collect();
        Self { buckets, shift: u64::BITS - log2 }
    }

    /// Returns the value of a callsite. The first call runs `make`, which must not log.
    #[inline]
    pub(crate) fn get(&self, metadata: &'static Metadata<'static>, make: impl Fn() -> T) -> &T {
        // Metadata is static, so that its address identifies the callsite.
        let address = ptr::from_ref(metadata).addr();
        let hash = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift;
        let mut link = &self.buckets[hash as usize];
        loop {
            let node = link
                .get_or_init(|| Box::new(Node { address, value: make(), next: OnceLock::new() }));
            if node.address == address {
                return &node.value;
            }
            link = &node.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use tracing::callsite::Callsite as _;

    use super::*;

    #[test]
    fn every_callsite_has_its_own_value_made_once() {
        // More than there are buckets, so that chains form.
        const CALLSITES: usize = 2000;
        let callsite = tracing::callsite! {
            name: "any",
            kind: tracing::metadata::Kind::EVENT,
            fields:
        };
        let metadata: Vec<&'static Metadata<'static>> = (0..CALLSITES)
            .map(|_| {
                let original = callsite.metadata();
                &*Box::leak(Box::new(Metadata::new(
                    original.name(),
                    original.target(),
                    *original.level(),
                    None,
                    None,
                    None,
                    tracing::field::FieldSet::new(&[], original.callsite()),
                    tracing::metadata::Kind::EVENT,
                )))
            })
            .collect();
        let made = AtomicUsize::new(0);
        let values = CallsiteCache::new();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for metadata in &metadata {
                        let address = ptr::from_ref(*metadata).addr();
                        let value = values.get(metadata, || {
                            made.fetch_add(1, Ordering::Relaxed);
                            address
                        });
                        assert_eq!(*value, address);
                    }
                });
            }
        });
        assert_eq!(made.into_inner(), CALLSITES);
    }
}
