//! Handlers: format, level and sink of records.

use std::{
    fmt,
    fs::File,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use tracing::level_filters::LevelFilter;

use super::export::Export;
use crate::{
    error::Error,
    filter::{ContextFilter, HostnameFilter, TargetName},
    format::{BUILT_IN, EcsKeys, Formatter, IntoFormatter, Layout},
    record::render_dropped,
    sink::{
        self, ByteSink, DEFAULT_QUEUE_BYTES, Policy, Queue, QueueSettings, RecordSink,
        RecordWriter, RollingFile, Rotation, Stream, WriterSink,
    },
};

/// Destination of records, with its own level, format and context.
///
/// Records for standard output, standard error and files are written by a separate thread within a few
/// milliseconds, see [`Logging::flush`](crate::Logging::flush). The [`Policy`] decides what happens when
/// records come faster than that.
pub struct Handler {
    pub(super) name: String,
    pub(super) level: LevelFilter,
    /// Receives all records that any other handler receives, without being named by a logger.
    pub(super) receives_all: bool,
    /// Targets of its records: each of these covers them.
    pub(super) only: Vec<TargetName>,
    formatter: Option<Formatter>,
    context: Vec<(String, String)>,
    sink: SinkConfig,
    policy: Option<Policy>,
    queue_bytes: usize,
    record_bytes: usize,
}

/// Maximum length of a record by default. Container runtimes split longer lines.
const DEFAULT_RECORD_BYTES: usize = 16 * 1024;

/// Sink of a handler that is not open yet.
enum SinkConfig {
    /// Records are not even rendered.
    Null,
    Stdout,
    Stderr,
    File {
        path: PathBuf,
        overwrite: bool,
    },
    Rolling {
        path: PathBuf,
        rotation: Rotation,
    },
    Queued(Box<dyn io::Write + Send>),
    /// Creates the sink from the name of the handler.
    Writer(Box<dyn FnOnce(String) -> Arc<dyn RecordSink> + Send>),
    Export(Box<dyn Export>),
}

/// An open sink.
pub(crate) enum Opened {
    Sink {
        sink: Arc<dyn RecordSink>,
        /// File to empty after everything else has been opened.
        emptied: Option<File>,
    },
    /// Export that still has to be opened.
    Export(Box<dyn Export>),
    /// Nothing is written.
    Null,
}

impl Handler {
    /// Creates a handler that writes to standard output.
    pub fn stdout(name: impl Into<String>) -> Self {
        Self::new(name, SinkConfig::Stdout)
    }

    /// Creates a handler that writes to standard error.
    pub fn stderr(name: impl Into<String>) -> Self {
        Self::new(name, SinkConfig::Stderr)
    }

    /// Creates a handler that appends to a file. The file is opened, and created if it does not exist, when
    /// the logging is built, and again after another program has renamed or removed it. It may be a pipe that a
    /// process reads, a terminal or a device.
    pub fn file(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self::new(name, SinkConfig::File { path: path.into(), overwrite: false })
    }

    /// Creates a handler that appends to a file which is rotated. The file is opened, and created if it does
    /// not exist, when the logging is built.
    pub fn rotating(name: impl Into<String>, path: impl Into<PathBuf>, rotation: Rotation) -> Self {
        Self::new(name, SinkConfig::Rolling { path: path.into(), rotation })
    }

    /// Creates a handler with a queue in front of a writer. A separate thread writes batches of whole
    /// records.
    pub fn queued(name: impl Into<String>, writer: impl io::Write + Send + 'static) -> Self {
        Self::new(name, SinkConfig::Queued(Box::new(writer)))
    }

    /// Creates a handler that writes each record before the program continues.
    pub fn writer(name: impl Into<String>, writer: impl RecordWriter) -> Self {
        let open = |name| Arc::new(WriterSink::new(name, writer)) as Arc<dyn RecordSink>;
        Self::new(name, SinkConfig::Writer(Box::new(open)))
    }

    /// Creates a handler that writes nothing, as Python's `NullHandler`. A logger with this handler only is silent.
    /// Its records are not rendered and not counted.
    pub fn null(name: impl Into<String>) -> Self {
        Self::new(name, SinkConfig::Null)
    }

    /// Creates a handler for an export.
    pub(crate) fn export(name: impl Into<String>, export: Box<dyn Export>) -> Self {
        Self::new(name, SinkConfig::Export(export))
    }

    fn new(name: impl Into<String>, sink: SinkConfig) -> Self {
        Self {
            name: name.into(),
            level: LevelFilter::TRACE,
            receives_all: false,
            only: Vec::new(),
            formatter: None,
            context: Vec::new(),
            sink,
            policy: None,
            queue_bytes: DEFAULT_QUEUE_BYTES,
            record_bytes: DEFAULT_RECORD_BYTES,
        }
    }

    /// Empties the file when the logging is built. Ignored by handlers other than [`file`](Self::file).
    #[must_use]
    pub fn overwrite(mut self) -> Self {
        if let SinkConfig::File { overwrite, .. } = &mut self.sink {
            *overwrite = true;
        }
        self
    }

    /// Sets the policy for a full queue; [`Policy::Block`] by default.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Sets the capacity of the queue in bytes; 1 MiB by default. The records that are being written come on
    /// top of that. A single record may be larger. Ignored with [`Policy::Audit`] and by handlers without a
    /// queue.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
        self
    }

    /// Sets the maximum length of a record in bytes; 16 KiB by default, because container runtimes split longer
    /// lines.
    ///
    /// The longest strings of a longer record are cut at their ends and marked with the number of bytes left out:
    /// `… [1204 bytes cut]`. It stays valid JSON. Other values and strings of up to 64 bytes stay whole, so that a
    /// record with very many fields may be longer. A line of text is cut at its end, unless it is coloured.
    #[must_use]
    pub fn record_bytes(mut self, bytes: usize) -> Self {
        self.record_bytes = bytes;
        self
    }

    /// Sets the level. Records of lower levels are omitted. Without a level, the handler writes all records
    /// that the loggers pass.
    #[must_use]
    pub fn level(mut self, level: impl Into<LevelFilter>) -> Self {
        self.level = level.into();
        self
    }

    /// Sets the formatter; by default the JSON of [`Builder::format`](crate::Builder::format).
    #[must_use]
    pub fn formatter(mut self, formatter: impl IntoFormatter) -> Self {
        self.formatter = Some(formatter.into());
        self
    }

    /// Adds the fields of a filter. The format may name them.
    #[must_use]
    pub fn filter(mut self, filter: impl ContextFilter) -> Self {
        self.context.extend(filter.fields());
        self
    }

    /// Returns the maximum length of a record.
    pub(crate) fn limit(&self) -> usize {
        self.record_bytes
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn add_context(&mut self, fields: impl IntoIterator<Item = (String, String)>) {
        self.context.extend(fields);
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.sink, SinkConfig::Null)
    }

    pub(super) fn is_export(&self) -> bool {
        matches!(self.sink, SinkConfig::Export(_))
    }

    /// Returns whether the records are JSON.
    pub(super) fn is_json(&self) -> bool {
        self.formatter.as_ref().is_none_or(Formatter::is_json)
    }

    /// Takes over formatter and context of another handler.
    pub(super) fn copy_format(&mut self, other: &Self) {
        self.formatter.clone_from(&other.formatter);
        self.context.clone_from(&other.context);
    }

    fn is_terminal(&self) -> bool {
        match self.sink {
            SinkConfig::Stdout => io::stdout().is_terminal(),
            SinkConfig::Stderr => io::stderr().is_terminal(),
            _ => false,
        }
    }

    /// Returns the keys of the records if they follow the Elastic Common Schema.
    pub(super) fn ecs_keys(&self) -> Option<EcsKeys> {
        matches!(self.formatter, Some(Formatter::Ecs(_))).then_some(())?;
        match self.layout().ok()? {
            Layout::Json(layout) => Some(EcsKeys::new(layout)),
            Layout::Text(_) => None,
        }
    }

    /// Finds a source for each field of the format.
    pub(crate) fn layout(&self) -> Result<Layout, Error> {
        let formatter = self.formatter.clone().unwrap_or_default();
        let mut context = self.context.clone();
        if formatter.implies_hostname() && !context.iter().any(|(name, _)| name == "hostname") {
            context.extend(HostnameFilter::new().fields());
        }
        for (index, (name, _)) in context.iter().enumerate() {
            if BUILT_IN.contains(&name.as_str()) {
                return Err(Error::BuiltInField(name.clone()));
            }
            if context[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Error::FieldProvidedTwice(name.clone()));
            }
        }
        Ok(formatter.layout(&context, self.is_terminal())?)
    }

    /// Opens the sink.
    pub(crate) fn open(self, layout: &Layout) -> Result<Opened, Error> {
        let stream_error = |error: io::Error| Error::OpenStream {
            handler: self.name.clone(),
            problem: error.to_string(),
        };
        let file_error = |path: &Path, error: io::Error| Error::OpenFile {
            handler: self.name.clone(),
            path: path.to_owned(),
            problem: error.to_string(),
        };
        let mut emptied = None;
        let byte_sink: Box<dyn ByteSink> = match self.sink {
            SinkConfig::Null => return Ok(Opened::Null),
            SinkConfig::Stdout => sink::stdout().map_err(stream_error)?,
            SinkConfig::Stderr => sink::stderr().map_err(stream_error)?,
            SinkConfig::File { path, overwrite } => {
                let opened = sink::open(&path, overwrite);
                let (byte_sink, file) = opened.map_err(|error| file_error(&path, error))?;
                emptied = file;
                byte_sink
            }
            SinkConfig::Rolling { path, rotation } => {
                RollingFile::open(&path, &rotation).map_err(|error| file_error(&path, error))?
            }
            SinkConfig::Queued(writer) => Box::new(Stream::new(writer)),
            SinkConfig::Writer(open) => {
                if !matches!(self.policy, None | Some(Policy::Audit)) {
                    return Err(Error::NoQueue(self.name));
                }
                return Ok(Opened::Sink { sink: open(self.name), emptied });
            }
            SinkConfig::Export(export) => return Ok(Opened::Export(export)),
        };
        let (layout, handler) = (layout.clone(), self.name.clone());
        let settings = QueueSettings {
            handler: self.name,
            policy: self.policy.unwrap_or_default(),
            capacity: self.queue_bytes,
            render_dropped: Box::new(move |dropped, take| {
                render_dropped(&layout, &handler, dropped, take);
            }),
        };
        let queue = Queue::new(settings, byte_sink)
            .map_err(|error| Error::Thread { problem: error.to_string() })?;
        Ok(Opened::Sink { sink: Arc::new(queue), emptied })
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Handler");
        out.field("name", &self.name).field("level", &self.level);
        match &self.sink {
            SinkConfig::File { path, overwrite } => {
                out.field("path", path).field("overwrite", overwrite);
            }
            SinkConfig::Rolling { path, rotation } => {
                out.field("path", path).field("rotation", rotation);
            }
            _ => {}
        }
        out.field("policy", &self.policy).field("queue_bytes", &self.queue_bytes);
        out.field("record_bytes", &self.record_bytes);
        out.field("formatter", &self.formatter).field("context", &self.context);
        out.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fields(&'static [&'static str]);

    impl ContextFilter for Fields {
        fn fields(&self) -> Vec<(String, String)> {
            self.0.iter().map(|name| ((*name).to_owned(), String::new())).collect()
        }
    }

    #[test]
    fn a_filter_must_not_provide_a_field_that_exists() {
        let error = |fields| Handler::stdout("").filter(Fields(fields)).layout().unwrap_err();
        assert_eq!(error(&["a", "a"]), Error::FieldProvidedTwice("a".to_owned()));
        assert_eq!(error(&["name"]), Error::BuiltInField("name".to_owned()));
    }
}
