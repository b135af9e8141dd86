//! Reading a document: values with their types, mappings with their keys.

use std::{fmt, ops::RangeInclusive, time::Duration};

use serde::de::DeserializeOwned;

use crate::{
    Document, Mapping, Place, Problems, deserialize,
    document::{Origin, Step, Value, shortened},
    nearest,
    problems::Problem,
    scalar::{self, Scalar},
};

/// A value of a document.
///
/// The methods that expect a certain type report any other to [`Problems`] and return `None`; go on
/// reading then, so that all mistakes are found at once. Messages never show the value itself: it
/// may be a secret.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    document: &'d Document,
    index: usize,
}

const MAX_SECONDS: u32 = 1_000_000_000;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing at all, or `null`.
    Null,
    /// `true` or `false`. `yes`, `no`, `on` and `off` are text, although
    /// [`Node::boolean`] takes them, too.
    Boolean,
    /// An integer.
    Integer,
    /// A number with a fraction or an exponent.
    Number,
    /// Text.
    Text,
    /// A list.
    List,
    /// A mapping.
    Mapping,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "nothing",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a decimal number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Mapping => "a mapping",
        })
    }
}

impl<'d> Node<'d> {
    pub(crate) fn new(document: &'d Document, index: usize) -> Self {
        Self { document, index }
    }

    pub(crate) fn with_index(self, index: usize) -> Self {
        Self { index, ..self }
    }

    pub(crate) fn value(&self) -> &'d Value {
        &self.document.items[self.index].value
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// The key that the value stands at, empty if it stands at none.
    pub(crate) fn key(&self) -> &'d str {
        match &self.document.items[self.index].step {
            Step::Key(key) => key,
            Step::Root | Step::Index(_) => "",
        }
    }

    /// The text of a scalar if its text decides about its type.
    pub(crate) fn plain(&self) -> Option<&'d str> {
        match self.value() {
            Value::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    /// Whether the value comes from an environment variable: no message may show it then. They have
    /// no types, so a reader that wants text takes theirs as it is.
    pub fn is_variable(&self) -> bool {
        matches!(self.document.items[self.index].origin, Origin::Variable(_))
    }

    /// The key path, `models[0].decorators[1].configuration.input_fields[0]`; empty at the root.
    pub fn path(&self) -> String {
        self.document.path(self.index)
    }

    /// Where the value is: the line of its key if it has one, else its own, or the environment
    /// variable that it comes from.
    pub fn place(&self) -> Place {
        self.document.place(self.index)
    }

    /// What the value is.
    pub fn kind(&self) -> Kind {
        match self.value() {
            Value::List(_) => Kind::List,
            Value::Mapping(_) => Kind::Mapping,
            Value::Scalar { plain: false, .. } => Kind::Text,
            Value::Scalar { text, plain: true } => match scalar::resolve(text) {
                Scalar::Null => Kind::Null,
                Scalar::Boolean(_) => Kind::Boolean,
                Scalar::Integer(_) => Kind::Integer,
                Scalar::Number(_) => Kind::Number,
                Scalar::Text => Kind::Text,
            },
        }
    }

    /// Whether there is no value, as in `key:` or `key: null`.
    pub fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    /// The entries of a mapping. Ask for all known keys, then [`finish`](Mapping::finish).
    pub fn mapping(&self, problems: &mut Problems) -> Option<Mapping<'d>> {
        match self.value() {
            Value::Mapping(children) => Some(Mapping::new(*self, children)),
            _ if self.is_variable() => self.expected_in_file("a mapping", problems),
            _ => {
                let found = self.kind();
                let message = format!(
                    "expected a mapping, found {found}; write its keys below, as in `key: value`"
                );
                self.report(problems, message);
                None
            }
        }
    }

    /// The items of a list.
    pub fn list(&self, problems: &mut Problems) -> Option<Vec<Node<'d>>> {
        match self.value() {
            Value::List(children) => {
                Some(children.iter().map(|index| self.with_index(*index)).collect())
            }
            _ if self.is_variable() => self.expected_in_file("a list", problems),
            _ => {
                let found = self.kind();
                let message = format!("expected a list, found {found}; begin each item with `- `");
                self.report(problems, message);
                None
            }
        }
    }

    /// Text. Numbers and booleans without quotes are none, except from environment variables.
    pub fn string(&self, problems: &mut Problems) -> Option<&'d str> {
        match (self.value(), self.kind()) {
            (Value::Scalar { text, .. }, Kind::Text) => Some(text),
            (Value::Scalar { text, .. }, kind) if self.is_variable() && kind != Kind::Null => {
                Some(text)
            }
            (_, Kind::Boolean | Kind::Integer | Kind::Number) => {
                let found = self.kind();
                self.report(problems, format!("expected text, found {found}; put it in quotes"));
                None
            }
            _ => self.expected("text", problems),
        }
    }

    /// `true` or `false`; also `yes`, `no`, `on` and `off`, which are booleans for PyYAML.
    pub fn boolean(&self, problems: &mut Problems) -> Option<bool> {
        match self.plain().and_then(scalar::boolean) {
            Some(value) => Some(value),
            None => self.expected("true or false", problems),
        }
    }

    /// An integer in this range.
    ///
    /// ```
    /// # let document = ml_configuration::Document::parse("example.yaml", "port: 99999").unwrap();
    /// # let mut problems = ml_configuration::Problems::new();
    /// # let port = document.root().mapping(&mut problems).unwrap().get("port").unwrap();
    /// assert_eq!(port.integer(1..=65535_u16, &mut problems), None);
    /// assert_eq!(
    ///     problems.to_string(),
    ///     "example.yaml:1: port: expected an integer from 1 to 65535, found one outside of this range",
    /// );
    /// ```
    pub fn integer<T>(&self, range: RangeInclusive<T>, problems: &mut Problems) -> Option<T>
    where
        T: TryFrom<i128> + PartialOrd + fmt::Display,
    {
        let (start, end) = (range.start(), range.end());
        let expected = if start == end {
            start.to_string()
        } else {
            format!("an integer from {start} to {end}")
        };
        match self.plain().map(scalar::resolve) {
            Some(Scalar::Integer(Ok(value))) => {
                let value = T::try_from(value).ok().filter(|value| range.contains(value));
                if value.is_none() {
                    let found =
                        if start == end { "another integer" } else { "one outside of this range" };
                    self.report(problems, format!("expected {expected}, found {found}"));
                }
                value
            }
            Some(Scalar::Integer(Err(problem))) => {
                self.report(problems, problem);
                None
            }
            _ => self.expected(&expected, problems),
        }
    }

    /// A finite number, with or without a fraction.
    pub fn number(&self, problems: &mut Problems) -> Option<f64> {
        match self.plain().map(scalar::resolve) {
            Some(Scalar::Integer(Ok(value))) => Some(value as f64),
            Some(Scalar::Integer(Err(problem))) => {
                self.report(problems, problem);
                None
            }
            Some(Scalar::Number(value)) if value.is_finite() => Some(value),
            Some(Scalar::Number(_)) => {
                self.report(problems, "expected a finite number");
                None
            }
            _ => self.expected("a number", problems),
        }
    }

    /// A time in seconds, `30` or `0.5`; at most 1,000,000,000, about 31 years, which clocks can add to
    /// the time of day.
    pub fn duration_s(&self, problems: &mut Problems) -> Option<Duration> {
        let seconds = match self.plain().map(scalar::resolve) {
            Some(Scalar::Integer(Ok(value))) => u64::try_from(value).ok().map(Duration::from_secs),
            Some(Scalar::Number(value)) => Duration::try_from_secs_f64(value).ok(),
            Some(Scalar::Integer(Err(problem))) if problem != scalar::TOO_LARGE => {
                self.report(problems, problem);
                return None;
            }
            Some(Scalar::Integer(Err(_))) => None,
            _ => return self.expected("a number of seconds", problems),
        };
        let seconds = seconds.filter(|seconds| seconds.as_secs_f64() <= f64::from(MAX_SECONDS));
        if seconds.is_none() {
            let message = format!(
                "expected a number of seconds from 0 to {MAX_SECONDS}, found one outside of this range"
            );
            self.report(problems, message);
        }
        seconds
    }

    /// One of these words, in upper or lower case. `what` is what they are called, as in `unknown
    /// level`.
    pub fn choice<T: Copy>(
        &self,
        what: &str,
        choices: &[(&str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let Value::Scalar { text, .. } = self.value() else {
            return self.expected(&format!("a {what}"), problems);
        };
        if self.is_null() {
            return self.expected(&format!("a {what}"), problems);
        }
        let found = choices
            .iter()
            .find(|(choice, _)| **choice == **text)
            .or_else(|| choices.iter().find(|(choice, _)| choice.eq_ignore_ascii_case(text)));
        if let Some((_, value)) = found {
            return Some(*value);
        }
        self.report_unknown(problems, what, text, choices.iter().map(|(choice, _)| *choice));
        None
    }

    /// Reports a word that should have been one of these, with the nearest of them: `unknown handler
    /// `stdot`; did you mean `stdout`?`. The word is not shown if it may come from an environment
    /// variable.
    pub fn report_unknown<'c>(
        &self,
        problems: &mut Problems,
        what: &str,
        word: &str,
        valid: impl IntoIterator<Item = &'c str>,
    ) {
        let message = self.unknown(what, word, valid.into_iter().collect());
        self.report(problems, message);
    }

    pub(crate) fn unknown(&self, what: &str, word: &str, valid: Vec<&str>) -> String {
        let mut text = format!("unknown {what}");
        // The word may stand further inside if the type is a user's own.
        if self.variables().is_empty() {
            text.push_str(&format!(" `{}`", shortened(word)));
        }
        let quoted: Vec<_> = valid.iter().map(|word| format!("`{word}`")).collect();
        let quoted = quoted.join(", ");
        let only = valid.len() == 1;
        match nearest(word, valid) {
            _ if quoted.is_empty() => text.push_str("; there is none"),
            Some(nearest) if only => text.push_str(&format!("; did you mean `{nearest}`?")),
            Some(nearest) => {
                text.push_str(&format!("; did you mean `{nearest}`? Valid are {quoted}"));
            }
            None => text.push_str(&format!("; valid are {quoted}")),
        }
        text
    }

    /// The value as a type of the user's own.
    ///
    /// The first mistake that the type finds is reported, at the line and the path of the inner
    /// value that is at fault. Messages that the type makes itself are shown without that value.
    pub fn deserialize<T: DeserializeOwned>(&self, problems: &mut Problems) -> Option<T> {
        deserialize::deserialize(*self, problems)
    }

    /// Adds a problem with this value.
    pub fn report(&self, problems: &mut Problems, message: impl Into<String>) {
        let problem = Problem::new(&self.document.name, Some(self.place()), message.into());
        problems.push(problem.with_path(self.path()));
    }

    /// Adds a problem with the key of this value.
    pub(crate) fn report_in_parent(&self, problems: &mut Problems, message: impl Into<String>) {
        let parent = self.document.items[self.index].parent.unwrap_or(self.index);
        let problem = Problem::new(&self.document.name, Some(self.place()), message.into());
        problems.push(problem.with_path(self.document.path(parent)));
    }

    /// The texts that come from environment variables, here and further inside.
    fn variables(&self) -> Vec<&'d str> {
        match self.value() {
            Value::Scalar { text, .. } if self.is_variable() => vec![text],
            Value::Scalar { .. } => Vec::new(),
            Value::List(children) | Value::Mapping(children) => {
                children.iter().flat_map(|child| self.with_index(*child).variables()).collect()
            }
        }
    }

    /// The texts that a message on this value must not quote.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &'d str> {
        let own = match self.value() {
            Value::Scalar { text, .. } => Some(&**text),
            Value::List(_) | Value::Mapping(_) => None,
        };
        // One or two characters are in every message.
        own.into_iter().chain(self.variables()).filter(|text| text.len() > 2)
    }

    /// Variables set scalars only.
    fn expected_in_file<T>(&self, expected: &str, problems: &mut Problems) -> Option<T> {
        let message =
            format!("expected {expected}, which a variable cannot be: write it in the file");
        self.report(problems, message);
        None
    }

    fn expected<T>(&self, expected: &str, problems: &mut Problems) -> Option<T> {
        self.report(problems, format!("expected {expected}, found {}", self.kind()));
        None
    }
}

impl fmt::Debug for Node<'_> {
    // Not the value: it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("place", &self.place()).field("path", &self.path()).finish()
    }
}
