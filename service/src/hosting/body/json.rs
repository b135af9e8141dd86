//! Checks that a text is JSON, and counts the values in it.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Checks that a text is JSON, with serde_json's limits of depth and of numbers. Returns it with the
/// number of its values and names.
///
/// # Errors
///
/// Fails if it is not JSON.
pub(super) fn check(text: Cow<'_, [u8]>) -> serde_json::Result<(Cow<'_, str>, usize)> {
    let text = match text {
        Cow::Borrowed(text) => str::from_utf8(text).map(Cow::Borrowed).map_err(|_| Cow::from(text)),
        Cow::Owned(text) => {
            String::from_utf8(text).map(Cow::Owned).map_err(|error| Cow::Owned(error.into_bytes()))
        }
    };
    let count = Cell::new(0);
    match text {
        Ok(text) if u32::try_from(text.len()).is_err() => {
            Err(Error::custom("a body may have at most 4 GiB"))
        }
        Ok(text) => {
            read(serde_json::Deserializer::from_str(&text), &count)?;
            Ok((text, count.get()))
        }
        Err(text) => {
            // This error has the position of the invalid byte.
            read(serde_json::Deserializer::from_slice(&text), &count)?;
            Err(Error::custom("the text is not UTF-8"))
        }
    }
}

fn read<'t>(
    mut deserializer: serde_json::Deserializer<impl serde_json::de::Read<'t>>,
    count: &Cell<usize>,
) -> serde_json::Result<()> {
    Counted(count).deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Reads any value and counts it.
#[derive(Clone, Copy)]
struct Counted<'c>(&'c Cell<usize>);

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.update(|count| count + 1);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _boolean: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _number: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _number: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _number: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _text: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(self)?.is_some() {
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}
