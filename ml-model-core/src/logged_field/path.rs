//! Reading a field at a path that may lead through `Option`s, for generated code.
//!
//! `address.zip` is read as `at(&input.address).read(|value| field(&value.zip))`. The methods of an `Option` are
//! inherent and hide those of the trait [`Path`], so that the type of the parent decides without a bound.

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
    pub fn get<U>(self, field: impl FnOnce(&'a T) -> &'a U) -> At<'a, U> {
        At(self.0.and_then(Option::as_ref)).get(field)
    }

    /// Returns what `read` makes of the value in the `Option`.
    #[inline]
    pub fn read<V>(self, read: impl FnOnce(&'a T) -> V) -> Option<V> {
        self.0.and_then(Option::as_ref).map(read)
    }
}

/// The methods of a value that is no `Option`.
pub trait Path<'a, T: 'a> {
    /// Goes on to a field of the value.
    fn get<U>(self, field: impl FnOnce(&'a T) -> &'a U) -> At<'a, U>;

    /// Returns what `read` makes of the value.
    fn read<V>(self, read: impl FnOnce(&'a T) -> V) -> Option<V>;
}

impl<'a, T> Path<'a, T> for At<'a, T> {
    #[inline]
    fn get<U>(self, field: impl FnOnce(&'a T) -> &'a U) -> At<'a, U> {
        At(self.0.map(field))
    }

    #[inline]
    fn read<V>(self, read: impl FnOnce(&'a T) -> V) -> Option<V> {
        self.0.map(read)
    }
}
