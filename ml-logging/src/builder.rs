//! Setting it all up from code.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    sync::Arc,
    time::Duration,
};

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_log::{AsLog as _, LogTracer};
use tracing_subscriber::{
    Layer,
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    registry::{LookupSpan, Registry},
};

use crate::{
    ContextFilter, Error, Formatter, HumanFormatter, JsonFormatter, Logging, Policy,
    configuration::Target,
    layer::{Pipes, RecordLayer},
    level,
    levels::{CurrentLevels, OwnLevels},
    output::{DEFAULT_FLUSH_LIMIT, Outputs, Sink, Way},
    panic,
    queue::DEFAULT_BYTES,
    routes::{Handlers, Routes},
};

/// Begins the set-up of the logging.
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
        writer: None,
        flush_limit: DEFAULT_FLUSH_LIMIT,
        panic_records: false,
        #[cfg(feature = "opentelemetry")]
        otlp: None,
    }
}

/// The set-up of the logging; made by [`builder`].
#[must_use = "nothing is logged before `init`, `build` or `layer`"]
pub struct Builder {
    format: Option<Format>,
    context: Vec<(String, String)>,
    level: String,
    environment: Environment,
    /// `None` is standard output.
    writer: Option<Box<dyn Sink>>,
    flush_limit: Duration,
    panic_records: bool,
    #[cfg(feature = "opentelemetry")]
    otlp: Option<crate::Otlp>,
}

pub(crate) type Environment = Box<dyn Fn(&str) -> Option<OsString> + Send>;

enum Format {
    Text(String),
    Read(Formatter),
}

impl Builder {
    /// Sets the format string of JSON records; see [`JsonFormatter`]. Mistakes in it are reported at
    /// the end.
    ///
    /// Without a format the fields are `asctime`, `hostname`, `process`, `thread`, `name`,
    /// `pathname`, `lineno`, `levelname` and `message`, and
    /// [`HostnameFilter`](crate::HostnameFilter) need not be added; but if the records go to standard
    /// output and that is a terminal, it is [`human`](Self::human).
    pub fn format(mut self, format: impl Into<String>) -> Self {
        self.format = Some(Format::Text(format.into()));
        self
    }

    /// Sets the formatter; the alternative to [`format`](Self::format).
    pub fn formatter(mut self, formatter: impl Into<Formatter>) -> Self {
        self.format = Some(Format::Read(formatter.into()));
        self
    }

    /// Writes lines for people in front of a terminal, as [`HumanFormatter`] does.
    pub fn human(self) -> Self {
        self.formatter(HumanFormatter::new())
    }

    /// Adds the fields of a filter to those that the format may name.
    pub fn filter(mut self, filter: impl ContextFilter) -> Self {
        self.context.extend(filter.fields());
        self
    }

    /// Sets the levels, `info` if this is not called: `info,hyper=warn` wants INFO and above, but
    /// of the target `hyper` and of those below it only WARN and above.
    ///
    /// The environment variable `RUST_LOG`, if it is set and not empty, takes the place of the
    /// whole. In both the levels are `off`, `error`, `warn` or `warning`, `info`, `debug` and `trace`.
    pub fn level(mut self, directives: impl Into<String>) -> Self {
        self.level = directives.into();
        self
    }

    /// Sets where `RUST_LOG` is looked up, the environment of the process if this is not called.
    /// `|_| None` makes the levels independent of it.
    pub fn environment(
        mut self,
        lookup: impl Fn(&str) -> Option<OsString> + Send + 'static,
    ) -> Self {
        self.environment = Box::new(lookup);
        self
    }

    /// Sets where the records go.
    ///
    /// Each record is one `write_all` that ends in a newline, made before the program goes on. A
    /// record whose writing fails is lost and counted, see [`Logging::lost_records`]; so is one
    /// that the writer itself logs.
    ///
    /// If this is not called, they go to standard output, written by a thread of their own a few
    /// milliseconds later at most. [`Logging`] flushes what is still queued when it is dropped; a
    /// program that ends without that, by `std::process::exit` or a signal, loses it.
    pub fn writer(mut self, writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) -> Self {
        self.writer = Some(Box::new(writer));
        self
    }

    /// Sets how long it is waited for queued records to be written when [`Logging`] is dropped, and
    /// when the program panics; 10 seconds if this is not called.
    pub fn flush_limit(mut self, limit: Duration) -> Self {
        self.flush_limit = limit;
        self
    }

    /// Whether [`init`](Self::init) also replaces the panic hook, so that a panic becomes a record
    /// instead of text on stderr: level ERROR, target `panic`, the fields `location`, `thread_name`
    /// and `backtrace` (`null` unless `RUST_BACKTRACE` asks for one). What is queued by then is waited
    /// for, within [`flush_limit`](Self::flush_limit). Off if this is not called.
    pub fn panic_records(mut self, wanted: bool) -> Self {
        self.panic_records = wanted;
        self
    }

    /// Exports all records, and all spans, over OTLP as well. If this is not called, that is so if the
    /// variables of OpenTelemetry say where the collector is; see [`Otlp`](crate::Otlp).
    #[cfg(feature = "opentelemetry")]
    pub fn otlp(mut self, otlp: crate::Otlp) -> Self {
        self.otlp = Some(otlp);
        self
    }

    /// Installs the logging for the whole process, records of crates that use `log` included.
    ///
    /// # Errors
    ///
    /// A mistake in the set-up, or a subscriber or logger that is installed already.
    pub fn init(self) -> Result<Logging, Error> {
        #[cfg(not(feature = "opentelemetry"))]
        crate::otlp_absent::say_if_wanted(&*self.environment);
        let panic_records = self.panic_records;
        let (layer, logging) = self.parts()?;
        install(Registry::default().with(layer), logging, panic_records)
    }

    /// Makes a subscriber without installing it, for `tracing::subscriber::with_default` and the
    /// like. Its levels hold for all layers that are put on top of it.
    ///
    /// # Errors
    ///
    /// A mistake in the set-up.
    pub fn build(
        self,
    ) -> Result<(impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync + 'static, Logging), Error>
    {
        let (layer, logging) = self.parts()?;
        Ok((Registry::default().with(layer), logging))
    }

    /// Makes a layer to put beside other layers. Its levels hold for itself alone.
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
    /// A mistake in the set-up.
    pub fn layer<S>(self) -> Result<(impl Layer<S> + Send + Sync + 'static, Logging), Error>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let (layer, logging) = self.parts()?;
        let levels = OwnLevels(Arc::clone(&logging.levels));
        Ok((layer.with_filter(levels), logging))
    }

    fn parts(self) -> Result<(RecordLayer, Logging), Error> {
        let levels = match level::from_environment(&*self.environment)? {
            Some(levels) => levels,
            None => level::parse("`level`", &self.level)?,
        };
        let is_terminal = self.writer.is_none() && io::stdout().is_terminal();
        let formatter = match self.format {
            Some(Format::Read(formatter)) => Some(formatter),
            Some(Format::Text(format)) => Some(JsonFormatter::new(&format)?.into()),
            None => is_terminal.then(|| HumanFormatter::new().into()),
        };
        #[cfg(feature = "opentelemetry")]
        let exported = crate::otlp::Attached {
            name: "",
            handler: Handlers::one(1),
            formatter: formatter.clone().filter(Formatter::is_json),
            context: self.context.clone(),
        };
        let layout = Formatter::layout(formatter, self.context, is_terminal)?;
        let way = match self.writer {
            Some(sink) => Way::Direct(sink),
            None => Target::Stdout.open("", Policy::Block, DEFAULT_BYTES)?.0,
        };
        let output = way.into_output(String::new(), &layout)?;
        let mut pipes = Pipes::default();
        pipes.add(layout, Handlers::one(0), Arc::clone(&output));
        #[cfg_attr(not(feature = "opentelemetry"), allow(unused_mut))]
        let mut outputs = vec![output];
        #[cfg(feature = "opentelemetry")]
        let spans = match self.otlp.or_else(|| crate::Otlp::of_environment(&*self.environment)) {
            Some(otlp) => {
                let environment = &*self.environment;
                crate::otlp::attach(&otlp, environment, exported, &mut pipes, &mut outputs)?
            }
            None => None,
        };
        let levels = CurrentLevels::new(levels);
        let layer = RecordLayer::new(pipes, Routes::to_all(Arc::clone(&levels)));
        #[cfg(feature = "opentelemetry")]
        let layer = layer.exporting(spans);
        let outputs = Outputs { all: outputs.into(), flush_limit: self.flush_limit };
        Ok((layer, Logging::new(outputs, levels)))
    }
}

/// Makes a subscriber the one of the process.
pub(crate) fn install(
    subscriber: impl Subscriber + Send + Sync,
    logging: Logging,
    panic_records: bool,
) -> Result<Logging, Error> {
    tracing::subscriber::set_global_default(subscriber).map_err(|_| Error::SubscriberInstalled)?;
    LogTracer::builder()
        .with_max_level(LevelFilter::current().as_log())
        .init()
        .map_err(|_| Error::LogInstalled)?;
    if panic_records {
        panic::install(logging.outputs.clone());
    }
    Ok(logging.installed())
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("context", &self.context)
            .field("level", &self.level)
            .field("panic_records", &self.panic_records)
            .finish_non_exhaustive()
    }
}
