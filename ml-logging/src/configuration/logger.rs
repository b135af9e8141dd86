//! Loggers: which targets' records go to which handlers, from which level on.

use tracing::level_filters::LevelFilter;

use crate::levels::TargetName;

/// What is said of a target and of those below it.
///
/// A logger `a.b`, or `a::b`, is that of the target `a::b` and of all below, as `a::b::c`, but not of
/// `a::bc`. A record goes to the handlers of its target's logger, then to those of the loggers above
/// it, up to the root or to one that does not [propagate](Self::propagate); to each handler once.
/// Whether it goes anywhere is decided by one level only: that of the nearest logger that has one.
#[derive(Debug, Clone)]
pub struct Logger {
    pub(super) name: String,
    pub(super) level: Option<LevelFilter>,
    pub(super) handlers: Vec<String>,
    pub(super) propagate: bool,
}

impl Logger {
    /// The logger of a target, without a level and handlers of its own.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), level: None, handlers: Vec::new(), propagate: true }
    }

    /// The logger above all others. Its level is WARN unless it is set, as in Python.
    pub fn root() -> Self {
        Self::new("root")
    }

    /// Sets the level, which holds until a logger below sets another one.
    #[must_use]
    pub fn level(mut self, level: LevelFilter) -> Self {
        self.level = Some(level);
        self
    }

    /// Adds a handler, by its name.
    #[must_use]
    pub fn handler(mut self, name: impl Into<String>) -> Self {
        self.handlers.push(name.into());
        self
    }

    /// Whether records also go to the handlers of the loggers above. They do if this is not called.
    #[must_use]
    pub fn propagate(mut self, wanted: bool) -> Self {
        self.propagate = wanted;
        self
    }

    pub(super) fn parsed_name(&self) -> TargetName {
        TargetName::new(&self.name)
    }
}
