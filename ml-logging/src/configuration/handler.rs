//! Handlers: what is written, how, and where to.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, IsTerminal},
    path::PathBuf,
};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::{ContextFilter, Error, Formatter, formatter::Layout, output::Destination};
#[cfg(feature = "opentelemetry")]
use crate::{otlp::Attached, routes::Handlers};

/// A place that records are written to, with its own level, format and context.
///
/// Standard output, standard error and files are written by a thread of their own, a few
/// milliseconds later at most; see [`Logging::flush`](crate::Logging::flush).
pub struct Handler {
    pub(super) name: String,
    pub(super) level: LevelFilter,
    formatter: Option<Formatter>,
    pub(super) context: Vec<(String, String)>,
    target: Target,
    is_terminal: bool,
    #[cfg(feature = "opentelemetry")]
    pub(super) otlp: Option<crate::Otlp>,
}

enum Target {
    Opened(Destination),
    File { path: PathBuf, overwrite: bool },
}

impl Handler {
    /// A handler that writes to standard output.
    pub fn stdout(name: impl Into<String>) -> Self {
        Self::queued(name, io::stdout())
    }

    /// A handler that writes to standard error.
    pub fn stderr(name: impl Into<String>) -> Self {
        Self::queued(name, io::stderr())
    }

    /// A handler that appends to a file. The file is opened, and made if it is not there, when the
    /// logging is built.
    pub fn file(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self::new(name, Target::File { path: path.into(), overwrite: false })
    }

    /// A handler that writes to anything, before the program goes on.
    pub fn writer(
        name: impl Into<String>,
        writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, Target::Opened(Destination::Direct(Box::new(writer))))
    }

    /// A handler that exports over OTLP, with the fields that its formatter, which must be one of JSON, gives a
    /// record. The first of a configuration exports the spans, too.
    #[cfg(feature = "opentelemetry")]
    pub fn otlp(name: impl Into<String>, otlp: crate::Otlp) -> Self {
        // Nothing is ever written there: `Configuration::parts` attaches the export in its place.
        Self { otlp: Some(otlp), ..Self::writer(name, io::sink) }
    }

    /// An export of what this handler writes, if that is JSON.
    #[cfg(feature = "opentelemetry")]
    pub(super) fn exporting(&self, name: &str, otlp: crate::Otlp) -> Option<Self> {
        let is_json = match &self.formatter {
            Some(formatter) => formatter.is_json(),
            None => !self.is_terminal,
        };
        is_json.then(|| Self {
            formatter: self.formatter.clone(),
            context: self.context.clone(),
            ..Self::otlp(name, otlp)
        })
    }

    /// What is needed to attach the export, if it is one.
    #[cfg(feature = "opentelemetry")]
    pub(super) fn attached(&mut self, handler: Handlers) -> Option<(crate::Otlp, Attached<'_>)> {
        let otlp = self.otlp.take()?;
        let (formatter, context) = (self.formatter.take(), std::mem::take(&mut self.context));
        Some((otlp, Attached { name: &self.name, handler, formatter, context }))
    }

    fn queued(
        name: impl Into<String>,
        destination: impl io::Write + IsTerminal + Send + 'static,
    ) -> Self {
        let is_terminal = destination.is_terminal();
        let target = Target::Opened(Destination::Queued(Box::new(destination)));
        Self { is_terminal, ..Self::new(name, target) }
    }

    fn new(name: impl Into<String>, target: Target) -> Self {
        Self {
            name: name.into(),
            level: LevelFilter::TRACE,
            formatter: None,
            context: Vec::new(),
            target,
            is_terminal: false,
            #[cfg(feature = "opentelemetry")]
            otlp: None,
        }
    }

    /// Empties the file when the logging is built. Without effect on other handlers.
    #[must_use]
    pub fn overwrite(mut self) -> Self {
        if let Target::File { overwrite, .. } = &mut self.target {
            *overwrite = true;
        }
        self
    }

    /// Sets the level below which records are left out. Without one there are all that the loggers
    /// let through.
    #[must_use]
    pub fn level(mut self, level: LevelFilter) -> Self {
        self.level = level;
        self
    }

    /// Sets the formatter; without one it is the JSON of [`Builder::format`](crate::Builder::format).
    #[must_use]
    pub fn formatter(mut self, formatter: impl Into<Formatter>) -> Self {
        self.formatter = Some(formatter.into());
        self
    }

    /// Adds the fields of a filter to those that the format may name.
    #[must_use]
    pub fn filter(mut self, filter: impl ContextFilter) -> Self {
        self.context.extend(filter.fields());
        self
    }

    pub(super) fn layout(&mut self) -> Result<Layout, Error> {
        let context = std::mem::take(&mut self.context);
        Formatter::layout(self.formatter.take(), context, self.is_terminal)
    }

    /// Opens the file if there is one, and says whether it is to be emptied.
    pub(super) fn open(self) -> Result<(Destination, Option<File>), Error> {
        let (path, overwrite) = match self.target {
            Target::Opened(destination) => return Ok((destination, None)),
            Target::File { path, overwrite } => (path, overwrite),
        };
        // Appending even then: whoever else writes to the file or cuts it short does no harm.
        let opened = OpenOptions::new().append(true).create(true).open(&path).and_then(|file| {
            let emptied = if overwrite && file.metadata()?.is_file() {
                Some(file.try_clone()?)
            } else {
                None
            };
            Ok((file, emptied))
        });
        match opened {
            Ok((file, emptied)) => Ok((Destination::Queued(Box::new(file)), emptied)),
            Err(error) => {
                Err(Error::OpenFile { handler: self.name, path, problem: error.to_string() })
            }
        }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Handler");
        out.field("name", &self.name).field("level", &self.level);
        if let Target::File { path, overwrite } = &self.target {
            out.field("path", path).field("overwrite", overwrite);
        }
        out.field("formatter", &self.formatter).field("context", &self.context);
        out.finish_non_exhaustive()
    }
}
