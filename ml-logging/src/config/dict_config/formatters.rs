//! Formatters: their classes and keys.

use ml_configuration::{Kind, Mapping, Node, Problems, nearest};

use super::{class::class, python};
use crate::format::{
    BUILT_IN, EcsFormatter, FormatError, FormatStyle, Formatter, HumanFormatter, JsonFormatter,
    StaticValue, TextFormatter, TimeFormat, TimeZone,
};

/// Known classes. The three of `python-json-logger` differ only in speed. `StdlibFormatter` is Elastic's class.
const CLASSES: [(&str, Class); 7] = [
    ("JsonFormatter", Class::Json),
    ("EcsFormatter", Class::Ecs),
    ("HumanFormatter", Class::Human),
    ("Formatter", Class::Text),
    ("StdlibFormatter", Class::Ecs),
    ("OrjsonFormatter", Class::Json),
    ("MsgspecFormatter", Class::Json),
];

#[derive(Clone, Copy)]
enum Class {
    Json,
    Ecs,
    Human,
    Text,
}

/// Reads a formatter. Returns the node of the format, and the formatter; `None` if it is invalid.
pub(super) fn read<'d>(
    mut keys: Mapping<'d>,
    problems: &mut Problems,
) -> Option<(Node<'d>, Formatter)> {
    python::refuse_attributes(&mut keys, problems);
    let (node, name) = class(&mut keys, problems)?.unwrap_or((keys.node(), "Formatter"));
    let known = || CLASSES.iter().map(|(known, _)| *known);
    let is_known = known().any(|known| known == name);
    if !is_known {
        node.report_unknown(problems, "formatter class", name, known());
    }
    // If the class can be guessed, mistakes in the other keys are reported as well.
    let name = if is_known { name } else { nearest(name, known())? };
    let (_, class) = CLASSES.iter().find(|(known, _)| *known == name)?;
    let whole = keys.node();
    let formatter = match class {
        Class::Json => json(&mut keys, problems),
        Class::Text => text(&mut keys, problems),
        Class::Ecs => ecs(&mut keys, problems).map(|formatter| (whole, formatter.into())),
        Class::Human => human(&mut keys, problems).map(|formatter| (whole, formatter.into())),
    };
    keys.finish(problems);
    formatter.filter(|_| is_known)
}

fn json<'d>(keys: &mut Mapping<'d>, problems: &mut Problems) -> Option<(Node<'d>, Formatter)> {
    let whole = keys.node();
    python::ignored_truth(keys, "validate", problems);
    let style = style(keys, true, problems);
    let format = format(keys, true, problems);
    let times = Times::read(keys, problems);
    let renames = renames(keys, problems);
    let statics = statics(keys, "static_fields", problems);
    let timestamp = keys.optional("timestamp").and_then(|node| match node.kind() {
        Kind::Text => node.string(problems),
        _ => node.boolean(problems)?.then_some("timestamp"),
    });
    refuse(keys, &JSON_REFUSED, problems);
    ascii(keys, "json_ensure_ascii", problems);

    let (node, mut formatter) = match format {
        Some((node, Some(format))) => {
            let style = if node.kind() == Kind::List { FormatStyle::Comma } else { style? };
            (node, reported(node, JsonFormatter::with_style(&format, style), problems)?)
        }
        Some((_, None)) => return None,
        None => (whole, JsonFormatter::default()),
    };
    if let Some(format) = times.format {
        formatter = formatter.date_format(format).ok()?;
    }
    if let Some(time_zone) = times.zone {
        formatter = formatter.time_zone(time_zone);
    }
    for (name, value) in statics {
        formatter = formatter.static_field(name, value);
    }
    if let Some(key) = timestamp {
        formatter = formatter.timestamp(key);
    }
    for (_, from, to) in &renames {
        formatter = formatter.rename_field(*from, *to);
    }
    for (rename, from, _) in &renames {
        // Any other name may be a field of an event.
        if BUILT_IN.contains(from) && *from != "message" && !formatter.context().any(|n| n == *from)
        {
            let message =
                format!("the format does not name `{from}`; name it there, or remove it here");
            rename.report(problems, message);
        }
    }
    if let Err(error) = formatter.check() {
        let twice = match &error {
            FormatError::KeyTwice { key } | FormatError::RenamedOver { to: key, .. } => {
                renames.iter().rev().find(|(.., to)| to == key)
            }
            _ => None,
        };
        twice.map_or(whole, |(rename, ..)| *rename).report(problems, error.to_string());
        return None;
    }
    Some((node, formatter.into()))
}

fn text<'d>(keys: &mut Mapping<'d>, problems: &mut Problems) -> Option<(Node<'d>, Formatter)> {
    let whole = keys.node();
    python::ignored_truth(keys, "validate", problems);
    let style = style(keys, false, problems);
    let format = format(keys, false, problems);
    let times = Times::read(keys, problems);
    refuse(keys, &TEXT_REFUSED, problems);
    let (node, mut formatter) = match format {
        Some((node, Some(format))) => {
            (node, reported(node, TextFormatter::with_style(&format, style?), problems)?)
        }
        Some((_, None)) => return None,
        None => (whole, reported(whole, TextFormatter::new("%(message)s"), problems)?),
    };
    if let Some(format) = times.format {
        formatter = formatter.date_format(format).ok()?;
    }
    if let Some(time_zone) = times.zone {
        formatter = formatter.time_zone(time_zone);
    }
    Some((node, formatter.into()))
}

fn human(keys: &mut Mapping<'_>, problems: &mut Problems) -> Option<HumanFormatter> {
    let color = keys.optional("color").and_then(|node| node.boolean(problems));
    let times = Times::read(keys, problems);
    let mut formatter = HumanFormatter::new();
    if let Some(color) = color {
        formatter = formatter.color(color);
    }
    if let Some(format) = times.format {
        formatter = formatter.date_format(format).ok()?;
    }
    if let Some(time_zone) = times.zone {
        formatter = formatter.time_zone(time_zone);
    }
    Some(formatter)
}

fn ecs(keys: &mut Mapping<'_>, problems: &mut Problems) -> Option<EcsFormatter> {
    let whole = keys.node();
    let statics = statics(keys, "extra", problems);
    let excluded = keys.optional("exclude_fields").and_then(|node| node.list(problems));
    let excluded: Vec<_> =
        excluded.unwrap_or_default().into_iter().filter_map(|node| node.string(problems)).collect();
    ascii(keys, "ensure_ascii", problems);
    // Elastic's class accepts the keys of Python's class and ignores them.
    for key in ["format", "fmt", "datefmt", "style"] {
        keys.optional(key).and_then(|node| node.string(problems));
    }
    python::ignored_truth(keys, "validate", problems);
    if let Some(node) = keys.optional("stack_trace_limit") {
        node.integer(i64::MIN..=i64::MAX, problems);
    }
    refuse(keys, &ECS_REFUSED, problems);
    let formatter = EcsFormatter::new();
    let formatter = statics
        .into_iter()
        .fold(formatter, |formatter, (key, value)| formatter.static_field(key, value));
    let formatter = excluded.into_iter().fold(formatter, EcsFormatter::exclude_field);
    reported(whole, formatter.check(), problems)?;
    Some(formatter)
}

/// Reads a format string, and returns its node. Python has two keys for it. JSON formats may be lists of names. The
/// inner `Option` is `None` if the format is invalid.
fn format<'d>(
    keys: &mut Mapping<'d>,
    may_be_list: bool,
    problems: &mut Problems,
) -> Option<(Node<'d>, Option<String>)> {
    let node = match (keys.optional("format"), keys.optional("fmt")) {
        (Some(_), Some(second)) => {
            second.report(problems, "`fmt` and `format` mean the same; remove one of them");
            return Some((second, None));
        }
        (first, second) => first.or(second)?,
    };
    if may_be_list && node.kind() == Kind::List {
        let names: Vec<_> = node.list(problems).unwrap_or_default();
        let names: Vec<_> = names.into_iter().map(|name| name.string(problems)).collect();
        let names: Option<Vec<_>> = names.into_iter().collect();
        return Some((node, names.map(|names| names.join(","))));
    }
    Some((node, node.string(problems).map(str::to_owned)))
}

/// Reads the style; `None` if it is invalid.
fn style(keys: &mut Mapping<'_>, has_comma: bool, problems: &mut Problems) -> Option<FormatStyle> {
    const STYLES: [(&str, FormatStyle); 4] = [
        ("%", FormatStyle::Percent),
        ("{", FormatStyle::Brace),
        ("$", FormatStyle::Dollar),
        (",", FormatStyle::Comma),
    ];
    match keys.optional("style") {
        Some(node) => node.choice("style", &STYLES[..3 + usize::from(has_comma)], problems),
        None => Some(FormatStyle::Percent),
    }
}

/// Settings for times. Invalid ones are reported and omitted.
struct Times<'d> {
    format: Option<&'d str>,
    zone: Option<TimeZone>,
}

impl<'d> Times<'d> {
    fn read(keys: &mut Mapping<'d>, problems: &mut Problems) -> Self {
        let format = keys.optional("datefmt").and_then(|node| {
            let format = node.string(problems)?;
            reported(node, TimeFormat::new(format, TimeZone::UTC), problems)?;
            Some(format)
        });
        let zone = keys.optional("time_zone").and_then(|node| {
            match node.string(problems)?.parse() {
                Ok(zone) => Some(zone),
                // The message omits the value, which may come from a variable.
                Err(FormatError::TimeZone { remedy, .. }) => {
                    node.report(problems, format!("unknown time zone; {remedy}"));
                    None
                }
                Err(error) => {
                    node.report(problems, error.to_string());
                    None
                }
            }
        });
        Self { format, zone }
    }
}

/// Reads the new keys of fields, each with its node.
fn renames<'d>(
    keys: &mut Mapping<'d>,
    problems: &mut Problems,
) -> Vec<(Node<'d>, &'d str, &'d str)> {
    let mapping = keys.optional("rename_fields").and_then(|node| node.mapping(problems));
    let entries = mapping.map(|mut mapping| mapping.entries().collect()).unwrap_or_default();
    let entries: Vec<(&str, Node<'_>)> = entries;
    entries
        .into_iter()
        .filter_map(|(from, node)| Some((node, from, node.string(problems)?)))
        .collect()
}

/// Reads static fields. The entries of nested mappings get keys with dots.
fn statics(
    keys: &mut Mapping<'_>,
    key: &str,
    problems: &mut Problems,
) -> Vec<(String, StaticValue)> {
    let mut statics = Vec::new();
    if let Some(node) = keys.optional(key)
        && let Some(mut mapping) = node.mapping(problems)
    {
        for (name, node) in mapping.entries() {
            if name == "message" {
                node.report(problems, FormatError::FixedMessage.to_string());
            } else {
                flatten(name.to_owned(), node, problems, &mut statics);
            }
        }
    }
    statics
}

fn flatten(
    key: String,
    node: Node<'_>,
    problems: &mut Problems,
    statics: &mut Vec<(String, StaticValue)>,
) {
    let value = match node.kind() {
        Kind::Mapping => {
            let Some(mut mapping) = node.mapping(problems) else { return };
            for (name, node) in mapping.entries() {
                flatten(format!("{key}.{name}"), node, problems, statics);
            }
            return;
        }
        Kind::List => {
            let message = "a static field is text, a number, a boolean or `null`, not a list";
            return node.report(problems, message);
        }
        Kind::Null => Some(().into()),
        Kind::Boolean => node.boolean(problems).map(StaticValue::from),
        Kind::Integer => node.integer(i64::MIN..=i64::MAX, problems).map(StaticValue::from),
        Kind::Number => node.number(problems).map(StaticValue::from),
        Kind::Text => node.string(problems).map(StaticValue::from),
    };
    statics.extend(value.map(|value| (key, value)));
}

/// Returns the value of a result, or reports its error.
fn reported<T>(
    node: Node<'_>,
    result: Result<T, FormatError>,
    problems: &mut Problems,
) -> Option<T> {
    result.map_err(|error| node.report(problems, error.to_string())).ok()
}

/// A key of Python that is not supported, with the remedy. Values that turn the feature off are accepted.
type Refused = (&'static str, &'static str);

const JSON_REFUSED: [Refused; 10] = [
    ("json_indent", "a record is one line; remove the key"),
    ("json_default", "this names Python code, and all values are known here; remove the key"),
    ("json_encoder", "this names Python code, and all values are known here; remove the key"),
    ("json_serializer", "this names Python code, and all values are known here; remove the key"),
    ("prefix", "a line with something before its object is not JSON; remove the key"),
    ("reserved_attrs", "events have the fields that they declare and no others; remove the key"),
    ("defaults", "write them as `static_fields`, and remove the key"),
    (
        "rename_fields_keep_missing",
        "fields that an event does not have are not written; remove the key",
    ),
    ("exc_info_as_array", "an error is one text, its chain of sources; remove the key"),
    ("stack_info_as_array", "records have no stacks; remove the key"),
];

const TEXT_REFUSED: [Refused; 1] =
    [("defaults", "write constant text into the format, and remove the key")];

const ECS_REFUSED: [Refused; 1] = [("defaults", "write them as `extra`, and remove the key")];

fn refuse(keys: &mut Mapping<'_>, refused: &[Refused], problems: &mut Problems) {
    for (key, remedy) in refused {
        let Some(node) = keys.optional(key) else { continue };
        let is_off = match node.kind() {
            Kind::Boolean => node.boolean(problems) == Some(false),
            Kind::Text => node.string(problems) == Some(""),
            _ => false,
        };
        if !is_off {
            node.report(problems, *remedy);
        }
    }
}

fn ascii(keys: &mut Mapping<'_>, key: &str, problems: &mut Problems) {
    if let Some(node) = keys.optional(key)
        && node.boolean(problems) == Some(true)
    {
        node.report(problems, "records are UTF-8, which JSON parsers read alike; remove the key");
    }
}
