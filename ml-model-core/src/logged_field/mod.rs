//! The fields of log records.
//!
//! | module | contents |
//! |---|---|
//! | this one | [`LoggedField`], one field and its text form |
//! | `schema` | looks fields up in a JSON Schema |
//! | `keys` | the keys that records have besides their logged fields |
//! | `error` | the reasons why a field cannot be logged |

mod error;
pub(crate) mod keys;
mod schema;

use std::fmt;
use std::str::FromStr;

use schema::{Naming, find};
use schemars::Schema;

use crate::prediction_id::PredictionId;

pub use error::FieldError;
pub use keys::RECORD_KEYS;
pub use schema::FieldKind;

/// A field of the input or output that is logged: `age`, `address.zip`, `bmi as body_mass_index`.
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
        let is_name = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
        if !path.split('.').all(is_name) || !key.unwrap_or(path).split('.').all(is_name) {
            return Err(FieldError::Syntax { text: text.to_owned() });
        }
        Ok(Self {
            path: path.split('.').map(str::to_owned).collect(),
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

    /// Returns whether this is the `prediction_id`, which the record contains in any case.
    #[must_use]
    pub fn is_prediction_id(&self) -> bool {
        self.key == PredictionId::FIELD && !self.is_renamed
    }

    /// Checks the field against the fields listed before it and against the schema of the input or
    /// output.
    ///
    /// # Errors
    ///
    /// Returns the reason why the field cannot be logged.
    pub fn check(&self, before: &[Self], schema: &Schema) -> Result<(), FieldError> {
        let key = self.key.clone();
        let is_renamed = self.is_renamed;
        if key == PredictionId::FIELD || RECORD_KEYS.contains(&&*key) {
            return Err(FieldError::Reserved { key, is_renamed });
        }
        if before.iter().any(|other| other.key == key) {
            return Err(FieldError::Repeated { key, is_renamed });
        }
        find(schema, &self.path, Naming::Exact).map(|_forms| ())
    }

    /// Returns the kind of value that the schema of the input or output declares for the field.
    ///
    /// Attributes use the names of Rust fields, schemas the names that serde writes: a property whose
    /// name differs only in case and separators, such as `couponCode` for `coupon_code`, is the same
    /// field.
    ///
    /// # Errors
    ///
    /// Returns an error if the schema has no such field, or if the field is not a single value.
    pub fn kind(&self, schema: &Schema) -> Result<FieldKind, FieldError> {
        let forms = find(schema, &self.path, Naming::Exact)
            .or_else(|_| find(schema, &self.path, Naming::Loose))?;
        Ok(FieldKind::of(&forms))
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
    listed.rsplit_once(" as ").map_or(listed, |(_path, key)| key)
}

/// Writes the text form: `address.zip as zip`.
impl fmt::Display for LoggedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.join("."))?;
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
