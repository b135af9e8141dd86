//! Detection of slow models that run inline.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ml_model_core::{MLModel as _, RegisteredModel};

/// Duration from which an inline call counts as slow: the thread serves no other connection meanwhile.
const SLOW: Duration = Duration::from_millis(10);

/// Number of slow calls in a row before a warning: on a busy machine any single call may be interrupted.
const IN_A_ROW: u32 = 3;

/// Minimum time between two warnings about one model.
const PAUSE: Duration = Duration::from_secs(60);

/// Measures the inline calls of one model and logs slow ones.
#[derive(Debug)]
pub(crate) struct SlowCalls {
    created: Instant,
    in_a_row: AtomicU32,
    /// Time of the last warning in milliseconds after `created`; 0 before the first one.
    warned_ms: AtomicU64,
}

impl Default for SlowCalls {
    fn default() -> Self {
        Self { created: Instant::now(), in_a_row: AtomicU32::new(0), warned_ms: AtomicU64::new(0) }
    }
}

impl SlowCalls {
    /// Calls a model on this thread. Logs a warning if it is the third slow call in a row, at most once per
    /// minute.
    pub(crate) fn watch<T>(&self, model: &RegisteredModel, call: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = call();
        let duration = started.elapsed();
        if self.is_slow(duration) && self.is_due(self.created.elapsed()) {
            tracing::warn!(
                model_qualified_name = &*model.qualified_name(),
                duration_ms = duration.as_micros() as f64 / 1e3,
                "An inline model is slow: other requests wait for it. Configure `execution: blocking`."
            );
        }
        result
    }

    /// Counts a call. Returns whether it and the two before it were slow.
    fn is_slow(&self, duration: Duration) -> bool {
        if duration >= SLOW {
            return self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= IN_A_ROW;
        }
        // Usually 0: a store would take the cache line from other threads.
        if self.in_a_row.load(Ordering::Relaxed) > 0 {
            self.in_a_row.store(0, Ordering::Relaxed);
        }
        false
    }

    /// Decides whether a warning is due at this age, and notes it as given.
    fn is_due(&self, age: Duration) -> bool {
        let now = u64::try_from(age.as_millis()).unwrap_or(u64::MAX).max(1);
        let warned = self.warned_ms.load(Ordering::Relaxed);
        let is_due = warned == 0 || u128::from(now.saturating_sub(warned)) >= PAUSE.as_millis();
        // Of several threads at once one gives the warning.
        let note =
            || self.warned_ms.compare_exchange(warned, now, Ordering::Relaxed, Ordering::Relaxed);
        is_due && note().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_slow_calls_in_a_row_are_slow() {
        let calls = SlowCalls::default();
        let slow = [10, 10, 9, 10, 10, 12, 11, 0, 10];
        let slow = slow.map(|ms| calls.is_slow(Duration::from_millis(ms)));
        assert_eq!(slow, [false, false, false, false, false, true, true, false, false]);
    }

    #[test]
    fn a_warning_is_due_once_per_minute() {
        let calls = SlowCalls::default();
        let due = [0, 1, 59_999, 60_000, 60_001, 61_000, 121_000];
        let due = due.map(|age_ms| calls.is_due(Duration::from_millis(age_ms)));
        assert_eq!(due, [true, false, false, false, true, false, true]);
    }
}
