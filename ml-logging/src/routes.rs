//! Which handlers want a record: Python's tree of loggers, with levels and propagation.

use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, registry::Registry};

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
    /// The levels of all handlers, by their numbers.
    handlers: Vec<LevelFilter>,
    /// What `RUST_LOG` says in place of the loggers' levels.
    directives: Option<Targets>,
}

/// One logger.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) name: LoggerName,
    /// `None` if the level is that of the next logger above.
    pub(crate) level: Option<LevelFilter>,
    pub(crate) handlers: Handlers,
    pub(crate) propagate: bool,
}

impl Routes {
    pub(crate) fn new(mut loggers: Vec<Route>, mut handlers: Vec<LevelFilter>) -> Self {
        loggers.sort_by_key(|logger| std::cmp::Reverse(logger.name.0.len()));
        handlers.truncate(Handlers::MAX);
        Self { loggers, handlers, directives: None }
    }

    /// Takes the levels of `RUST_LOG` in place of those of the loggers. A handler that lets all
    /// through that the loggers let through does so still.
    pub(crate) fn with_directives(mut self, directives: Targets) -> Self {
        let most = self.max_level();
        for level in &mut self.handlers {
            if *level >= most {
                *level = LevelFilter::TRACE;
            }
        }
        self.directives = Some(directives);
        self
    }

    pub(crate) fn max_level(&self) -> LevelFilter {
        match &self.directives {
            Some(directives) => {
                let hint = Layer::<Registry>::max_level_hint(directives);
                hint.unwrap_or(LevelFilter::TRACE)
            }
            None => {
                let levels = self.loggers.iter().filter_map(|logger| logger.level);
                levels.max().unwrap_or(DEFAULT_LEVEL).max(self.root_level())
            }
        }
    }

    fn root_level(&self) -> LevelFilter {
        let root = self.loggers.iter().find(|logger| logger.name.is_root());
        root.and_then(|root| root.level).unwrap_or(DEFAULT_LEVEL)
    }

    /// The loggers that a target's records meet, its own first.
    fn met_by(&self, target: &str) -> impl Iterator<Item = &Route> {
        self.loggers.iter().filter(move |logger| logger.name.covers(target))
    }

    fn passes(&self, target: &str, level: &Level) -> bool {
        match &self.directives {
            Some(directives) => directives.would_enable(target, level),
            None => {
                let own = self.met_by(target).find_map(|logger| logger.level);
                *level <= own.unwrap_or(DEFAULT_LEVEL)
            }
        }
    }

    /// Whether anybody wants such records; or such spans, which all records inside of them show.
    pub(crate) fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            self.passes(metadata.target(), metadata.level())
        } else {
            !self.wanted(metadata).is_empty()
        }
    }

    /// The handlers that want such records.
    pub(crate) fn wanted(&self, metadata: &Metadata<'_>) -> Handlers {
        let (target, level) = (metadata.target(), metadata.level());
        if !self.passes(target, level) {
            return Handlers::NONE;
        }
        let mut reached = Handlers::NONE;
        for logger in self.met_by(target) {
            reached = reached.with(logger.handlers);
            if !logger.propagate {
                break;
            }
        }
        let willing = self.handlers.iter().enumerate().filter(|(_, own)| level <= *own);
        let willing =
            willing.fold(Handlers::NONE, |all, (number, _)| all.with(Handlers::one(number)));
        reached.and(willing)
    }
}

/// Python's, for a root logger of which nothing is said.
const DEFAULT_LEVEL: LevelFilter = LevelFilter::WARN;

/// A name in parts: Python writes `a.b`, Rust `a::b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoggerName(Vec<String>);

impl LoggerName {
    /// The empty name and `root` are the root logger's.
    pub(crate) fn new(name: &str) -> Self {
        if name == "root" {
            return Self(Vec::new());
        }
        Self(parts(name).map(str::to_owned).collect())
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    fn covers(&self, target: &str) -> bool {
        let mut target = parts(target);
        self.0.iter().all(|part| target.next() == Some(part))
    }
}

fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(['.', ':']).filter(|part| !part.is_empty())
}
