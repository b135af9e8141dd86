//! Detection of slow models that run inline.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ml_model_core::{MLModel as _, RegisteredModel};

/// Duration from which an inline call counts as slow: the thread serves no other connection meanwhile.
const SLOW: Duration = Duration::from_millis(10);

/// Minimum time between two warnings about one model.
const PAUSE: Duration = Duration::from_secs(60);

/// Measures the inline calls of one model and logs slow ones.
#[derive(Debug)]
pub(crate) struct SlowCalls {
    created: Instant,
    /// Time of the last warning in milliseconds after `created`; 0 before the first one.
    warned_ms: AtomicU64,
}

impl Default for SlowCalls {
    fn default() -> Self {
        Self { created: Instant::now(), warned_ms: AtomicU64::new(0) }
    }
}

impl SlowCalls {
    /// Calls a model on this thread. Logs a warning if the call is slow, at most once per minute.
    pub(crate) fn watch<T>(&self, model: &RegisteredModel, call: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = call();
        let duration = started.elapsed();
        if duration >= SLOW && self.is_due(self.created.elapsed()) {
            tracing::warn!(
                model_qualified_name = &*model.qualified_name(),
                duration_ms = duration.as_micros() as f64 / 1e3,
                "An inline model is slow: other requests wait for it. Configure `execution: blocking`."
            );
        }
        result
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
    fn a_warning_is_due_once_per_minute() {
        let calls = SlowCalls::default();
        let due = [0, 1, 59_999, 60_000, 60_001, 61_000, 121_000];
        let due = due.map(|age_ms| calls.is_due(Duration::from_millis(age_ms)));
        assert_eq!(due, [true, false, false, false, true, false, true]);
    }
}
