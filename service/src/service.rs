//! The service that the `main` of a program builds and runs.

use std::env;
use std::fmt;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use ml_configuration::{Document, Mapping, Problems};
use ml_logging::{ContextFilter, Logging};
use ml_model_core::{PendingCalls, error_chain};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::cli::{self, Command, CommandLine};
use crate::config::{self, ApiKeys, Configuration};
use crate::hosting::loading::{Models, load, options_of};
use crate::hosting::registered::{
    BoxError, DecoratorRegistration, LoadResult, MakeDecorator, ModelRegistration, Registered,
};
use crate::http::routes::templates;
use crate::http::server::{self, ServeError};
use crate::info::Info;
use crate::log_wait;
use crate::metrics::{Metrics, MetricsSettings};
use crate::openapi;
use crate::signals::{self, ShutdownLimits};
use crate::state::{Loaded, PREDICTION_THREADS, State};

/// Threads of the blocking pool beside those of predictions, for workers that wait for the log.
const OTHER_THREADS: usize = 64;

/// A service: its description, and the models and decorators that its configuration can name.
#[must_use = "a service does nothing before `main` or `configured`"]
pub struct Service {
    info: Info,
    registered: Registered,
    metrics: MetricsSettings,
    logging: Option<Arc<Logging>>,
}

impl Service {
    /// Creates a service without models. A configuration can replace the title.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            info: Info::new(title),
            registered: Registered::default(),
            metrics: MetricsSettings::default(),
            logging: None,
        }
    }

    /// Sets the version of the API, `0.1.0` by default.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.info.version = version.into();
        self
    }

    /// Sets the description of the service, in CommonMark.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.info.description = description.into();
        self
    }

    /// Adds a model. It is loaded after the service has begun to listen. `load` returns the model, or a
    /// [`Result`] with it.
    ///
    /// The health endpoints report when all models are loaded. If a model fails to load, they report
    /// `NOT_HEALTHY`, and the log contains the reason.
    ///
    /// A configuration with `models:` hosts the listed models only.
    pub fn model<L: LoadResult<K>, K>(mut self, load: impl FnOnce() -> L + Send + 'static) -> Self {
        self.registered.models.push(ModelRegistration::new(load));
        self
    }

    /// Adds a model whose constructor takes its `configuration:` of the configuration file, deserialized
    /// into a type of the model's own.
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
    pub fn configurable_model<L, K, C>(mut self, load: impl FnOnce(C) -> L + Send + 'static) -> Self
    where
        L: LoadResult<K>,
        C: for<'de> Deserialize<'de> + Send + 'static,
    {
        self.registered.models.push(ModelRegistration::configurable(load));
        self
    }

    /// Registers a decorator that the `decorators:` of a configuration can name. `make` takes the
    /// configuration of the decorator, deserialized into a type of its own, and returns a [`Result`] with the
    /// decorator; or it takes nothing and returns the decorator.
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
    ///     .decorator("default_timing", || Timing { slow: std::time::Duration::from_secs(1) })
    ///     .main();
    /// ```
    pub fn decorator<A>(mut self, name: &str, make: impl MakeDecorator<A>) -> Self {
        let registration = DecoratorRegistration { name: name.to_owned(), make: make.into_make() };
        self.registered.decorators.push(registration);
        self
    }

    /// Registers a class of filters that the `logging.filters:` of a configuration can name, beside
    /// `HostnameFilter` and `EnvironmentInfoFilter`. Formatters can name its fields.
    ///
    /// `make` receives the keys of the filter, except `class`, and reports mistakes in them. Keys that it
    /// does not read are reported as unknown.
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
        class: &str,
        make: impl Fn(&mut Mapping<'_>, &mut Problems) -> Option<F> + Send + Sync + 'static,
    ) -> Self {
        self.registered.filters = self.registered.filters.with(class, make);
        self
    }

    /// Enables metrics at `GET /metrics`, in the text format of Prometheus. A configuration with
    /// `metrics:` replaces the settings. All services of a process share the counts of models.
    ///
    /// `metrics(true)` enables them with the default settings.
    pub fn metrics(mut self, settings: impl Into<MetricsSettings>) -> Self {
        self.metrics = settings.into();
        self
    }

    /// Connects the service with a log: its counts are shown at `/metrics`, and its levels can be read and
    /// set at `/api/log/levels` with one of the `server.admin_keys` of the configuration.
    /// [`main`](Self::main) connects the log that it sets up.
    pub fn logging(mut self, logging: Arc<Logging>) -> Self {
        self.logging = Some(logging);
        self
    }

    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// Fails with all mistakes in it, before anything is opened or loaded.
    pub fn configured(self, document: &Document) -> Result<ConfiguredService, Problems> {
        let service = self.read(document)?;
        let mut problems = Problems::new();
        config::check_hash_key(&service.configuration.models, &mut problems);
        problems.into_result(service)
    }

    /// Reads a configuration without what a running service needs besides.
    fn read(self, document: &Document) -> Result<ConfiguredService, Problems> {
        let Self { info, registered, metrics, logging } = self;
        let configuration = Configuration::read(document, info, metrics, registered)?;
        let pending = Arc::default();
        Ok(ConfiguredService { configuration, logging, pending, is_program: false })
    }

    /// Runs the service as a program.
    ///
    /// Reads the command line and the configuration, sets up the log, starts a Tokio runtime, and serves until SIGTERM or
    /// SIGINT. Then finishes the requests accepted before and flushes the log. The process ends at most
    /// `server.readiness_delay_s`, `server.drain_limit_s` and `logging.flush_limit_s` of the configuration after the
    /// signal, 25 s by default, and at once after a second signal.
    ///
    /// | | from the first of these that is given |
    /// |---|---|
    /// | address | `--address`, `ML_SERVICE_ADDRESS`, `server.address` of the file, `127.0.0.1:8000` |
    /// | file | `--config`, `REST_CONFIG`, `rest_config.yaml` if it exists |
    ///
    /// A program that chooses them itself, has set up its logging, or is in a runtime already, calls
    /// [`configured`](Self::configured) and [`serve`](ConfiguredService::serve) instead.
    #[must_use = "return the exit code from `main`: without it, a service that has failed ends with 0"]
    pub fn main(self) -> ExitCode {
        let command_line = CommandLine::parse();
        if command_line.version {
            cli::print_versions(&self.info, &self.registered);
            return ExitCode::SUCCESS;
        }
        let path = command_line.file();
        let mut problems = Problems::new();
        if self.registered.models.is_empty() {
            problems.add("the program has no models; add one with `Service::model` before `main`");
        }
        let address = command_line.address(&mut problems);
        let serves = matches!(command_line.command, None | Some(Command::Serve));
        let sets_up_log =
            serves || matches!(command_line.command, Some(Command::CheckConfig { .. }));
        if sets_up_log {
            cli::check_environment(&mut problems);
        }
        if serves && tokio::runtime::Handle::try_current().is_ok() {
            problems.add(
                "`Service::main` starts a runtime of its own; call it from a `main` that is not `async`, or call \
                 `configured` and `serve` in this runtime",
            );
        }
        let service = cli::document(path.as_deref(), &mut problems)
            .and_then(|file| {
                if sets_up_log {
                    cli::check_log_files(&file, path.as_deref(), &mut problems);
                }
                let service = self.read(&file).map_err(|more| problems.extend(more)).ok()?;
                if sets_up_log {
                    config::check_hash_key(&service.configuration.models, &mut problems);
                }
                Some(service)
            })
            .filter(|_| problems.is_empty());
        let Some(service) = service else {
            for problem in problems.to_string().lines() {
                eprintln!("error: {problem}");
            }
            return ExitCode::FAILURE;
        };
        let configuration = service.configuration;
        let variables = cli::unknown_variables(env::vars_os().map(|(name, _)| name));
        for warning in variables.iter().chain(&configuration.warnings) {
            eprintln!("warning: {warning}");
        }
        let result = match command_line.command {
            Some(Command::CheckConfig { .. }) => {
                cli::describe(&configuration, path.as_deref());
                Ok(())
            }
            Some(Command::GenerateOpenapi { output_file }) => {
                cli::generate_openapi(configuration, &output_file)
            }
            Some(Command::Export { target, output_dir, runbook_url }) => {
                cli::export(configuration, target, &runbook_url, &output_dir)
            }
            None | Some(Command::Serve) => run(configuration, address),
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

/// Sets up the log and serves until a signal ends the service.
fn run(mut configuration: Configuration, address: Option<SocketAddr>) -> Result<(), BoxError> {
    const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000);
    let address = address.or(configuration.server.address).unwrap_or(DEFAULT);
    let logging = match configuration.logging.take() {
        Some(configuration) => configuration.panic_records(true).init(),
        None => ml_logging::builder().panic_records(true).init(),
    };
    let logging = logging.map_err(|error| match error {
        ml_logging::Error::SubscriberInstalled | ml_logging::Error::LogInstalled => {
            "the program has set up logging before `Service::main`, which does so itself, as `logging:` of the \
             configuration file defines; remove the program's own set-up, or call `configured` and `serve`"
                .into()
        }
        error => BoxError::from(error),
    })?;
    let logging = Arc::new(logging);
    let service = ConfiguredService {
        configuration,
        logging: Some(logging.clone()),
        pending: Arc::default(),
        is_program: true,
    };
    let result = run_logged(service, address, &logging);
    if let Err(error) = &result {
        tracing::error!(error_info = %error_chain(&**error), "The service cannot run.");
    }
    logging
        .finish()
        .map_err(|error| format!("the log could not be written to its end: {error}"))?;
    result
}

fn run_logged(
    service: ConfiguredService,
    address: SocketAddr,
    logging: &Arc<Logging>,
) -> Result<(), BoxError> {
    /// Time for calls that end when the log no longer waits.
    const LAST_CALLS: Duration = Duration::from_millis(50);
    let server = &service.configuration.server;
    let limits = ShutdownLimits {
        readiness_delay: server.readiness_delay,
        drain: server.drain_limit,
        flush: logging.flush_limit(),
    };
    let (log, api_keys, admin_keys) =
        (logging.clone(), server.api_keys.clone(), server.admin_keys.clone());
    let reload = move || {
        log.reopen();
        match ApiKeys::reload(api_keys.as_deref(), admin_keys.as_deref()) {
            Ok(()) => tracing::info!("Log files are opened again, and key files are read again."),
            Err(error_info) => tracing::error!(
                error_info,
                "Log files are opened again. The keys stay as they were."
            ),
        }
    };
    let stop = signals::handle(logging.clone(), limits, reload).map_err(ServeError::Signals)?;
    let pending = service.pending.clone();
    // A thread that writes for others while the log stalls must not be the only one.
    let workers = thread::available_parallelism().map_or(1, NonZero::get).max(2);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(PREDICTION_THREADS + OTHER_THREADS)
        .enable_all()
        .build()?;
    let shutdown = {
        let mut stop = stop.clone();
        // An error means that the process ends.
        async move { drop(stop.wait_for(Option::is_some).await) }
    };
    runtime.block_on(async {
        let listener = server::listen(address)?;
        // On a worker, which leaves its other tasks to another thread while a record waits for the log.
        let served = tokio::spawn(service.serve(listener, shutdown)).await;
        // The task is not cancelled, so that an error is a panic.
        served.unwrap_or_else(|error| resume_unwind(error.into_panic()))
    })?;
    let begun = stop.borrow().unwrap_or_else(Instant::now);
    // Calls that go on after their time-out, or after their client has gone.
    let left = limits.drained(begun).saturating_duration_since(Instant::now());
    runtime.shutdown_timeout(left.max(LAST_CALLS));
    let abandoned = pending.abandon("the service has stopped before the prediction has finished");
    tracing::info!(abandoned, "Stopped.");
    Ok(())
}

/// A service with a valid configuration, made by [`Service::configured`].
///
/// Tests and programs with a `main` of their own serve it on a listener:
///
/// ```
/// use std::io::Write as _;
/// use std::net::TcpStream;
///
/// use ml_model_service::{Document, Service};
/// use tokio::net::TcpListener;
/// # use ml_model_core::{Infer, MLModel};
/// # #[derive(MLModel)]
/// # struct Double;
/// # impl Infer for Double {
/// #     type Input = f64;
/// #     type Output = f64;
/// #     type Error = std::convert::Infallible;
/// #     fn infer(&self, input: &f64) -> Result<f64, Self::Error> { Ok(2.0 * input) }
/// # }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let address = listener.local_addr()?;
/// let document = Document::parse("service.yaml", "server: {drain_limit_s: 1}")?;
/// let service = Service::new("Model Service").model(|| Double).configured(&document)?;
///
/// let client = tokio::task::spawn_blocking(move || {
///     let mut stream = TcpStream::connect(address)?;
///     stream.write_all(b"GET /api/health HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")?;
///     std::io::read_to_string(stream)
/// });
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let served = tokio::spawn(service.serve(listener, async { drop(stopped.await) }));
/// assert!(client.await??.starts_with("HTTP/1.1 200 "));
/// drop(stop);
/// served.await??;
/// # Ok(())
/// # }
/// ```
#[must_use = "a service does nothing before it is served"]
pub struct ConfiguredService {
    configuration: Configuration,
    logging: Option<Arc<Logging>>,
    pending: Arc<PendingCalls>,
    /// Whether the service is all of a program, whose terminal shows the next step.
    is_program: bool,
}

impl ConfiguredService {
    /// Serves on `listener` until `shutdown` is over and all requests accepted before are answered.
    ///
    /// # Errors
    ///
    /// Fails if the listener fails or a metrics setting is invalid.
    ///
    /// # Panics
    ///
    /// Panics outside a Tokio runtime with I/O and time enabled.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let address = listener.local_addr().map_err(ServeError::Serve)?;
        let (pending, is_program) = (self.pending, self.is_program);
        if let Some(logging) = &self.logging {
            log_wait::connect(logging);
        }
        let Configuration { mut info, server, models, metrics, metrics_notes, .. } =
            self.configuration;
        info.has_admin_keys &= self.logging.is_some();
        let metrics = Metrics::new(metrics, self.logging.clone(), &templates())?;
        let has_metrics = metrics.is_some();
        for note in metrics_notes.iter().filter(|_| has_metrics) {
            tracing::warn!("{note}");
        }
        tracing::info!(title = info.title, address = %address, "Listening on http://{address}");
        let state = Arc::new(State::new(info, server, address.ip(), self.logging));
        let loading = state.clone();
        tokio::task::spawn_blocking(move || {
            let options = options_of(&models);
            let loaded = load(models).and_then(|registry| {
                let models = Models::new(registry, &options, has_metrics, &pending)?;
                let openapi = openapi::of_registry(&loading.info, &models.registry, &options)
                    .map_err(|error| error.to_string())?;
                let openapi_text = openapi.to_string().into();
                Ok(Loaded { models, openapi, openapi_text })
            });
            loading.finish_loading(loaded);
            if is_program {
                cli::next_step::print(&loading, address);
            }
        });
        server::serve(state, metrics, listener, shutdown).await;
        Ok(())
    }
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
