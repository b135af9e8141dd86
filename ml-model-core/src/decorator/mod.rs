//! Composition: [`Decorator`] is one layer, [`Decorated`] is a model inside a layer.

mod decorated;

use std::borrow::Cow;
use std::sync::Arc;

use schemars::Schema;

use crate::model::{Answer, MLModel, ModelMetadata, StackInfo, row_by_row, short_type_name};
use crate::request::Request;

pub use decorated::Decorated;

/// One layer around a model.
///
/// Every method delegates to the model by default. A decorator overrides the methods whose behaviour
/// it changes.
///
/// ```
/// use ml_model_core::{Decorator, MLModel, ModelMetadata};
/// use std::borrow::Cow;
///
/// /// Serves a model as a release candidate.
/// struct Candidate;
///
/// impl<M: MLModel> Decorator<M> for Candidate {
///     fn metadata<'a>(&'a self, model: &'a M) -> Cow<'a, ModelMetadata> {
///         let mut metadata = model.metadata();
///         metadata.to_mut().version.to_mut().push_str("-rc");
///         metadata
///     }
/// }
/// ```
///
/// A request is cloned to be sent more than once:
///
/// ```
/// use ml_model_core::{Answer, Decorator, MLModel, PredictionError, Request};
///
/// /// Calls a model again after an error of its own, up to three times in all.
/// struct Retry;
///
/// impl<M: MLModel<Input: Clone>> Decorator<M> for Retry {
///     fn call(&self, model: &M, request: Request<M::Input>) -> Answer<M::Output> {
///         for _ in 0..2 {
///             match model.call(request.clone()) {
///                 Err(PredictionError::Model(_)) => {}
///                 result => return result,
///             }
///         }
///         model.call(request)
///     }
/// }
/// ```
///
/// Threads share the decorators of a stack: mutable state belongs behind a lock or in atomics.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a decorator",
    label = "expected a decorator",
    note = "for a type of your own, write `impl<M: MLModel> Decorator<M> for {Self}`, not for the type of the model; for one \
            type of input, write `impl<M: MLModel<Input = ...>>`",
    note = "expected a value: a function itself is not a decorator, call one that returns a decorator, as in \
            `Cache::new()`; take the value of a `Result` or `Option`, as in `Cache::new().expect(\"reason\")`; dereference a \
            lazy static, as in `&*CACHE`"
)]
pub trait Decorator<M: MLModel>: Send + Sync {
    /// Handles one request. The default passes it to the model.
    ///
    /// # Errors
    ///
    /// See [`PredictionError`](crate::PredictionError).
    #[inline]
    fn call(&self, model: &M, request: Request<M::Input>) -> Answer<M::Output> {
        model.call(request)
    }

    /// Handles the requests of a batch together. The default handles them one by one.
    ///
    /// It is called only if both the decorator and the model [take batches](Self::takes_batches).
    fn call_batch(&self, model: &M, requests: Vec<Request<M::Input>>) -> Vec<Answer<M::Output>> {
        row_by_row(requests, |request| self.call(model, request))
    }

    /// Returns whether [`call_batch`](Self::call_batch) handles the rows of a batch together.
    ///
    /// The default is `false`. Every row then passes through [`call`](Self::call) of all decorators.
    fn takes_batches(&self) -> bool {
        false
    }

    /// Returns the metadata of the decorated model; see [`MLModel::metadata`].
    fn metadata<'a>(&'a self, model: &'a M) -> Cow<'a, ModelMetadata> {
        model.metadata()
    }

    /// Returns the input schema of the decorated model; see [`MLModel::input_schema`].
    fn input_schema(&self, model: &M) -> Schema {
        model.input_schema()
    }

    /// Returns the output schema of the decorated model; see [`MLModel::output_schema`].
    fn output_schema(&self, model: &M) -> Schema {
        model.output_schema()
    }

    /// Adds the properties of this decorator to the description of the stack inside it; see
    /// [`MLModel::stack`].
    fn describe(&self, _stack: &mut StackInfo) {}

    /// Returns the name of the decorator in the `Debug` form of a stack, by default the name of its
    /// type.
    fn name(&self) -> Cow<'static, str> {
        short_type_name::<Self>().into()
    }
}

/// Implements [`Decorator`] for a pointer to a decorator.
macro_rules! forward_decorator {
    ($pointer:ty) => {
        impl<M: MLModel, D: Decorator<M> + ?Sized> Decorator<M> for $pointer {
            #[inline]
            fn call(&self, model: &M, request: Request<M::Input>) -> Answer<M::Output> {
                (**self).call(model, request)
            }
            fn call_batch(
                &self,
                model: &M,
                requests: Vec<Request<M::Input>>,
            ) -> Vec<Answer<M::Output>> {
                (**self).call_batch(model, requests)
            }
            fn takes_batches(&self) -> bool {
                (**self).takes_batches()
            }
            fn metadata<'a>(&'a self, model: &'a M) -> Cow<'a, ModelMetadata> {
                (**self).metadata(model)
            }
            fn input_schema(&self, model: &M) -> Schema {
                (**self).input_schema(model)
            }
            fn output_schema(&self, model: &M) -> Schema {
                (**self).output_schema(model)
            }
            fn describe(&self, stack: &mut StackInfo) {
                (**self).describe(stack)
            }
            fn name(&self) -> Cow<'static, str> {
                (**self).name()
            }
        }
    };
}

forward_decorator!(&D);
forward_decorator!(Box<D>);
forward_decorator!(Arc<D>);
