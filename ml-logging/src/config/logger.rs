//! Loggers: which records go to which handlers.

use tracing::level_filters::LevelFilter;

use crate::filter::TargetName;

/// Level and handlers of a target and the targets below it.
///
/// A logger `a.b`, or `a::b`, belongs to the target `a::b` and all targets below it, such as `a::b::c`, but not to
/// `a::bc`. A record goes to the handlers of the logger of its target, then to those of the loggers above it,
/// up to the root or to a logger that does not [propagate](Self::propagate). Each handler receives it once.
/// Only one level applies: that of the nearest logger that has one.
#[derive(Debug, Clone)]
pub struct Logger {
    pub(super) name: String,
    pub(super) level: Option<LevelFilter>,
    pub(super) handlers: Vec<String>,
    pub(super) propagate: bool,
}

impl Logger {
    /// Creates the logger of a target, without a level and handlers.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), level: None, handlers: Vec::new(), propagate: true }
    }

    /// Creates the root logger, which is above all others. Its default level is WARN, as in Python.
    pub fn root() -> Self {
        Self::new("root")
    }

    /// Sets the level. It applies to the targets below, unless their loggers have levels.
    #[must_use]
    pub fn level(mut self, level: impl Into<LevelFilter>) -> Self {
        self.level = Some(level.into());
        self
    }

    /// Adds a handler by name.
    #[must_use]
    pub fn handler(mut self, name: impl Into<String>) -> Self {
        self.handlers.push(name.into());
        self
    }

    /// Sets whether records also go to the handlers of the loggers above; true by default.
    #[must_use]
    pub fn propagate(mut self, enabled: bool) -> Self {
        self.propagate = enabled;
        self
    }

    pub(super) fn target(&self) -> TargetName {
        TargetName::new(&self.name)
    }
}
