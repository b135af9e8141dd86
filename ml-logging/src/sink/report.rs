//! Messages on standard error, for events that cannot be logged.

use std::{
    fmt,
    io::{self, Write as _},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

/// Writes a line to standard error.
pub(crate) fn report(text: fmt::Arguments<'_>) {
    // Not `eprintln!`, which panics if stderr is closed.
    let _ = io::stderr().write_all(format!("ml-logging: {text}\n").as_bytes());
}

/// Writes a line to standard error, and waits for that no longer than `limit`.
pub(super) fn report_within(limit: Duration, text: &dyn fmt::Display) {
    let line = text.to_string();
    let (sender, written) = mpsc::channel();
    let write = move || {
        report(format_args!("{line}"));
        let _ = sender.send(());
    };
    if thread::Builder::new().spawn(write).is_ok() {
        let _ = written.recv_timeout(limit);
    }
}

/// Reports, once per process, that records are logged which no flush follows.
#[cold]
pub(super) fn report_unguarded() {
    static IS_REPORTED: AtomicBool = AtomicBool::new(false);
    if !IS_REPORTED.swap(true, Ordering::Relaxed) {
        report(format_args!(
            "a record was logged after the guard of the logging was dropped, and the end of the program may lose \
             it: keep the guard until the end of `main`, as in `let _logging = ...` (`let _ = ...` drops it at once)"
        ));
    }
}

/// Reports that a logging ends which could not receive any record.
#[cold]
pub(crate) fn report_not_installed() {
    report(format_args!(
        "nothing was logged, because the subscriber was never installed: call `init` instead of `build` or `layer`, \
         or install it, as in `tracing::subscriber::set_global_default(subscriber)`"
    ));
}

/// Reports that the configuration of a file is dropped unused.
#[cold]
pub(crate) fn report_unused() {
    report(format_args!(
        "nothing was logged, because the configuration was read but never used: call `init`, as in `let _logging = \
         Configuration::from_file(path, &filters)?.init()?;`"
    ));
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

    /// Reports a file that cannot be opened again.
    pub(super) fn not_reopened(&self, error: &io::Error) {
        let handler = &self.handler;
        report(format_args!(
            "the file of the handler `{handler}` cannot be opened again: {error}; the open file stays in use"
        ));
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
