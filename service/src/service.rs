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
use crate::openapi::Info;
use crate::server::{self, ServeError};
use crate::state::{Models, State};

type Loader =
    Box<dyn FnOnce(&mut ModelRegistry) -> Result<(), Box<dyn Error + Send + Sync>> + Send>;

/// A service: what it says of itself and how its models are loaded.
pub struct Service {
    info: Info,
    loaders: Vec<Loader>,
}

impl Service {
    /// A service without models.
    pub fn new(title: impl Into<String>) -> Self {
        Self { info: Info::new(title), loaders: Vec::new() }
    }

    /// The version of the API that its documentation names; `0.1.0` otherwise.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.info.version = version.into();
        self
    }

    /// What the documentation says of the service, in CommonMark.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.info.description = description.into();
        self
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

    /// Runs the service as a program: reads the command line, sets up the log, serves until
    /// SIGTERM or SIGINT, finishes the requests accepted by then and flushes the log.
    pub fn main(self) -> ExitCode {
        let command_line = CommandLine::parse();
        let logging = match ml_logging::builder().panic_records(true).init() {
            Ok(logging) => logging,
            Err(error) => {
                eprintln!("error: {}", error_chain(&error));
                return ExitCode::FAILURE;
            }
        };
        let exit_code = match self.run(&command_line) {
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
    /// If the listener fails.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime with I/O and time enabled.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let address = listener.local_addr().map_err(ServeError::Serve)?;
        tracing::info!(title = self.info.title, address = %address, "Listening on http://{address}.");
        let state = Arc::new(State::new(self.info));
        let loading = state.clone();
        let loaders = self.loaders;
        tokio::task::spawn_blocking(move || loading.loaded(load(loaders, &loading.info)));
        server::serve(state, listener, shutdown).await?;
        tracing::info!("Stopped.");
        Ok(())
    }
}

/// Loads all models. A model that panics while it is loaded has failed, too.
fn load(loaders: Vec<Loader>, info: &Info) -> Result<Models, String> {
    let loading = std::panic::AssertUnwindSafe(|| {
        let mut registry = ModelRegistry::new();
        for load in loaders {
            load(&mut registry).map_err(|error| error_chain(&*error).to_string())?;
        }
        Models::new(registry, info)
    });
    std::panic::catch_unwind(loading)
        .unwrap_or_else(|_panic| Err("a model panicked while it was loaded".to_owned()))
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("info", &self.info)
            .field("models", &self.loaders.len())
            .finish()
    }
}
