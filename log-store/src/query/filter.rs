//! The filter language: conditions with blanks between them, all of which must hold.
//!
//! | condition | matches |
//! |---|---|
//! | `age>60`, `age>=60`, `age<60`, `age<=60` | numbers |
//! | `charges=10000..20000`, `charges=10000..` | numbers within bounds, which belong to the range |
//! | `status=error`, `region=south*`, `region="south west"` | equal texts and numbers; `*` stands for any text |
//! | `status=error,pending` | one of several |
//! | `region!=north` | any other value |
//! | `timeout`, `"out of range"` | a text in the id, in the error or in a value, in any case |

use std::collections::BTreeSet;
use std::fmt;

use ml_configuration::nearest;

use crate::record::{text, written_members};
use crate::store::Id;

/// Names of a prediction's own properties, and what else they are called.
const PROPERTIES: [(&str, Property); 14] = [
    ("prediction_id", Property::Id),
    ("id", Property::Id),
    ("status", Property::Status),
    ("model", Property::Model),
    ("model_qualified_name", Property::Model),
    ("version", Property::Version),
    ("model_version", Property::Version),
    ("instance", Property::Instance),
    ("hostname", Property::Instance),
    ("duration_ms", Property::Duration),
    ("error_info", Property::Error),
    ("error", Property::Error),
    ("level", Property::Level),
    ("logger", Property::Logger),
];

/// Property that every prediction has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    Id,
    Status,
    Model,
    Version,
    Instance,
    Duration,
    Error,
    Level,
    Logger,
}

/// Subject of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Subject {
    Property(Property),
    /// A logged input or output.
    Field(String),
    /// Any text of the prediction.
    Anything,
}

/// Test of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// Numbers between bounds. An excluded bound is not part of the range.
    Between { low: f64, low_excluded: bool, high: f64, high_excluded: bool },
    /// Texts and numbers.
    OneOf(Vec<String>),
    /// A part of a text, in lower case.
    Contains(String),
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) subject: Subject,
    pub(crate) test: Test,
    pub(crate) negated: bool,
}

/// A filter that has been read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    pub(crate) conditions: Vec<Condition>,
}

/// A mistake in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilterError {
    filter: String,
    /// Characters before the mistake, and characters of it.
    pub(crate) start: usize,
    pub(crate) length: usize,
    pub(crate) message: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { filter, start, length, message } = self;
        writeln!(f, "mistake in the filter: {message}")?;
        // A line break would move the marks.
        writeln!(f, "  {}", filter.replace(char::is_control, " "))?;
        write!(f, "  {}{}", " ".repeat(*start), "^".repeat((*length).max(1)))
    }
}

impl std::error::Error for FilterError {}

impl Filter {
    /// Reads a filter. `fields` are the names of the logged fields that the store has seen.
    ///
    /// # Errors
    ///
    /// Fails with the first mistake, at its place.
    pub(crate) fn parse(text: &str, fields: &BTreeSet<String>) -> Result<Self, FilterError> {
        let mut parser = Parser { text, at: 0 };
        let mut conditions = Vec::new();
        while parser.skip_blanks() {
            conditions.push(parser.condition(fields)?);
        }
        Ok(Self { conditions })
    }

    /// Returns the id if the filter asks for exactly one.
    pub(crate) fn id(&self) -> Option<&str> {
        self.conditions.iter().find_map(|condition| match condition {
            Condition {
                subject: Subject::Property(Property::Id),
                test: Test::OneOf(ids),
                negated: false,
            } => match &ids[..] {
                [id] if !id.contains('*') => Some(&**id),
                _ => None,
            },
            _ => None,
        })
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Returns whether anything follows.
    fn skip_blanks(&mut self) -> bool {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.at < self.text.len()
    }

    fn error<T>(
        &self,
        start: usize,
        end: usize,
        message: impl Into<String>,
    ) -> Result<T, FilterError> {
        let count = |text: &str| text.chars().count();
        Err(FilterError {
            filter: self.text.to_owned(),
            start: count(&self.text[..start]),
            length: count(&self.text[start..end]),
            message: message.into(),
        })
    }

    fn condition(&mut self, fields: &BTreeSet<String>) -> Result<Condition, FilterError> {
        let start = self.at;
        let (name, is_quoted) = self.word(|c| matches!(c, '=' | '<' | '>' | '!'))?;
        let name_end = self.at;
        let operators = ["!=", ">=", "<=", "=", ">", "<"];
        let operator = operators.into_iter().find(|operator| self.rest().starts_with(operator));
        let Some(operator) = operator else {
            if self.rest().starts_with('!') {
                return self.error(
                    self.at,
                    self.at + 1,
                    "expected `=` after `!`, as in `status!=error`",
                );
            }
            // An index finds whole ids.
            let (subject, test) = match Id::new(&name) {
                Id::Uuid(_) => (Subject::Property(Property::Id), Test::OneOf(vec![name])),
                Id::Text(_) => (Subject::Anything, Test::Contains(name.to_lowercase())),
            };
            return Ok(Condition { subject, test, negated: false });
        };
        if name.is_empty() && !is_quoted {
            let message = format!("expected a name before `{operator}`, as in `age{operator}60`");
            return self.error(start, start + operator.len(), message);
        }
        let subject = match PROPERTIES.iter().find(|(own, _)| *own == name) {
            // A logged field may be called like a property.
            _ if fields.contains(&name) => Subject::Field(name.clone()),
            Some((_, property)) => Subject::Property(*property),
            None => return self.unknown(start, name_end, &name, fields),
        };
        self.at += operator.len();
        let value_start = self.at;
        let mut values = vec![self.word(|c| c == ',')?];
        while self.rest().starts_with(',') {
            self.at += 1;
            values.push(self.word(|c| c == ',')?);
        }
        if values.iter().any(|(value, is_quoted)| value.is_empty() && !is_quoted) {
            let message = format!("expected a value after `{operator}`; an empty text is `\"\"`");
            return self.error(value_start, self.at, message);
        }
        let negated = operator == "!=";
        let test = match operator {
            "=" | "!=" => equality(values),
            _ => match values[0].0.parse::<f64>().ok().filter(|_| values.len() == 1) {
                Some(bound) => comparison(operator, bound),
                None => {
                    let message = format!("expected a number after `{operator}`");
                    return self.error(value_start, self.at, message);
                }
            },
        };
        if matches!(test, Test::Between { low, high, .. } if low > high) {
            let message = "the range is empty: its start is above its end";
            return self.error(value_start, self.at, message);
        }
        self.check_status(&subject, &test, value_start)?;
        Ok(Condition { subject, test, negated })
    }

    fn unknown<T>(
        &self,
        start: usize,
        end: usize,
        name: &str,
        fields: &BTreeSet<String>,
    ) -> Result<T, FilterError> {
        let properties = PROPERTIES.iter().map(|(name, _)| *name);
        let valid = fields.iter().map(String::as_str).chain(properties);
        let remedy = match nearest(name, valid) {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None if fields.is_empty() => "; the store has seen no logged fields yet".to_owned(),
            None => {
                let fields: Vec<_> =
                    fields.iter().map(|field| format!("`{field}`")).take(20).collect();
                format!("; the logged fields are {}", fields.join(", "))
            }
        };
        self.error(start, end, format!("unknown field `{name}`{remedy}"))
    }

    fn check_status(
        &self,
        subject: &Subject,
        test: &Test,
        start: usize,
    ) -> Result<(), FilterError> {
        const STATES: [&str; 3] = ["success", "error", "pending"];
        if let (Subject::Property(Property::Status), Test::OneOf(values)) = (subject, test)
            && let Some(wrong) =
                values.iter().find(|value| !value.contains('*') && !STATES.contains(&&***value))
        {
            let remedy = match nearest(wrong, STATES) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => "valid are `success`, `error` and `pending`".to_owned(),
            };
            return self.error(start, self.at, format!("unknown status `{wrong}`; {remedy}"));
        }
        Ok(())
    }

    /// Reads a word up to a blank or a character that ends it, or a text in quotes. Returns whether it is
    /// quoted.
    fn word(&mut self, ends: impl Fn(char) -> bool) -> Result<(String, bool), FilterError> {
        let start = self.at;
        let rest = self.rest();
        if !rest.starts_with('"') {
            let end = rest.find(|c: char| c.is_whitespace() || ends(c)).unwrap_or(rest.len());
            self.at += end;
            return Ok((rest[..end].to_owned(), false));
        }
        let mut word = String::new();
        let mut characters = rest.char_indices().skip(1);
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.at += index + 1;
                    return Ok((word, true));
                }
                '\\' => word.extend(characters.next().map(|(_, escaped)| escaped)),
                _ => word.push(character),
            }
        }
        self.error(start, self.text.len(), "the quote is not closed; end the text with `\"`")
    }
}

fn equality(values: Vec<(String, bool)>) -> Test {
    if let [(value, false)] = &values[..]
        && let Some((low, high)) = value.split_once("..")
    {
        let bound = |text: &str, missing| {
            if text.is_empty() { Some(missing) } else { text.parse().ok() }
        };
        if let (Some(low), Some(high)) = (bound(low, f64::NEG_INFINITY), bound(high, f64::INFINITY))
        {
            return Test::Between { low, low_excluded: false, high, high_excluded: false };
        }
    }
    Test::OneOf(values.into_iter().map(|(value, _)| value).collect())
}

fn comparison(operator: &str, bound: f64) -> Test {
    let excluded = !operator.ends_with('=');
    if operator.starts_with('>') {
        Test::Between {
            low: bound,
            low_excluded: excluded,
            high: f64::INFINITY,
            high_excluded: false,
        }
    } else {
        Test::Between {
            low: f64::NEG_INFINITY,
            low_excluded: false,
            high: bound,
            high_excluded: excluded,
        }
    }
}

impl Test {
    /// Tests a number.
    pub(crate) fn number(&self, number: f64) -> bool {
        match self {
            Self::Between { low, low_excluded, high, high_excluded } => {
                (if *low_excluded { number > *low } else { number >= *low })
                    && (if *high_excluded { number < *high } else { number <= *high })
            }
            Self::OneOf(values) => values.iter().any(|value| value.parse() == Ok(number)),
            Self::Contains(_) => false,
        }
    }

    /// Tests a number with its text. Large whole numbers, such as ids, are compared as text, because several
    /// of them are the same `f64`.
    fn exact_number(&self, number: f64, text: &str) -> bool {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let is_whole = |text: &str| text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
        match self {
            Self::OneOf(values) if number.abs() >= EXACT && is_whole(text) => values
                .iter()
                .any(|value| value == text || (!is_whole(value) && value.parse() == Ok(number))),
            _ => self.number(number),
        }
    }

    /// Tests a text.
    pub(crate) fn text(&self, text: &str) -> bool {
        match self {
            Self::Between { .. } => text.parse().is_ok_and(|number| self.number(number)),
            Self::OneOf(values) => values.iter().any(|value| matches_pattern(value, text)),
            Self::Contains(part) => text.to_lowercase().contains(part),
        }
    }

    /// Tests a value, given as JSON text.
    pub(crate) fn value(&self, value: &str) -> bool {
        match value.as_bytes().first() {
            Some(b'"') => text(value).is_some_and(|text| self.text(&text)),
            Some(b'-' | b'0'..=b'9') => {
                value.parse().is_ok_and(|number| self.exact_number(number, value))
            }
            _ => self.text(value),
        }
    }
}

impl Condition {
    /// Tests the members of an object for a field of a name. `None` if the object does not have it.
    pub(crate) fn field(&self, name: &str, object: &str) -> Option<bool> {
        let (_, value) = written_members(object).find(|(own, _)| *own == name)?;
        Some(self.test.value(value) != self.negated)
    }
}

/// Matches a text with a pattern, in which `*` stands for any text.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        match text.find(part) {
            Some(found) => text = &text[found + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> BTreeSet<String> {
        ["age", "bmi", "charges", "region"].map(str::to_owned).into()
    }

    fn mistake(text: &str) -> String {
        Filter::parse(text, &fields()).unwrap_err().to_string()
    }

    #[test]
    fn a_mistake_is_shown_at_its_place() {
        assert_eq!(
            mistake("status=error agee>60"),
            "mistake in the filter: unknown field `agee`; did you mean `age`?\n  \
             status=error agee>60\n               ^^^^"
        );
        assert_eq!(
            mistake("status=eror"),
            "mistake in the filter: unknown status `eror`; did you mean `error`?\n  \
             status=eror\n         ^^^^"
        );
        for (text, message) in [
            ("age>", "expected a value after `>`"),
            ("age>old", "expected a number after `>`"),
            ("=60", "expected a name before `=`"),
            ("age!60", "expected `=` after `!`"),
            ("age=60..50", "the range is empty"),
            ("region=\"south", "the quote is not closed"),
            ("income>5", "the logged fields are `age`, `bmi`, `charges`, `region`"),
        ] {
            assert!(mistake(text).contains(message), "{text}: {}", mistake(text));
        }
    }

    #[test]
    fn conditions_match_values() {
        let object = r#"{"age":65,"region":"south west","bmi":50.0,"note":"a \"b\"","none":null,"customer":9007199254740993}"#;
        let mut fields = fields();
        fields.extend(["note", "none", "customer"].map(str::to_owned));
        for (text, expected) in [
            ("age>64", true),
            ("age>65", false),
            ("age>=65", true),
            ("age<65", false),
            ("age<=65", true),
            ("age=65", true),
            ("age=65.0", true),
            ("age!=65", false),
            ("age!=64", true),
            ("bmi=50", true),
            ("age=60..65", true),
            ("age=66..", false),
            ("age=..65", true),
            ("region=\"south west\"", true),
            ("region=south*", true),
            ("region=*west", true),
            ("region=*th*we*t", true),
            ("region=north,\"south west\"", true),
            ("region!=south*", false),
            ("note=\"a \\\"b\\\"\"", true),
            ("none=null", true),
            ("age=6*", false),
            ("customer=9007199254740993", true),
            ("customer=9007199254740992", false),
            ("customer!=9007199254740992", true),
            ("customer=1,9007199254740993", true),
            ("customer=9.007199254740992e15", true),
        ] {
            let filter = Filter::parse(text, &fields).unwrap();
            let condition = &filter.conditions[0];
            let Subject::Field(name) = &condition.subject else { panic!("{text}") };
            assert_eq!(condition.field(name, object), Some(expected), "{text}");
        }
    }
}
