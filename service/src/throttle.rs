//! Limits how often a record is written.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Permits an action at most once per pause.
#[derive(Debug)]
pub(crate) struct Throttle {
    pause: Duration,
    created: Instant,
    /// Time of the last permission in milliseconds after `created`; 0 before the first one.
    last_ms: AtomicU64,
}

impl Throttle {
    pub(crate) fn new(pause: Duration) -> Self {
        Self { pause, created: Instant::now(), last_ms: AtomicU64::new(0) }
    }

    /// Returns whether the action is permitted now. Of several threads at once one is.
    pub(crate) fn permits(&self) -> bool {
        self.permits_at(self.created.elapsed())
    }

    fn permits_at(&self, age: Duration) -> bool {
        let now = u64::try_from(age.as_millis()).unwrap_or(u64::MAX).max(1);
        let last = self.last_ms.load(Ordering::Relaxed);
        let is_due = last == 0 || u128::from(now.saturating_sub(last)) >= self.pause.as_millis();
        let note =
            || self.last_ms.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        is_due && note().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_permitted_once_per_pause() {
        let throttle = Throttle::new(Duration::from_secs(60));
        let permitted = [0, 1, 59_999, 60_000, 60_001, 61_000, 121_000];
        let permitted = permitted.map(|ms| throttle.permits_at(Duration::from_millis(ms)));
        assert_eq!(permitted, [true, false, false, false, true, false, true]);
    }
}
