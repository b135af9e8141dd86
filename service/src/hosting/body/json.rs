//! Checks with serde_json whether a text is JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Checks that a text is JSON, with serde_json's limits of depth and of numbers.
///
/// # Errors
///
/// Fails if it is not JSON, with the place.
pub(super) fn check(text: &str) -> serde_json::Result<()> {
    serde_json::from_str::<AnyValue>(text).map(drop)
}

/// Checks bytes like [`check`]. The error has the place of an invalid byte as well.
///
/// # Errors
///
/// Fails if they are not JSON, with the place.
pub(super) fn check_bytes(bytes: &[u8]) -> serde_json::Result<()> {
    serde_json::from_slice::<AnyValue>(bytes).map(drop)
}

/// Reads any value and drops it. [`serde::de::IgnoredAny`] takes some texts that are not JSON.
struct AnyValue;

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _boolean: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _number: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _number: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _number: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _text: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self, A::Error> {
        while sequence.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}
