//! The body of a request as a tree of JSON that borrows from its text.
//!
//! The input schema is checked against this tree, which is dropped afterwards: the model reads its input
//! from the text. A `serde_json::Value`, which copies every string and hashes every name, is made of
//! special bodies only. As in a `Value`, the last of several members with the same name counts.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::fmt;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, Node, NodeIdentity, Object, cmp};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// A JSON value. An object has its members in order, each name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Body<'t> {
    #[default]
    Null,
    Boolean(bool),
    Number(Number),
    String(Cow<'t, str>),
    Array(Vec<Self>),
    Object(Vec<Member<'t>>),
}

type Member<'t> = (Cow<'t, str>, Body<'t>);

/// A body and its text.
#[derive(Debug)]
pub(crate) struct Parsed<'t> {
    pub(crate) body: Body<'t>,
    pub(crate) text: &'t str,
    /// Whether an object in the text has several members with the same name, of which other parsers may
    /// choose another one.
    pub(crate) has_repeated_names: bool,
}

impl<'t> Parsed<'t> {
    /// Parses a text.
    ///
    /// # Errors
    ///
    /// Fails if the text is not JSON.
    pub(crate) fn new(text: &'t [u8]) -> serde_json::Result<Self> {
        let has_repeated_names = Cell::new(false);
        let tree = Tree { has_repeated_names: &has_repeated_names };
        let Ok(text) = str::from_utf8(text) else {
            // This error has the position of the invalid byte.
            serde_json::from_slice::<Value>(text)?;
            return Err(Error::custom("the text is not UTF-8"));
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let body = tree.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(Self { body, text, has_repeated_names: has_repeated_names.get() })
    }
}

impl Body<'_> {
    /// Returns the member of an object with this name.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Copies the value, so that it no longer borrows from its text.
    pub(crate) fn into_owned(self) -> Body<'static> {
        match self {
            Self::Null => Body::Null,
            Self::Boolean(boolean) => Body::Boolean(boolean),
            Self::Number(number) => Body::Number(number),
            Self::String(text) => Body::String(text.into_owned().into()),
            Self::Array(items) => Body::Array(items.into_iter().map(Self::into_owned).collect()),
            Self::Object(members) => {
                let owned =
                    |(name, value): Member<'_>| (name.into_owned().into(), value.into_owned());
                Body::Object(members.into_iter().map(owned).collect())
            }
        }
    }

    /// Converts the value.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(boolean) => Value::Bool(boolean),
            Self::Number(number) => Value::Number(number),
            Self::String(text) => Value::String(text.into_owned()),
            Self::Array(items) => items.into_iter().map(Self::into_value).collect(),
            Self::Object(members) => {
                let member = |(name, value): Member<'_>| (name.into_owned(), value.into_value());
                Value::Object(members.into_iter().map(member).collect())
            }
        }
    }
}

/// Deserializes bodies.
#[derive(Clone, Copy)]
struct Tree<'r> {
    has_repeated_names: &'r Cell<bool>,
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Body<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Body<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Body<'de>, E> {
        Ok(Body::Null)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Body<'de>, E> {
        Ok(Body::Boolean(boolean))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Body<'de>, E> {
        Ok(Body::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Body<'de>, E> {
        Ok(Body::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Body<'de>, E> {
        let number = Number::from_f64(number);
        number.map(Body::Number).ok_or_else(|| E::custom("JSON has no such number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Body<'de>, E> {
        Ok(Body::String(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Body<'de>, E> {
        Ok(Body::String(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Body<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Body::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            if members.is_empty() {
                // Enough for most objects.
                members.reserve(8);
            }
            members.push((name, map.next_value_seed(self)?));
        }
        let members = match has_repeated_names(&members) {
            false => members,
            true => {
                self.has_repeated_names.set(true);
                last_of_each_name(members)
            }
        };
        Ok(Body::Object(members))
    }
}

/// Deserializes the names of members.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }
}

fn has_repeated_names(members: &[Member<'_>]) -> bool {
    // Comparing all pairs is fastest for few names.
    const FEW: usize = 32;
    if members.len() > FEW {
        let mut names = HashSet::with_capacity(members.len());
        return !members.iter().all(|(name, _)| names.insert(name));
    }
    let mut earlier = members.iter().enumerate();
    earlier.any(|(index, (name, _))| members[..index].iter().any(|(earlier, _)| earlier == name))
}

/// Keeps each name at its first position, with its last value.
fn last_of_each_name(members: Vec<Member<'_>>) -> Vec<Member<'_>> {
    let mut places = HashMap::new();
    let mut distinct: Vec<Member<'_>> = Vec::new();
    for (name, value) in members {
        match places.get(&name) {
            Some(&place) => distinct[place] = (name, value),
            None => {
                places.insert(name.clone(), distinct.len());
                distinct.push((name, value));
            }
        }
    }
    distinct
}

/// Adapter that lets the schema validator read a [`Body`].
#[derive(Debug)]
pub(crate) enum BodyJson {}

impl Json for BodyJson {
    type Node<'a> = &'a Body<'a>;
    type PreparedKey = String;
    type StringBuffer = Body<'static>;

    const KEYS_PER_LOOKUP: usize = 2;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(
        buffer: &mut Body<'static>,
        string: &str,
        f: impl for<'a> FnOnce(&'a Body<'a>) -> T,
    ) -> T {
        *buffer = Body::String(Cow::Owned(string.to_owned()));
        f(buffer)
    }
}

impl<'a> Node<'a, BodyJson> for &'a Body<'a> {
    type Object = &'a [Member<'a>];
    type Array = &'a [Body<'a>];
    type Number = &'a Number;

    fn as_object(&self) -> Option<&'a [Member<'a>]> {
        let Body::Object(members) = self else { return None };
        Some(members)
    }

    fn as_array(&self) -> Option<&'a [Body<'a>]> {
        let Body::Array(items) = self else { return None };
        Some(items)
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        let Body::String(text) = self else { return None };
        Some(Cow::Borrowed(text))
    }

    fn as_number(&self) -> Option<&'a Number> {
        let Body::Number(number) = self else { return None };
        Some(number)
    }

    fn as_boolean(&self) -> Option<bool> {
        let Body::Boolean(boolean) = self else { return None };
        Some(*boolean)
    }

    fn is_null(&self) -> bool {
        matches!(self, Body::Null)
    }

    fn json_type(&self) -> JsonType {
        match self {
            Body::Null => JsonType::Null,
            Body::Boolean(_) => JsonType::Boolean,
            Body::Number(_) => JsonType::Number,
            Body::String(_) => JsonType::String,
            Body::Array(_) => JsonType::Array,
            Body::Object(_) => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (self, expected) {
            (Body::Null, expected) => expected.is_null(),
            (Body::Boolean(boolean), expected) => *expected == Value::Bool(*boolean),
            (Body::String(text), expected) => expected.as_str() == Some(text),
            (body, expected) => cmp::equal(&Node::to_value(body), expected),
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned((*self).clone().into_value())
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref::<Body<'_>>(self).addr()))
    }
}

impl<'a> Object<'a, BodyJson> for &'a [Member<'a>] {
    type Node = &'a Body<'a>;
    type MemberName = &'a str;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        <[_]>::len(self)
    }

    fn get(&self, key: &String) -> Option<&'a Body<'a>> {
        self.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    fn members(&self) -> Members<'a> {
        Members(self.iter())
    }
}

impl<'a> Array<'a, BodyJson> for &'a [Body<'a>] {
    type Node = &'a Body<'a>;
    type ElementsIter = std::slice::Iter<'a, Body<'a>>;

    fn len(&self) -> usize {
        <[_]>::len(self)
    }

    fn elements(&self) -> Self::ElementsIter {
        self.iter()
    }
}

/// The members of an object in order.
pub(crate) struct Members<'a>(std::slice::Iter<'a, Member<'a>>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a Body<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (&**name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonschema::json::conformance;
    use proptest::prelude::*;

    #[test]
    fn it_is_json_as_the_validator_wants_it() {
        let text = conformance::document().to_string();
        let parsed = Parsed::new(text.as_bytes()).expect("the document is JSON");
        conformance::assert_conformance::<BodyJson>(&&parsed.body);
    }

    /// Generates JSON with few names, so that some are repeated.
    fn json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            any::<i64>().prop_map(|value| value.to_string()),
            any::<u64>().prop_map(|value| value.to_string()),
            any::<f64>().prop_map(|value| Value::from(value).to_string()),
            any::<String>().prop_map(|value| Value::from(value).to_string()),
        ];
        scalar.prop_recursive(4, 200, 60, |inner| {
            let name = prop_oneof![Just("a"), Just("b"), Just("é"), Just("\\u00e9"), Just("c\\n")];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5)
                    .prop_map(|items| format!("[{}]", items.join(","))),
                prop::collection::vec((name, inner), 0..50).prop_map(|members| {
                    let members = members.iter().map(|(name, value)| format!("\"{name}\":{value}"));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_json_reads(text in json()) {
            let parsed = Parsed::new(text.as_bytes()).expect("it is JSON");
            let value: Value = serde_json::from_str(&text).expect("it is JSON");
            // The texts show the order of members too.
            prop_assert_eq!(&parsed.body.into_value().to_string(), &value.to_string());
            // The text of a value is shorter than the original only if members are missing.
            let text = text.replace("\\u00e9", "é");
            prop_assert_eq!(parsed.has_repeated_names, value.to_string().len() < text.len());
        }

        #[test]
        fn it_refuses_what_serde_json_refuses(text in json(), at: prop::sample::Index, byte: u8) {
            let mut text = text.into_bytes();
            let at = at.index(text.len());
            text[at] = byte;
            let refusal = |error: serde_json::Error| error.to_string();
            let value = serde_json::from_slice::<Value>(&text).map_err(refusal);
            let body = Parsed::new(&text).map(|parsed| parsed.body.into_value()).map_err(refusal);
            prop_assert_eq!(body, value);
        }
    }
}
