//! Which handlers want a record: Python's tree of loggers, with levels and propagation.

use std::sync::Arc;

use tracing::{Metadata, level_filters::LevelFilter};

use crate::levels::{CurrentLevels, TargetName};

/// A set of handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handlers(u64);

impl Handlers {
    /// How many handlers there can be.
    pub(crate) const MAX: usize = u64::BITS as usize;
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u64::MAX);

    /// One handler by its number, which must be below [`MAX`](Self::MAX).
    pub(crate) fn one(number: usize) -> Self {
        Self(1 << number)
    }

    #[must_use]
    pub(crate) fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    #[must_use]
    pub(crate) fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    #[must_use]
    fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    #[inline]
    pub(crate) fn contains(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// The loggers as a record meets them, and the levels of the handlers.
pub(crate) struct Routes {
    /// The longest names first, the root last: a target's own logger comes before its ancestors.
    loggers: Vec<Route>,
    /// The levels of the handlers that have one to say, by their numbers.
    handlers: Vec<LevelFilter>,
    /// From which level on a record meets anybody.
    levels: Arc<CurrentLevels>,
}

/// One logger.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) name: TargetName,
    pub(crate) handlers: Handlers,
    pub(crate) propagate: bool,
}

impl Routes {
    /// Every record to every handler.
    pub(crate) fn to_all(levels: Arc<CurrentLevels>) -> Self {
        let root = Route { name: TargetName::root(), handlers: Handlers::ALL, propagate: true };
        Self { loggers: vec![root], handlers: Vec::new(), levels }
    }

    /// `most` is the furthest level of the loggers as they are configured. A handler that lets that
    /// through lets all through, whatever other levels are in force.
    pub(crate) fn new(
        mut loggers: Vec<Route>,
        mut handlers: Vec<LevelFilter>,
        most: LevelFilter,
        levels: Arc<CurrentLevels>,
    ) -> Self {
        loggers.sort_by_key(|logger| std::cmp::Reverse(logger.name.depth()));
        handlers.truncate(Handlers::MAX);
        for level in &mut handlers {
            if *level >= most {
                *level = LevelFilter::TRACE;
            }
        }
        Self { loggers, handlers, levels }
    }

    pub(crate) fn levels(&self) -> &CurrentLevels {
        &self.levels
    }

    /// Whether anybody wants such records; or such spans, which all records inside of them show.
    pub(crate) fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            self.levels.pass(metadata)
        } else {
            self.levels.pass(metadata) && !self.wanted(metadata).is_empty()
        }
    }

    /// The handlers that want such records, if their level passes. That is so of all that get here,
    /// and the answer stays the same when the levels are changed.
    pub(crate) fn wanted(&self, metadata: &Metadata<'_>) -> Handlers {
        let mut reached = Handlers::NONE;
        for logger in self.loggers.iter().filter(|logger| logger.name.covers(metadata.target())) {
            reached = reached.with(logger.handlers);
            if !logger.propagate {
                break;
            }
        }
        let unwilling = self.handlers.iter().enumerate().filter(|(_, own)| metadata.level() > *own);
        unwilling.fold(reached, |rest, (number, _)| rest.without(Handlers::one(number)))
    }
}
