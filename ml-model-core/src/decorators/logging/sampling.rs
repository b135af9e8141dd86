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

    /// Decides about the records of one prediction.
    #[inline]
    pub(super) fn decide(&self, id: Option<&PredictionId>) -> Decision {
        match (self.rate, id) {
            (None, _) => Decision { is_kept: true, rate: None },
            // Without an id, replicas and decorators could not decide alike.
            (Some(_), None) => Decision { is_kept: true, rate: Some(1.0) },
            (Some(rate), Some(id)) => Decision { is_kept: share_of(id) < rate, rate: self.rate },
        }
    }
}

/// Decision about the records of one prediction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decision {
    /// Whether its records are written even if it is neither slow nor fails.
    pub(super) is_kept: bool,
    rate: Option<f64>,
}

impl Decision {
    /// Returns the probability with which a record is kept; `None` if the logger is not sampled. Slow
    /// predictions and failures are always kept.
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
