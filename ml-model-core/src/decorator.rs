//! Composition: [`Decorator`] is one layer, [`Decorated`] a layer around a model.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use schemars::Schema;

use crate::decorators::logging::LoggedFields;
use crate::{Answer, MLModel, Prediction, PredictionError, Request};

/// One layer around a model.
///
/// Every method passes through to the model by default, so that a decorator writes only what it
/// changes.
///
/// ```
/// use ml_model_core::{Decorator, MLModel, Prediction, PredictionError, Request};
/// use std::borrow::Cow;
///
/// /// Serves a model as a release candidate.
/// struct Candidate;
///
/// impl<M: MLModel> Decorator<M> for Candidate {
///     fn version<'a>(&'a self, model: &'a M) -> Cow<'a, str> {
///         format!("{}-rc", model.version()).into()
///     }
/// }
/// ```
///
/// A stack shares its decorators between threads: state belongs behind a lock or in atomics.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a decorator",
    label = "expected a decorator",
    note = "implement it with `impl<M: MLModel> Decorator<M> for {Self}`"
)]
pub trait Decorator<M: MLModel>: Send + Sync {
    /// Handles one request; the default passes it to the model.
    ///
    /// # Errors
    ///
    /// See [`PredictionError`].
    #[inline]
    fn call(
        &self,
        model: &M,
        request: Request<M::Input>,
    ) -> Result<Prediction<M::Output>, PredictionError> {
        model.call(request)
    }

    /// Handles several requests; the default handles them one by one.
    ///
    /// Override it together with [`takes_batches`](Self::takes_batches), or the model never sees
    /// a batch as a whole.
    fn call_batch(&self, model: &M, requests: Vec<Request<M::Input>>) -> Vec<Answer<M::Output>> {
        requests.into_iter().map(|request| self.call(model, request)).collect()
    }

    /// Whether the decorator and everything inside of it handle the rows of a batch together; by
    /// default not, so that no decorator is passed over.
    fn takes_batches(&self, _model: &M) -> bool {
        false
    }

    /// See [`MLModel::display_name`].
    fn display_name<'a>(&'a self, model: &'a M) -> Cow<'a, str> {
        model.display_name()
    }

    /// See [`MLModel::qualified_name`].
    fn qualified_name<'a>(&'a self, model: &'a M) -> Cow<'a, str> {
        model.qualified_name()
    }

    /// See [`MLModel::description`].
    fn description<'a>(&'a self, model: &'a M) -> Cow<'a, str> {
        model.description()
    }

    /// See [`MLModel::version`].
    fn version<'a>(&'a self, model: &'a M) -> Cow<'a, str> {
        model.version()
    }

    /// See [`MLModel::input_schema`].
    fn input_schema(&self, model: &M) -> Schema {
        model.input_schema()
    }

    /// See [`MLModel::output_schema`].
    fn output_schema(&self, model: &M) -> Schema {
        model.output_schema()
    }

    /// See [`MLModel::logged_fields`].
    fn logged_fields(&self, model: &M) -> LoggedFields {
        model.logged_fields()
    }

    /// Name of the decorator in the `Debug` form of a stack; by default that of its type.
    fn name(&self) -> Cow<'_, str> {
        let path = std::any::type_name::<Self>();
        let path = path.split_once('<').map_or(path, |(path, _generics)| path);
        path.rsplit_once("::").map_or(path, |(_modules, name)| name).into()
    }
}

/// Passes every call on to what a pointer points to.
macro_rules! forward_decorator {
    ($pointer:ty) => {
        impl<M: MLModel, D: Decorator<M> + ?Sized> Decorator<M> for $pointer {
            #[inline]
            fn call(
                &self,
                model: &M,
                request: Request<M::Input>,
            ) -> Result<Prediction<M::Output>, PredictionError> {
                (**self).call(model, request)
            }
            fn call_batch(
                &self,
                model: &M,
                requests: Vec<Request<M::Input>>,
            ) -> Vec<Answer<M::Output>> {
                (**self).call_batch(model, requests)
            }
            fn takes_batches(&self, model: &M) -> bool {
                (**self).takes_batches(model)
            }
            fn display_name<'a>(&'a self, model: &'a M) -> Cow<'a, str> {
                (**self).display_name(model)
            }
            fn qualified_name<'a>(&'a self, model: &'a M) -> Cow<'a, str> {
                (**self).qualified_name(model)
            }
            fn description<'a>(&'a self, model: &'a M) -> Cow<'a, str> {
                (**self).description(model)
            }
            fn version<'a>(&'a self, model: &'a M) -> Cow<'a, str> {
                (**self).version(model)
            }
            fn input_schema(&self, model: &M) -> Schema {
                (**self).input_schema(model)
            }
            fn output_schema(&self, model: &M) -> Schema {
                (**self).output_schema(model)
            }
            fn logged_fields(&self, model: &M) -> LoggedFields {
                (**self).logged_fields(model)
            }
            fn name(&self) -> Cow<'_, str> {
                (**self).name()
            }
        }
    };
}

forward_decorator!(&D);
forward_decorator!(Box<D>);
forward_decorator!(Arc<D>);

/// A model in a decorator: itself a model, so stacks nest to any depth.
///
/// Derefs to the inner model, so what the decorator does not know passes through; `Debug` prints
/// `Outer(Inner(Model))`.
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

    /// The decorator.
    pub fn decorator(&self) -> &D {
        &self.decorator
    }

    /// The model without this decorator.
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

    fn display_name(&self) -> Cow<'_, str> {
        self.decorator.display_name(&self.model)
    }
    fn qualified_name(&self) -> Cow<'_, str> {
        self.decorator.qualified_name(&self.model)
    }
    fn description(&self) -> Cow<'_, str> {
        self.decorator.description(&self.model)
    }
    fn version(&self) -> Cow<'_, str> {
        self.decorator.version(&self.model)
    }
    fn input_schema(&self) -> Schema {
        self.decorator.input_schema(&self.model)
    }
    fn output_schema(&self) -> Schema {
        self.decorator.output_schema(&self.model)
    }
    #[inline]
    fn call(&self, request: Request<M::Input>) -> Result<Prediction<M::Output>, PredictionError> {
        self.decorator.call(&self.model, request)
    }
    fn call_batch(&self, requests: Vec<Request<M::Input>>) -> Vec<Answer<M::Output>> {
        self.decorator.call_batch(&self.model, requests)
    }
    fn takes_batches(&self) -> bool {
        self.decorator.takes_batches(&self.model)
    }
    fn logged_fields(&self) -> LoggedFields {
        self.decorator.logged_fields(&self.model)
    }
    fn fmt_decorators(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", self.decorator.name(), self.model.decorators())
    }
}

impl<D: Decorator<M>, M: MLModel> fmt::Debug for Decorated<D, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_decorators(f)
    }
}
