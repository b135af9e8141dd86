//! Conversion of values to types that implement `Deserialize`, with the place of each mistake.

use std::{cell::RefCell, fmt};

use serde::{
    de::{
        self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, MapAccess,
        SeqAccess, Unexpected, VariantAccess, Visitor,
        value::{BorrowedStrDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::{
    Kind, Node, Problems,
    did_you_mean::{quoted, unknown_key, unknown_word},
    scalar::{self, Scalar},
    tree::Value,
};

impl Node<'_> {
    /// Deserializes the value.
    ///
    /// The first mistake is reported, at the line and the path of the inner value. Messages of the
    /// type's own `Deserialize` implementation are shown without the value.
    ///
    /// Keys that the type ignores are mistakes, too, as with `#[serde(deny_unknown_fields)]`. A type that accepts any
    /// key has a map with `#[serde(flatten)]`.
    pub fn deserialize<T: DeserializeOwned>(&self, problems: &mut Problems) -> Option<T> {
        let ignored = RefCell::default();
        let typed = Typed { node: *self, keys: None, ignored: &ignored };
        let value = T::deserialize(typed).map_err(|error| error.report(*self, problems)).ok();
        let ignored = ignored.into_inner();
        for (index, valid) in &ignored {
            let node = self.with_index(*index);
            node.report_in_parent(problems, unknown_key(node.key(), true, valid));
        }
        value.filter(|_| ignored.is_empty())
    }
}

/// The keys of structs that their types ignore, each with the valid keys.
type Ignored = RefCell<Vec<(usize, &'static [&'static str])>>;

/// A mistake; its place is set while the error passes through the enclosing values.
#[derive(Debug)]
struct Error {
    fault: Fault,
    at: Option<usize>,
    /// Whether the mistake is in the key rather than in the value.
    is_key: bool,
}

// serde passes values to an error, but messages must not show values: only the message is kept.
#[derive(Debug)]
enum Fault {
    Message(String),
    /// A message of the type's `Deserialize` implementation, which may quote the value.
    Custom(String),
    UnknownKey(String, &'static [&'static str]),
    UnknownWord(String, &'static [&'static str]),
}

impl Error {
    fn at(mut self, node: Node<'_>) -> Self {
        self.at.get_or_insert(node.index());
        self
    }

    fn at_key(mut self, node: Node<'_>) -> Self {
        if self.at.is_none() {
            self.is_key = true;
        }
        self.at(node)
    }

    /// Names the keys of the struct that was expected in place of the value.
    fn naming(mut self, keys: &[&str]) -> Self {
        if let (None, Fault::Message(message)) = (self.at, &mut self.fault)
            && let Some(found) = message.strip_prefix("expected a mapping, found ")
            && !keys.is_empty()
        {
            *message = format!("expected a mapping with the keys {}, found {found}", quoted(keys));
        }
        self
    }

    fn report(self, root: Node<'_>, problems: &mut Problems) {
        let node = root.with_index(self.at.unwrap_or(root.index()));
        let message = match self.fault {
            Fault::Message(message) => message,
            Fault::Custom(message) => {
                node.secrets().fold(message, |message, secret| message.replace(secret, "…"))
            }
            Fault::UnknownKey(key, valid) => unknown_key(&key, true, valid),
            Fault::UnknownWord(word, valid) => unknown_word("word", &word, node.is_shown(), valid),
        };
        if self.is_key {
            node.report_in_parent(problems, message);
        } else {
            node.report(problems, message);
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self { fault, at: None, is_key: false }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::Message(text) | Fault::Custom(text) => f.write_str(text),
            Fault::UnknownKey(..) => f.write_str("unknown key"),
            Fault::UnknownWord(..) => f.write_str("unknown word"),
        }
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Fault::Custom(message.to_string()).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let remedy = match found {
            Unexpected::Bool(_)
            | Unexpected::Signed(_)
            | Unexpected::Unsigned(_)
            | Unexpected::Float(_)
                if expected == "a string" =>
            {
                "; put it in quotes"
            }
            _ => "",
        };
        let (expected, found) = (plain_words(&expected), kind(&found));
        Fault::Message(format!("expected {expected}, found {found}{remedy}")).into()
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = plain_words(&expected.to_string());
        let found = match found {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => "another integer".to_owned(),
            found => format!("{} that does not match", kind(&found)),
        };
        Fault::Message(format!("expected {expected}, found {found}")).into()
    }

    fn unknown_variant(word: &str, valid: &'static [&'static str]) -> Self {
        Fault::UnknownWord(word.to_owned(), valid).into()
    }

    fn unknown_field(key: &str, valid: &'static [&'static str]) -> Self {
        Fault::UnknownKey(key.to_owned(), valid).into()
    }

    fn missing_field(key: &'static str) -> Self {
        Fault::Message(format!("the key `{key}` is missing")).into()
    }

    fn duplicate_field(key: &'static str) -> Self {
        Fault::Message(format!("the key `{key}` is given under two names; keep one of them")).into()
    }
}

/// Translates serde's name of an expected type to the vocabulary of YAML.
fn plain_words(expected: &str) -> String {
    let integer = |min: i128, max: i128| format!("an integer from {min} to {max}");
    match expected {
        "u8" => integer(0, u8::MAX.into()),
        "u16" => integer(0, u16::MAX.into()),
        "u32" => integer(0, u32::MAX.into()),
        "u64" | "usize" | "u128" => "an integer that is not negative".to_owned(),
        "i8" => integer(i8::MIN.into(), i8::MAX.into()),
        "i16" => integer(i16::MIN.into(), i16::MAX.into()),
        "i32" => integer(i32::MIN.into(), i32::MAX.into()),
        "i64" | "isize" | "i128" => "an integer".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "text".to_owned(),
        "a map" => "a mapping".to_owned(),
        "a sequence" => "a list".to_owned(),
        _ if expected.starts_with("struct ") => "a mapping".to_owned(),
        _ if expected.starts_with("enum ") => "a word".to_owned(),
        _ => expected.to_owned(),
    }
}

fn kind(found: &Unexpected<'_>) -> String {
    let kind = match found {
        Unexpected::Bool(_) => Kind::Boolean,
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => Kind::Integer,
        Unexpected::Float(_) => Kind::Number,
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => Kind::Text,
        Unexpected::Unit | Unexpected::Option => Kind::Null,
        Unexpected::Seq => Kind::List,
        Unexpected::Map => Kind::Mapping,
        // The text of `Other` is left out: for 128-bit integers it is the value.
        Unexpected::Other(_) => return "something else".to_owned(),
        _ => return "a value with parts".to_owned(),
    };
    kind.to_string()
}

/// Deserializer of a value.
#[derive(Clone, Copy)]
struct Typed<'d, 'i> {
    node: Node<'d>,
    /// The keys of the struct that the value is in.
    keys: Option<&'static [&'static str]>,
    ignored: &'i Ignored,
}

impl<'d> Typed<'d, '_> {
    /// Returns the deserializer of a part of the value.
    fn part(self, index: usize) -> Self {
        Self { node: self.node.with_index(index), keys: None, ..self }
    }

    fn any<V: Visitor<'d>>(&self, visitor: V) -> Result<V::Value, Error> {
        let (text, plain) = match self.node.value() {
            Value::List(items) => return all_of(visitor, items, *self),
            Value::Mapping(entries) => {
                return visitor.visit_map(Entries { of: *self, entries, keys: None, value: None });
            }
            Value::Scalar { text, plain } => (&**text, *plain),
        };
        if !plain {
            return visitor.visit_borrowed_str(text);
        }
        match scalar::resolve(text) {
            Scalar::Null => visitor.visit_unit(),
            Scalar::Boolean(value) => visitor.visit_bool(value),
            Scalar::Number(value) => visitor.visit_f64(value),
            Scalar::Text => visitor.visit_borrowed_str(text),
            Scalar::Integer(Err(problem)) => Err(Fault::Message(problem.to_owned()).into()),
            Scalar::Integer(Ok(value)) => match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) => visitor.visit_u64(value),
                (_, Ok(value)) => visitor.visit_i64(value),
                _ => visitor.visit_i128(value),
            },
        }
    }

    fn text<V: Visitor<'d>>(&self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value() {
            Value::Scalar { text, .. } if self.node.is_variable() && !self.node.is_null() => {
                visitor.visit_borrowed_str(text)
            }
            _ => self.any(visitor),
        }
    }

    fn located<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| error.at(self.node))
    }
}

/// Deserializes a list. A tuple that leaves items unread is an error.
fn all_of<'d, V: Visitor<'d>>(
    visitor: V,
    items: &'d [usize],
    list: Typed<'d, '_>,
) -> Result<V::Value, Error> {
    let mut rest = Items { list, items };
    let value = visitor.visit_seq(&mut rest)?;
    match rest.items.len() {
        0 => Ok(value),
        more => {
            let (wanted, found) = (items.len() - more, items.len());
            Err(Fault::Message(format!("expected {wanted} items, found {found}")).into())
        }
    }
}

impl<'d> Deserializer<'d> for Typed<'d, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        self.located(self.any(visitor))
    }

    fn deserialize_bool<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        self.located(match self.node.plain().and_then(scalar::boolean) {
            Some(value) => visitor.visit_bool(value),
            None => self.any(visitor),
        })
    }

    fn deserialize_str<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        self.located(self.text(visitor))
    }

    fn deserialize_string<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        self.located(self.text(visitor))
    }

    fn deserialize_char<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        self.located(self.text(visitor))
    }

    fn deserialize_option<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        let node = self.node;
        let value = if node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) };
        value.map_err(|error| error.at(node))
    }

    fn deserialize_newtype_struct<V: Visitor<'d>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let node = self.node;
        visitor.visit_newtype_struct(self).map_err(|error| error.at(node))
    }

    fn deserialize_enum<V: Visitor<'d>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.located(match self.node.value() {
            Value::Scalar { text, .. } if !self.node.is_null() => {
                visitor.visit_enum(BorrowedStrDeserializer::new(text))
            }
            Value::Mapping(entries) if entries.len() == 1 => {
                visitor.visit_enum(Variant(self.part(entries[0])))
            }
            Value::Mapping(entries) => Err(Fault::Message(format!(
                "expected a mapping with one key, which names the variant, found {} keys",
                entries.len()
            ))
            .into()),
            _ => self.any(visitor),
        })
    }

    fn deserialize_struct<V: Visitor<'d>>(
        self,
        _name: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.located(match self.node.value() {
            Value::Mapping(entries) => {
                visitor.visit_map(Entries { of: self, entries, keys: Some(keys), value: None })
            }
            _ => self.any(visitor).map_err(|error| error.naming(keys)),
        })
    }

    fn deserialize_ignored_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Error> {
        // A known key may have a value that the type ignores.
        if let Some(keys) = self.keys.filter(|keys| !keys.contains(&self.node.key())) {
            self.ignored.borrow_mut().push((self.node.index(), keys));
        }
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'d>> i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

struct Items<'d, 'i> {
    list: Typed<'d, 'i>,
    items: &'d [usize],
}

impl<'d> SeqAccess<'d> for &mut Items<'d, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'d>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some((first, rest)) = self.items.split_first() else { return Ok(None) };
        self.items = rest;
        seed.deserialize(self.list.part(*first)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'d, 'i> {
    of: Typed<'d, 'i>,
    entries: &'d [usize],
    /// The keys of the struct; `None` for a map.
    keys: Option<&'static [&'static str]>,
    /// The entry whose key has been read and whose value has not.
    value: Option<Typed<'d, 'i>>,
}

impl<'d> MapAccess<'d> for Entries<'d, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'d>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((first, rest)) = self.entries.split_first() else { return Ok(None) };
        self.entries = rest;
        let value = Typed { keys: self.keys, ..self.of.part(*first) };
        let node = value.node;
        self.value = Some(value);
        seed.deserialize(BorrowedStrDeserializer::new(node.key()))
            .map(Some)
            .map_err(|error: Error| error.at_key(node))
    }

    fn next_value_seed<V: DeserializeSeed<'d>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => Err(de::Error::custom("a value is read before its key")),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// A variant with content, written `variant: content`.
struct Variant<'d, 'i>(Typed<'d, 'i>);

impl<'d> EnumAccess<'d> for Variant<'d, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'d>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let key: StrDeserializer<'_, Error> = StrDeserializer::new(self.0.node.key());
        match seed.deserialize(key) {
            Ok(value) => Ok((value, self)),
            Err(error) => Err(error.at_key(self.0.node)),
        }
    }
}

impl<'d> VariantAccess<'d> for Variant<'d, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        de::Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'d>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'d>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'d>>(
        self,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_struct("", keys, visitor)
    }
}
