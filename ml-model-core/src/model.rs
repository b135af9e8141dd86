//! [`MLModel`]: a model with its metadata and decorators, as the derive implements it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::error::PredictionError;
use crate::infer::Infer;
use crate::logged_field::LoggedFields;
use crate::request::{Prediction, Request};

/// Result of one request.
pub type Answer<O> = Result<Prediction<O>, PredictionError>;

/// A decorated model with its metadata.
///
/// `#[derive(MLModel)]` implements it for a user's model, and [`Decorated`] for every stack of
/// decorators. It can be used as `dyn MLModel<Input = _, Output = _>`.
///
/// [`Decorated`]: crate::Decorated
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an ML model",
    note = "add `#[derive(MLModel)]` to the struct and write `impl Infer for` it"
)]
pub trait MLModel: Send + Sync {
    /// Input of the model.
    type Input;
    /// Output of the model.
    type Output;

    /// Names, description and version of the model, with the changes that its decorators make.
    fn metadata(&self) -> Cow<'_, ModelMetadata>;

    /// JSON Schema (2020-12) of the inputs that [`predict`](Self::predict) accepts.
    fn input_schema(&self) -> Schema;

    /// JSON Schema (2020-12) of the outputs that [`predict`](Self::predict) returns.
    fn output_schema(&self) -> Schema;

    /// Sends one request through the decorators to the model.
    ///
    /// [`predict`](Self::predict) is the convenient way to call it.
    ///
    /// # Errors
    ///
    /// See [`PredictionError`].
    fn call(&self, request: Request<Self::Input>) -> Answer<Self::Output>;

    /// Sends several requests through the decorators to the model. Returns one answer per request, in
    /// their order.
    ///
    /// A model that does not [take batches](Self::takes_batches) is called row by row.
    fn call_batch(&self, requests: Vec<Request<Self::Input>>) -> Vec<Answer<Self::Output>> {
        row_by_row(requests, |request| self.call(request))
    }

    /// Whether the model and all its decorators handle the rows of a batch together.
    fn takes_batches(&self) -> bool {
        false
    }

    /// Describes the stack: its decorators, and what they add to predictions and records.
    fn stack(&self) -> StackInfo;

    /// Name for people, such as `Insurance Charges Model`.
    fn display_name(&self) -> Cow<'_, str> {
        text_of(self.metadata(), |metadata| &metadata.display_name)
    }

    /// Name for programs, unique in a service, such as `insurance_charges_model`.
    fn qualified_name(&self) -> Cow<'_, str> {
        text_of(self.metadata(), |metadata| &metadata.qualified_name)
    }

    /// Purpose of the model, in a sentence.
    fn description(&self) -> Cow<'_, str> {
        text_of(self.metadata(), |metadata| &metadata.description)
    }

    /// Version of the model, by default that of its crate.
    fn version(&self) -> Cow<'_, str> {
        text_of(self.metadata(), |metadata| &metadata.version)
    }

    /// Makes one prediction. Takes an input, or a [`Request`] that carries metadata beside it.
    ///
    /// # Errors
    ///
    /// See [`PredictionError`].
    #[inline]
    fn predict(&self, request: impl Into<Request<Self::Input>>) -> Answer<Self::Output>
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
        fmt::from_fn(|f| fmt::Display::fmt(&self.stack(), f))
    }
}

fn text_of<'a>(
    metadata: Cow<'a, ModelMetadata>,
    text: impl Fn(&ModelMetadata) -> &Cow<'static, str>,
) -> Cow<'a, str> {
    match metadata {
        Cow::Borrowed(metadata) => Cow::Borrowed(text(metadata)),
        Cow::Owned(metadata) => text(&metadata).clone(),
    }
}

/// Answers the requests of a batch one after the other.
pub(crate) fn row_by_row<I, O>(
    requests: Vec<Request<I>>,
    call: impl FnMut(Request<I>) -> Answer<O>,
) -> Vec<Answer<O>> {
    requests.into_iter().map(call).collect()
}

/// Implements [`MLModel`] for a pointer to a model.
macro_rules! forward_model {
    ($pointer:ty) => {
        impl<M: MLModel + ?Sized> MLModel for $pointer {
            type Input = M::Input;
            type Output = M::Output;

            fn metadata(&self) -> Cow<'_, ModelMetadata> {
                (**self).metadata()
            }
            fn input_schema(&self) -> Schema {
                (**self).input_schema()
            }
            fn output_schema(&self) -> Schema {
                (**self).output_schema()
            }
            #[inline]
            fn call(&self, request: Request<Self::Input>) -> Answer<Self::Output> {
                (**self).call(request)
            }
            fn call_batch(&self, requests: Vec<Request<Self::Input>>) -> Vec<Answer<Self::Output>> {
                (**self).call_batch(requests)
            }
            fn takes_batches(&self) -> bool {
                (**self).takes_batches()
            }
            fn stack(&self) -> StackInfo {
                (**self).stack()
            }
        }
    };
}

forward_model!(&M);
forward_model!(Box<M>);
forward_model!(Arc<M>);

/// Names, description and version of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelMetadata {
    /// Name for people, such as `Insurance Charges Model`.
    pub display_name: Cow<'static, str>,
    /// Name for programs, unique in a service, such as `insurance_charges_model`.
    pub qualified_name: Cow<'static, str>,
    /// Purpose of the model, in a sentence.
    pub description: Cow<'static, str>,
    /// Version of the model, by default that of its crate.
    pub version: Cow<'static, str>,
}

/// Description of a stack of decorators.
///
/// Displays as `Outer(Inner(Model))`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackInfo {
    /// Names of the decorators, innermost first, after the name of the model's type.
    pub names: Vec<Cow<'static, str>>,
    /// Whether a decorator gives every prediction an id.
    pub has_prediction_id: bool,
    /// Fields of input and output in the records of the stack's `logging` decorators.
    pub logged_fields: LoggedFields,
}

impl fmt::Display for StackInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.iter().rev().map(|name| &**name).collect::<Vec<_>>().join("("))?;
        (1..self.names.len()).try_for_each(|_| f.write_str(")"))
    }
}

/// Where a service runs the predictions of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Execution {
    /// On the thread that has read the request. The model must not block, sleep, wait for other
    /// systems or drive a runtime.
    Inline,
    /// On a thread of the blocking pool, where a model may do all of this.
    #[default]
    Blocking,
}

/// A type of model whose declaration is known without a value of it; derived along with [`MLModel`].
///
/// With it a service checks its configuration before it loads any model, and replaces the decorators of
/// the model's attributes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a derived ML model",
    note = "add `#[derive(MLModel)]` to the struct"
)]
pub trait Described {
    /// Metadata of the bare model, without the changes that its decorators make.
    const METADATA: &'static ModelMetadata;

    /// Where a service runs the predictions, unless its configuration overrides it.
    const EXECUTION: Execution;

    /// Name of the type, without modules and parameters.
    fn type_name() -> &'static str {
        short_type_name::<Self>()
    }

    /// JSON Schema of the bare model's input.
    fn bare_input_schema() -> Schema
    where
        Self: Infer,
    {
        SchemaGenerator::default().into_root_schema_for::<Self::Input>()
    }

    /// JSON Schema of the bare model's output.
    fn bare_output_schema() -> Schema
    where
        Self: Infer,
    {
        output_schema::<Self::Output>()
    }
}

/// The schema of what `Serialize` writes: renames and defaults follow that direction.
fn output_schema<O: JsonSchema>() -> Schema {
    schemars::generate::SchemaSettings::default()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<O>()
}

/// Name of a type without its modules and parameters.
pub(crate) fn short_type_name<T: ?Sized>() -> &'static str {
    let path = std::any::type_name::<T>();
    let path = path.split_once('<').map_or(path, |(path, _parameters)| path);
    path.rsplit_once("::").map_or(path, |(_modules, name)| name)
}
