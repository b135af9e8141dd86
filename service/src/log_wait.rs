//! Waits for a stalled log.
//!
//! A thread that logs waits for space in the queue of the handler. Probes must not wait for the log. While a
//! worker of the runtime waits, another thread therefore takes over its other tasks. Requests that arrive
//! meanwhile wait without a thread.

use std::sync::atomic::{AtomicUsize, Ordering};

use ml_logging::Logging;
use tokio::sync::Notify;

use crate::worker::run_long;

/// Number of threads that have waited for the log for some time. All services of a process share the log.
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// Notified when no thread waits for the log any more.
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
