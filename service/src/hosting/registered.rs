//! The models and decorators that the program has registered, for a configuration to choose from.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use ml_configuration::{Node, Problems};
use ml_model_core::decorators::logging::{LoggedFields, LoggingOptions};
use ml_model_core::{
    Decorator, Described, Execution, Infer, JsonModel, MLModel, ModelMetadata, RegisteredModel,
    Stack,
};
use schemars::Schema;
use serde::Serialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// A model that a service can host. Implemented for every derived model whose input serde reads and
/// writes and whose output it writes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be hosted",
    note = "a hosted model has `#[derive(MLModel)]` and `impl Infer`; its `Input` has `Serialize`, \
            `Deserialize` and `JsonSchema`, its `Output` has `Serialize` and `JsonSchema`"
)]
pub trait HostedType:
    MLModel<Input = <Self as Infer>::Input, Output = <Self as Infer>::Output>
    + Infer<Input: Serialize + DeserializeOwned + 'static, Output: Serialize + 'static>
    + Described
    + 'static
{
}

impl<M> HostedType for M where
    M: MLModel<Input = <M as Infer>::Input, Output = <M as Infer>::Output>
        + Infer<Input: Serialize + DeserializeOwned + 'static, Output: Serialize + 'static>
        + Described
        + 'static
{
}

/// Everything that the program has registered.
#[derive(Default)]
pub(crate) struct Registered {
    pub(crate) models: Vec<ModelRegistration>,
    pub(crate) decorators: Vec<DecoratorRegistration>,
    pub(crate) filters: ml_logging::Filters,
}

/// A model that the program can load.
pub(crate) struct ModelRegistration {
    pub(crate) type_name: &'static str,
    pub(crate) metadata: &'static ModelMetadata,
    pub(crate) input_schema: fn() -> Schema,
    pub(crate) output_schema: fn() -> Schema,
    /// Fields that the decorators of its attributes log.
    pub(crate) logged_fields: fn() -> LoggedFields,
    pub(crate) execution: Execution,
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
    pub(crate) fn new<M, E>(load: impl FnOnce() -> Result<M, E> + Send + 'static) -> Self
    where
        M: HostedType,
        E: Into<BoxError>,
    {
        Self::with::<M>(Box::new(move |_at, configuration, problems| {
            if let Some(configuration) = configuration {
                configuration.report(problems, "this model takes no configuration: remove it");
                return None;
            }
            Some(Box::new(move |layers| Ok(decorated(load().map_err(Into::into)?, layers))))
        }))
    }

    /// Registers a model whose constructor takes its `configuration:`.
    pub(crate) fn configurable<M, C, E>(
        load: impl FnOnce(C) -> Result<M, E> + Send + 'static,
    ) -> Self
    where
        M: HostedType,
        C: DeserializeOwned + Send + 'static,
        E: Into<BoxError>,
    {
        Self::with::<M>(Box::new(move |at, configuration, problems| {
            let name = &*M::METADATA.qualified_name;
            let configuration: C = read_for_model(name, at, configuration, problems)?;
            Some(Box::new(move |layers| {
                Ok(decorated(load(configuration).map_err(Into::into)?, layers))
            }))
        }))
    }

    fn with<M: HostedType>(configure: Configure) -> Self {
        Self {
            type_name: M::type_name(),
            metadata: M::METADATA,
            input_schema: M::bare_input_schema,
            output_schema: M::bare_output_schema,
            logged_fields: M::logged_fields,
            execution: M::EXECUTION,
            configure,
        }
    }
}

fn decorated<M: HostedType>(model: M, layers: Option<Vec<Layer>>) -> RegisteredModel {
    let Some(layers) = layers else { return Arc::new(JsonModel::new(model)) };
    let bare = Stack::around(model);
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
}

type AnyDecorator = Box<dyn Decorator<RegisteredModel>>;
/// Takes the item of the list that names the decorator, and its configuration. Returns `None` after
/// reporting a mistake.
pub(crate) type Make =
    Box<dyn Fn(Node<'_>, Option<Node<'_>>, &mut Problems) -> Option<AnyDecorator> + Send>;

impl DecoratorRegistration {
    pub(crate) fn new<C, D, E>(
        name: String,
        make: impl Fn(C) -> Result<D, E> + Send + 'static,
    ) -> Self
    where
        C: DeserializeOwned,
        D: Decorator<RegisteredModel> + 'static,
        E: Into<BoxError>,
    {
        let make: Make = Box::new(move |at, configuration, problems| {
            match make(read(at, configuration, problems)?) {
                Ok(decorator) => Some(Box::new(decorator)),
                Err(error) => {
                    let error: BoxError = error.into();
                    let message = ml_model_core::error_chain(&*error).to_string();
                    configuration.unwrap_or(at).report(problems, message);
                    None
                }
            }
        });
        Self { name, make }
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
