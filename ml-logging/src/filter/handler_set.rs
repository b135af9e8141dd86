//! Sets of handlers.

/// A set of handlers, by their numbers in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HandlerSet(u64);

impl HandlerSet {
    /// Largest number of handlers.
    pub(crate) const MAX: usize = u64::BITS as usize;
    pub(crate) const EMPTY: Self = Self(0);

    /// Returns the set of one handler. Its number must be less than [`MAX`](Self::MAX).
    pub(crate) fn one(number: usize) -> Self {
        Self(1 << number)
    }

    #[must_use]
    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub(crate) fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[must_use]
    pub(super) fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns whether the sets have a handler in common.
    #[inline]
    pub(crate) fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}
