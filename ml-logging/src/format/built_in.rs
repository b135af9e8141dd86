//! Names of the built-in fields.

use ml_configuration::nearest;

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

/// Returns the available field that is probably meant by a name: one that is spelt alike, one that contains it, or
/// the built-in one that other libraries call so.
pub(crate) fn meant<'a>(name: &str, available: &'a [String]) -> Option<&'a str> {
    const OTHER_NAMES: [(&str, &str); 5] = [
        ("logger", "name"),
        ("target", "name"),
        ("severity", "levelname"),
        ("timestamp", "asctime"),
        ("date", "asctime"),
    ];
    let fields = || available.iter().map(String::as_str);
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, own)| *own);
    nearest(name, fields())
        .or_else(|| fields().find(|field| Some(*field) == other))
        .or_else(|| fields().find(|field| name.len() > 3 && field.contains(name)))
}
