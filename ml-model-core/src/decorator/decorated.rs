//! [`Decorated`]: a model inside one decorator.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::Schema;

use super::Decorator;
use crate::model::{Answer, MLModel, ModelMetadata, StackInfo, row_by_row};
use crate::request::Request;

/// A model inside a decorator.
///
/// It is a model itself, so that stacks nest to any depth. It derefs to the inner model. `Debug`
/// prints `Outer(Inner(Model))`.
///
/// ```
/// # use ml_model_core::{Infer, MLModel, Decorated, PredictionIdDecorator};
/// # #[derive(MLModel)]
/// # struct Double;
/// # impl Infer for Double {
/// #     type Input = f64;
/// #     type Output = f64;
/// #     type Error = std::convert::Infallible;
/// #     fn infer(&self, input: &f64) -> Result<f64, Self::Error> { Ok(2.0 * input) }
/// # }
/// let model = Decorated::new(PredictionIdDecorator, Double);
/// assert!(model.predict(1.5)?.prediction_id().is_some());
/// assert_eq!(format!("{:?}", model.decorators()), "PredictionIdDecorator(Double)");
/// # Ok::<(), ml_model_core::PredictionError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Decorated<D, M> {
    decorator: D,
    model: M,
}

impl<D: Decorator<M>, M: MLModel> Decorated<D, M> {
    /// Puts `decorator` around `model`.
    #[inline]
    pub fn new(decorator: D, model: M) -> Self {
        Self { decorator, model }
    }

    /// Returns the decorator.
    pub fn decorator(&self) -> &D {
        &self.decorator
    }

    /// Returns the model without this decorator.
    pub fn into_inner(self) -> M {
        self.model
    }
}

impl<D, M> Deref for Decorated<D, M> {
    type Target = M;

    #[inline]
    fn deref(&self) -> &M {
        &self.model
    }
}

impl<D: Decorator<M>, M: MLModel> MLModel for Decorated<D, M> {
    type Input = M::Input;
    type Output = M::Output;

    #[inline]
    fn metadata(&self) -> Cow<'_, ModelMetadata> {
        self.decorator.metadata(&self.model)
    }
    fn input_schema(&self) -> Schema {
        self.decorator.input_schema(&self.model)
    }
    fn output_schema(&self) -> Schema {
        self.decorator.output_schema(&self.model)
    }
    #[inline]
    fn call(&self, request: Request<M::Input>) -> Answer<M::Output> {
        self.decorator.call(&self.model, request)
    }
    fn call_batch(&self, requests: Vec<Request<M::Input>>) -> Vec<Answer<M::Output>> {
        if self.takes_batches() {
            self.decorator.call_batch(&self.model, requests)
        } else {
            row_by_row(requests, |request| self.call(request))
        }
    }
    fn takes_batches(&self) -> bool {
        self.decorator.takes_batches() && self.model.takes_batches()
    }
    fn stack(&self) -> StackInfo {
        let mut stack = self.model.stack();
        self.decorator.describe(&mut stack);
        stack.push_name(self.decorator.name());
        stack
    }
}

impl<D: Decorator<M>, M: MLModel> fmt::Debug for Decorated<D, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.decorators().fmt(f)
    }
}
