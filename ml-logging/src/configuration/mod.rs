//! The whole of a program's logging: handlers, and loggers that send records to them.
//!
//! The terms are those of Python's `logging`, and so is the file that [`read`] reads. Reading only
//! makes a [`Configuration`], which code can make as well; files are opened and anything is
//! installed when that is built.

mod fields;
mod files;
mod filters;
mod formatters;
mod handler;
mod handlers;
mod logger;
mod otlp;
mod read;
mod target;

use std::{env, ffi::OsString, fmt, path::Path, sync::Arc, time::Duration};

use ml_configuration::{Document, Node, Problems};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    layer::SubscriberExt as _,
    registry::{LookupSpan, Registry},
};

pub(crate) use self::target::Target;
pub use self::{filters::Filters, handler::Handler, logger::Logger};
use crate::{
    EcsKeys, Error, Logging,
    builder::{Environment, install},
    layer::{Pipes, RecordLayer},
    level,
    levels::{CurrentLevels, Levels, TargetName},
    output::{DEFAULT_FLUSH_LIMIT, Outputs},
    routes::{Handlers, Route, Routes},
};

/// Python's, for a root logger of which nothing is said.
const DEFAULT_LEVEL: LevelFilter = LevelFilter::WARN;

/// Several handlers with their own formats, levels and filters, and loggers that say which records
/// go to them. [`builder`](crate::builder) is shorter for a single handler.
///
/// ```
/// use ml_logging::{Configuration, Handler, HostnameFilter, JsonFormatter, Logger};
/// use tracing::level_filters::LevelFilter;
///
/// # fn main() -> Result<(), ml_logging::Error> {
/// let short = JsonFormatter::new("%(asctime)s %(hostname)s %(message)s")?;
/// let (subscriber, _logging) = Configuration::new()
///     .handler(Handler::stdout("stdout").formatter(short).filter(HostnameFilter::new()))
///     .handler(Handler::stderr("errors").level(LevelFilter::ERROR))
///     .logger(Logger::root().level(LevelFilter::INFO).handler("stdout").handler("errors"))
///     .logger(Logger::new("hyper").level(LevelFilter::WARN))
///     .build()?;
/// # drop(subscriber);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is logged before `init` or `build`"]
pub struct Configuration {
    handlers: Vec<Handler>,
    loggers: Vec<Logger>,
    environment: Environment,
    flush_limit: Duration,
}

impl Configuration {
    /// A configuration without handlers and loggers.
    #[allow(clippy::new_without_default, reason = "such a configuration is of no use by itself")]
    pub fn new() -> Self {
        let environment: Environment = Box::new(|name| env::var_os(name));
        Self {
            handlers: Vec::new(),
            loggers: Vec::new(),
            environment,
            flush_limit: DEFAULT_FLUSH_LIMIT,
        }
    }

    /// Reads the schema of Python's `logging.config.dictConfig`, version 1, and opens nothing yet;
    /// [`check_files`](Self::check_files) looks whether its files could be opened.
    ///
    /// The last part of a class path names the class. Known are `StreamHandler`, `FileHandler`,
    /// `RotatingFileHandler`, `TimedRotatingFileHandler`, `JsonFormatter`, `EcsFormatter`,
    /// `HumanFormatter`, `Formatter`, those of Python's packages that are the same, `OtlpHandler` if the
    /// feature `opentelemetry` is on, and the classes of `filters`. `None` if there are mistakes, all of which are
    /// reported.
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
        read::read(node, filters, problems)
    }

    /// Reports the log files of the same schema that could not be opened: their folder
    /// does not exist, they are folders, they are there and may not be written to. None is made, emptied
    /// or changed. Mistakes that [`read`](Self::read) reports are not reported here, so that both
    /// together find everything at once.
    ///
    /// A folder that takes no new files is found only when the logging is built.
    pub fn check_files(node: Node<'_>, problems: &mut Problems) {
        files::check(node, problems);
    }

    /// Reads such a file as a whole, as a program does that is no service: with what
    /// [`check_files`](Self::check_files) finds.
    ///
    /// ```no_run
    /// use ml_logging::{Configuration, Filters};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let _logging = Configuration::from_file("logging.yaml", &Filters::new())?.init(true)?;
    /// tracing::info!("Logged as the file says.");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, each with its line; nothing has been opened then.
    pub fn from_file(path: impl AsRef<Path>, filters: &Filters) -> Result<Self, Problems> {
        let document = Document::read(path.as_ref())?;
        let mut problems = Problems::new();
        let configuration = Self::read(document.root(), filters, &mut problems);
        Self::check_files(document.root(), &mut problems);
        let configuration = problems.into_result(configuration)?;
        Ok(configuration.expect("what is not read has a mistake, which is reported"))
    }

    /// Adds a handler. It writes what the loggers that name it send to it.
    pub fn handler(mut self, handler: Handler) -> Self {
        self.handlers.push(handler);
        self
    }

    /// Adds a logger.
    pub fn logger(mut self, logger: Logger) -> Self {
        self.loggers.push(logger);
        self
    }

    /// Sets where `RUST_LOG` is looked up, the environment of the process if this is not called.
    ///
    /// If it is set and not empty, it takes the place of the levels of all loggers. Handlers keep
    /// theirs if they let through less than the loggers would have.
    pub fn environment(
        mut self,
        lookup: impl Fn(&str) -> Option<OsString> + Send + 'static,
    ) -> Self {
        self.environment = Box::new(lookup);
        self
    }

    /// Sets how long it is waited for queued records to be written when [`Logging`] is dropped, and
    /// when the program panics; 10 seconds if this is not called.
    pub fn flush_limit(mut self, limit: Duration) -> Self {
        self.flush_limit = limit;
        self
    }

    /// Returns the keys of the records of each handler that writes the Elastic Common Schema.
    ///
    /// A handler whose filters are mistaken is left out: [`build`](Self::build) reports that.
    #[must_use]
    pub fn ecs_keys(&self) -> Vec<EcsKeys> {
        self.handlers.iter().filter_map(Handler::ecs_keys).collect()
    }

    /// Opens the log files and installs the logging for the whole process, records of crates that
    /// use `log` included; with `panic_records`, panics become records as
    /// [`Builder::panic_records`](crate::Builder::panic_records) says.
    ///
    /// # Errors
    ///
    /// A file that cannot be opened, a mistake that a configuration from code can have, or a
    /// subscriber or logger that is installed already.
    pub fn init(self, panic_records: bool) -> Result<Logging, Error> {
        #[cfg(not(feature = "opentelemetry"))]
        crate::otlp_absent::say_if_wanted(&*self.environment);
        let (layer, logging) = self.parts()?;
        install(Registry::default().with(layer), logging, panic_records)
    }

    /// Opens the log files and makes a subscriber without installing it, for
    /// `tracing::subscriber::with_default` and the like.
    ///
    /// # Errors
    ///
    /// A file that cannot be opened, or a mistake that a configuration from code can have.
    pub fn build(
        self,
    ) -> Result<(impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync + 'static, Logging), Error>
    {
        let (layer, logging) = self.parts()?;
        Ok((Registry::default().with(layer), logging))
    }

    fn parts(self) -> Result<(RecordLayer, Logging), Error> {
        #[cfg(feature = "opentelemetry")]
        let this = self.exporting();
        #[cfg(not(feature = "opentelemetry"))]
        let this = self;
        this.built()
    }

    fn built(self) -> Result<(RecordLayer, Logging), Error> {
        if self.handlers.len() > Handlers::MAX {
            return Err(Error::TooManyHandlers(Handlers::MAX));
        }
        let directives = level::from_environment(&*self.environment)?;
        let configured = self.levels();
        let most = configured.max();
        let levels = CurrentLevels::new(directives.unwrap_or(configured));
        let of_handlers = self.handlers.iter().map(|handler| handler.level).collect();
        let routes = Routes::new(self.routes()?, of_handlers, most, Arc::clone(&levels));
        let mut pipes = Pipes::default();
        let mut outputs = Vec::new();
        let mut emptied = Vec::new();
        #[cfg(feature = "opentelemetry")]
        let mut spans = None;
        for (number, mut handler) in self.handlers.into_iter().enumerate() {
            let name = handler.name.clone();
            #[cfg(feature = "opentelemetry")]
            if let Some((otlp, attached)) = handler.attached(Handlers::one(number)) {
                let attached = crate::otlp::attach(
                    &otlp,
                    &*self.environment,
                    attached,
                    &mut pipes,
                    &mut outputs,
                );
                let own = attached
                    .map_err(|error| Error::Handler { handler: name, error: Box::new(error) })?;
                spans = spans.or(own);
                continue;
            }
            let layout = handler.layout().map_err(|error| Error::Handler {
                handler: name.clone(),
                error: Box::new(error),
            })?;
            let (way, overwritten) = handler.open()?;
            emptied.extend(overwritten.map(|file| (name.clone(), file)));
            let output = way.into_output(name, &layout)?;
            pipes.add(layout, Handlers::one(number), Arc::clone(&output));
            outputs.push(output);
        }
        // Nothing is thrown away before it is sure that the logging can be built.
        for (handler, file) in emptied {
            file.set_len(0).map_err(|error| Error::Handler {
                handler,
                error: Box::new(Error::EmptyFile { problem: error.to_string() }),
            })?;
        }
        let layer = RecordLayer::new(pipes, routes);
        #[cfg(feature = "opentelemetry")]
        let layer = layer.exporting(spans);
        let outputs = Outputs { all: outputs.into(), flush_limit: self.flush_limit };
        Ok((layer, Logging::new(outputs, levels)))
    }

    /// Those of the loggers.
    fn levels(&self) -> Levels {
        let own =
            self.loggers.iter().filter_map(|logger| Some((logger.parsed_name(), logger.level?)));
        Levels::new([(TargetName::root(), DEFAULT_LEVEL)].into_iter().chain(own))
    }

    /// The loggers, with numbers for their handlers' names.
    fn routes(&self) -> Result<Vec<Route>, Error> {
        for (number, handler) in self.handlers.iter().enumerate() {
            if self.handlers[..number].iter().any(|other| other.name == handler.name) {
                return Err(Error::HandlerTwice(handler.name.clone()));
            }
        }
        let mut routes: Vec<Route> = Vec::new();
        for logger in &self.loggers {
            if let Some(problem) = TargetName::problem(&logger.name) {
                return Err(Error::LoggerName { logger: logger.name.clone(), problem });
            }
            let name = logger.parsed_name();
            if routes.iter().any(|route| route.name == name) {
                return Err(Error::LoggerTwice(logger.name.clone()));
            }
            let mut handlers = Handlers::NONE;
            for handler in &logger.handlers {
                match self.handlers.iter().position(|other| other.name == *handler) {
                    Some(number) => handlers = handlers.with(Handlers::one(number)),
                    None => {
                        let (logger, handler) = (logger.name.clone(), handler.clone());
                        return Err(Error::UnknownHandler { logger, handler });
                    }
                }
            }
            routes.push(Route { name, handlers, propagate: logger.propagate });
        }
        if routes.iter().all(|route| route.handlers.is_empty()) {
            return Err(Error::NoHandler);
        }
        Ok(routes)
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configuration")
            .field("handlers", &self.handlers)
            .field("loggers", &self.loggers)
            .finish_non_exhaustive()
    }
}
