//! Values of a document: their type, their place and their conversion to Rust types.

use std::{fmt, ops::RangeInclusive, time::Duration};

use crate::{
    Place, Problems,
    did_you_mean::unknown_word,
    problems::Problem,
    scalar::{self, Scalar},
    tree::{Item, Step, Tree, Value},
};

/// A value of a document.
///
/// A method that expects a type reports any other type to [`Problems`] and returns `None`. Continue
/// reading then, so that all mistakes are found at once. Messages never show the value, which may
/// be a secret.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    tree: &'d Tree,
    index: usize,
}

const MAX_SECONDS: u32 = 1_000_000_000;

/// Type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No value, or `null`.
    Null,
    /// `true` or `false`. The words `yes`, `no`, `on` and `off` are text, although
    /// [`Node::boolean`] accepts them.
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
    pub(crate) fn new(tree: &'d Tree, index: usize) -> Self {
        Self { tree, index }
    }

    pub(crate) fn with_index(self, index: usize) -> Self {
        Self { index, ..self }
    }

    pub(crate) fn tree(&self) -> &'d Tree {
        self.tree
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    fn item(&self) -> &'d Item {
        &self.tree.items[self.index]
    }

    pub(crate) fn value(&self) -> &'d Value {
        &self.item().value
    }

    /// Returns the key of the value; empty for the root and for list items.
    pub(crate) fn key(&self) -> &'d str {
        match &self.item().step {
            Step::Key(key) => key,
            Step::Root | Step::Index(_) => "",
        }
    }

    /// Returns the text of a scalar whose type follows from the text.
    pub(crate) fn plain(&self) -> Option<&'d str> {
        match self.value() {
            Value::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    /// Returns whether the value comes from an environment variable. Messages must not show it then.
    ///
    /// Variables have no types: [`string`](Self::string) accepts any scalar of theirs.
    pub fn is_variable(&self) -> bool {
        matches!(self.item().place, Place::Variable(_))
    }

    /// Returns the key path, such as `models[0].decorators[1].logging.input_fields[0]`; empty for
    /// the root.
    pub fn path(&self) -> String {
        self.tree.path(self.index)
    }

    /// Returns the source of the value: the line of its key, its own line if it has no key, or its
    /// environment variable.
    pub fn place(&self) -> Place {
        self.item().place.clone()
    }

    /// Returns the type of the value.
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

    /// Returns whether there is no value, as in `key:` or `key: null`.
    pub fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    /// Returns the items of a list.
    pub fn list(&self, problems: &mut Problems) -> Option<Vec<Node<'d>>> {
        match self.value() {
            Value::List(children) => {
                Some(children.iter().map(|index| self.with_index(*index)).collect())
            }
            _ => self.expected_parts("a list", "begin each item with `- `", problems),
        }
    }

    /// Returns a text. Numbers and booleans must be quoted, except in environment variables.
    pub fn string(&self, problems: &mut Problems) -> Option<&'d str> {
        match (self.value(), self.kind()) {
            (Value::Scalar { text, .. }, Kind::Text) => Some(text),
            (Value::Scalar { text, .. }, kind) if self.is_variable() && kind != Kind::Null => {
                Some(text)
            }
            (_, found @ (Kind::Boolean | Kind::Integer | Kind::Number)) => {
                self.report(problems, format!("expected text, found {found}; put it in quotes"));
                None
            }
            _ => self.expected("text", problems),
        }
    }

    /// Returns a boolean: `true`, `false`, or as in PyYAML `yes`, `no`, `on`, `off`.
    pub fn boolean(&self, problems: &mut Problems) -> Option<bool> {
        match self.plain().and_then(scalar::boolean) {
            Some(value) => Some(value),
            None => self.expected("true or false", problems),
        }
    }

    /// Returns an integer of a range.
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
        match self.plain().map(scalar::resolve_number) {
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

    /// Returns a finite number, with or without a fraction.
    pub fn number(&self, problems: &mut Problems) -> Option<f64> {
        match self.plain().map(scalar::resolve_number) {
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

    /// Returns a duration given in seconds, such as `30` or `0.5`.
    ///
    /// The maximum is 1,000,000,000 seconds, about 31 years: `Instant` and `SystemTime` can add that
    /// without an overflow.
    pub fn duration_s(&self, problems: &mut Problems) -> Option<Duration> {
        let seconds = match self.plain().map(scalar::resolve_number) {
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

    /// Returns the value that belongs to one of these words. Case does not matter unless two words
    /// differ in nothing else. `what` names the words in messages, as in `unknown level`.
    pub fn choice<T: Copy>(
        &self,
        what: &str,
        choices: &[(&str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let text = match self.value() {
            Value::Scalar { text, .. } if !self.is_null() => &**text,
            _ => return self.expected(&format!("a {what}"), problems),
        };
        let found = choices
            .iter()
            .find(|(choice, _)| *choice == text)
            .or_else(|| choices.iter().find(|(choice, _)| choice.eq_ignore_ascii_case(text)));
        if found.is_none() {
            self.report_unknown(problems, what, text, choices.iter().map(|(choice, _)| *choice));
        }
        found.map(|(_, value)| *value)
    }

    /// Reports a word that is not one of `valid`, with the nearest of them: `unknown handler
    /// `stdot`; did you mean `stdout`?`. A word from an environment variable is not shown.
    pub fn report_unknown<'c>(
        &self,
        problems: &mut Problems,
        what: &str,
        word: &str,
        valid: impl IntoIterator<Item = &'c str>,
    ) {
        let valid: Vec<_> = valid.into_iter().collect();
        self.report(problems, unknown_word(what, word, self.is_shown(), &valid));
    }

    /// Returns whether a message may show a word of this value, which may be a word of a part.
    pub(crate) fn is_shown(&self) -> bool {
        self.variables().is_empty()
    }

    /// Adds a problem with this value.
    pub fn report(&self, problems: &mut Problems, message: impl Into<String>) {
        self.report_at(self.index, problems, message.into());
    }

    /// Adds a problem with the key of this value.
    pub(crate) fn report_in_parent(&self, problems: &mut Problems, message: impl Into<String>) {
        self.report_at(self.item().parent.unwrap_or(self.index), problems, message.into());
    }

    fn report_at(&self, path_of: usize, problems: &mut Problems, message: String) {
        let problem = Problem::new(&self.tree.name, Some(self.place()), message);
        problems.push(problem.with_path(self.tree.path(path_of)));
    }

    /// Returns the texts in this value, at any depth, that come from environment variables.
    fn variables(&self) -> Vec<&'d str> {
        match self.value() {
            Value::Scalar { text, .. } if self.is_variable() => vec![text],
            Value::Scalar { .. } => Vec::new(),
            Value::List(children) | Value::Mapping(children) => {
                children.iter().flat_map(|child| self.with_index(*child).variables()).collect()
            }
        }
    }

    /// Returns the texts that a message on this value must not quote.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &'d str> {
        let own = match self.value() {
            Value::Scalar { text, .. } => Some(&**text),
            Value::List(_) | Value::Mapping(_) => None,
        };
        // One or two characters occur in every message.
        own.into_iter().chain(self.variables()).filter(|text| text.len() > 2)
    }

    /// Reports a value that should have been a list or a mapping.
    pub(crate) fn expected_parts<T>(
        &self,
        expected: &str,
        remedy: &str,
        problems: &mut Problems,
    ) -> Option<T> {
        let message = if self.is_variable() {
            format!("expected {expected}, which a variable cannot set; write it in the file")
        } else {
            format!("expected {expected}, found {}; {remedy}", self.kind())
        };
        self.report(problems, message);
        None
    }

    fn expected<T>(&self, expected: &str, problems: &mut Problems) -> Option<T> {
        self.report(problems, format!("expected {expected}, found {}", self.kind()));
        None
    }
}

impl fmt::Debug for Node<'_> {
    // The value is left out because it may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("place", &self.place()).field("path", &self.path()).finish()
    }
}
