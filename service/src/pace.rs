//! How long a model's predictions take, to choose where they run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A thread of the runtime may be away from its other connections for so long.
const QUICK: Duration = Duration::from_millis(1);

/// A moving average of the time that a model takes for one row.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// 0 as long as nothing is known.
    average_ns: AtomicU64,
}

impl Pace {
    /// Whether so many rows are expected to take less than a millisecond. Nothing is expected of a
    /// model that has not predicted yet.
    pub(crate) fn is_quick(&self, rows: usize) -> bool {
        match self.average_ns.load(Ordering::Relaxed) {
            0 => false,
            average => u128::from(average) * (rows as u128) < QUICK.as_nanos(),
        }
    }

    /// Runs and measures a prediction of so many rows.
    pub(crate) fn of<T>(&self, rows: usize, predict: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let answer = predict();
        self.took(started.elapsed(), rows);
        answer
    }

    fn took(&self, time: Duration, rows: usize) {
        let Some(row_ns) = time.as_nanos().checked_div(rows as u128) else { return };
        let row_ns = u64::try_from(row_ns).unwrap_or(u64::MAX).max(1);
        // Two threads at once may lose one of two measurements, which does no harm.
        let average = match self.average_ns.load(Ordering::Relaxed) {
            0 => row_ns,
            average => average - average / 8 + row_ns / 8,
        };
        self.average_ns.store(average.max(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_models_stay_quick_and_slow_ones_are_found_out() {
        let pace = Pace::default();
        assert!(!pace.is_quick(1));
        pace.took(Duration::from_micros(2), 1);
        assert!(pace.is_quick(1) && pace.is_quick(400) && !pace.is_quick(600));
        // One hiccup sends it to the pool, for a while.
        pace.took(Duration::from_millis(100), 1);
        assert!(!pace.is_quick(1));
        (0..40).for_each(|_| pace.took(Duration::from_micros(2), 1));
        assert!(pace.is_quick(1));
        (0..8).for_each(|_| pace.took(Duration::from_millis(3), 1));
        assert!(!pace.is_quick(1));
        pace.took(Duration::ZERO, 1);
        pace.took(Duration::MAX, 1);
        pace.took(Duration::from_secs(1), 0);
    }
}
