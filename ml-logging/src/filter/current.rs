//! Levels that can be replaced while the program runs.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwap;
use tracing::{
    Dispatch, Metadata, Subscriber, dispatcher::WeakDispatch, level_filters::LevelFilter,
    subscriber::Interest,
};
use tracing_subscriber::layer::{Context, Filter};

use super::levels::Levels;
use crate::sink::report;

/// The levels in force. `tracing` evaluates them once per callsite and caches the result until they are
/// replaced, so that they cost a record nothing.
// `tracing_subscriber::reload` takes its lock for each record.
pub(crate) struct CurrentLevels {
    initial: Levels,
    current: ArcSwap<Levels>,
    /// Subscriber that these levels belong to.
    subscriber: OnceLock<WeakDispatch>,
}

impl CurrentLevels {
    pub(crate) fn new(initial: Levels) -> Arc<Self> {
        let current = ArcSwap::from_pointee(initial.clone());
        Arc::new(Self { initial, current, subscriber: OnceLock::new() })
    }

    /// Stores the subscriber whose callsites must be evaluated again after a change.
    pub(crate) fn set_subscriber(&self, subscriber: &Dispatch) {
        self.subscriber.get_or_init(|| subscriber.downgrade());
    }

    pub(crate) fn subscriber(&self) -> Option<Dispatch> {
        self.subscriber.get()?.upgrade()
    }

    /// Returns whether the subscriber has been installed, for the process or for a scope.
    pub(crate) fn was_installed(&self) -> bool {
        self.subscriber.get().is_some()
    }

    pub(crate) fn initial(&self) -> Levels {
        self.initial.clone()
    }

    pub(crate) fn get(&self) -> Levels {
        Levels::clone(&self.current.load())
    }

    /// Replaces the levels. Cached results of callsites stay until `tracing` rebuilds them.
    pub(crate) fn set(&self, levels: Levels) {
        self.current.store(Arc::new(levels));
    }

    pub(crate) fn max(&self) -> LevelFilter {
        self.current.load().max()
    }

    /// Evaluates a callsite that `tracing` registers. Reports, once per process, that the level of a model does not
    /// apply to its records.
    pub(crate) fn register(&self, metadata: &Metadata<'_>, is_enabled: bool) -> Interest {
        static IS_REPORTED: AtomicBool = AtomicBool::new(false);

        if is_enabled {
            return Interest::always();
        }
        let (target, level) = (metadata.target(), metadata.level());
        if let Some((model, level)) = self.current.load().misses_model(target, level)
            && !IS_REPORTED.swap(true, Ordering::Relaxed)
        {
            report(format_args!(
                "the level of `{model}` does not apply to the records of predictions by this model, whose target is \
                 `{target}`: write `{target}={level}`, or name the logger `{target}`"
            ));
        }
        Interest::never()
    }

    pub(crate) fn pass(&self, metadata: &Metadata<'_>) -> bool {
        self.current.load().pass(metadata.target(), metadata.level())
    }
}

/// Filter for one layer among others.
pub(crate) struct LayerFilter(pub(crate) Arc<CurrentLevels>);

impl<S: Subscriber> Filter<S> for LayerFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.0.pass(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.register(metadata, self.0.pass(metadata))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.max())
    }
}
