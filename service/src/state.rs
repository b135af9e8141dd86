//! What is loaded, and whether traffic is welcome.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use ml_model_core::{ModelDetails, ModelRegistry};

use crate::docs::Document;
use crate::hosted::HostedModel;
use crate::openapi::{self, Info, ModelApi};
use crate::response::ErrorResponse;

/// Shared by all requests.
pub(crate) struct State {
    pub(crate) info: Info,
    models: OnceLock<Result<Models, String>>,
    is_stopping: AtomicBool,
}

/// The models once they are loaded.
pub(crate) struct Models {
    pub(crate) registry: ModelRegistry,
    pub(crate) openapi: Document,
    hosted: HashMap<String, HostedModel>,
}

impl Models {
    /// Prepares every model in `registry` for requests, and the document about them.
    ///
    /// # Errors
    ///
    /// Which model cannot be hosted, and why.
    pub(crate) fn new(registry: ModelRegistry, info: &Info) -> Result<Self, String> {
        let mut hosted = HashMap::new();
        for (name, model) in registry.iter() {
            let model = HostedModel::new(model.clone())
                .map_err(|error| format!("the input schema of `{name}` is not valid: {error}"))?;
            hosted.insert(name.to_owned(), model);
        }
        let describe = |details: ModelDetails| {
            let name = details.qualified_name;
            let metadata = registry.metadata(&name).map_err(|error| error.to_string())?;
            Ok::<_, String>(ModelApi { metadata, has_endpoint: hosted.contains_key(&name) })
        };
        let described: Vec<_> =
            registry.list().into_iter().map(describe).collect::<Result<_, _>>()?;
        let openapi = Document::new(&openapi::document(info, &described));
        Ok(Self { registry, openapi, hosted })
    }

    pub(crate) fn hosted(&self, name: &str) -> Option<&HostedModel> {
        self.hosted.get(name)
    }
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
    pub(crate) fn new(info: Info) -> Self {
        Self { info, models: OnceLock::new(), is_stopping: AtomicBool::new(false) }
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

    pub(crate) fn phase(&self) -> Phase {
        match self.models.get() {
            Some(Err(_)) => Phase::Failed,
            _ if self.is_stopping.load(Ordering::Relaxed) => Phase::Stopping,
            Some(Ok(_)) => Phase::Ready,
            None => Phase::Loading,
        }
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
