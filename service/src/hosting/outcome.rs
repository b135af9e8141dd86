//! The result of a call to a model, with the id under which it was recorded.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ml_model_core::{Answer, PredictionError, PredictionId, Request, Violation};

/// Reason why a call has no output.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The body breaks the input schema, or is not JSON.
    Invalid(Vec<Violation>),
    /// The model or a decorator has returned an error.
    Prediction(PredictionError),
    /// The model or a decorator has panicked.
    Panic,
    /// A decorator has returned fewer results than rows.
    MissingRow,
}

/// Result of a call.
pub(crate) struct Outcome<T> {
    pub(crate) result: Result<T, Failure>,
    pub(crate) prediction_id: Option<PredictionId>,
}

/// Facts about a request that outlive it: its outcome needs them when the call fails.
pub(super) struct PendingCall {
    prediction_id: Option<PredictionId>,
    is_valid: bool,
}

impl PendingCall {
    pub(super) fn new<I>(request: &Request<I>) -> Self {
        let is_valid = request.violations().is_empty();
        Self { prediction_id: request.prediction_id().cloned(), is_valid }
    }

    /// Ends the call with the result of the model.
    pub(super) fn finish<T>(self, result: Answer<T>) -> Outcome<T> {
        match result {
            Ok(prediction) => {
                let prediction_id = prediction.prediction_id().cloned();
                Outcome { result: Ok(prediction.into_output()), prediction_id }
            }
            Err(PredictionError::InvalidInput(violations)) if !self.is_valid => {
                self.fail(Failure::Invalid(violations))
            }
            Err(error) => self.fail(Failure::Prediction(error)),
        }
    }

    /// Ends the call without a result of the model.
    pub(super) fn fail<T>(self, failure: Failure) -> Outcome<T> {
        Outcome { result: Err(failure), prediction_id: self.prediction_id }
    }
}

/// Calls a model. A panic fails this call only, and goes to `panicked`: state that the model shares between calls is
/// behind locks, which report the panic themselves.
pub(super) fn call<I, T>(
    request: Request<I>,
    model: impl FnOnce(Request<I>) -> Answer<T>,
    panicked: impl FnOnce(&(dyn Any + Send)),
) -> Outcome<T> {
    let pending = PendingCall::new(&request);
    match catch_unwind(AssertUnwindSafe(|| model(request))) {
        Ok(result) => pending.finish(result),
        Err(panic) => {
            panicked(&*panic);
            pending.fail(Failure::Panic)
        }
    }
}
