//! The logging decorator of a configuration: fields named at start-up, the same records.

use std::fmt;
use std::str::FromStr;

use schemars::Schema;
use serde::Serialize;
use serde_json::Value;
use tracing::Level;

use super::pick::{Picked, Wanted, pick};
use super::{LogSites, LoggingDecorator, Record, Recorder};
use crate::{MLModel, PredictionId};

/// What stands in the records of a configured [`LoggingDecorator`]; see
/// [`LoggingDecorator::configured`].
#[derive(Debug, Clone)]
pub struct LoggingOptions {
    /// Target of the records, which is their `name` in the log.
    pub target: String,
    /// Level of the records of requests and predictions; failures are at ERROR.
    pub level: Level,
    /// Fields of the input, in order.
    pub input_fields: Vec<LoggedField>,
    /// Fields of the output, in order.
    pub output_fields: Vec<LoggedField>,
    /// The file that configures the decorator: `pathname` of the records.
    pub file: String,
    /// The line where it does: `lineno` of the records.
    pub line: u32,
}

impl LoggingOptions {
    /// Records without fields, at INFO, to the logger that a model of this name has by default.
    #[must_use]
    pub fn new(qualified_name: &str) -> Self {
        Self {
            target: format!("{qualified_name}_logger"),
            level: Level::INFO,
            input_fields: Vec::new(),
            output_fields: Vec::new(),
            file: String::new(),
            line: 0,
        }
    }
}

/// Reads fields by their names in the JSON form of input and output; made by
/// [`LoggingDecorator::configured`].
#[derive(Debug)]
pub struct ConfiguredFields {
    sites: &'static LogSites,
    input: Fields,
    output: Fields,
}

#[derive(Debug)]
struct Fields {
    wanted: Wanted,
    len: usize,
}

impl Fields {
    fn new(fields: &[LoggedField]) -> Self {
        let wanted = Wanted::new(fields.iter().map(|field| field.path.as_slice()));
        Self { wanted, len: fields.len() }
    }

    fn record(&self, record: Record<'_>, value: &impl Serialize) {
        let mut picked = vec![Picked::Null; self.len];
        pick(value, &self.wanted, &mut picked);
        record.write_all(picked.iter().map(Picked::value));
    }
}

impl LoggingDecorator<ConfiguredFields> {
    /// A decorator whose fields are known at start-up only. Its records are those of
    /// `#[decorate(logging(...))]`, field for field, as long as the names that serde writes are
    /// those of the Rust fields.
    ///
    /// For the names of its fields it takes memory that is never given back: `tracing` wants them to live
    /// as long as the program. To be made once per configured decorator.
    #[must_use]
    pub fn configured(options: LoggingOptions) -> Self {
        let LoggingOptions { target, level, input_fields, output_fields, file, line } = options;
        let (input, output) = (Fields::new(&input_fields), Fields::new(&output_fields));
        let keys = |fields: Vec<LoggedField>| -> &'static [&'static str] {
            let keys: Vec<&'static str> =
                fields.into_iter().map(|field| &*field.key.leak()).collect();
            keys.leak()
        };
        let sites = LogSites::at(
            (file.leak(), line),
            target.leak(),
            level,
            keys(input_fields),
            keys(output_fields),
        );
        Self::new(ConfiguredFields { sites: Box::leak(Box::new(sites)), input, output })
    }
}

impl<M> Recorder<M> for ConfiguredFields
where
    M: MLModel,
    M::Input: Serialize,
    M::Output: Serialize,
{
    fn sites(&self) -> &'static LogSites {
        self.sites
    }

    fn requested(&self, record: Record<'_>, input: &M::Input) {
        self.input.record(record, input);
    }

    fn created(&self, record: Record<'_>, output: &M::Output) {
        self.output.record(record, output);
    }
}

/// A field to be recorded: `age`, `address.zip`, `bmi as body_mass_index`.
///
/// ```
/// use ml_model_core::decorators::logging::LoggedField;
///
/// let field: LoggedField = "address.zip as zip".parse()?;
/// assert_eq!(field.key(), "zip");
/// # Ok::<(), ml_model_core::decorators::logging::FieldError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedField {
    path: Vec<String>,
    key: String,
    is_renamed: bool,
}

impl FromStr for LoggedField {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let (path, key) = match text.split_once(" as ") {
            Some((path, key)) => (path.trim(), Some(key.trim())),
            None => (text, None),
        };
        let no_field = || FieldError::Syntax { text: text.to_owned() };
        let is_name = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
        if !path.split('.').all(is_name) || !key.unwrap_or(path).split('.').all(is_name) {
            return Err(no_field());
        }
        Ok(Self {
            path: path.split('.').map(str::to_owned).collect(),
            key: key.unwrap_or(path).to_owned(),
            is_renamed: key.is_some(),
        })
    }
}

/// What a record holds besides its fields, whatever they are.
const RECORD_KEYS: &[&str] = &[
    "message",
    "action",
    "model_qualified_name",
    "model_version",
    "batch_id",
    "row",
    "status",
    "duration_ms",
    "error_info",
];

impl LoggedField {
    /// The field's key in the record.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether this is the `prediction_id`, which may be named but is on the record anyway.
    #[must_use]
    pub fn is_prediction_id(&self) -> bool {
        self.key == PredictionId::FIELD && !self.is_renamed
    }

    /// Checks the field against those listed before it and against the schema of the input or
    /// output that it is to be read from.
    ///
    /// # Errors
    ///
    /// Why it cannot be recorded.
    pub fn check(&self, before: &[Self], schema: &Schema) -> Result<(), FieldError> {
        let key = self.key.clone();
        let is_renamed = self.is_renamed;
        if key == PredictionId::FIELD || RECORD_KEYS.contains(&&*key) {
            return Err(FieldError::Reserved { key, is_renamed });
        }
        if before.iter().any(|other| other.key == key) {
            return Err(FieldError::Repeated { key, is_renamed });
        }
        let schema = schema.as_value();
        find(schema, schema, &self.path, None)
    }
}

/// Why a field cannot be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The text is not a field.
    #[error("`{text}` is not a field: expected `age`, `address.zip` or `bmi as body_mass_index`")]
    Syntax {
        /// The text.
        text: String,
    },
    /// The records have a key of this name already.
    #[error("every record has its own `{key}`: {}", rename(key, *is_renamed))]
    Reserved {
        /// The key.
        key: String,
        /// Whether the field has it from an `as`.
        is_renamed: bool,
    },
    /// Another field has this key.
    #[error("{}", repeated(key, *is_renamed))]
    Repeated {
        /// The key.
        key: String,
        /// Whether the field has it from an `as`.
        is_renamed: bool,
    },
    /// The schema has no such field.
    #[error("unknown field `{name}`; valid are {}", Quoted(known))]
    Unknown {
        /// The part of the path that is not known.
        name: String,
        /// The fields there are.
        known: Vec<String>,
    },
    /// What the path goes through is a single value.
    #[error("{} is {kind} and has no fields", outer(of.as_deref()))]
    NoFields {
        /// The field that has none; `None` for the input or output as a whole.
        of: Option<String>,
        /// What it is.
        kind: &'static str,
    },
    /// The field is not a single value.
    #[error("{} is {kind}, which is not a single value: name {remedy}", outer(name.as_deref()))]
    NotLoggable {
        /// The field; `None` for the input or output as a whole.
        name: Option<String>,
        /// What it is.
        kind: &'static str,
        /// What to name instead.
        remedy: &'static str,
    },
    /// The field is a list, or in one.
    #[error("{} is a list: lists cannot be logged", outer(name.as_deref()))]
    List {
        /// The list; `None` for the input or output as a whole.
        name: Option<String>,
    },
}

/// A field that another one is inside of.
fn outer(name: Option<&str>) -> String {
    name.map_or_else(|| "the whole".to_owned(), |name| format!("`{name}`"))
}

fn rename(key: &str, is_renamed: bool) -> String {
    if is_renamed {
        "choose another name".to_owned()
    } else {
        format!("rename the field, as in `{key} as {key}_value`")
    }
}

fn repeated(key: &str, is_renamed: bool) -> String {
    if is_renamed {
        format!("another field is named `{key}` already: choose another name")
    } else {
        format!(
            "`{key}` is listed twice: remove one of them, or rename it, as in `{key} as other_name`"
        )
    }
}

struct Quoted<'a>(&'a [String]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}`{name}`")?;
        }
        Ok(())
    }
}

/// Looks for the field at `path` in what `schema`, the part of `root` called `name`, describes; the
/// root has no name. What a schema leaves open is accepted.
fn find(
    root: &Value,
    schema: &Value,
    path: &[String],
    name: Option<&str>,
) -> Result<(), FieldError> {
    let mut forms = Vec::new();
    expand(root, schema, &mut forms, 0);
    let is_of = |kind: &str| {
        forms.iter().any(|form| match form.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().any(|known| known == kind),
            Some(known) => known == kind,
            None => false,
        })
    };
    let name = name.map(str::to_owned);
    let Some((first, rest)) = path.split_first() else {
        let has_parts = forms.iter().any(|form| form.get("prefixItems").is_some());
        return match (is_of("object"), is_of("array")) {
            (true, _) => Err(FieldError::NotLoggable {
                name,
                kind: "an object",
                remedy: "a field inside it by its path",
            }),
            (_, true) if has_parts => Err(FieldError::NotLoggable {
                name,
                kind: "a list",
                remedy: "an item of it by its number, as in `point.0`",
            }),
            (_, true) => Err(FieldError::List { name }),
            _ => Ok(()),
        };
    };
    let mut known = Vec::new();
    let mut is_open = forms.is_empty();
    for form in &forms {
        if let Some(properties) = form.get("properties").and_then(Value::as_object) {
            if let Some(inner) = properties.get(first) {
                return find(root, inner, rest, Some(first));
            }
            known.extend(properties.keys().cloned());
        }
        for (index, inner) in
            form.get("prefixItems").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            if *first == index.to_string() {
                return find(root, inner, rest, Some(first));
            }
            known.push(index.to_string());
        }
        // A map, or anything at all.
        is_open |= form.get("additionalProperties").is_some_and(|more| *more != false)
            || form.as_object().is_some_and(|form| {
                !["type", "enum", "const"].iter().any(|key| form.contains_key(*key))
            });
    }
    if is_open && known.is_empty() {
        return Ok(());
    }
    if known.is_empty() && is_of("array") {
        return Err(FieldError::List { name });
    }
    if known.is_empty() {
        let kinds = [
            ("object", "an object"),
            ("string", "text"),
            ("integer", "an integer"),
            ("number", "a number"),
            ("boolean", "a boolean"),
        ];
        let kind = kinds.into_iter().find(|(kind, _)| is_of(kind));
        return Err(FieldError::NoFields {
            of: name,
            kind: kind.map_or("a single value", |(_, words)| words),
        });
    }
    known.dedup();
    Err(FieldError::Unknown { name: first.clone(), known })
}

/// Collects the schemas without references and choices that a value may or must keep to.
fn expand<'s>(root: &'s Value, schema: &'s Value, forms: &mut Vec<&'s Value>, depth: usize) {
    // References may go in circles.
    const DEEPEST: usize = 16;
    if depth > DEEPEST {
        return;
    }
    let mut is_form = true;
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        is_form = schema.get("properties").is_some();
        if let Some(target) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer))
        {
            expand(root, target, forms, depth + 1);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(branches) = schema.get(key).and_then(Value::as_array) {
            is_form = is_form && schema.get("properties").is_some();
            for branch in branches {
                expand(root, branch, forms, depth + 1);
            }
        }
    }
    if is_form {
        forms.push(schema);
    }
}
