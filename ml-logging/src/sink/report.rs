//! Messages on standard error, for what cannot be logged.

use std::{
    fmt,
    io::{self, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

/// Writes a line to standard error.
pub(crate) fn report(text: fmt::Arguments<'_>) {
    // Not `eprintln!`, which panics if stderr is closed.
    let _ = io::stderr().write_all(format!("ml-logging: {text}\n").as_bytes());
}

/// Reports the first record that a handler loses.
pub(super) struct LossReporter {
    handler: String,
    is_reported: AtomicBool,
}

impl LossReporter {
    pub(super) fn new(handler: &str) -> Self {
        Self { handler: handler.to_owned(), is_reported: AtomicBool::new(false) }
    }

    pub(super) fn lost(&self, reason: fmt::Arguments<'_>) {
        if !self.is_reported.swap(true, Ordering::Relaxed) {
            let by = match self.handler.as_str() {
                "" => String::new(),
                name => format!(" by the handler `{name}`"),
            };
            report(format_args!(
                "a log record could not be written{by}: {reason}; further ones are only counted"
            ));
        }
    }
}
