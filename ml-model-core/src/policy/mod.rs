//! Policies: what a record shows of a field instead of its value.
//!
//! | module | contents |
//! |---|---|
//! | this one | [`Policy`], and the functions that generated code calls |
//! | `digest` | the keyed digest of `hashed` |
//! | `bucket` | the lower bounds of `bucketed` |

pub(crate) mod bucket;
pub(crate) mod digest;

use std::fmt;

use tracing::Value;

use crate::log_value::LogValue;
use crate::sensitive::{REDACTED, Sensitive};

pub(crate) use bucket::Bucketed;

/// What a record shows of a field instead of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// `redacted(ssn)`: the text `[REDACTED]`, whether or not there is a value.
    Redacted,
    /// `hashed(customer_id)`: a keyed digest, which is the same for the same value on every replica and
    /// after every restart.
    Hashed,
    /// `bucketed(age, 10)`: the lower bound of the number's bucket.
    Bucketed(Width),
}

impl Policy {
    /// Names of the policies.
    pub const NAMES: [&str; 3] = ["redacted", "hashed", "bucketed"];
}

/// Width of the buckets of [`Policy::Bucketed`], above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Width {
    /// A whole number, for numbers of all types.
    Whole(i64),
    /// Another number, for floats.
    Decimal(f64),
}

// A width is never NaN.
impl Eq for Width {}

impl Width {
    /// Reads a width; `None` if it is not a number above zero.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.replace('_', "");
        match digits.parse() {
            Ok(whole) => Some(Self::Whole(whole)).filter(|_| whole > 0),
            Err(_) => {
                let decimal = digits.parse().ok().filter(|width: &f64| width.is_finite());
                decimal.filter(|width| *width > 0.0).map(Self::Decimal)
            }
        }
    }
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(width) => width.fmt(f),
            Self::Decimal(width) => write!(f, "{width:?}"),
        }
    }
}

/// Returns the logged value of a field with the policy `redacted`.
#[inline]
pub fn redacted<T: ?Sized>(_value: &T) -> impl Value {
    REDACTED
}

/// Returns the logged value of a field with the policy `hashed`.
pub fn hashed<T: Hashed + ?Sized>(value: &T) -> impl Value {
    digest::of_value(&value.to_hash())
}

/// Returns the logged value of a field with the policy `bucketed` and a whole width.
#[inline]
pub fn bucketed_whole<T: Bucketed<i64> + ?Sized>(value: &T, width: i64) -> impl Value {
    value.bucket(width)
}

/// Returns the logged value of a field with the policy `bucketed` and a decimal width.
#[inline]
pub fn bucketed_decimal<T: Bucketed<f64> + ?Sized>(value: &T, width: f64) -> impl Value {
    value.bucket(width)
}

/// A value that the policy `hashed` accepts: every [`LogValue`], sensitive ones included.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be hashed",
    label = "this field's type does not implement `LogValue`",
    note = "`hashed` takes integers, floats, `bool`, strings, `Uuid`, enums with `#[derive(LogValue)]`, \
            and `Option` and `Sensitive` of these",
    note = "for a struct, hash one of its fields, as in `hashed(address.zip)`; `redacted` takes fields of all types"
)]
pub trait Hashed {
    /// The type that `tracing` records.
    type Value<'a>: Value
    where
        Self: 'a;

    /// Returns the value to hash.
    fn to_hash(&self) -> Self::Value<'_>;
}

impl<T: LogValue + ?Sized> Hashed for T {
    type Value<'a>
        = T::Value<'a>
    where
        T: 'a;

    fn to_hash(&self) -> T::Value<'_> {
        self.log_value()
    }
}

impl<T: LogValue> Hashed for Sensitive<T> {
    type Value<'a>
        = T::Value<'a>
    where
        T: 'a;

    fn to_hash(&self) -> T::Value<'_> {
        self.expose().log_value()
    }
}

impl<T: LogValue> Hashed for Option<Sensitive<T>> {
    type Value<'a>
        = Option<T::Value<'a>>
    where
        T: 'a;

    fn to_hash(&self) -> Option<T::Value<'_>> {
        self.as_ref().map(|value| value.expose().log_value())
    }
}
