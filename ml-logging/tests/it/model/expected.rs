//! Checks of the output of a case against the documentation.

use std::collections::BTreeSet;

use ml_logging::{Error, FormatError, Formatter};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    Case, Logged, ecs, fields::Expected, form::Form, json, names::BUILT_IN, text, times::Moments,
};

/// Error of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    BuiltIn(String),
    Unknown(String),
    Repeated(String),
    KeyTwice(String),
    SchemaObject(String),
    FixedMessage,
    NoTimestamp,
}

impl Refusal {
    fn of(error: &Error) -> Option<Self> {
        Some(match error.clone() {
            Error::BuiltInField(name) => Self::BuiltIn(name),
            Error::Format(FormatError::Unknown { name, .. }) => Self::Unknown(name),
            Error::Format(FormatError::Repeated { name, .. }) => Self::Repeated(name),
            Error::Format(
                FormatError::KeyTwice { key } | FormatError::RenamedOver { to: key, .. },
            ) => Self::KeyTwice(key),
            Error::Format(FormatError::SchemaObject { key }) => Self::SchemaObject(key),
            Error::Format(FormatError::FixedMessage) => Self::FixedMessage,
            Error::Format(FormatError::NoTimestamp) => Self::NoTimestamp,
            _ => return None,
        })
    }
}

/// Logs the case, and checks its records or its error.
///
/// # Panics
///
/// A record differs from the documentation.
pub fn check(case: &Case) {
    check_result(case.log(), case);
}

/// Checks a case with a formatter of the same form.
pub fn check_formatted(formatter: impl Into<Formatter>, case: &Case) {
    check_result(case.log_with(formatter), case);
}

/// Logs one case, and expects the records of another one.
pub fn check_against(logged: &Case, case: &Case) {
    check_result(logged.log(), case);
}

fn check_result(result: Result<Logged, Error>, case: &Case) {
    let refusals = refusals(case);
    let logged = match result {
        Ok(logged) => logged,
        Err(error) => {
            let is_one = Refusal::of(&error).is_some_and(|refusal| refusals.contains(&refusal));
            assert!(is_one, "refused: {error}; expected: {refusals:?}");
            return;
        }
    };
    assert!(refusals.is_empty(), "not refused: {refusals:?}: {}", logged.text);
    let moments = Moments { from: logged.from, until: logged.until };
    match &case.form {
        Form::Json(form) => check_records(&logged, &json::expected(case, form)),
        Form::Ecs(form) => check_records(&logged, &ecs::expected(case, form)),
        Form::Human(form) => {
            let uncoloured = match form.color {
                Some(true) => text::uncoloured(&logged.text),
                _ => logged.text,
            };
            for line in lines(&uncoloured) {
                text::check(line, &text::human(case, form), moments);
            }
        }
        Form::Text(form) => {
            for line in lines(&logged.text) {
                text::check(line, &text::formatted(case, form), moments);
            }
        }
    }
}

/// Returns the possible errors of the case.
fn refusals(case: &Case) -> Vec<Refusal> {
    let mut refusals = match &case.form {
        Form::Json(form) => json::refusals(case, form),
        Form::Ecs(form) => ecs::refusals(form),
        Form::Human(_) => Vec::new(),
        Form::Text(form) => text::refusals(case, form),
    };
    let built_in = case.provided.iter().map(|(name, _)| name);
    let built_in = built_in.filter(|name| BUILT_IN.contains(&name.as_str()));
    refusals.extend(built_in.cloned().map(Refusal::BuiltIn));
    refusals
}

/// Splits the output into the two records of a case.
pub fn lines(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.split_terminator('\n').collect();
    assert_eq!(lines.len(), 2, "{text:?}");
    assert!(text.ends_with('\n'));
    let breaks = |c: char| c.is_control() || ('\u{2028}'..='\u{2029}').contains(&c);
    assert!(lines.iter().all(|line| !line.contains(breaks)), "{text:?}");
    lines
}

fn check_records(logged: &Logged, expected: &[(String, Expected)]) {
    for line in lines(&logged.text) {
        let record: Record = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let keys: Vec<_> = record.0.iter().map(|(key, _)| key).collect();
        let different: BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len(), "a key stands twice: {line}");
        assert_eq!(keys, expected.iter().map(|(key, _)| key).collect::<Vec<_>>(), "{line}");
        // All times of a record are the same one. What shows nothing but milliseconds comes last.
        let mut moments = Moments { from: logged.from, until: logged.until };
        for of_milliseconds in [false, true] {
            for ((key, value), (_, expected)) in record.0.iter().zip(expected) {
                if matches!(expected, Expected::Msecs) == of_milliseconds {
                    let is_it = expected.is(value.get(), &mut moments);
                    assert!(is_it, "{key} should be {expected:?} in {moments:?}: {line}");
                }
            }
        }
    }
}

impl Expected {
    fn is(&self, json: &str, moments: &mut Moments) -> bool {
        let text = || serde_json::from_str::<String>(json).ok();
        match self {
            Self::Raw(wanted) => json == wanted,
            Self::Text(wanted) => text().is_some_and(|text| text == *wanted),
            Self::Float(wanted) => {
                json.parse::<f64>().is_ok_and(|float| float.to_bits() == wanted.to_bits())
            }
            Self::FloatText(wanted) => text().is_some_and(|text| {
                text.parse::<f64>().is_ok_and(|float| float.to_bits() == wanted.to_bits())
            }),
            Self::Nanoseconds(milliseconds) => json.parse::<u64>().is_ok_and(|nanoseconds| {
                let wanted = milliseconds * 1e6;
                (nanoseconds as f64 - wanted).abs() <= 0.5 + wanted * f64::EPSILON
            }),
            Self::Time(times) => {
                text().is_some_and(|text| times.narrow(&text, str::to_owned, moments))
            }
            Self::Created => created(json).is_some_and(|moment| moments.narrow(moment, 1)),
            Self::Msecs => {
                let milliseconds = json.strip_suffix(".0").and_then(|text| text.parse().ok());
                milliseconds.is_some_and(|milliseconds| moments.has_milliseconds(milliseconds))
            }
            Self::Thread => json.parse::<u64>().is_ok_and(|number| number > 0),
            Self::Anything => true,
        }
    }
}

/// The microseconds since 1970 that such seconds are.
pub fn created(text: &str) -> Option<u64> {
    let (seconds, decimals) = text.split_once('.')?;
    let micros: u64 = decimals.parse().ok()?;
    (decimals.len() == 6).then_some(seconds.parse::<u64>().ok()? * 1_000_000 + micros)
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
