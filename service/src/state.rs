//! What is loaded, and whether traffic is welcome.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use ml_logging::Logging;
use ml_model_core::{Decorated, MetricsDecorator, ModelRegistry, RegisteredModel};
use serde_json::Value;

use crate::configuration::{Handling, ServerSettings};
use crate::docs::Document;
use crate::hosted::HostedModel;
use crate::openapi::{self, Info, ModelApi};
use crate::response::ErrorResponse;

/// Shared by all requests.
pub(crate) struct State {
    pub(crate) info: Info,
    pub(crate) server: ServerSettings,
    /// The log, if its levels may be set.
    pub(crate) logging: Option<Arc<Logging>>,
    /// Whether predictions may go past the router.
    pub(crate) takes_short_way: bool,
    models: OnceLock<Result<Models, String>>,
    is_stopping: AtomicBool,
}

/// The models once they are loaded.
pub(crate) struct Models {
    pub(crate) registry: ModelRegistry,
    pub(crate) openapi: Document,
    hosted: HashMap<String, Arc<HostedModel>>,
}

impl Models {
    /// Prepares every model in `registry` for requests that has an endpoint. Predictions are
    /// counted if there are metrics.
    ///
    /// # Errors
    ///
    /// Which model cannot be hosted, and why.
    pub(crate) fn new(
        info: &Info,
        registry: ModelRegistry,
        handling: &HashMap<&str, Handling>,
        has_metrics: bool,
    ) -> Result<Self, String> {
        let mut hosted = HashMap::new();
        for (name, model) in registry.iter() {
            let handling = handling.get(name).copied().unwrap_or_default();
            if !handling.has_endpoint {
                tracing::info!(model_qualified_name = name, "Skipped creating an endpoint.");
                continue;
            }
            let mut model: RegisteredModel = model.clone();
            if has_metrics {
                model = Arc::new(Decorated::new(MetricsDecorator::of(&model), model));
            }
            let model = HostedModel::new(model, handling)
                .map_err(|error| format!("the input schema of `{name}` is not valid: {error}"))?;
            hosted.insert(name.to_owned(), Arc::new(model));
            tracing::info!(model_qualified_name = name, "Created endpoint.");
        }
        let openapi = Document::new(&openapi(info, &registry, handling)?);
        Ok(Self { registry, openapi, hosted })
    }

    pub(crate) fn hosted(&self, name: &str) -> Option<&Arc<HostedModel>> {
        self.hosted.get(name)
    }
}

/// The document about the models.
///
/// # Errors
///
/// Never, as long as the registry knows its own models.
pub(crate) fn openapi(
    info: &Info,
    registry: &ModelRegistry,
    handling: &HashMap<&str, Handling>,
) -> Result<Value, String> {
    let described: Result<Vec<_>, String> = registry
        .iter()
        .map(|(name, _)| {
            let metadata = registry.metadata(name).map_err(|error| error.to_string())?;
            let has_endpoint = handling.get(name).is_some_and(|handling| handling.has_endpoint);
            Ok(ModelApi { metadata, has_endpoint })
        })
        .collect();
    Ok(openapi::document(info, &described?))
}

/// What the health endpoints tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Loading,
    Ready,
    Failed,
    Stopping,
}

impl State {
    pub(crate) fn new(
        info: Info,
        server: ServerSettings,
        logging: Option<Arc<Logging>>,
        has_metrics: bool,
    ) -> Self {
        let takes_short_way =
            !has_metrics && server.api_keys.is_none() && server.allowed_origins.is_empty();
        Self {
            info,
            server,
            logging,
            takes_short_way,
            models: OnceLock::new(),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// Ends the loading phase, and then says so in the log. To be called once; later calls change
    /// nothing.
    pub(crate) fn loaded(&self, models: Result<Models, String>) {
        match self.models.get_or_init(|| models) {
            Ok(models) => {
                let models = models.registry.iter().count();
                tracing::info!(models, "All models are loaded.");
            }
            Err(error_info) => tracing::error!(error_info, "The models could not be loaded."),
        }
    }

    /// No more traffic, please.
    pub(crate) fn stopping(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the service is about to end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.models.get() {
            Some(Err(_)) => Phase::Failed,
            _ if self.is_stopping() => Phase::Stopping,
            Some(Ok(_)) => Phase::Ready,
            None => Phase::Loading,
        }
    }

    /// Why the models could not be loaded, if so.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.models.get()?.as_ref().err().map(String::as_str)
    }

    /// The models.
    ///
    /// # Errors
    ///
    /// 503: why there are none (yet).
    pub(crate) fn models(&self) -> Result<&Models, ErrorResponse> {
        let why = match self.models.get() {
            Some(Ok(models)) => return Ok(models),
            Some(Err(_)) => "the models could not be loaded; the log says why",
            None => "the models are still being loaded",
        };
        Err(ErrorResponse::unavailable(why.to_owned()))
    }
}
