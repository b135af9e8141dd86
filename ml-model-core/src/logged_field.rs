//! The fields that records hold: as they are listed, and as a JSON Schema describes them.

use std::fmt;
use std::str::FromStr;

use schemars::Schema;
use serde_json::{Map, Value};

use crate::prediction_id::PredictionId;

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

/// Keys that every record has, whatever its fields are. `prediction_id` is apart: naming it among the
/// fields is no mistake.
pub const RECORD_KEYS: &[&str] = &[
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
        find(schema, schema, &self.path, None, Naming::Exact).map(|_forms| ())
    }

    /// Tells what kind of value the schema of the input or output has for the field.
    ///
    /// An attribute names fields as Rust does, a schema as serde does: a property whose name differs in
    /// case and separators only, such as `couponCode` for `coupon_code`, is the same field.
    ///
    /// # Errors
    ///
    /// If the schema has no such field, or one that is not a single value.
    pub fn kind(&self, schema: &Schema) -> Result<FieldKind, FieldError> {
        let schema = schema.as_value();
        let forms = find(schema, schema, &self.path, None, Naming::Exact)
            .or_else(|_| find(schema, schema, &self.path, None, Naming::Loose))?;
        Ok(FieldKind::of(&forms))
    }

    /// Names from the root of the input or output to the field.
    pub(crate) fn path(&self) -> &[String] {
        &self.path
    }

    /// Reads a field as generated code lists it.
    pub(crate) fn listed(text: &str) -> Self {
        text.parse().expect("the derive and `Display` write fields that can be read")
    }
}

/// Key of a field as it is listed: `zip` of `address.zip as zip`.
pub(crate) fn key_of(listed: &'static str) -> &'static str {
    listed.rsplit_once(" as ").map_or(listed, |(_path, key)| key)
}

/// Writes the field as it is listed: `address.zip as zip`.
impl fmt::Display for LoggedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.join("."))?;
        if self.is_renamed { write!(f, " as {}", self.key) } else { Ok(()) }
    }
}

/// Fields that the records of a model hold, in the order in which they are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedFields {
    /// Fields of the input, in `Prediction requested.`
    pub input: Vec<LoggedField>,
    /// Fields of the output, in `Prediction created.`
    pub output: Vec<LoggedField>,
}

impl LoggedFields {
    /// Adds the fields of another decorator of the same stack; those with the same key are the same.
    pub(crate) fn extend(&mut self, more: Self) {
        for (fields, more) in [(&mut self.input, more.input), (&mut self.output, more.output)] {
            for field in more {
                if fields.iter().all(|known| known.key != field.key) {
                    fields.push(field);
                }
            }
        }
    }
}

/// What a schema says of the value of a logged field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// `true` or `false`.
    Boolean,
    /// A whole number within 64 bits, with a sign.
    Integer,
    /// A whole number that may lie beyond that.
    WideInteger,
    /// A number.
    Number,
    /// A date, or a date with a time, as RFC 3339 writes them.
    Date,
    /// Text.
    Text,
    /// Values of several kinds, or whatever the schema leaves open.
    Any,
}

impl FieldKind {
    /// The kind that all values have which keep to one of `forms`; `null` has none.
    fn of(forms: &[&Value]) -> Self {
        let mut kinds = forms.iter().flat_map(|form| Self::of_form(form));
        let Some(first) = kinds.next() else { return Self::Any };
        kinds.fold(first, |kind, other| match (kind, other) {
            (kind, other) if kind == other => kind,
            (Self::Integer, Self::WideInteger) | (Self::WideInteger, Self::Integer) => {
                Self::WideInteger
            }
            (
                Self::Integer | Self::WideInteger | Self::Number,
                Self::Integer | Self::WideInteger | Self::Number,
            ) => Self::Number,
            (Self::Date | Self::Text, Self::Date | Self::Text) => Self::Text,
            _ => Self::Any,
        })
    }

    fn of_form(form: &Value) -> Vec<Self> {
        let format = form.get("format").and_then(Value::as_str).unwrap_or_default();
        let of_name = |name: &str| match name {
            "null" => None,
            "boolean" => Some(Self::Boolean),
            "integer" => {
                let may_be_wide = matches!(format, "uint" | "uint64" | "uint128" | "int128");
                let is_bounded = form.get("maximum").is_some_and(|maximum| {
                    maximum.as_f64().is_some_and(|maximum| maximum <= i64::MAX as f64)
                });
                Some(if may_be_wide && !is_bounded { Self::WideInteger } else { Self::Integer })
            }
            "number" => Some(Self::Number),
            "string" if matches!(format, "date" | "date-time") => Some(Self::Date),
            "string" => Some(Self::Text),
            _ => Some(Self::Any),
        };
        match form.get("type") {
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).filter_map(of_name).collect()
            }
            Some(name) => name.as_str().and_then(of_name).into_iter().collect(),
            None => {
                let listed = form.get("enum").and_then(Value::as_array).into_iter().flatten();
                let values: Vec<&Value> = listed.chain(form.get("const")).collect();
                if values.is_empty() {
                    return vec![Self::Any];
                }
                values.into_iter().filter_map(|value| of_name(kind_name(value))).collect()
            }
        }
    }
}

/// Name that JSON Schema has for the kind of a value.
fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// How the names of a path are compared with those of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    Exact,
    /// Case, `_` and `-` make no difference.
    Loose,
}

impl Naming {
    fn property<'s>(
        self,
        properties: &'s Map<String, Value>,
        name: &str,
    ) -> Option<(&'s str, &'s Value)> {
        let letters = |name: &str| -> String {
            let letters = name.chars().filter(|c| !matches!(c, '_' | '-'));
            letters.flat_map(char::to_lowercase).collect()
        };
        let property = match self {
            Self::Exact => properties.get_key_value(name),
            Self::Loose => properties.iter().find(|(known, _)| letters(known) == letters(name)),
        };
        property.map(|(name, schema)| (name.as_str(), schema))
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
        format!("another field is already named `{key}`: choose another name")
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

/// Looks for the field at `path` in what `schema`, the part of `root` called `name`, describes, and
/// returns the forms that its value may have; the root has no name. What a schema leaves open is
/// accepted, without forms.
fn find<'s>(
    root: &'s Value,
    schema: &'s Value,
    path: &[String],
    name: Option<&str>,
    naming: Naming,
) -> Result<Vec<&'s Value>, FieldError> {
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
            _ => Ok(forms),
        };
    };
    let mut known = Vec::new();
    let mut is_open = forms.is_empty();
    for form in &forms {
        if let Some(properties) = form.get("properties").and_then(Value::as_object) {
            if let Some((name, inner)) = naming.property(properties, first) {
                return find(root, inner, rest, Some(name), naming);
            }
            known.extend(properties.keys().cloned());
        }
        for (index, inner) in
            form.get("prefixItems").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            if *first == index.to_string() {
                return find(root, inner, rest, Some(first), naming);
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
        return Ok(Vec::new());
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
