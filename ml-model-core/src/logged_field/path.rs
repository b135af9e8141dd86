//! Reading a field at a path that may lead through `Option`s, for generated code.
//!
//! `address.zip` is read as `at(&input.address).read(|value| field(&value.zip))`. The type of the parent selects the
//! methods without a bound. Those of a type without fields, and of an `Option` of one, belong to [`WithoutFields`]; they
//! take the value and are therefore found first. Those of other `Option`s are inherent and take a reference. Those of
//! all other types belong to [`Path`], which takes a reference, too, and is found last.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::sensitive::Sensitive;

/// The value at the start of a path, or at one of its names; `None` behind an `Option` without a value.
#[derive(Debug)]
pub struct At<'a, T>(Option<&'a T>);

/// Starts a path at a value.
#[inline]
pub fn at<T>(value: &T) -> At<'_, T> {
    At(Some(value))
}

impl<'a, T> At<'a, Option<T>> {
    /// Goes on to a field of the value in the `Option`.
    #[inline]
    pub fn get<U>(&self, field: impl FnOnce(&'a T) -> &'a U) -> At<'a, U> {
        At(self.0.and_then(Option::as_ref).map(field))
    }

    /// Returns what `read` makes of the value in the `Option`.
    #[inline]
    pub fn read<V>(&self, read: impl FnOnce(&'a T) -> V) -> Option<V> {
        self.0.and_then(Option::as_ref).map(read)
    }
}

/// The methods of a value with fields.
pub trait Path<'a, T: 'a> {
    /// Goes on to a field of the value.
    fn get<U>(self, field: impl FnOnce(&'a T) -> &'a U) -> At<'a, U>;

    /// Returns what `read` makes of the value.
    fn read<V>(self, read: impl FnOnce(&'a T) -> V) -> Option<V>;

    /// Returns the value, which is an input or output, for the first names of its paths.
    fn root(self) -> &'a T;
}

impl<'a, T> Path<'a, T> for &At<'a, T> {
    #[inline]
    fn get<U>(self, field: impl FnOnce(&'a T) -> &'a U) -> At<'a, U> {
        At(self.0.map(field))
    }

    #[inline]
    fn read<V>(self, read: impl FnOnce(&'a T) -> V) -> Option<V> {
        self.0.map(read)
    }

    #[inline]
    fn root(self) -> &'a T {
        self.0.expect("a path starts at a value")
    }
}

/// The methods of a value without fields, which do not compile.
pub trait WithoutFields<'a> {
    /// Type of the value.
    type Value;

    /// Does not compile.
    fn get<U>(
        self,
        field: impl FnOnce(&'a <Self::Value as HasFields<'a>>::Fields) -> &'a U,
    ) -> At<'a, U>
    where
        Self: Sized,
        Self::Value: HasFields<'a>,
    {
        let _ = field;
        At(None)
    }

    /// Does not compile.
    fn read<V>(
        self,
        read: impl FnOnce(&'a <Self::Value as HasFields<'a>>::Fields) -> V,
    ) -> Option<V>
    where
        Self: Sized,
        Self::Value: HasFields<'a>,
    {
        let _ = read;
        None
    }

    /// Does not compile.
    fn root(self) -> &'a <Self::Value as IsStruct<'a>>::Fields
    where
        Self: Sized,
        Self::Value: IsStruct<'a>,
    {
        unreachable!("no type implements `IsStruct`")
    }
}

/// A trait without implementations, which the methods of a value without fields require. As `Fields` is then an
/// error already, rustc does not report that it has no field of that name.
///
/// The lifetime keeps rustc from checking the bound at the definition of the methods.
#[diagnostic::on_unimplemented(
    message = "a path cannot lead into a field of type `{Self}`",
    label = "a value of this type has no fields for a path",
    note = "a number, a text or a flag is logged itself, without a further name",
    note = "items of a list and entries of a map or of a JSON value cannot be logged",
    note = "of a `Sensitive` struct, log the whole, as in `redacted(recipient)`, or make its fields `Sensitive` instead"
)]
pub trait HasFields<'a> {
    /// The type of the value that has the fields.
    type Fields: 'a;
}

/// A trait without implementations, as [`HasFields`], for the input and output of a model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fields to log: make the input or output a struct with these fields, or list none",
    label = "not a field of a struct",
    note = "`Input` and `Output` are one row, not a list: a service passes each row of a batch to the model"
)]
pub trait IsStruct<'a> {
    /// The type of the value that has the fields.
    type Fields: 'a;
}

macro_rules! without_fields {
    ($([$($parameters:tt)*] $type:ty;)*) => {$(
        impl<'a, $($parameters)*> WithoutFields<'a> for At<'a, $type> {
            type Value = $type;
        }

        impl<'a, $($parameters)*> WithoutFields<'a> for At<'a, Option<$type>> {
            type Value = $type;
        }
    )*};
}

without_fields! {
    [] bool;
    [] char;
    [] f32;
    [] f64;
    [] i8;
    [] i16;
    [] i32;
    [] i64;
    [] i128;
    [] isize;
    [] u8;
    [] u16;
    [] u32;
    [] u64;
    [] u128;
    [] usize;
    [] String;
    [] Value;
    [T] Vec<T>;
    [T, const N: usize] [T; N];
    [K, V] BTreeMap<K, V>;
    [K, V, S] HashMap<K, V, S>;
    [T, E] Result<T, E>;
    [T] Sensitive<T>;
}
