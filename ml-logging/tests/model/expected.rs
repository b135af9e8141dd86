//! The documentation of what a record holds, as a program.

use std::collections::{BTreeSet, HashMap};

use ml_logging::JsonFormatter;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Case, Fields, Held, callsites};

/// What stands in a record under a key.
#[derive(Debug)]
enum Expected {
    /// Exactly this.
    Raw(String),
    Text(String),
    Float(f64),
    /// Not the same each time.
    Anything,
}

/// Logs the case and checks its records.
///
/// # Panics
///
/// If one is not what the documentation promises.
pub fn check(case: &Case) {
    check_text(&case.log(), case);
}

/// With a formatter that names the fields of the case's format, in whatever way.
pub fn check_formatted(formatter: JsonFormatter, case: &Case) {
    check_text(&case.log_with(formatter), case);
}

/// Logs one case, and expects the records of another one.
pub fn check_against(logged: &Case, case: &Case) {
    check_text(&logged.log(), case);
}

fn check_text(text: &str, case: &Case) {
    for line in lines(text) {
        let record: Record = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let keys: Vec<_> = record.0.iter().map(|(key, _)| key).collect();
        let different: BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len(), "a key stands twice: {line}");
        let expected = expected(case);
        assert_eq!(keys, expected.iter().map(|(key, _)| key).collect::<Vec<_>>(), "{line}");
        for ((key, value), (_, expected)) in record.0.iter().zip(&expected) {
            assert!(expected.is(value.get()), "{key} should be {expected:?}: {line}");
        }
    }
}

/// The two records of a case, which nothing else can end or break.
pub fn lines(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.split_terminator('\n').collect();
    assert_eq!(lines.len(), 2, "{text:?}");
    assert!(text.ends_with('\n'));
    let breaks = |c: char| c.is_control() || ('\u{2028}'..='\u{2029}').contains(&c);
    assert!(lines.iter().all(|line| !line.contains(breaks)), "{text:?}");
    lines
}

impl Expected {
    fn is(&self, json: &str) -> bool {
        match self {
            Self::Raw(wanted) => json == wanted,
            Self::Text(wanted) => {
                serde_json::from_str::<String>(json).is_ok_and(|text| text == *wanted)
            }
            Self::Float(wanted) => {
                json.parse::<f64>().is_ok_and(|float| float.to_bits() == wanted.to_bits())
            }
            Self::Anything => true,
        }
    }

    /// `None` if there is no value.
    fn of(held: &Held) -> Option<Self> {
        let text = |pieces: &[String]| Self::Text(pieces.concat());
        Some(match held {
            Held::I64(value) => Self::Raw(value.to_string()),
            Held::U64(value) => Self::Raw(value.to_string()),
            Held::I128(value) => Self::Raw(value.to_string()),
            Held::U128(value) => Self::Raw(value.to_string()),
            Held::F64(value) if value.is_nan() => Self::Text("NaN".to_owned()),
            Held::F64(f64::INFINITY) => Self::Text("Infinity".to_owned()),
            Held::F64(f64::NEG_INFINITY) => Self::Text("-Infinity".to_owned()),
            Held::F64(value) => Self::Float(*value),
            Held::Bool(value) => Self::Raw(value.to_string()),
            Held::Str(value) => Self::Text(value.clone()),
            Held::Debug(pieces) | Held::Display(pieces, _) => text(pieces),
            Held::Error(texts) => Self::Text(texts.join(": ")),
            Held::Bytes(bytes) => {
                Self::Text(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
            }
            Held::Nothing => return None,
        })
    }
}

fn null() -> Expected {
    Expected::Raw("null".to_owned())
}

fn expected(case: &Case) -> Vec<(String, Expected)> {
    let mut record = Vec::new();
    // `None` of the outer option: the event has no message.
    let message = last(&case.event).remove("message").map(Expected::of);
    let mut message = message.map(|message| message.unwrap_or_else(null));
    for name in &case.format {
        let value = match name.as_str() {
            "message" => message.take().unwrap_or_else(null),
            _ => context(case, name),
        };
        record.push((name.clone(), value));
    }
    if let Some(message) = message {
        record.push(("message".to_owned(), message));
    }
    let event = last(&case.event);
    for (name, held) in in_place(&case.event) {
        if name != "message" {
            record.push((key(case, name), Expected::of(held).unwrap_or_else(null)));
        }
    }
    let mut taken: Vec<&str> = event.keys().copied().filter(|name| *name != "message").collect();
    for span in case.spans.iter().rev() {
        let mut now = span.made.clone();
        for (index, later) in &span.recorded {
            // Recording nothing leaves what is there.
            if let (Some((_, held)), false) =
                (now.fields.get_mut(*index), matches!(later, Held::Nothing))
            {
                *held = later.clone();
            }
        }
        for (index, (name, held)) in now.fields.iter().enumerate() {
            let is_last = now.fields[index + 1..].iter().all(|(other, _)| other != name);
            let Some((name, _)) = span.made.fields.get(index).filter(|_| is_last) else { continue };
            if let (false, Some(value)) = (taken.contains(&name.as_str()), Expected::of(held)) {
                record.push((key(case, name), value));
                taken.push(name);
            }
        }
    }
    record
}

/// The last value of each name.
fn last(fields: &Fields) -> HashMap<&str, &Held> {
    fields.fields.iter().map(|(name, held)| (name.as_str(), held)).collect()
}

/// The last value of each name, where it stands.
fn in_place(fields: &Fields) -> impl Iterator<Item = (&str, &Held)> {
    let all = fields.fields.iter().enumerate();
    all.filter(|(index, (name, _))| fields.fields[index + 1..].iter().all(|(n, _)| n != name))
        .map(|(_, (name, held))| (name.as_str(), held))
}

/// The key of a field that is not of the context.
fn key(case: &Case, name: &str) -> String {
    let inner = |name: &str| {
        let mut rest = name.to_owned();
        let mut prefixes = 0;
        while let Some(inner) = rest.strip_prefix("fields.") {
            rest = inner.to_owned();
            prefixes += 1;
        }
        (rest, prefixes)
    };
    let context: Vec<_> = case.format.iter().map(|name| inner(name)).collect();
    let name_inside = inner(name).0;
    if name_inside == "message" || context.iter().any(|(reserved, _)| *reserved == name_inside) {
        // Usually one; more if the context itself has such names.
        let most = context.iter().map(|(_, prefixes)| *prefixes).max().unwrap_or(0);
        format!("{}{name}", "fields.".repeat(most + 1))
    } else {
        name.to_owned()
    }
}

fn context(case: &Case, name: &str) -> Expected {
    let (level, number) = match case.level {
        tracing::Level::TRACE => ("TRACE", 5),
        tracing::Level::DEBUG => ("DEBUG", 10),
        tracing::Level::INFO => ("INFO", 20),
        tracing::Level::WARN => ("WARNING", 30),
        tracing::Level::ERROR => ("ERROR", 40),
    };
    let text = |text: &str| Expected::Text(text.to_owned());
    match name {
        "name" => text(&case.target),
        "levelname" => text(level),
        "levelno" => Expected::Raw(format!("{number}")),
        "pathname" => text(callsites::FILE),
        "filename" => text("where.rs"),
        "lineno" => Expected::Raw(callsites::LINE.to_string()),
        "module" => text(callsites::MODULE),
        "process" => Expected::Raw(std::process::id().to_string()),
        "asctime" | "created" | "msecs" | "thread" | "threadName" => Expected::Anything,
        provided => {
            let found = case.provided.iter().find(|(name, _)| name == provided);
            Expected::Text(found.unwrap().1.clone())
        }
    }
}

/// The members of an object in order, repeated ones too.
struct Record(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Record;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Record(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
