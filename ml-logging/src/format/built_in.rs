//! Names of the built-in fields.

/// Fields that are available without a filter.
pub(crate) const BUILT_IN: [&str; 14] = [
    "asctime",
    "created",
    "msecs",
    "name",
    "levelname",
    "levelno",
    "message",
    "pathname",
    "filename",
    "lineno",
    "module",
    "process",
    "thread",
    "threadName",
];
