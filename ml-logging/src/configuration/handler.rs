//! Handlers: what is written, how, and where to.

use std::{fmt, fs::File, io, path::PathBuf};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::target::Target;
use crate::{
    ContextFilter, EcsKeys, Error, Formatter, Policy, Rotation, formatter::Layout, output::Way,
    queue::DEFAULT_BYTES,
};
#[cfg(feature = "opentelemetry")]
use crate::{otlp::Attached, routes::Handlers};

/// A place that records are written to, with its own level, format and context.
///
/// Standard output, standard error and files are written by a thread of their own, a few
/// milliseconds later at most; see [`Logging::flush`](crate::Logging::flush). What happens when
/// records come faster than that is the handler's [`Policy`].
pub struct Handler {
    pub(super) name: String,
    pub(super) level: LevelFilter,
    formatter: Option<Formatter>,
    pub(super) context: Vec<(String, String)>,
    target: Target,
    policy: Option<Policy>,
    queue_bytes: usize,
    #[cfg(feature = "opentelemetry")]
    pub(super) otlp: Option<crate::Otlp>,
}

impl Handler {
    /// A handler that writes to standard output.
    pub fn stdout(name: impl Into<String>) -> Self {
        Self::new(name, Target::Stdout)
    }

    /// A handler that writes to standard error.
    pub fn stderr(name: impl Into<String>) -> Self {
        Self::new(name, Target::Stderr)
    }

    /// A handler that appends to a file. The file is opened, and made if it is not there, when the
    /// logging is built.
    pub fn file(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self::new(name, Target::File { path: path.into(), overwrite: false })
    }

    /// A handler that appends to a file which makes way for a new one from time to time. The file is
    /// opened, and made if it is not there, when the logging is built.
    pub fn rotating(name: impl Into<String>, path: impl Into<PathBuf>, rotation: Rotation) -> Self {
        Self::new(name, Target::Rotating { path: path.into(), rotation })
    }

    /// A handler that writes to anything, by a thread of its own, in pieces of whole records.
    pub fn queued(name: impl Into<String>, writer: impl io::Write + Send + 'static) -> Self {
        Self::new(name, Target::Own(Box::new(writer)))
    }

    /// A handler that writes to anything, before the program goes on.
    pub fn writer(
        name: impl Into<String>,
        writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, Target::Direct(Box::new(writer)))
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
            None => !self.target.is_terminal(),
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

    fn new(name: impl Into<String>, target: Target) -> Self {
        Self {
            name: name.into(),
            level: LevelFilter::TRACE,
            formatter: None,
            context: Vec::new(),
            target,
            policy: None,
            queue_bytes: DEFAULT_BYTES,
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

    /// Sets what happens to records that the sink does not take at once; [`Policy::Block`] otherwise.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Sets how many bytes of records may wait for the thread that writes them, 1 MiB otherwise; as
    /// many again are on their way. A single record may be larger. Without effect with
    /// [`Policy::Audit`], where each thread waits for its own record, and on handlers that do not
    /// queue.
    #[must_use]
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.queue_bytes = bytes;
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

    /// The keys of its records if they keep to the Elastic Common Schema.
    pub(super) fn ecs_keys(&self) -> Option<EcsKeys> {
        let formatter = self.formatter.clone().filter(|it| matches!(it, Formatter::Ecs(_)))?;
        match Formatter::layout(Some(formatter), self.context.clone(), false).ok()? {
            Layout::Json(layout) => Some(EcsKeys::new(layout)),
            Layout::Text(_) => None,
        }
    }

    pub(super) fn layout(&mut self) -> Result<Layout, Error> {
        let context = std::mem::take(&mut self.context);
        Formatter::layout(self.formatter.take(), context, self.target.is_terminal())
    }

    /// Opens what it writes to, and returns the file that is to be emptied if there is one.
    pub(super) fn open(self) -> Result<(Way, Option<File>), Error> {
        if matches!(self.target, Target::Direct(_))
            && !matches!(self.policy, None | Some(Policy::Audit))
        {
            return Err(Error::NothingWaits(self.name));
        }
        self.target.open(&self.name, self.policy.unwrap_or_default(), self.queue_bytes)
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Handler");
        out.field("name", &self.name).field("level", &self.level);
        match &self.target {
            Target::File { path, overwrite } => {
                out.field("path", path).field("overwrite", overwrite);
            }
            Target::Rotating { path, rotation } => {
                out.field("path", path).field("rotation", rotation);
            }
            _ => {}
        }
        out.field("policy", &self.policy).field("queue_bytes", &self.queue_bytes);
        out.field("formatter", &self.formatter).field("context", &self.context);
        out.finish_non_exhaustive()
    }
}
