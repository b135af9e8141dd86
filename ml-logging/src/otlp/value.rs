//! Values of OpenTelemetry from the JSON of a record.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Value of a field. Values without a counterpart in OpenTelemetry are strings.
pub(super) enum Scalar {
    Bool(bool),
    Integer(i64),
    Float(f64),
    String(String),
}

impl Scalar {
    /// Reads a JSON value. `None` for `null`, which attributes of OpenTelemetry do not support.
    pub(super) fn read(json: &str) -> Option<Self> {
        Some(match json.as_bytes() {
            b"null" => return None,
            b"true" => Self::Bool(true),
            b"false" => Self::Bool(false),
            [b'"', ..] => Self::String(text(json)),
            [b'{' | b'[', ..] => Self::String(json.to_owned()),
            _ => match json.parse() {
                Ok(integer) => Self::Integer(integer),
                // An integer that needs more than 64 bits keeps its digits.
                Err(_) if !json.contains(['.', 'e', 'E']) => Self::String(json.to_owned()),
                Err(_) => json.parse().map_or_else(|_| Self::String(json.to_owned()), Self::Float),
            },
        })
    }
}

/// Returns the text of a JSON string.
pub(super) fn text(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())
}

/// Members of a JSON object in order.
pub(super) struct Members<'j>(pub(super) Vec<(Cow<'j, str>, &'j RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a record")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(24);
                while let Some((key, value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    members.push((key.0, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// Key that is borrowed unless it has escapes. The `Cow` of serde is never borrowed.
#[derive(serde::Deserialize)]
struct Key<'j>(#[serde(borrow)] Cow<'j, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_type_and_their_digits() {
        assert!(matches!(Scalar::read("-7"), Some(Scalar::Integer(-7))));
        assert!(matches!(Scalar::read("42.0"), Some(Scalar::Float(value)) if value == 42.0));
        assert!(matches!(Scalar::read("1e300"), Some(Scalar::Float(value)) if value == 1e300));
        let digits = u128::MAX.to_string();
        assert!(matches!(Scalar::read(&digits), Some(Scalar::String(text)) if text == digits));
        assert!(Scalar::read("null").is_none());
    }

    #[test]
    fn members_stay_in_order_and_escapes_are_undone() {
        let members: Members<'_> = serde_json::from_str(r#"{"b":1,"a\n":"x\"y"}"#).unwrap();
        let [(first, _), (second, value)] = &members.0[..] else { panic!("two members") };
        assert_eq!((&**first, &**second), ("b", "a\n"));
        assert_eq!(text(value.get()), "x\"y");
    }
}
