//! The service that the `main` of a program builds and runs.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use ml_configuration::{Document, Mapping, Problems};
use ml_logging::{ContextFilter, Logging};
use ml_model_core::PendingCalls;
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::cli;
use crate::config::{self, Configuration};
use crate::hosting::loading::{Models, load, options_of};
use crate::hosting::registered::{
    Constructor, DecoratorRegistration, LoadResult, MakeDecorator, ModelRegistration, Registered,
};
use crate::http::routes::templates;
use crate::http::server::{self, ServeError};
use crate::info::Info;
use crate::log_wait;
use crate::metrics::{Metrics, MetricsSettings};
use crate::openapi;
use crate::state::{Loaded, State};

/// A service: its description, and the models and decorators that its configuration can name.
#[must_use = "a service does nothing before `main` or `configured`"]
pub struct Service {
    pub(crate) info: Info,
    pub(crate) registered: Registered,
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
    pub fn model<K>(
        mut self,
        load: impl Constructor<(), K, Returned: LoadResult<K>> + Send + 'static,
    ) -> Self {
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
    pub fn configurable_model<K, C>(
        mut self,
        load: impl Constructor<(C,), K, Returned: LoadResult<K>> + Send + 'static,
    ) -> Self
    where
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
        self.registered.decorators.push(DecoratorRegistration {
            name: name.to_owned(),
            make: make.into_make(),
            is_used: Cell::default(),
        });
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
    pub(crate) fn read(self, document: &Document) -> Result<ConfiguredService, Problems> {
        let Self { info, registered, metrics, logging } = self;
        let configuration = Configuration::read(document, info, metrics, registered)?;
        let pending = Arc::default();
        Ok(ConfiguredService { configuration, logging, pending, is_program: false })
    }
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
    pub(crate) configuration: Configuration,
    pub(crate) logging: Option<Arc<Logging>>,
    pub(crate) pending: Arc<PendingCalls>,
    /// Whether the service is all of a program, whose terminal shows the next step.
    pub(crate) is_program: bool,
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
        let Configuration {
            mut info,
            server,
            models,
            metrics,
            metrics_notes,
            unused_decorators,
            ..
        } = self.configuration;
        info.has_admin_keys &= self.logging.is_some();
        let metrics = Metrics::new(metrics, self.logging.clone(), &templates())?;
        let has_metrics = metrics.is_some();
        for note in metrics_notes.iter().filter(|_| has_metrics) {
            tracing::warn!("{note}");
        }
        if !unused_decorators.is_empty() {
            tracing::info!(
                decorators = unused_decorators.join(", "),
                "No model has these decorators: they take effect where the `decorators:` of a model in the \
                 configuration file name them."
            );
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
