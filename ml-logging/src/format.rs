//! The format string: which keys a record starts with, and in which order.

use std::fmt;

use ml_configuration::nearest;

use crate::layout::BUILT_IN;

/// The format that is used when none is given.
pub(crate) const DEFAULT_FORMAT: &str = "%(asctime)s %(hostname)s %(process)s %(thread)s %(name)s \
     %(pathname)s %(lineno)s %(levelname)s %(message)s";

/// The keys of a record and their order, from a format string of Python's `logging`.
///
/// Only the names and their order count, as in `python-json-logger`: conversions such as `s`,
/// `d` or `-8s` must be well formed but do not change the value, and text between the fields is
/// ignored. `%%` stands for a percent sign, so `%%(name)s` names no field.
///
/// ```
/// use ml_logging::JsonFormatter;
///
/// let formatter = JsonFormatter::new("%(asctime)s [%(levelname)-8s] %(message)s")?;
/// assert_eq!(formatter.fields().collect::<Vec<_>>(), ["asctime", "levelname", "message"]);
///
/// let error = JsonFormatter::new("%(asctime)s %(message").unwrap_err();
/// assert!(error.to_string().starts_with("log format, column 13: "));
/// # Ok::<(), ml_logging::FormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFormatter {
    fields: Vec<FormatField>,
}

/// A field and where the format string names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FormatField {
    pub(crate) name: String,
    pub(crate) column: usize,
}

impl JsonFormatter {
    /// Reads a format string.
    ///
    /// Whether something provides each field is known only with the filters, so that is checked
    /// when the logging is built.
    ///
    /// # Errors
    ///
    /// A field that is not closed or has no conversion, a field named twice, or no field at all.
    pub fn new(format: &str) -> Result<Self, FormatError> {
        let mut fields: Vec<FormatField> = Vec::new();
        let mut rest = format;
        while let Some(start) = rest.find('%') {
            let column = format[..format.len() - rest.len() + start].chars().count() + 1;
            let after = &rest[start + 1..];
            let Some(field) = after.strip_prefix('(') else {
                rest = after.strip_prefix('%').unwrap_or(after);
                continue;
            };
            let (name, after) = match field.split_once(')') {
                Some((name, after)) if !name.contains(['(', '%']) => (name, after),
                _ => {
                    return Err(FormatError::Syntax { column, problem: "`%(` is never closed" });
                }
            };
            if name.is_empty() {
                return Err(FormatError::Syntax { column, problem: "the field has no name" });
            }
            let Some(after) = skip_conversion(after) else {
                return Err(FormatError::Syntax { column, problem: "the field has no conversion" });
            };
            if let Some(first) = fields.iter().find(|field| field.name == name) {
                return Err(FormatError::Repeated {
                    name: name.to_owned(),
                    column,
                    first: first.column,
                });
            }
            fields.push(FormatField { name: name.to_owned(), column });
            rest = after;
        }
        if fields.is_empty() { Err(FormatError::Empty) } else { Ok(Self { fields }) }
    }

    /// The names of the fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    pub(crate) fn into_fields(self) -> Vec<FormatField> {
        self.fields
    }
}

/// What stands after `)`: flags, width, precision and a conversion letter, as Python defines them.
fn skip_conversion(text: &str) -> Option<&str> {
    let number =
        |text: &str| text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '*').len();
    let text = text.trim_start_matches(['#', '0', '+', ' ', '-']);
    let mut text = &text[text.len() - number(text)..];
    if let Some(precision) = text.strip_prefix('.') {
        text = &precision[precision.len() - number(precision)..];
    }
    text.strip_prefix(|c: char| "diouxXeEfFgGcrsa".contains(c))
}

/// The format string is at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatError {
    /// `%(` begins something that is not a field.
    Syntax {
        /// Where, in characters, the first being 1.
        column: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// A field is named a second time.
    Repeated {
        /// The field.
        name: String,
        /// Where it stands the second time.
        column: usize,
        /// Where it stands the first time.
        first: usize,
    },
    /// Neither a record nor a filter has such a field.
    Unknown {
        /// The field.
        name: String,
        /// Where it stands.
        column: usize,
        /// All fields there are: the built-in ones and those of the filters.
        available: Vec<String>,
    },
    /// The format string names no field.
    Empty,
}

impl std::error::Error for FormatError {}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { column, problem } => {
                write!(
                    f,
                    "log format, column {column}: {problem}; write a field as `%(message)s`, a percent sign as `%%`"
                )
            }
            Self::Repeated { name, column, first } => {
                write!(
                    f,
                    "log format, column {column}: the field `{name}` stands already in column {first}; name it once"
                )
            }
            Self::Unknown { name, column, available } => {
                write!(f, "log format, column {column}: nothing provides the field `{name}`; ")?;
                if let Some(nearest) = nearest(name, available.iter().map(String::as_str)) {
                    write!(f, "did you mean `{nearest}`? ")?;
                } else {
                    f.write_str("remove it or add a filter that provides it; ")?;
                }
                write!(f, "available are {}", available.join(", "))
            }
            Self::Empty => {
                write!(
                    f,
                    "log format: no field is named; write for example `%(asctime)s %(levelname)s %(message)s`, "
                )?;
                write!(f, "built in are {}", BUILT_IN.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(format: &str) -> Vec<String> {
        JsonFormatter::new(format).unwrap().fields().map(str::to_owned).collect()
    }

    #[test]
    fn names_are_kept_in_order_and_text_is_ignored() {
        assert_eq!(names("%(b)s, then %(a)s!"), ["b", "a"]);
        assert_eq!(names("%%(no)s 100% %s %(yes)s"), ["yes"]);
        assert_eq!(names("%(a)-8s%(b)05d%(c).3f%(d)#*.*x%(e)r"), ["a", "b", "c", "d", "e"]);
        assert_eq!(names(DEFAULT_FORMAT).len(), 9);
    }

    #[test]
    fn mistakes_name_their_column() {
        let column = |format: &str| match JsonFormatter::new(format) {
            Err(FormatError::Syntax { column, .. }) => column,
            other => panic!("{format}: {other:?}"),
        };
        assert_eq!(column("%(a"), 1);
        assert_eq!(column("é %(a)s %(b %(c)s"), 9);
        assert_eq!(column("%(a)s %()s"), 7);
        assert_eq!(column("%(a)"), 1);
        assert_eq!(column("%(a)s %(b)q"), 7);
        assert_eq!(column("%(a)8 %(b)s"), 1);
    }

    #[test]
    fn a_repeated_field_names_both_places() {
        let error = JsonFormatter::new("%(a)s %(b)s %(a)d").unwrap_err();
        assert_eq!(error, FormatError::Repeated { name: "a".into(), column: 13, first: 1 });
    }

    #[test]
    fn a_format_without_fields_is_refused() {
        for format in ["", "{asctime}", "100 %", "%%(asctime)s"] {
            assert_eq!(JsonFormatter::new(format), Err(FormatError::Empty), "{format}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(format: String, percent in "[%()sd a-c]{0,40}") {
            let _ = JsonFormatter::new(&format);
            let _ = JsonFormatter::new(&percent);
        }

        #[test]
        fn distinct_names_between_any_text_come_back(
            fields in proptest::collection::btree_set("[^()%]{1,12}", 1..12),
            text in "[^%]{0,12}",
        ) {
            let format: String = fields.iter().map(|name| format!("{text}%({name})s")).collect();
            prop_assert_eq!(names(&format), fields.into_iter().collect::<Vec<_>>());
        }
    }
}
