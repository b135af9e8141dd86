//! The whole configuration.

use std::{cmp::Reverse, env, ffi::OsString, fmt, time::Duration};

use tracing::level_filters::LevelFilter;

use super::{export::Export, handler::Handler, logger::Logger};
use crate::{
    error::Error,
    filter::{Condition, HandlerSet, Levels, Route, TargetName},
    format::EcsKeys,
    sink::report_unused,
};

/// Looks up an environment variable.
pub(crate) type Environment = Box<dyn Fn(&str) -> Option<OsString> + Send>;

/// Level of the root logger if none is set, as in Python.
const DEFAULT_LEVEL: LevelFilter = LevelFilter::WARN;

/// Default time limit for the final flush.
const DEFAULT_FLUSH_LIMIT: Duration = Duration::from_secs(10);

/// Several handlers, each with its own format, level and filters, and loggers that route records to them.
/// [`builder`](crate::builder()) is shorter for a single handler.
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
    /// Levels in text form, which replace those of the loggers.
    directives: Option<String>,
    environment: Environment,
    flush_limit: Duration,
    panic_records: bool,
    unused: Unused,
}

/// Whether a drop is reported, because the configuration was read from a file for this program and not used since.
struct Unused(bool);

impl Drop for Unused {
    fn drop(&mut self) {
        if self.0 {
            report_unused();
        }
    }
}

impl Configuration {
    /// Creates a configuration without handlers and loggers.
    #[allow(clippy::new_without_default, reason = "an empty configuration cannot be built")]
    pub fn new() -> Self {
        let environment: Environment = Box::new(|name| env::var_os(name));
        Self {
            handlers: Vec::new(),
            loggers: Vec::new(),
            directives: None,
            environment,
            flush_limit: DEFAULT_FLUSH_LIMIT,
            panic_records: false,
            unused: Unused(false),
        }
    }

    /// Adds a handler. It receives records from the loggers that name it.
    pub fn handler(mut self, handler: Handler) -> Self {
        self.handlers.push(handler);
        self
    }

    /// Adds a logger.
    pub fn logger(mut self, logger: Logger) -> Self {
        self.loggers.push(logger);
        self
    }

    /// Sets the function that looks up `RUST_LOG`; by default the environment of the process.
    ///
    /// If `RUST_LOG` is set and not empty, it replaces the levels of all loggers. A handler keeps its own
    /// level if that is less verbose than the levels of the loggers.
    pub fn environment(
        mut self,
        lookup: impl Fn(&str) -> Option<OsString> + Send + 'static,
    ) -> Self {
        self.environment = Box::new(lookup);
        self
    }

    /// Sets the time limit for the flush when [`Logging`](crate::Logging) is dropped and when the program
    /// panics; 10 seconds by default.
    pub fn flush_limit(mut self, limit: Duration) -> Self {
        self.flush_limit = limit;
        self
    }

    /// Sets whether [`init`](Self::init) replaces the panic hook, so that panics become records; off by default. See
    /// [`Builder::panic_records`](crate::Builder::panic_records).
    pub fn panic_records(mut self, enabled: bool) -> Self {
        self.panic_records = enabled;
        self
    }

    pub(crate) fn has_panic_records(&self) -> bool {
        self.panic_records
    }

    /// Returns the keys of the records of each handler that writes the Elastic Common Schema.
    ///
    /// Handlers with invalid filters are omitted; [`build`](Self::build) reports them.
    #[must_use]
    pub fn ecs_keys(&self) -> Vec<EcsKeys> {
        self.handlers.iter().filter_map(Handler::ecs_keys).collect()
    }

    /// Returns whether any handler receives records of a target, regardless of the levels. A handler that
    /// [writes nothing](Handler::null) counts.
    ///
    /// ```
    /// use ml_logging::{Configuration, Handler, Logger};
    ///
    /// let configuration = Configuration::new()
    ///     .handler(Handler::stdout("stdout"))
    ///     .logger(Logger::new("server").handler("stdout"));
    /// assert!(configuration.has_handler_for("server::http"));
    /// assert!(!configuration.has_handler_for("model_logger"));
    /// ```
    #[must_use]
    pub fn has_handler_for(&self, target: &str) -> bool {
        let receives = |name: &String| {
            let handler = self.handlers.iter().find(|handler| handler.name == *name);
            handler.is_some_and(|handler| handler.only.iter().all(|name| name.covers(target)))
        };
        let mut loggers: Vec<_> =
            self.loggers.iter().filter(|logger| logger.target().covers(target)).collect();
        loggers.sort_by_key(|logger| Reverse(logger.target().depth()));
        for logger in loggers {
            if logger.handlers.iter().any(receives) {
                return true;
            }
            if !logger.propagate {
                return false;
            }
        }
        false
    }

    /// Reports the configuration if it is dropped before [`set_used`](Self::set_used).
    pub(crate) fn report_if_unused(mut self) -> Self {
        self.unused.0 = true;
        self
    }

    pub(crate) fn set_used(&mut self) {
        self.unused.0 = false;
    }

    pub(crate) fn set_directives(&mut self, directives: String) {
        self.directives = Some(directives);
    }

    pub(crate) fn directives(&self) -> Option<&str> {
        self.directives.as_deref()
    }

    pub(crate) fn lookup(&self) -> &dyn Fn(&str) -> Option<OsString> {
        &*self.environment
    }

    pub(crate) fn limit(&self) -> Duration {
        self.flush_limit
    }

    pub(crate) fn has_export(&self) -> bool {
        self.handlers.iter().any(Handler::is_export)
    }

    /// Adds an export of all records that reach any handler, with the fields of the first handler that writes
    /// JSON. It has no name, so that messages do not refer to a handler that the user has not configured.
    pub(crate) fn add_export(&mut self, export: Box<dyn Export>) {
        let mut handler = Handler::export("", export);
        if let Some(json) = self.handlers.iter().find(|handler| handler.is_json()) {
            handler.copy_format(json);
        }
        handler.receives_all = true;
        self.handlers.push(handler);
    }

    /// Returns the levels of the loggers.
    pub(crate) fn levels(&self) -> Levels {
        let own = self.loggers.iter().filter_map(|logger| Some((logger.target(), logger.level?)));
        Levels::new([(TargetName::root(), DEFAULT_LEVEL)].into_iter().chain(own))
    }

    /// Returns what records must fulfil for each handler.
    pub(crate) fn conditions(&self) -> Vec<Condition> {
        let handlers = self.handlers.iter();
        handlers.map(|own| Condition { level: own.level, targets: own.only.clone() }).collect()
    }

    pub(crate) fn into_parts(self) -> (Vec<Handler>, Environment) {
        (self.handlers, self.environment)
    }

    /// Resolves the names of the handlers in the loggers.
    pub(crate) fn routes(&self) -> Result<Vec<Route>, Error> {
        if self.handlers.len() > HandlerSet::MAX {
            return Err(Error::TooManyHandlers(HandlerSet::MAX));
        }
        let named = || self.handlers.iter().enumerate().filter(|(_, other)| !other.receives_all);
        let mut receive_all = HandlerSet::EMPTY;
        for (number, handler) in self.handlers.iter().enumerate() {
            if handler.receives_all {
                receive_all = receive_all.union(HandlerSet::one(number));
            } else if named().take(number).any(|(_, other)| other.name == handler.name) {
                return Err(Error::HandlerTwice(handler.name.clone()));
            }
        }
        let mut routes: Vec<Route> = Vec::new();
        let mut is_silent = false;
        for logger in &self.loggers {
            if let Some(problem) = TargetName::problem(&logger.name) {
                return Err(Error::LoggerName { logger: logger.name.clone(), problem });
            }
            let name = logger.target();
            if routes.iter().any(|route| route.name == name) {
                return Err(Error::LoggerTwice(logger.name.clone()));
            }
            let mut handlers = HandlerSet::EMPTY;
            for handler in &logger.handlers {
                let Some((number, _)) = named().find(|(_, other)| other.name == *handler) else {
                    let (logger, handler) = (logger.name.clone(), handler.clone());
                    return Err(Error::UnknownHandler { logger, handler });
                };
                if self.handlers[number].is_null() {
                    is_silent = true;
                    continue;
                }
                handlers = handlers.union(HandlerSet::one(number)).union(receive_all);
            }
            routes.push(Route { name, handlers, propagate: logger.propagate });
        }
        if !is_silent && routes.iter().all(|route| route.handlers.is_empty()) {
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
