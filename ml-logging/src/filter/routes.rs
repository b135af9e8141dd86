//! Which handlers receive a record: Python's tree of loggers with levels and propagation.

use std::{cmp::Reverse, sync::Arc};

use tracing::{Metadata, level_filters::LevelFilter};

use super::{current::CurrentLevels, handler_set::HandlerSet, target_name::TargetName};

/// The loggers with their handlers, and the levels of the handlers.
pub(crate) struct Routes {
    /// Sorted by depth, the root last, so that a logger precedes its ancestors.
    loggers: Vec<Route>,
    /// Conditions of the handlers by number. The level is `TRACE` if the handler does not restrict the levels
    /// further.
    handlers: Vec<Condition>,
    /// Levels that a record must pass first.
    levels: Arc<CurrentLevels>,
}

/// What a record must fulfil for a handler.
pub(crate) struct Condition {
    pub(crate) level: LevelFilter,
    /// Names that must cover its target.
    pub(crate) targets: Vec<TargetName>,
}

impl Condition {
    fn is_met(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
            && self.targets.iter().all(|name| name.covers(metadata.target()))
    }
}

/// Handlers of one logger.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) name: TargetName,
    pub(crate) handlers: HandlerSet,
    pub(crate) propagate: bool,
}

impl Routes {
    /// Creates the routes. `max` is the most verbose level of the configured loggers. A handler with this
    /// level or a more verbose one does not restrict the levels, even after they are replaced.
    pub(crate) fn new(
        mut loggers: Vec<Route>,
        mut handlers: Vec<Condition>,
        max: LevelFilter,
        levels: Arc<CurrentLevels>,
    ) -> Self {
        loggers.sort_by_key(|logger| Reverse(logger.name.depth()));
        for handler in &mut handlers {
            if handler.level >= max {
                handler.level = LevelFilter::TRACE;
            }
        }
        Self { loggers, handlers, levels }
    }

    pub(crate) fn levels(&self) -> &CurrentLevels {
        &self.levels
    }

    /// Returns whether any handler receives such events. For spans, whether the levels pass them: all records inside
    /// have their fields.
    pub(crate) fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.levels.pass(metadata)
            && (metadata.is_span() || !self.handlers_for(metadata).is_empty())
    }

    /// Returns the handlers that receive such events if the levels pass them. The result does not change
    /// when the levels are replaced.
    pub(crate) fn handlers_for(&self, metadata: &Metadata<'_>) -> HandlerSet {
        let mut reached = HandlerSet::EMPTY;
        for logger in self.loggers.iter().filter(|logger| logger.name.covers(metadata.target())) {
            reached = reached.union(logger.handlers);
            if !logger.propagate {
                break;
            }
        }
        let unmet = self.handlers.iter().enumerate().filter(|(_, own)| !own.is_met(metadata));
        unmet.fold(reached, |rest, (number, _)| rest.difference(HandlerSet::one(number)))
    }
}
