//! Values of static fields.

use super::escape;

/// Value that is the same in every record: text, a number, a boolean, or `null` from `()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticValue {
    pub(super) json: Vec<u8>,
    /// The value is a float that JSON lacks.
    pub(super) is_missing_float: bool,
}

impl StaticValue {
    fn new(write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut json = Vec::new();
        write(&mut json);
        Self { json, is_missing_float: false }
    }
}

impl From<&str> for StaticValue {
    fn from(text: &str) -> Self {
        Self::new(|out| escape::string(out, text))
    }
}

impl From<String> for StaticValue {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<i64> for StaticValue {
    fn from(number: i64) -> Self {
        Self::new(|out| escape::integer(out, number))
    }
}

impl From<f64> for StaticValue {
    /// Converts a float. The floats that JSON lacks become text, as in other fields.
    fn from(number: f64) -> Self {
        let is_missing_float = !number.is_finite();
        Self { is_missing_float, ..Self::new(|out| escape::float(out, number)) }
    }
}

impl From<bool> for StaticValue {
    fn from(value: bool) -> Self {
        Self::new(|out| escape::boolean(out, value))
    }
}

impl From<()> for StaticValue {
    fn from((): ()) -> Self {
        Self::new(escape::null)
    }
}
