//! Set-up of a single handler from code.

use std::{
    env,
    ffi::OsString,
    fmt,
    io::{self, IsTerminal as _},
    path::PathBuf,
    time::Duration,
};

use crate::{
    config::{Configuration, Environment, Handler, Logger, export::Export},
    error::Error,
    filter::{ContextFilter, IntoLevels},
    format::{Formatter, HumanFormatter, IntoFormatter, JsonFormatter},
    sink::RecordWriter,
};

/// Starts the set-up of the logging.
///
/// ```no_run
/// use ml_logging::{EnvironmentInfoFilter, HostnameFilter};
///
/// # fn main() -> Result<(), ml_logging::Error> {
/// let _logging = ml_logging::builder()
///     .format("%(asctime)s %(hostname)s %(node_ip)s %(levelname)s %(message)s")
///     .filter(HostnameFilter::new())
///     .filter(EnvironmentInfoFilter::new(["NODE_IP"]))
///     .level("info,hyper=warn")
///     .writer(std::io::stdout)
///     .panic_records(true)
///     .init()?;
///
/// tracing::info!(age = 25, bmi = 21.0, "Prediction requested.");
/// # Ok(())
/// # }
/// ```
pub fn builder() -> Builder {
    Builder {
        format: None,
        context: Vec::new(),
        level: "info".to_owned(),
        environment: Box::new(|name| env::var_os(name)),
        handler: None,
        record_bytes: None,
        flush_limit: None,
        panic_records: false,
        export: None,
    }
}

/// Set-up of a single handler; created by [`builder`].
#[must_use = "nothing is logged before `init`, `build` or `layer`"]
pub struct Builder {
    format: Option<Format>,
    context: Vec<(String, String)>,
    level: String,
    environment: Environment,
    /// Standard output if not set.
    handler: Option<Handler>,
    record_bytes: Option<usize>,
    flush_limit: Option<Duration>,
    panic_records: bool,
    pub(crate) export: Option<Box<dyn Export>>,
}

enum Format {
    Text(String),
    Parsed(Formatter),
}

impl Builder {
    /// Sets the format string of JSON records, see [`JsonFormatter`]. Mistakes are reported by
    /// [`init`](Self::init), [`build`](Self::build) and [`layer`](Self::layer).
    ///
    /// The default fields are `asctime`, `hostname`, `process`, `thread`, `name`, `pathname`, `lineno`, `levelname` and
    /// `message`, for which no [`HostnameFilter`](crate::HostnameFilter) is required. If the records go to
    /// standard output and that is a terminal, the default is [`human`](Self::human).
    pub fn format(mut self, format: impl Into<String>) -> Self {
        self.format = Some(Format::Text(format.into()));
        self
    }

    /// Sets the formatter, as an alternative to [`format`](Self::format).
    pub fn formatter(mut self, formatter: impl IntoFormatter) -> Self {
        self.format = Some(Format::Parsed(formatter.into()));
        self
    }

    /// Writes lines for a terminal, see [`HumanFormatter`].
    pub fn human(self) -> Self {
        self.formatter(HumanFormatter::new())
    }

    /// Adds the fields of a filter. The format may name them.
    pub fn filter(mut self, filter: impl ContextFilter) -> Self {
        self.context.extend(filter.fields());
        self
    }

    /// Sets the levels, which are `info` by default. `info,hyper=warn` logs INFO and above, but for the target
    /// `hyper` and the targets below it only WARN and above.
    ///
    /// The environment variable `RUST_LOG` replaces the levels if it is set and not empty. The levels are
    /// `off`, `error`, `warn` or `warning`, `info`, `debug` and `trace`. A `tracing::Level` is a level for all targets.
    pub fn level(mut self, levels: impl IntoLevels) -> Self {
        self.level = levels.into_directives();
        self
    }

    /// Sets the function that looks up `RUST_LOG`; by default the environment of the process. `|_| None` makes the
    /// levels independent of the environment.
    pub fn environment(
        mut self,
        lookup: impl Fn(&str) -> Option<OsString> + Send + 'static,
    ) -> Self {
        self.environment = Box::new(lookup);
        self
    }

    /// Sets the writer of the records.
    ///
    /// Each record is one `write_all` that ends with a newline, on the thread that logs. A record that cannot
    /// be written is lost and counted, see [`Logging::lost_records`](crate::Logging::lost_records). The same
    /// holds for a record that the writer itself logs.
    ///
    /// By default records go to standard output. A separate thread writes them within a few milliseconds.
    /// [`Logging`](crate::Logging) flushes them when it is dropped. A program that ends without that, by
    /// `std::process::exit` or a signal, loses the queued records.
    pub fn writer(self, writer: impl RecordWriter) -> Self {
        self.handler(Handler::writer("", writer))
    }

    /// Appends the records to a file, see [`Handler::file`].
    pub fn file(self, path: impl Into<PathBuf>) -> Self {
        self.handler(Handler::file("", path))
    }

    /// Sets the handler of the records, for instance one that rotates its file. The
    /// [`format`](Self::format) of the builder, if set, replaces that of the handler. [`Configuration`] has several
    /// handlers.
    ///
    /// ```no_run
    /// use ml_logging::{Handler, Period, Rotation};
    ///
    /// let daily = Rotation::every(1, Period::Midnight).keep(14);
    /// let _logging = ml_logging::builder().handler(Handler::rotating("daily", "day.jsonl", daily)).init()?;
    /// # Ok::<(), ml_logging::Error>(())
    /// ```
    pub fn handler(mut self, handler: Handler) -> Self {
        self.handler = Some(handler);
        self
    }

    /// Sets the maximum length of a record in bytes; 16 KiB by default, see
    /// [`Handler::record_bytes`](crate::Handler::record_bytes).
    pub fn record_bytes(mut self, bytes: usize) -> Self {
        self.record_bytes = Some(bytes);
        self
    }

    /// Sets the time limit for the flush when [`Logging`](crate::Logging) is dropped and when the program
    /// panics; 10 seconds by default.
    pub fn flush_limit(mut self, limit: Duration) -> Self {
        self.flush_limit = Some(limit);
        self
    }

    /// Sets whether [`init`](Self::init) replaces the panic hook; off by default.
    ///
    /// A panic then becomes a record instead of text on standard error: level ERROR, target `panic`, the fields
    /// `location`, `thread_name` and `backtrace` (`null` unless `RUST_BACKTRACE` enables it). The hook
    /// flushes within [`flush_limit`](Self::flush_limit).
    pub fn panic_records(mut self, enabled: bool) -> Self {
        self.panic_records = enabled;
        self
    }

    /// Fills the typed configuration with the one handler.
    pub(crate) fn configuration(self) -> Result<Configuration, Error> {
        let is_terminal = self.handler.is_none() && io::stdout().is_terminal();
        let formatter = match self.format {
            Some(Format::Parsed(formatter)) => Some(formatter),
            Some(Format::Text(format)) => Some(JsonFormatter::new(&format)?.into()),
            None => is_terminal.then(|| HumanFormatter::new().into()),
        };
        let mut handler = self.handler.unwrap_or_else(|| Handler::stdout(""));
        if let Some(formatter) = formatter {
            handler = handler.formatter(formatter);
        }
        if let Some(bytes) = self.record_bytes {
            handler = handler.record_bytes(bytes);
        }
        handler.add_context(self.context);
        let root = Logger::root().handler(handler.name());
        let mut configuration = Configuration::new()
            .environment(self.environment)
            .panic_records(self.panic_records)
            .handler(handler)
            .logger(root);
        configuration.set_directives(self.level);
        if let Some(limit) = self.flush_limit {
            configuration = configuration.flush_limit(limit);
        }
        if let Some(export) = self.export {
            configuration.add_export(export);
        }
        Ok(configuration)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("context", &self.context)
            .field("level", &self.level)
            .field("panic_records", &self.panic_records)
            .finish_non_exhaustive()
    }
}
