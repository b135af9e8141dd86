//! The models and decorators that the program has registered, for a configuration to choose from.

use std::any::TypeId;
use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use ml_configuration::{Node, Problems};
use ml_model_core::decorators::logging::{LoggedFields, LoggingOptions};
use ml_model_core::{
    Decorator, Described, Execution, Infer, JsonModel, MLModel, ModelMetadata, RegisteredModel,
    Stack, unmarked_sensitive,
};
use schemars::Schema;
use serde::Serialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

type InputOf<M> = <<M as Described>::Model as Infer>::Input;
type OutputOf<M> = <<M as Described>::Model as Infer>::Output;

/// A model with all that `#[derive(MLModel)]` implements.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a derived model",
    label = "this is not a model with `#[derive(MLModel)]`"
)]
pub trait DerivedModel:
    MLModel<Input = InputOf<Self>, Output = OutputOf<Self>> + Described
{
}

// Without the attribute, rustc would report each of the missing traits.
#[diagnostic::do_not_recommend]
impl<M> DerivedModel for M where M: MLModel<Input = InputOf<M>, Output = OutputOf<M>> + Described {}

/// A model that a service can host. Implemented for every derived model whose input serde reads and
/// writes and whose output it writes.
pub trait HostedType:
    DerivedModel
    + MLModel<Input: Serialize + DeserializeOwned + 'static, Output: Serialize + 'static>
    + Described<Model: 'static>
    + 'static
{
}

impl<M> HostedType for M
where
    M: DerivedModel + Described<Model: 'static> + 'static,
    M::Input: Serialize + DeserializeOwned + 'static,
    M::Output: Serialize + 'static,
{
}

/// A constructor of a model: a function without parameters, or one that takes settings. `Kind` is that of its
/// [result](LoadResult) and is inferred.
#[diagnostic::on_unimplemented(
    message = "this does not construct a model",
    label = "expected a closure that returns a model",
    note = "`model` takes a closure without parameters, as in `.model(|| AreaModel)`, and no type argument",
    note = "`configurable_model` takes one whose parameter is the `configuration:` of the file, as in \
            `.configurable_model(|settings: Settings| AreaModel {{ ... }})`",
    note = "for several models, call `model` once for each"
)]
pub trait Constructor<Arguments, Kind> {
    /// The model, or a [`Result`] with it.
    type Returned;

    /// Calls the function.
    #[doc(hidden)]
    fn construct(self, arguments: Arguments) -> Self::Returned;
}

#[diagnostic::do_not_recommend]
impl<F: FnOnce() -> R, R, K: LoadKind> Constructor<(), K> for F {
    type Returned = R;

    fn construct(self, (): ()) -> R {
        self()
    }
}

#[diagnostic::do_not_recommend]
impl<F: FnOnce(C) -> R, C, R, K: LoadKind> Constructor<(C,), K> for F {
    type Returned = R;

    fn construct(self, (settings,): (C,)) -> R {
        self(settings)
    }
}

// Nothing implements `Never`. With a second candidate, rustc reports the trait, and not the parameters of the closure
// with a remedy that does not compile.
#[diagnostic::do_not_recommend]
impl<F: Never, A> Constructor<A, Infallible> for F {
    type Returned = Infallible;

    fn construct(self, _: A) -> Infallible {
        self.never()
    }
}

/// A trait without implementations.
pub trait Never {
    /// Is never called.
    fn never(self) -> Infallible;
}

/// Result of a constructor: a model, or a [`Result`] with one. `Kind` tells the two apart and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be hosted",
    label = "a model, or a `Result` with one, is expected from the constructor",
    note = "a hosted model has `#[derive(MLModel)]` and `impl Infer`",
    note = "the error of a `Result` converts into `Box<dyn Error + Send + Sync>`, as `String`, `anyhow::Error` and types with \
            `std::error::Error` do",
    note = "the model itself is returned, not an `Arc` or a `Box` of it",
    note = "constructors are not async; they may block"
)]
pub trait LoadResult<Kind> {
    /// The model.
    type Model: HostedType;

    /// Returns the model, or the reason why there is none.
    ///
    /// # Errors
    ///
    /// Fails if the constructor has failed.
    fn into_result(self) -> Result<Self::Model, Box<dyn Error + Send + Sync>>;
}

impl<M: HostedType> LoadResult<Always> for M {
    type Model = M;

    fn into_result(self) -> Result<M, BoxError> {
        Ok(self)
    }
}

impl<M: HostedType, E: Into<BoxError>> LoadResult<Fallible> for Result<M, E> {
    type Model = M;

    fn into_result(self) -> Result<M, BoxError> {
        self.map_err(Into::into)
    }
}

/// Kind of a result of a constructor.
pub trait LoadKind {}

impl LoadKind for Always {}

impl LoadKind for Fallible {}

/// Kind of a constructor that returns a model.
#[derive(Debug)]
pub struct Always;

/// Kind of a constructor that returns a [`Result`].
#[derive(Debug)]
pub struct Fallible;

/// Everything that the program has registered.
#[derive(Default)]
pub(crate) struct Registered {
    pub(crate) models: Vec<ModelRegistration>,
    pub(crate) decorators: Vec<DecoratorRegistration>,
    pub(crate) filters: ml_logging::Filters,
}

/// A model that the program can load.
pub(crate) struct ModelRegistration {
    /// Type of the model, to tell a model that is registered twice from one of the same name.
    pub(crate) model_type: TypeId,
    pub(crate) type_name: &'static str,
    pub(crate) metadata: &'static ModelMetadata,
    pub(crate) input_schema: fn() -> Schema,
    pub(crate) output_schema: fn() -> Schema,
    /// Fields that the decorators of its attributes log.
    pub(crate) logged_fields: fn() -> LoggedFields,
    pub(crate) execution: Execution,
    /// Paths of sensitive values that the input schema does not mark.
    pub(crate) unmarked_sensitive: fn() -> Vec<String>,
    pub(crate) configure: Configure,
}

/// Takes the item of the list that names the model, if there is one, and its configuration. Returns `None`
/// after reporting a mistake.
pub(crate) type Configure =
    Box<dyn FnOnce(Option<Node<'_>>, Option<Node<'_>>, &mut Problems) -> Option<Load> + Send>;

/// Loads a model and puts the configured decorators around it, or those of its attributes.
pub(crate) type Load =
    Box<dyn FnOnce(Option<Vec<Layer>>) -> Result<RegisteredModel, BoxError> + Send>;

/// A configured decorator.
pub(crate) enum Layer {
    PredictionId,
    Logging(LoggingOptions),
    Metrics,
    Custom(Box<dyn Decorator<RegisteredModel>>),
}

impl ModelRegistration {
    /// Registers a model whose constructor takes nothing.
    pub(crate) fn new<L: LoadResult<K>, K>(
        load: impl Constructor<(), K, Returned = L> + Send + 'static,
    ) -> Self {
        Self::with::<L::Model>(Box::new(move |_at, configuration, problems| {
            if let Some(configuration) = configuration {
                configuration.report(problems, "this model takes no configuration: remove it");
                return None;
            }
            Some(Box::new(move |layers| Ok(decorated(load.construct(()).into_result()?, layers))))
        }))
    }

    /// Registers a model whose constructor takes its `configuration:`.
    pub(crate) fn configurable<L, K, C>(
        load: impl Constructor<(C,), K, Returned = L> + Send + 'static,
    ) -> Self
    where
        L: LoadResult<K>,
        C: DeserializeOwned + Send + 'static,
    {
        Self::with::<L::Model>(Box::new(move |at, configuration, problems| {
            let name = &*L::Model::METADATA.qualified_name;
            let configuration: C = read_for_model(name, at, configuration, problems)?;
            Some(Box::new(move |layers| {
                Ok(decorated(load.construct((configuration,)).into_result()?, layers))
            }))
        }))
    }

    fn with<M: HostedType>(configure: Configure) -> Self {
        Self {
            model_type: TypeId::of::<M>(),
            type_name: M::type_name(),
            metadata: M::METADATA,
            input_schema: M::Model::bare_input_schema,
            output_schema: M::Model::bare_output_schema,
            logged_fields: M::logged_fields,
            execution: M::EXECUTION,
            unmarked_sensitive: || unmarked_sensitive::<M::Input>(&M::Model::bare_input_schema()),
            configure,
        }
    }
}

fn decorated<M: HostedType>(model: M, layers: Option<Vec<Layer>>) -> RegisteredModel {
    let Some(layers) = layers else { return Arc::new(JsonModel::new(model)) };
    let bare = Stack::around(model.into_model());
    let stack = layers.into_iter().rev().fold(bare, |stack, layer| match layer {
        Layer::PredictionId => stack.prediction_id(),
        Layer::Logging(options) => stack.logging(options),
        Layer::Metrics => stack.metrics(),
        Layer::Custom(decorator) => stack.decorator(decorator),
    });
    stack.into_model()
}

/// A decorator that the program adds, by name.
pub(crate) struct DecoratorRegistration {
    pub(crate) name: String,
    pub(crate) make: Make,
    /// Whether the configuration names it.
    pub(crate) is_used: Cell<bool>,
}

type AnyDecorator = Box<dyn Decorator<RegisteredModel>>;
type MakeFunction =
    Box<dyn Fn(Node<'_>, Option<Node<'_>>, &mut Problems) -> Option<AnyDecorator> + Send>;

/// Takes the item of the list that names the decorator, and its configuration. Returns `None` after
/// reporting a mistake.
#[allow(missing_debug_implementations, reason = "it is a function")]
pub struct Make(pub(crate) MakeFunction);

/// A function that makes a decorator: from settings, or from nothing. `Arguments` is inferred.
#[diagnostic::on_unimplemented(
    message = "this does not make a decorator",
    note = "expected a closure without parameters that returns a decorator, or one that takes settings, which \
            implement `Deserialize`, and returns a `Result` with a decorator",
    note = "the decorator is for every model, as in `impl<M: MLModel> Decorator<M> for Quota`; one for a single input \
            type is named in `#[decorate(...)]`"
)]
pub trait MakeDecorator<Arguments> {
    /// Returns the function in the form in which it is registered.
    #[doc(hidden)]
    fn into_make(self) -> Make;
}

impl<F, D> MakeDecorator<()> for F
where
    F: Fn() -> D + Send + 'static,
    D: Decorator<RegisteredModel> + 'static,
{
    fn into_make(self) -> Make {
        Make(Box::new(move |_at, configuration, problems| {
            if let Some(configuration) = configuration.filter(|node| !node.is_null()) {
                configuration.report(problems, "this decorator takes no configuration: remove it");
                return None;
            }
            Some(Box::new(self()))
        }))
    }
}

impl<F, C, D, E> MakeDecorator<(C, E)> for F
where
    F: Fn(C) -> Result<D, E> + Send + 'static,
    C: DeserializeOwned,
    D: Decorator<RegisteredModel> + 'static,
    E: Into<BoxError>,
{
    fn into_make(self) -> Make {
        Make(Box::new(move |at, configuration, problems| {
            match self(read(at, configuration, problems)?) {
                Ok(decorator) => Some(Box::new(decorator)),
                Err(error) => {
                    let error: BoxError = error.into();
                    let message = ml_model_core::error_chain(&*error).to_string();
                    configuration.unwrap_or(at).report(problems, message);
                    None
                }
            }
        }))
    }
}

/// Reads the configuration of a decorator that is listed at `at`.
fn read<C: DeserializeOwned>(
    at: Node<'_>,
    configuration: Option<Node<'_>>,
    problems: &mut Problems,
) -> Option<C> {
    if let Some(configuration) = configuration.filter(|node| !node.is_null()) {
        return configuration.deserialize(problems);
    }
    from_nothing()
        .map_err(|error| at.report(problems, format!("needs a configuration{error}")))
        .ok()
}

/// Reads the configuration of a model, which is listed at `at`, or not listed.
fn read_for_model<C: DeserializeOwned>(
    name: &str,
    at: Option<Node<'_>>,
    configuration: Option<Node<'_>>,
    problems: &mut Problems,
) -> Option<C> {
    if let Some(configuration) = configuration {
        return configuration.deserialize(problems);
    }
    let report = |error: Missing| match at {
        Some(node) => node.report(problems, format!("`{name}` needs a `configuration:`{error}")),
        None => problems.add(format!(
            "`{name}` needs a configuration{error}: list it under `models:` with a `configuration:`"
        )),
    };
    from_nothing().map_err(report).ok()
}

/// Reads an absent configuration: an empty mapping, or else null.
fn from_nothing<C: DeserializeOwned>() -> Result<C, Missing> {
    use serde::de::value::Error;
    let nothing = std::iter::empty::<(&str, &str)>();
    C::deserialize(MapDeserializer::<_, Error>::new(nothing)).or_else(|error| {
        C::deserialize(().into_deserializer()).map_err(|_: Error| Missing(error.to_string()))
    })
}

/// The error of serde for an absent configuration.
struct Missing(String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.strip_prefix("missing field ") {
            Some(field) => write!(f, " with the key {field}"),
            None => write!(f, " ({})", self.0),
        }
    }
}
