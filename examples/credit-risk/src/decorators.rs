//! Decorators of this application.

use ml_model_core::{Answer, Decorator, MLModel, PredictionError, Request, error_chain};

use crate::decision::{Class, Decision};

/// Asks another model when the decorated one fails. The records of both have the same prediction id.
#[derive(Clone, Copy, Debug)]
pub struct FallBackTo<F>(pub F);

impl<M, F> Decorator<M> for FallBackTo<F>
where
    M: MLModel<Input: Clone>,
    F: MLModel<Input = M::Input, Output = M::Output>,
{
    fn call(&self, model: &M, request: Request<M::Input>) -> Answer<M::Output> {
        match model.call(request.clone()) {
            Err(PredictionError::Model(error)) => {
                let fallback = &*self.0.qualified_name();
                tracing::warn!(fallback, error_info = %error_chain(&*error), "Falling back.");
                self.0.call(request)
            }
            // Refused inputs are refused by the other model, too.
            result => result,
        }
    }
}

/// Passes decisions to a clerk whose default probability is in a range.
#[derive(Clone, Copy, Debug)]
pub struct ReviewBetween {
    pub from: f64,
    pub to: f64,
}

impl<M: MLModel<Output = Decision>> Decorator<M> for ReviewBetween {
    fn call(&self, model: &M, request: Request<M::Input>) -> Answer<Decision> {
        let mut decision = model.call(request)?;
        if (self.from..self.to).contains(&decision.default_probability) {
            decision.class = Class::Review;
        }
        Ok(decision)
    }
}
