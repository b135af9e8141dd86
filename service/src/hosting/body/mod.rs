//! The body of a request as an index over its text.
//!
//! The index notes where each value begins and ends, so that every value still has its text: numbers keep
//! all their digits, and the model reads exactly what the client has sent. It needs 16 bytes per value or
//! name. Texts without escapes and exponents are checked while they are indexed; `serde_json` decides
//! whether any other text is JSON, and reports what is wrong.
//!
//! | module | contents |
//! |---|---|
//! | `index` | finds the values in the text |
//! | `json` | checks with `serde_json` whether a text is JSON |
//! | `rewrite` | texts with other members or other spellings of numbers |
//! | `number` | numbers with all their digits |

mod index;
mod json;
mod number;
mod rewrite;

use std::borrow::Cow;

use index::{Entry, Kind};
pub(crate) use number::Number;
use serde::de::Error as _;

/// A text that is JSON, and its index.
#[derive(Debug)]
pub(crate) struct Parsed<'t> {
    text: Cow<'t, str>,
    entries: Vec<Entry>,
}

impl<'t> Parsed<'t> {
    /// Parses a text. Of several members with the same name only the last one remains, because other
    /// parsers may choose another one.
    ///
    /// # Errors
    ///
    /// Fails if the text is not JSON.
    pub(crate) fn new(text: impl Into<Cow<'t, [u8]>>) -> serde_json::Result<Self> {
        let text = text_of(text.into())?;
        let parsed = Self { entries: indexed(&text)?, text };
        let body = parsed.body();
        if !body.has_repeated_names() {
            return Ok(parsed);
        }
        let text = body.with_distinct_names();
        Ok(Self { entries: indexed(&text)?, text: text.into() })
    }

    /// Returns the whole value.
    pub(crate) fn body(&self) -> Body<'_> {
        Body { text: &self.text, entries: &self.entries }
    }
}

/// Returns the bytes as text, if it can be indexed.
fn text_of(bytes: Cow<'_, [u8]>) -> serde_json::Result<Cow<'_, str>> {
    let text = match bytes {
        Cow::Borrowed(bytes) => str::from_utf8(bytes).map(Cow::from).map_err(|_| bytes.into()),
        Cow::Owned(bytes) => {
            String::from_utf8(bytes).map(Cow::from).map_err(|error| Cow::from(error.into_bytes()))
        }
    };
    match text {
        Ok(text) if u32::try_from(text.len()).is_ok() => Ok(text),
        Ok(_) => Err(serde_json::Error::custom("a body may have at most 4 GiB")),
        Err(bytes) => {
            let bytes: Cow<'_, [u8]> = bytes;
            json::check_bytes(&bytes)?;
            Err(serde_json::Error::custom("the text is not UTF-8"))
        }
    }
}

/// Makes the index of a text.
fn indexed(text: &str) -> serde_json::Result<Vec<Entry>> {
    let index = index::of(text);
    if index.as_ref().is_none_or(|index| !index.is_plain) {
        json::check(text)?;
    }
    index
        .map(|index| index.entries)
        .ok_or_else(|| serde_json::Error::custom("the text is not JSON"))
}

/// A JSON value in a text. An object has its members in order, each name once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<'b> {
    /// The whole text, which also contains other values.
    text: &'b str,
    /// This value, followed by the values in it.
    entries: &'b [Entry],
}

/// A value by its type.
#[derive(Debug, Clone)]
pub(crate) enum Value<'b> {
    Null,
    Boolean,
    Number(Number<'b>),
    String(Cow<'b, str>),
    Array,
    Object,
}

impl<'b> Body<'b> {
    /// Returns the text of the value.
    pub(crate) fn text(self) -> &'b str {
        let Entry { start, end, .. } = self.entries[0];
        &self.text[start as usize..end as usize]
    }

    fn bytes(self) -> &'b [u8] {
        let Entry { start, end, .. } = self.entries[0];
        &self.text.as_bytes()[start as usize..end as usize]
    }

    /// Returns the number of values and names in the value, with itself.
    pub(crate) fn values(self) -> usize {
        self.entries.len()
    }

    /// Returns the value by its type, without the values in it.
    pub(crate) fn value(self) -> Value<'b> {
        match self.entries[0].kind {
            Kind::Null => Value::Null,
            Kind::Boolean => Value::Boolean,
            Kind::Number => Value::Number(Number(self.text())),
            Kind::Plain | Kind::Escaped => Value::String(self.unquoted()),
            Kind::Array => Value::Array,
            Kind::Object => Value::Object,
        }
    }

    /// Returns whether the value is an array.
    pub(crate) fn is_array(self) -> bool {
        self.entries[0].kind == Kind::Array
    }

    /// Returns whether the value is an object.
    pub(crate) fn is_object(self) -> bool {
        self.entries[0].kind == Kind::Object
    }

    /// Returns the value, if it is a string.
    pub(crate) fn string(self) -> Option<Cow<'b, str>> {
        matches!(self.entries[0].kind, Kind::Plain | Kind::Escaped).then(|| self.unquoted())
    }

    /// Returns a string without its quotation marks and escapes.
    fn unquoted(self) -> Cow<'b, str> {
        let Entry { start, end, kind, .. } = self.entries[0];
        match kind {
            Kind::Escaped => Cow::Owned(
                serde_json::from_str(self.text()).expect("serde_json has read this string"),
            ),
            _ => Cow::Borrowed(&self.text[start as usize + 1..end as usize - 1]),
        }
    }

    /// Returns the values directly in an array, or the names and values directly in an object.
    fn inner(self) -> impl Iterator<Item = Body<'b>> + Clone {
        let mut rest = &self.entries[1..];
        std::iter::from_fn(move || {
            let entries = rest.get(..rest.first()?.count as usize)?;
            rest = &rest[entries.len()..];
            Some(Body { text: self.text, entries })
        })
    }

    /// Returns the items of an array; none of any other value.
    pub(crate) fn items(self) -> impl Iterator<Item = Body<'b>> + Clone {
        self.inner().filter(move |_| self.is_array())
    }

    /// Returns the members of an object; none of any other value.
    pub(crate) fn members(self) -> impl Iterator<Item = (Cow<'b, str>, Body<'b>)> + Clone {
        self.spelled_members().map(|(name, value)| (name.unquoted(), value))
    }

    /// Returns the names of the members of an object as values.
    pub(crate) fn names(self) -> impl Iterator<Item = Self> + Clone {
        self.spelled_members().map(|(name, _)| name)
    }

    /// Returns the members of an object with their names as values.
    fn spelled_members(self) -> impl Iterator<Item = (Body<'b>, Body<'b>)> + Clone {
        let mut inner = self.inner();
        std::iter::from_fn(move || Some((inner.next()?, inner.next()?)))
            .filter(move |_| self.is_object())
    }

    /// Returns the member of an object with this name.
    pub(crate) fn member(self, name: &str) -> Option<Self> {
        self.members().find(|(member, _)| member == name).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests;
