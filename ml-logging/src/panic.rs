//! Panics as records.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use tracing::{Level, enabled, error};

use crate::output::{Outputs, is_writing};

/// The target of the records.
const TARGET: &str = "panic";

/// Makes each panic a record instead of text on stderr. Where no record comes of it (none is wanted at
/// this level, it is the writer that panics, or the record is lost or not written in time), the hook
/// that was there before is asked.
pub(crate) fn install(outputs: Outputs) {
    let previous = panic::take_hook();
    let is_given_up = AtomicBool::new(false);
    panic::set_hook(Box::new(move |info| {
        if is_writing() || !enabled!(target: TARGET, Level::ERROR) {
            return previous(info);
        }
        let message = info.payload_as_str().unwrap_or("the panic's value is no text");
        let location = info.location().map(tracing::field::display);
        let thread = thread::current();
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured)
            .then(|| tracing::field::display(backtrace));
        let losses = outputs.losses();
        error!(target: TARGET, message, location, thread_name = thread.name(), backtrace);
        // A panic of the main thread ends the process, most likely, and so does one that aborts. After
        // any other the program goes on: then nobody waits for handlers whose policy is not to wait. Of
        // several panics while a sink stalls only the first waits.
        let is_end = cfg!(panic = "abort") || thread.name() == Some("main");
        let is_written = outputs.flush_at_panic(is_end, is_given_up.load(Ordering::Relaxed));
        is_given_up.store(!is_written, Ordering::Relaxed);
        if !is_written || outputs.losses() > losses {
            previous(info);
        }
    }));
}
