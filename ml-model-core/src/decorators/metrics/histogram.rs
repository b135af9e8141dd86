//! [`Histogram`], which threads share without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Histogram of durations.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [Duration],
    /// One bucket per bound, and one for longer durations.
    buckets: Box<[AtomicU64]>,
    /// Sum in nanoseconds, which overflows after 584 years.
    sum: AtomicU64,
}

impl Histogram {
    /// Creates a histogram with one bucket per bound and one for longer durations. The bounds must
    /// ascend.
    #[must_use]
    pub fn new(bounds: &'static [Duration]) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, buckets, sum: AtomicU64::new(0) }
    }

    /// Counts a duration.
    #[inline]
    pub fn observe(&self, duration: Duration) {
        // Bounds are inclusive.
        let bucket = self.bounds.partition_point(|bound| *bound < duration);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(nanoseconds(duration), Ordering::Relaxed);
    }

    /// Returns the current counts.
    #[must_use]
    pub fn snapshot(&self) -> HistogramSnapshot {
        HistogramSnapshot {
            bounds: self.bounds,
            buckets: self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect(),
            sum: Duration::from_nanos(self.sum.load(Ordering::Relaxed)),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// The counts of a [`Histogram`] at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistogramSnapshot {
    /// Inclusive upper bounds of all buckets but the last.
    pub bounds: &'static [Duration],
    /// Number of durations in each bucket, not cumulative.
    pub buckets: Vec<u64>,
    /// Sum of all durations.
    pub sum: Duration,
}

impl HistogramSnapshot {
    /// Returns the number of durations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Returns the number of durations up to each bound, followed by the number of all durations.
    pub fn cumulative(&self) -> impl Iterator<Item = u64> {
        self.buckets.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        })
    }

    /// Adds the counts of a histogram with the same bounds.
    pub(super) fn merged(mut self, other: Self) -> Self {
        for (count, more) in self.buckets.iter_mut().zip(other.buckets) {
            *count += more;
        }
        self.sum += other.sum;
        self
    }
}
