//! Mistakes in the settings of a formatter.

use std::fmt;

use ml_configuration::nearest;

use super::{
    built_in::{BUILT_IN, python_attribute},
    style::FormatStyle,
};

/// Mistake in a format. `Debug` prints the same as `Display`, for `main` functions that return it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatError {
    /// A field is malformed.
    Syntax {
        /// Column in characters, from 1.
        column: usize,
        /// The mistake.
        problem: &'static str,
        /// Style of the format string.
        style: FormatStyle,
    },
    /// A field occurs twice.
    Repeated {
        /// The field.
        name: String,
        /// Column of the second occurrence.
        column: usize,
        /// Column of the first occurrence.
        first: usize,
    },
    /// A field is neither built in nor provided by a filter.
    Unknown {
        /// The field.
        name: String,
        /// Column of the field.
        column: usize,
        /// All available fields: the built-in ones and those of the filters.
        available: Vec<String>,
    },
    /// The format string has no field.
    Empty {
        /// Style of the format string.
        style: FormatStyle,
    },
    /// The format of times has an unknown directive, or is a pattern without directives.
    Time {
        /// The directive, or the whole pattern.
        directive: String,
        /// Column in characters, from 1.
        column: usize,
        /// The mistake and the remedy.
        problem: &'static str,
    },
    /// The time zone is unknown.
    TimeZone {
        /// The requested name.
        name: String,
        /// The remedy.
        remedy: String,
    },
    /// Two fields would get the same key.
    KeyTwice {
        /// The key.
        key: String,
    },
    /// A field that the format does not name would get the key of one that it names, as with reversed arguments.
    RenamedOver {
        /// The renamed field.
        from: String,
        /// Its new name.
        to: String,
    },
    /// A static field would replace the message.
    FixedMessage,
    /// A record of the Elastic Common Schema would have no time.
    NoTimestamp,
    /// A static field has the name of an object of the Elastic Common Schema.
    SchemaObject {
        /// The name.
        key: String,
    },
}

impl std::error::Error for FormatError {}

impl fmt::Debug for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { column, problem, style } => {
                let remedy = match style {
                    FormatStyle::Percent => "write a field as `%(message)s`, a percent sign as `%%`",
                    FormatStyle::Brace => "write a field as `{message}`, braces as `{{` and `}}`",
                    FormatStyle::Dollar => "write a field as `${message}`, a dollar sign as `$$`",
                    FormatStyle::Comma => "write the names of fields with commas between them",
                };
                write!(f, "log format, column {column}: {problem}; {remedy}")
            }
            Self::Repeated { name, column, first } => {
                write!(
                    f,
                    "log format, column {column}: the field `{name}` occurs in column {first} already; name it once"
                )
            }
            Self::Unknown { name, column, available } => {
                write!(f, "log format, column {column}: nothing provides the field `{name}`; ")?;
                if let Some(remedy) = python_attribute(name) {
                    return write!(f, "only records of Python have it; {remedy}");
                }
                if let Some(nearest) = nearest(name, available.iter().map(String::as_str)) {
                    write!(f, "did you mean `{nearest}`? ")?;
                } else {
                    f.write_str("remove it or add a filter that provides it; ")?;
                }
                write!(f, "available are {}", available.join(", "))
            }
            Self::Empty { style } => {
                let example = match style {
                    FormatStyle::Percent => "%(asctime)s %(levelname)s %(message)s",
                    FormatStyle::Brace => "{asctime} {levelname} {message}",
                    FormatStyle::Dollar => "${asctime} ${levelname} ${message}",
                    FormatStyle::Comma => "asctime,levelname,message",
                };
                write!(f, "log format: it names no field; write for example `{example}`; ")?;
                write!(f, "built-in fields are {}", BUILT_IN.join(", "))
            }
            Self::Time { directive, column, problem } => {
                write!(f, "time format, column {column}: `{directive}` {problem}")
            }
            Self::TimeZone { name, remedy } => write!(f, "unknown time zone `{name}`; {remedy}"),
            Self::KeyTwice { key } => write!(
                f,
                "two fields of a record would have the key `{key}`; choose another name for one of them"
            ),
            Self::RenamedOver { from, to } => write!(
                f,
                "`{from}` would be renamed to `{to}`, which every record has already; the present name comes first: to \
                 write `{to}` under the key `{from}`, swap them, or else choose another name"
            ),
            Self::FixedMessage => f.write_str(
                "a static field `message` would hide what is logged; give it another name",
            ),
            Self::NoTimestamp => f.write_str(
                "the Elastic Common Schema requires `@timestamp` in every record; it cannot be excluded",
            ),
            Self::SchemaObject { key } => write!(
                f,
                "`{key}` is an object of the Elastic Common Schema; name a field in it, as `{key}.name`"
            ),
        }
    }
}
