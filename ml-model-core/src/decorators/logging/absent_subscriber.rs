//! Report of a program that has no `tracing` subscriber.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::level_filters::STATIC_MAX_LEVEL;
use tracing::{Level, dispatcher};

const REPORT: &str = "ml-model-core: log records go nowhere because no `tracing` subscriber is installed; set up \
                      logging before the first prediction, as in `let _logging = ml_logging::builder().init()?;`, \
                      or install `tracing::subscriber::NoSubscriber` to have none\n";

/// Reports, once per process, that records go nowhere. The caller has found that no level is enabled.
///
/// A subscriber that was ever installed, on any thread, has chosen its levels: then there is no report.
#[inline]
pub(super) fn report_once() {
    static IS_CHECKED: AtomicBool = AtomicBool::new(false);

    #[cold]
    fn check() {
        let is_first = !IS_CHECKED.swap(true, Ordering::Relaxed);
        if is_first && Level::ERROR <= STATIC_MAX_LEVEL && !dispatcher::has_been_set() {
            // Not `eprintln!`, which panics if standard error is closed.
            let _ = io::stderr().write_all(REPORT.as_bytes());
        }
    }

    if !IS_CHECKED.load(Ordering::Relaxed) {
        check();
    }
}
