//! [`PredictionId`], the id that all records of one prediction share.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use arrayvec::ArrayString;
use schemars::{Schema, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::{LogValue, Violation};

const MAX_LENGTH: usize = 128;

/// Id of one prediction: a random UUID, or the caller's id of 1–128 characters of `[A-Za-z0-9._:-]`.
///
/// ```
/// use ml_model_core::PredictionId;
///
/// let id: PredictionId = "order-7".try_into()?;
/// assert_eq!(id.as_str(), "order-7");
/// assert!(PredictionId::try_from("order 7").is_err());
/// assert_ne!(PredictionId::random(), PredictionId::random());
/// # Ok::<(), ml_model_core::InvalidPredictionId>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PredictionId(Text);

/// Text of an id. An id is read several times per prediction, so a UUID is stored as text, too.
#[derive(Clone)]
enum Text {
    Uuid(ArrayString<{ Hyphenated::LENGTH }>),
    Custom(Arc<str>),
}

impl PredictionId {
    /// Name of the id in inputs, outputs and records.
    pub const FIELD: &str = "prediction_id";

    /// Pattern of valid ids for JSON Schema.
    pub const PATTERN: &str = "^[A-Za-z0-9._:-]{1,128}$";

    /// Returns whether a schema has the `prediction_id` that the [`PredictionIdDecorator`] adds, as
    /// opposed to a field of the model with that name.
    ///
    /// [`PredictionIdDecorator`]: crate::PredictionIdDecorator
    #[must_use]
    pub fn is_in(schema: &Schema) -> bool {
        schema.pointer("/properties/prediction_id").is_some_and(|property| {
            *property == *Self::property_of_inputs().as_value()
                || *property == *Self::property_of_outputs().as_value()
        })
    }

    /// Returns the schema of the id in inputs.
    pub(crate) fn property_of_inputs() -> Schema {
        json_schema!({
            "description": "Id to record this prediction under; made by the service if absent.",
            "type": ["string", "null"],
            "pattern": Self::PATTERN,
        })
    }

    /// Returns the schema of the id in outputs.
    pub(crate) fn property_of_outputs() -> Schema {
        json_schema!({
            "description": "Id under which this prediction was recorded.",
            "type": "string",
            "pattern": Self::PATTERN,
        })
    }

    /// Removes the id from the JSON form of an input. Returns `None` if it is absent or `null`.
    ///
    /// # Errors
    ///
    /// Returns a violation if the value is not a valid id.
    pub fn take_from(input: &mut Value) -> Option<Result<Self, Violation>> {
        match input.as_object_mut()?.shift_remove(Self::FIELD)? {
            Value::Null => None,
            Value::String(id) => Some(id.try_into().map_err(InvalidPredictionId::into)),
            _ => Some(Err(Violation::new(Self::FIELD, "must be a string"))),
        }
    }

    /// Creates a random (version 4) UUID.
    ///
    /// Each thread has its own random number generator, which the system seeds. A process must fork
    /// before its first prediction: a fork copies the generator, so that parent and child would create
    /// the same ids.
    #[inline]
    pub fn random() -> Self {
        Uuid::new_v4().into()
    }

    /// Returns the id as text.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Uuid(text) => text,
            Text::Custom(text) => text,
        }
    }
}

impl From<Uuid> for PredictionId {
    #[inline]
    fn from(uuid: Uuid) -> Self {
        let text = ArrayString::from_byte_string(&hyphenated(uuid));
        Self(Text::Uuid(text.expect("hexadecimal digits and hyphens are ASCII")))
    }
}

/// Returns the text of a UUID like `Uuid::hyphenated`, with a third of its instructions.
fn hyphenated(uuid: Uuid) -> [u8; Hyphenated::LENGTH] {
    let mut text = [b'-'; Hyphenated::LENGTH];
    for (index, byte) in uuid.as_bytes().iter().enumerate() {
        let hyphens = (index.saturating_sub(2) / 2).min(4);
        text[2 * index + hyphens..][..2].copy_from_slice(&HEXADECIMAL[usize::from(*byte)]);
    }
    text
}

/// Digits of each byte.
static HEXADECIMAL: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        digits[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    digits
};

impl TryFrom<&str> for PredictionId {
    type Error = InvalidPredictionId;

    fn try_from(text: &str) -> Result<Self, InvalidPredictionId> {
        if text.is_empty() {
            return Err(InvalidPredictionId::Empty);
        }
        if let Some((index, character)) =
            text.char_indices().find(|&(_, c)| !(c.is_ascii_alphanumeric() || "._:-".contains(c)))
        {
            return Err(InvalidPredictionId::Character { character, index });
        }
        if text.len() > MAX_LENGTH {
            return Err(InvalidPredictionId::TooLong { length: text.len() });
        }
        Ok(Self(Text::Custom(text.into())))
    }
}

impl TryFrom<String> for PredictionId {
    type Error = InvalidPredictionId;

    fn try_from(text: String) -> Result<Self, InvalidPredictionId> {
        text.as_str().try_into()
    }
}

impl TryFrom<&String> for PredictionId {
    type Error = InvalidPredictionId;

    fn try_from(text: &String) -> Result<Self, InvalidPredictionId> {
        text.as_str().try_into()
    }
}

impl From<PredictionId> for String {
    fn from(id: PredictionId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for PredictionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PredictionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PredictionId").field(&self.as_str()).finish()
    }
}

impl PartialEq for PredictionId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for PredictionId {}

impl std::hash::Hash for PredictionId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl AsRef<str> for PredictionId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl LogValue for PredictionId {
    type Value<'a> = &'a str;

    fn log_value(&self) -> &str {
        self.as_str()
    }
}

/// A value that converts into a [`PredictionId`]: text, a `Uuid`, or an id.
///
/// It is implemented for everything that implements `TryInto<PredictionId>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a prediction id",
    label = "expected text or a `Uuid`",
    note = "write a number as text, as in `\"25\"` or `id.to_string()`",
    note = "take the value of an `Option` first, as in `if let Some(id) = id`"
)]
pub trait IntoPredictionId {
    /// Converts into an id.
    ///
    /// # Errors
    ///
    /// Returns a violation if the value is not a valid id.
    fn into_prediction_id(self) -> Result<PredictionId, Violation>;
}

// Without the attribute, rustc would report `TryFrom` and not the remedy.
#[diagnostic::do_not_recommend]
impl<T: TryInto<PredictionId, Error: Into<Violation>>> IntoPredictionId for T {
    fn into_prediction_id(self) -> Result<PredictionId, Violation> {
        self.try_into().map_err(Into::into)
    }
}

/// Reason why a text is not a valid [`PredictionId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPredictionId {
    /// The text is empty.
    #[error("must have at least 1 character")]
    Empty,
    /// The text is longer than 128 characters.
    #[error("must have at most {MAX_LENGTH} characters, but has {length}")]
    TooLong {
        /// Number of characters.
        length: usize,
    },
    /// The text has a character outside `[A-Za-z0-9._:-]`.
    #[error(
        "must consist of letters, digits, '.', '_', ':' and '-', but has {character:?} at position {index}"
    )]
    Character {
        /// The first such character.
        character: char,
        /// Its position in bytes, from 0.
        index: usize,
    },
}

impl From<InvalidPredictionId> for Violation {
    fn from(error: InvalidPredictionId) -> Self {
        Self::new(PredictionId::FIELD, error.to_string())
    }
}

impl From<Infallible> for Violation {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
