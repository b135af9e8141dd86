//! Mistakes in a body, their places and messages.

use ml_model_core::{SensitiveParts, Violation};

use super::rules::{Choice, NumberRule, Range, Types};
use crate::hosting::body::{Body, Value};
use crate::hosting::shorten::{LONGEST_MESSAGE, cut, shortened};

/// Path from the root of a body to a value in it.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    segment: Segment<'p>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Segment<'p> {
    Root,
    Name(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    pub(super) const ROOT: Self = Self { parent: None, segment: Segment::Root, depth: 0 };

    pub(super) fn member(&'p self, name: &'p str) -> Self {
        Self { parent: Some(self), segment: Segment::Name(name), depth: self.depth + 1 }
    }

    pub(super) fn item(&'p self, index: usize) -> Self {
        Self { parent: Some(self), segment: Segment::Index(index), depth: self.depth + 1 }
    }

    /// Returns the number of segments.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Returns the segments.
    fn segments(&self) -> Vec<String> {
        let path = std::iter::successors(Some(self), |path| path.parent);
        let segments = path.filter_map(|path| match path.segment {
            Segment::Root => None,
            Segment::Name(name) => Some(shortened(name).into_owned()),
            Segment::Index(index) => Some(index.to_string()),
        });
        let mut segments: Vec<_> = segments.collect();
        segments.reverse();
        segments
    }
}

/// Reason why a value is invalid.
#[derive(Debug, Clone)]
pub(super) enum Problem<'s> {
    NotAllowed,
    Type(Types),
    /// The value is none of these.
    Options(&'s [Choice]),
    /// The value is none of these, from several alternatives.
    Joined(Vec<&'s str>),
    Number(&'s NumberRule),
    Pattern(&'s str),
    TooFew(Unit, u64),
    TooMany(Unit, u64),
    Repeated,
    Contained(Range),
    Missing,
    /// One of these members is needed, which name the variant.
    MissingVariant(Vec<String>),
    Unknown,
    /// Several alternatives of `oneOf` fit.
    Ambiguous,
    /// No alternative fits, and the mistakes in them are not known.
    NoAlternative,
}

/// Parts of a value that a schema counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Characters,
    Items,
    Members,
}

impl Unit {
    fn count(self, count: u64) -> String {
        let (one, many) = match self {
            Self::Characters => ("character", "characters"),
            Self::Items => ("item", "items"),
            Self::Members => ("property", "properties"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// Shows the start of a value.
fn shown(body: Body<'_>) -> String {
    const LONGEST: usize = 80;
    let mut text = String::new();
    write_begin(body, LONGEST, &mut text);
    cut(&text, LONGEST).into_owned()
}

/// Writes a value as `serde_json` does, and stops soon after the first `longest` bytes.
fn write_begin(body: Body<'_>, longest: usize, text: &mut String) {
    match body.value() {
        Value::Null | Value::Boolean => text.push_str(body.text()),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(string) => {
            let begin: String = string.chars().take(longest).collect();
            let is_cut = begin.len() < string.len();
            let quoted = serde_json::Value::from(begin).to_string();
            text.push_str(if is_cut { &quoted[..quoted.len() - 1] } else { &quoted });
        }
        Value::Array => {
            text.push('[');
            for (index, item) in body.items().enumerate() {
                if text.len() > 4 * longest {
                    return;
                }
                text.push_str(if index > 0 { "," } else { "" });
                write_begin(item, longest, text);
            }
            text.push(']');
        }
        Value::Object => {
            text.push('{');
            for (index, (name, value)) in body.members().enumerate() {
                if text.len() > 4 * longest {
                    return;
                }
                text.push_str(if index > 0 { "," } else { "" });
                let name: String = name.chars().take(longest).collect();
                text.push_str(&serde_json::Value::from(name).to_string());
                text.push(':');
                write_begin(value, longest, text);
            }
            text.push('}');
        }
    }
}

/// One mistake, with its place in the body.
#[derive(Debug, Clone)]
pub(super) struct Mistake<'s, 'b> {
    pub(super) path: Vec<String>,
    value: Body<'b>,
    pub(super) problem: Problem<'s>,
}

impl<'s, 'b> Mistake<'s, 'b> {
    pub(super) fn new(path: &Path<'_>, value: Body<'b>, problem: Problem<'s>) -> Self {
        Self { path: path.segments(), value, problem }
    }

    /// Returns the mistake with another reason.
    pub(super) fn with(&self, problem: Problem<'s>) -> Self {
        Self { problem, ..self.clone() }
    }

    /// Returns a mistake in the value around this one.
    pub(super) fn above(&self, problem: Problem<'s>) -> Self {
        let mut mistake = self.with(problem);
        mistake.path.pop();
        mistake
    }

    /// Returns whether only one value would be valid, such as the tag of a variant.
    pub(super) fn is_constant(&self) -> bool {
        matches!(&self.problem, Problem::Options([_only]))
    }

    /// Describes the mistake, without what it would show of sensitive values.
    pub(super) fn violation(&self, sensitive: Option<&SensitiveParts>) -> Violation {
        let path = self.path.iter().map(String::as_str);
        let hidden_at = sensitive.and_then(|sensitive| sensitive.hidden_at(path));
        let path = self.path[..hidden_at.unwrap_or(self.path.len())].join(".");
        let message = self.message(hidden_at.is_some());
        Violation::new(shortened(&path), cut(&message, LONGEST_MESSAGE))
    }

    fn message(&self, is_hidden: bool) -> String {
        let value = if is_hidden { "the value".to_owned() } else { shown(self.value) };
        match &self.problem {
            Problem::NotAllowed => format!("{value} is not allowed"),
            Problem::Type(types) => {
                format!("{value} is not of type {}", types.names().collect::<Vec<_>>().join(" or "))
            }
            Problem::Options([only]) => format!("{} was expected", only.shown),
            Problem::Options(choices) => {
                let choices: Vec<_> = choices.iter().map(|choice| choice.shown.as_str()).collect();
                format!("{value} is none of {}", choices.join(", "))
            }
            Problem::Joined(choices) => format!("{value} is none of {}", choices.join(", ")),
            Problem::Number(rule) => match rule {
                NumberRule::Minimum(least) => {
                    format!("{value} is less than the minimum of {least}")
                }
                NumberRule::ExclusiveMinimum(bound) => {
                    format!("{value} is less than or equal to the minimum of {bound}")
                }
                NumberRule::Maximum(most) => {
                    format!("{value} is greater than the maximum of {most}")
                }
                NumberRule::ExclusiveMaximum(bound) => {
                    format!("{value} is greater than or equal to the maximum of {bound}")
                }
                NumberRule::MultipleOf(step) => format!("{value} is not a multiple of {step}"),
            },
            Problem::Pattern(pattern) => format!(r#"{value} does not match "{pattern}""#),
            Problem::TooFew(unit, least) => {
                let comparison = if *unit == Unit::Characters { "is shorter" } else { "has less" };
                format!("{value} {comparison} than {}", unit.count(*least))
            }
            Problem::TooMany(unit, most) => {
                let comparison = if *unit == Unit::Characters { "is longer" } else { "has more" };
                format!("{value} {comparison} than {}", unit.count(*most))
            }
            Problem::Repeated => format!("{value} has non-unique elements"),
            Problem::Contained(Range { least, most }) => {
                let least = least.unwrap_or(0);
                let most = most.map_or("any number".to_owned(), |most| most.to_string());
                format!(
                    "{value} must have {least} to {most} of the items that `contains` describes"
                )
            }
            Problem::Missing => "is required".to_owned(),
            Problem::MissingVariant(names) => {
                format!("one of `{}` is required", names.join("`, `"))
            }
            Problem::Unknown => "is not known to this model".to_owned(),
            Problem::Ambiguous => {
                format!("{value} fits several alternatives, of which one is meant")
            }
            Problem::NoAlternative => format!("{value} fits no alternative"),
        }
    }
}
