//! Names of levels in records.

use tracing::Level;

/// Returns Python's name of a level. Python has no `TRACE`.
pub(crate) fn python_name(level: Level) -> &'static str {
    match level {
        Level::TRACE => "TRACE",
        Level::DEBUG => "DEBUG",
        Level::INFO => "INFO",
        Level::WARN => "WARNING",
        Level::ERROR => "ERROR",
    }
}

/// Returns Python's name of a level in lower case, as the Elastic Common Schema has it.
pub(crate) fn lower_case_name(level: Level) -> &'static str {
    match level {
        Level::TRACE => "trace",
        Level::DEBUG => "debug",
        Level::INFO => "info",
        Level::WARN => "warning",
        Level::ERROR => "error",
    }
}

/// Returns Python's number of a level; 5 for TRACE, which is the usual choice.
pub(crate) fn python_number(level: Level) -> u8 {
    match level {
        Level::TRACE => 5,
        Level::DEBUG => 10,
        Level::INFO => 20,
        Level::WARN => 30,
        Level::ERROR => 40,
    }
}
