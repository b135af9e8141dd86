//! Values that are the same in every record.

use crate::json;

/// A value that is the same in every record: text, a number, a boolean or, from `()`, `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticValue {
    pub(crate) json: Vec<u8>,
}

impl StaticValue {
    fn new(write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut json = Vec::new();
        write(&mut json);
        Self { json }
    }
}

impl From<&str> for StaticValue {
    fn from(text: &str) -> Self {
        Self::new(|out| json::string(out, text))
    }
}

impl From<String> for StaticValue {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<i64> for StaticValue {
    fn from(number: i64) -> Self {
        Self::new(|out| json::integer(out, number))
    }
}

impl From<f64> for StaticValue {
    /// Floats that JSON lacks become text, as in a record's other fields.
    fn from(number: f64) -> Self {
        Self::new(|out| json::float(out, number))
    }
}

impl From<bool> for StaticValue {
    fn from(value: bool) -> Self {
        Self::new(|out| json::boolean(out, value))
    }
}

impl From<()> for StaticValue {
    fn from((): ()) -> Self {
        Self::new(json::null)
    }
}
