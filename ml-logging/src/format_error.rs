//! What can be wrong with what a formatter is told.

use std::fmt;

use ml_configuration::nearest;

use crate::{FormatStyle, layout::BUILT_IN};

/// The format is at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatError {
    /// Something begins like a field and is none.
    Syntax {
        /// Where, in characters, the first being 1.
        column: usize,
        /// What is wrong there.
        problem: &'static str,
        /// How fields are named in this format string.
        style: FormatStyle,
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
    Empty {
        /// How fields are named in this format string.
        style: FormatStyle,
    },
    /// The format of times has something that is no directive.
    Time {
        /// What it has.
        directive: String,
        /// Where, in characters, the first being 1.
        column: usize,
        /// What is wrong with it, and the remedy.
        problem: &'static str,
    },
    /// There is no such time zone.
    TimeZone {
        /// What has been asked for.
        name: String,
        /// What to do about it.
        remedy: String,
    },
    /// Two fields would have the same key.
    KeyTwice {
        /// The key.
        key: String,
    },
    /// The message would be replaced by something that is always the same.
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
            Self::Empty { style } => {
                let example = match style {
                    FormatStyle::Percent => "%(asctime)s %(levelname)s %(message)s",
                    FormatStyle::Brace => "{asctime} {levelname} {message}",
                    FormatStyle::Dollar => "${asctime} ${levelname} ${message}",
                    FormatStyle::Comma => "asctime,levelname,message",
                };
                write!(f, "log format: no field is named; write for example `{example}`, ")?;
                write!(f, "built in are {}", BUILT_IN.join(", "))
            }
            Self::Time { directive, column, problem } => {
                write!(f, "time format, column {column}: `{directive}` {problem}")
            }
            Self::TimeZone { name, remedy } => write!(f, "unknown time zone `{name}`; {remedy}"),
            Self::KeyTwice { key } => write!(
                f,
                "two fields of a record would have the key `{key}`; rename one of them otherwise"
            ),
            Self::FixedMessage => f.write_str(
                "a static field `message` would hide what is logged; give it another name",
            ),
            Self::NoTimestamp => f.write_str(
                "the Elastic Common Schema wants `@timestamp` in every record; it cannot be excluded",
            ),
            Self::SchemaObject { key } => write!(
                f,
                "`{key}` is an object of the Elastic Common Schema; name a field in it, as `{key}.name`"
            ),
        }
    }
}
