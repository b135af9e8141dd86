//! Protection against writers that log.

use std::cell::Cell;

thread_local! {
    static IS_WRITING: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as writing a record. A writer that logs would otherwise call itself without end, or
/// wait for its own lock.
pub(super) struct WriteGuard;

impl WriteGuard {
    /// Sets the mark; `None` if it is set already.
    #[inline]
    pub(super) fn begin() -> Option<Self> {
        (!IS_WRITING.replace(true)).then_some(Self)
    }
}

impl Drop for WriteGuard {
    fn drop(&mut self) {
        IS_WRITING.set(false);
    }
}

/// Returns whether this thread is inside a sink, where a further record would be lost.
pub(crate) fn is_writing() -> bool {
    IS_WRITING.get()
}
