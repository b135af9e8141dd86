//! Set-up: from a configuration to an installed subscriber.
//!
//! Builder, code and file all end here, so that the set-up exists once. This is also the only module that
//! registers the [OTLP export](crate::otlp).

use std::{path::Path, sync::Arc};

use ml_configuration::{Document, Node, Problems};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_log::{AsLog as _, LogTracer};
use tracing_subscriber::{
    Layer,
    layer::SubscriberExt as _,
    registry::{LookupSpan, Registry},
};

use crate::{
    builder::Builder,
    config::{Configuration, Filters, Opened, dict_config, export::ExportRequest},
    error::Error,
    filter::{CurrentLevels, HandlerSet, LayerFilter, Levels, Routes},
    format::Layout,
    guard::Logging,
    layer::RecordLayer,
    otlp, panic,
    record::RenderGroups,
    sink::SinkSet,
};

/// Environment variable that replaces the configured levels.
const LEVELS_VARIABLE: &str = "RUST_LOG";

impl Builder {
    /// Installs the logging for the whole process, including records of crates that use `log`.
    ///
    /// # Errors
    ///
    /// The set-up is invalid, or a subscriber or logger is installed already.
    pub fn init(self) -> Result<Logging, Error> {
        self.configuration()?.init()
    }

    /// Creates a subscriber without installing it, for example for `tracing::subscriber::with_default`. Its levels
    /// apply to all layers on top of it.
    ///
    /// # Errors
    ///
    /// The set-up is invalid.
    pub fn build(
        self,
    ) -> Result<(impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync + 'static, Logging), Error>
    {
        self.configuration()?.build()
    }

    /// Creates a layer to combine with other layers. Its levels apply only to itself.
    ///
    /// ```
    /// use tracing_subscriber::{layer::SubscriberExt, registry::Registry};
    ///
    /// let (layer, _logging) = ml_logging::builder().layer()?;
    /// let subscriber = Registry::default().with(layer); // .with(another_layer)
    /// # drop(subscriber);
    /// # Ok::<(), ml_logging::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The set-up is invalid.
    pub fn layer<S>(self) -> Result<(impl Layer<S> + Send + Sync + 'static, Logging), Error>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let (layer, levels, sinks) = assemble(self.configuration()?)?;
        Ok((layer.with_filter(LayerFilter(Arc::clone(&levels))), Logging::new(sinks, levels)))
    }
}

impl Configuration {
    /// Reads the schema of Python's `logging.config.dictConfig`, version 1. Nothing is opened;
    /// [`check_files`](Self::check_files) checks the files.
    ///
    /// The last part of a class path names the class. Known classes are `StreamHandler`, `FileHandler`,
    /// `RotatingFileHandler`, `TimedRotatingFileHandler`, `JsonFormatter`, `EcsFormatter`, `HumanFormatter`,
    /// `Formatter`, their equivalents in Python's packages, `OtlpHandler` if the feature `opentelemetry` is
    /// enabled, and the classes of `filters`. If there are mistakes, all of them are reported and the result
    /// is `None`.
    ///
    /// ```
    /// use ml_configuration::{Document, Problems};
    /// use ml_logging::{Configuration, Filters};
    ///
    /// let document = Document::parse(
    ///     "rest_config.yaml",
    ///     r#"
    /// version: 1
    /// formatters:
    ///   json:
    ///     class: pythonjsonlogger.jsonlogger.JsonFormatter
    ///     format: "%(asctime)s %(hostname)s %(levelname)s %(message)s"
    /// filters:
    ///   host: {"()": ml_model_logging.filters.HostnameFilter}
    /// handlers:
    ///   stdout:
    ///     class: logging.StreamHandler
    ///     stream: ext://sys.stdout
    ///     formatter: json
    ///     filters: [host]
    /// root: {level: INFO, handlers: [stdout]}
    /// "#,
    /// )?;
    /// let mut problems = Problems::new();
    /// let configuration = Configuration::read(document.root(), &Filters::new(), &mut problems);
    /// let configuration = problems.into_result(configuration)?;
    /// assert!(configuration.is_some());
    /// # Ok::<(), Problems>(())
    /// ```
    pub fn read(node: Node<'_>, filters: &Filters, problems: &mut Problems) -> Option<Self> {
        dict_config::read(node, filters, &[otlp::HANDLER_CLASS], problems)
    }

    /// Reports the log files of the same schema that cannot be opened: the folder does not exist, the file is
    /// a folder, or it is not writable. No file is created, emptied or changed.
    ///
    /// Also reports log files that would overwrite a file which the program reads. `read` lists those files, each
    /// with a description for the message, such as `the configuration file`.
    ///
    /// Mistakes that [`read`](Self::read) reports are not reported again, so that both calls together report
    /// each mistake once. A folder in which no files can be created is detected only when the logging is
    /// built.
    pub fn check_files(node: Node<'_>, read: &[(&str, &Path)], problems: &mut Problems) {
        dict_config::check_files(node, read, problems);
    }

    /// Reads such a file as a whole, and checks its files, for programs without a service.
    ///
    /// ```no_run
    /// use ml_logging::{Configuration, Filters};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let _logging = Configuration::from_file("logging.yaml", &Filters::new())?.panic_records(true).init()?;
    /// tracing::info!("Logged as the file defines.");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// All mistakes in the file with their lines. Nothing has been opened then.
    ///
    /// A configuration that is dropped before [`init`](Self::init) or [`build`](Self::build) is reported on standard
    /// error.
    pub fn from_file(path: impl AsRef<Path>, filters: &Filters) -> Result<Self, Problems> {
        let path = path.as_ref();
        let document = Document::read(path)?;
        let mut problems = Problems::new();
        dict_config::refuse_service(document.root(), &mut problems);
        if problems.is_empty() {
            let configuration = Self::read(document.root(), filters, &mut problems);
            Self::check_files(document.root(), &[("the configuration file", path)], &mut problems);
            if let Some(configuration) = configuration.filter(|_| problems.is_empty()) {
                return Ok(configuration.report_if_unused());
            }
        }
        Err(problems)
    }

    /// Opens the log files, and installs the logging for the whole process, including records of crates that
    /// use `log`.
    ///
    /// # Errors
    ///
    /// A file cannot be opened, the configuration is invalid, or a subscriber or logger is installed already.
    pub fn init(self) -> Result<Logging, Error> {
        let panic_records = self.has_panic_records();
        let (layer, levels, sinks) = assemble(self)?;
        tracing::subscriber::set_global_default(Registry::default().with(layer))
            .map_err(|_| Error::SubscriberInstalled)?;
        LogTracer::builder()
            .with_max_level(LevelFilter::current().as_log())
            .init()
            .map_err(|_| Error::LogInstalled)?;
        let logging = Logging::new(sinks, levels).installed();
        if panic_records {
            panic::install(logging.sinks().clone());
        }
        Ok(logging)
    }

    /// Opens the log files, and creates a subscriber without installing it, for example for
    /// `tracing::subscriber::with_default`.
    ///
    /// # Errors
    ///
    /// A file cannot be opened, or the configuration is invalid.
    pub fn build(
        self,
    ) -> Result<(impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync + 'static, Logging), Error>
    {
        let (layer, levels, sinks) = assemble(self)?;
        Ok((Registry::default().with(layer), Logging::new(sinks, levels)))
    }
}

/// Opens all sinks, and creates the layer.
fn assemble(
    mut configuration: Configuration,
) -> Result<(RecordLayer, Arc<CurrentLevels>, SinkSet), Error> {
    configuration.set_used();
    if !configuration.has_export()
        && let Some(export) = otlp::from_environment(configuration.lookup())
    {
        configuration.add_export(export);
    }
    let levels = CurrentLevels::new(initial_levels(&configuration)?);
    let routes = Routes::new(
        configuration.routes()?,
        configuration.conditions(),
        configuration.levels().max(),
        Arc::clone(&levels),
    );
    let flush_limit = configuration.limit();
    let mut groups = RenderGroups::default();
    let mut sinks = Vec::new();
    let mut emptied = Vec::new();
    let mut span_observer = None;
    let (handlers, environment) = configuration.into_parts();
    for (number, handler) in handlers.into_iter().enumerate() {
        let name = handler.name().to_owned();
        let set = HandlerSet::one(number);
        let layout = handler.layout().map_err(|error| of_handler(&name, error))?;
        let limit = handler.limit();
        match handler.open(&layout)? {
            Opened::Sink { sink, emptied: file } => {
                groups.add((layout, limit), set, Arc::clone(&sink));
                sinks.push(sink);
                emptied.extend(file.map(|file| (name, file)));
            }
            Opened::Null => {}
            Opened::Export(export) => {
                let Layout::Json(json) = &layout else {
                    let problem = "its formatter writes lines of text; use one that writes JSON";
                    return Err(of_handler(&name, Error::Otlp { problem: problem.to_owned() }));
                };
                let request =
                    ExportRequest { handler: &name, layout: json, environment: &*environment };
                let exported = export.open(request).map_err(|error| of_handler(&name, error))?;
                let Some(exported) = exported else { continue };
                if exported.takes_records {
                    groups.add((layout, limit), set, Arc::clone(&exported.sink));
                }
                sinks.push(exported.sink);
                // Only one handler exports the spans.
                span_observer = span_observer.or(exported.span_observer);
            }
        }
    }
    // Files are emptied only when nothing else can fail.
    for (handler, file) in emptied {
        file.set_len(0).map_err(|error| {
            of_handler(&handler, Error::EmptyFile { problem: error.to_string() })
        })?;
    }
    let layer = RecordLayer::new(groups, routes, span_observer);
    Ok((layer, levels, SinkSet::new(sinks, flush_limit)))
}

/// Adds the name of a handler to an error. The handler of a builder has none.
fn of_handler(handler: &str, error: Error) -> Error {
    if handler.is_empty() {
        return error;
    }
    Error::Handler { handler: handler.to_owned(), error: Box::new(error) }
}

/// Returns the levels of the environment, of the builder, or of the loggers.
fn initial_levels(configuration: &Configuration) -> Result<Levels, Error> {
    let parse = |origin, directives: &str| {
        directives.parse().map_err(|error| Error::Levels { origin, error })
    };
    match (configuration.lookup()(LEVELS_VARIABLE), configuration.directives()) {
        // A value that is not Unicode is not a directive either, and is reported as such.
        (Some(directives), _) if !directives.is_empty() => {
            parse(LEVELS_VARIABLE, &directives.to_string_lossy())
        }
        (_, Some(directives)) => parse("`level`", directives),
        (_, None) => Ok(configuration.levels()),
    }
}
