//! What the user's `main` builds.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use ml_configuration::{Document, Mapping, Problems};
use ml_logging::{ContextFilter, EcsFormatter, Handler, Logging};
use ml_model_core::{Decorator, ModelRegistry, RegisteredModel, error_chain};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::cli::{Command, CommandLine, DEFAULT_FILE};
use crate::config::{Configuration, OVERRIDES};
use crate::export::{self, DescribedRecords, Target};
use crate::hosting::loading::{ChosenModel, Models, load};
use crate::hosting::options::HostingOptions;
use crate::hosting::registered::{
    BoxError, DecoratorRegistration, HostedType, ModelRegistration, Registered,
};
use crate::http::server::{self, ServeError};
use crate::info::Info;
use crate::metrics::{Metrics, MetricsSettings};
use crate::openapi::{self, ModelApi};
use crate::state::{Loaded, State};

/// A service: what it says of itself, and the models and decorators that its configuration may name.
#[must_use = "a service does nothing before `main` or `configured`"]
pub struct Service {
    info: Info,
    registered: Registered,
    metrics: MetricsSettings,
    logging: Option<Arc<Logging>>,
}

impl Service {
    /// A service without models. A configuration may give it another title.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            info: Info::new(title),
            registered: Registered::default(),
            metrics: MetricsSettings::default(),
            logging: None,
        }
    }

    /// The version of the API that its documentation names; `0.1.0` otherwise.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.info.version = version.into();
        self
    }

    /// What the documentation says of the service, in CommonMark.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.info.description = description.into();
        self
    }

    /// Adds a model, to be loaded when the service listens already.
    ///
    /// The health endpoints tell when all models are loaded; if one of them cannot be, the service
    /// goes on answering them, as `NOT_HEALTHY`, and the log says why.
    ///
    /// A configuration with `models:` hosts only those that it lists.
    pub fn model<M, E>(mut self, load: impl FnOnce() -> Result<M, E> + Send + 'static) -> Self
    where
        M: HostedType,
        E: Into<BoxError>,
    {
        self.registered.models.push(ModelRegistration::new(load));
        self
    }

    /// Adds a model whose constructor takes the `configuration:` that the configuration file has for
    /// it, as a value of its own type.
    ///
    /// ```no_run
    /// # use ml_model_core::{Infer, MLModel};
    /// # use ml_model_service::Service;
    /// #[derive(serde::Deserialize)]
    /// #[serde(deny_unknown_fields)]
    /// struct Settings {
    ///     threshold: f64,
    /// }
    ///
    /// # #[derive(MLModel)]
    /// # struct Model { threshold: f64 }
    /// # impl Infer for Model {
    /// #     type Input = f64;
    /// #     type Output = bool;
    /// #     type Error = std::convert::Infallible;
    /// #     fn infer(&self, input: &f64) -> Result<bool, Self::Error> { Ok(*input > self.threshold) }
    /// # }
    /// fn load(settings: Settings) -> Result<Model, std::io::Error> {
    ///     Ok(Model { threshold: settings.threshold })
    /// }
    ///
    /// Service::new("Model Service").configurable_model(load).main();
    /// ```
    pub fn configurable_model<M, C, E>(
        mut self,
        load: impl FnOnce(C) -> Result<M, E> + Send + 'static,
    ) -> Self
    where
        M: HostedType,
        C: DeserializeOwned + Send + 'static,
        E: Into<BoxError>,
    {
        self.registered.models.push(ModelRegistration::configurable(load));
        self
    }

    /// Registers a decorator that the `decorators:` of a configuration may name, with a
    /// configuration of its own type.
    ///
    /// ```no_run
    /// # use ml_model_core::{Decorator, MLModel};
    /// # use ml_model_service::Service;
    /// # struct Timing { slow: std::time::Duration }
    /// # impl<M: MLModel> Decorator<M> for Timing {}
    /// #[derive(serde::Deserialize)]
    /// struct TimingSettings {
    ///     slow_ms: u64,
    /// }
    ///
    /// Service::new("Model Service")
    ///     .decorator("timing", |settings: TimingSettings| {
    ///         Ok::<_, std::io::Error>(Timing { slow: std::time::Duration::from_millis(settings.slow_ms) })
    ///     })
    ///     .main();
    /// ```
    pub fn decorator<C, D, E>(
        mut self,
        name: impl Into<String>,
        make: impl Fn(C) -> Result<D, E> + Send + 'static,
    ) -> Self
    where
        C: DeserializeOwned,
        D: Decorator<RegisteredModel> + 'static,
        E: Into<BoxError>,
    {
        self.registered.decorators.push(DecoratorRegistration::new(name.into(), make));
        self
    }

    /// Registers a class of filters that the `logging.filters:` of a configuration may name, beside
    /// `HostnameFilter` and `EnvironmentInfoFilter`. Its fields may then be named by formatters.
    ///
    /// `make` gets the keys of the filter's own, all but `class`, and reports what is wrong with
    /// them; keys that it does not ask for are reported as unknown.
    ///
    /// ```no_run
    /// # use ml_model_service::{ContextFilter, Service};
    /// struct ReleaseFilter {
    ///     prefix: String,
    /// }
    ///
    /// impl ContextFilter for ReleaseFilter {
    ///     fn fields(&self) -> Vec<(String, String)> {
    ///         vec![("release".to_owned(), format!("{}{}", self.prefix, env!("CARGO_PKG_VERSION")))]
    ///     }
    /// }
    ///
    /// // filters: {release: {class: ReleaseFilter, prefix: v}}
    /// Service::new("Model Service")
    ///     .log_filter("ReleaseFilter", |keys, problems| {
    ///         let prefix = keys.required("prefix", problems)?.string(problems)?;
    ///         Some(ReleaseFilter { prefix: prefix.to_owned() })
    ///     })
    ///     .main();
    /// ```
    pub fn log_filter<F: ContextFilter>(
        mut self,
        class: impl Into<String>,
        make: impl Fn(&mut Mapping<'_>, &mut Problems) -> Option<F> + Send + Sync + 'static,
    ) -> Self {
        self.registered.filters = self.registered.filters.with(class, make);
        self
    }

    /// Keeps metrics and shows them at `GET /metrics`, in Prometheus' text format, unless a
    /// configuration says otherwise. What is counted of models is the process's: services of one
    /// process show the same.
    pub fn metrics(mut self, settings: MetricsSettings) -> Self {
        self.metrics = settings;
        self
    }

    /// Shows at `/metrics` what has become of the records of this log, and lets its levels be shown and
    /// set at `/api/log/levels` by those who have one of the configuration's `server.admin_keys`.
    /// [`main`](Self::main) does this for the log that it sets up.
    pub fn logging(mut self, logging: Arc<Logging>) -> Self {
        self.logging = Some(logging);
        self
    }

    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it. Nothing has been opened or loaded then.
    pub fn configured(self, document: &Document) -> Result<ConfiguredService, Problems> {
        let Self { info, registered, metrics, logging } = self;
        let configuration = Configuration::read(document, info, metrics, registered)?;
        Ok(ConfiguredService { configuration, logging })
    }

    /// Runs the service as a program: reads the command line and the configuration, sets up the
    /// log, serves until SIGTERM or SIGINT, finishes the requests accepted by then and flushes the
    /// log, within `logging.flush_limit_s` of the configuration, 10 s otherwise.
    pub fn main(self) -> ExitCode {
        let command_line = CommandLine::parse();
        let path = command_line.file();
        let mut problems = Problems::new();
        let address = command_line.address(&mut problems);
        let sets_up_log = matches!(command_line.command, None | Some(Command::CheckConfig));
        if sets_up_log {
            check_environment(&mut problems);
        }
        let service = document(path.as_deref(), &mut problems)
            .and_then(|file| {
                if sets_up_log {
                    check_log_files(&file, &mut problems);
                }
                self.configured(&file).map_err(|more| problems.extend(more)).ok()
            })
            .filter(|_| problems.is_empty());
        let service = match service {
            Some(service) => service,
            None => {
                for problem in problems.to_string().lines() {
                    eprintln!("error: {problem}");
                }
                return ExitCode::FAILURE;
            }
        };
        let result = match command_line.command {
            Some(Command::CheckConfig) => {
                service.describe(path.as_deref());
                Ok(())
            }
            Some(Command::GenerateOpenapi { output_file }) => {
                service.generate_openapi(&output_file)
            }
            Some(Command::Export { target, output_dir, runbook_url }) => {
                service.export(target, &runbook_url, &output_dir)
            }
            None => service.run(address),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {}", error_chain(&*error));
                ExitCode::FAILURE
            }
        }
    }
}

/// Reports what is wrong with the levels of the log in the environment.
fn check_environment(problems: &mut Problems) {
    if let Err(error) = ml_logging::builder().writer(std::io::sink).build() {
        problems.add(error_chain(&error).to_string());
    }
}

/// Reports log files that cannot be opened, also if there are other mistakes.
fn check_log_files(file: &Document, problems: &mut Problems) {
    let root = file.root().mapping(&mut Problems::new());
    if let Some(logging) = root.and_then(|mut root| root.optional("logging")) {
        ml_logging::Configuration::check_files(logging, problems);
    }
}

/// The configuration file with the overrides of the environment; without a file only these. Of
/// mistaken overrides the others are looked at nevertheless.
fn document(path: Option<&Path>, problems: &mut Problems) -> Option<Document> {
    let read = match path {
        Some(path) => Document::read(path),
        None => Document::parse("the configuration", ""),
    };
    let mut document = read.map_err(|mistakes| problems.extend(mistakes)).ok()?;
    // What is not Unicode cannot be meant for this.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    if let Err(mistakes) = document.override_from(OVERRIDES, variables) {
        problems.extend(mistakes);
    }
    Some(document)
}

/// A service that knows all it is to do; made by [`Service::configured`].
#[must_use = "a service does nothing before it is served"]
pub struct ConfiguredService {
    configuration: Configuration,
    logging: Option<Arc<Logging>>,
}

impl ConfiguredService {
    /// Says what is configured.
    fn describe(&self, path: Option<&Path>) {
        let Configuration { info, models, server, .. } = &self.configuration;
        let source = match path {
            Some(path) => format!("{} is valid", path.display()),
            None => format!("there is no {DEFAULT_FILE} here; what is compiled in is valid"),
        };
        println!("{source}: {}, {}", info.title, counted(models.len(), "model"));
        let keys =
            server.api_keys.as_ref().map_or("none".to_owned(), |keys| keys.len().to_string());
        println!("  API keys: {keys}");
        if let Some(keys) = &server.admin_keys {
            println!("  admin keys: {}", keys.len());
        }
        for model in models {
            let stack = match &model.layers {
                Some(layers) => counted(layers.len(), "configured decorator"),
                None => "its own decorators".to_owned(),
            };
            let endpoint = if model.options.has_endpoint { "" } else { ", no endpoint" };
            println!("  {}: {stack}{endpoint}", model.name);
        }
    }

    fn generate_openapi(self, output_file: &Path) -> Result<(), BoxError> {
        let Configuration { info, models, .. } = self.configuration;
        let options = options_of(&models);
        let document = openapi(&info, &load(models)?, &options)?;
        Ok(openapi::write(&document, output_file)?)
    }

    fn export(self, target: Target, runbook_url: &str, directory: &Path) -> Result<(), BoxError> {
        let Configuration { info, models, logging, .. } = self.configuration;
        let handlers = match logging {
            Some(logging) => logging.ecs_keys(),
            None => ml_logging::Configuration::new()
                .handler(Handler::stdout("stdout").formatter(EcsFormatter::new()))
                .ecs_keys(),
        };
        let registry = load(models)?;
        let records = DescribedRecords::new(&info, &registry, &handlers)?;
        for path in export::write(target, &records, runbook_url, directory)? {
            println!("{}", path.display());
        }
        Ok(())
    }

    fn run(mut self, address: Option<SocketAddr>) -> Result<(), BoxError> {
        const DEFAULT: SocketAddr =
            SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);
        let address = address.or(self.configuration.server.address).unwrap_or(DEFAULT);
        let logging = match self.configuration.logging.take() {
            Some(configuration) => configuration.init(true)?,
            None => ml_logging::builder().panic_records(true).init()?,
        };
        let logging = Arc::new(logging);
        self.logging = Some(logging.clone());
        let result = self.run_logged(address);
        if let Err(error) = &result {
            tracing::error!(error_info = %error_chain(&**error), "The service cannot run.");
        }
        logging
            .finish()
            .map_err(|error| format!("the log could not be written to its end: {error}"))?;
        result
    }

    fn run_logged(self, address: SocketAddr) -> Result<(), BoxError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let drain_limit = self.configuration.server.drain_limit;
        runtime.block_on(async {
            let shutdown = server::signals()?;
            let listener = server::listen(address).await?;
            self.serve(listener, shutdown).await
        })?;
        // Predictions whose callers have gone or were told that it takes too long.
        runtime.shutdown_timeout(drain_limit.max(Duration::from_secs(1)));
        tracing::info!("Stopped.");
        Ok(())
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
        let Configuration { mut info, server, models, metrics, metrics_notes, .. } =
            self.configuration;
        info.has_admin_keys &= self.logging.is_some();
        let metrics = Metrics::new(metrics, self.logging.clone())?;
        let has_metrics = metrics.is_some();
        for note in metrics_notes.iter().filter(|_| has_metrics) {
            tracing::warn!("{note}");
        }
        tracing::info!(title = info.title, "Creating service.");
        tracing::info!(title = info.title, address = %address, "Listening on http://{address}.");
        let state = Arc::new(State::new(info, server, self.logging));
        let loading = state.clone();
        tokio::task::spawn_blocking(move || {
            let options = options_of(&models);
            let loaded = load(models).and_then(|registry| {
                let models = Models::new(registry, &options, has_metrics)?;
                let openapi = openapi(&loading.info, &models.registry, &options)?;
                Ok(Loaded { models, openapi: openapi.to_string().into() })
            });
            loading.finish_loading(loaded);
        });
        server::serve(state, metrics, listener, shutdown).await;
        Ok(())
    }
}

/// `1 model`, `2 models`.
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Returns the hosting options of models by name.
fn options_of(chosen: &[ChosenModel]) -> HashMap<&'static str, HostingOptions> {
    chosen.iter().map(|model| (model.name, model.options)).collect()
}

/// Builds the OpenAPI document about loaded models.
///
/// # Errors
///
/// Never fails, as long as the registry finds its own models.
fn openapi(
    info: &Info,
    registry: &ModelRegistry,
    options: &HashMap<&str, HostingOptions>,
) -> Result<Value, String> {
    let described: Result<Vec<_>, String> = registry
        .iter()
        .map(|(name, _)| {
            let metadata = registry.metadata(name).map_err(|error| error.to_string())?;
            let has_endpoint = options.get(name).is_some_and(|options| options.has_endpoint);
            Ok(ModelApi { metadata, has_endpoint })
        })
        .collect();
    Ok(openapi::document(info, &described?))
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("info", &self.info)
            .field("models", &self.registered.models.len())
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ConfiguredService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfiguredService")
            .field("info", &self.configuration.info)
            .finish_non_exhaustive()
    }
}
