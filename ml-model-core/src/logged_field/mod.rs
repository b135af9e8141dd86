//! The fields of log records.
//!
//! | module | contents |
//! |---|---|
//! | this one | [`LoggedField`], one field and its text form |
//! | `schema` | looks fields up in a JSON Schema |
//! | `path` | reads fields behind an `Option`, for generated code |
//! | `readable` | the fields of a refused input |
//! | `keys` | the keys that records have besides their logged fields |
//! | `error` | the reasons why a field cannot be logged |

mod error;
pub(crate) mod keys;
pub(crate) mod path;
pub(crate) mod readable;
mod schema;

use std::fmt;
use std::str::FromStr;

use schema::{Found, Naming, find};
use schemars::Schema;

use crate::policy::{Policy, Width};
use crate::prediction_id::PredictionId;
use crate::sensitive::schema::SensitiveParts;

pub use error::FieldError;
pub use keys::RECORD_KEYS;
pub use schema::FieldKind;

/// A field of the input or output that is logged: `age`, `address.zip`, `bmi as body_mass_index`,
/// `hashed(customer_id)`.
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
    policy: Option<Policy>,
    key: String,
    is_renamed: bool,
}

impl FromStr for LoggedField {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let (value, key) = match text.split_once(" as ") {
            Some((value, key)) => (value.trim(), Some(key.trim())),
            None => (text, None),
        };
        let (path, policy) = match call(value) {
            Some((name, arguments)) => {
                let (path, policy) = with_policy(name, arguments)?;
                (path, Some(policy))
            }
            None => (value, None),
        };
        let is_name = |name: &str| {
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "(),".contains(c))
        };
        if !path.split('.').all(is_name) || !key.unwrap_or(path).split('.').all(is_name) {
            return Err(FieldError::Syntax { text: text.to_owned() });
        }
        Ok(Self {
            path: path.split('.').map(str::to_owned).collect(),
            policy,
            key: key.unwrap_or(path).to_owned(),
            is_renamed: key.is_some(),
        })
    }
}

impl LoggedField {
    /// Returns the key of the field in the record.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns what the record shows instead of the value.
    #[must_use]
    pub fn policy(&self) -> Option<Policy> {
        self.policy
    }

    /// Returns whether this is the `prediction_id`, which the record contains in any case.
    #[must_use]
    pub fn is_prediction_id(&self) -> bool {
        self.key == PredictionId::FIELD && !self.is_renamed && self.policy.is_none()
    }

    /// Checks the field against the fields listed before it and against the schema of the input or
    /// output. The case of names and the separators in them do not matter: `coupon_code` is `couponCode`.
    ///
    /// # Errors
    ///
    /// Returns the reason why the field cannot be logged.
    pub fn check(&self, before: &[Self], schema: &Schema) -> Result<(), FieldError> {
        let key = self.key.clone();
        let field = || (!self.is_renamed).then(|| self.to_string());
        if key == PredictionId::FIELD || RECORD_KEYS.contains(&&*key) {
            return Err(FieldError::Reserved { key, field: field() });
        }
        if before.iter().any(|other| other.key == key) {
            return Err(FieldError::Repeated { key, field: field() });
        }
        if self.is_renamed && self.policy.is_none() && Policy::NAMES.contains(&&*key) {
            return Err(FieldError::PolicyAsKey { policy: key, path: self.path.join(".") });
        }
        let forms = match self.find(schema) {
            Ok(found) => found.forms,
            Err(FieldError::List { .. } | FieldError::NotLoggable { .. })
                if self.policy == Some(Policy::Redacted) =>
            {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let kind = FieldKind::of(&forms);
        let is_number = !matches!(kind, FieldKind::Boolean | FieldKind::Date | FieldKind::Text);
        match (self.policy, kind) {
            (None, _) if self.is_sensitive(schema) => {
                Err(FieldError::Sensitive { path: self.path.join("."), is_number })
            }
            (Some(Policy::Bucketed(_)), _) if !is_number => {
                Err(FieldError::NotANumber { path: self.path.join(".") })
            }
            (
                Some(Policy::Bucketed(Width::Decimal(_))),
                FieldKind::Integer | FieldKind::WideInteger,
            ) => Err(FieldError::DecimalWidth { path: self.path.join(".") }),
            _ => Ok(()),
        }
    }

    /// Returns whether the schema of the input or output marks the field as sensitive. In a schema with
    /// sensitive parts, a field that is not found counts as sensitive.
    pub(crate) fn is_sensitive(&self, schema: &Schema) -> bool {
        let path = self.find(schema).map_or_else(|_| self.path.clone(), |found| found.path);
        let hidden = |parts: SensitiveParts| parts.hidden_at(path.iter().map(String::as_str));
        SensitiveParts::of(schema).and_then(hidden).is_some()
    }

    /// Finds the field in a schema. A property whose name differs only in case and separators, such as
    /// `couponCode` for `coupon_code`, is the same field: attributes use the names of Rust fields, schemas
    /// the names that serde writes.
    fn find<'s>(&self, schema: &'s Schema) -> Result<Found<'s>, FieldError> {
        let exact = find(schema, &self.path, Naming::Exact);
        exact.or_else(|error| find(schema, &self.path, Naming::Loose).map_err(|_| error))
    }

    /// Replaces the names in the path by those of the schema. The key remains.
    pub(crate) fn resolve(&mut self, schema: &Schema) {
        if let Ok(found) = self.find(schema) {
            self.is_renamed |= found.path != self.path;
            self.path = found.path;
        }
    }

    /// Redacts the field, unless it has a policy already.
    pub(crate) fn redact(&mut self) {
        self.policy.get_or_insert(Policy::Redacted);
    }

    /// Returns the kind of value that the records have for the field, according to the schema of the input
    /// or output.
    ///
    /// # Errors
    ///
    /// Returns an error if the schema has no such field, or if the field is not a single value.
    pub fn kind(&self, schema: &Schema) -> Result<FieldKind, FieldError> {
        let found = self.find(schema);
        match self.policy {
            Some(Policy::Redacted | Policy::Hashed) => Ok(FieldKind::Text),
            Some(Policy::Bucketed(Width::Decimal(_))) => Ok(FieldKind::Number),
            _ => Ok(FieldKind::of(&found?.forms)),
        }
    }

    /// Returns the path from the root of the input or output to the field.
    pub(crate) fn path(&self) -> &[String] {
        &self.path
    }

    /// Parses a field that the derive or `Display` has written.
    pub(crate) fn listed(text: &str) -> Self {
        text.parse().expect("the derive and `Display` write valid fields")
    }
}

/// Returns the key in the text form of a field: `zip` of `address.zip as zip`.
pub(crate) fn key_of(listed: &'static str) -> &'static str {
    if let Some((_value, key)) = listed.rsplit_once(" as ") {
        return key;
    }
    let arguments = call(listed).map_or(listed, |(_policy, arguments)| arguments);
    arguments.split_once(',').map_or(arguments, |(path, _width)| path)
}

/// Splits `hashed(customer_id)` into its name and what its parentheses contain. `tags.len()` is a call of a
/// method, not a policy.
fn call(text: &str) -> Option<(&str, &str)> {
    text.strip_suffix(')')?.split_once('(').filter(|(name, _)| !name.contains('.'))
}

/// Reads the path and the policy of a field such as `bucketed(age, 10)`.
fn with_policy<'t>(name: &str, arguments: &'t str) -> Result<(&'t str, Policy), FieldError> {
    let (path, width) = match arguments.split_once(',') {
        Some((path, width)) => (path.trim(), Some(width.trim())),
        None => (arguments.trim(), None),
    };
    let policy = match (name.trim(), width) {
        ("redacted", None) => Policy::Redacted,
        ("hashed", None) => Policy::Hashed,
        ("bucketed", Some(width)) => Policy::Bucketed(
            Width::parse(width).ok_or_else(|| FieldError::Width { width: width.to_owned() })?,
        ),
        ("bucketed", None) => return Err(FieldError::NoWidth { path: path.to_owned() }),
        (policy @ ("redacted" | "hashed"), Some(_)) => {
            return Err(FieldError::Arguments { policy: policy.to_owned() });
        }
        (unknown, _) => return Err(FieldError::UnknownPolicy { name: unknown.to_owned() }),
    };
    Ok((path, policy))
}

/// Writes the text form: `address.zip as zip`, `hashed(customer_id)`.
impl fmt::Display for LoggedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.join(".");
        match &self.policy {
            None => f.write_str(&path)?,
            Some(Policy::Redacted) => write!(f, "redacted({path})")?,
            Some(Policy::Hashed) => write!(f, "hashed({path})")?,
            Some(Policy::Bucketed(width)) => write!(f, "bucketed({path}, {width})")?,
        }
        if self.is_renamed { write!(f, " as {}", self.key) } else { Ok(()) }
    }
}

/// Logged fields of a model, in the order of the records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedFields {
    /// Fields of the input, in the record `Prediction requested.`
    pub input: Vec<LoggedField>,
    /// Fields of the output, in the record `Prediction created.`
    pub output: Vec<LoggedField>,
}

impl LoggedFields {
    /// Adds the fields of another decorator in the same stack, except those whose key is present.
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
