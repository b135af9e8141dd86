//! State that all requests share: the loaded models, and the phase of the service.

use std::net::IpAddr;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use hyper::body::Bytes;
use ml_logging::Logging;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::config::ServerSettings;
use crate::hosting::loading::Models;
use crate::info::Info;

/// Maximum number of predictions that run on the blocking pool at the same time.
pub(crate) const PREDICTION_THREADS: usize = 512;

/// Shared by all requests.
pub(crate) struct State {
    pub(crate) info: Info,
    pub(crate) server: ServerSettings,
    /// The log, if its levels can be set.
    pub(crate) logging: Option<Arc<Logging>>,
    /// Whether answers contain the reasons of failures inside the service.
    pub(crate) shows_error_details: bool,
    /// Permits for predictions on the blocking pool. A prediction that waits for one has not begun.
    pub(crate) prediction_threads: Arc<Semaphore>,
    /// Permits for the work on large bodies. More of them at once than processors would only take memory.
    pub(crate) large_bodies: Semaphore,
    loaded: OnceLock<Result<Loaded, String>>,
    is_stopping: AtomicBool,
}

/// The loaded models and the OpenAPI document about them.
pub(crate) struct Loaded {
    pub(crate) models: Models,
    pub(crate) openapi: Value,
    /// The document as JSON.
    pub(crate) openapi_text: Bytes,
}

/// Phase of the service, which the health endpoints report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Loading,
    Ready,
    Failed,
    Stopping,
}

impl State {
    /// Begins the loading phase of a service that listens on `address`.
    pub(crate) fn new(
        info: Info,
        server: ServerSettings,
        address: IpAddr,
        logging: Option<Arc<Logging>>,
    ) -> Self {
        let shows_error_details = server.shows_error_details(address);
        let prediction_threads = Arc::new(Semaphore::new(PREDICTION_THREADS));
        let large_bodies = thread::available_parallelism().map_or(1, NonZero::get);
        let (loaded, is_stopping) = (OnceLock::new(), AtomicBool::new(false));
        Self {
            info,
            server,
            logging,
            shows_error_details,
            prediction_threads,
            large_bodies: Semaphore::new(large_bodies),
            loaded,
            is_stopping,
        }
    }

    /// Ends the loading phase and logs how it ended. Only the first call has an effect.
    pub(crate) fn finish_loading(&self, loaded: Result<Loaded, String>) {
        match self.loaded.get_or_init(|| loaded) {
            Ok(Loaded { models, .. }) => {
                let models = models.registry.iter().count();
                tracing::info!(models, "All models are loaded.");
            }
            Err(error_info) => tracing::error!(error_info, "The models could not be loaded."),
        }
    }

    /// Begins the shutdown.
    pub(crate) fn begin_shutdown(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Returns whether the shutdown has begun.
    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// Returns the phase of the service.
    pub(crate) fn phase(&self) -> Phase {
        match self.loaded.get() {
            Some(Err(_)) => Phase::Failed,
            _ if self.is_stopping() => Phase::Stopping,
            Some(Ok(_)) => Phase::Ready,
            None => Phase::Loading,
        }
    }

    /// Returns the loaded models, `None` while they are being loaded.
    pub(crate) fn loaded(&self) -> Option<Result<&Loaded, &str>> {
        Some(self.loaded.get()?.as_ref().map_err(String::as_str))
    }
}
