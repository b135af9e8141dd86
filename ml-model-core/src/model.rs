//! What a model is: [`Infer`] is written by the user, [`MLModel`] is derived.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::decorators::logging::LoggedFields;
use crate::{Context, Prediction, PredictionError, Request};

/// The model itself: from one input to one output.
///
/// Written by hand; `#[derive(MLModel)]` builds everything else on it.
#[diagnostic::on_unimplemented(
    message = "the model `{Self}` does not implement `Infer`",
    label = "this model has no `infer` method yet",
    note = "`#[derive(MLModel)]` decorates what `Infer` computes: write `impl Infer for {Self}` \
            with `Input`, `Output`, `Error` and `fn infer`"
)]
pub trait Infer: Send + Sync {
    /// What the model predicts from. Its doc comments and `#[schemars(...)]` attributes become
    /// the input schema.
    type Input: JsonSchema;
    /// What the model predicts.
    type Output: JsonSchema;
    /// Why the model can fail. [`std::convert::Infallible`] if it cannot.
    type Error: Error + Send + Sync + 'static;

    /// Makes one prediction.
    ///
    /// # Errors
    ///
    /// Whatever the model reports; callers of [`MLModel::predict`] see it as
    /// [`PredictionError::Model`].
    fn infer(&self, input: &Self::Input) -> Result<Self::Output, Self::Error>;

    /// Makes one prediction, knowing the call's metadata: its prediction id and whatever a
    /// decorator has left in the [`Context`].
    ///
    /// Override it only if the model wants them; the default calls [`infer`](Self::infer).
    ///
    /// # Errors
    ///
    /// As [`infer`](Self::infer).
    #[inline]
    fn infer_with(
        &self,
        input: &Self::Input,
        _context: &Context,
    ) -> Result<Self::Output, Self::Error> {
        self.infer(input)
    }

    /// Makes many predictions at once, for models that do that faster than one by one.
    ///
    /// Whether it is overridden is found out by calling it with no rows. The default says `None`:
    /// a batch is then predicted row by row through [`infer_with`](Self::infer_with).
    ///
    /// ```
    /// # use ml_model_core::{Context, Infer, MLModel};
    /// # #[derive(MLModel)]
    /// # struct Sum;
    /// # impl Infer for Sum {
    /// #     type Input = Vec<f64>;
    /// #     type Output = f64;
    /// #     type Error = std::convert::Infallible;
    /// #     fn infer(&self, input: &Vec<f64>) -> Result<f64, Self::Error> { Ok(input.iter().sum()) }
    /// fn infer_batch(&self, rows: &[(Self::Input, Context)]) -> Option<Vec<Result<f64, Self::Error>>> {
    ///     Some(rows.iter().map(|(input, _context)| Ok(input.iter().sum())).collect())
    /// }
    /// # }
    /// # assert!(Sum.takes_batches());
    /// ```
    ///
    /// # Errors
    ///
    /// As [`infer`](Self::infer), one result per row and in the order of the rows.
    fn infer_batch(
        &self,
        _rows: &[(Self::Input, Context)],
    ) -> Option<Vec<Result<Self::Output, Self::Error>>> {
        None
    }
}

/// What becomes of one request.
pub type Answer<O> = Result<Prediction<O>, PredictionError>;

/// A decorated model with its metadata.
///
/// Derived for a user's model by `#[derive(MLModel)]`, implemented by [`Decorated`] for every stack
/// of decorators, and usable as `dyn MLModel<Input = _, Output = _>`.
///
/// [`Decorated`]: crate::Decorated
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an ML model",
    note = "add `#[derive(MLModel)]` to the struct and write `impl Infer for` it"
)]
pub trait MLModel: Send + Sync {
    /// What the model predicts from.
    type Input;
    /// What the model predicts.
    type Output;

    /// Name for people, such as `Insurance Charges Model`.
    fn display_name(&self) -> Cow<'_, str>;

    /// Name for programs, unique in a service, such as `insurance_charges_model`.
    fn qualified_name(&self) -> Cow<'_, str>;

    /// What the model does, in a sentence.
    fn description(&self) -> Cow<'_, str>;

    /// Version of the model, by default that of its crate.
    fn version(&self) -> Cow<'_, str>;

    /// JSON Schema (2020-12) of what [`predict`](Self::predict) accepts.
    fn input_schema(&self) -> Schema;

    /// JSON Schema (2020-12) of what [`predict`](Self::predict) returns.
    fn output_schema(&self) -> Schema;

    /// Sends one request through the decorators to the model.
    ///
    /// [`predict`](Self::predict) is the convenient way to call it.
    ///
    /// # Errors
    ///
    /// See [`PredictionError`].
    fn call(
        &self,
        request: Request<Self::Input>,
    ) -> Result<Prediction<Self::Output>, PredictionError>;

    /// Sends several requests through the decorators to the model and returns an answer for
    /// each, in their order. Row by row, unless the model [takes batches](Self::takes_batches).
    fn call_batch(&self, requests: Vec<Request<Self::Input>>) -> Vec<Answer<Self::Output>> {
        requests.into_iter().map(|request| self.call(request)).collect()
    }

    /// Whether the model and all its decorators handle the rows of a batch together.
    fn takes_batches(&self) -> bool {
        false
    }

    /// Fields of input and output that the records of the stack's `logging` decorators hold. Generated
    /// and configured stacks know them; by default there are none.
    fn logged_fields(&self) -> LoggedFields {
        LoggedFields::default()
    }

    /// Writes the stack as `Outer(Inner(Model))`.
    ///
    /// # Errors
    ///
    /// Only those of the formatter.
    fn fmt_decorators(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Makes one prediction. Takes an input, or a [`Request`] that carries metadata beside it.
    ///
    /// # Errors
    ///
    /// See [`PredictionError`].
    #[inline]
    fn predict(
        &self,
        request: impl Into<Request<Self::Input>>,
    ) -> Result<Prediction<Self::Output>, PredictionError>
    where
        Self: Sized,
    {
        self.call(request.into())
    }

    /// The stack of decorators, for `{:?}`: prints as `Outer(Inner(Model))`.
    fn decorators(&self) -> impl fmt::Debug + '_
    where
        Self: Sized,
    {
        fmt::from_fn(|f| self.fmt_decorators(f))
    }
}

/// Passes every call on to what a pointer points to.
macro_rules! forward_model {
    ($pointer:ty) => {
        impl<M: MLModel + ?Sized> MLModel for $pointer {
            type Input = M::Input;
            type Output = M::Output;

            fn display_name(&self) -> Cow<'_, str> {
                (**self).display_name()
            }
            fn qualified_name(&self) -> Cow<'_, str> {
                (**self).qualified_name()
            }
            fn description(&self) -> Cow<'_, str> {
                (**self).description()
            }
            fn version(&self) -> Cow<'_, str> {
                (**self).version()
            }
            fn input_schema(&self) -> Schema {
                (**self).input_schema()
            }
            fn output_schema(&self) -> Schema {
                (**self).output_schema()
            }
            #[inline]
            fn call(
                &self,
                request: Request<Self::Input>,
            ) -> Result<Prediction<Self::Output>, PredictionError> {
                (**self).call(request)
            }
            fn call_batch(&self, requests: Vec<Request<Self::Input>>) -> Vec<Answer<Self::Output>> {
                (**self).call_batch(requests)
            }
            fn takes_batches(&self) -> bool {
                (**self).takes_batches()
            }
            fn logged_fields(&self) -> LoggedFields {
                (**self).logged_fields()
            }
            fn fmt_decorators(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt_decorators(f)
            }
        }
    };
}

forward_model!(&M);
forward_model!(Box<M>);
forward_model!(Arc<M>);

/// The metadata of one model, as the derive found it on the struct.
#[derive(Debug)]
pub struct Metadata {
    /// Name of the struct.
    pub type_name: &'static str,
    /// See [`MLModel::display_name`].
    pub display_name: &'static str,
    /// See [`MLModel::qualified_name`].
    pub qualified_name: &'static str,
    /// See [`MLModel::description`].
    pub description: &'static str,
    /// See [`MLModel::version`].
    pub version: &'static str,
}

/// A type of model whose metadata is known without a value of it; derived along with [`MLModel`].
///
/// It lets a service check its configuration before any model is loaded, and decorate the model
/// otherwise than its attributes do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a derived ML model",
    note = "add `#[derive(MLModel)]` to the struct"
)]
pub trait Described {
    /// What the attributes say of the model, without the changes that its decorators make.
    const METADATA: &'static Metadata;

    /// JSON Schema of what the bare model predicts from.
    fn bare_input_schema() -> Schema
    where
        Self: Infer,
    {
        SchemaGenerator::default().into_root_schema_for::<Self::Input>()
    }

    /// JSON Schema of what the bare model predicts.
    fn bare_output_schema() -> Schema
    where
        Self: Infer,
    {
        output_schema_of::<Self::Output>()
    }
}

/// The bare model under a stack of decorators.
///
/// The stack that the derive composes borrows it, so that the user's struct stores nothing; one
/// made from configuration owns it, in a box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bare<P> {
    model: P,
    metadata: &'static Metadata,
}

impl<P> Bare<P> {
    /// Puts `metadata` beside `model`.
    #[inline]
    pub(crate) fn new(model: P, metadata: &'static Metadata) -> Self {
        Self { model, metadata }
    }
}

impl<P: Deref> Deref for Bare<P> {
    type Target = P::Target;

    fn deref(&self) -> &P::Target {
        &self.model
    }
}

impl<P: Deref<Target: Infer> + Send + Sync> MLModel for Bare<P> {
    type Input = <P::Target as Infer>::Input;
    type Output = <P::Target as Infer>::Output;

    fn display_name(&self) -> Cow<'_, str> {
        self.metadata.display_name.into()
    }
    fn qualified_name(&self) -> Cow<'_, str> {
        self.metadata.qualified_name.into()
    }
    fn description(&self) -> Cow<'_, str> {
        self.metadata.description.into()
    }
    fn version(&self) -> Cow<'_, str> {
        self.metadata.version.into()
    }
    fn input_schema(&self) -> Schema {
        SchemaGenerator::default().into_root_schema_for::<Self::Input>()
    }
    fn output_schema(&self) -> Schema {
        output_schema_of::<Self::Output>()
    }

    #[inline]
    fn call(
        &self,
        request: Request<Self::Input>,
    ) -> Result<Prediction<Self::Output>, PredictionError> {
        let (input, context) = request.into_parts()?;
        match self.model.infer_with(&input, &context) {
            Ok(output) => Ok(Prediction::new(output, context)),
            Err(error) => Err(PredictionError::model(error)),
        }
    }

    fn call_batch(&self, requests: Vec<Request<Self::Input>>) -> Vec<Answer<Self::Output>> {
        if !self.takes_batches() {
            return requests.into_iter().map(|request| self.call(request)).collect();
        }
        // The model sees the acceptable rows only; the places of the others are kept.
        let mut rows = Vec::with_capacity(requests.len());
        let refused: Vec<_> = requests
            .into_iter()
            .map(|request| request.into_parts().map(|row| rows.push(row)).err())
            .collect();
        let outputs = self.model.infer_batch(&rows).unwrap_or_default();
        let (expected, given) = (rows.len(), outputs.len());
        let mut answers = rows.into_iter().zip(outputs).map(|((_input, context), output)| {
            output.map(|output| Prediction::new(output, context)).map_err(PredictionError::model)
        });
        let too_few = || {
            let message = format!("the model has answered {given} of {expected} rows");
            Err(PredictionError::model(message))
        };
        refused
            .into_iter()
            .map(|refused| match refused {
                Some(error) => Err(error),
                None => answers.next().unwrap_or_else(too_few),
            })
            .collect()
    }

    fn takes_batches(&self) -> bool {
        self.model.infer_batch(&[]).is_some()
    }

    fn fmt_decorators(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metadata.type_name)
    }
}

/// What is sent is what `Serialize` writes: renames and defaults follow that direction.
fn output_schema_of<O: JsonSchema>() -> Schema {
    schemars::generate::SchemaSettings::default()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<O>()
}
