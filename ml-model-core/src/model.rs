//! [`MLModel`], a model with its metadata and decorators, and the types that describe it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;

use crate::error::PredictionError;
use crate::infer::{HasSchema, Infer};
use crate::logged_field::LoggedFields;
use crate::request::{IntoRequest, Prediction, Request};
use crate::sensitive::schema::without_examples;

/// Result of one request.
pub type Answer<O> = Result<Prediction<O>, PredictionError>;

/// A decorated model with its metadata.
///
/// `#[derive(MLModel)]` implements it for a user's model; [`Decorated`] implements it for a model
/// inside a decorator. It can be used as `dyn MLModel<Input = _, Output = _>`.
///
/// [`Decorated`]: crate::Decorated
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an ML model",
    note = "add `#[derive(MLModel)]` to the type and implement `Infer` for it; a type parameter needs the bound \
            `MLModel`, as in `impl<M: MLModel> Decorator<M>`"
)]
pub trait MLModel: Shared {
    /// Input of the model.
    type Input;
    /// Output of the model.
    type Output;

    /// Returns the metadata of the model, with the changes that its decorators make.
    fn metadata(&self) -> Cow<'_, ModelMetadata>;

    /// Returns the JSON Schema (2020-12) of the inputs that [`predict`](Self::predict) accepts.
    fn input_schema(&self) -> Schema;

    /// Returns the JSON Schema (2020-12) of the outputs that [`predict`](Self::predict) returns.
    fn output_schema(&self) -> Schema;

    /// Sends one request through the decorators to the model.
    ///
    /// [`predict`](Self::predict) is the more convenient form.
    ///
    /// # Errors
    ///
    /// See [`PredictionError`].
    fn call(&self, request: Request<Self::Input>) -> Answer<Self::Output>;

    /// Sends several requests through the decorators to the model, and returns one result per request
    /// in the same order.
    ///
    /// A model that does not [take batches](Self::takes_batches) is called row by row.
    fn call_batch(&self, requests: Vec<Request<Self::Input>>) -> Vec<Answer<Self::Output>> {
        row_by_row(requests, |request| self.call(request))
    }

    /// Returns whether the model and all its decorators handle the rows of a batch together.
    fn takes_batches(&self) -> bool {
        false
    }

    /// Returns the description of the stack: its decorators and the properties that they add.
    fn stack(&self) -> StackInfo;

    /// Returns the name for people, such as `Insurance Charges Model`.
    fn display_name(&self) -> Cow<'_, str> {
        text_of(self.metadata(), |metadata| &metadata.display_name)
    }

    /// Returns the name for programs, unique in a service, such as `insurance_charges_model`.
    fn qualified_name(&self) -> Cow<'_, str> {
        text_of(self.metadata(), |metadata| &metadata.qualified_name)
    }

    /// Returns the purpose of the model in a sentence.
    fn description(&self) -> Cow<'_, str> {
        text_of(self.metadata(), |metadata| &metadata.description)
    }

    /// Returns the version of the model, by default the version of its crate.
    fn version(&self) -> Cow<'_, str> {
        text_of(self.metadata(), |metadata| &metadata.version)
    }

    /// Makes one prediction from an input, or from a [`Request`] with an input and metadata.
    ///
    /// A trait object has [`call`](Self::call) instead:
    ///
    /// ```
    /// # use ml_model_core::{Infer, MLModel};
    /// # #[derive(MLModel)]
    /// # struct Double;
    /// # impl Infer for Double {
    /// #     type Input = f64;
    /// #     type Output = f64;
    /// #     type Error = std::convert::Infallible;
    /// #     fn infer(&self, input: &f64) -> Result<f64, Self::Error> { Ok(2.0 * input) }
    /// # }
    /// let model: &dyn MLModel<Input = f64, Output = f64> = &Double;
    /// assert_eq!(*model.call(1.5.into())?, 3.0);
    /// # Ok::<(), ml_model_core::PredictionError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`PredictionError`].
    #[inline]
    fn predict(&self, request: impl IntoRequest<Self::Input>) -> Answer<Self::Output>
    where
        Self: Sized,
    {
        self.call(request.into_request())
    }

    /// Returns the stack of decorators for `{:?}`, which prints `Outer(Inner(Model))`.
    fn decorators(&self) -> impl fmt::Debug + '_
    where
        Self: Sized,
    {
        fmt::from_fn(|f| fmt::Display::fmt(&self.stack(), f))
    }
}

/// A type that threads can share: it is implemented for every type that is [`Send`] and [`Sync`].
#[diagnostic::on_unimplemented(
    message = "the model `{Self}` cannot be shared between threads",
    label = "this model is not `Send + Sync`",
    note = "replace `Rc` by `Arc`, `Cell` and `RefCell` by atomics or `Mutex`, add `+ Send + Sync` to `dyn Trait`, and \
            wrap a raw pointer in a type that is `Send + Sync`"
)]
pub trait Shared: Send + Sync {}

// Without the attribute, rustc would report `Send` and `Sync` apart.
#[diagnostic::do_not_recommend]
impl<T: Send + Sync + ?Sized> Shared for T {}

// One instance for all models, because `text` is a pointer to a function.
fn text_of(
    metadata: Cow<'_, ModelMetadata>,
    text: fn(&ModelMetadata) -> &Cow<'static, str>,
) -> Cow<'_, str> {
    match metadata {
        Cow::Borrowed(metadata) => Cow::Borrowed(text(metadata)),
        Cow::Owned(metadata) => text(&metadata).clone(),
    }
}

/// Handles the requests of a batch one after the other.
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
    /// Purpose of the model in a sentence.
    pub description: Cow<'static, str>,
    /// Version of the model, by default the version of its crate.
    pub version: Cow<'static, str>,
}

/// Description of a stack of decorators.
///
/// `Display` writes `Outer(Inner(Model))`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackInfo {
    /// Name of the model's type, followed by the names of the decorators, innermost first.
    pub names: Vec<Cow<'static, str>>,
    /// Whether a decorator gives every prediction an id.
    pub has_prediction_id: bool,
    /// Fields in the records of the stack's `logging` decorators.
    pub logged_fields: LoggedFields,
}

impl StackInfo {
    /// Describes a model of the type `name` without decorators.
    #[inline(never)]
    pub(crate) fn of_bare(name: &'static str) -> Self {
        Self { names: vec![name.into()], ..Self::default() }
    }

    /// Adds the name of a decorator.
    #[inline(never)]
    pub(crate) fn push_name(&mut self, name: Cow<'static, str>) {
        self.names.push(name);
    }

    /// Adds the fields of a `logging` decorator before those of the decorators inside it.
    #[inline(never)]
    pub(crate) fn prepend_fields(&mut self, fields: LoggedFields) {
        let inner = std::mem::replace(&mut self.logged_fields, fields);
        self.logged_fields.extend(inner);
    }
}

impl fmt::Display for StackInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.iter().rev().map(|name| &**name).collect::<Vec<_>>().join("("))?;
        (1..self.names.len()).try_for_each(|_| f.write_str(")"))
    }
}

/// Threads on which a service runs the predictions of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Execution {
    /// The thread that has read the request. The model must not block, sleep, wait for other systems
    /// or drive a runtime.
    Inline,
    /// A pool of threads for blocking calls. The model may block, sleep, wait for other systems and
    /// drive a runtime.
    #[default]
    Blocking,
}

/// Description of a model's type, available without a value; derived along with [`MLModel`].
///
/// A service uses it to check its configuration before it loads any model, and to replace the
/// decorators of the model's attributes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a derived ML model",
    note = "add `#[derive(MLModel)]` to the type"
)]
pub trait Described {
    /// The type itself. Its bounds are met where the type is a derived one, so that rustc reports a missing `Infer` at
    /// the derive and not again where the model is used.
    type Model: Infer + Described + Send + Sync;

    /// Returns the model itself.
    fn into_model(self) -> Self::Model;

    /// Metadata of the bare model, without the changes that its decorators make.
    const METADATA: &'static ModelMetadata;

    /// Execution of the predictions, unless the configuration of the service overrides it.
    const EXECUTION: Execution;

    /// Returns the name of the type without modules and parameters.
    fn type_name() -> &'static str {
        short_type_name::<Self>()
    }

    /// Returns the fields that the `logging` decorator of the attributes records.
    fn logged_fields() -> LoggedFields {
        LoggedFields::default()
    }

    /// Returns the JSON Schema of the bare model's input, without examples and defaults of sensitive parts.
    fn bare_input_schema() -> Schema
    where
        Self: Infer,
    {
        without_examples(Self::Input::root_schema(SchemaGenerator::default()))
    }

    /// Returns the JSON Schema of the bare model's output, without examples and defaults of sensitive
    /// parts.
    fn bare_output_schema() -> Schema
    where
        Self: Infer,
    {
        // Renames and defaults follow `Serialize`.
        let settings = SchemaSettings::default().for_serialize();
        without_examples(Self::Output::root_schema(settings.into_generator()))
    }
}

/// Returns the name of a type without modules and parameters.
pub(crate) fn short_type_name<T: ?Sized>() -> &'static str {
    fn shorten(path: &str) -> &str {
        let path = path.split_once('<').map_or(path, |(path, _parameters)| path);
        path.rsplit_once("::").map_or(path, |(_modules, name)| name)
    }
    shorten(std::any::type_name::<T>())
}
