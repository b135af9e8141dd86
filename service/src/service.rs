//! What the user's `main` builds.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use ml_model_core::{MLModel, ModelDetails, ModelRegistry, error_chain};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;

use crate::command_line::CommandLine;
use crate::metrics::{LogFigures, Metrics, MetricsSettings};
use crate::server::{self, ServeError};
use crate::state::{Models, State};

type Loader =
    Box<dyn FnOnce(&mut ModelRegistry) -> Result<(), Box<dyn Error + Send + Sync>> + Send>;

/// A service: its title and how its models are loaded.
pub struct Service {
    title: String,
    loaders: Vec<Loader>,
    metrics: MetricsSettings,
    log: LogFigures,
}

impl Service {
    /// A service without models.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            loaders: Vec::new(),
            metrics: MetricsSettings::default(),
            log: LogFigures::default(),
        }
    }

    /// Adds a model, to be loaded when the service listens already.
    ///
    /// The health endpoints tell when all models are loaded; if one of them cannot be, the service
    /// goes on answering them, as `NOT_HEALTHY`, and the log says why.
    #[must_use]
    pub fn model<M, E>(mut self, load: impl FnOnce() -> Result<M, E> + Send + 'static) -> Self
    where
        M: MLModel + 'static,
        M::Input: DeserializeOwned,
        M::Output: Serialize,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.loaders.push(Box::new(|registry| {
            let model = load().map_err(Into::into)?;
            let details = ModelDetails::of(&model);
            let decorators = format!("{:?}", model.decorators());
            registry.add(model)?;
            tracing::info!(
                model_qualified_name = details.qualified_name,
                model_version = details.version,
                decorators,
                "Loaded model."
            );
            Ok(())
        }));
        self
    }

    /// Keeps metrics and shows them at `GET /metrics`, in Prometheus' text format; see
    /// [`MetricsSettings`]. What is counted of models is the process's: services of one process
    /// show the same.
    #[must_use]
    pub fn metrics(mut self, settings: MetricsSettings) -> Self {
        self.metrics = settings;
        self
    }

    /// Shows at `/metrics` how many log records have been lost, as `lost_records` tells whenever it
    /// is asked. [`main`](Self::main) does this for the log that it sets up.
    #[must_use]
    pub fn lost_log_records(
        mut self,
        lost_records: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.log.lost_records = Some(Box::new(lost_records));
        self
    }

    /// Runs the service as a program: reads the command line, sets up the log, serves until
    /// SIGTERM or SIGINT, finishes the requests accepted by then and flushes the log.
    pub fn main(self) -> ExitCode {
        let command_line = CommandLine::parse();
        let logging = match ml_logging::builder().panic_records(true).init() {
            Ok(logging) => Arc::new(logging),
            Err(error) => {
                eprintln!("error: {}", error_chain(&error));
                return ExitCode::FAILURE;
            }
        };
        let counting = logging.clone();
        let service = self.lost_log_records(move || counting.lost_records());
        let exit_code = match service.run(&command_line) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(error_info = %error_chain(&*error), "The service cannot run.");
                eprintln!("error: {}", error_chain(&*error));
                ExitCode::FAILURE
            }
        };
        if let Err(error) = logging.flush() {
            eprintln!("error: the log could not be written to its end: {error}");
            return ExitCode::FAILURE;
        }
        exit_code
    }

    fn run(self, command_line: &CommandLine) -> Result<(), Box<dyn Error>> {
        // Before the port opens.
        self.metrics.check()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let shutdown = server::signals()?;
            let listener = server::listen(command_line.address).await?;
            self.serve(listener, shutdown).await?;
            Ok(())
        })
    }

    /// Serves on `listener` until `shutdown` is over and the requests accepted by then are
    /// answered.
    ///
    /// # Errors
    ///
    /// If the listener fails, or a setting of the metrics cannot be used.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime with I/O and time enabled.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let metrics = Metrics::new(self.metrics, self.log)?;
        let has_metrics = metrics.is_some();
        let address = listener.local_addr().map_err(ServeError::Serve)?;
        tracing::info!(title = self.title, address = %address, "Listening on http://{address}.");
        let state = Arc::new(State::new(self.title));
        let loading = state.clone();
        let loaders = self.loaders;
        tokio::task::spawn_blocking(move || loading.loaded(load(loaders, has_metrics)));
        server::serve(state, metrics, listener, shutdown).await?;
        tracing::info!("Stopped.");
        Ok(())
    }
}

/// Loads all models. A model that panics while it is loaded has failed, too.
fn load(loaders: Vec<Loader>, has_metrics: bool) -> Result<Models, String> {
    let loading = std::panic::AssertUnwindSafe(|| {
        let mut registry = ModelRegistry::new();
        for load in loaders {
            load(&mut registry).map_err(|error| error_chain(&*error).to_string())?;
        }
        Models::new(registry, has_metrics)
    });
    std::panic::catch_unwind(loading)
        .unwrap_or_else(|_panic| Err("a model panicked while it was loaded".to_owned()))
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("title", &self.title)
            .field("models", &self.loaders.len())
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}
