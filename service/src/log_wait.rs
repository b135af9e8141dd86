//! Waiting for a log that takes no records.
//!
//! A record waits for room in the queue of its handler, and its thread waits with it. Probes must not wait
//! for the log. A worker of the runtime therefore leaves its other tasks to another thread while it
//! waits, and requests that arrive meanwhile wait without a thread.

use std::sync::atomic::{AtomicUsize, Ordering};

use ml_logging::Logging;
use tokio::sync::Notify;

use crate::worker::run_long;

/// Number of threads that have waited for the log for some time. All services of a process share the log.
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// Notified when no thread waits any more.
static NONE_WAITS: Notify = Notify::const_new();

/// Connects a log with the runtime of a service.
pub(crate) fn connect(logging: &Logging) {
    logging.on_wait(|wait| {
        WAITING.fetch_add(1, Ordering::SeqCst);
        run_long(wait);
        if WAITING.fetch_sub(1, Ordering::SeqCst) == 1 {
            NONE_WAITS.notify_waiters();
        }
    });
}

/// Returns whether threads wait for the log.
#[inline]
pub(crate) fn is_waiting() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}

/// Waits until no thread waits for the log.
pub(crate) async fn end() {
    loop {
        let notified = NONE_WAITS.notified();
        if WAITING.load(Ordering::SeqCst) == 0 {
            return;
        }
        notified.await;
    }
}
