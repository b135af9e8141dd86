//! [`LogValue`], the trait of values in log records.

mod time;

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::num::NonZero;
use std::rc::Rc;
use std::sync::Arc;

use tracing::Value;
use tracing::field::DisplayValue;
use uuid::Uuid;

pub(crate) use time::Iso8601;

/// A value that can be a field of a log record.
///
/// It is implemented for integers, floats, `bool`, `char`, strings, [`Uuid`],
/// [`Duration`](std::time::Duration), pointers to these, and `Option` of these. The features `jiff` and
/// `chrono` add the dates, times and durations of these crates, as text in the form of ISO 8601. `None` is
/// logged as `null`. `#[derive(LogValue)]` implements it for enums without
/// data, which are logged under the names that serde writes.
///
/// ```
/// use ml_model_core::LogValue;
///
/// #[derive(LogValue)]
/// #[serde(rename_all = "lowercase")]
/// enum Sex {
///     Male,
///     Female,
/// }
///
/// assert_eq!(Sex::Female.log_value(), "female");
/// assert_eq!(Some(21.5).log_value(), Some(21.5));
/// ```
///
/// For a type of your own, `Value` is the type of what is logged:
///
/// ```
/// # use ml_model_core::LogValue;
/// struct CustomerId(String);
///
/// impl LogValue for CustomerId {
///     type Value<'a> = &'a str;
///
///     fn log_value(&self) -> &str {
///         &self.0
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be logged",
    label = "this field's type does not implement `LogValue`",
    note = "log values are integers, floats, `bool`, strings, `Uuid`, `Duration`, and `Option` of these",
    note = "dates and times are those of `jiff` and `chrono`, such as `jiff::Timestamp` and `chrono::DateTime`, with the \
            feature `jiff` or `chrono` of `ml-model-core`",
    note = "for an enum without data, derive it: `#[derive(LogValue)]`, with `use ml_model_core::LogValue`",
    note = "for a struct, log one of its fields by its path, such as \"address.zip\"; for a tuple or a newtype, a path \
            with a number, such as \"customer_id.0 as customer_id\"",
    note = "lists and maps cannot be logged; `redacted(field)` takes fields of all types",
    note = "for another type of your own, implement `LogValue`; for one of another crate, log a field with its text"
)]
pub trait LogValue {
    /// The type that `tracing` records.
    type Value<'a>: Value
    where
        Self: 'a;

    /// Returns the value that `tracing` records.
    fn log_value(&self) -> Self::Value<'_>;
}

/// Implements [`LogValue`] for types that `tracing` records directly.
macro_rules! direct {
    ($($type:ty)*) => {$(
        impl LogValue for $type {
            type Value<'a> = Self;

            #[inline]
            fn log_value(&self) -> Self {
                *self
            }
        }
    )*};
}

direct! { bool f64 i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

macro_rules! non_zero {
    ($($integer:ty)*) => {$(
        impl LogValue for NonZero<$integer> {
            type Value<'a> = $integer;

            #[inline]
            fn log_value(&self) -> $integer {
                self.get()
            }
        }
    )*};
}

non_zero! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

/// Logs the shortest digits of the `f32`: 0.1, not 0.10000000149011612.
impl LogValue for f32 {
    type Value<'a> = f64;

    fn log_value(&self) -> f64 {
        // Sign, nine digits, point and exponent take sixteen characters at most.
        let mut text = Buffer { bytes: [0; 24], len: 0 };
        let written = write!(text, "{self:e}");
        let shortest = match written {
            Ok(()) => std::str::from_utf8(&text.bytes[..text.len]).unwrap_or_default().parse(),
            Err(fmt::Error) => return f64::from(*self),
        };
        shortest.unwrap_or_else(|_| f64::from(*self))
    }
}

struct Buffer {
    bytes: [u8; 24],
    len: usize,
}

impl Write for Buffer {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.len + part.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(part.as_bytes());
        self.len = end;
        Ok(())
    }
}

macro_rules! strings {
    ($($type:ty)*) => {$(
        impl LogValue for $type {
            type Value<'a> = &'a str;

            #[inline]
            fn log_value(&self) -> &str {
                self
            }
        }
    )*};
}

strings! { str String }

macro_rules! displayed {
    ($($type:ty)*) => {$(
        impl LogValue for $type {
            type Value<'a> = DisplayValue<Self>;

            fn log_value(&self) -> DisplayValue<Self> {
                tracing::field::display(*self)
            }
        }
    )*};
}

displayed! { Uuid char }

impl<T: LogValue> LogValue for Option<T> {
    type Value<'a>
        = Option<T::Value<'a>>
    where
        T: 'a;

    #[inline]
    fn log_value(&self) -> Option<T::Value<'_>> {
        self.as_ref().map(T::log_value)
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: LogValue + ?Sized> LogValue for $pointer {
            type Value<'a> = T::Value<'a> where Self: 'a;

            #[inline]
            fn log_value(&self) -> Self::Value<'_> {
                (**self).log_value()
            }
        }
    )*};
}

pointers! { &T, Box<T>, Rc<T>, Arc<T> }

impl<T: LogValue + ToOwned + ?Sized> LogValue for Cow<'_, T> {
    type Value<'a>
        = T::Value<'a>
    where
        Self: 'a;

    #[inline]
    fn log_value(&self) -> Self::Value<'_> {
        (**self).log_value()
    }
}
