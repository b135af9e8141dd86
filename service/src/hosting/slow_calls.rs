//! Detection of models that should not run inline: slow ones, and ones that drive a runtime.

use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ml_model_core::{MLModel as _, RegisteredModel};

use crate::throttle::Throttle;

/// Duration from which an inline call counts as slow: the thread serves no other connection meanwhile.
const SLOW: Duration = Duration::from_millis(10);

/// Number of slow calls in a row before a warning: on a busy machine any single call may be interrupted.
const IN_A_ROW: u32 = 3;

/// Minimum time between two warnings about one model.
const PAUSE: Duration = Duration::from_secs(60);

/// Beginnings of the panics of Tokio about a call such as `block_on` on a thread of a runtime.
const BLOCKING: [&str; 2] =
    ["Cannot start a runtime from within", "Cannot block the current thread from within"];

/// Measures the inline calls of one model and logs slow ones.
#[derive(Debug)]
pub(crate) struct SlowCalls {
    in_a_row: AtomicU32,
    warnings: Throttle,
    panics: Throttle,
}

impl Default for SlowCalls {
    fn default() -> Self {
        Self {
            in_a_row: AtomicU32::new(0),
            warnings: Throttle::new(PAUSE),
            panics: Throttle::new(PAUSE),
        }
    }
}

impl SlowCalls {
    /// Calls a model on this thread. Logs a warning if it is the third slow call in a row, at most once per
    /// minute.
    pub(crate) fn watch<T>(&self, model: &RegisteredModel, call: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = call();
        let duration = started.elapsed();
        if self.is_slow(duration) && self.warnings.permits() {
            tracing::warn!(
                model_qualified_name = &*model.qualified_name(),
                duration_ms = duration.as_micros() as f64 / 1e3,
                "An inline model is slow: other requests wait for it. Configure `execution: blocking`."
            );
        }
        result
    }

    /// Logs a warning if the model has panicked because it drives a runtime on a thread of another one, at most once per
    /// minute. Only inline calls run on such a thread.
    pub(crate) fn panicked(&self, model: &RegisteredModel, panic: &(dyn Any + Send)) {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
        if BLOCKING.iter().any(|start| text.starts_with(start)) && self.panics.permits() {
            tracing::warn!(
                model_qualified_name = &*model.qualified_name(),
                "An inline model drives a runtime of its own, which panics. Remove `execution = inline` from the model, or \
                 configure `execution: blocking`."
            );
        }
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
}
