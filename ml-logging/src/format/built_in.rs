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

/// Returns what to use in place of an attribute of Python's records that has no counterpart.
pub(crate) fn python_attribute(name: &str) -> Option<&'static str> {
    const ATTRIBUTES: [(&str, &str); 9] = [
        ("funcName", "use `module` and `lineno`"),
        ("processName", "use `process`"),
        ("taskName", "remove it"),
        ("relativeCreated", "use `created`"),
        ("msg", "use `message`"),
        (
            "args",
            "an argument is a field of its event, which needs no place in the format; remove it",
        ),
        (
            "exc_info",
            "an error is a field of its event, which needs no place in the format; remove it",
        ),
        (
            "exc_text",
            "an error is a field of its event, which needs no place in the format; remove it",
        ),
        ("stack_info", "remove it"),
    ];
    ATTRIBUTES.iter().find(|(own, _)| *own == name).map(|(_, remedy)| *remedy)
}
