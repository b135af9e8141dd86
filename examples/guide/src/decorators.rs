//! Decorators of the application.

use std::sync::atomic::{AtomicUsize, Ordering};

use ml_model_core::{
    Answer, Decorator, MLModel, PredictionError, Rejection, RejectionKind, Request,
};

/// Rejects requests after a number of predictions.
#[derive(Debug)]
pub struct Quota {
    pub left: AtomicUsize,
}

impl Quota {
    pub fn new(predictions: usize) -> Self {
        Self { left: AtomicUsize::new(predictions) }
    }
}

impl<M: MLModel> Decorator<M> for Quota {
    fn call(&self, model: &M, request: Request<M::Input>) -> Answer<M::Output> {
        let take = |left: usize| left.checked_sub(1);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            let reason = "the quota of this month is used up";
            return Err(Rejection::new(RejectionKind::TooManyRequests, "QuotaError", reason).into());
        }
        model.call(request)
    }
}

/// Calls a model again after an error of its own.
#[derive(Debug)]
pub struct Retry {
    pub attempts: usize,
}

impl<M: MLModel<Input: Clone>> Decorator<M> for Retry {
    fn call(&self, model: &M, request: Request<M::Input>) -> Answer<M::Output> {
        for _ in 1..self.attempts {
            match model.call(request.clone()) {
                Err(PredictionError::Model(_)) => {}
                result => return result,
            }
        }
        model.call(request)
    }
}
