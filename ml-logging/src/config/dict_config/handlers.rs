//! Handlers: their classes and keys.

use std::{ops::RangeInclusive, time::Duration};

use ml_configuration::{Mapping, Node, Problems};

use super::python;

use crate::{
    config::Handler,
    format::{Formatter, TimeZone},
    sink::{Period, Policy, Rotation},
};

/// Keys of a handler.
pub(crate) struct HandlerKeys<'k, 'd> {
    pub(crate) name: &'d str,
    /// Node of the class.
    pub(crate) class: Node<'d>,
    pub(crate) keys: &'k mut Mapping<'d>,
    /// Formatter of the handler, if it is valid.
    #[allow(dead_code, reason = "only the OTLP export reads it")]
    pub(crate) formatter: Option<&'k Formatter>,
}

/// Handler class that another module provides.
#[derive(Clone, Copy)]
pub(crate) struct ExtraClass {
    pub(crate) name: &'static str,
    /// Whether messages list the class.
    pub(crate) is_listed: bool,
    /// Reads a handler, see [`read`].
    pub(crate) read: fn(&mut HandlerKeys<'_, '_>, &mut Problems) -> Option<Option<Handler>>,
}

const NETWORK: &str = "this program leaves sending to a log shipper; use a FileHandler, or a StreamHandler with \
                       `stream: ext://sys.stdout`";
const BUFFERS: &str = "every handler has a queue of its own; name the handlers behind this one in the loggers, and \
                       remove it";

/// Classes of Python's standard library that have no counterpart, each with the remedy.
const WITHOUT_COUNTERPART: [(&str, &str); 11] = [
    ("SocketHandler", NETWORK),
    ("DatagramHandler", NETWORK),
    ("SysLogHandler", NETWORK),
    ("SMTPHandler", NETWORK),
    ("HTTPHandler", NETWORK),
    ("NTEventLogHandler", NETWORK),
    ("MemoryHandler", BUFFERS),
    ("BufferingHandler", BUFFERS),
    ("QueueHandler", BUFFERS),
    (
        "BaseRotatingHandler",
        "this is a base class; use a RotatingFileHandler or TimedRotatingFileHandler",
    ),
    ("Handler", "this is a base class; use one of its subclasses, such as StreamHandler"),
];

/// Reads the handler of a class. The outer `Option` is `None` if the class is unknown, the inner one if the keys
/// are invalid.
pub(super) fn read(
    class: &str,
    handler: &mut HandlerKeys<'_, '_>,
    extra_classes: &[ExtraClass],
    problems: &mut Problems,
) -> Option<Option<Handler>> {
    const CLASSES: [&str; 6] = [
        "StreamHandler",
        "FileHandler",
        "WatchedFileHandler",
        "RotatingFileHandler",
        "TimedRotatingFileHandler",
        "NullHandler",
    ];
    if let Some(extra) = extra_classes.iter().find(|extra| extra.name == class) {
        return (extra.read)(handler, problems);
    }
    let (name, keys) = (handler.name, &mut *handler.keys);
    let read = match class {
        "StreamHandler" => stream_handler(name, keys, problems),
        // Every file handler watches its file.
        "FileHandler" | "WatchedFileHandler" => file_handler(name, keys, problems),
        "RotatingFileHandler" => by_size(name, keys, problems),
        "TimedRotatingFileHandler" => by_time(name, keys, problems),
        "NullHandler" => return Some(Some(Handler::null(name))),
        other => {
            if let Some((_, remedy)) = WITHOUT_COUNTERPART.iter().find(|(class, _)| *class == other)
            {
                handler.class.report(problems, *remedy);
                return None;
            }
            let extra = extra_classes.iter().filter(|extra| extra.is_listed);
            let known = CLASSES.into_iter().chain(extra.map(|extra| extra.name));
            handler.class.report_unknown(problems, "handler class", other, known);
            return None;
        }
    };
    let policy = policy(keys, problems);
    let queue_bytes = keys.optional("queue_bytes");
    let bytes = queue_bytes.and_then(|node| node.integer(1..=usize::MAX, problems));
    if let (Some(node), Some(Policy::Audit)) = (queue_bytes, policy) {
        node.report(problems, "with `policy: audit` nothing is queued; remove the key");
    }
    Some(read.map(|mut handler| {
        if let Some(policy) = policy {
            handler = handler.policy(policy);
        }
        if let Some(bytes) = bytes {
            handler = handler.queue_bytes(bytes);
        }
        handler
    }))
}

fn stream_handler(name: &str, keys: &mut Mapping<'_>, problems: &mut Problems) -> Option<Handler> {
    let streams = [("ext://sys.stdout", true), ("ext://sys.stderr", false)];
    let stdout = match keys.optional("stream") {
        Some(node) => node.choice("stream", &streams, problems),
        None => Some(false),
    };
    stdout.map(|stdout| if stdout { Handler::stdout(name) } else { Handler::stderr(name) })
}

/// Reads the keys that all file handlers have in common, except `mode`.
fn filename<'d>(keys: &mut Mapping<'d>, problems: &mut Problems) -> Option<&'d str> {
    let filename = keys.required("filename", problems).and_then(|node| path(node, problems));
    if let Some(encoding) = keys.optional("encoding") {
        let utf_8 = [("utf-8", ()), ("utf8", ()), ("utf_8", ()), ("u8", ())];
        encoding.choice("encoding", &utf_8, problems);
    }
    // Every record can be encoded.
    if let Some(errors) = keys.optional("errors") {
        errors.string(problems);
    }
    python::ignored_truth(keys, "delay", problems);
    filename
}

fn path<'d>(node: Node<'d>, problems: &mut Problems) -> Option<&'d str> {
    let path = node.string(problems)?;
    if path.is_empty() {
        node.report(problems, "the file has no name");
    }
    Some(path)
}

fn file_handler(name: &str, keys: &mut Mapping<'_>, problems: &mut Problems) -> Option<Handler> {
    let filename = filename(keys, problems);
    let overwrite = overwrites(keys, problems);
    let handler = Handler::file(name, filename?);
    Some(if overwrite { handler.overwrite() } else { handler })
}

fn overwrites(keys: &mut Mapping<'_>, problems: &mut Problems) -> bool {
    let mode = keys.optional("mode");
    let modes =
        [("a", false), ("w", true), ("a+", false), ("w+", true), ("at", false), ("wt", true)];
    mode.and_then(|node| node.choice("mode", &modes, problems)).unwrap_or(false)
}

fn by_size(name: &str, keys: &mut Mapping<'_>, problems: &mut Problems) -> Option<Handler> {
    let filename = filename(keys, problems);
    let max_bytes = integer(keys, "maxBytes", 0..=u64::MAX, problems).unwrap_or(0);
    let backups = integer(keys, "backupCount", 0..=u64::from(u32::MAX), problems).unwrap_or(0);
    // As in Python, a file that is rotated is never overwritten.
    let overwrite = overwrites(keys, problems) && max_bytes == 0;
    let filename = filename?;
    if overwrite {
        return Some(Handler::file(name, filename).overwrite());
    }
    Some(Handler::rotating(name, filename, Rotation::by_size(max_bytes, backups as u32)))
}

fn by_time(name: &str, keys: &mut Mapping<'_>, problems: &mut Problems) -> Option<Handler> {
    const PERIODS: [(&str, Period); 12] = [
        ("S", Period::Seconds),
        ("M", Period::Minutes),
        ("H", Period::Hours),
        ("D", Period::Days),
        ("midnight", Period::Midnight),
        ("W0", Period::Weekday(0)),
        ("W1", Period::Weekday(1)),
        ("W2", Period::Weekday(2)),
        ("W3", Period::Weekday(3)),
        ("W4", Period::Weekday(4)),
        ("W5", Period::Weekday(5)),
        ("W6", Period::Weekday(6)),
    ];
    let filename = filename(keys, problems);
    let period = match keys.optional("when") {
        Some(node) => node.choice("period", &PERIODS, problems),
        None => Some(Period::Hours),
    };
    let interval = integer(keys, "interval", 1..=u64::from(u32::MAX), problems).unwrap_or(1);
    let backups = integer(keys, "backupCount", 0..=u64::from(u32::MAX), problems).unwrap_or(0);
    let zone = rotation_zone(keys, problems);
    let at = keys.optional("atTime").and_then(|node| time_of_day(node, problems));
    let mut rotation = Rotation::every(interval as u32, period?).keep(backups as u32);
    rotation = rotation.time_zone(zone?);
    if let Some(at) = at {
        rotation = rotation.at(at);
    }
    Some(Handler::rotating(name, filename?, rotation))
}

/// Reads `utc`. The default is local time, as in Python.
fn rotation_zone(keys: &mut Mapping<'_>, problems: &mut Problems) -> Option<TimeZone> {
    let utc = keys.optional("utc");
    if utc.map_or(Some(false), |node| python::truth(node, problems))? {
        return Some(TimeZone::UTC);
    }
    let local = TimeZone::local();
    if local.is_err() {
        utc.unwrap_or(keys.node()).report(
            problems,
            "files are rotated by local time, but the system does not provide its time zone; \
             write `utc: true`",
        );
    }
    local.ok()
}

fn integer(
    keys: &mut Mapping<'_>,
    key: &str,
    range: RangeInclusive<u64>,
    problems: &mut Problems,
) -> Option<u64> {
    keys.optional(key).and_then(|node| node.integer(range, problems))
}

/// Reads a time of day, `18:30` or `18:30:05`.
fn time_of_day(node: Node<'_>, problems: &mut Problems) -> Option<Duration> {
    let text = node.string(problems)?;
    let mut seconds = Some(0);
    let mut parts = 0;
    for (part, limit) in text.split(':').zip([24, 60, 60, 0]) {
        parts += 1;
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let value = part.parse::<u64>().ok().filter(|value| digits && *value < limit);
        seconds = seconds.zip(value).map(|(seconds, value)| seconds * 60 + value);
    }
    let seconds = match (seconds, parts) {
        (Some(minutes), 2) => Some(minutes * 60),
        (seconds, 3) => seconds,
        _ => None,
    };
    if seconds.is_none() {
        node.report(problems, "expected a time of day such as \"18:30\" or \"18:30:05\"");
    }
    seconds.map(Duration::from_secs)
}

/// Reads `policy`. The result is `None` if the key is absent.
fn policy(keys: &mut Mapping<'_>, problems: &mut Problems) -> Option<Policy> {
    const POLICIES: [(&str, Policy); 3] =
        [("block", Policy::Block), ("drop", Policy::Drop), ("audit", Policy::Audit)];
    keys.optional("policy").and_then(|node| node.choice("policy", &POLICIES, problems))
}
