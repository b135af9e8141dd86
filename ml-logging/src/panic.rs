//! Panics as records.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tracing::{Level, enabled, error};

use crate::sink::{SinkSet, is_writing};

/// Target of the records.
const TARGET: &str = "panic";

/// Installs a panic hook that logs a record instead of printing to standard error.
///
/// The previous hook runs if there is no record: if its level is off, if a sink panics, or if the record is
/// lost or not written in time.
pub(crate) fn install(sinks: SinkSet) {
    let previous = panic::take_hook();
    let is_given_up = AtomicBool::new(false);
    panic::set_hook(Box::new(move |info| {
        if is_writing() || !enabled!(target: TARGET, Level::ERROR) {
            return previous(info);
        }
        let message = info.payload_as_str().unwrap_or("the value of the panic is not text");
        let location = info.location().map(tracing::field::display);
        let thread = thread::current();
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured)
            .then(|| tracing::field::display(backtrace));
        let losses = sinks.losses();
        error!(target: TARGET, message, location, thread_name = thread.name(), backtrace);
        // A panic of the main thread, or one that aborts, ends the process. After any other panic the
        // program continues, and does not wait for handlers whose policy is not to block. While a sink
        // stalls, only the first of several panics waits.
        let is_end = cfg!(panic = "abort") || thread.name() == Some("main");
        let is_written = sinks.flush_at_panic(is_end, is_given_up.load(Ordering::Relaxed));
        is_given_up.store(!is_written, Ordering::Relaxed);
        if !is_written || sinks.losses() > losses {
            previous(info);
        }
    }));
}
