//! Which predictions a `logging` decorator records.

use std::time::Duration;

use xxhash_rust::xxh64::xxh64;

use crate::prediction_id::PredictionId;

/// Options `sample` and `slow` of a `logging` decorator.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sampling {
    rate: Option<f64>,
    slow: Option<Duration>,
}

impl Sampling {
    /// Records every prediction.
    #[must_use]
    pub const fn new() -> Self {
        Self { rate: None, slow: None }
    }

    /// Records this share of the predictions, above 0 and up to 1, and all failures. Predictions without an id
    /// are all recorded.
    #[must_use]
    pub const fn sample(mut self, rate: f64) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Records all predictions that take longer than `limit`, with the level WARN.
    #[must_use]
    pub const fn slow(mut self, limit: Duration) -> Self {
        self.slow = Some(limit);
        self
    }

    /// Returns whether predictions without a first record are timed.
    #[inline]
    pub(super) fn needs_clock(&self) -> bool {
        self.rate.is_some() || self.slow.is_some()
    }

    /// Returns whether the logger is sampled.
    pub(super) const fn is_sampled(&self) -> bool {
        self.rate.is_some()
    }

    #[inline]
    pub(super) fn is_slow(&self, duration: Option<Duration>) -> bool {
        matches!((self.slow, duration), (Some(limit), Some(duration)) if duration > limit)
    }

    /// Returns whether the records of a prediction are written even if it is neither slow nor fails.
    #[inline]
    pub(super) fn keeps(&self, id: Option<&PredictionId>) -> bool {
        match (self.rate, id) {
            (Some(rate), Some(id)) => share_of(id) < rate,
            _ => true,
        }
    }

    /// Returns the probability with which a record is written; `None` if the logger is not sampled. Slow
    /// predictions, failures and predictions without an id are always recorded.
    #[inline]
    pub(super) fn rate(&self, is_always_kept: bool) -> Option<f64> {
        self.rate.map(|rate| if is_always_kept { 1.0 } else { rate })
    }
}

/// Maps an id to a number from 0 to below 1. It depends on the id alone, so that all replicas and
/// decorators decide alike. Ids that a smaller sample keeps are kept by a larger one, too.
fn share_of(id: &PredictionId) -> f64 {
    const PRECISION: u32 = f64::MANTISSA_DIGITS;
    let hash = xxh64(id.as_str().as_bytes(), 0) >> (u64::BITS - PRECISION);
    hash as f64 / (1_u64 << PRECISION) as f64
}
