//! Reports of a program, or a thread, that has no `tracing` subscriber.

use std::io::{self, Write};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::level_filters::STATIC_MAX_LEVEL;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Level, dispatcher};

const REPORT: &str = "ml-model-core: log records go nowhere because no `tracing` subscriber is installed; set up \
                      logging before the first prediction, as in `let _logging = ml_logging::builder().init()?;`, \
                      or install `tracing::subscriber::NoSubscriber` to have none\n";

const THREAD_REPORT: &str = "ml-model-core: log records of this thread go nowhere because it has no `tracing` subscriber; \
                             `tracing::subscriber::with_default` covers only the thread that calls it; for all threads, \
                             write `let _logging = ml_logging::builder().init()?;`\n";

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
            write(REPORT);
        }
    }

    if !IS_CHECKED.load(Ordering::Relaxed) {
        check();
    }
}

/// Reports, once per process, that the records of this thread go nowhere. The caller has found that some level is
/// enabled, and calls it once per call site, so that the check costs nothing later.
pub(super) fn report_thread_once() {
    static IS_REPORTED: AtomicBool = AtomicBool::new(false);

    if dispatcher::get_default(is_absent) && !IS_REPORTED.swap(true, Ordering::Relaxed) {
        write(THREAD_REPORT);
    }
}

/// Returns whether this is the `NoSubscriber` that `tracing` has in place of a subscriber. One that the program has
/// installed has another address.
fn is_absent(subscriber: &Dispatch) -> bool {
    let address =
        |subscriber: &Dispatch| subscriber.downcast_ref().map(ptr::from_ref::<NoSubscriber>);
    address(subscriber).is_some_and(|found| Some(found) == address(&Dispatch::none()))
}

/// Writes to standard error. `eprintln!` would panic if it is closed.
fn write(report: &str) {
    let _ = io::stderr().write_all(report.as_bytes());
}
