//! Loading the chosen models.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ml_model_core::decorators::logging::LoggedFields;
use ml_model_core::{
    Decorated, MLModel, MetricsDecorator, ModelRegistry, PendingCalls, RegisteredModel, error_chain,
};

use super::endpoint::Endpoint;
use super::options::HostingOptions;
use super::registered::{Layer, Load};

/// A model to load.
pub(crate) struct ChosenModel {
    pub(crate) name: &'static str,
    pub(crate) options: HostingOptions,
    /// Configured decorators, which replace those of the attributes.
    pub(crate) layers: Option<Vec<Layer>>,
    /// Fields that the decorators of its attributes log; not used if there are `layers`.
    pub(crate) logged_fields: fn() -> LoggedFields,
    pub(crate) load: Load,
}

/// The loaded models and their endpoints.
#[derive(Default)]
pub(crate) struct Models {
    pub(crate) registry: ModelRegistry,
    /// By qualified name. Few names are compared faster than one is hashed.
    endpoints: BTreeMap<String, Arc<Endpoint>>,
}

impl Models {
    /// Prepares the endpoints of loaded models. Counts predictions if `has_metrics`.
    ///
    /// # Errors
    ///
    /// Fails if a model cannot be hosted, with the reason.
    pub(crate) fn new(
        registry: ModelRegistry,
        options: &HashMap<&str, HostingOptions>,
        has_metrics: bool,
        pending: &Arc<PendingCalls>,
    ) -> Result<Self, String> {
        let mut models = Self { registry, endpoints: BTreeMap::new() };
        for (name, model) in models.registry.iter() {
            let Some(options) = options.get(name).filter(|options| options.has_endpoint) else {
                tracing::info!(model_qualified_name = name, "Skipped creating an endpoint.");
                continue;
            };
            let mut model: RegisteredModel = model.clone();
            if has_metrics {
                model = Arc::new(Decorated::new(MetricsDecorator::of(&model), model));
            }
            let endpoint = Endpoint::new(model, *options, pending)
                .map_err(|error| format!("the input schema of `{name}` is not valid: {error}"))?;
            models.endpoints.insert(name.to_owned(), Arc::new(endpoint));
            tracing::info!(model_qualified_name = name, "Created endpoint.");
        }
        Ok(models)
    }

    /// Returns the endpoint of a model.
    pub(crate) fn endpoint(&self, name: &str) -> Option<&Arc<Endpoint>> {
        self.endpoints.get(name)
    }
}

impl Drop for Models {
    /// Drops the models on a thread of their own: a model may own a runtime, which panics when it is
    /// dropped on a thread of another one.
    fn drop(&mut self) {
        let models = (std::mem::take(&mut self.registry), std::mem::take(&mut self.endpoints));
        let thread = thread::Builder::new().name("drop-models".to_owned());
        let dropped = thread.spawn(move || drop(models)).map(JoinHandle::join);
        if !matches!(dropped, Ok(Ok(()))) {
            tracing::error!("A model could not be dropped.");
        }
    }
}

/// Returns the options of chosen models by name.
pub(crate) fn options_of(chosen: &[ChosenModel]) -> HashMap<&'static str, HostingOptions> {
    chosen.iter().map(|model| (model.name, model.options)).collect()
}

/// Loads models. A panic is an error of the model that is being loaded.
///
/// # Errors
///
/// Fails if a model cannot be loaded, with its name and the reason.
pub(crate) fn load(chosen: Vec<ChosenModel>) -> Result<ModelRegistry, String> {
    let mut registry = ModelRegistry::new();
    for ChosenModel { name, layers, load, .. } in chosen {
        let is_configured = layers.is_some();
        let model = match catch_unwind(AssertUnwindSafe(|| load(layers))) {
            Ok(Ok(model)) => model,
            Ok(Err(error)) => return Err(format!("`{name}`: {}", error_chain(&*error))),
            Err(_panic) => return Err(format!("`{name}` panicked while it was loaded")),
        };
        let metadata = model.metadata();
        tracing::info!(
            model_qualified_name = &*metadata.qualified_name,
            model_version = &*metadata.version,
            decorators = format!("{:?}", model.decorators()),
            decorators_from = if is_configured { "configuration" } else { "attributes" },
            "Loaded model."
        );
        registry.add_registered(model).map_err(|error| error.to_string())?;
    }
    Ok(registry)
}
