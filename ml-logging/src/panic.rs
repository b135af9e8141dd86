//! Panics as records.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic, thread,
};

use tracing::{Level, enabled, error};

use crate::output::{Outputs, is_writing};

/// The target of the records.
const TARGET: &str = "panic";

/// Makes each panic a record instead of text on stderr. Where no record would come of it (none is
/// wanted at this level, or it is the writer that panics), the hook that was there before is asked.
pub(crate) fn install(outputs: Outputs) {
    let previous = panic::take_hook();
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
        error!(target: TARGET, message, location, thread_name = thread.name(), backtrace);
        outputs.flush_at_panic();
    }));
}
