//! Reads fields by name from serializable values.
//!
//! Generated code reads fields directly. The fields of a configuration are known by name only, and
//! serde provides the names: an [`Extractor`] is a serializer that keeps the scalars at the paths of a
//! [`FieldTree`] and skips everything else. It reads the model's own types. A `u8` is therefore an
//! integer and an `f64` a float, regardless of their spelling in the request, and defaults are present.
//! It recognises `Sensitive` values, which it redacts unless the field has a policy.

use std::fmt;
use std::time::Duration;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use tracing::Value;
use tracing::field::Empty;

use super::field_tree::FieldTree;
use crate::log_value::{Iso8601, LogValue};
use crate::policy::bucket::Bucketed;
use crate::policy::digest::Digest;
use crate::policy::{Policy, Width};
use crate::sensitive::{self, REDACTED};

/// The value of one field.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Extracted {
    /// `None`, or no value at this path.
    #[default]
    Null,
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Text(String),
}

impl Extracted {
    /// Returns the value that the record shows.
    fn shown(self, policy: Option<Policy>) -> Self {
        match (policy, self) {
            (Some(Policy::Redacted), _) => Self::Text(REDACTED.to_owned()),
            (None, value) => value,
            (_, Self::Null) => Self::Null,
            (Some(Policy::Hashed), value) => Self::Text(value.digest().to_string()),
            (Some(Policy::Bucketed(width)), value) => value.bucket(width),
        }
    }

    fn digest(&self) -> Digest {
        match self {
            Self::Null => Digest::of(""),
            Self::Bool(value) => Digest::of(value),
            Self::I64(value) => Digest::of(value),
            Self::U64(value) => Digest::of(value),
            Self::I128(value) => Digest::of(value),
            Self::U128(value) => Digest::of(value),
            Self::F64(value) => Digest::of(value),
            Self::Text(value) => Digest::of(value),
        }
    }

    /// Returns the lower bound of the bucket; `Null` if the value is not a number, or an integer in
    /// buckets of another width.
    fn bucket(self, width: Width) -> Self {
        match (self, width) {
            (Self::I64(value), Width::Whole(width)) => Self::I64(value.bucket(width)),
            (Self::U64(value), Width::Whole(width)) => Self::U64(value.bucket(width)),
            (Self::I128(value), Width::Whole(width)) => Self::I128(value.bucket(width)),
            (Self::U128(value), Width::Whole(width)) => Self::U128(value.bucket(width)),
            (Self::F64(value), Width::Whole(width)) => Self::F64(value.bucket(width)),
            (Self::F64(value), Width::Decimal(width)) => Self::F64(value.bucket(width)),
            _ => Self::Null,
        }
    }

    /// Returns the value for `tracing`.
    pub(super) fn value(&self) -> &dyn Value {
        match self {
            Self::Null => &Empty,
            Self::Bool(value) => value,
            Self::I64(value) => value,
            Self::U64(value) => value,
            Self::I128(value) => value,
            Self::U128(value) => value,
            Self::F64(value) => value,
            Self::Text(value) => value,
        }
    }
}

/// Reads the values at the paths of `tree`. A field without a value is `Null`.
pub(super) fn extract(
    value: &(impl Serialize + ?Sized),
    tree: &FieldTree,
    policies: &[Option<Policy>],
) -> Vec<Extracted> {
    let mut extracted = policies.iter().map(|policy| Extracted::Null.shown(*policy)).collect();
    // After an error, the fields before it have been extracted.
    let _stopped = value.serialize(Extractor {
        tree,
        policies,
        extracted: &mut extracted,
        is_sensitive: false,
    });
    extracted
}

/// Reads a single value.
pub(super) fn single(value: &(impl Serialize + ?Sized), policy: Option<Policy>) -> Extracted {
    let tree = FieldTree::new([&[] as &[String]]);
    extract(value, &tree, &[policy]).pop().unwrap_or_default()
}

/// Serializer for the part of a value that `tree` describes.
struct Extractor<'a> {
    tree: &'a FieldTree,
    policies: &'a [Option<Policy>],
    extracted: &'a mut Vec<Extracted>,
    /// Whether the value is inside a `Sensitive`.
    is_sensitive: bool,
}

impl Extractor<'_> {
    fn scalar(self, value: Extracted) -> Result<(), Stopped> {
        for position in self.tree.positions() {
            let policy = self.policies[*position];
            let policy = policy.or(self.is_sensitive.then_some(Policy::Redacted));
            self.extracted[*position] = value.clone().shown(policy);
        }
        Ok(())
    }

    fn child<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Stopped> {
        match self.tree.child(name) {
            Some(tree) => value.serialize(self.at(tree)),
            None => Ok(()),
        }
    }

    fn at<'t>(&'t mut self, tree: &'t FieldTree) -> Extractor<'t> {
        let Self { policies, is_sensitive, .. } = *self;
        Extractor { tree, policies, extracted: self.extracted, is_sensitive }
    }
}

/// Error of the user's `Serialize` implementation.
#[derive(Debug)]
struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value cannot be serialized")
    }
}

impl std::error::Error for Stopped {}

impl serde::ser::Error for Stopped {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty) => $variant:ident,)*) => {$(
        fn $method(self, value: $type) -> Result<(), Stopped> {
            self.scalar(Extracted::$variant(value.into()))
        }
    )*};
}

impl<'a> Serializer for Extractor<'a> {
    type Ok = ();
    type Error = Stopped;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Variant<Elements<'a>>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Struct<'a>;
    type SerializeStructVariant = Variant<Self>;

    scalars! {
        serialize_bool(bool) => Bool,
        serialize_i8(i8) => I64,
        serialize_i16(i16) => I64,
        serialize_i32(i32) => I64,
        serialize_i64(i64) => I64,
        serialize_i128(i128) => I128,
        serialize_u8(u8) => U64,
        serialize_u16(u16) => U64,
        serialize_u32(u32) => U64,
        serialize_u64(u64) => U64,
        serialize_u128(u128) => U128,
        serialize_f64(f64) => F64,
        serialize_char(char) => Text,
        serialize_str(&str) => Text,
    }

    fn serialize_f32(self, value: f32) -> Result<(), Stopped> {
        self.scalar(Extracted::F64(value.log_value()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Stopped> {
        let mut elements = self.serialize_seq(Some(value.len()))?;
        value.iter().try_for_each(|byte| elements.element(byte))
    }

    fn serialize_none(self) -> Result<(), Stopped> {
        self.scalar(Extracted::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stopped> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Stopped> {
        self.scalar(Extracted::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Stopped> {
        self.scalar(Extracted::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Stopped> {
        self.scalar(Extracted::Text(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        self.is_sensitive |= name == sensitive::NAME;
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        self.child(variant, value)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Elements<'a>, Stopped> {
        Ok(Elements { extractor: self, next: 0 })
    }

    fn serialize_tuple(self, _length: usize) -> Result<Elements<'a>, Stopped> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Elements<'a>, Stopped> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Variant<Elements<'a>>, Stopped> {
        Ok(self.variant(variant).map(|extractor| Elements { extractor, next: 0 }))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Entries<'a>, Stopped> {
        Ok(Entries { extractor: self, key: None })
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Struct<'a>, Stopped> {
        let is_duration = name == "Duration" && length == 2 && !self.tree.positions().is_empty();
        Ok(Struct { extractor: self, duration: is_duration.then_some(Duration::ZERO) })
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Variant<Self>, Stopped> {
        Ok(self.variant(variant))
    }
}

impl<'a> Extractor<'a> {
    fn variant(self, name: &str) -> Variant<Self> {
        Variant(self.tree.child(name).map(|tree| Extractor { tree, ..self }))
    }
}

/// The fields of an enum variant; `None` if the tree contains none of them.
struct Variant<T>(Option<T>);

impl<T> Variant<T> {
    fn map<U>(self, convert: impl FnOnce(T) -> U) -> Variant<U> {
        Variant(self.0.map(convert))
    }
}

/// The elements of a sequence or tuple. Their names are their indices.
struct Elements<'a> {
    extractor: Extractor<'a>,
    next: usize,
}

impl Elements<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        let index = self.next;
        self.next += 1;
        if !self.extractor.tree.has_children() {
            return Ok(());
        }
        self.extractor.child(&index.to_string(), value)
    }
}

/// The entries of a map or of a flattened struct.
struct Entries<'a> {
    extractor: Extractor<'a>,
    key: Option<String>,
}

/// The fields of a struct.
struct Struct<'a> {
    extractor: Extractor<'a>,
    /// The value so far of a `std::time::Duration`, which serde writes as seconds and nanoseconds.
    duration: Option<Duration>,
}

impl SerializeStruct for Struct<'_> {
    type Ok = ();
    type Error = Stopped;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        if let Some(duration) = self.duration {
            self.duration = match (key, single(value, None)) {
                ("secs", Extracted::U64(seconds)) => Some(duration + Duration::from_secs(seconds)),
                ("nanos", Extracted::U64(part)) => Some(duration + Duration::from_nanos(part)),
                _ => None,
            };
        }
        self.extractor.child(key, value)
    }

    fn end(self) -> Result<(), Stopped> {
        match self.duration {
            Some(duration) => self.extractor.scalar(Extracted::Text(Iso8601(duration).to_string())),
            None => Ok(()),
        }
    }
}

impl SerializeStructVariant for Variant<Extractor<'_>> {
    type Ok = ();
    type Error = Stopped;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Stopped> {
        self.0.as_mut().map_or(Ok(()), |extractor| extractor.child(key, value))
    }

    fn end(self) -> Result<(), Stopped> {
        Ok(())
    }
}

impl SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Stopped;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stopped> {
        self.key = match single(key, None) {
            Extracted::Text(text) => Some(text),
            Extracted::U64(number) => Some(number.to_string()),
            Extracted::I64(number) => Some(number.to_string()),
            Extracted::Bool(value) => Some(value.to_string()),
            _ => None,
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        match self.key.take() {
            Some(key) => self.extractor.child(&key, value),
            None => Ok(()),
        }
    }

    fn end(self) -> Result<(), Stopped> {
        Ok(())
    }
}

macro_rules! elements {
    ($($trait:ident::$method:ident,)*) => {$(
        impl $trait for Elements<'_> {
            type Ok = ();
            type Error = Stopped;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
                self.element(value)
            }

            fn end(self) -> Result<(), Stopped> {
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
}

impl SerializeTupleVariant for Variant<Elements<'_>> {
    type Ok = ();
    type Error = Stopped;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stopped> {
        self.0.as_mut().map_or(Ok(()), |elements| elements.element(value))
    }

    fn end(self) -> Result<(), Stopped> {
        Ok(())
    }
}
